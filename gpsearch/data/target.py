"""y as users give it, read into what training and scoring need.

========= ==================================================================================
kind      "binary", "multiclass", "multilabel", "regression" or "several" (one y for each
          output of a model with several outputs)
labels    y as scorers compare it: the user's own values, in one axis where each row has one
encoded   class indices from 0 in place of labels; the numbers themselves where y is numbers
numbers   y in the shape in which it was given, as Keras would take it
========= ==================================================================================
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype

from gpsearch.data.rows import Parts, in_parts, map_parts, named_parts, refuse_masked
from gpsearch.errors import InvalidObjectiveError

# An integer y with more values than this, most of them rare, is read as a quantity.
MAX_INFERRED_CLASSES = 20

_TEXT = "OUST"  # kinds of `numpy.dtype`; objects that are numbers are read as such


@dataclass(frozen=True, kw_only=True)
class Target:
    """What the model is to predict."""

    kind: str
    """"binary", "multiclass", "multilabel", "regression" or "several"."""
    labels: Parts
    """y as scorers compare it; shape (n,), or (n, ...) where each row has several."""
    encoded: Parts
    """Class indices (int32) of the shape of `labels`; else what training takes."""
    classes: np.ndarray | None
    """Sorted class labels, shape (n_classes,), for "binary" and "multiclass"; else None."""
    n_outputs: int
    """Units that the last layer needs; 1 for "binary", where 2 are accepted too."""
    link: str | None = None
    """What the model's outputs are, where the user says it; see `gpsearch.training.output_link`."""
    numbers: np.ndarray | None = None
    """Labels that are numbers, in the shape given; None where there are none."""
    one_hot: bool = False
    """Whether y has one column for each class."""

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

    def as_labels(self, y: Any) -> Any:
        """Labels, or quantities, as scorers compare them, of a y in the form of the one read."""
        if self.kind == "several":
            return map_parts(lambda part: plain_type(np.asarray(part)), y)
        y = plain_type(np.asarray(y))
        if self.one_hot:
            return y.argmax(axis=-1)
        column = y.ndim > 1 and y.shape[-1] == 1 and (y.ndim == 2 or self.classes is not None)
        return y[..., 0] if column else y

    @property
    def identity(self) -> list[Any]:
        """What gives equal scores where it is equal."""
        if self.kind == "several":
            return [self.kind, self.labels]
        said = [] if self.link is None else [self.link]
        shape = np.shape(self.encoded if self.numbers is None else self.numbers)
        return [self.kind, self.labels, *([] if shape == self.labels.shape else [shape]), *said]


