"""Grid search: its resolution and its order."""

import math

import numpy as np
import pytest

from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.strategy import History, make_strategy
from gpsearch.strategy.grid import grid_sizes


def walk(space, n, n_calls):
    strategy = make_strategy("grid", space, seed=0, n_calls=n_calls)
    points = []
    for number in range(n):
        points.append(strategy.propose(History(pending=list(points)), number))
    return points


@pytest.mark.parametrize("n_calls", [1, 2, 7, 30, 100, 1000])
def test_the_grid_is_the_coarsest_that_uses_up_the_budget(n_calls):
    space = Space({"x": (0.0, 1.0), "y": (1.0, 9.0), "n": (1, 3), "c": ["a", "b"]})
    sizes = grid_sizes(space, n_calls)
    assert math.prod(sizes) >= n_calls
    assert sizes[2] <= 3
    assert sizes[3] == 2
    assert max(sizes[:2]) - min(sizes[:2]) <= 1


def test_a_finite_space_is_not_refined_beyond_its_values():
    assert grid_sizes(Space({"n": (1, 3), "b": Categorical([16, 32, 64])}), 1000) == [3, 3]


def test_a_whole_grid_is_the_product_of_its_levels():
    space = Space(
        {
            "lr": Real(1e-4, 1e4, prior="log-uniform"),
            "n": Integer(1, 3),
            "act": Categorical(["relu", "tanh"]),
        }
    )
    points = walk(space, 18, n_calls=18)
    levels = [sorted({point[j] for point in points}) for j in range(3)]
    np.testing.assert_allclose(np.log10(levels[0]), [-8 / 3, 0, 8 / 3], atol=1e-12)
    assert levels[1:] == [[1, 2, 3], ["relu", "tanh"]]
    assert len({tuple(point) for point in points}) == 18


def test_a_budget_that_ends_early_has_seen_every_part():
    space = Space({"x": (0.0, 1.0), "y": (0.0, 1.0)})
    first = np.array(walk(space, 16, n_calls=400))
    for axis in range(2):
        assert np.histogram(first[:, axis], bins=4, range=(0, 1))[0].min() >= 3


def test_a_budget_that_outlives_the_grid_goes_on_with_a_finer_one():
    space = Space({"x": (0.0, 1.0)})
    points = walk(space, 20, n_calls=4)
    assert sorted(point[0] for point in points[:4]) == [0.125, 0.375, 0.625, 0.875]
    assert len({point[0] for point in points}) == 20


def test_the_seed_takes_no_part():
    space = Space({"x": (0.0, 1.0), "n": (1, 9)})
    first, second = (
        make_strategy("grid", space, seed=seed, n_calls=9).propose(History(), 0) for seed in (0, 1)
    )
    assert first == second


def test_a_grid_of_many_dimensions_is_never_laid_out_whole():
    space = Space({f"x{i}": (0.0, 1.0) for i in range(20)} | {"c": list("abcdefghijklmnopqrst")})
    points = walk(space, 40, n_calls=50)
    assert len({tuple(point) for point in points}) == 40
    assert len({point[-1] for point in points}) > 12
