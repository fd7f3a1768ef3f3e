"""X and y as users give them, read into what training and scoring need.

=========== ================================================================================
parts       what X (or y, for several outputs) consists of: one array or data frame, or a
            dict or tuple of them for a model with several inputs; rows run along axis 0
kind        what y is: "binary", "multiclass", "multilabel", "regression" or "several"
            (one y for each output of a model with several outputs)
=========== ================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpsearch.data.blocks import blocks, gathered
from gpsearch.data.datasets import Streamed
from gpsearch.errors import InvalidObjectiveError

Parts = Any

NUMBERS = "biuf"
"""Kinds of `numpy.dtype` that a network takes."""

# An integer y with more values than this, most of them rare, is read as a quantity.
MAX_INFERRED_CLASSES = 20


@dataclass(frozen=True, kw_only=True)
class Target:
    """What the model is to predict."""

    kind: str
    """"binary", "multiclass", "multilabel", "regression" or "several"."""
    labels: Parts
    """y in the user's own values, as scorers compare them; shape (n,) or (n, ...)."""
    encoded: Parts
    """y in numbers, as training takes it: class indices (int32) or float32 values."""
    classes: np.ndarray | None
    """Sorted class labels, shape (n_classes,), for "binary" and "multiclass"; else None."""
    n_outputs: int
    """Units that the last layer needs; 1 for "binary", where 2 are accepted too."""
    link: str | None = None
    """What the model's outputs are, where the user says it; see `gpsearch.training.fitted`."""

    @property
    def is_classification(self) -> bool:
        """Whether y holds classes."""
        return self.kind in ("binary", "multiclass", "multilabel")

    @property
    def by_class(self) -> bool:
        """Whether each row has one class, to stratify by."""
        return self.classes is not None and self.encoded.ndim == 1

    @property
    def n_classes(self) -> int | None:
        """Number of classes; None where y holds none."""
        return None if self.classes is None else len(self.classes)


def read_features(X: Parts) -> Parts:
    """X with arrays in place of lists; raises unless its parts have rows, and equally many.

    Data frames stay data frames, for transformers that want columns.
    """
    refuse_masked("X", X)
    features = map_parts(_as_rows, X)
    lengths = {name: _length(part) for name, part in named_parts(features)}
    if len(set(lengths.values())) > 1:
        raise InvalidObjectiveError(
            f"the parts of X differ in length: {lengths}. Every part holds one row for each "
            "sample; give parts of equal length."
        ).about("X")
    if not lengths or not next(iter(lengths.values())):
        raise InvalidObjectiveError("X has no rows. Give at least two.").about("X")
    return features


def refuse_masked(name: str, parts: Parts) -> None:
    """Raise for a masked array: NumPy would drop the mask, and what is masked would count."""
    if any(isinstance(part, np.ma.MaskedArray) for _, part in named_parts(parts)):
        raise InvalidObjectiveError(
            "a masked array: its masked values would count. Drop those rows, or fill the values "
            f"in: {name}.filled(...)."
        ).about(name)


def check_lengths(X: Parts, **others: Any) -> None:
    """Raise unless each of `others` is None or has one entry for each row of X."""
    n = n_rows(X)
    for name, parts in others.items():
        for part_name, part in [] if parts is None else named_parts(parts):
            if _length(part) != n:
                label = f"{name}[{part_name!r}]" if part_name else name
                raise InvalidObjectiveError(
                    f"X has {n} rows, but {label} has {_length(part)}: inconsistent numbers of "
                    "samples. Each row of X needs one entry."
                ).about(name)


