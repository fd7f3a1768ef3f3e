"""Output transforms: losses to the scale on which a Gaussian process fits them.

============== ================================================================ =======
symbol         meaning                                                          shape
============== ================================================================ =======
y              losses, in the user's units                                      (n,)
u              ``(y - centre) / scale``, robustly standardised                  (n,)
rho            the shape of the transform                                       scalar
g(u; rho)      the transform, increasing in u                                   (n,)
t              ``(g - mean g) / sd g``, what the process sees                   (n,)
dt/dy          slope of the whole transform at each loss                        (n,)
log J          ``sum_i log dt_i / dy_i``                                        scalar
============== ================================================================ =======

Losses of network trainings are bounded on one side and spread over orders of magnitude on the
other; near the best of them a process on y resolves no differences. `rho` is fitted together with
the kernel (Snelson, Rasmussen & Ghahramani 2004, Warped Gaussian processes): the Jacobian makes
the evidence of different transforms comparable, and the transform stays linear where no other
fits better.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np

from gpsearch.surrogate.kernels import Array

SCALE_OF_NORMAL = 1.5 * math.sqrt(2.0 / math.pi)  # `Warp.scale` of losses of variance 1
LEAST_SD = 1e-12  # transformed losses that differ by less count as equal
LARGEST_U = 1e12  # larger standardised losses say no more, and overflow
LEAST_SCALE, LARGEST_LOSS = 1e-150, 1e150  # between them, squares are finite and not zero


def bounded(losses: Array) -> Array:
    """Losses, or scores, of which the squares are finite; NaN stays.

    >>> bounded(np.array([0.5, -1e200]))
    array([ 5.e-001, -1.e+150])
    """
    return np.clip(losses, -LARGEST_LOSS, LARGEST_LOSS)


class Transformed(NamedTuple):
    """A transform at given losses, with its derivatives."""

    g: Array
    """The transformed values."""
    g_rho: Array
    """``dg / drho``."""
    log_slope: Array
    """``log dg/du``."""
    log_slope_rho: Array
    """``d log(dg/du) / drho``."""


class Shape(Protocol):
    """A family of increasing transforms with one parameter."""

    @property
    def start(self) -> float:
        """The parameter at which a fit begins."""

    @property
    def bounds(self) -> tuple[float, float]:
        """Lower and upper bound of the fit."""

    def log_density(self, rho: float) -> tuple[float, float]:
        """Log prior density up to a constant, and its derivative."""

    def transform(self, u: Array, rho: float) -> Transformed:
        """Transform standardised losses."""

    def inverse(self, g: Array, rho: float) -> Array:
        """Invert `transform`; beyond its range, the nearest u."""


@dataclass(frozen=True, kw_only=True)
class Linear:
    """``g(u) = u``."""

    start: float = 0.0
    bounds: tuple[float, float] = (0.0, 0.0)

    def log_density(self, rho: float) -> tuple[float, float]:
        """See `Shape.log_density`; flat."""
        return 0.0, 0.0

    def transform(self, u: Array, rho: float) -> Transformed:
        """See `Shape.transform`."""
        zero = np.zeros_like(u)
        return Transformed(u, zero, zero, zero)

    def inverse(self, g: Array, rho: float) -> Array:
        """See `Shape.inverse`."""
        return g


@dataclass(frozen=True, kw_only=True)
class YeoJohnson:
    """Power transform of either sign: linear for ``rho = 1``, towards logarithmic below.

    ``g(u) = ((1 + u)^rho - 1) / rho`` for ``u >= 0`` and
    ``g(u) = -((1 - u)^(2 - rho) - 1) / (2 - rho)`` for ``u < 0`` (Yeo & Johnson 2000, equation
    2.1). Below 1 it compresses large losses and spreads small ones, among which the search decides.
    """

    start: float = 1.0
    bounds: tuple[float, float] = (-2.0, 3.0)
    spread: float = 1.0
    """Standard deviation of the normal prior of rho around `start`."""

    def log_density(self, rho: float) -> tuple[float, float]:
        """See `Shape.log_density`."""
        distance = (rho - self.start) / self.spread
        return -0.5 * distance**2, -distance / self.spread

    def transform(self, u: Array, rho: float) -> Transformed:
        """See `Shape.transform`."""
        sign = np.copysign(1.0, u)
        power = (sign + 1.0) * (rho - 1.0) + (2.0 - rho)  # rho above zero, 2 - rho below
        log = np.log1p(np.abs(u))
        x = power * log
        growth = np.expm1(x)
        # d power / d rho is the sign, and so is the sign of g: in g_rho they cancel
        if min(abs(rho), abs(2.0 - rho)) < 1e-3:
            small = np.abs(x) < 1e-4  # there the closed forms cancel, and the series are exact
            divisor = np.where(small, 1.0, power)
            g = np.where(small, log * (1.0 + x / 2.0 + x * x / 6.0), growth / divisor)
            g_power = np.where(
                small, log * log * (0.5 + x / 3.0), (x * (growth + 1.0) - growth) / divisor**2
            )
        else:
            g = growth / power
            g_power = (log * (growth + 1.0) - g) / power
        return Transformed(sign * g, g_power, (power - 1.0) * log, sign * log)

    def inverse(self, g: Array, rho: float) -> Array:
        """See `Shape.inverse`."""
        sign = np.where(g >= 0, 1.0, -1.0)
        power = np.where(g >= 0, rho, 2.0 - rho)
        small = np.abs(power) < 1e-8
        divisor = np.where(small, 1.0, power)
        # a negative power has the supremum -1 / power, which no u reaches
        inside = np.maximum(power * np.abs(g), np.finfo(float).eps - 1.0)
        return sign * np.expm1(np.where(small, np.abs(g), np.log1p(inside) / divisor))


@dataclass(frozen=True, kw_only=True)
class Warped:
    """Warped losses and their derivatives in rho."""

    t: Array
    """(n,) warped losses with mean 0 and variance 1."""
    t_rho: Array
    """(n,) ``dt / drho``."""
    log_slope: Array
    """(n,) ``log dt/dy``."""
    log_slope_rho: Array
    """(n,) ``d log(dt/dy) / drho``."""
    mean: float
    """Mean of g over the losses."""
    sd: float
    """Standard deviation of g over the losses."""
    log_sd_rho: float = 0.0
    """``d log sd / drho``."""


@dataclass(frozen=True, kw_only=True)
class Warp:
    """A shape and the scale of the losses that it transforms.

    >>> y = np.array([1.0, 2.0, 4.0, 8.0])
    >>> warp = Warp.of(y, Linear())
    >>> [float(t) for t in np.round(warp.evaluate(warp.standardise(y), 0.0).t, 3)]
    [-1.026, -0.653, 0.093, 1.585]
    """

    shape: Shape
    centre: float
    """The median of the losses, in the user's units."""
    scale: float
    """The spread of the better half of the losses, in the user's units."""

    @classmethod
    def of(cls, y: Array, shape: Shape) -> Self:
        """Make the warp of losses `y`; its scale is robust against a few very bad ones."""
        y = bounded(y)
        centre = float(np.median(y))
        better = centre - y[y <= centre]
        spread = 1.5 * float(better.mean())
        if not spread > LEAST_SCALE:
            spread = float(y.std())
        return cls(shape=shape, centre=centre, scale=spread if spread > LEAST_SCALE else 1.0)

    def standardise(self, y: Array) -> Array:
        """``u = (y - centre) / scale``."""
        y = bounded(y)
        with np.errstate(over="ignore"):  # what overflows is clipped
            return np.clip((y - self.centre) / self.scale, -LARGEST_U, LARGEST_U)

    def evaluate(self, u: Array, rho: float) -> Warped:
        """Warp standardised losses and standardise the result."""
        transformed = self.shape.transform(u, rho)
        n = len(u)
        mean = float(transformed.g.sum()) / n
        centred = transformed.g - mean
        sd = math.sqrt(centred @ centred / n)
        if not sd > LEAST_SD:
            zero = np.zeros_like(u)
            slope = zero - np.log(self.scale)
            return Warped(
                t=zero, t_rho=zero, log_slope=slope, log_slope_rho=zero, mean=mean, sd=1.0
            )
        t = centred / sd
        sd_rho = float(t @ transformed.g_rho) / n  # d sd / d rho
        return Warped(
            t=t,
            t_rho=(transformed.g_rho - transformed.g_rho.sum() / n - t * sd_rho) / sd,
            log_slope=transformed.log_slope - math.log(sd * self.scale),
            log_slope_rho=transformed.log_slope_rho - sd_rho / sd,
            mean=mean,
            sd=sd,
            log_sd_rho=sd_rho / sd,
        )

    def expected(self, u: Array, variances: Array) -> Array:
        """Where standardised losses of known variances are expected, were they measured again.

        Each is drawn towards the median by its reliability, the share of the variance of the losses
        that is not its noise (regression to the mean). Noise is magnified by the slope there: with
        the slope at the losses themselves, a transform that is steep where the noise has carried
        them would explain all by noise. Of what is more than the usual noise, none counts: folds
        on which trainings diverged scatter by as much as their mean is bad, and it would be again.
        """
        variance = (self.scale / SCALE_OF_NORMAL) ** 2
        usual = np.minimum(variances, np.median(variances))
        return u * np.maximum(1.0 - usual / variance, 0.0)

    def slope(self, u: Array, warped: Warped, rho: float) -> tuple[Array, Array]:
        """``log dt/dy`` at other standardised losses than those of `warped`, and its derivative."""
        transformed = self.shape.transform(u, rho)
        return (
            transformed.log_slope - math.log(warped.sd * self.scale),
            transformed.log_slope_rho - warped.log_sd_rho,
        )
