"""The data of each plot, as frozen series.

Scores are in the user's units: for a function that returns a loss (``greater_is_better=False``)
they are losses.

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

from gpsearch.plotting.axes import Array, DimensionAxis


@dataclass(frozen=True, kw_only=True)
class ConvergenceSeries:
    """Score of each trial, and the best score so far."""

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
    """Coordinates and scores of all trials that have ended."""

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
    """(k,) arrays of the scores of each fold, less the effect of that fold on all trials."""
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
    """(n,) row on which the trial is drawn; the trials of a row do not overlap."""
    states: tuple[str, ...]
    """(n,) "complete", "stopped" or "failed"."""


@dataclass(frozen=True, kw_only=True)
class TimeToTargetSeries:
    """Evaluations or seconds that each strategy needed to reach a score."""

    spent: dict[str, Array]
    """By strategy: cost at which each successful repeat reached the score, rising."""
    n_repeats: int
    """Repeats of each strategy, those that never reached the score included."""
    most: float
    """Greatest total cost of a repeat."""
