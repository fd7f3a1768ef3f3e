"""Observed scores along each dimension, and trials as lines through all dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from gpsearch.errors import public
from gpsearch.evaluation import as_user_value
from gpsearch.plotting import style
from gpsearch.plotting.axes import DimensionAxis, fractions, jitter, score_limits, wrapped
from gpsearch.plotting.data import EvaluationsSeries, as_series, evaluations_series
from gpsearch.plotting.text import literal, number
from gpsearch.study import Study

ABSENT = -0.12  # height at which trials pass that lack a dimension
TOP_SHARE = 0.2  # of the trials are drawn in colour among the parallel coordinates


@public()
def plot_slices(
    study: Study | EvaluationsSeries,
    dimensions: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> NDArray[np.object_]:
    """Draw the score of every trial against each dimension, one panel for each dimension.

    Dark dots are early trials, light ones late; the best has a ring. Scores far below the others
    are triangles at the edge, failed trials crosses.

    Returns
    -------
    (d,) array of Axes

    Raises
    ------
    InvalidParamsError
        A name that is not a dimension of the space.
    """
    series = as_series(study, EvaluationsSeries, lambda s: evaluations_series(s, dimensions))
    scored = ~np.isnan(series.values)
    if not scored.any():
        return np.array([style.show_message(style.new_axes(ax), "No trial has a score yet.")])
    best = series.values[[] if series.best is None else [series.best]]
    limits = score_limits(series.values, best, series.greater_is_better)
    cells = style.panel_grid(ax, len(series.axes))
    inside = scored & (series.values >= limits[0]) & (series.values <= limits[1])
    outside, failed = scored & ~inside, np.array(series.states) == "failed"
    for i, (cell, axis) in enumerate(zip(cells, series.axes, strict=True)):
        x = series.coordinates[:, i] + jitter(axis, len(scored))
        style.draw_by_number(cell, x, series.values, series.numbers, inside, s=16)
        better = series.greater_is_better
        style.draw_at_edge(cell, x, outside, failed, greater_is_better=better, stroke=1.2, s=22)
        if series.best is not None:
            style.draw_ring(cell, x[series.best], best[0], s=60, linewidth=1.5)
        style.scale_axis(cell, "x", axis)
        cell.set_ylim(*limits)
        if cell.get_subplotspec().is_first_col():
            cell.set_ylabel(series.label)
        style.quiet_frame(cell)
    if ax is None:
        _draw_legend(cells, series, bool(outside.any()), bool(failed.any()))
    return cells


@public()
def plot_parallel_coordinates(
    study: Study | EvaluationsSeries,
    dimensions: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each trial as a line through the axes of all dimensions, the best trials on top.

    The best fifth of the trials is coloured by score, the best one is the thick line; the others
    are grey. Each dimension has its own scale; trials that lack a dimension pass below its axis.

    Returns
    -------
    Axes

    Raises
    ------
    InvalidParamsError
        A name that is not a dimension of the space.
    """
    series = as_series(study, EvaluationsSeries, lambda s: evaluations_series(s, dimensions))
    scored = np.flatnonzero(~np.isnan(series.values))
    d = len(series.axes)
    ax = style.new_axes(ax, (max(6.4, 1.15 * d), 4.2))
    if not len(scored):
        return style.show_message(ax, "No trial has a score yet.")
    if d == 1:
        return style.show_message(
            ax, "Parallel coordinates need two dimensions; plot_slices shows one."
        )
    heights = np.column_stack(
        [
            fractions(axis, series.coordinates[:, i] + jitter(axis, len(series.values), 0.13))
            for i, axis in enumerate(series.axes)
        ]
    )
    scores = as_user_value(series.values, series.greater_is_better)
    order = scored[np.argsort(scores[scored], kind="stable")]
    n_top = max(1, int(np.ceil(TOP_SHARE * len(order))))
    rest, top = order[:-n_top], order[-n_top:]
    lacking = set(np.nonzero(np.isnan(heights[order]))[1].tolist())
    heights = np.where(np.isnan(heights), ABSENT, heights)
    x = np.arange(d)
    lines = [np.column_stack([x, row]) for row in heights]
    ax.add_collection(
        LineCollection([lines[i] for i in rest], colors=style.GREY, linewidths=0.6, alpha=0.35)
    )
    shades = np.linspace(0.75, 0.0, n_top)
    colours = matplotlib.colormaps[style.SEQUENTIAL](shades)
    ax.add_collection(
        LineCollection([lines[i] for i in top], colors=colours, linewidths=1.3, alpha=0.9)
    )
    ax.plot(*lines[order[-1]].T, color=style.ORANGE, linewidth=2.6, zorder=4)
    for i, axis in enumerate(series.axes):
        ax.plot([i, i], [0, 1], color=style.text_colour(), linewidth=0.8, zorder=3)
        for height, text in [*_ticks(axis), *([(ABSENT, "absent")] if i in lacking else [])]:
            ax.annotate(
                literal(text),
                (i, height),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize="x-small",
                zorder=5,
                bbox={
                    "boxstyle": "square,pad=0.1",
                    "facecolor": matplotlib.rcParams["axes.facecolor"],
                    "edgecolor": "none",
                    "alpha": 0.75,
                },
            )
    ax.set_xticks(x, [literal(wrapped(axis.name)) for axis in series.axes], fontsize="small")
    ax.set_xlim(-0.15, d - 1 + 0.6)
    ax.set_ylim(ABSENT - 0.04 if lacking else -0.04, 1.04)
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.tick_params(axis="x", length=0)
    thick = f"thick: trial {series.numbers[order[-1]]}, {number(series.values[order[-1]])}"
    equal = len(order) > 1 and np.ptp(series.values[order]) == 0
    shown = f"all {len(order)} scores are equal" if equal else ""
    shown = shown or f"the best {n_top} of {len(order)} trials by {series.label}"
    ax.set_title(f"{shown}; {thick}", fontsize="small", loc="left")
    return ax


def _draw_legend(
    cells: NDArray[np.object_], series: EvaluationsSeries, outside: bool, failed: bool
) -> None:
    dot = {"marker": "o", "markersize": 4, "markeredgewidth": 0}
    first, last = (matplotlib.colormaps[style.SEQUENTIAL](shade) for shade in (0.0, 0.91))
    marks = {
        "first trial": dot | {"color": first},
        f"last, {series.numbers[-1]}": dot | {"color": last},
    }
    if series.best is not None:
        ring = {"marker": "o", "markersize": 7, "markerfacecolor": "none"}
        ring |= {"markeredgecolor": style.ORANGE, "markeredgewidth": 1.5}
        marks[f"best, {series.numbers[series.best]}"] = ring
    if outside:
        triangle = "v" if series.greater_is_better else "^"
        marks["off the scale"] = dot | {"marker": triangle, "color": style.GREY}
    if failed:
        marks["failed"] = {"marker": "x", "color": style.ORANGE, "markersize": 5}
    style.figure_legend(cells, marks)


def _ticks(axis: DimensionAxis) -> list[tuple[float, str]]:
    if axis.labels:
        at = np.arange(len(axis.labels), dtype=float)
        return list(zip(fractions(axis, at).tolist(), axis.labels, strict=True))
    return [(0.0, number(axis.low)), (1.0, number(axis.high))]
