"""A table with columns of several kinds as numbers, by scikit-learn: ``preprocess="auto"``."""

from __future__ import annotations

import math
import warnings
from collections.abc import Hashable, Sequence
from typing import Any, Self, cast

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
MIN_ROWS = 5
"""Training rows that a value needs for a column of its own."""
MISSING = "(missing)"
"""The category of a missing value."""

NUMERIC = ("integer", "floating", "mixed-integer-float", "boolean", "decimal", "empty")
CATEGORIES = ("string", "categorical", "bytes", "mixed-integer")


class TableEncoder(TransformerMixin, BaseEstimator):
    """Imputes and scales the columns of numbers, and one-hot encodes the others.

    Parameters
    ----------
    numbers, categories : sequences of column names, or of positions in an array
        A missing number is the median of its column; columns of numbers have mean 0 and standard
        deviation 1 over the rows of ``fit``. A missing category is one more category. The rarest,
        and those that ``fit`` did not see, share one column.

    Examples
    --------
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
        for part, table in self._parts(X):
            part.fit(table)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """(n, d) float32: the numbers, then a column for each category."""
        return np.hstack([part.transform(table).astype("f4") for part, table in self._parts(X)])

    def _parts(self, X: Any) -> list[tuple[Any, np.ndarray]]:
        parts = []
        for part, names, read in (
            (self.scaler_, self.numbers, _as_numbers),
            (self.encoder_, self.categories, _as_categories),
        ):
            if len(names):
                columns = [read(name, _column(X, name)) for name in names]
                parts.append((part, np.column_stack(columns)))
        return parts


def is_table(part: Any) -> bool:
    """Whether a part of X has columns that may be of several kinds."""
    return hasattr(part, "columns") or (
        isinstance(part, np.ndarray) and part.ndim == 2 and part.dtype.kind in "fOUT"
    )


def table_encoder(part: Any) -> TableEncoder:
    """The encoder for the columns of a table, not yet fitted.

    Raises
    ------
    InvalidObjectiveError
        A column holds neither numbers nor categories, or an infinite number.
    """
    kinds = [(name, infer_dtype(column, skipna=True)) for name, column in _columns(part)]
    names = [name for name, _ in kinds]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InvalidObjectiveError(
            f"two columns are named {twice!r}. Rename one, or drop it."
        ).about("X")
    for name, kind in kinds:
        if kind not in (*NUMERIC, *CATEGORIES):
            raise InvalidObjectiveError(
                f"column {name!r} holds values of the kind {kind}, neither numbers nor categories. "
                f"Drop it, or give numbers that say what matters of it{_EXAMPLES.get(kind, '')}."
            ).about("X")
    numbers = [name for name, kind in kinds if kind in NUMERIC]
    for name in numbers:
        if np.isinf(_as_numbers(name, _column(part, name))).any():
            raise InvalidObjectiveError(
                f"column {name!r} holds infinite numbers. Give NaN for what is missing, or drop "
                "those rows."
            ).about("X")
    return TableEncoder(numbers, [name for name, kind in kinds if kind in CATEGORIES])


_EXAMPLES = {
    "datetime64": ", such as .dt.year and .dt.dayofweek",
    "datetime": ", such as .dt.year and .dt.dayofweek of pandas.to_datetime",
    "timedelta64": ", such as .dt.total_seconds()",
    "mixed": "; .astype(str) makes texts of them",
}


def warn_of_texts(part: Any, encoder: TableEncoder) -> None:
    """Warn of columns whose values are nearly all rare: their categories say next to nothing."""
    for name in encoder.categories:
        counts = pd.Series(_column(part, name)).value_counts()
        if len(counts) > 2 and counts[counts >= MIN_ROWS].sum() < counts.sum() / 10:
            warnings.warn(
                f"preprocess='auto': column {name!r} holds {len(counts)} different values in "
                f"{counts.sum()} rows, and all that stand in fewer than {MIN_ROWS} training rows "
                "count as one. Drop it, or give numbers made of it.",
                stacklevel=4,
            )


def not_numbers(frame: Any) -> dict[Hashable, str]:
    """Columns of a data frame that a network cannot take, each with what it holds, in words."""
    found: dict[Hashable, str] = {}
    for name, column in _columns(frame) if hasattr(frame, "columns") else []:
        kind = infer_dtype(column, skipna=True)
        if kind not in NUMERIC:
            known = pd.Series(column).dropna()
            found[name] = f"texts such as {known.iloc[0]!r}" if kind in CATEGORIES else kind
        elif n_bad := int((~np.isfinite(_as_numbers(name, column))).sum()):
            found[name] = f"{n_bad} NaN or infinite"
    return found


def _columns(table: Any) -> list[tuple[Hashable, Any]]:
    """The columns of a table by their names, or of an array by their positions."""
    if isinstance(table, pd.DataFrame):  # two columns may have one name
        return [(name, table.iloc[:, place]) for place, name in enumerate(table.columns)]
    names = table.columns if hasattr(table, "columns") else range(table.shape[1])
    return [(name, _column(table, name)) for name in names]


def _column(X: Any, name: Hashable) -> Any:
    """One column, of pandas, or of another library or an array as an array."""
    if not hasattr(X, "columns"):
        return np.asarray(X)[:, cast(int, name)]
    if name not in X.columns:
        raise InvalidObjectiveError(f"lacks the column {name!r} of the training rows.").about("X")
    return X[name] if isinstance(X, pd.DataFrame) else X[name].to_numpy()


def _as_numbers(name: Hashable, column: Any) -> np.ndarray:
    try:
        return pd.Series(column).to_numpy(float, na_value=math.nan)
    except (TypeError, ValueError):
        raise InvalidObjectiveError(
            f"column {name!r} held numbers in the training rows, and here holds others: it cannot "
            "be read as numbers."
        ).about("X") from None


def _as_categories(name: Hashable, column: Any) -> np.ndarray:
    series = pd.Series(column).astype(object)
    return series.map(str).where(series.notna(), MISSING).to_numpy(object)
