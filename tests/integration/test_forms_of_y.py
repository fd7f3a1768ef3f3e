"""y in each form that plain Keras takes, through KerasCV, the estimators and GPSearchCV."""

import numpy as np
import pandas as pd
import pytest

import gpsearch as gs
from gpsearch.errors import InvalidObjectiveError
from gpsearch.training.backend import import_keras

keras = import_keras()
layers, ops = keras.layers, keras.ops

# Keras 3.15 reads TensorFlow's arrays in a way that NumPy 2 deprecates.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:A column-vector y was passed"),
    pytest.mark.usefixtures("_without_witness"),
]

EAGER = {"run_eagerly": True}  # for a few steps, which are over before they are traced
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype("float32")
POSITIVE = X[:, 0] > 0.2
CLASSES = X[:, :3].argmax(axis=1)
TOKENS = RNG.integers(1, 9, size=(60, 5))


def network(units, activation, loss, metric=None, tokens=False, **options):
    def create_model(rate=0.3):
        first = [keras.Input((5,)), layers.Embedding(9, 4)] if tokens else [keras.Input((4,))]
        model = keras.Sequential([*first, layers.Dense(units, activation)])
        metrics = [metric()] if metric else None
        model.compile(keras.optimizers.Adam(rate), loss, metrics=metrics, **options)
        return model

    return create_model


def focal(y_true, y_pred):
    p = ops.clip(y_pred, 1e-7, 1 - 1e-7)
    return ops.sum(-y_true * (1 - p) ** 2 * ops.log(p), axis=-1)


def margin(y_true, y_pred):
    return ops.mean(ops.maximum(0.0, 1 - y_true * y_pred), axis=-1)


def folklore():
    def f1(y_true, y_pred):
        hits = ops.sum(y_true * ops.round(y_pred))
        return 2 * hits / (ops.sum(y_true) + ops.sum(ops.round(y_pred)) + 1e-7)

    return f1


def f1_score():
    return keras.metrics.F1Score(threshold=0.5, name="m")


def r2_score():
    return keras.metrics.R2Score(name="m")


def mse(y_true, y_pred):
    return keras.losses.mean_squared_error(y_true, y_pred)


generalized = keras.losses.CategoricalGeneralizedCrossEntropy()

SIGMOID = (1, "sigmoid", "binary_crossentropy")
SPARSE = (3, "softmax", "sparse_categorical_crossentropy")
LABELS = {
    "own loss on one-hot": (network(3, "softmax", focal), np.eye(3, dtype="float32")[CLASSES]),
    "sparse loss on one-hot": (network(*SPARSE), np.eye(3)[CLASSES]),
    "column and F1Score": (network(*SIGMOID, f1_score), POSITIVE[:, None].astype("float32")),
    "series and F1Score": (network(*SIGMOID, f1_score), pd.Series(POSITIVE.astype(float))),
    "floats and folklore F1": (network(*SIGMOID, folklore), POSITIVE.astype("float32")),
    "strings and folklore F1": (network(*SIGMOID, folklore), np.where(POSITIVE, "yes", "no")),
    "signs and squares": (network(1, "tanh", "mse"), np.where(POSITIVE, 1.0, -1.0)),
    "other numbers": (network(*SIGMOID), np.where(POSITIVE, 7, 5)),
    "indices in a column": (network(3, "softmax", generalized), CLASSES[:, None]),
    "indices from one-hot": (network(3, "softmax", generalized), np.eye(3)[CLASSES]),
    "one loss in a list": (network(3, "softmax", ["categorical_crossentropy"]), CLASSES),
}


@pytest.mark.parametrize("case", LABELS)
def test_labels_are_learned_in_each_form(case):
    create_model, y = LABELS[case]
    objective = gs.KerasCV(create_model, X, y, cv=2, epochs=12)
    assert objective({"rate": 0.3}).score > 0.75
    classifier = gs.KerasClassifier(create_model, epochs=12, random_state=0).fit(X, y)
    assert classifier.score(X, y) > 0.8
    if np.ndim(y) == 2 and y.shape[1] == 3:
        assert classifier.predict(X).shape == (60, 3)


@pytest.mark.parametrize("name", ["CategoricalGeneralizedCrossEntropy", "Circle"])
def test_losses_of_class_indices_are_those_of_plain_keras(name):
    model = network(3, "softmax", getattr(keras.losses, name)(), **EAGER)()
    plain = model.evaluate(X, CLASSES, batch_size=60, verbose=0)

    def same(rate=0.0):
        made = network(3, "softmax", getattr(keras.losses, name)())(rate)
        made.set_weights(model.get_weights())
        return made

    found = gs.KerasClassifier(same, epochs=1, batch_size=60, rate=0.0).fit(X, CLASSES)
    assert found.history_["loss"][0] == pytest.approx(plain, rel=1e-5)


