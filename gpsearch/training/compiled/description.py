"""What live Python objects hold, as one digest: equal only where everything reachable is equal.

An object is followed through its attributes, slots and items; a function through its code, its
defaults, its closure and the globals that its code reads; a class through its members and bases.
Functions and classes of trusted packages are told by name. An object that is met again is told
by the number it got before, so that the digest also says what is shared with what.

Anything whose content cannot be seen, such as a generator, an open file or the state of a C
extension, raises `NotDescribed`.
"""

import builtins
import collections
import enum
import functools
import hashlib
import importlib.util
import logging
import operator
import re
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from gpsearch.identity.function_code import cell_content
from gpsearch.training.compiled.bytecode import read_bytecode

# Told by name: their own functions and classes do not change while a process runs.
TRUSTED = {*sys.stdlib_module_names, "absl", "gpsearch", "keras", "ml_dtypes", "numpy"}
TRUSTED |= {"optree", "tensorflow"}
TRUSTED -= {"__main__"}

# Immutable, and told exactly by their `repr`.
_PLAIN = {
    *(type(None), bool, int, float, complex, str, bytes, range, type(...), type(NotImplemented)),
    types.GenericAlias,
}

# Told by what these of their attributes hold, beside their class.
_MADE_OF: dict[Any, tuple[str, ...]] = {
    types.MethodType: ("__func__", "__self__"),
    functools.partial: ("func", "args", "keywords"),
    property: ("fget", "fset", "fdel"),
    staticmethod: ("__func__",),
    classmethod: ("__func__",),
    enum.Enum: ("name",),
    slice: ("start", "stop", "step"),
    re.Pattern: ("pattern", "flags"),
    type(functools.lru_cache(lambda: None)): ("__wrapped__",),
    types.WrapperDescriptorType | types.MethodDescriptorType: ("__name__",),
    types.ClassMethodDescriptorType | types.GetSetDescriptorType: ("__name__",),
    types.MemberDescriptorType: ("__name__",),
    logging.Logger: ("name",),
    np.dtype: ("name", "descr"),
    type(threading.Lock()): (),
    type(threading.RLock()): (),
}
_CONTAINERS = (Mapping, list, tuple, set, frozenset, collections.deque)

# With these a function sees what its code does not name.
_UNBOUND = {"__import__", "compile", "eval", "exec", "globals", "input", "locals", "open"}

