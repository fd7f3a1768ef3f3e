"""Improvement for each second that the evaluation takes.

=========== ================================================================ =======
symbol      meaning                                                          shape
=========== ================================================================ =======
T           seconds of an evaluation; log T is modelled by a process         (m,)
s           scale of that process: log T = constant + s (warped log T)       scalar
mu, v       posterior mean and variance of the warped log T                  (m,)
=========== ================================================================ =======

``E[1 / T] = exp(-(m - V / 2))`` for a log-normal T with mean m and variance V of its logarithm
(Snoek, Larochelle & Adams 2012, Practical Bayesian optimization, section 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass

from gpsearch.acquisition.improvement import Acquisition, Array
from gpsearch.surrogate import GaussianProcess


@dataclass(frozen=True, kw_only=True, eq=False)
class PerSecond:
    """A logarithmic acquisition plus ``log E[1 / T] = s² v / 2 - s mu``, up to a constant."""

    acquisition: Acquisition
    log_time: GaussianProcess
    """Fitted to the logarithms of the seconds, without an output transform."""

    def __call__(self, Z: Array) -> Array:
        """See `Acquisition`."""
        mean, variance = self.log_time.predict(Z)
        return self.acquisition(Z) + self._log_rate(mean, variance)

    def with_gradient(self, Z: Array) -> tuple[Array, Array]:
        """See `Acquisition.with_gradient`."""
        value, gradient = self.acquisition.with_gradient(Z)
        mean, variance, d_mean, d_variance = self.log_time.predict_gradient(Z)
        return value + self._log_rate(mean, variance), gradient + self._log_rate(d_mean, d_variance)

    def _log_rate(self, mean: Array, variance: Array) -> Array:
        """Linear in its arguments, so it serves values and gradients alike."""
        scale = self.log_time.warp.scale * self.log_time.g_sd
        return 0.5 * scale**2 * variance - scale * mean
