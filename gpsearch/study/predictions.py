"""Held-out predictions: as rows of the study's file, by row of X, and which of them are kept.

Numbers are stored as zlib-compressed bytes, those of equal significance side by side, which
compress better; row numbers as differences. Reading them runs no code.
"""

import json
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gpsearch.errors import StudyError
from gpsearch.evaluation import FoldResult, Outputs, Predictions, map_outputs, parts_of
from gpsearch.study.tables import Row
from gpsearch.study.trial import Trial

FLOAT, ROW = np.dtype("<f4"), np.dtype("<i4")


def prediction_row(number: int, fold: FoldResult) -> Row:
    """Row of the predictions of a fold of trial `number`, without the checksum."""
    held_out = fold.predictions
    assert held_out is not None
    shapes = map_outputs(lambda part: list(np.shape(part)), held_out.outputs)
    values = [np.asarray(part, FLOAT).ravel() for part in parts_of(held_out.outputs)]
    steps = np.diff(held_out.rows, prepend=0).astype(ROW)
    packed = _packed(steps), _packed(np.concatenate(values))
    return number, fold.fold, held_out.n_rows, json.dumps(shapes), FLOAT.str, *packed


def read_prediction(row: Row) -> tuple[int, Predictions]:
    """Inverse of `prediction_row`: the fold, and its predictions."""
    _, fold, n_rows, text, dtype, steps, values = row
    shapes = _shapes(json.loads(text))
    sizes = [math.prod(shape) for shape in parts_of(shapes)]
    flat = iter(np.split(_unpacked(values, np.dtype(dtype)), np.cumsum(sizes)[:-1]))
    outputs = map_outputs(lambda shape: next(flat).reshape(shape), shapes)
    rows = np.cumsum(_unpacked(steps, ROW), dtype=np.intp)
    return fold, Predictions(rows=rows, n_rows=n_rows, outputs=outputs)


def size_of(row: Row) -> int:
    """Bytes that a row of predictions counts for."""
    return len(row[-2]) + len(row[-1])


def by_row(folds: Sequence[Predictions]) -> Outputs:
    """Predictions of all folds by row of X: the mean of a row's, NaN where it has none."""

    def averaged(*parts: np.ndarray) -> np.ndarray:
        if len({part.shape[1:] for part in parts}) > 1:
            raise StudyError(
                f"the folds' predictions have the shapes {[part.shape for part in parts]}, which "
                "are no one table; read them fold by fold: study.fold_predictions(trial)"
            )
        n = max(fold.n_rows for fold in folds)
        total, count = np.zeros((n, *parts[0].shape[1:])), np.zeros(n)
        for fold, part in zip(folds, parts, strict=True):
            np.add.at(total, fold.rows, part)
            np.add.at(count, fold.rows, 1)
        count[count == 0] = np.nan
        return (total / count.reshape(-1, *[1] * (total.ndim - 1))).astype(FLOAT)

    return map_outputs(averaged, *(fold.outputs for fold in folds))


def beyond(limit: float, trials: Iterable[Trial], sizes: Mapping[int, int]) -> list[int]:
    """Trials whose predictions are to go, so that those of the best take at most `limit` bytes."""
    ranked = sorted(
        (trial for trial in trials if trial.finished and trial.number in sizes),
        key=lambda trial: (trial.state != "complete", _loss(trial), trial.number),
    )
    totals = np.cumsum([sizes[trial.number] for trial in ranked])
    return [trial.number for trial, total in zip(ranked, totals, strict=True) if total > limit]


def why_none(trial: Trial, settings: Mapping[str, Any], dropped: Sequence[int]) -> str:
    """Why a study holds no predictions of a trial."""
    if trial.state == "failed":
        return f"it failed ({trial.reason})"
    if trial.number in dropped:
        return (
            "those of the best trials alone were kept, as keep_predictions says how many megabytes "
            "all may take; give search a greater one"
        )
    if all(fold.trainer in ("given", "function") for fold in trial.folds):
        return "its scores came from no model that the search trained"
    if settings.get("keep_predictions") is False:
        return "the search was called with keep_predictions=False"
    return (
        "it was recorded by an earlier gpsearch, by a comparison or with an EstimatorCV, which "
        "keep none; a KerasCV does"
    )


def _loss(trial: Trial) -> float:
    return math.inf if math.isnan(trial.loss) else trial.loss


def _shapes(stored: Any) -> Any:
    """Shapes as tuples, so that a list is one of outputs."""
    if isinstance(stored, Mapping):
        return {str(name): _shapes(shape) for name, shape in stored.items()}
    if stored and isinstance(stored[0], list):
        return [_shapes(shape) for shape in stored]
    return tuple(map(int, stored))


def _packed(values: np.ndarray) -> bytes:
    planes = values.view(np.uint8).reshape(-1, values.itemsize).T
    return zlib.compress(planes.tobytes(), 1)


def _unpacked(packed: bytes, dtype: np.dtype) -> np.ndarray:
    planes = np.frombuffer(zlib.decompress(packed), np.uint8)
    return np.ascontiguousarray(planes.reshape(dtype.itemsize, -1).T).view(dtype).ravel()
