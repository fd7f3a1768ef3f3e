"""A search that dies at any step and is resumed is the uninterrupted search."""

import contextlib
import json
import os
import resource
import signal
from collections import Counter

import numpy as np
import pytest

from gpsearch.errors import StudyError, StudyLockedError
from gpsearch.evaluation import Evaluation, FoldResult
from gpsearch.execution import search
from gpsearch.space import Categorical, Integer, Real
from gpsearch.study import Study, lock, sqlite

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked children"),
    # the children of these tests run no thread of the parent
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning"),
]

SPACE = {
    "rate": Real(1e-4, 1.0, prior="log-uniform"),
    "units": Integer(1, 100),
    "act": Categorical(["relu", "tanh", ("leaky", 0.1)]),
}
N_CALLS = 5


class NoisyFolds:
    """Two noisy folds; one trial in five fails. Every fold leaves a line when it begins."""

    name = "noisy folds"
    n_folds = 2

    def __init__(self, log):
        self.log = log

    def validate(self, space):
        pass

    def fingerprint(self):
        return self.name

    def describe(self):
        return {"name": self.name}

    def evaluate(self, params, *, seed, on_fold=None, done=()):
        folds = list(done)
        for j in range(len(done), self.n_folds):
            with open(self.log, "a") as log:
                log.write(f"{seed} {j}\n")
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(j,)))
            if seed % 5 == 0 and j == 1:
                raise ValueError("diverged")
            score = -abs(np.log10(params["rate"]) + 2) + rng.normal()
            folds.append(FoldResult(fold=j, score=float(score), curves={"loss": (score, 0.1)}))
            if on_fold is not None and on_fold(folds[-1]) is False:
                break
        return Evaluation(folds=tuple(folds))


def run(folder, **options):
    given = {
        "n_calls": N_CALLS,
        "study": folder / "study.db",
        "strategy": "random",
        "random_state": 11,
        "x0": {"rate": 0.5, "units": 7, "act": ("leaky", 0.1)},
        "progress": False,
    }
    return search(NoisyFolds(folder / "folds"), SPACE, **(given | options))


def content(path):
    return json.dumps(
        [
            {
                "trial": [t.number, t.state, t.seed, t.origin, t.reason],
                "params": dict(t.params),
                "folds": [(f.fold, f.score, dict(f.curves)) for f in t.folds],
            }
            for t in Study.open(path).trials
        ]
    )


def killed_at(transaction, moment, folder):
    """Run the search in a child that kills itself before or after its n-th commit."""
    child = os.fork()
    if child == 0:
        count = 0
        original = sqlite.Database.transaction

        def transaction_or_death(self):
            nonlocal count
            count += 1
            if count != transaction:
                return original(self)
            return dying(self)

        @contextlib.contextmanager
        def dying(self):
            with original(self):
                yield
                if moment == "before":
                    os.kill(os.getpid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)

        sqlite.Database.transaction = transaction_or_death
        try:
            run(folder)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    study = run(folder)
    assert {t.state for t in study.trials} <= {"complete", "failed"}
    return content(folder / "study.db")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_death_at_any_commit_leaves_the_same_search(expected, tmp_path, moment):
    """Each write in turn: creation, queue, start, every fold, end, stop reason."""
    transaction = 1
    while True:
        folder = tmp_path / str(transaction)
        folder.mkdir()
        if not killed_at(transaction, moment, folder):
            break
        study = run(folder)
        assert content(folder / "study.db") == expected, f"died {moment} commit {transaction}"
        assert all(trial.finished for trial in study.trials)
        begun = Counter((folder / "folds").read_text().split("\n")[:-1])
        assert sum(begun.values()) - len(begun) <= 1, "more than one fold was repeated"
        transaction += 1
    assert transaction > 4 * N_CALLS


def test_a_search_may_die_again_and_again(expected, tmp_path):
    deaths = 0
    # two commits a life: enough to start a trial and to record one fold of it
    while killed_at(3, "before", tmp_path):
        deaths += 1
        assert deaths < 50
    assert deaths > 5
    run(tmp_path)
    assert content(tmp_path / "study.db") == expected


def test_a_reader_finds_a_whole_study_after_a_death(expected, tmp_path):
    """The reader comes first after the crash, and must undo the half-written transaction."""
    assert killed_at(6, "before", tmp_path)
    trials = Study.open(tmp_path / "study.db").trials
    assert [trial.number for trial in trials] == list(range(len(trials)))
    run(tmp_path)
    assert content(tmp_path / "study.db") == expected


def test_a_finished_search_is_left_alone_and_a_longer_one_extends_it(expected, tmp_path):
    run(tmp_path)
    run(tmp_path)
    assert content(tmp_path / "study.db") == expected
    longer = run(tmp_path, n_calls=N_CALLS + 3)
    assert len(longer.trials) == N_CALLS + 3
    assert json.loads(content(tmp_path / "study.db"))[:N_CALLS] == json.loads(expected)


def test_the_seed_need_not_be_repeated(expected, tmp_path):
    killed_at(8, "after", tmp_path)
    run(tmp_path, random_state=None)
    assert content(tmp_path / "study.db") == expected


def test_a_search_in_memory_continues_on_its_study(expected, tmp_path):
    first = run(tmp_path, study=None, n_calls=2)
    second = run(tmp_path, study=first)
    assert second is first
    told = [json.loads(json.dumps(dict(trial.params))) for trial in first.trials]
    assert told == [trial["params"] for trial in json.loads(expected)]


def test_a_disk_that_fills_up_stops_the_search_and_room_continues_it(expected, tmp_path):
    """The system refuses to let the file grow: at another size each time, in the end not."""
    refused = set()
    for kilobytes in range(4, 80, 4):
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))
            try:
                run(tmp_path)
                os._exit(0)
            except StudyError as error:
                told = str(error)
                named = "study.db" in told and "MB free" in told
                os._exit(3 if named else 4)
            finally:
                os._exit(5)
        _, status = os.waitpid(child, 0)
        assert os.WEXITSTATUS(status) in (0, 3)
        if os.WEXITSTATUS(status) == 0:
            break
        refused.add(kilobytes)
    assert len(refused) > 3
    assert content(tmp_path / "study.db") == expected


def test_two_processes_on_one_study_are_one_writer_and_a_sentence(expected, tmp_path):
    run(tmp_path, n_calls=2)
    study = Study.open(tmp_path / "study.db")
    with study.writing():
        child = os.fork()
        if child == 0:
            lock._held.clear()  # a process of its own has taken nothing
            try:
                run(tmp_path)
            except StudyLockedError as error:
                os._exit(3 if f"process {os.getppid()} on" in str(error) else 4)
            finally:
                os._exit(5)
        _, status = os.waitpid(child, 0)
        assert os.WEXITSTATUS(status) == 3
    run(tmp_path)
    assert content(tmp_path / "study.db") == expected
