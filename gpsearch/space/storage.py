"""Dimensions and values as JSON, and back: by value, never by pickle."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

from skopt.space import Categorical, Dimension, Integer, Real

from gpsearch.space.columns import plain


def dimension_to_json(dimension: Dimension) -> dict[str, Any]:
    """Kind and values of a dimension."""
    if isinstance(dimension, Categorical):
        return {
            "type": "categorical",
            "categories": [value_to_json(plain(category)) for category in dimension.categories],
            "prior": None if dimension.prior is None else [float(p) for p in dimension.prior],
        }
    return {
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


def canonical_json(description: Mapping[str, Any]) -> dict[str, Any]:
    """What `Space.to_json` says of the points, equal for all spellings; without the constraint.

    Bounds are floats, the values of a condition are sorted, a prior that makes all categories
    equally likely is None, and "an object" stands for what JSON cannot hold.
    """
    kinds = {entry["name"]: entry["type"] for entry in description["dimensions"]}

    def spelled(name: str, values: Any) -> list[Any]:
        numeric = kinds.get(name) in ("real", "integer")
        return [float(value) + 0.0 if numeric else _told(value) for value in values]

    def dimension(entry: dict[str, Any]) -> dict[str, Any]:
        if entry["type"] == "categorical":
            prior = entry["prior"]
            prior = prior if prior and len(set(prior)) > 1 else None
            return entry | {"prior": prior, "categories": list(map(_told, entry["categories"]))}
        low, high = spelled(entry["name"], [entry["low"], entry["high"]])
        return entry | {"low": low, "high": high}

    def condition(parent: str, values: Any) -> list[str]:
        return sorted({json.dumps(value) for value in spelled(parent, values)})

    return {
        "dimensions": [dimension(entry) for entry in description["dimensions"]],
        "fixed": {name: _told(value) for name, value in description["fixed"].items()},
        "when": {
            name: {parent: condition(parent, values) for parent, values in when.items()}
            for name, when in description["when"].items()
        },
    }


def _told(stored: Any) -> Any:
    if isinstance(stored, dict):
        return {"tuple": list(map(_told, stored["tuple"]))} if "tuple" in stored else "an object"
    return stored


def value_to_json(value: Any) -> Any:
    """A value that JSON holds, a tuple as ``{"tuple": [...]}``, the rest as ``{"repr": ...}``."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple):
        return {"tuple": [value_to_json(part) for part in value]}
    return {"repr": repr(value)}


def value_from_json(stored: Any) -> Any:
    """Inverse of `value_to_json`; of a ``repr`` only the text is left."""
    if not isinstance(stored, dict):
        return stored
    return stored["repr"] if "repr" in stored else tuple(map(value_from_json, stored["tuple"]))


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
