"""Where good values are expected: a density over z, and what a search makes of it."""

import numpy as np
import pytest

from gpsearch.acquisition import LogExpectedImprovement, WeightedByPrior
from gpsearch.errors import InvalidSearchError
from gpsearch.space import Integer, Real, Space
from gpsearch.strategy import History, make_strategy
from gpsearch.strategy.expected_values import ExpectedValues
from gpsearch.surrogate import GaussianProcess

DIMENSIONS = {
    "rate": Real(1e-5, 1.0, prior="log-uniform"),
    "units": Integer(1, 9),
    "opt": ["adam", "sgd", "rmsprop"],
    "momentum": (0.0, 0.9),
}
CONDITIONS = {"momentum": {"opt": ["sgd"]}}


SPACE = Space(DIMENSIONS, conditions=CONDITIONS)


def log_density(expected, *points):
    Z = SPACE.to_z(points)
    return ExpectedValues(expected, SPACE).log_density(Z, SPACE.active(Z))[0]


def search(expected, n, seed):
    strategy = make_strategy("gp", SPACE, seed=seed, n_calls=n, optimum_prior=expected)
    points, losses = [], []
    while len(points) < n:
        points.append(strategy.propose(History.of(points, losses), len(points)))
        rate, units, opt, _ = points[-1]
        losses.append((np.log10(rate) + 3) ** 2 + 0.1 * (units - 6) ** 2 + (opt != "adam"))
    return points, losses


def test_the_density_is_one_where_it_is_expected_and_a_tenth_far_away():
    near, other, far, both = log_density(
        {"rate": 1e-3, "opt": ["adam", "sgd"]},
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
    absent, there, away = log_density(
        {"momentum": 0.9}, [1e-3, 1, "adam", 0.0], [1e-3, 1, "sgd", 0.9], [1e-3, 1, "sgd", 0.0]
    )
    assert absent == there == 0.0
    assert away < -2


def test_its_gradient_is_its_difference():
    expected = {"rate": [1e-4, 1e-1], "units": 5, "opt": "adam", "momentum": 0.3}
    space, prior = SPACE, ExpectedValues(expected, SPACE)
    rng = np.random.default_rng(0)
    Z = space.to_z(space.sample(20, rng))
    process = GaussianProcess.fit(Z, rng.random(20), categorical=space.categorical)
    improvement = LogExpectedImprovement(process=process, incumbent=float(process.t.min()))
    acquisition = WeightedByPrior(acquisition=improvement, space=space, density=prior, weight=0.7)
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
    points, _ = search({"rate": [1e-2, 1e-4], "opt": "rmsprop"}, 3, seed=0)
    assert points[0] == [pytest.approx(1e-2), 5, "rmsprop", 0.45]


def test_a_right_expectation_helps_and_a_wrong_one_does_not_hide_the_optimum():
    def best(n, **expected):
        return np.median([min(search(expected, n, seed)[1]) for seed in range(3)])

    assert best(10, rate=10**-2.9, units=6, opt="adam") < 0.5 * best(10)
    assert best(30, rate=1.0, units=1, opt="rmsprop") < 0.01


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        pytest.param({"rat": 0.1}, "'rat' is not a dimension", id="name"),
        pytest.param({"rate": 2.0}, "2.0: 'rate' must", id="outside"),
        pytest.param({"opt": "nadam"}, "nadam", id="category"),
        pytest.param({"opt": []}, "a list of values", id="nothing"),
        pytest.param({"rate": {"mean": 1e-3}}, "list of values", id="mapping"),
    ],
)
def test_what_cannot_be_expected_is_named(expected, message):
    with pytest.raises(InvalidSearchError, match=message):
        make_strategy("gp", SPACE, seed=0, n_calls=9, optimum_prior=expected)
