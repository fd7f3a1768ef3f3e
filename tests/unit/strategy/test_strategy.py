"""The history and the addresses of randomness."""

import math

import numpy as np
import pytest

from gpsearch.errors import InvalidSearchError
from gpsearch.strategy import History, trial_rng, trial_seed


def test_a_history_knows_its_failures_and_what_was_visited():
    history = History.of([[1], [2], [3]], [0.5, math.inf, math.nan], pending=[[4]])
    assert history.failed.tolist() == [False, True, True]
    assert np.isnan(history.variances).all()
    assert history.visited == [[1], [2], [3], [4]]
    assert len(history) == 3


def test_losses_must_belong_to_points():
    with pytest.raises(InvalidSearchError, match="2 points"):
        History.of([[1], [2]], [0.5])
    with pytest.raises(InvalidSearchError, match="variances"):
        History.of([[1], [2]], [0.5, 0.6], variances=[1.0])


def test_trials_draw_from_different_addresses():
    draws = {trial_rng(seed, number).random() for seed in range(5) for number in range(20)}
    assert len(draws) == 100
    assert len({trial_seed(0, number) for number in range(100)}) == 100


def test_an_address_is_the_one_that_the_design_states():
    sequence = np.random.SeedSequence(7, spawn_key=(3,))
    assert trial_rng(7, 3).random() == np.random.default_rng(sequence).random()


def test_a_history_made_of_its_fields_may_leave_out_what_folds_tell():
    unknown = np.full(2, np.nan)
    history = History(points=[[1], [2]], losses=np.ones(2), variances=unknown, costs=unknown)
    assert np.isnan(history.fold_variances).all()
    with pytest.raises(InvalidSearchError, match="fold_variances of shape"):
        History.of([[1], [2]], [0.5, 0.6], fold_variances=[1.0])
