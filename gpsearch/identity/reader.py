"""A walk through a thing that gives a token: 32 bytes, equal in every process."""

import copyreg
import functools
import hashlib
import struct
import types
import weakref
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gpsearch.identity.function_code import (
    GENERATORS,
    cell_content,
    changed_within,
    function_code,
    outer_values,
    without_changes,
    without_class_changes,
)
from gpsearch.identity.installed import installed_name, is_installed, is_of_keras

BLOCK_BYTES = 2**24  # of an array that lies scattered in memory, copied at once
DEPTH = 40  # of the view by which the members of a set are put in order

_FIRST_SEEN: weakref.WeakKeyDictionary[Any, dict[int, tuple[bytes, Any]]]
_FIRST_SEEN = weakref.WeakKeyDictionary()
"""For each function, what it can reach and change, as it was when first identified here."""

_PLAIN = (type(None), type(...), bool, int, float, complex, str, bytes)
_VALUES: tuple[type, ...] = (
    *(tuple, frozenset, type, property, functools.partial, functools.cached_property),
    *(types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType),
)
_CONTAINERS = (list, tuple, dict, set, frozenset, types.MappingProxyType)


class Reader:
    """One walk from one thing, which may lead back to itself.

    `name` is what the thing is called where it cannot be identified. Where `root` is a function, it
    may change what it reaches, as a cache or a counter, in more ways than its code shows: lists,
    dicts, sets and objects that it reaches count as they were when it was first identified in this
    process. Objects nested deeper than `depth` count as equal, and a circle goes on to this depth:
    the token of a thing then rests on the thing alone, not on where the walk came from.
    """

    def __init__(self, name: str, root: Any, depth: int | None = None) -> None:
        self.unidentified: list[str] = []
        self._depth = depth
        self._orderly: Reader | None = None
        self._root = root
        inner = _innermost(root)
        self._first_seen = _first_seen(inner)
        self._changing: dict[int, set[str]] = {}
        self._known = set[types.FunctionType]()
        self._know_changes(inner)  # of all functions, before what they change is read
        self._where = [name] if name else []
        self._open: list[int] = []
        # An address means one object only as long as that lives.
        self._done: dict[Any, tuple[bytes, Any]] = {}

    def token(self, thing: Any) -> bytes:
        """Token of a thing; of its class alone where it is nested too deeply."""
        try:
            return self._token(thing)
        except RecursionError:
            return self._give_up(thing)

    def _token(self, thing: Any) -> bytes:
        kind = type(thing)
        if isinstance(thing, np.bool_ | np.int64 | np.float64 | np.str_):
            return self._token(thing.item())
        if kind in _PLAIN:
            return _sealed(kind.__name__, _plain_bytes(thing))
        if isinstance(thing, np.ma.MaskedArray):
            return self._many("masked", thing.data, np.ma.getmaskarray(thing))
        if isinstance(thing, np.ndarray | np.generic):
            return self._array(np.asarray(thing))
        place: Any = id(thing)
        if self._depth is not None:
            if len(self._open) == self._depth:
                return _sealed("deep", kind.__name__.encode())
            place = place, len(self._open)
        elif place in self._open:
            return _sealed("around", b"%d" % (len(self._open) - self._open.index(place)))
        if place not in self._done:
            self._done[place] = self._seen_first(thing) or (self._read(thing), thing)
        return self._done[place][0]

    def _seen_first(self, thing: Any) -> tuple[bytes, Any] | None:
        """What was read of a thing that may have changed since; None where it counts as it is."""
        if self._first_seen is None or thing is self._root or isinstance(thing, _VALUES):
            return None
        if id(thing) in self._first_seen:
            return self._first_seen[id(thing)]
        known = len(self.unidentified)
        read = self._read(thing), thing
        if len(self.unidentified) == known:  # else each walk names what it cannot identify
            self._first_seen[id(thing)] = read
        return read

    def _read(self, thing: Any) -> bytes:
        self._open.append(id(thing))
        try:
            return (self._container if type(thing) in _CONTAINERS else self._object)(thing)
        finally:
            self._open.pop()

    def _many(self, tag: str, *things: Any) -> bytes:
        return _sealed(tag, *map(self._token, things))

    def _named(self, name: Any, value: Any) -> bytes:
        self._where.append(str(name) if isinstance(name, str | int) else type(name).__name__)
        try:
            return self._token(value)
        finally:
            self._where.pop()

    def _container(self, thing: Any) -> bytes:
        if isinstance(thing, list | tuple):
            return self._many(type(thing).__name__, *thing)
        if isinstance(thing, set | frozenset):
            return _sealed("set", *sorted(map(self._token, self._in_order(thing))))
        keys = [key for key in thing if key not in self._changing.get(id(thing), ())]
        entries = sorted((self._token(key), self._named(key, thing[key])) for key in keys)
        return _sealed("dict", *(token for entry in entries for token in entry))

    def _in_order(self, members: Iterable[Any]) -> Iterable[Any]:
        """Members of a set in an order that hashes do not decide: in a circle, tokens rest on it.

        Members that are equal to the depth of this view stay in the order of the set.
        """
        if self._depth is not None or all(type(one) in _PLAIN for one in members):
            return members
        self._orderly = self._orderly or Reader("", None, DEPTH)
        return sorted(members, key=self._orderly.token)

    def _array(self, array: np.ndarray) -> bytes:
        if array.dtype.hasobject:
            return self._many("objects", array.shape, *array.ravel().tolist())
        little = array.dtype.newbyteorder("<")
        sha = hashlib.sha256(f"array {little.descr} {array.shape}".encode())
        for block in _blocks(array):
            sha.update(np.ascontiguousarray(block, little).reshape(-1).view(np.uint8).data)
        return sha.digest()

    def _object(self, thing: Any) -> bytes:
        kind = type(thing)
        if isinstance(thing, types.FunctionType):
            return self._function(thing)
        if isinstance(thing, type):
            return self._class(thing)
        if isinstance(thing, types.ModuleType):
            return _sealed("module", thing.__name__.encode())
        if isinstance(thing, types.MethodType):
            owner, function = thing.__self__, thing.__func__
            whole = isinstance(owner, type) or hasattr(type(owner), "get_params")
            state = self._token(owner) if whole else self._state(owner, _own(type(owner), function))
            return _sealed("method", self._token(function), state)
        if isinstance(thing, functools.partial):
            return self._many("partial", thing.func, partial_arguments(thing))
        if isinstance(thing, property | functools.cached_property):
            names = ("fget", "fset", "fdel", "func")
            return self._many("property", *(getattr(thing, name, None) for name in names))
        if callable(getattr(kind, "fingerprint", None)):
            return self._many("fingerprint", thing.fingerprint())
        try:
            if (known := self._library_object(thing, kind)) is not None:
                return known
        except (NotImplementedError, ValueError, TypeError):
            pass  # it only looks like one
        if (wrapped := getattr(thing, "__wrapped__", None)) is not None:
            own = {k: v for k, v in getattr(thing, "__dict__", {}).items() if k[:2] != "__"}
            return self._many("wrapper", kind, wrapped, own)
        return self._state(thing, _own(kind, kind.__call__) if callable(thing) else None)

    def _library_object(self, thing: Any, kind: type) -> bytes | None:
        """Token of data, an estimator or a Keras object; None for anything else."""
        if hasattr(kind, "tocsr"):
            rows = thing.tocsr(copy=True)
            rows.sum_duplicates()
            at = rows.indptr.astype(np.int64), rows.indices.astype(np.int64)
            return self._many("sparse", rows.shape, *at, rows.data)
        if hasattr(kind, "columns") and hasattr(kind, "__array__"):
            at = getattr(thing, "iloc", thing)  # polars has no index, and takes positions itself
            columns = (at[:, i] for i in range(thing.shape[1]))
            index = np.asarray(thing.index) if hasattr(kind, "iloc") else None
            return self._many("table", list(thing.columns), index, *map(_column, columns))
        if hasattr(kind, "__array__") and hasattr(thing, "dtype"):
            labels = [np.asarray(thing.index), thing.name] if hasattr(kind, "iloc") else []
            return self._many("column", _column(thing), *labels)
        # A function may use what an estimator has learned; one that is searched over has not yet.
        is_estimator = hasattr(kind, "get_params") and hasattr(kind, "set_params")
        if is_estimator and self._first_seen is None:
            return self._many("estimator", kind, thing.get_params(deep=False))
        if hasattr(kind, "get_config") and is_of_keras(kind):
            weights = thing.get_weights() if hasattr(kind, "get_weights") else []
            # The configuration of a loss lacks arguments, such as Huber's delta.
            state = {} if hasattr(thing, "variables") else vars(thing)
            plain = {n: v for n, v in state.items() if type(v) in (*_PLAIN, *_CONTAINERS)}
            return self._many("keras", kind, _without_names(thing), weights, plain)
        return None

    def _state(self, thing: Any, method: Any = None) -> bytes:
        """What pickle would keep of an object, without what a method of it changes."""
        kind = type(thing)
        try:
            reduce = copyreg.dispatch_table.get(kind)
            reduced = reduce(thing) if reduce else thing.__reduce_ex__(4)
        except Exception:  # a class may refuse in any way
            return self._give_up(thing)
        if isinstance(reduced, str):
            return _sealed("installed", installed_name(thing, reduced).encode())
        make, arguments, state, entries, items = (*reduced, None, None, None)[:5]
        if isinstance(state, dict) and method is not None:
            state = without_changes(state, method, kind)
        if isinstance(state, dict) and (changing := self._changing.get(id(thing))):
            state = {name: value for name, value in state.items() if name not in changing}
        if isinstance(thing, set | frozenset):  # of a class of its own, in the order of hashes
            arguments = (frozenset(thing),)
        contents = (None if part is None else list(part) for part in (entries, items))
        return self._many("object", make, arguments, state, *contents)

    def _give_up(self, thing: Any) -> bytes:
        kind = type(thing).__name__
        self.unidentified.append(f"{', '.join(self._where) or 'it'} ({kind})")
        return _sealed("unidentified", kind.encode())

    def _function(self, function: types.FunctionType) -> bytes:
        code = function.__code__
        if is_installed(function.__globals__.get("__name__")):
            # One made by another function differs by what it closes over.
            inner = function.__closure__ if "<locals>" in code.co_qualname else None
            name = installed_name(function, code.co_qualname)
            return self._many("installed", name, list(map(cell_content, inner or ())))
        self._know_changes(function)
        values = sorted(outer_values(function).items())
        tokens = (t for k, v in values for t in (k.encode(), self._named(k, v)))
        return _sealed("function", self._token(function_code(code).text), *tokens)

    def _know_changes(self, root: Any) -> None:
        """Note what a function, and each that it names, changes of its outer values."""
        todo = [root]
        while todo:
            function = todo.pop()
            if not isinstance(function, types.FunctionType) or function in self._known:
                continue
            self._known.add(function)
            if is_installed(function.__globals__.get("__name__")):
                continue
            for value, parts in changed_within(function):
                if parts:
                    self._changing.setdefault(id(value), set()).update(parts)
                todo.append(value)

    def _class(self, kind: type) -> bytes:
        if is_installed(kind.__module__):
            return _sealed("installed", installed_name(kind, kind.__qualname__).encode())
        own = {name: value for name, value in vars(kind).items() if _is_written(kind, name, value)}
        own = without_class_changes(own, kind.__name__)
        own = {n: value for n, value in own.items() if n not in self._changing.get(id(kind), ())}
        if not is_installed(type(kind).__module__):
            own["its metaclass"] = type(kind)
        for field in vars(kind).get("__dataclass_fields__", {}).values():
            if callable(field.default_factory):
                own[f"{field.name} by default"] = field.default_factory
        return self._many("class", kind.__name__, list(kind.__bases__), own)


