"""The convergence of several studies, side by side."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from gpsearch.analysis.side_by_side import SideBySide
from gpsearch.plotting import style
from gpsearch.plotting.axes import log_limits, score_limits
from gpsearch.plotting.data import convergence_series
from gpsearch.plotting.text import literal


def draw_several(shown: SideBySide, ax: Axes | None, target: float | None, log: bool | None) -> Any:
    """One panel for each group of studies whose scores can be compared."""
    n = len(shown.groups)
    if n == 1:
        return draw_group(shown, 0, style.new_axes(ax), target, log)
    cells = style.panels(ax, 1, n, inches=(4.8, 3.6))[0]
    for group, cell in enumerate(cells):
        draw_group(shown, group, cell, target, log)
    return cells


def draw_group(
    shown: SideBySide, group: int, ax: Axes, target: float | None = None, log: bool | None = None
) -> Axes:
    """Draw the studies of a group of `side_by_side`, a colour and a dash for each."""
    members = shown.groups[group]
    series = {i: convergence_series(shown.studies[i]) for i in members}
    first = series[members[0]]
    values = np.concatenate([s.values for s in series.values()])
    if np.isnan(values).all():
        return style.show_message(ax, "No trial has a score yet.")
    ends = np.array(
        [s.best[-1] for s in series.values() if len(s.best)]
        + [np.nan if target is None else target]
    )
    limits = score_limits(values, ends, first.greater_is_better)
    decades = log_limits(np.append(values, ends), first.greater_is_better, log)
    limits = decades or limits
    last = max(s.numbers[-1] for s in series.values() if len(s.numbers))
    for place, one in series.items():
        if not len(one.numbers):
            continue
        colour = style.CYCLE[place % len(style.CYCLE)]
        dash = style.DASHES[members.index(place) % len(style.DASHES)]
        inside = (one.values >= limits[0]) & (one.values <= limits[1])
        ax.scatter(
            one.numbers[inside], one.values[inside], s=12, color=colour, alpha=0.35, linewidth=0
        )
        x, best = [*one.numbers, one.numbers[-1] + 0.6], [*one.best, one.best[-1]]
        name = literal(shown.names[place])
        if name.startswith("_"):  # matplotlib would leave it out of the legend
            name = f" {name}"
        look: dict[str, Any] = {"color": colour, "linestyle": dash, "linewidth": 2, "label": name}
        ax.step(x, best, where="post", **look)
    if target is not None:
        ax.axhline(target, color=style.GREEN, linestyle="--", linewidth=1.2, label="target")
    (style.log_scores if decades else Axes.set_ylim)(ax, *limits)
    ax.set_xlim(-0.6, last + 0.6)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    ax.set_xlabel("trial")
    ax.set_ylabel(literal(f"best {first.label} so far"))
    style.quiet_frame(ax, grid="y")
    differ = shown.differing_within(members)
    title = f"differ in {', '.join(differ)}" if differ else None
    at_start = {"loc": "lower left", "bbox_to_anchor": (0, 1), "alignment": "left"}
    style.legend_above(ax, **at_start, title=title, title_fontsize="small")
    return ax
