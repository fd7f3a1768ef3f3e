"""Stopping when what is left to gain is less than the cross-validation can see.

============= ============================================================================
symbol        meaning
============= ============================================================================
u(z), l(z)    upper and lower confidence bound of the loss: quantiles of the posterior
gap           ``min_i u(z_i) - min_z l(z)``, i over the evaluated points: the most that the
              best known point can be from the best there is, with high confidence
s²            variance over the folds of the incumbent, the complete trial of least loss
k             its number of folds
noise         ``sqrt((1/k + 1/(k-1)) s²)``: standard deviation of a cross-validated score
============= ============================================================================

Makarova et al. (2022), Automatic termination for hyperparameter optimization: stop once the gap
(equation 4) is below the noise (equation 5, with the correction of Nadeau & Bengio 2003 for
training sets that overlap: ``|validation| / |training| = 1 / (k - 1)``).
"""

import logging
import math
from dataclasses import dataclass

import numpy as np

from gpsearch.acquisition import LowerConfidenceBound, maximise
from gpsearch.arguments import positive, whole
from gpsearch.errors import public
from gpsearch.execution.rules.stopping import StopReason
from gpsearch.strategy.history import fit_process, study_history
from gpsearch.study import Study, Trial

logger = logging.getLogger("gpsearch")

STREAM = 1  # keeps the random numbers of the rule apart from those of the strategy


@dataclass(frozen=True, kw_only=True)
class BelowNoise:
    """Stop when the expected gain is below the noise of the cross-validation.

    See `gpsearch.execution.rules.below_noise`. It costs a surrogate fit after each trial.

    Raises
    ------
    InvalidSearchError
        `min_trials` below 3, or `kappa` not above 0.
    """

    min_trials: int = 20
    """Trials, complete or stopped, before the surrogate's bounds are trusted; at least 3."""
    kappa: float = 1.96
    """Width of the confidence bounds, in posterior standard deviations."""

    @public()
    def __post_init__(self) -> None:
        whole("min_trials", self.min_trials, 3)
        positive("kappa", self.kappa)

    def __call__(self, study: Study) -> StopReason | None:
        """Decide on the finished trials of `study`."""
        complete = study.complete
        scored = sum(trial.state != "failed" for trial in study.ended)
        if scored < self.min_trials or not complete:
            return None
        noise = cross_validation_noise(max(complete, key=lambda trial: trial.score))
        if math.isnan(noise) and scored == self.min_trials:
            logger.warning(
                "BelowNoise cannot stop this search: the noise of one score for each trial is "
                "unknown; return one for each fold"
            )
        if not noise > 0:  # also when it is unknown
            return None
        return StopReason.NOISE if self.gap(study) < noise else None

    def gap(self, study: Study) -> float:
        """The most that the best known point can be from the best there is, as a loss."""
        history = study_history(study)
        process = fit_process(study.space, history)
        entropy = np.random.SeedSequence(study.seed, spawn_key=(len(history.points), STREAM))
        bound = LowerConfidenceBound(process=process, kappa=self.kappa)
        lowest = next(
            iter(
                maximise(
                    bound,
                    study.space,
                    around=process.Z[process.best],
                    rng=np.random.default_rng(entropy),
                )
            )
        )
        share = 0.5 * (1 + math.erf(self.kappa / math.sqrt(2)))
        upper = process.loss_quantile(process.Z, share).min()
        lower = process.loss_quantile(np.atleast_2d(lowest), 1 - share).min()
        return float(upper - lower)


def cross_validation_noise(trial: Trial) -> float:
    """Standard deviation of a trial's cross-validated score; NaN for fewer than two folds.

    >>> from gpsearch.evaluation import FoldResult
    >>> folds = tuple(FoldResult(fold=j, score=s) for j, s in enumerate([0.8, 0.9]))
    >>> trial = Trial(number=0, state="complete", params={}, folds=folds, seed=0, started=0.0)
    >>> round(cross_validation_noise(trial), 4)
    0.0866
    """
    k = len(trial.folds)
    return math.sqrt(1 / k + 1 / (k - 1)) * trial.std if k > 1 else math.nan
