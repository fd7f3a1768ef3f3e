"""y as the loss of a given model takes it, and whether the model's output fits y."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpsearch.data.rows import Parts, map_parts
from gpsearch.data.target import Target
from gpsearch.errors import InvalidObjectiveError
from gpsearch.training.backend import import_keras, import_tensorflow
from gpsearch.training.fitted import loss_name

# Losses of Keras that compare one column for each class with one output unit for each class.
_ONE_HOT_LOSSES = {
    *("categoricalcrossentropy", "categoricalfocalcrossentropy", "categoricalhinge"),
    *("binarycrossentropy", "binaryfocalcrossentropy", "kldivergence", "poisson"),
    *("meansquarederror", "meanabsoluteerror", "huber", "logcosh", "hinge", "squaredhinge"),
    *("cosinesimilarity", "dice", "tversky"),
}


def loss_target(target: Target, model: Any) -> Parts:
    """The numbers to train on: one column for each class where the loss compares columns.

    Returns an (n,) int32 or float32 array, an (n, units) float32 array, or the parts of y.
    """
    if target.classes is None:
        return target.encoded
    units = _units(model)
    if units == len(target.classes) and loss_name(model) in _ONE_HOT_LOSSES:
        return np.eye(units, dtype=np.float32)[target.encoded]
    return target.encoded


def check_output(target: Target, model: Any, outputs: Any, x: Parts, y: Parts, name: str) -> None:
    """Raise where a model's outputs for a few rows cannot be compared with their y.

    x and y are those rows as the model is trained on them, y from `loss_target`; `name` is that
    of the model function, for the message.
    """
    keras = import_keras()
    if target.kind != "several":
        shape = tuple(np.shape(outputs)) if not isinstance(outputs, dict | list | tuple) else None
        if shape is None:
            raise InvalidObjectiveError(
                f"{name} returns several outputs, but y is one array. Give y as a dict or tuple "
                "with one entry for each output, and a callable `scoring`."
            )
        if not _fits(target, shape, y):
            raise InvalidObjectiveError(
                f"{name} returns an output of shape {(None, *shape[1:])}, which does not fit y "
                f"({_described(target)}). {_remedy(target)}"
            )
    if type(model).train_step is not keras.Model.train_step:
        return  # it may have no loss, or call it in its own way
    as_tensor = keras.ops.convert_to_tensor
    outputs, y = keras.tree.map_structure(as_tensor, outputs), map_parts(as_tensor, y)
    compared = {
        "loss": lambda y, outputs: model.compute_loss(x=x, y=y, y_pred=outputs),
        "metrics": lambda y, outputs: model.compute_metrics(x, y, outputs),
    }
    for what, compare in compared.items():
        try:
            compare(y, outputs)
        except Exception as error:  # whatever a function of the user's own may raise
            raise InvalidObjectiveError(
                f"the {what} that {name} was compiled with cannot compare its output with y "
                f"({_described(target)}): {error}"
            ) from error
        if keras.backend.backend() != "tensorflow" or model.run_eagerly:
            continue
        traced = import_tensorflow().function(compare, autograph=False)
        try:
            traced.get_concrete_function(y, outputs)
        except Exception as error:  # likewise
            raise InvalidObjectiveError(
                f"the {what} that {name} was compiled with cannot be traced into a graph: {error} "
                "Write it with keras.ops, without Python's `if` on a tensor, or compile with "
                "run_eagerly=True."
            ) from error
    model.reset_metrics()


def _units(model: Any) -> int | None:
    try:
        return int(model.output_shape[-1])
    except (AttributeError, TypeError, IndexError):
        return None


def _fits(target: Target, shape: tuple[int, ...], y: Parts) -> bool:
    units = shape[-1] if len(shape) > 1 else 1
    if target.kind == "binary":
        return len(shape) <= 2 and units in (1, 2)
    if np.ndim(target.encoded) > 2:
        return shape[1:] == np.shape(y)[1:]
    return len(shape) <= 2 and units == target.n_outputs


def _described(target: Target) -> str:
    if target.classes is not None:
        return f"{len(target.classes)} classes"
    if target.kind == "several":
        return "several targets"
    shape = (None, *np.shape(target.encoded)[1:])
    return f"{target.kind} of shape {shape}"


def _remedy(target: Target) -> str:
    if target.kind == "binary":
        return 'End with Dense(1, activation="sigmoid"), or Dense(2, activation="softmax").'
    if target.kind == "multiclass":
        return (
            f'End with Dense({target.n_outputs}, activation="softmax"); or, where y is a '
            'quantity, give task="regression".'
        )
    if np.ndim(target.encoded) > 2:
        return "Give the last layer the shape of one row of y."
    hint = '; or, where y holds labels, give task="classification"'
    return f"End with Dense({target.n_outputs}){hint if target.kind == 'regression' else ''}."
