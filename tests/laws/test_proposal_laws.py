"""What holds of a proposal whatever was told: it depends on the losses' order of merit and
spacing, not on their units, nor on the order in which points or dimensions are listed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.strategy import History
from gpsearch.strategy.gp import GPStrategy

SPACE = Space(
    {
        "x": (-2.0, 6.0),
        "rate": Real(1e-4, 1.0, prior="log-uniform"),
        "n": Integer(1, 9),
        "c": Categorical(["a", "b", "c"]),
    }
)
TOLERANCE = 0.01  # of the unit cube: what rounding makes of a climb that ends early on a flat top


def history(seed: int, n: int = 14) -> tuple[list, np.ndarray]:
    points = SPACE.sample(n, np.random.default_rng(seed))
    losses = [
        (x - 1.0) ** 2 + (np.log10(rate) + 2) ** 2 + 0.1 * (k - 4) ** 2 + (c == "b")
        for x, rate, k, c in points
    ]
    return points, np.array(losses)


def propose(points, losses, space=SPACE, number=14):
    return GPStrategy(space, seed=0).propose(History.of(points, losses), number)


def assert_same(first, second):
    np.testing.assert_allclose(SPACE.to_z([first]), SPACE.to_z([second]), atol=TOLERANCE)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 3),
    scale=st.floats(1e-6, 1e6),
    shift=st.floats(-10.0, 10.0),
)
def test_the_units_of_the_loss_decide_nothing(seed, scale, shift):
    points, losses = history(seed)
    assert_same(propose(points, losses), propose(points, scale * (losses + shift)))


@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 3), order=st.permutations(range(14)))
def test_the_order_of_telling_decides_nothing(seed, order):
    points, losses = history(seed)
    turned = propose([points[i] for i in order], losses[list(order)])
    assert_same(propose(points, losses), turned)


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (1, 3, 0, 2)])
@pytest.mark.parametrize("number", [2, 14])
def test_the_order_of_the_dimensions_decides_nothing(order, number):
    points, losses = history(1)
    turned_space = Space([SPACE.dimensions[j] for j in order])
    turned = propose([[p[j] for j in order] for p in points], losses, turned_space, number)
    assert_same(propose(points, losses, number=number), [turned[order.index(j)] for j in range(4)])


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    losses=st.lists(
        st.floats(allow_nan=True, allow_infinity=True) | st.just(1.0), min_size=9, max_size=9
    ),
    seed=st.integers(0, 5),
)
def test_whatever_was_told_there_is_a_proposal(losses, seed):
    points = SPACE.sample(9, np.random.default_rng(seed))
    proposed = propose(points, np.array(losses), number=9)
    assert proposed in SPACE
    assert proposed not in points
