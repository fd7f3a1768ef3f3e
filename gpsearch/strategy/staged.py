"""Staged search: the important dimensions first, the rest at their defaults.

=========== ================================================================ =======
symbol      meaning                                                          shape
=========== ================================================================ =======
K           stages: one for each tier of importance                          scalar
d_k         dimensions that stage k searches: those of the first k tiers     scalar
=========== ================================================================ =======

This is how people tune by hand: first the learning rate, then with what matters next, at last
with everything. A stage is a search by a Gaussian process of its own dimensions alone, with what
the earlier stages learnt; the others stand where the best point so far has them. Before there is
one they stand at the value that the space expects of them, or else in the middle of their range,
at the first category. So ``x0``, or ``Space(expected=...)``, sets the defaults. A dimension that
exists only for some values of others waits for these. The budget is shared among the stages in
proportion to d_k, and a stage whose dimensions are all tried ends early.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpsearch.errors import SpaceExhaustedError
from gpsearch.space import Point, Space
from gpsearch.strategy.gp import SAME_PLACE, GPOptions, GPStrategy
from gpsearch.strategy.importance import CLASSIC, ImportanceOrder, importance_tiers
from gpsearch.strategy.strategy import History


class StagedStrategy:
    """The important dimensions first; see `gpsearch.strategy.staged`.

    Parameters
    ----------
    space : Space
    seed : int
        As for `GPStrategy`.
    n_calls : int, default 100
        The budget that the stages share.
    n_initial_points : int, optional
        Quasi-random points of the first stage, before the first fit.
    importance : "classic" or sequence, default "classic"
        The order of the dimensions; see `importance_tiers`.
    options : GPOptions, optional
        Of the search in each stage.

    Examples
    --------
    >>> space = Space({"learning_rate": (0.0, 1.0), "drop_rate": (0.0, 0.5)})
    >>> strategy = StagedStrategy(space, seed=0, n_calls=30)
    >>> [strategy.propose(History(), number)[1] for number in range(3)]
    [0.25, 0.25, 0.25]
    """

    name = "staged"

    def __init__(
        self,
        space: Space,
        *,
        seed: int,
        n_calls: int = 100,
        n_initial_points: int | None = None,
        importance: ImportanceOrder = CLASSIC,
        options: GPOptions | None = None,
    ) -> None:
        self._space, self._seed = space, seed
        self._n_initial_points, self._options = n_initial_points, options
        self._tiers = _after_parents(space, importance_tiers(importance, space.names))
        sizes = np.array([(self._tiers <= k).sum() for k in range(self._tiers.max() + 1)])
        self._ends = np.round(np.cumsum(sizes) / sizes.sum() * n_calls)[:-1]
        self._made: tuple[Hashable, _Stage] | None = None

    def propose(self, history: History, number: int) -> Point:
        """Give the point of trial `number`; see `Strategy.propose`."""
        last = len(self._ends)
        for stage in range(int(np.searchsorted(self._ends, number, side="right")), last):
            try:
                return self._stage(stage, history).propose(history, number)
            except SpaceExhaustedError:
                continue
        return self._stage(last, history).propose(history, number)

    def _stage(self, stage: int, history: History) -> _Stage:
        free = self._tiers <= stage
        defaults = self._defaults(history)
        key = (stage, None if free.all() else self._space.key(defaults))
        if self._made is None or self._made[0] != key:
            made = _Stage(
                self._space,
                free,
                defaults,
                seed=self._seed,
                # a later stage starts from what the earlier ones know
                n_initial_points=self._n_initial_points if stage == 0 else 0,
                options=self._options,
            )
            self._made = (key, made)
        return self._made[1]

    def _defaults(self, history: History) -> Point:
        if history.failed.all():
            return self._space.from_z(self._space.expected.place[None])[0]
        return list(history.points[int(np.nanargmin(history.losses))])


class _Stage:
    """A search of the `free` dimensions alone, beside a point that gives the others."""

    def __init__(
        self,
        space: Space,
        free: NDArray[np.bool_],
        defaults: Point,
        *,
        seed: int,
        n_initial_points: int | None,
        options: GPOptions | None,
    ) -> None:
        self._space, self._free, self._defaults = space, free, defaults
        self._at = space.to_z([defaults])[:, ~free]
        part = space if free.all() else self._part()
        self._gp = GPStrategy(part, seed=seed, n_initial_points=n_initial_points, options=options)

    def propose(self, history: History, number: int) -> Point:
        there = self._there(history.points)
        known = History(
            points=self._parts(history.points),
            losses=history.losses[there],
            variances=history.variances[there],
            seconds=history.seconds[there],
            pending=self._parts(history.pending),
        )
        return self._whole(self._gp.propose(known, number))

    def _part(self) -> Space:
        free = [j for j, on in enumerate(self._free) if on]
        names = [self._space.names[j] for j in free]

        def allowed(params: dict[str, Any]) -> bool:
            part = [params.get(self._space.names[j], self._defaults[j]) for j in free]
            return bool(self._space.feasible([self._whole(part)])[0])

        return Space(
            [self._space.dimensions[j] for j in free],
            conditions={n: when for n, when in self._space.when.items() if n in names},
            expected={n: list(of) for n, of in self._space.expected_values.items() if n in names},
            constraint=None if self._space.params_constraint is None else allowed,
        )

    def _there(self, points: Sequence[Point]) -> NDArray[np.bool_]:
        """Which points have the defaults in all that is not searched."""
        if not points:
            return np.empty(0, dtype=bool)
        away = np.abs(self._space.to_z(points)[:, ~self._free] - self._at)
        return np.asarray((away < SAME_PLACE).all(axis=1))

    def _parts(self, points: Sequence[Point]) -> list[Point]:
        return [
            [value for value, on in zip(point, self._free, strict=True) if on]
            for point, there in zip(points, self._there(points), strict=True)
            if there
        ]

    def _whole(self, part: Sequence[Any]) -> Point:
        values = iter(part)
        point = [
            next(values) if on else default
            for default, on in zip(self._defaults, self._free, strict=True)
        ]
        return self._space.canonical([point])[0]


def _after_parents(space: Space, tiers: NDArray[np.intp]) -> NDArray[np.intp]:
    """The tiers, where no dimension stands before one that it depends on."""
    tiers = tiers.copy()
    place = {name: j for j, name in enumerate(space.names)}
    for _ in space.when:  # a chain of conditions is at most so long
        for name, parents in space.when.items():
            tiers[place[name]] = max(tiers[place[n]] for n in (name, *parents))
    return np.unique(tiers, return_inverse=True)[1]
