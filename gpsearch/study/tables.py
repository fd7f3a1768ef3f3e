"""The tables of the study and their rows: values as SQLite holds them, and back."""

import dataclasses
import json
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gpsearch.evaluation import FoldResult
from gpsearch.study.encoding import Curves, ParamsDecoding, ParamsEncoding, dump
from gpsearch.study.trial import Trial

Row = tuple[Any, ...]  # values in the order of their table's columns, without the checksum
COLUMNS = {
    "head": "name TEXT, value TEXT",
    "trial": "number INTEGER, state TEXT, params TEXT, seed INTEGER, origin TEXT, proposal TEXT, "
    "started REAL, ended REAL NULL, reason TEXT, traceback TEXT",
    "fold": "trial INTEGER, fold INTEGER, score REAL NULL, best_epoch INTEGER NULL, "
    "epochs INTEGER NULL, seconds REAL, fit_seconds REAL NULL, score_seconds REAL NULL, "
    "work REAL NULL, held_out INTEGER NULL, parameters INTEGER NULL, trainer TEXT, note TEXT, "
    "error TEXT, metrics TEXT, train_metrics TEXT, curves TEXT",
    "prediction": "trial INTEGER, fold INTEGER, n_rows INTEGER, shape TEXT, dtype TEXT, "
    "rows BLOB, outputs BLOB",
    "queue": "id INTEGER, params TEXT, origin TEXT, trial INTEGER NULL",
}
"""Columns of each table but the last, ``crc``; NULL where one may be empty."""

COLUMNS["fresh"] = f"split INTEGER, {COLUMNS['fold']}"

KEYS = {"head": "name", "trial": "number", "fold": "trial, fold", "queue": "id"}
KEYS["prediction"] = KEYS["fold"]
KEYS["fresh"] = "split, trial, fold"
"""Primary key of each table, which gives the order of its rows."""

TYPES: dict[str, dict[str, str]] = {
    table: dict(column.split(" ", 1) for column in columns.split(", "))
    for table, columns in COLUMNS.items()
}


@dataclass(frozen=True, kw_only=True)
class Queued:
    """A configuration to evaluate before the strategy is asked."""

    id: int
    """Place in the queue."""
    params: Mapping[str, Any]
    """The configuration."""
    origin: str
    """Where it comes from: ``baseline``, ``x0`` or ``enqueued``."""
    trial: int | None = None
    """Number of the trial that evaluates it; None while it waits."""


def trial_row(trial: Trial, encoding: ParamsEncoding) -> Row:
    """Row of a trial, without its folds."""
    return _row("trial", vars(trial) | {"params": encoding.encode(trial.params)})


def fold_row(number: int, fold: FoldResult) -> Row:
    """Row of a fold result of trial `number`."""
    curves = {name: [float(v) for v in values] for name, values in fold.curves.items()}
    score = None if math.isnan(fold.score) else fold.score  # SQLite has no NaN
    texts = {name: dump(dict(vars(fold)[name])) for name in ("metrics", "train_metrics")}
    own = {"trial": number, "score": score, "curves": dump(curves)}
    return _row("fold", vars(fold) | own | texts)


def fresh_row(split: int, number: int, fold: FoldResult) -> Row:
    """Row of a fold result of trial `number` on fresh splits; their curves are not kept."""
    return split, *fold_row(number, dataclasses.replace(fold, curves={}))


def queue_row(entry: Queued, encoding: ParamsEncoding) -> Row:
    """Row of an entry of the queue."""
    return _row("queue", vars(entry) | {"params": encoding.encode(entry.params)})


def read_trial(row: Row, folds: Sequence[FoldResult], encoding: ParamsDecoding) -> Trial:
    """Inverse of `trial_row`, with the fold results, which have rows of their own.

    A trial whose score is not a number counts as failed: version 1 took it for complete.
    """
    values = _values("trial", row)
    trial = Trial(**values | {"params": encoding.decode(values["params"])}, folds=tuple(folds))
    if folds and trial.state == "complete" and not math.isfinite(trial.score):
        return dataclasses.replace(trial, state="failed", reason="its score is not a number")
    return trial


def read_fold(row: Row) -> FoldResult:
    """Inverse of `fold_row`."""
    values = _values("fold", row)
    del values["trial"]
    values["score"] = math.nan if values["score"] is None else values["score"]
    values["curves"] = Curves(values["curves"])
    for name in ("metrics", "train_metrics"):
        values[name] = dict(json.loads(values[name]))
    return FoldResult(**values)


def read_queued(row: Row, encoding: ParamsDecoding) -> Queued:
    """Inverse of `queue_row`."""
    values = _values("queue", row)
    return Queued(**values | {"params": encoding.decode(values["params"])})


def checksum(row: Row) -> int:
    """CRC-32 of the values of a row; bytes, which may be many, count by theirs."""
    values = tuple(zlib.crc32(v) if isinstance(v, bytes) else v for v in row)
    return zlib.crc32(repr(values).encode("utf-8", "surrogatepass"))


def _row(table: str, values: Mapping[str, Any]) -> Row:
    """The values of the columns of a table, as SQLite gives them back."""
    # -0.0 becomes 0.0, as which SQLite reads it.
    plain: dict[str, Callable[[Any], Any]] = {
        "TEXT": str,
        "INTEGER": int,
        "REAL": lambda value: float(value) + 0.0,
    }
    return tuple(
        None if values[name] is None else plain[kind.split()[0]](values[name])
        for name, kind in TYPES[table].items()
    )


def _values(table: str, row: Row) -> dict[str, Any]:
    return dict(zip(TYPES[table], row, strict=True))
