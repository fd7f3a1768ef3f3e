"""Dimensions, read from what users write.

==================================================== =======================================
written                                              read as
==================================================== =======================================
``Real(...)``, ``Integer(...)``, ``Categorical``     a copy of it
``(1e-4, 1.0, "log-uniform")``, ``(1, 6)``           Real or Integer, as scikit-optimize has it
``["adam", "sgd"]``, an array, a range               Categorical, as scikit-learn reads it
``scipy.stats.uniform / loguniform / randint``       Real, log-uniform Real, Integer
``{"low": 1, "high": 6, "prior": ..., "when": ...}`` a TOML table: Integer, Real or Categorical
a number, a string, a boolean, None, ``[5]``         a fixed value, held outside the dimensions
==================================================== =======================================
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from skopt.space import Categorical, Dimension, Integer, Real

from gpsearch.arguments import is_number, is_whole
from gpsearch.errors import InvalidSpaceError
from gpsearch.space.columns import check_bounds, plain

When = dict[str, tuple[Any, ...]]
TABLE_KEYS = {"type", "low", "high", "prior", "categories", "when", "base"}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a specification says."""

    dimensions: list[Dimension]
    """Named copies, in the order they were written."""
    fixed: dict[str, Any]
    """Values that are the same for every point."""
    when: dict[str, When]
    """Name of a dimension to the values of others for which it exists."""


def read(specification: Mapping[str, Any] | Sequence[Any]) -> Reading:
    """Read a dict of name to entry, or a sequence of dimensions.

    Raises
    ------
    InvalidSpaceError
        When an entry is of no known form, or its values break a rule; it names the entry.
    """
    if isinstance(specification, Mapping):
        entries = list(specification.items())
        if bad := [name for name, _ in entries if not isinstance(name, str) or not name]:
            raise InvalidSpaceError(f"the name {bad[0]!r} must be a non-empty string.").about(
                "dimensions"
            )
    elif isinstance(specification, Sequence) and not isinstance(specification, str):
        entries = [
            (getattr(entry, "name", None) or f"X_{i}", entry)
            for i, entry in enumerate(specification)
        ]
    else:
        raise InvalidSpaceError(
            "must be a dict of name to dimension, or a list of dimensions."
        ).about("dimensions", specification)
    dimensions: list[Dimension] = []
    fixed: dict[str, Any] = {}
    when: dict[str, When] = {}
    for name, entry in entries:
        if isinstance(entry, Mapping) and "when" in entry:
            when[name] = read_when(name, entry["when"])
        made = _read_entry(name, entry)
        if isinstance(made, Dimension):
            made.name = name
            dimensions.append(made)
        else:
            fixed[name] = made
    return Reading(dimensions=dimensions, fixed=fixed, when=when)


def read_when(name: str, when: Any) -> When:
    """Read the values of other dimensions for which `name` exists."""
    if not isinstance(when, Mapping) or not when:
        raise InvalidSpaceError(
            f"{name!r} has when={when!r}; it must be a table of another dimension's name to the "
            "values for which this one exists."
        ).about("dimensions", entry=name)
    return {
        parent: tuple(values) if isinstance(values, list | tuple | range | set) else (values,)
        for parent, values in when.items()
    }


def _read_entry(name: str, entry: Any) -> Any:
    """A dimension, or the fixed value."""
    if isinstance(entry, Dimension):
        return copy.copy(entry)
    if isinstance(entry, Mapping):
        return _read_table(name, entry)
    if hasattr(entry, "rvs") and hasattr(entry, "dist"):
        return _read_distribution(name, entry)
    if isinstance(entry, tuple):
        return _read_tuple(name, entry)
    if isinstance(entry, list | range | np.ndarray):
        values = [plain(value) for value in entry]
        if not values:
            raise InvalidSpaceError(f"{name!r} is an empty list; it must hold a value.").about(
                "dimensions", entry=name
            )
        return values[0] if len(values) == 1 else _categorical(name, values)
    if entry is None or isinstance(entry, str | int | float | bool | np.generic):
        return plain(entry)
    raise InvalidSpaceError(
        f"{name!r} is {entry!r}, which is not a dimension. Write gs.Real(low, high), "
        "gs.Integer(low, high), gs.Categorical([...]), a list of choices or a single value."
    ).about("dimensions", entry=name)


