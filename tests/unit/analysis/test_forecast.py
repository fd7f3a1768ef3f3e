import dataclasses
import re

import numpy as np
import pytest

import gpsearch as gs
from gpsearch.analysis import Forecast, forecast
from gpsearch.analysis.forecast import played_gains
from gpsearch.analysis.posterior import fitted_process
from gpsearch.errors import InvalidSearchError, StudyError
from gpsearch.evaluation import FoldResult
from gpsearch.execution import ExpectedGain, StopReason
from gpsearch.report.facts import read_conditions
from gpsearch.study import Study, part_of
from gpsearch.study.confirmation import Confirmation

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


def test_no_score_beyond_the_metric_is_forecast(study):
    first = part_of(study, study.trials[:12])
    free, room = first.forecast(), 0.001
    settings = {"score_bounds": [None, first.best_score + room]}
    bounded = Study.create(None, space=SPACE, seed=1, settings=settings)
    with bounded.writing() as writer:
        for trial in first.trials:
            writer.add_trial(trial.params, [FoldResult(fold=0, score=trial.score)])
    assert free.high[2] > 2 * room
    made = bounded.forecast()
    np.testing.assert_allclose(made.high, np.minimum(free.high, room), 0.1)
    assert all(g <= h for g, h in zip(made.gain, made.high, strict=True))


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
    for proposal in ("given", "queued"):
        given = dataclasses.replace(study.trials[0], proposal=proposal)
        assert forecast(part_of(study, [given, *worse]), 2).improved


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
    for wrong in (
        {"below": 0},
        {"below": np.inf},
        {"below": 1, "trials": 0},
        {"below": 1, "trials": 101},
        {"below": 1, "min_trials": 9},
    ):
        with pytest.raises(InvalidSearchError, match=list(wrong)[-1]):
            ExpectedGain(**wrong)


def test_plays_fail_where_the_search_would():
    """Above ``x + y = 0.6`` all fails, and the model of the loss rises there for ever."""
    made = Study.create(None, space={"x": (0.0, 1.0), "y": (0.0, 1.0)}, seed=0)
    with made.writing() as writer:
        for x in np.linspace(0.0, 1.0, 6):
            for y in np.linspace(0.0, 1.0, 6):
                params, fold = {"x": x, "y": y}, FoldResult(fold=0, score=x + y / 2)
                if x + y < 0.61:
                    writer.add_trial(params, [fold])
                else:
                    writer.add_trial(params, [], state="failed")
    estimate = made.forecast(20)
    assert 0 < estimate.high[0] < 0.6  # more than that for plays that never fail


def test_a_constraint_that_a_file_does_not_hold_is_asked_for(tmp_path, caplog):
    space = gs.Space({"x": (0.0, 1.0)}, constraint=lambda params: params["x"] < 0.7)
    path = tmp_path / "study.db"
    made = gs.search(lambda p: p["x"], space, n_calls=10, random_state=0, study=path)
    opened = Study.open(path)
    assert "a constraint, recorded without its function" in str(opened.space)
    with pytest.raises(StudyError, match=r"pass space= to Study\.open"):
        opened.forecast()
    for study, told in ((made, 0), (opened, 1)):
        fitted_process(study, "plot_slices")
        assert caplog.text.count("configurations that it excludes count as well") == told
        assert len(read_conditions(study.space, study.info)) == 1 + told
    known = made.forecast(2)
    assert Study.open(path, space=space).forecast(2) == known
    with opened.writing():
        opened.require_same(
            space=space,
            seed=made.seed,
            objective_fingerprint=made.info.objective_fingerprint,
            description=made.info.description,
            settings={},
        )
    assert opened.forecast(2) == known  # as a search does that continues it


def test_numbers_of_trials_are_read_as_users_write_them(study):
    assert forecast(study, np.array([1, 3])) == forecast(study, (1, 3))
    assert "): 1 more trial " in str(forecast(study, 1))
    with pytest.raises(InvalidSearchError, match="from 1 to 100, or a list of these"):
        study.forecast(b"ab")


def test_it_says_whose_trials_it_forecasts(study):
    for name, said in (("random", True), ("gp", False)):
        other = Study.create(None, space=SPACE, seed=1, settings={"strategy": name})
        with other.writing() as writer:
            for trial in study.trials[:12]:
                writer.add_trial(trial.params, [FoldResult(fold=0, score=trial.score)])
        assert ("by the strategy gp" in str(other.forecast(5))) is said
    with pytest.raises(InvalidSearchError, match=r"stop=.*the strategy \"gp\""):
        gs.search(score, SPACE, strategy="random", stop=ExpectedGain(below=1.0))


def test_stopped_trials_that_lost_are_other_scores_than_equal_complete_ones():
    """Of a metric at its bound, such as an accuracy of 1, all that is worse is stopped."""
    study = gs.Study.create(None, space={"x": (0.0, 1.0)}, seed=0)
    with study.writing() as writer:
        for i in range(16):
            number, x = writer.start_trial({"x": i / 16}, seed=i), i / 16
            for fold in range(1 if x > 0.5 else 3):
                writer.record_fold(number, gs.FoldResult(fold=fold, score=min(1.0, 1.5 - x)))
            writer.end_trial(number, "stopped" if x > 0.5 else "complete")
    assert np.isfinite(study.forecast(10).gain).all()
    assert np.isfinite(gs.analysis.estimate_random(study, n=20).expected).all()


def test_the_gain_is_that_over_the_greatest_score_also_where_another_trial_won(study):
    copied = Study.create(None, space=study.space, seed=study.seed)
    with copied.writing() as writer:
        for trial in study.trials:
            number = writer.start_trial(dict(trial.params), seed=0, proposal=trial.proposal)
            for fold in trial.folds:
                writer.record_fold(number, fold)
            writer.end_trial(number, "complete")
        before = forecast(copied)
        worst = min(copied.trials, key=lambda trial: trial.score).number
        writer.set_confirmation(Confirmation(trials=len(copied.trials), winner=worst))
    assert copied.best_trial.number == worst
    assert forecast(copied) == before


def test_more_trials_are_not_told_to_gain_less():
    found = Forecast(
        n_more=(50, 20, 10),
        gain=(0.01255, 0.0108, 0.0067),
        high=(0.12, 0.086, 0.059),
        improved=True,
    )
    shown = [float(gain) for gain in re.findall(r"trials ([\d.]+)", str(found))]
    assert shown == sorted(shown, reverse=True)
    assert len(set(shown)) == 3
