"""What a model's outputs are: read from its last layer and its loss, or said by the user."""

import functools

import numpy as np
import pytest

from gpsearch.data.preprocessing import Preprocessor
from gpsearch.data.target import read_target
from gpsearch.errors import InvalidObjectiveError
from gpsearch.training.backend import import_keras
from gpsearch.training.fitted import FittedClassifier
from gpsearch.training.output_link import output_link, with_link

keras = import_keras()
layers, losses = keras.layers, keras.losses

Y = np.array(["no", "yes", "yes"])


def own(y_true, y_pred):
    return keras.ops.mean((y_true - y_pred) ** 2, axis=-1)


def sigmoid(x):
    """Of another name than what it does."""
    return x


class OwnCrossentropy(losses.BinaryCrossentropy):
    """Reads logits, whatever its parent says."""

    def call(self, y_true, y_pred):
        return super().call(y_true, keras.ops.sigmoid(y_pred))


class Subclassed(keras.Model):
    """Its last layer is not what it ends with."""

    def __init__(self):
        super().__init__()
        self.out, self.gate = layers.Dense(1), layers.Dense(2, "sigmoid")

    def call(self, x):
        return self.out(self.gate(x))


def model(loss, *stack, kind=None):
    made = kind() if kind else keras.Sequential([keras.Input((2,)), *stack])
    made.compile("sgd", loss)
    made(np.ones((1, 2), "float32"))
    return made


def ending(end):
    """A functional model whose last operation is `end`."""

    def make():
        x = keras.Input((2,))
        return keras.Model(x, end(layers.Dense(1)(x)))

    return make


BCE, LOGITS = losses.BinaryCrossentropy, losses.BinaryCrossentropy(from_logits=True)
PARTIAL = functools.partial(losses.binary_crossentropy, from_logits=True)
LINKS = {
    "sigmoid, own loss": (own, [layers.Dense(1, "sigmoid")], "probabilities"),
    "softmax layer, own loss": (own, [layers.Dense(2), layers.Softmax()], "probabilities"),
    "sigmoid within a model": (
        own,
        [keras.Sequential([keras.Input((2,)), layers.Dense(1, "sigmoid")])],
        "probabilities",
    ),
    "Keras reads past a sigmoid": (LOGITS, [layers.Dense(1, "sigmoid")], "probabilities"),
    "linear, from logits": (LOGITS, [layers.Dense(1)], "logits"),
    "linear, from logits in a list": ([LOGITS], [layers.Dense(1)], "logits"),
    "linear, from logits in a partial": (PARTIAL, [layers.Dense(1)], "logits"),
    "linear, own loss": (own, [layers.Dense(1)], ""),
    "linear, own loss in a partial": (functools.partial(own), [layers.Dense(1)], ""),
    "linear, a loss after one of Keras's": (OwnCrossentropy(), [layers.Dense(1)], ""),
    "own function named as one of Keras's": (own, [layers.Dense(1, sigmoid)], ""),
    "linear, quantities": ("mse", [layers.Dense(1)], "scores"),
    "linear, crossentropy": ("bce", [layers.Dense(1)], "scores"),
    "own layer, crossentropy": (BCE(), [layers.Dense(1), layers.Reshape((1,))], "probabilities"),
    "tanh, margins": ("squared_hinge", [layers.Dense(1, "tanh")], "margins"),
}


@pytest.mark.parametrize("name", LINKS)
def test_what_outputs_are_is_read_from_last_layer_and_loss(name):
    loss, stack, link = LINKS[name]
    assert output_link(model(loss, *stack)) == link


def test_an_operation_and_a_model_of_ones_own_code():
    assert output_link(model(own, kind=ending(keras.ops.sigmoid))) == "probabilities"
    assert output_link(model(own, kind=Subclassed)) == ""
    assert output_link(model(LOGITS, kind=Subclassed)) == "logits"


def view(loss, outputs, y=Y):
    target = with_link(read_target(y), outputs)
    return FittedClassifier(
        model(loss, layers.Dense(1)), Preprocessor(None, np.ones((1, 2))), target
    )


def test_labels_are_cut_where_the_user_says():
    column = np.array([[-0.3], [0.3], [0.7]])
    for outputs, labels in {
        "probabilities": ["no", "no", "yes"],
        "logits": ["no", "yes", "yes"],
        "margins": ["no", "yes", "yes"],
    }.items():
        fitted = view(own, outputs)
        assert fitted.labels(column).tolist() == labels
        assert hasattr(fitted, "predict_proba") == (outputs != "margins")
    fitted = view(own, None)
    assert not hasattr(fitted, "predict_proba")
    with pytest.raises(InvalidObjectiveError, match=r'outputs="probabilities", "logits"'):
        fitted.labels(column)
    several = view(own, None, np.eye(3)[[0, 1, 2, 2]])
    assert several.labels(np.array([[0.1, -3.0, 0.4]])).tolist() == [2]  # the largest, of any kind
