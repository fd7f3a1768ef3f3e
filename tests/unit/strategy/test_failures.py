"""Regions where evaluations fail are left alone, and tell nothing about the loss beside them."""

import math

import numpy as np
import pytest

from gpsearch.space import Space
from gpsearch.strategy import History, make_strategy

SQUARE = Space({"x": (-1.0, 1.0), "y": (-1.0, 1.0)})


def search(loss, fails, n, seed=0):
    strategy = make_strategy("gp", SQUARE, seed=seed, n_calls=n)
    points, losses = [], []
    while len(points) < n:
        x, y = strategy.propose(History.of(points, losses), len(points))
        points.append([x, y])
        losses.append(math.nan if fails(x, y) else loss(x, y))
    return np.array(points), np.array(losses)


@pytest.mark.parametrize("seed", range(2))
def test_a_third_that_fails_beside_the_minimum_is_left_alone(seed):
    _, losses = search(
        lambda x, y: (x - 0.3) ** 2 + (y + 0.2) ** 2, lambda x, y: x > 0.33, 30, seed
    )
    assert np.isnan(losses[15:]).sum() <= 5
    assert np.nanmin(losses) < 1e-4


@pytest.mark.parametrize("seed", range(2))
def test_a_third_that_fails_far_from_the_minimum_is_left_alone(seed):
    _, losses = search(
        lambda x, y: (x + 0.5) ** 2 + (y + 0.2) ** 2, lambda x, y: x > 0.33, 30, seed
    )
    assert np.isnan(losses[15:]).sum() <= 5
    assert np.nanmin(losses) < 1e-4


def test_the_best_of_what_is_feasible_is_found_where_the_minimum_itself_fails():
    points, losses = search(lambda x, y: (x - 1) ** 2 + y**2, lambda x, y: x > 0.33, 30)
    assert np.nanmin(losses) < 0.47  # 0.4489 on the border
    assert (points[15:, 0] < 0.7).mean() > 0.8


def test_failures_anywhere_do_not_keep_the_search_away():
    rng = np.random.default_rng(0)
    _, losses = search(lambda x, y: (x - 0.2) ** 2 + y**2, lambda x, y: rng.random() < 0.2, 30)
    assert np.isnan(losses).sum() >= 4
    assert np.nanmin(losses) < 1e-3


def test_a_failure_does_not_change_what_is_thought_of_the_loss_beside_it():
    strategy = make_strategy("gp", SQUARE, seed=0, n_calls=30)
    points = SQUARE.sample(15, np.random.default_rng(0))
    losses = [x**2 + y**2 for x, y in points]
    at = SQUARE.to_z([[0.5, 0.5]])
    without = strategy.process(History.of(points, losses)).predict(at)
    failed = History.of([*points, [0.52, 0.5], [0.48, 0.5]], [*losses, math.nan, math.nan])
    np.testing.assert_allclose(strategy.process(failed).predict(at), without)
