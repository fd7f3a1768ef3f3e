"""Details of trials: learning curves, fold scores, scores on fresh splits, start and end."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from gpsearch.arguments import optional, whole
from gpsearch.errors import StudyError, public
from gpsearch.evaluation import FoldResult
from gpsearch.plotting import style
from gpsearch.plotting.data import fold_spread, score_label, timeline
from gpsearch.study import Study, Trial, require_study

CURVE_INCHES = (4.6, 3.2)
HATCHES = {"complete": "", "stopped": "///", "failed": "xxx"}
COLOURS = {"complete": style.BLUE, "stopped": style.SKY, "failed": style.ORANGE}
NARROW = 0.004  # share of the timeline's width below which a bar has no gap beside it


@public()
def plot_learning_curves(
    study: Study, number: int | None = None, ax: Axes | None = None
) -> NDArray[np.object_]:
    """Draw the learning curves of one trial, each fold a line; a dot marks its best epoch.

    A training curve ("loss", thin) and its validation curve ("val_loss") share a panel.

    Parameters
    ----------
    study : Study
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
    style.given_axes(ax)
    trial = _trial_with_curves(require_study(study), number)
    recorded = list(dict.fromkeys(name for fold in trial.folds for name in fold.curves))
    names = [n for n in recorded if not (n.startswith("val_") and n[4:] in recorded)]
    cells = style.panels(ax, 1, len(names), inches=CURVE_INCHES)[0]
    for cell, name in zip(cells, names, strict=True):
        twin = f"val_{name}"
        pair = [name, twin] if twin in recorded else [name]
        for shown in pair:
            for fold in trial.folds:
                if shown in fold.curves:
                    _draw_curve(cell, fold, shown, thin=shown != pair[-1])
        cell.set_xlabel("epoch")
        cell.set_ylabel(style.literal(f"{name} (thin), {twin}" if len(pair) == 2 else name))
        cell.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        style.quiet_frame(cell)
    style.legend_beside(cells[-1])
    cells[0].set_title(f"trial {trial.number}", fontsize="small", loc="left")
    return np.asarray(cells)


@public()
def plot_fold_spread(study: Study, n_best: int = 10, ax: Axes | None = None) -> Axes:
    """Draw the best trials against the best one, fold by fold.

    A dot is the difference to the best trial's score on one fold; the bar is the standard error of
    the mean difference. A trial whose bar reaches the dashed line is a contender: the folds cannot
    tell it from the best. A single trial is shown by its scores.

    Raises
    ------
    StudyError
        No trial is complete.
    """
    require_study(study)
    best, scores, errors = fold_spread(study, whole("n_best", n_best, 1))
    ax = style.new_axes(ax)
    rows = np.arange(len(best))
    for row, (trial, at) in enumerate(zip(best, scores, strict=True)):
        dots = {"s": 14, "color": style.text_colour(), "alpha": 0.45, "linewidth": 0}
        numbers = np.full(len(at), trial.number)
        style.scatter_trials(ax, at, np.full(len(at), row), numbers, **dots)
    means = np.array([at.mean() for at in scores])
    errors = np.nan_to_num(errors)
    ax.errorbar(
        means, rows, xerr=errors, fmt="D", color=style.BLUE, markersize=5, capsize=3, linewidth=1.6
    )
    ax.axvline(means[0], color=style.BLUE, linewidth=0.8, linestyle="--", alpha=0.7)
    ax.xaxis.set_major_locator(style.few_ticks(ax))
    ax.set_yticks(rows, [str(trial.number) for trial in best])
    ax.invert_yaxis()
    ax.set_ylabel("trial, best first")
    told = score_label(study)
    folds = any(len(trial.folds) > 1 for trial in best)
    if len(study.complete) > 1:
        told += f" less that of trial {best[0].number}{' on the same fold' * folds}"
    told += ": folds, mean ± standard error" * folds
    ax.set_xlabel(style.fitted(ax, told))
    style.quiet_frame(ax, grid="x")
    return ax


@public()
def plot_timeline(study: Study, ax: Axes | None = None) -> Axes:
    """Draw when each trial ran; trials that ran at the same time are on different rows."""
    trials, lanes = timeline(require_study(study))
    ax = style.new_axes(ax, (6.4, 1.2 + 0.35 * (1 + max(lanes, default=0))))
    if not trials:
        return style.show_message(ax, "No trial has ended yet.")
    starts = np.array([trial.started - trials[0].started for trial in trials])
    seconds = np.array([trial.seconds for trial in trials])
    total = float((starts + seconds).max())
    units = {"h": 3600.0, "min": 60.0, "s": 1.0}
    unit = next((name for name, length in units.items() if total > 3 * length), "s")
    # An edge in the background colour separates neighbours, but would hide a narrow bar.
    narrow = seconds < NARROW * total
    states = np.array([trial.state for trial in trials])
    numbers = np.array([trial.number for trial in trials])
    for state in dict.fromkeys(states.tolist()):
        rows, colour = states == state, COLOURS[state]
        gap = matplotlib.rcParams["axes.facecolor"]
        bars = ax.barh(
            lanes[rows] + 1,
            seconds[rows] / units[unit],
            left=starts[rows] / units[unit],
            height=0.8,
            color=colour,
            hatch=HATCHES[state],
            edgecolor=[colour if n else gap for n in narrow[rows]],
            linewidth=0.6,
            label=state,
        )
        for bar, number in zip(bars, numbers[rows], strict=True):
            style.name_trials(bar, [number])
    ax.set_yticks(range(1, int(lanes.max()) + 2))
    ax.set_ylabel("trials at once" if lanes.any() else "")
    ax.set_xlabel(f"time since the first trial started [{unit}]")
    ax.invert_yaxis()
    style.quiet_frame(ax)
    ax.grid(True, axis="x", color=style.GREY, alpha=0.25)
    style.legend_above(ax)
    return ax


def _trial_with_curves(study: Study, number: int | None) -> Trial:
    """The trial of this number, by default the best; refused where it has no learning curve."""
    trials = {trial.number: trial for trial in study.trials}
    if optional(whole, "number", number, 0) is not None and number not in trials:
        rule = f"the study's trials are numbered from 0 to {len(trials) - 1}."
        raise StudyError(rule if trials else "the study has no trial yet.").about("number", number)
    trial = study.best_trial if number is None else trials[number]
    if not any(fold.curves for fold in trial.folds):
        raise StudyError(
            f"trial {trial.number} has no learning curve: only objectives that train in epochs "
            "record one."
        )
    return trial


def _draw_curve(cell: Axes, fold: FoldResult, name: str, *, thin: bool) -> None:
    """Draw one curve of a fold, and a dot at its best epoch unless it is thin."""
    values, at = fold.curves[name], fold.best_epoch
    colour = style.CYCLE[fold.fold % len(style.CYCLE)]
    cell.plot(
        range(1, len(values) + 1),
        values,
        color=colour,
        linestyle=style.DASHES[fold.fold % len(style.DASHES)],
        linewidth=0.8 if thin else 1.6,
        alpha=0.55 if thin else 1.0,
        label=None if thin else f"fold {fold.fold}",
    )
    if at and not thin and at <= len(values):
        cell.plot(at, values[at - 1], marker="o", color=colour, markersize=5)
