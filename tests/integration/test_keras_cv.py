"""A small network cross-validated end to end."""

import functools
import pickle
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import KFold, cross_val_score
from sklearn.preprocessing import MinMaxScaler

from gpsearch.analysis import EnsembleSelection, ensemble_selection
from gpsearch.data import prepared_folds
from gpsearch.errors import InvalidObjectiveError, StudyError, TrialFailedError
from gpsearch.estimators import KerasClassifier
from gpsearch.execution import search
from gpsearch.model_selection import GPSearchCV
from gpsearch.objective import KerasCV, keras_fold
from gpsearch.objective.outer_folds import outer_folds
from gpsearch.space import Space
from gpsearch.strategy.history import study_history
from gpsearch.study import Study
from gpsearch.training import fitted, mlp, trainer
from gpsearch.training.backend import import_keras
from gpsearch.training.fitted import forward_in_batches
from gpsearch.training.trainer import Rows, Training, TrainingSettings

pytestmark = [
    # Keras's own code meets NumPy 2.4 here.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.usefixtures("_without_witness", "_eager_loop"),
]

SMALL = {"n_hidden": 1, "n_neurons": 4, "learning_rate": 0.05}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = 5.0 + 2.0 * rng.normal(size=(60, 3))
    return X, np.where(X[:, 0] + 0.3 * rng.normal(size=60) > 5, "yes", "no")


def test_same_params_and_seed_give_the_same_evaluation(data):
    X, y = data
    objective = KerasCV(
        mlp, X, y, cv=2, scoring="roc_auc", epochs=4, patience=2, preprocess="standardize"
    )
    first, second = (objective.evaluate(SMALL, seed=7) for _ in range(2))
    assert [f.score for f in first.folds] == [f.score for f in second.folds]
    assert [f.curves for f in first.folds] == [f.curves for f in second.folds]
    assert objective.evaluate(SMALL, seed=8).folds[0].curves != first.folds[0].curves
    parameters = (3 + 1) * 4 + (4 + 1)  # three features, four units, one output
    assert [(fold.held_out, fold.parameters) for fold in first.folds] == [(30, parameters)] * 2


def test_a_network_above_the_limit_is_not_trained_and_its_configuration_is_infeasible(data):
    X, y = data
    objective = KerasCV(mlp, X, y, cv=2, epochs=1, max_parameters=21)
    space = {"n_hidden": [1], "n_neurons": [4, 5]}
    study = search(objective, space, n_calls=2, random_state=0, progress=False)
    small, large = sorted(study.trials, key=lambda trial: trial.params["n_neurons"])
    assert (small.state, small.parameters, large.state) == ("complete", 21, "failed")
    told = "not trained: the network has 26 parameters, more than max_parameters=21."
    assert (large.reason, large.folds) == (told, ())
    assert list(study_history(study).failed) == [trial is large for trial in study.trials]
    unlimited = KerasCV(mlp, X, y, cv=2, epochs=1)
    assert unlimited.fingerprint() != objective.fingerprint()


@pytest.mark.parametrize(("classes", "kept_bytes"), [(True, 2**26), (False, 2**26), (True, 0)])
def test_held_out_predictions_are_those_that_were_scored(data, monkeypatch, classes, kept_bytes):
    X, y = data
    passes = []
    monkeypatch.setattr(prepared_folds, "KEPT_BYTES", kept_bytes)  # of features, in memory
    monkeypatch.setattr(trainer, "forward_in_batches", forward := counted(passes))
    monkeypatch.setattr(fitted, "forward_in_batches", forward)
    objective = KerasCV(mlp, X, y if classes else X[:, :2], cv=2, epochs=1)  # scored by labels
    folds = objective.evaluate({"n_neurons": 4}, seed=0).folds
    assert [len(outputs) for outputs in passes] == [30, 30]
    for fold, result, outputs in zip(objective.folds, folds, passes, strict=True):
        found = result.predictions
        assert np.array_equal(found.rows, fold.test)
        assert found.n_rows == 60
        assert np.allclose(found.outputs, outputs)
        if classes:
            labels = np.where(found.outputs[:, 0] > 0.5, "yes", "no")
            assert result.score == pytest.approx(np.mean(labels == y[fold.test]))


def counted(passes):
    """`forward_in_batches` that keeps what it returns."""

    def forward(*arguments):
        passes.append(forward_in_batches(*arguments))
        return passes[-1]

    return forward


def test_divergence_is_a_failed_trial_with_its_reason(data):
    X, _ = data
    objective = KerasCV(mlp, X, 1e30 * X[:, 0], cv=2, epochs=2)
    with pytest.raises(TrialFailedError, match="diverged"):
        objective.evaluate({"learning_rate": 1e30, "opt": "sgd", "act_func": "linear"}, seed=0)


