"""The contest after a search: which trials are scored again on fresh splits.

It goes in rounds, one for each fresh splits: the trials that may still be the best are scored on
all their folds. It ends where one is the best with 95 %, where the share of the search is spent,
and where they are tied: what is left of the share would hardly tell one from the others. In the end
the winner, and the baseline with it, is judged: scored on splits that had no part in choosing it.

`gpsearch.execution.winner` says what follows for the winner, and has the symbols.
"""

import itertools
import math
from typing import Any

import numpy as np

from gpsearch.errors import InvalidObjectiveError
from gpsearch.evaluation import Objective, Params
from gpsearch.execution.fresh_scores import JUDGING, Fresh, FreshScores
from gpsearch.execution.winner import OF_ROWS, Estimate, Standing
from gpsearch.execution.workers.job import sentence
from gpsearch.strategy.history import FoldStatistics
from gpsearch.study import Study
from gpsearch.study.confirmation import Confirmation
from gpsearch.study.trial import BASELINE, Trial
from gpsearch.surrogate.warping import LARGEST_LOSS

TRIED = (2_000_003, 2_000_029, 2_000_039)  # seeds of splits, before a search; hardly the user's
SHARE = 0.15  # of what the search took, that fresh splits may take by default
LEAST = 4  # complete trials, below which nothing is said


