"""What live Python objects hold, as one digest: equal only where everything reachable is equal.

An object is followed through its attributes, slots and items; a function through its code, its
defaults, its closure and the globals that its code reads; a class through its members and bases.
Functions and classes of trusted packages are told by name. An object that is met again is told
by the number it got before, so that the digest also says what is shared with what.

Anything whose content cannot be seen, such as a generator, an open file or the state of a C
extension, raises `NotDescribed`.
"""

from __future__ import annotations

import builtins
import collections
import datetime
import decimal
import dis
import enum
import fractions
import functools
import hashlib
import importlib.util
import logging
import pathlib
import re
import sys
import threading
import types
import uuid
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

# Told by name: their own functions and classes do not change while a process runs.
TRUSTED = {*sys.stdlib_module_names, "absl", "gpsearch", "keras", "ml_dtypes", "numpy"}
TRUSTED |= {"optree", "tensorflow"}
TRUSTED -= {"__main__"}

# Immutable, and told exactly by their `repr`.
_PLAIN = {
    *(type(None), bool, int, float, complex, str, bytes, range, type(...), type(NotImplemented)),
    *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta),
    *(decimal.Decimal, fractions.Fraction, uuid.UUID, types.GenericAlias),
    *(pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath, pathlib.PureWindowsPath),
}
_CACHED = type(functools.lru_cache(lambda: None))
_LOCKS = (type(threading.Lock()), type(threading.RLock()))
_DESCRIPTORS = (
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)
_CONTAINERS = (Mapping, list, tuple, set, frozenset, collections.deque)

# With these a function sees what its code does not name.
_UNBOUND = {"__import__", "compile", "eval", "exec", "globals", "input", "locals", "open"}

# Of a class: nothing of what its instances do depends on them.
_NOT_MEMBERS = {
    *("__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__annotations__"),
    *("__abstractmethods__", "_abc_impl", "__slots__", "__firstlineno__", "__static_attributes__"),
    *("__parameters__", "__orig_bases__", "__dataclass_params__", "__annotate__"),
}

# What these methods read has left its trace in the object once it is built.
_BUILDING = {"__init__", "build", "from_config", "get_config"}

# Objects that may be followed before a description is given up.
_MOST_PARTS = 2_000_000


class NotDescribed(Exception):  # noqa: N818 (says no more than that sharing is not possible)
    """The content of something cannot be seen."""


