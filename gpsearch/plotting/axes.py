"""One dimension as an axis: coordinates of its values, scale, limits and tick labels.

============ ==============================================================================
value        in the user's units
coordinate   position on the axis: the value itself for a Real or Integer (the axis may be
             logarithmic), the index of the category for a Categorical
place        its z in [0, 1], as the surrogate sees it
============ ==============================================================================
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gpsearch.described import number, value_text
from gpsearch.errors import InvalidParamsError, InvalidSearchError
from gpsearch.space import Categorical, Integer, Space

Array = NDArray[np.float64]

GRID_SIZE = 40  # values at which a curve is computed, at most
FEW = 12  # an Integer with at most this many values is drawn as single values
OFF_SCALE = 0.25  # share of the scores that an axis may leave out
WIDE = math.log(100)  # of the greatest loss to the least, above which an axis is logarithmic
DIGITS = 12  # of a category that is a number
LABEL_LENGTH = 14  # longer category names are cut, so that they do not touch their neighbours


@dataclass(frozen=True, kw_only=True)
class DimensionAxis:
    """The axis of one dimension.

    >>> from gpsearch.space import Real
    >>> space = Space({"lr": Real(1e-4, 1.0, prior="log-uniform"), "opt": ["sgd", "adam"]})
    >>> dimension_axis(space, "lr").log, dimension_axis(space, "opt").labels
    (True, ('sgd', 'adam'))
    """

    name: str
    kind: Literal["real", "integer", "categorical"]
    index: int
    """Column of z."""
    low: float
    """Coordinate of the first value."""
    high: float
    """Coordinate of the last value."""
    log: bool = False
    """Whether the dimension, and so its axis, is logarithmic."""
    labels: tuple[str, ...] = ()
    """Names of the categories; empty for a Real or Integer."""
    ordered: bool = True
    """False for categories without an order: no line is drawn between them."""


def dimension_axes(space: Space, names: Sequence[str] | None = None) -> tuple[DimensionAxis, ...]:
    """Make the axes of several dimensions, by default of all; see `dimension_axis`."""
    if names is None:
        names = space.names
    elif isinstance(names, str) or not isinstance(names, Iterable):
        rule = f"must be a list of names of dimensions; they are {', '.join(space.names)}."
        raise InvalidParamsError(rule).about("dimensions", names)
    return tuple(dimension_axis(space, name) for name in names)


def dimension_axis(space: Space, name: str) -> DimensionAxis:
    """Make the axis of the dimension `name`."""
    if name not in space.names:
        fixed = [value for fixed, value in space.fixed.items() if fixed == name]
        why = f" (it is fixed at {fixed[0]!r})" if fixed else ""
        raise InvalidParamsError(
            f"{name!r} is not a dimension of the space{why}; they are {', '.join(space.names)}."
        ).about("dimensions")
    index = space.names.index(name)
    dimension = space.dimensions[index]
    if isinstance(dimension, Categorical):
        return DimensionAxis(
            name=name,
            kind="categorical",
            index=index,
            low=0.0,
            high=float(space.n_values[index] - 1),
            labels=category_labels(space.columns[index].categories),
            ordered=not bool(space.categorical[index]),
        )
    return DimensionAxis(
        name=name,
        kind="integer" if isinstance(dimension, Integer) else "real",
        index=index,
        low=float(dimension.low),
        high=float(dimension.high),
        log=dimension.prior == "log-uniform",
    )


def category_labels(categories: Iterable[Any], length: int = LABEL_LENGTH) -> tuple[str, ...]:
    """Names of categories, short enough for a tick.

    >>> category_labels(["relu", (32, 16), len, 1e-5])
    ('relu', '(32, 16)', 'len', '1e-5')

    A long name loses its end, or its middle where names would then be equal.

    >>> category_labels(["glorot_uniform_scaled", "relu"])
    ('glorot_unifor…', 'relu')
    >>> category_labels(["data/augmented_1.csv", "data/augmented_2.csv"])
    ('data/au…_1.csv', 'data/au…_2.csv')
    """
    names = [value_text(category, DIGITS) for category in categories]
    for end in (0, (length - 1) // 2):
        start = length - 1 - end
        cut = tuple(n if len(n) <= length else f"{n[:start]}…{n[len(n) - end :]}" for n in names)
        if len(set(cut)) == len(set(names)):
            break
    return cut


def coordinates(space: Space, axis: DimensionAxis, params: Sequence[Mapping[str, Any]]) -> Array:
    """(n,) coordinates of configurations on `axis`; NaN where one lacks the dimension."""
    name = axis.name
    return np.array([_coordinate(space, axis, p[name]) if name in p else np.nan for p in params])


def grid(space: Space, axis: DimensionAxis, size: int = GRID_SIZE) -> tuple[Array, Array]:
    """Places and coordinates at which a curve over `axis` is computed, (m,) arrays that rise.

    Every category; every value of an Integer with at most `size` values, else that many of
    them; `size` values of a Real, evenly spaced on its own scale.
    """
    column = space.columns[axis.index]
    if axis.kind == "categorical" or 0 < column.n_values <= size:
        places = column.places()
    else:
        places = np.unique(column.snap(np.linspace(0.0, 1.0, size)))
    return places, np.array([_coordinate(space, axis, column.decode(place)) for place in places])


def fractions(axis: DimensionAxis, at: Array) -> Array:
    """Coordinates as fractions of the way from the first value to the last, on the axis' scale."""
    low, high = axis.low, axis.high
    if axis.log:
        at, low, high = np.log(at), np.log(low), np.log(high)
    return (at - low) / (high - low) if high > low else np.full(len(at), 0.5)