def test_a_loss_of_ones_own_gets_the_numbers_as_given():
    signs = np.where(POSITIVE, 1.0, -1.0)
    options = {"batch_size": 60, "epochs": 1}
    plain = network(1, None, margin, **EAGER)()
    for layer in plain.layers:
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    wanted = plain.evaluate(X, signs, verbose=0)

    def zeros(rate=0.0):
        model = network(1, None, margin)(rate)
        model.set_weights(plain.get_weights())
        return model

    made = gs.KerasClassifier(zeros, outputs="margins", **options).fit(X, signs)
    assert made.history_["loss"][0] == pytest.approx(wanted, rel=1e-5)
    model = network(1, None, margin)
    learned = gs.KerasClassifier(model, outputs="margins", epochs=20, random_state=0).fit(X, signs)
    assert learned.score(X, signs) > 0.9


@pytest.mark.parametrize(
    ("loss", "metric"), [("msle", r2_score), ("mape", r2_score), (mse, r2_score)]
)
def test_quantities_in_one_column(loss, metric):
    y = np.abs(X[:, :1]) + 1
    create_model = network(1, "softplus", loss, metric, run_eagerly=loss != mse)
    made = gs.KerasRegressor(create_model, epochs=2, batch_size=60, random_state=0).fit(X, y)
    assert np.isfinite(np.ravel(made.history_["m"])).all()
    assert made.predict(X).shape == (60,)
    assert len(gs.KerasCV(create_model, X, y, cv=2, epochs=1)({"rate": 0.3}).folds) == 2


def step_accuracy(estimator, X, y):
    predicted = np.asarray(estimator.predict(X))
    predicted = predicted.argmax(axis=-1) if predicted.ndim == 3 else predicted
    return float(np.mean(predicted == y))


@pytest.mark.parametrize(
    ("y", "options"),
    [
        pytest.param(TOKENS % 3, {"scoring": step_accuracy}, id="quantities"),
        pytest.param(TOKENS % 3, {"task": "classification"}, id="classes"),
        pytest.param((TOKENS % 3)[..., None], {"task": "classification"}, id="column"),
        pytest.param(np.eye(3)[TOKENS % 3], {"task": "classification"}, id="one-hot"),
        pytest.param(np.array(["a", "b", "c"])[TOKENS % 3], {}, id="strings"),
    ],
)
def test_a_label_for_each_time_step(y, options):
    objective = gs.KerasCV(network(*SPARSE, tokens=True), TOKENS, y, cv=2, epochs=12, **options)
    study = gs.search(objective, {"rate": [0.2, 0.3]}, n_calls=1, progress=False)
    assert study.best_score > 0.9


def test_faces_of_labels_for_each_step():
    y = TOKENS % 3
    create_model = network(*SPARSE, tokens=True)
    classifier = gs.KerasClassifier(create_model, epochs=12, random_state=0).fit(TOKENS, y)
    assert classifier.score(TOKENS, y) > 0.9
    assert classifier.predict(TOKENS).shape == y.shape
    assert classifier.predict_proba(TOKENS).shape == (60, 5, 3)
    searched = gs.GPSearchCV(
        create_model,
        {"rate": [0.2, 0.3]},
        n_iter=1,
        cv=2,
        epochs=12,
        random_state=0,
        task="classification",
    ).fit(TOKENS, y)
    assert searched.score(TOKENS, y) > 0.9
    with pytest.raises(InvalidObjectiveError, match=r"one for each row. Use sample_weight"):
        gs.KerasCV(create_model, TOKENS, y, cv=2, task="classification", class_weight="balanced")


def test_two_labels_for_each_step():
    y = TOKENS % 2
    for units, activation, loss in (SIGMOID, (2, *SPARSE[1:])):
        create_model = network(units, activation, loss, tokens=True)
        classifier = gs.KerasClassifier(create_model, epochs=15, random_state=0).fit(TOKENS, y)
        assert np.mean(classifier.predict(TOKENS) == y) > 0.9
        assert classifier.predict_proba(TOKENS).shape == y.shape


def test_quantities_of_several_axes():
    steps = RNG.normal(size=(40, 6, 2)).astype("float32")
    sums = steps.sum(axis=2, keepdims=True)

    def per_step(rate=0.1):
        model = keras.Sequential([keras.Input((6, 2)), layers.Dense(1)])
        model.compile(keras.optimizers.SGD(rate), "mse")
        return model

    def by_hand(estimator, X, y):
        return -float(np.mean((estimator.predict(X) - y) ** 2))

    for y in (sums, sums[..., 0]):
        scores = [
            gs.KerasCV(per_step, steps, y, cv=2, epochs=1, scoring=scoring)({"rate": 0.1}).score
            for scoring in ("neg_mean_squared_error", by_hand)
        ]
        assert scores[0] == pytest.approx(scores[1], rel=1e-5)
    objective = gs.KerasCV(per_step, steps, sums, cv=2, epochs=20)
    assert objective({"rate": 0.1}).score > 0.9
    regressor = gs.KerasRegressor(per_step, epochs=20, random_state=0).fit(steps, sums)
    assert regressor.predict(steps).shape == sums.shape
    assert regressor.score(steps, sums) > 0.9


