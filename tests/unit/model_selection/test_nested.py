"""Nested cross-validation, over scikit-learn estimators."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import gpsearch as gs
from gpsearch.analysis.ensemble_selection import EnsembleSelection
from gpsearch.errors import GPSearchError, InvalidObjectiveError, StudyMismatchError
from gpsearch.model_selection import nested as nested_module
from gpsearch.objective import estimator_cv

INNER = StratifiedKFold(3, shuffle=True, random_state=1)
OUTER = StratifiedKFold(2, shuffle=True, random_state=2)
SPACE = {"max_depth": gs.Integer(1, 8), "min_samples_leaf": gs.Integer(1, 20)}


@pytest.fixture(scope="module")
def data():
    return make_classification(90, 6, n_informative=3, flip_y=0.1, random_state=0)


def objective(data, **options):
    # without a random_state: what it draws must follow from the seed of the search
    return gs.EstimatorCV(DecisionTreeClassifier(max_features=2), *data, cv=INNER, **options)


def nested(data, **options):
    options = {"cv": OUTER, "n_calls": 4, "random_state": 0, "progress": False} | options
    return gs.nested_cv(objective(data), SPACE, **options)


@pytest.fixture(scope="module")
def whole(data):
    return nested(data)


def test_each_score_is_that_of_a_search_that_never_saw_the_rows(data, whole):
    X, y = data
    for fold, (train, test) in enumerate(OUTER.split(X, y)):
        alone = objective((X[train], y[train]))
        study = gs.search(
            alone, SPACE, n_calls=4, random_state=whole.studies[fold].seed, progress=False
        )
        assert study.best_params == whole.params[fold]
        assert study.best_score == whole.searched[fold]
        assert study.confirmation.expected == whole.expected[fold]
        assert study.best_model().score(X[test], y[test]) == whole.scores[fold]
        recorded = whole.studies[fold].info
        assert recorded.objective_fingerprint == alone.fingerprint()
        assert recorded.description["name"] == f"outer fold {fold + 1} of 2, DecisionTreeClassifier"
    assert len({study.seed for study in whole.studies}) == 2


def test_killed_in_the_middle_of_a_fold_it_ends_as_the_uninterrupted_one(
    data, whole, tmp_path, monkeypatch
):
    calls, train = [], estimator_cv.fit_and_score

    def mortal(*args, **options):
        calls.append(args)
        if len(calls) == 20:  # an outer fold fits 12, and some on fresh splits
            raise KeyboardInterrupt
        return train(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(estimator_cv, "fit_and_score", mortal)
        with pytest.raises(KeyboardInterrupt):
            nested(data, study=tmp_path / "nested")
    names = [path.name for path in sorted((tmp_path / "nested").glob("*.db"))]
    assert names == ["outer_fold_1.db", "outer_fold_2.db"]
    resumed = nested(data, study=tmp_path / "nested")
    assert resumed.to_frame().equals(whole.to_frame())
    for one, other in zip(resumed.studies, whole.studies, strict=True):
        assert [t.params for t in one.trials] == [t.params for t in other.trials]
        assert [t.score for t in one.trials] == [t.score for t in other.trials]
    with pytest.raises(StudyMismatchError, match=r"outer_fold_1\.db.*changed: X"):
        nested(data, cv=4, study=tmp_path / "nested")


def test_it_tells_score_optimism_and_what_differs():
    made = gs.NestedCV(
        name="mlp",
        score_name="accuracy",
        scores=np.array([0.8, 0.9, 0.7]),
        expected=np.array([0.85, 0.95, np.nan]),
        searched=np.array([0.9, 0.9, 0.9]),
        params=({"a": 1, "b": "x"}, {"a": 1, "b": "y", "c": 0.12345}, {"a": 1, "b": "x"}),
        studies=(),
    )
    assert made.score == pytest.approx(0.8)
    assert made.standard_error == pytest.approx(0.1 / 3**0.5)
    assert made.differing == ["b", "c"]
    assert str(made).splitlines() == [
        "Nested cross-validation of mlp: 3 outer folds",
        "  accuracy on rows set aside: 0.800 ± 0.058",
        "  optimism of the expected scores: 0.05",
        "  optimism of the scores in the search: 0.100 ± 0.058",
        "  chosen alike: a=1",
        "fold  accuracy  expected  in the search  b      c",
        "   1       0.8      0.85            0.9  x",
        "   2       0.9      0.95            0.9  y  0.123",
        "   3       0.7                      0.9  x",
    ]
    frame = made.to_frame()
    assert list(frame) == ["fold", "score", "expected", "searched", "param_a", "param_b", "param_c"]
    assert list(frame.fold) == [1, 2, 3]


class Ensemble(float):
    """Of two members, which gains 0.125 by estimate."""

    selection = EnsembleSelection(
        members={0: 1, 1: 1},
        chosen={0: 1, 1: 1},
        single=0,
        gains=(0.0, 0.25),
        score_name="score",
    )


@pytest.mark.parametrize(("refit", "score", "gain"), [(True, 0.25, 0), ("ensemble", 0.75, 0.125)])
def test_the_model_that_refit_names_is_scored_and_expected(data, monkeypatch, refit, score, gain):
    two_folds = lambda params: [params["x"], params["x"] + 0.5]  # noqa: E731
    study = gs.search(two_folds, {"x": (0.0, 1.0)}, n_calls=4, progress=False)
    monkeypatch.setattr(study, "best_model", lambda: 0.25, raising=False)
    monkeypatch.setattr(nested_module, "search", lambda *_, **options: study)
    monkeypatch.setattr(nested_module, "best_ensemble", lambda study: Ensemble(0.75))
    networks = gs.KerasCV(lambda: None, *data, cv=2, scoring=lambda model, X, y: model)
    result = gs.nested_cv(networks, SPACE, cv=2, refit=refit, progress=False)
    assert result.scores.tolist() == [score] * 2
    expected = study.confirmation.expected
    assert result.expected.tolist() == [expected + gain] * 2
    monkeypatch.setattr(gs.KerasCV, "score_bounds", (0.0, expected))
    bounded = gs.nested_cv(networks, SPACE, cv=2, refit=refit, progress=False)
    assert bounded.expected.tolist() == [expected] * 2


def test_groups_stay_on_one_side_of_both_splits(data):
    groups = np.arange(90) // 5
    grouped = gs.EstimatorCV(
        DecisionTreeClassifier(random_state=0), *data, cv=GroupKFold(2), groups=groups
    )
    result = gs.nested_cv(
        grouped, SPACE, cv=GroupKFold(3), n_calls=1, confirm=False, random_state=0, progress=False
    )
    for (train, _), study in zip(GroupKFold(3).split(*data, groups), result.studies, strict=True):
        inner = gs.EstimatorCV(
            grouped.estimator,
            data[0][train],
            data[1][train],
            cv=GroupKFold(2),
            groups=groups[train],
        )
        assert study.info.objective_fingerprint == inner.fingerprint()


def test_progress_tells_the_outer_fold(data, caplog):
    with caplog.at_level("INFO", "gpsearch.trials"):
        nested(data, n_calls=1, cv=KFold(2), confirm=False, progress=True)
    told = [line[:24] for line in caplog.messages if line.startswith("outer")]
    assert told == [
        "outer fold 1 of 2, Decis",
        "outer fold 1 of 2: score",
        "outer fold 2 of 2, Decis",
        "outer fold 2 of 2: score",
    ]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param({"refit": False}, "(refit=False): must be True or", id="no model"),
        pytest.param({"refit": "ensemble"}, "needs a KerasCV", id="ensemble of trees"),
        pytest.param({"y0": 0.5, "x0": {}}, "nested_cv(y0=0.5): may hold", id="known scores"),
        pytest.param({"warm_start": "a.db"}, "warm_start='a.db'): may hold", id="earlier study"),
        pytest.param({"cv": 100}, "nested_cv(cv=", id="more folds than rows"),
        pytest.param({"study": __file__}, "cannot be a folder", id="a file"),
    ],
)
def test_what_it_cannot_do_is_refused(data, wrong, says):
    with pytest.raises(GPSearchError, match="nested_cv") as error:
        nested(data, **wrong)
    assert says in str(error.value)


@pytest.mark.parametrize("kind", ["trees", "networks", "quantities"])
def test_rows_that_cannot_be_scored_are_refused_before_any_training(data, monkeypatch, kind):
    X, y = data
    monkeypatch.setattr(nested_module, "search", pytest.fail)
    alike = np.flatnonzero(y == 0)[:9]
    cv = [(np.setdiff1d(np.arange(90), alike), alike)]
    if kind == "trees":
        searched = objective(data, scoring={"acc": "accuracy", "auc": "roc_auc"}, metric="auc")
    elif kind == "networks":
        searched = gs.KerasCV(lambda: None, *data, cv=2, scoring="roc_auc")
    else:
        searched, cv = gs.EstimatorCV(DecisionTreeRegressor(), X, X[:, 0], cv=2), LeaveOneOut()
    with pytest.raises(InvalidObjectiveError, match=r"outer fold 1 of .* cannot be scored.*Give"):
        gs.nested_cv(searched, SPACE, cv=cv)


def failing_on(n, error):
    def score(estimator, X, y):
        if len(y) != n:
            return 0.5
        if error:
            raise ValueError(error)
        return np.nan

    return score


@pytest.mark.filterwarnings("ignore:Scoring failed")
@pytest.mark.parametrize("error", ["", "too few"])
@pytest.mark.parametrize("several", [False, True])
def test_a_model_without_a_score_is_told_and_the_others_stay(data, error, several):
    cv = [(np.arange(60), np.arange(60, 90)), (np.arange(30, 90), np.arange(29))]
    score = failing_on(29, error)
    scoring = {"scoring": {"a": score, "b": "accuracy"}, "metric": "a"} if several else {}
    searched = objective(data, **(scoring or {"scoring": score}))
    options = {"n_calls": 1, "confirm": False, "random_state": 0, "progress": False}
    with pytest.warns(UserWarning, match=r"outer fold 2 of 2 has no score.*give fewer"):
        result = gs.nested_cv(searched, SPACE, cv=cv, **options)
    assert result.scores[0] == 0.5
    assert np.isnan(result.scores[1])
    assert "not known, for outer fold 2 has no score" in str(result)


@pytest.mark.parametrize("n_calls", [1, 5])
def test_a_search_without_a_complete_trial_names_its_outer_fold(data, n_calls):
    cv = [(np.arange(60), np.arange(60, 90)), (np.arange(45), np.arange(45, 90))]
    searched = objective(data, scoring=failing_on(15, "too few"))  # in the folds of the second
    with pytest.raises(GPSearchError, match=r"outer fold 2 of 2: (?s:.*)too few"):
        gs.nested_cv(searched, SPACE, cv=cv, n_calls=n_calls, random_state=0, progress=False)


def test_objectives_without_rows_are_refused(data):
    with pytest.raises(InvalidObjectiveError, match="must be a KerasCV or an EstimatorCV"):
        gs.nested_cv(lambda params: 1.0, SPACE)
    splits = gs.EstimatorCV(DecisionTreeClassifier(), *data, cv=[(range(60), range(60, 90))])
    with pytest.raises(InvalidObjectiveError, match="its cv holds row numbers"):
        gs.nested_cv(splits, SPACE)


def searching(study, **options):
    return gs.GPSearchCV(
        DecisionTreeClassifier(random_state=0),
        SPACE,
        n_iter=2,
        cv=INNER,
        confirm=False,
        random_state=0,
        study=study,
        **options,
    )


def test_a_folder_keeps_the_search_of_each_outer_fold(data, tmp_path, monkeypatch):
    folder = f"{tmp_path / 'studies'}/"
    scores = cross_val_score(searching(folder), *data, cv=3)
    assert np.array_equal(scores, cross_val_score(searching(None), *data, cv=3))
    paths = list((tmp_path / "studies").glob("*.db"))
    assert not any(":" in path.name for path in paths)  # which Windows does not allow
    kept = [gs.Study.open(path) for path in paths]
    assert [len(study.complete) for study in kept] == [2, 2, 2]

    def never(*args, **options):
        raise AssertionError("a finished search is not evaluated again")

    monkeypatch.setattr(estimator_cv, "fit_and_score", never)
    again = cross_val_score(searching(tmp_path / "studies"), *data, cv=3, error_score="raise")
    assert np.array_equal(again, scores)


def test_trials_without_train_scores_are_told(data, tmp_path):
    searching(tmp_path / "a.db").fit(*data)
    with pytest.warns(UserWarning, match=r"2 of the 2 trials .* without .*Give a new study"):
        again = searching(tmp_path / "a.db", return_train_score=True).fit(*data)
    assert np.isnan(again.cv_results_["mean_train_score"]).all()


@pytest.mark.parametrize("path", ["", "~nobody-here/studies/"])
def test_what_is_no_path_is_refused_as_before(data, path):
    with pytest.raises(GPSearchError, match="path"):
        searching(path).fit(*data)


def test_one_file_for_several_data_names_the_folder(data, tmp_path):
    with pytest.warns(FitFailedWarning, match="changed: X, y, folds.*give a folder"):
        scores = cross_val_score(searching(tmp_path / "one.db"), *data, cv=3)
    assert np.isfinite(scores).tolist() == [True, False, False]
