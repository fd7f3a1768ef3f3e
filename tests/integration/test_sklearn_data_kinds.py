"""Every kind of data that Keras takes goes through `GPSearchCV`: one small search each."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.decomposition import TruncatedSVD
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import gpsearch as gs
from gpsearch import GPSearchCV
from gpsearch.errors import InvalidObjectiveError

keras = pytest.importorskip("keras")

pytestmark = [
    # Keras 3.15 reads TensorFlow's arrays in a way that NumPy 2 deprecates.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.usefixtures("_without_witness"),
]

LEARNING_RATE = {"learning_rate": loguniform(3e-3, 3e-2)}
FAST = {"learning_rate": [0.2]}  # for what trains on the loop, where an epoch is dear


def compiled(layers, learning_rate, loss="binary_crossentropy"):
    model = keras.Sequential(layers)
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss=loss)
    return model


def dense(learning_rate, n_features):
    return compiled(
        [
            keras.Input((n_features,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ],
        learning_rate,
    )


def convolution(learning_rate, n_filters):
    return compiled(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(n_filters, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ],
        learning_rate,
        "sparse_categorical_crossentropy",
    )


def lstm(learning_rate, input_shape):
    return compiled(
        [keras.Input(input_shape), keras.layers.LSTM(8), keras.layers.Dense(1, "sigmoid")],
        learning_rate,
    )


def two_inputs(learning_rate):
    left, right = keras.Input((3,), name="left"), keras.Input((2,), name="right")
    joined = keras.layers.Concatenate()([left, right])
    output = keras.layers.Dense(1, activation="sigmoid")(keras.layers.Dense(8, "relu")(joined))
    model = keras.Model({"left": left, "right": right}, output)
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss="binary_crossentropy")
    return model


def embedding(learning_rate):
    return compiled(
        [
            keras.Input((4,), dtype="int64"),
            keras.layers.Embedding(50, 4),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ],
        learning_rate,
    )


def search(create_model, X, y, *, space=None, **options):
    options = {"n_iter": 2, "cv": 2, "epochs": 15, "random_state": 0, **options}
    return GPSearchCV(create_model, space or LEARNING_RATE, **options).fit(X, y)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_images(rng):
    X, y = load_digits(return_X_y=True)
    rows = rng.permutation(len(X))[:300]
    images = (X[rows] / 16).reshape(-1, 8, 8, 1)
    space = {**LEARNING_RATE, "n_filters": [2, 4]}
    found = search(convolution, images, y[rows], space=space)
    assert found.best_score_ > 0.6
    assert found.predict(images[:5]).shape == (5,)


def test_sequences(rng):
    X = rng.normal(size=(120, 6, 1))
    found = search(lstm, X, (X[:, -1, 0] > 0).astype(int), epochs=25)
    assert found.best_score_ > 0.8


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_as_they_are(rng, library):
    frames = pd if library == "pandas" else pytest.importorskip("polars")
    town = ["Ulm", None, *rng.choice(["Ulm", "Bonn"], 58)]
    frame = frames.DataFrame({"age": [*rng.normal(size=59), None], "town": town})
    y = np.array(["x", "y"] * 30)
    with pytest.raises(ValueError, match=r"^GPSearchCV.fit\(X=.*'town' holds texts.*\"auto\""):
        search(dense, frame, y)
    over_network = GPSearchCV(gs.KerasClassifier(dense, preprocess="standardize"), LEARNING_RATE)
    with pytest.raises(ValueError, match=r"^GPSearchCV.fit\(X=.*'town' holds texts.*\"auto\""):
        over_network.fit(frame, y)
    given = {"preprocess": "auto", "epochs": 1, "compiled": False, "learning_rate": 0.1}
    network = gs.KerasClassifier(dense, **given).fit(frame, y)
    assert network.network_.preprocessor.transform(frame).shape == (60, 4)
    assert set(network.predict(frame[:5])) <= {"x", "y"}
    again = pickle.loads(pickle.dumps(network))
    np.testing.assert_array_equal(again.predict_proba(frame), network.predict_proba(frame))
    gs.EstimatorCV(network, frame, y, cv=2).validate(gs.Space({"learning_rate": (0.1, 0.2)}))


@pytest.mark.parametrize("kind", [dict, tuple])
def test_several_inputs(rng, kind):
    left, right = rng.normal(size=(100, 3)), rng.normal(size=(100, 2))
    y = (left[:, 0] + right[:, 0] > 0).astype(int)
    X = {"left": left, "right": right} if kind is dict else (left, right)
    create_model = two_inputs if kind is dict else two_inputs_in_order
    found = search(create_model, X, y, epochs=30)
    assert found.best_score_ > 0.75
    first = {"left": left[:4], "right": right[:4]} if kind is dict else (left[:4], right[:4])
    assert found.predict_proba(first).shape == (4, 2)


def two_inputs_in_order(learning_rate):
    left, right = keras.Input((3,)), keras.Input((2,))
    joined = keras.layers.Concatenate()([left, right])
    output = keras.layers.Dense(1, activation="sigmoid")(keras.layers.Dense(8, "relu")(joined))
    model = keras.Model((left, right), output)
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss="binary_crossentropy")
    return model


COLUMNS = make_column_transformer(
    (StandardScaler(), ["age"]), (OneHotEncoder(sparse_output=False), ["town"])
)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_with_mixed_columns(rng, library):
    frames = pd if library == "pandas" else pytest.importorskip("polars")
    age = rng.normal(40, 10, size=120)
    town = rng.choice(["bern", "chur"], size=120)
    frame = frames.DataFrame({"age": age, "town": town})
    y = np.where((age > 40) == (town == "bern"), "yes", "no")
    found = search(dense, frame, y, preprocess=COLUMNS, epochs=60)
    assert found.best_score_ > 0.8
    assert list(found.classes_) == ["no", "yes"]
    assert list(found.feature_names_in_) == ["age", "town"]


def test_sparse_matrices():
    X = scipy.sparse.random(120, 12, density=0.4, random_state=0, format="csr")
    y = (np.asarray(X.sum(axis=1)).ravel() > np.median(np.asarray(X.sum(axis=1)))).astype(int)
    found = search(dense, X, y, preprocess=TruncatedSVD(4, random_state=0), epochs=40)
    assert found.best_score_ > 0.7
    with pytest.raises(ValueError, match="a sparse matrix, where a network takes dense rows"):
        search(dense, X, y)


TEXTS = np.array(["good film", "fine good film", "bad film", "poor bad film"] * 20, dtype=object)
OPINIONS = np.array([1, 1, 0, 0] * 20)


def test_text_through_a_vectoriser():
    found = search(dense, TEXTS, OPINIONS, preprocess=TfidfVectorizer(), epochs=40)
    assert found.best_score_ == 1
    assert found.predict(["a bad film", "a good one"]).tolist() == [0, 1]


class Words(TransformerMixin, BaseEstimator):
    """The numbers that a `TextVectorization` gives to words of the rows it was fitted on."""

    def fit(self, X, y=None):
        self.layer_ = keras.layers.TextVectorization(output_sequence_length=4)
        self.layer_.adapt(list(X))
        return self

    def transform(self, X):
        return self.layer_(keras.ops.convert_to_tensor(list(X), dtype="string")).numpy()


def test_text_through_a_layer():
    found = search(embedding, TEXTS, OPINIONS, preprocess=Words(), epochs=60)
    assert found.best_score_ == 1


def reading(learning_rate):
    words = keras.layers.TextVectorization(output_sequence_length=4)
    words.adapt(["good fine bad poor film"])
    return compiled(
        [
            keras.Input((1,), dtype="string"),
            words,
            keras.layers.Embedding(50, 4),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ],
        learning_rate,
    )


STRINGS = {
    "objects": lambda texts: texts,
    "fixed width": lambda texts: texts.astype(str),
    "a list": list,
    "a column": lambda texts: pd.DataFrame({"text": texts}),
}


@pytest.mark.parametrize("case", STRINGS)
def test_text_read_by_the_model_itself(case):
    texts, split = STRINGS[case](TEXTS), [(np.arange(60), np.arange(60, 80))]
    found = search(reading, texts, OPINIONS, n_iter=1, cv=split, space=FAST, epochs=12, patience=6)
    assert found.best_score_ == 1
    assert found.score(texts, OPINIONS) == 1
    (note,) = {fold.note for trial in found.study_.trials for fold in trial.folds}
    assert note == "X holds text, which a layer of the model reads"
    again = pickle.loads(pickle.dumps(found.best_estimator_))
    assert again.predict(texts[:4]).tolist() == [1, 1, 0, 0]


def test_text_beside_numbers(rng):
    def create_model(learning_rate):
        inner = reading(learning_rate)
        text = keras.Input((1,), dtype="string", name="text")
        length = keras.Input((2,), name="length")
        joined = keras.layers.Concatenate()([inner(text), length])
        output = keras.layers.Dense(1, activation="sigmoid")(joined)
        model = keras.Model({"text": text, "length": length}, output)
        model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss="binary_crossentropy")
        return model

    X = {"text": TEXTS, "length": rng.normal(size=(len(TEXTS), 2))}
    objective = gs.KerasCV(
        create_model, X, OPINIONS, cv=2, epochs=12, preprocess="standardize", scoring="roc_auc"
    )
    assert objective({"learning_rate": 0.2}).score > 0.9


@pytest.mark.parametrize("built", [True, False])
def test_text_is_refused_where_nothing_reads_it(built):
    def create_model(learning_rate):
        layers = [keras.Input((1,))] if built else []
        return compiled([*layers, keras.layers.Dense(1, activation="sigmoid")], learning_rate)

    with pytest.raises(ValueError, match=r"X holds text, which the model .*TextVectorization"):
        search(create_model, TEXTS, OPINIONS)
    with pytest.raises(ValueError, match=r"X holds text, which the model .*preprocess="):
        gs.KerasClassifier(create_model, learning_rate=0.1).fit(TEXTS, OPINIONS)
    numbers = gs.KerasClassifier(epochs=1, n_hidden=1).fit(np.arange(80.0).reshape(-1, 1), OPINIONS)
    with pytest.raises(ValueError, match="not compatible with arrays of bytes/strings"):
        numbers.predict(TEXTS.astype(str)[:, None])
    half = np.where(np.arange(len(TEXTS)) % 2, TEXTS, None)
    with pytest.raises(ValueError, match="values of type object are not numbers"):
        search(create_model, half, OPINIONS)


@pytest.fixture
def mapped(rng, tmp_path):
    """40 MB on disk, as a memory map, and labels."""
    X = rng.normal(size=(10_000, 1000)).astype(np.float32)
    np.save(tmp_path / "X.npy", X)
    return np.load(tmp_path / "X.npy", mmap_mode="r"), (X[:, 0] > 0).astype(int)


def traced(call):
    """Bytes of arrays that were made at the most, and that are left, beyond the result."""
    tracemalloc.start()
    try:
        result = call()
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return result, peak, left


@pytest.mark.parametrize("n_folds", [2, 5])
def test_no_fold_keeps_a_copy_of_a_memory_map(mapped, n_folds):
    X, y = mapped
    estimator = DummyClassifier()
    objective, peak, _ = traced(lambda: gs.EstimatorCV(estimator, X, y, cv=n_folds))
    assert np.shares_memory(objective.X, X)
    assert peak < 0.1 * X.nbytes
    _, peak, left = traced(lambda: objective({"strategy": "prior"}))
    assert peak < 1.5 * X.nbytes  # training and scored rows of one fold
    assert left < 0.1 * X.nbytes


def test_no_fold_of_a_network_keeps_a_copy_of_a_memory_map(mapped, monkeypatch):
    X, y = mapped
    monkeypatch.setattr("gpsearch.data.prepared_folds.KEPT_BYTES", X.nbytes // 2)  # X is large
    objective = gs.KerasCV(dense, X, y, cv=5, epochs=1, batch_size=500)
    assert np.shares_memory(objective.X, X)
    objective({"learning_rate": 0.01})  # imports
    _, peak, left = traced(lambda: objective({"learning_rate": 0.01}))
    assert peak < 1.3 * X.nbytes  # rows of one fold, once
    assert left < 0.1 * X.nbytes


BAD = {
    "no metric": ({"scoring": []}, None, "Empty list"),
    "no rows": ({}, slice(0, 0), "has no rows"),
    "no number": ({"scoring": lambda *_: "good"}, None, "could not convert string"),
    "workers": ({"n_jobs": 1.5}, None, "n_jobs=1.5"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_network_is_searched_for_on_what_scikit_learn_takes(rng, case):
    options, rows, message = BAD[case]
    X = rng.normal(size=(20, 3))[rows or slice(None)]
    with pytest.raises(ValueError, match=message):
        search(dense, X, (X[:, 0] > 0).astype(int), **options)


SCORINGS = ["average_precision", "f1", "roc_auc", "neg_log_loss", None]


@pytest.mark.parametrize("scoring", SCORINGS)
def test_text_labels_with_one_sigmoid_unit_are_scored_by_name(rng, scoring):
    X = rng.normal(size=(60, 3))
    y = np.where(X[:, 0] > 0, "yes", "no")
    found = search(dense, X, y, scoring=scoring, epochs=30, space={"learning_rate": [0.03, 0.05]})
    assert found.score(X, y) > found.best_score_ - 0.2
    assert set(found.predict(X)) <= {"no", "yes"}


def test_a_further_scorer_that_fails_before_the_search_is_refused(rng):
    def fails(estimator, X, y):
        raise RuntimeError("out of luck")

    X = rng.normal(size=(60, 3))
    scoring = {"right": "accuracy", "broken": fails}
    with pytest.raises(InvalidObjectiveError, match=r"GPSearchCV\(scoring='broken'\).*out of luck"):
        search(dense, X, (X[:, 0] > 0).astype(int), scoring=scoring, refit="right")


def test_a_further_scorer_that_fails_in_a_trial_leaves_the_search_alone(rng):
    called = []

    def fails(estimator, X, y):
        called.append(len(X))
        if len(called) > 1:  # the first call is before the search
            raise RuntimeError("out of luck")
        return 1.0

    X = rng.normal(size=(60, 3))
    scoring = {"right": "accuracy", "broken": fails}
    with (
        pytest.warns(UserWarning, match="broken raised RuntimeError: out of luck"),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        found = search(dense, X, (X[:, 0] > 0).astype(int), scoring=scoring, refit="right")
    assert np.isnan(found.cv_results_["mean_test_broken"]).all()
    assert np.isfinite(found.best_score_)


def test_several_quantities(rng):
    X = rng.normal(size=(120, 3))

    def create_model(learning_rate, n_outputs):
        return compiled([keras.Input((3,)), keras.layers.Dense(n_outputs)], learning_rate, "mse")

    found = search(create_model, X, X[:, :2] * 2, epochs=60, space={"learning_rate": [0.03, 0.1]})
    assert found.best_score_ > 0.9
    assert found.predict(X).shape == (120, 2)


def test_several_labels(rng):
    X = rng.normal(size=(120, 3))

    def create_model(learning_rate, n_outputs):
        layers = [keras.Input((3,)), keras.layers.Dense(n_outputs, activation="sigmoid")]
        return compiled(layers, learning_rate)

    found = search(
        create_model,
        X,
        (X[:, :2] > 0).astype(int),
        epochs=60,
        space={"learning_rate": [0.03, 0.1]},
    )
    assert found.best_score_ > 0.7
    assert found.predict_proba(X).shape == (120, 2)
