"""From the trials of a study to the history that a strategy sees.

======== ===================================================================================
y_ij     loss of trial i on fold j
k        folds of a complete trial
n        complete trials
b_j      effect of fold j: median over the complete trials of ``y_ij - mean_j y_ij``
s_i²     variance of ``y_ij - b_j`` over the folds of trial i, times ``n / (n - 1)``
s²       median of s_i² over the complete trials, over that of a mean of k - 1 squared normals
======== ===================================================================================

The same folds serve every trial, and some folds are harder than others for all configurations. The
effects of the folds cancel in a comparison of two trials, so they are subtracted before the
variance of a trial's mean is taken. The loss of a trial that was stopped after some folds is
``mean_j(y_ij - b_j)``: the plain mean would favour a trial that ran the easy folds.

Where more than half of the complete trials are dead, and score the same, b_j and s² are those of
the others: n counts these, then.

A variance from k values is itself uncertain, and one that is small by chance would make the
surrogate fit noise. It is moderated towards s², as if s² came from `PRIOR_FOLDS` more folds (Smyth
2004, Linear models and empirical Bayes methods, equation for the posterior variance; its prior
estimated here by the median).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.special import gammaincinv

from gpsearch.evaluation import flipped
from gpsearch.space import Point, Space
from gpsearch.strategy import Cost, History
from gpsearch.strategy.gp import GPOptions, GPStrategy
from gpsearch.strategy.strategy import Array
from gpsearch.study import Study, Trial
from gpsearch.surrogate import GaussianProcess
from gpsearch.surrogate.warping import bounded

PRIOR_FOLDS = 4.0


def history_of(
    space: Space,
    trials: Sequence[Trial],
    known: dict[int, Point] | None = None,
    cost: Cost | None = None,
) -> History:
    """Finished trials as points with losses and variances, running ones as pending points.

    Failed trials have the loss NaN; variances are NaN where fewer than two trials of several folds
    are complete. The costs are those of one fold, NaN without `cost`. `known` is a cache of points
    by the number of their trial, filled here.
    """
    folds = FoldStatistics.of(trials)
    finished = [trial for trial in trials if trial.finished]
    points = {} if known is None else known
    for trial in trials:
        if trial.number not in points:
            points[trial.number] = space.point(dict(trial.params))
    return History.of(
        [points[trial.number] for trial in finished],
        [folds.loss(trial) for trial in finished],
        folds.missing_variances(finished),
        [_cost_of_fold(trial, cost) for trial in finished],
        pending=[points[trial.number] for trial in trials if not trial.finished],
        n_given=sum(trial.is_given for trial in finished),
        fold_variances=folds.fold_variances(finished),
    )


def study_history(study: Study) -> History:
    """The ended trials of a study, as the strategy sees them."""
    return history_of(study.space, study.ended)


def fit_process(
    space: Space, history: History, options: GPOptions | None = None
) -> GaussianProcess:
    """The process that "gp" fits to `history`, for all that shows the process of the search."""
    return GPStrategy(space, seed=0, optimum_prior=None, options=options).process(history)


@dataclass(frozen=True, kw_only=True)
class FoldStatistics:
    """Effects and scatter of the folds of the complete trials."""

    effects: dict[int, float] = field(default_factory=dict)
    """b_j by the number of the fold."""
    correction: float = math.nan
    """``n / (n - 1)``, for the effects were taken from the same trials."""
    pooled: float = math.nan
    """s²."""
    n_trials: int = 0
    """n, as far as the trials have the same number of folds."""

    @classmethod
    def of(cls, trials: Sequence[Trial]) -> Self:
        """Estimate from the complete ones among `trials`; NaN where there are fewer than two."""
        complete = [trial for trial in trials if trial.state == "complete"]
        k = max((len(trial.folds) for trial in complete), default=0)
        complete = [trial for trial in complete if len(trial.folds) == k]
        n = len(complete)
        if n < 2 or k < 2:
            return cls()
        losses = _fold_losses(complete)
        effects, variances = _effects(losses)
        # More than half dead, equal on all folds or to each other, tell nothing of the others'.
        alive = variances > np.finfo(float).eps * variances.max()
        if 1 < alive.sum() < n:
            effects, variances = _effects(losses[alive])
        elif alive.any():
            variances = variances[alive]
        n_alive = max(2, len(variances))
        correction = n_alive / (n_alive - 1)
        return cls(
            effects={fold.fold: b for fold, b in zip(complete[0].folds, effects, strict=True)},
            correction=correction,
            # two trials have the same variance, which then is its own mean
            pooled=float(np.median(variances))
            * correction
            / (_median_of_variance(k - 1) if n_alive > 2 else 1.0),
            n_trials=n,
        )

    def loss(self, trial: Trial) -> float:
        """Mean loss of a trial; of a stopped one, free of the effects of the folds it ran."""
        if trial.state != "stopped" or not trial.folds:
            return trial.loss
        return float(self._without_effects([trial], [fold.fold for fold in trial.folds]).mean())

    def scores(self, trials: Sequence[Trial]) -> Array:
        """(n,) scores as trials are compared, see `loss`; NaN of a failed one."""
        return flipped(np.array([self.loss(trial) for trial in trials], dtype=float))

    def variances(self, trials: Sequence[Trial]) -> Array:
        """Variances of the mean losses of trials; NaN where unknown."""
        return self.scatters(trials) / np.array([len(trial.folds) or math.nan for trial in trials])

    def fold_variances(self, trials: Sequence[Trial]) -> Array:
        """Variances of means over all folds, of which a share is noise; NaN where unknown."""
        return self.scatters(trials) / max(1, len(self.effects))

    def missing_variances(self, trials: Sequence[Trial]) -> Array:
        """Variances of the means about those over all folds, of which a stopped trial ran some.

        They hold the noise and the taste of the folds that are missing: ``s_i² (1 / m - 1 / k)``.
        """
        return np.maximum(self.variances(trials) - self.fold_variances(trials), 0.0)

    def scatters(self, trials: Sequence[Trial]) -> Array:
        """s_i², moderated: variances over the folds without their effects; NaN where unknown."""
        scatters = np.full(len(trials), np.nan)
        if math.isnan(self.pooled):
            return scatters
        rows: dict[tuple[int, ...], list[int]] = {}  # most trials have the same folds
        for row, trial in enumerate(trials):
            rows.setdefault(tuple(fold.fold for fold in trial.folds), []).append(row)
        rows.pop((), None)
        for numbers, alike in rows.items():
            k, own = len(numbers), np.zeros(len(alike))
            if k > 1:
                losses = self._without_effects([trials[row] for row in alike], numbers)
                own = losses.var(axis=1, ddof=1) * self.correction
            scatters[alike] = (PRIOR_FOLDS * self.pooled + (k - 1) * own) / (PRIOR_FOLDS + k - 1)
        return scatters

    def _without_effects(self, trials: Sequence[Trial], numbers: Sequence[int]) -> Array:
        return _fold_losses(trials) - [self.effects.get(number, 0.0) for number in numbers]


def _effects(losses: Array) -> tuple[Array, Array]:
    """(k,) effects of the folds on (n, k) losses, and (n,) variances without them."""
    deviations = losses - losses.mean(axis=1, keepdims=True)
    effects = np.median(deviations, axis=0)
    effects -= effects.mean()
    return effects, (deviations - effects).var(axis=1, ddof=1)


def _fold_losses(trials: Sequence[Trial]) -> Array:
    """(n, k) losses of trials of k folds, so bounded that their squares are finite."""
    scores = np.array([[fold.score for fold in trial.folds] for trial in trials])
    return bounded(flipped(scores))


def _cost_of_fold(trial: Trial, cost: Cost | None) -> float:
    """Mean of the folds that ran, so that a trial stopped early does not count as cheap."""
    # Not from the start to the end: between them may lie the night after a crash.
    costs = [] if cost is None else [getattr(fold, cost) or 0.0 for fold in trial.folds]
    return math.fsum(costs) / len(costs) if costs and min(costs) > 0 else math.nan


def _median_of_variance(freedom: int) -> float:
    """Median of a chi-squared variable over its degrees of freedom: 0.45 for one, 0.84 for four."""
    return float(gammaincinv(freedom / 2, 0.5)) * 2 / freedom
