"""A walk through a thing that gives a token: 32 bytes, equal in every process."""

from __future__ import annotations

import copyreg
import enum
import functools
import hashlib
import struct
import types
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gpsearch.identity.function_code import function_code
from gpsearch.identity.function_values import (
    GENERATORS,
    bound_state,
    cell_content,
    outer_values,
    without_changes,
)
from gpsearch.identity.installed import installed_name, is_installed_function, is_installed_module

BLOCK_BYTES = 2**24  # of an array that lies scattered in memory, copied at once

_PLAIN = (type(None), type(...), bool, int, float, complex, str, bytes)
_PYTHONS = (np.bool_, np.int64, np.float64, np.str_)  # NumPy's names for what Python has
_CONTAINERS = (list, tuple, dict, set, frozenset, types.MappingProxyType)
_SLOTS = (types.MemberDescriptorType, types.GetSetDescriptorType)
_NOT_WRITTEN = ("__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "_abc_impl")


class Reader:
    """One walk, from one thing.

    Functions, classes and objects are numbered as they are met, and named by their number when
    they are met again, so that the walk ends. Containers count by their content alone.

    Parameters
    ----------
    name : str
        What the thing is called where it cannot be identified.
    """

    def __init__(self, name: str) -> None:
        self.unidentified: list[str] = []
        self._where = [name] if name else []
        self._numbers: dict[int, int] = {}
        self._open: list[int] = []
        self._kept: list[Any] = []  # an address means one object only as long as that lives

    def token(self, thing: Any) -> bytes:
        """Token of a thing; of its class alone where it is nested too deeply."""
        try:
            return self._token(thing)
        except RecursionError:
            return self._give_up(thing)

    def _token(self, thing: Any) -> bytes:
        kind = type(thing)
        if kind in _PLAIN:
            return _sealed(kind.__name__, _plain_bytes(thing))
        if isinstance(thing, np.void):
            return self._array(np.asarray(thing))
        if isinstance(thing, np.generic):
            if isinstance(thing, _PYTHONS):
                return self._token(thing.item())
            return _sealed("scalar", thing.dtype.str.encode(), thing.tobytes())
        if isinstance(thing, np.ma.MaskedArray):
            return self._many("masked", np.ma.getmaskarray(thing), np.asarray(thing.filled()))
        if isinstance(thing, np.ndarray):
            return self._array(thing)
        if kind in _CONTAINERS:
            return self._container(thing)
        if id(thing) in self._numbers:
            return _sealed("again", b"%d" % self._numbers[id(thing)])
        self._kept.append(thing)
        self._numbers[id(thing)] = len(self._numbers)
        return self._object(thing)

    def _many(self, tag: str, *things: Any) -> bytes:
        return _sealed(tag, *map(self._token, things))

    def _container(self, thing: Any) -> bytes:
        if id(thing) in self._open:
            return _sealed("around", b"%d" % (len(self._open) - self._open.index(id(thing))))
        self._open.append(id(thing))
        try:
            if isinstance(thing, list | tuple):
                return self._many(type(thing).__name__, *thing)
            if isinstance(thing, set | frozenset):
                return self._many("set", *sorted(thing, key=Reader("").token))
            entries = sorted(thing.items(), key=lambda entry: Reader("").token(entry[0]))
            keys_and_values = (t for k, v in entries for t in (self._token(k), self._named(k, v)))
            return _sealed("dict", *keys_and_values)
        finally:
            self._open.pop()

    def _named(self, name: Any, value: Any) -> bytes:
        self._where.append(str(name) if isinstance(name, str | int) else type(name).__name__)
        try:
            return self._token(value)
        finally:
            self._where.pop()

    def _array(self, array: np.ndarray) -> bytes:
        kind = array.dtype
        if kind.names is not None:
            return self._many("records", list(kind.names), *(array[name] for name in kind.names))
        if kind.hasobject:
            return self._many("objects", array.shape, *array.ravel().tolist())
        little = kind.newbyteorder("<")
        sha = hashlib.sha256(f"array {little.str} {array.shape}".encode())
        for block in _blocks(np.asarray(array)):
            sha.update(np.ascontiguousarray(block, little).reshape(-1).view(np.uint8).data)
        return sha.digest()

    # ------------------------------------------------------------------ what has an address

    def _object(self, thing: Any) -> bytes:
        kind = type(thing)
        if isinstance(thing, types.FunctionType):
            return self._function(thing)
        if isinstance(thing, type):
            return self._class(thing)
        if isinstance(thing, types.ModuleType):
            return _sealed("module", thing.__name__.encode())
        if isinstance(thing, types.MethodType):
            return self._many("method", thing.__func__, bound_state(thing))
        if isinstance(thing, functools.partial):
            return self._partial(thing)
        if isinstance(thing, property):
            return self._many("property", thing.fget, thing.fset, thing.fdel)
        if isinstance(thing, functools.cached_property):
            return self._many("property", thing.func)
        if isinstance(thing, enum.Enum):
            return self._many("member", kind.__name__, thing.name, thing.value)
        if callable(getattr(kind, "fingerprint", None)):
            return self._many("fingerprint", thing.fingerprint())
        try:
            if (known := self._library_object(thing, kind)) is not None:
                return known
        except (NotImplementedError, ValueError, TypeError):
            pass  # it only looks like one
        if (wrapped := getattr(thing, "__wrapped__", None)) is not None:
            return self._many("wrapper", kind, wrapped)
        return self._state(thing)

    def _library_object(self, thing: Any, kind: type) -> bytes | None:
        """Token of data, an estimator or a Keras object; None for anything else."""
        if hasattr(kind, "tocsr"):
            rows = thing.tocsr()
            if not rows.has_canonical_format:
                rows = rows.copy()
                rows.sum_duplicates()
            places = rows.indptr.astype(np.int64), rows.indices.astype(np.int64)
            return self._many("sparse", rows.shape, *places, rows.data)
        if hasattr(kind, "columns") and hasattr(kind, "__array__"):
            names = list(thing.columns)
            if hasattr(kind, "iloc"):
                columns = [_column(thing.iloc[:, i]) for i in range(len(names))]
                return self._many("table", names, np.asarray(thing.index), *columns)
            return self._many("table", names, *(_column(thing[name]) for name in names))
        if hasattr(kind, "__array__") and hasattr(thing, "dtype"):
            index = (np.asarray(thing.index), thing.name) if hasattr(kind, "iloc") else ()
            return self._many("column", _column(thing), *index)
        if hasattr(kind, "get_params") and hasattr(kind, "set_params"):
            return self._many("estimator", kind, thing.get_params(deep=False))
        if hasattr(kind, "get_config") and _is_keras(kind):
            weights = thing.get_weights() if hasattr(kind, "get_weights") else []
            # The configuration of a loss lacks arguments, such as Huber's delta.
            told = {} if hasattr(thing, "variables") else _plain_state(thing)
            return self._many("keras", kind, _nameless(thing), weights, told)
        return None

    def _partial(self, thing: functools.partial[Any]) -> bytes:
        given: list[Any] = [*enumerate(thing.args), *thing.keywords.items()]
        kept = {key: value for key, value in given if not isinstance(value, GENERATORS)}
        return self._many("partial", thing.func, kept)

    def _state(self, thing: Any) -> bytes:
        """What pickle would keep of an object."""
        kind = type(thing)
        try:
            reduce = copyreg.dispatch_table.get(kind)
            reduced = reduce(thing) if reduce else thing.__reduce_ex__(4)
        except Exception:  # a class may refuse in any way
            return self._give_up(thing)
        if isinstance(reduced, str):
            return _sealed("installed", installed_name(thing, reduced).encode())
        make, arguments, state, entries, items = (*reduced, None, None, None)[:5]
        if isinstance(state, dict) and callable(thing):
            state = without_changes(state, kind.__call__, kind)
        return self._many(
            "object",
            make,
            arguments,
            state,
            None if entries is None else list(entries),
            None if items is None else dict(items),
        )

    def _give_up(self, thing: Any) -> bytes:
        kind = type(thing).__name__
        self.unidentified.append(f"{', '.join(self._where) or 'it'} ({kind})")
        return _sealed("unidentified", kind.encode())

    def _function(self, function: types.FunctionType) -> bytes:
        code = function.__code__
        if is_installed_function(function):
            # One made by another function is told by what it closes over, too.
            inner = function.__closure__ if "<locals>" in code.co_qualname else None
            name = installed_name(function, code.co_qualname)
            return self._many("installed", name, list(map(cell_content, inner or ())))
        values = outer_values(function)
        tokens = (t for k, v in values.items() for t in (k.encode(), self._named(k, v)))
        return _sealed("function", self._token(function_code(code).text), *tokens)

    def _class(self, kind: type) -> bytes:
        if is_installed_module(kind.__module__):
            return _sealed("installed", installed_name(kind, kind.__qualname__).encode())
        if issubclass(kind, enum.Enum):
            members = {name: member.value for name, member in kind.__members__.items()}
            return self._many("enum", kind.__name__, members)
        own = {name: value for name, value in vars(kind).items() if _is_written(kind, name, value)}
        return self._many("class", kind.__name__, list(kind.__bases__), own)


def _sealed(tag: str, *tokens: bytes) -> bytes:
    lengths = struct.pack(f"<{len(tokens)}Q", *map(len, tokens))
    return hashlib.sha256(b"|".join([tag.encode(), lengths, *tokens])).digest()


def _plain_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    # The decimal text of an int is limited in length.
    return (hex(value) if type(value) is int else repr(value)).encode()


def _blocks(array: np.ndarray) -> Iterable[np.ndarray]:
    if array.flags.c_contiguous or array.nbytes <= BLOCK_BYTES:
        return [array]
    n = max(1, BLOCK_BYTES * len(array) // array.nbytes)
    return (array[start : start + n] for start in range(0, len(array), n))


def _column(column: Any) -> list[Any]:
    """Type, categories and values of a column."""
    categories = getattr(column.dtype, "categories", None)
    known = None if categories is None else list(categories)
    return [str(column.dtype), known, np.asarray(column)]


def _is_written(kind: type, name: str, value: Any) -> bool:
    """Whether an entry of a class was written by its author."""
    if name in _NOT_WRITTEN or isinstance(value, _SLOTS):
        return False
    if not (name.startswith("__") and name.endswith("__")):
        return True
    generated = "__dataclass_fields__" in vars(kind) or hasattr(kind, "_fields")
    code = getattr(getattr(value, "__wrapped__", value), "__code__", None)
    return code is not None and not (generated and code.co_filename.startswith("<"))


def _is_keras(kind: type) -> bool:
    return any(base.__module__.split(".")[0] == "keras" for base in kind.__mro__)


def _plain_state(thing: Any) -> dict[str, Any]:
    kinds = (*_PLAIN, *_CONTAINERS)
    return {name: value for name, value in vars(thing).items() if type(value) in kinds}


def _nameless(thing: Any) -> Any:
    """Configuration of a Keras object, its layers numbered in place of named."""
    layers = [thing]
    for layer in layers:
        layers += getattr(layer, "layers", [])
    names = {str(getattr(layer, "name", "")): f"layer {i}" for i, layer in enumerate(layers)}

    def read(value: Any, key: str = "") -> Any:
        if isinstance(value, Mapping):
            return {
                name: read(one, str(name)) for name, one in value.items() if name != "build_config"
            }
        if isinstance(value, list | tuple):
            return [read(one) for one in value]
        if isinstance(value, str):
            return names.get(value, "" if key == "name" else value)
        return value

    return read(thing.get_config())