def read_target(y: Parts, task: str | None = None) -> Target:
    """What y is, and y in numbers.

    Without `task`, strings, booleans and two values are classes; so are integers, unless more
    than 20 values make up more than a tenth of the rows; other numbers are quantities. So are
    whole numbers in several columns or axes, but for 0 and 1 in columns.
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
        return _several(y)
    values = _checked(y)
    columns = values.ndim > 1 and values.shape[-1] > 1
    labels = values[..., 0] if values.ndim > 1 and not columns else values
    one_each = labels.ndim == 1 and values.ndim <= 2
    if task != "regression" and columns and _holds_columns(values, task):
        if (values.sum(axis=-1) == 1).all():
            classes = np.arange(values.shape[-1])
            return _classes(values.argmax(axis=-1), classes, _as_keras_has_it(y, values))
        return Target(
            kind="multilabel",
            labels=values.astype(np.int32),
            encoded=values.astype(np.float32),
            classes=None,
            n_outputs=values.shape[-1],
        )
    if values.dtype.kind in _TEXT and task == "regression":
        raise InvalidObjectiveError(
            f"values of type {values.dtype} are not numbers, as a regression needs. Give numbers, "
            'or task="classification".'
        ).about("y")
    inferred = values.dtype.kind in _TEXT or (one_each and _holds_classes(labels))
    if task == "classification" or (task is None and inferred):
        is_number = values.dtype.kind in "iuf"
        return _classes(labels, None, _as_keras_has_it(y, values) if is_number else None)
    numbers = _as_keras_has_it(y, values).astype(np.float32)
    n_outputs = 1 if values.ndim == 1 else int(values.shape[-1])
    return Target(
        kind="regression",
        labels=labels if one_each else values,
        encoded=numbers,
        classes=None,
        n_outputs=n_outputs,
    )


def _several(y: Parts) -> Target:
    """One target for each output; labels in place of numbers become class indices."""
    labels = {name: _checked(part, name) for name, part in named_parts(y)}

    def numbers(values: np.ndarray) -> np.ndarray:
        if values.dtype.kind in _TEXT:
            return _sorted_classes(values)[1].reshape(values.shape)
        return values.astype(np.float32)

    parts = iter(labels.values())
    kept = map_parts(lambda part: next(parts), y)
    return Target(
        kind="several", labels=kept, encoded=map_parts(numbers, kept), classes=None, n_outputs=0
    )


def _checked(y: Any, part: str = "") -> np.ndarray:
    """Y as an array of numbers, booleans or labels without missing values."""
    label = f"y[{part!r}]" if part else "y"
    try:
        values = np.asarray(y)
    except ValueError as error:
        raise InvalidObjectiveError(f"{label} is not an array: {error}.").about("y") from error
    if not values.ndim:
        remedy = "y.toarray()" if hasattr(y, "tocsr") else "a list or an array"
        raise InvalidObjectiveError(
            f"{label} of type {type(y).__name__} is not an array of rows. Give {remedy}."
        ).about("y")
    if not values.size:
        raise InvalidObjectiveError(f"{label} has no rows. Give at least two.").about("y")
    values = plain_type(values)
    if pd.isna(values).any():
        raise InvalidObjectiveError(
            f"{label} holds missing values (NaN or None). Drop those rows from X and y."
        ).about("y")
    with np.errstate(over="ignore"):
        if values.dtype.kind == "f" and not np.isfinite(values.astype(np.float32)).all():
            raise InvalidObjectiveError(
                f"{label} holds values that are infinite, or beyond what float32 holds. Drop those "
                "rows from X and y, or give y in another unit."
            ).about("y")
    if values.dtype.kind == "O" and not all(isinstance(one, Hashable) for one in values.flat):
        raise InvalidObjectiveError(
            f"{label} holds lists, arrays or other collections, where a row has one label. For "
            "several labels in a row give MultiLabelBinarizer().fit_transform(y) of scikit-learn."
        ).about("y")
    if values.dtype.kind not in "biuf" + _TEXT:
        raise InvalidObjectiveError(
            f"{label} of type {values.dtype} holds neither numbers nor labels. Make it one of them."
        ).about("y")
    return values


def plain_type(values: np.ndarray) -> np.ndarray:
    """Objects as the numbers or booleans that they all are; anything else as it is.

    >>> plain_type(np.array([0, 1], dtype=object)).dtype.kind
    'i'
    """
    if values.dtype.kind != "O":
        return values
    if values.ndim == 2 and values.shape[1] > 1:  # the columns of a frame have their own types
        columns = [plain_type(column) for column in values.T]
        return values if any(c.dtype.kind == "O" for c in columns) else np.column_stack(columns)
    each = pd.Series(values.ravel())
    is_decimal = infer_dtype(each, skipna=True) == "decimal"
    plain = each.astype(float) if is_decimal else each.infer_objects()
    return plain.to_numpy().reshape(values.shape)


def _as_keras_has_it(y: Any, values: np.ndarray) -> np.ndarray:
    """Numbers in the shape and type in which Keras passes them to a loss."""
    numbers = values.astype(np.float32) if values.dtype.kind in "bf" else values
    return numbers[:, None] if isinstance(y, pd.Series) else numbers


def _holds_columns(values: np.ndarray, task: str | None) -> bool:
    """Whether values are 0 and 1 in columns; in more axes only where they are to be classes."""
    if values.dtype.kind in _TEXT or (values.ndim > 2 and task is None):
        return False
    return bool(np.isin(values, (0, 1)).all())


def _holds_classes(labels: np.ndarray) -> bool:
    if labels.dtype.kind == "b":
        return True
    n_values = len(np.unique(labels))
    if n_values <= 2:
        return True
    if not np.array_equal(labels, np.round(labels)):
        return False
    return n_values <= MAX_INFERRED_CLASSES or (
        labels.dtype.kind in "iu" and n_values <= 0.1 * len(labels)
    )


def _classes(labels: np.ndarray, classes: np.ndarray | None, numbers: np.ndarray | None) -> Target:
    one_hot = classes is not None
    if classes is None:
        classes, encoded = _sorted_classes(labels)
    else:
        encoded = labels.astype(np.int32)
    if len(classes) < 2:
        raise InvalidObjectiveError(
            f"y holds the single class {classes.tolist()[0]!r}. A classification needs at least "
            'two; for a regression give task="regression".'
        ).about("y")
    # In several axes one unit could not be told from one more axis.
    binary = len(classes) == 2 and labels.ndim == 1 and not one_hot
    return Target(
        kind="binary" if binary else "multiclass",
        labels=labels,
        encoded=encoded,
        classes=classes,
        n_outputs=1 if binary else len(classes),
        numbers=numbers,
        one_hot=one_hot,
    )


def _sorted_classes(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    try:
        classes, encoded = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise InvalidObjectiveError(
            f"labels of several types cannot be sorted: {error}. Give labels of one type."
        ).about("y") from error
    return classes, encoded.reshape(labels.shape).astype(np.int32)
