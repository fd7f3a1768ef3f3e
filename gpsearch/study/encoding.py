"""Configurations and curves as JSON text, and back.

A category is stored by value where JSON, or a tuple of what JSON holds, is its whole value.
Other categories are stored as their index among the categories, which only the space of this
process can resolve: `require_storable` refuses such a space for a file.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gpsearch.errors import InvalidSpaceError
from gpsearch.stored_values import storable, value_from_json, value_to_json

if TYPE_CHECKING:
    from gpsearch.space import Space


class ParamsDecoding:
    """Configurations of their JSON text, for a space that is known by its description alone."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        dimensions = {entry["name"]: entry for entry in description["dimensions"]}
        self._fixed = {n: value_from_json(value) for n, value in description["fixed"].items()}
        # By their text, in which 1, 1.0 and True differ, and NaN is equal to itself.
        self._categories: dict[str, dict[str, Any]] = {
            name: {dump(stored): value_from_json(stored) for stored in entry["categories"]}
            for name, entry in dimensions.items()
            if "categories" in entry
        }

    def decode(self, text: str) -> dict[str, Any]:
        """Configuration of its JSON text."""
        return {name: self._decode_value(name, stored) for name, stored in json.loads(text).items()}

    def _decode_value(self, name: str, stored: Any) -> Any:
        if name in self._fixed:
            return self._fixed[name]
        if name in self._categories:
            return self._categories[name][dump(stored)]
        return stored


class ParamsEncoding(ParamsDecoding):
    """The JSON text of a space's configurations, and back to the space's own objects."""

    def __init__(self, space: Space) -> None:
        super().__init__(space.to_json())
        self._fixed = dict(space.fixed)
        self._stored: dict[str, list[Any]] = {}
        self._identify: dict[str, Callable[[Any], Any]] = {}
        for name, column in zip(space.names, space.columns, strict=True):
            if name in self._categories:
                values = [column.decode(place) for place in column.places()]
                self._stored[name] = [
                    stored if storable(stored := value_to_json(value)) else {"category": index}
                    for index, value in enumerate(values)
                ]
                self._categories[name] = dict(
                    zip(map(dump, self._stored[name]), values, strict=True)
                )
                self._identify[name] = column.identity

    def encode(self, params: Mapping[str, Any]) -> str:
        """JSON text of `params`."""
        return dump({name: self._encode_value(name, value) for name, value in params.items()})

    def _encode_value(self, name: str, value: Any) -> Any:
        if name in self._categories:
            return self._stored[name][self._identify[name](value)]
        return value_to_json(value)


class Curves(Mapping[str, tuple[float, ...]]):
    """Learning curves, parsed when first read: most numbers of a long study are in them."""

    def __init__(self, text: str) -> None:
        self._text = text

    @functools.cached_property
    def _curves(self) -> dict[str, tuple[float, ...]]:
        return {name: tuple(map(float, of)) for name, of in json.loads(self._text).items()}

    def __getitem__(self, name: str) -> tuple[float, ...]:
        return self._curves[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._curves)

    def __len__(self) -> int:
        return len(self._curves)

    def __repr__(self) -> str:
        return repr(self._curves)


def dump(value: Any) -> str:
    """Compact JSON text; floats keep every bit, and NaN and infinity are written as such."""
    return json.dumps(value, separators=(",", ":"), default=_plain)


def require_storable(space: Space, path: str) -> None:
    """Raise where a file could not give the values of `space` back."""
    if names := space.unstorable:
        raise InvalidSpaceError(
            f"{path} cannot store the values of {', '.join(map(repr, names))}: a study holds "
            "strings, numbers, booleans, None and tuples of these, never pickled objects. Search "
            "over names and look the objects up in the model function, or keep the study in "
            "memory (study=None)."
        )


def _plain(value: Any) -> Any:
    # Descriptions come from user code, where NumPy scalars and paths slip in.
    if hasattr(value, "item"):
        return value.item()
    return str(value)
