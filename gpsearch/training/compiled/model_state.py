"""All that two models of one architecture may differ in."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from gpsearch.training.backend import (
    forget_losses,
    import_keras,
    import_tensorflow,
    layers_of,
    learning_rate_of,
    loss_of,
    outputs_of,
)
from gpsearch.training.compiled.description import root
from gpsearch.training.compiled.inputs import places


@dataclass(frozen=True, kw_only=True)
class ModelState:
    """All that two models of one architecture may differ in."""

    variables: list[Any]
    """Initial weights and random state, as tensors."""
    learning_rate: float | None
    """None where a schedule gives it."""
    values: np.ndarray
    """Numbers in the model's places; float64."""

    @classmethod
    def of(cls, model: Any) -> Self:
        """Read the state of a built and compiled model."""
        scheduled = not isinstance(learning_rate_of(model.optimizer), import_keras().Variable)
        return cls(
            variables=[variable.value.read_value() for variable in model.variables],
            learning_rate=None if scheduled else float(model.optimizer.learning_rate),
            values=np.array([place.value for place in places(model)], np.float64),
        )


def state_of(model: Any, x: Any, y: Any, weight: Any = None) -> list[Any]:
    """TensorFlow's variables that a model or its loss reads for a batch.

    Keras knows of those in layers. A loss may count, too, and a layer in variables of its own.
    """

    def loss() -> Any:
        batch = import_tensorflow().nest.map_structure(_as_tensor, (x, y, weight))
        return loss_of(model, batch, outputs_of(model, batch[0], training=False), training=False)

    found = {id(one.value): one.value for one in model.variables}
    parts = [*layers_of(model), *import_keras().tree.flatten(model.loss)]
    if all(root(getattr(part, "__module__", "keras")) == "keras" for part in parts):
        return list(found.values())
    with contextlib.suppress(Exception):  # what cannot be traced is told where it is used
        traced = import_tensorflow().function(loss, autograph=False).get_concrete_function()
        found |= {id(one): one for one in traced.graph.variables}
    forget_losses(model)
    return list(found.values())


@contextlib.contextmanager
def put_back(variables: Sequence[Any]) -> Iterator[None]:
    """Give TensorFlow's variables their values again, bit for bit, whatever was raised."""
    values = [variable.read_value() for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


@contextlib.contextmanager
def state_kept(model: Any, x: Any, y: Any) -> Iterator[None]:
    """Put back what a model and its loss keep, whatever they are called with; of TensorFlow."""
    if import_keras().backend.backend() != "tensorflow":
        yield
        return
    with put_back(state_of(model, x, y)):
        yield


def _as_tensor(part: Any) -> Any:
    return None if part is None else import_tensorflow().convert_to_tensor(part)
