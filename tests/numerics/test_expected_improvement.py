"""Log expected improvement against high precision, Monte Carlo and finite differences."""

import mpmath
import numpy as np
import pytest

from gpsearch.acquisition import (
    LogExpectedImprovement,
    LogProbabilityOfImprovement,
    LowerConfidenceBound,
    WeightedByFeasibility,
)
from gpsearch.acquisition.improvement import SERIES_BELOW, log_augmentation, log_h
from gpsearch.surrogate import FeasibilityModel, GaussianProcess, YeoJohnson


def exact_log_h(u: float) -> tuple[float, float]:
    """``log(phi(u) + u Phi(u))`` and its derivative, with 400 digits."""
    with mpmath.workdps(400):
        x = mpmath.mpf(u)
        cdf = mpmath.erfc(-x / mpmath.sqrt(2)) / 2
        h = mpmath.exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi) + x * cdf
        return float(mpmath.log(h)), float(cdf / h)


@pytest.mark.parametrize(
    "u",
    [-1e4, -1e3, -200.0, SERIES_BELOW - 1e-6, SERIES_BELOW + 1e-6, -30.0, -8.0, -1.0 - 1e-9, -1.0,
     -0.3, 0.0, 0.7, 5.0, 40.0, 1e6],
)  # fmt: skip
def test_log_h_keeps_its_digits(u):
    value, slope = log_h(np.array([u]))
    expected, expected_slope = exact_log_h(u)
    assert value[0] == pytest.approx(expected, rel=1e-12, abs=1e-12)
    # the closed form has lost the digits of u² just before the series takes over
    assert slope[0] == pytest.approx(expected_slope, rel=1e-8)


def fitted(rng: np.random.Generator, n: int = 25, d: int = 4) -> GaussianProcess:
    Z = rng.random((n, d))
    Z[:, -1] = rng.integers(3, size=n) / 2
    y = 7.0 + 30.0 * (Z[:, 0] - 0.3) ** 2 + 4.0 * Z[:, 1] * (Z[:, -1] == 0.5)
    categorical = np.arange(d) == d - 1
    return GaussianProcess.fit(Z, y, categorical=categorical, shape=YeoJohnson())


def queries(rng: np.random.Generator, m: int = 12, d: int = 4) -> np.ndarray:
    Z = rng.random((m, d))
    Z[:, -1] = rng.integers(3, size=m) / 2
    return Z


def test_expected_improvement_is_that_of_samples():
    rng = np.random.default_rng(0)
    process, Z = fitted(rng), queries(np.random.default_rng(1))
    mean, variance = process.predict(Z)
    incumbent = float(np.median(mean))
    samples = mean + np.sqrt(variance) * rng.standard_normal((200_000, len(Z)))
    gains = np.maximum(incumbent - samples, 0.0)
    estimate, error = gains.mean(axis=0), gains.std(axis=0) / np.sqrt(len(samples))
    expected = np.exp(LogExpectedImprovement(process=process, incumbent=incumbent)(Z))
    assert (np.abs(estimate - expected) < 5 * error + 1e-9).all()


def acquisitions(process: GaussianProcess) -> list:
    model = FeasibilityModel.fit(process.Z, process.Z[:, 1] > 0.7, categorical=process.categorical)
    improvement = LogExpectedImprovement(process=process, incumbent=-0.8)
    return [
        improvement,
        LogProbabilityOfImprovement(process=process, incumbent=-0.8),
        LowerConfidenceBound(process=process),
        WeightedByFeasibility(acquisition=improvement, model=model),
        LogExpectedImprovement(process=process, incumbent=-0.8, noise=0.03),
    ]


@pytest.mark.parametrize("noise", [0.0, 1e-6, 0.2, 5.0])
def test_what_is_news_keeps_its_digits(noise):
    variance = np.logspace(-14, 3, 18)
    value, slope = log_augmentation(variance, noise)
    for v, ours, ours_slope in zip(variance, value, slope, strict=True):
        with mpmath.workdps(60):
            b, x = mpmath.mpf(noise), mpmath.mpf(float(v))
            expected = mpmath.log(1 - mpmath.sqrt(b / (x + b)))
            derivative = mpmath.diff(lambda w, b=b: mpmath.log(1 - mpmath.sqrt(b / (w + b))), x)
        assert ours == pytest.approx(float(expected), rel=1e-9, abs=1e-12)
        assert ours_slope == pytest.approx(float(derivative), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("which", range(5))
def test_gradients_are_finite_differences(which):
    acquisition = acquisitions(fitted(np.random.default_rng(2)))[which]
    Z = queries(np.random.default_rng(3))
    value, gradient = acquisition.with_gradient(Z)
    np.testing.assert_allclose(value, acquisition(Z), rtol=1e-8, atol=1e-8)
    step = 1e-6  # the third derivatives are of order 1e3: error 1e-9, like that of rounding
    for j in range(3):
        shift = step * np.eye(4)[j]
        numeric = (acquisition(Z + shift) - acquisition(Z - shift)) / (2 * step)
        np.testing.assert_allclose(gradient[:, j], numeric, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(gradient[:, 3], 0.0)  # categories have no direction
