"""The stock loop of scikit-optimize, set up as its ``gp_minimize`` does: the reference to beat."""

import copy
import warnings
from collections.abc import Hashable, Sequence

import numpy as np
import skopt
from skopt.space import Categorical
from skopt.utils import cook_estimator, normalize_dimensions

from gpsearch.arguments import whole
from gpsearch.space import Point, Space
from gpsearch.space.columns import Column
from gpsearch.strategy.encoded_points import with_indices, without_indices
from gpsearch.strategy.strategy import Array, History, Proposal, trial_rng
from gpsearch.strategy.unseen import Visited, draw_unseen
from gpsearch.surrogate.warping import bounded


class SkoptStrategy:
    """``skopt.Optimizer``, replayed over the history.

    Its random state changes with every ask and tell. So the loop is kept from one call to the
    next, and replayed from the start where the history differs from what it was told: a resumed
    run proposes what the uninterrupted one would. What stock scikit-optimize cannot do is done
    around it: categories are encoded by index; a failed trial is told with the worst loss so far;
    pending points are told to a copy with its "cl_min" lie; a repeated point is replaced by a new
    random one. `n_points` and `n_restarts_optimizer` are the random candidates of its acquisition
    and the starts of its L-BFGS.
    """

    name = "skopt"

    def __init__(
        self,
        space: Space,
        *,
        seed: int,
        n_calls: int = 100,
        n_initial_points: int = 10,
        n_points: int = 10_000,
        n_restarts_optimizer: int = 5,
    ) -> None:
        self._space, self._seed, self._visited = space, seed, Visited(space)
        self._n_initial_points = n_initial_points
        self._n_points = whole("n_points", n_points, 1)
        self._n_restarts = whole("n_restarts_optimizer", n_restarts_optimizer, 1)
        self._live = self._start()
        self._told: list[tuple[Hashable, float]] = []
        self._asked: Point | None = None

    def propose(self, history: History, number: int) -> Proposal:
        """Ask the stock loop for the point of trial `number`; see `Strategy.propose`."""
        if self._space.constraint is not None:
            # raises where nothing is feasible: the stock loop would draw without end
            draw_unseen(self._space, set(), trial_rng(self._seed, number))
        with warnings.catch_warnings():
            # about repeated points, which are replaced below, and fits that did not converge
            warnings.simplefilter("ignore")
            self._replay(history)
            point = without_indices(self._space, self._next(history.pending))
        seen = self._visited(history)
        if self._space.key(point) in seen or not self._space.feasible([point])[0]:
            return draw_unseen(self._space, seen, trial_rng(self._seed, number))
        started = len(history.visited) >= max(1, self._n_initial_points)
        return Proposal(point, "model" if started else "initial")

    def _start(self) -> skopt.Optimizer:
        """A new optimiser, as ``skopt.gp_minimize`` makes it."""
        rng = np.random.RandomState(self._seed % 2**32)
        encoded = map(_encoded, self._space.dimensions, self._space.columns)
        dimensions = normalize_dimensions(list(encoded))
        estimator = cook_estimator(
            "GP",
            space=dimensions,
            random_state=rng.randint(0, np.iinfo(np.int32).max),
            noise="gaussian",
        )
        return skopt.Optimizer(
            dimensions,
            estimator,
            n_initial_points=max(1, self._n_initial_points),  # it cannot start from a model
            acq_func="gp_hedge",
            random_state=rng,
            model_queue_size=1,
            space_constraint=None if self._space.constraint is None else self._satisfies,
            acq_func_kwargs={"xi": 0.01, "kappa": 1.96},
            acq_optimizer_kwargs={
                "n_points": self._n_points,
                "n_restarts_optimizer": self._n_restarts,
                "n_jobs": 1,
            },
        )

    def _replay(self, history: History) -> None:
        """Bring the live optimiser to the end of the history."""
        identities = self._space.keys(history.points)
        losses = _with_worst_for_failed(history.losses)
        told = list(zip(identities, losses, strict=True))
        if told[: len(self._told)] != self._told:
            self._live, self._told, self._asked = self._start(), [], None
        for point, fact in list(zip(history.points, told, strict=True))[len(self._told) :]:
            if self._asked is None:
                self._live.ask()  # as the run that was interrupted did: it moves the random state
            # tell() would refuse a starting point that breaks the constraint
            self._live._tell(with_indices(self._space, point), fact[1])
            self._told.append(fact)
            self._asked = None

    def _next(self, pending: Sequence[Point]) -> Point:
        if not pending:
            if self._asked is None:
                self._asked = self._live.ask()
            return self._asked
        ahead = copy.deepcopy(self._live)
        for point in pending:
            ahead.ask()
            ahead._tell(with_indices(self._space, point), min(ahead.yi, default=0.0))
        return ahead.ask()

    def _satisfies(self, encoded: Point) -> bool:
        return bool(self._space.feasible([without_indices(self._space, encoded)])[0])


def _encoded(dimension: skopt.space.Dimension, column: Column) -> skopt.space.Dimension:
    """A copy of the dimension, with the index in place of each category."""
    if not isinstance(dimension, Categorical):
        return copy.copy(dimension)
    return Categorical(
        list(range(column.n_values)),
        prior=None if dimension.prior is None else column.shares.tolist(),
        name=dimension.name,
    )


def _with_worst_for_failed(losses: Array) -> list[float]:
    """The losses, a failed one as the worst that came before it; 0 where none did."""
    finite, losses = np.isfinite(losses), bounded(losses)  # its process squares them
    worst = np.maximum.accumulate(np.where(finite, losses, -np.inf))
    worst[np.isneginf(worst)] = 0.0
    filled: list[float] = np.where(finite, losses, worst).tolist()
    return filled
