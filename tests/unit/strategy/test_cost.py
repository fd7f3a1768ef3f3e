"""Improvement for its cost: what is cheap is tried more often."""

import dataclasses

import numpy as np
import pytest

from gpsearch.errors import InvalidSearchError
from gpsearch.space import Space
from gpsearch.strategy import History, make_strategy
from gpsearch.strategy.gp import GPOptions, GPStrategy

SPACE = Space({"x": (-1.0, 1.0), "y": (-1.0, 1.0)})


def run(cost, cost_of, n=20, seed=0):
    """Points of a search whose loss has one valley at x = 0.5, and one a little higher at -0.5."""
    strategy = make_strategy("gp", SPACE, seed=seed, n_calls=n, cost=cost)
    points, losses, costs = [], [], []
    for number in range(n):
        point = strategy.propose(History.of(points, losses, costs=costs), number)
        x, y = point
        points.append(point)
        losses.append(min((x - 0.5) ** 2, (x + 0.5) ** 2 + 0.01) + y**2)
        costs.append(cost_of(x))
    return np.array(points)


@pytest.mark.parametrize("cost", [3.0, 0.0, np.nan])
def test_with_equal_or_unknown_costs_it_proposes_what_it_proposes_without(cost):
    plain = run(None, lambda x: cost, n=12)
    np.testing.assert_array_equal(run("work", lambda x: cost, n=12), plain)
    np.testing.assert_array_equal(run(None, lambda x: np.exp(x), n=12), plain)


def test_it_evaluates_more_where_evaluations_are_cheap():
    dear_right = [run("work", lambda x: 60.0 if x > 0 else 1.0, seed=s) for s in range(3)]
    plain = [run(None, lambda x: 60.0 if x > 0 else 1.0, seed=s) for s in range(3)]
    share = [np.mean([(p[8:, 0] < 0).mean() for p in runs]) for runs in (dear_right, plain)]
    assert share[0] > share[1] + 0.15


def test_the_unit_of_the_cost_counts_nothing():
    small, large = (run("work", lambda x, u=u: u * 8.0**x, n=12) for u in (1.0, 1024.0))
    np.testing.assert_allclose(small, large, atol=0.02)


def test_at_the_end_of_the_budget_the_cost_counts_nothing():
    points = SPACE.sample(12, np.random.default_rng(0))
    losses = [(x - 0.5) ** 2 + y**2 for x, y in points]
    history = History.of(points, losses, costs=[50.0**x for x, _ in points])
    plain, early, late, over = (
        make_strategy("gp", SPACE, seed=0, n_calls=n, cost=cost).propose(history, 12)
        for n, cost in [(12, None), (100, "work"), (12, "work"), (8, "work")]
    )
    assert early != plain
    assert late == over == plain


def test_given_points_spend_none_of_the_budget():
    points = [[x / 12, (x * 5 % 12) / 12] for x in range(12)]
    losses, costs = [(x - 0.6) ** 2 for x, _ in points], [50.0**x for x, _ in points]
    history = History.of(points, losses, costs=costs, n_given=12)

    def proposed(history, cost="work"):
        return make_strategy("gp", SPACE, seed=0, n_calls=12, cost=cost).propose(history, 12)

    assert proposed(history) != proposed(history, None)
    assert proposed(dataclasses.replace(history, n_given=0)) == proposed(history, None)


def test_a_bound_of_the_loss_is_no_improvement():
    with pytest.raises(InvalidSearchError, match="choose 'LogEI' or 'LogPI'"):
        GPOptions(cost_exponent=0.5, acquisition="LCB")
    bound = GPOptions(acquisition="LCB")
    history = History.of([[0.0, y / 8] for y in range(8)], np.arange(8.0), costs=np.arange(8.0) + 1)
    points = [
        GPStrategy(SPACE, seed=0, cost=cost, options=bound).propose(history, 8)
        for cost in (None, "work")
    ]
    assert points[0] == points[1]


def test_the_first_networks_are_small_where_cost_counts_and_nothing_more_is_expected_of_size():
    space = Space({"learning_rate": (1e-4, 1.0), "units": (8, 512), "batch_size": (8, 256)})
    plain, by_cost = (GPStrategy(space, seed=0, cost=cost) for cost in (None, "work"))
    first, cheap = (
        np.mean([space.to_z([s.propose(History(), n)])[0] for n in range(8)], axis=0)
        for s in (plain, by_cost)
    )
    assert first[0] == cheap[0]
    assert cheap[1] < 0.4 < 0.6 < first[1]
    assert first[2] < cheap[2]
    assert by_cost.optimum_prior.describe() == {
        "learning_rate": "in the middle of its range",
        "units": "at first in the lower part of its range",
        "batch_size": "at first in the upper part of its range",
    }
    Z = np.random.default_rng(0).random((20, 3))
    _, gradient = by_cost.optimum_prior.log_density(Z, np.ones(Z.shape, dtype=bool))
    assert (gradient[:, 0] != 0).all()
    assert (gradient[:, 1:] == 0).all()
