"""Improvement for each second."""

import numpy as np

from gpsearch.acquisition import LogExpectedImprovement, PerSecond
from gpsearch.surrogate import GaussianProcess

RNG = np.random.default_rng(0)
Z = RNG.random((20, 3))
NUMERIC = np.zeros(3, dtype=bool)
LOSSES = 5 + 3 * Z[:, 0] + np.sin(5 * Z[:, 1])
LOG_TIMES = 2.0 + 4.0 * Z[:, 2] + 0.1 * RNG.standard_normal(20)


def make():
    process = GaussianProcess.fit(Z, LOSSES, categorical=NUMERIC)
    improvement = LogExpectedImprovement(process=process, incumbent=-0.5)
    log_time = GaussianProcess.fit(Z, LOG_TIMES, categorical=NUMERIC)
    return improvement, PerSecond(acquisition=improvement, log_time=log_time)


def test_its_gradient_is_that_of_finite_differences():
    _, per_second = make()
    at = RNG.random((6, 3))
    _, gradient = per_second.with_gradient(at)
    step = 1e-6  # the cube root of the rounding error, for values near 1
    for j in range(3):
        up, down = at.copy(), at.copy()
        up[:, j] += step
        down[:, j] -= step
        numeric = (per_second(up) - per_second(down)) / (2 * step)
        np.testing.assert_allclose(gradient[:, j], numeric, rtol=1e-4, atol=1e-6)


def test_it_weighs_improvement_by_the_expected_rate():
    improvement, per_second = make()
    at = RNG.random((50, 3))
    extra = per_second(at) - improvement(at)
    # E[1 / T] = exp(-m + V / 2) for a log-normal T, up to one constant
    mean, variance = per_second.log_time.predict(at)
    scale = np.std(LOG_TIMES)
    draws = RNG.standard_normal((50, 20_000)) * np.sqrt(variance)[:, None] + mean[:, None]
    rate = np.log(np.exp(-scale * draws).mean(axis=1))
    np.testing.assert_allclose(extra - extra[0], rate - rate[0], atol=0.1)


def test_what_takes_e_times_as_long_counts_one_less():
    _, per_second = make()
    quick, slow = np.array([[0.5, 0.5, 0.2]]), np.array([[0.5, 0.5, 0.7]])
    improvement = per_second.acquisition
    gap = (per_second(quick) - improvement(quick)) - (per_second(slow) - improvement(slow))
    np.testing.assert_allclose(gap, 2.0, atol=0.3)
