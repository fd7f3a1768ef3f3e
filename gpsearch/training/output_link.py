"""What a classifier's outputs are: as its last layer and its loss say it, or the user.

=============== ===========================================================================
"probabilities" of the classes, or of the second of two
"logits"        a sigmoid or softmax away from probabilities
"margins"       of the second class where above 0
"scores"        near 0 and 1
""              neither the loss nor the last layer says it, and the user has to, by `outputs=`
=============== ===========================================================================
"""

import contextlib
import dataclasses
import functools
from typing import Any

from gpsearch.arguments import one_of, optional
from gpsearch.data.target import Target
from gpsearch.errors import InvalidObjectiveError
from gpsearch.training.backend import import_keras, last_layer

LINKS = ("probabilities", "logits", "margins", "scores")


def with_link(target: Target, outputs: str | None) -> Target:
    """The target of a model whose outputs are what the user's argument `outputs` says."""
    link = optional(one_of, "outputs", outputs, LINKS, kind=InvalidObjectiveError)
    if link is not None and not target.is_classification:
        raise InvalidObjectiveError(
            f"y ({target.kind}) holds no classes, whose probabilities it could tell. Leave it out."
        ).about("outputs", outputs)
    return dataclasses.replace(target, link=link)


def output_link(model: Any) -> str:
    """What the outputs are, as the last layer and the loss say it; "" where neither does."""
    loss = _only_loss(model)
    logits = getattr(loss, "keywords", {}).get("from_logits", getattr(loss, "from_logits", False))
    last = last_layer(model)
    activation = getattr(last, "activation", None)
    end = _name_of_keras(activation or last)
    if end in ("sigmoid", "softmax"):  # where a loss is to read logits, Keras gives it those
        return "probabilities"
    if logits:
        return "logits"
    if end in ("hardsigmoid", "sparsemax"):
        return "probabilities"
    name = loss_name(model)
    if "crossentropy" in name and activation is None:  # a layer of the user's own
        return "probabilities"
    if "hinge" in name:
        return "margins"
    return "scores" if name else ""


def loss_name(model: Any) -> str:
    """Lower-case name of the loss without underscores; "" for the user's own, and for several."""
    loss = _only_loss(model)
    return _name_of_keras(loss.func if isinstance(loss, functools.partial) else loss)


def _only_loss(model: Any) -> Any:
    """The loss of a model with a single one, as an object or function; else None."""
    keras = import_keras()
    losses = keras.tree.flatten(model.loss)
    loss = losses[0] if len(losses) == 1 else None
    with contextlib.suppress(ValueError):  # no loss of Keras's has this name
        return keras.losses.get(loss) if isinstance(loss, str) else loss
    return None


def _name_of_keras(thing: Any) -> str:
    """Name of a function or class in lower case without underscores; "" for the user's own."""
    if str(getattr(thing, "__module__", "")).split(".")[0] not in ("keras", "tensorflow", "jax"):
        return ""
    return str(getattr(thing, "__name__", type(thing).__name__)).replace("_", "").lower()
