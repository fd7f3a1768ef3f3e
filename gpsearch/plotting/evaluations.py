"""Plots of the evaluated values: each dimension, each pair of dimensions, and all of them."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from gpsearch.errors import public
from gpsearch.evaluation import as_user_value
from gpsearch.plotting import style
from gpsearch.plotting.axes import (
    Array,
    DimensionAxis,
    discrete,
    fractions,
    jitter,
    score_limits,
    wrapped,
)
from gpsearch.plotting.data import EvaluationsSeries, as_series, evaluations_series
from gpsearch.plotting.text import literal, number
from gpsearch.study import Study

BINS = 12  # of a histogram
ABSENT = -0.12  # height at which trials pass that lack a dimension


@public()
def plot_evaluations(
    study: Study | EvaluationsSeries,
    dimensions: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> NDArray[np.object_]:
    """Draw which values were tried, for each dimension and for each pair of dimensions.

    The diagonal counts the trials; a cell below it has a dot for each trial, blue for the first
    and gold for the last. Failed trials are crosses, the best one has a ring.

    Parameters
    ----------
    study : Study or EvaluationsSeries
    dimensions : sequence of str, optional
        Names of the dimensions to show; by default the first ten.
    ax : Axes, optional
        Divided into cells; by default a new figure.

    Returns
    -------
    (d, d) array of Axes, None above the diagonal

    Raises
    ------
    InvalidParamsError
        A name that is not a dimension of the space.
    """
    left_out = 0
    if isinstance(study, Study) and dimensions is None:
        dimensions = study.space.names[: style.MATRIX_LIMIT]
        left_out = len(study.space) - len(dimensions)
    series = as_series(study, EvaluationsSeries, lambda s: evaluations_series(s, dimensions))
    if not len(series.numbers):
        return np.array([[style.show_message(style.new_axes(ax), "No trial has ended yet.")]])
    cells = style.triangle(ax, series.axes)
    failed = np.array(series.states) == "failed"
    for i, axis in enumerate(series.axes):
        values = series.coordinates[:, i]
        _draw_counts(cells[i, i], axis, values[~np.isnan(values)])
        for j in range(i):
            _draw_pair(cells[i, j], series, j, i, failed)
    _draw_legend(cells, series, failed, left_out)
    return cells


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
        look: dict[str, Any] = {"greater_is_better": better, "stroke": 1.2, "s": 22}
        style.draw_at_edge(cell, x, series.numbers, outside, failed, **look)
        if series.best is not None:
            style.draw_ring(cell, x[series.best], best[0], s=60, linewidth=1.5)
        style.scale_axis(cell, "x", axis)
        cell.set_ylim(*limits)
        if cell.get_subplotspec().is_first_col():
            cell.set_ylabel(series.label)
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
    lacking = set(np.nonzero(np.isnan(heights[order]))[1].tolist())
    heights = np.where(np.isnan(heights), ABSENT, heights)
    x = np.arange(d)
    best = order[-1] if series.best is None else series.best
    low, high = score_limits(series.values, series.values[[best]], series.greater_is_better)
    shown = np.clip(series.values, max(low, series.values[scored].min()), high)
    lines = LineCollection(
        [np.column_stack([x, heights[i]]) for i in order],
        array=shown[order],
        cmap=style.MARKS if series.greater_is_better else style.MARKS.reversed(),
        linewidths=np.linspace(0.6, 1.4, len(order)),
        alpha=float(np.clip(30 / len(order), 0.3, 0.8)),
    )
    ax.add_collection(lines)
    style.name_trials(lines, series.numbers[order])
    (thick,) = ax.plot(x, heights[best], color=style.ORANGE, linewidth=2.6, zorder=4)
    style.name_trials(thick, [series.numbers[best]])
    for i, axis in enumerate(series.axes):
        (line,) = ax.plot([i, i], [0, 1], color=style.text_colour(), linewidth=0.8, zorder=3)
        line.set_gid(f"{style.AXIS} {i}")
        for height, text in [*_ticks(axis), *([(ABSENT, "absent")] if i in lacking else [])]:
            ax.annotate(
                literal(text),
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
    ax.set_xticks(x, [literal(wrapped(axis.name)) for axis in series.axes], fontsize="small")
    ax.set_xlim(-0.15, d - 1 + 0.6)
    ax.set_ylim(ABSENT - 0.04 if lacking else -0.08, 1.08)  # with the shifts of equal values
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.tick_params(axis="x", length=0)
    if np.ptp(shown[order]) > 0:
        shades = ScalarMappable(lines.norm, lines.cmap)  # the lines let others shine through
        style.figure_of(ax).colorbar(shades, ax=ax, label=series.label, pad=0.01, aspect=30)
    told = f"thick: the best, trial {series.numbers[best]}, {number(series.values[best])}"
    equal = len(order) > 1 and np.ptp(series.values[order]) == 0
    told = f"all {len(order)} scores are equal; {told}" if equal else told
    ax.set_title(told, fontsize="small", loc="left")
    return ax


def _draw_pair(
    cell: Axes, series: EvaluationsSeries, i: int, j: int, failed: NDArray[np.bool_]
) -> None:
    n = len(series.numbers)
    x, y = (series.coordinates[:, k] + jitter(series.axes[k], n) for k in (i, j))
    size = float(np.clip(600 / n, 4, 14))
    style.draw_by_number(cell, x, y, series.numbers, ~failed, s=size, rasterized=n > 200)
    if failed.any():
        look = {"marker": "x", "color": style.ORANGE, "s": 12, "linewidth": 1}
        style.scatter_trials(cell, x[failed], y[failed], series.numbers[failed], **look)
    if series.best is not None:
        style.draw_ring(cell, x[series.best], y[series.best], s=46, linewidth=1.4)


def _draw_counts(cell: Axes, axis: DimensionAxis, values: Array) -> None:
    single = discrete(axis)
    edges = (np.geomspace if axis.log else np.linspace)(axis.low, axis.high, BINS + 1)
    edges[[0, -1]] = axis.low, axis.high  # without rounding, so that the ends count
    if single:
        edges = np.arange(axis.low - 0.5, axis.high + 1)
    cell.hist(values, list(edges), rwidth=0.7 if single else None, color=style.BLUE, alpha=0.75)


def _draw_legend(
    cells: NDArray[np.object_], series: EvaluationsSeries, failed: NDArray[np.bool_], left_out: int
) -> None:
    single = len(series.axes) == 1
    parts = [] if single else [f"blue: trial 0, gold: trial {series.numbers[-1]}"]
    if series.best is not None:
        parts.append(f"ring: the best, trial {series.numbers[series.best]}")
    if failed.any():
        parts.append("cross: failed")
    if left_out:
        parts.append(f"{left_out} further dimensions are not shown")
    corner = cells[0, 0].get_position()
    style.figure_of(cells[0, 0]).text(
        corner.x0 if single else corner.x1 + 0.02,
        corner.y1,
        "\n".join(parts),
        fontsize="small",
        color=style.GREY,
        va="bottom" if single else "top",
    )


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


def _ticks(axis: DimensionAxis) -> list[tuple[float, str]]:
    if axis.labels:
        at = np.arange(len(axis.labels), dtype=float)
        return list(zip(fractions(axis, at).tolist(), axis.labels, strict=True))
    return [(0.0, number(axis.low)), (1.0, number(axis.high))]
