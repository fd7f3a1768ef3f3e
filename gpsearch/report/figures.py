"""The figures of a report, drawn by `gpsearch.plotting` as SVG text with captions.

Importing this module loads matplotlib.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from gpsearch.analysis.side_by_side import SideBySide
from gpsearch.comparison import Comparison
from gpsearch.described import number
from gpsearch.evaluation import as_user_value
from gpsearch.plotting.convergence import draw_group, plot_convergence
from gpsearch.plotting.data import timeline
from gpsearch.plotting.dependence import (
    PartialDependenceSeries,
    ScoreModel,
    partial_dependence_map_series,
)
from gpsearch.plotting.evaluations import plot_parallel_coordinates
from gpsearch.plotting.importance import plot_importance
from gpsearch.plotting.partial import curve_limits, draw_curve, draw_map
from gpsearch.plotting.strategies import plot_comparison, plot_differences
from gpsearch.plotting.svg import svg
from gpsearch.plotting.trials import plot_fold_spread, plot_learning_curves, plot_timeline
from gpsearch.report.findings import Findings
from gpsearch.report.studies_page import listed
from gpsearch.study import Study

PANEL_INCHES = (3.5, 2.6)
WIDTH, NARROW_WIDTH, HEIGHT = 9.6, 4.0, 3.6  # inches of a wide figure, and of its narrow copy
MAPPED = 3  # the most influential dimensions, whose pairs are mapped
PARALLEL_DIMENSIONS = 12  # of the parallel coordinates, likewise
NARROW_DIMENSIONS = 4  # of their narrow copy
TIMELINE_LANES = 2  # rows from which a timeline is shown


class Figure(NamedTuple):
    """One figure of the page."""

    svg: str
    caption: str
    narrow: str = ""
    """A copy for phones; empty where the figure is small, or not for phones."""
    kind: str = ""
    """Classes of the figure in the page."""


def draw_figures(study: Study, findings: Findings) -> dict[str, Any]:
    """Draw all figures of a study, by place in ``report.html``; None or [] without data."""
    model, names, importance = findings.model, list(findings.curves), findings.importance
    return {
        "convergence": draw_convergence(study, findings),
        "curves": _draw_curves(findings.curves),
        "maps": _draw_maps(model, names[:MAPPED]) if model else [],
        "others": _draw_others(study, names),
        "importance": importance
        and not importance.all_equal
        and _wide_figure(
            partial(plot_importance, importance),
            "Pale: with all interactions; full: on its own. Interactions count once for each of "
            "their dimensions.",
            "importance",
            1.1 + 0.3 * len(importance.names),
        ),
    }


def draw_comparison(comparison: Comparison) -> list[Figure]:
    """Draw the course of each strategy, and the differences at the end."""
    return [
        _wide_figure(
            partial(plot_comparison, comparison),
            "The best score so far of each strategy: the mean over the repeats, with its band.",
            "course",
        ),
        _wide_figure(
            partial(plot_differences, comparison),
            f"By how much each strategy ended better than {comparison.baseline}; grey dots are "
            "the repeats. An interval that holds zero is within the noise.",
            "differences",
            1.3 + 0.4 * len(comparison.strategies),
        ),
    ]


def draw_groups(shown: SideBySide) -> list[Figure]:
    """Draw the convergence of the studies whose scores can be compared, a figure for each group."""
    return [
        _wide_figure(
            partial(draw_group, shown, place),
            f"The scores of the trials of {listed(shown, group)}, and the best of each so far.",
            f"course-{place}",
        )
        for place, group in enumerate(shown.groups)
    ]


def draw_convergence(study: Study, findings: Findings) -> Figure:
    """Draw the figure that changes with each trial."""
    caption = (
        "The score of every trial, and the best so far ± its standard error over the folds, less "
        "what a fold does to all trials."
    )
    if findings.random is not None:
        caption += (
            " Dashes: what random search is expected to have reached, by estimate, with a "
            f"{findings.random.confidence:.0%} band."
        )
    draw = partial(plot_convergence, study, baseline=findings.random)
    return _wide_figure(draw, caption, "convergence")


def _draw_curves(series: Mapping[str, PartialDependenceSeries]) -> list[Figure]:
    limits = curve_limits(list(series.values()))
    return [
        _figure(
            partial(draw_curve, curve, limits=limits),
            name,
            f"curve{i}",
            PANEL_INCHES,
            title=f"{curve.label} along {name}: {_peak(curve)}",
        )
        for i, (name, curve) in enumerate(series.items())
    ]


def _peak(curve: PartialDependenceSeries) -> str:
    """Where the average is best, for screen readers."""
    better = as_user_value(curve.mean, curve.greater_is_better)
    if curve.all_equal or np.isnan(better).all():
        return "the same everywhere"
    at = curve.grid[int(np.nanargmax(better))]
    return f"best at {curve.axis.labels[round(at)] if curve.axis.labels else number(at)}"


def _draw_maps(model: ScoreModel, names: Sequence[str]) -> list[Figure]:
    return [
        _figure(
            partial(draw_map, partial_dependence_map_series(model, (x, y))),
            f"{x} and {y}",
            f"map{i}",
            PANEL_INCHES,
            title=f"{model.label} over {x} and {y}",
        )
        for i, (x, y) in enumerate(combinations(names, 2))
    ]


def _draw_others(study: Study, names: Sequence[str]) -> list[Figure]:
    figures = []
    if len(study.complete) > 1 and any(len(trial.folds) > 1 for trial in study.complete):
        figures.append(
            _wide_figure(
                partial(plot_fold_spread, study),
                "The best trials against the best one, fold by fold: where a bar, one standard "
                "error of the difference, reaches the dashed line, the folds cannot tell them "
                "apart.",
                "folds",
            )
        )
    if study.complete and any(fold.curves for fold in study.best_trial.folds):
        figures.append(
            _wide_figure(
                partial(plot_learning_curves, study),
                "How the best trial was trained: each fold a line, its best epoch a dot.",
                "learning",
            )
        )
    if study.complete and len(study.space) > 1:
        figures.append(_draw_parallel_coordinates(study, names))
    if study.ended:
        last = float(timeline(study)[1].max())
        if last + 1 >= TIMELINE_LANES:
            draw = partial(plot_timeline, study)
            figures.append(_wide_figure(draw, "When each trial ran.", "timeline", 1.4 + 0.3 * last))
    return figures


def _draw_parallel_coordinates(study: Study, names: Sequence[str]) -> Figure:
    few = len(study.space) <= PARALLEL_DIMENSIONS
    shown = study.space.names if few else (names or study.space.names)[:PARALLEL_DIMENSIONS]
    wide = _figure(
        partial(plot_parallel_coordinates, study, shown),
        f"Each trial is a line through {'all' if few else 'the most influential'} dimensions, "
        "light where its score is better.",
        "parallel",
        (WIDTH, HEIGHT),
        kind="wide parallel",
    )
    some = (names or list(shown))[:NARROW_DIMENSIONS]
    draw = partial(plot_parallel_coordinates, study, some)
    narrow = _figure(draw, wide.caption, "parallel-narrow", (NARROW_WIDTH, HEIGHT))
    return wide._replace(narrow=narrow.svg)


def _wide_figure(
    draw: Callable[..., Any], caption: str, name: str, height: float = HEIGHT
) -> Figure:
    """Draw a figure of the page's width, and a narrow copy."""
    wide = _figure(draw, caption, name, (WIDTH, height), kind="wide")
    size = (NARROW_WIDTH, max(height, PANEL_INCHES[1]))
    return wide._replace(narrow=_figure(draw, caption, f"{name}-narrow", size).svg)


def _figure(
    draw: Callable[..., Any],
    caption: str,
    name: str,
    inches: tuple[float, float],
    *,
    title: str = "",
    kind: str = "",
) -> Figure:
    """Draw a figure; the title, by default the caption, is for screen readers."""
    text = svg(draw, title=title or caption, inches=inches, prefix=name)
    return Figure(text, caption, kind=kind)
