"""When two models may share one compiled program.

A program holds everything about a model but its weights and the numbers of `traced_values`. Two
models share it where all the rest agrees: layers and how they are connected, loss, metrics and
optimiser. What Keras cannot describe, such as a loss that closes over an array, is shared only
between models that were built by the same call.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Hashable, Mapping
from typing import Any

from gpsearch.identity import code_fingerprint
from gpsearch.training.backend import compile_arguments, import_keras, layers_of, learning_rate_of
from gpsearch.training.compiled.inputs import (
    LAYER_VALUES,
    OPTIMISER_VALUES,
    REGULARIZER_VALUES,
    SCHEDULE_VALUES,
    places,
    zeroness,
)

_NUMBERS = {**LAYER_VALUES, **OPTIMISER_VALUES, **REGULARIZER_VALUES, **SCHEDULE_VALUES}

# Where Keras writes layer names: elsewhere an equal text means something else.
_NAME_KEYS = ("name", "keras_history", "input_layers", "output_layers")


class NotDescribed(Exception):  # noqa: N818 (says no more than that sharing is not possible)
    """Something about a model cannot be told apart from something else."""


def architecture_key(model: Any, built_by: Hashable) -> Hashable:
    """A key that is equal for two models that may share a program.

    Parameters
    ----------
    model : keras.Model
        Built and compiled.
    built_by : hashable
        Stands for the call that built it: the key where the model cannot be described.

    Returns
    -------
    hashable
        It holds what it compares.
    """
    try:
        described = {
            "class": _qualified(type(model)),
            "layers": _layers(model),
            "optimizer": _described(model.optimizer),
            "schedule": _described(learning_rate_of(model.optimizer)),
            "compile": _compile_arguments(model),
            "trainable": [(list(v.shape), str(v.dtype)) for v in model.trainable_variables],
            "variables": [(list(v.shape), str(v.dtype)) for v in model.variables],
            "places": [(type(p.owner).__name__, p.attribute) for p in places(model)],
            "zero": zeroness(model),
        }
        return json.dumps(described, sort_keys=True)
    except (NotDescribed, NotImplementedError, TypeError, ValueError, AttributeError):
        return _qualified(type(model)), built_by


def _layers(model: Any) -> Any:
    keras = import_keras()
    graph = isinstance(model, keras.Sequential) or hasattr(model, "operations")
    layers = layers_of(model)
    names = {layer.name: f"layer {number}" for number, layer in enumerate(layers)}
    if not graph:
        # The calls between the layers of a subclassed model stand in its code alone.
        names_of_code = [_qualified(type(layer)) for layer in layers]
        attributes = {name: value for name, value in vars(model).items() if name[0] != "_"}
        return [
            names_of_code,
            code_fingerprint(type(model).call),
            _simple(attributes),
            _config(model, {}),
        ]
    own = [_own_code(layer) for layer in layers if not _from_keras(type(layer))]
    return [_config(model, names), own]


def _own_code(layer: Any) -> Any:
    """What a layer of the user's own is, beyond its configuration."""
    plain = {
        name: value
        for name, value in vars(layer).items()
        if name[0] != "_" and isinstance(value, bool | int | float | str | tuple | type(None))
    }
    plain.pop("name", None)
    return [_qualified(type(layer)), _simple(plain)]


def _config(thing: Any, names: Mapping[str, str]) -> Any:
    return _canonical(thing.get_config(), names, named=False)


def _canonical(value: Any, names: Mapping[str, str], *, named: bool) -> Any:
    """A configuration without initial weights, seeds, given names, and replaceable numbers."""
    if isinstance(value, Mapping):
        replaced = _NUMBERS.get(str(value.get("class_name")), ())
        return {
            key: _canonical(
                _without(inner, replaced) if key == "config" else inner,
                names,
                named=named or key in _NAME_KEYS,
            )
            for key, inner in value.items()
            if not (key in ("seed", "build_config") or str(key).endswith("initializer"))
        }
    if isinstance(value, list | tuple):
        return [_canonical(inner, names, named=named) for inner in value]
    if isinstance(value, str):
        return names.get(value, value) if named else value
    return _simple(value)


def _without(config: Any, replaced: tuple[str, ...]) -> Any:
    if not isinstance(config, Mapping):
        return config
    return {
        key: None if key in replaced and isinstance(value, int | float) else value
        for key, value in config.items()
    }


def _compile_arguments(model: Any) -> Any:
    config = compile_arguments(model)
    if config is None:
        raise NotDescribed("the arguments of compile")
    return {
        name: _described(value)
        for name, value in config.items()
        if name not in ("optimizer", "steps_per_execution", "jit_compile", "auto_scale_loss")
    }


def _described(thing: Any) -> Any:
    """A loss, metric or optimiser as JSON; structures of them likewise."""
    keras = import_keras()
    if isinstance(thing, Mapping):
        return {str(key): _described(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [_described(value) for value in thing]
    if isinstance(thing, keras.Variable):
        return "variable"
    if inspect.isroutine(thing):
        return _function(thing)
    if hasattr(thing, "get_config"):
        replaced = _NUMBERS.get(type(thing).__name__, ()) if _from_keras(type(thing)) else ()
        config = {
            key: value
            for key, value in thing.get_config().items()
            if key not in ("name", "learning_rate")
        }
        described = [
            _qualified(type(thing)),
            _canonical(_without(config, replaced), {}, named=False),
        ]
        return described if _from_keras(type(thing)) else [*described, _own_code(thing)]
    return _simple(thing)


def _function(function: Any) -> Any:
    if function.__module__.split(".")[0] == "keras":
        return f"{function.__module__}.{function.__qualname__}"
    closed_over = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    return [
        _qualified(function),
        code_fingerprint(function),
        [_described(value) for value in closed_over],
        _simple(getattr(function, "__defaults__", None)),
    ]


def _simple(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _simple(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_simple(inner) for inner in value]
    raise NotDescribed(repr(value))


def _qualified(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def _from_keras(kind: type) -> bool:
    return kind.__module__.split(".")[0] == "keras"
