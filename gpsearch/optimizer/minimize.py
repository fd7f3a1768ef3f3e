"""`gp_minimize`: scikit-optimize's function over gpsearch's search."""

from collections.abc import Callable, Iterable, Sequence, Sized
from numbers import Integral, Number
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult
from skopt.callbacks import VerboseCallback

from gpsearch.arguments import answer, finite, function_of, instance_of, optional, refusal, whole
from gpsearch.errors import InvalidSearchError, public, renaming
from gpsearch.optimizer.ask_tell import Optimizer
from gpsearch.optimizer.proposals import read_kappa
from gpsearch.optimizer.result import plottable
from gpsearch.optimizer.skopt_arguments import (
    is_point,
    read_n_initial_points,
    read_point,
    read_space,
)
from gpsearch.space import Point, Space
from gpsearch.strategy.gp import default_initial_points
from gpsearch.strategy.optimum_prior import BY_NAME, OptimumPriorChoice


@public(x="x0", y="y0")
def gp_minimize(
    func: Callable[[Point], Any],
    dimensions: Any,
    base_estimator: Any = None,
    n_calls: int = 100,
    n_random_starts: int | None = None,
    n_initial_points: int | None = None,
    initial_point_generator: Any = None,
    acq_func: str | None = None,
    acq_optimizer: str = "auto",
    x0: Any = None,
    y0: Any = None,
    random_state: Any = None,
    verbose: bool = False,
    callback: Any = None,
    n_points: int | None = None,
    n_restarts_optimizer: int | None = None,
    xi: float = 0.01,
    kappa: float = 1.96,
    noise: str | float = "gaussian",
    n_jobs: int = 1,
    model_queue_size: int | None = None,
    space_constraint: Callable[[Point], bool] | None = None,
    *,
    optimum_prior: OptimumPriorChoice = BY_NAME,
) -> OptimizeResult:
    """Minimise a function of a point, with the signature of ``skopt.gp_minimize``.

    Parameters
    ----------
    func : callable
        ``func(point) -> loss``; with "EIps" and "PIps" ``func(point) -> (loss, seconds)``. A
        loss that is NaN or infinite is a failed evaluation, and the search goes on.
    dimensions, base_estimator, n_random_starts, n_initial_points, initial_point_generator, \
acq_func, acq_optimizer, random_state, noise, n_jobs, model_queue_size, space_constraint, \
optimum_prior
        As `Optimizer` has them; `n_initial_points` is at most half of the calls, or 4, by default.
    n_calls : int, default 100
        Calls of `func`, exactly: when all points of a finite space are evaluated, the most
        promising ones are evaluated again, with a warning.
    x0 : point or list of points, optional
        Evaluated first, unless `y0` holds their losses.
    y0 : float or list of floats, optional
        Losses of `x0`; these take no calls.
    verbose : bool
        Whether to print each call.
    callback : callable or list of callables, optional
        ``callback(result)`` after each call; a true answer ends the search.
    n_points, n_restarts_optimizer : int, optional
        ``acq_optimizer_kwargs`` of `Optimizer`.
    xi, kappa : float
        ``acq_func_kwargs`` of `Optimizer`.

    Returns
    -------
    OptimizeResult
        See `gpsearch.optimizer.result.make_result`.

    Raises
    ------
    ValueError
        When `n_calls` does not suffice for the first points and `x0`, or `x0` and `y0` do not
        belong together.

    Examples
    --------
    >>> result = gp_minimize(lambda x: (x[0] - 0.3) ** 2, [(-1.0, 1.0)], n_calls=12,
    ...                      random_state=0)
    >>> bool(abs(result.x[0] - 0.3) < 0.01)
    True
    """
    specs = {"args": plottable(locals()), "function": "base_minimize"}
    instance_of("verbose", verbose, (bool, np.bool_, Integral), "True or False")
    n_initial_points = read_n_initial_points(n_initial_points, n_random_starts)
    if not callable(func):
        raise refusal(InvalidSearchError, "func", func, "callable")
    for name, value in {"n_jobs": n_jobs, "n_initial_points": n_initial_points}.items():
        optional(instance_of, name, value, Integral, "a whole number")
    optional(whole, "n_points", n_points, 1)
    optional(whole, "n_restarts_optimizer", n_restarts_optimizer, 0)
    finite("xi", xi)
    kappa = read_kappa(kappa)
    space = read_space(dimensions, space_constraint)
    points = _points(x0, space)
    values = _values(y0)
    if values and not points:
        raise InvalidSearchError("there is no `x0` that it belongs to.").about("y0", y0)
    n_first, n_told = _budget(n_calls, n_initial_points, len(space), points, values)
    effort = {"n_points": n_points, "n_restarts_optimizer": n_restarts_optimizer}
    optimizer = Optimizer(
        dimensions,
        base_estimator,
        n_initial_points=n_first + len(points),
        initial_point_generator=initial_point_generator,
        n_jobs=n_jobs,
        acq_func=acq_func,
        acq_optimizer=acq_optimizer,
        random_state=random_state,
        model_queue_size=model_queue_size,
        space_constraint=space_constraint,
        acq_func_kwargs={"xi": xi, "kappa": kappa},
        acq_optimizer_kwargs={name: value for name, value in effort.items() if value is not None},
        noise=noise,
        optimum_prior=optimum_prior,
    )
    if optimizer.is_ours:
        optimizer.avoid_duplicates = False  # `n_calls` calls are promised, of few points too
    for point in points:
        _check_length(point, len(space))
    points = [read_point(point, space, several=True) for point in points]
    callbacks = _callbacks(callback)
    if verbose:
        n_evaluated = len(points) if not values else 0
        callbacks.append(VerboseCallback(n_init=n_evaluated, n_random=n_first, n_total=n_calls))

    result = None
    if points:
        losses = values if values is not None else [func(list(point)) for point in points]
        if len(losses) != len(points):
            raise InvalidSearchError("`x0` and `y0` should have the same length.").about("y0", y0)
        with renaming(y="func" if values is None else "y0"):
            result = optimizer.tell(points, losses)
        result.specs = specs
        if _asks_to_end(callbacks, result):
            return result
    for _ in range(n_calls - n_told):
        point = optimizer.ask()
        loss = func(list(point))  # its own copy: it may change it
        with renaming(y="func"):
            result = optimizer.tell(point, loss)
        result.specs = specs
        if _asks_to_end(callbacks, result):
            break
    return result


