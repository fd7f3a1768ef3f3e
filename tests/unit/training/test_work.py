"""The work of a training follows from shapes, rows and epochs, and from nothing else."""

import numpy as np
import pytest

import gpsearch as gs
from gpsearch.estimators import KerasClassifier
from gpsearch.evaluation import measures_work
from gpsearch.model_selection.renamed_objective import RenamedObjective
from gpsearch.objective import EstimatorCV, KerasCV
from gpsearch.objective.function import as_objective
from gpsearch.training import mlp
from gpsearch.training.backend import import_keras
from gpsearch.training.work import SECONDS, arithmetic, counts, work

keras = import_keras()
layers = keras.layers

# Keras's own code meets NumPy 2.4 here.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.usefixtures("_without_witness"),
]


def sequential(*stack, shape):
    return keras.Sequential([keras.Input(shape), *stack])


def frozen(layer):
    layer.trainable = False
    return layer


def nested():
    return sequential(sequential(layers.Dense(3), shape=(2,)), layers.Dense(1), shape=(2,))


def attention():
    inputs = keras.Input((6, 4))
    return keras.Model(inputs, layers.MultiHeadAttention(2, 3)(inputs, inputs))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = layers.Dense(3)
        self.steps = layers.LSTM(2)

    def call(self, inputs):
        return self.steps(self.inner(inputs))


def subclassed():
    model = Subclassed()
    model(np.zeros((1, 7, 2), "float32"))
    return model


