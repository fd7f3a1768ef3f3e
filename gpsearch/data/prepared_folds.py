"""Folds with their preprocessing done: kept between trials where they are small."""

from typing import Any

import numpy as np

from gpsearch.data.datasets import Streamed
from gpsearch.data.folds import Fold
from gpsearch.data.preprocessing import Preprocessor, check_features
from gpsearch.data.rows import Parts, n_rows, named_parts, take

# Prepared folds are kept up to this many bytes in total. Beyond, they are made anew, which takes
# little beside a training on so many rows, and a copy of X for each fold would not fit in memory.
KEPT_BYTES = 2**26


class PreparedFold:
    """One fold's features as the model takes them, from all rows `X`."""

    def __init__(self, X: Parts, preprocess: Any, fold: Fold) -> None:
        self._X = X
        self._fold = fold
        self._kept: tuple[Parts, Parts, Parts] | None = None
        self.preprocessor = Preprocessor(preprocess, X, fold.train)
        """Fitted on the training part."""
        self.sample_rows = fold.train[:2]
        """Numbers of two training rows."""
        self.sample = self.features(self.sample_rows)
        """Their features."""

    @property
    def size(self) -> int:
        """Bytes of all its features, and of the scored rows as the user gave them."""
        train, test = len(self._fold.train), len(self._fold.test)
        of_row = _bytes_of(self.sample) / len(self.sample_rows)
        given = _bytes_of(take(self._X, self._fold.test[:1]))
        return int(of_row * (train + test) + given * test)

    def raw(self, rows: np.ndarray) -> Parts:
        """Rows as the user gave them, for scorers."""
        if self._kept is not None and rows is self._fold.test:
            return self._kept[2]
        return take(self._X, rows)

    def features(self, rows: np.ndarray) -> Parts:
        """Features of the rows ``fold.test``, or of any rows of ``fold.train``."""
        fold = self._fold
        if self._kept is not None:
            train, test, _ = self._kept
            if rows is fold.test:
                return test
            return train if rows is fold.train else take(train, np.searchsorted(fold.train, rows))
        everything = np.array_equal(rows, np.arange(n_rows(self._X)))  # then nothing is copied
        features = self.preprocessor.transform(self._X, None if everything else rows)
        if rows is not fold.test:
            check_features(features)
        return features

    def keep(self) -> None:
        """Make all features now, for all later calls."""
        fold = self._fold
        test = self.features(fold.test) if len(fold.test) else None
        self._kept = (self.features(fold.train), test, self.raw(fold.test))


class PreparedFolds:
    """Prepares folds on demand; every trial gets the same."""

    def __init__(self, X: Parts, preprocess: Any) -> None:
        self._X = X
        self._preprocess = preprocess
        self._kept: dict[int, PreparedFold] = {}
        self._kept_bytes = 0

    def __getitem__(self, fold: Fold) -> PreparedFold:
        """The prepared fold."""
        if fold.index in self._kept:
            return self._kept[fold.index]
        prepared = PreparedFold(self._X, self._preprocess, fold)
        if self._kept_bytes + prepared.size <= KEPT_BYTES:
            prepared.keep()
            self._kept[fold.index] = prepared
            self._kept_bytes += prepared.size
        return prepared

    def __getstate__(self) -> dict[str, Any]:
        """Without what was kept: to send it takes longer than to prepare it again."""
        return {**self.__dict__, "_kept": {}, "_kept_bytes": 0}


def _bytes_of(parts: Parts) -> int:
    kept = [part for _, part in named_parts(parts) if not isinstance(part, Streamed)]
    return sum(np.asarray(part).nbytes for part in kept)
