"""`Optimizer`: the ask and tell of scikit-optimize over gpsearch's search.

=========== =================================================================================
told        points with a loss; a failed one has the loss inf
pending     points that were asked for and are not told yet
first       points before the first model, ``n_initial_points`` of them
=========== =================================================================================
"""

import copy
import functools
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import skopt
from scipy.optimize import OptimizeResult

from gpsearch.arguments import boolean, instance_of, one_of, optional, refusal, whole
from gpsearch.errors import InvalidSearchError, SpaceExhaustedError, public
from gpsearch.optimizer.models import SurrogateModel
from gpsearch.optimizer.observations import LARGEST_SEED, LIES, FirstPoints, Observations
from gpsearch.optimizer.proposals import Hedge, Proposals
from gpsearch.optimizer.result import make_result, plottable
from gpsearch.optimizer.skopt_arguments import (
    check_of_skopt,
    read_loss,
    read_n_initial_points,
    read_noise,
    read_random_state,
    read_space,
    read_timed_loss,
    read_told,
    stock_arguments,
)
from gpsearch.space import Point
from gpsearch.strategy.gp import default_initial_points
from gpsearch.strategy.optimum_prior import BY_NAME, OptimumPriorChoice

STOCK_ONLY = ("MES", "PVRS")  # acquisition functions that scikit-optimize alone has


