"""Trials for TensorBoard: its HParams page and its curves. tensorboardX is imported here alone.

tensorboardX writes TensorBoard's files without TensorFlow; to look at them, TensorBoard itself
is needed: ``tensorboard --logdir logs``.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gpsearch.callbacks.trial_callback import TrialWriter, metrics_of, require
from gpsearch.study import Study, Trial


class TensorBoard(TrialWriter):
    """Write each finished trial as a run of TensorBoard.

    Each trial has a folder of its own, with its params and results for the HParams page and the
    learning curves of its folds, one step an epoch.

    Parameters
    ----------
    log_dir : path
        Folder for the runs of one study, made if it does not exist.

    Raises
    ------
    InvalidSearchError
        tensorboardX is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import gpsearch as gs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     study = gs.search(lambda params: params["x"], {"x": (0.0, 1.0)}, n_calls=2,
    ...                       strategy="random", random_state=0, progress=False,
    ...                       callback=TensorBoard(folder))
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['trial-0000', 'trial-0001']
    """

    name = "TensorBoard"

    def __init__(self, log_dir: str | os.PathLike[str]) -> None:
        self.log_dir = Path(log_dir).expanduser()
        self._library = require("tensorboardX", "TensorBoard")
        self._hparams = require("tensorboardX.summary", "TensorBoard").hparams

    def write(self, study: Study) -> None:
        """Write all finished trials of `study` whose folders do not stand in `log_dir` yet."""
        self.log_dir.mkdir(parents=True, exist_ok=True)
        for trial in study.trials:
            folder = self.log_dir / f"trial-{trial.number:04d}"
            if trial.finished and not folder.exists():
                # Whole or not at all: a trial that was half written would not be written again.
                unfinished = folder.with_suffix(".unfinished")
                shutil.rmtree(unfinished, ignore_errors=True)
                self._write(trial, unfinished)
                unfinished.rename(folder)

    def _write(self, trial: Trial, folder: Path) -> None:
        metrics = metrics_of(trial)
        ended = trial.started if trial.ended is None else trial.ended
        writer = self._library.SummaryWriter(str(folder))
        try:
            params = {
                name: value if isinstance(value, bool | int | float | str) else repr(value)
                for name, value in trial.params.items()
            }
            for summary in self._hparams({**params, "state": trial.state}, metrics):
                writer.file_writer.add_summary(summary, walltime=ended)
            for name, value in metrics.items():
                writer.add_scalar(name, value, trial.number, walltime=ended)
            for fold in trial.folds:
                for name, values in fold.curves.items():
                    for epoch, value in enumerate(values, start=1):
                        tag = f"{name}/fold_{fold.fold}"
                        writer.add_scalar(tag, value, epoch, walltime=ended)
            if trial.reason:
                writer.add_text("reason", trial.reason, trial.number, walltime=ended)
        finally:
            writer.close()
