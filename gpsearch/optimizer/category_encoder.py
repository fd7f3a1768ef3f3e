"""One-hot rows of categories, in the place of those of scikit-optimize's spaces."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from skopt.space.transformers import Transformer

from gpsearch.strategy.strategy import Array


class CategoryEncoder(Transformer):
    """Categories of any kind as rows of zeros and a one, in the order in which they are listed.

    Scikit-optimize's own takes 1 and True for one category. Its plots pass categories through a
    NumPy array, from which a tuple returns as a list, and 1 beside "a" as "1": these are known.

    Examples
    --------
    >>> encoder = CategoryEncoder([1, True, "a"])
    >>> encoder.transform([True, "a", np.str_("1")])
    array([[0., 1., 0.],
           [0., 0., 1.],
           [1., 0., 0.]])
    >>> encoder.inverse_transform([[0.0, 1.0, 0.0]])
    array([True], dtype=object)
    """

    def __init__(self, categories: Sequence[Any]) -> None:
        self._categories = list(categories)
        known = [(type(c), c) for c in self._categories]
        self._known = {c: i for i, c in reversed(list(enumerate(known)))}
        try:
            in_array = np.array(self._categories).tolist()
        except ValueError:  # tuples of several lengths
            in_array = self._categories
        alike = [*map(_hashable, in_array), *self._categories]
        self._alike = {c: i % len(known) for i, c in reversed(list(enumerate(alike)))}

    def transform(self, X: Sequence[Any]) -> Array:
        """The (n, width) rows; as with scikit-optimize two categories are one column."""
        indices = self.indices(X)
        if len(self._categories) < 3:
            return np.array(indices, dtype=float)[:, None]
        rows = np.zeros((len(indices), len(self._categories)))
        rows[np.arange(len(indices)), indices] = 1.0
        return rows

    def inverse_transform(self, Xt: Any) -> np.ndarray:
        """The (n,) categories of rows, the objects themselves."""
        return _objects([self._categories[i] for i in self.nearest(np.asarray(Xt, dtype=float))])

    def nearest(self, rows: Array) -> np.ndarray:
        """The (n,) indices of the categories of rows."""
        if len(self._categories) < 3:
            return np.clip(np.round(rows.reshape(-1)), 0, len(self._categories) - 1).astype(int)
        return rows.argmax(axis=1)

    def indices(self, values: Sequence[Any]) -> list[int]:
        """Index of the category that each value is."""
        hashable = map(_hashable, values)
        return [
            self._known[type(v), v] if (type(v), v) in self._known else self._alike[v]
            for v in hashable
        ]


def _hashable(value: Any) -> Hashable:
    return tuple(map(_hashable, value)) if isinstance(value, list | np.ndarray) else value


def _objects(values: Sequence[Any]) -> np.ndarray:
    """An array of the values; NumPy would make a matrix of tuples."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
