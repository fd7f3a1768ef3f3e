"""Improvement for each second: what is quick is tried more often."""

import numpy as np
import pytest

from gpsearch.errors import InvalidSearchError
from gpsearch.space import Space
from gpsearch.strategy import History, make_strategy
from gpsearch.strategy.gp import GPOptions

SPACE = Space({"x": (-1.0, 1.0), "y": (-1.0, 1.0)})


def run(name, seconds_of, n=20, seed=0):
    """Points of a search whose loss has one valley at x = 0.5, and one a little higher at -0.5."""
    strategy = make_strategy(name, SPACE, seed=seed, n_calls=n)
    points, losses, seconds = [], [], []
    for number in range(n):
        point = strategy.propose(History.of(points, losses, seconds=seconds), number)
        x, y = point
        points.append(point)
        losses.append(min((x - 0.5) ** 2, (x + 0.5) ** 2 + 0.01) + y**2)
        seconds.append(seconds_of(x))
    return np.array(points)


def test_where_all_take_the_same_it_proposes_what_gp_proposes():
    np.testing.assert_allclose(
        run("gp_per_second", lambda x: 3.0, n=12), run("gp", lambda x: 3.0, n=12), atol=0.02
    )


def test_it_evaluates_more_where_evaluations_are_quick():
    slow_right = [run("gp_per_second", lambda x: 60.0 if x > 0 else 1.0, seed=s) for s in range(3)]
    plain = [run("gp", lambda x: 60.0 if x > 0 else 1.0, seed=s) for s in range(3)]
    share = [np.mean([(p[8:, 0] < 0).mean() for p in runs]) for runs in (slow_right, plain)]
    assert share[0] > share[1] + 0.15


@pytest.mark.parametrize("unknown", [np.nan, 0.0])
def test_without_times_it_is_gp(unknown):
    np.testing.assert_array_equal(
        run("gp_per_second", lambda x: unknown, n=10), run("gp", lambda x: unknown, n=10)
    )


def test_a_bound_of_the_loss_is_no_improvement():
    with pytest.raises(InvalidSearchError, match="choose 'LogEI' or 'LogPI'"):
        GPOptions(per_second=True, acquisition="LCB")
