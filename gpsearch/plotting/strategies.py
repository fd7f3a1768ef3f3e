"""Plots of a comparison of strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from gpsearch.arguments import refusal
from gpsearch.errors import InvalidSearchError, public
from gpsearch.plotting import style
from gpsearch.plotting.axes import log_limits, with_margin
from gpsearch.plotting.data import score_label

if TYPE_CHECKING:
    from gpsearch.comparison import Comparison

MARKERS = "osD^vP"


@public()
def plot_comparison(
    comparison: Comparison, ax: Axes | None = None, *, confidence: float = 0.95
) -> Axes:
    """Draw each strategy's best score so far: the mean over the repeats, with its band.

    The repeats are paired, so two strategies may differ although their bands overlap: see
    `plot_differences`. `confidence` is the probability of the bands.
    """
    _require_comparison(comparison)
    ax = style.new_axes(ax)
    curves = {s: comparison.curve(s, confidence) for s in comparison.strategies}
    n = np.arange(1, comparison.n_calls + 1)
    for i, (strategy, curve) in enumerate(curves.items()):
        look = _look(comparison, i)
        ax.fill_between(n, curve.low, curve.high, color=look["color"], alpha=0.13, linewidth=0)
        ax.plot(
            n,
            curve.mean,
            marker=MARKERS[i % len(MARKERS)],
            markevery=max(1, len(n) // 8),
            markersize=4.5,
            linewidth=1.8,
            label=strategy,
            **look,
        )
    # The first few evaluations are far below the rest, and would take most of the axis.
    start = min(max(2, len(n) // 5), len(n) - 1)
    ends = [value for c in curves.values() for value in (*c.low[start:], *c.high[start:])]
    means = [value for c in curves.values() for value in c.mean[start:]]
    low, high = min(ends), max(ends)
    if comparison.greater_is_better:
        low = max(low, 2 * min(means) - high)
    else:
        high = min(high, 2 * max(means) - low)
    drawn = np.concatenate([curve.mean for curve in curves.values()])
    if decades := log_limits(drawn, comparison.greater_is_better):
        style.log_scores(ax, *decades)
    else:
        ax.set_ylim(with_margin(low, high))
    ax.set_xlim(with_margin(1, comparison.n_calls) if len(n) > 1 else (0.5, 1.5))
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    ax.set_xlabel("evaluations")
    ax.set_ylabel(style.literal(f"best {score_label(comparison)} so far"))
    ax.set_title(
        f"mean of {comparison.n_repeats} repeats, {confidence:.0%} bands",
        fontsize="small",
        loc="left",
    )
    style.quiet_frame(ax)
    if comparison.all_equal:
        ax.text(0.5, 0.6, "All scores are equal.", ha="center", transform=ax.transAxes)
    style.legend_beside(ax)
    return ax


@public()
def plot_differences(
    comparison: Comparison,
    baseline: str | None = None,
    ax: Axes | None = None,
    *,
    confidence: float = 0.95,
) -> Axes:
    """Draw by how much each strategy ends better than the baseline, paired by repeat.

    Grey dots are the repeats. Where the interval holds zero, the difference is within the noise.
    The `baseline` is by default "random", or the first strategy where that did not take part.

    Raises
    ------
    InvalidSearchError
        The baseline did not take part.
    """
    _require_comparison(comparison)
    differences = comparison.differences(baseline, confidence=confidence)
    ax = style.new_axes(ax, (6.4, 1.4 + 0.4 * len(differences)))
    for row, difference in enumerate(differences):
        gaps = comparison.best_of(difference.strategy) - comparison.best_of(difference.baseline)
        height = np.full(len(gaps), row + 0.22)
        ax.scatter(gaps[:, -1], height, s=14, color=style.GREY, alpha=0.7, linewidth=0)
        end = difference.end
        clear = end.excludes_zero
        colour = _look(comparison, comparison.strategies.index(difference.strategy))["color"]
        ax.plot([end.low, end.high], [row, row], color=colour, linewidth=2 if clear else 1.2)
        ax.plot(
            end.value,
            row,
            marker="D",
            color=colour,
            markersize=6,
            markerfacecolor=colour if clear else "none",
        )
    ax.axvline(0.0, color=style.text_colour(), linewidth=0.9)
    ax.xaxis.set_major_locator(style.few_ticks(ax))
    ax.set_yticks(range(len(differences)), [d.strategy for d in differences])
    ax.set_ylim(len(differences) - 0.4, -0.6)
    told = f"{score_label(comparison)} at the end, better than {differences[0].baseline} by"
    ax.set_xlabel(style.fitted(ax, told))
    title = (
        "all scores are equal"
        if comparison.all_equal
        else f"filled: clear of zero at {confidence:.0%}"
    )
    ax.set_title(title, fontsize="small", loc="left")
    style.quiet_frame(ax, grid="x")
    return ax


def _require_comparison(comparison: Any) -> None:
    if not hasattr(comparison, "differences"):
        wanted = "a Comparison, which gpsearch.compare returns"
        raise refusal(InvalidSearchError, "comparison", comparison, wanted)


def _look(comparison: Comparison, index: int) -> dict[str, Any]:
    """The colour of the strategy, else of the palette in its order; and a dash."""
    colour = style.CYCLE[index % len(style.CYCLE)]
    return {
        "color": style.STRATEGIES.get(comparison.strategies[index], colour),
        "linestyle": style.DASHES[index % len(style.DASHES)],
    }
