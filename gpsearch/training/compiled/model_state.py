"""All that two models of one architecture may differ in."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from gpsearch.training.backend import import_keras, learning_rate_of
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


@contextlib.contextmanager
def put_back(variables: Sequence[Any]) -> Iterator[None]:
    """Give variables their values again afterwards, bit for bit, whatever was raised."""
    values = [variable.value.read_value() for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, values, strict=True):
            variable.value.assign(value)
