"""KerasClassifier and KerasRegressor."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.ensemble import VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gpsearch import EstimatorCV, KerasClassifier, KerasRegressor
from gpsearch.errors import InvalidObjectiveError

keras = pytest.importorskip("keras")

# Keras 3.15 reads TensorFlow's arrays in a way that NumPy 2 deprecates.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.usefixtures("_without_witness"),
]

SMALL = {"n_hidden": 1, "n_neurons": 8, "learning_rate": 0.05, "random_state": 0, "epochs": 25}


def create_model(units=1, activation="sigmoid", loss="binary_crossentropy", learning_rate=0.05):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(units, activation=activation),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss=loss)
    return model


@keras.saving.register_keras_serializable("test_estimator")
def own_f1(y_true, y_pred):
    y_true = keras.ops.cast(y_true, "float32")
    hits = keras.ops.sum(y_true * keras.ops.round(y_pred))
    return 2 * hits / (keras.ops.sum(y_true) + keras.ops.sum(keras.ops.round(y_pred)) + 1e-7)


def with_own_metric(n_features):
    model = keras.Sequential(
        [keras.Input((n_features,)), keras.layers.Dense(1, activation="sigmoid")]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=[own_f1])
    return model


@pytest.fixture(scope="module", name="X")
def features():
    return np.random.default_rng(0).normal(size=(120, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def y(X):
    return np.where(X[:, 0] + X[:, 1] > 0, "up", "down")


@pytest.mark.parametrize(
    ("units", "activation", "loss"),
    [
        pytest.param(1, "sigmoid", "binary_crossentropy", id="one sigmoid"),
        pytest.param(2, "softmax", "sparse_categorical_crossentropy", id="two outputs"),
        pytest.param(2, "softmax", "categorical_crossentropy", id="two columns"),
        pytest.param(1, None, keras.losses.BinaryCrossentropy(from_logits=True), id="logit"),
    ],
)
def test_two_classes_by_any_output(X, y, units, activation, loss):
    network = KerasClassifier(
        create_model, units=units, activation=activation, loss=loss, epochs=30, random_state=0
    ).fit(X, y)
    probabilities = network.predict_proba(X)
    assert network.classes_.tolist() == ["down", "up"]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(
        network.predict(X), network.classes_[(probabilities[:, 1] > 0.5).astype(int)]
    )
    decision = network.decision_function(X)
    np.testing.assert_array_equal(decision > 0, network.predict(X) == "up")
    assert roc_auc_score(y == "up", decision) > 0.97


def test_several_classes_and_labels(X):
    classes = np.digitize(X[:, 0], [-0.5, 0.5])
    network = KerasClassifier(**SMALL).fit(X, classes)
    assert network.score(X, classes) > 0.9
    assert network.predict_proba(X).shape == (120, 3)
    labels = (X[:, :2] > 0).astype(int)
    network = KerasClassifier(**SMALL).fit(X, labels)
    assert (network.predict(X) == labels).mean() > 0.9
    for method in ("predict", "predict_proba", "decision_function"):
        held_out = cross_val_predict(KerasClassifier(**SMALL), X, labels, cv=2, method=method)
        assert roc_auc_score(labels, held_out) > 0.7


def test_regression_of_one_and_several_quantities(X):
    network = KerasRegressor(**{**SMALL, "epochs": 60}).fit(X, 3 * X[:, 0])
    assert network.predict(X).shape == (120,)
    assert network.score(X, 3 * X[:, 0]) > 0.95
    network = KerasRegressor(**{**SMALL, "epochs": 60}).fit(X, X[:, :2])
    assert network.predict(X).shape == (120, 2)
    assert is_regressor(network)
    assert is_classifier(KerasClassifier())


def test_model_arguments_are_parameters(X, y):
    network = KerasClassifier(create_model, units=2, epochs=3)
    assert network.get_params()["units"] == 2
    copied = clone(network.set_params(units=1, learning_rate=0.1, epochs=4))
    assert copied.get_params()["learning_rate"] == 0.1
    assert (copied.epochs, copied.get_params()["units"]) == (4, 1)
    with pytest.raises(ValueError, match=r"(?s)'learningrate'.*Did you mean 'learning_rate'"):
        network.set_params(learningrate=0.1)
    with pytest.raises(InvalidObjectiveError, match="does not take 'depth'"):
        KerasClassifier(create_model, depth=3).fit(X, y)
    nested = KerasClassifier(preprocess=StandardScaler()).set_params(preprocess__with_mean=False)
    assert nested.preprocess.with_mean is False


def test_the_same_seed_gives_the_same_network(X, y):
    """From a program that was traced before, too."""
    first, second = (KerasClassifier(**SMALL).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    assert first.training_.trainer == "compiled"
    other = KerasClassifier(**{**SMALL, "random_state": 1}).fit(X, y)
    assert np.abs(first.predict_proba(X) - other.predict_proba(X)).max() > 1e-3
    # the networks are independent of each other and of the program
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_compiled_and_loop_agree(X, y):
    few = {**SMALL, "epochs": 5}
    loop = KerasClassifier(**few, compiled=False).fit(X, y)
    compiled = KerasClassifier(**few).fit(X, y)
    assert loop.training_.trainer == "loop"
    np.testing.assert_allclose(loop.predict_proba(X), compiled.predict_proba(X), atol=2e-3)


def test_early_stopping_survives_a_clone(X, y):
    """As a plain callback; Keras's own wrapper loses it on clone."""
    stopping = keras.callbacks.EarlyStopping(patience=3)
    network = clone(KerasClassifier(**{**SMALL, "epochs": 300}, callbacks=[stopping])).fit(X, y)
    assert network.training_.epochs < 300
    assert network.training_.best_epoch == network.training_.epochs - 3
    assert len(network.history_["val_loss"]) == network.training_.epochs
    by_patience = KerasClassifier(**{**SMALL, "epochs": 300}, patience=3).fit(X, y)
    assert by_patience.training_ == network.training_


