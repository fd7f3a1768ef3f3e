"""Stopping a trial before its last fold where it will not be the best.

After each fold a trial is compared with the incumbent, the best trial of all folds, and is stopped
when its mean over all folds will, with a probability of 99 %, be below the incumbent's. Some folds
are harder than others for every configuration, so the two are compared fold by fold:

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

After as many folds a search with racing has found better configurations than one without
(``benchmarks/simulated_racing.py``, ``benchmarks/equal_time.py``). It decides between folds only:
rules that would stop a training inside a fold as well, and simpler ones between folds (Bergman,
Purucker & Hutter 2024), lost incumbents or saved little more (``benchmarks/racing.py``). With a
smaller probability than 99 % more trials lose by the chance of their first folds, and what is left
scores too well on them; it gained nothing. The baseline runs all its folds: the winner is compared
with it.
"""

import math
from collections.abc import Callable

from gpsearch.strategy.history import FoldStatistics
from gpsearch.study import Study, Trial
from gpsearch.study.trial import BASELINE

FoldRule = Callable[[Study, Trial], bool]
"""Given a study and a trial with the folds it has run so far: whether the trial goes on."""

QUANTILE = 2.326  # of the standard normal distribution at 0.99
LEARNT_FROM = 4  # complete trials, before which the scatter of the folds is not known


def paired(study: Study, trial: Trial) -> bool:
    """Go on unless the mean of all folds is, with 99 % probability, below the incumbent's."""
    statistics = FoldStatistics.of(study.trials)
    if statistics.n_trials < LEARNT_FROM or trial.origin == BASELINE:
        return True
    k = len(statistics.effects)
    whole = (one for one in study.complete if len(one.folds) == k)  # a given score is one fold
    incumbent = max(whole, key=lambda one: one.score)
    known = {fold.fold: fold.score for fold in incumbent.folds}
    differences = [fold.score - known[fold.fold] for fold in trial.folds if fold.fold in known]
    m = len(differences)
    if not 0 < m < k:
        return True
    scatter = math.sqrt(2 * statistics.scatters([trial])[0] * (k - m) / (k * m))
    return math.fsum(differences) / m + QUANTILE * scatter >= 0
