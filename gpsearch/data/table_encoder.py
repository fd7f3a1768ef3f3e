"""A table with columns of several kinds as numbers, by scikit-learn: ``preprocess="auto"``."""

import math
import sys
import warnings
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from gpsearch.errors import InvalidObjectiveError

MAX_CATEGORIES = 50
"""Columns that one column of text becomes, at most; the rarest values share the last."""
MIN_ROWS = 5  # training rows that a value needs for a column of its own
MISSING = "(missing)"  # the category of a missing value
NUMERIC = ("integer", "floating", "mixed-integer-float", "boolean", "decimal", "empty")
CATEGORIES = ("string", "categorical", "bytes", "mixed-integer")


class TableEncoder(TransformerMixin, BaseEstimator):
    """Imputes and scales the columns of numbers, and one-hot encodes the others.

    Parameters
    ----------
    numbers, categories : sequences of column names, or of positions in an array
        A missing number is the median of its column; columns of numbers have mean 0 and standard
        deviation 1 over the rows of ``fit``, and are 0 everywhere where those rows hold one value
        or none. A missing category is one more category, and 1.0 is the category 1. The rarest
        categories share one column; those that ``fit`` did not see share it, too, or where none
        was rare are 0 in each column.

    >>> frame = pd.DataFrame({"age": [20, None, 40], "city": ["Bonn", None, "Bonn"]})
    >>> encoder = table_encoder(frame)
    >>> encoder
    TableEncoder(categories=['city'], numbers=['age'])
    >>> encoder.fit(pd.concat([frame] * 5)).transform(frame).round(1)
    array([[-1.2,  0. ,  1. ],
           [ 0. ,  1. ,  0. ],
           [ 1.2,  0. ,  1. ]], dtype=float32)
    """

    def __init__(
        self, numbers: Sequence[Hashable] = (), categories: Sequence[Hashable] = ()
    ) -> None:
        self.numbers = numbers
        self.categories = categories

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn medians, means, deviations and categories."""
        impute = SimpleImputer(strategy="median", keep_empty_features=True)
        self.scaler_ = make_pipeline(impute, StandardScaler())
        self.encoder_ = OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            max_categories=MAX_CATEGORIES,
            min_frequency=MIN_ROWS,
            sparse_output=False,
            dtype=np.float32,
        )
        columns = _columns(X)
        self._warned: set[Hashable] = set()
        self.by_name_ = hasattr(X, "columns")
        self.columns_ = [name for name, _ in columns]
        for part, table in self._parts(dict(columns)):
            part.fit(table)
        if self.numbers:
            scaler = self.scaler_[-1]
            constant = scaler.scale_ != np.sqrt(scaler.var_)
            scaler.scale_[constant] = math.inf  # other values of later rows become 0, not huge
        return self

    def transform(self, X: Any) -> np.ndarray:
        """(n, d) float32: the numbers, then a column for each category."""
        parts = self._parts(self._columns_like_fit(X))
        if self.categories:
            self._warn_of_unknown(parts[-1][1])
        return np.hstack([part.transform(table).astype("f4") for part, table in parts])

    def _warn_of_unknown(self, table: np.ndarray) -> None:
        """Warn once of a column none of whose values ``fit`` saw: of another spelling, say."""
        for name, known, column in zip(
            self.categories, self.encoder_.categories_, table.T, strict=True
        ):
            trained, given = set(known) - {MISSING}, set(column) - {MISSING}
            if trained and given and not trained & given and name not in self._warned:
                self._warned.add(name)
                warnings.warn(
                    f"preprocess='auto': the training rows hold no value that column {name!r} "
                    f"holds here; they hold such as {min(trained)!r}.",
                    stacklevel=_of_caller(),
                )

    def _columns_like_fit(self, X: Any) -> dict[Hashable, Any]:
        """Columns by their names in ``fit``: by position where one of the two had none."""
        given = _columns(X)
        if self.by_name_ and hasattr(X, "columns"):
            count = Counter(name for name, _ in given)
            for name in self.columns_:
                if count[name] != 1:
                    problem = "has twice" if count[name] else "lacks"
                    raise InvalidObjectiveError(
                        f"{problem} the column {name!r} of the training rows."
                    ).about("X")
            return dict(given)
        if len(given) != len(self.columns_):
            raise InvalidObjectiveError(
                f"has {len(given)} columns, and the training rows had {len(self.columns_)}. "
                "Without names columns go by position: give those of the training rows, in their "
                "order."
            ).about("X")
        return dict(zip(self.columns_, (column for _, column in given), strict=True))

    def _parts(self, columns: dict[Hashable, Any]) -> list[tuple[Any, np.ndarray]]:
        return [
            (part, np.column_stack([read(name, columns[name]) for name in names]))
            for part, names, read in (
                (self.scaler_, self.numbers, _as_finite),
                (self.encoder_, self.categories, _as_categories),
            )
            if len(names)
        ]


def is_table(part: Any) -> bool:
    """Whether a part of X has columns that may be of several kinds."""
    return hasattr(part, "columns") or (
        isinstance(part, np.ndarray) and part.ndim == 2 and part.dtype.kind in "fOUT"
    )


def table_encoder(part: Any) -> TableEncoder:
    """The encoder for the columns of a table, not yet fitted."""
    columns = _columns(part)
    kinds = [(name, _kind(column)) for name, column in columns]
    if twice := [name for name, count in Counter(name for name, _ in kinds).items() if count > 1]:
        raise InvalidObjectiveError(
            f"two columns are named {twice[0]!r}. Rename one, or drop it."
        ).about("X")
    for name, kind in kinds:
        if kind not in (*NUMERIC, *CATEGORIES):
            raise InvalidObjectiveError(
                f"column {name!r} holds values of the kind {kind}, neither numbers nor categories. "
                f"Drop it, or give numbers that say what matters of it{_EXAMPLES.get(kind, '')}."
            ).about("X")
    numbers = [name for name, kind in kinds if kind in NUMERIC]
    for name in numbers:
        _as_finite(name, dict(columns)[name])
    return TableEncoder(numbers, [name for name, kind in kinds if kind in CATEGORIES])


_EXAMPLES = {
    "datetime64": ", such as .dt.year and .dt.dayofweek",
    "datetime": ", such as .dt.year and .dt.dayofweek of pandas.to_datetime",
    "timedelta64": ", such as .dt.total_seconds()",
    "mixed": "; .astype(str) makes texts of them",
}


def warn_of_texts(part: Any, encoder: TableEncoder) -> None:
    """Warn of columns whose values are nearly all rare: their categories say next to nothing."""
    columns = dict(_columns(part))
    for name in encoder.categories:
        counts = pd.Series(columns[name]).value_counts()
        if len(counts) > 2 and counts[counts >= MIN_ROWS].sum() < counts.sum() / 10:
            warnings.warn(
                f"preprocess='auto': column {name!r} holds {len(counts)} different values in "
                f"{counts.sum()} rows, and all that stand in fewer than {MIN_ROWS} training rows "
                "count as one. Drop it, or give numbers made of it.",
                stacklevel=_of_caller(),
            )


def _of_caller() -> int:
    """The level for `warnings.warn` at which a line stands that the user wrote."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(("gpsearch", "sklearn")):
        level, frame = level + 1, frame.f_back
    return level


