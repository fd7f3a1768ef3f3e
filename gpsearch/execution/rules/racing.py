"""Stopping a trial before its last fold where it will not be the best.

After each fold a trial is compared with the incumbent, the best complete trial:

============ ==========================================================================
paired       stop when the trial's mean over all folds will, with a probability of 99 %,
             be below the incumbent's
forgiving    stop when the trial's mean so far is below the incumbent's *worst fold*
aggressive   stop when the trial's mean so far is below the incumbent's *mean*
============ ==========================================================================

The last two are those of Bergman, Purucker & Hutter (2024), Don't waste your time: early
stopping cross-validation. In their study the forgiving rule found better configurations within
the same time on most data sets; the aggressive one was faster still, but failed more often.

Where some folds are harder than others for every configuration, these two stop good trials when the
first fold is a hard one, and hardly any when it is easy. The paired rule compares fold by fold:

======== ===================================================================================
y_j, x_j scores of the trial and of the incumbent on fold j
m, k     folds that the trial has run; folds of a complete trial
d        mean over the m folds of ``y_j - x_j``
s²       variance of a trial's scores over the folds, without the effects of the folds, as in
         `gpsearch.strategy.history`
======== ===================================================================================

The differences on the folds to come scatter about that of the folds so far, so the difference
of the two means over all k folds has the mean d, and the variance ``2 s² (k - m) / (k m)``:
``(k - m)² / k²`` of that of a mean of m and a mean of k - m differences of variance 2 s².

Racing is off unless it is asked for. Replayed on 468 trials of small networks on four data sets
(``benchmarks/racing.py``), paired ran 83 % of the folds and stopped 1 trial that became the
incumbent; forgiving 53 % and 27; aggressive 37 % and 144. Raced searches ended as well as the
others within the noise, but where a fold takes a fifth of a second paired saved no clear time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from gpsearch.evaluation import mean_score
from gpsearch.strategy.history import FoldStatistics
from gpsearch.study import Study, Trial

FoldRule = Callable[[Study, Trial], bool]
"""Given a study and a trial with the folds it has run so far: whether the trial goes on."""

RacingName = Literal["paired", "forgiving", "aggressive"]

QUANTILE = 2.326  # of the standard normal distribution at 0.99
LEARNT_FROM = 5  # complete trials, before which the scatter of the folds is not known


def paired(study: Study, trial: Trial) -> bool:
    """Go on unless the mean of all folds is, with 99 % probability, below the incumbent's."""
    incumbent = _incumbent(study)
    statistics = FoldStatistics.of(study.trials)
    if incumbent is None or statistics.n_trials < LEARNT_FROM:
        return True
    known = {fold.fold: fold.score for fold in incumbent.folds}
    differences = [fold.score - known[fold.fold] for fold in trial.folds if fold.fold in known]
    m, k = len(differences), len(known)
    if not 0 < m < k:
        return True
    scatter = math.sqrt(2 * statistics.scatter(trial) * (k - m) / (k * m))
    return math.fsum(differences) / m + QUANTILE * scatter >= 0


def forgiving(study: Study, trial: Trial) -> bool:
    """Go on unless the mean of the folds so far is below the worst fold of the incumbent."""
    incumbent = _incumbent(study)
    return incumbent is None or trial.score >= min(fold.score for fold in incumbent.folds)


def aggressive(study: Study, trial: Trial) -> bool:
    """Go on unless the mean of the folds so far is below the mean of the incumbent."""
    incumbent = _incumbent(study)
    return incumbent is None or trial.score >= mean_score(incumbent.folds)


RACING: dict[str, FoldRule] = {"paired": paired, "forgiving": forgiving, "aggressive": aggressive}
"""The rules by name."""


def _incumbent(study: Study) -> Trial | None:
    return max(study.complete, key=lambda trial: trial.score, default=None)