def test_other_callbacks_run_and_stay_as_they_were(X, y):
    seen = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None)
    schedule = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", patience=1)
    network = KerasClassifier(**{**SMALL, "epochs": 3}, callbacks=[seen, schedule]).fit(X, y)
    assert "val_loss" in network.history_
    assert network.training_.note.startswith("Keras callbacks")
    assert network.callbacks[1] is schedule
    with pytest.raises(InvalidObjectiveError, match=r"is not a keras\.callbacks\.Callback"):
        KerasClassifier(callbacks=[3]).fit(X, y)


def test_settings_of_one_fit(X, y):
    network = KerasClassifier(**SMALL).fit(X, y, epochs=2, batch_size=60, verbose=0)
    assert network.training_.epochs == 2
    assert network.epochs == 25
    with pytest.raises(TypeError, match="does not take 'steps'"):
        KerasClassifier(**SMALL).fit(X, y, steps=2)


def test_rows_in_order_hold_back_the_last_ones(X):
    quantity = np.where(np.arange(120) % 60 < 48, 0.0, 1e3)

    def last_were_held_back(curves):
        return curves["loss"][0] < 100 < 1e5 < curves["val_loss"][0]

    small = {**SMALL, "epochs": 1, "patience": 1, "learning_rate": 1e-4}
    whole = KerasRegressor(**small).fit(X[:60], quantity[:60], validation_split=0.2)
    assert last_were_held_back(whole.history_)
    random = KerasRegressor(**small, validation_fraction=0.2).fit(X[:60], quantity[:60])
    assert not last_were_held_back(random.history_)
    network = make_pipeline(KerasRegressor(**small, validation_fraction=0.2))
    walking = EstimatorCV(network, X, quantity, cv=[(np.arange(60), np.arange(60, 120))])
    assert last_were_held_back(walking({}).folds[0].curves)
    inside = VotingRegressor([("network", network)])
    walking = EstimatorCV(inside, X[:60], quantity[:60], cv=[(np.arange(30), np.arange(30, 60))])
    fitted = walking.refit({})
    assert last_were_held_back(fitted.estimators_[0][-1].history_)
    assert not clone(fitted).estimators[0][1][-1].rows_in_order


def test_weights_shift_the_decision(X, y):
    rng = np.random.default_rng(1)
    noisy = np.where(rng.random(120) < 0.3, rng.permutation(y), y)
    plain = KerasClassifier(**SMALL).fit(X, noisy)
    by_class = KerasClassifier(**SMALL, class_weight={"up": 20.0}).fit(X, noisy)
    by_row = KerasClassifier(**SMALL).fit(X, noisy, sample_weight=np.where(noisy == "up", 20, 1))
    counts = [(network.predict(X) == "up").sum() for network in (plain, by_class, by_row)]
    assert counts[0] < min(counts[1:])
    assert abs(counts[1] - counts[2]) <= 3


