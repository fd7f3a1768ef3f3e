"""Whatever an objective does, a trial ends with a state and a reason."""

import asyncio
import enum
import math
import pickle
import sys

import numpy as np
import pytest

from gpsearch.errors import StudyError
from gpsearch.evaluation import Evaluation, FoldResult
from gpsearch.execution.workers.job import Job, evaluate
from gpsearch.interruption import Terminated


class Scripted:
    """An objective that returns the given scores, one a fold, or does what it is told."""

    name = "scripted"

    def __init__(self, *scores, n_folds=None, at_end=None):
        self.scores = scores
        self.n_folds = len(scores) if n_folds is None else n_folds
        self.at_end = at_end
        self.ran = []

    def evaluate(self, params, *, seed, on_fold=None, done=()):
        folds = list(done)
        for j in range(len(done), len(self.scores)):
            self.ran.append(j)
            folds.append(FoldResult(fold=j, score=self.scores[j]))
            if on_fold is not None and on_fold(folds[-1]) is False:
                break
        if self.at_end is not None:
            return self.at_end()
        return Evaluation(folds=tuple(folds))


JOB = Job(number=0, params={"x": 1}, seed=0)


def raises(error):
    def function():
        raise error

    return function


def test_finite_scores_make_a_complete_trial():
    outcome = evaluate(Scripted(0.5, np.float32(0.25)), JOB)
    assert outcome.state == "complete"
    assert [fold.score for fold in outcome.folds] == [0.5, 0.25]
    assert type(outcome.folds[1].score) is float


def test_a_loss_of_zero_is_the_score_that_a_file_gives_back():
    (fold,) = evaluate(Scripted(-0.0), JOB).folds
    assert math.copysign(1, fold.score) == 1


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_not_finite_fails_the_trial_and_spares_its_other_folds(score):
    objective = Scripted(0.5, score, 0.7)
    outcome = evaluate(objective, JOB)
    assert (outcome.state, objective.ran) == ("failed", [0, 1])
    assert "fold 1 scored" in outcome.reason


def test_finite_scores_whose_sum_is_not_finite_are_scores():
    assert evaluate(Scripted(1.7e308, 1.7e308), JOB).state == "complete"


@pytest.mark.parametrize("score", ["0.5", None, True, 1j, [0.5]], ids=repr)
def test_a_score_that_is_no_number_fails_the_trial(score):
    outcome = evaluate(Scripted(score), JOB)
    assert outcome.state == "failed"
    assert f"FoldResult(score={score!r}): must be a number" in outcome.reason


@pytest.mark.parametrize("returned", [None, 0.5, "no", {}], ids=repr)
def test_an_evaluation_of_the_wrong_type_fails_the_trial(returned):
    outcome = evaluate(Scripted(0.5, at_end=lambda: returned), JOB)
    assert outcome.state == "failed"
    assert "must return an Evaluation" in outcome.reason


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bad\nshape"),
        MemoryError(),
        SystemExit(3),
        RecursionError("deep"),
        asyncio.CancelledError("mine"),
    ],
    ids=repr,
)
def test_what_the_objective_raises_becomes_the_reason(error):
    outcome = evaluate(Scripted(0.5, at_end=raises(error)), JOB)
    assert outcome.state == "failed"
    assert outcome.reason.startswith(type(error).__name__)
    assert "\n" not in outcome.reason
    assert "Traceback" in outcome.traceback
    assert [fold.score for fold in outcome.folds] == [0.5]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Terminated()], ids=repr)
def test_an_interrupt_is_no_failure_of_the_trial(error):
    with pytest.raises(type(error)):
        evaluate(Scripted(0.5, at_end=raises(error)), JOB)


def test_an_error_of_the_record_is_no_failure_of_the_trial():
    with pytest.raises(StudyError, match="disk full"):
        evaluate(Scripted(0.5), JOB, on_fold=lambda fold: raises(StudyError("disk full"))())


def test_an_error_of_the_record_that_the_objective_swallows_is_raised_all_the_same():
    class Swallowing(Scripted):
        def evaluate(self, params, *, seed, on_fold=None, done=()):
            try:
                return super().evaluate(params, seed=seed, on_fold=on_fold, done=done)
            except Exception:
                return Evaluation(folds=())

    with pytest.raises(StudyError, match="disk full"):
        evaluate(Swallowing(0.5), JOB, on_fold=lambda fold: raises(StudyError("disk full"))())


def test_a_trial_told_to_stop_keeps_the_folds_it_ran():
    objective = Scripted(0.5, 0.6, 0.7)
    outcome = evaluate(objective, JOB, on_fold=lambda fold: fold.fold < 1)
    assert (outcome.state, objective.ran) == ("stopped", [0, 1])
    assert outcome.reason == "stopped after 2 of 3 folds"


def test_recorded_folds_are_kept_and_not_run_again():
    objective = Scripted(9.0, 0.6)
    job = Job(number=0, params={}, seed=0, done=(FoldResult(fold=0, score=0.5),))
    outcome = evaluate(objective, job)
    assert objective.ran == [1]
    assert [fold.score for fold in outcome.folds] == [0.5, 0.6]


def test_a_long_traceback_keeps_its_end():
    def deep(n):
        if n == 0:
            raise ValueError("the cause")
        deep_a(n - 1) if n % 2 else deep_b(n - 1)  # two functions, so that Python prints them all

    def deep_a(n):
        deep(n)

    def deep_b(n):
        deep(n)

    limit = sys.getrecursionlimit()
    outcome = evaluate(Scripted(0.5, at_end=lambda: deep(limit // 4)), JOB)
    assert len(outcome.traceback) <= 20_000
    assert outcome.traceback.endswith("ValueError: the cause\n")


def test_an_error_that_cannot_say_what_it_is_fails_the_trial_by_its_kind():
    class MuteError(Exception):
        def __str__(self):
            raise RuntimeError("no words")

    outcome = evaluate(Scripted(0.5, at_end=raises(MuteError())), JOB)
    assert (outcome.state, outcome.reason) == ("failed", "MuteError")


def test_a_reason_is_a_line_not_a_page():
    outcome = evaluate(Scripted(0.5, at_end=raises(ValueError("x" * 10_000))), JOB)
    assert outcome.reason.startswith("ValueError: xxx")
    assert outcome.reason.endswith("x ...")
    assert len(outcome.reason) < 1100
    assert "x" * 10_000 in outcome.traceback


@pytest.mark.parametrize(("n_folds", "reason"), [(3, "after 1 of 3 folds"), ("", "after 1 fold")])
def test_a_trial_that_was_stopped_is_not_complete_whether_or_not_the_folds_are_counted(
    n_folds, reason
):
    objective = Scripted(0.5, 0.7, 0.9, n_folds=n_folds)
    if not n_folds:
        del objective.n_folds
    outcome = evaluate(objective, JOB, on_fold=lambda fold: False)
    assert (outcome.state, len(outcome.folds)) == ("stopped", 1)
    assert reason in outcome.reason
    assert evaluate(objective, JOB, on_fold=lambda fold: True).state == "complete"


def test_a_choice_that_no_other_process_can_import_travels():
    class Act(enum.StrEnum):
        RELU = "relu"

    params = {"scale": lambda x: 2 * x, "act": Act.RELU}
    sent, again = (pickle.loads(pickle.dumps(Job(number=3, params=params, seed=1))) for _ in "ab")
    assert (sent.number, sent.seed, sent.done, sent.splits) == (3, 1, (), None)
    assert sent.params["scale"](2) == 4
    assert sent.params["act"] is again.params["act"] == "relu"
