"""An acquisition that leans to where good values are expected, less with every evaluation."""

from __future__ import annotations

from dataclasses import dataclass

from gpsearch.acquisition.improvement import Acquisition, Array
from gpsearch.space import Space


@dataclass(frozen=True, kw_only=True, eq=False)
class LeaningOnExpected:
    """``a + (beta / n) log pi``, with the density pi of `gpsearch.space.expected`.

    So a logarithmic acquisition is multiplied by ``pi^(beta / n)``: after beta evaluations what
    was expected counts once, and in the end not at all (Hvarfner et al. 2022, piBO: augmenting
    acquisition functions with user beliefs, equation 6).
    """

    acquisition: Acquisition
    space: Space
    weight: float
    """``beta / n``, n evaluations so far."""

    def __call__(self, Z: Array) -> Array:
        """Values at the rows of `Z`."""
        value, _ = self.space.expected.log_density(Z, self.space.active(Z))
        return self.acquisition(Z) + self.weight * value

    def with_gradient(self, Z: Array) -> tuple[Array, Array]:
        """Values and gradients."""
        value, gradient = self.acquisition.with_gradient(Z)
        log_density, slope = self.space.expected.log_density(Z, self.space.active(Z))
        return value + self.weight * log_density, gradient + self.weight * slope
