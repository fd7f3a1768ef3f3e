"""Greedy selection, its gain on folds that it did not see, and one model made of its members."""

import dataclasses
import itertools

import keras
import numpy as np
import pytest
from scipy import stats
from scipy.special import expit
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import KFold, RepeatedKFold
from sklearn.random_projection import GaussianRandomProjection

import gpsearch as gs
from gpsearch.analysis import select_ensemble
from gpsearch.analysis.ensemble_selection import EnsembleSelection, fit_ensemble, greedy
from gpsearch.data.preprocessing import Preprocessor
from gpsearch.data.target import read_target
from gpsearch.errors import InvalidSearchError, StudyError
from gpsearch.estimators.ensemble import average
from gpsearch.evaluation import Predictions, parts_of
from gpsearch.objective.held_out import HeldOutRows
from gpsearch.objective.scoring import Scoring
from gpsearch.training.fitted import as_fitted

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.usefixtures("_without_witness"),
]

N = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 2))
TARGETS = {
    "binary": np.where(X[:, 0] > 0, "yes", "no"),
    "multiclass": np.digitize(X[:, 0], [-0.5, 0.5]),
    "multilabel": (X > 0).astype(int),
    "regression": X.sum(axis=1),
    "columns": np.c_[X, -X],
}
SPACE = {"n_neurons": (4, 40)}


def create(n_neurons, n_outputs, target_kind):
    """One network or another, of logits or probabilities, by its width."""
    width, loss, end = n_outputs, "mse", None
    if target_kind == "binary":
        width = 1 + n_neurons % 2  # one sigmoid, or two units
        loss = keras.losses.BinaryCrossentropy(from_logits=True) if width == 1 else None
    if target_kind == "multilabel":
        loss, end = "binary_crossentropy", "sigmoid"
    if target_kind == "multiclass" or loss is None:
        loss, end = "sparse_categorical_crossentropy", "softmax"
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(width, activation=end)])
    model.compile("adam", loss)
    return model


def truth(kind):
    """What a perfect model predicts, as `Predictions` has it."""
    y = TARGETS[kind]
    if kind == "multiclass":
        return np.eye(3)[y]
    return (y == "yes")[:, None] * 1.0 if kind == "binary" else y.reshape(N, -1) * 1.0


def recorded(kind, noises, *, cv=3, scoring=None, shapes=None):
    """A study whose trial k predicts the truth, with noise of its own, as `noises` says."""
    objective = gs.KerasCV(create, X, TARGETS[kind], cv=cv, epochs=1, scoring=scoring)
    study = gs.Study.create(None, space=SPACE, seed=0, objective=objective)
    rng = np.random.default_rng(1)
    with study.writing() as writer:
        writer.prediction_bytes = 1e8
        for k, noise in enumerate(noises):
            outputs = truth(kind) + noise * rng.normal(size=truth(kind).shape)
            if kind not in ("regression", "columns"):
                outputs = expit(5 * (outputs - 0.5))
            if kind == "multiclass":
                outputs /= outputs.sum(axis=1, keepdims=True)
            if shapes is not None:
                outputs = outputs[:, : shapes[k]]
            number = writer.start_trial({"n_neurons": 4 + k}, seed=k)
            for fold in objective.folds:
                held_out = Predictions(rows=fold.test, n_rows=N, outputs=outputs[fold.test])
                result = gs.FoldResult(fold=fold.index, score=-noise, predictions=held_out)
                writer.record_fold(number, result)
            writer.end_trial(number, "complete")
    return study


def test_greedy_takes_the_best_single_one_first_and_never_a_worse_ensemble():
    values = np.random.default_rng(3).normal(size=(4, 6))  # folds x candidates

    def score(fold, members):
        return -abs(np.mean([values[fold, member] for member in members]) - 0.2)

    def total(members):
        return np.mean([score(fold, members) for fold in range(4)])

    found = greedy(score, range(4), 6, 5)
    assert found[0] == max(range(6), key=lambda k: total([k]))
    prefixes = [total(found[:size]) for size in range(1, len(found) + 1)]
    assert prefixes[-1] == max(prefixes)
    second = [total([found[0], k]) for k in range(6)]
    assert len(found) == 1 or found[1] == int(np.argmax(second))
    assert greedy(score, range(4), 6, 1) == found[:1]


@pytest.mark.parametrize("kind", list(TARGETS))
def test_equally_noisy_trials_are_averaged_and_gain(kind):
    scoring = None if kind in ("regression", "columns") else "neg_log_loss"
    scoring = "roc_auc" if kind == "multilabel" else scoring
    study = recorded(kind, [1.0, 1.01, 1.02, 1.03], cv=4, scoring=scoring)
    selection = select_ensemble(study, n_members=3)
    assert len(selection.chosen) > 1
    assert selection.gain > 0
    low, high = selection.interval
    assert low < selection.gain < high
    assert selection.members == (selection.chosen if low > 0 else {0: 1})


