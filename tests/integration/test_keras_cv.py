"""A small network cross-validated end to end."""

import pickle
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler

from gpsearch.errors import InvalidObjectiveError, StudyError, TrialFailedError
from gpsearch.execution import search
from gpsearch.objective import KerasCV
from gpsearch.space import Space
from gpsearch.training import mlp
from gpsearch.training.backend import import_keras

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


def test_batch_larger_than_a_training_part_is_refused(data):
    X, y = data
    with pytest.raises(InvalidObjectiveError, match=r"batch_size=64\): .* 30 rows"):
        KerasCV(mlp, X, y, cv=2, batch_size=64)


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
    with pytest.raises(StudyError, match=r'must end in "\.keras"'):
        study.save_model(tmp_path / "best.h5")


def test_a_transformer_keras_cannot_hold_is_not_saved(data, tmp_path):
    X, y = data
    fitted = KerasCV(mlp, X, y, cv=2, preprocess=MinMaxScaler()).refit(SMALL, epochs=1)
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


def test_callbacks_of_ones_own_run_on_the_loop(data):
    keras = import_keras()
    X, y = data
    seen = []

    def callbacks():
        return [keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))]

    fold = KerasCV(mlp, X, y, cv=2, epochs=2, callbacks=callbacks)(SMALL).folds[0]
    assert (fold.trainer, fold.note[:15]) == ("loop", "Keras callbacks")
    assert seen == [0, 1, 0, 1]


def test_importing_gpsearch_imports_no_keras():
    code = (
        "import sys, gpsearch, gpsearch.objective\n"
        "print({'keras', 'tensorflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert done.stdout == b"set()\n"


def test_the_terminal_stays_silent():
    code = "from gpsearch.training.backend import import_keras; import_keras()"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert (done.stdout, done.stderr) == (b"", b"")
