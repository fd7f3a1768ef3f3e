"""Names of a package that are imported when they are first used, and methods of a class, likewise.

A class asks for the methods that rooms above give it by its name; nothing above is imported for it.
"""

import importlib
import importlib.util
import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

Class = TypeVar("Class", bound=type)

EXTENSIONS: dict[str, dict[str, Any]] = {}
"""By the name of a class, its further attributes; `gpsearch.conveniences` fills it."""


def extended(owner: Class) -> Class:
    """Attach the extensions of a class; a decorator."""
    for name, attached in EXTENSIONS.get(owner.__name__, {}).items():
        setattr(owner, name, attached)
    return owner


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
