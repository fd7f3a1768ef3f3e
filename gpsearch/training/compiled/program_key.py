"""When two models may share one compiled program.

A program holds everything about a model but its weights and the numbers of `inputs`. Two models
share it where all the rest is equal: whatever of layers, loss, metrics and optimizer Keras or
the user's own code could read while it is traced, see `description`. Left out are what a program
is fed, names, seeds and initializers, and the books that Keras keeps about its own objects; all
of these count where code of the user reads an attribute of such a name. A model with something
that cannot be described shares its program with no other.
"""

import functools
from typing import Any, NamedTuple

import numpy as np

from gpsearch.identity.installed import is_of_keras
from gpsearch.training.backend import (
    BOOKKEEPING,
    import_keras,
    import_tensorflow,
    layers_of,
    learning_rate_of,
    names_that_count,
)
from gpsearch.training.compiled.description import Description, NotDescribed, root
from gpsearch.training.compiled.inputs import places
from gpsearch.training.compiled.sizes import has_free_columns, is_size, may_vary

# Values of variables that no program is fed: above so many, none is compared.
_MOST_VALUES = 1_000_000


class Architecture(NamedTuple):
    """What a program is traced for: equal for two models that may share one."""

    digest: str
    own_code: bool
    """Whether code other than Keras's takes part in it."""


def architecture_key(model: Any, *, free: bool = False) -> Architecture | None:
    """The architecture of a model, built and compiled.

    With `free`, their sizes may differ, see `sizes`. None where the model may not share at all;
    with `free` also where code of the user's own asks for shapes.
    """
    keras = import_keras()
    fed = {id(variable) for variable in model.variables}
    fed |= {id(variable) for metric in model.metrics for variable in metric.variables}
    fed.add(id(learning_rate_of(model.optimizer)))
    numbers = {(id(place.owner), place.attribute): place.special for place in places(model)}

    own = [*model.variables, *model.optimizer.variables] if free else []
    sized = {id(variable) for variable in own if may_vary(variable)}

    def hidden(thing: Any, name: str) -> bool:
        kind: Any = type(thing)
        if (id(thing), name) in numbers or (free and is_size(thing, name)):
            return True
        if not is_of_keras(kind):
            return False
        return name in BOOKKEEPING or name.startswith("_self_") or name.endswith("initializer")

    def special(description: Description, thing: Any) -> bool:
        return _tensor(description, thing, fed, sized)

    settings = [
        keras.config.floatx(),
        keras.config.epsilon(),
        keras.config.image_data_format(),
        keras.config.dtype_policy(),
    ]
    whole = [model, list(numbers.values()), settings, names_that_count(model)]
    if free:
        ends = [*([] if has_free_columns(model) else model.inputs), *model.outputs]
        whole.append([str(end.shape) for end in ends])
    description = Description(special, hidden)
    try:
        told = description.digest(whole)
    except NotDescribed:
        return None
    if free and any("shape" in name for name in description.reads):
        return None
    if "get_layer" in description.reads:
        told += repr([layer.name for layer in layers_of(model)])
    return Architecture(told, description.own_code)


def _tensor(description: Description, thing: Any, fed: set[int], sized: set[int]) -> bool:
    """Add a variable, tensor or ``tf.function``, where `thing` is one.

    Of those in `sized`, and of tensors where there are such, only the number of axes is told.
    """
    keras, tf = import_keras(), import_tensorflow()
    cls: Any = type(thing)
    if not _may_be_tensor(cls):
        return False
    description.tell(cls.__name__)
    if isinstance(thing, keras.Variable):
        shape = tuple(thing.shape)
        description.tell(len(shape) if id(thing) in sized else shape, str(thing.dtype))
        description.attributes(thing)
        if id(thing) not in fed:
            _values(description, thing.value)
    elif isinstance(thing, keras.KerasTensor):
        description.tell(len(thing.shape) if sized else thing.shape, thing.dtype, thing.sparse)
    elif isinstance(thing, tf.Variable):
        description.tell(thing.dtype.name)
        _values(description, thing)
    elif isinstance(thing, tf.DType | tf.TensorShape):
        description.tell(str(thing))
    elif hasattr(thing, "python_function"):
        description.add(thing.python_function)
    elif hasattr(thing, "numpy"):
        description.array(np.asarray(thing.numpy()))
    else:
        raise NotDescribed("a tensor of a graph")
    return True


@functools.cache
def _may_be_tensor(kind: Any) -> bool:
    keras, tf = import_keras(), import_tensorflow()
    kinds = (keras.Variable, keras.KerasTensor, tf.Variable, tf.Tensor, tf.DType, tf.TensorShape)
    of_tensorflow = root(kind.__module__) == "tensorflow"
    return issubclass(kind, kinds) or (of_tensorflow and hasattr(kind, "python_function"))


def _values(description: Description, variable: Any) -> None:
    if variable.shape.num_elements() > _MOST_VALUES:
        raise NotDescribed("a large variable that is not the model's")
    description.array(variable.numpy())
