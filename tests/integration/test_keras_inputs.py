"""Bad input is refused before any training, each kind by its own sentence."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from gpsearch import KerasClassifier
from gpsearch.errors import InvalidObjectiveError
from gpsearch.objective import KerasCV
from gpsearch.space import Space
from gpsearch.training import mlp
from gpsearch.training.backend import import_keras

keras = import_keras()
layers = keras.layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)


def network(
    units=1,
    activation="sigmoid",
    loss="binary_crossentropy",
    compiled=True,
    shape=(3,),
    metrics=lambda: None,
):
    def create_model(rate=0.1):
        model = keras.Sequential([keras.Input(shape), layers.Dense(units, activation=activation)])
        if compiled:
            model.compile(optimizer=keras.optimizers.SGD(rate), loss=loss, metrics=metrics())
        return model

    return create_model


def on_logits(y_true, y_pred):
    y_true = keras.ops.reshape(keras.ops.cast(y_true, "float32"), keras.ops.shape(y_pred))
    return keras.losses.binary_crossentropy(y_true, y_pred, from_logits=True)


class Uncopied(keras.callbacks.Callback):
    """Refuses to be copied."""

    def __deepcopy__(self, memo):
        raise TypeError("holds a file")


ONE_MODEL = network()()
ONE_LAYER = layers.Dense(1, activation="sigmoid")
ONE_OPTIMIZER = keras.optimizers.SGD(0.1)


def around(layer, optimizer):
    def create_model(rate):
        model = keras.Sequential([keras.Input((3,)), layer()])
        model.compile(optimizer(), "binary_crossentropy")
        return model

    return create_model


def branching(y_true, y_pred):
    error = keras.ops.mean((keras.ops.cast(y_true, "float32") - y_pred) ** 2)
    return error * 2 if error > 0.1 else error


SPACE = {"rate": (0.01, 0.1)}

BEFORE_SEARCH = {
    "not compiled": (network(compiled=False), {}, SPACE, "not compiled.*model.compile"),
    "no model": (lambda rate: "model", {}, SPACE, "returned str, not a Keras model"),
    "output too wide": (network(units=3), {}, SPACE, r"\(None, 3\), which does not fit y \(2 cl"),
    "one unit for two classes": (
        network(loss="categorical_crossentropy"),
        {},
        SPACE,
        r"fit y \(2 classes\).*a unit of each class.*binary_crossentropy",
    ),
    "output too narrow": (network(), {"y": np.arange(40) % 3}, SPACE, "fit y.*3 classes.*Dense.3"),
    "two targets": (network(), {"y": X[:, :2]}, SPACE, r"shape \(None, 1\).*Dense\(2\)"),
    "loss and y": (
        network(3, "softmax", "sparse_categorical_crossentropy"),
        {"y": X},
        SPACE,
        "the loss .* cannot compare",
    ),
    "loss and graph": (network(loss=branching), {}, SPACE, "the loss .* traced .* run_eagerly"),
    "one model for all calls": (lambda rate: ONE_MODEL, {}, SPACE, "the very model .* anew"),
    "one layer for all calls": (
        around(lambda: ONE_LAYER, keras.optimizers.SGD),
        {},
        SPACE,
        "trains the .*kernel of the one before",
    ),
    "one optimizer for all calls": (
        around(lambda: layers.Dense(1, activation="sigmoid"), lambda: ONE_OPTIMIZER),
        {},
        SPACE,
        "with the optimizer of the one before",
    ),
    "one optimizer in a scale of losses": (
        around(
            lambda: layers.Dense(1, activation="sigmoid"),
            lambda: keras.optimizers.LossScaleOptimizer(ONE_OPTIMIZER),
        ),
        {},
        SPACE,
        "with the optimizer of the one before",
    ),
    "no probabilities": (
        network(activation="tanh", loss="hinge"),
        {"scoring": "neg_log_loss"},
        SPACE,
        "neg_log_loss.*gives no probabilities",
    ),
    "input shape": (network(shape=(4,)), {}, SPACE, "two rows of X.*may take as `input_shape`"),
    "unknown name": (network(), {}, {"rat": (0.01, 0.1)}, "does not take 'rat'"),
    "missing name": (mlp, {"y": Y}, {"n_hiden": (1, 2)}, "does not take 'n_hiden'"),
    "batch in space": (
        network(),
        {},
        {"batch_size": [0, 8]},
        r"space=\{'batch_size': 0\}\): must be a whole number of at least 1",
    ),
    "metrics and y": (
        network(metrics=lambda: [keras.metrics.F1Score()]),
        {},
        SPACE,
        "the metrics .* cannot compare its output",
    ),
    "metrics and graph": (
        network(metrics=lambda: [branching]),
        {},
        SPACE,
        "the metrics .* traced .* run_eagerly",
    ),
    "logits or probabilities": (
        network(activation=None, loss=on_logits),
        {},
        SPACE,
        r"KerasCV\(outputs=None\): .*outputs=.*logits",
    ),
    "logits or probabilities of several labels": (
        network(3, activation=None, loss=on_logits),
        {"y": (X > 0).astype(int)},
        SPACE,
        r"KerasCV\(outputs=None\): .*outputs=.*logits",
    ),
    "patience in space": (
        network(),
        {"epochs": 5},
        {"patience": [2, 50]},
        r"space=\{'patience': 50\}\): is above epochs=5",
    ),
    "failing scorer": (
        network(),
        {"scoring": lambda estimator, X, y: estimator.nothing},
        SPACE,
        "cannot score this model",
    ),
}


@pytest.mark.parametrize("case", BEFORE_SEARCH)
def test_refused_by_validate(case):
    create_model, options, space, message = BEFORE_SEARCH[case]
    options = dict(options)
    objective = KerasCV(create_model, X, options.pop("y", Y), cv=2, **options)
    with pytest.raises(InvalidObjectiveError, match=f"(?s){message}"):
        objective.validate(Space(space))


AT_ONCE = {
    "scoring": ({"scoring": "acuracy"}, "Did you mean 'accuracy'"),
    "metric, no scorer": (
        {"scoring": __import__("sklearn.metrics").metrics.f1_score},
        "make_scorer",
    ),
    "scoring type": ({"scoring": 3}, "scorer name or a callable"),
    "patience above epochs": ({"patience": 9, "epochs": 5}, r"patience=9\): is above epochs=5"),
    "outputs": ({"outputs": "logit"}, r"outputs='logit'\): must be one of 'probabilities'"),
    "callback": ({"callbacks": [3]}, r"callbacks=\[3\]\): 3 is not a keras\.callbacks\.Callback"),
    "callback made": ({"callbacks": lambda: [3]}, r"3 is not a keras\.callbacks\.Callback"),
    "callback without copies": ({"callbacks": [Uncopied()]}, "cannot be made for each training"),
    "no epochs": ({"epochs": 0}, r"epochs=0\): must be a whole number of at least 1"),
    "half a batch": ({"batch_size": 2.5}, r"batch_size=2.5\): must be a whole number"),
    "fraction": ({"validation_fraction": 1.0}, "between 0 and 1"),
    "folds": ({"cv": 30}, "cannot split the data: .*each class.*fewer folds"),
    "weights": ({"sample_weight": np.ones(39)}, "X has 40 rows, but sample_weight has 39"),
    "groups": ({"groups": np.ones(41)}, "X has 40 rows, but groups has 41"),
    "task": ({"task": "ranking"}, 'must be "classification"'),
    "class weight": ({"class_weight": {7: 1.0}}, "does not hold"),
    "class of transformer": ({"preprocess": StandardScaler}, "is a class.* StandardScaler()"),
    "metrics, a text": ({"metrics": "accuracy"}, r"metrics='accuracy'\).*such as \[\"accuracy\"]"),
    "metrics, unknown": ({"metrics": "zz"}, "must be a list of names"),
    "fraction, a text": ({"validation_fraction": "a"}, "between 0 and 1"),
    "short groups": ({"groups": (1, 2)}, "X has 40 rows, but groups has 2"),
    "masked weights": ({"sample_weight": np.ma.masked_less(X[:, 0] ** 2, 1)}, "a masked array"),
    "built model": ({"create_model": ONE_MODEL}, "is a Keras model; it must be a function"),
    "class": ({"create_model": keras.Sequential}, "is a class; it must be a function"),
    "estimator": ({"create_model": KerasClassifier()}, "is an estimator; it must be a function"),
}


@pytest.mark.parametrize("case", AT_ONCE)
def test_refused_at_once(case):
    options, message = AT_ONCE[case]
    with pytest.raises(InvalidObjectiveError, match=message):
        KerasCV(**{"create_model": network(), "X": X, "y": Y, "cv": 2, **options})


def test_groups_and_weights_may_be_tuples():
    groups = tuple(range(20)) * 2
    objective = KerasCV(network(), X, Y, cv=2, groups=groups, sample_weight=(1, 2) * 20)
    assert objective.sample_weight.tolist() == [1, 2] * 20
    for fold in objective.folds:
        assert not set(fold.train % 20) & set(fold.test % 20)


@pytest.mark.parametrize("call", [KerasCV.__call__, KerasCV.refit])
def test_a_configuration_is_checked_where_no_search_does(call):
    objective = KerasCV(network(), X, Y, cv=2)
    with pytest.raises(InvalidObjectiveError, match=r"params=\{'rat': ...\}.*does not take 'rat'"):
        call(objective, {"rat": 0.1})
    with pytest.raises(InvalidObjectiveError, match=r"params=3.*must be a dict"):
        call(objective, 3)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.where(X > 1, np.nan, X), Y, "NaN or infinite"),
        (X, Y[:-1], "y has 39"),
        ({"a": X, "b": X[:-1]}, Y, "differ in length"),
        (X, np.zeros(40), "single class"),
        (X[:0], Y[:0], "no rows"),
        (X, None, r"y=None\): there is no target.*autoencoder y is X"),
        (np.ma.masked_greater(X, 1), Y, r"X=...\): a masked array"),
        (X, np.ma.masked_greater(Y, 0), r"y=...\): a masked array"),
    ],
)
def test_refused_data(X, y, message):
    with pytest.raises(InvalidObjectiveError, match=message):
        KerasCV(network(), X, y, cv=2)


def test_a_frozen_layer_may_serve_all_calls():
    backbone = layers.Dense(4, trainable=False)

    def create_model(rate):
        head = layers.Dense(1, activation="sigmoid")
        model = keras.Sequential([keras.Input((3,)), backbone, head])
        model.compile(keras.optimizers.SGD(rate), "binary_crossentropy")
        return model

    objective = KerasCV(create_model, X, Y, cv=2, epochs=1)
    objective.validate(Space(SPACE))
    frozen = backbone.get_weights()
    assert len(objective({"rate": 0.1}).folds) == 2
    np.testing.assert_array_equal(backbone.get_weights()[0], frozen[0])


def test_the_function_cannot_change_a_param():
    units, seen = [4], []

    def create_model(units):
        seen.append(list(units))
        units.append(1)
        return network()()

    KerasCV(create_model, X, Y, cv=2, epochs=1)({"units": units})
    assert seen == [[4], [4]]
    assert units == [4]


def test_a_good_space_is_accepted():
    objective = KerasCV(network(), X, Y, cv=2, epochs=5)
    space = Space({**SPACE, "batch_size": [4, 8], "patience": [1, 2], "epochs": 2})
    objective.validate(space)
    params = space.params(space.sample(1, RNG)[0])
    assert [fold.epochs for fold in objective(params).folds] == [2, 2]  # of the space, not 5
