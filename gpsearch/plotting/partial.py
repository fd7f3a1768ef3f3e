"""Plots of partial dependence: curves and maps."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize

from gpsearch.described import number
from gpsearch.errors import InvalidParamsError, public
from gpsearch.evaluation import as_user_value
from gpsearch.plotting import style
from gpsearch.plotting.axes import (
    FEW,
    Array,
    DimensionAxis,
    dimension_axes,
    discrete,
    jitter,
    log_limits,
    with_margin,
)
from gpsearch.plotting.data import as_series
from gpsearch.plotting.dependence import (
    Observations,
    PartialDependenceMapSeries,
    PartialDependenceSeries,
    ScoreModel,
    fit_score_model,
    partial_dependence_map_series,
    partial_dependence_series,
    space_of,
)
from gpsearch.space import Space
from gpsearch.study import Study

WORST_SHOWN = 0.15  # share of the observations that may lie below the axis of a curve
BAND_CUT = 0.02  # share of the bands, at either end, that may leave the axis of a curve
MANY = 150  # observations above which their dots on a map are smaller
CLEAR = 0.5  # a map is hatched where the uncertainty exceeds this share of its range
DASHED: dict[str, Any] = {"linestyle": "--", "color": style.ORANGE, "linewidth": 1.2}
STAR: dict[str, Any] = {
    "marker": "*",
    "color": style.ORANGE,
    "markeredgecolor": "white",
    "markeredgewidth": 0.5,
}


@public()
def plot_partial_dependence(
    study: Study | ScoreModel,
    dimensions: str | Sequence[str | tuple[str, str]] | None = None,
    ax: Axes | None = None,
) -> Any:
    """Draw how the score depends on each dimension, averaged over all the others.

    The line is the surrogate's mean, the band one standard deviation of the averaged function;
    grey dots are the observed trials. An average counts bad settings of the other dimensions like
    good ones, so good trials lie above it: the dashed line is the surrogate with the others as in
    the best trial, which is the star. A map of two dimensions is hatched where the standard
    deviation is more than half of the map's range; its title says so where the best trial lies in
    the worse half of the averages.

    Parameters
    ----------
    study : Study or ScoreModel
    dimensions : str, pair, or list of these, optional
        ``"lr"`` draws a curve, ``("lr", "opt")`` a map, a list one panel for each entry. By
        default one curve for each dimension, the most influential first.
    ax : Axes, optional
        Where to draw, divided for several panels; by default a new figure.

    Returns
    -------
    Axes, or an array of Axes where `dimensions` is a list or None

    Raises
    ------
    InvalidParamsError
        A name that is not a dimension of the space.
    StudyError
        Fewer than two trials are complete.
    """
    wanted = _entries(space_of(study), dimensions)
    style.given_axes(ax)
    model = as_series(study, ScoreModel, fit_score_model)
    if isinstance(dimensions, str):
        return draw_curve(partial_dependence_series(model, dimensions), style.new_axes(ax))
    if isinstance(dimensions, tuple):
        return draw_map(partial_dependence_map_series(model, dimensions), style.new_axes(ax))
    curves = {n: partial_dependence_series(model, n) for n in wanted if isinstance(n, str)}
    if dimensions is None:
        wanted = [*sorted(curves, key=lambda name: -curves[name].influence)]
    maps = len(curves) < len(wanted)
    cells = style.panel_grid(ax, len(wanted), shared=not maps)
    limits = curve_limits(list(curves.values()))
    for entry, cell in zip(wanted, cells, strict=True):
        if isinstance(entry, str):
            draw_curve(curves[entry], cell, limits=limits)
            if not maps and not cell.get_subplotspec().is_first_col():
                cell.set_ylabel("")
        else:
            draw_map(partial_dependence_map_series(model, entry), cell)
    style.figure_of(cells[0]).align_xlabels(cells)
    if curves and model.all_equal:
        cells[0].set_title("all scores are equal", fontsize="small")
    if ax is None and not maps:
        line = {"linestyle": "-", "color": style.BLUE}
        style.figure_legend(
            cells,
            {
                "mean": line | {"linewidth": 2},
                "one standard deviation of the mean": line | {"alpha": 0.25, "linewidth": 7},
                "others as in the best trial": DASHED,
                "trial": {"marker": "o", "color": style.GREY, "markersize": 4, "alpha": 0.6},
                "best trial": STAR | {"markersize": 8},
            },
        )
    return cells


def draw_curve(
    series: PartialDependenceSeries, ax: Axes, limits: tuple[float, float] | None = None
) -> Axes:
    """Draw one curve with its band and the observed trials onto `ax`."""
    low, high = limits or curve_limits([series])
    inside = (series.scores >= low) & (series.scores <= high)
    x, y = series.observed + jitter(series.axis, len(series.scores), 0.3), series.scores
    numbers, at_edge = series.numbers, np.full(len(x), 0.015 if series.greater_is_better else 0.985)
    look = {"s": 10, "color": style.GREY, "alpha": 0.6, "linewidth": 0}
    style.scatter_trials(ax, x[inside], y[inside], numbers[inside], **look)
    if (~inside).any():  # strokes at the edge show that these values were tried
        look = {"marker": "|", "s": 25, "color": style.GREY, "linewidth": 1}
        look["transform"] = ax.get_xaxis_transform()
        style.scatter_trials(ax, x[~inside], at_edge[~inside], numbers[~inside], **look)
    _draw_line(series, ax)
    if not series.all_equal:
        single = series.axis.labels and not series.axis.ordered
        at_best = {"linestyle": "none", "marker": "_", "markersize": 14} if single else {}
        ax.plot(series.grid, series.at_best, **DASHED | at_best, zorder=4)
        ax.plot(x[series.best], y[series.best], **STAR, markersize=10, zorder=5)
    style.scale_axis(ax, "x", series.axis)
    (style.log_scores if _is_log(series) else Axes.set_ylim)(ax, low, high)
    ax.set_ylabel(style.literal(series.label))
    style.quiet_frame(ax)
    return ax


def draw_map(series: PartialDependenceMapSeries, ax: Axes) -> Axes:
    """Draw one map with its colour bar and the observed trials onto `ax`."""
    if _is_log(series):  # the surrogate may expect less than 0
        least = series.scores.min()
        ends = {n: np.maximum(getattr(series, n), least) for n in ("mean", "lower", "upper")}
        series = replace(series, **ends)
    low, high = float(np.nanmin(series.mean)), float(np.nanmax(series.mean))
    log = _is_log(series) and low < high
    mappable = _draw_cells(series, ax, (LogNorm if log else Normalize)(low, high))
    # The colour bar takes three tenths of the width, and the names of categories theirs.
    names = max(map(len, series.y.labels), default=0) / style.LETTERS
    share = max(0.2, 0.7 - names / style.width_of(ax))
    style.scale_axis(ax, "x", series.x, share=share)
    style.scale_axis(ax, "y", series.y)
    style.colour_bar(ax, mappable, series.label)
    half = float(np.nanmedian(_half_width(series, log)))
    title = f"uncertainty {'a factor of ' * log}{number(np.exp(half) if log else half, 2)} (median)"
    if series.all_equal:
        title = "all scores are equal"
    elif _best_is_below(series):
        title = "the best trial (star) owes its score to other settings"
    ax.set_title(style.fitted(ax, title, style.SMALL_LETTERS), fontsize="small", loc="right")
    return ax


def _is_log(series: Observations) -> bool:
    """Whether the scores are drawn on a logarithmic scale."""
    return log_limits(series.scores, series.greater_is_better) is not None


def _half_width(series: PartialDependenceMapSeries, log: bool) -> Array:
    """Half of the band of each cell, on the scale of the colours."""
    lower, upper = series.lower, series.upper
    return np.log(upper / lower) / 2 if log else (upper - lower) / 2


def _best_is_below(series: PartialDependenceMapSeries) -> bool:
    """Whether the best trial lies in the worse half of the averages of a map."""
    x, y = series.observed[series.best]
    row = int(np.argmin(np.abs(series.y_grid - y)))
    column = int(np.argmin(np.abs(series.x_grid - x)))
    better = as_user_value(series.mean, series.greater_is_better)
    seen = not np.isnan([x, y]).any()  # the best trial may lack a dimension
    return seen and bool(better[row, column] < np.nanmedian(better))


def _entries(space: Space, dimensions: Any) -> list[str | tuple[str, str]]:
    """The curves, as names, and the maps, as pairs, that are asked for."""
    if dimensions is None:
        return list(space.names)
    pair = isinstance(dimensions, tuple) and len(dimensions) == 2
    alone = isinstance(dimensions, str) or pair or not isinstance(dimensions, Iterable)
    entries = [dimensions] if alone else list(dimensions)
    for entry in entries:
        parts = list(entry) if isinstance(entry, tuple | list) else [entry]
        if len(parts) not in (1, 2) or len(set(map(str, parts))) < len(parts):
            raise InvalidParamsError(
                f"{entry!r} must be the name of a dimension, or a pair of two different ones."
            ).about("dimensions")
        dimension_axes(space, parts)
    return [entry if isinstance(entry, str) else tuple(entry) for entry in entries]


def curve_limits(curves: Sequence[PartialDependenceSeries]) -> tuple[float, float]:
    """Limits that leave out only the ends of the bands and the worst observations.

    The averages and the best observation take at least a third of the axis: what a few diverged
    settings would give does not flatten them. A logarithmic axis shows all lines and observations.
    """
    if not curves:
        return 0.0, 1.0
    scores, better = curves[0].scores, curves[0].greater_is_better
    means = np.concatenate([s.mean for s in curves])
    lines = np.concatenate([means, *[s.at_best for s in curves]])
    if _is_log(curves[0]):
        drawn = np.append(scores, np.maximum(lines, scores.min()))  # they may be below 0
        limits = log_limits(drawn, better, log=True)
        assert limits is not None
        return limits
    bands = np.concatenate([[s.lower, s.upper] for s in curves], axis=None)
    wide = np.nanquantile(bands, [BAND_CUT, 1 - BAND_CUT])
    worst = float(np.quantile(scores, WORST_SHOWN if better else 1 - WORST_SHOWN))
    best = float(scores.max() if better else scores.min())
    shown, kept = [*lines, *wide, worst, best], [*means, best]
    least, most = np.nanmin(kept), np.nanmax(kept)
    room = (most - least) or np.inf
    return with_margin(max(np.nanmin(shown), least - room), min(np.nanmax(shown), most + room))


def _draw_line(series: PartialDependenceSeries, ax: Axes) -> None:
    if discrete(series.axis):
        spread = np.abs(np.vstack([series.mean - series.lower, series.upper - series.mean]))
        ax.errorbar(
            series.grid,
            series.mean,
            yerr=spread,
            fmt="o-" if series.axis.ordered else "o",
            color=style.BLUE,
            linewidth=1.4,
            markersize=5,
            capsize=4 if len(series.grid) <= FEW else 0,
            zorder=3,
        )
    else:
        ax.fill_between(
            series.grid, series.lower, series.upper, color=style.BLUE, alpha=0.25, linewidth=0
        )
        ax.plot(series.grid, series.mean, color=style.BLUE, linewidth=2, zorder=3)


def _draw_cells(series: PartialDependenceMapSeries, ax: Axes, norm: Normalize) -> Any:
    colours = style.SEQUENTIAL if series.greater_is_better else f"{style.SEQUENTIAL}_r"
    x_edges, y_edges = _edges(series.x, series.x_grid), _edges(series.y, series.y_grid)
    smooth = not discrete(series.x) and not discrete(series.y) and not np.isnan(series.mean).any()
    mappable = ax.pcolormesh(
        series.x_grid if smooth else x_edges,
        series.y_grid if smooth else y_edges,
        series.mean,
        shading="gouraud" if smooth else "flat",
        cmap=colours,
        norm=norm,
        rasterized=True,
        zorder=0,
    )
    log = isinstance(norm, LogNorm)
    ends = np.array([norm.vmin, norm.vmax], dtype=float)
    vague = _half_width(series, log) > CLEAR * np.ptp(np.log(ends) if log else ends)
    if vague.any():
        ax.pcolor(
            x_edges, y_edges, np.ma.masked_where(~vague, vague), alpha=0, hatch="///", zorder=1
        )
    n = len(series.scores)
    x = series.observed[:, 0] + jitter(series.x, n)
    y = series.observed[:, 1] + jitter(series.y, n)
    small = float(np.clip(MANY / n, 0.1, 1.0))  # thousands of large dots would hide the map
    look = {"s": 12.0 * small, "color": "white", "edgecolor": "black", "zorder": 2}
    style.scatter_trials(ax, x, y, series.numbers, linewidth=0.5 * small**0.5, **look)
    ax.plot(x[series.best], y[series.best], **STAR, markersize=160**0.5, zorder=3)
    return mappable


def _edges(axis: DimensionAxis, values: Array) -> Array:
    """(m + 1,) borders of the cells of m values, the outer ones half a step beyond the ends."""
    if len(values) == 1:
        return np.array([values[0] - 0.5, values[0] + 0.5])
    scaled = np.log(values) if axis.log else values
    middle = (scaled[1:] + scaled[:-1]) / 2
    first, last = 2 * scaled[0] - middle[0], 2 * scaled[-1] - middle[-1]
    edges = np.array([first, *middle, last])
    return np.exp(edges) if axis.log else edges
