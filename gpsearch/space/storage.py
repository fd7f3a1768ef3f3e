"""Dimensions as JSON, and back: by value, never by pickle."""

import inspect
from collections.abc import Callable
from typing import Any

from skopt.space import Categorical, Dimension, Integer, Real

from gpsearch.space.columns import plain
from gpsearch.stored_values import value_from_json, value_to_json


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


def source_text(function: Callable[..., Any] | None) -> str | None:
    """Source text of a function, or its name where there is no source."""
    if function is None:
        return None
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return getattr(function, "__qualname__", type(function).__qualname__)
