"""Points that were not visited yet, and the end of a space that has no more of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import numpy as np

from gpsearch.errors import SpaceExhaustedError
from gpsearch.space import Point, Space

ENUMERABLE = 100_000  # combinations of a space that is searched whole before it counts as exhausted
DRAWS = 200  # random points tried before the space is enumerated
MORE_DRAWS = 20_000  # random points tried where it cannot be
FRUITLESS = 2**13  # candidates of a sequence in a row that may be infeasible or repeated


def keys(space: Space, points: Sequence[Point]) -> set[Hashable]:
    """Identities of `points`, as ``space.key`` gives them, made all at once."""
    return set(_keys(space, points))


def draw_unseen(space: Space, seen: set[Hashable], rng: np.random.Generator) -> Point:
    """Draw a feasible point that is not in `seen`, by the space's own distribution.

    Points are drawn until one is new. A finite space of up to `ENUMERABLE` combinations is then
    enumerated, so that it is exhausted when, and only when, every feasible point was visited.

    Raises
    ------
    SpaceExhaustedError
        When nothing feasible and unseen is left or, in a space too large to enumerate, is found.
    """
    for _ in range(DRAWS):
        (point,) = space.sample(1, rng)
        if space.key(point) not in seen:
            return point
    everything = space.enumerate(ENUMERABLE)
    if everything is not None:
        rest = [point for point in everything if space.key(point) not in seen]
        if rest:
            return rest[int(rng.integers(len(rest)))]
        raise SpaceExhaustedError(
            f"all {len(everything)} feasible points of the space were visited: the search is "
            "complete. Widen a dimension or the constraint to go on."
        )
    drawn = space.sample(MORE_DRAWS, rng)
    for point, key in zip(drawn, _keys(space, drawn), strict=True):
        if key not in seen:
            return point
    raise SpaceExhaustedError(
        f"{MORE_DRAWS} random feasible points were all visited before; there may be nothing "
        "left to search. Widen a dimension or the constraint to go on."
    )


class DistinctPoints:
    """The feasible, mutually different points of a sequence of candidates, made as needed.

    It ends with the candidates, with the last point of a finite space, or after `FRUITLESS`
    candidates in a row that were infeasible or repeated an earlier one.

    Parameters
    ----------
    space : Space
    blocks : iterator of lists of points
        The candidates; the same ones each time, so that point number n is always the same.
    """

    def __init__(self, space: Space, blocks: Iterator[list[Point]]) -> None:
        self._space, self._blocks = space, blocks
        self._points: dict[Hashable, Point] = {}
        self._order: list[Hashable] = []
        self._fruitless = 0

    def first_unseen(self, seen: set[Hashable], start: int = 0) -> Point | None:
        """The first point from number `start` on that is not in `seen`; None at the end."""
        index = start
        while self._reaches(index):
            key = self._order[index]
            if key not in seen:
                return list(self._points[key])
            index += 1
        return None

    def _reaches(self, index: int) -> bool:
        while len(self._order) <= index:
            block = [] if self._ended else next(self._blocks, [])
            if not block:
                return False
            for point, key in zip(block, _keys(self._space, block), strict=True):
                self._fruitless += 1
                if key not in self._points and self._space.feasible([point])[0]:
                    self._points[key] = point
                    self._order.append(key)
                    self._fruitless = 0
        return True

    @property
    def _ended(self) -> bool:
        return self._fruitless >= FRUITLESS or len(self._order) == self._space.cardinality


def _keys(space: Space, points: Sequence[Point]) -> list[Hashable]:
    return [
        tuple(column.identity(value) for column, value in zip(space.columns, point, strict=True))
        for point in space.canonical(points)
    ]
