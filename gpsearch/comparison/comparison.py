"""A comparison: what several strategies found in each repeat, and what follows from it.

=========== ================================================================ =========
symbol      meaning                                                          shape
=========== ================================================================ =========
S, R, n     strategies, repeats, evaluations of each run                     scalars
B           best score so far, greater is better                             (S, R, n)
area        mean of the middle half of B: how good, how early                (S, R)
=========== ================================================================ =========

Before its first success a run counts with the worst score of the comparison. A run that ended
before its budget, as when a finite space is exhausted, keeps its best. The area leaves out the
first quarter of a run, whose scores may be of any size (an R² of -1e14 where a network almost
diverged), and for balance the last quarter: it is the interquartile mean.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import trim_mean

from gpsearch.analysis.best_of_random import draws_to_reach, expected_best, scores_of_draws
from gpsearch.arguments import fraction, one_of
from gpsearch.comparison.statistics import (
    Array,
    Band,
    Difference,
    Interval,
    Saving,
    differences_of,
    holm,
    mean_band,
    mean_draws,
    mean_interval,
    wilcoxon_p,
    win_probability,
)
from gpsearch.described import counted
from gpsearch.errors import InvalidSearchError, StudyError, public
from gpsearch.evaluation import Value, as_user_value, holding_bounds
from gpsearch.lazily import method_of
from gpsearch.space import Space
from gpsearch.study import Trial
from gpsearch.study.info import StudyInfo
from gpsearch.study.study import StudyPath

if TYPE_CHECKING:
    import pandas as pd

RANDOM = "random"
SAVING_DRAWS = 1_999


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Runs of several strategies; made by `compare` or `open_comparison`."""

    runs: Mapping[str, tuple[tuple[Trial, ...], ...]]
    """For each strategy its R runs, each with its trials in order."""
    seeds: tuple[int, ...]
    """(R,) seed of each repeat, the same for every strategy."""
    n_calls: int
    """Budget of each run."""
    space: Space
    """The space that was searched."""
    greater_is_better: bool
    """False where the scores are losses of a function, negated."""
    score_name: str
    """Name of the score."""
    name: str
    """Name of the objective."""
    info: StudyInfo
    """Description of its study."""
    path: Path | None
    """File of its study; None for a study in memory."""

    # Functions that are imported when they are called.
    table = method_of("gpsearch.comparison.summary", "table")
    summary = __str__ = method_of("gpsearch.comparison.summary", "summary")
    _repr_html_ = method_of("gpsearch.comparison.summary", "summary_html")
    plot_comparison = method_of("gpsearch.plotting", "plot_comparison")
    plot_differences = method_of("gpsearch.plotting", "plot_differences")

    def __post_init__(self) -> None:
        for strategy, runs in self.runs.items():
            for repeat, trials in enumerate(runs):
                if not any(trial.state == "complete" for trial in trials):
                    failed = [trial.reason for trial in trials if trial.state == "failed"]
                    why = f": {failed[-1]}" if failed else ""
                    raise StudyError(
                        f"no trial of {strategy!r} is complete in repeat {repeat}, so there is "
                        f"nothing to compare{why}"
                    )

    @property
    def strategies(self) -> tuple[str, ...]:
        """Names of the strategies."""
        return tuple(self.runs)

    @property
    def n_repeats(self) -> int:
        """R: runs of each strategy."""
        return len(self.seeds)

    @cached_property
    def scores(self) -> Array:
        """(S, R, n) scores, greater is better; NaN where failed, stopped early or not run."""
        return self._table(lambda t: t.score if t.state == "complete" else math.nan)

    @cached_property
    def seconds(self) -> Array:
        """(S, R, n) time of each evaluation; a shared one counts in full. Zero where not run."""
        spent = self._spent
        return np.nan_to_num(self._table(lambda t: spent[self._evaluation(t)]))

    @cached_property
    def best(self) -> Array:
        """(S, R, n) best score so far, greater is better; see the module for gaps."""
        found = np.fmax.accumulate(self.scores, axis=-1)
        return np.where(np.isnan(found), np.nanmin(self.scores), found)

    @cached_property
    def area(self) -> Array:
        """(S, R) mean of the middle half of a run's best scores so far, greater is better."""
        return trim_mean(self.best, 0.25, axis=2)

    @property
    def all_equal(self) -> bool:
        """Whether every evaluation of every run has the same score."""
        return bool(np.nanmin(self.scores) == np.nanmax(self.scores))

    @public()
    def best_of(self, strategy: str) -> Array:
        """(R, n) best score so far of one strategy, greater is better."""
        return np.asarray(self.best[self._index(strategy)])

    def as_user_value(self, scores: Value) -> Value:
        """Scores in the user's unit: with their sign changed where the objective gives a loss."""
        return as_user_value(scores, self.greater_is_better)

    @public()
    def curve(self, strategy: str, confidence: float = 0.95) -> Band:
        """Mean best score so far over the repeats, in the user's units, with its band.

        The band stays within the bounds of the metric, where these are known.
        """
        band = mean_band(self.as_user_value(self.best_of(strategy)), confidence)
        return band.within(*sorted(self.as_user_value(end) for end in self._bounds))

    @public(strategy="baseline")
    def differences(
        self, baseline: str | None = None, *, confidence: float = 0.95
    ) -> tuple[Difference, ...]:
        """Compare each strategy with the baseline.

        Parameters
        ----------
        baseline : str, optional
            By default "random", or the first strategy where random search did not take part.
        confidence : float, default 0.95

        Returns
        -------
        tuple of Difference
            One for each other strategy, in their order.
        """
        baseline = self.baseline if baseline is None else baseline
        base = self._index(baseline)
        others = [strategy for strategy in self.strategies if strategy != baseline]
        rows = [self._index(strategy) for strategy in others]
        ends = [differences_of(self.best[row, :, -1], self.best[base, :, -1]) for row in rows]
        areas = [differences_of(self.area[row], self.area[base]) for row in rows]
        most = self._bounds[1] - self._bounds[0]
        p_values = [wilcoxon_p(end) for end in ends]
        return tuple(
            Difference(
                strategy=strategy,
                baseline=baseline,
                end=mean_interval(end, confidence).within(-most, most),
                area=mean_interval(area, confidence).within(-most, most),
                better=win_probability(end, confidence),
                p=p,
                p_holm=p_holm,
            )
            for strategy, end, area, p, p_holm in zip(
                others, ends, areas, p_values, holm(p_values), strict=True
            )
        )

    @public()
    def saving(self, strategy: str, *, confidence: float = 0.95) -> Saving:
        """What `strategy` saves over random search for the score it reached.

        The random evaluations of all repeats, of each configuration the first, are one sample of
        the scores of random search, which repeats none. From it follows the expected best of m
        draws, and the m at which it equals the strategy's mean best score. The interval comes from
        draws of that mean and a bootstrap of the sample, where this is not the whole space.

        Raises
        ------
        InvalidSearchError
            Random search did not take part.
        """
        fraction("confidence", confidence)
        if RANDOM not in self.runs:
            raise InvalidSearchError(
                "what a strategy saves is counted in evaluations of random search, but "
                f"{RANDOM!r} is not among the strategies {', '.join(self.strategies)}"
            )
        row, at_end = self._index(RANDOM), self.best_of(strategy)[:, -1]
        drawn = [trial for run in self.runs[RANDOM] for trial in run[: self.n_calls]]
        keys = self.space.keys([self.space.point(trial.params) for trial in drawn])
        distinct = [*dict(zip(reversed(keys), reversed(drawn), strict=True)).values()]
        pool = scores_of_draws(distinct, self._trials)
        everything = self.space.enumerate()
        is_whole = everything is not None and len(everything) == len(pool)
        rng = np.random.default_rng(0)
        reached = mean_draws(at_end, SAVING_DRAWS, rng)
        samples = pool if is_whole else rng.choice(pool, (SAVING_DRAWS, len(pool)))
        curves = np.broadcast_to(expected_best(samples), (SAVING_DRAWS, len(pool)))
        greatest = len(pool) if is_whole else math.inf  # after which there is nothing to find

        def draws(score: float, curve: Array) -> float:
            return min(draws_to_reach(score, curve), greatest)

        needed = [draws(*pair) for pair in zip(reached.tolist(), curves, strict=True)]
        tail = (1.0 - confidence) / 2.0
        # A quantile must be one of the draws: interpolation fails between a number and infinity.
        low, high = np.quantile(needed, [tail, 1.0 - tail], method="inverted_cdf")
        evaluations = Interval(
            value=draws(float(at_end.mean()), expected_best(pool)),
            low=float(low),
            high=float(high),
        )
        each = float(self.seconds[row].sum() / len(drawn))
        own = self.seconds[self._index(strategy)].sum(axis=1).mean()
        return Saving(
            strategy=strategy,
            n=self.n_calls,
            random_evaluations=evaluations,
            most=len(pool),
            seconds=float(own) + self.n_calls * self.proposal_seconds(strategy),
            random_seconds=evaluations.map(lambda needed: each * needed),
        )

    @public()
    def proposal_seconds(self, strategy: str) -> float:
        """Median time between two evaluations of a run: what a proposal costs."""
        self._index(strategy)
        waits = [
            after.started - before.ended
            for run in self.runs[strategy]
            for before, after in itertools.pairwise(run)
            if before.ended is not None
        ]
        return max(0.0, float(np.median(waits))) if waits else 0.0

    @property
    def baseline(self) -> str:
        """Default baseline: "random", or the first strategy where it did not take part."""
        return RANDOM if RANDOM in self.runs else self.strategies[0]

    def to_frame(self) -> pd.DataFrame:
        """One row for each evaluation.

        Columns: strategy, repeat, n (from 1), state, score and best (in the user's units),
        seconds, shared (taken from an equal evaluation), ``param_<name>``, seed, reason.
        """
        import pandas as pd

        names = [*self.space.names, *self.space.fixed]
        rows: list[dict[str, Any]] = []
        seen: set[Hashable] = set()
        for (s, strategy), r in itertools.product(enumerate(self.runs), range(self.n_repeats)):
            for i, trial in enumerate(self.runs[strategy][r]):
                row: dict[str, Any] = {
                    "strategy": strategy,
                    "repeat": r,
                    "n": i + 1,
                    "state": trial.state,
                    "score": self.as_user_value(trial.score),
                    "best": self.as_user_value(self.best[s, r, i]),
                    "seconds": self.seconds[s, r, i],
                    "shared": self._identity(trial) in seen,
                }
                row |= {f"param_{name}": trial.params.get(name) for name in names}
                rows.append(row | {"seed": trial.seed, "reason": trial.reason})
                seen.add(self._identity(trial))
        return pd.DataFrame(rows)

    @public()
    def report(self, path: StudyPath, **options: Any) -> Any:
        """Write one self-contained HTML page; see `gpsearch.report.render_report`."""
        return method_of("gpsearch.report", "render_report")(self, path, **options)

    def __repr__(self) -> str:
        return (
            f"<Comparison of {', '.join(self.strategies)}: {self.n_repeats} repeats of "
            f"{counted(self.n_calls, 'evaluation')}>"
        )

    @cached_property
    def _bounds(self) -> tuple[float, float]:
        """Between which the scores lie, greater is better."""
        return holding_bounds(self.info.score_bounds, self.scores.flat)

    def _index(self, strategy: str) -> int:
        return self.strategies.index(one_of("strategy", strategy, self.strategies))

    def _table(self, value: Any) -> Array:
        """(S, R, n) values of the trials; NaN where a run has fewer."""
        table = np.full((len(self.runs), self.n_repeats, self.n_calls), np.nan)
        for s, runs in enumerate(self.runs.values()):
            for r, trials in enumerate(runs[: self.n_repeats]):
                values = [value(trial) for trial in trials[: self.n_calls]]
                table[s, r, : len(values)] = values
        return table

    @property
    def _trials(self) -> list[Trial]:
        """The trials of all runs."""
        return [trial for runs in self.runs.values() for run in runs for trial in run]

    @cached_property
    def _spent(self) -> dict[Hashable, float]:
        """Seconds of each distinct evaluation, from the trial that made it first."""
        spent: dict[Hashable, float] = {}
        for trial in sorted(self._trials, key=lambda trial: trial.started):
            trained = math.fsum(fold.seconds for fold in trial.folds)
            seconds = trial.seconds if trial.state == "failed" else trained
            spent.setdefault(self._evaluation(trial), seconds)
        return spent

    def _evaluation(self, trial: Trial) -> Hashable:
        # Racing may stop one of two equal trials earlier than the other.
        return (self._identity(trial), trial.state, len(trial.folds))

    def _identity(self, trial: Trial) -> Hashable:
        return (trial.seed, self.space.key(self.space.point(trial.params)))
