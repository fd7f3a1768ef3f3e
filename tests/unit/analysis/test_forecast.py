import numpy as np
import pytest

import gpsearch as gs
from gpsearch.analysis import forecast
from gpsearch.analysis.forecast import played_gains
from gpsearch.errors import InvalidSearchError, StudyError
from gpsearch.evaluation import FoldResult
from gpsearch.execution import ExpectedGain, StopReason
from gpsearch.study import Study, part_of

SPACE = {"x": gs.Real(0.0, 1.0), "y": gs.Real(0.0, 1.0), "kind": ["a", "b"]}


def score(params):
    return -((params["x"] - 0.3) ** 2) - (params["y"] - 0.8) ** 2 - 0.1 * (params["kind"] == "a")


@pytest.fixture(scope="module")
def study():
    return gs.search(score, SPACE, n_calls=30, random_state=1, progress=False)


def test_less_is_expected_of_a_search_that_has_found_the_best(study):
    early = forecast(part_of(study, study.trials[:10]))
    late = forecast(study)
    assert early.n_more == (10, 20, 50)
    for estimate in (early, late):
        assert list(estimate.high) == sorted(estimate.high)
        assert all(0 <= g <= h for g, h in zip(estimate.gain, estimate.high, strict=True))
    assert study.best_score - max(t.score for t in study.trials[:10]) <= early.high[1]
    assert 100 * late.high[2] < early.high[0]


def test_it_is_in_the_users_unit_and_follows_from_the_study_alone(study):
    first = part_of(study, study.trials[:12])
    losses = Study.create(None, space=SPACE, seed=1, settings={"greater_is_better": False})
    with losses.writing() as writer:
        for trial in first.trials:
            writer.add_trial(trial.params, [FoldResult(fold=0, score=100.0 * trial.score - 5.0)])
    np.testing.assert_allclose(losses.forecast().high, 100.0 * np.array(first.forecast().high), 0.1)
    assert first.forecast(20) == forecast(first, 20)
    assert forecast(first, [20]).gain == (forecast(first).gain[1],)


def test_the_evaluations_of_a_play_are_those_of_one_function(study):
    """In a space of six places none is left after the plays have taken all."""
    small = gs.search(
        lambda p: -abs(p["n"] - 4), {"n": gs.Integer(0, 11)}, n_calls=10, random_state=0,
        progress=False,
    )  # fmt: skip
    gains = played_gains(small, 6)
    np.testing.assert_array_equal(gains[:, 1:2] + np.zeros((1, 5)), gains[:, 1:])


def test_it_says_where_the_model_has_not_improved(study):
    assert "not improved" not in str(forecast(study))
    worse = [trial for trial in study.trials if trial.score < study.trials[0].score]
    estimate = forecast(part_of(study, [study.trials[0], *worse]))
    assert str(estimate).startswith("The model has not improved on the best of the first points.")


def test_what_cannot_be_forecast_is_refused(study):
    with pytest.raises(StudyError, match="at least 10 trials that have ended; the study has 9"):
        forecast(part_of(study, study.trials[:9]))
    flat = gs.search(lambda p: 1.0, SPACE, n_calls=20, strategy="random", progress=False)
    with pytest.raises(StudyError, match="all 20 of the study are equal"):
        forecast(flat)
    assert ExpectedGain(below=1.0)(flat) is None
    for wrong in (0, 2.5, [], "10", [10, 101]):
        with pytest.raises(InvalidSearchError, match="n_more"):
            study.forecast(wrong)


def test_the_rule_stops_where_less_is_expected_than_asked_for(study):
    (gain,) = study.forecast(20).gain
    assert ExpectedGain(below=2 * gain)(study) is StopReason.GAIN
    assert ExpectedGain(below=gain / 2)(study) is None
    assert ExpectedGain(below=1.0, min_trials=31)(study) is None
    for wrong in ({"below": 0}, {"below": 1, "trials": 0}, {"below": 1, "min_trials": 9}):
        with pytest.raises(InvalidSearchError, match=list(wrong)[-1]):
            ExpectedGain(**wrong)
