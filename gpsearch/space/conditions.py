"""Dimensions that exist only for some values of others.

A dimension that does not exist for a point stands in z at one canonical place, so that two
points that differ only there are one point, to the surrogate and to the test for repeats.
"""

import graphlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gpsearch.described import value_text
from gpsearch.errors import InvalidParamsError, InvalidSpaceError
from gpsearch.space.columns import Array, Column


class Conditions:
    """The conditions of a space, in terms of z; `when` is as `Space.when` holds it."""

    def __init__(
        self, when: Mapping[str, Mapping[str, Any]], names: Sequence[str], columns: Sequence[Column]
    ) -> None:
        self._places = [canonical_place(column) for column in columns]
        self._allowed: dict[int, dict[int, Array]] = {}
        for name, parents in when.items():
            if unknown := [n for n in (name, *parents) if n not in names]:
                raise InvalidSpaceError(
                    f"the condition on {name!r} names {unknown[0]!r}, which is not a dimension; "
                    f"they are {', '.join(names)}."
                ).about("conditions", entry=name)
            try:
                self._allowed[names.index(name)] = {
                    names.index(parent): columns[names.index(parent)].encode(values)
                    for parent, values in parents.items()
                }
            except InvalidParamsError as error:
                raise InvalidSpaceError(
                    f"the condition on {name!r}: {error.value}: {error.rule}"
                ).about("conditions", entry=name) from None
        self._parents_first = self._sorted()

    def active(self, z: Array) -> np.ndarray:
        """(n, d) booleans: which dimensions exist for the rows of snapped `z`."""
        active = np.ones(np.shape(z), dtype=bool)
        for j in self._parents_first:
            for parent, allowed in self._allowed[j].items():
                known = (np.abs(z[:, parent, None] - allowed) <= 1e-12).any(axis=1)
                active[:, j] &= active[:, parent] & known
        return active

    def canonicalise(self, z: Array) -> Array:
        """`z`, in place, with the dimensions that do not exist at their canonical places."""
        if self._allowed:
            active = self.active(z)
            for j in self._parents_first:
                z[~active[:, j], j] = self._places[j]
        return z

    def _sorted(self) -> list[int]:
        try:
            order = list(graphlib.TopologicalSorter(self._allowed).static_order())
        except graphlib.CycleError:
            raise InvalidSpaceError("the conditions form a circle; cut it somewhere.").about(
                "conditions"
            ) from None
        return [j for j in order if j in self._allowed]


def parents_text(parents: Mapping[str, Sequence[Any]]) -> str:
    """The values of others for which a dimension exists, in words.

    >>> parents_text({"opt": ("sgd", "rmsprop"), "n": (1,)})
    'opt is sgd or rmsprop and n is 1'
    """
    either = {parent: " or ".join(map(value_text, of)) for parent, of in parents.items()}
    return " and ".join(f"{parent} is {values}" for parent, values in either.items())


def canonical_place(column: Column) -> float:
    """Where a dimension stands when it does not exist: its middle, or its first category."""
    return 0.0 if column.categorical else float(column.snap(np.array([0.5]))[0])
