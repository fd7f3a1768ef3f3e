"""Preprocessing that is fitted on the training part of each fold, never on scored rows."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from gpsearch.data.blocks import blocks, gathered
from gpsearch.data.datasets import Streamed
from gpsearch.data.rows import (
    NUMBERS,
    Parts,
    as_model_input,
    check_numeric,
    in_parts,
    map_parts,
    n_rows,
    named_parts,
    take,
)
from gpsearch.data.table_encoder import as_array, is_table, table_encoder, warn_of_texts
from gpsearch.errors import GPSearchError, InvalidObjectiveError

NAMES = ("auto", "standardize")
REMEDY = (
    'Give preprocess="auto", which imputes, encodes and scales inside each fold, or a '
    "scikit-learn transformer; or drop them."
)


class Preprocessor:
    """A transformer for X, or one for each of its parts, fitted once on the rows of X given.

    Where X is None it is of any form, and there is nothing to fit.

    "standardize" is scikit-learn's `StandardScaler`, for float parts with two axes alone; "auto" a
    `TableEncoder`, for data frames and for arrays of floats or objects with two axes.
    """

    def __init__(
        self,
        preprocess: Any,
        X: Parts,
        rows: np.ndarray | None = None,
        *,
        floats: str = "float32",
    ) -> None:
        self._floats = floats
        self._any_form, self._several = X is None, in_parts(X)
        self._columns = {name: _column_names(part) for name, part in named_parts(X)}
        wanted = preprocess if isinstance(preprocess, Mapping) else None
        self.transformers: dict[str, Any] = {}
        for name, part in named_parts(X):
            transformer = wanted.get(name) if wanted is not None else preprocess
            if isinstance(transformer, str):
                transformer = _named(transformer, part)
            if transformer is not None:
                self.transformers[name] = _fitted(transformer, part, rows)

    def transform(self, X: Parts, rows: np.ndarray | None = None) -> Parts:
        """Features of rows of X, by default of all, as the model takes them."""
        X = self._like_fit(X)
        done = iter([self._transform_part(name, part, rows) for name, part in named_parts(X)])
        return map_parts(lambda part: next(done), X)

    def _like_fit(self, X: Parts) -> Parts:
        """X, a list of parts as a tuple; raises unless its parts and columns are those of fit."""
        if self._several and isinstance(X, list):
            X = tuple(X)
        given = dict(named_parts(X))
        if self._any_form:
            return X
        if given.keys() != self._columns.keys():
            raise InvalidObjectiveError(
                f"has the parts {[*given]}, and the training rows had {[*self._columns]}. Give "
                "X in the form of the training rows."
            ).about("X")
        for name, part in given.items():
            columns, known = _column_names(part), self._columns[name]
            if name not in self.transformers and columns and known and columns != known:
                raise InvalidObjectiveError(
                    f"has the columns {columns}, and the training rows had {known}. Give those of "
                    "the training rows, in their order."
                ).about("X")
        return X

    def _transform_part(self, name: str, part: Any, rows: np.ndarray | None) -> Any:
        transformer = self.transformers.get(name)
        if rows is None and transformer is None:
            return as_model_input(part, self._floats)
        if _by_blocks(transformer, part) and (rows is None or len(rows)):
            change = np.asarray if transformer is None else transformer.transform
            rows = np.arange(len(part)) if rows is None else rows  # which copies the blocks
            return gathered(part, rows, lambda block: as_model_input(change(block)))
        # Copied, too: a transformer may change what it is given.
        chosen = copy.deepcopy(part) if rows is None else take(part, rows)
        return as_model_input(chosen if transformer is None else _transformed(transformer, chosen))


def check_features(features: Parts) -> None:
    """Raise unless preprocessed features are numeric and finite."""
    check_numeric(
        features,
        "A network needs finite numbers: impute, encode or drop them in `preprocess`.",
        stage=" after preprocessing",
    )


def check_preprocess(preprocess: Any, X: Parts) -> None:
    """Raise where no fold can be preprocessed, or raw X is not numeric and nothing makes it so."""
    given = list(preprocess.values()) if isinstance(preprocess, Mapping) else [preprocess]
    if isinstance(X, Streamed) and preprocess is not None:
        raise InvalidObjectiveError(
            "a dataset is never in memory as a whole, as fitting a transformer needs. Put the "
            "preprocessing into the model, or into the dataset where it learns nothing from the "
            "rows."
        ).about("preprocess", preprocess)
    if isinstance(preprocess, Mapping):
        unknown = sorted(set(preprocess) - {name for name, _ in named_parts(X)})
        if unknown:
            raise InvalidObjectiveError(
                f"{unknown} are not parts of X; its parts are "
                f"{[name for name, _ in named_parts(X)]}."
            ).about("preprocess")
    for one in given:
        if isinstance(one, str) and one not in NAMES:
            raise InvalidObjectiveError(
                f"the names are {' and '.join(map(repr, NAMES))}. Give one, None, or any "
                "scikit-learn transformer."
            ).about("preprocess", one)
        if isinstance(one, type):
            raise InvalidObjectiveError(f"is a class. Give a transformer: {one.__name__}().").about(
                "preprocess", one
            )
        fits = hasattr(one, "fit") and hasattr(one, "transform")
        if not (one is None or isinstance(one, str) or fits):
            raise InvalidObjectiveError(
                "needs `fit` and `transform`, as scikit-learn's transformers have."
            ).about("preprocess", one)
    for name, part in named_parts(X):
        one = preprocess.get(name) if isinstance(preprocess, Mapping) else preprocess
        if one == "auto" and is_table(part):
            warn_of_texts(part, table_encoder(part))
        elif one is None or isinstance(one, str):
            check_numeric({name: part} if name else part, REMEDY)


def _named(name: str, part: Any) -> Any:
    """The transformer of a name for a part of X; None where it stays as it is."""
    if name == "auto" and is_table(part):
        return table_encoder(part)
    array = as_array(part)
    return StandardScaler() if array.ndim == 2 and array.dtype.kind == "f" else None


def _column_names(part: Any) -> list[str]:
    """Names of columns, where all are texts, as scikit-learn compares them."""
    names = [*getattr(part, "columns", ())]
    return names if all(isinstance(name, str) for name in names) else []


def _by_blocks(transformer: Any, part: Any) -> bool:
    """Whether rows of an array are prepared one block after the other, each row for itself."""
    of_rows = transformer is None or type(transformer) is StandardScaler
    return of_rows and isinstance(part, np.ndarray) and part.dtype.kind in NUMBERS


def _fitted(transformer: Any, part: Any, rows: np.ndarray | None) -> Any:
    fitted = clone(transformer, safe=False)  # one that is not scikit-learn's is copied
    try:
        if _by_blocks(fitted, part):
            for block in blocks(part, rows):
                fitted.partial_fit(block)
        else:
            fitted.fit(part if rows is None else take(part, rows))
        return fitted  # not every `fit` returns its transformer
    except Exception as error:  # the user's class
        raise InvalidObjectiveError(
            f"cannot be fitted on a training fold: {type(error).__name__}: {error}"
        ).about("preprocess", transformer) from error


def _transformed(transformer: Any, part: Any) -> Any:
    """The rows of a part of X as `transformer` gives them, one for each."""
    try:
        features, n = transformer.transform(part), n_rows(part)
    except GPSearchError:
        raise
    except Exception as error:  # the user's class
        raise InvalidObjectiveError(f"cannot transform X: {type(error).__name__}: {error}").about(
            "preprocess", transformer
        ) from error
    if (given := n_rows(features) if np.ndim(features) else 0) != n:
        raise InvalidObjectiveError(
            f"makes {given} rows of {n}, which would come apart from their labels. Drop or add "
            "rows in X and y instead, and give a transformer that changes columns alone."
        ).about("preprocess", transformer)
    return features