class Contest:
    """What is scored on fresh splits next, and what follows: a function of the study alone.

    So a search that was killed goes on as if nothing had happened, and workers change nothing.

    The trials of `study` have ended; `fresh` is what was scored on fresh splits so far, and may
    grow. These may take a `share` of what the search took, by work where it is known and by folds
    elsewhere, those of an earlier end of the same study included; `off` says why there are none.
    The `baseline` is by default that of the last ``baseline=``; `options` are those of `Estimate`.
    """

    def __init__(
        self,
        study: Study,
        fresh: Fresh,
        *,
        share: float = SHARE,
        off: str = "",
        baseline: Params | None = None,
        **options: Any,
    ) -> None:
        self._off, self._n_ended = off, len(study.ended)
        self._k = k = max((len(trial.folds) for trial in study.complete), default=0)
        self._trials = [trial for trial in study.complete if len(trial.folds) == k]
        named = [trial for trial in study.ended if trial.origin == BASELINE][-1:]
        alike = named if baseline is None else evaluations(study, baseline)
        ended = [trial for trial in alike if trial.finished]
        whole = [trial for trial in ended if trial.state != "stopped"]
        self._compared = next(iter(whole or ended), None)
        scores = [trial.score for trial in self._trials]
        self.can_tell = len(scores) >= LEAST and k > 1 and max(scores) <= LARGEST_LOSS
        if not self.can_tell:
            return
        self._scores = FreshScores(self._trials, {} if off else fresh)
        self._estimate = Estimate(self._scores, FoldStatistics.of(study.ended), **options)
        # Of given trials, those that a narrower space of the study evaluated took their time.
        took_time = [trial for trial in study.ended if trial.seconds or not trial.is_given]
        evaluated = [trial for trial in took_time if trial.folds]
        by_work = all(trial.work for trial in evaluated)
        costs = [(t.work or 0.0) if by_work else float(len(t.folds)) for t in evaluated]
        works = [trial.work for trial in self._trials if trial.work]
        usual = float(np.median(works)) if by_work and works else float(k)
        self._costs = np.array([(t.work if by_work else None) or usual for t in self._trials])
        self._budget = share * math.fsum(costs)

    def missing(self) -> list[tuple[int, int]]:
        """Trials and fresh splits to evaluate now, in any order; none where the contest is over."""
        if not self.can_tell or self._off:
            return []
        fresh = self._scores.fresh
        costs = {trial.number: cost for trial, cost in zip(self._trials, self._costs, strict=True)}
        # One that is being scored is of this contest, which may have to pay for it still.
        over = {(split, number) for split, _ in fresh for number in self._scores.ended(split)}
        earlier: set[tuple[int, int]] = set()  # of a contest among fewer trials
        while True:
            spent = math.fsum(costs.get(number, 0.0) for _, number in earlier)
            found, seen = self._round(self._budget - spent)
            if over <= seen | earlier:
                return found
            earlier |= over - seen  # only ever more, so that this ends

    def verdict(self) -> Confirmation | None:
        """What is known of the winner; None where there are too few trials, or no folds."""
        if not self.can_tell:
            few = f"an estimate takes {LEAST} complete trials; the study has {len(self._trials)}."
            large = f"scores beyond {LARGEST_LOSS:g} have no squares to estimate an error from."
            off = f"Nothing was confirmed: {few if len(self._trials) < LEAST else large}"
            return Confirmation(trials=self._n_ended, off=off) if self._k > 1 else None
        estimate, scores = self._estimate, self._scores
        standing = estimate.standing()
        winner, favourite = standing.winner, estimate.favourite
        low, high = estimate.interval(standing, winner)
        searched = self._trials[favourite].score
        scored = [fold.score for folds in scores.fresh.values() for fold in folds]
        return Confirmation(
            trials=self._n_ended,
            off=self._off or scores.why_none_counts(),
            corrected=estimate.is_corrected,
            winner=self._trials[winner].number,
            probability=float(standing.best[winner]),
            expected=estimate.expected(standing, winner),
            low=low,
            high=high,
            favourite=self._trials[favourite].number,
            searched=searched,
            luck=searched - estimate.worth(standing, favourite),
            contenders=tuple(sorted({n for split, n in scores.fresh if split not in scores.void})),
            compared=len(self._trials),
            tied=tuple(self._trials[i].number for i in standing.tied),
            folds=sum(map(math.isfinite, scored)),
            void=len(scores.void),
            cut=bool(self.missing()),
            **_gain_facts(estimate, standing, self._compared, self._baseline),
        )

    def _round(self, left: float) -> tuple[list[tuple[int, int]], set[tuple[int, int]]]:
        """What the first round that is not over lacks; and, trial and splits, all up to there."""
        seen: set[tuple[int, int]] = set()
        for split in itertools.count(1):
            entrants = self._entrants(split, left)
            seen |= {(split, self._trials[i].number) for i in entrants}
            lacking = [i for i in entrants if not self._scores.is_over(split, i)]
            if lacking:
                return [(self._trials[i].number, split) for i in lacking], seen
            if not entrants:
                break
            left -= float(self._costs[entrants].sum())
        judged = self._to_judge(left)
        lacking = [i for i in judged if not self._scores.is_over(JUDGING, i)]
        seen |= {(JUDGING, self._trials[i].number) for i in judged}
        return [(self._trials[i].number, JUDGING) for i in lacking], seen

    def _to_judge(self, left: float) -> list[int]:
        """The winner and the baseline, and one more where the judging splits are void."""
        standing = self._estimate.standing()
        wanted = self._both(standing)
        ended = all(self._scores.is_over(JUDGING, i) for i in wanted)
        if ended and self._scores.is_void(JUDGING):
            wanted += self._untried(standing, JUDGING)
        return self._affordable(wanted, left)

    def _entrants(self, split: int, left: float) -> list[int]:
        """Trials to score on these fresh splits, the most promising first, as the budget allows."""
        before, scores = split - 1, self._scores
        standing = self._estimate.standing(before)
        wanted = [standing.winner, *standing.rivals]
        left -= self._costs[self._both(standing)].sum()  # to judge them
        further = left / float(self._costs[wanted[:2]].sum())
        if standing.is_sure or not self._estimate.may_tell(standing, max(further, 0.0)):
            return []
        if split > 1 and scores.is_void(before):
            wanted += [i for i in self._untried(standing, before) if i not in wanted]
        entrants = self._affordable(wanted, left)
        return entrants if len(entrants) > 1 else []  # one alone is compared with nobody

    def _both(self, standing: Standing) -> list[int]:
        """The winner, and the baseline where it is another."""
        others = {self._baseline} - {None, standing.winner}
        return [standing.winner, *(i for i in others if i is not None)]

    def _untried(self, standing: Standing, split: int) -> list[int]:
        """The most promising trial that has not ended on these splits, all failures so far."""
        tried = self._scores.ended(split)
        ranked = np.argsort(-standing.compared, kind="stable")
        return [int(i) for i in ranked if self._trials[i].number not in tried][:1]

    def _affordable(self, wanted: list[int], left: float) -> list[int]:
        spent = np.cumsum(self._costs[wanted])
        return [i for i, cost in zip(wanted, spent, strict=True) if cost <= left]

    @property
    def _baseline(self) -> int | None:
        """Row of the baseline; None where there is none, or it was not scored."""
        compared = self._compared and self._compared.number
        return next((i for i, t in enumerate(self._trials) if t.number == compared), None)


