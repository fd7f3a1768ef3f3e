"""Arguments by name, checked before a model is built."""

import functools

import numpy as np
import pytest

from gpsearch.errors import InvalidObjectiveError
from gpsearch.training.backend import import_keras
from gpsearch.training.model_function import ModelFunction

FACTS = {
    "n_features": 3,
    "input_shape": (3,),
    "n_classes": 2,
    "n_outputs": 1,
    "target_kind": "binary",
}
TRAINING = {"epochs": 9, "batch_size": 32, "patience": None}


def create(units, rate=0.1, *, n_features, epochs=1):
    return units, rate, n_features, epochs


def test_arguments_come_from_params_then_training_then_data():
    arguments = ModelFunction(create).arguments({"units": 4, "batch_size": 8}, FACTS, TRAINING)
    assert arguments == {"units": 4, "n_features": 3, "epochs": 9}
    own = ModelFunction(create).arguments({"units": 4, "n_features": 7}, FACTS, TRAINING)
    assert own["n_features"] == 7


def test_a_function_of_any_keywords_gets_all_but_training_params():
    function = ModelFunction(lambda **params: params)
    arguments = function.arguments({"units": 4, "batch_size": 8}, FACTS, TRAINING)
    assert arguments == {"units": 4}


def test_partial_arguments_need_not_be_given():
    function = ModelFunction(functools.partial(create, units=3))
    function.check_names(["rate"])
    assert function.requires == ["n_features"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["units", "drop"], "does not take 'drop'.*It takes 'units', 'rate'"),
        (["rate"], "needs 'units'"),
        ([], "needs 'units'"),
    ],
)
def test_names_that_do_not_fit(names, message):
    with pytest.raises(InvalidObjectiveError, match=message):
        ModelFunction(create).check_names(names)


def test_training_names_are_always_taken():
    names = ["units", "batch_size", "epochs", "patience"]
    function = ModelFunction(create)
    function.check_names(names)
    given = function.arguments(dict.fromkeys(names, 4), FACTS, TRAINING)
    assert given == {"units": 4, "epochs": 4, "n_features": 3}


def test_what_cannot_be_called_by_name():
    with pytest.raises(InvalidObjectiveError, match="by name"):
        ModelFunction(lambda units, /: units)
    with pytest.raises(InvalidObjectiveError, match="must be a function"):
        ModelFunction("mlp")


def test_builds_name_their_layers_alike_and_others_apart():
    keras = import_keras()
    before = keras.layers.Dense(1)
    kept = []  # made in the first build, for all builds

    def create(units):
        if not kept:
            kept.append(keras.layers.Dense(2, trainable=False))
        inputs = keras.Input((3,))
        hidden = keras.layers.Dense(units)(kept[0](before(inputs)))
        model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
        model.compile(loss="mse")
        return model

    before.trainable = False
    function = ModelFunction(create)
    names = []
    for seed in range(3):
        model = function.build({"units": 2}, np.zeros((2, 3), np.float32), seed)
        names.append([layer.name for layer in model.layers])
        assert keras.layers.Dense(1).name not in names[-1]
    assert names[1] == names[2]


def moving_averages(**settings):
    """One layer for all models: moving averages alone, nothing that is trained."""
    layer = import_keras().layers.BatchNormalization(center=False, scale=False, **settings)
    layer.build((None, 3))
    return layer


def model_with(layer):
    keras = import_keras()
    model = keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(1)])
    model.compile("sgd", loss="mse")
    return model


def take_a_step(model, rows):
    """A step of Keras on all rows, over before one is traced."""
    model.run_eagerly = True
    model.train_on_batch(rows, rows[:, :1])


def build_and_train(create, times=3):
    """Train each model that `create` makes before the next is built."""
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    function = ModelFunction(create)
    for seed in range(times):
        take_a_step(function.build({}, rows, seed), rows)


def test_a_shared_state_that_training_changes_is_refused():
    layer = moving_averages()
    with pytest.raises(InvalidObjectiveError, match="moving_mean of the one before, which train"):
        build_and_train(lambda: model_with(layer), times=2)


@pytest.mark.parametrize("kind", ["frozen", "adapted", "reset", "chosen"])
def test_shared_layers_that_training_leaves_alone_are_taken(kind):
    """A function may also reset a state, or set it to what it likes."""
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    calls = iter(range(9))
    if kind == "adapted":
        layer = import_keras().layers.Normalization()
        layer.adapt(rows)
    else:
        layer = moving_averages(trainable=kind != "frozen")
    first = layer.get_weights()

    def create():
        if kind == "reset":
            layer.set_weights(first)
        elif kind == "chosen":
            layer.set_weights([weight + next(calls) for weight in first])
        return model_with(layer)

    build_and_train(create)


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("nested", [False, True])
def test_shared_random_layers_draw_alike_in_each_model(seed, nested):
    """What a model learns does not depend on how many others were trained before."""
    layers, rows = import_keras().layers, np.ones((8, 3), np.float32)
    layer = layers.GaussianNoise(1.0, seed=seed)
    if nested:
        layer = import_keras().Sequential([layer])
    function = ModelFunction(lambda: model_with(layer))
    learnt = []
    for _ in range(3):
        model = function.build({}, rows, 5)
        for _ in range(2):
            take_a_step(model, rows)
        learnt.append(np.concatenate([weight.ravel() for weight in model.get_weights()]))
    np.testing.assert_array_equal(learnt[1:], [learnt[0]] * 2)
