"""Which models a program can serve whatever their widths are.

Where every layer is one of Keras's own below, a model's sizes, such as units, enter its training
through the shapes of its variables alone. A program is then traced with variables of free shape,
see `backend.standing_in`, and models that differ in nothing but such sizes share it. Outputs keep
their shapes, for losses and metrics may ask for them, and so do rows that are not a table: of a
table the number of columns is open, as an encoder that is fitted in each fold may choose it.
Recurrent cells, which keep their units and reckon with them, are answered as the program runs, see
`answers`.

A layer that asks for a size while it is traced finds None in its place: either it does without, or
tracing fails and the model has a program of fixed shapes.

Processor time of a known program of free shape over that of one of fixed shape: see
``benchmarks/training.py --widths``.
"""

from collections.abc import Callable
from typing import Any

from gpsearch.training.backend import (
    ATTENTION_SIZES,
    INPUT_SIZES,
    import_keras,
    import_tensorflow,
    layers_of,
)
from gpsearch.training.compiled.description import root

# By class of Keras: attributes that say how large its variables are, and nothing else.
SIZES: dict[str, tuple[str, ...]] = {
    "Dense": ("units",),
    "Conv1D": ("filters", "kernel_size"),
    "Conv2D": ("filters", "kernel_size"),
    "Conv3D": ("filters", "kernel_size"),
    "Embedding": ("input_dim", "output_dim"),
    "EinsumDense": ("partial_output_shape",),
    "MultiHeadAttention": ATTENTION_SIZES,
    **dict.fromkeys(
        ("LSTMCell", "GRUCell", "SimpleRNNCell"), ("units", "state_size", "output_size")
    ),
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), ("state_size",)),
    "InputLayer": INPUT_SIZES,  # a program is told of them where they count, see `program_key`
    "InputSpec": ("axes",),  # what a layer has been built for
}

# Layers that have no size, or that take it from what they are given.
_WITHOUT_SIZE = {
    *("Sequential", "Functional", "Activation", "Flatten", "Identity"),
    *("BatchNormalization", "LayerNormalization", "Dropout", "GaussianNoise"),
    *("ReLU", "LeakyReLU", "ELU", "Softmax", "Add", "Multiply", "Concatenate"),
    *("Masking", "Bidirectional", "TimeDistributed", *(f"SpatialDropout{n}D" for n in (1, 2, 3))),
    *(f"{pool}Pooling{n}D" for pool in ("Max", "Average") for n in (1, 2, 3)),
    *(f"Global{pool}Pooling{n}D" for pool in ("Max", "Average") for n in (1, 2, 3)),
}


# By the address of a cell: its units, a tensor of the graph that is being traced, one at a time.
bound: dict[int, Any] = {}


def has_free_sizes(model: Any) -> bool:
    """Whether a built model consists of nothing but layers whose sizes may be left open."""
    kinds = [type(layer) for layer in layers_of(model)]
    return (
        bool(getattr(model, "outputs", None))
        and not any(map(_needs_its_size, layers_of(model)))
        and _treats_alike(model.optimizer)
        and all(
            root(kind.__module__) == "keras" and (kind.__name__ in {*SIZES, *_WITHOUT_SIZE})
            for kind in kinds
        )
    )


def has_free_columns(model: Any) -> bool:
    """Whether a model of free sizes may be given tables with any number of columns.

    A layer that counts them is flattening, or an embedding, of which each is a word.
    """
    kinds = {type(layer).__name__ for layer in layers_of(model)}
    return not kinds & {"Embedding", "Flatten"} and all(len(x.shape) == 2 for x in model.inputs)


def _needs_its_size(layer: Any) -> bool:
    """Whether a recurrent layer keeps states between batches, or cuts its weights in each step.

    The latter, of a cell with recurrent dropout or ``implementation=1``, costs more with cuts that
    are known only as the program runs (a known program 1.6 times) than a trace for each size.
    """
    return getattr(layer, "stateful", False) or getattr(layer, "implementation", 2) == 1


def _treats_alike(optimizer: Any) -> bool:
    """Whether an optimizer treats all variables alike.

    One that looks for some of them, by name or identity, would not find them: others stand in for
    them. ``exclude_from_weight_decay`` keeps what it was given in attributes of that name.
    """
    if root(type(optimizer).__module__) != "keras":
        return False
    excluded = {name for name, kept in vars(optimizer).items() if "exclude" in name and kept}
    return all(name.endswith("_cache") for name in excluded)


def may_vary(variable: Any) -> bool:
    """Whether a variable of such a model, or of its optimizer, may have another size."""
    return bool(variable.shape) and import_keras().backend.is_float_dtype(variable.dtype)


def is_size(thing: Any, name: str) -> bool:
    """Whether an attribute of a layer or variable of Keras's own only says how large it is."""
    kind: Any = type(thing)
    if isinstance(thing, import_keras().Variable):
        return name == "_shape"
    return root(kind.__module__) == "keras" and name in SIZES.get(kind.__name__, ())


