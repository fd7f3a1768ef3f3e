"""How likely the losses are under given hyperparameters, with its gradient.

=========== ================================================================ =========
symbol      meaning                                                          shape
=========== ================================================================ =========
D           squared distances of all pairs, one layer for each dimension     (d, p)
p           number of pairs, ``n (n - 1) / 2``
w           inverse squared length scale of each dimension                   (d,)
a, b, c     variance of signal, noise and constant mean (c is not fitted)    scalar
rho         shape of the output transform                                    scalar
phi         share of the variance over folds that is noise                   scalar
x           ``(log w, log a, log b, rho)``, what a fit moves                 (d + 3,)
            and ``log phi`` where f is known                                 (d + 4,)
t           warped losses                                                    (n,)
v           known noise variance of each loss, user's units squared          (n,)
f           variance of each loss as a mean over folds, likewise             (n,)
dt/dy       slope of the transform where each loss is expected               (n,)
K           ``a k(sum_j w_j D_j) + c + diag(b + (v + phi f) (dt/dy)²)``      (n, n)
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
LOG_SHARE_BOUNDS = (float(np.log(1e-3)), 0.0)
START_NOISE = 0.01
STEPS = (0.5, 2.0, 0.3, 1.0)  # of log a, log b, rho, log phi: curvature as for log w
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
    noise_share: float = 1.0
    """Share of the variance over folds that is noise."""

    @classmethod
    def unpack(cls, x: Array, d: int) -> Self:
        """Read the vector x of `NegativeLogPosterior` for d dimensions."""
        log_signal, log_noise, rho, *log_share = x[d:]
        return cls(
            weights=np.exp(x[:d]),
            signal=float(np.exp(log_signal)),
            noise=float(np.exp(log_noise)),
            rho=float(rho),
            noise_share=float(np.exp(log_share[0])) if log_share else 1.0,
        )

    def noise_of(self, variances: Array, fold_variances: Array) -> Array:
        """(n,) noise variances of losses in their own units, beside what is common to all."""
        return variances + self.noise_share * fold_variances


class NegativeLogPosterior:
    """``-log p(y | x) - log p(x)`` and its gradient in x.

    One evaluation costs O(n³ + d n²): a Cholesky factor, its inverse, and one product with the
    layers for all length scales together. Variances are zero where none is known.
    """

    def __init__(
        self,
        Z: Array,
        y: Array,
        *,
        variances: Array,
        fold_variances: Array,
        categorical: Mask,
        warp: Warp,
        priors: Priors,
    ) -> None:
        self._pairs = np.tril_indices(len(y), -1)
        self._flat = self._pairs[0] * len(y) + self._pairs[1]
        self._layers = pair_sq_dist(Z, self._pairs, categorical)
        self._u = warp.standardise(y)
        self._expected = warp.expected(self._u, variances + fold_variances)
        self._d = Z.shape[1]
        self._has_folds = bool(fold_variances.any())
        self._variances, self._fold_variances = variances, fold_variances
        self._warp, self._priors = warp, priors

    @property
    def start(self) -> Array:
        """Where a fit begins: the mode of the priors, and little noise."""
        lengths = np.full(self._d, np.log(self._priors.centre(self._d)))
        share = [np.log(self._priors.noise_share)] * self._has_folds
        return np.array([*lengths, 0.0, np.log(START_NOISE), self._warp.shape.start, *share])

    @property
    def step(self) -> Array:
        """Scales of x in which L-BFGS takes a quarter fewer iterations."""
        return np.array([*np.ones(self._d), *STEPS[: 3 + self._has_folds]])

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """Lower and upper bound of each entry of x."""
        lengths, share = [LOG_WEIGHT_BOUNDS] * self._d, [LOG_SHARE_BOUNDS] * self._has_folds
        return [*lengths, LOG_SIGNAL_BOUNDS, LOG_NOISE_BOUNDS, self._warp.shape.bounds, *share]

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Value and gradient at `x`."""
        n, d = len(self._u), self._d
        at = Hyperparameters.unpack(x, d)
        warped = self._warp.evaluate(self._u, at.rho)
        log_slope, log_slope_rho = self._warp.slope(self._expected, warped, at.rho)
        square_slope = np.exp(2.0 * log_slope)
        known = at.noise_of(self._variances, self._fold_variances) * square_slope
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
        gradient[:d] = at.signal * at.weights * (self._layers @ (G * dk))
        gradient[d] = at.signal * (G @ k + 0.5 * diagonal.sum())
        gradient[d + 1] = 0.5 * at.noise * diagonal.sum()
        # t, J and the warped known variances all depend on rho
        gradient[d + 2] = (
            alpha @ warped.t_rho - warped.log_slope_rho.sum() + (diagonal * known) @ log_slope_rho
        )
        prior, prior_gradient = self._priors.log_density(x[: d + 2])
        shape_prior, shape_gradient = self._warp.shape.log_density(at.rho)
        gradient[: d + 2] -= prior_gradient
        gradient[d + 2] -= shape_gradient
        value = value - prior - shape_prior
        if self._has_folds:
            of_folds = at.noise_share * self._fold_variances * square_slope
            share_prior, share_gradient = self._priors.log_share_density(x[-1])
            gradient[-1] = 0.5 * (diagonal @ of_folds) - share_gradient
            value -= share_prior
        return float(value), gradient
