"""Points that were not visited yet, and the error when a space has no more of them.

Reference: Owen, "Scrambling Sobol' and Niederreiter-Xing points", J. Complexity 14 (1998).
"""

from collections.abc import Hashable, Iterator

import numpy as np
from scipy.stats import qmc

from gpsearch.errors import SpaceExhaustedError
from gpsearch.space import Point, Space
from gpsearch.strategy.encoded_points import OncePerPoint
from gpsearch.strategy.strategy import Array, History, Proposal

ENUMERABLE = 100_000  # combinations of a space that is searched whole before it counts as exhausted
DRAWS = 255  # random points tried before such a space is enumerated
MORE_DRAWS = 30_000  # random points tried where it cannot be
BLOCK = 256  # random points drawn at once, after a few smaller blocks
SOBOL_BLOCK = 64  # rows made at once; a power of two keeps the sequence balanced
FRUITLESS = 2**12  # consecutive candidates of a sequence that may be infeasible or repeated


class Visited:
    """The identities of the points of a history."""

    def __init__(self, space: Space) -> None:
        self._keys = OncePerPoint(space.keys)

    def __call__(self, history: History) -> set[Hashable]:
        """Those of the evaluated and the pending points."""
        return set(self._keys(history.visited))


def draw_unseen(space: Space, seen: set[Hashable], rng: np.random.Generator) -> Proposal:
    """Draw a feasible point that is not in `seen`, by the space's own distribution.

    A finite space of up to `ENUMERABLE` combinations is enumerated after some draws, so that it is
    exhausted when, and only when, every feasible point was visited.
    """
    enumerable = space.cardinality is not None and space.cardinality <= ENUMERABLE
    drawn, size, repeated = 0, 1, False
    while drawn < (DRAWS if enumerable else MORE_DRAWS):
        block = space.from_z(space.quantile(rng.random((size, len(space)))))
        for point, key in zip(block, space.keys(block), strict=True):
            if key in seen:
                repeated = True
            elif space.feasible([point])[0]:
                return Proposal(point, "random")
        drawn, size = drawn + size, min(2 * size, BLOCK)
    everything = space.enumerate(ENUMERABLE)
    if everything is None:
        raise SpaceExhaustedError(
            f"of {drawn} random points, those that satisfy the constraint were all visited "
            "before; there may be nothing left to search. Widen a dimension or the constraint."
            if repeated
            else f"none of {drawn} random points satisfies the constraint; it may leave nothing "
            "to search. Widen the constraint, or the bounds."
        )
    rest = [p for p, key in zip(everything, space.keys(everything), strict=True) if key not in seen]
    if rest:
        return Proposal(rest[int(rng.integers(len(rest)))], "random")
    raise SpaceExhaustedError(
        f"all {len(everything)} feasible points of the space were visited: the search is "
        "complete. Widen a dimension or the constraint to go on."
        if everything
        else "no point of the space satisfies the constraint. Widen it, or the bounds."
    )


class DistinctPoints:
    """The feasible, mutually different points of a sequence of candidates, made as needed.

    It ends with the candidates, with the last point of a finite space, or after `FRUITLESS`
    candidates in a row that were infeasible or repeated an earlier one. `blocks` are lists of
    candidates, the same ones each time, so that point number n is always the same.
    """

    def __init__(self, space: Space, blocks: Iterator[list[Point]]) -> None:
        self._space, self._blocks = space, blocks
        self.visited = Visited(space)
        self._points: dict[Hashable, Point] = {}
        self._order: list[Hashable] = []
        self._fruitless = 0

    def propose(self, history: History, rng: np.random.Generator, start: int = 0) -> Proposal:
        """The first unvisited point from number `start` on; at the end, a random one."""
        seen = self.visited(history)
        point = self.first_unseen(seen, start)
        return draw_unseen(self._space, seen, rng) if point is None else Proposal(point, "initial")

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
            if self._fruitless >= FRUITLESS or len(self._order) == self._space.cardinality:
                return False
            if not (block := next(self._blocks, [])):
                return False
            for point, key in zip(block, self._space.keys(block), strict=True):
                self._fruitless += 1
                if key not in self._points and self._space.feasible([point])[0]:
                    self._points[key] = point
                    self._order.append(key)
                    self._fruitless = 0
        return True


def sobol_blocks(n_dims: int, rng: np.random.Generator) -> Iterator[Array]:
    """The (64, n_dims) blocks of a scrambled Sobol sequence, one after the other."""
    sequence = qmc.Sobol(n_dims, scramble=True, rng=rng)
    for _ in range(2**sequence.bits // SOBOL_BLOCK):
        yield sequence.random(SOBOL_BLOCK)
