"""A page that follows a search from another process; ``gpsearch report --watch`` writes it.

A page reads the study as ``gpsearch show`` does, which the search does not notice. To draw costs
seconds of a processor that the search could use: the table and the convergence are made anew in a
tenth of the time, and in another tenth all that needs the surrogate. Once the search has ended, all
is drawn at once. The process has a lower priority than the search.
"""

import contextlib
import itertools
import os
import sys
import time
from pathlib import Path

from gpsearch.cli.standing import state_line
from gpsearch.cli.terminal import DONE, label, say
from gpsearch.comparison import is_comparison, open_comparison
from gpsearch.errors import GPSearchError, StudyError
from gpsearch.report.findings import Findings
from gpsearch.report.page import Drawn, Live, draw_page, render_page, render_template, write_page
from gpsearch.study import Study

SHARE = 0.1  # of the time may be spent on drawing
PAUSE = 1.0  # seconds between two looks at the studies
RELOAD = 5  # seconds after which a browser reads a watched file again
NOTHING_DRAWN = Drawn(
    Findings(why_none="The surrogate is being fitted to the trials."),
    {"curves": [], "maps": [], "others": [], "importance": None},
)
STATES = itertools.count(time.time_ns())  # no page of an earlier server has the same name


class LivePage:
    """The page of one study, made anew as its trials end.

    `html` and `state` are the page as it was last made and its name, `text` says how the search
    stands, `done` that it has ended and the page shows all, `error` why the study cannot be read.
    """

    def __init__(self, path: Path, *, reload: bool = False) -> None:
        self.path = path
        self.html = self.text = self.state = self.error = ""
        self._mark: tuple[int, ...] = (0,)  # of no file
        self._reload = reload
        self.look()

    def look(self) -> None:
        """Open the study anew where another file, or a mended one, has its name."""
        try:
            seen = self.path.stat()
            mark: tuple[int, ...] = seen.st_dev, seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns
        except OSError:
            mark = ()
        same = None if self.error else 2  # a study that is written to stays the same file
        if mark[:same] == self._mark[:same]:
            return
        is_gone = not mark and len(self._mark) > 1
        self._mark, self.error = mark, ""
        self.done, self._is_stale = False, True
        self._drawn = NOTHING_DRAWN
        self._shown: object = None  # the trials of the last page
        self._whole: object = None  # the trials of its surrogate
        self._shown_from = self._whole_from = 0.0  # when each may be made again
        if is_gone:
            self.error = f"{self.path}: the file is gone."
            return
        try:
            self.study = Study.open(self.path)
        except GPSearchError as error:
            self.error = str(error)

    def update(self) -> bool:
        """Look at the study, and make the page again where that is due; whether it was made."""
        self.look()
        try:
            if self.error:
                raise StudyError(self.error)
            return self._update()
        except GPSearchError as error:  # also too few repeats of a comparison
            is_new, self._is_stale, self.text = self._is_stale, False, str(error)
            if is_new:
                self.state = str(next(STATES))
                live = Live("page", self.state, self.text)
                self.html = studies_page(str(self.path), [], live)
            return is_new

    def end(self) -> None:
        """Make the page once more, as one that follows no longer."""
        self.done = True
        self._make(self.study.still(), whole=False)

    def _update(self) -> bool:
        now = time.monotonic()
        reason = self.study.stop_reason  # before the trials, all of which are there at the end
        study = self.study.still()
        self.text = state_line(study)
        seen = [trial.state for trial in study.trials], reason, study.confirmation is not None
        if seen == self._whole:
            return False
        whole = self._shown is not None and (bool(reason) or now >= self._whole_from)
        if not whole and (seen == self._shown or now < self._shown_from):
            return False
        self.done = whole and bool(reason)
        self._make(study, whole=whole)
        self._shown = seen
        end = time.monotonic()
        free_from = end + (end - now) * (1 / SHARE - 1)
        if whole:
            self._whole, self._whole_from = seen, free_from
        else:
            self._shown_from = free_from
        return True

    def _make(self, study: Study, *, whole: bool) -> None:
        self._is_stale, self.state = False, str(next(STATES))
        live: Live | None = Live("page", self.state, self.text)
        if self._reload:
            live = None if self.done else Live("reload", str(RELOAD), self.text)
        if is_comparison(study):
            self.html = render_page(open_comparison(study), live=live)
            return
        new = draw_page(study, earlier=None if whole else self._drawn.findings)
        self._drawn = Drawn(new.findings, {**self._drawn.figures, **new.figures})
        self.html = render_page(study, drawn=self._drawn, live=live)


def watch(study: Path, output: Path) -> int:
    """Write the page of a study whenever it is new, until its search has ended."""
    step_back()
    page = open_page(study, reload=True)
    say(f"{label('Report')}{output}, written again as trials end (Ctrl-C ends)")
    sys.stdout.flush()
    try:
        while not page.done:
            if page.update():
                if page.error:  # what was written stays
                    say(page.error)
                else:
                    write_page(output, page.html)
            else:
                time.sleep(PAUSE)
    except KeyboardInterrupt:
        if not page.html:  # what draws may be imported in part
            raise
        if not page.error:
            page.end()
            write_page(output, page.html)
    return DONE


def open_page(path: Path, *, reload: bool = False) -> LivePage:
    """The page of a study that can be read; raises as `Study.open`."""
    page = LivePage(path, reload=reload)
    if page.error:
        raise StudyError(page.error)
    return page


def studies_page(title: str, studies: list[tuple[str, ...]], live: Live) -> str:
    """A page with a row for each study: address, name, best score, and how it stands."""
    return render_template("studies.html", title=title, studies=studies, live=live)


def step_back() -> None:
    """Let the search go first: this process does nothing but follow it."""
    with contextlib.suppress(AttributeError, OSError):  # not on every system
        os.nice(10)