def _callbacks(callback: Any) -> list[Callable[[OptimizeResult], Any]]:
    """`callback` as a list of its own."""
    several = [] if callback is None else [callback] if callable(callback) else callback
    if not isinstance(several, list) or not all(map(callable, several)):
        wanted = "a callable or a list of callables"
        raise refusal(InvalidSearchError, "callback", callback, wanted, "None")
    for each in several:
        function_of("callback", each, "the result")
    return list(several)


def _asks_to_end(callbacks: Sequence[Callable[..., Any]], result: OptimizeResult) -> bool:
    """Whether a callback returned what is true; each is called, also after one that did."""
    return any([answer("callback", each, each(result)) for each in callbacks])


def _points(x0: Any, space: Space) -> list[Point]:
    """`x0` as a list of points."""
    x0 = x0.tolist() if hasattr(x0, "tolist") else x0  # of NumPy and pandas
    optional(instance_of, "x0", x0, Sequence, "a point or a list of points")
    if x0 is None or len(x0) == 0:
        return []
    if not isinstance(x0[0], list | tuple | np.ndarray) or is_point(x0, space):
        x0 = [x0]
    if not isinstance(x0, list):
        raise InvalidSearchError(f"`x0` should be a list, but got {type(x0)}").about("x0", x0)
    return [point.tolist() if isinstance(point, np.ndarray) else point for point in x0]


def _check_length(point: Any, n: int) -> None:
    """Raise where a point of `x0` has not `n` values."""
    if not isinstance(point, Sized):
        raise _LengthError(f"each point is a list of {n} values.").about("x0", point)
    if len(point) != n:
        raise _LengthError(
            f"this point has length {len(point)}; give one value for each of {n} dimensions."
        ).about("x0", point)


class _LengthError(InvalidSearchError, RuntimeError):
    """A point of `x0` has too few or too many values; scikit-optimize's is a RuntimeError."""


def _values(y0: Any) -> list[Any] | None:
    """`y0` as a list of losses."""
    if y0 is None:
        return None
    y0 = y0.tolist() if isinstance(y0, np.ndarray) else y0
    if isinstance(y0, Number):
        return [y0]
    if not isinstance(y0, Iterable):
        raise InvalidSearchError(f"`y0` should be an iterable or a scalar, got {type(y0)}").about(
            "y0", y0
        )
    return list(y0)


def _budget(
    n_calls: int, n_initial_points: int | None, n_dims: int, points: Sequence[Point], values: Any
) -> tuple[int, int]:
    """Numbers of first points, and of calls that the points of `x0` take."""
    n_calls = whole("n_calls", n_calls, 1)
    n_told = len(points) if values is None else 0
    n_first = n_initial_points
    if n_first is None:
        n_left = max(n_calls - n_told, 0 if points else 1)
        usual = default_initial_points(n_dims, n_left)
        n_first = min(usual, n_left, max(2 * n_left // 3, 1))  # leaves some to the model
    if n_first <= 0 and not points:
        raise InvalidSearchError("Either set `n_initial_points` > 0, or provide `x0`").about(
            "n_initial_points", n_first
        )
    if n_calls < n_first + n_told:
        raise InvalidSearchError(f"Expected `n_calls` >= {n_first + n_told}, got {n_calls}").about(
            "n_calls", n_calls
        )
    return n_first, n_told
