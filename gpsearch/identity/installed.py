"""Code of installed packages, which is identified by its name."""

import functools
import sys
import sysconfig
from pathlib import Path
from typing import Any

_FOLDERS = {
    *(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")),
    Path(__file__).resolve().parents[1],
}


def is_installed(module_name: Any) -> bool:
    """Whether a module is part of an installed package or of Python itself."""
    module = sys.modules.get(str(module_name))
    if module is None or module_name == "__main__":
        return False
    file = getattr(module, "__file__", None)
    if file is None:
        return module_name in sys.builtin_module_names
    if {"site-packages", "dist-packages"}.intersection(Path(file).absolute().parts):
        return True
    return any(Path(file).resolve().is_relative_to(folder) for folder in _FOLDERS)


@functools.cache
def is_of_keras(kind: type) -> bool:
    """Whether a class is one of Keras's, or derives from one."""
    return any(str(base.__module__).split(".")[0] == "keras" for base in kind.__mro__)


def installed_name(thing: Any, name: str) -> str:
    """Name with its module, without private parts, which move from version to version."""
    module = str(getattr(thing, "__module__", None) or "builtins")
    parts = [part for part in module.split(".") if part[:1] != "_" and part != "src"]
    return ".".join([*parts, name])
