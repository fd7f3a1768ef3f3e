"""How much each dimension mattered."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from gpsearch.analysis import Importance, estimate_importance
from gpsearch.errors import public
from gpsearch.plotting import style
from gpsearch.plotting.axes import wrapped
from gpsearch.plotting.data import as_series
from gpsearch.study import Study

LINE = 1.2  # of text, in sizes of its letters


@public()
def plot_importance(study: Study | Importance, ax: Axes | None = None) -> Axes:
    """Draw the share of the differences between scores that each dimension explains.

    The pale bar is the total with interactions, the full bar what the dimension explains on its
    own; the line is the interval of the total. An interaction counts for each of its dimensions,
    so totals may sum to more than 100%.

    Raises
    ------
    StudyError
        Fewer than two trials are complete.
    """
    importance = as_series(study, Importance, estimate_importance)
    d = len(importance.names)
    ax = style.new_axes(ax, (6.4, 1.2 + 0.32 * d))
    if importance.all_equal:
        return style.show_message(ax, "All scores are equal: no dimension can be said to matter.")
    order = np.argsort(-importance.total, kind="stable")
    total, rows = importance.total[order], np.arange(d)
    low, high = (end[order] for end in importance.total_interval)
    ax.barh(rows, total, height=0.7, color=style.SKY, alpha=0.55, label="with interactions")
    ax.barh(rows, importance.first[order], height=0.7, color=style.BLUE, label="on its own")
    ax.errorbar(
        total,
        rows,
        xerr=np.abs(np.vstack([total - low, high - total])),
        fmt="none",
        ecolor=style.text_colour(),
        elinewidth=1.2,
        capsize=3,
        label=f"{importance.confidence:.0%} interval",
    )
    names = [style.literal(wrapped(importance.names[j], letters=18)) for j in order]
    ax.set_yticks(rows, names, linespacing=1.0)
    room = 72 / LINE * style.height_of(ax) / d  # points for the lines of a name
    for label in ax.get_yticklabels():
        label.set_fontsize(min(label.get_fontsize(), room / (1 + label.get_text().count("\n"))))
    ax.set_ylim(d - 0.5, -0.5)
    ax.set_xlim(0, 1.01)  # with the mark at the end of an interval
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_xlabel("share of the differences")
    style.quiet_frame(ax, grid="x")
    style.legend_above(ax)
    return ax