LSTM = 4 * 2 * (3 + 2 + 1)  # weights of 2 units on 3 columns
HEADS = 3 * (4 + 1) * 2 * 3 + (2 * 3 + 1) * 4  # of query, key, value and output
# layers, moments, weights, multiply-adds, those that learn, places, outputs of many places
BY_HAND = {
    "dense": (
        lambda: sequential(layers.Dense(5), layers.Dropout(0.5), layers.Dense(1), shape=(3,)),
        (2, 0, 4 * 5 + 6, 4 * 5 + 6, 4 * 5 + 6, 2, 0),
    ),
    "frozen": (
        lambda: sequential(frozen(layers.Dense(5)), layers.Dense(1), shape=(3,)),
        (2, 0, 6, 4 * 5 + 6, 6, 2, 0),
    ),
    "dense on steps": (
        lambda: sequential(layers.Dense(5), shape=(7, 3)),
        (1, 0, 4 * 5, 7 * 4 * 5, 7 * 4 * 5, 7, 35),
    ),
    "convolution": (
        lambda: sequential(layers.Conv2D(5, 3, strides=2, padding="same"), shape=(8, 6, 2)),
        (1, 0, 19 * 5, 12 * 19 * 5, 12 * 19 * 5, 12, 12 * 5),
    ),
    "transposed": (
        lambda: sequential(layers.Conv2DTranspose(5, 3, strides=2), shape=(8, 6, 2)),
        (1, 0, 19 * 5, 48 * 19 * 5, 48 * 19 * 5, 48, 48 * 2),
    ),
    "recurrent": (
        lambda: sequential(layers.Bidirectional(layers.LSTM(2)), shape=(7, 3)),
        (2, 14, 2 * LSTM, 7 * 2 * LSTM, 7 * 2 * LSTM, 14, 2 * 7 * 8),
    ),
    "embedding": (
        lambda: sequential(layers.Embedding(9, 4), shape=(7,)),
        (1, 0, 36, 0, 0, 7, 28),
    ),
    "attention": (
        attention,
        (1, 0, HEADS, 6 * HEADS + 2 * 6 * 6 * 2 * 3, 6 * HEADS + 2 * 6 * 6 * 2 * 3, 6, 6 * 3),
    ),
    "nested": (nested, (2, 0, 9 + 4, 9 + 4, 9 + 4, 2, 0)),
    "subclassed": (
        subclassed,
        (2, 7, 9 + LSTM, 7 * (9 + LSTM), 7 * (9 + LSTM), 14, 7 * (3 + 8)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_arithmetic_by_hand(name):
    make, (n_layers, moments, weights, multiply_adds, learning, places, outputs) = BY_HAND[name]
    assert vars(arithmetic(make())) == {
        "layers": n_layers,
        "moments": moments,
        "weights": weights,
        "multiply_adds": multiply_adds,
        "learning": learning,
        "places": places,
        "outputs": outputs,
    }


class OwnStep(keras.Model):
    def train_step(self, data):
        return super().train_step(data)


def own_step():
    inputs = keras.Input((3,))
    model = OwnStep(inputs, layers.Dense(1, "sigmoid")(inputs))
    model.compile(loss="binary_crossentropy")
    return model


def own_step_of_one_model():
    model = sequential(layers.Dense(1), shape=(3,))
    model.train_step = lambda data: {"loss": 0.0}
    return model


class Shapeless(layers.Layer):
    """Does not say what it is built on."""

    def __init__(self):
        super().__init__()
        self.scale = self.add_weight(shape=(3,))

    def get_build_config(self):
        raise ValueError("no")

    def call(self, inputs):
        return inputs * self.scale


@pytest.mark.parametrize(
    "make",
    [
        own_step,
        own_step_of_one_model,
        lambda: sequential(Shapeless(), shape=(3,)),
        lambda: sequential(layers.Conv1D(2, 3), shape=(None, 3)),  # of any length
    ],
    ids=["own train_step", "of one model", "own layer", "free length"],
)
def test_arithmetic_that_cannot_be_seen_is_none(make):
    assert arithmetic(make()) is None
    assert work(None, rows=9, batch_size=3, epochs=1) is None


def test_what_a_training_consists_of():
    seen = arithmetic(BY_HAND["frozen"][0]())
    counted = counts(seen, rows=70, batch_size=32, epochs=4, watched=10, scored=33)
    assert counted == {
        "fold": 1,
        "layer": 2,
        "step": 12,
        "moment": 0,
        "weight": 12 * 6,
        "multiply_add": (4 * 80 + 33) * 26 + 2 * 4 * 70 * 6,
        "place": (4 * 80 + 33 + 2 * 4 * 70) * 2,
        "output": 0,
    }
    assert list(counted) == list(SECONDS)
    recurrent = counts(arithmetic(BY_HAND["recurrent"][0]()), rows=70, batch_size=32, epochs=4)
    assert (recurrent["moment"], recurrent["output"]) == (3 * 12 * 14, 3 * 4 * 70 * 2 * 7 * 8)


EXTENT = {"rows": 640, "batch_size": 32, "epochs": 10, "watched": 60, "scored": 200}


@pytest.mark.parametrize(
    "more", [{"rows": 1280}, {"epochs": 20}, {"batch_size": 16}, {"watched": 120}, {"scored": 400}]
)
def test_work_grows_with_what_is_trained(more):
    seen = arithmetic(BY_HAND["dense"][0]())
    assert work(seen, **EXTENT) < work(seen, **(EXTENT | more)) < 2 * work(seen, **EXTENT)


def test_work_grows_with_the_width():
    widths = [arithmetic(sequential(layers.Dense(n), shape=(30,))) for n in (8, 64, 512)]
    works = [work(seen, **EXTENT) for seen in widths]
    assert works == sorted(set(works))


SMALL = {"n_hidden": 1, "n_neurons": 4}


@pytest.fixture(scope="module")
def data():
    X = np.random.default_rng(0).normal(size=(60, 3))
    return X, np.where(X[:, 0] > 0, "yes", "no")


def test_both_trainers_record_the_work_of_each_fold_known_or_not(data):
    options = {"cv": 2, "epochs": 2, "batch_size": 8, "patience": 2}
    fast = KerasCV(mlp, *data, **options)
    first, known = (fast.evaluate(SMALL, seed=seed).folds for seed in (0, 1))
    loop = KerasCV(mlp, *data, **options, compiled=False).evaluate(SMALL, seed=0).folds
    seen = arithmetic(sequential(layers.Dense(4), layers.Dense(1), shape=(3,)))
    by_hand = work(seen, rows=27, batch_size=8, epochs=2, watched=3, scored=30)
    assert {fold.trainer for fold in first} == {"compiled"}
    assert {fold.trainer for fold in loop} == {"loop"}
    assert [fold.work for fold in (*first, *known, *loop)] == [by_hand] * 6


def test_a_study_shows_the_work_also_of_a_grid(data):
    search = gs.GPSearchCV(mlp, {"n_neurons": [4]}, n_iter=1, cv=2, epochs=1, refit=False)
    study = search.fit(*data).study_
    (trial,) = study.trials
    assert trial.work == sum(fold.work for fold in trial.folds) > 0
    assert study.to_frame().work.tolist() == [trial.work]


def test_an_estimator_that_trains_a_network_knows_its_work(data):
    folds = EstimatorCV(KerasClassifier(epochs=1, **SMALL), *data, cv=2)
    assert measures_work(folds)
    seen = arithmetic(sequential(layers.Dense(4), layers.Dense(1), shape=(3,)))
    by_hand = work(seen, rows=30, batch_size=32, epochs=1)
    assert [fold.work for fold in folds({}).folds] == [by_hand] * 2
    assert measures_work(RenamedObjective(folds, None))
    assert not measures_work(as_objective(lambda params: 0.0))


def test_work_that_cannot_be_seen_is_recorded_as_none(data):
    objective = KerasCV(own_step, *data, cv=2, epochs=1)
    assert [fold.work for fold in objective({}).folds] == [None, None]
