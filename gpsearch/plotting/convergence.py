"""The convergence of a search, of several, and of one that runs: trials, and the best so far."""

import io
import logging
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gpsearch.analysis import RandomEstimate
from gpsearch.analysis.side_by_side import SideBySide, side_by_side
from gpsearch.arguments import boolean, finite, instance_of, optional
from gpsearch.errors import InvalidSearchError, public
from gpsearch.plotting import style
from gpsearch.plotting.axes import log_limits, score_limits
from gpsearch.plotting.data import ConvergenceSeries, as_series, convergence_series
from gpsearch.study import Study, require_study

logger = logging.getLogger("gpsearch")

MANY = 300  # trials from which their dots are drawn smaller
SHARE = 0.1  # of the time may be spent on drawing a search that runs
INCHES, DPI = (6.4, 3.4), 100  # of that picture


@public()
def plot_convergence(
    study: Study | ConvergenceSeries | Sequence[Study],
    ax: Axes | None = None,
    *,
    target: float | None = None,
    baseline: RandomEstimate | None = None,
    log: bool | None = None,
) -> Any:
    """Draw every trial's score and the best score so far.

    Complete trials are dots, stopped ones open diamonds, failed ones crosses at the edge. The
    band is the standard error of the best score over the folds, less what a fold does to all
    trials. A score far below the others is a small triangle at the edge, so that one diverged
    training does not flatten the plot.

    Of several studies, each has a colour, and in the title stands in what they differ. Those whose
    scores cannot be compared, since their data, folds or metric are not the same, have panels of
    their own.

    Parameters
    ----------
    study : Study, ConvergenceSeries or list of Study
    ax : Axes, optional
        Where to draw; by default a new figure.
    target : float, optional
        A score to compare with, in the user's units: the known optimum, or a baseline.
    baseline : RandomEstimate, optional
        Estimate of what random search would have found, drawn with its band; made by
        `gpsearch.analysis.estimate_random`.
    log : bool, optional
        Logarithmic score axis. By default on for losses that are positive and span more than
        two decades.

    Returns
    -------
    Axes
        Or (k,) array of Axes, for studies of which there are k kinds of scores.
    """
    optional(finite, "target", target)
    optional(instance_of, "baseline", baseline, RandomEstimate, "what estimate_random returns")
    optional(boolean, "log", log)
    if isinstance(study, list | tuple):
        if baseline is not None:
            raise InvalidSearchError("is of one study; leave it out.").about("baseline", baseline)
        return _draw_several(side_by_side(study), ax, target, log)
    series = as_series(study, ConvergenceSeries, convergence_series)
    ax = style.new_axes(ax)
    n = len(series.numbers)
    if not n:
        return style.show_message(ax, "No trial has ended yet.")
    states = np.array(series.states)
    failed, stopped = states == "failed", states == "stopped"
    band = series.best[-1] + series.best_errors[-1] * np.array([-1.0, 1.0])
    # The best of the first trials may leave the axis: one bad trial would squash the rest.
    expected = np.nan if baseline is None else baseline.expected[:n][-1]
    shown = np.array([*band, series.best[-1], np.nan if target is None else target, expected])
    limits = score_limits(series.values, shown, series.greater_is_better)
    known = np.append(series.values, np.nan if target is None else target)
    decades = log_limits(known, series.greater_is_better, log)
    limits = decades or limits
    if series.guided_from:
        end = series.guided_from - 0.5
        ax.axvspan(-0.5, end, color=style.GREY, alpha=0.12, linewidth=0, zorder=0)
        ax.annotate(
            "initial points",
            # The failed and the worst trials are at the other edge.
            (-0.6, 1.0 if series.greater_is_better else 0.0),
            xycoords=("data", "axes fraction"),
            xytext=(3, -9 if series.greater_is_better else 4),
            textcoords="offset points",
            fontsize="small",
            color=style.GREY,
        )
    _draw_trials(ax, series, limits, failed, stopped)
    if not np.isnan(series.best[-1]):
        _draw_best(ax, series)
    if baseline is not None:
        _draw_baseline(ax, baseline, n)
    if failed.all():
        ax.set_yticks([])
        ax.text(0.5, 0.5, "All trials failed.", ha="center", transform=ax.transAxes)
    else:
        (style.log_scores if decades else Axes.set_ylim)(ax, *limits)
        if n > 1 and np.ptp(series.values[~failed]) == 0:
            ax.text(0.5, 0.6, "All scores are equal.", ha="center", transform=ax.transAxes)
    _frame(ax, int(series.numbers[-1]), series.label, target)
    style.legend_above(ax, borderpad=0.2, borderaxespad=0.2, handletextpad=0.5, columnspacing=1.0)
    return ax


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
        name = style.literal(shown.names[place])
        if name.startswith("_"):  # matplotlib would leave it out of the legend
            name = f" {name}"
        look: dict[str, Any] = {"color": colour, "linestyle": dash, "linewidth": 2, "label": name}
        ax.step(x, best, where="post", **look)
    (style.log_scores if decades else Axes.set_ylim)(ax, *limits)
    _frame(ax, int(last), f"best {first.label} so far", target)
    differ = shown.differing_within(members)
    title = f"differ in {', '.join(differ)}" if differ else None
    at_start = {"loc": "lower left", "bbox_to_anchor": (0, 1), "alignment": "left"}
    style.legend_above(ax, **at_start, title=title, title_fontsize="small")
    return ax


