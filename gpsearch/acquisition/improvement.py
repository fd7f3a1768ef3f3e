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

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import erfcx, ndtr

from gpsearch.surrogate import GaussianProcess
from gpsearch.surrogate.feasibility import HALF_LOG_TWO_PI, log_normal_cdf
from gpsearch.surrogate.kernels import Array

SQRT_HALF_PI = np.sqrt(np.pi / 2.0)
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
class OfPrediction(ABC):
    """An acquisition that is a function of the mean and the variance which a process predicts."""

    process: GaussianProcess

    @abstractmethod
    def of(self, mean: Array, variance: Array) -> tuple[Array, Array | float, Array]:
        """(m,) values, and their derivatives in mean and variance."""

    def __call__(self, Z: Array) -> Array:
        """See `Acquisition`."""
        return self.of(*self.process.predict(Z))[0]

    def with_gradient(self, Z: Array) -> tuple[Array, Array]:
        """See `Acquisition.with_gradient`."""
        mean, variance, mean_gradient, variance_gradient = self.process.predict_gradient(Z)
        value, d_mean, d_variance = self.of(mean, variance)
        d_mean = np.broadcast_to(d_mean, len(mean))
        return value, d_mean[:, None] * mean_gradient + d_variance[:, None] * variance_gradient


@dataclass(frozen=True, kw_only=True, eq=False)
class LogExpectedImprovement(OfPrediction):
    """``log E[max(f - loss, 0)] = log h(u) + log(v) / 2``.

    With a noise variance b it is augmented by ``log(1 - sqrt(b / (v + b)))``: where the prediction
    is more precise than a measurement, measuring again gains little (Huang et al. 2006, Global
    optimization of stochastic black-box systems, equation 13). Without it, the last evaluations
    crowd around the best point, each for an improvement that is a fraction of the noise.
    """

    incumbent: float
    """f, a warped loss."""
    noise: float = 0.0
    """b, the variance of a measurement of the warped loss."""

    def of(self, mean: Array, variance: Array) -> tuple[Array, Array | float, Array]:
        """By ``du = -dmu / sd - u dv / (2 v)``."""
        sd = np.sqrt(variance)
        u = (self.incumbent - mean) / sd
        value, slope = log_h(u)
        augmentation, augmentation_slope = log_augmentation(variance, self.noise)
        d_variance = (1.0 - slope * u) / (2.0 * variance) + augmentation_slope
        return value + np.log(sd) + augmentation, -slope / sd, d_variance


@dataclass(frozen=True, kw_only=True, eq=False)
class LogProbabilityOfImprovement(OfPrediction):
    """``log P[loss < f - margin]``."""

    incumbent: float
    """f, a warped loss."""
    margin: float = 0.01
    """By how much to improve, in standard deviations of the warped losses."""

    def of(self, mean: Array, variance: Array) -> tuple[Array, Array | float, Array]:
        """By ``d log Phi(u) = phi(u) / Phi(u) du``."""
        sd = np.sqrt(variance)
        u = (self.incumbent - self.margin - mean) / sd
        value, slope = log_normal_cdf(u)
        return value, -slope / sd, -slope * u / (2.0 * variance)


@dataclass(frozen=True, kw_only=True, eq=False)
class LowerConfidenceBound(OfPrediction):
    """``kappa sqrt(v) - mu``: how good a loss may well be (Srinivas et al. 2010)."""

    kappa: float = 1.96
    """Standard deviations below the mean."""

    def of(self, mean: Array, variance: Array) -> tuple[Array, Array | float, Array]:
        """With the derivatives -1 and ``kappa / (2 sd)``."""
        sd = np.sqrt(variance)
        return self.kappa * sd - mean, -1.0, 0.5 * self.kappa / sd


def log_augmentation(variance: Array, noise: float) -> tuple[Array, Array]:
    """``log(1 - r)`` with ``r = sqrt(b / (v + b))``, and its derivative in v, for any b and v > 0.

    Where v is far below b the difference cancels; ``1 - r = v / ((v + b)(1 + r))`` does not. The
    derivative is ``r (1 + r) / (2 v)``.

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