def two_heads(rate=0.1):
    inputs = [keras.Input((4,)), keras.Input((4,))]
    both = layers.Concatenate()(inputs)
    outputs = [layers.Dense(1, "sigmoid")(both), layers.Dense(1)(both)]
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(rate), loss=["binary_crossentropy", "mse"])
    return model


def head_score(estimator, X, y):
    kind, size = estimator.predict(X)
    found = np.where(np.ravel(kind) > 0.5, "yes", "no")
    return float(np.mean(found == y[0])) - 0.0 * float(np.mean((np.ravel(size) - y[1]) ** 2))


def test_lists_of_inputs_and_outputs_and_strings_in_one_of_them():
    kinds = np.where(POSITIVE, "yes", "no")
    objective = gs.KerasCV(two_heads, [X, X], [kinds, X[:, 1]], cv=2, epochs=15, scoring=head_score)
    assert objective({"rate": 0.1}).score > 0.75
    network = gs.KerasRegressor(two_heads, epochs=15, random_state=0)
    network.fit([X, X], [kinds, X[:, 1]])
    assert head_score(network, [X, X], [kinds, X[:, 1]]) > 0.75


def gaussian(y_true, y_pred):
    error = ops.reshape(ops.cast(y_true, "float32"), (-1,)) - y_pred[:, 0]
    return y_pred[:, 1] + 0.5 * error**2 * ops.exp(-2 * y_pred[:, 1])


def cox(y_true, y_pred):
    return -y_true[:, 1] * (y_pred[:, 0] - ops.logsumexp(y_pred[:, 0]))


def coral(y_true, y_pred):
    above = ops.reshape(ops.cast(y_true, "float32"), (-1, 1)) > ops.arange(2, dtype="float32")
    return keras.losses.binary_crossentropy(ops.cast(above, "float32"), y_pred)


def triplet(y_true, y_pred):
    labels = ops.reshape(y_true, (-1, 1))
    apart = ops.sum((y_pred[:, None] - y_pred[None]) ** 2, axis=-1)
    return ops.mean(ops.where(labels == ops.transpose(labels), apart, -ops.tanh(apart)), axis=-1)


def spoken():
    model = keras.Sequential([keras.Input((4,)), layers.RepeatVector(5), layers.Dense(6)])
    model.compile("adam", keras.losses.CTC(), **EAGER)
    return model


OTHER_SHAPES = {
    "Gaussian": (network(2, None, gaussian), X[:, 0], {}),
    "Cox": (network(1, None, cox, **EAGER), np.stack([np.abs(X[:, 0]), POSITIVE], axis=1), {}),
    "ordinal": (network(2, "sigmoid", coral, **EAGER), CLASSES, {}),
    "triplet": (network(8, None, triplet, **EAGER), CLASSES, {}),
    "triplet of numbers": (network(8, None, triplet, **EAGER), CLASSES, {"task": "regression"}),
    "CTC": (spoken, TOKENS[:, :2] % 5 + 1, {"task": "regression"}),
}


@pytest.mark.parametrize("case", OTHER_SHAPES)
def test_an_output_of_another_shape_is_scored_by_a_callable(case):
    create_model, y, options = OTHER_SHAPES[case]

    def mean_output(estimator, X, y):
        return float(np.mean(estimator.outputs(X)))

    split = [(np.arange(40), np.arange(40, 60))]
    given = {"cv": split, "epochs": 1, **options}
    objective = gs.KerasCV(create_model, X, y, scoring=mean_output, **given)
    objective.validate(gs.Space({"batch_size": (8, 9)}))
    assert np.isfinite(objective({}).score)
    with pytest.raises(InvalidObjectiveError, match="cannot score this model"):
        gs.KerasCV(create_model, X, y, **given).validate(gs.Space({"batch_size": (8, 9)}))


def test_labels_are_not_read_from_an_output_of_another_shape():
    network_ = gs.KerasClassifier(OTHER_SHAPES["ordinal"][0], epochs=1).fit(X, CLASSES)
    for method in (network_.predict, network_.predict_proba):
        with pytest.raises(InvalidObjectiveError, match=r"2 outputs .* which of 3 classes"):
            method(X)
