"""Keras and TensorFlow: imported on first use, quietly.

Importing TensorFlow takes seconds and writes several lines to the terminal from C++, before any
logging level can reach them. Nothing in gpsearch pays for that until a model is built.

Private names of Keras and TensorFlow stand in this file alone, each in a function that does
without where a version does not have the name. They were seen in Keras 3.15 and TensorFlow 2.21:

======================== ==============================================================
eager context, get_seed  `set_seed` keeps TensorFlow's graphs; without, they are made anew
global seed generator    `set_seed` restarts it, as Keras does from 3.13 on
name counts              layers are numbered alike in each build; without, on and on
function call options    `graph_options`; without, a training takes longer, and to start, too
``_flatten_layers``      `layers_of`; without, a walk through the attributes
``_learning_rate``       `learning_rate_of`; without, the schedule is found by its type
sum over replicas        `summing_nothing`; without, each training keeps some memory
``_compile_config``      `compile_arguments`; without, the loop trains without XLA
``_compute_loss``        `loss_of`; without, the loss is never told whether it is training
has training argument    `outputs_of`; without, each model is told whether it is training
``_momentums`` and kin   `slots_of`; without, Keras takes the step of the optimizer
``_keras_history``       `last_layer`; without, the last of the model's layers
``_value`` and kin       `standing_in`; without, each width of a network is traced anew
``_key_dim`` and kin     attention of each size, and of each dropout, is traced anew without
dropout of the backend   `random_module`; without, a new rate is traced anew
======================== ==============================================================
"""

import collections
import contextlib
import copy
import functools
import os
import random
import threading
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from unittest import mock

import numpy as np

from gpsearch.data.blocks import ALIGNMENT
from gpsearch.phases import phase
from gpsearch.training.quiet_import import stderr_held_back
from gpsearch.training.thread_pool import widen_pool

_GRAPH_LOCK = threading.RLock()

# Seeds under which TensorFlow has drawn since it last forgot its kernels; after so many, the memory
# of these kernels, 36 kB each, is worth more.
_DRAWN_UNDER: set[int | None] = set()
_MOST_DRAWN_UNDER = 100

# Set once a graph has drawn. It may outlive its seed, and draw under any without being noticed.
_GRAPHS_DRAW = threading.Event()

# Passes over a graph; without the others, recurrent layers train more slowly.
_IDLE_PASSES = [
    *("arithmetic_optimization", "constant_folding", "layout_optimizer", "remapping"),
    "shape_optimization",
]

# Attributes in which Keras keeps books about its own objects: which belong to which, under what
# address, and what the last call left behind; what a model is called, and where its weights came
# from.
BOOKKEEPING = {
    *("_tracker", "_tracked", "_auto_config", "_inbound_nodes", "_outbound_nodes", "_nodes"),
    *("_losses", "_loss_ids", "_losses_override", "_call_signature", "_keras_history"),
    *("_compile_config", "_compiled_trainable_state", "_trainable_variables_indices"),
    *("_exclude_from_weight_decay_cache", "_distribution_strategy", "_distribute_strategy"),
    *("train_function", "test_function", "predict_function", "stop_training", "_lock"),
    *("_called", "_saved_model_inputs_spec", "_saved_model_arg_spec", "_initial_epoch"),
    *("name", "_name", "_path", "_parent_path", "output_names", "seed", "_initial_seed"),
    *("build", "quantize", "_value"),
    *("steps_per_execution", "_jit_compile", "_build_shapes_dict", "_flat_arguments"),
    *("_operations", "_operations_by_depth", "keras_tensors", "_single_positional_tensor"),
    *("call_signature_parameters", "_call_has_training_arg", "_call_has_mask_arg"),
    *("_call_context_args", "_call_has_context_arg"),
    *("built", "_flat_losses", "_y_pred_build_structure", "_y_true_build_structure"),
}

# Of multi-head attention: how large its variables are, and numbers for arithmetic.
ATTENTION_SIZES = ("_num_heads", "_key_dim", "_value_dim", "_output_shape")
ATTENTION_NUMBERS = ("_inverse_sqrt_key_dim", "_dropout")

# Of an input: the shape of its rows.
INPUT_SIZES = ("_batch_shape",)

# Bytes from which an array is not copied into a tensor.
SHARED_BYTES = 2**20