def test_saved_without_pickle(X, y, tmp_path):
    path = tmp_path / "network.keras"
    network = KerasClassifier(**SMALL, preprocess="standardize").fit(X * 9 + 5, y)
    network.save(path)
    loaded = KerasClassifier.load(path)
    np.testing.assert_allclose(
        loaded.predict_proba(X * 9 + 5), network.predict_proba(X * 9 + 5), atol=1e-5
    )
    assert loaded.predict(X).dtype == y.dtype
    assert loaded.training_.epochs == 25
    assert loaded.get_params()["n_neurons"] == 8
    plain = keras.models.load_model(path)
    np.testing.assert_allclose(
        np.asarray(plain(X * 9 + 5)).ravel(), network.predict_proba(X * 9 + 5)[:, 1], atol=1e-5
    )
    with pytest.raises(InvalidObjectiveError, match=r"Load it with KerasClassifier\.load"):
        KerasRegressor.load(path)
    plain.save(tmp_path / "plain.keras")
    with pytest.raises(InvalidObjectiveError, match="not one that save"):
        KerasClassifier.load(tmp_path / "plain.keras")


@pytest.mark.parametrize("kind", [bool, np.int8, float])
@pytest.mark.parametrize("one_hot", [True, False], ids=["one-hot", "several labels"])
def test_a_loaded_estimator_predicts_columns_in_the_type_of_y(X, one_hot, kind, tmp_path):
    """Booleans choose rows where whole numbers name them."""
    first = X[:, 0] > 0
    labels = np.column_stack([first, ~first if one_hot else X[:, 1] > 0]).astype(kind)
    network = KerasClassifier(**{**SMALL, "epochs": 2}).fit(X, labels)
    network.save(tmp_path / "n.keras")
    found, expected = KerasClassifier.load(tmp_path / "n.keras").predict(X), network.predict(X)
    assert found.dtype == expected.dtype == kind
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("scaler", "offset"),
    [
        ("standardize", 1e7),
        (StandardScaler(with_mean=False), 5.0),
        (StandardScaler(with_std=False), 5.0),
    ],
    ids=["far from 0", "scale alone", "mean alone"],
)
def test_a_file_holds_the_very_preprocessing(X, y, scaler, offset, tmp_path):
    """Whatever the policy of the process that writes it."""
    path, X = tmp_path / "network.keras", X.astype(float) + offset
    network = KerasClassifier(**SMALL, preprocess=scaler).fit(X, y)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        network.save(path)
    finally:
        keras.config.set_dtype_policy(policy)
    expected = network.predict_proba(X)
    loaded = KerasClassifier.load(path).predict_proba(X)
    np.testing.assert_allclose(loaded, expected, atol=1e-5)
    np.testing.assert_allclose(
        np.ravel(keras.models.load_model(path)(X)), expected[:, 1], atol=1e-5
    )


def test_a_loaded_estimator_knows_its_columns_and_weights(X, y, tmp_path):
    """In another order they would be taken for each other."""
    frame = pd.DataFrame(X, columns=list("abcd"))
    weights = {label: 1.0 + i for i, label in enumerate(np.unique(y))}
    network = KerasClassifier(**SMALL, preprocess="standardize", class_weight=weights)
    network.fit(frame, y).save(tmp_path / "n.keras")
    loaded = KerasClassifier.load(tmp_path / "n.keras")
    assert loaded.get_params() == network.get_params()
    assert list(loaded.feature_names_in_) == list("abcd")
    with pytest.raises(ValueError, match="feature names should match"):
        loaded.predict(frame[list("dcba")])


@pytest.mark.parametrize("form", [dict, tuple])
def test_a_loaded_estimator_takes_several_inputs(X, y, form, tmp_path):
    def two_inputs():
        inputs = [keras.Input((4,), name=name) for name in "ab"]
        hidden = keras.layers.Concatenate()(inputs)
        given = dict(zip("ab", inputs, strict=True)) if form is dict else inputs
        model = keras.Model(given, keras.layers.Dense(1, "sigmoid")(hidden))
        model.compile("adam", "binary_crossentropy")
        return model

    parts = {"a": X, "b": -X} if form is dict else (X, -X)
    network = KerasClassifier(two_inputs, epochs=1).fit(parts, y)
    network.save(tmp_path / "n.keras")
    loaded = KerasClassifier.load(tmp_path / "n.keras")
    expected = network.predict_proba(parts)
    np.testing.assert_allclose(loaded.predict_proba(parts), expected, atol=1e-6)
    if form is tuple:
        np.testing.assert_allclose(network.predict_proba([*parts]), expected, atol=1e-6)
    with pytest.raises(InvalidObjectiveError, match="the training rows had"):
        network.predict_proba((-X, X) if form is dict else {"a": X, "b": -X})


