"""What a study's file holds, as what it means: the head, trials, folds, predictions, the queue.

========== =================================================================================
table      one row for
========== =================================================================================
head       each fact about the study (`StudyInfo`, the stop reason), as JSON by name
trial      each trial; written when it starts, again when it ends
fold       each fold result, written as the fold ends
fresh      each fold result of a trial that is scored again on fresh splits
prediction the held-out predictions of a fold, written with its result, where they are kept
queue      each configuration to evaluate before the strategy is asked
========== =================================================================================
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from gpsearch.errors import StudyError
from gpsearch.evaluation import FoldResult, Predictions
from gpsearch.study.encoding import ParamsDecoding, dump
from gpsearch.study.info import StudyInfo
from gpsearch.study.location import check_path, refuse_study
from gpsearch.study.lock import WriteLock
from gpsearch.study.predictions import read_prediction
from gpsearch.study.sqlite import Database
from gpsearch.study.tables import Queued, Row, read_fold, read_queued, read_trial
from gpsearch.study.trial import Trial

DROPPED = "dropped_predictions"  # in the head


class StudyFile:
    """The record of one study. Made by `create` or `connect`, whole from then on."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    def create(
        cls, path: Path | None, info: StudyInfo, rows: Mapping[str, Sequence[Row]] | None = None
    ) -> Self:
        """Make a new study with these rows of its tables; None keeps it in memory."""
        rows = rows or {}
        facts = [(name, dump(value)) for name, value in dataclasses.asdict(info).items()]
        return cls(Database.create(path, {**rows, "head": [*rows.get("head", ()), *facts]}))

    @classmethod
    def connect(cls, path: Path, *, writable: bool) -> Self:
        """Open an existing study, after a check of the whole file. Raises as `Database.connect`."""
        return cls(Database.connect(path, writable=writable))

    def read_info(self) -> StudyInfo:
        """Read the head of the study."""
        with self.database.reading():
            return StudyInfo.from_head(self._read_head())

    def read_budget(self) -> int | None:
        """Trials that the last search was to evaluate in all."""
        with self.database.reading():
            head = self._read_head()
            return head.get("budget") or head.get("settings", {}).get("n_calls")

    def read_trials(self, encoding: ParamsDecoding) -> list[Trial]:
        """All trials in the order of their numbers, with their folds."""
        with self.database.reading():
            folds: dict[int, list[FoldResult]] = {}
            for row in self.database.rows("fold"):
                folds.setdefault(row[0], []).append(read_fold(row))
            rows = self.database.rows("trial")
            if [row[0] for row in rows] != [*range(len(rows))] or max(folds, default=-1) >= len(
                rows
            ):
                raise LookupError("trials are missing from it")
            trials = [read_trial(row, folds.get(row[0], ()), encoding) for row in rows]
            if any(trial.state == "complete" and not trial.folds for trial in trials):
                raise LookupError("folds are missing from it")
            return trials

    def read_queue(self, encoding: ParamsDecoding) -> list[Queued]:
        """All entries that were ever queued, in order."""
        with self.database.reading():
            entries = [read_queued(row, encoding) for row in self.database.rows("queue")]
            if [entry.id for entry in entries] != list(range(len(entries))):
                raise LookupError("configurations that were queued are missing from it")
            return entries

    def read_predictions(self, number: int) -> dict[int, Predictions]:
        """The predictions of trial `number` that are kept, by fold."""
        with self.database.reading():
            return dict(map(read_prediction, self.database.rows("prediction", trial=number)))

    def prediction_sizes(self) -> dict[int, int]:
        """Bytes of the predictions of each trial that has some."""
        with self.database.reading():
            return self.database.sizes("prediction")

    def read_dropped(self) -> list[int]:
        """Trials whose predictions were kept first, and then made room for those of better ones."""
        return list(map(int, self.read_fact(DROPPED) or []))

    def read_fresh(self) -> dict[tuple[int, int], tuple[FoldResult, ...]]:
        """Fold results on fresh splits, by the number of the splits and that of the trial."""
        with self.database.reading():
            folds: dict[tuple[int, int], tuple[FoldResult, ...]] = {}
            for split, *row in self.database.rows("fresh"):
                key = split, row[0]
                folds[key] = (*folds.get(key, ()), read_fold(tuple(row)))
            return folds

    def read_fact(self, name: str) -> Any:
        """One fact about the study; None where it has none."""
        with self.database.reading():
            return self._read_head().get(name)

    def write(
        self,
        *,
        head: Mapping[str, Any] | None = None,
        dropped: Sequence[int] = (),
        emptied: Sequence[int] = (),
        **rows: Sequence[Row],
    ) -> None:
        """Write the head and rows of tables, all or none.

        Before, the folds of the trials `emptied` are deleted, and predictions of `dropped`.
        """
        with self.database.transaction():
            for table in ("fold", "fresh"):
                self.database.delete(table, trials=emptied)
            for table, of_table in rows.items():
                self.database.put(table, of_table)
            if dropped:
                self.database.delete("prediction", trials=dropped)
                gone_before = self._read_head().get(DROPPED, [])
                head = {**(head or {}), DROPPED: sorted({*gone_before, *dropped})}
            self.database.put("head", [(name, dump(value)) for name, value in (head or {}).items()])

    def _read_head(self) -> dict[str, Any]:
        return {name: json.loads(value) for name, value in self.database.rows("head")}


def new_study_file(path: Path, info: StudyInfo) -> StudyFile:
    """Make the file of a new study where nothing stands, while no other process makes one."""
    if not (folder := path.resolve().parent).is_dir():
        raise StudyError(f"the folder {folder} does not exist; make it first.").about(
            "path", str(path)
        )
    lock = WriteLock(path)
    try:
        if path.exists():
            check_path(path)
            raise StudyError(
                f"{path} exists; Study.open reads it, gpsearch.search(..., study=...) continues it"
            ).about("path", str(path))
        refuse_study(path)
        return StudyFile.create(path, info)
    finally:
        lock.release()
