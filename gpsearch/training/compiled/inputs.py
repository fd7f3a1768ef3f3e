"""Numbers of a model that a compiled program can take as inputs instead of building them in.

Learning rates, momenta, dropout rates and penalties are Python numbers on Keras objects, and a
trace would freeze them. Each is read, while the model is traced, as a `TracedScalar`: in
arithmetic it is a tensor fed to the program, in Python's comparisons it is the number it was.
Keras asks whether some of them are zero while it is traced (``if self.momentum != 0``), and the
answers shape the graph, so a program is shared only between models with the same answers. Code of
the user's own, which may ask anything, reads the number itself; the key of a program tells it then.

The objects themselves, which the user may have made once for all models, are never written to:
for as long as a trace lasts their classes answer differently, to the tracing thread and for the
objects of its model alone.
"""

import contextlib
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from unittest import mock

from gpsearch.training.backend import (
    ATTENTION_NUMBERS,
    import_keras,
    import_tensorflow,
    layers_of,
    learning_rate_of,
    random_module,
)
from gpsearch.training.compiled import sizes
from gpsearch.training.compiled.description import root

# By class of Keras: attributes that only ever enter arithmetic or a comparison with zero.
VALUES = {
    "SGD": ("momentum", "weight_decay"),
    "Adam": ("beta_1", "beta_2", "weight_decay"),
    "AdamW": ("beta_1", "beta_2", "weight_decay"),
    "Adamax": ("beta_1", "beta_2", "weight_decay"),
    "RMSprop": ("rho", "momentum", "weight_decay"),
    "Adagrad": ("weight_decay",),
    "Adadelta": ("rho", "weight_decay"),
    "InverseTimeDecay": ("initial_learning_rate", "decay_steps", "decay_rate"),
    "ExponentialDecay": ("initial_learning_rate", "decay_steps", "decay_rate"),
    **dict.fromkeys(("Dropout", *(f"SpatialDropout{n}D" for n in (1, 2, 3))), ("rate",)),
    "MultiHeadAttention": ATTENTION_NUMBERS,
    **dict.fromkeys(("LSTMCell", "GRUCell", "SimpleRNNCell"), ("dropout", "recurrent_dropout")),
    "GaussianNoise": ("stddev",),
    "L1": ("l1",),
    "L2": ("l2",),
    "L1L2": ("l1", "l2"),
}


# Those that Keras compares with 0, rates with 1 as well.
_RATES = {"rate", "dropout", "recurrent_dropout", *ATTENTION_NUMBERS}
_ASKED_FOR = {"momentum", "weight_decay", "stddev", "l1", "l2", *_RATES}


class Place(NamedTuple):
    """Where a number stands: an attribute of a Keras object."""

    owner: Any
    """Layer, regularizer, optimizer or schedule."""
    attribute: str
    """Name of the attribute."""

    @property
    def value(self) -> float:
        """The number that stands there."""
        return float(getattr(self.owner, self.attribute))

    @property
    def special(self) -> float | None:
        """The number where Keras leaves operations out for that, 0 or 1; else None."""
        asked_for = (0, 1) if self.attribute in _RATES else (0,)
        return self.value if self.attribute in _ASKED_FOR and self.value in asked_for else None


class TracedScalar:
    """A number that is a tensor in arithmetic and itself, `value`, in comparisons."""

    def __init__(self, value: float) -> None:
        _register_conversion()
        self.value = float(value)
        self._double: Any = None
        self._cast: dict[Any, Any] = {}

    def bind(self, tensor: Any) -> None:
        """Stand for a scalar float64 `tensor` from here on; once for each trace."""
        tf = import_tensorflow()
        self._double = tensor
        # Cast here, outside of the loops, so that no step pays for it.
        self._cast = {tf.float32: tf.cast(tensor, tf.float32)}

    def tensor(self, dtype: Any = None) -> Any:
        """The scalar tensor, in float32 unless told otherwise."""
        tf = import_tensorflow()
        dtype = tf.as_dtype(dtype or tf.float32)
        if tf.executing_eagerly():  # the tensor bound belongs to a graph
            return tf.constant(self.value, dtype)
        if dtype in self._cast:
            return self._cast[dtype]
        return tf.cast(self._double, dtype)

    def derived(self, function: Callable[[Any], Any]) -> "TracedScalar":
        """The result of `function`, taken in float64 as Python would."""
        result = TracedScalar(function(self.value))
        with self._double.graph.as_default():  # outside of the loops, too
            result.bind(function(self._double))
        return result

    def __rsub__(self, other: Any) -> Any:
        if isinstance(other, int | float):
            return self.derived(lambda value: other - value)
        return other - self.tensor(other.dtype)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, int | float):
            return self.derived(lambda value: value * other)
        other = import_keras().ops.convert_to_tensor(other)
        return self.tensor(other.dtype) * other

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return bool(self.value == other)

    def __gt__(self, other: float) -> bool:
        return self.value > other

    def __lt__(self, other: float) -> bool:
        return self.value < other

    def __bool__(self) -> bool:
        return self.value != 0

    __hash__ = object.__hash__


