"""What less would cost: the best score under each bound on size and time."""

import textwrap

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from gpsearch.analysis import TradeOff, trade_off
from gpsearch.errors import public
from gpsearch.plotting import style
from gpsearch.plotting.axes import Array, score_limits
from gpsearch.plotting.data import score_label
from gpsearch.plotting.ticks import log_ticks
from gpsearch.study import Study, Trial, require_study

INCHES = (3.6, 3.2)  # of a panel
MARGIN = 0.08  # of the height, above and below the scores
NOTE_WIDTH = 50  # characters above a panel
ROOM = (0.08, 0.08)  # of width and height, that the number of a trial takes


@public()
def plot_trade_off(study: Study, ax: Axes | None = None) -> NDArray[np.object_]:
    """Draw the best score under each bound on parameters, training time and prediction time.

    A step is the best score of the trials that cost no more; a diamond is the trial that has it,
    with its number. The other complete trials are dots. A measure that was not recorded has no
    panel, and is named; see `gpsearch.analysis.trade_off`. A given `ax` is divided into panels.

    Returns
    -------
    array of Axes, one for each measure

    Raises
    ------
    StudyError
        No trial is complete.
    """
    style.given_axes(ax)
    found = trade_off(require_study(study))
    if not found.curves:
        text = "The objective recorded neither parameters nor times of its folds."
        return np.array([style.show_message(style.new_axes(ax), text)])
    cells = style.panels(ax, 1, len(found.curves), inches=INCHES, shared=True)[0]
    for cell, name in zip(cells, found.curves, strict=True):
        _draw(cell, study, found, name)
        note = textwrap.fill(found.left_out(name), NOTE_WIDTH)
        cell.set_title(note, fontsize="small", loc="left")
    cells[0].set_ylabel(style.literal(score_label(study)))
    if found.missing:
        text = f"not recorded: {', '.join(found.missing)}\n{cells[0].get_title(loc='left')}"
        cells[0].set_title(text.rstrip(), fontsize="small", loc="left")
    return np.asarray(cells)


def _draw(cell: Axes, study: Study, found: TradeOff, name: str) -> None:
    costs, curve = found.costs[name], found.curves[name]
    complete = [trial for trial in study.complete if trial.number in costs]
    x = np.array([costs[trial.number] for trial in complete])
    y = study.as_user_value(np.array([trial.score for trial in complete]))
    at = np.array([costs[trial.number] for trial in curve])
    best = study.as_user_value(np.array([trial.score for trial in curve]))
    low, high = score_limits(y, best, study.greater_is_better)
    shown = (y >= low) & (y <= high)
    cell.scatter(x[shown], y[shown], s=14, color=style.text_colour(), alpha=0.4, linewidth=0)
    end = x.max() * 1.1
    cell.step([*at, end], [*best, best[-1]], where="post", color=style.BLUE, linewidth=1.8)
    cell.plot(at, best, linestyle="none", marker="D", color=style.BLUE, markersize=5)
    if x.min() > 0 and x.max() > 3 * x.min():
        cell.set_xscale("log")
        log_ticks(cell.xaxis, x.min(), x.max())
    else:
        cell.xaxis.set_major_locator(style.few_ticks(cell))
    margin = MARGIN * (high - low)
    cell.set_ylim(low - margin, high + margin)
    _number(cell, study, curve, at, best)
    cell.set_xlabel(f"{name}, at most")
    style.quiet_frame(cell)


def _number(cell: Axes, study: Study, curve: list[Trial], at: Array, best: Array) -> None:
    """Write the number of each trial of the curve, the best first, where there is room for it."""
    places = cell.transAxes.inverted().transform(
        cell.transData.transform(np.column_stack([at, best]))
    )
    written: list[Array] = []
    for row in range(len(curve) - 1, -1, -1):
        if any((np.abs(places[row] - other) < ROOM).all() for other in written):
            continue
        written.append(places[row])
        cell.annotate(
            str(curve[row].number),
            (at[row], best[row]),
            xytext=(0, 6 if study.greater_is_better else -12),
            textcoords="offset points",
            ha="center",
            fontsize="small",
        )