def not_numbers(frame: Any) -> dict[Hashable, str]:
    """Columns of a data frame that a network cannot take, each with what it holds, in words."""
    found: dict[Hashable, str] = {}
    for name, column in _columns(frame) if hasattr(frame, "columns") else []:
        kind = _kind(column)
        if kind not in NUMERIC:
            found[name] = _examples(column, kind) if kind in CATEGORIES else kind
        elif n_bad := int((~np.isfinite(_as_numbers(name, column))).sum()):
            found[name] = f"{n_bad} NaN, missing or infinite"
    return found


def _examples(column: Any, kind: str) -> str:
    known = pd.Series(column).dropna().tolist()
    what = "categories" if kind == "categorical" else "texts"
    return f"{what} such as {known[0]!r}" if known else "missing values alone"


def as_array(part: Any) -> np.ndarray:
    """An array of a part of X: of numbers where all that it holds are numbers.

    NumPy makes objects of them where a data frame has no common type of its columns, as of booleans
    beside numbers, where missing values have a type of their own, and of decimal numbers.

    >>> as_array(pd.DataFrame({"age": [20.5, 30.0], "member": [True, False]})).dtype
    dtype('float64')
    """
    if not isinstance(part, pd.DataFrame) or _has_one_plain_type(part):
        array = np.asarray(part)
        if array.dtype != object or not array.size:
            return array
        if array.ndim != 2:
            is_number = infer_dtype(array.ravel(), skipna=True) in NUMERIC
            return _as_numbers("X", array.ravel()).reshape(array.shape) if is_number else array
    columns = _columns(part)
    if any(_kind(column) not in NUMERIC for _, column in columns):
        return np.asarray(part)
    arrays = ((name, np.asarray(column)) for name, column in columns)
    return np.column_stack(
        [_as_numbers(name, one) if one.dtype == object else one for name, one in arrays]
    )


