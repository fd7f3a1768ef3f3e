"""Dimensions, points, losses and settings as scikit-optimize takes them."""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Number
from typing import Any, ClassVar

import numpy as np
import skopt.space
from sklearn.base import is_regressor
from sklearn.utils import check_random_state
from skopt.space import Categorical, Dimension
from skopt.utils import cook_estimator, cook_initial_point_generator, is_2Dlistlike, is_listlike

from gpsearch.arguments import instance_of, is_number, refusal
from gpsearch.errors import InvalidParamsError, InvalidSearchError, InvalidSpaceError
from gpsearch.optimizer.category_encoder import CategoryEncoder
from gpsearch.space import Point, Space
from gpsearch.space.space import truth_of
from gpsearch.strategy.optimum_prior import BY_NAME

ESTIMATORS = ("RF", "ET", "GP", "GBRT", "DUMMY")
NOT_STOCK = ("n_random_starts", "noise", "optimum_prior")  # arguments that its loop is not given
STOCK_DEFAULTS = {
    "base_estimator": "GP",
    "n_initial_points": 10,
    "initial_point_generator": "random",
    "acq_func": "gp_hedge",
}


@dataclass(frozen=True)
class PointConstraint:
    """A constraint on points as a constraint on params; absent values are None."""

    argument: ClassVar[str] = "space_constraint"
    """What errors name."""
    names: tuple[str, ...]
    of_point: Callable[[Point], bool]
    also: Callable[[dict[str, Any]], bool] | None = None

    def __call__(self, params: dict[str, Any]) -> bool:
        """Whether this constraint and the earlier one of the space hold."""
        point = [params.get(name) for name in self.names]
        return truth_of(self.of_point(point)) and (self.also is None or truth_of(self.also(params)))

    def __repr__(self) -> str:
        return getattr(self.of_point, "__name__", repr(self.of_point))


def read_space(dimensions: Any, space_constraint: Callable[[Point], bool] | None = None) -> Space:
    """Read dimensions by scikit-optimize's rules into a space of their copies.

    The copies are normalised, with categories one-hot, as ``skopt.gp_minimize`` makes them for
    its surrogate: scikit-optimize's plots transform points by the space of the result. Lists and
    stock spaces are read by scikit-optimize itself, the rest by `Space`. Several dimensions may
    have one name there; ``Space.names`` tells them apart.
    """
    if space_constraint is not None and not callable(space_constraint):
        raise refusal(InvalidSearchError, "space_constraint", space_constraint, "callable", "None")
    given: Any = dimensions  # dimensions that keep the names that the caller gave them
    if isinstance(dimensions, Mapping | Space):
        space = Space(dimensions)
        given = getattr(dimensions, "dimensions", space.dimensions)
    else:
        given = _checked(dimensions)
        space = Space(dict(zip(_distinct_names(given), given, strict=True)))
        # of a stock space; it is added below
        space_constraint = space_constraint or getattr(dimensions, "constraint", None)
    if space_constraint is not None:
        constraint = PointConstraint(tuple(space.names), space_constraint, space.params_constraint)
        space = Space(space, constraint=constraint)
    for dimension, original in zip(space.dimensions, given, strict=True):
        dimension.name = original.name
        if isinstance(dimension, Categorical):
            dimension.set_transformer("onehot")
            dimension.transformer = CategoryEncoder(dimension.categories)
        else:
            dimension.set_transformer("normalize")
    return space


def check_of_skopt(base_estimator: Any, initial_point_generator: Any) -> None:
    """Raise where the arguments that scikit-optimize itself reads are of no kind that it takes."""
    if isinstance(base_estimator, str):
        known = base_estimator.upper() in ESTIMATORS
    else:
        known = base_estimator is None or hasattr(base_estimator, "predict")
    if not known:
        wanted = f"a regressor, or one of {', '.join(map(repr, ESTIMATORS[:-1]))} or 'DUMMY'"
        raise refusal(InvalidSearchError, "base_estimator", base_estimator, wanted, "None")
    try:
        cook_initial_point_generator(initial_point_generator)
    except ValueError as error:
        raise InvalidSearchError(str(error)).about(
            "initial_point_generator", initial_point_generator
        ) from error


def read_n_initial_points(n_initial_points: int | None, n_random_starts: Any) -> int | None:
    """`n_initial_points`, or in its place its old name, with a warning."""
    if n_random_starts is None:
        return n_initial_points
    wanted = "a whole number"
    read = int(instance_of("n_random_starts", n_random_starts, Integral, wanted, also="None"))
    warnings.warn(
        "n_random_starts will be removed in favour of n_initial_points, which it overwrites.",
        DeprecationWarning,
        stacklevel=4,
    )
    return read


def read_random_state(random_state: Any) -> np.random.RandomState:
    """A random state, as scikit-learn reads it."""
    try:
        return check_random_state(random_state)
    except ValueError:
        wanted = "a whole number of at least 0 or a RandomState"
        refused = refusal(InvalidSearchError, "random_state", random_state, wanted, "None")
        raise refused from None


def stock_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an `Optimizer` that runs scikit-optimize's own loop, as that takes them."""
    if given["optimum_prior"] is not None and given["optimum_prior"] != BY_NAME:
        raise InvalidSearchError(
            "only gpsearch's process takes it: leave base_estimator out."
        ).about("optimum_prior", given["optimum_prior"])
    if (name := str(given["base_estimator"]).upper()) in ("GBRT", "DUMMY"):
        require_regressor(name)
    stock = {k: v for k, v in given.items() if k not in NOT_STOCK}
    return stock | {k: v for k, v in STOCK_DEFAULTS.items() if stock[k] is None}


