"""The figures of a report: each drawn by `gpsearch.plotting`, as SVG text with its caption."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpsearch.analysis import Importance, Recheck
from gpsearch.comparison import Comparison
from gpsearch.evaluation import as_user_value
from gpsearch.plotting.data import (
    convergence_series,
    fold_spread_series,
    learning_curves_series,
    timeline_series,
)
from gpsearch.plotting.dependence import (
    PartialDependenceSeries,
    partial_dependence_map_series,
)
from gpsearch.plotting.model_averages import ScoreModel
from gpsearch.plotting.text import number
from gpsearch.report.findings import Findings
from gpsearch.study import Study

PANEL_INCHES = (3.5, 2.6)
WIDE_INCHES = (9.6, 3.6)
NARROW_INCHES = 4.8
MAPPED = 3  # the most influential dimensions, whose pairs are mapped
MATRIX_DIMENSIONS = 8  # of the matrix of evaluations: more would be too small to read in a page
PARALLEL_DIMENSIONS = 12  # of the parallel coordinates, likewise
TIMELINE_LANES = 2  # fewer trials at a time make a timeline without news


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of the page."""

    svg: str
    caption: str
    narrow: str = ""
    """The same for a phone; empty where the figure is small anyway, or needs its width."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """All figures of the page; empty where the study does not give them."""

    convergence: Figure
    curves: tuple[Figure, ...]
    maps: tuple[Figure, ...]
    others: tuple[Figure, ...]
    importance: Figure | None
    """How much each dimension mattered."""
    recheck: Figure | None
    """The best params in the search and on fresh splits."""


def draw_figures(study: Study, findings: Findings, recheck: Recheck | None = None) -> Figures:
    """Draw everything the study gives."""
    from gpsearch.plotting import plot_convergence

    random = findings.random
    dashes = (
        ""
        if random is None
        else " Dashes: what random search is expected to have reached, by estimate, with a "
        f"{random.confidence:.0%} band."
    )
    course = convergence_series(study)
    convergence = _figure(
        lambda ax: plot_convergence(course, ax=ax, baseline=random),
        "The score of every trial, and the best so far with its standard error in a comparison of "
        f"trials.{dashes}",
        "convergence",
        WIDE_INCHES,
        narrow=NARROW_INCHES,
    )
    model, names = findings.model, list(findings.curves)
    return Figures(
        convergence=convergence,
        curves=_draw_curves(findings.curves),
        maps=() if model is None else _draw_maps(model, names[:MAPPED]),
        others=_draw_others(study, names),
        importance=None if findings.importance is None else _draw_importance(findings.importance),
        recheck=None if recheck is None else _draw_recheck(recheck),
    )


def draw_comparison(comparison: Comparison) -> tuple[Figure, ...]:
    """Draw the course of each strategy, the differences at the end, and the time to a target."""
    from gpsearch.plotting import plot_comparison, plot_differences, plot_time_to_target

    target = float(comparison.curve(comparison.baseline).mean[-1])
    return (
        _figure(
            lambda ax: plot_comparison(comparison, ax=ax),
            "The best score so far of each strategy: the mean over the repeats, with its band.",
            "course",
            WIDE_INCHES,
            narrow=NARROW_INCHES,
        ),
        _figure(
            lambda ax: plot_differences(comparison, ax=ax),
            f"By how much each strategy ended better than {comparison.baseline}; grey dots are "
            "the repeats. An interval that holds zero is within the noise.",
            "differences",
            (WIDE_INCHES[0], 1.3 + 0.4 * len(comparison.strategies)),
            narrow=NARROW_INCHES,
        ),
        _figure(
            lambda ax: plot_time_to_target(comparison, target, ax=ax),
            f"How many repeats have reached {number(target, 4)}, the mean of what "
            f"{comparison.baseline} found in the end.",
            "target",
            WIDE_INCHES,
            narrow=NARROW_INCHES,
        ),
    )


def _draw_importance(importance: Importance) -> Figure:
    from gpsearch.plotting import plot_importance

    return _figure(
        lambda ax: plot_importance(importance, ax=ax),
        "Light: with all interactions; dark: on its own. Interactions count once for each of "
        "their dimensions.",
        "importance",
        (WIDE_INCHES[0], 1.1 + 0.3 * len(importance.names)),
        narrow=NARROW_INCHES,
    )


def _draw_recheck(recheck: Recheck) -> Figure:
    from gpsearch.plotting import plot_recheck

    return _figure(
        lambda ax: plot_recheck(recheck, ax=ax),
        "The best params as the search scored them, and again on fresh splits.",
        "recheck",
        (WIDE_INCHES[0], 1.3 + 0.32 * len(recheck.numbers)),
        narrow=NARROW_INCHES,
    )


def _draw_curves(series: Mapping[str, PartialDependenceSeries]) -> tuple[Figure, ...]:
    from gpsearch.plotting.partial import curve_limits, draw_curve

    limits = curve_limits(list(series.values()))
    return tuple(
        _figure(
            lambda ax, curve=curve: draw_curve(curve, ax, limits=limits),
            f"{name}",
            f"curve{i}",
            PANEL_INCHES,
            title=f"{curve.label} along {name}: {_peak(curve)}",
        )
        for i, (name, curve) in enumerate(series.items())
    )


def _peak(curve: PartialDependenceSeries) -> str:
    """Where the average is best, for who does not see the curve."""
    better = as_user_value(curve.mean, curve.greater_is_better)
    if curve.all_equal or np.isnan(better).all():
        return "the same everywhere"
    at = curve.grid[int(np.nanargmax(better))]
    return f"best at {curve.axis.labels[round(at)] if curve.axis.labels else number(at)}"


def _draw_maps(model: ScoreModel, names: Sequence[str]) -> tuple[Figure, ...]:
    from gpsearch.plotting.partial import draw_map

    pairs = [(x, y) for i, x in enumerate(names) for y in names[i + 1 :]]
    return tuple(
        _figure(
            lambda ax, pair=pair: draw_map(partial_dependence_map_series(model, pair), ax),
            f"{pair[0]} and {pair[1]}",
            f"map{i}",
            PANEL_INCHES,
            title=f"{model.label} over {pair[0]} and {pair[1]}",
        )
        for i, pair in enumerate(pairs)
    )


def _draw_others(study: Study, names: Sequence[str]) -> tuple[Figure, ...]:
    from gpsearch.plotting import (
        plot_evaluations,
        plot_fold_spread,
        plot_learning_curves,
        plot_parallel_coordinates,
        plot_timeline,
    )

    trials = study.ended
    figures = []
    complete = [trial for trial in trials if trial.state == "complete"]
    if any(len(trial.folds) > 1 for trial in complete):
        spread = fold_spread_series(study)
        figures.append(
            _figure(
                lambda ax: plot_fold_spread(spread, ax=ax),
                "The best trials, fold by fold, less what a fold does to every trial alike: where "
                "the bars overlap, the folds do not tell them apart.",
                "folds",
                WIDE_INCHES,
                narrow=NARROW_INCHES,
            )
        )
    if complete and any(fold.curves for fold in study.best_trial.folds):
        curves = learning_curves_series(study)
        figures.append(
            _figure(
                lambda ax: plot_learning_curves(curves, ax=ax),
                "How the best trial was trained: each fold a line, its best epoch a dot.",
                "learning",
                WIDE_INCHES,
                narrow=NARROW_INCHES,
            )
        )
    if complete and len(study.space) > 1:
        few = len(study.space) <= PARALLEL_DIMENSIONS
        crossed = study.space.names if few else (names or study.space.names)[:PARALLEL_DIMENSIONS]
        figures.append(
            _figure(
                lambda ax: plot_parallel_coordinates(study, crossed, ax=ax),
                f"The best fifth of the trials through {'all' if few else 'the most influential'} "
                "dimensions, over all others in grey.",
                "parallel",
                (max(WIDE_INCHES[0], 0.9 * len(crossed)), WIDE_INCHES[1]),
            )
        )
    if trials:
        shown = (names or study.space.names)[:MATRIX_DIMENSIONS]
        side = 1.35 * max(len(shown), 2) + 1.5
        which = "" if len(shown) == len(study.space) else " (the most influential dimensions)"
        figures.append(
            _figure(
                lambda ax: plot_evaluations(study, shown, ax=ax),
                f"Where the search looked{which}: dark dots first, light ones last.",
                "evaluations",
                (side, side),
                constrained=False,
            )
        )
    timeline = timeline_series(study)
    if trials and timeline.lanes.max() + 1 >= TIMELINE_LANES:
        figures.append(
            _figure(
                lambda ax: plot_timeline(timeline, ax=ax),
                "When each trial ran.",
                "timeline",
                (WIDE_INCHES[0], 1.4 + 0.3 * float(timeline.lanes.max())),
                narrow=NARROW_INCHES,
            )
        )
    return tuple(figures)


def _figure(
    draw: Callable[..., Any],
    caption: str,
    name: str,
    inches: tuple[float, float],
    *,
    constrained: bool = True,
    narrow: float | None = None,
    title: str = "",
) -> Figure:
    """Draw a figure, and once more `narrow` inches wide where it is too wide for a phone.

    A screen reader says the title, by default the caption.
    """
    from gpsearch.plotting.svg import svg

    text = svg(draw, title=title or caption, inches=inches, constrained=constrained, prefix=name)
    small = ""
    if narrow is not None:
        size = (narrow, max(inches[1], PANEL_INCHES[1]))
        small = svg(draw, title=title or caption, inches=size, prefix=f"{name}-narrow")
    return Figure(svg=text, caption=caption, narrow=small)
