"""Values at which a user expects the optimum, as a density.

=========== ================================================================ =======
symbol      meaning                                                          shape
=========== ================================================================ =======
e           places of the values expected of one dimension                   (k,)
r           distance of a place to the nearest of them                       (n,)
pi          ``FLOOR + (1 - FLOOR) exp(-r² / (2 WIDTH²))`` for numbers,       (n,)
            1 for an expected category and FLOOR for another
=========== ================================================================ =======

The density of a point is the product over the dimensions of which something is expected and that
exist for it. The floor makes a wrong expectation cost evaluations and never the optimum.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gpsearch.errors import InvalidParamsError, InvalidSearchError
from gpsearch.space import Space
from gpsearch.space.conditions import canonical_place
from gpsearch.strategy.strategy import Array

WIDTH = 0.15  # of the range of a dimension, on its own scale
FLOOR = 0.1


class ExpectedValues:
    """The prior of the optimum that expected values give; an `OptimumPrior`.

    Parameters
    ----------
    expected : dict
        Name of a dimension to the value expected of it, or to several in a list.
    space : Space

    Raises
    ------
    InvalidSearchError
        A name that is not a dimension, or a value that lies outside of it.
    """

    n_evaluations = 10.0

    def __init__(self, expected: Mapping[str, Any], space: Space) -> None:
        self._categorical = space.categorical
        self._values = {name: listed(values) for name, values in expected.items()}
        self._places: dict[int, Array] = {}
        for name, values in self._values.items():
            if name not in space.names:
                raise InvalidSearchError(
                    f"{name!r} is not a dimension; they are {', '.join(space.names)}."
                ).about("optimum_prior", entry=name)
            j = space.names.index(name)
            try:
                self._places[j] = space.columns[j].encode(values)
            except InvalidParamsError as error:
                raise InvalidSearchError(f"{error.value}: {error.rule}").about(
                    "optimum_prior", entry=name
                ) from None
        self.mode: Array | None = np.array([canonical_place(column) for column in space.columns])
        """(d,) the first value expected of each dimension; the middle of the others."""
        for j, places in self._places.items():
            self.mode[j] = places[0]

    def quantile(self, u: Array) -> Array:
        """`u` itself: after the first point the expectation leads through the acquisition alone."""
        return u

    def describe(self) -> dict[str, str]:
        """The values expected of each dimension."""
        return {
            name: f"near {' or '.join(str(value) for value in values)}"
            for name, values in self._values.items()
        }

    def log_density(self, Z: Array, active: np.ndarray) -> tuple[Array, Array]:
        """``log pi`` at the (n, d) rows of `Z`, and its gradient; see `Density.log_density`."""
        value, gradient = np.zeros(len(Z)), np.zeros(Z.shape)
        for j, places in self._places.items():
            difference = Z[:, j, None] - places
            nearest = np.abs(difference).argmin(axis=1)
            r = np.take_along_axis(difference, nearest[:, None], axis=1)[:, 0]
            if self._categorical[j]:
                bump, slope = np.isclose(r, 0.0, atol=1e-9).astype(float), np.zeros(len(Z))
            else:
                bump = np.exp(-0.5 * (r / WIDTH) ** 2)
                slope = -r / WIDTH**2
            density = FLOOR + (1.0 - FLOOR) * bump
            value += np.where(active[:, j], np.log(density), 0.0)
            gradient[:, j] = np.where(active[:, j], (1.0 - FLOOR) * bump * slope / density, 0.0)
        return value, gradient


def listed(values: Any) -> list[Any]:
    """One value, or several in a list, as a list."""
    listed = list(values) if isinstance(values, list | range | np.ndarray) else [values]
    if not listed or isinstance(values, Mapping):
        raise InvalidSearchError(
            f"holds {values!r}; it must hold a value of a dimension, or a list of values."
        ).about("optimum_prior")
    return listed
