"""Where good values are expected, as a density that a search leans on and then outgrows.

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

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gpsearch.errors import InvalidParamsError, InvalidSpaceError
from gpsearch.space.columns import Array, Column
from gpsearch.space.conditions import canonical_place

WIDTH = 0.15  # of the range of a dimension, on its own scale
FLOOR = 0.1


class Expected:
    """The expected values of a space, in terms of z.

    Parameters
    ----------
    values : dict
        Name of a dimension to the values expected of it.
    names, columns : sequences of length d
        The dimensions of the space.
    """

    def __init__(
        self,
        values: Mapping[str, tuple[Any, ...]],
        names: Sequence[str],
        columns: Sequence[Column],
    ) -> None:
        self._places: dict[int, Array] = {}
        self._categorical = [column.categorical for column in columns]
        for name, expected in values.items():
            if name not in names:
                raise InvalidSpaceError(
                    f"Space: expected names {name!r}, which is no dimension; they are "
                    f"{', '.join(names)}."
                )
            if not expected:
                raise InvalidSpaceError(f"Space: of {name!r} no value is expected; name one.")
            j = names.index(name)
            try:
                self._places[j] = columns[j].encode(expected)
            except InvalidParamsError as error:
                raise InvalidSpaceError(f"Space: expected: {error}") from None
        self.place = np.array([canonical_place(column) for column in columns])
        """(d,) the first value expected of each dimension; else its canonical place."""
        for j, places in self._places.items():
            self.place[j] = places[0]

    def __bool__(self) -> bool:
        """Whether anything is expected."""
        return bool(self._places)

    def log_density(self, Z: Array, active: np.ndarray) -> tuple[Array, Array]:
        """``log pi`` at the rows of `Z`, up to a constant, and its gradient.

        Parameters
        ----------
        Z : (n, d) float array
        active : (n, d) bool array
            Which dimensions exist.

        Returns
        -------
        value : (n,) float array
        gradient : (n, d) float array
            Zero in dimensions without an order.
        """
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


def read_expected(name: str, values: Any) -> tuple[Any, ...]:
    """One value, or several in a list.

    >>> read_expected("opt", "adam"), read_expected("rate", [0.1, 0.01])
    (('adam',), (0.1, 0.01))
    """
    if isinstance(values, Mapping):
        raise InvalidSpaceError(
            f"Space: of {name!r} {dict(values)!r} is expected; write a value, or a list of values."
        )
    return tuple(values) if isinstance(values, list | range | np.ndarray) else (values,)
