"""The surrogate of a finished study, and samples of what it believes.

=========== ================================================================ =======
symbol      meaning                                                          shape
=========== ================================================================ =======
Z           places in the unit cube                                          (m, d)
m, C        posterior mean and covariance of the warped loss at Z            (m,), (m, m)
R           a square root of C: ``R R^T = C``                                (m, m)
t_s         sample s: ``m + R e`` with e standard normal                     (S, m)
=========== ================================================================ =======

Rasmussen & Williams (2006), Gaussian processes for machine learning, equation 2.24.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from gpsearch.errors import StudyError
from gpsearch.execution.history import history_of
from gpsearch.strategy.gp import GPStrategy
from gpsearch.study import Study
from gpsearch.surrogate import GaussianProcess
from gpsearch.surrogate.kernels import matern52, scaled_sq_dist

Array = NDArray[np.float64]


def fitted_process(study: Study, call: str, least: int = 2) -> GaussianProcess:
    """The surrogate as the strategy "gp" fits it, over all trials of a study that have a score.

    Raises
    ------
    StudyError
        Fewer than `least` trials are complete.
    """
    complete = sum(trial.state == "complete" for trial in study.trials)
    if complete < least:
        failed = [trial for trial in study.trials if trial.state == "failed"]
        why = f" The last failure: {failed[-1].reason}." if failed else ""
        raise StudyError(
            f"{call} needs at least {least} complete trials; the study has {complete}, and "
            f"{len(failed)} failed.{why}"
        )
    ended = [trial for trial in study.trials if trial.finished]
    return GPStrategy(study.space, seed=study.seed).process(history_of(study.space, ended))


def prior_covariance(process: GaussianProcess, left: Array, right: Array) -> Array:
    """Prior covariance of the warped losses at the rows of `left` and of `right`."""
    at = process.hyperparameters
    distance = scaled_sq_dist(left, right, at.weights, process.categorical)
    return at.signal * matern52(distance)[0] + process.mean_variance


def sample_losses(
    process: GaussianProcess, Z: Array, number: int, rng: np.random.Generator
) -> Array:
    """(number, m) draws of the noise-free warped losses at the rows of `Z`, jointly."""
    cross = prior_covariance(process, Z, process.Z)
    whitened = solve_triangular(process.factor, cross.T, lower=True, check_finite=False)
    posterior = prior_covariance(process, Z, Z) - whitened.T @ whitened
    values, vectors = np.linalg.eigh(posterior)
    # Rounding leaves eigenvalues of about -1e-15 where rows repeat.
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return cross @ process.alpha + rng.standard_normal((number, len(Z))) @ root.T


def noisy_scores(
    process: GaussianProcess, Z: Array, number: int, rng: np.random.Generator
) -> Array:
    """(number, m) draws of the scores that evaluations at the rows of `Z` could give.

    Greater is better. Each is a draw of the loss, with the noise of a typical evaluation, led
    back from the surrogate's scale to the user's units. Losses worse than any observed are cut
    there: on a bent scale the normal tail reaches losses that no training has.
    """
    t = sample_losses(process, Z, number, rng)
    t += np.sqrt(np.median(process.noise)) * rng.standard_normal(t.shape)
    return -unwarp(process, np.minimum(t, process.t.max()))


def unwarp(process: GaussianProcess, t: Array) -> Array:
    """Losses in the user's units of warped losses `t`."""
    bent = process.g_mean + process.g_sd * t
    warp = process.warp
    return warp.centre + warp.scale * warp.shape.unbend(bent, process.hyperparameters.rho)
