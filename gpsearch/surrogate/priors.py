"""Prior densities of the hyperparameters of the Gaussian process.

=========== ======================================================= =======
symbol      meaning                                                 shape
=========== ======================================================= =======
w           inverse squared length scale of each dimension          (d,)
a           signal variance                                         scalar
b           noise variance                                          scalar
theta       ``(log w, log a, log b)``                               (d + 2,)
phi         share of the variance over folds that is noise          scalar
=========== ======================================================= =======

All in units of the unit cube and of standardised losses. The forms of the length scales, the
signal and the noise are those of Optuna's GP sampler: they hold the length scales near 1, so that
only data make a dimension important, and the noise low, so that an objective without noise is
interpolated. The mean of the process is not the mean of the losses, because a search evaluates
mostly where they are low: it is a normal variable, which adds a constant to the covariance
(Rasmussen & Williams 2006, section 2.7).
"""

from dataclasses import dataclass

import numpy as np

from gpsearch.surrogate.kernels import Array

ROOMY = 8  # dimensions beyond which points of the cube are far apart


@dataclass(frozen=True, kw_only=True)
class Priors:
    """Log densities of the hyperparameters, up to a constant.

    ``log p = -sum_j (w_j / c + c / w_j) / tau + (alpha_a - 1) log a - beta_a a
    + (alpha_b - 1) log b - beta_b b``

    Examples
    --------
    >>> value, gradient = Priors().log_density(np.zeros(3))
    >>> round(value, 6), [round(float(g), 6) + 0.0 for g in gradient]
    (-31.2, [0.0, 0.0, -29.9])
    """

    length_strength: float = 0.1
    """``1 / tau``: how firmly the inverse squared length scales are held at their centre, `c`."""
    signal_shape: float = 2.0
    """``alpha_a`` of the gamma density of the signal variance."""
    signal_rate: float = 1.0
    """``beta_a`` of the gamma density of the signal variance."""
    noise_shape: float = 1.1
    """``alpha_b`` of the gamma density of the noise variance."""
    noise_rate: float = 30.0
    """``beta_b`` of the gamma density of the noise variance."""
    noise_share: float = 0.3
    """``phi_0``, the most likely share of the variance over folds that is noise."""
    mean_variance: float = 1.0
    """Variance of the constant mean, which is unknown and integrated out."""

    @staticmethod
    def centre(d: int) -> float:
        """``c``: 1, and 8 / d where there are more than 8 dimensions.

        Points of a cube are the further apart the more dimensions it has; with the same length
        scales none would be correlated with another (Hvarfner et al. 2024, Vanilla Bayesian
        optimization performs great in high dimensions, section 4, for another density).
        """
        return min(1.0, ROOMY / d)

    def log_density(self, theta: Array) -> tuple[float, Array]:
        """Log density at the (d + 2,) array `theta`, and its (d + 2,) gradient in `theta`."""
        weights, signal, noise = np.exp(theta[:-2]), np.exp(theta[-2]), np.exp(theta[-1])
        weights /= self.centre(len(weights))
        value = (
            -self.length_strength * (weights + 1.0 / weights).sum()
            + (self.signal_shape - 1.0) * theta[-2]
            - self.signal_rate * signal
            + (self.noise_shape - 1.0) * theta[-1]
            - self.noise_rate * noise
        )
        gradient = np.empty_like(theta)
        gradient[:-2] = -self.length_strength * (weights - 1.0 / weights)
        gradient[-2] = self.signal_shape - 1.0 - self.signal_rate * signal
        gradient[-1] = self.noise_shape - 1.0 - self.noise_rate * noise
        return float(value), gradient

    def log_share_density(self, log_share: float) -> tuple[float, float]:
        """``log phi - phi / phi_0`` at `log_share`, and its derivative."""
        ratio = float(np.exp(log_share)) / self.noise_share
        return log_share - ratio, 1.0 - ratio
