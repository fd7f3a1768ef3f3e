"""Random search draws from the space's own distribution."""

from collections import Counter

import pytest
from scipy import stats

from gpsearch.errors import SpaceExhaustedError
from gpsearch.space import Integer, Real, Space
from gpsearch.strategy import History, make_strategy


def draws(space, n):
    strategy = make_strategy("random", space, seed=0, n_calls=n)
    return [strategy.propose(History(), number) for number in range(n)]


def test_integers_are_uniform_over_their_values():
    counts = Counter(point[0] for point in draws(Space({"n": Integer(3, 6), "x": (0.0, 1.0)}), 800))
    assert stats.chisquare([counts[n] for n in range(3, 7)]).pvalue > 0.001


def test_a_log_uniform_dimension_is_uniform_in_its_logarithm():
    space = Space({"lr": Real(1e-4, 1e2, prior="log-uniform")})
    values = [point[0] for point in draws(space, 500)]
    assert stats.kstest(values, stats.loguniform(1e-4, 1e2).cdf).pvalue > 0.001


def test_its_points_do_not_depend_on_the_order_in_which_trials_end():
    space = Space({"x": (0.0, 1.0), "n": (1, 1000)})
    strategy = make_strategy("random", space, seed=5, n_calls=10)
    alone = strategy.propose(History(), 4)
    assert strategy.propose(History.of([[0.5, 3], [0.1, 7]], [1.0, 2.0]), 4) == alone


def test_the_last_points_of_a_large_finite_space_are_found():
    space = Space({"a": (1, 50), "b": (1, 50)})
    everything = space.enumerate(2500)
    left = {(7, 31), (50, 50)}
    visited = [point for point in everything if tuple(point) not in left]
    strategy = make_strategy("random", space, seed=0, n_calls=10)
    first = strategy.propose(History(pending=visited), 0)
    second = strategy.propose(History(pending=[*visited, first]), 1)
    assert {tuple(first), tuple(second)} == left
    with pytest.raises(SpaceExhaustedError, match="2500"):
        strategy.propose(History(pending=everything), 2)