class LiveConvergence:
    """A convergence plot in the output of a notebook cell, replaced as trials end.

    Drawing takes at most a tenth of the time, so several short trials may appear at once. If
    drawing fails, the error is logged and the plot is no longer updated; the search goes on.

    Examples
    --------
    ``gpsearch.search(..., live=True)`` uses it. To watch the search of another process:

    >>> view = study.watch()                                            # doctest: +SKIP
    >>> while not study.stop_reason:                                    # doctest: +SKIP
    ...     view.update(); time.sleep(5)
    """

    @public()
    def __init__(self, study: Study) -> None:
        self._study = require_study(study)
        self._picture: Any = None
        self._free_from = 0.0
        self._drawn = -1
        self._failed = False
        self.update()

    def update(self) -> None:
        """Draw again if a trial has ended and enough time has passed."""
        if time.monotonic() >= self._free_from:
            self._draw()

    def close(self) -> None:
        """Draw the final state."""
        self._draw()

    def _draw(self) -> None:
        ended = len(self._study.ended)
        if ended == self._drawn or self._failed:
            return
        begun = time.monotonic()
        try:
            self._show({"image/png": _png(self._study), "text/plain": repr(self._study)})
        except Exception:
            self._failed = True
            logger.exception("live=True: the convergence could not be drawn; the search goes on")
        self._drawn = ended
        now = time.monotonic()
        self._free_from = now + (now - begun) * (1 / SHARE - 1)

    def _show(self, picture: dict[str, Any]) -> None:
        if self._picture is None:
            from IPython.display import display

            self._picture = display(picture, raw=True, display_id=True)
        else:
            self._picture.update(picture, raw=True)


def _draw_several(
    shown: SideBySide, ax: Axes | None, target: float | None, log: bool | None
) -> Any:
    """One panel for each group of studies whose scores can be compared."""
    n = len(shown.groups)
    if n == 1:
        return draw_group(shown, 0, style.new_axes(ax), target, log)
    cells = style.panels(ax, 1, n, inches=(4.8, 3.6))[0]
    for group, cell in enumerate(cells):
        draw_group(shown, group, cell, target, log)
    return cells


def _frame(ax: Axes, last: int, label: str, target: float | None) -> None:
    """Draw the target, and set what does not depend on the number of searches."""
    if target is not None:
        ax.axhline(target, color=style.GREEN, linestyle="--", linewidth=1.2, label="target")
    ax.set_xlim(-0.6, last + 0.6)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    ax.set_xlabel("trial")
    ax.set_ylabel(style.literal(label))
    style.quiet_frame(ax, grid="y")


def _draw_best(ax: Axes, series: ConvergenceSeries) -> None:
    x = [*series.numbers, series.numbers[-1] + 0.6]
    best = np.append(series.best, series.best[-1])
    errors = np.append(series.best_errors, series.best_errors[-1])
    low, high, blue = best - errors, best + errors, style.BLUE
    ax.fill_between(x, low, high, step="post", color=blue, alpha=0.18, linewidth=0)
    ax.step(x, best, where="post", color=blue, linewidth=2, label="best so far", zorder=3)


def _draw_baseline(ax: Axes, estimate: RandomEstimate, n: int) -> None:
    shown = slice(min(n, len(estimate.n)))
    at = estimate.n[shown] - 1  # the trial with number 0 is the first draw
    low, high, grey = estimate.low[shown], estimate.high[shown], style.GREY
    ax.fill_between(at, low, high, color=grey, alpha=0.22, linewidth=0)
    ax.plot(at, estimate.expected[shown], "--", color=grey, label="random (estimate)")


def _draw_trials(
    ax: Axes, series: ConvergenceSeries, limits: tuple[float, float], failed: Any, stopped: Any
) -> None:
    x, y = series.numbers, series.values
    outside = ~failed & ((y < limits[0]) | (y > limits[1]))
    complete, ink = ~failed & ~stopped & ~outside, style.text_colour()
    dots = {"s": 18 * float(np.clip(MANY / len(x), 0.2, 1.0)), "color": ink, "alpha": 0.55}
    diamonds = {"s": 26, "marker": "D", "facecolor": "none", "edgecolor": ink, "linewidth": 0.9}
    for mask, look, name in (
        (complete, dots | {"linewidth": 0}, "trial"),
        (stopped & ~outside, diamonds, "stopped early"),
    ):
        if mask.any():
            style.scatter_trials(ax, x[mask], y[mask], x[mask], label=name, zorder=4, **look)
    style.draw_at_edge(
        ax,
        x,
        x,
        outside,
        failed,
        greater_is_better=series.greater_is_better,
        stroke=1.4,
        s=30,
        clip_on=False,
        zorder=5,
    )


def _png(study: Study) -> bytes:
    # Not from pyplot, which would show the figure again when the cell ends.
    figure = Figure(figsize=INCHES, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    plot_convergence(study, ax=figure.add_subplot())
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI)
    return file.getvalue()
