"""The rows of the study's tables: values as SQLite holds them, and back."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gpsearch.evaluation import FoldResult
from gpsearch.study.encoding import Curves, ParamsEncoding, dump
from gpsearch.study.trial import Trial

Row = tuple[Any, ...]
"""Values in the order of their table's columns, without the checksum."""


@dataclass(frozen=True, kw_only=True)
class Queued:
    """A configuration to evaluate before the strategy is asked."""

    id: int
    """Place in the queue."""
    params: Mapping[str, Any]
    """The configuration."""
    origin: str
    """Where it comes from: ``x0`` or ``enqueued``."""
    trial: int | None = None
    """Number of the trial that evaluates it; None while it waits."""


def trial_row(trial: Trial, encoding: ParamsEncoding) -> Row:
    """Row of a trial, without its folds."""
    return (
        trial.number,
        trial.state,
        encoding.encode(trial.params),
        trial.seed,
        trial.origin,
        trial.proposal,
        _real(trial.started),
        _maybe_real(trial.ended),
        trial.reason,
        trial.traceback,
    )


def fold_row(number: int, fold: FoldResult) -> Row:
    """Row of a fold result of trial `number`."""
    score = _real(fold.score)
    curves = {name: [float(v) for v in values] for name, values in fold.curves.items()}
    return (
        number,
        int(fold.fold),
        None if math.isnan(score) else score,  # SQLite has no NaN
        None if fold.best_epoch is None else int(fold.best_epoch),
        None if fold.epochs is None else int(fold.epochs),
        _real(fold.seconds),
        _maybe_real(fold.fit_seconds),
        _maybe_real(fold.score_seconds),
        fold.trainer,
        fold.note,
        fold.error,
        dump(dict(fold.metrics)),
        dump(dict(fold.train_metrics)),
        dump(curves),
    )


def queue_row(entry: Queued, encoding: ParamsEncoding) -> Row:
    """Row of an entry of the queue."""
    return entry.id, encoding.encode(entry.params), entry.origin, entry.trial


def read_trial(row: Row, folds: Sequence[FoldResult], encoding: ParamsEncoding) -> Trial:
    """Inverse of `trial_row`, with the fold results, which have rows of their own."""
    number, state, params, seed, origin, proposal, started, ended, reason, traceback = row
    return Trial(
        number=number,
        state=state,
        params=encoding.decode(params),
        folds=tuple(folds),
        seed=seed,
        started=started,
        ended=ended,
        reason=reason,
        traceback=traceback,
        origin=origin,
        proposal=proposal,
    )


def read_fold(row: Row) -> FoldResult:
    """Inverse of `fold_row`."""
    _, fold, score, best_epoch, epochs, seconds, fit_seconds, score_seconds = row[:8]
    trainer, note, error, metrics, train_metrics, curves = row[8:]
    return FoldResult(
        fold=fold,
        score=math.nan if score is None else score,
        best_epoch=best_epoch,
        epochs=epochs,
        curves=Curves(curves),
        metrics=json.loads(metrics),
        train_metrics=json.loads(train_metrics),
        seconds=seconds,
        fit_seconds=fit_seconds,
        score_seconds=score_seconds,
        trainer=trainer,
        note=note,
        error=error,
    )


def read_queued(row: Row, encoding: ParamsEncoding) -> Queued:
    """Inverse of `queue_row`."""
    id_, params, origin, trial = row
    return Queued(id=id_, params=encoding.decode(params), origin=origin, trial=trial)


def checksum(row: Row) -> int:
    """CRC-32 of the values of a row."""
    return zlib.crc32(repr(row).encode("utf-8", "surrogatepass"))


def _real(value: float) -> float:
    # SQLite gives -0.0 back as 0.0, which the checksum would take for damage.
    return float(value) + 0.0


def _maybe_real(value: float | None) -> float | None:
    return None if value is None else _real(value)
