"""Quasi-random search."""

from collections import Counter

import numpy as np
from scipy.stats import qmc

from gpsearch.space import Space
from gpsearch.strategy import History, make_strategy


def points_of(space, n, seed=0):
    strategy = make_strategy("sobol", space, seed=seed, n_calls=n)
    return [strategy.propose(History(), number) for number in range(n)]


def test_the_points_are_those_of_scipys_scrambled_sequence():
    space = Space({"x": (0.0, 1.0), "y": (0.0, 1.0), "z": (0.0, 1.0)})
    reference = qmc.Sobol(3, scramble=True, rng=np.random.default_rng(4)).random(128)
    np.testing.assert_allclose(points_of(space, 128, seed=4), reference)


def test_it_covers_more_evenly_than_random_points():
    space = Space({f"x{i}": (0.0, 1.0) for i in range(4)})
    random = np.random.default_rng(0).random((64, 4))
    assert qmc.discrepancy(points_of(space, 64)) < 0.5 * qmc.discrepancy(random)


def test_every_value_of_an_integer_is_hit_equally_often():
    space = Space({"n": (1, 4), "x": (0.0, 1.0)})
    assert Counter(point[0] for point in points_of(space, 64)) == dict.fromkeys(range(1, 5), 16)


def test_a_visited_point_is_passed_over():
    space = Space({"x": (0.0, 1.0)})
    strategy = make_strategy("sobol", space, seed=0, n_calls=4)
    plain = points_of(space, 4)
    assert strategy.propose(History(pending=[plain[1]]), 1) == plain[2]


def test_an_infeasible_row_leaves_no_gap_in_the_numbers():
    whole = points_of(Space({"x": (0.0, 1.0)}), 32)
    half = points_of(Space({"x": (0.0, 1.0)}, constraint=lambda p: p["x"] < 0.5), 8)
    assert half == [point for point in whole if point[0] < 0.5][:8]