@functools.cache
@phase("loading TensorFlow")
def import_keras() -> Any:
    """Keras, imported once; what its import writes is shown only where it fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with stderr_held_back():
        import keras

        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            widen_pool(tf.config.threading)
            tf.constant(0)  # wakes the runtime, which has its own greeting
            tf.get_logger().setLevel("ERROR")
    return keras


@functools.cache
def import_tensorflow() -> Any:
    """TensorFlow, imported once and quietly."""
    import_keras()
    with stderr_held_back():
        import tensorflow
    return tensorflow


def as_tensor(array: Any) -> Any:
    """A tensor of an array; of a large one without a copy, so that nothing may write into it."""
    tf = import_tensorflow()
    shared = (
        isinstance(array, np.ndarray)
        and array.nbytes >= SHARED_BYTES
        and array.dtype.kind in "fiu"
        and array.flags.c_contiguous
        and array.flags.writeable  # else NumPy does not give it away
        and array.ctypes.data % ALIGNMENT == 0
        and not tf.config.list_logical_devices("GPU")
    )
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__()) if shared else tf.constant(array)


def set_seed(seed: int) -> None:
    """Do what ``keras.utils.set_random_seed`` does, and keep TensorFlow's graphs where possible.

    TensorFlow draws from a state that each of its kernels keeps. Told a seed, it forgets all
    kernels, so that they draw anew, and every graph with them: to set up a program again takes 0.1
    s, longer than to train a small fold in it. A kernel is found by its seed, among other things,
    so under a seed under which none has drawn yet there is nothing to forget.
    """
    keras = import_keras()
    noticed = keras.backend.backend() == "tensorflow" and _notices_draws()
    context = _eager_context() if noticed else None
    if context is None or seed in _DRAWN_UNDER or len(_DRAWN_UNDER) >= _MOST_DRAWN_UNDER:
        _DRAWN_UNDER.clear()
        keras.utils.set_random_seed(seed)
    else:
        with import_tensorflow().Graph().as_default():  # takes TensorFlow's part of it
            keras.utils.set_random_seed(seed)
        context._seed, context._rng = seed, random.Random(seed)
    _restart_global_generator()
    if _GRAPHS_DRAW.is_set():
        _DRAWN_UNDER.add(seed)


def _restart_global_generator() -> None:
    """Let ``keras.random`` draw anew where it is given no seed, as Keras does from 3.13 on."""
    with contextlib.suppress(ImportError):
        from keras.src.backend.common.global_state import set_global_attribute

        set_global_attribute("global_seed_generator", None)


@functools.cache
def _notices_draws() -> bool:
    """Note from now on under which seeds TensorFlow draws; False where that is unknown of it."""
    tf = import_tensorflow()
    try:
        from tensorflow.python.framework import random_seed
    except ImportError:
        return False
    if not hasattr(random_seed, "get_seed"):
        return False
    own = random_seed.get_seed  # which each operation that draws asks for its seeds

    @functools.wraps(own)
    def get_seed(op_seed: Any) -> Any:
        seed = getattr(_eager_context(), "_seed", None)
        _DRAWN_UNDER.add(None if seed is None else int(seed))
        if not tf.executing_eagerly():
            _GRAPHS_DRAW.set()
        return own(op_seed)

    random_seed.get_seed = get_seed
    tf.random.set_seed(0)  # forgets what was drawn so far, and has the context keep its generator
    return True


def _eager_context() -> Any:
    """Where TensorFlow keeps its seed; None where this is not known of its version."""
    if import_keras().backend.backend() != "tensorflow":
        return None
    import_tensorflow()
    try:
        from tensorflow.python.eager.context import context
    except ImportError:
        return None
    found = context()
    return found if hasattr(found, "_seed") and hasattr(found, "_rng") else None


def name_counts() -> dict[str, int]:
    """How often Keras has given each name to a layer or model in this thread; changes count."""
    import_keras()
    try:
        from keras.src.backend.common.global_state import get_global_attribute
    except ImportError:
        return collections.defaultdict(int)
    counts: dict[str, int] = get_global_attribute(
        "object_name_uids", collections.defaultdict(int), set_to_default=True
    )
    return counts


def random_module() -> Any:
    """The module whose ``dropout`` all of Keras's layers call; one without where it is unknown."""
    import_keras()
    try:
        from keras.src.backend import random
    except ImportError:
        return types.SimpleNamespace()
    return random