class Optimizer(skopt.Optimizer):
    """Ask for points, tell their losses: a ``skopt.Optimizer`` with gpsearch's surrogate.

    Everything is minimised. Telling costs nothing; the surrogate is fitted when a point is asked
    for, in milliseconds. Several threads may ask and tell: one call waits for another.

    Parameters
    ----------
    dimensions : list, skopt.space.Space, Space or dict
        As scikit-optimize reads them, or a gpsearch `Space` with conditions and a constraint. The
        caller's dimensions stay as they are.
    base_estimator : None, "GP" or any estimator of scikit-optimize, default None
        None is gpsearch's Gaussian process: a point that was asked for is pending until it is
        told, and every ``ask()`` gives another point. "GP" is the same process with the ask of
        scikit-optimize: once the first points are told, ``ask()`` repeats its answer until
        something is told. Any other name ("RF", "ET", "GBRT", "DUMMY") or regressor runs
        scikit-optimize's own loop with it, unchanged.
    n_random_starts : int, optional
        Old name of `n_initial_points`.
    n_initial_points : int, optional
        Points before the first model: for gpsearch's process 8, or the number of dimensions if
        that is more; for other estimators 10.
    initial_point_generator : str or InitialPointGenerator, optional
        One of scikit-optimize's, for the first points; "random" draws the numbers that it draws
        for the same `random_state`. By default a scrambled Sobol sequence.
    n_jobs : int
        For other estimators; a proposal of gpsearch's process takes one core for milliseconds.
    acq_func : {"logEI", "EI", "LCB", "PI", "EIps", "PIps", "gp_hedge"}, optional
        By default "logEI", and "gp_hedge" for other estimators; see
        `gpsearch.optimizer.proposals`. With "EIps" and "PIps" `tell` takes (loss, seconds).
    acq_optimizer : {"auto", "lbfgs", "sampling"}, default "auto"
        "sampling" takes the best of random candidates; otherwise the best ones climb.
    random_state : int, RandomState or None
    model_queue_size : int, optional
        How many models are kept; by default one for each tell. Only the last holds a fit.
    space_constraint : callable, optional
        ``space_constraint(point) -> bool``; every point that is asked for satisfies it.
    acq_func_kwargs : dict, optional
        ``xi``, ``kappa`` and ``eta``.
    acq_optimizer_kwargs : dict, optional
        ``n_points`` for "sampling", ``n_restarts_optimizer`` for the number of climbs.
    avoid_duplicates : bool, default True
        Whether asking ends with SpaceExhaustedError when all points of a finite space are
        told; otherwise the most promising one is asked for again, with a warning.
    noise : "gaussian" or float, default "gaussian"
        Variance of the losses: fitted, or known.
    optimum_prior : "by_name", dict, OptimumPrior or None, default "by_name"
        Where the search looks first. "by_name" expects settings of networks, known by the names of
        their dimensions, where they are usually good; a dict such as ``{"learning_rate": 1e-3}``
        holds expected values; None expects nothing. See `gpsearch.strategy.optimum_prior`.

    Attributes
    ----------
    Xi, yi : list
        Told points and losses, as told.
    space : Space
    models : list of SurrogateModel
        One for each tell since the first points.

    Examples
    --------
    >>> optimizer = Optimizer([(-2.0, 2.0), ["a", "b"]], random_state=0)
    >>> for _ in range(15):
    ...     x, category = optimizer.ask()
    ...     result = optimizer.tell([x, category], (x - 1) ** 2 + (category == "a"))
    >>> result.x[1], result.fun < 0.01
    ('b', True)
    """

    @public()
    def __init__(
        self,
        dimensions: Any,
        base_estimator: Any = None,
        n_random_starts: int | None = None,
        n_initial_points: int | None = None,
        initial_point_generator: Any = None,
        n_jobs: int = 1,
        acq_func: str | None = None,
        acq_optimizer: str = "auto",
        random_state: Any = None,
        model_queue_size: int | None = None,
        space_constraint: Callable[[Point], bool] | None = None,
        acq_func_kwargs: dict[str, Any] | None = None,
        acq_optimizer_kwargs: dict[str, Any] | None = None,
        avoid_duplicates: bool = True,
        *,
        noise: str | float = "gaussian",
        optimum_prior: OptimumPriorChoice = BY_NAME,
    ) -> None:
        if isinstance(base_estimator, SurrogateModel):  # as CheckpointSaver hands it back
            base_estimator = None
        arguments = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        check_of_skopt(base_estimator, initial_point_generator)
        n_initial_points = read_n_initial_points(n_initial_points, n_random_starts)
        named = isinstance(base_estimator, str) and base_estimator.lower() == "gp"
        self.is_ours = (base_estimator is None or named) and acq_func not in STOCK_ONLY
        self._noise, self._optimum_prior = read_noise(noise), optimum_prior
        self._lock = threading.RLock()
        if not self.is_ours:
            super().__init__(**stock_arguments(arguments | {"n_initial_points": n_initial_points}))
            return
        self.space = read_space(dimensions, space_constraint)
        if n_initial_points is None:
            n_initial_points = default_initial_points(len(self.space))
        n_initial_points = whole("n_initial_points", n_initial_points, 0)
        one_of("acq_optimizer", acq_optimizer, ("auto", "lbfgs", "sampling"))
        boolean("avoid_duplicates", avoid_duplicates)
        optional(instance_of, "n_jobs", n_jobs, Integral, "a whole number")
        optional(instance_of, "acq_func_kwargs", acq_func_kwargs, Mapping, "a dict")
        optional(instance_of, "acq_optimizer_kwargs", acq_optimizer_kwargs, Mapping, "a dict")
        if not isinstance(model_queue_size, Integral | None):
            raise TypeError(f"model_queue_size should be an int or None, got {model_queue_size!r}")
        optional(whole, "model_queue_size", model_queue_size, 1)
        self.specs = {"args": plottable(arguments), "function": "Optimizer"}
        self.rng = read_random_state(random_state)
        self.base_estimator_ = base_estimator
        self.acq_func, self.acq_func_kwargs = acq_func or "logEI", acq_func_kwargs
        self.acq_optimizer, self.acq_optimizer_kwargs = acq_optimizer, acq_optimizer_kwargs
        self.avoid_duplicates, self.max_model_queue_size = avoid_duplicates, model_queue_size
        self.n_initial_points_ = self._n_initial_points = n_initial_points
        self._seed = int(self.rng.randint(0, LARGEST_SEED))
        self._initial_point_generator = initial_point_generator
        self._first_points: FirstPoints | None = None
        if initial_point_generator is not None:
            self._first_points = FirstPoints(
                self.space, initial_point_generator, n_initial_points, self.rng
            )
        self._hedge = Hedge()
        self._proposals: Proposals | None = self._make_proposals()
        self._options = self._proposals.options
        self._observations = Observations(self.space, self._known_noise)
        self.Xi: list[Point] = self._observations.points
        self.yi: list[Any] = []
        self.models: list[Any] = []
        self._next: Point | None = None
        self.cache_: dict[tuple[int, str], list[Point]] = {}

    # ---------------------------------------------------------------- ask

    @public()
    def ask(self, n_points: int | None = None, strategy: str | None = None) -> Any:
        """Ask for the next point, or for several to evaluate at once.

        Parameters
        ----------
        n_points : int, optional
            Give a list of so many different points.
        strategy : {"believer", "cl_min", "cl_mean", "cl_max"}, default "believer"
            The loss of pending points and of earlier points of the batch until they are told: the
            mean that the process predicts, or the least, mean or greatest loss told.

        Returns
        -------
        point, or list of points

        Raises
        ------
        SpaceExhaustedError
            When no feasible point is left that is neither told nor pending.
        """
        if not self.is_ours:
            return super().ask(n_points, strategy or "cl_min")
        optional(whole, "n_points", n_points, 1)
        optional(one_of, "strategy", strategy, ("believer", *LIES))
        with self._lock:
            return self._ask_one() if n_points is None else self._ask_batch(int(n_points), strategy)

    def _ask_batch(self, n_points: int, strategy: str | None) -> list[Point]:
        strategy = strategy or "believer"
        batch: list[Point] = self.cache_.get((n_points, strategy), [])
        while len(batch) < n_points:
            batch.append(self._propose([*self._observations.pending, *batch], lie=strategy))
        if self._repeats:
            self.cache_ = {(n_points, strategy): batch}
        else:
            self._observations.pending += batch
        return [list(point) for point in batch]  # its own copies: the caller may change them

    def _ask_one(self) -> Point:
        if self._next is not None:
            return list(self._next)
        point = self._propose(self._observations.pending)
        if self._repeats and self._n_initial_points <= 0:
            self._next = point
        else:
            self._observations.pending.append(point)
        return list(point)

    def _propose(self, pending: Sequence[Point], lie: str = "believer") -> Point:
        number = len(self.Xi) + len(pending)
        if self._first_points is not None and number < self.n_initial_points_:
            point = self._first_points.next_new([*self.Xi, *pending])
            if point is not None:
                return point
        history = self._observations.history(pending, lie)
        self._proposals = self._proposals or self._make_proposals()
        try:
            return self._proposals.propose(history, number)
        except SpaceExhaustedError:
            if self.avoid_duplicates or not history.visited:
                raise
        point = self._proposals.most_promising_again(history)
        warnings.warn(
            f"The objective has been evaluated at all points; asking for {point} again.",
            stacklevel=4,
        )
        return point

    # ---------------------------------------------------------------- tell

    @public()
    def tell(self, x: Any, y: Any, fit: bool = True) -> OptimizeResult:
        """Record the loss of a point, or of several.

        Parameters
        ----------
        x : point or list of points
        y : float or list of floats
            Losses; with "EIps" and "PIps" pairs (loss, seconds). NaN and infinity say that the
            evaluation failed: the surrogate keeps away from there, and `models` ignore it.
        fit : bool, default True
            Whether `models` gets a model of what was told so far. Asking does not need one.

        Raises
        ------
        ValueError
            When a point does not belong to the space, or a loss is not a number.
        """
        if not self.is_ours:
            return super().tell(x, y, fit=fit)
        boolean("fit", fit)
        points, values = read_told(x, y, self.space)
        if "ps" in self.acq_func:
            read = [read_timed_loss(value) for value in values]
            losses, log_times = [loss for loss, _ in read], [time for _, time in read]
            values = [[loss, time] for loss, time in read]
        else:
            losses, log_times = [read_loss(value) for value in values], []
        with self._lock:
            return self._record(points, values, losses, log_times, fit=fit)

    def _record(
        self,
        points: list[Point],
        values: list[Any],
        losses: list[float],
        log_times: list[float],
        *,
        fit: bool,
    ) -> OptimizeResult:
        self._observations.record(points, losses, log_times)
        self.yi += values
        self._n_initial_points -= len(points)
        self._next, self.cache_ = None, {}
        if fit and self._n_initial_points <= 0 and np.isfinite(self._observations.losses).any():
            self._add_model()
        return self.get_result()

    def _add_model(self) -> None:
        if self.models:
            self.models[-1].forget()
        history = functools.partial(self._observations.first, len(self.Xi))
        self.models.append(SurrogateModel(self.space, history, self._options))
        if self.max_model_queue_size is not None:
            del self.models[: -self.max_model_queue_size]

    # ---------------------------------------------------------------- the rest of the interface

    @public()
    def run(self, func: Callable[[Point], Any], n_iter: int = 1) -> OptimizeResult:
        """Ask, evaluate and tell `n_iter` times."""
        if not callable(func):
            raise refusal(InvalidSearchError, "func", func, "callable")
        n_iter = whole("n_iter", n_iter, 0)
        for _ in range(n_iter):
            point = self.ask()
            self.tell(point, func(list(point)))  # its own copy: it may change it
        return self.get_result()

    def get_result(self) -> OptimizeResult:
        """What `tell` returned last."""
        if not self.is_ours:
            return super().get_result()
        told = self._observations
        result = make_result(
            self.space, self.Xi, told.losses, models=self.models, rng=self.rng, specs=self.specs
        )
        if told.log_times:
            result.log_time = np.array(told.log_times)
        return result

    def update_next(self) -> None:
        """Drop the pending points, and the points that `ask` repeats."""
        if not self.is_ours:
            super().update_next()
            return
        self._next, self._observations.pending, self.cache_ = None, [], {}

    @public()
    def copy(self, random_state: Any = None) -> "Optimizer":
        """Make an optimizer with the same settings that was told the same."""
        twin = Optimizer(
            self.space.dimensions if not self.is_ours else self.space,
            self.base_estimator_,
            n_initial_points=self.n_initial_points_,
            initial_point_generator=self._initial_point_generator,
            acq_func=self.acq_func,
            acq_optimizer=self.acq_optimizer,
            random_state=random_state,
            model_queue_size=self.max_model_queue_size,
            space_constraint=None if self.is_ours else self.space.constraint,
            acq_func_kwargs=self.acq_func_kwargs,
            acq_optimizer_kwargs=self.acq_optimizer_kwargs,
            avoid_duplicates=self.avoid_duplicates,
            noise=self._noise,
            optimum_prior=self._optimum_prior,
        )
        if not self.is_ours:
            twin._initial_samples = self._initial_samples
            if hasattr(self, "gains_"):
                twin.gains_ = np.copy(self.gains_)
            if self.Xi:
                twin._tell(self.Xi, self.yi)
            return twin
        if self._first_points is not None and twin._first_points is not None:
            twin._first_points.made = self._first_points.made
        told = self._observations
        twin._observations.pending = [list(point) for point in told.pending]
        twin._hedge, twin._proposals = copy.deepcopy(self._hedge), None
        if self.Xi:
            points = [list(point) for point in self.Xi]
            twin._record(points, list(self.yi), list(told.losses), list(told.log_times), fit=True)
        return twin

    def __getstate__(self) -> dict[str, Any]:
        state = {**self.__dict__, "_proposals": None}  # made again when it is needed
        del state["_lock"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.RLock()

    # ---------------------------------------------------------------- private

    @property
    def _repeats(self) -> bool:
        """Whether `ask` repeats its point until something is told, as scikit-optimize does."""
        return self.base_estimator_ is not None

    @property
    def _known_noise(self) -> float | None:
        return None if isinstance(self._noise, str) else float(self._noise)

    def _make_proposals(self) -> Proposals:
        return Proposals(
            self.space,
            self.acq_func,
            seed=self._seed,
            n_initial_points=self.n_initial_points_,
            optimum_prior=self._optimum_prior,
            acq_optimizer=self.acq_optimizer,
            acq_func_kwargs=self.acq_func_kwargs or {},
            acq_optimizer_kwargs=self.acq_optimizer_kwargs or {},
            noise=self._known_noise,
            hedge=self._hedge,
        )