def test_logits_stay_logits_when_saved(X, y, tmp_path):
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    network = KerasClassifier(create_model, activation=None, loss=loss, epochs=5).fit(X, y)
    network.save(tmp_path / "network.keras")
    loaded = KerasClassifier.load(tmp_path / "network.keras")
    np.testing.assert_allclose(loaded.predict_proba(X), network.predict_proba(X), atol=1e-6)


def test_pickled_by_its_function(X, y):
    network = KerasClassifier(with_own_metric, epochs=4, random_state=0).fit(X, y)
    assert "own_f1" in network.history_
    unpickled = pickle.loads(pickle.dumps(network))
    np.testing.assert_array_equal(unpickled.predict_proba(X), network.predict_proba(X))
    assert unpickled.model_.get_config()["layers"]
    network.set_params(create_model=create_model, units=1)  # for another fit: this one is kept
    unpickled = pickle.loads(pickle.dumps(network))
    np.testing.assert_array_equal(unpickled.predict_proba(X), network.predict_proba(X))
    assert unpickled.create_model is create_model


def dense(units, activation, learning_rate, layers=(4,), bias=True):
    given = [units, activation, learning_rate, *layers, bias]
    assert {type(value) for value in given} == {int, str, float, bool}
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation, bias)])
    model.add(keras.layers.Dense(1, "sigmoid"))
    model.compile(keras.optimizers.Adam(learning_rate), "binary_crossentropy")
    return model


def test_searches_of_scikit_learn_draw_numpy_values(X, y, tmp_path):
    values = {
        "units": np.array([2, 4]),
        "activation": np.array(["relu"]),
        "learning_rate": np.array([0.05]),
        "epochs": np.arange(2, 3),
        "batch_size": np.array([64]),
        "layers": [tuple(np.arange(3))],
        "bias": np.array([True]),
    }
    network = KerasClassifier(dense, random_state=0)
    found = GridSearchCV(network, values, cv=2, error_score="raise").fit(X, y)
    assert type(found.best_params_["units"]) is np.int64
    found.best_estimator_.save(tmp_path / "best.keras")
    loaded = KerasClassifier.load(tmp_path / "best.keras")
    assert loaded.get_params()["units"] == found.best_params_["units"]
    np.testing.assert_allclose(loaded.predict_proba(X), found.predict_proba(X), rtol=1e-5)


def test_in_scikit_learn(X, y):
    """`average_precision` and `roc_auc` are scored; a random search sees the model's arguments."""
    pipeline = make_pipeline(StandardScaler(), KerasClassifier(**SMALL))
    scored = cross_validate(
        pipeline, X, (y == "up").astype(int), cv=2, scoring=("average_precision", "roc_auc")
    )
    assert min(scored["test_average_precision"].min(), scored["test_roc_auc"].min()) > 0.9
    values = {"kerasclassifier__n_neurons": np.array([4, 8])}
    search = RandomizedSearchCV(
        pipeline, values, n_iter=2, cv=2, refit=False, error_score="raise"
    ).fit(X, y)
    assert search.best_params_["kerasclassifier__n_neurons"] in (4, 8)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"epochs": 0}, "epochs=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"patience": 30}, "patience=30\\): is above epochs=25"),
        ({"validation_fraction": 1.5, "patience": 3}, "validation_fraction=1.5"),
        ({"create_model": 3}, "must be a function"),
        ({"preprocess": "scale"}, "the names are 'auto' and 'standardize'"),
        ({"class_weight": {"left": 2}}, "y does not hold"),
    ],
)
def test_bad_settings(X, y, changed, message):
    with pytest.raises(ValueError, match=message):
        KerasClassifier(**{**SMALL, **changed}).fit(X, y)


REMEDIES = {
    "model": ({"model": create_model}, r"^KerasClassifier\(model=create_model\).*'create_model'"),
    "build_fn": ({"build_fn": create_model}, "is named 'create_model' here"),
    "verbose": ({"verbose": 0}, "give it to fit"),
    "validation_split": ({"validation_split": 0.2}, "is named 'validation_fraction' here"),
    "no split": ({"validation_split": 0.0}, "holds back no rows.*Leave it out"),
    "warm start": ({"warm_start": True}, "'warm_start'. Leave it out: each fit trains a new"),
    "routed": ({"model__n_neurons": 3}, "Did you mean 'n_neurons'"),
    "loss": ({"loss": "mse"}, "Compile the model in mlp"),
    "unknown": ({"zz": 3}, r"^KerasClassifier\(zz=3\): mlp does not take 'zz'. It takes 'n_"),
    "a seed": ({"random_state": "a"}, r"^KerasClassifier\(random_state='a'\): must be a whole"),
}


