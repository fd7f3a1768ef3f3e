"""The code of a function without its layout, and the outer values that its result rests on.

The code is the syntax tree of the source file where that still compiles to the code that runs.
Otherwise (``exec``, some consoles, an edited file, two lambdas on a line) the instructions stand
for it; those of another version of Python differ.
"""

import ast
import dis
import functools
import inspect
import linecache
import random
import textwrap
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpsearch.identity.installed import is_installed

GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)
"""Their state says what was drawn so far."""

MUTATORS = frozenset(
    {"add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem"}
    | {"popleft", "put", "remove", "setdefault", "update", "write"}
)
"""Methods that change the object they are called on."""

_IGNORED = ("annotation", "returns", "type_comment", "type_params", "kind", "ctx")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SCOPES = (*_FUNCTIONS, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class FunctionCode:
    """The code of a function; see `function_code`."""

    text: Any
    """Nested tuples of strings, numbers and other constants."""
    reads: tuple[tuple[str, ...], ...]
    """Global names read, each with the attributes that are read from it."""
    changes: frozenset[str]
    """Outer names that the code assigns or mutates; ``self.calls`` for an attribute, or the entry
    of a dict."""


def function_code(code: types.CodeType) -> FunctionCode:
    """Read the code of a function.

    Comments, docstrings, type hints and statements without effect are left out; so are default
    values and decorators, whose outcome is seen in the function itself.

    >>> def one(x):
    ...     return x + 1  # one more
    >>> def other(x):
    ...     return x + 2
    >>> function_code(one.__code__).text == function_code(other.__code__).text
    False
    """
    node = _node(code)
    reads = tuple(sorted(set(_reads(code))))
    if node is None:
        return FunctionCode(tuple(_instructions(code)), reads, frozenset())
    fields = dict(ast.iter_fields(node.args)) | {"defaults": [], "kw_defaults": []}
    body = node.body if isinstance(node.body, list) else [ast.Return(node.body)]
    text = (code.co_name, _tree(ast.arguments(**fields)), _tree(body))
    return FunctionCode(text, reads, frozenset(_changes(node)))


def same_source(one: str | None, other: str | None) -> bool:
    """Whether two texts are the same code, layout aside.

    >>> same_source("x = 1  # one", "x=1"), same_source("x = 1", "x = 2")
    (True, False)
    """
    if one is None or other is None:
        return one is other
    try:
        trees = [_tree(ast.parse(textwrap.dedent(text)).body) for text in (one, other)]
    except SyntaxError:  # a lambda with a part of the call around it
        return one == other
    return trees[0] == trees[1]


def outer_values(function: types.FunctionType) -> dict[str, Any]:
    """Defaults, and closed-over, global and own values that a function does not change itself.

    >>> outer_values(lambda x, rate=0.1: rate * x)
    {'default rate': 0.1}
    """
    return {name: value for name, value, _ in _outer_values(function)}


def changed_within(function: types.FunctionType) -> Iterator[tuple[Any, set[str]]]:
    """Each of `outer_values`, with the attributes and entries of it that the function changes."""
    return ((value, parts) for _, value, parts in _outer_values(function))


def _outer_values(function: types.FunctionType) -> Iterator[tuple[str, Any, set[str]]]:
    """Name and value of each of `outer_values`, and what the function changes of it."""
    code = function_code(function.__code__)
    for name, parameter in inspect.signature(function, follow_wrapped=False).parameters.items():
        if parameter.default is not parameter.empty:
            yield f"default {name}", parameter.default, set()
    own = f"{function.__name__}."
    changed = {name.removeprefix(own) for name in code.changes}
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    outer = [("closure", name, cell_content(cell)) for name, cell in cells]
    outer += [("attribute", name, value) for name, value in vars(function).items()]
    outer += [
        ("global", *_global(function.__globals__[name], name, attributes))
        for name, *attributes in code.reads
        if name in function.__globals__
    ]
    for kind, name, value in outer:
        if name.startswith("__") or isinstance(value, GENERATORS):
            continue
        parts = {one[len(name) + 1 :] for one in changed if one.startswith(f"{name}.")}
        is_changed = any(f"{name}.".startswith(f"{one}.") for one in changed)
        if not is_changed and (not parts or _has_parts(value)):
            yield f"{kind} {name}", value, parts


def _has_parts(value: Any) -> bool:
    """Whether a change of one attribute or entry leaves the others as they were."""
    kind = value if isinstance(value, type) else type(value)
    is_own = hasattr(value, "__dict__") and not hasattr(kind, "__setitem__")
    is_own = is_own and not any(is_installed(base.__module__) for base in kind.__mro__[:-1])
    return is_own or kind in (dict, types.SimpleNamespace)


def _global(value: Any, name: str, attributes: list[str]) -> tuple[str, Any]:
    """A global value with its name; for a module of the user's own, the attribute read from it."""
    for attribute in attributes:
        if not isinstance(value, types.ModuleType) or is_installed(value.__name__):
            break
        name, value = f"{name}.{attribute}", getattr(value, attribute, None)
    return name, value


def cell_content(cell: Any) -> Any:
    """What a closed-over variable holds."""
    try:
        return cell.cell_contents
    except ValueError:
        return "not assigned yet"


def without_changes(state: dict[str, Any], method: Any, kind: type) -> dict[str, Any]:
    """State of an object of a class without what a method, or one that it calls, changes."""
    changed: set[str] = set()
    seen: set[types.CodeType] = set()
    todo = [method]
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


def without_class_changes(own: dict[str, Any], class_name: str) -> dict[str, Any]:
    """Entries of a class without those that its methods change, such as a counter."""
    codes = (getattr(getattr(value, "__func__", value), "__code__", None) for value in own.values())
    changed = {name for code in codes if code is not None for name in function_code(code).changes}
    return {
        name: value
        for name, value in own.items()
        if not {f"{class_name}.{name}", f"cls.{name}"} & changed
    }


def _node(code: types.CodeType) -> Any:
    """The node of the syntax tree that was compiled to `code`; None where that is not certain."""
    nodes, compiled = _parsed("".join(linecache.getlines(code.co_filename)))
    if code not in compiled:
        return None
    alike = nodes.get((code.co_name, code.co_firstlineno), [])
    return alike[0] if len(alike) == 1 else None


@functools.lru_cache(maxsize=64)
def _parsed(text: str) -> tuple[dict[tuple[str, int], list[Any]], set[types.CodeType]]:
    """Functions of a file by name and first line, and all code objects that it compiles to."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            compiled = set(_nested(compile(tree, "", "exec", dont_inherit=True)))
    except (SyntaxError, ValueError):
        return {}, set()
    nodes: dict[tuple[str, int], list[Any]] = {}
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS):
            line = min(one.lineno for one in [node, *getattr(node, "decorator_list", [])])
            nodes.setdefault((getattr(node, "name", "<lambda>"), line), []).append(node)
    return nodes, compiled


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nested(constant)


def _tree(node: Any) -> Any:
    """A syntax tree as nested tuples, alike in all versions of Python."""
    if isinstance(node, list):
        return tuple(_tree(one) for one in node if not _without_effect(one))
    if not isinstance(node, ast.AST):
        return node
    fields = (
        (name, _tree(value))
        for name, value in ast.iter_fields(node)
        if name not in _IGNORED and value is not None and value != []
    )
    return (type(node).__name__, *fields)


def _without_effect(node: Any) -> bool:
    constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return constant or isinstance(node, ast.Pass)


def _changes(node: ast.AST) -> Iterator[str]:
    """Names that a function changes, but for those that functions in it have for themselves."""
    for part in _scope(node):
        if isinstance(part, _SCOPES):
            own = _local_names(part)
            yield from (name for name in _changes(part) if name.split(".")[0] not in own)
        match part:
            case ast.Global(names) | ast.Nonlocal(names):
                yield from names
            case ast.Attribute() | ast.Subscript() if isinstance(part.ctx, ast.Store | ast.Del):
                yield from _owner(part)
            case ast.Call(func=ast.Attribute(value=changed, attr=name)) if name in MUTATORS:
                yield from _owner(changed)


def _scope(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without those of the functions and comprehensions in it."""
    todo = list(ast.iter_child_nodes(node))
    while todo:
        part = todo.pop()
        yield part
        if not isinstance(part, _SCOPES):
            todo += ast.iter_child_nodes(part)


def _local_names(scope: ast.AST) -> set[str]:
    local, outer = set[str](), set[str]()
    for part in _scope(scope):
        match part:
            case ast.Global(names) | ast.Nonlocal(names):
                outer.update(names)
            case ast.alias(name, None):
                local.add(name.split(".")[0])
            case (
                ast.Name(name, ast.Store())
                | ast.arg(name)
                | ast.alias(asname=str(name))
                | ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
                | ast.MatchMapping(rest=str(name))
                | ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                local.add(name)
    return local - outer


def _owner(node: ast.AST) -> Iterator[str]:
    """The object that an expression is a part of: a name, or the first part of a name."""
    attribute = ""
    while isinstance(node, ast.Attribute | ast.Subscript):
        match node:
            case ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(str(name))):
                attribute = f".{name}"
            case _:
                attribute = ""
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id + attribute


def _reads(code: types.CodeType) -> Iterator[tuple[str, ...]]:
    for inner in _nested(code):
        names: tuple[str, ...] = ()
        for step in dis.get_instructions(inner):
            if names and step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                names += (str(step.argval),)
                continue
            if names:
                yield names
            names = (str(step.argval),) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME") else ()


def _instructions(code: types.CodeType) -> Iterator[Any]:
    yield (code.co_name, code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    for step in dis.get_instructions(code):
        if step.opname not in ("RESUME", "NOP", "CACHE", "EXTENDED_ARG"):
            value = step.argval
            nested = isinstance(value, types.CodeType)
            yield (step.opname, tuple(_instructions(value)) if nested else value)
