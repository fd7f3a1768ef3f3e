"""What is believed to matter most, before anything was tried: an order of dimensions.

A rule of thumb for networks, the classic order, says: the learning rate first; then momentum,
hidden units and batch size; then the number of layers and the decay of the learning rate (Ng
2017, Improving deep neural networks, course notes). An order stands in tiers, the most important
first; what it does not name comes after all that it names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpsearch.errors import InvalidSearchError

CLASSIC = "classic"
CLASSIC_ORDER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("learning rate", ("learning_rate", "lr", "eta", "learn_rate", "initial_learning_rate")),
    (
        "momentum, hidden units, batch size",
        (
            *("momentum", "beta_1", "beta1", "batch_size", "batch", "n_neurons", "neurons"),
            *("n_units", "units", "n_hidden_units", "hidden_units", "hidden_size", "width"),
        ),
    ),
    (
        "number of layers, learning-rate decay",
        (
            *("n_hidden", "n_layers", "num_layers", "layers", "n_hidden_layers", "depth"),
            *("decay", "lr_decay", "learning_rate_decay", "decay_rate", "decay_steps"),
        ),
    ),
)
"""The rule of thumb of what to tune first, with the names under which it is met."""

ImportanceOrder = str | Sequence[str | Sequence[str]]


def classic_tier(name: str) -> int | None:
    """Place of a dimension in the classic order, from 1; None where it says nothing.

    >>> classic_tier("learning_rate"), classic_tier("n_neurons_1"), classic_tier("act_func")
    (1, 2, None)
    """
    bare = bare_name(name)
    return next(
        (tier for tier, (_, names) in enumerate(CLASSIC_ORDER, start=1) if bare in names), None
    )


def bare_name(name: str) -> str:
    """A dimension's name without prefix, number and spelling.

    >>> bare_name("optimizer__Learning-Rate"), bare_name("n_neurons_2"), bare_name("beta_1")
    ('learning_rate', 'n_neurons', 'beta_1')
    """
    bare = re.sub(r"[-\s]", "_", name.split("__")[-1].lower())
    return bare if bare.startswith("beta") else re.sub(r"_?\d+$", "", bare)


def importance_tiers(importance: Any, names: Sequence[str]) -> NDArray[np.intp]:
    """Tier of each dimension in an order of importance.

    Parameters
    ----------
    importance : "classic", or sequence of str or of sequences of str
        The classic order, or names, the most important first; names that stand in one inner
        sequence are equally important.
    names : sequence of d str
        Dimensions of the space.

    Returns
    -------
    (d,) int array
        Tiers from 0, without gaps; dimensions that the order does not name share the last.

    Raises
    ------
    InvalidSearchError
        A name that is no dimension or occurs twice, or an order that names none.

    Examples
    --------
    >>> importance_tiers(["lr", ["width", "batch"]], ["batch", "drop", "lr", "width"])
    array([1, 2, 0, 1])
    >>> importance_tiers("classic", ["n_hidden", "learning_rate", "drop_rate"])
    array([1, 0, 2])
    """
    if isinstance(importance, str) and importance == CLASSIC:
        found = {name: tier for name in names if (tier := classic_tier(name)) is not None}
        if not found:
            known = ", ".join(known for _, alike in CLASSIC_ORDER for known in alike[:1])
            raise InvalidSearchError(
                f"importance='classic': it knows none of {', '.join(names)}, but names such as "
                f"{known}; give the order of your own names, the most important first"
            )
    else:
        found = _read(importance, names)
    last = max(found.values()) + 1
    tiers = [found.get(name, last) for name in names]
    return np.unique(tiers, return_inverse=True)[1]


def _read(importance: Any, names: Sequence[str]) -> dict[str, int]:
    if isinstance(importance, str) or not isinstance(importance, Sequence) or not importance:
        raise InvalidSearchError(
            f"importance={importance!r}: it must be 'classic', or a list of names of dimensions, "
            'the most important first, as in ["learning_rate", ["n_neurons", "batch_size"]]'
        )
    found: dict[str, int] = {}
    for tier, entry in enumerate(importance):
        for name in entry if isinstance(entry, list | tuple) else [entry]:
            if name not in names:
                raise InvalidSearchError(
                    f"importance={importance!r}: {name!r} is no dimension of the space; they are "
                    f"{', '.join(names)}"
                )
            if name in found:
                raise InvalidSearchError(f"importance={importance!r}: {name!r} occurs twice")
            found[name] = tier
    if not found:
        raise InvalidSearchError(f"importance={importance!r}: it names no dimension")
    return found