def test_a_model_function_may_raise_for_some_params_but_not_for_all(data):
    X, y = data

    def create_model(n_neurons, **facts):
        if n_neurons > 1:
            raise RuntimeError(f"no {n_neurons} today")
        return mlp(n_neurons=n_neurons, input_shape=(3,), n_outputs=1, target_kind="binary")

    objective = KerasCV(create_model, X, y, cv=2, epochs=1)
    objective.validate(Space({"n_neurons": (1, 2)}))
    with pytest.raises(InvalidObjectiveError, match=r"create_model raised .* no [23] today"):
        objective.validate(Space({"n_neurons": (2, 3)}))


@pytest.mark.usefixtures("_eager_loop")
def test_a_batch_above_the_training_part_is_the_whole_part(data):
    X, y = data
    curves = [
        KerasCV(mlp, X, y, cv=2, epochs=2, batch_size=size, compiled=compiled)(SMALL)
        .folds[0]
        .curves
        for size, compiled in [(30, True), (64, True), (10**10, True), (10**10, False)]
    ]
    assert curves[0] == curves[1] == curves[2]
    assert curves[3]["loss"] == pytest.approx(curves[0]["loss"], rel=1e-4)


def test_labels_are_cut_where_the_user_says_that_the_outputs_are_logits(data):
    keras = import_keras()
    X, y = data

    def loss(y_true, y_pred):
        return keras.losses.binary_crossentropy(y_true, y_pred, from_logits=True)

    def create_model(loss):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.1), loss)
        return model

    known = keras.losses.BinaryCrossentropy(from_logits=True)
    given = {"cv": 2, "epochs": 2, "preprocess": "standardize", "metrics": ["neg_log_loss", "f1"]}
    folds = [
        KerasCV(create_model, X, y, **given, **options)({"loss": one}).folds
        for one, options in [(loss, {"outputs": "logits"}), (known, {})]
    ]
    assert [fold.score for fold in folds[0]] == [fold.score for fold in folds[1]]
    assert folds[0][0].metrics == pytest.approx(folds[1][0].metrics, rel=1e-5)
    with pytest.raises(InvalidObjectiveError, match=r"outputs=None"):
        KerasCV(create_model, X, y, cv=2, epochs=1)({"loss": loss})
    auc = KerasCV(create_model, X, y, cv=2, epochs=1, scoring="roc_auc")({"loss": loss})
    assert 0 <= auc.score <= 1


@pytest.mark.usefixtures("_eager_loop")
@pytest.mark.parametrize("patience", [None, 2])
def test_a_metric_with_several_entries_has_a_curve_for_each(data, patience):
    keras = import_keras()
    X, _ = data

    def create_model(rate=0.1):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, "softmax")])
        metrics = [keras.metrics.F1Score(name="f1"), "accuracy"]
        model.compile(keras.optimizers.SGD(rate), "categorical_crossentropy", metrics=metrics)
        return model

    one_fold = [(np.arange(30), np.arange(30, 60))]
    given = {"cv": one_fold, "epochs": 3, "preprocess": "standardize", "patience": patience}
    objectives = [
        KerasCV(create_model, X, np.arange(60) % 3, compiled=compiled, **given)
        for compiled in (True, False)
    ]
    traced = objectives[0]._trainer.n_traced
    for rate in (0.1, 0.2):  # the second in the program of the first
        fast, slow = (objective({"rate": rate}).folds[0] for objective in objectives)
        assert (fast.trainer, slow.trainer) == ("compiled", "loop")
        assert {"f1_0", "f1_1", "f1_2", "accuracy", "loss"} <= set(fast.curves)
        for name, curve in slow.curves.items():
            assert fast.curves[name] == pytest.approx(curve, abs=1e-4), name
    assert objectives[0]._trainer.n_traced <= traced + 1


@pytest.mark.usefixtures("_eager_loop")
def test_a_model_with_its_own_train_step_needs_no_loss(data):
    keras = import_keras()
    X, y = data

    class Own(keras.Sequential):
        def train_step(self, batch):
            import tensorflow as tf

            x, y = batch
            with tf.GradientTape() as tape:
                target = keras.ops.reshape(keras.ops.cast(y, "float32"), (-1, 1))
                loss = keras.ops.mean((target - self(x, training=True)) ** 2)
            trained = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, trained), trained)
            return {"own": loss}

    def create_model(rate=0.5):
        model = Own([keras.Input((3,)), keras.layers.Dense(1, "sigmoid")])
        model.compile(keras.optimizers.SGD(rate))
        return model

    objective = KerasCV(create_model, X, y, cv=2, epochs=4, preprocess="standardize")
    objective.validate(Space({"rate": (0.1, 0.5)}))
    fold = objective({"rate": 0.5}).folds[0]
    assert list(fold.curves) == ["own"]
    assert fold.curves["own"][-1] < fold.curves["own"][0]
    assert fold.note == "the model has its own train_step"


