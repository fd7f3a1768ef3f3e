"""The ready-made multilayer perceptron, with the settings people tune."""

import math
from typing import Any, Literal

from gpsearch.arguments import between, instance_of, one_of, positive, refusal, whole
from gpsearch.errors import InvalidObjectiveError, InvalidSpaceError, public
from gpsearch.space.classic_order import classic_tier
from gpsearch.training.backend import import_keras

OPTIMISERS = ("adam", "sgd", "rmsprop", "adagrad", "adadelta")

# target kind: activation of the last layer, loss
_OUTPUTS = {
    "binary": ("sigmoid", "binary_crossentropy"),
    "multiclass": ("softmax", "sparse_categorical_crossentropy"),
    "multilabel": ("sigmoid", "binary_crossentropy"),
    "regression": ("linear", "mean_squared_error"),
}


def mlp(
    n_hidden: int = 2,
    n_neurons: int = 64,
    learning_rate: float = 1e-3,
    momentum: float = 0.9,
    decay: float = 0.0,
    drop_rate: float = 0.0,
    act_func: str = "relu",
    kernel_init: str = "glorot_uniform",
    opt: str = "adam",
    *,
    input_shape: tuple[int, ...],
    n_outputs: int,
    target_kind: str,
) -> Any:
    """A compiled multilayer perceptron for the data at hand.

    Every hidden layer is Dense, activation, Dropout. The last three arguments come from
    `KerasCV`; all others can be dimensions of a space.

    Parameters
    ----------
    n_hidden : int, default 2
        Hidden layers; 0 is a linear model.
    n_neurons : int, default 64
        Units in each hidden layer.
    learning_rate : float, default 1e-3
        Of the first step.
    momentum : float, default 0.9
        Momentum of "sgd" and "rmsprop", first-moment decay of "adam"; "adagrad" and "adadelta"
        have none. In [0, 1).
    decay : float, default 0.0
        The learning rate at step t is ``learning_rate / (1 + decay * t)``.
    drop_rate : float, default 0.0
        Share of hidden units dropped at each step, in [0, 1).
    act_func : str, default "relu"
        Activation of the hidden layers, by Keras's name.
    kernel_init : str, default "glorot_uniform"
        Initializer of all kernels, by Keras's name.
    opt : {"adam", "sgd", "rmsprop", "adagrad", "adadelta"}, default "adam"
        Optimiser.
    input_shape : tuple of int
        Shape of one row; more than one axis is flattened.
    n_outputs : int
        Units of the last layer.
    target_kind : {"binary", "multiclass", "multilabel", "regression"}
        Decides the last activation and the loss.

    Returns
    -------
    keras.Model
        Built and compiled.

    Raises
    ------
    InvalidObjectiveError
        An unknown optimiser, or a target it has no loss for.
    """
    kind = InvalidObjectiveError
    if not isinstance(target_kind, str) or target_kind not in _OUTPUTS:
        raise kind(
            f"mlp serves targets of the kinds {list(_OUTPUTS)}. Write a model function for others."
        ).about("target_kind", target_kind)
    instance_of("input_shape", input_shape, tuple, "the shape of one row, a tuple", kind=kind)
    whole("n_outputs", n_outputs, 1, kind=kind)
    whole("n_hidden", n_hidden, 0, kind=kind)
    whole("n_neurons", n_neurons, 1, kind=kind)
    positive("learning_rate", learning_rate, kind=kind)
    between("decay", decay, 0, kind=kind)
    between("momentum", momentum, 0, 1, kind=kind)
    between("drop_rate", drop_rate, 0, 1, kind=kind)
    for name, value in (("act_func", act_func), ("kernel_init", kernel_init)):
        if not isinstance(value, str) and not callable(value):
            raise refusal(kind, name, value, "a name that Keras knows, or a callable")
    keras = import_keras()
    act_func_out, loss = _OUTPUTS[target_kind]
    layers: list[Any] = [keras.Input(input_shape)]
    if len(input_shape) > 1:
        layers.append(keras.layers.Flatten())
    for _ in range(n_hidden):
        layers.append(
            keras.layers.Dense(n_neurons, activation=act_func, kernel_initializer=kernel_init)
        )
        layers.append(keras.layers.Dropout(drop_rate))
    layers.append(
        keras.layers.Dense(n_outputs, activation=act_func_out, kernel_initializer=kernel_init)
    )
    model = keras.Sequential(layers)
    schedule = keras.optimizers.schedules.InverseTimeDecay(
        learning_rate, decay_steps=1, decay_rate=decay
    )
    model.compile(optimizer=_optimiser(opt, schedule, momentum), loss=loss)
    return model


@public()
def mlp_space(tiers: Literal[1, 2, 3] | None = None) -> dict[str, Any]:
    """The default search space of `mlp`: each dimension as a TOML table would give it.

    Parameters
    ----------
    tiers : {1, 2, 3}, optional
        For small budgets, the dimensions that matter most by the rule of thumb: 1 for the learning
        rate alone; 2 for momentum, hidden units and batch size as well; 3 for the number of
        layers and the learning-rate decay as well. By default all.

    Returns
    -------
    dict
        From name to ``{"type", "low", "high", "prior"}`` or ``{"type", "categories"}``;
        ``batch_size`` goes to training.

    Examples
    --------
    >>> mlp_space()["learning_rate"]
    {'type': 'real', 'low': 0.0001, 'high': 1.0, 'prior': 'log-uniform'}
    >>> list(mlp_space(tiers=2))
    ['learning_rate', 'momentum', 'n_neurons', 'batch_size']
    """
    if tiers not in (None, 1, 2, 3):
        raise InvalidSpaceError("must be 1, 2, 3 or None, for all.").about("tiers", tiers)
    space = {
        "learning_rate": {"type": "real", "low": 1e-4, "high": 1.0, "prior": "log-uniform"},
        "momentum": {"type": "real", "low": 0.0, "high": 0.99, "prior": "uniform"},
        # Doublings, not every integer: between 57 and 58 units there is nothing to learn.
        "n_neurons": {"type": "categorical", "categories": [8, 16, 32, 64, 128, 256]},
        "batch_size": {"type": "categorical", "categories": [16, 32, 64, 128]},
        "n_hidden": {"type": "integer", "low": 1, "high": 4},
        "decay": {"type": "real", "low": 1e-6, "high": 1e-1, "prior": "log-uniform"},
        "drop_rate": {"type": "real", "low": 0.0, "high": 0.5, "prior": "uniform"},
        "act_func": {"type": "categorical", "categories": ["relu", "tanh", "elu"]},
        "kernel_init": {
            "type": "categorical",
            "categories": ["glorot_uniform", "glorot_normal", "he_uniform", "he_normal"],
        },
        "opt": {"type": "categorical", "categories": list(OPTIMISERS)},
    }
    within = tiers or math.inf
    return {
        name: entry for name, entry in space.items() if (classic_tier(name) or math.inf) <= within
    }


def _optimiser(opt: str, learning_rate: Any, momentum: float) -> Any:
    optimizers = import_keras().optimizers
    one_of("opt", opt, OPTIMISERS, kind=InvalidObjectiveError)
    options = {"adam": "beta_1", "sgd": "momentum", "rmsprop": "momentum"}
    given = {options[opt]: float(momentum)} if opt in options else {}
    kinds = {name.lower(): name for name in ("Adam", "SGD", "RMSprop", "Adagrad", "Adadelta")}
    return getattr(optimizers, kinds[opt])(learning_rate, **given)