def names_that_count(model: Any) -> list[str]:
    """Names by which rows, losses and optimizers find their part of a model."""
    names: list[str] = []
    for ends in (getattr(model, "inputs", None), getattr(model, "outputs", None)):
        if ends is not None and len(ends) > 1:
            names += [end._keras_history.operation.name for end in ends]
    kept = [entry for optimizer in optimizers_of(model) for entry in vars(optimizer).items()]
    if any("exclude" in name and value and not name.endswith("_cache") for name, value in kept):
        names += [variable.path for variable in model.trainable_variables]
    return names


def outputs_of(model: Any, x: Any, training: bool) -> Any:
    """What a model gives in Keras's own steps: one whose `call` does not ask is not told."""
    asks = getattr(model, "_call_has_training_arg", True)
    return model(x, training=training) if asks else model(x)


def loss_of(model: Any, batch: Any, outputs: Any, training: bool) -> Any:
    """The loss of a batch ``(x, y, weight)`` in Keras's own steps."""
    x, y, weight = batch
    if not hasattr(model, "_compute_loss"):
        return model.compute_loss(x, y, outputs, weight)
    return model._compute_loss(x, y, outputs, weight, training=training)


def forget_losses(model: Any) -> None:
    """Drop the losses that layers keep from the last call, which may be tensors of a graph."""
    model._clear_losses()


@contextlib.contextmanager
def graph_options(*, one_thread: bool) -> Iterator[None]:
    """Trace and run graphs as suits trainings, where TensorFlow offers it.

    In `one_thread`, op after op: the graph of a small network is hundreds of operations of a few
    microseconds each, and handing them from thread to thread costs more than they do. Large
    operations still use all cores. With fewer threads than nested loops the process would wait for
    ever: one graph at a time is let in, and callers ask `pool_takes` first. A graph is traced and
    run under the same choice.

    Without a GPU also with few of the passes that optimize a graph before its first run. The
    others take up to half a second, and no training was faster for them.
    """
    context = _eager_context()
    before = getattr(context, "function_call_options", None)
    if before is None:
        yield
        return
    options = copy.copy(before)
    options.config_proto_serialized = _with_few_passes(before.config_proto_serialized)
    if one_thread:
        options.executor_type = "SINGLE_THREADED_EXECUTOR"
    with _GRAPH_LOCK if one_thread else contextlib.nullcontext():
        context.function_call_options = options
        try:
            yield
        finally:
            context.function_call_options = before


@functools.cache
def _with_few_passes(config: bytes) -> Any:
    """TensorFlow's configuration of a session without the passes that gain nothing."""
    tf = import_tensorflow()
    changed = tf.compat.v1.ConfigProto.FromString(config)
    passes = changed.graph_options.rewrite_options
    if not tf.config.list_logical_devices("GPU"):
        passes.meta_optimizer_iterations = passes.ONE
        for name in _IDLE_PASSES:
            setattr(passes, name, passes.OFF)
    return changed


def layers_of(model: Any) -> list[Any]:
    """The model and all layers inside it, each once, in an order that its architecture decides."""
    if hasattr(model, "_flatten_layers"):
        return list(model._flatten_layers())
    kind = import_keras().Layer
    found: dict[int, Any] = {}

    def visit(value: Any) -> None:
        if isinstance(value, kind) and id(value) not in found:
            found[id(value)] = value
            visit(list(vars(value).values()))
        elif isinstance(value, Mapping):
            visit(list(value.values()))
        elif isinstance(value, list | tuple | set):
            for inner in value:
                visit(inner)

    visit(model)
    return list(found.values())


def restart_random_layers(model: Any) -> None:
    """Let each random layer, such as dropout, draw from its start: models may share one."""
    kind = import_keras().random.SeedGenerator
    held = [value for layer in layers_of(model) for value in vars(layer).values()]
    for state in (value.state for value in held if isinstance(value, kind)):
        seed, drawn = state.numpy()
        if drawn:
            state.assign(np.array([seed, 0], dtype=seed.dtype))


def last_layer(model: Any) -> Any:
    """The layer that returns the model's first output; None where the model's code decides it."""
    if not getattr(model, "outputs", None):
        return None
    history = getattr(model.outputs[0], "_keras_history", None)
    last = model.layers[-1] if history is None else history.operation
    return last_layer(last) if getattr(last, "layers", None) else last


