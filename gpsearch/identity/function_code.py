"""The code of a function without its layout: what it says, and which outer names it reads.

========= ====================================================================================
text      the syntax tree as nested tuples, without comments, layout, docstrings, type hints and
          statements without effect; the default values and decorators of the function itself,
          whose outcome is seen in the function, are left out
reads     outer names that the code looks at: global and closed-over variables
changes   outer names that the code assigns, or calls ``append`` or ``update`` of: counters,
          caches and logs, whose values say what has run and not what will
========= ====================================================================================

The tree is taken from the source file where that still compiles to the code that runs. Where it
does not (``exec``, some consoles, a file that was edited since) the instructions of the code
stand for it; those of another version of Python differ.
"""

from __future__ import annotations

import ast
import dis
import functools
import linecache
import textwrap
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MUTATORS = frozenset(
    {"add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem"}
    | {"popleft", "put", "remove", "setdefault", "update", "write"}
)
"""Methods that change the object that they are called of."""

_IGNORED = ("annotation", "returns", "type_comment", "type_params", "kind", "ctx")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_FUTURES = 0x1FF0000  # flags of `from __future__` imports in a code object


@dataclass(frozen=True)
class FunctionCode:
    """What the code of a function says."""

    text: Any
    """Nested tuples of strings, numbers and other constants."""
    reads: tuple[tuple[str, ...], ...]
    """Global names read, each with the attributes that are read of it next."""
    changes: frozenset[str]
    """Outer names that the code changes; ``self.calls`` for an attribute."""


def function_code(code: types.CodeType) -> FunctionCode:
    """Read the code of a function.

    Examples
    --------
    >>> def one(x):
    ...     return x + 1  # one more
    >>> def other(x):
    ...     return x + 2
    >>> function_code(one.__code__).text == function_code(other.__code__).text
    False
    """
    return _read(code, code.co_filename)


def same_source(one: str | None, other: str | None) -> bool:
    """Whether two texts are the same code, layout aside.

    Examples
    --------
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


@functools.lru_cache(maxsize=1024)
def _read(code: types.CodeType, file: str) -> FunctionCode:
    # Codes of two files may be equal, one of them without its source.
    node = _node_of(code, file)
    reads = tuple(sorted(set(_reads(code))))
    if node is None:
        changes = {
            str(step.argval)
            for inner in _nested(code)
            for step in dis.get_instructions(inner)
            if step.opname == "STORE_GLOBAL"
            or (step.opname == "STORE_DEREF" and step.argval in code.co_freevars)
        }
        return FunctionCode(tuple(_instructions(code)), reads, frozenset(changes))
    arguments = ast.arguments(
        **{**dict(ast.iter_fields(node.args)), "defaults": [], "kw_defaults": []}
    )
    body = node.body if isinstance(node.body, list) else [ast.Return(node.body)]
    text = (getattr(node, "name", ""), _tree(arguments), _tree(body))
    return FunctionCode(text, reads, frozenset(_changes(node)))


def _node_of(code: types.CodeType, file: str) -> Any:
    """The node of the syntax tree that was compiled to `code`; None where that is not certain."""
    text = "".join(linecache.getlines(file))
    parsed = _parsed(text, file, code.co_flags & _FUTURES) if text else None
    if parsed is None or code not in parsed[1]:
        return None
    nodes = [
        node
        for node in ast.walk(parsed[0])
        if isinstance(node, _FUNCTIONS)
        and getattr(node, "name", "<lambda>") == code.co_name
        and min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        == code.co_firstlineno
    ]
    if len(nodes) > 1:  # several lambdas begin on this line
        spots = [
            ((line, column), (end_line, end_column))
            for line, end_line, column, end_column in code.co_positions()
            if line and end_line and end_column
        ]
        nodes = [
            node
            for node in nodes
            if spots
            and all(
                (node.lineno, node.col_offset) <= start and end <= _end(node)
                for start, end in spots
            )
        ]
    # An inner lambda lies within the outer one, and is walked through after it.
    return nodes[-1] if nodes else None


def _end(node: Any) -> tuple[int, int]:
    return node.end_lineno, node.end_col_offset


@functools.lru_cache(maxsize=64)
def _parsed(text: str, name: str, flags: int) -> tuple[ast.AST, set[types.CodeType]] | None:
    """A file as syntax tree, and all code objects that it compiles to."""
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, name)
            compiled = compile(tree, name, "exec", flags=flags, dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    return tree, set(_nested(compiled))


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
    for part in ast.walk(node):
        if isinstance(part, ast.Global | ast.Nonlocal):
            yield from part.names
        elif isinstance(part, ast.Attribute | ast.Subscript) and not isinstance(part.ctx, ast.Load):
            yield from _owner(part if isinstance(part, ast.Attribute) else part.value)
        elif (
            isinstance(part, ast.Call)
            and isinstance(part.func, ast.Attribute)
            and part.func.attr in MUTATORS
        ):
            yield from _owner(part.func.value)


def _owner(node: ast.AST) -> Iterator[str]:
    """Whose object an expression is a part of: a name, or the first attribute of a name."""
    attribute = ""
    while isinstance(node, ast.Attribute | ast.Subscript):
        attribute = f".{node.attr}" if isinstance(node, ast.Attribute) else ""
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id + attribute


def _reads(code: types.CodeType) -> Iterator[tuple[str, ...]]:
    for inner in _nested(code):
        names: list[str] = []
        for step in dis.get_instructions(inner):
            if names and step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                names.append(str(step.argval))
                continue
            if names:
                yield tuple(names)
            names = [str(step.argval)] if step.opname in ("LOAD_GLOBAL", "LOAD_NAME") else []
        if names:
            yield tuple(names)


def _instructions(code: types.CodeType) -> Iterator[Any]:
    yield (code.co_name, code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    for step in dis.get_instructions(code):
        if step.opname in ("RESUME", "NOP", "CACHE", "EXTENDED_ARG"):
            continue
        value = step.argval
        nested = isinstance(value, types.CodeType)
        yield (step.opname, tuple(_instructions(value)) if nested else value)
