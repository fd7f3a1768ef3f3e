"""What a user sees while a search runs: one line at once, then a bar, or a line a trial.

The bar is for a terminal or a notebook. Elsewhere the lines of ``logging`` (name
``gpsearch.trials``) are shown, on standard error where the user has set up no log.
"""

import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from gpsearch.described import counted, duration, number, score_text
from gpsearch.evaluation import Evaluation, FoldResult, Objective
from gpsearch.phases import listen
from gpsearch.strategy.history import FoldStatistics
from gpsearch.study import Study, Trial
from gpsearch.study.contenders import best_first
from gpsearch.study.trial import seconds_left

logger = logging.getLogger("gpsearch.trials")  # apart from what goes wrong with the search

BAR = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"
CLEARED = "\r\033[K"  # the line of a terminal
FAILURES_SHOWN = 3  # one by one beside a bar, which counts the others
REASON_WIDTH = 300  # characters of a failure that the log shows

_tells_end = ContextVar("tells_end", default=True)


class Progress:
    """The trials of a search, `n_calls` in all, as they end; `live` draws them in a notebook."""

    def __init__(self, n_calls: int, *, shown: bool, live: bool = False) -> None:
        self.n_calls = n_calls
        self._has_bar = shown and has_display()
        self._has_lines = shown and not self._has_bar
        self._live = live
        self._best: Trial | None = None
        self._n_ended = self._n_failed = self._n_shown = 0
        self._study: Study | None = None
        self._step = ""
        self._bar: Any = None
        self._view: Any = None
        self._handler: logging.Handler | None = None
        self._level = logger.level
        self._tells_params = logger.isEnabledFor(logging.INFO)  # the user keeps a log

    def announce(self, objective: Objective, study: Any) -> None:
        """Say what begins, before anything that takes time."""
        if self._has_lines:
            self._show_log()
        if self._has_bar:
            listen(self._show_phase)
        rows = getattr(objective, "rows_text", "")
        n_folds = getattr(objective, "n_folds", 1) or 1
        parts = [objective.name, rows, f"{n_folds} folds" if n_folds > 1 else ""]
        parts.append(counted(self.n_calls, "trial"))
        path = getattr(study, "path", study)
        where = "in memory" if path is None else str(Path(path))
        text = f"{', '.join(filter(None, parts))} -> {where}"
        if self._has_bar and not _in_notebook():
            print(f"{CLEARED}{text}", file=sys.stderr, flush=True)
        else:
            logger.info("%s", text)

    def start(self, study: Study, evaluated: int) -> None:
        """Show what the study already holds: `evaluated` trials of the budget."""
        self._study, self._n_ended = study, evaluated
        for trial in study.trials:
            self._note(trial)
        if evaluated:
            logger.info("continuing after %s", counted(evaluated, "trial"))
        if self._has_bar:
            self._clear()
            self._bar = _make_bar(self.n_calls, evaluated, self._text(""))
        if self._live and not _in_notebook():
            logger.warning("live=True shows the convergence in a notebook only")
        elif self._live:
            self._view = study.watch()  # attached to Study from above

    def fold(self, trial: Trial, n_folds: int | None) -> None:
        """Show which fold of `trial` is next, at its start and after each fold."""
        if self._bar is not None:
            at = len(trial.folds) + 1
            of = "" if n_folds is None else f"/{n_folds}"
            fold = f" fold {at if n_folds is None else min(at, n_folds)}{of}"
            self._step = f"trial {trial.number}{fold if n_folds != 1 else ''}"
            self._bar.set_postfix_str(self._text(self._step))

    def end(self, trial: Trial) -> None:
        """Show that `trial` has ended."""
        self._note(trial)
        self._n_ended += 1
        if self._bar is not None:
            self._bar.clear()  # the log may share the terminal with the bar
        level = logging.INFO
        if trial.state == "failed":
            self._n_shown += 1
            if self._bar is None or self._n_shown <= FAILURES_SHOWN:
                level = logging.WARNING
        if logger.isEnabledFor(level):
            logger.log(level, "%s", self._line(trial))
        if self._bar is not None:
            self._step = ""
            self._bar.set_postfix_str(self._text(""), refresh=False)
            self._bar.update()
        if self._view is not None:
            self._view.update()

    def fresh(self, number: int, splits: int) -> None:
        """Show that a trial is being scored again on fresh splits."""
        if self._bar is not None:
            self._step = f"trial {number} on fresh splits {splits + 1}"
            self._bar.set_postfix_str(self._text(self._step))

    def fresh_end(self, number: int, splits: int, folds: Sequence[FoldResult]) -> None:
        """Tell that a trial has been scored again on fresh splits."""
        assert self._study is not None
        error = next((f"failed: {fold.error}" for fold in folds if fold.error), "")
        found = Evaluation(folds=tuple(folds))
        score = self._study.as_user_value(found.score)
        took = duration(sum(fold.seconds for fold in folds))
        text = error or f"{score_text(score, found.standard_error)} {took}"
        logger.info("trial %d on fresh splits %d: %s", number, splits + 1, text)

    def last_lines(self, sentences: Sequence[str]) -> None:
        """Tell how the search ended, below the bar."""
        if self._bar is not None:
            self._bar.close()
        for sentence in sentences if _tells_end.get() else ():
            logger.info("%s", sentence)
            if self._has_bar:
                print(sentence, file=sys.stderr)

    def close(self) -> None:
        """Leave the bar and the view as they stand."""
        listen(None)
        if self._view is not None:
            self._view.close()
            self._view = None
        if self._bar is not None:
            self._bar.close()
        elif self._has_bar:
            self._clear()
        self._has_bar = False
        if self._has_lines:
            logger.setLevel(self._level)
        self._has_lines = False
        if self._handler is not None:
            logger.removeHandler(self._handler)
            self._handler = None

    def _show_log(self) -> None:
        """Have the log's lines about trials shown, where the user has not set up the log."""
        if not logger.hasHandlers() and sys.stderr is not None:
            self._handler = logging.StreamHandler(sys.stderr)
            logger.addHandler(self._handler)
        if not logger.isEnabledFor(logging.INFO):
            logger.setLevel(logging.INFO)

    def _show_phase(self, text: str) -> None:
        if self._bar is not None:
            shown = ", ".join(filter(None, (self._step, text)))
            self._bar.set_postfix_str(self._text(shown))
        elif not _in_notebook():  # before there is a bar
            self._clear()
            print(f"{text} ..." if text else "", end="", file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if not _in_notebook():
            print(CLEARED, end="", file=sys.stderr, flush=True)

    def _note(self, trial: Trial) -> None:
        self._n_failed += trial.state == "failed"
        if trial.state == "complete":
            self._best = best_first([trial, *filter(None, [self._best])])[0]

    def _line(self, trial: Trial) -> str:
        """How a trial ended, the best one so far, and how long the others take."""
        of = f"[{self._n_ended}/{self.n_calls}]"
        if trial.state == "failed":
            # one line of the log; the study holds the whole reason
            reason = trial.reason[:REASON_WIDTH]
            reason += " ..." if reason != trial.reason else ""
            return f"{of} trial {trial.number} failed: {reason}"
        text = f"{of} {self._score(trial)}"
        if trial.state == "stopped":
            text += f", {trial.reason}"
        if self._best is trial:
            text += " (the best)"
        elif self._best is not None:
            best = self._score(self._best).partition(" ")[0]
            text += f" (best {best}, trial {self._best.number})"
        text += f" {duration(trial.seconds)}"
        ended = [one for one in self._study.ended if not one.is_given] if self._study else []
        left = seconds_left(ended, self.n_calls - self._n_ended)
        text += f", about {duration(left)} left" if left else ""
        return f"{text} {dict(trial.params)}" if self._tells_params else text

    def _score(self, trial: Trial) -> str:
        assert self._study is not None
        score = trial.score
        if trial.state == "stopped":  # on folds that are easy for all it would seem the best
            score = float(FoldStatistics.of(self._study.ended).scores([trial])[0])
        value = self._study.as_user_value(score)
        if trial.state == "stopped" and len(trial.folds) == 1:  # no more is known of its error
            return number(value, 3)
        return score_text(value, trial.standard_error)

    def _text(self, step: str) -> str:
        best = "" if self._best is None else f"best {self._score(self._best).partition(' ')[0]}"
        failed = f"{self._n_failed} failed" if self._n_failed else ""
        return ", ".join(part for part in (best, failed, step) if part)


@contextmanager
def end_untold() -> Iterator[None]:
    """Leave it to the caller to tell how the searches in the block ended."""
    token = _tells_end.set(False)
    try:
        yield
    finally:
        _tells_end.reset(token)


def tell(text: str, *, shown: bool) -> None:
    """Tell a line between two searches, as they tell theirs."""
    progress = Progress(0, shown=shown)
    with closing(progress):
        if progress._has_lines:
            progress._show_log()
        progress.last_lines([text])


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
