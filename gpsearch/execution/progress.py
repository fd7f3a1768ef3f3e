"""What a user sees while a search runs: a bar with the best score, and the log.

The bar is shown on a terminal or in a notebook only; a log file gets one line a trial through
``logging`` (name ``gpsearch.trials``, level INFO) instead.
"""

from __future__ import annotations

import logging
import math
import sys
import warnings
from typing import Any

from gpsearch.study import Study, Trial

logger = logging.getLogger("gpsearch.trials")  # apart from what goes wrong with the search

BAR = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"
FAILURES_SHOWN = 3  # one by one beside a bar, which counts the others
REASON_WIDTH = 300  # characters of a failure that the log shows


class Progress:
    """A bar over the trials of a search.

    With `live`, a notebook also shows the convergence, redrawn as trials end.
    """

    def __init__(self, n_calls: int, *, shown: bool, live: bool = False) -> None:
        self._n_calls = n_calls
        self._shown = shown and has_display()
        self._live = live
        self._best = -math.inf
        self._n_failed = self._n_shown = 0
        self._bar: Any = None
        self._view: Any = None

    def start(self, study: Study, evaluated: int) -> None:
        """Show what the study already holds: `evaluated` trials of the budget."""
        for trial in study.trials:
            self._note(trial)
        if evaluated:
            logger.info("continuing after %d trials", evaluated)
        if self._shown:
            self._bar = _make_bar(self._n_calls, evaluated, self._text(""))
        if self._live and not _in_notebook():
            logger.warning("live=True shows the convergence in a notebook only")
        elif self._live:
            self._view = study.watch()  # attached to Study from above

    def fold(self, trial: Trial, n_folds: int | None) -> None:
        """Show that a fold of `trial` has ended."""
        if self._bar is not None:
            total = "" if n_folds is None else f"/{n_folds}"
            step = f"trial {trial.number} fold {len(trial.folds)}{total}"
            self._bar.set_postfix_str(self._text(step))

    def end(self, trial: Trial) -> None:
        """Show that `trial` has ended."""
        improved = self._note(trial)
        if self._bar is not None:
            self._bar.clear()  # the log may share the terminal with the bar
        if trial.state == "failed":
            # one line of the log; the study holds the whole reason
            reason = trial.reason[:REASON_WIDTH]
            reason += " ..." if reason != trial.reason else ""
            self._n_shown += 1
            counted = self._bar is not None and self._n_shown > FAILURES_SHOWN
            level = logging.INFO if counted else logging.WARNING
            logger.log(level, "trial %d failed: %s", trial.number, reason)
        else:
            logger.info(
                "trial %d %s: score %.6g%s (%.1f s) %s",
                trial.number,
                trial.state,
                trial.score,
                ", the best" if improved else "",
                trial.seconds,
                dict(trial.params),
            )
        if self._bar is not None:
            self._bar.set_postfix_str(self._text(""), refresh=False)
            self._bar.update()
        if self._view is not None:
            self._view.update()

    def close(self) -> None:
        """Leave the bar and the view as they stand."""
        if self._view is not None:
            self._view.close()
        if self._bar is not None:
            self._bar.close()

    def _note(self, trial: Trial) -> bool:
        self._n_failed += trial.state == "failed"
        improved = trial.state == "complete" and trial.score > self._best
        if improved:
            self._best = trial.score
        return improved

    def _text(self, step: str) -> str:
        best = "" if self._best == -math.inf else f"best {self._best:.6g}"
        failed = f"{self._n_failed} failed" if self._n_failed else ""
        return ", ".join(part for part in (best, failed, step) if part)


def has_display() -> bool:
    """Whether a bar can be drawn: in a notebook or on a terminal."""
    return _in_notebook() or (sys.stderr is not None and sys.stderr.isatty())


def _in_notebook() -> bool:
    # The kernel is a module that IPython has loaded; asking for it must not import it.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


def _make_bar(n_calls: int, evaluated: int, text: str) -> Any:
    with warnings.catch_warnings():
        # tqdm warns where a notebook lacks ipywidgets, and then draws in text, which suffices.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm

        return tqdm(
            total=n_calls,
            initial=evaluated,
            postfix=text,
            bar_format=BAR,
            dynamic_ncols=True,
            smoothing=0.1,
            miniters=1,  # else it waits for many slow trials after quick ones
        )
