"""The rule by Makarova et al. stops when, and only when, noise hides what is left to gain."""

import math

import numpy as np
import pytest

from gpsearch.errors import InvalidSearchError
from gpsearch.evaluation import FoldResult
from gpsearch.execution import BelowNoise, StopReason
from gpsearch.execution.rules.below_noise import cross_validation_noise
from gpsearch.space import Real
from gpsearch.study import Study


def study_of(n_trials, sd, scale=1.0, shift=0.0, n_folds=5, stopped=0):
    """Trials spread over a bowl with its best score at 0.3, and folds of noise `sd`."""
    rng = np.random.default_rng(0)
    study = Study.create(None, space={"x": Real(0.0, 1.0)}, seed=0)
    with study.writing() as writer:
        for i in range(n_trials):
            x = (0.5 + i * 0.6180339887) % 1
            number = writer.start_trial({"x": x}, seed=0)
            values = shift - scale * (x - 0.3) ** 2 + rng.normal(0, sd, n_folds)
            folds = [FoldResult(fold=j, score=float(v)) for j, v in enumerate(values)]
            lost = i >= n_trials - stopped
            state, ran = ("stopped", folds[:2]) if lost else ("complete", folds)
            writer.end_trial(number, state, folds=ran)
    return study


@pytest.mark.parametrize("shift", [0.0, -1000.0])
@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_it_stops_once_noise_hides_the_rest_and_not_before(scale, shift):
    rule = BelowNoise(min_trials=5)
    assert rule(study_of(30, 0.05 * scale, scale, shift)) is StopReason.NOISE
    assert rule(study_of(6, 1e-6 * scale, scale, shift)) is None


def test_it_waits_for_enough_trials():
    assert BelowNoise(min_trials=31)(study_of(30, 0.05)) is None


def test_stopped_trials_count_for_the_surrogate_knows_them():
    """Of the trials of a search that races, most are."""
    study = study_of(30, 0.05, stopped=10)
    assert BelowNoise(min_trials=30)(study) is StopReason.NOISE
    assert BelowNoise(min_trials=31)(study) is None
    assert BelowNoise(min_trials=3)(study_of(5, 0.05, stopped=5)) is None


def test_unknown_and_absent_noise_stop_nothing(caplog):
    rule = BelowNoise(min_trials=5)
    assert rule(study_of(30, 0.05, n_folds=1)) is None
    assert rule(study_of(30, 0.0)) is None
    assert not caplog.messages
    assert rule(study_of(5, 0.05, n_folds=1)) is None  # said once: when it would have begun
    assert "return one for each fold" in caplog.text


def test_the_verdict_is_a_function_of_the_study():
    study = study_of(25, 0.01)
    assert BelowNoise().gap(study) == BelowNoise().gap(study)


def test_the_gap_shrinks_as_the_space_becomes_known():
    assert BelowNoise().gap(study_of(30, 1e-4)) < BelowNoise().gap(study_of(6, 1e-4))


def test_the_noise_has_the_correction_for_overlapping_training_sets():
    study = study_of(1, 1.0)
    scores = [fold.score for fold in study.trials[0].folds]
    expected = math.sqrt((1 / 5 + 1 / 4) * np.var(scores, ddof=1))
    assert cross_validation_noise(study.trials[0]) == pytest.approx(expected)


@pytest.mark.parametrize(
    "options",
    [{"min_trials": 2}, {"min_trials": 3.5}, {"kappa": 0.0}, {"kappa": math.nan}, {"kappa": "1"}],
)
def test_impossible_options_are_refused(options):
    with pytest.raises(InvalidSearchError, match=next(iter(options))):
        BelowNoise(**options)
