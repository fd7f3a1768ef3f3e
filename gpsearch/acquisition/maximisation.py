"""Where an acquisition is greatest, in a space of numbers and categories.

=========== ================================================================ =======
symbol      meaning                                                          shape
=========== ================================================================ =======
Z           candidates in the unit cube, snapped to values of the space      (m, d)
S           the s candidates from which the search climbs                    (s, d)
smooth      dimensions climbed by gradient: Real, and Integer of many values (d,)
listed      the others, whose values are tried one by one                    (d,)
=========== ================================================================ =======

Random points and small moves around the best observed ones are valued at once. The best of both
climb together: L-BFGS on the smooth dimensions alternates with the best change of one listed
dimension, as in Optuna's GP sampler. One call of the surrogate serves all starts, so that a
proposal costs milliseconds.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from gpsearch.acquisition.improvement import Acquisition, Array
from gpsearch.space import Space

MANY_VALUES = 40  # an Integer with more values is climbed by gradient and then snapped
SHORTER = 0.7 ** np.arange(12)  # fractions of a step, tried where a constraint may refuse it whole
MOVED = 1.5  # coordinates that a small move changes on average, besides the one it always changes
LEAST_GAIN = 1e-9  # of a log acquisition; less is rounding
ROUNDS = 2  # alternations of gradient and single changes
ITERATIONS = 8  # of L-BFGS, in each round
SWEEPS = 4  # single changes in a row, in each round


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How many candidates a maximisation takes."""

    random: int = 400
    """Candidates drawn from the space's own distribution."""
    moves: int = 400
    """Candidates that are small moves from the best observed points."""
    starts: int = 4
    """Candidates that climb."""


def maximise(
    acquisition: Acquisition,
    space: Space,
    *,
    around: Array,
    rng: np.random.Generator,
    effort: Effort | None = None,
    everything: Array | None = None,
) -> Iterator[Array]:
    """Feasible points of the space, in falling order of the acquisition.

    Parameters
    ----------
    acquisition : Acquisition
    space : Space
        Its conditions and its constraint are respected.
    around : (k, d) float array
        Good observed points; small moves start there.
    rng : numpy Generator
    effort : Effort, optional
    everything : (m, d) float array, optional
        All feasible points of a small space: these are valued, and there is no search.

    Yields
    ------
    (d,) float array
        The valued points, best first. Each is tested for the constraint only when its turn comes:
        a constraint is the user's function, and may be slow.
    """
    effort = effort or Effort()
    climb = _Climb(acquisition, space)
    if everything is not None:
        climb.value(everything)
        return climb.ranking()
    drawn = space.quantile(_by_name(space, rng.random((effort.random, len(space)))))
    moves = small_moves(space, around, effort.moves, rng)
    half = effort.starts // 2
    starts = [*climb.best(drawn, half), *climb.best(moves, effort.starts - half)]
    if starts:
        climb.ascend(np.array(starts))
    return climb.ranking()