def discrete(dimension: DimensionAxis) -> bool:
    """Whether single values are drawn: categories, or a few integers."""
    few = dimension.kind == "integer" and dimension.high - dimension.low < FEW and not dimension.log
    return dimension.kind == "categorical" or few


def axis_limits(dimension: DimensionAxis) -> tuple[float, float]:
    """Limits that leave room for markers at the first and the last value."""
    low, high = dimension.low, dimension.high
    if discrete(dimension):
        return low - 0.5, high + 0.5
    if dimension.log:
        factor = (high / low) ** 0.04
        return low / factor, high * factor
    margin = 0.04 * (high - low)
    return low - margin, high + margin


def jitter(dimension: DimensionAxis, n: int, width: float = 0.4) -> Array:
    """(n,) small shifts that separate equal values of a discrete axis; else zeros."""
    # Seeded by the dimension, so that a trial is shifted differently along two axes.
    rng = np.random.default_rng(dimension.index)
    return (rng.random(n) - 0.5) * (width if discrete(dimension) else 0.0)


def wrapped(name: str, letters: int = 12) -> str:
    r"""A name in lines of at most so many letters, broken at underscores and spaces if it can be.

    >>> wrapped("learning_rate_decay"), wrapped("momentum"), wrapped("momentum", 6)
    ('learning_\nrate_decay', 'momentum', 'moment\num')
    """
    line = f".{{1,{letters}}}"
    return "\n".join(re.findall(rf"{line}$|{line}(?<=[_ ])|{line}", name))


def log_limits(
    values: Array, greater_is_better: bool, log: bool | None = None
) -> tuple[float, float] | None:
    """Limits that show all values on a logarithmic axis; None where the axis is linear.

    By default, it is logarithmic for losses that are positive and span more than two decades.
    """
    values = values[np.isfinite(values)]
    if log is False or not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    if low <= 0:
        if log:
            raise InvalidSearchError(
                f"needs values above 0, and one is {number(low)}; leave it out."
            ).about("log", log)
        return None
    spread = math.log(high) - math.log(low)
    if log is None and (greater_is_better or spread <= WIDE):
        return None
    margin = math.exp(0.05 * spread or 0.05)
    return low / margin, high * margin


def score_limits(values: Array, must_show: Array, greater_is_better: bool) -> tuple[float, float]:
    """Limits that show `must_show`, and `values` but for `OFF_SCALE` of them, far below."""
    if not greater_is_better:
        low, high = score_limits(-values, -must_show, True)
        return -high, -low
    values, must_show = values[np.isfinite(values)], must_show[np.isfinite(must_show)]
    if not len(values) + len(must_show):
        return 0.0, 1.0
    low, high = float(min([*values, *must_show])), float(max([*values, *must_show]))
    middle = float(np.median(values)) if len(values) else high
    if high > middle:
        cut = min(middle - 3 * (high - middle), float(np.quantile(values, OFF_SCALE)))
        low = min([max(low, cut), *must_show])
    return with_margin(low, high)


def with_margin(low: float, high: float) -> tuple[float, float]:
    """Limits a little wider than the values; the values may be equal."""
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
    return float(low - margin), float(high + margin)


def _coordinate(space: Space, axis: DimensionAxis, value: Any) -> float:
    return float(space.columns[axis.index].identity(value) if axis.labels else value)  # type: ignore[arg-type]
