import json

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

import gpsearch as gs
from gpsearch.errors import InvalidSearchError, TrialFailedError
from gpsearch.evaluation import FoldResult
from gpsearch.execution import NoImprovement, StopReason, TargetScore
from gpsearch.execution.rules.stopping import repeated_error
from gpsearch.execution.workers.job import DIED, Job, evaluate, failure
from gpsearch.objective.function import FunctionObjective
from gpsearch.space import Real
from gpsearch.study import Study
from gpsearch.study.trial import GIVEN


def study_of(*outcomes):
    study = Study.create(None, space={"x": Real(0.0, 1.0)}, seed=0)
    with study.writing() as writer:
        for outcome in outcomes:
            number = writer.start_trial({"x": 0.5}, seed=0)
            if outcome == "running":
                continue
            failed = outcome == "failed"
            folds = [] if failed else [FoldResult(fold=0, score=outcome)]
            writer.end_trial(number, "failed" if failed else "complete", folds=folds)
    return study


@pytest.mark.parametrize(
    ("outcomes", "stops"),
    [
        pytest.param((), False, id="nothing yet"),
        pytest.param((-2.0, "failed", "running"), False, id="below"),
        pytest.param((-2.0, -1.0, -3.0), True, id="reached once"),
    ],
)
def test_target_score(outcomes, stops):
    expected = StopReason.TARGET if stops else None
    assert TargetScore(score=-1.0)(study_of(*outcomes)) is expected


@pytest.mark.parametrize(
    ("scores", "target"), [([0.7, 0.7, 0.7], 0.7), ([0.7, 0.9, 0.8], 0.8), ([1 / 3], 1 / 3)]
)
def test_the_mean_of_folds_reaches_a_target_whatever_rounding_leaves_of_it(scores, target):
    study = study_of()
    with study.writing() as writer:
        writer.add_trial({"x": 0.5}, [FoldResult(fold=j, score=s) for j, s in enumerate(scores)])
    assert TargetScore(score=target)(study) is StopReason.TARGET


@pytest.mark.parametrize(
    ("outcomes", "stops"),
    [
        pytest.param((), False, id="nothing yet"),
        pytest.param((-5.0, -6.0), False, id="one in vain"),
        pytest.param((-5.0, -6.0, -7.0), True, id="two in vain"),
        pytest.param((-5.0, -6.0, -4.0), False, id="improved at last"),
        pytest.param((-5.0, -5.0, -5.0), True, id="a tie is no improvement"),
        pytest.param((0.3, 0.1 + 0.2, 0.3), True, id="the last digit is none"),
        pytest.param((-5.0, "failed", "failed"), True, id="failures count"),
        pytest.param((-5.0, -6.0, "running"), False, id="running ones do not"),
    ],
)
def test_no_improvement(outcomes, stops):
    expected = StopReason.NO_IMPROVEMENT if stops else None
    assert NoImprovement(trials=2)(study_of(*outcomes)) is expected


def test_small_gains_do_not_count():
    outcomes = (0.0, 0.05, 0.09)
    assert NoImprovement(trials=2)(study_of(*outcomes)) is None
    assert NoImprovement(trials=2, min_delta=0.1)(study_of(*outcomes)) is StopReason.NO_IMPROVEMENT
    exactly = study_of(0.7, 0.8, 0.8)  # which is more than 0.7 + 0.1
    assert NoImprovement(trials=2, min_delta=0.1)(exactly) is StopReason.NO_IMPROVEMENT


def test_nobody_waited_for_trials_whose_score_was_given():
    study = study_of()
    with study.writing() as writer:
        for score in (0.9, 0.8, 0.7):
            fold = FoldResult(fold=0, score=score)
            writer.add_trial({"x": 0.5}, [fold], origin=GIVEN)
        assert NoImprovement(trials=1)(study) is None
        writer.add_trial({"x": 0.1}, [FoldResult(fold=0, score=0.85)], origin="gp")
    assert NoImprovement(trials=1)(study) is StopReason.NO_IMPROVEMENT


