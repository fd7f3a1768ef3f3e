"""The convergence plot of a running search, redrawn in place in a notebook."""

from __future__ import annotations

import io
import logging
import time
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gpsearch.errors import public
from gpsearch.plotting.convergence import plot_convergence
from gpsearch.study import Study, require_study

logger = logging.getLogger("gpsearch")

SHARE = 0.1  # of the time may be spent on drawing
INCHES, DPI = (6.4, 3.4), 100


class LiveConvergence:
    """A convergence plot in the output of a notebook cell, replaced as trials end.

    Drawing takes at most a tenth of the time, so several short trials may appear at once. If
    drawing fails, the error is logged and the plot is no longer updated; the search goes on.

    Parameters
    ----------
    study : Study

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


def _png(study: Study) -> bytes:
    # Not from pyplot, which would show the figure again when the cell ends.
    figure = Figure(figsize=INCHES, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    plot_convergence(study, ax=figure.add_subplot())
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI)
    return file.getvalue()
