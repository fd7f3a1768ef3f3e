"""What the definition of a traced graph says of it."""

import functools
from typing import Any

# Operations whose random numbers depend on what ran before: a fold could not be repeated.
UNREPEATABLE_OPS = {
    *("RandomStandardNormal", "RandomUniform", "RandomUniformInt", "RandomShuffle"),
    *("TruncatedNormal", "ParameterizedTruncatedNormal"),
    *("Multinomial", "RandomGamma", "RandomPoissonV2"),
}


def nesting(definition: Any) -> int:
    """How deep the loops and conditionals of a graph definition are nested."""
    bodies = {part.signature.name: part.node_def for part in definition.library.function}

    @functools.cache
    def depth(name: str) -> int:
        return max((1 + depth(inner) for inner in called(bodies.get(name, ()))), default=0)

    def called(nodes: Any) -> set[str]:
        names: set[str] = set()
        for node in nodes:
            for attribute in node.attr.values():
                names.update(function.name for function in attribute.list.func)
                names.add(attribute.func.name)
        return names - {""}

    return max((1 + depth(name) for name in called(definition.node)), default=0)


def draws_unrepeatably(definition: Any) -> bool:
    """Whether an operation of the graph draws numbers that depend on what ran before."""
    nodes = (node for part in definition.library.function for node in part.node_def)
    return any(node.op in UNREPEATABLE_OPS for node in nodes)