def test_the_gain_is_that_of_folds_which_the_selection_did_not_see():
    study = recorded("regression", [0.5, 0.5, 0.5], cv=3)
    objective, y = study.objective, TARGETS["regression"]
    predictions = [study.fold_predictions(number) for number in range(3)]

    def r2(fold, members):
        outputs = np.mean([predictions[k][fold].outputs for k in members], axis=0)[:, 0]
        rows = objective.folds[fold].test
        return 1 - np.sum((y[rows] - outputs) ** 2) / np.sum((y[rows] - y[rows].mean()) ** 2)

    expected = []
    for left in range(3):
        others = [fold for fold in range(3) if fold != left]
        chosen = greedy(r2, others, 3, 10)
        single = max(range(3), key=lambda k: np.mean([r2(fold, [k]) for fold in others]))
        expected.append(r2(left, chosen) - r2(left, [single]))
    assert np.allclose(select_ensemble(study).gains, expected, atol=1e-6)


def test_where_one_is_far_better_it_stays_alone_and_says_so():
    selection = select_ensemble(recorded("regression", [0.01, 5.0, 5.0]))
    assert selection.members == {0: 1}
    assert "but trial 0 alone" in str(selection)


def test_the_gains_of_folds_are_not_taken_for_independent_ones():
    cv = RepeatedKFold(n_splits=3, n_repeats=2, random_state=0)
    selection = select_ensemble(recorded("regression", [0.5, 0.5], cv=cv))
    assert selection.overlap == pytest.approx(1 / 2)
    low, high = selection.interval
    deviation = np.std(selection.gains, ddof=1)
    half = deviation * np.sqrt(1 / 6 + 1 / 2) * stats.t.ppf(0.975, 5)
    assert (high - low) / 2 == pytest.approx(half)
    assert select_ensemble(recorded("regression", [0.5, 0.5], cv=4)).overlap == pytest.approx(1 / 3)


def test_equal_gains_on_few_folds_and_a_model_averaged_with_itself_prove_nothing():
    found = {"single": 0, "score_name": "r2", "members": {0: 1}}
    assert not EnsembleSelection(chosen={0: 1, 1: 1}, gains=(0.1, 0.1), **found).is_better
    assert EnsembleSelection(chosen={0: 1, 1: 1}, gains=(0.1, 0.1001), **found).is_better
    assert not EnsembleSelection(chosen={0: 3}, gains=(1e-9, 1.1e-9), **found).is_better
    assert greedy(lambda fold, members: 0.5 + 1e-9 * len(members), [0], 1, 3) == [0]


def test_other_splits_than_those_of_the_study_are_refused():
    study = recorded("regression", [0.5, 0.5], cv=3)
    other = gs.KerasCV(create, X, TARGETS["regression"], cv=KFold(3), epochs=1)
    with pytest.raises(StudyError, match="are of other splits than"):
        select_ensemble(study, other)


def test_a_preprocessing_that_differs_from_fit_to_fit_is_refused():
    study = recorded("regression", [0.5, 0.5], cv=3)
    y = TARGETS["regression"]
    random = gs.KerasCV(
        create, X, y, cv=3, epochs=1, preprocess=GaussianRandomProjection(2), batch_size=N
    )
    both = EnsembleSelection(
        members={0: 1, 1: 1}, chosen={0: 1, 1: 1}, single=0, gains=(), score_name="r2"
    )
    with pytest.raises(StudyError, match="a random_state"):
        fit_ensemble(study, random, both)


def test_rows_that_two_folds_share_do_not_choose_what_they_judge():
    # Trial 1 knows the rows of each fold by heart in the *other* fold that holds them too.
    rows = np.arange(N)
    splits = [(rows[30:], rows[:30]), (rows[30:], rows[:30]), (rows[:30], rows[30:])]
    selection = select_ensemble(recorded("regression", [0.5, 0.5], cv=splits))
    assert len(selection.gains) == 3
    two = select_ensemble(recorded("regression", [0.5, 0.5], cv=splits[:2]))
    assert two.gains == ()  # each has seen all rows of the other
    assert "takes two folds" in str(two)


def test_a_metric_that_needs_the_model_falls_back():
    def of_model(estimator, X, y):
        return float(estimator.model.count_params() > 0)

    for kind, name in (("columns", "neg_mean_squared_error"), ("multilabel", "neg_log_loss")):
        selection = select_ensemble(recorded(kind, [1.0, 1.0, 1.0], scoring=of_model))
        assert selection.score_name.startswith(f"{name}, as of_model cannot be computed")
        assert selection.gain > 0


