"""Stages: what is searched when, where the rest stands, and when a stage ends."""

import numpy as np
import pytest

from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.strategy import History
from gpsearch.strategy.staged import StagedStrategy

SPACE = Space(
    {
        "act": Categorical(["relu", "tanh"]),
        "drop_rate": Real(0.0, 0.6),
        "n_neurons": Integer(8, 512, prior="log-uniform"),
        "lr": Real(1e-5, 1e-1, prior="log-uniform"),
    }
)
MIDDLE = ["relu", 0.3, 64, 1e-3]


def loss_of(point):
    act, drop, units, rate = point
    return (
        (np.log10(rate) + 2.0) ** 2
        + 0.2 * (np.log2(units) - 7.5) ** 2
        + (drop - 0.1) ** 2
        + (act == "relu")
    )


def run(strategy, n, points=(), loss=loss_of):
    points = [list(point) for point in points]
    for number in range(len(points), n):
        history = History.of(points, [loss(point) for point in points])
        points.append(strategy.propose(history, number))
    return points


def test_each_stage_adds_a_tier_and_gets_its_share_of_the_budget():
    # stages of 1, 2 and 4 dimensions share 28 calls as 4, 8 and 16
    points = run(StagedStrategy(SPACE, seed=0, n_calls=28), 28)
    assert all([*point[:3]] == MIDDLE[:3] for point in points[:4])
    assert len({point[3] for point in points[:4]}) == 4
    assert all([*point[:2]] == MIDDLE[:2] for point in points[4:12])
    assert len({point[2] for point in points[4:12]}) > 2
    assert len({point[0] for point in points[12:]}) == 2
    assert len({point[1] for point in points[12:]}) > 4
    assert min(loss_of(point) for point in points) < 0.1


def test_a_first_point_that_was_given_sets_the_defaults():
    given = ["tanh", 0.05, 100, 0.02]
    points = run(StagedStrategy(SPACE, seed=0, n_calls=28), 12, points=[given])
    assert all([*point[:3]] == given[:3] for point in points[:4])
    assert all([*point[:2]] == given[:2] for point in points[4:])


def test_expected_values_are_the_defaults():
    space = Space(SPACE, expected={"act": "tanh", "lr": 0.01})
    points = run(StagedStrategy(space, seed=0, n_calls=28), 12)
    assert points[0] == ["tanh", 0.3, 64, pytest.approx(0.01)]
    assert all([*point[:2]] == ["tanh", 0.3] for point in points)


def test_the_rest_stands_where_the_best_point_has_it():
    given = [["relu", 0.0, 32, 1e-5], ["tanh", 0.1, 256, 1e-2], ["relu", 0.6, 8, 1e-1]]
    points = run(StagedStrategy(SPACE, seed=0, n_calls=56), 6, points=given)
    assert all([*point[:3]] == given[1][:3] for point in points[3:])


def test_a_stage_whose_dimensions_are_all_tried_ends_early():
    space = Space({"lr": [0.1, 0.2], "n_neurons": (1, 50), "x": (0.0, 1.0)})
    strategy = StagedStrategy(space, seed=0, n_calls=60)
    points = run(strategy, 6, loss=lambda point: point[0] + point[1])
    assert {point[0] for point in points[:2]} == {0.1, 0.2}
    assert all(point[2] == 0.5 for point in points)
    assert len({point[1] for point in points}) > 2


def test_a_dimension_waits_for_those_it_depends_on():
    space = Space(
        {"opt": ["adam", "sgd"], "momentum": (0.0, 0.9), "lr": (0.0, 1.0)},
        conditions={"momentum": {"opt": ["sgd"]}},
    )
    strategy = StagedStrategy(space, seed=0, n_calls=20, importance=["momentum", "lr"])
    points = run(strategy, 5, loss=lambda point: point[2])
    assert all(point[:2] == ["adam", 0.45] for point in points)
    assert len({point[2] for point in points}) == 5


def test_failures_leave_the_defaults_in_the_middle():
    points = run(StagedStrategy(SPACE, seed=0, n_calls=28), 4, loss=lambda point: np.nan)
    assert all([*point[:3]] == MIDDLE[:3] for point in points)


def test_a_constraint_holds_for_the_point_with_its_defaults():
    space = Space(
        {"lr": (0.0, 1.0), "x": (0.0, 1.0)}, constraint=lambda params: params["lr"] < params["x"]
    )
    points = run(StagedStrategy(space, seed=0, n_calls=24), 12, loss=lambda point: -point[0])
    assert all(point[0] < point[1] for point in points)
    assert all(point[1] == 0.5 for point in points[:8])


def test_an_order_that_names_everything_alike_has_one_stage():
    everything = StagedStrategy(SPACE, seed=0, n_calls=10, importance=[list(SPACE.names)])
    points = run(everything, 3)
    assert len({point[1] for point in points}) == 3