class Answer:
    """An attribute of a Keras class, answered by `instead` of its owner and its own value."""

    def __init__(self, name: str, instead: Callable[[Any, Any], Any]) -> None:
        self.name, self.instead = name, instead

    def __get__(self, owner: Any, kind: type) -> Any:
        if owner is None:
            return self
        if self.name not in owner.__dict__:
            raise AttributeError(f"{kind.__name__!r} object has no attribute {self.name!r}")
        return self.instead(owner, owner.__dict__[self.name])

    def __set__(self, owner: Any, value: Any) -> None:
        owner.__dict__[self.name] = value


def answers() -> dict[tuple[type, str], Any]:
    """Methods and attributes of Keras's layers to take while tracing, by class and name."""
    layers = import_keras().layers
    made = {layers.Dense: _dense_call, layers.LayerNormalization: _layer_normalization_call}
    for kind in (layers.Conv1D, layers.Conv2D, layers.Conv3D):
        made[next(base for base in kind.__mro__ if "call" in vars(base))] = _convolution_call
    found: dict[tuple[type, str], Any] = {
        (kind, "call"): make(kind.call) for kind, make in made.items()
    }
    for kind in (layers.LSTMCell, layers.GRUCell, layers.SimpleRNNCell):
        found |= {(kind, name): Answer(name, _units) for name in ("units", "state_size")}
    for kind in (layers.LSTM, layers.GRU):
        found[kind, "use_cudnn"] = Answer("use_cudnn", _use_cudnn)
    return found | {(layers.GRUCell, "bias"): Answer("bias", _bias)}


def _is_free(cell: Any) -> bool:
    return None in tuple(getattr(vars(cell).get("recurrent_kernel"), "shape", ()))


def bind_units(model: Any) -> None:
    """Measure the cells of a model that is traced, once for all steps; part of the graph."""
    bound.clear()
    shape = import_tensorflow().shape
    for cell in filter(_is_free, layers_of(model)):
        bound[id(cell)] = shape(cell.recurrent_kernel.value)[0]


def _units(cell: Any, own: Any) -> Any:
    """The units of a recurrent cell, or a list of them, as the program runs."""
    size = bound.get(id(cell)) if _is_free(cell) else None
    if size is None:
        return own
    return size if isinstance(own, int) else [size for _ in own]


def _use_cudnn(layer: Any, own: Any) -> Any:
    """Not asked for in vain: a pair of layers would compare their units first."""
    without = not import_tensorflow().config.list_logical_devices("GPU")
    return False if own == "auto" and without and _is_free(layer.cell) else own


def _bias(cell: Any, own: Any) -> Any:
    """The bias of a GRU, of which Keras asks how many rows it has."""
    if own is None or not _is_free(cell) or len(own.shape) == 1:
        return own
    bias = import_tensorflow().identity(import_keras().ops.convert_to_tensor(own))
    bias.set_shape([2, None])
    return bias


def _dense_call(plain: Callable[..., Any]) -> Callable[..., Any]:
    """``keras.layers.Dense.call``, with the fused addition that Keras takes for known sizes."""

    def call(self: Any, inputs: Any, training: Any = None) -> Any:
        if self.bias is None or None not in tuple(self.kernel.shape):
            return plain(self, inputs, training=training)
        return _activated(self, import_keras().ops.matmul(inputs, self.kernel))

    return call


def _convolution_call(plain: Callable[..., Any]) -> Callable[..., Any]:
    """The ``call`` of convolutions, which knows the sizes of the kernel only as it runs."""

    def call(self: Any, inputs: Any) -> Any:
        if None not in tuple(self.kernel.shape):
            return plain(self, inputs)
        if self.groups != 1 or self.data_format != "channels_last" or self.padding == "causal":
            raise NotImplementedError("groups, channels first or causal padding")
        tf = import_tensorflow()
        kernel = tf.identity(import_keras().ops.convert_to_tensor(self.kernel))
        kernel.set_shape([*[None] * self.rank, inputs.shape[-1], None])
        padding, dilations = self.padding.upper(), self.dilation_rate
        outputs = tf.nn.convolution(inputs, kernel, self.strides, padding, dilations=dilations)
        return _activated(self, outputs)

    return call


def _layer_normalization_call(plain: Callable[..., Any]) -> Callable[..., Any]:
    """The ``call`` of layer normalisation, whose last axis counted from the front needs no size."""

    def call(self: Any, inputs: Any) -> Any:
        if self.axis not in (-1, [-1]):
            return plain(self, inputs)
        ops, last = import_keras().ops, len(inputs.shape) - 1
        rms = {"rms_scaling": self.rms_scaling}
        outputs = ops.layer_normalization(inputs, self.gamma, self.beta, last, self.epsilon, **rms)
        return ops.cast(outputs, self.compute_dtype)

    return call


def _activated(layer: Any, outputs: Any) -> Any:
    if layer.bias is not None:
        bias = import_keras().ops.convert_to_tensor(layer.bias)
        outputs = import_tensorflow().nn.bias_add(outputs, bias)
    return outputs if layer.activation is None else layer.activation(outputs)
