"""Dimensions, read from what users write.

==================================================== =======================================
written                                              read as
==================================================== =======================================
``Real(...)``, ``Integer(...)``, ``Categorical``     a copy of it
``(1e-4, 1.0, "log")``, ``(1, 6)``                   Real or Integer; "log-uniform" is "log"
``["adam", "sgd"]``, an array, a range               Categorical, as scikit-learn reads it
``scipy.stats.uniform / loguniform / randint``       Real, log-uniform Real, Integer
``{"low": 1, "high": 6, "prior": ..., "when": ...}`` a TOML table: Integer, Real or Categorical
a number, a string, a boolean, None, ``[5]``         a fixed value, held outside the dimensions
==================================================== =======================================
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from skopt.space import Dimension

from gpsearch.arguments import is_number, is_whole
from gpsearch.described import printable
from gpsearch.errors import InvalidSpaceError
from gpsearch.space.checked import Categorical, Integer, Real
from gpsearch.space.columns import PRIORS, naming_entry, plain

When = dict[str, tuple[Any, ...]]
SEVERAL = list | tuple | range | set | frozenset | np.ndarray
TABLE_KEYS = {"type", "low", "high", "prior", "categories", "when", "base"}


def read(
    specification: Mapping[str, Any] | Sequence[Any],
) -> tuple[list[Dimension], dict[str, Any], dict[str, When]]:
    """Read a dict of name to entry, or a sequence of dimensions.

    Gives named copies of the dimensions, in the order they were written, the values that are the
    same for every point, and for a dimension's name the values of others for which it exists. An
    InvalidSpaceError names the entry that breaks a rule.
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
        with naming_entry(name):
            made = _read_entry(entry)
            _require_printable(name, *getattr(made, "categories", [made]))
        if isinstance(made, Dimension):
            made.name = name
            dimensions.append(made)
        else:
            fixed[name] = made
    return dimensions, fixed, when


def _require_printable(*values: Any) -> None:
    """Refuse half of a surrogate pair, which neither a data frame nor a report can hold."""
    if bad := [v for v in values if isinstance(v, str) and printable(v) != v]:
        raise InvalidSpaceError(
            f"the text {bad[0]!r} holds half of a surrogate pair; write whole characters."
        )


def read_when(name: str, when: Any) -> When:
    """Read the values of other dimensions for which `name` exists."""
    if not isinstance(when, Mapping) or not when:
        raise InvalidSpaceError(
            f"{name!r} has when={when!r}; it must be a table of another dimension's name to the "
            "values for which this one exists."
        ).about("dimensions", entry=name)
    read = {
        parent: tuple(map(plain, values if isinstance(values, SEVERAL) else [values]))
        for parent, values in when.items()
    }
    if never := [parent for parent, values in read.items() if not values]:
        raise InvalidSpaceError(
            f"the condition on {name!r} has no value of {never[0]!r}, so that it never exists; "
            "name one at least."
        ).about("dimensions", entry=name)
    return read


def _read_entry(entry: Any) -> Any:
    """A dimension, or the fixed value."""
    if isinstance(entry, Dimension):
        return copy.copy(entry)
    if isinstance(entry, Mapping):
        return _read_table(entry)
    if hasattr(entry, "rvs") and hasattr(entry, "dist"):
        return _read_distribution(entry)
    if isinstance(entry, tuple):
        return _read_tuple(entry)
    if isinstance(entry, list | range | np.ndarray):
        values = [plain(value) for value in entry]
        if len(values) == 3 and all(map(is_number, values[:2])) and values[2] in list(PRIORS):
            low, high, prior = values
            raise InvalidSpaceError(
                f"the list {values!r} would be three choices. Write the tuple {tuple(values)!r}, "
                f"in TOML {{low = {low}, high = {high}, prior = {prior!r}}}; choices that hold the "
                f"name of a prior are gs.Categorical({values!r})."
            )
        return values[0] if len(values) == 1 else Categorical(values, transform="identity")
    if entry is None or isinstance(entry, str | int | float | bool | np.generic):
        return plain(entry)
    raise InvalidSpaceError(
        f"{entry!r} is not a dimension. Write gs.Real(low, high), gs.Integer(low, high), "
        "gs.Categorical([...]), a list of choices or a single value."
    )


def _read_tuple(entry: tuple[Any, ...]) -> Dimension:
    numbers = len(entry) in (2, 3) and all(is_number(value) for value in entry[:2])
    prior = entry[2] if len(entry) == 3 else "uniform"
    if not numbers or not isinstance(prior, str) or prior not in PRIORS:
        raise InvalidSpaceError(
            f"the tuple {entry!r} must be (low, high) or (low, high, 'log'). Write choices as a "
            "list."
        )
    return _numeric(entry[0], entry[1], prior)


def _read_table(table: Mapping[str, Any]) -> Dimension:
    if unknown := sorted(set(table) - TABLE_KEYS):
        raise InvalidSpaceError(
            f"has the unknown key {unknown[0]!r}; the keys are {', '.join(sorted(TABLE_KEYS))}."
        )
    kind = str(table.get("type", "categorical" if "categories" in table else "")).lower()
    if kind not in ("", "real", "integer", "categorical"):
        raise InvalidSpaceError(
            f"has the type {table['type']!r}; it must be 'real', 'integer' or 'categorical'."
        )
    needed = ["categories"] if kind == "categorical" else ["low", "high"]
    if missing := [key for key in needed if key not in table]:
        raise InvalidSpaceError(f"lacks {missing[0]!r}.")
    if kind == "categorical":
        return Categorical(table["categories"], table.get("prior"), transform="identity")
    return _numeric(table["low"], table["high"], table.get("prior", "uniform"), kind)


def _read_distribution(frozen: Any) -> Dimension:
    """A frozen scipy.stats distribution with a bounded, flat density."""
    family = frozen.dist.name
    low, high = (float(end) for end in frozen.support())
    if family == "uniform":
        return Real(low, high)
    if family in ("loguniform", "reciprocal"):
        return Real(low, high, "log-uniform")
    if family == "randint":
        return Integer(low, high)
    raise InvalidSpaceError(
        f"of the distributions uniform, loguniform and randint are read, not scipy.stats.{family}. "
        "Write gs.Real(low, high) with the bounds to search between."
    )


def _numeric(low: Any, high: Any, prior: str, kind: str = "") -> Dimension:
    integer = kind == "integer" or (not kind and is_whole(low) and is_whole(high))
    return (Integer if integer else Real)(low, high, prior)
