"""What the strategy is told of a study: a function of its trials.

======== ===================================================================================
y_ij     loss of trial i on fold j
k_i      number of folds that trial i ran
b_j      effect of fold j: mean of y_ij over the complete trials, less the mean over all folds
s²       mean over the complete trials of the variance of y_ij over their folds
======== ===================================================================================

The same folds serve every trial, so a trial that was stopped after some folds is not judged by
their mean alone, which would favour whoever ran the easy folds: the effects of its folds are
taken off, ``mean_j(y_ij - b_j)``, and its variance is that of a mean over k_i folds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gpsearch.space import Space
from gpsearch.strategy import History
from gpsearch.study import Trial


def history_of(space: Space, trials: Sequence[Trial]) -> History:
    """Finished trials as points with losses and variances, running ones as pending points.

    Parameters
    ----------
    space : Space
    trials : sequence of Trial
        In the order of their numbers.

    Returns
    -------
    History
        Failed trials have the loss NaN; the variance of a mean over one fold is NaN where no
        complete trial tells the variance between folds.
    """
    finished = [trial for trial in trials if trial.finished]
    effects, pooled = _fold_statistics(trials)
    losses, variances = [], []
    for trial in finished:
        loss, variance = trial.loss, trial.standard_error**2
        if trial.state == "stopped" and trial.folds:
            loss -= sum(effects.get(fold.fold, 0.0) for fold in trial.folds) / len(trial.folds)
            if len(trial.folds) == 1:
                variance = pooled
        losses.append(loss)
        variances.append(variance)
    return History.of(
        [space.point(dict(trial.params)) for trial in finished],
        losses,
        variances,
        pending=[space.point(dict(trial.params)) for trial in trials if not trial.finished],
    )


def _fold_statistics(trials: Sequence[Trial]) -> tuple[dict[int, float], float]:
    """Effects b_j by fold, and s²; no effects and NaN without complete trials of several folds."""
    if not any(trial.state == "stopped" for trial in trials):
        return {}, math.nan  # nobody asks
    complete = [trial for trial in trials if trial.state == "complete" and len(trial.folds) > 1]
    if not complete:
        return {}, math.nan
    most = max(len(trial.folds) for trial in complete)
    complete = [trial for trial in complete if len(trial.folds) == most]
    losses = -np.array([[fold.score for fold in trial.folds] for trial in complete])
    effects = losses.mean(axis=0) - losses.mean()
    numbers = [fold.fold for fold in complete[0].folds]
    return (
        dict(zip(numbers, effects.tolist(), strict=True)),
        float(losses.var(axis=1, ddof=1).mean()),
    )
