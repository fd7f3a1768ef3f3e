"""Gaussian-process regression over a mixed space: whole once fitted, and then never changed.

=========== ================================================================ =========
symbol      meaning                                                          shape
=========== ================================================================ =========
Z           observed points in the unit cube                                 (n, d)
y, t        their losses, and the warped losses                              (n,)
w, a, b     inverse squared length scales, signal and noise variance         (d,), 1, 1
c           variance of the unknown constant mean                            scalar
K           ``a k(Z, Z) + c + diag(noise)``                                  (n, n)
L           lower Cholesky factor of K                                       (n, n)
alpha       ``K^-1 t``                                                       (n,)
k_z         ``a k(z, Z) + c``                                                (m, n)
mu, v       posterior mean ``k_z alpha``, variance ``a + c - |L^-1 k_z|²``   (m,)
=========== ================================================================ =========

Rasmussen & Williams (2006), Gaussian processes for machine learning, algorithm 2.1. Means and
variances are those of the warped loss without its noise; `loss_quantile` leads back to the
user's units.
"""

import functools
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.optimize import minimize
from scipy.special import ndtri

from gpsearch.arguments import array, fraction, instance_of, optional, refusal
from gpsearch.errors import InvalidSearchError, public
from gpsearch.surrogate.kernels import (
    Array,
    Mask,
    ScaledSqDistTo,
    matern52,
    matern52_correlation,
    scaled_sq_dist,
)
from gpsearch.surrogate.likelihood import Hyperparameters, NegativeLogPosterior
from gpsearch.surrogate.priors import Priors
from gpsearch.surrogate.subsets import FITTED_ON_AT_MOST, evenly, fitted_on, representatives
from gpsearch.surrogate.warping import Linear, Shape, Warp, YeoJohnson

LEAST_VARIANCE = 1e-12
MAX_ITERATIONS = 40
TOLERANCE = 3e-5  # relative, of the log posterior: costs it 0.002, far below what moves a proposal
BEST = 6  # points around which a search looks closer
CONDITIONED_ON = 1000  # observations at most: three such processes propose within 2 s


