"""Which trial is the best of a search, and what it is worth on new data.

=========== ======================================================================= ==========
symbol      meaning                                                                 shape
=========== ======================================================================= ==========
n           trials that were scored on every fold                                   scalar
k           folds of a complete trial                                               scalar
p           share of the rows that one fold scores, ``1/k`` for k parts             scalar
m           parts of the rows, ``1/p``; fewer than k where splits repeat            scalar
s_ij        score of trial i on fold j of the search                                (n, k)
r_i         choosing splits, fresh ones, on which trial i was scored                (n,)
f_i         mean of trial i over the search and its choosing splits, those centred  (n,)
g_i         mean of trial i over the splits that judge it; over the search where    (n,)
            there are none
o           optimism of the greatest mean of the search                             scalar
w_i         share of v_i that is left, ``(1 + 1 / (1 + r_i)) / 2``                  (n,)
v_i         variance of ``mean_j s_ij``, without what the folds do to all trials    (n,)
S²          variance over the folds of one splits: mean of that of the search, of   scalar
            which the ten best trials have a mean, and of the winner's fresh splits
=========== ======================================================================= ==========

The greatest of many noisy scores is partly luck: of the splits and seeds, which fresh splits
remove, and of the rows, which they share with the search. For the luck that differs from fold to
fold, each in turn is set aside: the trial with the greatest mean over the folds that share no
held-out row with it is scored on it. With ``i(j) = argmax_i sum_l s_il`` over those l,

    o = max_i mean_j s_ij - mean_j s_i(j)j        (not below 0),

where repeated k-fold splits take the other folds of the same repeat. Where nearly all folds share
rows, as random ones do, o is not known: nothing is subtracted, and that is said (cf. Tibshirani &
Tibshirani 2009, A bias correction for the minimum error rate in cross-validation). All folds share
most of their training rows, and o does not see the luck of these: where searches were compared with
new rows, it was half as much again. Splits that had no part in choosing a trial have left only
that, so the score to expect of the winner on new data is ``g_i - o / 2`` where they judge it, and
``g_i - 3 o / 2`` where none do.

The winner has the greatest f_i. Fresh splits may be harder than others, for all, and only some
trials are scored on them. So they are centred: on each, the trials scored there keep the mean that
they had before it.

The winner's interval is that of Student with the variance

    S² (1 / k + p / (1 - p))

of Nadeau & Bengio (2003), Inference for the generalization error: however many splits, the chance
of the rows stays. It has m - 1 degrees of freedom for each of the splits of which S² is the mean,
and ends where the metric does, such as at an accuracy of 1.

For the probability to be the best, the trials are independent and normal, each with the variance
``v_i w_i`` around f_i; exact ties share it. Repeats in the search count in v_i as so
many fresh splits.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats

from gpsearch.evaluation import UNBOUNDED, told_apart
from gpsearch.execution.fresh_scores import JUDGING, Array, FreshScores
from gpsearch.strategy.history import FoldStatistics
from gpsearch.study.confirmation import LEVEL

SURE = 0.95  # probability of being the best at which the others are not scored again
HOPELESS = 0.05  # probability of being the best, or better than the winner, that is too small
REACH = 0.05  # chance of becoming sure below which the trials are tied
OF_ROWS = 0.5  # luck of the rows, that all folds share, for each of o
DRAWS = 2000
MEASURED = 10  # trials of the greatest means, over which S² is averaged


@dataclass(frozen=True)
class Standing:
    """The trials after so many fresh splits."""

    judged: Array
    """g_i; NaN where a training failed."""
    compared: Array
    """f_i; minus infinity likewise."""
    left: Array
    """w_i."""
    best: Array
    """Probability of each to be the best."""
    ahead: Array
    """Probability of each to be better than the winner."""

    @property
    def winner(self) -> int:
        """The row of the best."""
        return int(self.compared.argmax())

    @property
    def is_sure(self) -> bool:
        """Whether one is the best with 95 %."""
        return bool(self.best.max() >= SURE)

    @property
    def rivals(self) -> list[int]:
        """Those that may be the best; where all are improbable, those that are tied."""
        return [i for i in self.tied if self.best[i] >= HOPELESS] or self.tied

    @property
    def tied(self) -> list[int]:
        """Those that cannot be told from the winner, the most probable first."""
        if self.is_sure:
            return []
        ranked = np.argsort(-self.best, kind="stable")
        return [int(i) for i in ranked if self.ahead[i] >= HOPELESS and i != self.winner]


class Estimate:
    """What follows from scores: who is the best, with what probability, and worth how much.

    `statistics` are of the trials of the search; `scored_share` is p, by default 1/k; `held_out`
    are the rows that each fold scores, by default no two share one; the metric lies within
    `bounds`.
    """

    def __init__(
        self,
        scores: FreshScores,
        statistics: FoldStatistics,
        *,
        scored_share: float | None = None,
        held_out: Sequence[NDArray[Any]] | None = None,
        bounds: tuple[float, float] = UNBOUNDED,
    ) -> None:
        self.scores, self._bounds = scores, scores.within(bounds)
        s, k = scores.of_search, scores.n_folds
        p = scored_share or 1.0 / k
        self.of_rows = p / (1.0 - p)
        self._parts = parts = max(2, min(k, round(1.0 / p)))
        rows = held_out if held_out is not None and len(held_out) == k else None
        known = optimism(s, apart_folds(rows, parts))
        self.is_corrected, self.optimism = known is not None, known or 0.0
        self.of_choice = optimism(s) if known is None else known
        """o, or that of the splits alone, where that of the rows they share is not known."""
        variances = statistics.scatters(scores.trials)
        variances *= _left(k / parts - 1.0) / parts
        # Scores that differ by the same on all folds are not certain for that.
        spread = float(np.median(s.var(axis=1, ddof=1))) / k
        self._v = np.maximum(variances, 1e-6 * spread)
        self._standings: dict[bytes, Standing] = {}

    @property
    def favourite(self) -> int:
        """The row of the greatest score of the search."""
        return int(np.argmax([told_apart(trial.score) for trial in self.scores.trials]))

    def quantile(self, splits: int) -> float:
        """Of Student, for an interval with the variance of so many splits."""
        return float(stats.t.ppf(0.5 + LEVEL / 2, splits * (self._parts - 1)))

    def standing(self, splits: float = math.inf) -> Standing:
        """The trials after these fresh splits."""
        f = self.scores.of_search.mean(axis=1)
        g, r = f.copy(), np.zeros(len(f))
        for split in self.scores.choosing(splits):
            fresh = self.scores.on(split)
            rows = list(fresh)
            change = np.array([np.mean(scores) for scores in fresh.values()]) - f[rows]
            harder = np.nansum(change) / max(1, np.isfinite(change).sum())
            r[rows] += 1
            f[rows] += (change - harder) / (1 + r[rows])
        for i, scores in self.scores.on(JUDGING).items():
            g[i] = np.mean(scores)
        g += 0 * f  # NaN, too, where it failed on choosing splits
        key = f.tobytes() + g.tobytes() + r.tobytes()  # of an earlier round it is asked for again
        if key not in self._standings:
            self._standings[key] = self._standing(f, g, _left(r))
        return self._standings[key]

    def _standing(self, f: Array, g: Array, w: Array) -> Standing:
        """Who is the best of trials with these means, and with what probability."""
        told = np.array([told_apart(mean) for mean in f])  # of equal means the first is the best
        compared = np.where(np.isnan(g), -np.inf, told)
        noise = np.random.default_rng(0).standard_normal((DRAWS, len(f)))
        draws = compared + np.sqrt(self._v * w) * noise
        first = draws == draws.max(axis=1, keepdims=True)
        best = (first / first.sum(axis=1, keepdims=True)).mean(axis=0)
        top, variances = int(compared.argmax()), self._v * w
        error = np.sqrt(variances + variances[top]) + np.finfo(float).tiny
        behind = np.nan_to_num(compared[top], neginf=0.0) - compared
        with np.errstate(over="ignore"):  # far behind an enormous score
            return Standing(g, compared, w, best, stats.norm.sf(behind / error))

    def may_tell(self, standing: Standing, further: float) -> bool:
        """Whether so many further fresh splits may make one trial the best with 95 %.

        They move ``f_i`` by a variance of ``v_i (w_i - w'_i)`` and leave ``v_i w'_i``. Where the
        chance that one is then sure to be the best is below 5 %, the trials are tied.
        """
        rows = [standing.winner, *standing.rivals]
        w, v = standing.left[rows], self._v[rows]
        later = _left(1.0 / (2.0 * w - 1.0) - 1.0 + further)
        noise = np.random.default_rng(0).standard_normal((DRAWS, len(rows)))
        drawn = standing.compared[rows] + np.sqrt(v * (w - later)) * noise
        each, first = np.arange(DRAWS), drawn.argmax(axis=1)
        error = np.sqrt((v * later)[first][:, None] + v * later) + np.finfo(float).tiny
        ahead = stats.norm.cdf((drawn.max(axis=1, keepdims=True) - drawn) / error)
        ahead[each, first] = 1.0
        return bool(np.mean(ahead.prod(axis=1) >= SURE) >= REACH)

    def worth(self, standing: Standing, i: int) -> float:
        """Score of a trial on new data, whatever the bounds; NaN where a training failed."""
        seen = 0.0 if i in self.scores.on(JUDGING) else 1.0
        return float(standing.judged[i]) - self.optimism * (seen + OF_ROWS)

    def expected(self, standing: Standing, i: int) -> float:
        """The same within the bounds of the metric."""
        return self._within(self.worth(standing, i))

    def interval(self, standing: Standing, i: int) -> tuple[float, float]:
        """Where that score lies with 90 %."""
        variances = self._fold_variances(i)
        variance = np.mean(variances) * (1 / self.scores.n_folds + self.of_rows)
        error = self.quantile(len(variances)) * math.sqrt(variance)
        middle = self.expected(standing, i)  # within the bounds: clipping leaves an interval
        return self._within(middle - error), self._within(middle + error)

    def _within(self, score: float) -> float:
        return float(np.clip(score, *self._bounds))

    def _fold_variances(self, i: int) -> list[float]:
        """Of the splits of which S² of trial i is the mean."""
        s = self.scores.of_search
        top = np.argsort(-s.mean(axis=1), kind="stable")[:MEASURED]
        fresh = [self.scores.on(split).get(i, []) for split in (JUDGING, *self.scores.choosing())]
        whole = [of for of in fresh if len(of) == s.shape[1] and np.isfinite(of).all()]
        variances = [float(np.var(of, ddof=1)) for of in whole]
        return [float(s[top].var(axis=1, ddof=1).mean()), *variances]


def optimism(scores: NDArray[np.float64], apart: NDArray[np.bool_] | None = None) -> float | None:
    """By how much the greatest mean of the (n, k) scores exceeds what it is worth: o.

    `apart` says which folds (columns) may choose the trial that each fold (row) judges, by default
    all others; a fold for which none may does not judge. None where no fold does.

    >>> round(optimism(np.array([[0.9, 0.5], [0.6, 0.6]])), 3)
    0.15
    """
    means = scores.mean(axis=1)
    apart = ~np.eye(scores.shape[1], dtype=bool) if apart is None else apart
    judges = [j for j, choosing in enumerate(apart) if choosing.any()]
    if not judges:
        return None
    chosen = [int(scores[:, apart[j]].sum(axis=1).argmax()) for j in judges]
    judged = float(np.mean([scores[i, j] for i, j in zip(chosen, judges, strict=True)]))
    if len(judges) < len(apart):  # they may be harder than the others
        judged += float(means.mean() - scores[:, judges].mean())
    return max(float(means.max()) - judged, 0.0)


def apart_folds(held_out: Sequence[NDArray[Any]] | None, parts: int) -> NDArray[np.bool_] | None:
    """Pairs of folds that share no held-out row, of those that have enough; None for all pairs."""
    if held_out is None:
        return None
    columns = np.concatenate(held_out)
    starts = np.cumsum([0, *map(len, held_out)])
    of_fold = sparse.csr_array((np.ones(len(columns)), columns, starts))
    apart = (of_fold @ of_fold.T).toarray() == 0
    apart[apart.sum(axis=1) < min(2, parts - 1)] = False
    return apart


def _left(splits: Any) -> Any:
    """Share of the luck that is left after so many fresh splits: w."""
    return (1.0 + 1.0 / (1.0 + splits)) / 2.0
