"""Spaces as people have them, through every strategy."""

import numpy as np
import pytest

from gpsearch.errors import SpaceExhaustedError
from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.strategy import STRATEGIES, History, make_strategy

QUICK = {"skopt": {"n_points": 50, "n_restarts_optimizer": 1}}
EVERY = pytest.mark.parametrize("name", sorted(STRATEGIES))
# the stock loop samples thousands of points a proposal through the constraint
EVERY_BUT_STOCK = pytest.mark.parametrize("name", sorted(set(STRATEGIES) - {"skopt"}))


def search(name, space, n, loss, *, seed=0, n_initial_points=6):
    strategy = make_strategy(
        name,
        space,
        seed=seed,
        n_calls=n,
        n_initial_points=n_initial_points,
        **QUICK.get(name, {}),
    )
    points, losses = [], []
    while len(points) < n:
        points.append(strategy.propose(History.of(points, losses), len(points)))
        losses.append(loss(space.params(points[-1])))
    return points, losses


def network_space():
    """Units for each layer that there is, momentum for the optimisers that have it, a cap."""
    units = {f"units_{k}": Integer(8, 256, prior="log-uniform") for k in (1, 2, 3)}
    return Space(
        {
            "layers": Integer(1, 3),
            **units,
            "opt": Categorical(["adam", "sgd", "rmsprop"]),
            "momentum": Real(0.0, 0.95),
            "learning_rate": Real(1e-4, 1.0, prior="log-uniform"),
            "batch_size": Categorical([16, 32, 64, 128]),
            "epochs": 20,
        },
        conditions={
            "units_2": {"layers": [2, 3]},
            "units_3": {"layers": 3},
            "momentum": {"opt": ["sgd", "rmsprop"]},
        },
        constraint=lambda p: sum(v for k, v in p.items() if k.startswith("units")) <= 300,
    )


def network_loss(params):
    units = sum(np.log2(v) for k, v in params.items() if k.startswith("units"))
    return (
        0.05 * (units - 11) ** 2
        + (np.log10(params["learning_rate"]) + 2) ** 2
        + {"adam": 0.3, "sgd": 0.0, "rmsprop": 0.6}[params["opt"]]
        + 2 * abs(params.get("momentum", 0.5) - 0.8)
        + 0.2 * abs(np.log2(params["batch_size"]) - 5)
    )


@EVERY
def test_params_hold_what_exists_and_nothing_else(name):
    space = network_space()
    points, _ = search(name, space, 10, network_loss)
    assert points == space.canonical(points)
    for params in map(space.params, points):
        layers = params["layers"]
        assert [f"units_{k}" in params for k in (1, 2, 3)] == [layers >= k for k in (1, 2, 3)]
        assert ("momentum" in params) == (params["opt"] != "adam")
        assert params["epochs"] == 20
        assert sum(v for k, v in params.items() if k.startswith("units")) <= 300
    assert len({space.key(point) for point in points}) == 10


def test_the_gaussian_process_beats_random_search_there():
    space = network_space()

    def median_best(name):
        runs = [search(name, space, 20, network_loss, seed=seed) for seed in range(3)]
        return np.median([min(losses) for _, losses in runs])

    assert median_best("gp") < 0.7 * median_best("random")


@EVERY
def test_twenty_dimensions_of_twenty_categories(name):
    names = [f"choice {i}" for i in range(20)]
    space = Space({f"c{j}": Categorical(names) for j in range(20)})
    points, _ = search(name, space, 8, lambda p: sum(v != names[0] for v in p.values()))
    assert len({tuple(point) for point in points}) == 8
    assert all(point in space for point in points)


@EVERY_BUT_STOCK
def test_a_constraint_that_leaves_three_thousandths(name):
    space = Space(
        {"x": (0.0, 1.0), "y": (0.0, 1.0), "z": (0.0, 1.0)},
        constraint=lambda p: max(p.values()) < 0.15,
    )
    points, _ = search(name, space, 8, lambda p: sum(p.values()))
    assert all(max(point) < 0.15 for point in points)
    assert len({tuple(point) for point in points}) == 8


@EVERY_BUT_STOCK
def test_a_constraint_that_leaves_three_points_ends_after_them(name):
    space = Space(
        {"a": (1, 34), "b": (1, 34)},
        constraint=lambda p: (p["a"], p["b"]) in {(7, 9), (31, 2), (34, 34)},
    )
    points = []

    def loss(params):
        points.append((params["a"], params["b"]))
        return params["a"]

    with pytest.raises(SpaceExhaustedError):
        search(name, space, 4, loss, n_initial_points=2)
    assert sorted(points) == [(7, 9), (31, 2), (34, 34)]


@EVERY
def test_one_dimension_with_two_values(name):
    space = Space({"flag": [False, True]})
    points, _ = search(name, space, 2, lambda p: float(p["flag"]), n_initial_points=1)
    assert sorted(points) == [[False], [True]]
    assert all(type(flag) is bool for (flag,) in points)


@EVERY
def test_values_that_python_holds_equal_stay_apart(name):
    space = Space({"v": Categorical([1, True, "1", 0, False])})
    points, _ = search(name, space, 5, lambda p: 1.0, n_initial_points=2)
    kinds = sorted((type(v).__name__, str(v)) for (v,) in points)
    assert kinds == [("bool", "False"), ("bool", "True"), ("int", "0"), ("int", "1"), ("str", "1")]


@EVERY
def test_bounds_of_every_size(name):
    space = Space(
        {
            "tiny": Real(1e-12, 1e-8),
            "huge": Real(-1e12, 1e12),
            "wide": Real(1e-30, 1e30, prior="log-uniform"),
            "far": Integer(10**9, 10**9 + 5),
            "many": Integer(1, 2**40, prior="log-uniform"),
        }
    )
    points, _ = search(name, space, 9, lambda p: p["tiny"] * 1e8 + p["huge"] / 1e12)
    assert all(point in space for point in points)
    assert len({tuple(point) for point in points}) == 9


def test_a_prior_over_categories_shapes_the_first_points():
    space = Space({"c": Categorical(["rare", "usual"], prior=[0.1, 0.9]), "x": (0.0, 1.0)})
    for name in ("random", "gp"):
        strategy = make_strategy(name, space, seed=0, n_calls=200, n_initial_points=200)
        points = [strategy.propose(History(), number) for number in range(200)]
        assert 8 <= sum(c == "rare" for c, _ in points) <= 35
