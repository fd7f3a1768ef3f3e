"""An acquisition weighted by a prior of the optimum, less with every evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gpsearch.acquisition.improvement import Acquisition, Array
from gpsearch.space import Space


class Density(Protocol):
    """Where the optimum is expected."""

    def log_density(self, Z: Array, active: np.ndarray) -> tuple[Array, Array]:
        """``log pi`` at the rows of `Z`, up to a constant, and its gradient.

        Parameters
        ----------
        Z : (m, d) float array
        active : (m, d) bool array
            Which dimensions exist; the others have no influence.

        Returns
        -------
        value : (m,) float array
        gradient : (m, d) float array
            Zero in dimensions without an order.
        """


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightedByPrior:
    """``a + (beta / n) log pi``, with a prior density pi of the optimum.

    A logarithmic acquisition is thus multiplied by ``pi^(beta / n)``: after beta evaluations the
    prior counts once, and in the end not at all (Hvarfner et al. 2022, πBO: augmenting acquisition
    functions with user beliefs, equation 6).
    """

    acquisition: Acquisition
    space: Space
    density: Density
    weight: float
    """``beta / n``, n evaluations so far."""

    def __call__(self, Z: Array) -> Array:
        """See `Acquisition`."""
        value, _ = self.density.log_density(Z, self.space.active(Z))
        return self.acquisition(Z) + self.weight * value

    def with_gradient(self, Z: Array) -> tuple[Array, Array]:
        """See `Acquisition.with_gradient`."""
        value, gradient = self.acquisition.with_gradient(Z)
        log_density, slope = self.density.log_density(Z, self.space.active(Z))
        return value + self.weight * log_density, gradient + self.weight * slope
