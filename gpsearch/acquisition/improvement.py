"""What a point is worth trying for, by how much it may improve on the incumbent.

=========== ================================================================ =======
symbol      meaning                                                          shape
=========== ================================================================ =======
mu, v       posterior mean and variance of the warped loss                   (m,)
f           the incumbent: the loss to improve on                            scalar
u           ``(f - mu) / sqrt(v)``                                           (m,)
h(u)        ``phi(u) + u Phi(u)``, so that ``EI = sqrt(v) h(u)``             (m,)
=========== ================================================================ =======

Expected improvement underflows where improvement is unlikely, and with it the gradient that
should lead out of there; its logarithm does neither (Ament et al. 2023, Unexpected improvements
to expected improvement for Bayesian optimization, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr

from gpsearch.surrogate import FeasibilityModel, GaussianProcess
from gpsearch.surrogate.feasibility import HALF_LOG_TWO_PI, log_normal_cdf
from gpsearch.surrogate.kernels import Array

SQRT_HALF_PI = np.sqrt(np.pi / 2.0)
LOG_EVEN_ODDS = float(np.log(0.5))
BELOW_EVEN_ODDS = 1000.0  # outweighs every difference between log acquisitions
SQRT_HALF = np.sqrt(0.5)
DEFINITION_ABOVE = 10.0
SERIES_BELOW = -50.0  # the closed form loses the digits of u²; the series is right to 945 / u⁸


class Acquisition(Protocol):
    """What a proposal maximises."""

    def __call__(self, Z: Array) -> Array:
        """(m,) values at the (m, d) rows of `Z`."""

    def with_gradient(self, Z: Array) -> tuple[Array, Array]:
        """(m,) values and their (m, d) gradients; zero in categorical dimensions."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LogExpectedImprovement:
    """``log E[max(f - loss, 0)] = log h(u) + log(v) / 2``.

    With a noise variance b it is augmented by ``log(1 - sqrt(b / (v + b)))``: where the prediction
    is more precise than a measurement, measuring again gains little (Huang et al. 2006, Global
    optimization of stochastic black-box systems, equation 13). Without it, the last evaluations
    crowd around the best point, each for an improvement that is a fraction of the noise.
    """

    process: GaussianProcess
    incumbent: float
    """f, a warped loss."""
    noise: float = 0.0
    """b, the variance of a measurement of the warped loss."""

    def __call__(self, Z: Array) -> Array:
        """See `Acquisition`."""
        mean, variance = self.process.predict(Z)
        sd = np.sqrt(variance)
        value = log_h((self.incumbent - mean) / sd)[0] + np.log(sd)
        return value + log_augmentation(variance, self.noise)[0]

    def with_gradient(self, Z: Array) -> tuple[Array, Array]:
        """Values and gradients, by ``du = -dmu / sd - u dv / (2 v)``."""
        mean, variance, mean_gradient, variance_gradient = self.process.predict_gradient(Z)
        sd = np.sqrt(variance)
        u = (self.incumbent - mean) / sd
        value, slope = log_h(u)
        augmentation, augmentation_slope = log_augmentation(variance, self.noise)
        d_mean, d_variance = -slope / sd, (1.0 - slope * u) / (2.0 * variance) + augmentation_slope
        gradient = d_mean[:, None] * mean_gradient + d_variance[:, None] * variance_gradient
        return value + np.log(sd) + augmentation, gradient


@dataclass(frozen=True, kw_only=True, eq=False)
class LogProbabilityOfImprovement:
    """``log P[loss < f - margin]``."""

    process: GaussianProcess
    incumbent: float
    """f, a warped loss."""
    margin: float = 0.01
    """By how much to improve, in standard deviations of the warped losses."""

    def __call__(self, Z: Array) -> Array:
        """See `Acquisition`."""
        mean, variance = self.process.predict(Z)
        return log_ndtr((self.incumbent - self.margin - mean) / np.sqrt(variance))

    def with_gradient(self, Z: Array) -> tuple[Array, Array]:
        """Values and gradients, by ``d log Phi(u) = phi(u) / Phi(u) du``."""
        mean, variance, mean_gradient, variance_gradient = self.process.predict_gradient(Z)
        sd = np.sqrt(variance)
        u = (self.incumbent - self.margin - mean) / sd
        value, slope = log_normal_cdf(u)
        d_mean, d_variance = -slope / sd, -slope * u / (2.0 * variance)
        return value, d_mean[:, None] * mean_gradient + d_variance[:, None] * variance_gradient