def network(kind, n_neurons, preprocess=None):
    """An untrained member."""
    target = read_target(TARGETS[kind])
    model = create(n_neurons, target.n_outputs, target.kind)
    model.optimizer.build(model.trainable_variables)  # as one that was trained
    return as_fitted(model, Preprocessor(preprocess, X), target)


@pytest.mark.parametrize("kind", list(TARGETS))
def test_the_ensemble_is_one_keras_model_that_averages_its_members(kind, tmp_path):
    members = [network(kind, n_neurons, "standardize") for n_neurons in (4, 5)]
    scorer = Scoring(None, (), members[0].target).score
    ensemble = average(members, [0.25, 0.75], X[:2], scorer=scorer, selection="of two")
    expected = 0.25 * members[0].estimates(X) + 0.75 * members[1].estimates(X)
    assert np.allclose(ensemble.estimates(X.tolist()), expected, atol=1e-6)
    y = TARGETS[kind]
    assert ensemble.predict(X).shape == y.shape
    if kind in ("regression", "columns"):
        assert ensemble.score(X, y) == pytest.approx(r2_score(y, ensemble.predict(X)))
    else:
        assert ensemble.score(X, y) == accuracy_score(y, ensemble.predict(X))
        proba = ensemble.predict_proba(X)
        assert np.allclose(proba[:, 1:] if kind == "binary" else proba, expected, atol=1e-6)
    if kind in ("binary", "columns"):  # logits beside two units, and no layer at all
        ensemble.save(tmp_path / "ensemble.keras")
        loaded = keras.models.load_model(tmp_path / "ensemble.keras")
        assert np.allclose(loaded(X), expected, atol=1e-6)


@pytest.mark.parametrize("weights", [[1, 3], [0.25, 0.75], [1e-9, 3e-9], [2, 6]])
def test_weights_count_in_proportion(weights):
    """Of members that are alike the average is what each of them says, whatever the weights."""
    members = [network("regression", n_neurons) for n_neurons in (4, 5)]
    scorer = Scoring(None, (), members[0].target).score
    ensemble = average(members, weights, X[:2], scorer=scorer, selection="")
    expected = 0.25 * members[0].estimates(X) + 0.75 * members[1].estimates(X)
    assert np.allclose(ensemble.estimates(X), expected, atol=1e-6)
    alike = average(members[:1] * 2, weights, X[:2], scorer=scorer, selection="")
    assert np.allclose(alike.estimates(X), members[0].estimates(X), atol=1e-6)


def test_members_of_several_inputs_and_outputs_and_a_class_of_ones_own():
    def create_two():
        inputs = {name: keras.Input((2,), name=name) for name in ("a", "b")}
        both = keras.layers.Concatenate()(list(inputs.values()))
        model = keras.Model(inputs, {name: keras.layers.Dense(1)(both) for name in "cd"})
        model.compile("adam", "mse")
        return model

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x["a"]) - self.dense(x["b"])

    parts = {"a": X, "b": X + 1}
    for create_one, y in ((create_two, {"c": X[:, 0], "d": X[:, 1]}), (Own, X[:, 0])):
        target = read_target(y)
        members = [as_fitted(create_one(), Preprocessor(None, parts), target) for _ in range(2)]
        one, two = (parts_of(member.outputs(parts)) for member in members)
        scorer = lambda view, X, y: sum(map(np.sum, parts_of(y)))  # noqa: E731
        ensemble = average(members, [0.5, 0.5], parts, scorer=scorer, selection="")
        assert ensemble.score(parts, y) == pytest.approx(scorer(None, parts, y))
        for found, *both in zip(parts_of(ensemble.outputs(parts)), one, two, strict=True):
            assert np.allclose(found, np.mean(both, axis=0), atol=1e-6)


def test_without_a_gain_it_is_the_best_model():
    study = recorded("binary", [0.01, 5.0], scoring="neg_log_loss")
    ensemble = study.best_ensemble()
    assert np.array_equal(ensemble.outputs(X), study.best_model().outputs(X))
    assert str(ensemble) == str(select_ensemble(study))


def test_models_with_outputs_of_another_shape_are_left_out():
    study = recorded("columns", [0.5, 0.5, 0.5], shapes=[4, 3, 4])
    text = str(select_ensemble(study))
    assert "trials 1 have outputs of another shape than those of trial 0" in text


