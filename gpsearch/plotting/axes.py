"""One dimension as an axis: where its values stand, how it is scaled, what its ticks say.

============ ==============================================================================
value        what the user gave, in the user's units
coordinate   where it stands on the axis: the value itself for a Real or Integer, which may
             then have a logarithmic axis; the index of the category for a Categorical
place        its z in [0, 1], as the surrogate sees it
============ ==============================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gpsearch.errors import InvalidParamsError
from gpsearch.space import Categorical, Integer, Space

Array = NDArray[np.float64]

GRID_SIZE = 40  # values of a Real, or of an Integer with more, at which a curve is computed
LABEL_LENGTH = 14  # a longer category name is cut: it would run into its neighbour


@dataclass(frozen=True, kw_only=True)
class DimensionAxis:
    """The axis of one dimension.

    Examples
    --------
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
    """True where the dimension is logarithmic, and so its axis."""
    labels: tuple[str, ...] = ()
    """Names of the categories; empty for a Real or Integer."""
    ordered: bool = True
    """False for categories without an order, which no line may join."""


def dimension_axis(space: Space, name: str) -> DimensionAxis:
    """Make the axis of the dimension `name`.

    Raises
    ------
    InvalidParamsError
        When the space has no such dimension.
    """
    if name not in space.names:
        fixed = f"; {name!r} is fixed at {space.fixed[name]!r}" if name in space.fixed else ""
        raise InvalidParamsError(
            f"dimension {name!r} is none of the space{fixed}; its dimensions are "
            f"{', '.join(space.names)}."
        )
    index = space.names.index(name)
    dimension = space.dimensions[index]
    if isinstance(dimension, Categorical):
        return DimensionAxis(
            name=name,
            kind="categorical",
            index=index,
            low=0.0,
            high=float(space.n_values[index] - 1),
            labels=tuple(category_label(category) for category in dimension.categories),
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


def category_label(category: Any) -> str:
    """Name of a category, short enough for a tick.

    >>> category_label("relu"), category_label((32, 16)), category_label(len)
    ('relu', '(32, 16)', 'len')
    """
    named = getattr(category, "__name__", None)
    text = category if isinstance(category, str) else named or str(category)
    return text if len(text) <= LABEL_LENGTH else text[: LABEL_LENGTH - 1] + "…"


def coordinates(space: Space, axis: DimensionAxis, params: Sequence[Mapping[str, Any]]) -> Array:
    """(n,) coordinates of `params` on `axis`; NaN where they lack the dimension."""
    column = space.columns[axis.index]
    identity = column.identity if axis.kind == "categorical" else float
    return np.array(
        [float(identity(p[axis.name])) if axis.name in p else np.nan for p in params]  # type: ignore[arg-type]
    )


def grid(space: Space, axis: DimensionAxis, size: int = GRID_SIZE) -> tuple[Array, Array]:
    """Places and coordinates at which a curve over `axis` is computed.

    Every category; every value of an Integer with at most `size` values, else that many of
    them; `size` values of a Real, evenly spaced on its own scale.

    Returns
    -------
    places, coordinates : (m,) float arrays, rising
    """
    column = space.columns[axis.index]
    if axis.kind == "categorical" or 0 < column.n_values <= size:
        places = column.places()
    else:
        places = np.unique(column.snap(np.linspace(0.0, 1.0, size)))
    identity = column.identity if axis.kind == "categorical" else float
    values = [column.decode(place) for place in places]
    return places, np.array([float(identity(value)) for value in values])  # type: ignore[arg-type]
