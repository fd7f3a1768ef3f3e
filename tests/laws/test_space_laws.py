"""Laws of the three representations, on random spaces."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpsearch.space import Categorical, Integer, Real, Space

settings.register_profile("laws", deadline=None, max_examples=60)
settings.load_profile("laws")

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-50, 50),
    st.floats(-5, 5, allow_nan=False),
    st.text(max_size=4),
)
categories = st.lists(
    st.one_of(scalars, st.tuples(scalars, scalars)),
    min_size=1,
    max_size=6,
    unique_by=lambda c: (type(c), repr(c)),
)


@st.composite
def reals(draw):
    if draw(st.booleans()):
        low = 10.0 ** draw(st.floats(-12, 6))
        return Real(low, low * 10.0 ** draw(st.floats(0.1, 12)), prior="log-uniform")
    low = draw(st.floats(-1e6, 1e6))
    # narrower than this, the doubles between low and high are too few for the laws to hold
    narrowest = max(1e-3, 1e-3 * abs(low))
    return Real(low, low + draw(st.floats(narrowest, 1e6)))


@st.composite
def integers(draw):
    if draw(st.booleans()):
        low = draw(st.integers(1, 1000))
        return Integer(low, low + draw(st.integers(1, 10**6)), prior="log-uniform")
    low = draw(st.integers(-1000, 1000))
    return Integer(low, low + draw(st.integers(1, 10**6)))


dimensions = st.one_of(
    reals(), integers(), categories.map(lambda c: Categorical(c, transform="identity"))
)
spaces = st.lists(dimensions, min_size=1, max_size=5).map(
    lambda ds: Space({f"x{i}": d for i, d in enumerate(ds)})
)
seeds = st.integers(0, 2**32 - 1)


@given(spaces, seeds)
def test_params_and_point_are_exact_inverses(space, seed):
    for point in space.sample(5, np.random.default_rng(seed)):
        again = space.point(space.params(point))
        assert again == point
        assert [type(v) for v in again] == [type(v) for v in point]


@given(spaces, seeds)
def test_z_returns_to_its_point(space, seed):
    points = space.sample(5, np.random.default_rng(seed))
    z = space.to_z(points)
    assert ((z >= 0) & (z <= 1)).all()
    for point, again in zip(points, space.from_z(z), strict=True):
        for column, value, returned in zip(space.columns, point, again, strict=True):
            assert type(value) is type(returned)
            if column.n_values == 0:
                width = column.high - column.low
                assert returned == pytest.approx(value, rel=1e-12, abs=1e-12 * width)
            else:
                assert returned == value


@given(spaces, seeds)
def test_snapping_is_idempotent_and_agrees_with_the_points(space, seed):
    z = np.random.default_rng(seed).random((5, len(space)))
    snapped = space.snap(z)
    np.testing.assert_allclose(space.snap(snapped), snapped, atol=1e-12)
    np.testing.assert_allclose(space.to_z(space.from_z(z)), snapped, atol=1e-12)


def in_order(categories):
    """Three or more numbers by their values, unless they are listed from high to low."""
    numbers = len(categories) > 2 and all(type(c) in (int, float) for c in categories)
    falls = numbers and all(a > b for a, b in itertools.pairwise(categories))
    return sorted(categories) if numbers and not falls else categories


@given(spaces)
def test_the_corners_of_the_cube_are_the_exact_bounds(space):
    low, high = space.from_z(np.array([[0.0], [1.0]]) * np.ones(len(space)))
    for dimension, first, last in zip(space.dimensions, low, high, strict=True):
        if isinstance(dimension, Categorical):
            ordered = in_order(dimension.categories)
            assert first is ordered[0]
            assert last is ordered[-1]
        else:
            assert (first, last) == (dimension.low, dimension.high)


@given(spaces)
def test_a_space_survives_json(space):
    restored = Space.from_json(json.loads(json.dumps(space.to_json())))
    assert restored == space
    assert restored.fingerprint() == space.fingerprint()
    assert restored.names == space.names


@given(spaces, seeds)
def test_equal_points_have_equal_keys_and_only_they(space, seed):
    first, second = space.sample(2, np.random.default_rng(seed))
    same = all(type(a) is type(b) and a == b for a, b in zip(first, second, strict=True))
    assert (space.key(first) == space.key(second)) == same
