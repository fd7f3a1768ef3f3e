"""What the callbacks share: each finished trial is sent once; no failure ends a search."""

from __future__ import annotations

import importlib
import logging
from abc import ABC, abstractmethod
from typing import Any

from gpsearch.errors import InvalidSearchError
from gpsearch.study import Study, Trial

logger = logging.getLogger("gpsearch")


class TrialWriter(ABC):
    """Forwards each finished trial of a study once."""

    name: str
    """Name of the receiver in messages."""

    def on_trial_end(self, study: Study, trial: Trial) -> None:
        """Write all trials that are not written yet: an earlier search may have died."""
        try:
            self.write(study)
        except Exception as error:
            # The study has everything; a server that does not answer must not end a search.
            logger.warning("%s did not receive trial %d: %r", self.name, trial.number, error)

    @abstractmethod
    def write(self, study: Study) -> None:
        """Write all finished trials of `study` that are not written yet.

        Parameters
        ----------
        study : Study
            Running or finished.
        """


def require(library: str, extra: str) -> Any:
    """Import an optional library.

    Raises
    ------
    InvalidSearchError
        It is not installed; the message says how to.
    """
    try:
        return importlib.import_module(library)
    except ImportError as error:
        raise InvalidSearchError(
            f"{extra} needs {library} ({error}): pip install 'gpsearch[{extra.lower()}]'"
        ) from None


def metrics_of(trial: Trial) -> dict[str, float]:
    """Finite results of a trial by name: the score, its spread, further metrics over the folds."""
    totals: dict[str, list[float]] = {}
    for fold in trial.folds:
        on_train = {f"train_{name}": value for name, value in fold.train_metrics.items()}
        for name, value in {**on_train, **fold.metrics}.items():
            totals.setdefault(name, []).append(float(value))
    means = {name: sum(values) / len(values) for name, values in totals.items()}
    results = means | {"score": trial.score, "std": trial.std, "seconds": trial.seconds}
    return {name: value for name, value in results.items() if abs(value) < float("inf")}