def optimizers_of(model: Any) -> list[Any]:
    """The optimizer of a compiled model, and those inside it (loss scaling, several optimizers)."""
    inner = getattr(model.optimizer, "inner_optimizer", None)
    outer = [model.optimizer] if inner is None else [model.optimizer, inner]
    return [*outer, *(one for holder in outer for one in getattr(holder, "optimizers", ()))]


def learning_rate_of(optimizer: Any) -> Any:
    """What an optimizer was given: its `keras.Variable`, a schedule, or a callable."""
    if (inner := getattr(optimizer, "inner_optimizer", None)) is not None:
        return learning_rate_of(inner)  # the one around it only scales the loss
    given = getattr(optimizer, "_learning_rate", None)
    if given is not None:
        return given
    schedule = import_keras().optimizers.schedules.LearningRateSchedule
    schedules = [value for value in vars(optimizer).values() if isinstance(value, schedule)]
    return schedules[0] if schedules else optimizer.learning_rate


@contextlib.contextmanager
def summing_nothing(optimizer: Any) -> Iterator[None]:
    """Let steps of an optimizer, and of one inside it, leave out the sum over a single replica.

    TensorFlow registers the gradient of that sum, and with it the whole graph, for the life of
    the process.
    """
    name = "_all_reduce_sum_gradients"
    with contextlib.ExitStack() as undo:
        while optimizer is not None:
            plain: Any = getattr(optimizer, name, None)
            if str(getattr(plain, "__module__", "")).startswith("keras."):
                undo.enter_context(mock.patch.object(optimizer, name, _of_one_replica(plain)))
            optimizer = getattr(optimizer, "inner_optimizer", None)
        yield


def _of_one_replica(plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def summed(gradients: Any) -> Any:
        replica = import_tensorflow().distribute.get_replica_context()
        several = replica is not None and replica.num_replicas_in_sync > 1
        return plain(gradients) if several else list(gradients)

    return summed


def slots_of(optimizer: Any, name: str, variables: Sequence[Any]) -> list[Any] | None:
    """The variable of a built optimizer by name for each of these; None where one is unknown."""
    trained = getattr(optimizer, "_trainable_variables", ())
    kept = getattr(optimizer, f"_{name}", None)
    if not isinstance(kept, list) or len(kept) != len(trained):
        return None
    by_variable = dict(zip(map(id, trained), kept, strict=True))
    found = [by_variable.get(id(one)) for one in variables]
    return found if all(isinstance(one, import_keras().Variable) for one in found) else None


def slots_by_variable(optimizer: Any) -> dict[int, Any]:
    """The variable of the model that a slot of a built optimizer belongs to, by its id."""
    variable = import_keras().Variable
    trained = getattr(optimizer, "_trainable_variables", ())
    lists = [kept for kept in vars(optimizer).values() if isinstance(kept, list)]
    return {
        id(slot): one
        for kept in lists
        if len(kept) == len(trained)
        for slot, one in zip(kept, trained, strict=True)
        if isinstance(slot, variable) and slot is not one and slot.shape == one.shape
    }


@contextlib.contextmanager
def standing_in(optimizer: Any, stand_ins: Sequence[tuple[Any, Any]]) -> Iterator[bool]:
    """Let Keras's variables be read and written as TensorFlow's variables that stand in for them.

    These may have axes of any size, which Keras then sees as None. False, and nothing is done,
    where the names are unknown.
    """
    indices = getattr(optimizer, "_trainable_variables_indices", None)
    trained = getattr(optimizer, "_trainable_variables", None)
    names = ("_value", "_shape")
    known = all(hasattr(one, name) for one, _ in stand_ins for name in names)
    if not known or trained is None or not hasattr(optimizer, "_var_key") or not indices:
        yield False
        return
    kept = [(one, one._value, one._shape) for one, _ in stand_ins]
    own_indices = dict(indices)
    try:
        for one, other in stand_ins:
            one._value, one._shape = other, tuple(other.shape)
        indices.clear()
        indices.update({optimizer._var_key(one): i for i, one in enumerate(trained)})
        yield True
    finally:
        for one, value, shape in kept:
            one._value, one._shape = value, shape
        indices.clear()
        indices.update(own_indices)


def compile_arguments(model: Any) -> Mapping[str, Any] | None:
    """What ``model.compile`` was called with, functions as such; None where this is not kept."""
    kept = getattr(getattr(model, "_compile_config", None), "config", None)
    return kept if isinstance(kept, Mapping) else None
