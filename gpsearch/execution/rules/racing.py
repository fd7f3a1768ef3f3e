"""Stopping a trial before its last fold where it will not be the best.

After each fold a trial is compared with the incumbent, the best complete trial, and is stopped when
its mean over all folds will, with a probability of 99 %, be below the incumbent's. Some folds are
harder than others for every configuration, so the two are compared fold by fold:

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

Racing is off unless it is asked for, and it decides between folds only. Rules that would stop a
training inside a fold as well, by its validation loss so far, were replayed on complete studies
(``benchmarks/racing.py``): 198 random trials of five small data sets, 112 of the default strategy
of four, networks of `mlp_space`, at most 60 epochs. Share of the seconds that was needed (of those
without tracing), and incumbents lost of 500 trials with the 95 % interval:

=============================== ====================== ======================
rule                            random                 default strategy
=============================== ====================== ======================
paired                          0.79 (0.55), 0 (0-9)   0.88 (0.82), 0 (0-17)
with the fold's score predicted 0.76 (0.50), 1 (0-12)  0.87 (0.81), 0 (0-17)
regression on the loss so far   0.75 (0.47), 4 (0-17)  0.86 (0.79), 0 (0-17)
the loss falls on as steeply    0.75 (0.48), 10 (3-26) 0.77 (0.68), 18 (5-46)
knowing the outcome             0.62 (0.19), 0         0.52 (0.30), 0
=============================== ====================== ======================

Rules that lose hardly any save less than a tenth beyond "paired", those that save more lose
several. The trials of the default lie close together, within the scatter of the folds, and which of
them wins cannot be told from a curve. Simpler rules between folds (Bergman, Purucker & Hutter 2024)
lost 27 incumbents of 468 trials (stop below the incumbent's worst fold) and 144 (below its mean).
"""

import math
from collections.abc import Callable

from gpsearch.strategy.history import FoldStatistics
from gpsearch.study import Study, Trial

FoldRule = Callable[[Study, Trial], bool]
"""Given a study and a trial with the folds it has run so far: whether the trial goes on."""

QUANTILE = 2.326  # of the standard normal distribution at 0.99
LEARNT_FROM = 5  # complete trials, before which the scatter of the folds is not known


def paired(study: Study, trial: Trial) -> bool:
    """Go on unless the mean of all folds is, with 99 % probability, below the incumbent's."""
    incumbent = max(study.complete, key=lambda one: one.score, default=None)
    statistics = FoldStatistics.of(study.trials)
    if incumbent is None or statistics.n_trials < LEARNT_FROM:
        return True
    known = {fold.fold: fold.score for fold in incumbent.folds}
    differences = [fold.score - known[fold.fold] for fold in trial.folds if fold.fold in known]
    m, k = len(differences), len(known)
    if not 0 < m < k:
        return True
    scatter = math.sqrt(2 * statistics.scatters([trial])[0] * (k - m) / (k * m))
    return math.fsum(differences) / m + QUANTILE * scatter >= 0
