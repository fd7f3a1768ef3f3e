"""y as the loss of a given model takes it, and whether the model's output fits y."""

from typing import Any

import numpy as np

from gpsearch.data.rows import Parts, map_parts
from gpsearch.data.target import Target
from gpsearch.errors import InvalidObjectiveError
from gpsearch.training.backend import import_keras, import_tensorflow
from gpsearch.training.output_link import loss_name, output_link

ANY_SHAPE = ("", "ctc")
"""Losses that may compare y with an output of another shape: of the user's own, and CTC."""

OF_INDICES = ("categoricalgeneralizedcrossentropy", "circle")
"""Losses of Keras's that take class indices in one axis."""


def loss_target(target: Target, model: Any) -> Parts:
    """Y as the loss takes it: as given where it is numbers that suit the loss, else encoded.

    A loss of the user's own gets numbers as they were given. Keras's own losses get class indices
    (sparse ones and `OF_INDICES`), one column for each class (where there are as many units), or 0
    and 1 in place of other numbers that neither probabilities nor margins can reach.
    """
    if target.classes is None:
        return target.encoded
    name, numbers, classes = loss_name(model), target.numbers, target.classes.tolist()
    counted = numbers is not None and classes == list(range(len(classes)))
    if name in OF_INDICES:
        return target.encoded
    if name.startswith("sparse"):
        return numbers if counted and not target.one_hot else target.encoded
    units = _units(model)
    if name and units == len(classes):
        return numbers if target.one_hot else np.eye(units, dtype=np.float32)[target.encoded]
    if numbers is None:
        return target.encoded.astype(np.float32) if units == 1 else target.encoded
    link = output_link(model)
    reached = counted or not name or link == "scores" or (link == "margins" and classes == [-1, 1])
    return numbers if reached else target.encoded


def check_output(
    target: Target, model: Any, outputs: Any, x: Parts, y: Parts, name: str, *, traced: bool
) -> None:
    """Raise where outputs of a few rows cannot be compared with y; in a graph too if `traced`."""
    keras = import_keras()
    if target.kind != "several":
        shape = tuple(np.shape(outputs)) if not isinstance(outputs, dict | list | tuple) else None
        if shape is None:
            raise InvalidObjectiveError(
                f"{name} returns several outputs, but y is one array. Give y as a dict or tuple "
                "with one entry for each output, and a callable `scoring`."
            )
        if loss_name(model) not in ANY_SHAPE and not fits(target, shape, model):
            raise InvalidObjectiveError(
                f"{name} returns an output of shape {(None, *shape[1:])}, which does not fit y "
                f"({_described(target)}). {_remedy(target, model)}"
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
        if not traced or keras.backend.backend() != "tensorflow" or model.run_eagerly:
            continue
        tf = import_tensorflow()
        any_rows = [keras.tree.map_structure(_of_any_rows, part) for part in (y, outputs)]
        try:
            tf.function(compare, autograph=False).get_concrete_function(*any_rows)
        except Exception as error:  # likewise
            raise InvalidObjectiveError(
                f"the {what} that {name} was compiled with cannot be traced into a graph: {error} "
                "Write it with keras.ops, without Python's `if` on a tensor, or compile with "
                "run_eagerly=True."
            ) from error
    model.reset_metrics()


def _of_any_rows(tensor: Any) -> Any:
    """Its kind and shape without the number of rows, which the last batch has less of."""
    return import_tensorflow().TensorSpec((None, *tensor.shape[1:]), tensor.dtype)


def _units(model: Any) -> int | None:
    try:
        return int(model.output_shape[-1])
    except (AttributeError, TypeError, IndexError):
        return None


def fits(target: Target, shape: tuple[int, ...], model: Any) -> bool:
    """Whether outputs of this shape hold what y holds: a value, or one for each class."""
    row, rest = np.shape(target.labels)[1:], shape[1:-1]
    units = shape[-1] if len(shape) > 1 else 1
    if target.classes is not None:
        two = len(target.classes) == 2 and not target.one_hot
        if two and units == 1 and _of_each_class(model):
            return False
        return rest == row and units in ((1, 2) if two else (target.n_outputs,))
    if row and rest == _without_one(row) and loss_name(model).startswith("sparse"):
        return True
    return len(shape) > len(row) and _without_one(shape[1:]) == _without_one(row)


def _of_each_class(model: Any) -> bool:
    """Whether the loss compares the units of the classes: of one alone it learns nothing."""
    return "categorical" in loss_name(model)


def _without_one(row: tuple[int, ...]) -> tuple[int, ...]:
    return row[:-1] if row[-1:] == (1,) else row


def _described(target: Target) -> str:
    if target.classes is not None:
        axes = np.shape(target.labels)[1:]
        return f"{len(target.classes)} classes{f', {axes} labels in each row' if axes else ''}"
    if target.kind == "several":
        return "several targets"
    shape = (None, *np.shape(target.encoded)[1:])
    return f"{target.kind} of shape {shape}"


def _remedy(target: Target, model: Any) -> str:
    if target.kind == "binary" and _of_each_class(model):
        return (
            'Its loss compares a unit of each class: end with Dense(2, activation="softmax"), or '
            'compile one unit with "binary_crossentropy".'
        )
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
