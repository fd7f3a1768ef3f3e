"""One training path: the task, the choice of trainer, and the key that names a call."""

import gc

import numpy as np
import pytest

from gpsearch.data.datasets import Streamed
from gpsearch.data.folds import Fold
from gpsearch.data.prepared_folds import PreparedFold
from gpsearch.data.target import read_target
from gpsearch.errors import InvalidObjectiveError, TrialFailedError
from gpsearch.evaluation import FoldResult
from gpsearch.training import mlp
from gpsearch.training.backend import import_keras
from gpsearch.training.compiled.compiled_trainer import CompiledTrainer
from gpsearch.training.fitted import FittedClassifier
from gpsearch.training.loop import LoopTrainer
from gpsearch.training.model_function import ModelFunction
from gpsearch.training.trained_network import (
    NetworkTask,
    call_key,
    choose_trainer,
    trained_network,
)
from gpsearch.training.trainer import TrainingSettings, epochs_to_refit

pytestmark = pytest.mark.usefixtures("_without_witness")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)) + 7
Y = np.where(X[:, 0] > 7, "yes", "no")


def task(function=mlp, params=None, **changes):
    rows = np.arange(40)
    fold = Fold(index=0, train=rows[:30], stop=rows[20:30], test=rows[30:])
    given = {
        "function": ModelFunction(function),
        "params": {"n_hidden": 1, "n_neurons": 4, "learning_rate": 0.1, **(params or {})},
        "settings": TrainingSettings(epochs=3, batch_size=8),
        "prepared": PreparedFold(X, "standardize", fold),
        "target": read_target(Y),
        "fit": fold.train,
        "stop": None,
        "seeds": (1, 2),
    }
    return NetworkTask(**{**given, **changes})


@pytest.mark.parametrize("trainer", [LoopTrainer(), CompiledTrainer()], ids=["loop", "compiled"])
def test_a_kept_network_is_not_changed_by_the_next_training(trainer):
    with trained_network(task(), trainer, built_by="one") as trained:
        seen = trained.view().predict_proba(X)
        kept = trained.kept()
    with trained_network(task(seeds=(5, 6)), trainer, built_by="one") as other:
        changed = other.view().predict_proba(X)
    assert kept.predict_proba(X) == pytest.approx(seen, abs=1e-6)
    assert changed != pytest.approx(seen, abs=1e-3)
    assert kept.target.labels is None
    assert kept.classes_.tolist() == ["no", "yes"]


def test_rows_to_learn_from_are_weighed_by_class_and_watched_ones_are_not():
    weighed = task(stop=np.arange(20, 30), class_weight={"yes": 3.0})
    training = weighed.training(weighed.build())
    fit, stop = training.fit, training.stop
    assert set(fit.weight) == {1.0, 3.0}
    assert np.array_equal(fit.weight == 3, Y[:30] == "yes")
    assert stop.weight is None
    assert np.asarray(fit.x).mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-5)
    assert len(stop.x) == 10


def test_divergence_is_raised_before_the_block_runs():
    diverges = task(params={"learning_rate": 1e30, "opt": "sgd"}, target=read_target(X[:, 0]))
    with (
        pytest.raises(TrialFailedError, match="training diverged"),
        trained_network(diverges, LoopTrainer(), built_by="one"),
    ):
        raise AssertionError("not reached")


def test_an_output_that_does_not_fit_y_is_refused_where_asked():
    def three_units():
        keras = import_keras()
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
        model.compile("sgd", "mse")
        return model

    with (
        pytest.raises(InvalidObjectiveError, match="does not fit y"),
        trained_network(task(three_units), LoopTrainer(), built_by="one", check=True),
    ):
        raise AssertionError("not reached")


def test_labels_are_read_from_arrays_of_any_backend(monkeypatch):
    """A tensor of torch that a model returns has a gradient, and NumPy does not take it."""
    keras, read = import_keras(), []

    def numbers(tensor):
        read.append(tensor)
        return np.full(tensor.shape, 0.75)

    def labels(network, outputs):
        assert type(outputs) is np.ndarray
        return outputs

    checked = task()
    model = checked.build()
    monkeypatch.setattr(keras.ops, "convert_to_numpy", numbers)
    monkeypatch.setattr(FittedClassifier, "labels", labels)
    checked.check(model)
    assert len(read) == 1


def test_a_check_leaves_what_model_and_loss_count_as_it_was():
    keras = import_keras()

    class Counting(keras.losses.Loss):
        def __init__(self):
            super().__init__()
            self.calls = keras.Variable(0.0, trainable=False)

        def call(self, y_true, y_pred):
            self.calls.assign_add(1.0)
            return keras.ops.mean((y_true - y_pred) ** 2, axis=-1)

    class Passes(keras.layers.Layer):
        def build(self, shape):
            self.passes = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, inputs):
            self.passes.assign_add(1.0)
            return inputs

    def counting():
        model = keras.Sequential([keras.Input((3,)), Passes(), keras.layers.Dense(1, "sigmoid")])
        model.compile("sgd", Counting())
        return model

    checked = task(counting, params={})
    model = checked.build()
    checked.check(model)
    assert float(model.loss.calls.numpy()) == float(model.layers[0].passes.numpy()) == 0


def test_the_choice_of_trainer():
    programs = CompiledTrainer()
    stream = Streamed(None, np.array([0, 2]), np.arange(2), (3,), "")

    def chosen(X, *, compiled=True, callbacks=None):
        return choose_trainer(X, compiled=compiled, callbacks=callbacks, programs=programs)

    assert chosen(X) is programs
    assert chosen(X, compiled=False).reason == ""
    assert "callbacks" in chosen(X, callbacks=list).reason
    assert chosen(X, callbacks=list).callbacks is list
    assert "dataset" in chosen(stream).reason


def test_a_call_is_equal_to_the_same_call_alone():
    def create():
        pass

    call = call_key(create, {"n": 1, "shape": (3,)})
    assert call == call_key(create, {"shape": (3,), "n": 1})
    assert hash(call) == hash(call_key(create, {"shape": (3,), "n": 1}))
    for arguments in ({"n": 2, "shape": (3,)}, {"n": 1.0, "shape": (3,)}, {"n": 1}):
        assert call != call_key(create, arguments)
    assert call != call_key(mlp, {"n": 1, "shape": (3,)})
    assert call_key(create, {"w": np.ones(2)}) == call_key(create, {"w": np.ones(2)})
    assert call_key(create, {"w": np.ones(2)}) != call_key(create, {"w": np.zeros(2)})
    assert call_key(create, {"f": lambda: 1}) != call_key(create, {"f": lambda: 1})


def test_a_call_holds_what_it_compares():
    """A new object at a freed address is not taken for the old one."""
    calls = set()
    for _ in range(50):
        calls.add(call_key(lambda: None, {"loss": lambda: None}))
        gc.collect(0)  # what is young; a whole collection walks through TensorFlow
    assert len(calls) == 50


def test_epochs_to_refit_are_the_median_of_the_best_epochs():
    def folds(*best):
        return [
            FoldResult(fold=i, score=0.5, best_epoch=epoch, seconds=1.0)
            for i, epoch in enumerate(best)
        ]

    assert epochs_to_refit(folds(3, 9, 4)) == 4
    assert epochs_to_refit(folds(2, None, 7, 6)) == 6
    assert epochs_to_refit(folds(None)) is None
    assert epochs_to_refit([]) is None