@dataclass(frozen=True, kw_only=True, eq=False)
class GaussianProcess:
    """A Matérn-5/2 process with a length scale for each dimension, made by `fit`.

    Examples
    --------
    >>> Z = np.linspace(0, 1, 6)[:, None]
    >>> process = GaussianProcess.fit(Z, (Z[:, 0] - 0.5) ** 2, categorical=np.array([False]))
    >>> mean, variance = process.predict(np.array([[0.5], [1.0]]))
    >>> bool(mean[0] < mean[1])
    True
    """

    Z: Array
    """(n, d) observed points."""
    t: Array
    """(n,) warped losses."""
    noise: Array
    """(n,) noise variance of each warped loss."""
    fold_noise: Array
    """(n,) noise variance of the observed means over all folds, in the user's units squared."""
    categorical: Mask
    """(d,) dimensions without an order."""
    hyperparameters: Hyperparameters
    """What the fit found."""
    warp: Warp
    """The transform from losses to warped losses."""
    mean_variance: float
    """c, of the priors."""
    g_mean: float
    """Mean of the transformed losses, by which the warp standardises."""
    g_sd: float
    """Standard deviation of the transformed losses."""
    factor: Array
    """L."""
    alpha: Array
    """``K^-1 t``."""

    @classmethod
    @public()
    def fit(
        cls,
        Z: Array,
        y: Array,
        *,
        categorical: Mask,
        variances: Array | None = None,
        fold_variances: Array | None = None,
        shape: Shape | None = None,
        priors: Priors | None = None,
    ) -> "GaussianProcess":
        """Fit hyperparameters by their posterior mode, and condition on the losses.

        Of more than `CONDITIONED_ON` observations so many are used: those of least expected loss,
        and of the others some at even ranks (a subset of data, Rasmussen & Williams 2006, section
        8.3.3, of good and of different ones, as in Moss et al. 2023, Inducing point allocation for
        sparse Gaussian processes in high-throughput Bayesian optimisation). What it costs in regret
        is measured by ``benchmarks/overhead.py --subset 200,500``.

        Parameters
        ----------
        Z : (n, d) float array
            Points in the unit cube, n >= 1.
        y : (n,) float array
            Finite losses, in any units.
        categorical : (d,) bool array
            Dimensions without an order.
        variances : (n,) float array, optional
            Known noise variance of each loss, in the loss's units squared; zero where omitted. A
            noise variance common to all is fitted on top.
        fold_variances : (n,) float array, optional
            Variance of each loss as a mean over folds, in the loss's units squared; zero where
            omitted. The share of it that is noise is fitted: folds differ in what suits them, and
            that would be there again.
        shape : Shape, optional
            Family of output transforms; `Linear` where omitted.
        priors : Priors, optional
        """
        Z = array("Z", Z, None, None)
        n, d = Z.shape
        if n < 1:
            raise refusal(InvalidSearchError, "Z", Z, "one row or more")
        y = array("y", y, n)
        categorical = array("categorical", categorical, d, dtype=bool)
        variances = _of_at_least_0("variances", variances, n)
        fold_variances = _of_at_least_0("fold_variances", fold_variances, n)
        optional(instance_of, "shape", shape, (Linear, YeoJohnson), "Linear() or YeoJohnson()")
        optional(instance_of, "priors", priors, Priors, "Priors(...)")
        warp, priors = Warp.of(y, shape or Linear()), priors or Priors()
        noisy = variances.any() or fold_variances.any()
        rows = evenly(n, FITTED_ON_AT_MOST) if noisy else representatives(y, fitted_on(n, d))
        objective = NegativeLogPosterior(
            Z[rows],
            y[rows],
            variances=variances[rows],
            fold_variances=fold_variances[rows],
            categorical=categorical,
            warp=warp,
            priors=priors,
        )
        step = objective.step

        def scaled(u: Array) -> tuple[float, Array]:
            value, gradient = objective(step * u)
            return value, step * gradient

        found = minimize(
            scaled,
            objective.start / step,
            jac=True,
            method="L-BFGS-B",
            bounds=np.array(objective.bounds) / step[:, None],
            options={"maxiter": MAX_ITERATIONS, "ftol": TOLERANCE, "gtol": 1e-3},
        )
        hyperparameters = Hyperparameters.unpack(step * found.x, d)
        u = warp.standardise(y)
        warped = warp.evaluate(u, hyperparameters.rho)
        known = hyperparameters.noise_of(variances, fold_variances)
        log_slope, _ = warp.slope(
            warp.expected(u, variances + fold_variances), warped, hyperparameters.rho
        )
        noise = hyperparameters.noise + known * np.exp(2.0 * log_slope)

        def conditioned(kept: NDArray[np.intp] | slice) -> GaussianProcess:
            data = Z[kept], warped.t[kept], noise[kept]
            factor, alpha = _condition(*data, categorical, hyperparameters, priors.mean_variance)
            return cls(
                Z=data[0],
                t=data[1],
                noise=data[2],
                fold_noise=hyperparameters.noise_share * fold_variances[kept],
                categorical=categorical,
                hyperparameters=hyperparameters,
                warp=warp,
                mean_variance=priors.mean_variance,
                g_mean=warped.mean,
                g_sd=warped.sd,
                factor=factor,
                alpha=alpha,
            )

        if n <= CONDITIONED_ON:
            return conditioned(slice(None))
        # by expected losses: of the observed ones the best are partly lucky
        expected, _ = conditioned(rows).predict(Z)
        return conditioned(representatives(expected, CONDITIONED_ON))

    @public()
    def predict(self, Z: Array) -> tuple[Array, Array]:
        """Mean and variance of the warped loss, without noise, at the (m, d) rows of `Z`.

        Returns
        -------
        mean, variance : (m,) float arrays
        """
        k_z = matern52_correlation(self._sq_dist_to_observed(self._rows(Z)))
        k_z *= self.hyperparameters.signal
        k_z += self.mean_variance
        whitened = lapack.dtrtrs(self.factor, k_z.T, lower=1)[0]
        variance = self._prior_variance - np.einsum("ij,ij->j", whitened, whitened)
        return k_z @ self.alpha, np.maximum(variance, LEAST_VARIANCE)

    @public()
    def predict_gradient(self, Z: Array) -> tuple[Array, Array, Array, Array]:
        """`predict`, with gradients in the coordinates of the rows of `Z`.

        Gradients in categorical dimensions are zero. With ``ds/dz = 2 w (z - z_i)``,
        ``dmu/dz = sum_i 2 w (z - z_i) a k'(s_i) alpha_i`` and
        ``dv/dz = -2 sum_i 2 w (z - z_i) a k'(s_i) (K^-1 k_z)_i``.

        Returns
        -------
        mean, variance : (m,) float arrays
        mean_gradient, variance_gradient : (m, d) float arrays
        """
        at, Z = self.hyperparameters, self._rows(Z)
        k, dk = matern52(self._sq_dist_to_observed(Z))
        k_z = at.signal * k + self.mean_variance
        solved = lapack.dpotrs(self.factor, k_z.T, lower=1)[0].T
        variance = self._prior_variance - np.einsum("ij,ij->i", k_z, solved)
        weights = np.where(self.categorical, 0.0, 2.0 * at.signal * at.weights)
        d_mean, d_variance = dk * self.alpha, dk * solved
        mean_gradient = weights * (Z * d_mean.sum(1)[:, None] - d_mean @ self.Z)
        variance_gradient = (-2.0 * weights) * (
            Z * d_variance.sum(1)[:, None] - d_variance @ self.Z
        )
        variance_gradient[variance < LEAST_VARIANCE] = 0.0
        return (
            k_z @ self.alpha,
            np.maximum(variance, LEAST_VARIANCE),
            mean_gradient,
            variance_gradient,
        )

    @public()
    def fantasize(self, Z: Array) -> Self:
        """The process as if the losses at the (p, d) rows of `Z` were known to be their means.

        Its variance is lower there and its means are the same everywhere, so that a pending point
        is not proposed again (Ginsbourger et al. 2010, Kriging is well-suited to parallelize
        optimization, "kriging believer"). With four evaluations at once this reached less regret
        than a constant lie or joint samples (``benchmarks/parallel.py``).
        """
        Z = self._rows(Z)
        Z_all = np.concatenate([self.Z, Z])
        t = np.concatenate([self.t, self.predict(Z)[0]])
        noise = np.concatenate([self.noise, np.full(len(Z), self.hyperparameters.noise)])
        factor, alpha = _condition(
            Z_all, t, noise, self.categorical, self.hyperparameters, self.mean_variance
        )
        return replace(self, Z=Z_all, t=t, noise=noise, factor=factor, alpha=alpha)

    @public()
    def loss_quantile(self, Z: Array, probability: float) -> Array:
        """Quantile of the noise-free loss at the (m, d) rows of `Z`, in the user's units.

        Quantiles pass through an increasing transform; means and standard deviations do not.
        """
        fraction("probability", probability)
        mean, variance = self.predict(Z)
        g = self.g_mean + self.g_sd * (mean + ndtri(probability) * np.sqrt(variance))
        warp = self.warp
        return warp.centre + warp.scale * warp.shape.inverse(g, self.hyperparameters.rho)

    @functools.cached_property
    def best(self) -> NDArray[np.intp]:
        """The `BEST` observed points of least mean, as rows of `Z`, the best first."""
        return np.argsort(self.predict(self.Z)[0], kind="stable")[:BEST]

    @property
    def noise_of_best(self) -> float:
        """Noise variance of an evaluation where losses are low: the median of the best points.

        It holds what is known of each loss from its folds, and the noise common to all.
        """
        return float(np.median(self.noise[self.best]))

    def _rows(self, Z: Array) -> Array:
        d = self.Z.shape[1]
        if isinstance(Z, np.ndarray) and Z.dtype == float and Z.ndim == 2 and Z.shape[1] == d:
            return Z  # read hundreds of times for each proposal
        return array("Z", Z, None, d)

    @functools.cached_property
    def _sq_dist_to_observed(self) -> ScaledSqDistTo:
        return ScaledSqDistTo(self.Z, self.hyperparameters.weights, self.categorical)

    @property
    def _prior_variance(self) -> float:
        return self.hyperparameters.signal + self.mean_variance


def _of_at_least_0(name: str, value: Array | None, n: int) -> Array:
    """The (n,) variances of that name, zeros where there are none."""
    if value is None:
        return np.zeros(n)
    value = array(name, value, n)
    if (value < 0).any():
        raise refusal(InvalidSearchError, name, value, "numbers of at least 0")
    return value


def _condition(
    Z: Array, t: Array, noise: Array, categorical: Mask, at: Hyperparameters, mean_variance: float
) -> tuple[Array, Array]:
    """L and alpha."""
    k = matern52_correlation(scaled_sq_dist(Z, Z, at.weights, categorical))
    failed = True
    while failed:
        K = at.signal * k + mean_variance
        K.flat[:: len(t) + 1] = at.signal + mean_variance + noise
        factor, failed = lapack.dpotrf(K, lower=1, overwrite_a=1, clean=1)
        noise = 10.0 * noise  # rounding may outweigh it where thousands of points repeat
    return factor, lapack.dpotrs(factor, t, lower=1)[0]
