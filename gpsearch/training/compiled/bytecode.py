"""What the bytecode of a function does, and what it reads."""

import dis
import functools
import types
from typing import Any

# Of a piece of code; without its place in a file.
_OF_CODE = [
    *("code", "names", "varnames", "freevars", "cellvars", "flags", "exceptiontable"),
    *("argcount", "kwonlyargcount", "posonlyargcount"),
]


@functools.lru_cache(1024)
def read_bytecode(
    code: types.CodeType,
) -> tuple[str, tuple[str, ...], frozenset[str], tuple[tuple[str, int], ...]]:
    """Code as text, the globals it reads, every name it may look up, and what it imports."""
    text: list[Any] = []
    read: dict[str, None] = {}
    names: set[str] = set()
    imported: list[tuple[str, int]] = []
    codes = [code]
    for inner in codes:
        nested = [one for one in inner.co_consts if isinstance(one, types.CodeType)]
        codes += nested
        constants = [None if one in nested else one for one in inner.co_consts]
        text.append([getattr(inner, f"co_{name}") for name in _OF_CODE])
        text.append([(type(one).__name__, one) for one in constants])
        # A text may be the name of an attribute, as for getattr.
        names |= {*inner.co_names, *(one for one in constants if isinstance(one, str))}
        loaded: list[Any] = []
        for step in dis.get_instructions(inner):
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
                read[step.argval] = None
            elif step.opname in ("LOAD_CONST", "LOAD_SMALL_INT"):
                loaded.append(step.argval)
            elif step.opname == "IMPORT_NAME":
                imported.append((step.argval, loaded[-2]))  # the level, then the names wanted
    return repr(text), tuple(read), frozenset(names), tuple(imported)
