"""How likely the losses are under given hyperparameters, with its gradient.

=========== ================================================================ =========
symbol      meaning                                                          shape
=========== ================================================================ =========
D           squared distances of all pairs, one layer for each dimension     (d, p)
p           number of pairs, ``n (n - 1) / 2``
w           inverse squared length scale of each dimension                   (d,)
a, b, c     variance of signal, noise and constant mean (c is not fitted)    scalar
rho         shape of the output transform                                    scalar
x           ``(log w, log a, log b, rho)``, what a fit moves                 (d + 3,)
t           warped losses                                                    (n,)
v           variance of each loss as a mean over folds, user's units squared (n,)
K           ``a k(sum_j w_j D_j) + c + diag(b + v (dt/dy)²)``                (n, n)
alpha       ``K^-1 t``                                                       (n,)
G           ``K^-1 - alpha alpha^T``                                         (n, n)
=========== ================================================================ =========

``log p(y | x) = -t^T alpha / 2 - log|K| / 2 - n log(2 pi) / 2 + log J`` and, for any x_i in K,
``d log p / dx_i = -tr(G dK/dx_i) / 2`` (Rasmussen & Williams 2006, equations 2.30 and 5.9).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.linalg import lapack

from gpsearch.surrogate.kernels import Array, Mask, matern52, pair_sq_dist
from gpsearch.surrogate.priors import Priors
from gpsearch.surrogate.warping import Warp

LOG_WEIGHT_BOUNDS = (-7.0, 7.0)  # length scales from 0.03 to 33 times the width of the cube
LOG_SIGNAL_BOUNDS = (-5.0, 5.0)
LOG_NOISE_BOUNDS = (float(np.log(1e-6)), 2.0)  # the floor keeps K positive definite
START_NOISE = 0.01
STEPS = (0.5, 2.0, 0.3)  # of log a, log b and rho: curvature as for log w
NOT_POSITIVE_DEFINITE = 1e10  # what a line search steps back from


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """The result of a fit, in units of the unit cube and of warped losses."""

    weights: Array
    """(d,) inverse squared length scales."""
    signal: float
    """Prior variance of the warped loss."""
    noise: float
    """Noise variance, added to the known variance of each loss."""
    rho: float = 0.0
    """Shape of the output transform."""

    @classmethod
    def unpack(cls, x: Array) -> Self:
        """Read the vector x of `NegativeLogPosterior`."""
        return cls(
            weights=np.exp(x[:-3]),
            signal=float(np.exp(x[-3])),
            noise=float(np.exp(x[-2])),
            rho=float(x[-1]),
        )


class NegativeLogPosterior:
    """``-log p(y | x) - log p(x)`` and its gradient in x.

    One evaluation costs O(n³ + d n²): a Cholesky factor, its inverse, and one product with the
    layers for all length scales together. `variances` are zero where none is known.
    """

    def __init__(
        self, Z: Array, y: Array, *, variances: Array, categorical: Mask, warp: Warp, priors: Priors
    ) -> None:
        self._pairs = np.tril_indices(len(y), -1)
        self._flat = self._pairs[0] * len(y) + self._pairs[1]
        self._layers = pair_sq_dist(Z, self._pairs, categorical)
        self._u = warp.standardise(y)
        self._variances, self._warp, self._priors = variances, warp, priors

    @property
    def start(self) -> Array:
        """Where a fit begins: the mode of the priors, and little noise."""
        start = np.zeros(len(self._layers) + 3)
        start[:-3] = np.log(self._priors.centre(len(self._layers)))
        start[-2] = np.log(START_NOISE)
        start[-1] = self._warp.shape.start
        return start

    @property
    def step(self) -> Array:
        """Scales of x in which L-BFGS takes a quarter fewer iterations."""
        return np.concatenate([np.ones(len(self._layers)), STEPS])

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """Lower and upper bound of each entry of x."""
        lengths = [LOG_WEIGHT_BOUNDS] * len(self._layers)
        return [*lengths, LOG_SIGNAL_BOUNDS, LOG_NOISE_BOUNDS, self._warp.shape.bounds]

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Value and gradient at `x`."""
        n = len(self._u)
        at = Hyperparameters.unpack(x)
        warped = self._warp.evaluate(self._u, at.rho)
        known = self._variances * np.exp(2.0 * warped.log_slope)
        k, dk = matern52(at.weights @ self._layers)
        K = np.zeros(n * n)
        mean_variance = self._priors.mean_variance
        K[self._flat] = at.signal * k + mean_variance
        K[:: n + 1] = at.signal + mean_variance + at.noise + known
        # of a symmetric matrix LAPACK reads and writes one triangle: that of K as Fortran sees it
        factor, failed = lapack.dpotrf(K.reshape(n, n).T, lower=0, overwrite_a=1)
        if failed:
            return NOT_POSITIVE_DEFINITE, np.zeros_like(x)
        value = np.log(factor.diagonal()).sum()
        alpha = lapack.dpotrs(factor, warped.t, lower=0)[0]
        value += 0.5 * warped.t @ alpha + 0.5 * n * np.log(2.0 * np.pi) - warped.log_slope.sum()
        inverse = lapack.dpotri(factor, lower=0, overwrite_c=1)[0].T
        diagonal = inverse.diagonal() - alpha * alpha
        G = inverse.ravel()[self._flat] - alpha[self._pairs[0]] * alpha[self._pairs[1]]
        gradient = np.empty_like(x)
        # each pair stands for two entries of G, which cancels the 1/2 of the trace
        gradient[:-3] = at.signal * at.weights * (self._layers @ (G * dk))
        gradient[-3] = at.signal * (G @ k + 0.5 * diagonal.sum())
        gradient[-2] = 0.5 * at.noise * diagonal.sum()
        # t, J and the warped known variances all depend on rho
        gradient[-1] = (
            alpha @ warped.t_rho
            - warped.log_slope_rho.sum()
            + (diagonal * known) @ warped.log_slope_rho
        )
        prior, prior_gradient = self._priors.log_density(x[:-1])
        shape_prior, shape_gradient = self._warp.shape.log_density(at.rho)
        gradient[:-1] -= prior_gradient
        gradient[-1] -= shape_gradient
        return float(value) - prior - shape_prior, gradient
