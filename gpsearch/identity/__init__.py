"""Identity of functions, objects, data and settings: equal text for what gives equal scores.

A study goes on only with the search that began it. What makes up that search is reduced to
digests that are equal in every process and differ where a score could.

===================== ============================================ ==============================
thing                 compared                                     not compared
===================== ============================================ ==============================
function              its code; default and closed-over values;    comments, docstrings, layout,
                      global values that it reads, functions and   type hints of its arguments;
                      classes among them recursively; lists,       names, attributes and entries
                      dicts, sets and objects that it reaches as   that it changes itself; random
                      they were when first identified              generators; modules imported
                                                                   inside of it
partial               function, arguments                          random generators
bound method,         function, class, state of the object         attributes that the method
callable object                                                    itself changes
class                 methods, attributes, bases                   docstring, type hints
object                class, and the state that pickle would keep  its address
array, data frame,    type, shape, names, every value              order in memory, format of
sparse matrix                                                      sparse storage
dict, set             entries                                      their order
estimator             class, parameters; also what it has learned  what one to search over has
                      where a function uses it                     learned
Keras object          class, configuration, weights                names
installed package     name of the function or class                version
===================== ============================================ ==============================

An object with a method ``fingerprint()`` is identified by what that returns. An open file, a lock,
a generator, or an object that pickle refuses is identified by its class alone:
`Identity.unidentified` names these, and a warning does when the study is made.

`SCHEME`, the version of these rules, opens each fingerprint.
"""

import functools
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from gpsearch.identity.function_code import function_code, outer_values, same_source
from gpsearch.identity.installed import is_installed
from gpsearch.identity.reader import Reader, partial_arguments

__all__ = [
    "SCHEME",
    "Identity",
    "changed_parts",
    "code_fingerprint",
    "fingerprint",
    "function_code",
    "same_source",
]

SCHEME = "2:"  # opening of a fingerprint that was made by these rules; earlier ones have none
STORED_DIGITS = 16  # of the digest of a part, in a study


@dataclass(frozen=True)
class Identity:
    """What something is, part by part.

    >>> one, other = (Identity.of({"epochs": 5, "rate": rate}) for rate in (0.1, 0.2))
    >>> changed_parts(one.to_json(), other.to_json())
    ['rate']
    """

    parts: Mapping[str, str]
    """Digest of each part, by the name that a message gives it."""
    unidentified: tuple[str, ...] = ()
    """Objects that are identified by their class alone."""

    @classmethod
    def of(cls, parts: Mapping[str, Any]) -> Self:
        """Identify each of several things by name; a function in one part for each value."""
        digests: dict[str, str] = {}
        unidentified: dict[str, None] = {}
        for name, thing in parts.items():
            for part, value in _divided(name, thing).items():
                reader = Reader(part, thing)
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

    >>> fingerprint({"a": [1.5, None], "b": {2, 3}}) == fingerprint({"b": {3, 2}, "a": [1.5, None]})
    True
    >>> fingerprint(1) == fingerprint(1.0)
    False
    """
    return SCHEME + Reader("", thing).token(thing).hex()


def code_fingerprint(function: Callable[..., Any]) -> str:
    """As `fingerprint`, of the code of a function alone, whatever values it holds."""
    code = getattr(function, "__code__", None)
    return fingerprint(function if code is None else function_code(code).text)


def _divided(name: str, thing: Any) -> dict[str, Any]:
    """A function as its code and each value that its result rests on; anything else whole."""
    if isinstance(thing, functools.partial):
        given = partial_arguments(thing).items()
        arguments = {f"{name}: argument {key}": value for key, value in given}
        return _divided(name, thing.func) | arguments
    if isinstance(thing, types.FunctionType) and not is_installed(
        thing.__globals__.get("__name__")
    ):
        values = {f"{name}: {key}": value for key, value in outer_values(thing).items()}
        return {name: function_code(thing.__code__).text} | values
    return {name: thing}