def _has_one_plain_type(frame: pd.DataFrame) -> bool:
    types = set(frame.dtypes)
    return len(types) < 2 and all(isinstance(one, np.dtype) and one.kind != "O" for one in types)


def _columns(table: Any) -> list[tuple[Hashable, Any]]:
    """The columns of a table by their names, or of an array by their positions."""
    columns: list[tuple[Hashable, Any]]
    if isinstance(table, pd.DataFrame):  # two columns may have one name
        columns = [(name, table.iloc[:, place]) for place, name in enumerate(table.columns)]
    elif hasattr(table, "to_numpy") and hasattr(table, "columns"):  # polars
        columns = [(name, table[name].to_numpy()) for name in table.columns]
    elif np.ndim(table) == 2 and not hasattr(table, "columns"):
        columns = list(enumerate(np.asarray(table).T))
    else:
        raise InvalidObjectiveError(
            f"of type {type(table).__name__}, X is not a table of rows and columns. Give a data "
            "frame of pandas or polars, as X.to_pandas() or X.collect() may make one, or an array "
            "with two axes; of one row X.to_frame().T."
        ).about("X")
    if not columns or not len(columns[0][1]):
        raise InvalidObjectiveError(
            f"the table has no {'rows' if columns else 'columns'}. Give at least one."
        ).about("X")
    return columns


def _kind(column: Any) -> str:
    """What the values of a column are, in a word of pandas'."""
    kind = infer_dtype(column, skipna=True)
    if kind == "unknown-array":  # a type of pyarrow's, such as its dictionary of categories
        kind = infer_dtype(np.asarray(column, object), skipna=True)
    return kind


def _as_finite(name: Hashable, column: Any) -> np.ndarray:
    numbers = _as_numbers(name, column)
    if np.isinf(numbers).any():
        raise InvalidObjectiveError(
            f"column {name!r} holds infinite numbers. Give NaN for what is missing, or drop those "
            "rows."
        ).about("X")
    return numbers


def _as_numbers(name: Hashable, column: Any) -> np.ndarray:
    try:
        return pd.Series(column).to_numpy(float, na_value=math.nan)
    except (TypeError, ValueError):
        raise InvalidObjectiveError(
            f"column {name!r} held numbers or nothing in the training rows, and cannot be read as "
            "numbers here."
        ).about("X") from None


def _as_categories(name: Hashable, column: Any) -> np.ndarray:
    series = pd.Series(column).astype(object)
    return series.map(_as_text).where(series.notna(), MISSING).to_numpy(object)


def _as_text(value: Any) -> str:
    """A category as text: a whole number without its point, as a gap makes floats of integers."""
    whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if whole else str(value)
