"""Matrix of the evaluated values: each dimension and each pair of dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from gpsearch.errors import public
from gpsearch.plotting import style
from gpsearch.plotting.axes import Array, DimensionAxis, discrete, jitter
from gpsearch.plotting.data import EvaluationsSeries, as_series, evaluations_series
from gpsearch.study import Study

BINS = 12  # of a histogram


@public()
def plot_evaluations(
    study: Study | EvaluationsSeries,
    dimensions: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> NDArray[np.object_]:
    """Draw which values were tried, for each dimension and for each pair of dimensions.

    The diagonal counts the trials; a cell below it has a dot for each trial, dark for the first
    and light for the last. Failed trials are crosses, the best one has a ring.

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


def _draw_pair(
    cell: Axes, series: EvaluationsSeries, i: int, j: int, failed: NDArray[np.bool_]
) -> None:
    n = len(series.numbers)
    x, y = (series.coordinates[:, k] + jitter(series.axes[k], n) for k in (i, j))
    size = float(np.clip(600 / n, 4, 14))
    style.draw_by_number(cell, x, y, series.numbers, ~failed, s=size, rasterized=n > 200)
    if failed.any():
        cell.scatter(x[failed], y[failed], marker="x", color=style.ORANGE, s=12, linewidth=1)
    if series.best is not None:
        style.draw_ring(cell, x[series.best], y[series.best], s=46, linewidth=1.4)


def _draw_counts(cell: Axes, axis: DimensionAxis, values: Array) -> None:
    if discrete(axis):
        places = np.arange(axis.low, axis.high + 1)
        counts = (values[:, None] == places).sum(axis=0)
        cell.bar(places, counts, width=0.7, color=style.BLUE, alpha=0.75)
    else:
        edges = (np.geomspace if axis.log else np.linspace)(axis.low, axis.high, BINS + 1)
        edges[[0, -1]] = axis.low, axis.high  # without rounding, so that the ends count
        cell.hist(values, bins=list(edges), color=style.BLUE, alpha=0.75)


def _draw_legend(
    cells: NDArray[np.object_], series: EvaluationsSeries, failed: NDArray[np.bool_], left_out: int
) -> None:
    single = len(series.axes) == 1
    parts = [] if single else [f"dark: trial 0, light: trial {series.numbers[-1]}"]
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