def require_regressor(name: str) -> None:
    """Raise where the installed scikit-learn does not take one of scikit-optimize's estimators."""
    cooked = cook_estimator(name)
    try:
        known = is_regressor(cooked) or cooked is None
    except AttributeError:  # of None, which "DUMMY" is
        known = False
    if not known:
        raise InvalidSearchError(
            "this scikit-learn does not take scikit-optimize's estimator of this name for a "
            "regressor. Leave base_estimator out, for gpsearch's process, or use 'ET'; "
            "gpsearch.search(strategy='random') draws at random."
        ).about("base_estimator", name)


def read_noise(noise: Any) -> str | float:
    """`noise`, which is "gaussian" or a variance."""
    if isinstance(noise, str):
        known = noise == "gaussian"
    else:
        known = isinstance(noise, float | int | np.number) and 0 <= float(noise) < math.inf
    if not known:
        raise InvalidSearchError(
            "must be 'gaussian', which fits the variance of the losses, or that variance, a "
            "number from 0."
        ).about("noise", noise)
    return noise


def _checked(dimensions: Any) -> list[Dimension]:
    """Dimensions as scikit-optimize reads them."""
    try:
        read: list[Dimension] = skopt.space.Space(list(dimensions)).dimensions
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidSpaceError(
            f"{str(error).rstrip('.')}. Each entry must be (low, high), "
            "(low, high, 'log-uniform'), a list of choices, or a dimension."
        ).about("dimensions", dimensions) from error
    return read


def _distinct_names(dimensions: Sequence[Dimension]) -> list[str]:
    """A name for each dimension; scikit-optimize allows one name for several."""
    names: list[str] = []
    for i, dimension in enumerate(dimensions):
        name = dimension.name or f"X_{i}"
        while name in names:
            name += f"_{i}"
        names.append(name)
    return names


def read_told(x: Any, y: Any, space: Space) -> tuple[list[Point], list[Any]]:
    """Points and values of one ``tell``, of one point or a list of them, as plain Python values."""
    if isinstance(x, np.ndarray):
        x = x.tolist()
    if is_listlike(x):
        x = [p.tolist() if isinstance(p, np.ndarray) else p for p in x]
    else:
        raise refusal(InvalidSearchError, "x", x, "a point, or a list of points")
    if len(x) and is_2Dlistlike(x) and not is_point(x, space):
        points, values = [read_point(p, space, several=True) for p in x], y
        if not is_listlike(y) and not hasattr(y, "__len__"):
            raise InvalidSearchError(f"{len(points)} points have this single value.").about("y", y)
        if len(values) != len(points):
            raise InvalidSearchError(f"{len(points)} points with {len(values)} values.").about(
                "y", y
            )
        return points, list(values)
    return [read_point(x, space, several=False)], [y]


def is_point(x: Sequence[Any], space: Space) -> bool:
    """Whether `x` is one point; of tuples alone it looks like a list of points.

    >>> is_point([(1, 2)], Space([Categorical([(1, 2), (3, 4)])]))
    True
    """
    return len(x) == len(space) and list(x) in space


def read_loss(value: Any) -> float:
    """A told loss as a float; inf where it is NaN or infinite, which stands for a failure.

    >>> read_loss(2), read_loss(float("nan"))
    (2.0, inf)
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, Number) or isinstance(value, complex):
        raise InvalidSearchError(f"`func` should return a scalar, got {value!r}").about("y", value)
    try:
        loss = float(value)  # type: ignore[arg-type]
    except (OverflowError, ValueError):  # an int beyond all floats, a signalling NaN
        return math.inf
    return loss if math.isfinite(loss) else math.inf


def read_timed_loss(value: Any) -> tuple[float, float]:
    """A told (loss, seconds), the seconds as logarithm; TypeError, as skopt's, for no pair."""
    if not hasattr(value, "__len__") or len(value) != 2:
        raise TypeError(f"expected y to be (func_val, t), got {value!r}")
    loss, seconds = value
    if not (is_number(seconds) and 0 < seconds < math.inf):
        raise InvalidSearchError(f"the time {seconds!r} must be above zero, and finite.").about(
            "y", value
        )
    return read_loss(loss), math.log(seconds)


def read_point(point: Sequence[Any], space: Space, *, several: bool) -> Point:
    """The point, plain and canonical; the sentences of the errors are scikit-optimize's."""
    if len(point) != len(space):
        raise InvalidSearchError(
            "Not all points have the same dimensions as the space."
            if several
            else f"Dimensions of point ({point}) and space ({space.bounds}) do not match"
        ).about("x", point)
    outside = (
        f"Point ({point}) is not within the bounds of the space ({space.bounds})."
        if not several
        else f"Not all points are within the bounds of the space: {point}."
    )
    try:
        (plain,) = space.canonical([point])
    except InvalidParamsError as error:
        raise InvalidSearchError(f"{outside} {error.rule}").about("x", point) from error
    except (TypeError, ValueError) as error:
        raise InvalidSearchError(outside).about("x", point) from error
    if not space.feasible([plain])[0]:
        raise InvalidSearchError(f"{outside} It breaks the constraint.").about("x", point)
    return plain
