"""What less would cost: the best score under each bound on size and time, from the trials seen.

A measure of cost is known of a trial where each of its folds recorded it. Under a bound on it, the
best is the complete trial of greatest score among those within; the trials that are the best under
some bound, cheapest first, are the curve. Nothing between them is interpolated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpsearch.errors import StudyError, public
from gpsearch.evaluation import FoldResult, told_apart
from gpsearch.study import Study, Trial, require_study
from gpsearch.study.contenders import difference

if TYPE_CHECKING:
    import pandas as pd


def _prediction_seconds(fold: FoldResult) -> float | None:
    known = fold.score_seconds is not None and fold.held_out
    return fold.score_seconds / fold.held_out if known else None  # type: ignore[operator]


def _mean(trial: Trial, of: Callable[[FoldResult], float | None]) -> float | None:
    known = [cost for fold in trial.folds if (cost := of(fold)) is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(trial.folds) else None


MEASURES: dict[str, Callable[[Trial], float | None]] = {
    "parameters": lambda trial: trial.parameters,
    "training seconds": lambda trial: _mean(trial, lambda fold: fold.fit_seconds),
    "prediction seconds per row": lambda trial: _mean(trial, _prediction_seconds),
}
"""What a trial cost, by name: its parameters, and the mean seconds of its folds."""


@dataclass(frozen=True, kw_only=True)
class TradeOff:
    """The best trials under each bound on the costs that are known."""

    costs: dict[str, dict[int, float]]
    """By measure and number of the trial, of all complete trials of which it is known."""
    curves: dict[str, list[Trial]]
    """By measure, the trials that are the best under some bound, cheapest first."""
    missing: tuple[str, ...]
    """Measures that no complete trial has."""
    unknown: dict[str, int]
    """By measure that some complete trials have: how many have it not, where there are such."""
    best: Trial
    """The best complete trial."""

    def to_frame(self) -> pd.DataFrame:
        """One row for each trial of each curve.

        Columns: measure, bound (what the trial costs), trial, score, behind (the difference to the
        best score) and standard_error (of that difference, over the folds).
        """
        import pandas as pd

        names = ("measure", "bound", "trial", "score", "behind", "standard_error")
        rows = [
            (name, self.costs[name][t.number], t.number, t.score, *difference(self.best, t))
            for name, curve in self.curves.items()
            for t in curve
        ]
        return pd.DataFrame(rows, columns=list(names))

    def __str__(self) -> str:
        lines = [self.to_frame().to_string(index=False)] if self.curves else []
        lines += [self.left_out(name) for name in self.unknown]
        return "\n".join([*lines, *[f"The {name} were not recorded." for name in self.missing]])

    def left_out(self, name: str) -> str:
        """A sentence on the complete trials of which a measure is not known; empty without such."""
        if not (n := self.unknown.get(name, 0)):
            return ""
        best = "" if self.best.number in self.costs[name] else ", the best among them,"
        if n == 1:
            return f"1 complete trial{best and ', the best,'} has no recorded {name}."
        return f"{n} complete trials{best} have no recorded {name}."


@public()
def trade_off(study: Study) -> TradeOff:
    """Find the best score under each bound on parameters, training time and prediction time.

    Times are wall times of a fold: that of training, and that of predicting and scoring the
    held-out rows, for each of them. Other work on the machine is in them.

    Parameters
    ----------
    study : Study

    Raises
    ------
    StudyError
        No trial is complete.

    Examples
    --------
    >>> import gpsearch as gs
    >>> study = gs.Study.create(None, space={"units": (1, 64)}, seed=0)
    >>> with study.writing() as writer:
    ...     for units, score in [(2, 0.8), (64, 0.9), (32, 0.7)]:
    ...         fold = gs.FoldResult(fold=0, score=score, parameters=10 * units)
    ...         _ = writer.add_trial({"units": units}, [fold])
    >>> [trial.number for trial in study.trade_off().curves["parameters"]]
    [0, 1]
    """
    complete = require_study(study).complete
    if not complete:
        raise StudyError("trade_off needs at least 1 complete trial; the study has none.")
    costs = {
        name: {trial.number: c for trial in complete if (c := cost(trial)) is not None}
        for name, cost in MEASURES.items()
    }
    return TradeOff(
        costs={name: known for name, known in costs.items() if known},
        curves={name: _curve(complete, known) for name, known in costs.items() if known},
        missing=tuple(name for name, known in costs.items() if not known),
        unknown={
            name: n for name, known in costs.items() if known and (n := len(complete) - len(known))
        },
        best=study.best_trial,
    )


def _curve(trials: list[Trial], costs: dict[int, float]) -> list[Trial]:
    curve: list[Trial] = []
    known = [trial for trial in trials if trial.number in costs]
    for trial in sorted(known, key=lambda t: (costs[t.number], told_apart(t.loss), t.number)):
        if not curve or told_apart(trial.score) > told_apart(curve[-1].score):
            curve.append(trial)
    return curve
