"""Where good values are expected: a density over z, and what a search makes of it."""

import numpy as np
import pytest

from gpsearch.acquisition import LeaningOnExpected, LogExpectedImprovement
from gpsearch.errors import InvalidSpaceError
from gpsearch.space import Integer, Real, Space
from gpsearch.strategy import History, make_strategy
from gpsearch.surrogate import GaussianProcess

DIMENSIONS = {
    "rate": Real(1e-5, 1.0, prior="log-uniform"),
    "units": Integer(1, 9),
    "opt": ["adam", "sgd", "rmsprop"],
    "momentum": (0.0, 0.9),
}
CONDITIONS = {"momentum": {"opt": ["sgd"]}}


def space_of(**expected):
    return Space(DIMENSIONS, conditions=CONDITIONS, expected=expected)


def log_density(space, *points):
    Z = space.to_z(points)
    return space.expected.log_density(Z, space.active(Z))[0]


def search(space, n, seed):
    strategy = make_strategy("gp", space, seed=seed, n_calls=n)
    points, losses = [], []
    while len(points) < n:
        points.append(strategy.propose(History.of(points, losses), len(points)))
        rate, units, opt, _ = points[-1]
        losses.append((np.log10(rate) + 3) ** 2 + 0.1 * (units - 6) ** 2 + (opt != "adam"))
    return points, losses


def test_the_density_is_one_where_it_is_expected_and_a_tenth_far_away():
    space = space_of(rate=1e-3, opt=["adam", "sgd"])
    near, other, far, both = log_density(
        space,
        [1e-3, 1, "adam", 0.5],
        [1e-3, 9, "rmsprop", 0.5],
        [1.0, 1, "sgd", 0.5],
        [1.0, 1, "rmsprop", 0.5],
    )
    assert near == 0.0
    assert other == pytest.approx(np.log(0.1))
    assert np.log(0.1) < far < np.log(0.15)
    assert both == pytest.approx(far + np.log(0.1))


def test_a_dimension_that_does_not_exist_is_not_measured():
    space = space_of(momentum=0.9)
    absent, there, away = log_density(
        space, [1e-3, 1, "adam", 0.0], [1e-3, 1, "sgd", 0.9], [1e-3, 1, "sgd", 0.0]
    )
    assert absent == there == 0.0
    assert away < -2


def test_its_gradient_is_its_difference():
    space = space_of(rate=[1e-4, 1e-1], units=5, opt="adam", momentum=0.3)
    rng = np.random.default_rng(0)
    Z = space.to_z(space.sample(20, rng))
    process = GaussianProcess.fit(Z, rng.random(20), categorical=space.categorical)
    improvement = LogExpectedImprovement(process=process, incumbent=float(process.t.min()))
    acquisition = LeaningOnExpected(
        acquisition=improvement, space=space, density=space.expected, weight=0.7
    )
    at = space.to_z(space.sample(8, rng))
    at[:, 1] = rng.random(8)
    value, gradient = acquisition.with_gradient(at)
    np.testing.assert_allclose(value, acquisition(at))
    active, step = space.active(at), 1e-6
    for j in (0, 1, 3):
        move = np.zeros(4)
        move[j] = step
        difference = (acquisition(at + move) - acquisition(at - move)) / (2 * step)
        on = active[:, j]
        np.testing.assert_allclose(gradient[on, j], difference[on], rtol=1e-4, atol=1e-6)


def test_the_first_point_stands_where_it_is_expected():
    points, _ = search(space_of(rate=[1e-2, 1e-4], opt="rmsprop"), 3, seed=0)
    assert points[0] == [pytest.approx(1e-2), 5, "rmsprop", 0.45]


def test_a_right_expectation_helps_and_a_wrong_one_does_not_hide_the_optimum():
    def best(n, **expected):
        return np.median([min(search(space_of(**expected), n, seed)[1]) for seed in range(3)])

    assert best(10, rate=10**-2.9, units=6, opt="adam") < 0.5 * best(10)
    assert best(30, rate=1.0, units=1, opt="rmsprop") < 0.01


def test_tables_and_copies_keep_what_is_expected():
    table = {"rate": {"low": 1e-5, "high": 1.0, "prior": "log-uniform", "expected": [1e-3, 1e-2]}}
    space = Space({**table, "units": (1, 9)})
    assert space.expected_values == {"rate": (1e-3, 1e-2)}
    for other in (Space(space), Space.from_json(space.to_json())):
        assert other.expected_values == space.expected_values
        assert other.fingerprint() == space.fingerprint()
    plain = Space({"rate": Real(1e-5, 1.0, prior="log-uniform"), "units": (1, 9)})
    assert plain.fingerprint() != space.fingerprint()
    assert not plain.expected


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        pytest.param({"rat": 0.1}, "'rat', which is no dimension", id="name"),
        pytest.param({"rate": 2.0}, "rate=2.0", id="outside"),
        pytest.param({"opt": "nadam"}, "nadam", id="category"),
        pytest.param({"opt": []}, "no value", id="nothing"),
        pytest.param({"rate": {"mean": 1e-3}}, "list of values", id="mapping"),
    ],
)
def test_what_cannot_be_expected_is_named(expected, message):
    with pytest.raises(InvalidSpaceError, match=message):
        Space(DIMENSIONS, expected=expected)