@pytest.mark.parametrize("case", REMEDIES)
def test_what_scikeras_takes_otherwise_is_told(X, y, case):
    given, message = REMEDIES[case]
    with pytest.raises(InvalidObjectiveError, match=f"(?s){message}") as caught:
        KerasClassifier(epochs=1, **given).fit(X, y)
    assert "space" not in str(caught.value)


def test_arguments_of_fit_and_predict_of_keras(X, y):
    small = {**SMALL, "epochs": 2}
    network = KerasClassifier(**small).fit(X, y, validation_split=0.0)
    np.testing.assert_array_equal(network.predict(X, verbose=0), network.predict(X))
    assert network.predict_proba(X, batch_size=5).shape == (120, 2)
    with pytest.raises(TypeError, match=r"without 'steps'.*ignores batch_size and verbose"):
        network.predict(X, steps=1)
    for name, remedy in [
        ("class_weight", r"class_weight=\."),
        ("validation_data", "Give validation_split="),
        ("shuffle", "Leave it out"),
    ]:
        with pytest.raises(TypeError, match=f"does not take '{name}'.*{remedy}"):
            network.fit(X, y, **{name: None})


def test_a_split_is_watched_without_patience_and_the_last_epoch_kept(X, y):
    rising = np.where(np.arange(120) < 90, y, np.where(y == "up", "down", "up"))
    network = KerasClassifier(**{**SMALL, "epochs": 3}).fit(X, rising, validation_split=0.25)
    assert len(network.history_["val_loss"]) == 3
    assert np.argmin(network.history_["val_loss"]) < 2
    assert (network.training_.best_epoch, network.training_.epochs) == (3, 3)
    assert "val_loss" not in KerasClassifier(**SMALL).fit(X, y, epochs=1).history_


def test_models_and_classes_are_no_functions(X, y):
    for given in (create_model(), keras.Sequential):
        with pytest.raises(InvalidObjectiveError, match=r"^KerasClassifier\(create_model=.* is a "):
            KerasClassifier(given).fit(X, y)
    with pytest.raises(InvalidObjectiveError, match="is a class"):
        KerasClassifier(preprocess=StandardScaler).fit(X, y)
    with pytest.raises(InvalidObjectiveError, match="target y is None"):
        KerasClassifier().fit(X, None)
    with pytest.raises(InvalidObjectiveError, match=r"needs 'units'\. Give KerasClassifier\("):
        KerasClassifier(lambda units: None).fit(X, y)
    with pytest.raises(ValueError, match=r"(?s)'model__units'.*Did you mean 'units'"):
        KerasClassifier(create_model).set_params(model__units=2)
    with pytest.raises(InvalidObjectiveError, match="holds no classes"):
        KerasRegressor(class_weight="balanced").fit(X, X[:, 0])


def test_bad_data(X, y):
    network = KerasClassifier(**SMALL)
    with pytest.raises(NotFittedError):
        network.predict(X)
    with pytest.raises(ValueError, match="X has 120 rows, but y has 119"):
        network.fit(X, y[:-1])
    with pytest.raises(ValueError, match="not all zero"):
        network.fit(X, y, sample_weight=np.zeros(120))
    with pytest.raises(ValueError, match="single class"):
        network.fit(X, np.ones(120))
    for estimator in (network, KerasRegressor(**SMALL)):
        with pytest.raises(ValueError, match=r"fit\(y=\.{3}\): is sparse\. Give y\.toarray"):
            estimator.fit(X, scipy.sparse.csr_matrix(X[:, :2] > 0))
    with pytest.raises(ValueError, match="does not fit y"):
        KerasClassifier(create_model, units=3).fit(X, y)
    with pytest.raises(ValueError, match="NaN"):
        network.fit(np.where(X > 2, np.nan, X), y)
    with pytest.raises(ValueError, match="features"):
        network.fit(X, y).predict(X[:, :2])


def branching_loss(y_true, y_pred):
    return keras.ops.mean(y_pred if keras.ops.sum(y_true) > 0 else y_true - y_pred)


def loss_of_known_rows(y_true, y_pred):
    return keras.ops.sum(y_true - y_pred) / y_pred.shape[0]


@pytest.mark.parametrize("loss", [branching_loss, loss_of_known_rows])
def test_a_loss_that_no_graph_can_hold_is_named(X, y, loss):
    network = KerasClassifier(create_model, epochs=1, loss=loss)
    with pytest.raises(InvalidObjectiveError, match=r"the loss .* cannot be traced into a graph"):
        network.fit(X, y)
