"""The surrogate of a finished study, and samples of its posterior.

=========== ================================================================ =======
symbol      meaning                                                          shape
=========== ================================================================ =======
Z           places in the unit cube                                          (m, d)
m, C        posterior mean and covariance of the warped loss at Z            (m,), (m, m)
R           Cholesky factor of C: ``R R^T = C``                              (m, m)
t_s         sample s: ``m + R e`` with e standard normal                     (S, m)
=========== ================================================================ =======

Rasmussen & Williams (2006), Gaussian processes for machine learning, equation 2.24.
"""

import logging
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, lapack, solve_triangular

from gpsearch.arguments import instance_of, optional
from gpsearch.errors import StudyError
from gpsearch.evaluation import flipped, told_apart
from gpsearch.space import Space
from gpsearch.strategy.history import FoldStatistics, fit_process, study_history
from gpsearch.study import Study, require_study
from gpsearch.surrogate import GaussianProcess
from gpsearch.surrogate.kernels import ScaledSqDistTo, matern52_correlation, scaled_sq_dist
from gpsearch.surrogate.warping import LARGEST_LOSS, LEAST_SCALE, bounded

logger = logging.getLogger("gpsearch")

Array = NDArray[np.float64]

BLOCK = 2048  # places whose waves are held in memory at a time
N_WAVES = 1024  # waves of a sampled function: the error of the prior covariance is about 0.03


def fitted_process(
    study: Study, call: str, process: GaussianProcess | None = None
) -> GaussianProcess:
    """The surrogate as "gp" fits it to a study's scored trials, at least two; or the given one."""
    complete = len(require_study(study).complete)
    if complete < 2:
        failed = [trial for trial in study.trials if trial.state == "failed"]
        why = f", and {len(failed)} failed. The last failure: {failed[-1].reason}" if failed else ""
        raise StudyError(f"{call} needs at least 2 complete trials; the study has {complete}{why}.")
    if (given := given_process(process)) is not None:
        return given
    if lacks_constraint(study):
        logger.warning(
            "%s: a file does not hold the constraint of the space as a function, so "
            "configurations that it excludes count as well; pass space= to Study.open",
            call,
        )
    return fit_process(study.space, study_history(study))


def told_scores(study: Study) -> Array:
    """(n,) scores of the trials that ended with one, of a stopped one by what its folds tell.

    To 13 digits: what rounding leaves of equal scores is no difference.
    """
    scores = FoldStatistics.of(study.ended).scores(study.ended)
    return np.array([told_apart(score) for score in scores if math.isfinite(score)])


def require_difference(study: Study, call: str) -> None:
    """Raise a StudyError where no process can tell the scores of the trials apart."""
    scores = told_scores(study)
    if len(scores) < 2 or (np.ptp(bounded(scores)) > LEAST_SCALE and scores.max() <= LARGEST_LOSS):
        return
    if np.ptp(scores / 2.0) == 0.0:
        raise StudyError(
            f"{call} needs different scores; all {len(scores)} of the study are equal."
        )
    raise StudyError(
        f"{call} needs scores whose squares a float can hold, from {LEAST_SCALE:g} to "
        f"{LARGEST_LOSS:g}; those of the study are {scores.min():g} to {scores.max():g}. Scale the "
        "score."
    )


def given_process(process: Any) -> GaussianProcess | None:
    """The surrogate that a user gave; refused where it is another thing."""
    wanted = "the surrogate of these trials"
    return optional(instance_of, "process", process, GaussianProcess, wanted)


def lacks_constraint(study: Study) -> bool:
    """Whether the space of a study has a constraint that this process does not know."""
    return bool(study.info.space.get("constraint")) and study.space.constraint is None


def prior_covariance(process: GaussianProcess, left: Array, right: Array) -> Array:
    """Prior covariance of the warped losses at the rows of `left` and of `right`."""
    at = process.hyperparameters
    covariance = matern52_correlation(scaled_sq_dist(left, right, at.weights, process.categorical))
    covariance *= at.signal
    covariance += process.mean_variance
    return covariance


def averaged_covariance(process: GaussianProcess, rows: Array, weights: Array) -> Array:
    """(c, n) prior covariance of averages of t over (c, b, d) `rows`, by (c, b) `weights`."""
    at = process.hyperparameters
    sq_dist = ScaledSqDistTo(process.Z, at.weights, process.categorical)
    cells = zip(weights, rows, strict=True)  # one at a time fits into a core's cache
    average = [w @ matern52_correlation(sq_dist(z)) for w, z in cells]
    return at.signal * np.array(average) + process.mean_variance


def embed(process: GaussianProcess, space: Space, Z: Array) -> Array:
    """Rows whose squared distances are those of the kernel at `Z`, length scales included."""
    parts = []
    for j, weight in enumerate(process.hyperparameters.weights):
        column = np.sqrt(weight) * Z[:, [j]]
        if process.categorical[j]:
            n_values = space.n_values[j]
            categories = np.round(Z[:, j] * (n_values - 1)).astype(int)
            column = np.sqrt(weight / 2.0) * np.eye(n_values)[categories]
        parts.append(column)
    return np.hstack(parts)


