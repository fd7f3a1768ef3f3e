"""Plots of the evaluated values: each dimension, and all of them."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm, Normalize
from numpy.typing import NDArray

from gpsearch.described import digits_within, number
from gpsearch.errors import public
from gpsearch.evaluation import as_user_value
from gpsearch.plotting import style
from gpsearch.plotting.axes import (
    DimensionAxis,
    category_labels,
    fractions,
    jitter,
    log_limits,
    score_limits,
    wrapped,
)
from gpsearch.plotting.data import EvaluationsSeries, as_series, evaluations_series
from gpsearch.study import Study

BAR = 0.4  # inches that a colour bar takes beside what the frame would have left
ABSENT = -0.12  # height at which trials pass that lack a dimension
HEIGHT_SHARE = 0.8  # of the plot that an axis takes


@public()
def plot_slices(
    study: Study | EvaluationsSeries,
    dimensions: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> NDArray[np.object_]:
    """Draw the score of every trial against each dimension, one panel for each dimension.

    Blue dots are early trials, gold ones late; the best has a ring. Scores far below the others
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
    scored, better = ~np.isnan(series.values), series.greater_is_better
    if not scored.any():
        return np.array([style.show_message(style.new_axes(ax), "No trial has a score yet.")])
    best = series.values[[] if series.best is None else [series.best]]
    decades = log_limits(series.values, series.greater_is_better)
    limits = decades or score_limits(series.values, best, series.greater_is_better)
    cells = style.panel_grid(ax, len(series.axes))
    inside = scored & (series.values >= limits[0]) & (series.values <= limits[1])
    outside, failed = scored & ~inside, np.array(series.states) == "failed"
    order = Normalize(0, max(int(series.numbers[-1]), 1))
    by_number = {"norm": order, "cmap": style.MARKS, "linewidth": 0}
    for i, (cell, axis) in enumerate(zip(cells, series.axes, strict=True)):
        x = series.coordinates[:, i] + jitter(axis, len(scored))
        y, numbers = series.values[inside], series.numbers[inside]
        style.scatter_trials(cell, x[inside], y, numbers, c=numbers, **by_number, s=16)
        at_edge = cell, x, series.numbers, outside, failed
        style.draw_at_edge(*at_edge, greater_is_better=better, stroke=1.2, s=22)
        if series.best is not None:
            ring = {"facecolor": "none", "edgecolor": style.ORANGE}
            cell.scatter(x[series.best], best[0], s=60, linewidth=1.5, **ring)
        style.scale_axis(cell, "x", axis)
        (style.log_scores if decades else Axes.set_ylim)(cell, *limits)
        if cell.get_subplotspec().is_first_col():
            cell.set_ylabel(style.literal(series.label))
        style.quiet_frame(cell)
    style.figure_of(cells[0]).align_xlabels(cells)
    if ax is None:
        _draw_slices_legend(cells, series, bool(outside.any()), bool(failed.any()))
    return cells


@public()
def plot_parallel_coordinates(
    study: Study | EvaluationsSeries,
    dimensions: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each trial as a line through the axes of all dimensions, the best trials on top.

    The colour is the score, light for the better; the best trial is the thick line. Each dimension
    has its own scale; trials that lack a dimension pass below its axis.

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
    lacking = set(np.nonzero(np.isnan(heights[order]))[1].tolist())
    heights = np.where(np.isnan(heights), ABSENT, heights)
    x = np.arange(d)
    best = order[-1] if series.best is None else series.best
    decades = log_limits(series.values, series.greater_is_better)
    limits = score_limits(series.values, series.values[[best]], series.greater_is_better)
    low, high = decades or limits
    shown = np.clip(series.values, max(low, series.values[scored].min()), high)
    lines = LineCollection(
        [np.column_stack([x, heights[i]]) for i in order],
        array=shown[order],
        norm=LogNorm() if decades else None,
        cmap=style.MARKS if series.greater_is_better else style.MARKS.reversed(),
        linewidths=np.linspace(0.6, 1.4, len(order)),
        alpha=float(np.clip(30 / len(order), 0.3, 0.8)),
    )
    ax.add_collection(lines)
    style.name_trials(lines, series.numbers[order])
    (thick,) = ax.plot(x, heights[best], color=style.ORANGE, linewidth=2.6, zorder=4)
    style.name_trials(thick, [series.numbers[best]])
    inches = max(style.width_of(ax) - BAR, 1.0) / d
    room = max(4, int(style.SMALL_LETTERS * inches) - 1)
    most = max(2, int(HEIGHT_SHARE * style.height_of(ax) / style.LINE_INCHES))
    for i, axis in enumerate(series.axes):
        (line,) = ax.plot([i, i], [0, 1], color=style.text_colour(), linewidth=0.8, zorder=3)
        line.set_gid(f"{style.AXIS} {i}")
        absent = [(ABSENT, "absent")] if i in lacking else []
        for height, text in [*_ticks(axis, room, most), *absent]:
            ax.annotate(
                style.literal(text),
                (i, height),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize="small",
                zorder=5,
                bbox={
                    "boxstyle": "square,pad=0.1",
                    "facecolor": matplotlib.rcParams["axes.facecolor"],
                    "edgecolor": "none",
                    "alpha": 0.75,
                },
            )
    names = [style.literal(wrapped(axis.name, room)) for axis in series.axes]
    ax.set_xticks(x, names, fontsize="small")
    ax.set_xlim(-0.15, d - 1 + 0.6)
    ax.set_ylim(ABSENT - 0.04 if lacking else -0.08, 1.08)  # with the shifts of equal values
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.tick_params(axis="x", length=0)
    if np.ptp(shown[order]) > 0:
        shades = ScalarMappable(lines.norm, lines.cmap)  # the lines let others shine through
        style.colour_bar(ax, shades, series.label, pad=0.01, aspect=30)
    told = f"thick: the best, trial {series.numbers[best]}, {number(series.values[best])}"
    equal = len(order) > 1 and np.ptp(series.values[order]) == 0
    told = f"all {len(order)} scores are equal; {told}" if equal else told
    ax.set_title(told, fontsize="small", loc="left")
    return ax


def _draw_slices_legend(
    cells: NDArray[np.object_], series: EvaluationsSeries, outside: bool, failed: bool
) -> None:
    dot = {"marker": "o", "markersize": 4, "markeredgewidth": 0}
    first, last = style.MARKS([0.0, 1.0])
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


def _ticks(axis: DimensionAxis, letters: int, most: int) -> list[tuple[float, str]]:
    """Height and text of the values that are named: the ends, or at most so many categories."""
    if axis.labels:
        labels = category_labels(axis.labels, letters)
        keep = range(0, len(labels), -(-len(labels) // most))
        heights = fractions(axis, np.array(keep, dtype=float))
        return [(float(height), labels[i]) for height, i in zip(heights, keep, strict=True)]
    digits = digits_within(axis.low, axis.high)
    return [(0.0, number(axis.low, digits)), (1.0, number(axis.high, digits))]
