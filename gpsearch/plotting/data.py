"""The numbers of the plots, extracted from a study without plotting library or surrogate.

Scores are in the user's units: for a function that returns a loss (``greater_is_better=False``)
they are losses.

=========== =========================================================================
n           trials that have ended
d           dimensions shown
=========== =========================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gpsearch.errors import StudyError, public
from gpsearch.evaluation import told_apart
from gpsearch.plotting.axes import Array, DimensionAxis, coordinates, dimension_axes
from gpsearch.strategy.history import FoldStatistics
from gpsearch.study import Study, Trial, require_study
from gpsearch.study.contenders import best_first, difference

if TYPE_CHECKING:
    from gpsearch.comparison import Comparison

S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class TrialSeries:
    """Scores and states of all trials that have ended."""

    numbers: NDArray[np.int64]
    """(n,) trial numbers, rising."""
    values: Array
    """(n,) scores; NaN for failed trials."""
    states: tuple[str, ...]
    """(n,) "complete", "stopped" or "failed"."""
    greater_is_better: bool
    """False where the values are losses."""
    label: str
    """Name of the score."""


@dataclass(frozen=True, kw_only=True)
class ConvergenceSeries(TrialSeries):
    """Score of each trial, and the best score so far."""

    standard_errors: Array
    """(n,) standard errors of the scores, less what a fold does to all trials; NaN if unknown."""
    best: Array
    """(n,) best score of the complete trials so far; NaN before the first."""
    best_errors: Array
    """(n,) standard error of that best score."""
    guided_from: int | None
    """Number of the first trial that a model proposed; None if unknown, or if none did."""


@dataclass(frozen=True, kw_only=True)
class EvaluationsSeries(TrialSeries):
    """Coordinates and scores of all trials that have ended."""

    axes: tuple[DimensionAxis, ...]
    """(d,) dimensions."""
    coordinates: Array
    """(n, d) coordinates; NaN where a trial lacks the dimension."""
    best: int | None
    """Row of the best complete trial; None if there is none."""


@public()
def convergence_series(study: Study) -> ConvergenceSeries:
    """Extract the convergence of a study; empty when no trial has ended.

    Examples
    --------
    >>> from gpsearch.evaluation import FoldResult
    >>> study = Study.create(None, space={"x": (0.0, 1.0)}, seed=0)
    >>> with study.writing() as writer:
    ...     for x, score in [(0.1, 0.5), (0.2, 0.4), (0.3, 0.7)]:
    ...         _ = writer.add_trial({"x": x}, [FoldResult(fold=0, score=score)])
    >>> convergence_series(study).best
    array([0.5, 0.5, 0.7])
    """
    shared, trials = _of_trials(study), study.ended
    values, errors = shared["values"], np.sqrt(FoldStatistics.of(trials).variances(trials))
    complete = np.array([state == "complete" for state in shared["states"]], dtype=bool)
    told = [told_apart(score) for score in study.as_user_value(values)]
    scores = np.where(complete, told, np.nan)
    leads = scores > np.fmax.accumulate(np.append(-np.inf, scores))[:-1]  # the first of equals
    leader = np.maximum.accumulate(np.where(leads, np.arange(len(scores)), -1))
    return ConvergenceSeries(
        **shared,
        standard_errors=errors,
        best=np.where(leader >= 0, values[leader], np.nan),
        best_errors=np.where(leader >= 0, errors[leader], np.nan),
        guided_from=_guided_from(trials),
    )


@public()
def evaluations_series(study: Study, dimensions: Sequence[str] | None = None) -> EvaluationsSeries:
    """Extract the coordinates and scores of the trials of a study.

    Parameters
    ----------
    study : Study
    dimensions : sequence of str, optional
        Names of dimensions; by default all.

    Raises
    ------
    InvalidParamsError
        A name that is not a dimension of the space.
    """
    shared = _of_trials(study)
    axes = dimension_axes(study.space, dimensions)
    trials = study.ended
    params = [dict(trial.params) for trial in trials]
    columns = [coordinates(study.space, axis, params) for axis in axes]
    best = study.best_trial.number if study.complete else None
    return EvaluationsSeries(
        **shared,
        axes=axes,
        coordinates=np.column_stack(columns) if trials else np.empty((0, len(axes))),
        best=next((i for i, trial in enumerate(trials) if trial.number == best), None),
    )


def as_series(study: Any, kind: type[S], extract: Callable[[Study], S]) -> S:
    """`study` where it is a series of this kind already, else its series."""
    if isinstance(study, kind):
        return study
    return extract(require_study(study, also=f"its {kind.__name__}"))


def fold_spread(study: Study, n_best: int) -> tuple[list[Trial], list[Array], Array]:
    """The best complete trials, best first, their scores on each fold, and standard errors.

    Where there are several, a score is the difference to that of the best trial on the fold, and
    the error that of the mean difference; see `gpsearch.study.contenders`.
    """
    if not study.complete:
        raise StudyError("plot_fold_spread needs at least 1 complete trial; the study has none.")
    ranked = best_first(study.trials, study.best_trial)
    best, shown = ranked[0], ranked[:n_best]
    if len(ranked) == 1:
        of_best, errors = {}, [best.standard_error]
    else:
        of_best = {fold.fold: fold.score for fold in best.folds}
        errors = [difference(best, trial)[1] for trial in shown]
    scores = [
        np.array([fold.score - of_best.get(fold.fold, 0.0) for fold in trial.folds])
        for trial in shown
    ]
    return shown, [study.as_user_value(of_trial) for of_trial in scores], np.array(errors)


def timeline(study: Study) -> tuple[list[Trial], NDArray[np.int64]]:
    """The ended trials by their start, and (n,) the row of each: simultaneous ones differ."""
    trials = sorted(study.ended, key=lambda trial: (trial.started, trial.number))
    lanes: list[int] = []
    free_from: list[float] = []
    for trial in trials:
        free = [lane for lane, end in enumerate(free_from) if end <= trial.started]
        lane = free[0] if free else len(free_from)
        free_from[lane : lane + 1] = [trial.started + trial.seconds]
        lanes.append(lane)
    return trials, np.array(lanes, dtype=np.int64)


def score_label(scored: Study | Comparison) -> str:
    """Name of the score on an axis."""
    return scored.score_name.replace("_", " ")


def _of_trials(study: Study) -> dict[str, Any]:
    """The fields of a `TrialSeries`."""
    trials = require_study(study).ended
    return {
        "numbers": np.array([trial.number for trial in trials], dtype=np.int64),
        "values": study.as_user_value(FoldStatistics.of(trials).scores(trials)),
        "states": tuple(trial.state for trial in trials),
        "greater_is_better": study.greater_is_better,
        "label": score_label(study),
    }


def _guided_from(trials: Sequence[Trial]) -> int | None:
    """Number of the first trial that a model proposed; None if none, or if not recorded."""
    for trial in trials:
        if trial.proposal in ("model", ""):
            return trial.number if trial.proposal else None
    return None
