"""Dimensions and values as JSON, and back: by value, never by pickle."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from skopt.space import Categorical, Dimension, Integer, Real

from gpsearch.space.columns import plain


def dimension_to_json(dimension: Dimension) -> dict[str, Any]:
    """Name, kind and values of a dimension."""
    if isinstance(dimension, Categorical):
        prior = None if dimension.prior is None else [float(p) for p in dimension.prior]
        categories = [value_to_json(plain(category)) for category in dimension.categories]
        return {
            "name": dimension.name,
            "type": "categorical",
            "categories": categories,
            "prior": prior,
        }
    return {
        "name": dimension.name,
        "type": "integer" if isinstance(dimension, Integer) else "real",
        "low": plain(dimension.low),
        "high": plain(dimension.high),
        "prior": dimension.prior,
    }


def dimension_from_json(entry: dict[str, Any]) -> Dimension:
    """Inverse of `dimension_to_json`."""
    if entry["type"] == "categorical":
        categories = [value_from_json(category) for category in entry["categories"]]
        return Categorical(
            categories, prior=entry["prior"], transform="identity", name=entry["name"]
        )
    kind: Any = Integer if entry["type"] == "integer" else Real
    return kind(entry["low"], entry["high"], prior=entry["prior"], name=entry["name"])


def value_to_json(value: Any) -> Any:
    """A value that JSON holds, a tuple as ``{"tuple": [...]}``, the rest as ``{"repr": ...}``."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple):
        return {"tuple": [value_to_json(part) for part in value]}
    return {"repr": repr(value)}


def value_from_json(stored: Any) -> Any:
    """Inverse of `value_to_json`; of a ``repr`` only the text is left."""
    if isinstance(stored, dict):
        return (
            stored["repr"]
            if "repr" in stored
            else tuple(value_from_json(part) for part in stored["tuple"])
        )
    return stored


def storable(stored: Any) -> bool:
    """Whether the stored form is the whole value.

    >>> storable(value_to_json((32, "relu"))), storable(value_to_json(print))
    (True, False)
    """
    if isinstance(stored, dict):
        return "repr" not in stored and all(storable(part) for part in stored["tuple"])
    return True


def source_text(function: Callable[..., Any] | None) -> str | None:
    """Source text of a function, or its name where there is no source."""
    if function is None:
        return None
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return getattr(function, "__qualname__", type(function).__qualname__)