def test_two_classes_three_classes_quantities_and_their_scorers(data):
    X, y = data
    cases = [
        (y, ["roc_auc", "average_precision", "neg_log_loss", "accuracy", "f1_macro"]),
        (np.digitize(X[:, 1], [4.0, 6.0]), ["accuracy", "neg_log_loss", "roc_auc_ovr"]),
        (X[:, 2] * 0.5 + 0.1, ["r2", "neg_mean_squared_error", "neg_median_absolute_error"]),
        ((X > 5).astype(int), ["accuracy", "f1_micro"]),
        (X[:, :2], ["r2"]),
    ]
    for target, names in cases:
        objective = KerasCV(
            mlp, X, target, cv=2, scoring=names[0], metrics=names[1:], epochs=2, batch_size=10
        )
        for fold in objective.evaluate(SMALL, seed=0).folds:
            assert np.isfinite([fold.score, *fold.metrics.values()]).all(), (names, fold)
            assert fold.trainer == "compiled"


def test_one_hot_and_two_unit_outputs_score_like_one_unit(data):
    keras = import_keras()
    X, y = data

    def softmax(loss):
        def create_model(n_features):
            model = keras.Sequential(
                [keras.Input((n_features,)), keras.layers.Dense(2, activation="softmax")]
            )
            model.compile(optimizer="sgd", loss=loss)
            return model

        return create_model

    scores = [
        [f.score for f in KerasCV(softmax(loss), X, y, cv=2, scoring="roc_auc", epochs=3)({}).folds]
        for loss in ("categorical_crossentropy", "sparse_categorical_crossentropy")
    ]
    np.testing.assert_allclose(*scores, rtol=1e-6)


def test_logits_are_turned_into_probabilities(data):
    keras = import_keras()
    X, y = data

    def create_model(n_features):
        model = keras.Sequential([keras.Input((n_features,)), keras.layers.Dense(1)])
        model.compile(optimizer="sgd", loss=keras.losses.BinaryCrossentropy(from_logits=True))
        return model

    fitted = KerasCV(create_model, X, y, cv=2, epochs=2, preprocess="standardize").refit({})
    probabilities = fitted.predict_proba(X)
    assert ((probabilities > 0) & (probabilities < 1)).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(
        fitted.predict(X), np.where(probabilities[:, 1] > 0.5, "yes", "no")
    )


def test_done_folds_are_not_run_and_on_fold_stops(data):
    X, y = data
    objective = KerasCV(mlp, X, y, cv=3, epochs=2)
    whole = objective.evaluate(SMALL, seed=4)
    rest = objective.evaluate(SMALL, seed=4, done=whole.folds[:2])
    assert rest.folds[:2] == whole.folds[:2]
    assert rest.folds[2].curves == whole.folds[2].curves
    stopped = objective.evaluate(SMALL, seed=4, on_fold=lambda fold: fold.fold < 1)
    assert [fold.score for fold in stopped.folds] == [fold.score for fold in whole.folds[:2]]


def test_what_ran_before_does_not_matter(data):
    X, y = data
    first = KerasCV(mlp, X, y, cv=2, epochs=3)
    expected = first.evaluate({**SMALL, "drop_rate": 0.3}, seed=1)
    other = KerasCV(mlp, X, y, cv=2, epochs=3)
    other.evaluate({**SMALL, "drop_rate": 0.1, "learning_rate": 0.5}, seed=2)
    again = other.evaluate({**SMALL, "drop_rate": 0.3}, seed=1)
    assert [f.curves for f in again.folds] == [f.curves for f in expected.folds]


def test_threads_do_not_train_in_each_others_variables(data):
    X, y = data
    objective = KerasCV(mlp, X, y, cv=2, epochs=3, scoring="neg_log_loss")
    many = [{**SMALL, "learning_rate": 10.0**-k} for k in range(4)]
    expected = [objective.evaluate(params, seed=1).score for params in many]
    with ThreadPoolExecutor(4) as pool:
        scores = list(pool.map(lambda params: objective.evaluate(params, seed=1).score, many))
    assert scores == expected


def test_evaluating_leaves_the_callers_random_numbers_alone(data):
    X, y = data
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    expected = random.random(), np.random.random()  # noqa: NPY002
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    KerasCV(mlp, X, y, cv=2, epochs=1)(SMALL)
    assert (random.random(), np.random.random()) == expected  # noqa: NPY002


def test_stop_rows_are_the_scored_fold_only_when_asked(data):
    X, y = data
    options = {"cv": 2, "epochs": 5, "patience": 5, "scoring": "neg_log_loss"}
    fold = KerasCV(mlp, X, y, monitor_fold=True, **options)(SMALL).folds[0]
    assert -fold.score == pytest.approx(min(fold.curves["val_loss"]), rel=1e-4)
    honest = KerasCV(mlp, X, y, **options)(SMALL).folds[0]
    assert -honest.score != pytest.approx(min(honest.curves["val_loss"]), rel=1e-4)


