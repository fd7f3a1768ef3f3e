"""The contest after a search: which trials are scored again on fresh splits, and what follows.

=========== ======================================================================= ==========
symbol      meaning                                                                 shape
=========== ======================================================================= ==========
n           trials that were scored on every fold                                   scalar
k           folds of a complete trial                                               scalar
p           share of the rows that one fold scores, ``1/k`` for k parts             scalar
m           parts of the rows, ``1/p``; fewer than k where splits repeat               scalar
s_ij        score of trial i on fold j of the search                                (n, k)
r_i         fresh splits on which trial i was scored                                (n,)
f_i         mean of trial i over the folds of the search and of its fresh splits    (n,)
o           optimism of the greatest mean of the search                             scalar
v_i         variance of ``mean_j s_ij``, without what the folds do to all trials    (n,)
S²          variance over the folds of one splits: mean of that of the search, of   scalar
            which the ten best trials have a mean, and of each one's fresh splits
=========== ======================================================================= ==========

The greatest of many noisy scores is partly luck: of the splits and seeds, which fresh splits
remove, and of the rows, which they share with the search. For both together, each fold in turn is
set aside: the trial with the greatest mean over the folds that share no held-out row with it is
scored on it, which had no part in that choice. With ``i(j) = argmax_i sum_l s_il`` over those l,

    o = max_i mean_j s_ij - mean_j s_i(j)j        (not below 0),

where repeated k-fold splits take the other folds of the same repeat. Where nearly all folds share
rows, as random ones do, o is not known: nothing is subtracted, and that is said. The score to
expect of a trial on new data is ``f_i - o`` (cf. Tibshirani & Tibshirani 2009, A bias correction
for the minimum error rate in cross-validation). A trial that was scored again has lost the luck of
the splits and another has not: the winner has the greatest ``f_i - o w_i`` with
``w_i = (1 + 1 / (1 + r_i)) / 2``, half of the luck being that of the rows.

The winner's interval is that of Student with m - 1 degrees of freedom, since repeats and fresh
splits cut the same rows, with the variance

    S² (1 / (k (1 + r)) + p / (1 - p))

of Nadeau & Bengio (2003), Inference for the generalization error: however many splits, the chance
of the rows stays. The gain over a baseline, which nobody chose, is ``f_i - o`` less the baseline's
mean, with the variance of the differences of their folds in place of S².

For the probability to be the best, the trials are independent and normal, each with the variance
``v_i w_i`` around ``f_i - o w_i``; exact ties share it. Repeats in the search count in v_i as so
many fresh splits.

Fresh splits on which several trials fail, or all that were scored, say nothing of the trials (a
part without a positive has no area under the curve): they do not count for any. A trial that fails
alone where others were scored has failed, and does not win.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gpsearch.evaluation import FoldResult, Params
from gpsearch.execution.splits import apart_folds, optimism
from gpsearch.strategy.history import FoldStatistics
from gpsearch.study import Study
from gpsearch.study.confirmation import LEVEL, Confirmation
from gpsearch.study.trial import BASELINE, GIVEN, Trial

Array = NDArray[np.float64]
Fresh = Mapping[tuple[int, int], Sequence[FoldResult]]
"""Fold results by the number of the fresh splits and that of the trial."""

SHARE = 0.15  # of what the search took, that fresh splits may take by default
SURE = 0.95  # probability of being the best at which the contest is over
HOPELESS = 0.05  # probability of being the best below which a trial is not scored again
LEAST = 4  # complete trials, below which nothing is said
DRAWS = 2000
MEASURED = 10  # trials of the greatest means, over which S² is averaged


class Contest:
    """What is scored on fresh splits next, and what follows: a function of the study alone.

    It goes in rounds, one for each fresh splits: the trials that may still be the best are scored
    on all their folds. So a search that was killed goes on as if nothing had happened, and workers
    change nothing.

    Parameters
    ----------
    study : Study
        Its trials have ended.
    fresh : dict
        What was scored on fresh splits so far; it may grow.
    share : float
        Of what the search took, by work where it is known and by folds elsewhere, that fresh
        splits may take.
    off : str
        Why there are no fresh splits; else empty.
    scored_share : float, optional
        p; by default 1/k.
    baseline : dict, optional
        The configuration to compare with; by default that of the last ``baseline=``.
    held_out : list of arrays, optional
        Rows that each fold scores; by default no two folds share one.
    """

    def __init__(
        self,
        study: Study,
        fresh: Fresh,
        *,
        share: float = SHARE,
        off: str = "",
        scored_share: float | None = None,
        baseline: Params | None = None,
        held_out: Sequence[NDArray[Any]] | None = None,
    ) -> None:
        self._fresh, self._off = {} if off else fresh, off
        self._n_ended = len(study.ended)
        self._k = k = max((len(trial.folds) for trial in study.complete), default=0)
        self._trials = [trial for trial in study.complete if len(trial.folds) == k]
        named = [trial for trial in study.ended if trial.origin == BASELINE][-1:]
        alike = named if baseline is None else evaluations(study, baseline)
        self._compared = next((trial for trial in alike if trial.finished), None)
        self.can_tell = len(self._trials) >= LEAST and k > 1
        if not self.can_tell:
            return
        p = scored_share or 1.0 / k
        self._of_rows = p / (1.0 - p)
        self._parts = max(2, min(k, round(1.0 / p)))
        self._scores = np.array([[fold.score for fold in trial.folds] for trial in self._trials])
        rows = held_out if held_out is not None and len(held_out) == k else None
        known = optimism(self._scores, apart_folds(rows, self._parts))
        self._is_corrected, self._optimism = known is not None, known or 0.0
        statistics = FoldStatistics.of(study.ended)
        repeats = k / self._parts
        variances = np.array([statistics.scatter(trial) for trial in self._trials])
        variances *= _left(repeats - 1.0) / self._parts
        # Scores that differ by the same on all folds are not certain for that.
        spread = float(np.median(self._scores.var(axis=1, ddof=1))) / k
        self._v = np.maximum(variances, 1e-6 * spread)
        evaluated = [trial for trial in study.ended if trial.origin != GIVEN and trial.folds]
        by_work = all(trial.work for trial in evaluated)
        costs = [(t.work or 0.0) if by_work else float(len(t.folds)) for t in evaluated]
        usual = float(np.median(costs)) if by_work and costs else float(k)
        self._costs = np.array([(t.work if by_work else None) or usual for t in self._trials])
        self._budget = share * math.fsum(costs)

    def missing(self) -> list[tuple[int, int]]:
        """Trials and fresh splits to evaluate now, by number; none where the contest is over.

        They are of one round, and may be evaluated in any order.
        """
        if not self.can_tell or self._off:
            return []
        left = self._budget
        for split in itertools.count(1):
            entrants = self._entrants(split, left)
            open_ones = [i for i in entrants if not self._is_over(split, i)]
            if open_ones or not entrants:
                return [(self._trials[i].number, split) for i in open_ones]
            left -= float(self._costs[entrants].sum())
        raise AssertionError

    def verdict(self) -> Confirmation | None:
        """What is known of the winner; None where there are too few trials, or no folds."""
        if not self.can_tell:
            few = f"an estimate takes {LEAST} complete trials; the study has {len(self._trials)}."
            off = f"Nothing was confirmed: {few}"
            return Confirmation(trials=self._n_ended, off=off) if self._k > 1 else None
        means, best, winner = self._standing()
        expected = means - self._optimism
        favourite = int(self._scores.mean(axis=1).argmax())
        folds = self._k * (1 + len(self._means(winner)))
        error = self._quantile * math.sqrt(self._fold_variance() * (1 / folds + self._of_rows))
        searched = self._trials[favourite].score
        numbers = [trial.number for trial in self._trials]
        return Confirmation(
            trials=self._n_ended,
            off=self._off or self._none_counts(),
            corrected=self._is_corrected,
            winner=numbers[winner],
            probability=float(best[winner]),
            expected=float(expected[winner]),
            low=float(expected[winner]) - error,
            high=float(expected[winner]) + error,
            favourite=numbers[favourite],
            searched=searched,
            luck=self._optimism
            if math.isnan(expected[favourite])
            else searched - float(expected[favourite]),
            contenders=tuple(sorted({n for split, n in self._fresh if not self._is_void(split)})),
            compared=len(numbers),
            tied=tuple(numbers[i] for i in _open(best) if i != winner),
            folds=sum(math.isfinite(f.score) for folds in self._fresh.values() for f in folds),
            void=sum(map(self._is_void, self._splits)),
            **self._against_baseline(winner, means),
        )

    def _entrants(self, split: int, left: float) -> list[int]:
        """Trials to score on these fresh splits, the most promising first, as the budget allows."""
        means, best, winner = self._standing(split - 1)
        wanted = [i for i in _open(best) if i != winner]
        wanted = [winner, *wanted] if best[winner] < SURE else []
        baseline = self._baseline
        if baseline is not None and baseline != winner and not math.isnan(means[baseline]):
            gain, error, _ = self._gain(winner, baseline, means, split - 1)
            if gain <= error:  # it comes third, if not before
                wanted = [i for i in wanted or [winner] if i != baseline]
                wanted.insert(2, baseline)
        spent = np.cumsum(self._costs[wanted])
        return [i for i, cost in zip(wanted, spent, strict=True) if cost <= left]

    def _folds(self, i: int, splits: float = math.inf) -> dict[int, list[float]]:
        """Scores of trial i on each fresh splits that count and that it has finished, up to one."""
        number = self._trials[i].number
        return {
            split: [fold.score for fold in folds]
            for (split, other), folds in self._fresh.items()
            if other == number
            and split <= splits
            and self._is_over(split, i)
            and not self._is_void(split)
        }

    def _means(self, i: int, splits: float = math.inf) -> list[float]:
        return [float(np.mean(scores)) for scores in self._folds(i, splits).values()]

    def _is_over(self, split: int, i: int) -> bool:
        folds = self._fresh.get((split, self._trials[i].number), ())
        return len(folds) == self._k or _has_failed(folds)

    @property
    def _splits(self) -> set[int]:
        return {split for split, _ in self._fresh}

    def _is_void(self, split: int) -> bool:
        """Whether fresh splits count for no trial: several failed, or all that were scored."""
        scored = [folds for (other, _), folds in self._fresh.items() if other == split]
        failed = sum(map(_has_failed, scored))
        return failed > 1 or failed == len(scored)

    def _none_counts(self) -> str:
        if not self._fresh or not all(map(self._is_void, self._splits)):
            return ""
        errors = [fold.error for folds in self._fresh.values() for fold in folds if fold.error]
        return (
            "This is from the search alone, for trials could not be scored on fresh splits: "
            + (errors[0].rstrip(".") if errors else "they failed")
            + "."
        )

    def _standing(self, splits: float = math.inf) -> tuple[Array, Array, int]:
        """F after so many fresh splits, probabilities to be the best, and the winner.

        f is NaN where a training failed.
        """
        means = [self._means(i, splits) for i in range(len(self._trials))]
        of_search = self._scores.mean(axis=1).tolist()
        f = np.array([np.mean([s, *fresh]) for s, fresh in zip(of_search, means, strict=True)])
        w = np.array([_left(len(fresh)) for fresh in means])
        compared = np.where(np.isnan(f), -np.inf, f - self._optimism * w)
        noise = np.random.default_rng(0).standard_normal((DRAWS, len(f)))
        draws = compared + np.sqrt(self._v * w) * noise
        first = draws == draws.max(axis=1, keepdims=True)
        best = (first / first.sum(axis=1, keepdims=True)).mean(axis=0)
        return f, best, int(compared.argmax())

    def _fold_variance(self) -> float:
        """S²."""
        top = np.argsort(-self._scores.mean(axis=1), kind="stable")[:MEASURED]
        variances = [float(self._scores[top].var(axis=1, ddof=1).mean())]
        for i in range(len(self._trials)):
            fresh = [scores for scores in self._folds(i).values() if len(scores) == self._k]
            variances += [float(np.var(scores, ddof=1)) for scores in fresh]
        return float(np.nanmean(variances))

    @property
    def _baseline(self) -> int | None:
        """Row of the baseline; None where there is none, or it was not scored."""
        compared = self._compared and self._compared.number
        return next((i for i, t in enumerate(self._trials) if t.number == compared), None)

    def _gain(
        self, winner: int, baseline: int, means: Array, splits: float = math.inf
    ) -> tuple[float, float, float]:
        """Expected gain of the winner, half of its interval, and the variance of a difference."""
        gain = float(means[winner] - self._optimism - means[baseline])
        mine, theirs = self._folds(winner, splits), self._folds(baseline, splits)
        both = [np.subtract(mine[split], theirs[split]) for split in mine.keys() & theirs.keys()]
        differences = np.concatenate([self._scores[winner] - self._scores[baseline], *both])
        variance, n = float(differences.var(ddof=1)), len(differences)
        error = self._quantile * math.sqrt(variance * (1 / n + self._of_rows))
        return gain, error, variance

    def _against_baseline(self, winner: int, means: Array) -> dict[str, Any]:
        if self._compared is None:
            return {}
        number, baseline = self._compared.number, self._baseline
        if baseline == winner:
            return {"baseline": number}
        if baseline is None or math.isnan(means[baseline]):
            stopped = self._compared.state == "stopped"
            off = f"was {self._compared.reason}" if stopped else "failed"
            off += " on fresh splits" if baseline is not None else ""
            return {"baseline": number, "gain": math.nan, "gain_off": off}
        gain, error, variance = self._gain(winner, baseline, means)
        have = self._k * (1 + len(self._folds(winner).keys() & self._folds(baseline).keys()))
        more: int | None = 0
        if gain <= error:
            left = -self._of_rows
            if variance > 0 and gain > 0:
                left += (gain / self._quantile) ** 2 / variance
            more = max(self._k, math.ceil(1 / left) - have) if left > 0 else None
        return {
            "baseline": number,
            "gain": gain,
            "gain_low": gain - error,
            "gain_high": gain + error,
            "more_folds": more,
        }

    @property
    def _quantile(self) -> float:
        return float(stats.t.ppf(0.5 + LEVEL / 2, self._parts - 1))


def _has_failed(folds: Sequence[FoldResult]) -> bool:
    return any(math.isnan(fold.score) for fold in folds)


def _open(best: Array) -> list[int]:
    """Trials that may be the best, the most probable first; none where one is sure to be."""
    least = min(HOPELESS, float(best.max())) if best.max() < SURE else math.inf
    return [int(i) for i in np.argsort(-best, kind="stable") if best[i] >= least]


def _left(splits: float) -> float:
    """Share of the luck that is left after so many fresh splits: w."""
    return (1.0 + 1.0 / (1.0 + splits)) / 2.0


def evaluations(study: Study, params: Params) -> list[Trial]:
    """The trials in which a search has evaluated this configuration, or does."""

    def key(params: Mapping[str, Any]) -> Hashable:
        return study.space.key(study.space.point(dict(params)))

    wanted = key(params)
    return [t for t in study.trials if t.origin != GIVEN and key(t.params) == wanted]