class Description:
    """A digest in the making.

    Parameters
    ----------
    special : callable
        Called with this description and an object; adds what it knows of the object and returns
        True, or returns False.
    hidden : callable
        Called with an object and the name of an attribute: whether it is left out, unless some
        code that is described reads an attribute of that name.
    """

    def __init__(
        self,
        special: Callable[[Description, Any], bool] = lambda description, thing: False,
        hidden: Callable[[Any, str], bool] = lambda thing, name: False,
    ) -> None:
        self._special = special
        self._hidden = hidden
        self._parts: list[str] = []
        self._met: dict[Any, tuple[int, Any]] = {}
        self._reads: set[str] = set()
        self._left_out: dict[str, list[tuple[int, Any]]] = {}

    def digest(self, thing: Any) -> str:
        """The digest of one object.

        Raises
        ------
        NotDescribed
        """
        try:
            self.add(thing)
            while read := sorted(self._reads & self._left_out.keys()):
                for owner, value in self._left_out.pop(read[0]):
                    self.tell("read", owner, read[0])
                    self.add(value)
        except NotDescribed:
            raise
        except Exception as error:  # an object may raise anything when it is looked at
            raise NotDescribed(repr(error)) from error
        return hashlib.sha256("\n".join(self._parts).encode(errors="surrogatepass")).hexdigest()

    def tell(self, *words: Any) -> None:
        """Add plain words."""
        self._parts.append(" ".join(map(repr, words)))
        if len(self._parts) > _MOST_PARTS:
            raise NotDescribed("more than can be followed")

    def add(self, thing: Any) -> None:
        """Add an object with all that it holds."""
        kind = type(thing)
        if kind in _PLAIN:
            self.tell(kind.__name__, thing)
        elif kind is tuple or kind is frozenset:  # may or may not be one object, without meaning
            self._container(thing)
        elif id(thing) in self._met:
            self.tell("again", self._met[id(thing)][0])
        else:
            self._meet(id(thing), thing)
            if not self._special(self, thing):
                self._look(thing)

    def attributes(self, thing: Any) -> None:
        """Add the attributes of an instance."""
        kind: Any = type(thing)
        slots = ((name, slot) for name, slot in _slots(kind) if hasattr(thing, name))
        state = {name: slot.__get__(thing) for name, slot in slots}
        state.update(getattr(thing, "__dict__", {}))
        owner = len(self._met)
        for name in sorted(state, key=str):
            if isinstance(name, str) and self._hidden(thing, name):
                self._left_out.setdefault(name, []).append((owner, state[name]))
            else:
                self.tell(name)
                self.add(state[name])
        self.tell("end")

    def array(self, values: np.ndarray) -> None:
        """Add an array."""
        self.tell("array", str(values.dtype), values.shape)
        if values.dtype.hasobject:
            self._items(values.ravel().tolist())
        else:
            self.tell(
                hashlib.sha256(np.ascontiguousarray(values).data.cast("B")).hexdigest()
                if values.size
                else ""
            )

    def _meet(self, key: Any, thing: Any) -> None:
        # Kept, or a later object could get its address.
        self._met[key] = (len(self._met), thing)

    def _look(self, thing: Any) -> None:
        if _is_named(thing):
            self.tell("named", thing.__module__, _name(thing))
        elif isinstance(thing, type):
            self._class(thing)
        elif isinstance(thing, types.FunctionType):
            self._function(thing)
        elif isinstance(thing, types.ModuleType):
            self._module(thing, None)
        elif isinstance(thing, types.MethodType):
            self.tell("method")
            self._items([thing.__func__, thing.__self__])
        elif isinstance(thing, types.BuiltinFunctionType | types.MethodWrapperType):
            self.tell("builtin", thing.__name__)
            if not isinstance(thing.__self__, types.ModuleType | None):
                self.add(thing.__self__)
        elif isinstance(thing, _DESCRIPTORS):
            self.tell("descriptor", thing.__name__)
        elif isinstance(thing, functools.partial):
            self._items([type(thing), thing.func, thing.args, thing.keywords])
            self.attributes(thing)
        elif isinstance(thing, property):
            self._items([property, thing.fget, thing.fset, thing.fdel])
        elif isinstance(thing, staticmethod | classmethod):
            self._items([type(thing), thing.__func__])
        elif isinstance(thing, enum.Enum):
            self.tell("member", thing.name)
            self.add(type(thing))
        elif isinstance(thing, np.ndarray | np.generic):
            self._array_like(thing)
        elif isinstance(thing, np.dtype | logging.Logger):
            self.tell(type(thing).__name__, str(thing))
        elif isinstance(thing, _CONTAINERS):
            self._container(thing)
        elif isinstance(thing, _LOCKS):
            self.tell("lock")
        elif isinstance(thing, slice):
            self._items([slice, thing.start, thing.stop, thing.step])
        elif isinstance(thing, weakref.ref):
            self._items([weakref.ref, thing()])
        elif isinstance(thing, types.CellType):
            self._cells([thing])
        elif isinstance(thing, _CACHED):
            self._items([functools.lru_cache, thing.__wrapped__])
        elif isinstance(thing, re.Pattern):
            self.tell("pattern", thing.pattern, thing.flags)
        else:
            self._instance(thing)

    def _items(self, things: Iterable[Any]) -> None:
        for thing in things:
            self.add(thing)
        self.tell("end")

    def _instance(self, thing: Any) -> None:
        kind: Any = type(thing)
        if _is_opaque(kind):
            raise NotDescribed(f"{kind.__module__}.{kind.__qualname__}")
        self.tell("instance")
        self.add(kind)
        self.attributes(thing)

    def _array_like(self, thing: Any) -> None:
        values = np.asarray(thing)
        self.array(values)
        if type(thing) not in (np.ndarray, values.dtype.type):
            self.add(type(thing))
            self.attributes(thing)

    def _container(self, thing: Any) -> None:
        kind = type(thing)
        own = root(kind.__module__) not in TRUSTED
        if isinstance(thing, Mapping):
            self.tell("mapping", len(thing))
            for key, value in thing.items():
                self.add(key)
                self.add(value)
            self.add(getattr(thing, "default_factory", None))
        elif isinstance(thing, set | frozenset):
            self.tell("set", len(thing))
            for part in sorted(Description(self._special, self._hidden).digest(x) for x in thing):
                self.tell(part)
        else:
            self.tell("tuple" if isinstance(thing, tuple) else "list", len(thing))
            self._items(thing)
        if own:
            self.add(kind)
            self.attributes(thing)

    def _class(self, kind: type) -> None:
        if root(kind.__module__) in TRUSTED:
            self.tell("class", kind.__module__, kind.__qualname__)
            return
        self.tell("class", kind.__name__)
        self._items(kind.__bases__)
        if root(type(kind).__module__) not in TRUSTED:
            self.add(type(kind))
        for name, value in sorted(vars(kind).items()):
            if name not in _NOT_MEMBERS:
                self.tell(name)
                if name in _BUILDING and isinstance(value, types.FunctionType):
                    reads = set(self._reads)
                    self.add(value)
                    self._reads = reads
                else:
                    self.add(value)
        self.tell("end")

    def _function(self, function: types.FunctionType) -> None:
        module = str(function.__globals__.get("__name__"))
        self._items([function.__defaults__, function.__kwdefaults__])
        self._cells(function.__closure__ or ())
        self.attributes(function)
        if root(module) in TRUSTED:
            code = function.__code__
            self.tell("function", module, code.co_qualname, code.co_firstlineno)
            return
        code_text, read, names, imported = _of_code(function.__code__)
        self.tell("function", code_text)
        self._reads |= names
        for name in read:
            self.tell(name)
            if name in function.__globals__:
                self._global(function.__globals__[name], names)
            elif name in _UNBOUND:
                raise NotDescribed(f"{function.__qualname__} calls {name}")
            else:
                self.add(getattr(builtins, name, "unset"))
        for name, level in imported:
            package = function.__globals__.get("__package__")
            name = importlib.util.resolve_name("." * level + name, package) if level else name
            self.tell("import", name)
            for part in (name, name.split(".")[0]):
                if part in sys.modules:
                    self._module(sys.modules[part], names)
        self.tell("end")

    def _cells(self, cells: Iterable[Any]) -> None:
        for cell in cells:
            try:
                content = cell.cell_contents
            except ValueError:
                self.tell("empty")
            else:
                self.add(content)
        self.tell("end")

    def _global(self, value: Any, names: frozenset[str]) -> None:
        if isinstance(value, types.ModuleType):
            self._module(value, names)
        else:
            self.add(value)

    def _module(self, module: types.ModuleType, names: frozenset[str] | None) -> None:
        """A module by what code that names `names` can read of it; None: all."""
        if names is None and root(module.__name__) in TRUSTED:
            self.tell("module", module.__name__)
            return
        key = (id(module), names)
        if key in self._met:
            self.tell("again", self._met[key][0])
            return
        self._meet(key, module)
        content = vars(module)
        shown = content.keys() if names is None else names & content.keys()
        self.tell("module", module.__name__)
        for name in sorted(shown):
            if not name.startswith("__"):
                self.tell(name)
                self._global(content[name], names or frozenset())
        self.tell("end")


