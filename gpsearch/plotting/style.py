"""What all plots share: colours, panels, frames, legends, scaled axes.

Colours are those of Okabe & Ito (2008, Color universal design), which colour-blind people can
distinguish. A marker or a line style repeats what a colour says, for prints in grey. Text and
frames take the colours of the user's own matplotlib style.
"""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecBase
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FixedFormatter,
    FixedLocator,
    MaxNLocator,
)
from numpy.typing import NDArray

from gpsearch.arguments import instance_of, optional
from gpsearch.plotting.axes import (
    DimensionAxis,
    axis_limits,
    category_labels,
    wrapped,
)
from gpsearch.plotting.ticks import log_ticks, plain_scale

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
SKY, PINK, GREY = "#56B4E9", "#CC79A7", "#8C8C8C"
CYCLE = (BLUE, ORANGE, GREEN, PINK, SKY, GREY)
STRATEGIES = {"gp": BLUE, "random": GREY, "grid": GREEN, "tpe": PINK, "skopt": SKY}
"""One colour for a strategy, in all figures."""
DASHES = ("-", "--", "-.", ":", (0, (7, 2)), (0, (4, 1, 1, 1, 1, 1)))
SEQUENTIAL = "cividis"  # perceptually uniform, and nearly the same for all colour vision
# Its hues for marks, without the ends: those stand out on neither a dark nor a light page.
MARKS = LinearSegmentedColormap.from_list("marks", ["#3f6fb5", "#8a8f88", "#dba33c"])
TRIALS, AXIS = "trials", "axis"  # first words of the ids by which `svg` knows marks and axes

PANEL_INCHES, ALONE_INCHES = (3.1, 2.5), (6.4, 4.0)  # of a panel among others, and of one
LINE_INCHES = 0.2  # of a legend
LETTERS, SMALL_LETTERS = 12, 15  # of a label, on average, in an inch
HANDLE_LETTERS = 6  # that a mark in a legend takes
SLANTED_IN_AN_INCH = 9  # names below an axis
FEW_INCHES = 1.4  # of an axis that has room for two numbers with an exponent
SCORE_LETTERS = 10  # of a label that is a score, with its distance to the next one
SLANTED_LETTERS = 10  # of a name below an axis


def literal(text: str) -> str:
    r"""Escape text so that matplotlib draws it as it is, not as a formula.

    >>> print(literal("$x"), literal("caf\udce9"))
    \$x caf?
    """
    return text.encode(errors="replace").decode().replace("$", r"\$")


def text_colour() -> str:
    """The text colour of the current style."""
    return str(matplotlib.rcParams["text.color"])


def given_axes(ax: Any) -> Axes | None:
    """The Axes that a user gave."""
    return optional(instance_of, "ax", ax, Axes, "Axes of matplotlib")


def new_axes(ax: Axes | None, figsize: tuple[float, float] = ALONE_INCHES) -> Axes:
    """`ax`, or the Axes of a new figure."""
    return given_axes(ax) or plt.subplots(figsize=figsize, layout="constrained")[1]


def panels(
    ax: Axes | None,
    rows: int,
    columns: int,
    *,
    inches: tuple[float, float] = PANEL_INCHES,
    shared: bool = False,
) -> NDArray[np.object_]:
    """(rows, columns) Axes of a new figure, or inside `ax`; `shared` is their y axis."""
    given = given_axes(ax)
    if given is None:
        size = (inches[0] * columns, inches[1] * rows)
        figure = plt.figure(figsize=size, layout="constrained")
        return np.asarray(figure.subplots(rows, columns, squeeze=False, sharey=shared))
    given.set_axis_off()
    grid: GridSpecBase
    if (spec := given.get_subplotspec()) is not None:
        grid = spec.subgridspec(rows, columns)
    else:
        x0, y0, x1, y1 = given.get_position().extents
        grid = figure_of(given).add_gridspec(rows, columns, left=x0, right=x1, bottom=y0, top=y1)
    return np.asarray(grid.subplots(squeeze=False, sharey=shared))