def partial_arguments(partial: functools.partial[Any]) -> dict[int | str, Any]:
    """The arguments that a partial holds, by position or name, without random generators."""
    given: list[tuple[int | str, Any]] = [*enumerate(partial.args), *partial.keywords.items()]
    return {key: value for key, value in given if not isinstance(value, GENERATORS)}


def _innermost(root: Any) -> Any:
    while isinstance(root, functools.partial | types.MethodType):
        root = root.func if isinstance(root, functools.partial) else root.__func__
    return root


def _first_seen(root: Any) -> dict[int, tuple[bytes, Any]] | None:
    if not callable(root) or isinstance(root, type):
        return None
    try:
        return _FIRST_SEEN.setdefault(root, {})
    except TypeError:  # without a hash, or without weak references
        return {}


def _own(kind: type, method: Any) -> Any:
    """A method of a class of the user's, which may count or log; None for one of a library."""
    return None if is_installed(kind.__module__) else method


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


def _column(column: Any) -> tuple[Any, ...]:
    """Type, categories and values of a column."""
    categories = getattr(column.dtype, "categories", None) if hasattr(column, "iloc") else None
    known = None if categories is None else list(categories)
    return str(column.dtype), known, np.asarray(column)


def _is_written(kind: type, name: str, value: Any) -> bool:
    """Whether an entry of a class was written by its author."""
    if not (name.startswith("__") and name.endswith("__")):
        return name != "_abc_impl"
    generated = "__dataclass_fields__" in vars(kind) or hasattr(kind, "_fields")
    code = getattr(getattr(value, "__wrapped__", value), "__code__", None)
    return code is not None and not (generated and code.co_filename.startswith("<"))


def _without_names(thing: Any) -> Any:
    """Configuration of a Keras object, its layers numbered instead of named."""
    layers = [thing]
    for layer in layers:
        layers += getattr(layer, "layers", [])
    names = {str(getattr(layer, "name", "")): f"layer {i}" for i, layer in enumerate(layers)}

    def read(value: Any) -> Any:
        if isinstance(value, Mapping):
            left_out = ("name", "build_config")
            return {key: read(one) for key, one in value.items() if key not in left_out}
        if isinstance(value, list | tuple):
            return [read(one) for one in value]
        return names.get(value, value) if isinstance(value, str) else value

    return read(thing.get_config())
