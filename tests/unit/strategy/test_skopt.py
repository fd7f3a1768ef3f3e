"""The stock loop is scikit-optimize's, point for point."""

import math

import numpy as np
import pytest
import skopt

from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.strategy import History, make_strategy
from gpsearch.strategy.encoded_points import with_indices, without_indices

QUICK = {"n_points": 200, "n_restarts_optimizer": 1}


@pytest.fixture
def stock(monkeypatch):
    """The optimisers of scikit-optimize that a strategy makes, in turn."""
    made = []

    class Recorded(skopt.Optimizer):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            made.append(self)

    monkeypatch.setattr(skopt, "Optimizer", Recorded)
    return made


def loss_of(point):
    return (point[0] - 0.3) ** 2 + 0.01 * (point[1] - 7) ** 2


def test_indices_of_numbers_follow_their_values():
    space = Space({"n": Categorical([3, 1, 2], prior=[0.5, 0.2, 0.3]), "c": ["b", "a"]})
    assert with_indices(space, [3, "b"]) == [2, 0]
    assert without_indices(space, [0, 1]) == [1, "a"]


def test_it_proposes_what_gp_minimize_evaluates():
    dimensions = [Real(-1.0, 1.0), Integer(2, 20), Categorical([3, 5, 9])]
    reference = skopt.gp_minimize(
        loss_of, dimensions, n_calls=9, n_initial_points=5, random_state=3, **QUICK
    )
    space = Space({"x": Real(-1.0, 1.0), "n": Integer(2, 20), "c": Categorical([3, 5, 9])})
    strategy = make_strategy("skopt", space, seed=3, n_calls=9, n_initial_points=5, **QUICK)
    points, losses = [], []
    for number in range(9):
        points.append(strategy.propose(History.of(points, losses), number))
        losses.append(loss_of(points[-1]))
    np.testing.assert_allclose(points, np.array(reference.x_iters, dtype=float), atol=1e-9)


def test_a_failed_trial_is_told_with_the_worst_loss_before_it(stock):
    space = Space({"x": (0.0, 1.0)})
    strategy = make_strategy("skopt", space, seed=0, n_calls=9)
    points = [[0.1], [0.2], [0.3], [0.4], [0.5]]
    strategy.propose(History.of(points, [math.nan, 2.0, 5.0, math.inf, 1.0]), 5)
    assert stock[-1].yi == [0.0, 2.0, 5.0, 5.0, 1.0]


def test_only_the_new_trials_are_told(stock):
    space = Space({"x": (0.0, 1.0)})
    strategy = make_strategy("skopt", space, seed=0, n_calls=9)
    strategy.propose(History.of([[0.1], [0.2]], [1.0, 2.0]), 2)
    strategy.propose(History.of([[0.1], [0.2], [0.7]], [1.0, 2.0, 3.0]), 3)
    assert len(stock) == 1
    strategy.propose(History.of([[0.1], [0.9]], [1.0, 2.0]), 2)
    assert len(stock) == 2
    assert stock[-1].Xi == [[0.1], [0.9]]


def test_lies_about_pending_points_do_not_stay(stock):
    space = Space({"x": (0.0, 1.0)})
    points, losses = [[0.1], [0.6], [0.9]], [1.0, 0.2, 2.0]
    options = {"seed": 0, "n_calls": 9, "n_initial_points": 2, **QUICK}
    strategy = make_strategy("skopt", space, **options)
    alone = strategy.propose(History.of(points, losses), 3)
    beside = strategy.propose(History.of(points, losses, pending=[alone]), 4)
    assert beside != alone
    assert strategy.propose(History.of(points, losses), 3) == alone
    assert [made.Xi for made in stock] == [points]


def test_initial_points_reach_it(stock):
    make_strategy("skopt", Space({"x": (0.0, 1.0)}), seed=0, n_calls=9, n_initial_points=3)
    assert [made.n_initial_points_ for made in stock] == [3]


@pytest.mark.parametrize("seed", [2**32 + 1, 2**63])
def test_a_seed_beyond_what_numpy_takes_is_folded(seed):
    space = Space({"x": (0.0, 1.0)})
    assert make_strategy("skopt", space, seed=seed, n_calls=9).propose(History(), 0) in space


def test_losses_whose_squares_are_infinite_do_not_end_the_search():
    space = Space({"x": (0.0, 1.0)})
    options = {"n_initial_points": 2, "n_points": 50}
    strategy = make_strategy("skopt", space, seed=0, n_calls=9, **options)
    history = History.of([[0.1], [0.5], [0.9]], [0.0, 1e300, -1e300])
    assert strategy.propose(history, 3) in space
