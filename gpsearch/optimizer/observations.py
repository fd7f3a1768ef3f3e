"""Told and pending points of an `Optimizer`, and scikit-optimize's generators of first points."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import skopt.space
from skopt.utils import cook_initial_point_generator

from gpsearch.space import Point, Space
from gpsearch.strategy import History

LIES: dict[str, Callable[[list[float]], Any]] = {
    "cl_min": np.min,
    "cl_mean": np.mean,
    "cl_max": np.max,
}
RANDOM_DRAWS = 1000  # of which one should be feasible and new; else the strategy looks closer
LARGEST_SEED = np.iinfo(np.int32).max


class Observations:
    """Told points, a failure with the loss inf, and pending ones; `noise` is a known variance."""

    def __init__(self, space: Space, noise: float | None) -> None:
        self._space, self._noise = space, noise
        self.points: list[Point] = []
        self.losses: list[float] = []
        self.log_times: list[float] = []
        self.pending: list[Point] = []

    def record(self, points: list[Point], losses: list[float], log_times: list[float]) -> None:
        """Add told points; those that were pending no longer are."""
        self.points += points
        self.losses += losses
        self.log_times += log_times
        told = set(self._space.keys(points))
        self.pending = [p for p in self.pending if self._space.key(p) not in told]

    def history(self, pending: Sequence[Point], lie: str) -> History:
        """What a strategy sees; with a constant lie, pending points have that loss and time."""
        points, losses, log_times = self.points, self.losses, self.log_times
        finite = [loss for loss in losses if np.isfinite(loss)]
        if lie in LIES and pending and finite:
            points = [*points, *pending]
            losses = [*losses, *[float(LIES[lie](finite))] * len(pending)]
            if log_times:
                log_times = [*log_times, *[float(LIES[lie](log_times))] * len(pending)]
            pending = ()
        costs = np.exp(log_times) if log_times else None
        return History.of(points, losses, self._variances(len(points)), costs, pending)

    def first(self, n: int) -> History:
        """The first n told points."""
        costs = np.exp(self.log_times[:n]) if self.log_times else None
        return History.of(self.points[:n], self.losses[:n], self._variances(n), costs)

    def _variances(self, n: int) -> list[float] | None:
        return None if self._noise is None else [self._noise] * n


class FirstPoints:
    """The first points of one of scikit-optimize's generators.

    Its rows are quantiles of the space's own distribution, so that integers are uniform and
    categories may be anything; infeasible ones are skipped. "random" draws when a point is asked
    for: the numbers that scikit-optimize draws for the same random state.
    """

    def __init__(
        self, space: Space, generator: Any, n_points: int, rng: np.random.RandomState
    ) -> None:
        self._space, self._rng = space, rng
        self.made: list[Point] = []
        """The generator's feasible points."""
        cooked = cook_initial_point_generator(generator)
        if cooked is not None:
            places = [skopt.space.Real(0.0, 1.0) for _ in space.dimensions]
            seed = rng.randint(0, LARGEST_SEED)
            rows = cooked.generate(places, max(1, n_points), random_state=seed)
            points = space.from_z(space.quantile(np.clip(rows, 0.0, 1.0 - 1e-12)))
            self.made = [p for p, ok in zip(points, space.feasible(points), strict=True) if ok]

    def next_new(self, visited: Sequence[Point]) -> Point | None:
        """The next of them that was not visited, then new random points; None if none is found."""
        seen = set(self._space.keys(visited))
        for point in self.made:
            if self._space.key(point) not in seen:
                return list(point)
        for _ in range(RANDOM_DRAWS):
            places = self._space.quantile(self._rng.random_sample((1, len(self._space))))
            (point,) = self._space.from_z(places)
            if self._space.key(point) not in seen and self._space.feasible([point])[0]:
                return point
        return None
