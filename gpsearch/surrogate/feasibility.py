"""Where evaluations fail: a model of success beside the model of the loss.

=========== ================================================================ =======
symbol      meaning                                                          shape
=========== ================================================================ =======
c           label of an evaluation: 0 for success, 1 for failure             (n,)
mu, v, b    posterior mean, variance and noise of a process fitted to c      (m,)
tau         the label 1/2 on the scale of that process                       scalar
p           probability of success, ``Phi((tau - mu) / sqrt(v + b))``        (m,)
=========== ================================================================ =======

Least-squares classification with a probit link (Rasmussen & Williams 2006, section 6.5). A
failure tells nothing about the loss around it, so it never enters the model of the loss.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from gpsearch.surrogate.gaussian_process import GaussianProcess
from gpsearch.surrogate.kernels import Array, Mask

HALF_LOG_TWO_PI = 0.5 * np.log(2.0 * np.pi)


@dataclass(frozen=True, kw_only=True, eq=False)
class FeasibilityModel:
    """The probability that an evaluation succeeds, made by `fit`.

    Examples
    --------
    >>> Z = np.linspace(0, 1, 12)[:, None]
    >>> model = FeasibilityModel.fit(Z, Z[:, 0] > 0.6, categorical=np.array([False]))
    >>> low, high = np.exp(model.log_probability(np.array([[0.1], [0.95]])))
    >>> bool(low > 0.9), bool(high < 0.1)
    (True, True)
    """

    process: GaussianProcess
    """The process fitted to the labels."""
    threshold: float
    """tau."""

    @classmethod
    def fit(cls, Z: Array, failed: NDArray[np.bool_], *, categorical: Mask) -> Self:
        """Fit to the (n, d) points `Z`, of which some have failed and some have not."""
        process = GaussianProcess.fit(Z, failed.astype(float), categorical=categorical)
        u = (0.5 - process.warp.centre) / process.warp.scale
        return cls(process=process, threshold=float((u - process.g_mean) / process.g_sd))

    def log_probability(self, Z: Array) -> Array:
        """(m,) ``log p`` at the rows of `Z`."""
        mean, variance = self.process.predict(Z)
        return log_ndtr((self.threshold - mean) / np.sqrt(variance + self._noise))

    def log_probability_gradient(self, Z: Array) -> tuple[Array, Array]:
        """(m,) ``log p`` and its (m, d) gradient."""
        mean, variance, mean_gradient, variance_gradient = self.process.predict_gradient(Z)
        total = variance + self._noise
        x = (self.threshold - mean) / np.sqrt(total)
        value, slope = log_normal_cdf(x)
        x_gradient = (
            -mean_gradient / np.sqrt(total)[:, None]
            - (0.5 * x / total)[:, None] * variance_gradient
        )
        return value, slope[:, None] * x_gradient

    @property
    def _noise(self) -> float:
        return self.process.hyperparameters.noise


def log_normal_cdf(x: Array) -> tuple[Array, Array]:
    """``log Phi(x)`` and its derivative ``phi(x) / Phi(x)``."""
    value = log_ndtr(x)
    return value, np.exp(-0.5 * x * x - HALF_LOG_TWO_PI - value)
