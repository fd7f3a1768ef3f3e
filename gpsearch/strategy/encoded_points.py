"""Points as libraries take them, and what is made of each point of a history once."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

from gpsearch.space import Categorical, Point, Space

Made = TypeVar("Made")


class OncePerPoint(Generic[Made]):
    """What `make` gives for each point, remembered: anew it took longer than a fit."""

    def __init__(self, make: Callable[[list[Point]], Iterable[Made]]) -> None:
        self._make = make
        self._known: dict[Hashable, Made] = {}

    def __call__(self, points: Sequence[Point]) -> list[Made]:
        """What was made of each of the points."""
        names = [(*point, *map(type, point)) for point in points]  # 1 and True are different
        try:
            hash(tuple(names))
        except TypeError:  # a value that no dimension has: what makes it says so
            return list(self._make(list(points)))
        new = {
            name: point
            for name, point in zip(names, points, strict=True)
            if name not in self._known
        }
        if new:
            if len(self._known) > 2 * len(points) + len(new):  # a new history: drop the last
                self._known.clear()
                new = dict(zip(names, points, strict=True))
            self._known.update(zip(new, self._make(list(new.values())), strict=True))
        return [self._known[name] for name in names]


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