def why_off(objective: Objective) -> str:
    """Why the splits of an objective cannot be drawn afresh, as a sentence; else empty."""
    if not hasattr(objective, "with_fresh_folds"):
        return "Nothing was scored again: the objective has no splits to draw afresh."
    before, why = _parts(objective), ""
    for seed in TRIED:
        try:
            fresh = objective.with_fresh_folds(seed)
        except InvalidObjectiveError as error:
            why = f"{error.argument}={error.value} {error.rule}"
        except Exception as error:  # the user's splitter
            why = f"its splits cannot be drawn afresh: {sentence(error)}."
        else:
            if before is None or _parts(fresh) != before:
                return ""
            why = "its splits are the same for every random_state."
    return f"Nothing was scored again: {why}"


def _parts(objective: Objective) -> set[bytes] | None:
    """The rows that the folds score, to be compared; None where they are not known."""
    held_out = getattr(objective, "held_out", None)
    return None if held_out is None else {np.sort(rows).tobytes() for rows in held_out}


def evaluations(study: Study, params: Params) -> list[Trial]:
    """The trials in which a search has evaluated this configuration, or does."""
    space = study.space
    wanted = space.key(space.point(params))
    return [
        trial
        for trial in study.trials
        if (not trial.is_given or trial.origin == BASELINE)
        and space.key(space.point(trial.params)) == wanted
    ]


def _gain_facts(
    estimate: Estimate, standing: Standing, compared: Trial | None, baseline: int | None
) -> dict[str, Any]:
    """What a `Confirmation` holds of the baseline `compared`, and of its row where it has one.

    The gain is ``g_i - o / 2`` less ``g`` of the baseline. Where one of the two was not judged, it
    is the difference of their means over the search less o, so that no splits are harder for one
    than for the other, and o is that of the splits where that of the rows is not known. Its
    interval is that of the winner, with the variance of the differences of their folds for S².
    """
    if compared is None:
        return {}
    if baseline == standing.winner:
        return {"baseline": compared.number}
    if baseline is None or math.isnan(standing.judged[baseline]):
        off = f"was {compared.reason}" if compared.state == "stopped" else "failed"
        off += " on fresh splits" if baseline is not None else ""
        return {"baseline": compared.number, "gain": math.nan, "gain_off": off}
    winner, scores, k = standing.winner, estimate.scores, estimate.scores.n_folds
    differences, splits = scores.of_search[winner] - scores.of_search[baseline], 1
    gain = float(differences.mean()) - (estimate.of_choice or 0.0)
    judging = scores.on(JUDGING)
    if winner in judging and baseline in judging:
        judged = np.subtract(judging[winner], judging[baseline])
        gain = float(judged.mean()) - estimate.optimism * OF_ROWS
        differences, splits = np.concatenate([differences, judged]), 2
    variance, quantile = float(differences.var(ddof=1)), estimate.quantile(splits)
    error = quantile * math.sqrt(variance * (1 / k + estimate.of_rows))
    more: int | None = 0  # folds of both, after which the interval no longer holds 0
    if gain <= error:
        left = -estimate.of_rows
        if variance > 0 and gain > 0:
            left += (gain / quantile) ** 2 / variance
        more = max(k, math.ceil(1 / left) - k) if left > 0 else None
    return {
        "baseline": compared.number,
        "gain": gain,
        "gain_low": gain - error,
        "gain_high": gain + error,
        "more_folds": more,
    }
