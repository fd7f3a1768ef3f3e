import pytest

from gpsearch.evaluation import FoldResult
from gpsearch.execution.racing import aggressive, forgiving
from gpsearch.space import Real
from gpsearch.study import Study


def study_of(*outcomes):
    study = Study.create(None, space={"x": Real(0.0, 1.0)}, seed=0)
    with study.writing():
        for state, scores in outcomes:
            number = study.start_trial({"x": 0.5}, seed=0)
            for j, score in enumerate(scores):
                study.record_fold(number, FoldResult(fold=j, score=score))
            if state != "running":
                study.end_trial(number, state)
    return study


INCUMBENT = ("complete", [-1.0, -5.0, -3.0])  # mean -3, worst fold -5


@pytest.mark.parametrize(
    ("scores", "forgiven", "kept"),
    [
        pytest.param([-2.0], True, True, id="better than the mean"),
        pytest.param([-3.0], True, True, id="as good as the mean"),
        pytest.param([-4.0], True, False, id="between mean and worst fold"),
        pytest.param([-5.0], True, False, id="as bad as the worst fold"),
        pytest.param([-5.1], False, False, id="worse than the worst fold"),
        pytest.param([-9.0, -0.5], True, False, id="the mean decides, not a fold"),
    ],
)
def test_a_trial_is_compared_with_the_best_complete_one(scores, forgiven, kept):
    others = [("complete", [-8.0, -8.0, -8.0]), ("failed", [9.0]), ("stopped", [8.0])]
    study = study_of(INCUMBENT, *others, ("running", scores))
    assert forgiving(study, study.trials[-1]) is forgiven
    assert aggressive(study, study.trials[-1]) is kept


def test_without_an_incumbent_every_trial_goes_on():
    study = study_of(("failed", [1.0]), ("running", [-1e9]))
    assert forgiving(study, study.trials[-1])
    assert aggressive(study, study.trials[-1])
