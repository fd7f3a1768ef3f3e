"""The series of the plots, extracted from a study without plotting library or surrogate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gpsearch.arguments import one_of
from gpsearch.errors import StudyError
from gpsearch.plotting.axes import Array, coordinates, dimension_axis
from gpsearch.plotting.series import (
    ConvergenceSeries,
    EvaluationsSeries,
    FoldCurve,
    FoldSpreadSeries,
    LearningCurvesSeries,
    TimelineSeries,
    TimeToTargetSeries,
)
from gpsearch.strategy.history import FoldStatistics
from gpsearch.study import Study, Trial

if TYPE_CHECKING:
    from gpsearch.analysis import Recheck
    from gpsearch.comparison import Comparison


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
    trials = study.ended
    scores = np.array([trial.score for trial in trials], dtype=float)
    errors = comparison_errors(study)
    complete = np.array([trial.state == "complete" for trial in trials], dtype=bool)
    leader = _leaders(np.where(complete, scores, np.nan))
    known, values = leader >= 0, study.as_user_value(scores)
    return ConvergenceSeries(
        numbers=np.array([trial.number for trial in trials], dtype=np.int64),
        values=values,
        standard_errors=errors,
        states=tuple(trial.state for trial in trials),
        best=np.where(known, values[leader], np.nan),
        best_errors=np.where(known, errors[leader], np.nan),
        guided_from=_guided_from(trials),
        greater_is_better=study.greater_is_better,
        label=score_label(study),
    )


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
    names = study.space.names if dimensions is None else dimensions
    axes = tuple(dimension_axis(study.space, name) for name in names)
    trials = study.ended
    params = [dict(trial.params) for trial in trials]
    scores = np.array([trial.score for trial in trials], dtype=float)
    complete = [i for i, trial in enumerate(trials) if trial.state == "complete"]
    columns = [coordinates(study.space, axis, params) for axis in axes]
    return EvaluationsSeries(
        axes=axes,
        coordinates=np.column_stack(columns) if trials else np.empty((0, len(axes))),
        numbers=np.array([trial.number for trial in trials], dtype=np.int64),
        values=study.as_user_value(scores),
        states=tuple(trial.state for trial in trials),
        best=max(complete, key=lambda i: scores[i]) if complete else None,
        greater_is_better=study.greater_is_better,
        label=score_label(study),
    )


def learning_curves_series(study: Study, number: int | None = None) -> LearningCurvesSeries:
    """Extract the learning curves of one trial; by default of the best.

    Raises
    ------
    StudyError
        No such trial, or it recorded no learning curve.
    """
    trials = {trial.number: trial for trial in study.trials}
    if number is not None and number not in trials:
        raise StudyError(
            f"plot_learning_curves(number={number}): the study's trials are numbered from 0 to "
            f"{len(trials) - 1}."
        )
    trial = study.best_trial if number is None else trials[number]
    curves: dict[str, list[FoldCurve]] = {}
    for fold in trial.folds:
        for name, values in fold.curves.items():
            curve = FoldCurve(
                fold=fold.fold, values=np.array(values, dtype=float), best_epoch=fold.best_epoch
            )
            curves.setdefault(name, []).append(curve)
    if not curves:
        raise StudyError(
            f"trial {trial.number} has no learning curve: only objectives that train in epochs "
            "record one."
        )
    return LearningCurvesSeries(
        number=trial.number, curves={name: tuple(folds) for name, folds in curves.items()}
    )


def fold_spread_series(study: Study, n_best: int = 10) -> FoldSpreadSeries:
    """Extract the fold scores of the `n_best` best complete trials.

    Raises
    ------
    StudyError
        No trial is complete.
    """
    complete = study.complete
    if not complete:
        raise StudyError("plot_fold_spread needs at least 1 complete trial; the study has none.")
    best = sorted(complete, key=lambda trial: (trial.loss, trial.number))[:n_best]
    alone = len(complete) == 1  # the effect of a fold on all trials is then unknown
    effects = {} if alone else _fold_effects(complete)
    errors = {
        trial.number: trial.standard_error if alone else error
        for trial, error in zip(study.ended, comparison_errors(study), strict=True)
    }
    return FoldSpreadSeries(
        numbers=tuple(trial.number for trial in best),
        scores=tuple(
            study.as_user_value(
                np.array([fold.score - effects.get(fold.fold, 0.0) for fold in trial.folds])
            )
            for trial in best
        ),
        means=study.as_user_value(np.array([trial.score for trial in best])),
        standard_errors=np.array([errors[trial.number] for trial in best]),
        greater_is_better=study.greater_is_better,
        label=score_label(study),
    )


def timeline_series(study: Study) -> TimelineSeries:
    """Extract when each ended trial ran, on as few rows as keep simultaneous trials apart."""
    trials = sorted(study.ended, key=lambda trial: (trial.started, trial.number))
    origin = trials[0].started if trials else 0.0
    lanes: list[int] = []
    free_from: list[float] = []
    for trial in trials:
        free = [lane for lane, end in enumerate(free_from) if end <= trial.started]
        lane = free[0] if free else len(free_from)
        if not free:
            free_from.append(0.0)
        free_from[lane] = trial.started + trial.seconds
        lanes.append(lane)
    starts = np.array([trial.started - origin for trial in trials], dtype=float)
    return TimelineSeries(
        numbers=np.array([trial.number for trial in trials], dtype=np.int64),
        starts=starts,
        ends=starts + np.array([trial.seconds for trial in trials], dtype=float),
        lanes=np.array(lanes, dtype=np.int64),
        states=tuple(trial.state for trial in trials),
    )


def time_to_target_series(
    comparison: Comparison, target: float, *, against: str = "evaluations"
) -> TimeToTargetSeries:
    """Extract the cost at which each strategy reached a score.

    Parameters
    ----------
    comparison : Comparison
    target : float
        The score to reach, in the user's units.
    against : {"evaluations", "seconds"}, default "evaluations"

    Raises
    ------
    InvalidSearchError
        `against` is neither.
    """
    one_of("against", against, ("evaluations", "seconds"))
    goal = comparison.as_user_value(target)
    found, most = {}, 0.0
    for row, strategy in enumerate(comparison.strategies):
        best = comparison.best_of(strategy)
        costs = comparison.seconds[row] if against == "seconds" else np.ones_like(best)
        spent = np.cumsum(costs, axis=1)
        reached = best >= goal
        known = reached.any(axis=1)
        found[strategy] = np.sort(spent[known, reached[known].argmax(axis=1)])
        most = max(most, float(spent.max()))
    return TimeToTargetSeries(spent=found, n_repeats=comparison.n_repeats, most=most)


def comparison_errors(study: Study) -> Array:
    """(n,) standard errors of the scores of ended trials in a comparison; NaN if unknown.

    All trials share their folds, so the effect of a fold on all of them does not count; see
    `gpsearch.strategy.history`.
    """
    trials = study.ended
    folds = FoldStatistics.of(trials)
    return np.sqrt(np.array([folds.variance(trial) for trial in trials], dtype=float))


def score_label(scored: Study | Comparison | Recheck) -> str:
    """Name of the score on an axis."""
    return scored.score_name.replace("_", " ")


def _fold_effects(complete: Sequence[Trial]) -> dict[int, float]:
    """Median over the trials of each fold's score less the trial's mean."""
    excess: dict[int, list[float]] = {}
    for trial in complete:
        for fold in trial.folds:
            excess.setdefault(fold.fold, []).append(fold.score - trial.score)
    return {fold: float(np.median(values)) for fold, values in excess.items()}


def _guided_from(trials: Sequence[Trial]) -> int | None:
    """Number of the first trial that a model proposed; None if none, or if not recorded."""
    for trial in trials:
        if trial.proposal in ("model", ""):
            return trial.number if trial.proposal else None
    return None


def _leaders(scores: Array) -> NDArray[np.int64]:
    """(n,) row of the greatest score up to each row, the first of equals; -1 before any."""
    before = np.fmax.accumulate(np.append(-np.inf, scores))[:-1]
    rows = np.arange(len(scores), dtype=np.int64)
    return np.maximum.accumulate(np.where(scores > before, rows, -1))
