"""Names of a package that are imported when they are first used, and methods of a class, likewise.

A class names the functions of rooms above that are its methods; nothing above is imported for it.
"""

import importlib
import importlib.util
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def method_of(room: str, name: str) -> Callable[..., Any]:
    """The method that calls the function `name` of a room, which is imported when it is called."""

    def call(self: Any, *args: Any, **options: Any) -> Any:
        return getattr(importlib.import_module(room), name)(self, *args, **options)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"See `{room}.{name}`."
    return call


def load_when_used(package: str, homes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Have `package` import the names of its modules, `homes`, when used; gives each its module."""
    module_of = {name: module for module, names in homes.items() for name in names}

    class Package(types.ModuleType):
        def __getattr__(self, name: str) -> Any:
            home = f"{package}.{module_of.get(name, name)}"
            known = name.isidentifier() and not name.startswith("_")
            if not known or importlib.util.find_spec(home) is None:
                raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)
            module = importlib.import_module(home)
            found = getattr(module, name) if name in module_of else module
            return vars(self).setdefault(name, found)

        def __setattr__(self, name: str, value: Any) -> None:
            # Python gives a package each module that it has imported of it; where a name that is
            # used and its module are called alike, the name is meant.
            if module_of.get(name) == name and isinstance(value, types.ModuleType):
                value = getattr(value, name)
            super().__setattr__(name, value)

        def __reduce__(self) -> tuple[Any, ...]:  # a function of the user's travels with it
            return importlib.import_module, (package,)

        def __dir__(self) -> list[str]:
            return sorted({*vars(self), *module_of})

    sys.modules[package].__class__ = Package
    return module_of