def panel_grid(ax: Axes | None, n: int, *, shared: bool = True) -> NDArray[np.object_]:
    """(n,) Axes in rows of at most four with a shared y axis, or of three with their own."""
    columns = min(n, 3 if not shared or n in (5, 6) else 4)
    inches = ALONE_INCHES if n == 1 else PANEL_INCHES
    cells = panels(ax, -(-n // columns), columns, inches=inches, shared=shared).ravel()
    for unused in cells[n:]:
        unused.set_axis_off()
    return cells[:n]


def quiet_frame(ax: Axes, grid: Literal["both", "x", "y"] = "both") -> None:
    """Keep only the left and the lower line of the frame, and a faint grid."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, linewidth=0.6, color=GREY, alpha=0.25)
    if grid != "both":
        ax.grid(False, axis="y" if grid == "x" else "x")
    plain_scale(ax)
    ax.set_axisbelow(True)


def width_of(ax: Axes) -> float:
    """The width of `ax` in inches, before its labels are laid out."""
    return float(ax.get_position().width * figure_of(ax).get_figwidth())


def height_of(ax: Axes) -> float:
    """The height of `ax` in inches, before its labels are laid out."""
    return float(ax.get_position().height * figure_of(ax).get_figheight())


def few_ticks(ax: Axes) -> MaxNLocator:
    """Ticks of scores along x, so few that they do not touch one another."""
    return MaxNLocator(int(np.clip(LETTERS * width_of(ax) / SCORE_LETTERS, 2, 9)))


def fitted(ax: Axes, text: str, letters: int = LETTERS) -> str:
    """`text` as it is, in lines that are no wider than `ax`."""
    return literal(textwrap.fill(text, max(20, int(letters * width_of(ax)))))


def legend_above(ax: Axes, **options: Any) -> None:
    """Write the legend above the right end of `ax`, in a row, or in as many columns as fit."""
    handles, names = ax.get_legend_handles_labels()
    at_end: dict[str, Any] = {"loc": "lower right", "bbox_to_anchor": (1, 1)}
    look = {"fontsize": "small", "frameon": False, "ncols": legend_columns(names, width_of(ax))}
    ax.legend(handles, names, **at_end | look | options)


def legend_columns(names: Sequence[str], inches: float) -> int:
    """All names in a row, or in as many columns as are so wide together."""
    room, letters = SMALL_LETTERS * inches, [len(name) + HANDLE_LETTERS for name in names]
    return len(names) if sum(letters) <= room else max(1, int(room / max(letters)))


def legend_beside(ax: Axes) -> None:
    """Write the legend to the right of `ax`, in a column."""
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize="small", frameon=False)


def name_trials(artist: Artist, numbers: Iterable[Any]) -> None:
    """Let each mark of an artist, in the order in which it draws them, name its trial in an SVG."""
    artist.set_gid(" ".join([TRIALS, *map(str, numbers)]))


def scatter_trials(
    ax: Axes, x: NDArray[Any], y: NDArray[Any], numbers: NDArray[np.int64], **look: Any
) -> None:
    """Draw a mark for each trial that has a place."""
    seen = np.isfinite(x) & np.isfinite(y)
    if isinstance(look.get("c"), np.ndarray):
        look["c"] = look["c"][seen]
    name_trials(ax.scatter(x[seen], y[seen], **look), numbers[seen])


def draw_at_edge(
    ax: Axes,
    x: NDArray[Any],
    numbers: NDArray[np.int64],
    outside: NDArray[np.bool_],
    failed: NDArray[np.bool_],
    *,
    greater_is_better: bool,
    stroke: float,
    **look: Any,
) -> None:
    """Draw trials off the scale as triangles and failed ones as crosses, at the worse edge."""
    edge, triangle = (0.02, "v") if greater_is_better else (0.98, "^")
    for mask, marker, colour, name in (
        (outside, triangle, GREY, "off the scale"),
        (failed, "x", ORANGE, "failed"),
    ):
        if mask.any():
            scatter_trials(
                ax,
                x[mask],
                np.full(mask.sum(), edge),
                numbers[mask],
                marker=marker,
                color=colour,
                linewidth=stroke if marker == "x" else 0,
                label=name,
                transform=ax.get_xaxis_transform(),
                **look,
            )


def figure_of(ax: Axes) -> Figure:
    """The figure that holds `ax`, also where a part of it does."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def colour_bar(ax: Axes, shades: ScalarMappable, label: str, **options: Any) -> None:
    """Draw the scale of the colours beside `ax`."""
    bar = figure_of(ax).colorbar(shades, ax=ax, label=literal(label), **options)
    if isinstance(shades.norm, LogNorm):
        log_ticks(bar.ax.yaxis, *shades.get_clim())
    plain_scale(bar.ax)


def figure_legend(cells: NDArray[np.object_], marks: dict[str, dict[str, Any]]) -> None:
    """Write a legend above the panels of a figure, from the look of each mark by its name."""
    handles = [
        Line2D([], [], **({"linestyle": "none", "solid_capstyle": "butt"} | look), label=name)
        for name, look in marks.items()
    ]
    figure = figure_of(cells[0])
    columns = legend_columns([*marks], figure.get_figwidth())
    lines = -(-len(marks) // columns)  # of which the panels have room for one
    figure.set_figheight(figure.get_figheight() + LINE_INCHES * (lines - 1))
    figure.legend(
        handles=handles,
        loc="outside upper left",
        ncols=columns,
        fontsize="small",
        frameon=False,
        handletextpad=0.6,
        columnspacing=1.2,
    )


def show_message(ax: Axes, text: str) -> Axes:
    """Write `text` in the middle of an empty plot."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, wrap=True)
    return ax


def scale_axis(ax: Axes, which: str, dimension: DimensionAxis, *, share: float = 1.0) -> None:
    """Give an axis of `ax`, on this `share` of it, limits, scale and ticks of a dimension."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    set_limits = ax.set_xlim if which == "x" else ax.set_ylim
    if dimension.log:
        (ax.set_xscale if which == "x" else ax.set_yscale)("log")
    set_limits(*axis_limits(dimension))
    length = share * (width_of(ax) if which == "x" else height_of(ax))
    if dimension.kind == "categorical":
        positions = np.arange(len(dimension.labels))
        most = int(np.clip(SLANTED_IN_AN_INCH * length, 3, 12)) if which == "x" else 12
        keep = positions[:: -(-len(positions) // most)]
        axis.set_major_locator(FixedLocator(list(keep)))
        names = [dimension.labels[i] for i in keep]
        if which == "x":
            names = _fit_names(ax, names, length)
        axis.set_major_formatter(FixedFormatter([literal(name) for name in names]))
    elif dimension.log:
        few = which == "x" and length < FEW_INCHES
        log_ticks(axis, dimension.low, dimension.high, most=2 if few else 4)
    elif dimension.kind == "integer" and dimension.high - dimension.low <= 8:
        axis.set_major_locator(FixedLocator(np.arange(dimension.low, dimension.high + 1).tolist()))
    else:
        integer = dimension.kind == "integer"
        digits = len(f"{max(abs(dimension.low), abs(dimension.high)):.0f}")
        most = 3 if digits > 5 else round(6 * share)
        axis.set_major_locator(MaxNLocator(most, integer=integer))
    length = width_of(ax) if which == "x" else height_of(ax)
    name = literal(wrapped(dimension.name, max(12, int(LETTERS * length))))
    (ax.set_xlabel if which == "x" else ax.set_ylabel)(name)


def log_scores(ax: Axes, low: float, high: float) -> None:
    """Give scores along y a logarithmic scale between these limits."""
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    log_ticks(ax.yaxis, low, high)


def _fit_names(ax: Axes, names: list[str], inches: float) -> list[str]:
    """The names of categories below an axis: in one line, every second one lower, or slanted."""
    sizes = [("medium", LETTERS, 1), ("small", SMALL_LETTERS, 1), ("small", SMALL_LETTERS, 2)]
    for size, letters, levels in sizes:
        room = levels * letters * inches / len(names)
        pairs = zip(names, names[levels:], strict=False)
        if all((len(one) + len(other)) / 2 + 1 <= room for one, other in pairs):
            ax.tick_params(axis="x", labelsize=size)
            return [("\n" if i % levels else "") + name for i, name in enumerate(names)]
    ax.tick_params(axis="x", labelrotation=50, labelsize="small", pad=2)
    for tick in ax.get_xticklabels():
        tick.set(ha="right", rotation_mode="anchor")
    return list(category_labels(names, SLANTED_LETTERS))