def test_the_same_objective_in_another_process_has_the_same_fingerprint(data):
    X, y = data
    objective = KerasCV(mlp, X, y, cv=2, epochs=1)
    objective(SMALL)
    copied = pickle.loads(pickle.dumps(objective))
    assert copied.fingerprint() == objective.fingerprint()
    assert copied(SMALL).score == objective(SMALL).score
    others = [
        KerasCV(mlp, X, y, cv=3, epochs=1),
        KerasCV(mlp, X, y, cv=2, epochs=2),
        KerasCV(mlp, X, y, cv=2, epochs=1, random_state=1),
        KerasCV(mlp, X, y, cv=2, epochs=1, scoring="f1_macro"),
        KerasCV(mlp, 2 * X, y, cv=2, epochs=1),
        KerasCV(mlp, X, y, cv=2, epochs=1, preprocess="standardize"),
    ]
    assert len({objective.fingerprint(), *(o.fingerprint() for o in others)}) == 7


# Keras's own code meets NumPy 2.4 when it writes a model.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("preprocess", [None, "standardize"])
def test_refitted_model_is_saved_with_its_preprocessing(data, preprocess, tmp_path):
    X, y = data
    objective = KerasCV(
        mlp, X, y, cv=2, scoring="roc_auc", epochs=20, patience=5, preprocess=preprocess
    )
    evaluation = objective.evaluate(SMALL, seed=0)
    fitted = objective.refit(SMALL, seed=0, folds=evaluation.folds)
    assert set(fitted.predict(X)) == {"no", "yes"}
    fitted.save(tmp_path / "best.keras")
    loaded = import_keras().saving.load_model(tmp_path / "best.keras")
    np.testing.assert_allclose(
        loaded.predict(X.astype("float32"), verbose=0)[:, 0],
        fitted.predict_proba(X)[:, 1],
        rtol=1e-4,
    )


@pytest.mark.parametrize("space", [{}, {"epochs": [4]}], ids=["given", "searched"])
def test_the_final_model_has_the_schedule_of_those_that_were_scored(data, space):
    X, y = data
    told = set()

    def create_model(n_neurons, epochs, patience):
        told.add((epochs, patience))
        return small_network(n_neurons)

    options = {"cv": 2, "epochs": 4, "patience": 1, "random_state": 0}
    objective = KerasCV(create_model, X, y, **options)
    params = {"n_neurons": 2, **{name: value for name, (value,) in space.items()}}
    objective.refit(params, epochs=2)
    GPSearchCV(create_model, {"n_neurons": [2], **space}, n_iter=1, **options).fit(X, y)
    assert told == {(4, 1)}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_study_saves_its_best_model(data, tmp_path):
    X, y = data
    objective = KerasCV(mlp, X, y, cv=2, epochs=2, preprocess="standardize")
    study = search(
        objective,
        {"n_neurons": [2, 3]},
        n_calls=2,
        strategy="random",
        random_state=0,
        progress=False,
    )
    study.save_model(tmp_path / "best.keras")
    loaded = import_keras().saving.load_model(tmp_path / "best.keras")
    np.testing.assert_allclose(
        loaded.predict(X.astype("float32"), verbose=0)[:, 0],
        study.best_model().predict_proba(X)[:, 1],
        rtol=1e-4,
    )
    with pytest.raises(StudyError, match=r'must end in "\.keras" or'):
        study.save_model(tmp_path / "best.h5")


def test_a_transformer_keras_cannot_hold_is_not_saved(data, tmp_path):
    X, y = data
    objective = KerasCV(mlp, X, y, cv=2, preprocess=MinMaxScaler())
    study = Study.create(None, space={"n_neurons": [2, 3]}, seed=0)
    with pytest.raises(InvalidObjectiveError, match="cannot become part of a Keras file"):
        study.save_model(tmp_path / "best.keras", objective)  # before it looks for a best trial
    fitted = objective.refit(SMALL, epochs=1)
    with pytest.raises(InvalidObjectiveError, match="cannot become part of a Keras file"):
        fitted.save(tmp_path / "best.keras")


def test_several_inputs_and_outputs_with_a_scorer_of_ones_own(data):
    keras = import_keras()
    X, _ = data

    def create_model(units):
        left, right = keras.Input((3,), name="left"), keras.Input((2,), name="right")
        hidden = keras.layers.Dense(units)(keras.layers.Concatenate()([left, right]))
        outputs = {
            name: keras.layers.Dense(1, name=name)(hidden) for name in ("total", "difference")
        }
        model = keras.Model({"left": left, "right": right}, outputs)
        model.compile(optimizer="adam", loss={"total": "mse", "difference": "mse"})
        return model

    def error(estimator, X, y):
        predicted = estimator.predict(X)
        return -sum(float(np.mean((predicted[k][:, 0] - y[k]) ** 2)) for k in y)

    objective = KerasCV(
        create_model,
        {"left": X, "right": X[:, :2]},
        {"total": X.sum(axis=1), "difference": X[:, 0] - X[:, 1]},
        cv=2,
        scoring=error,
        epochs=3,
        patience=2,
        preprocess="standardize",
    )
    objective.validate(Space({"units": (2, 4)}))
    assert objective({"units": 3}).score < 0


