"""Acquisitions weighted by what else counts: success, cost, and where the optimum is expected.

=========== ================================================================ =======
symbol      meaning                                                          shape
=========== ================================================================ =======
a           a logarithmic acquisition                                        (m,)
p           probability that an evaluation succeeds                          (m,)
C           cost of an evaluation; log C is modelled by a process            (m,)
c, b        exponent of the cost, and what is added to it                    scalar
s           scale of that process: log C = constant + s (warped log C)       scalar
mu, v       posterior mean and variance of the warped log C                  (m,)
pi          prior density of the optimum                                     (m,)
=========== ================================================================ =======
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import expit

from gpsearch.acquisition.improvement import Acquisition, Array
from gpsearch.space import Space
from gpsearch.surrogate import FeasibilityModel, GaussianProcess

LOG_EVEN_ODDS = float(np.log(0.5))
BELOW_EVEN_ODDS = 1000.0  # outweighs every difference between log acquisitions


class Density(Protocol):
    """Where the optimum is expected."""

    def log_density(self, Z: Array, active: np.ndarray) -> tuple[Array, Array]:
        """(m,) ``log pi`` at the (m, d) rows of `Z`, up to a constant, and its (m, d) gradient.

        Only dimensions that exist, where the (m, d) booleans `active` are true, have an influence;
        the gradient is zero in those without an order.
        """


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightedByFeasibility:
    """``a + log p + 1000 min(log p - log 1/2, 0)``: steeply less below even odds.

    The product alone is not enough: once the feasible region is known well, the expected
    improvement there is about ``exp(-20)``. A region where every evaluation failed has an unknown
    loss, and would win at any p that the model predicts. So a point that is more likely to fail
    than not is taken only when nothing else is left.
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


@dataclass(frozen=True, kw_only=True, eq=False)
class PerCost:
    """``a - c log(exp(s mu - c s² v / 2) + b)``, up to a constant.

    Without b it is ``a + log E[C^-c]``, for a log-normal C (Snoek, Larochelle & Adams 2012,
    Practical Bayesian optimization, section 3.2, where c is 1). With it, of two evaluations that
    both cost little, the cheaper one is hardly preferred.
    """

    acquisition: Acquisition
    log_cost: GaussianProcess
    """Fitted to the logarithms of the costs, without an output transform."""
    exponent: float = 1.0
    """c."""
    base: float = 0.0
    """b, in units of the geometric mean of the known costs, where mu is zero."""

    def __call__(self, Z: Array) -> Array:
        """See `Acquisition`."""
        log_cost = self._linear(*self.log_cost.predict(Z))
        return self.acquisition(Z) - self.exponent * np.logaddexp(log_cost, self._log_base)

    def with_gradient(self, Z: Array) -> tuple[Array, Array]:
        """See `Acquisition.with_gradient`."""
        value, gradient = self.acquisition.with_gradient(Z)
        mean, variance, d_mean, d_variance = self.log_cost.predict_gradient(Z)
        log_cost = self._linear(mean, variance)
        share = self.exponent * expit(log_cost - self._log_base)  # of C in C + b
        return (
            value - self.exponent * np.logaddexp(log_cost, self._log_base),
            gradient - share[:, None] * self._linear(d_mean, d_variance),
        )

    @property
    def _log_base(self) -> float:
        return math.log(self.base) if self.base else -math.inf

    def _linear(self, mean: Array, variance: Array) -> Array:
        """The first logarithm, or its derivative."""
        scale = self.log_cost.warp.scale * self.log_cost.g_sd
        return scale * mean - 0.5 * self.exponent * scale**2 * variance


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightedByPrior:
    """``a + (beta / n) log pi``.

    The acquisition is thus multiplied by ``pi^(beta / n)``: after beta evaluations the prior counts
    once, and in the end not at all (Hvarfner et al. 2022, πBO: augmenting acquisition functions
    with user beliefs, equation 6).
    """

    acquisition: Acquisition
    space: Space
    density: Density
    weight: float
    """``beta / n``, n evaluations so far."""

    def __call__(self, Z: Array) -> Array:
        """See `Acquisition`."""
        return self.acquisition(Z) + self.weight * self._log_density(Z)[0]

    def with_gradient(self, Z: Array) -> tuple[Array, Array]:
        """See `Acquisition.with_gradient`."""
        value, gradient = self.acquisition.with_gradient(Z)
        log_density, slope = self._log_density(Z)
        return value + self.weight * log_density, gradient + self.weight * slope

    def _log_density(self, Z: Array) -> tuple[Array, Array]:
        return self.density.log_density(Z, self.space.active(Z))
