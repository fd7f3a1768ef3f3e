"""Checks of plain argument values, the same for every public call.

Each takes the name of the argument and its value, and returns the value as a plain Python type
or raises an error of the given kind. ``also`` names what else the caller takes.
"""

import inspect
import math
import numbers
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gpsearch.errors import GPSearchError, InvalidSearchError

Kind = type[GPSearchError]
T = TypeVar("T")


def is_whole(value: Any) -> bool:
    """Whether `value` is an integer of Python's or NumPy's, and not a boolean."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether `value` is a real number that a float can hold, and not a boolean."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    try:
        float(value)
    except OverflowError:  # an int beyond all floats
        return False
    return True


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """The signature of a function; of a builtin that does not tell its own, one of anything."""
    try:
        return inspect.signature(function)
    except ValueError:
        return inspect.signature(lambda *given: ...)


def function_of(argument: str, function: Callable[..., Any], *given: str) -> None:
    """Refuse a function that cannot be called with what it will be given.

    >>> function_of("racing", print, "the study", "the trial")
    >>> try:
    ...     function_of("racing", lambda study: True, "the study", "the trial")
    ... except InvalidSearchError as error:
    ...     print(error.rule)
    must be a function of the study and the trial: too many positional arguments.
    """
    try:
        signature_of(function).bind(*given)
    except TypeError as error:
        raise InvalidSearchError(f"must be a function of {' and '.join(given)}: {error}.").about(
            argument, function
        ) from None


def whole(
    argument: str, value: Any, least: int, *, also: str = "", kind: Kind = InvalidSearchError
) -> int:
    """An integer of at least `least`."""
    if not is_whole(value) or int(value) < least:
        raise refusal(kind, argument, value, f"a whole number of at least {least}", also)
    return int(value)


def power_of_two(argument: str, value: Any) -> int:
    """2, 4, 8, ..."""
    if not is_whole(value) or value < 2 or value & (value - 1):
        raise refusal(InvalidSearchError, argument, value, "a power of two")
    return int(value)


def positive(
    argument: str, value: Any, unit: str = "", *, also: str = "", kind: Kind = InvalidSearchError
) -> float:
    """A number above 0, infinity among them; `unit` says what it counts."""
    if not is_number(value) or not value > 0:
        raise refusal(kind, argument, value, f"a number{unit and f' of {unit}'} above 0", also)
    return float(value)


def finite(argument: str, value: Any, *, also: str = "", kind: Kind = InvalidSearchError) -> float:
    """A number that is neither infinite nor NaN."""
    if not is_number(value) or not math.isfinite(value):
        raise refusal(kind, argument, value, "a number", also)
    return float(value)


def fraction(
    argument: str, value: Any, *, also: str = "", kind: Kind = InvalidSearchError
) -> float:
    """A number between 0 and 1, neither of them."""
    if not is_number(value) or not 0 < value < 1:
        raise refusal(kind, argument, value, "a number between 0 and 1", also)
    return float(value)


def between(
    argument: str,
    value: Any,
    low: float,
    high: float = math.inf,
    *,
    kind: Kind = InvalidSearchError,
) -> float:
    """A finite number from `low` to `high`."""
    if not is_number(value) or not math.isfinite(value) or not low <= value <= high:
        upto = "" if high == math.inf else f" to {high:g}"
        raise refusal(kind, argument, value, f"a number from {low:g}{upto}")
    return float(value)


def array(argument: str, value: Any, *shape: int | None, dtype: type = float) -> NDArray[Any]:
    """An array of finite numbers, or of booleans, whose axes have these lengths; None is any."""
    try:
        read = np.asarray(value, dtype=None if dtype is bool else dtype)
    except (TypeError, ValueError):
        read = np.asarray(None)
    fits = read.dtype == dtype and read.ndim == len(shape)
    fits = fits and all(n in (None, m) for n, m in zip(shape, read.shape, strict=True))
    if not fits or not (dtype is bool or np.isfinite(read).all()):
        entries = "booleans" if dtype is bool else "finite numbers"
        lengths = ", ".join("n" if n is None else str(n) for n in shape)
        shaped = f"({lengths}{',' * (len(shape) == 1)})"
        wanted = f"an array of {entries}, of shape {shaped}"
        raise refusal(InvalidSearchError, argument, value, wanted)
    return read


def boolean(argument: str, value: Any, *, also: str = "", kind: Kind = InvalidSearchError) -> bool:
    """True or False; a text such as "no" would count as true."""
    if not isinstance(value, bool | np.bool_):
        raise refusal(kind, argument, value, "True or False", also)
    return bool(value)


def one_of(
    argument: str,
    value: Any,
    names: Iterable[str],
    *,
    also: str = "",
    kind: Kind = InvalidSearchError,
) -> str:
    """One of the names."""
    names = list(names)
    if not isinstance(value, str) or value not in names:
        raise refusal(kind, argument, value, f"one of {', '.join(map(repr, names))}", also)
    return str(value)


def instance_of(
    argument: str,
    value: Any,
    types: type[T] | tuple[type[T], ...],
    wanted: str,
    *,
    also: str = "",
    kind: Kind = InvalidSearchError,
) -> T:
    """A value of one of `types`; `wanted` names them for the message."""
    if not isinstance(value, types):
        raise refusal(kind, argument, value, wanted, also)
    return value


def answer(argument: str, function: Any, returned: Any) -> bool:
    """Whether what a function of the user's returned is true.

    >>> answer("stop", print, None)
    False
    """
    try:
        return bool(returned)
    except Exception as error:  # an array, a data frame, a tensor
        shape = getattr(returned, "shape", ())
        shaped = f" of shape {tuple(shape)}" if shape else ""
        raise InvalidSearchError(
            f"returned {type(returned).__name__}{shaped}, which is neither true nor false. "
            "Return True or False, as any() and all() of an array do."
        ).about(argument, function) from error


def optional(
    check: Callable[..., T], argument: str, value: Any, *rule: Any, **more: Any
) -> T | None:
    """What a check of this file returns, or None for None."""
    return None if value is None else check(argument, value, *rule, also="None", **more)


def refusal(kind: Kind, argument: str, value: Any, wanted: str, also: str = "") -> GPSearchError:
    """The error for a value that is not what is wanted."""
    return kind(f"must be {wanted}{also and f', or {also}'}.").about(argument, value)


def kind_of_thing(thing: Any) -> str:
    """Name what is often given in place of a function, such as "a class"; empty for others.

    >>> kind_of_thing(dict), kind_of_thing(print)
    ('a class', '')
    """
    if isinstance(thing, type):
        return "a class"
    if any(kind.__module__.startswith("keras.") for kind in type(thing).__mro__):
        return "a Keras model" if hasattr(thing, "compute_loss") else "a Keras object"
    return "an estimator" if hasattr(thing, "fit") else ""
