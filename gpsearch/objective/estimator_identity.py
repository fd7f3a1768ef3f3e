"""What decides the scores of an estimator, as text that is the same in every process."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import joblib

from gpsearch.training.model_function import source_of


def described(thing: Any) -> Any:
    """An estimator, scorer or parameter as JSON that is the same in every process."""
    if isinstance(thing, bool | int | float | str | type(None)):
        return thing
    if isinstance(thing, Mapping):
        return {str(name): described(value) for name, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [described(value) for value in thing]
    if isinstance(thing, type):
        return f"{thing.__module__}.{thing.__qualname__}"
    if hasattr(thing, "get_params"):
        return [described(type(thing)), described(thing.get_params(deep=False))]
    if inspect.isroutine(thing):
        return _source(thing)
    if hasattr(thing, "_scorers"):
        return described(thing._scorers)
    if hasattr(thing, "_score_func"):
        kwargs = getattr(thing, "_kwargs", {})
        return [_source(thing._score_func), getattr(thing, "_sign", 1), described(kwargs)]
    return digest_of(thing)


def digest_of(value: Any) -> str:
    """Hex digest of data."""
    try:
        return str(joblib.hash(value, hash_name="sha1"))
    except Exception:  # something that cannot be pickled
        return hashlib.sha256(repr(value).encode()).hexdigest()


def _source(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__module__', '')}: {source_of(function)}"