@pytest.mark.usefixtures("_eager_loop")
def test_callbacks_of_ones_own_run_on_the_loop(data):
    keras = import_keras()
    X, y = data
    seen = []
    counting = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    for callbacks in ([counting], counting, lambda: [counting]):
        fold = KerasCV(mlp, X, y, cv=2, epochs=2, callbacks=callbacks)(SMALL).folds[0]
        assert (fold.trainer, fold.note[:15]) == ("loop", "Keras callbacks")
        assert seen == [0, 1, 0, 1]
        seen.clear()


@pytest.mark.parametrize("face", ["KerasCV", "KerasClassifier", "GPSearchCV"])
def test_callbacks_are_read_alike_in_all_faces(data, face):
    """Copied for each fold; rows are held back for one that watches them; a plain early stopping
    is that of the compiled program."""
    keras = import_keras()
    X, y = data
    schedule = keras.callbacks.ReduceLROnPlateau(monitor="val_accuracy", patience=1)
    plain = False  # on the loop, a few steps are over before a graph is traced

    def create_model(n_neurons=2):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(n_neurons)])
        model.add(keras.layers.Dense(1, "sigmoid"))
        model.compile("sgd", "binary_crossentropy", metrics=["accuracy"], run_eagerly=not plain)
        return model

    def curves(callbacks):
        given = {"epochs": 3, "callbacks": callbacks}
        if face == "KerasCV":
            return KerasCV(create_model, X, y, cv=2, **given)({"n_neurons": 2}).folds[0].curves
        if face == "KerasClassifier":
            return KerasClassifier(create_model, **given).fit(X, y).history_
        found = GPSearchCV(create_model, {"n_neurons": [2]}, n_iter=1, cv=2, **given).fit(X, y)
        return found.study_.trials[0].folds[0].curves

    assert {"val_accuracy", "learning_rate"} <= set(curves([schedule]))
    assert schedule.model is None
    plain = True
    stopped = curves(lambda: [keras.callbacks.EarlyStopping(patience=1)])
    assert "val_loss" in stopped
    assert "learning_rate" not in stopped


def small_network(n_neurons=2):
    """For callbacks, which run on the loop: its few steps are over before a graph is traced."""
    keras = import_keras()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(n_neurons)])
    model.add(keras.layers.Dense(1, "sigmoid"))
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"], run_eagerly=True)
    return model


def test_the_best_epoch_is_that_of_the_weights_that_a_callback_restores(data):
    keras = import_keras()
    X, y = data

    class Worse(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_own"] = float(epoch)

    def stopping():
        early = keras.callbacks.EarlyStopping(
            "val_own", mode="min", patience=2, restore_best_weights=True
        )
        return [Worse(), early]

    objective = KerasCV(small_network, X, y, cv=2, epochs=5, callbacks=stopping)
    folds = objective({"n_neurons": 2}).folds
    assert [(fold.best_epoch, fold.epochs) for fold in folds] == [(1, 3), (1, 3)]
    network = KerasClassifier(small_network, epochs=5, callbacks=stopping).fit(X, y)
    assert (network.training_.best_epoch, network.training_.epochs) == (1, 3)


def test_the_weights_of_the_best_epoch_are_those_that_callbacks_before_it_left(data):
    """As in Keras, where a callback that averages weights stands before the early stopping."""
    keras = import_keras()
    X, y = data

    class Zeroes(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.set_weights([np.zeros_like(value) for value in self.model.get_weights()])

    def kept(callbacks):
        objective = KerasCV(small_network, X, y, cv=2, epochs=2, callbacks=callbacks)
        network = objective.model_function.build({}, X, 0)
        rows = Rows(x=X, y=np.float32(y == "yes")[:, None])
        settings = TrainingSettings(epochs=2, batch_size=32, patience=1)
        training = Training(fit=rows, stop=rows, settings=settings, seed=0)
        objective._trainer.train(network, training, built_by="test")
        return np.concatenate([np.ravel(value) for value in network.get_weights()])

    early = keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True)
    assert not kept([Zeroes(), early]).any()
    assert kept([early, Zeroes()]).any()
    assert kept([Zeroes()]).any()  # patience=, with no place of its own, keeps what was watched


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_patience_keeps_the_weights_that_were_watched(data, swap_on_epoch):
    """Also where a callback swaps others in for the validation, or stands before or after."""
    keras = import_keras()
    X, y = data

    def averaging(n_neurons=2):
        model = small_network(n_neurons)
        optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
        model.compile(optimizer, "binary_crossentropy", run_eagerly=True)
        return model

    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=swap_on_epoch)
    objective = KerasCV(averaging, X, y, cv=2, epochs=4, patience=1, callbacks=[swap])
    network = objective.model_function.build({}, X, 0)
    rows = Rows(x=X, y=np.float32(y == "yes")[:, None])
    settings = TrainingSettings(epochs=4, batch_size=32, patience=1)
    training = Training(fit=rows, stop=rows, settings=settings, seed=0)
    found = objective._trainer.train(network, training, built_by="test")
    watched = found.curves["val_loss"]
    kept = network.evaluate(rows.x, rows.y, verbose=0, return_dict=True)["loss"]
    assert kept == pytest.approx(min(watched), rel=1e-5)
    assert watched[found.best_epoch - 1] == min(watched)