@pytest.mark.parametrize(
    ("rule", "options", "match"),
    [
        pytest.param(TargetScore, {"score": "0.9"}, "score='0.9'", id="text"),
        pytest.param(TargetScore, {"score": float("nan")}, "score=nan", id="no number"),
        pytest.param(NoImprovement, {"trials": 0}, "trials=0", id="none"),
        pytest.param(NoImprovement, {"trials": 2.5}, "trials=2.5", id="half a trial"),
        pytest.param(NoImprovement, {"trials": True}, "trials=True", id="truth"),
        pytest.param(
            NoImprovement, {"trials": 1, "min_delta": float("nan")}, "delta=nan", id="nan"
        ),
        pytest.param(NoImprovement, {"trials": 1, "min_delta": "1"}, "min_delta='1'", id="delta"),
    ],
)
def test_impossible_rules_are_refused(rule, options, match):
    with pytest.raises(InvalidSearchError, match=match):
        rule(**options)


class DivergedError(TrialFailedError):
    """A user's own kind of finding."""


def raises(error):
    def objective(params):
        raise error

    return objective


class Raises(ClassifierMixin, BaseEstimator):
    def __init__(self, x=0.0, error=None):
        self.x, self.error = x, error

    def fit(self, X, y):
        if not isinstance(self.error, TrialFailedError):
            raise self.error
        raise ValueError("training diverged") from self.error  # as a KerasClassifier has it


def estimator_that(error, **options):
    y = np.arange(12) % 2
    return gs.EstimatorCV(Raises(error=error), np.ones((12, 2)), y, cv=2, **options)


def quotes_another_frame(params):
    raise ValueError(f'in\n  File "a.py", line {params["x"]}')


def chained(params):
    try:
        raise TrialFailedError("diverged")
    except TrialFailedError as error:
        raise ValueError("shape (3, 2)") from error


def reads_three_files(params):
    calls = int(params["x"])
    if calls == 0:
        return json.loads("{")
    if calls == 1:
        return json.loads("{")
    return json.loads("{")


def too_deep(params, depth=0):
    if depth > params["x"]:
        raise ValueError(f"depth {depth}")
    return too_deep(params, depth + 1)


def repeats(objective):
    """Whether three trials of an objective have failed with one error."""
    study = study_of()
    with study.writing() as writer:
        for x in range(3):
            params = {"x": float(x)}
            outcome = objective
            if callable(objective):
                job = Job(number=x, params=params, seed=0)
                is_whole = isinstance(objective, gs.EstimatorCV)
                outcome = evaluate(objective if is_whole else FunctionObjective(objective), job)
            number = writer.start_trial({"x": 0.5}, seed=0)
            writer.end_trial(
                number, outcome.state, reason=outcome.reason, traceback=outcome.traceback
            )
    return repeated_error(study.ended, 3) is not None


@pytest.mark.parametrize(
    "objective",
    [
        pytest.param(raises(ValueError("not a TrialFailedError")), id="names a finding"),
        pytest.param(raises(ValueError("gradient is not finite")), id="says not finite"),
        pytest.param(quotes_another_frame, id="quotes a frame"),
        pytest.param(chained, id="a finding led to it"),
        pytest.param(too_deep, id="recursion"),
        pytest.param(estimator_that(ValueError("no file")), id="an estimator"),
        pytest.param(estimator_that(ValueError("no file"), n_jobs=2), id="elsewhere"),
        pytest.param(raises(SystemExit(3)), id="exit"),
        pytest.param(lambda params: {}, id="no score"),
    ],
)
def test_a_mistake_is_told_whatever_its_message_says(objective):
    assert repeats(objective)


@pytest.mark.parametrize(
    "objective",
    [
        pytest.param(raises(MemoryError()), id="memory"),
        pytest.param(lambda params: np.empty(10**15), id="memory of an array"),
        pytest.param(failure(f"{DIED} ended with exit code 3"), id="a worker ended"),
        pytest.param(
            failure(f"{DIED} died of SIGSEGV", 'Fatal Python error\n  File "a.py", line 3 in f'),
            id="a worker crashed",
        ),
        pytest.param(reads_three_files, id="three lines of the user's"),
        pytest.param(raises(TrialFailedError("diverged: x")), id="a finding"),
        pytest.param(raises(TrialFailedError()), id="a finding without words"),
        pytest.param(estimator_that(MemoryError()), id="memory of an estimator"),
        pytest.param(estimator_that(TrialFailedError("diverged")), id="a network of an estimator"),
        pytest.param(raises(DivergedError("ValueError: no")), id="a finding of the user's kind"),
        pytest.param(lambda params: float("nan"), id="not finite"),
    ],
)
def test_findings_about_one_configuration_are_no_mistake(objective):
    assert not repeats(objective)
