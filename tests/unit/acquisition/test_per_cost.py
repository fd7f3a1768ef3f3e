"""Improvement for its cost."""

import numpy as np
import pytest

from gpsearch.acquisition import LogExpectedImprovement, PerCost
from gpsearch.surrogate import GaussianProcess

RNG = np.random.default_rng(0)
Z = RNG.random((20, 3))
NUMERIC = np.zeros(3, dtype=bool)
LOSSES = 5 + 3 * Z[:, 0] + np.sin(5 * Z[:, 1])
LOG_COSTS = 2.0 + 4.0 * Z[:, 2] + 0.1 * RNG.standard_normal(20)


def make(exponent=1.0, base=0.0):
    process = GaussianProcess.fit(Z, LOSSES, categorical=NUMERIC)
    improvement = LogExpectedImprovement(process=process, incumbent=-0.5)
    log_cost = GaussianProcess.fit(Z, LOG_COSTS, categorical=NUMERIC)
    return improvement, PerCost(
        acquisition=improvement, log_cost=log_cost, exponent=exponent, base=base
    )


@pytest.mark.parametrize(("exponent", "base"), [(1.0, 0.0), (0.4, 0.0), (1.0, 0.3)])
def test_its_gradient_is_that_of_finite_differences(exponent, base):
    _, per_cost = make(exponent, base)
    at = RNG.random((6, 3))
    _, gradient = per_cost.with_gradient(at)
    step = 1e-6  # the cube root of the rounding error, for values near 1
    for j in range(3):
        up, down = at.copy(), at.copy()
        up[:, j] += step
        down[:, j] -= step
        numeric = (per_cost(up) - per_cost(down)) / (2 * step)
        np.testing.assert_allclose(gradient[:, j], numeric, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("exponent", [1.0, 0.4])
def test_it_weighs_improvement_by_the_expected_rate(exponent):
    improvement, per_cost = make(exponent)
    at = RNG.random((50, 3))
    extra = per_cost(at) - improvement(at)
    # E[C^-c] for a log-normal C, up to one constant
    mean, variance = per_cost.log_cost.predict(at)
    scale = np.std(LOG_COSTS)
    draws = RNG.standard_normal((50, 20_000)) * np.sqrt(variance)[:, None] + mean[:, None]
    rate = np.log(np.exp(-exponent * scale * draws).mean(axis=1))
    np.testing.assert_allclose(extra - extra[0], rate - rate[0], atol=0.1)


def test_what_costs_e_times_as_much_counts_one_less():
    _, per_cost = make()
    quick, slow = np.array([[0.5, 0.5, 0.2]]), np.array([[0.5, 0.5, 0.7]])
    improvement = per_cost.acquisition
    gap = (per_cost(quick) - improvement(quick)) - (per_cost(slow) - improvement(slow))
    np.testing.assert_allclose(gap, 2.0, atol=0.3)


def test_of_two_cheap_ones_the_cheaper_one_is_hardly_preferred():
    improvement, per_cost = make(base=1.0)
    line = np.array([[0.5, 0.5, z] for z in (0.0, 0.1, 0.9, 1.0)])
    extra = per_cost(line) - improvement(line)
    geometric_mean = np.exp(LOG_COSTS.mean())
    costs = np.exp(2.0 + 4.0 * line[:, 2])
    expected = -np.log(costs / geometric_mean + 1.0)
    np.testing.assert_allclose(extra - extra[0], expected - expected[0], atol=0.2)