def test_rows_are_held_back_for_a_callback_whose_code_reads_them(data):
    keras = import_keras()
    X, y = data

    class Reading(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            assert logs["val_loss"] > 0

    class Named(keras.callbacks.Callback):
        key = "val_loss"

        def on_epoch_end(self, epoch, logs=None):
            assert logs[self.key] > 0

    class Joined(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            assert logs["_".join(["val", "loss"])] > 0

    reading = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs["val_loss"])
    plain = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs["loss"])
    for callback, held in [(Reading(), True), (Named(), True), (reading, True), (plain, False)]:
        objective = KerasCV(small_network, X, y, cv=2, epochs=1, callbacks=[callback])
        assert objective.callbacks.watch is held
    assert (
        "val_loss"
        in KerasClassifier(small_network, epochs=1, callbacks=Reading()).fit(X, y).history_
    )
    with pytest.raises(InvalidObjectiveError, match=r"reads 'val_loss', but no rows .* patience="):
        KerasCV(small_network, X, y, cv=2, epochs=1, callbacks=[Joined()])({"n_neurons": 2})


def test_a_class_of_ones_own_named_early_stopping_stays_as_it_is(data):
    keras = import_keras()
    X, y = data

    class EarlyStopping(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    class Like(keras.callbacks.EarlyStopping):
        pass

    Like.__name__ = "EarlyStopping"
    for callback in (EarlyStopping(), Like(patience=1)):
        objective = KerasCV(small_network, X, y, cv=2, epochs=3, callbacks=[callback])
        assert (objective.callbacks.patience, len(objective.callbacks.make())) == (None, 1)
    network = KerasClassifier(small_network, epochs=3, callbacks=[EarlyStopping()]).fit(X, y)
    assert network.training_.epochs == 1


def test_a_patience_that_is_not_whole_stops_as_in_keras(data):
    early_stopping = import_keras().callbacks.EarlyStopping
    for patience, read in ((2.0, 2), (2.5, 3)):
        objective = KerasCV(mlp, *data, callbacks=[early_stopping(patience=patience)])
        assert objective.settings.patience == read
    with pytest.raises(InvalidObjectiveError, match=r"'EarlyStopping' is not a keras\.callbacks"):
        KerasCV(mlp, *data, callbacks="EarlyStopping")


def test_splits_of_a_generator_travel(data):
    splits = [(np.arange(40), np.arange(40, 60))]
    objective = KerasCV(mlp, *data, cv=(split for split in splits))
    assert pickle.loads(pickle.dumps(objective)).folds[0].test.tolist() == list(range(40, 60))


def test_a_callable_among_the_metrics_gets_the_labels_as_the_scoring_does(data):
    X, y = data

    def share(estimator, X, y):
        return float(np.mean([label == "yes" for label in y]))

    given = {
        "same": share,
        "f1_yes": make_scorer(f1_score, pos_label="yes"),
        "f1": "f1",
    }
    objective = KerasCV(mlp, X, y, cv=2, epochs=1, scoring=share, metrics=given)
    objective.validate(Space({"n_neurons": (2, 3)}))
    for fold in objective(SMALL).folds:
        assert fold.metrics["same"] == fold.score
        assert fold.metrics["f1_yes"] == fold.metrics["f1"]
        assert 0 <= fold.metrics["f1"] <= 1
    signs = np.where(y == "yes", 1, -1)
    lowest = KerasCV(mlp, X, signs, cv=2, epochs=1, metrics={"low": lambda e, X, y: min(y)})
    assert lowest(SMALL).folds[0].metrics["low"] == -1
    found = GPSearchCV(
        mlp, {"n_neurons": [2]}, n_iter=1, cv=2, epochs=1,
        scoring={"acc": "accuracy", "share": share}, refit="acc",
    ).fit(X, y)  # fmt: skip
    assert found.cv_results_["mean_test_share"][0] == pytest.approx(np.mean(y == "yes"), abs=0.02)


def test_a_search_may_refit_an_ensemble(data, monkeypatch):
    X, y = data
    monkeypatch.setattr(EnsembleSelection, "is_better", True)  # two folds hardly show it
    monkeypatch.setattr(ensemble_selection, "greedy", lambda *given: [0, 1])
    choices = [SMALL["n_neurons"], 3]
    options = {"n_iter": 2, "cv": 2, "epochs": 1, "scoring": "roc_auc", "random_state": 0}
    X = pd.DataFrame(X, columns=list("abc"))
    found = GPSearchCV(mlp, {"n_neurons": choices}, refit="ensemble", **options).fit(X, y)
    ensemble = found.best_estimator_
    assert ensemble.selection.members == {0: 1, 1: 1}
    assert set(found.predict(X)) <= {"no", "yes"}
    assert list(found.classes_) == ["no", "yes"]
    assert found.predict_proba(X).shape == (60, 2)
    assert found.n_features_in_ == 3
    assert list(found.feature_names_in_) == list("abc")
    assert found.score(X, y) == ensemble.score(X, y)
    assert found.best_score_ == max(found.cv_results_["mean_test_score"])
    of_several_types = X.set_axis(["a", "b", 3], axis=1)
    found = GPSearchCV(mlp, {"n_neurons": choices}, refit="ensemble", **options).fit(
        of_several_types, y
    )
    assert found.n_features_in_ == 3


def test_a_configuration_with_names_of_the_estimator_is_fitted_on_all_the_data(data):
    """They go to the model function, in the final fit as in the folds."""
    X, y = data
    called = []

    def create_model(n_neurons, random_state, preprocess, class_weight=None):
        called.append((random_state, preprocess, class_weight))
        return small_network(n_neurons)

    space = {"n_neurons": (2, 4), "random_state": [5], "preprocess": ["own"], "class_weight": 0.5}
    options = {"epochs": 1, "cv": 2, "n_iter": 1, "random_state": 0}
    found = GPSearchCV(create_model, space, **options).fit(X, y)
    assert set(called) == {(5, "own", 0.5)}
    assert set(found.predict(X)) <= {"no", "yes"}
    pickle.loads(pickle.dumps(GPSearchCV(small_network, {"n_neurons": [2]}, **options).fit(X, y)))


@pytest.mark.parametrize("case", ["one axis", "names of two types", "labels between numbers"])
def test_what_the_final_fit_refuses_is_refused_before_the_search(data, case):
    X, y = data
    frame = pd.DataFrame(X, columns=["one", "two", 3])
    X, y, message = {
        "one axis": (X[:, 0], y, "Expected 2D array"),
        "names of two types": (frame, y, "Feature names are only supported"),
        "labels between numbers": (X, np.where(y == "yes", 1.5, 0.5), "Unknown label type"),
    }[case]
    called = []

    def create_model(n_neurons):
        called.append(n_neurons)
        return small_network(n_neurons)

    options = {"epochs": 1, "cv": 2, "n_iter": 1}
    with pytest.raises((TypeError, ValueError), match=message):
        GPSearchCV(create_model, {"n_neurons": [2]}, **options).fit(X, y)
    assert not called


def test_numbers_in_objects_are_labels_in_all_faces(data):
    X, y = data
    y = np.array([1 if label == "yes" else 0 for label in y], dtype=object)
    for labels in (y, pd.Series(y)):
        network = KerasClassifier(small_network, epochs=1).fit(X, labels)
        assert 0 <= network.score(X, labels) <= 1
        options = {"epochs": 1, "cv": 2, "n_iter": 1}
        found = GPSearchCV(small_network, {"n_neurons": [2]}, **options).fit(X, labels)
        assert set(found.predict(X)) <= {0, 1}


def test_a_setting_that_few_configurations_have_ends_no_search(data):
    """What was refused of one configuration is a failed trial; of the first it is a mistake."""
    X, y = data
    network = KerasClassifier(small_network, patience=2)
    options = {"cv": 2, "n_iter": 2, "strategy": "grid", "random_state": 0}
    with pytest.warns((FitFailedWarning, UserWarning), match=r"patience=2.*above epochs=1|non-fin"):
        found = GPSearchCV(network, {"epochs": [2, 1]}, **options).fit(X, y)
    assert {trial.state for trial in found.study_.trials} == {"complete", "failed"}
    assert found.best_params_ == {"epochs": 2}
    with pytest.raises(InvalidObjectiveError, match=r"patience=2.*above epochs=1"):
        GPSearchCV(network, {"epochs": [1]}, **options | {"n_iter": 1}).fit(X, y)


def test_a_weight_of_a_class_that_a_fold_lacks_is_left_out(data):
    X, y = data
    y = np.where(np.arange(len(y)) < 30, np.where(X[:, 0] > 5, "yes", "no"), "rare")
    y[:2] = ["no", "yes"]
    y[30:32] = ["no", "yes"]
    weights = {"yes": 2.0, "no": 1.0, "rare": 3.0}
    network = KerasClassifier(mlp, epochs=1, class_weight=weights, **SMALL)
    halves = [(np.arange(30), np.arange(30, 60)), (np.arange(30, 60), np.arange(30))]
    scores = cross_val_score(network, X, y, cv=halves, error_score="raise")
    assert np.isfinite(scores).all()


def test_validate_tries_the_metrics_too(data):
    X, y = data
    failing = {"wrong": lambda estimator, X, y: estimator.nothing}
    objective = KerasCV(mlp, X, y, cv=2, epochs=1, metrics=failing)
    with pytest.raises(InvalidObjectiveError, match=r"metrics='wrong'\): cannot score"):
        objective.validate(Space({"n_neurons": (2, 3)}))


@pytest.mark.parametrize("kind", ["EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint"])
def test_what_a_callback_watches_is_known_before_any_trial(data, kind, tmp_path):
    X, y = data
    given = {"filepath": tmp_path / "a.keras", "save_best_only": True, "mode": "max"}
    options = given if kind == "ModelCheckpoint" else {"mode": "max"}

    def validate(monitor, *others):
        made = getattr(import_keras().callbacks, kind)(monitor=monitor, **options)
        objective = KerasCV(small_network, X, y, cv=2, epochs=1, callbacks=[*others, made])
        objective.validate(Space({"n_neurons": (2, 3)}))

    with pytest.raises(InvalidObjectiveError, match=r"callbacks=.*watches 'val_acc'.*accuracy"):
        validate("val_acc")
    validate("val_accuracy")
    validate("val_acc", import_keras().callbacks.LambdaCallback())


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("kind", ["ReduceLROnPlateau", "LearningRateScheduler"])
def test_a_callback_that_cannot_set_the_learning_rate_is_refused_before_any_trial(
    data, kind, wrapped
):
    X, y = data
    keras = import_keras()

    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)

    def network(rate, n_neurons):
        model = small_network(n_neurons)
        optimizer = keras.optimizers.SGD(rate)
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer) if wrapped else optimizer
        model.compile(optimizer, "binary_crossentropy")
        return model

    made = getattr(keras.callbacks, kind)(*([len] if kind == "LearningRateScheduler" else []))

    def validate(rate):
        options = {"cv": 2, "epochs": 1, "callbacks": made}
        objective = KerasCV(functools.partial(network, rate), X, y, **options)
        objective.validate(Space({"n_neurons": (2, 3)}))

    with pytest.raises(InvalidObjectiveError, match=rf"callbacks=.*{kind} sets .* a schedule"):
        validate(schedule)
    validate(0.1)


