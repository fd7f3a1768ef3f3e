"""A search killed before any of its writes goes on as if it had not been."""

import math

import numpy as np
import pytest

from gpsearch.comparison import compare
from gpsearch.evaluation import FoldResult, run_folds
from gpsearch.execution import search
from gpsearch.space import Categorical, Integer
from gpsearch.study import Study
from gpsearch.study.study_file import StudyFile

SPACE = {"rate": Categorical([0.0, 0.3, 0.6, 0.7]), "units": Integer(1, 3)}
POINT = {"rate": 0.6, "units": 3}


class Killed(BaseException):
    pass


class Folds:
    """Noisy folds of which some are not finite, also on fresh splits, and some raise."""

    name = "folds"
    n_folds = 3

    def __init__(self, splits=0):
        self.splits = splits

    def validate(self, space):
        pass

    def fingerprint(self):
        return self.name

    def describe(self):
        return {"name": self.name}

    def with_fresh_folds(self, seed):
        return Folds(seed)

    def evaluate(self, params, *, seed, on_fold=None, done=()):
        known = {fold.fold for fold in done}

        def results():
            for j in set(range(self.n_folds)) - known:
                noise, luck = np.random.default_rng((seed, j, self.splits)).random(2)
                if luck < 0.05:
                    raise ValueError(f"fold {j} diverged")
                score = params["units"] - 9 * abs(params["rate"] - 0.6) + noise
                yield FoldResult(fold=j, score=math.nan if luck < 0.2 else score)

        return run_folds(results(), on_fold, done)


def run(**options):
    given = {"random_state": 3, "strategy": "random", "progress": False, "n_calls": 8}
    return search(Folds(), SPACE, **(given | options))


def short(study):
    return run(n_calls=7, study=study, confirm=0.9)


def extended(study):
    return run(n_calls=10, study=study, confirm=0.9)


def warm(study):
    earlier = run(n_calls=6, racing=None)
    with earlier.writing() as writer:  # known twice
        writer.add_trials([trial for trial in earlier.trials if trial.state == "complete"])
    return run(n_calls=4, study=study, warm_start=earlier)


def given_twice(study):
    return run(n_calls=3, study=study, x0=[POINT, POINT, [0.3, 1]], y0=[1.0, 2.0, 0.0])


def compared(study):
    strategies = {"a": "random", "b": "random"}
    options = {"n_calls": 3, "n_repeats": 2, "random_state": 2, "progress": False}
    compare(Folds(), SPACE, strategies=strategies, study=study, **options)
    return Study.open(study)


def content(study):
    trials = [
        (t.number, t.state, dict(t.params), t.seed, t.origin, t.proposal, t.reason, scores(t.folds))
        for t in study.trials
    ]
    fresh = {key: scores(folds) for key, folds in study._file.read_fresh().items()}
    return trials, fresh, repr(study.confirmation), study.stop_reason


def scores(folds):
    return [(fold.fold, repr(fold.score), fold.error) for fold in folds]


@pytest.mark.parametrize(
    "calls",
    [[short, extended], [warm], [given_twice], [compared]],
    ids=lambda calls: calls[-1].__name__,
)
def test_it_is_the_uninterrupted_search(calls, tmp_path, monkeypatch):
    write, left = StudyFile.write, math.inf

    def write_or_die(self, **rows):
        nonlocal left
        left -= 1
        if left < 0:
            left = math.inf
            raise Killed
        write(self, **rows)

    def made(path):
        for call in calls:
            try:
                study = call(path)
            except Killed:
                study = call(path)
        return content(study)

    expected = made(tmp_path / "whole.db")
    monkeypatch.setattr(StudyFile, "write", write_or_die)
    n_writes = 0
    while left == math.inf:
        left = n_writes
        assert made(tmp_path / f"{n_writes}.db") == expected, f"killed after {n_writes} writes"
        n_writes += 1
    assert n_writes > 10
