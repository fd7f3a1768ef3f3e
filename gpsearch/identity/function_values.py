"""The values that the result of a function rests on, beside its code and arguments."""

from __future__ import annotations

import random
import types
from typing import Any

import numpy as np

from gpsearch.identity.function_code import function_code
from gpsearch.identity.installed import is_installed_module

GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)
"""Their state says what was drawn so far."""


def outer_values(function: types.FunctionType) -> dict[str, Any]:
    """Defaults, and closed-over, global and own values that a function does not change itself.

    Examples
    --------
    >>> outer_values(lambda x, rate=0.1: rate * x)
    {'default rate': 0.1}
    """
    code = function_code(function.__code__)
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    pairs = zip(reversed(names), reversed(function.__defaults__ or ()), strict=False)
    defaults = dict(sorted(pairs)) | (function.__kwdefaults__ or {})
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    outer = {("closure", name): cell_content(cell) for name, cell in cells}
    for name, value in vars(function).items():
        if not name.startswith("__"):
            outer["attribute", name] = value
    for name, *attributes in code.reads:
        if name in function.__globals__ and not name.startswith("__"):
            value = function.__globals__[name]
            while (
                attributes
                and isinstance(value, types.ModuleType)
                and not is_installed_module(value.__name__)
            ):
                name = f"{name}.{attributes[0]}"
                value = getattr(value, attributes.pop(0), None)
            outer["global", name] = value
    changed = {name.split(".")[0] for name in code.changes}
    kept = {
        f"{kind} {name}": value
        for (kind, name), value in sorted(outer.items(), key=lambda entry: entry[0])
        if name.split(".")[0] not in changed and not isinstance(value, GENERATORS)
    }
    return {f"default {name}": value for name, value in defaults.items()} | kept


def bound_state(method: types.MethodType) -> Any:
    """The object of a bound method, without the attributes that the method itself changes."""
    owner = method.__self__
    if isinstance(owner, type) or hasattr(type(owner), "get_params"):
        return owner
    try:
        reduced = owner.__reduce_ex__(4)
    except Exception:  # a class may refuse in any way
        return owner
    if isinstance(reduced, str) or len(reduced) < 3 or not isinstance(reduced[2], dict):
        return owner
    return [type(owner), reduced[1], without_changes(reduced[2], method.__func__, type(owner))]


def without_changes(state: dict[str, Any], function: Any, kind: type) -> dict[str, Any]:
    """State of an object without what a method, or one that it calls, changes."""
    changed: set[str] = set()
    seen: set[types.CodeType] = set()
    todo = [function]
    while todo:
        code = getattr(todo.pop(), "__code__", None)
        if code is None or code in seen or not code.co_varnames:
            continue
        seen.add(code)
        own = f"{code.co_varnames[0]}."
        changed |= {n.removeprefix(own) for n in function_code(code).changes if n.startswith(own)}
        todo += [getattr(kind, name, None) for name in code.co_names]
    return {
        name: value
        for name, value in state.items()
        if name not in changed and not isinstance(value, GENERATORS)
    }


def cell_content(cell: Any) -> Any:
    """What a closed-over variable holds."""
    try:
        return cell.cell_contents
    except ValueError:
        return "not assigned yet"