# Code that names one of these may read what lies outside of the process, or is loaded later.
_OUTSIDE = {
    *("getenv", "import_module", "load", "loadtxt", "genfromtxt", "fromfile", "memmap"),
    *("open", "read_text", "read_bytes", "read_csv", "load_model", "load_weights"),
}

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

    `special` is called with this description and an object; it adds what it knows of the object
    and returns True, or returns False. `hidden` is called with an object and the name of an
    attribute: whether it is left out, unless code that is described reads one of that name.
    """

    def __init__(
        self,
        special: Callable[["Description", Any], bool] = lambda description, thing: False,
        hidden: Callable[[Any, str], bool] = lambda thing, name: False,
    ) -> None:
        self._special = special
        self._hidden = hidden
        self._parts: list[str] = []
        self._met: dict[Any, tuple[int, Any]] = {}
        self.reads: set[str] = set()  # names that code of the user's own may look up
        self._left_out: dict[str, list[tuple[int, Any]]] = {}
        self._sets: list[Any] = []
        self.own_code = False  # whether some of it is of no trusted package

    def digest(self, thing: Any) -> str:
        """The digest of one object; raises `NotDescribed`."""
        try:
            self.add(thing)
            while (read := sorted(self.reads & self._left_out.keys())) or self._sets:
                for owner, value in self._left_out.pop(read[0]) if read else ():
                    self.tell("read", owner, read[0])
                    self.add(value)
                if not read:  # last of all: most members have a number by then
                    self._items(sorted(self._sets.pop(0), key=self._place))
            if outside := self.reads & _OUTSIDE:
                raise NotDescribed(f"code that names {min(outside)}")
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
        elif self._is_new(id(thing), thing) and not self._special(self, thing):
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
        elif values.size:
            self.tell(hashlib.sha256(np.ascontiguousarray(values).data.cast("B")).hexdigest())

    def _is_new(self, key: Any, thing: Any) -> bool:
        """Whether an object is met for the first time; else its number is told."""
        if key in self._met:
            self.tell("again", self._met[key][0])
            return False
        # Kept, or a later object could get its address.
        self._met[key] = (len(self._met), thing)
        return True

    def _look(self, thing: Any) -> None:
        if name := _trusted_name(thing):
            self.tell("named", name)
        elif isinstance(thing, type):
            self._class(thing)
        elif isinstance(thing, types.FunctionType):
            self._function(thing)
        elif isinstance(thing, types.ModuleType):
            self._module(thing, None)
        elif isinstance(thing, types.BuiltinFunctionType | types.MethodWrapperType):
            owner = thing.__self__
            self._items([thing.__name__, None if isinstance(owner, types.ModuleType) else owner])
        elif isinstance(thing, np.ndarray | np.generic):
            self.array(np.asarray(thing))
            self._if_derived(thing, np.asarray(thing).dtype.type, np.ndarray)
        elif isinstance(thing, _CONTAINERS):
            self._container(thing)
        elif isinstance(thing, weakref.ref):
            self._items([weakref.ref, thing()])
        elif isinstance(thing, types.CellType):
            self._items([types.CellType, cell_content(thing)])
        else:
            fitting = (names for kind, names in _MADE_OF.items() if isinstance(thing, kind))
            made_of = next(fitting, None)
            kind: Any = type(thing)
            if made_of is None and _is_opaque(kind):
                raise NotDescribed(f"{kind.__module__}.{kind.__qualname__}")
            self._items([kind, *(getattr(thing, name) for name in made_of or ())])
            if made_of is None or isinstance(thing, functools.partial):
                self.attributes(thing)

    def _items(self, things: Iterable[Any]) -> None:
        for thing in things:
            self.add(thing)
        self.tell("end")

    def _place(self, member: Any) -> tuple[int, str]:
        """Where a member of a set comes: by the number that it got, or by what it holds."""
        if id(member) in self._met:
            return self._met[id(member)][0], ""
        return -1, Description(self._special, self._hidden).digest(member)

    def _if_derived(self, thing: Any, *kinds: type) -> None:
        """Add class and attributes of an object whose class is none of these."""
        if type(thing) not in kinds:
            self.add(type(thing))
            self.attributes(thing)

    def _container(self, thing: Any) -> None:
        if isinstance(thing, Mapping):
            self.tell("mapping", len(thing))
            self._items(part for entry in thing.items() for part in entry)
            self.add(getattr(thing, "default_factory", None))
        elif isinstance(thing, set | frozenset):
            self.tell("set", len(thing))
            self._sets.append(thing)
        else:
            self.tell("tuple" if isinstance(thing, tuple) else "list", len(thing))
            self._items(thing)
        if root(type(thing).__module__) not in TRUSTED:
            self._if_derived(thing)

    def _class(self, kind: type) -> None:
        if root(kind.__module__) in TRUSTED:
            self.tell("class", kind.__module__, kind.__qualname__)
            return
        self.own_code = True
        self.tell("class", kind.__name__)
        self._items(kind.__bases__)
        if root(type(kind).__module__) not in TRUSTED:
            self.add(type(kind))
        for name, value in sorted(vars(kind).items()):
            if name not in _NOT_MEMBERS:
                self.tell(name)
                reads = set(self.reads)
                self.add(value)
                if name in _BUILDING and isinstance(value, types.FunctionType):
                    self.reads = reads
        self.tell("end")

    def _function(self, function: types.FunctionType) -> None:
        module = str(function.__globals__.get("__name__"))
        self._items([function.__defaults__, function.__kwdefaults__])
        self._items(map(cell_content, function.__closure__ or ()))
        self.attributes(function)
        if root(module) in TRUSTED:
            code = function.__code__
            self.tell("function", module, code.co_qualname, code.co_firstlineno)
            return
        self.own_code = True
        code_text, read, names, imported = read_bytecode(function.__code__)
        self.tell("function", code_text)
        self.reads |= names
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

    def _global(self, value: Any, names: frozenset[str]) -> None:
        if isinstance(value, types.ModuleType):
            self._module(value, names)
        else:
            self.add(value)

    def _module(self, module: types.ModuleType, names: frozenset[str] | None) -> None:
        """A module by what code that names `names` can read of it; None: all."""
        self.tell("module", module.__name__)
        if names is None and root(module.__name__) in TRUSTED:
            return
        if self._is_new((id(module), names), module):
            content = vars(module)
            for name in sorted(content.keys() if names is None else names & content.keys()):
                if not name.startswith("__"):
                    self.tell(name)
                    self._global(content[name], names or frozenset())
            self.tell("end")


def root(module: Any) -> str:
    """The package that a module of this name belongs to."""
    return str(module).split(".", 1)[0]


def _trusted_name(thing: Any) -> str:
    """Under which name a trusted package has this very object; "" where it has not."""
    try:
        module, name = thing.__module__, getattr(thing, "__qualname__", "") or thing.__name__
        if root(module) in TRUSTED and operator.attrgetter(name)(sys.modules[module]) is thing:
            return f"{module}.{name}"
    except Exception:  # an object may raise anything when it is looked at
        pass
    return ""


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