@pytest.mark.parametrize(("patience", "of_callback"), [(1, 4), (4, 1), (None, 1)])
def test_of_patience_and_a_plain_early_stopping_the_first_to_stop_counts(
    data, patience, of_callback
):
    early = import_keras().callbacks.EarlyStopping(patience=of_callback)
    objective = KerasCV(small_network, *data, epochs=9, patience=patience, callbacks=early)
    assert objective.settings.patience == 1


def sparse_weights(n):
    weights = np.zeros(n)
    weights[:: n // 6] = 1.0
    return weights


@pytest.mark.parametrize(
    ("given", "space", "message"),
    [
        ({"cv": KFold(6), "scoring": "roc_auc"}, {}, r"scoring='roc_auc'\): is nan .*only y = "),
        ({"cv": KFold(60), "y": np.arange(60.0)}, {}, r"scoring='r2'\): is nan .*only y = 0\."),
        ({"sample_weight": sparse_weights(60)}, {"patience": (1, 2)}, r"sample_weight=.*weigh 0"),
    ],
    ids=["a fold of one class", "folds of one row", "rows to watch that weigh nothing"],
)
def test_what_no_trial_could_be_scored_by_is_refused_before_any(data, given, space, message):
    X, y = data
    objective = KerasCV(mlp, X, **{"y": np.sort(y), "cv": 3, "epochs": 2, **given})
    with pytest.raises(InvalidObjectiveError, match=message):
        objective.validate(Space({"n_neurons": (2, 3), **space}))


def test_a_scorer_is_tried_on_rows_with_each_label(data, monkeypatch):
    X, _ = data
    monkeypatch.setattr(keras_fold, "SCORED_ROWS", 5)
    seen = []

    def scorer(estimator, X, y):
        seen.append(set(y))
        return estimator.score(X, y)

    rare = np.where(np.arange(60) % 30 == 28, "yes", "no")
    halves = [(np.arange(30), np.arange(30, 60)), (np.arange(30, 60), np.arange(30))]
    KerasCV(mlp, X, rare, cv=halves, scoring=scorer).validate(Space({"n_neurons": (2, 3)}))
    assert seen == [{"yes", "no"}]


def test_the_next_outer_fold_scores_as_if_there_were_no_other(data):
    """Programs that are traced for one outer fold serve the next, and change nothing."""
    X, y = data
    splitter = KFold(2, shuffle=True, random_state=1)
    options = {"cv": 2, "epochs": 2, "preprocess": "standardize", "scoring": "neg_log_loss"}
    outer = outer_folds(KerasCV(mlp, X, y, **options), splitter)
    first, second = (inner.evaluate(SMALL, seed=3) for inner, _ in outer)
    _, (train, _) = splitter.split(X)
    alone = KerasCV(mlp, X[train], y[train], **options).evaluate(SMALL, seed=3)
    assert [fold.score for fold in second.folds] == [fold.score for fold in alone.folds]
    assert first.score != second.score