def root(module: Any) -> str:
    """The package that a module of this name belongs to."""
    return str(module).split(".", 1)[0]


def _name(thing: Any) -> Any:
    return getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None)


def _is_named(thing: Any) -> bool:
    """Whether a trusted package has this very object under the object's own name."""
    try:
        module, name = thing.__module__, _name(thing)
    except Exception:
        return False
    if not isinstance(module, str) or not isinstance(name, str) or root(module) not in TRUSTED:
        return False
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is thing


@functools.cache
def _slots(kind: Any) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (name, member)
        for base in kind.__mro__
        if "__slots__" in vars(base)
        for name, member in vars(base).items()
        if isinstance(member, types.MemberDescriptorType)
    )


@functools.cache
def _is_opaque(kind: Any) -> bool:
    """Whether instances have memory that Python does not show; as `copyreg` decides it."""
    size = object.__basicsize__
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        names = [slots] if isinstance(slots, str) else list(slots)
        size += 8 * len([name for name in names if name not in ("__dict__", "__weakref__")])
    size += 8 * (kind.__dictoffset__ > 0) + 8 * (kind.__weakrefoffset__ > 0)
    return bool(kind.__itemsize__ or kind.__basicsize__ > size)


@functools.lru_cache(1024)
def _of_code(
    code: types.CodeType,
) -> tuple[str, tuple[str, ...], frozenset[str], tuple[tuple[str, int], ...]]:
    """Code as text, the globals it reads, every name it may look up, and what it imports."""
    read: dict[str, None] = {}
    names: set[str] = set(code.co_names)
    imported: list[tuple[str, int]] = []
    constants: list[str] = []
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            text, inner_read, inner_names, inner_imported = _of_code(constant)
            read |= dict.fromkeys(inner_read)
            names |= inner_names
            imported += inner_imported
            constants.append(text)
        else:
            constants.append(f"{type(constant).__name__} {constant!r}")
            if isinstance(constant, str) and constant.isidentifier():
                names.add(constant)  # as for getattr
    loaded: list[Any] = []
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
            read[step.argval] = None
        elif step.opname in ("LOAD_CONST", "LOAD_SMALL_INT"):
            loaded.append(step.argval)
        elif step.opname == "IMPORT_NAME":
            imported.append((step.argval, loaded[-2]))  # the level, and then the names wanted
    text = repr(
        (
            code.co_code,
            constants,
            code.co_names,
            code.co_varnames,
            code.co_freevars,
            code.co_cellvars,
            code.co_flags,
            code.co_argcount,
            code.co_kwonlyargcount,
            code.co_posonlyargcount,
            code.co_exceptiontable,
        )
    )
    return text, tuple(read), frozenset(names), tuple(imported)
