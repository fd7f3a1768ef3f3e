"""Folds with their preprocessing done, kept between trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gpsearch.objective.data import Parts, named_parts, take
from gpsearch.objective.folds import Fold
from gpsearch.objective.preprocessing import Preprocessor
from gpsearch.objective.streamed import Streamed

# Prepared folds are kept up to this many bytes in total. Beyond, they are made anew, which takes
# little beside a training on so many rows, and a copy of X for each fold would not fit in memory.
KEPT_BYTES = 2**26


@dataclass(frozen=True, kw_only=True)
class PreparedFold:
    """One fold's features as the model takes them."""

    preprocessor: Preprocessor
    """Fitted on the training part."""
    train: Parts
    """Features of ``fold.train``, in that order."""
    test: Parts
    """Features of ``fold.test``, in that order."""
    X_test: Parts
    """The scored rows as the user gave them, for scorers."""


class PreparedFolds:
    """Prepares folds on demand; params have no part in it, so every trial gets the same.

    Parameters
    ----------
    X : parts
    preprocess : see `Preprocessor`
    """

    def __init__(self, X: Parts, preprocess: Any) -> None:
        self._X = X
        self._preprocess = preprocess
        self._kept: dict[int, PreparedFold] = {}
        self._kept_bytes = 0

    def __getitem__(self, fold: Fold) -> PreparedFold:
        """The prepared fold."""
        if fold.index in self._kept:
            return self._kept[fold.index]
        X_train, X_test = take(self._X, fold.train), take(self._X, fold.test)
        preprocessor = Preprocessor(self._preprocess, X_train)
        prepared = PreparedFold(
            preprocessor=preprocessor,
            train=preprocessor.transform(X_train),
            test=preprocessor.transform(X_test),
            X_test=X_test,
        )
        size = _bytes_of(prepared.train) + _bytes_of(prepared.test) + _bytes_of(X_test)
        if self._kept_bytes + size <= KEPT_BYTES:
            self._kept[fold.index] = prepared
            self._kept_bytes += size
        return prepared


def _bytes_of(parts: Parts) -> int:
    kept = [part for _, part in named_parts(parts) if not isinstance(part, Streamed)]
    return sum(np.asarray(part).nbytes for part in kept)
