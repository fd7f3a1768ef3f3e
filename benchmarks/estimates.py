"""Means, differences and the best of some draws, with their intervals, for `comparison`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Estimate:
    """A mean, its variance, and the degrees of freedom of that."""

    mean: float
    variance: float
    freedom: float

    def __sub__(self, other: Estimate) -> Estimate:
        """The difference of independent estimates, with Welch's degrees of freedom."""
        variance = self.variance + other.variance
        freedom = variance**2 / sum(
            max(part.variance, 1e-300) ** 2 / part.freedom for part in (self, other)
        )
        return Estimate(self.mean - other.mean, variance, freedom)

    def __truediv__(self, unit: float) -> Estimate:
        return Estimate(self.mean / unit, self.variance / unit**2, self.freedom)

    @property
    def half(self) -> float:
        """Half of the 95 % interval, by Student's t."""
        return float(self.variance**0.5 * stats.t.ppf(0.975, self.freedom))

    @property
    def ahead(self) -> bool:
        """Whether the interval lies above 0."""
        return self.mean > self.half

    def __str__(self) -> str:
        low, high = self.mean - self.half, self.mean + self.half
        return f"{self.mean:.2f} ({low:.2f} to {high:.2f})"


def mean_of(values: Any) -> Estimate:
    values = np.asarray(values, dtype=float)
    return Estimate(values.mean(), values.var(ddof=1) / len(values), len(values) - 1)


def best_of_random(values: np.ndarray, m: float) -> Estimate:
    """What the best of m draws is expected to have, with a jackknife over the draws.

    `values` are those of all draws, in the order of their scores, the best first; where one is
    not known, it is left out of the mean. m need not be whole.
    """

    def expected(values: np.ndarray) -> float:
        # P(i is the best of m of N) = C(N - 1 - i, m - 1) / C(N, m), as a product
        left = len(values) - np.arange(len(values))
        passed = np.cumprod(np.append(1, 1 - m / left[:-1]).clip(0))
        weights = passed * np.minimum(1, m / left) * np.isfinite(values)
        return float(weights @ np.nan_to_num(values) / weights.sum())

    n = len(values)
    without = np.array([expected(np.delete(values, i)) for i in range(n)])
    return Estimate(expected(values), (n - 1) * without.var(), n - 1)
