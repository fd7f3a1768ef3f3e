import pytest

from gpsearch.errors import InvalidSearchError
from gpsearch.evaluation import FoldResult
from gpsearch.execution import NoImprovement, StopReason, TargetScore
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
    ("outcomes", "stops"),
    [
        pytest.param((), False, id="nothing yet"),
        pytest.param((-5.0, -6.0), False, id="one in vain"),
        pytest.param((-5.0, -6.0, -7.0), True, id="two in vain"),
        pytest.param((-5.0, -6.0, -4.0), False, id="improved at last"),
        pytest.param((-5.0, -5.0, -5.0), True, id="a tie is no improvement"),
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