def read_target(y: Parts, task: str | None = None) -> Target:
    """What y is, and y in numbers.

    Without `task`, strings, booleans and two values are classes; so are integers, unless more
    than 20 values make up more than a tenth of the rows; other numbers are quantities.

    Parameters
    ----------
    y : array-like, or dict or tuple of them
        Shape (n,), (n, outputs), or more axes for a model that returns arrays.
    task : {"classification", "regression"}, optional
        Overrides the reading.

    Returns
    -------
    Target

    Raises
    ------
    InvalidObjectiveError
        y holds NaN, a single class, or values that are not numbers where numbers are needed.
    """
    if y is None:
        raise InvalidObjectiveError(
            "there is no target. Give (create_model, X, y); for an autoencoder y is X itself."
        ).about("y", None)
    refuse_masked("y", y)
    if task not in (None, "classification", "regression"):
        raise InvalidObjectiveError('must be "classification", "regression" or None.').about(
            "task", task
        )
    if in_parts(y):
        values = map_parts(_as_numbers, y)
        return Target(kind="several", labels=values, encoded=values, classes=None, n_outputs=0)
    labels = np.asarray(y)
    if not labels.size:
        raise InvalidObjectiveError("y has no rows. Give at least two.").about("y")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if _has_missing(labels):
        raise InvalidObjectiveError(
            "y holds missing values (NaN or None). Drop those rows from X and y."
        ).about("y")
    if labels.ndim == 1 and (task == "classification" or (task is None and _holds_classes(labels))):
        return _read_classes(labels)
    values = _as_numbers(labels)
    if task != "regression" and labels.ndim == 2 and np.isin(values, (0, 1)).all():
        if (values.sum(axis=1) == 1).all():
            return Target(
                kind="multiclass",
                labels=values.argmax(axis=1),
                encoded=values.argmax(axis=1).astype(np.int32),
                classes=np.arange(values.shape[1]),
                n_outputs=values.shape[1],
            )
        return Target(
            kind="multilabel",
            labels=values.astype(np.int32),
            encoded=values,
            classes=None,
            n_outputs=values.shape[1],
        )
    n_outputs = 1 if values.ndim == 1 else int(values.shape[-1])
    return Target(
        kind="regression", labels=labels, encoded=values, classes=None, n_outputs=n_outputs
    )


def check_numeric(parts: Parts, remedy: str, *, stage: str = "") -> None:
    """Raise unless every part is numeric and finite, or text, which a layer may read.

    The message says at which `stage` the values appear, and the `remedy`.
    """
    for name, part in named_parts(parts):
        label = (f" in part {name!r}" if name else "") + stage
        if isinstance(part, Streamed) or is_text(part):
            continue
        if _is_sparse(part):
            raise InvalidObjectiveError(
                f"holds a sparse matrix{label}, where a network takes dense rows. Make them dense "
                "in `preprocess`, as TruncatedSVD does, or give X.toarray()."
            ).about("X")
        array = np.asarray(part)
        if array.dtype.kind not in NUMBERS:
            raise InvalidObjectiveError(
                f"values of type {array.dtype}{label} are not numbers. {remedy}"
            ).about("X")
        whole = array.dtype.kind != "f"
        count = 0 if whole else sum(int((~np.isfinite(block)).sum()) for block in blocks(array))
        if count:
            raise InvalidObjectiveError(
                f"values{label} are NaN or infinite: {count} of them. {remedy}"
            ).about("X")


def is_text(part: Any) -> bool:
    """Whether a part consists of strings, and of nothing else.

    Examples
    --------
    >>> is_text(np.array(["a film", "a book"])), is_text(np.array(["a", None], dtype=object))
    (True, False)
    """
    if isinstance(part, Streamed) or _is_sparse(part):
        return False
    array = np.asarray(part)
    if array.dtype.kind == "O":
        return array.size > 0 and all(isinstance(value, str) for value in array.flat)
    return array.dtype.kind in "UT"


def in_parts(X: Any) -> bool:
    """Whether X is a dict or tuple of arrays; a sparse matrix by keys is a dict, too."""
    return isinstance(X, Mapping | tuple) and not hasattr(X, "tocsr")


def map_parts(function: Callable[[Any], Any], parts: Parts) -> Parts:
    """Apply `function` to each part, keeping the structure.

    Examples
    --------
    >>> map_parts(len, {"text": [1, 2], "image": [3, 4]})
    {'text': 2, 'image': 2}
    """
    if not in_parts(parts):
        return function(parts)
    if isinstance(parts, Mapping):
        return {name: function(part) for name, part in parts.items()}
    return tuple(map(function, parts))


