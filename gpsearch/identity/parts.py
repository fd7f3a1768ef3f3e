"""What something is, part by part, so that a message can name the part that changed."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gpsearch.identity.function_code import function_code
from gpsearch.identity.function_values import GENERATORS, bound_state, outer_values
from gpsearch.identity.installed import is_installed_function
from gpsearch.identity.reader import Reader

SCHEME = "2:"
"""Opening of a fingerprint that was made by these rules; earlier ones have none."""

STORED_DIGITS = 16  # of the digest of a part, in a study


@dataclass(frozen=True)
class Identity:
    """What something is, part by part.

    Examples
    --------
    >>> one, other = (Identity.of({"epochs": 5, "rate": rate}) for rate in (0.1, 0.2))
    >>> changed_parts(one.to_json(), other.to_json())
    ['rate']
    """

    parts: Mapping[str, str]
    """Digest of each part, by the name that a message gives it."""
    unidentified: tuple[str, ...] = ()
    """Objects that are told by their class alone."""

    @classmethod
    def of(cls, parts: Mapping[str, Any]) -> Identity:
        """Identify each of several things by name; a function in one part for each value."""
        digests: dict[str, str] = {}
        unidentified: dict[str, None] = {}
        for name, thing in parts.items():
            for part, value in _divided(name, thing).items():
                reader = Reader(part)
                digests[part] = reader.token(value).hex()
                unidentified.update(dict.fromkeys(reader.unidentified))
        return cls(digests, tuple(unidentified))

    @property
    def fingerprint(self) -> str:
        """One text for all parts."""
        return fingerprint(dict(self.parts))

    def to_json(self) -> dict[str, Any]:
        """The parts as a study stores them."""
        return {
            "parts": {name: digest[:STORED_DIGITS] for name, digest in self.parts.items()},
            "unidentified": list(self.unidentified),
        }


def changed_parts(recorded: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Names of the parts that differ between two stored identities; see `Identity.to_json`."""
    one, other = recorded.get("parts", {}), wanted.get("parts", {})
    return [name for name in {**one, **other} if one.get(name) != other.get(name)]


def fingerprint(thing: Any) -> str:
    """A text that is equal for things with the same identity.

    Examples
    --------
    >>> fingerprint({"a": [1.5, None], "b": {2, 3}}) == fingerprint({"b": {3, 2}, "a": [1.5, None]})
    True
    >>> fingerprint(1) == fingerprint(1.0)
    False
    """
    return SCHEME + Reader("").token(thing).hex()


def code_fingerprint(function: Callable[..., Any]) -> str:
    """As `fingerprint`, of the code of a function alone, whatever values it holds."""
    code = getattr(function, "__code__", None)
    return fingerprint(function if code is None else function_code(code).text)


def _divided(name: str, thing: Any) -> dict[str, Any]:
    """A function as its code and each value that its result rests on; anything else whole."""
    if isinstance(thing, functools.partial):
        given: dict[Any, Any] = {**dict(enumerate(thing.args)), **thing.keywords}
        arguments = {
            f"{name}: argument {key}": value
            for key, value in given.items()
            if not isinstance(value, GENERATORS)
        }
        return _divided(name, thing.func) | arguments
    if isinstance(thing, types.MethodType) and isinstance(thing.__func__, types.FunctionType):
        return _divided(name, thing.__func__) | {f"{name}: its object": bound_state(thing)}
    if isinstance(thing, types.FunctionType) and not is_installed_function(thing):
        values = {f"{name}: {key}": value for key, value in outer_values(thing).items()}
        return {name: function_code(thing.__code__).text} | values
    return {name: thing}