@dataclass(frozen=True, kw_only=True, eq=False)
class LowerConfidenceBound:
    """``kappa sqrt(v) - mu``: how good a loss may well be (Srinivas et al. 2010)."""

    process: GaussianProcess
    kappa: float = 1.96
    """Standard deviations below the mean."""

    def __call__(self, Z: Array) -> Array:
        """See `Acquisition`."""
        mean, variance = self.process.predict(Z)
        return self.kappa * np.sqrt(variance) - mean

    def with_gradient(self, Z: Array) -> tuple[Array, Array]:
        """See `Acquisition.with_gradient`."""
        mean, variance, mean_gradient, variance_gradient = self.process.predict_gradient(Z)
        sd = np.sqrt(variance)
        gradient = (0.5 * self.kappa / sd)[:, None] * variance_gradient - mean_gradient
        return self.kappa * sd - mean, gradient


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightedByFeasibility:
    """A logarithmic acquisition times the probability of success, steeply less below even odds.

    ``a + log p + 1000 min(log p - log 1/2, 0)``. The product alone is not enough: once the feasible
    region is known well, the expected improvement there is about ``exp(-20)``. A region where every
    evaluation failed has an unknown loss, and would win at any p that the model predicts. So a
    point that is more likely to fail than not is taken only when nothing else is left.
    """

    acquisition: Acquisition
    model: FeasibilityModel

    def __call__(self, Z: Array) -> Array:
        """See `Acquisition`."""
        log_probability = self.model.log_probability(Z)
        below = np.minimum(log_probability - LOG_EVEN_ODDS, 0.0)
        return self.acquisition(Z) + log_probability + BELOW_EVEN_ODDS * below

    def with_gradient(self, Z: Array) -> tuple[Array, Array]:
        """See `Acquisition.with_gradient`."""
        value, gradient = self.acquisition.with_gradient(Z)
        log_probability, probability_gradient = self.model.log_probability_gradient(Z)
        below = np.minimum(log_probability - LOG_EVEN_ODDS, 0.0)
        steepness = np.where(below < 0.0, 1.0 + BELOW_EVEN_ODDS, 1.0)
        return (
            value + log_probability + BELOW_EVEN_ODDS * below,
            gradient + steepness[:, None] * probability_gradient,
        )


def log_augmentation(variance: Array, noise: float) -> tuple[Array, Array]:
    """``log(1 - r)`` with ``r = sqrt(b / (v + b))``, and its derivative in v, for any b and v > 0.

    Where v is far below b the difference cancels; ``1 - r = v / ((v + b)(1 + r))`` does not. The
    derivative is ``r (1 + r) / (2 v)``.

    Examples
    --------
    >>> value, slope = log_augmentation(np.array([1e-12, 3.0]), 1.0)
    >>> [round(float(v), 3) for v in value], round(float(slope[1]), 3)
    ([-28.324, -0.693], 0.125)
    """
    r = np.sqrt(noise / (variance + noise))
    value = np.log(variance) - np.log(variance + noise) - np.log1p(r)
    return value, r * (1.0 + r) / (2.0 * variance)


def log_h(u: Array) -> tuple[Array, Array]:
    """``log(phi(u) + u Phi(u))`` and its derivative ``Phi(u) / h(u)``, for any u.

    By ``h / phi = 1 + u m(u)`` with Mills' ratio ``m = Phi / phi = sqrt(pi/2) erfcx(-u / sqrt 2)``,
    which does not cancel below as the definition does; above 10, where m grows without bound, by
    the definition; far below, where ``1 + u m`` cancels too, by its asymptotic series in
    ``q = 1 / u²``, ``h / phi = q (1 - 3 q + 15 q² - 105 q³ + ...)``.

    Examples
    --------
    >>> value, slope = log_h(np.array([-1e3, 0.0, 10.0]))
    >>> [float(v) for v in np.round(value, 3)], [float(v) for v in np.round(slope, 3)]
    ([-500014.734, -0.919, 2.303], [1000.002, 1.253, 0.1])
    """
    u = np.asarray(u, dtype=float)
    # one formula for all, then the tails anew: a proposal spends much of its time here
    x = np.clip(u, SERIES_BELOW, DEFINITION_ABOVE)
    mills = SQRT_HALF_PI * erfcx(x * -SQRT_HALF)
    ratio = 1.0 + x * mills
    value = np.log(ratio) - (0.5 * x * x + HALF_LOG_TWO_PI)
    slope = mills / ratio

    if u.size and u.max() > DEFINITION_ABOVE:
        near = u > DEFINITION_ABOVE
        x = u[near]
        cdf = ndtr(x)
        h = np.exp(-0.5 * x * x - HALF_LOG_TWO_PI) + x * cdf
        value[near], slope[near] = np.log(h), cdf / h

    if u.size and u.min() < SERIES_BELOW:
        far = u < SERIES_BELOW
        x = u[far]
        q = 1.0 / (x * x)
        ratio = 1.0 - q * (3.0 - q * (15.0 - 105.0 * q))
        value[far] = -0.5 * x * x - HALF_LOG_TWO_PI + np.log(q) + np.log(ratio)
        mills_x = 1.0 - q * (1.0 - q * (3.0 - 15.0 * q))  # -x m(x)
        slope[far] = -x * mills_x / ratio
    return value, slope