def joint_posterior(process: GaussianProcess, Z: Array) -> tuple[Array, Array]:
    """M and C: mean and covariance of the noise-free warped losses at the rows of `Z`."""
    cross = prior_covariance(process, Z, process.Z)
    whitened = solve_triangular(process.factor, cross.T, lower=True, check_finite=False)
    return cross @ process.alpha, prior_covariance(process, Z, Z) - whitened.T @ whitened


def sample_losses(
    process: GaussianProcess, Z: Array, number: int, rng: np.random.Generator
) -> Array:
    """(number, m) draws of the noise-free warped losses at the rows of `Z`, jointly."""
    mean, C = joint_posterior(process, Z)
    factor, order, rank, _ = lapack.dpstrf(C, lower=1)  # with pivots: repeated rows are singular
    root = np.empty((len(Z), rank))
    root[order - 1] = np.tril(factor)[:, :rank]
    return mean + rng.standard_normal((number, len(Z)))[:, :rank] @ root.T


def noisy_scores(
    process: GaussianProcess, Z: Array, number: int, rng: np.random.Generator
) -> Array:
    """(number, m) draws of the scores of evaluations at the rows of `Z`; greater is better.

    Each is a draw of the loss, transformed back from the surrogate's scale to the user's units,
    with the noise of a typical evaluation. The noise of the folds is added in the user's units: on
    the transformed scale it has no typical size. Losses are cut at the worst observation: the
    normal tail reaches losses that no training has.
    """
    t = sample_losses(process, Z, number, rng)
    t += np.sqrt(process.hyperparameters.noise) * rng.standard_normal(t.shape)
    losses = unwarp(process, t)
    losses += np.sqrt(np.median(process.fold_noise)) * rng.standard_normal(t.shape)
    return flipped(np.minimum(losses, unwarp(process, process.t.max())))


def unwarp(process: GaussianProcess, t: Array) -> Array:
    """Losses in the user's units of warped `t`; on a straight line beyond the observed ones.

    The line has the slope of the transform at the best or the worst observation. Beyond the worst
    it is at most the mean slope over the observations: where the transform nears its supremum, its
    own slope there would turn a small step into a loss that no training has.
    """
    ends = np.array([process.t.min(), process.t.max()])
    inside = np.clip(t, *ends)
    u, slope = _inverse(process, inside)
    if ends[1] > ends[0]:
        mean = np.ptp(_inverse(process, ends)[0]) / (ends[1] - ends[0])
        slope = np.where(t > ends[1], np.minimum(slope, mean), slope)
    return process.warp.centre + process.warp.scale * (u + slope * (t - inside))


def _inverse(process: GaussianProcess, t: Array) -> tuple[Array, Array]:
    """Standardised losses u of warped losses `t` within the observed range, and ``du/dt``."""
    shape, rho = process.warp.shape, process.hyperparameters.rho
    u = shape.inverse(process.g_mean + process.g_sd * t, rho)
    return u, process.g_sd * np.exp(-shape.transform(u, rho).log_slope)


class PosteriorFunctions:
    """Samples of the posterior that can be evaluated anywhere, as functions.

    A sample of the prior is a constant and a sum of F random waves,
    ``sqrt(2 a / F) sum_i w_i cos(omega_i x + b_i)``; it becomes one of the posterior by
    Matheron's rule,

        t_s(z) = prior_s(z) + k(z, Z) K^-1 (t - prior_s(Z) - e_s),

    (Wilson et al. 2020, Efficiently sampling functions from Gaussian process posteriors,
    equations 12 and 13). The frequencies of a Matérn-5/2 kernel are multivariate t with 5 degrees
    of freedom; a category is a unit vector over ``sqrt 2``, so that the squared distance of two
    categories is Hamming's.

    `process` was fitted on `space`; `number` is that of the samples.
    """

    def __init__(
        self, process: GaussianProcess, space: Space, number: int, rng: np.random.Generator
    ) -> None:
        self._process, self._space = process, space
        at = process.hyperparameters
        normal = rng.standard_normal((embed(process, space, process.Z[:1]).shape[1], N_WAVES))
        self._waves = normal / np.sqrt(rng.chisquare(5.0, size=N_WAVES) / 5.0)
        self._phases = rng.uniform(0.0, 2.0 * np.pi, size=N_WAVES)
        self._weights = np.sqrt(2.0 * at.signal / N_WAVES) * rng.standard_normal((N_WAVES, number))
        self._constants = np.sqrt(process.mean_variance) * rng.standard_normal(number)
        errors = np.sqrt(process.noise)[:, None] * rng.standard_normal((len(process.Z), number))
        missing = process.t[:, None] - self._prior(process.Z) - errors
        self._updates = cho_solve((process.factor, True), missing)

    def __call__(self, Z: Array) -> Array:
        """(number, m) warped losses, without noise, at the (m, d) rows of `Z`."""
        blocks = np.array_split(Z, max(1, math.ceil(len(Z) / BLOCK)))
        return np.hstack([self._values(block) for block in blocks])

    def _values(self, Z: Array) -> Array:
        cross = prior_covariance(self._process, Z, self._process.Z)
        return (self._prior(Z) + cross @ self._updates).T

    def _prior(self, Z: Array) -> Array:
        waves = np.cos(embed(self._process, self._space, Z) @ self._waves + self._phases)
        return waves @ self._weights + self._constants