class _Climb:
    """A maximisation in progress; it remembers every point that was valued."""

    def __init__(self, acquisition: Acquisition, space: Space) -> None:
        self._acquisition, self._space = acquisition, space
        smooth = (space.n_values == 0) | (space.n_values > MANY_VALUES)
        self._smooth = np.flatnonzero(smooth & ~space.categorical)
        self._listed = np.flatnonzero(~smooth | space.categorical)
        self._visited: list[Array] = []
        self._values: list[Array] = []
        self._feasible: dict[bytes, bool] = {}

    def value(self, Z: Array) -> Array:
        """Values of the rows of snapped `Z`."""
        values = self._acquisition(Z) if len(Z) else np.empty(0)
        self._visited.append(Z)
        self._values.append(values)
        return values

    def best(self, Z: Array, number: int) -> list[Array]:
        """The best `number` feasible rows of snapped `Z`."""
        return list(itertools.islice(self._feasible_first(Z, self.value(Z)), number))

    def ranking(self) -> Iterator[Array]:
        """All feasible points that were valued, best first."""
        return self._feasible_first(np.concatenate(self._visited), np.concatenate(self._values))

    def _feasible_first(self, Z: Array, values: Array) -> Iterator[Array]:
        for row in np.argsort(-values, kind="stable"):
            if self._is_feasible(Z[row]):
                yield Z[row]

    def _is_feasible(self, z: Array) -> bool:
        if self._space.constraint is None:
            return True
        place = z.tobytes()  # a candidate may occur many times
        if place not in self._feasible:
            self._feasible[place] = bool(self._space.feasible(self._space.from_z(z[None]))[0])
        return self._feasible[place]

    def ascend(self, S: Array) -> None:
        """Climb from all rows of `S`."""
        S, values = S.copy(), self._acquisition(S)
        for _ in range(ROUNDS):
            if len(self._smooth):
                self._by_gradient(S, values)
            if not (len(self._listed) and self._by_single_changes(S, values)):
                break  # the gradient has nothing new to start from

    def _by_gradient(self, S: Array, values: Array) -> None:
        """Improve `S` and `values` in place by the sum over the starts, which share no variable."""
        smooth = self._smooth
        exists = self._space.active(S)[:, smooth]

        def negative(x: Array) -> tuple[float, Array]:
            Z = S.copy()
            Z[:, smooth] = x.reshape(len(S), -1)
            value, gradient = self._acquisition.with_gradient(Z)
            return -float(value.sum()), -(gradient[:, smooth] * exists).ravel()

        found = minimize(
            negative,
            S[:, smooth].ravel(),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, 1.0)] * (len(S) * len(smooth)),
            options={"maxiter": ITERATIONS, "ftol": 1e-6},
        )
        step = np.zeros_like(S)
        step[:, smooth] = found.x.reshape(len(S), -1) - S[:, smooth]
        lengths = SHORTER if self._space.constraint is not None else SHORTER[:1]
        tried = S[:, None, :] + lengths[:, None] * step[:, None, :]
        snapped = self._space.snap(tried.reshape(-1, S.shape[1]))
        self._keep_better(S, values, snapped.reshape(tried.shape), np.arange(len(S)))

    def _by_single_changes(self, S: Array, values: Array) -> bool:
        """Improve `S` and `values` in place on the listed dimensions; whether anything changed."""
        changed = np.arange(len(S))
        for sweep in range(SWEEPS):
            tried = []
            for j in self._listed:
                places = np.asarray(self._space.columns[j].places())
                block = np.repeat(S[changed, None, :], len(places), axis=1)
                block[:, :, j] = places
                tried.append(block)
            Z = np.concatenate(tried, axis=1)
            Z = self._space.snap(Z.reshape(-1, S.shape[1])).reshape(Z.shape)
            # a start that no change improves is done: the next sweep would repeat the attempt
            changed = self._keep_better(S, values, Z, changed)
            if not len(changed):
                return sweep > 0
        return True

    def _keep_better(
        self, S: Array, values: Array, tried: Array, rows: NDArray[np.intp]
    ) -> NDArray[np.intp]:
        """Replace start ``rows[i]`` by the best of ``tried[i]`` if better; the replaced rows."""
        gained = self.value(tried.reshape(-1, S.shape[1])).reshape(tried.shape[:2])
        improved = []
        for i, row in enumerate(rows):
            better = np.flatnonzero(gained[i] > values[row] + LEAST_GAIN)
            best_first = better[np.argsort(-gained[i, better], kind="stable")]
            found = next((c for c in best_first if self._is_feasible(tried[i, c])), None)
            if found is not None:
                S[row], values[row] = tried[i, found], gained[i, found]
                improved.append(row)
        return np.array(improved, dtype=np.intp)


def small_moves(space: Space, around: Array, number: int, rng: np.random.Generator) -> Array:
    """Moves of a few coordinates, of all sizes from a three-hundredth of the cube to a third."""
    d = len(space)
    base = around[rng.integers(len(around), size=number)]
    moved = rng.random((number, d)) < MOVED / d
    normal, fresh = rng.standard_normal((number, d)), rng.random((number, d))
    moved[np.arange(number), rng.integers(d, size=number)] = True
    moved, normal, fresh = (_by_name(space, draws) for draws in (moved, normal, fresh))
    step = 10.0 ** rng.uniform(-2.5, -0.5, size=(number, 1)) * normal
    least = np.where(space.n_values > 1, 1.0 / np.maximum(space.n_values - 1, 1), 0.0)
    step = np.copysign(np.maximum(np.abs(step), least), step)  # at least to the next value
    goal = np.where(space.categorical, space.quantile(fresh), np.clip(base + step, 0.0, 1.0))
    return space.snap(np.where(moved, goal, base))


def _by_name(space: Space, draws: NDArray[Any]) -> NDArray[Any]:
    """`draws`, one column for each name in sorted order: a reordered space proposes the same."""
    return draws[:, np.argsort(np.argsort(space.names))]