def places(model: Any) -> list[Place]:
    """Every number of a compiled model that a program can take as an input, in a fixed order."""
    found: dict[tuple[int, str], Place] = {}
    unknown = set() if hasattr(random_module(), "dropout") else _RATES
    for owner in _owners(model):
        for attribute in VALUES.get(type(owner).__name__, ()):
            known = attribute not in unknown
            if known and isinstance(getattr(owner, attribute, None), int | float):
                found.setdefault((id(owner), attribute), Place(owner, attribute))
    return list(found.values())


@contextlib.contextmanager
def traced_scalars(model: Any) -> Iterator[list[TracedScalar]]:
    """Let the model's places be read as the `TracedScalar` of each, in their order.

    To be entered after the optimizer is built, for building asks more of a number than tracing.
    """
    found = places(model)
    scalars = [TracedScalar(place.value) for place in found]
    answers: dict[tuple[Any, str], Any] = {
        (type(place.owner), place.attribute): sizes.Answer(
            place.attribute, functools.partial(_fed, place.attribute)
        )
        for place in found
    }
    answers |= sizes.answers()
    if hasattr(drawing := random_module(), "dropout"):
        answers[drawing, "dropout"] = _dropped(drawing.dropout)
    with _CLASSES_LOCK, contextlib.ExitStack() as undo:
        undo.callback(vars(_traced).clear)
        undo.callback(sizes.bound.clear)
        _traced.scalars = {
            (id(place.owner), place.attribute): scalar
            for place, scalar in zip(found, scalars, strict=True)
        }
        for (kind, name), answer in answers.items():
            undo.enter_context(mock.patch.object(kind, name, answer, create=True))
        yield scalars


# Of this thread: `scalars`, by the address of their owner and their attribute.
_traced = threading.local()

# Two traces at once would undo each other's changes of a class.
_CLASSES_LOCK = threading.RLock()


def _fed(attribute: str, owner: Any, own: Any) -> Any:
    reader = sys._getframe(2).f_globals.get("__name__")  # this function's and the attribute's first
    if root(reader) not in ("keras", "gpsearch"):
        return own
    return vars(_traced).get("scalars", {}).get((id(owner), attribute), own)


def _owners(model: Any) -> Iterator[Any]:
    """What may have such attributes; of Keras's own classes, for a subclass may use them anew."""
    layers = layers_of(model)
    owners = [model.optimizer, learning_rate_of(model.optimizer), *layers]
    owners += [getattr(layer, "activity_regularizer", None) for layer in layers]
    owners += [getattr(variable, "regularizer", None) for variable in model.trainable_variables]
    return (owner for owner in owners if root(type(owner).__module__) == "keras")


def _dropped(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Keras's dropout with a rate that the program is fed; the same units are dropped."""

    def dropout(inputs: Any, rate: Any, noise_shape: Any = None, seed: Any = None) -> Any:
        if not isinstance(rate, TracedScalar) or rate == 1:
            return plain(inputs, getattr(rate, "value", rate), noise_shape, seed)
        keras, tf = import_keras(), import_tensorflow()
        shape = tf.shape(inputs)
        if noise_shape is not None:
            shape = [shape[i] if size is None else size for i, size in enumerate(noise_shape)]
        drawn = keras.random.uniform(shape, dtype=inputs.dtype, seed=seed)
        scale = rate.derived(lambda value: 1 / (1 - value)).tensor(inputs.dtype)
        return inputs * (tf.cast(drawn >= rate.tensor(inputs.dtype), inputs.dtype) * scale)

    return dropout


@functools.cache
def _register_conversion() -> None:
    tf = import_tensorflow()

    tf.register_tensor_conversion_function(
        TracedScalar, lambda scalar, dtype=None, name=None, as_ref=False: scalar.tensor(dtype)
    )
