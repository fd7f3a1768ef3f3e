"""Python objects that a configuration names, as "module:name" or "file.py:name"."""

import importlib
import sys
import traceback
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from gpsearch.config.toml_source import Source
from gpsearch.execution.workers.executors import travel_by_value
from gpsearch.study.location import at_home


def find_function(source: Source, table: str, key: str, named: Any) -> Callable[..., Any]:
    """Load a named object that must be callable."""
    function: Callable[..., Any] = find_object(source, table, key, named)
    if not callable(function):
        raise source.error(table, key, f"is {named!r}, which is not a function")
    return function


def find_object(source: Source, table: str, key: str, named: Any) -> Any:
    """Load the object that the entry `key` of a table names."""
    home, colon, name = str(named).rpartition(":")
    if not colon:
        raise source.error(table, key, f'is {named!r}; write "module:name" or "file.py:name"')
    folder = str(source.path.parent.absolute())
    if folder not in sys.path:
        sys.path.append(folder)  # last, so that what lies there takes the name of no other module
    try:
        module = (
            _module_of_file(source.path.parent / at_home(home))
            if home.endswith(".py")
            else importlib.import_module(home)
        )
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise source.error(table, key, f"is {named!r}, which cannot be loaded: {error}") from error
    except (Exception, SystemExit) as error:  # the user's code
        raise source.error(table, key, describe_error(named, error)) from error
    if not hasattr(module, name):
        raise source.error(table, key, f"is {named!r}, but {home} has no {name!r}")
    return getattr(module, name)


def describe_error(named: Any, error: BaseException) -> str:
    """What the user's code raised, and in which line of it."""
    if isinstance(error, SyntaxError):
        return f"is {named!r}, which is not valid Python: {error}"
    raised = "ended the program with" if isinstance(error, SystemExit) else "raised"
    return f"is {named!r}, which {raised} {type(error).__name__}: {error}{place_of(error)}"


def place_of(error: BaseException) -> str:
    """The last line that an error passed outside of this room, in brackets; empty for none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = Path(__file__).parent
    last = next((f for f in reversed(frames) if Path(f.filename).parent != own), None)
    return f" (line {last.lineno} of {Path(last.filename).name})" if last else ""


def _module_of_file(path: Path) -> ModuleType:
    name = f"gpsearch_config_{path.stem}"
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(path):
        return known
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # inspect.getsource looks it up there
    try:
        SourceFileLoader(name, str(path)).exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    travel_by_value(module)
    return module
