"""Values of a space as JSON, and back; and its description, in one spelling.

Here, apart from the space, since reading a study needs no dimension of scikit-optimize.
"""

import json
from collections.abc import Mapping
from typing import Any


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
    """A value that JSON holds, a tuple as ``{"tuple": [...]}``, the rest as ``{"repr": ...}``.

    What derives from a number or a text, as a member of a StrEnum, is stored as that.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return json.loads(json.dumps(value))
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