def test_what_cannot_be_averaged_is_said():
    study = recorded("regression", [0.5, 0.5])
    with pytest.raises(InvalidSearchError, match="n_members"):
        study.best_ensemble(n_members=0)
    with pytest.raises(StudyError, match="of 60 rows, and X of the objective has 40"):
        study.best_ensemble(gs.KerasCV(create, X[:40], TARGETS["regression"][:40]))
    without = gs.search(
        lambda params: 1.0, SPACE, n_calls=1, strategy="random", random_state=0, progress=False
    )
    with pytest.raises(StudyError, match=r"objective=.*the KerasCV that was searched"):
        select_ensemble(without)
    with pytest.raises(StudyError, match=r"no complete trial can be a member.*no model"):
        select_ensemble(without, study.objective)


def test_trials_without_predictions_are_counted():
    study = recorded("regression", [0.5, 0.6])
    with study.writing() as writer:
        folds = [gs.FoldResult(fold=j, score=9.0) for j in range(3)]
        writer.add_trial({"n_neurons": 30}, folds)
    selection = select_ensemble(study)
    assert selection.single == 2
    assert "Without predictions, of the best trials: 1 (" in str(selection)
    assert list(itertools.chain(selection.chosen)) != [2]


def test_a_scorer_of_the_raw_outputs_is_not_given_probabilities():
    seen = []

    def margin(estimator, X, y):
        seen.append(estimator.outputs(X))
        return float(seen[-1].mean())

    selection = select_ensemble(recorded("binary", [0.5, 0.6], scoring=margin))
    assert seen == []
    assert "margin cannot be computed from predictions" in selection.score_name
    assert "neg_log_loss" in selection.score_name
    recorded_outputs = recorded("regression", [0.5, 0.6], scoring=margin)
    assert "margin" in select_ensemble(recorded_outputs).score_name
    assert seen  # those of a quantity are what is kept


def test_margins_between_0_and_1_are_not_taken_for_probabilities(monkeypatch):
    study = recorded("binary", [0.01, 0.01])  # as probabilities, these have an accuracy of 1
    monkeypatch.setattr(gs.Study, "score_name", "accuracy")
    with pytest.raises(StudyError, match=r"do not give the scores .* no probabilities"):
        select_ensemble(study)
    first, second = study.trials
    first = dataclasses.replace(
        first, folds=tuple(dataclasses.replace(fold, score=1.0) for fold in first.folds)
    )
    monkeypatch.setattr(gs.Study, "complete", [first, second])
    assert "The predictions of trials 1 do not give their scores" in str(select_ensemble(study))
    objective, outputs = study.objective, truth("binary") + 0.1
    monkeypatch.setattr(objective, "target", dataclasses.replace(objective.target, link="margins"))
    rows = HeldOutRows(objective, np.arange(N), probabilities=True)  # of the range of probabilities
    assert rows.score(outputs) == np.mean(TARGETS["binary"] == "yes")  # all are above 0


def test_sentences_of_one_trial_and_of_another_metric():
    found = {"single": 2, "members": {2: 1}, "gains": (-0.01, -0.02)}
    text = str(EnsembleSelection(chosen={2: 1}, score_name="r2", **found))
    assert text == (
        "Ensemble of trial 2: no average of trials scores better. "
        "It is not used, but trial 2 alone."
    )
    name = "neg_log_loss, as own cannot be computed from predictions"
    text = str(EnsembleSelection(chosen={2: 1, 1: 1}, score_name=name, **found))
    assert f"over the best single model, in {name}. It is not used" in text


def test_classifiers_without_probabilities_have_no_ensemble(monkeypatch):
    study = recorded("binary", [0.5, 0.6])
    kept = study.fold_predictions(0)
    with study.writing() as writer:
        writer.prediction_bytes = 1e8
        number = writer.start_trial({"n_neurons": 30}, seed=9)
        for j, of in kept.items():
            held_out = Predictions(rows=of.rows, n_rows=N, outputs=6 * of.outputs - 3)
            writer.record_fold(number, gs.FoldResult(fold=j, score=9.0, predictions=held_out))
        writer.end_trial(number, "complete")
    with pytest.raises(StudyError, match=r"no probabilities, which an ensemble .* sigmoid"):
        select_ensemble(study)
    target = dataclasses.replace(study.objective.target, link="margins")
    monkeypatch.setattr(study.objective, "target", target)
    assert select_ensemble(study).score_name == "accuracy"


def test_outputs_in_a_tuple_are_kept_as_several():
    view = as_fitted(None, Preprocessor(None, X), read_target({"a": X[:, 0], "b": X[:, 1]}))
    view.remember(X, (X[:, 0], X))
    first, second = view.estimates(X)
    assert first.shape == (N, 1)
    assert second.shape == (N, 2)
