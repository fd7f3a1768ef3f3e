"""The work of a training: what it costs by the shapes of its layers, not by a clock.

The same training has the same work on every machine, in every process, under either trainer, and
whether its program is known or traced anew. The unit is the reference second: what such a training
takes in a known program on one core of the machine that `benchmarks/work.py` was run on, which
measured the constants below and says how well they predict.

============== ===============================================================================
places         of one row at which a layer applies its weights: 1, or pixels, or time steps
moments        time steps that recurrent layers take one after the other
multiply-adds  of one row on its way forward: weights x places, and attention's own
outputs        numbers that layers with weights put out for one row, where it has many places
============== ===============================================================================
"""

import math
from dataclasses import dataclass
from typing import Any

from gpsearch.training.backend import import_keras, layers_of
from gpsearch.training.fitted import FORWARD_ROWS

SECONDS = {
    "fold": 0.043,
    "layer": 0.025,
    "step": 7.4e-5,
    "moment": 8.4e-5,
    "weight": 3.2e-9,
    "multiply_add": 3.2e-11,
    "place": 6.7e-8,
    "output": 3.5e-9,
}
"""Reference seconds for each of what `counts` counts."""


@dataclass(frozen=True, kw_only=True)
class Arithmetic:
    """The arithmetic of a built model, read from the shapes of its layers."""

    layers: int = 0
    """Layers with weights."""
    moments: int = 0
    """Time steps one after the other."""
    weights: int = 0
    """Numbers that are learnt."""
    multiply_adds: int = 0
    """Of one row forward."""
    learning: int = 0
    """Those of `multiply_adds` in layers that learn."""
    places: int = 0
    """Of one row, over all layers with weights."""
    outputs: int = 0
    """For one row, of the layers with weights and many places."""


def work(seen: Arithmetic | None, **extent: int) -> float | None:
    """Reference seconds of a training; None where its arithmetic is not known. See `counts`."""
    if seen is None:
        return None
    return math.fsum(SECONDS[name] * count for name, count in counts(seen, **extent).items())


def counts(
    seen: Arithmetic, *, rows: int, batch_size: int, epochs: int, watched: int = 0, scored: int = 0
) -> dict[str, float]:
    """What a training consists of, by the names of `SECONDS`.

    It learns from `rows` for `epochs`, each of which ends with a look at the `watched` rows; then
    the `scored` rows are predicted. The way back through a layer costs two ways forward.
    """
    steps = epochs * math.ceil(rows / batch_size)
    ahead = epochs * math.ceil(watched / max(batch_size, FORWARD_ROWS))
    ahead += math.ceil(scored / FORWARD_ROWS)
    forward = epochs * (rows + watched) + scored
    return {
        "fold": 1,
        "layer": seen.layers,
        "step": steps,
        "moment": (3 * steps + ahead) * seen.moments,
        "weight": steps * seen.weights,
        "multiply_add": forward * seen.multiply_adds + 2 * epochs * rows * seen.learning,
        "place": (forward + 2 * epochs * rows) * seen.places,
        "output": (forward + 2 * epochs * rows) * seen.outputs,
    }


def arithmetic(model: Any) -> Arithmetic | None:
    """The arithmetic of a built model; None for one with own training, or layers without shapes."""
    keras = import_keras()
    own = ("fit", "train_step", "make_train_function")
    if any(
        name in vars(model) or getattr(type(model), name) is not getattr(keras.Model, name)
        for name in own
    ):
        return None
    try:
        return _read(model, keras.layers)
    except Exception:  # a layer may be any code
        return None


def _read(model: Any, kinds: Any) -> Arithmetic:
    found, layers = dict.fromkeys(vars(Arithmetic()), 0), layers_of(model)
    counted: set[int] = set()  # variables
    steps: dict[int, int] = {}  # in time, by layer
    for layer in layers:
        if isinstance(layer, kinds.RNN | kinds.TimeDistributed):
            for inner in layers_of(layer)[1:]:
                steps[id(inner)] = steps.get(id(inner), 1) * _shape(layer)[1]
            found["moments"] += _shape(layer)[1] * isinstance(layer, kinds.RNN)
    attentions = [one for one in layers if isinstance(one, kinds.MultiHeadAttention)]
    for layer in [*attentions, *reversed(layers)]:  # inner layers before those that hold them
        own = [w for w in layer.weights if id(w) not in counted]
        if not own:
            continue
        counted |= {id(w) for w in own}
        size, times = sum(math.prod(w.shape) for w in own), steps.get(id(layer), 1)
        places = times * _places(layer, kinds)
        multiply_adds = 0 if isinstance(layer, kinds.Embedding) else size * places
        if isinstance(layer, kinds.MultiHeadAttention):
            keys = layer.get_build_config()["shapes_dict"]["value_shape"][1]
            multiply_adds += 2 * places * keys * layer.num_heads * layer.key_dim
        found["layers"] += 1
        found["weights"] += sum(math.prod(w.shape) for w in own if w.trainable)
        found["multiply_adds"] += multiply_adds
        found["learning"] += multiply_adds * any(w.trainable for w in own)
        found["places"] += places
        if places > 1:
            found["outputs"] += places * max(own, key=lambda w: math.prod(w.shape)).shape[-1]
    return Arithmetic(**found)


def _shape(layer: Any) -> tuple[int, ...]:
    built = layer.get_build_config()
    shapes = built.get("shapes_dict") or {"input_shape": built["input_shape"]}
    first: tuple[int, ...] = next(iter(shapes.values()))
    return first


def _places(layer: Any, kinds: Any) -> int:
    shape = _shape(layer)
    if isinstance(layer, kinds.Embedding):
        return math.prod(shape[1:])
    channels = 1 if getattr(layer, "data_format", "") == "channels_first" else -1

    def of(shape: Any) -> int:
        return math.prod(shape[1:]) // shape[channels] if len(shape) > 1 else 1

    if hasattr(layer, "kernel_size") and hasattr(layer, "strides"):
        return min(of(shape), of(layer.compute_output_shape(shape)))
    return of(shape)
