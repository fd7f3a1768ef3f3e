"""Scores of the complete trials: on the folds of the search, and on fresh splits.

The fresh splits 1, 2, ... choose the winner; those of number `JUDGING` have no part in that choice,
and say what it is worth.

Fresh splits on which all trials failed say nothing of the trials (a part without a positive has no
area under the curve): they are void, and count for none. A trial that failed where another was
scored has failed by itself.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gpsearch.evaluation import FoldResult, holding_bounds
from gpsearch.study.trial import Trial
from gpsearch.surrogate.warping import bounded

Array = NDArray[np.float64]
Fresh = Mapping[tuple[int, int], Sequence[FoldResult]]
"""Fold results by the number of the fresh splits and that of the trial."""


JUDGING = 0


class FreshScores:
    """What complete trials of as many folds scored, each named by its row; `fresh` may grow."""

    def __init__(self, trials: Sequence[Trial], fresh: Fresh) -> None:
        self.trials, self.fresh = trials, fresh
        self.of_search = bounded(np.array([[fold.score for fold in t.folds] for t in trials]))
        """s_ij, (n, k)."""

    @property
    def n_folds(self) -> int:
        """K."""
        return int(self.of_search.shape[1])

    @property
    def void(self) -> set[int]:
        """Fresh splits that count for no trial."""
        return {split for split, _ in self.fresh if self.is_void(split)}

    def is_void(self, split: int) -> bool:
        """Whether all trials that have ended on these fresh splits failed."""
        ended = self.ended(split)
        return bool(ended) and all(_has_failed(self.fresh[split, number]) for number in ended)

    def ended(self, split: int) -> set[int]:
        """Numbers of the trials that have ended on these fresh splits."""
        on_splits = {number: folds for (at, number), folds in self.fresh.items() if at == split}
        k = self.n_folds
        return {n for n, folds in on_splits.items() if len(folds) == k or _has_failed(folds)}

    def is_over(self, split: int, i: int) -> bool:
        """Whether trial i has ended on these fresh splits."""
        return self.trials[i].number in self.ended(split)

    def on(self, split: int) -> dict[int, list[float]]:
        """Scores of each trial that has ended on these fresh splits; none where they are void."""
        rows = range(0 if self.is_void(split) else len(self.trials))
        return {
            i: bounded(
                np.array([f.score for f in self.fresh[split, self.trials[i].number]])
            ).tolist()
            for i in rows
            if self.is_over(split, i)
        }

    def choosing(self, last: float = math.inf) -> list[int]:
        """The fresh splits that choose the winner, up to the last."""
        return sorted({split for split, _ in self.fresh if JUDGING < split <= last})

    def within(self, bounds: tuple[float, float]) -> tuple[float, float]:
        """These bounds of the metric, without one that a score lies beyond."""
        fresh = [fold.score for folds in self.fresh.values() for fold in folds]
        return holding_bounds(bounds, [*self.of_search.flat, *fresh])

    def why_none_counts(self) -> str:
        """Why no fresh splits count, as a sentence; empty where some do, or there are none."""
        if not self.fresh or not all(self.is_void(split) for split, _ in self.fresh):
            return ""
        errors = [fold.error for folds in self.fresh.values() for fold in folds if fold.error]
        return (
            "This is from the search alone, for trials could not be scored on fresh splits: "
            + (errors[0].rstrip(".") if errors else "they failed")
            + "."
        )


def _has_failed(folds: Sequence[FoldResult]) -> bool:
    return any(math.isnan(fold.score) for fold in folds)
