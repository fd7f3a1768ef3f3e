"""What a study's plots show: frozen series of numbers.

Scores are in the user's units: greater is better, except for a function that returns a loss
(``greater_is_better=False``), whose losses are shown as the user knows them, and fall.

=========== =========================================================================
n           trials that have ended
d           dimensions shown
k           trials shown
=========== =========================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpsearch.plotting.axes import DimensionAxis

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ConvergenceSeries:
    """How the best score changed as trials ended; one entry a trial, by number."""

    numbers: NDArray[np.int64]
    """(n,) trial numbers, rising."""
    values: Array
    """(n,) scores; NaN for failed trials."""
    standard_errors: Array
    """(n,) standard errors of the scores in a comparison of trials: `comparison_errors`."""
    states: tuple[str, ...]
    """(n,) "complete", "stopped" or "failed"."""
    best: Array
    """(n,) best score of the complete trials so far; NaN before the first."""
    best_errors: Array
    """(n,) standard error of that best score."""
    guided_from: int | None
    """Number of the first trial that a model proposed; None if unknown, or if none did."""
    greater_is_better: bool
    """False where the values are losses."""
    label: str
    """Name of the score."""


@dataclass(frozen=True, kw_only=True)
class EvaluationsSeries:
    """Where the search looked: the coordinates of all trials that have ended."""

    axes: tuple[DimensionAxis, ...]
    """(d,) dimensions."""
    coordinates: Array
    """(n, d) coordinates; NaN where a trial lacks the dimension."""
    numbers: NDArray[np.int64]
    """(n,) trial numbers."""
    values: Array
    """(n,) scores; NaN for failed trials."""
    states: tuple[str, ...]
    """(n,) "complete", "stopped" or "failed"."""
    best: int | None
    """Row of the best complete trial; None if there is none."""
    greater_is_better: bool
    """False where the values are losses."""
    label: str
    """Name of the score."""


@dataclass(frozen=True, kw_only=True)
class FoldCurve:
    """One learning curve of one fold."""

    fold: int
    """Index of the fold."""
    values: Array
    """(epochs,) values, one for each epoch."""
    best_epoch: int | None
    """Epoch (from 1) whose weights were scored."""


@dataclass(frozen=True, kw_only=True)
class LearningCurvesSeries:
    """The learning curves of one trial."""

    number: int
    """Trial number."""
    curves: dict[str, tuple[FoldCurve, ...]]
    """Curves of each fold by name: "loss", "val_loss", ..."""


@dataclass(frozen=True, kw_only=True)
class FoldSpreadSeries:
    """The fold scores of the best trials, best first."""

    numbers: tuple[int, ...]
    """(k,) trial numbers."""
    scores: tuple[Array, ...]
    """(k,) arrays of the scores of each fold, less what that fold does to every trial alike."""
    means: Array
    """(k,) scores: the means over the folds."""
    standard_errors: Array
    """(k,) their standard errors in a comparison of trials: `comparison_errors`."""
    greater_is_better: bool
    """False where the scores are losses."""
    label: str
    """Name of the score."""


@dataclass(frozen=True, kw_only=True)
class TimelineSeries:
    """When each trial ran."""

    numbers: NDArray[np.int64]
    """(n,) trial numbers."""
    starts: Array
    """(n,) seconds since the first trial started."""
    ends: Array
    """(n,) seconds since the first trial started."""
    lanes: NDArray[np.int64]
    """(n,) row on which the trial is drawn, such that no two trials of a row overlap."""
    states: tuple[str, ...]
    """(n,) "complete", "stopped" or "failed"."""


@dataclass(frozen=True, kw_only=True)
class TimeToTargetSeries:
    """What the repeats of each strategy spent until they had reached a score."""

    spent: dict[str, Array]
    """By strategy: what each repeat that reached the score had spent by then, rising."""
    n_repeats: int
    """Repeats of each strategy, with those that never reached it."""
    most: float
    """The most that a repeat spent in all."""
