"""Details of trials: learning curves, fold scores, scores on fresh splits, start and end."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from gpsearch.analysis import Recheck
from gpsearch.plotting.data import (
    fold_spread_series,
    learning_curves_series,
    score_label,
    timeline_series,
)
from gpsearch.plotting.series import FoldSpreadSeries, LearningCurvesSeries, TimelineSeries
from gpsearch.plotting.style import (
    BLUE,
    CYCLE,
    DASHES,
    GREY,
    ORANGE,
    SKY,
    legend_above,
    legend_beside,
    new_axes,
    panels,
    quiet_frame,
    show_message,
    text_colour,
)
from gpsearch.study import Study

CURVE_INCHES = (4.6, 3.2)
NARROW = 0.004  # share of the timeline's width below which a bar has no gap beside it


def plot_learning_curves(
    study: Study | LearningCurvesSeries, number: int | None = None, ax: Axes | None = None
) -> NDArray[np.object_]:
    """Draw the learning curves of one trial, each fold a line; a dot marks its best epoch.

    A training curve ("loss", thin) and its validation curve ("val_loss") share a panel.

    Parameters
    ----------
    study : Study or LearningCurvesSeries
    number : int, optional
        Trial number; by default the best trial.
    ax : Axes, optional
        Divided into panels; by default a new figure.

    Returns
    -------
    array of Axes, one for each curve

    Raises
    ------
    StudyError
        No such trial, or it recorded no learning curve.
    """
    series = learning_curves_series(study, number) if isinstance(study, Study) else study
    names = [n for n in series.curves if not (n.startswith("val_") and n[4:] in series.curves)]
    cells = panels(ax, 1, len(names), inches=CURVE_INCHES)[0]
    for cell, name in zip(cells, names, strict=True):
        twin = f"val_{name}"
        for shown, thin in [(name, twin in series.curves), (twin, False)]:
            for curve in series.curves.get(shown, ()):
                colour = CYCLE[curve.fold % len(CYCLE)]
                epochs = np.arange(1, len(curve.values) + 1)
                cell.plot(
                    epochs,
                    curve.values,
                    color=colour,
                    linestyle=DASHES[curve.fold % len(DASHES)],
                    linewidth=0.8 if thin else 1.6,
                    alpha=0.55 if thin else 1.0,
                    label=None if thin else f"fold {curve.fold}",
                )
                if curve.best_epoch and not thin and curve.best_epoch <= len(curve.values):
                    at = curve.best_epoch
                    cell.plot(at, curve.values[at - 1], marker="o", color=colour, markersize=5)
        cell.set_xlabel("epoch")
        cell.set_ylabel(f"{name} (thin), {twin}" if twin in series.curves else name)
        cell.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        quiet_frame(cell)
    legend_beside(cells[-1], fontsize="x-small")
    cells[0].set_title(f"trial {series.number}", fontsize="small", loc="left")
    return np.asarray(cells)


def plot_fold_spread(
    study: Study | FoldSpreadSeries, n_best: int = 10, ax: Axes | None = None
) -> Axes:
    """Draw the fold scores of the best trials, with mean and standard error.

    The effect of a fold on all trials is subtracted, because it does not matter in a comparison.
    Where the bars of trials overlap, their difference is within the noise of the folds.

    Returns
    -------
    Axes

    Raises
    ------
    StudyError
        No trial is complete.
    """
    series = fold_spread_series(study, n_best) if isinstance(study, Study) else study
    ax = new_axes(ax)
    for row, scores in enumerate(series.scores):
        ax.scatter(
            scores, np.full(len(scores), row), s=14, color=text_colour(), alpha=0.45, linewidth=0
        )
    errors = np.nan_to_num(series.standard_errors)
    rows = np.arange(len(series.numbers))
    ax.errorbar(
        series.means, rows, xerr=errors, fmt="D", color=BLUE, markersize=5, capsize=3, linewidth=1.6
    )
    ax.axvline(series.means[0], color=BLUE, linewidth=0.8, linestyle="--", alpha=0.7)
    ax.set_yticks(rows, [str(n) for n in series.numbers])
    ax.invert_yaxis()
    ax.set_ylabel("trial, best first")
    ax.set_xlabel(f"{series.label}: folds, mean ± standard error")
    quiet_frame(ax, grid="x")
    return ax


def plot_recheck(recheck: Recheck, ax: Axes | None = None) -> Axes:
    """Draw the scores of the best configurations in the search and on fresh splits.

    Where the mean on fresh splits (filled, with its standard error) lies to the left of the
    search's own score (open), the search was optimistic. Greater is better.

    Returns
    -------
    Axes
    """
    k = len(recheck.numbers)
    ax = new_axes(ax, (6.4, 1.4 + 0.34 * k))
    rows = np.arange(k)
    means = recheck.fresh_means
    for row in rows[~np.isnan(means)]:
        ax.plot([recheck.searched[row], means[row]], [row, row], color=GREY, linewidth=1)
    ax.plot(
        recheck.searched,
        rows,
        linestyle="none",
        marker="o",
        markerfacecolor="none",
        color=ORANGE,
        markersize=7,
        label="in the search",
    )
    ax.errorbar(
        means,
        rows,
        xerr=np.nan_to_num(recheck.fresh_errors),
        fmt="D",
        color=BLUE,
        markersize=5,
        capsize=3,
        label="on fresh splits",
    )
    ax.set_yticks(rows, [str(number) for number in recheck.numbers])
    ax.set_ylim(k - 0.5, -0.5)
    ax.set_ylabel("trial, best first")
    ax.set_xlabel(score_label(recheck))
    quiet_frame(ax, grid="x")
    legend_above(ax)
    return ax


def plot_timeline(study: Study | TimelineSeries, ax: Axes | None = None) -> Axes:
    """Draw when each trial ran; trials that ran at the same time are on different rows.

    Returns
    -------
    Axes
    """
    series = timeline_series(study) if isinstance(study, Study) else study
    ax = new_axes(ax, (6.4, 1.2 + 0.35 * (1 + max(series.lanes, default=0))))
    if not len(series.numbers):
        return show_message(ax, "No trial has ended yet.")
    total = float(series.ends.max())
    units = {"h": 3600.0, "min": 60.0, "s": 1.0}
    unit = next((name for name, seconds in units.items() if total > 3 * seconds), "s")
    colours = {"complete": BLUE, "stopped": SKY, "failed": ORANGE}
    hatches = {"complete": "", "stopped": "///", "failed": "xxx"}
    # An edge in the background colour separates neighbours, but would hide a narrow bar.
    narrow = series.ends - series.starts < NARROW * total
    for state in dict.fromkeys(series.states):
        rows = np.array([s == state for s in series.states])
        gaps = [
            colours[state] if n else matplotlib.rcParams["axes.facecolor"] for n in narrow[rows]
        ]
        ax.barh(
            series.lanes[rows] + 1,
            (series.ends - series.starts)[rows] / units[unit],
            left=series.starts[rows] / units[unit],
            height=0.8,
            color=colours[state],
            hatch=hatches[state],
            edgecolor=gaps,
            linewidth=0.6,
            label=state,
        )
    ax.set_yticks(range(1, int(series.lanes.max()) + 2))
    ax.set_ylabel("trials at once" if series.lanes.any() else "")
    ax.set_xlabel(f"time since the first trial started [{unit}]")
    ax.invert_yaxis()
    quiet_frame(ax)
    ax.grid(True, axis="x", color=GREY, alpha=0.25)
    legend_above(ax)
    return ax
