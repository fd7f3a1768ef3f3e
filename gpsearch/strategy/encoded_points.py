"""Points of a history in the unit cube, encoded once each."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from gpsearch.space import Categorical, Point, Space
from gpsearch.strategy.strategy import Array


class EncodedPoints:
    """The z of points, remembered from one proposal to the next.

    A history grows by one point at a time; converting all of it for each proposal took longer than
    fitting the process.

    >>> encoded = EncodedPoints(Space({"n": (1, 5), "c": ["a", "b"]}))
    >>> encoded.encode([[2, "b"], [5, "a"]])
    array([[0.25, 1.  ],
           [1.  , 0.  ]])
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._known: dict[Hashable, Array] = {}

    def encode(self, points: Sequence[Point]) -> Array:
        """(n, d) rows of z of n points."""
        names = [(*point, *map(type, point)) for point in points]  # 1 and True are different
        new = {
            name: point
            for name, point in zip(names, points, strict=True)
            if name not in self._known
        }
        if new:
            if len(self._known) > 2 * len(points) + len(new):  # a new history: drop the last
                self._known.clear()
                new = dict(zip(names, points, strict=True))
            z = self._space.to_z(list(new.values()))
            self._known.update(zip(new, z, strict=True))
        if not points:
            return np.empty((0, len(self._space)))
        return np.array([self._known[name] for name in names])


def with_indices(space: Space, point: Point) -> Point:
    """The point with the index of each category in its place, for libraries that want numbers.

    >>> with_indices(Space({"n": (1, 5), "c": ["a", "b"]}), [2, "b"])
    [2, 1]
    """
    return [
        column.identity(value) if isinstance(dimension, Categorical) else value
        for dimension, column, value in zip(space.dimensions, space.columns, point, strict=True)
    ]


def without_indices(space: Space, encoded: Point) -> Point:
    """The point that `with_indices` encoded, canonical.

    >>> without_indices(Space({"n": (1, 5), "c": ["a", "b"]}), [2, 1])
    [2, 'b']
    """
    values = [
        column.categories[value] if isinstance(dimension, Categorical) else value
        for dimension, column, value in zip(space.dimensions, space.columns, encoded, strict=True)
    ]
    return space.canonical([values])[0]
