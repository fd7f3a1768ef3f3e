"""The trials that the folds cannot tell from the best.

======== ===================================================================================
d_j      score of the best on fold j, less that of another trial, over the k folds both ran
D        mean of d_j
e        standard error of D: ``sd(d) / sqrt(k)``
======== ===================================================================================

The same folds serve every trial, and what makes a fold hard for all trials cancels in d_j. A trial
with ``D <= e`` is a contender: within one standard error of the best (Breiman et al. 1984,
Classification and regression trees, section 3.4.3, here with the error of the difference).
"""

import math
import statistics
from collections.abc import Iterable, Mapping
from typing import Any

from gpsearch.evaluation import mean_score, told_apart
from gpsearch.study.trial import Trial


def difference(best: Trial, other: Trial) -> tuple[float, float]:
    """D and e of two trials; e is NaN where they have fewer than two folds in common.

    >>> from gpsearch.evaluation import FoldResult
    >>> def of(*scores):
    ...     folds = tuple(FoldResult(fold=j, score=s) for j, s in enumerate(scores))
    ...     return Trial(number=0, state="complete", params={}, folds=folds, seed=0, started=0.0)
    >>> [round(v, 3) for v in difference(of(0.5, 0.9), of(0.4, 0.6))]
    [0.2, 0.1]
    """
    by_fold = {fold.fold: fold for fold in other.folds}
    own = [fold for fold in best.folds if fold.fold in by_fold]
    if len(own) < 2:
        return best.score - other.score, math.nan
    others = [by_fold[fold.fold] for fold in own]
    d = [a.score - b.score for a, b in zip(own, others, strict=True)]
    alike = told_apart(mean_score(own)) == told_apart(mean_score(others))
    lag, error = statistics.fmean(d), statistics.stdev(d) / math.sqrt(len(d))
    if math.isclose(lag, error):  # D is e where one fold alone differs, but for rounding
        error = lag
    return 0.0 if alike else lag, error


def differing(params: Mapping[str, Any], best: Mapping[str, Any]) -> list[str]:
    """Names of the settings in which a configuration differs from the best.

    >>> differing({"opt": "sgd", "momentum": 0.9, "n": 3}, {"opt": "adam", "n": 3})
    ['opt', 'momentum']
    """
    pairs = {name: (params.get(name, ...), best.get(name, ...)) for name in {**best, **params}}
    return [n for n, (a, b) in pairs.items() if a != b and (a == a or b == b)]  # NaN is NaN


def best_first(trials: Iterable[Trial], winner: Trial | None = None) -> list[Trial]:
    """The complete trials: the winner, then by score; of equals the smaller number first."""
    complete = (trial for trial in trials if trial.state == "complete")
    first = None if winner is None else winner.number
    return sorted(
        complete, key=lambda trial: (trial.number != first, told_apart(trial.loss), trial.number)
    )


def contenders(trials: Iterable[Trial], winner: Trial | None = None) -> list[Trial]:
    """The best complete trial and those within one standard error of it, best first.

    Those with a greater score than the `winner` are among them. Where the error is unknown, those
    with the same score.
    """
    ranked = best_first(trials, winner)
    found = []
    for trial in ranked:
        lag, error = difference(ranked[0], trial)
        if lag <= (0.0 if math.isnan(error) else error):
            found.append(trial)
    return found
