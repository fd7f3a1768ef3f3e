"""Data that is read batch by batch: a `tf.data.Dataset` or `keras.utils.PyDataset` as X."""

import numpy as np
import pytest

import gpsearch as gs
from gpsearch.data.datasets import read_dataset
from gpsearch.errors import InvalidObjectiveError
from gpsearch.objective import KerasCV
from gpsearch.training.backend import import_keras, import_tensorflow

keras, tf = import_keras(), import_tensorflow()

pytestmark = [
    pytest.mark.usefixtures("_eager_loop"),
    # Keras's own code meets NumPy 2.4 here.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype("float32")
Y = (X[:, 0] > 0).astype(int)
WEIGHT = RNG.uniform(0.5, 2.0, size=40)


def create_model(rate=0.1):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.SGD(rate), "binary_crossentropy")
    return model


class Files(keras.utils.PyDataset):
    """Batches of seven rows, as if each were a file."""

    def __init__(self, *beside):
        super().__init__()
        self.arrays = (X, *beside)
        self.opened = []

    def __len__(self):
        return 6

    def __getitem__(self, i):
        self.opened.append(i)
        return tuple(array[7 * i : 7 * i + 7] for array in self.arrays)


def rows_of(*arrays):
    return tf.data.Dataset.from_tensor_slices(arrays)


DATASETS = {
    "PyDataset": lambda: Files(Y),
    "batches": lambda: rows_of(X, Y).batch(9),
    "rows": lambda: rows_of(X, Y),
    "weights": lambda: Files(Y, WEIGHT),
}


@pytest.mark.parametrize("name", DATASETS)
def test_a_dataset_scores_as_its_arrays_do(name):
    """With all rows in one batch, where their order in it cannot matter."""
    options = {"cv": 2, "epochs": 4, "batch_size": 20, "scoring": "neg_log_loss"}
    streamed = KerasCV(create_model, DATASETS[name](), **options)({"rate": 0.5})
    weight = WEIGHT if name == "weights" else None
    arrays = KerasCV(create_model, X, Y, sample_weight=weight, **options)({"rate": 0.5})
    for fold, other in zip(streamed.folds, arrays.folds, strict=True):
        assert fold.score == pytest.approx(other.score, abs=1e-5)
        np.testing.assert_allclose(fold.curves["loss"], other.curves["loss"], rtol=1e-4)
        assert (fold.trainer, fold.note) == ("loop", "X is a dataset, which is read batch by batch")


def test_a_search_over_a_dataset_ends_in_a_model():
    objective = KerasCV(create_model, Files(Y), cv=2, epochs=2, patience=1, batch_size=20)
    study = gs.search(
        objective,
        {"rate": (0.1, 1.0)},
        n_calls=2,
        strategy="random",
        random_state=0,
        progress=False,
    )
    assert [trial.state for trial in study.trials] == ["complete", "complete"]
    assert study.best_model().predict(X).shape == (40,)
    again = KerasCV(create_model, Files(Y), cv=2, epochs=2, patience=1, batch_size=20)
    assert again.fingerprint() == objective.fingerprint()
    curves = [[fold.curves for fold in again({"rate": 0.5}).folds] for _ in range(2)]
    assert curves[0] == curves[1]


def test_only_the_batches_of_the_chosen_rows_are_read():
    files = Files(Y)
    streamed, y, weight = read_dataset(files)
    np.testing.assert_array_equal(y, Y)
    assert weight is None
    files.opened.clear()
    rows = np.array([1, 5, 30, 39])
    np.testing.assert_array_equal(np.asarray(streamed[rows]), X[rows])
    assert files.opened == [0, 4, 5]
    with pytest.raises(IndexError, match="in its own order"):
        streamed[rows[::-1]]


@pytest.mark.parametrize(
    ("dataset", "options", "message"),
    [
        (lambda: rows_of(X, Y).shuffle(40).batch(8), {}, "other rows in each pass"),
        (lambda: rows_of(X, Y).take(0), {}, "is empty"),
        (lambda: rows_of(X).batch(8), {}, r"must be \(x, y\)"),
        (lambda: rows_of(X, np.eye(3)[Y]), {}, r"it is a row and not a batch"),
        (lambda: rows_of(X, X), {}, r"it is a row and not a batch"),
        (lambda: Files(Y), {"y": Y}, "Leave out y"),
        (lambda: Files(Y), {"preprocess": "standardize"}, "never in memory as a whole"),
    ],
)
def test_refused_datasets(dataset, options, message):
    with pytest.raises(InvalidObjectiveError, match=message):
        KerasCV(create_model, dataset(), cv=2, **options)
