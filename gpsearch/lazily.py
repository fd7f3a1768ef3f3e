"""Names of a package that are imported when they are first used, and methods of a class, likewise.

A class names the functions of rooms above that are its methods; nothing above is imported for it.
"""

import dis
import importlib
import importlib.util
import sys
import types
from collections.abc import Callable
from typing import Any


def method_of(room: str, name: str) -> Callable[..., Any]:
    """The method that calls the function `name` of a room, which is imported when it is called."""

    def call(self: Any, *args: Any, **options: Any) -> Any:
        return getattr(importlib.import_module(room), name)(self, *args, **options)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"See `{room}.{name}`."
    return call


def load_when_used(package: str) -> list[str]:
    """Have a package import names when they are used: those it imports for type checkers alone.

    They stand in its block ``if TYPE_CHECKING:``, each with its module. Returns the names.
    """
    room: Any = sys.modules[package]
    code = room.__spec__.loader.get_code(package)  # there also where the source is left out
    block, home, module_of = False, "", {}
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            home = step.argval
        elif step.opname == "IMPORT_FROM" and block:
            module_of[step.argval] = home
        block |= step.opname == "LOAD_NAME" and step.argval == "TYPE_CHECKING"

    class Package(types.ModuleType):
        def __getattr__(self, name: str) -> Any:
            home = module_of.get(name, f"{package}.{name}")
            known = name.isidentifier() and not name.startswith("_")
            if not known or importlib.util.find_spec(home) is None:
                raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)
            module = importlib.import_module(home)
            found = getattr(module, name) if name in module_of else module
            return vars(self).setdefault(name, found)

        def __setattr__(self, name: str, value: Any) -> None:
            # Python gives a package each module that it has imported of it; where a name that is
            # used and its module are called alike, the name is meant.
            if module_of.get(name) == f"{package}.{name}" and isinstance(value, types.ModuleType):
                value = getattr(value, name)
            super().__setattr__(name, value)

        def __reduce__(self) -> tuple[Any, ...]:  # a function of the user's travels with it
            return importlib.import_module, (package,)

        def __dir__(self) -> list[str]:
            return sorted({*vars(self), *module_of})

    room.__class__ = Package
    return [*module_of]