def named_parts(parts: Parts) -> list[tuple[str, Any]]:
    """Parts with their names; "" for a lone part, the position for members of a tuple."""
    if not in_parts(parts):
        return [("", parts)]
    if isinstance(parts, Mapping):
        return list(parts.items())
    return [(str(position), part) for position, part in enumerate(parts)]


def n_rows(parts: Parts) -> int:
    """Number of rows."""
    return _length(named_parts(parts)[0][1])


def take(parts: Parts, rows: np.ndarray) -> Parts:
    """The given rows of every part."""

    def taken(part: Any) -> Any:
        if isinstance(part, np.ndarray) and part.dtype.kind in NUMBERS and len(rows):
            return gathered(part, rows)
        return part.iloc[rows] if hasattr(part, "iloc") else part[rows]

    return map_parts(taken, parts)


def as_model_input(parts: Parts) -> Parts:
    """Plain arrays: float64 narrowed to float32 as Keras would for every batch, text as objects."""

    def narrow(part: Any) -> Any:
        if isinstance(part, Streamed):
            return part
        array = part.toarray() if hasattr(part, "toarray") else np.asarray(part)
        if array.dtype.kind in "UT":
            return array.astype(object)
        return np.ascontiguousarray(array, np.float32 if array.dtype == np.float64 else None)

    return map_parts(narrow, parts)


def _as_rows(part: Any) -> Any:
    if hasattr(part, "iloc") or hasattr(part, "columns") or isinstance(part, np.ndarray | Streamed):
        rows = part
    elif _is_sparse(part):
        return part.tocsr()
    else:
        rows = np.asarray(part)
    if np.ndim(rows) == 0:
        raise InvalidObjectiveError(
            "X has no rows. Give an array, a data frame, or a dict or tuple of them for a model "
            "with several inputs."
        ).about("X", part)
    return rows


def _is_sparse(part: Any) -> bool:
    return hasattr(part, "tocsr")


def _length(part: Any) -> int:
    return int(part.shape[0]) if hasattr(part, "shape") else len(part)


def _as_numbers(values: Any) -> np.ndarray:
    array = np.asarray(values)
    try:
        numbers = array.astype(np.float32)
    except (TypeError, ValueError):
        raise InvalidObjectiveError(
            f"values of type {array.dtype} are not numbers, as a regression or a y with several "
            'columns needs. For labels, give one column, or task="classification".'
        ).about("y") from None
    if not np.isfinite(numbers).all():
        raise InvalidObjectiveError(
            "y holds NaN or infinite values. Drop those rows from X and y."
        ).about("y")
    return numbers


def _has_missing(labels: np.ndarray) -> bool:
    if labels.dtype.kind == "f":
        return bool(np.isnan(labels).any())
    if labels.dtype.kind == "O":
        return any(label is None or label != label for label in labels.ravel())
    return False


def _holds_classes(labels: np.ndarray) -> bool:
    if labels.dtype.kind in "bOUST":
        return True
    n_values = len(np.unique(labels))
    if n_values <= 2:
        return True
    if not np.array_equal(labels, np.round(labels)):
        return False
    return n_values <= MAX_INFERRED_CLASSES or (
        labels.dtype.kind in "iu" and n_values <= 0.1 * len(labels)
    )


def _read_classes(labels: np.ndarray) -> Target:
    classes, encoded = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise InvalidObjectiveError(
            f"y holds the single class {classes.tolist()[0]!r}. A classification needs at least "
            'two; for a regression give task="regression".'
        ).about("y")
    binary = len(classes) == 2
    return Target(
        kind="binary" if binary else "multiclass",
        labels=labels,
        encoded=encoded.astype(np.int32),
        classes=classes,
        n_outputs=1 if binary else len(classes),
    )