def _read_tuple(name: str, entry: tuple[Any, ...]) -> Dimension:
    low_high, rest = entry[:2], entry[2:]
    if (
        len(low_high) < 2
        or not all(is_number(value) for value in low_high)
        or len(rest) > 1
        or (rest and rest[0] not in ("uniform", "log-uniform"))
    ):
        raise InvalidSpaceError(
            f"{name!r} is the tuple {entry!r}; a tuple must be (low, high) or (low, high, "
            "'log-uniform'). Write choices as a list."
        ).about("dimensions", entry=name)
    return _numeric(name, low_high[0], low_high[1], rest[0] if rest else "uniform")


def _read_table(name: str, table: Mapping[str, Any]) -> Dimension:
    if unknown := sorted(set(table) - TABLE_KEYS):
        raise InvalidSpaceError(
            f"{name!r} has the unknown key {unknown[0]!r}; the keys are "
            f"{', '.join(sorted(TABLE_KEYS))}."
        ).about("dimensions", entry=name)
    kind = str(table.get("type", "categorical" if "categories" in table else "")).lower()
    if kind not in ("", "real", "integer", "categorical"):
        raise InvalidSpaceError(
            f"{name!r} has the type {table['type']!r}; it must be 'real', 'integer' or "
            "'categorical'."
        ).about("dimensions", entry=name)
    needed = ["categories"] if kind == "categorical" else ["low", "high"]
    if missing := [key for key in needed if key not in table]:
        raise InvalidSpaceError(f"{name!r} lacks {missing[0]!r}.").about("dimensions", entry=name)
    if kind == "categorical":
        return _categorical(name, list(table["categories"]), table.get("prior"))
    return _numeric(name, table["low"], table["high"], table.get("prior", "uniform"), kind)


def _read_distribution(name: str, frozen: Any) -> Dimension:
    """A frozen scipy.stats distribution with a bounded, flat density."""
    family = frozen.dist.name
    low, high = (float(end) for end in frozen.support())
    if family == "uniform":
        return _numeric(name, low, high, "uniform", "real")
    if family in ("loguniform", "reciprocal"):
        return _numeric(name, low, high, "log-uniform", "real")
    if family == "randint":
        return _numeric(name, int(low), int(high), "uniform", "integer")
    raise InvalidSpaceError(
        f"{name!r} is scipy.stats.{family}; of the distributions, uniform, loguniform and randint "
        "are read. Write gs.Real(low, high) with the bounds to search between."
    ).about("dimensions", entry=name)


def _numeric(name: str, low: Any, high: Any, prior: str, kind: str = "") -> Dimension:
    if not (is_number(low) and is_number(high)):
        raise InvalidSpaceError(
            f"{name!r} has the bounds {low!r} and {high!r}; both must be numbers."
        ).about("dimensions", entry=name)
    if kind == "integer" and not (float(low).is_integer() and float(high).is_integer()):
        raise InvalidSpaceError(
            f"the integer {name!r} has the bounds {low!r} and {high!r}; both must be whole."
        ).about("dimensions", entry=name)
    integer = kind == "integer" or (not kind and is_whole(low) and is_whole(high))
    check_bounds(name, low, high, prior)
    return Integer(int(low), int(high), prior) if integer else Real(low, high, prior)


def _categorical(name: str, values: list[Any], prior: Any = None) -> Dimension:
    if not values:
        raise InvalidSpaceError(f"{name!r} has no categories; it must have at least one.").about(
            "dimensions", entry=name
        )
    return Categorical(values, prior=prior, transform="identity")
