"""X as users give it: parts, which are chosen, checked and narrowed.

=========== ================================================================================
parts       what X (or y, for several outputs) consists of: one array or data frame, or a
            dict or tuple of them for a model with several inputs; rows run along axis 0
=========== ================================================================================
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from gpsearch.data.blocks import blocks, gathered
from gpsearch.data.datasets import Streamed
from gpsearch.data.table_encoder import as_array, not_numbers
from gpsearch.errors import InvalidObjectiveError

Parts = Any

NUMBERS = "biuf"  # kinds of `numpy.dtype` that a network takes


def read_features(X: Parts) -> Parts:
    """X with arrays for lists, frames as they are; raises unless its parts have the same rows."""
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


def without_lists(X: Any, y: Any) -> tuple[Parts, Parts]:
    """X and y with a tuple in place of a list of inputs or outputs, as Keras takes them.

    A list of arrays is one of rows, as in scikit-learn, unless its arrays have as many rows as
    the other of X and y, and more than the list is long.

    >>> one, target = np.zeros((3, 2)), np.zeros(3)
    >>> X, y = without_lists([one, one], target)
    >>> type(X).__name__, type(without_lists([one, one, one], target)[0]).__name__
    ('tuple', 'list')
    """
    of_X, of_y = _rows_of_members(X), _rows_of_members(y)
    if of_X and of_X > len(X) and of_X in (of_y, _rows(y)):
        X = tuple(X)
    if of_y and of_y > len(y) and of_y == _rows(X):
        y = tuple(y)
    return X, y


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


def check_numeric(parts: Parts, remedy: str, *, stage: str = "") -> None:
    """Raise, with `stage` and `remedy`, unless every part is numeric and finite, or text."""
    for name, part in named_parts(parts):
        label = (f" in part {name!r}" if name else "") + stage
        if isinstance(part, Streamed) or is_text(part):
            continue
        if _is_sparse(part):
            raise InvalidObjectiveError(
                f"holds a sparse matrix{label}, where a network takes dense rows. Make them dense "
                "in `preprocess`, as TruncatedSVD does, or give X.toarray()."
            ).about("X")
        if bad := not_numbers(part):
            held = "; ".join(f"column {column!r} holds {what}" for column, what in bad.items())
            raise InvalidObjectiveError(
                f"values{label} are not finite numbers: {held}. {remedy}"
            ).about("X")
        array = as_array(part)
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


def rows_text(parts: Parts) -> str:
    """Rows and shapes of the parts in words.

    >>> rows_text(np.zeros((569, 30))), rows_text({"image": np.zeros((9, 8, 8)), "age": np.ones(9)})
    ('569 rows x 30', '9 rows (image 8 x 8, age)')
    """
    n = n_rows(parts)
    shapes = {
        name: " x ".join(map(str, getattr(part, "shape", (n,))[1:]))
        for name, part in named_parts(parts)
    }
    if not in_parts(parts):
        return f"{n} rows x {shapes['']}" if shapes[""] else f"{n} rows"
    return f"{n} rows ({', '.join(f'{name} {shape}'.rstrip() for name, shape in shapes.items())})"


def take(parts: Parts, rows: np.ndarray) -> Parts:
    """The given rows of every part."""

    def taken(part: Any) -> Any:
        if isinstance(part, np.ndarray) and part.dtype.kind in NUMBERS and len(rows):
            return gathered(part, rows)
        return part.iloc[rows] if hasattr(part, "iloc") else part[rows]

    return map_parts(taken, parts)


def as_model_input(parts: Parts, floats: str = "float32") -> Parts:
    """Plain arrays: wide floats narrowed to float32 as Keras would in each batch, text as objects.

    The `floats` of a model that takes float64 are that.
    """

    def narrow(part: Any) -> Any:
        if isinstance(part, Streamed):
            return part
        array = part.toarray() if hasattr(part, "toarray") else as_array(part)
        if array.dtype.kind in "UT":
            return array.astype(object)
        wide = array.dtype.kind == "f" and array.dtype.itemsize > 4
        return np.ascontiguousarray(array, floats if wide else None)

    return map_parts(narrow, parts)


def _as_rows(part: Any) -> Any:
    if hasattr(part, "iloc") or hasattr(part, "columns") or isinstance(part, np.ndarray | Streamed):
        rows = _native(part) if isinstance(part, pd.DataFrame) else part
    elif _is_sparse(part):
        return part.tocsr()
    else:
        try:
            rows = np.asarray(part)
        except ValueError as error:  # rows of different lengths
            raise InvalidObjectiveError(
                f"X is not an array: {error}. Give rows of one length, padded where they differ."
            ).about("X") from error
    if 0 in np.shape(rows)[1:]:
        raise InvalidObjectiveError(
            f"of shape {np.shape(rows)}, X has no columns. Give at least one."
        ).about("X")
    if np.ndim(rows) == 0:
        raise InvalidObjectiveError(
            f"of type {type(part).__name__}, X is not an array and has no rows. Give an array, a "
            "data frame, or a dict or tuple of them for a model with several inputs."
        ).about("X", part)
    return rows


def _native(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame in the byte order of this machine: pandas takes no rows of a column in another."""
    swapped = {
        name: kind.newbyteorder("=")
        for name, kind in frame.dtypes.items()
        if isinstance(kind, np.dtype) and not kind.isnative
    }
    return frame.astype(swapped) if swapped else frame


def _is_sparse(part: Any) -> bool:
    return hasattr(part, "tocsr")


def _length(part: Any) -> int:
    return int(part.shape[0]) if hasattr(part, "shape") else len(part)


def _rows_of_members(given: Any) -> int | None:
    """Rows of the arrays in a list of arrays; None for anything else."""
    if not isinstance(given, list) or not all(
        np.ndim(one) and hasattr(one, "shape") for one in given
    ):
        return None
    lengths = {_length(one) for one in given}
    return lengths.pop() if len(lengths) == 1 else None


def _rows(given: Any) -> int | None:
    if in_parts(given):
        return n_rows(given) if given else None
    return _length(given) if hasattr(given, "__len__") else None
