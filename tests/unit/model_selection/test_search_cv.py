"""GPSearchCV over scikit-learn estimators."""

import logging
import os
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, expon, loguniform, norm, reciprocal, uniform
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, get_scorer
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import gpsearch as gs
from gpsearch import GPSearchCV
from gpsearch.errors import (
    InvalidObjectiveError,
    InvalidParamsError,
    InvalidSearchError,
    InvalidSpaceError,
)
from gpsearch.evaluation import FoldResult
from gpsearch.model_selection.distributions import read_distributions
from gpsearch.model_selection.results import cv_results
from gpsearch.study import Trial

C = {"C": loguniform(1e-3, 1e3)}


@pytest.fixture(scope="module")
def data():
    return make_classification(90, 5, n_informative=3, class_sep=0.8, random_state=0)


def search(estimator=None, space=None, **options):
    options = {"n_iter": 4, "cv": 3, "random_state": 0, **options}
    return GPSearchCV(estimator or LogisticRegression(), space or C, **options)


class Offline(DecisionTreeClassifier):
    """Cannot be fitted while the machine lacks something."""

    def fit(self, X, y, check_input=True):
        if not os.environ.get("ONLINE"):
            raise ConnectionError("no licence")
        return super().fit(X, y)


def test_a_study_whose_fits_all_failed_is_tried_again(data, tmp_path, monkeypatch):
    space = {"max_depth": gs.Integer(1, 5)}
    options = {"error_score": 0.0, "study": tmp_path / "s.db"}
    with pytest.raises(InvalidObjectiveError, match="All the 12 fits failed"):
        search(Offline(), space, **options).fit(*data)
    monkeypatch.setenv("ONLINE", "yes")
    found = search(Offline(), space, **options).fit(*data)
    assert found.best_score_ > 0.5
    assert len(found.study_.trials) == 4
    again = search(Offline(), space, **options).fit(*data)
    assert again.study_.trials == found.study_.trials


def test_what_stood_in_for_failed_fits_does_not_count_once_they_are_tried_again(
    data, tmp_path, monkeypatch
):
    def run(path):
        splitter = StratifiedKFold(5, shuffle=True, random_state=0)
        objective = gs.EstimatorCV(Offline(random_state=0), *data, cv=splitter, error_score=0.0)
        options = {"random_state": 0, "strategy": "random", "confirm": 0.9, "progress": False}
        return gs.search(objective, {"ccp_alpha": (0.0, 0.3)}, n_calls=12, study=path, **options)

    run(tmp_path / "s.db")
    monkeypatch.setenv("ONLINE", "yes")
    mended, never_failed = run(tmp_path / "s.db"), run(None)
    for trial, other in zip(mended.trials, never_failed.trials, strict=True):
        assert trial.state == other.state
        assert [f.score for f in trial.folds] == [f.score for f in other.folds]
    assert "stopped" in {trial.state for trial in mended.trials}
    assert mended.confirmation == never_failed.confirmation


def test_scores_are_those_of_cross_validation(data):
    """What is recorded for the best params is what scikit-learn measures for them."""
    found = search(SVC(), {"C": loguniform(1e-1, 1e2)}, return_train_score=True).fit(*data)
    best = SVC(**found.best_params_)
    measured = cross_validate(best, *data, cv=3, return_train_score=True)
    row = found.best_index_
    for split in range(3):
        results = found.cv_results_
        assert results[f"split{split}_test_score"][row] == measured["test_score"][split]
        assert results[f"split{split}_train_score"][row] == measured["train_score"][split]
    assert found.best_score_ == pytest.approx(measured["test_score"].mean())
    assert found.cv_results_["std_test_score"][row] == pytest.approx(measured["test_score"].std())


def test_each_candidate_has_all_its_folds(data):
    """A search races; `cv_results_` have a score for each split, unless told otherwise."""
    found = search(n_iter=12, confirm=False).fit(*data)
    assert {trial.state for trial in found.study_.trials} == {"complete"}


def test_what_was_raced_and_lost_has_the_last_rank(data):
    space = {"n_neighbors": list(range(1, 60))}
    scored = {"scoring": ["accuracy", "f1"], "refit": "f1", "return_train_score": True}
    two = search(KNeighborsClassifier(), space, n_iter=20, racing="paired", **scored).fit(*data)
    results, trials = two.cv_results_, two.study_.trials
    lost = np.array([trial.state == "stopped" for trial in trials])
    assert lost.any()
    for row in np.flatnonzero(lost):
        scores = [results[f"split{split}_test_f1"][row] for split in range(3)]
        assert np.isfinite(scores).sum() == len(trials[row].folds) < 3
    for metric in ("accuracy", "f1"):
        assert np.isnan(results[f"mean_test_{metric}"]).tolist() == lost.tolist()
        assert set(results[f"rank_test_{metric}"][lost]) == {(~lost).sum() + 1}
    assert not lost[two.best_index_]
    assert two.predict(data[0]).shape == data[1].shape
    with pytest.raises(InvalidSearchError, match=r"^GPSearchCV\(racing='pair'\)"):
        search(racing="pair").fit(*data)


def test_the_best_estimator_is_fitted_on_all_the_data(data):
    X, y = data
    found = search().fit(X, y)
    alone = LogisticRegression(**found.best_params_).fit(X, y)
    np.testing.assert_array_equal(found.predict_proba(X), alone.predict_proba(X))
    np.testing.assert_array_equal(found.decision_function(X), alone.decision_function(X))
    assert found.score(X, y) == alone.score(X, y)
    assert found.n_features_in_ == 5
    assert found.classes_.tolist() == [0, 1]
    assert found.refit_time_ > 0


def test_the_same_seed_gives_the_same_search(data):
    """Also where the estimator itself is random and unseeded."""
    tree = DecisionTreeClassifier(max_features=2)
    space = {"max_depth": gs.Integer(1, 6)}
    first, second = (search(tree, space).fit(*data).cv_results_ for _ in range(2))
    np.testing.assert_array_equal(first["mean_test_score"], second["mean_test_score"])
    assert first["params"] == second["params"]


def test_a_single_value_is_that_value_for_all_params(data):
    found = search(SVC(), {**C, "kernel": "linear", "degree": 2}).fit(*data)
    assert {p["kernel"] for p in found.cv_results_["params"]} == {"linear"}
    assert found.best_estimator_.degree == 2
    assert found.best_estimator_.kernel == "linear"


def test_values_are_plain_python(data):
    found = search(SVC(), {"C": [np.float64(1.0), np.float64(2.0)], "degree": np.arange(2, 5)})
    params = found.fit(*data).best_params_
    assert type(params["C"]) is float
    assert type(params["degree"]) is int


def test_numbers_are_searched_alike_in_any_order(data):
    drawn = reciprocal(1e-3, 1e3).rvs(1000, random_state=0).tolist()
    found = [search(space={"C": values}, n_iter=12).fit(*data) for values in (drawn, sorted(drawn))]
    assert found[0].cv_results_["params"] == found[1].cv_results_["params"]
    assert not found[0].study_.space.categorical.any()


def test_a_tuple_of_choices_is_a_list_of_them(data):
    found = search(SVC(), {"shrinking": (True, False), "C": (0.1, 1.0, 10.0)}, n_iter=6).fit(*data)
    assert set(found.cv_results_["param_shrinking"].tolist()) == {True, False}
    assert set(found.cv_results_["param_C"].tolist()) == {0.1, 1.0, 10.0}


def test_several_metrics(data):
    X, y = data
    found = search(scoring=["accuracy", "roc_auc"], refit="roc_auc").fit(X, y)
    assert found.multimetric_
    assert found.best_score_ == found.cv_results_["mean_test_roc_auc"].max()
    assert found.cv_results_["rank_test_accuracy"].min() == 1
    assert found.score(X, y) == get_scorer("roc_auc")(found.best_estimator_, X, y)
    assert found.study_.best_score == pytest.approx(found.best_score_)


def test_a_callable_may_return_several_metrics(data):
    def scoring(estimator, X, y):
        right = estimator.predict(X) == y
        return {"right": right.mean(), "wrong": -(~right).mean()}

    found = search(scoring=scoring, refit="wrong").fit(*data)
    np.testing.assert_allclose(
        found.cv_results_["mean_test_right"] - found.cv_results_["mean_test_wrong"], 1
    )
    assert found.study_.best_score == found.best_score_ <= 0


def several(estimator, X, y):
    return {"right": estimator.score(X, y), "rows": float(len(X))}


@pytest.mark.parametrize("refit", [True, "accuracy"])
def test_a_refit_that_names_none_of_a_callables_metrics_ends_the_search_at_once(data, refit):
    calls = []

    def scoring(*given):
        calls.append(1)
        return several(*given)

    with pytest.raises(ValueError, match="refit must be set to a scorer key"):
        search(scoring=scoring, refit=refit, n_iter=9).fit(*data)
    assert len(calls) <= 3


def test_a_callable_whose_first_fold_fails_has_all_its_metrics(data):
    X, y = data[0][:89], data[1][:89]

    def scoring(estimator, X, y):
        if len(X) == 30:
            raise ValueError("not this many")
        return several(estimator, X, y)

    with pytest.warns(FitFailedWarning):
        results = search(scoring=scoring, refit="right", error_score=0.25).fit(X, y).cv_results_
    assert (results["split0_test_rows"] == 0.25).all()
    assert (results["split2_test_rows"] == 29).all()


@pytest.mark.parametrize("scoring", [["accuracy", "f1"], several])
def test_the_score_where_a_callable_refits_is_that_of_the_first_metric(data, scoring):
    fitted = search(scoring=scoring, refit=lambda results: 0).fit(*data)
    assert fitted.score(*data) == accuracy_score(data[1], fitted.predict(data[0]))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_trial_without_a_score_is_the_last_however_low_the_others_are(data):
    """Losses of money are squares of large numbers: less one they are the same number."""
    scoring = lambda estimator, X, y: np.nan if estimator.C < 1 else -1e18  # noqa: E731
    fitted = search(space={"C": [0.1, 1.0, 10.0]}, scoring=scoring, n_iter=3).fit(*data)
    results = fitted.cv_results_
    ranks = dict(zip(results["param_C"], results["rank_test_score"], strict=True))
    assert ranks == {0.1: 3, 1.0: 1, 10.0: 1}
    assert fitted.best_score_ == -1e18
    assert fitted.best_params_ == fitted.study_.best_params


def test_means_that_differ_by_rounding_share_a_rank():
    folds = [(0.0, 0.0, 0.15), (0.05, 0.05, 0.05), (0.0, 0.0, 0.1)]
    trials = [
        Trial(
            number=i,
            state="complete",
            params={"C": i},
            folds=tuple(FoldResult(fold=j, score=score) for j, score in enumerate(scores)),
            seed=0,
            started=0.0,
        )
        for i, scores in enumerate(folds)
    ]
    assert trials[0].score != trials[1].score
    results = cv_results(
        trials,
        [trial.params for trial in trials],
        n_splits=3,
        metrics=["score"],
        metric="score",
        return_train_score=False,
    )
    assert results["rank_test_score"].tolist() == [1, 1, 3]


def test_refit_by_the_one_standard_error_rule(data, tmp_path):
    def simplest(results):
        """The smallest C whose mean is within one standard error of the best."""
        best = results["mean_test_score"].argmax()
        error = results["std_test_score"][best] / np.sqrt(3)
        good = results["mean_test_score"] >= results["mean_test_score"][best] - error
        return int(np.where(good, results["param_C"].astype(float), np.inf).argmin())

    chosen = {"n_iter": 8, "study": tmp_path / "s.db", "strategy": "random"}
    assert search(**chosen).fit(*data).study_.confirmation is not None
    found = search(refit=simplest, **chosen).fit(*data)
    assert found.best_index_ == simplest(found.cv_results_)
    assert found.best_params_["C"] == found.best_estimator_.C
    assert not hasattr(found, "best_score_")


@pytest.mark.parametrize("refit", [False, np.False_])
def test_without_refit(data, refit):
    found = search(refit=refit).fit(*data)
    assert not hasattr(found, "best_estimator_")
    assert found.best_params_
    assert not hasattr(found, "predict")
    with pytest.raises(AttributeError, match="only after refitting"):
        found.score(*data)


def test_groups_stay_together(data):
    X, y = data
    groups = np.arange(len(y)) % 6

    class Watcher(ClassifierMixin, BaseEstimator):
        def __init__(self, a=0):
            self.a = a

        def fit(self, X, y):
            self.classes_ = np.unique(y)
            self.seen_ = set(X[:, -1])
            return self

        def predict(self, X):
            assert not self.seen_ & set(X[:, -1])
            return np.full(len(X), self.classes_[0])

    marked = np.column_stack([X, groups])
    found = search(Watcher(), {"a": [1, 2, 3, 4]}, cv=GroupKFold(3), refit=False)
    found.fit(marked, y, groups=groups)
    assert np.isfinite(found.cv_results_["mean_test_score"]).all()


def test_sample_weights_reach_fit_and_score(data):
    X, y = data
    weight = np.where(y == 1, 3.0, 1.0)
    found = search().fit(X, y, sample_weight=weight)
    train, test = next(StratifiedKFold(3).split(X, y))
    alone = LogisticRegression(**found.best_params_).fit(X[train], y[train], weight[train])
    assert found.cv_results_["split0_test_score"][found.best_index_] == pytest.approx(
        alone.score(X[test], y[test], weight[test])
    )


def test_pandas_columns_reach_the_pipeline(data):
    X, y = data
    frame = pd.DataFrame(X, columns=list("abcde"))
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    found = search(pipeline, {"logisticregression__C": loguniform(1e-2, 1e2)}).fit(frame, y)
    assert list(found.feature_names_in_) == list("abcde")


def test_a_list_of_dicts_is_a_choice_among_them(data):
    space = [
        {"kernel": ["rbf"], "gamma": expon(scale=0.1), "C": [1.0]},
        {"kernel": ["poly"], "degree": [2, 3]},
    ]
    found = search(SVC(), space, n_iter=10).fit(*data)
    kinds = {frozenset(params) for params in found.cv_results_["params"]}
    assert kinds == {frozenset(["kernel", "gamma", "C"]), frozenset(["kernel", "degree"])}
    for row, params in enumerate(found.cv_results_["params"]):
        assert found.cv_results_["param_degree"].mask[row] == ("degree" not in params)


def test_a_distribution_of_one_value_is_that_value_in_its_type():
    found = read_distributions({"n": binom(5, 1.0), "x": uniform(0.0, 1.0)}).space
    assert found.fixed == {"n": 5}
    assert type(found.fixed["n"]) is int


def test_choices_in_a_set_have_one_order_in_every_process():
    """That of the letters; the order of the set itself is another one for each hash seed."""
    space = read_distributions({"k": set("abcdefg"), "n": (1, 9)}).space
    assert space.dimensions[0].categories == tuple("abcdefg")


def test_choices_may_be_estimators_or_unhashable(data):
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    steps = {"standardscaler": [StandardScaler(), "passthrough"]}
    assert search(pipeline, steps, n_iter=2).fit(*data).score(*data) > 0.5
    weights = {"class_weight": [{0: 1, 1: 2}, {0: 2, 1: 1}, None]}
    found = search(space=weights, n_iter=3).fit(*data)
    assert found.best_params_["class_weight"] in weights["class_weight"]


def twice(a, b):
    return 2 * a @ b.T


OBJECTS = {
    "functions": (SVC(), {"kernel": [twice, "rbf"], "C": [1.0, 2.0]}),
    "dicts": (LogisticRegression(), {"class_weight": [{0: 1, 1: 2}, None], "C": [1.0, 2.0]}),
    "steps": (
        make_pipeline(StandardScaler(), LogisticRegression()),
        {"standardscaler": [StandardScaler(), "passthrough"], "logisticregression__C": [1.0, 2.0]},
    ),
    "one estimator of each dict": (
        make_pipeline(StandardScaler(), SVC()),
        [{"svc": [LogisticRegression()]}, {"svc": [SVC(), DecisionTreeClassifier()]}],
    ),
    "estimators that read alike": (
        make_pipeline(StandardScaler(), SVC()),
        {"svc": [SVC(), SVC(), LogisticRegression()]},
    ),
}


@pytest.mark.parametrize("case", OBJECTS)
def test_a_file_holds_names_of_choices_that_are_objects(data, tmp_path, case):
    estimator, space = OBJECTS[case]
    path = tmp_path / "study.db"
    first = search(estimator, space, n_iter=2, study=path).fit(*data)
    longer = search(estimator, space, n_iter=3, study=path).fit(*data)
    in_memory = search(estimator, space, n_iter=3).fit(*data)
    assert list(map(repr, longer.cv_results_["params"][:2])) == list(
        map(repr, first.cv_results_["params"])
    )
    np.testing.assert_array_equal(
        longer.cv_results_["mean_test_score"], in_memory.cv_results_["mean_test_score"]
    )
    assert longer.best_estimator_.get_params().keys() >= longer.best_params_.keys()
    stored = gs.Study.open(path).trials[0].params.values()
    assert all(isinstance(value, str | float | None) for value in stored)


def test_other_objects_under_the_same_names_are_another_search(data, tmp_path):
    def half(a, b):
        return a @ b.T / 2

    half.__qualname__ = twice.__qualname__
    path = tmp_path / "study.db"
    search(SVC(), {"kernel": [twice, "rbf"]}, n_iter=2, study=path).fit(*data)
    with pytest.raises(gs.GPSearchError, match="another objective"):
        search(SVC(), {"kernel": [half, "rbf"]}, n_iter=2, study=path).fit(*data)


def test_a_finite_space_ends_the_search(data):
    with pytest.warns(UserWarning, match="total space of parameters 3 is smaller than n_iter=4"):
        found = search(space={"C": [1.0, 2.0, 3.0]}).fit(*data)
    assert sorted(found.cv_results_["param_C"]) == [1.0, 2.0, 3.0]


def test_an_interrupted_search_continues_from_its_file(data, tmp_path):
    """Interrupted in the middle of a fold, it ends with the results of the uninterrupted one."""
    path = tmp_path / "study.db"
    whole = search(n_iter=12).fit(*data)

    class Fragile(LogisticRegression):
        fits = 0

        def fit(self, X, y, sample_weight=None):
            Fragile.fits += 1
            if Fragile.fits == 26:
                raise KeyboardInterrupt
            return super().fit(X, y, sample_weight)

    with pytest.raises(KeyboardInterrupt):
        search(Fragile(), n_iter=12, study=path).fit(*data)
    continued = search(Fragile(), n_iter=12, study=path).fit(*data)
    assert Fragile.fits == 12 * 3 + 1 + 1  # the fold that died runs again; and the final fit
    np.testing.assert_array_equal(
        whole.cv_results_["mean_test_score"], continued.cv_results_["mean_test_score"]
    )
    assert whole.best_params_ == continued.best_params_


def test_an_estimator_that_lacked_a_file_is_searched_as_if_it_had_been_there(data, tmp_path):
    path, file = tmp_path / "study.db", tmp_path / "prior.csv"

    class Reads(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            if not file.exists():
                raise FileNotFoundError(file)
            return super().fit(X, y, sample_weight)

    first = {"n_initial_points": 6}  # a model would have known of the failures
    with pytest.raises(InvalidObjectiveError, match="All the 4 fits failed"):
        search(Reads(), n_iter=4, study=path, **first).fit(*data)
    with pytest.raises(InvalidObjectiveError, match="every trial so far failed"):
        search(Reads(), n_iter=6, study=path, **first).fit(*data)
    file.touch()
    mended = search(Reads(), n_iter=6, study=path, **first).fit(*data)
    whole = search(n_iter=6, **first).fit(*data)
    for column in ("mean_test_score", "param_C"):
        np.testing.assert_array_equal(mended.cv_results_[column], whole.cv_results_[column])


def test_a_study_of_other_data_is_refused(data, tmp_path):
    X, y = data
    search(study=tmp_path / "study.db").fit(X, y)
    with pytest.raises(gs.GPSearchError, match="another objective"):
        search(study=tmp_path / "study.db").fit(X + 1, y)


class Picky(LogisticRegression):
    def fit(self, X, y):
        if self.C > 1:
            raise ValueError("too large")
        return super().fit(X, y)


def test_failed_fits_are_kept_away_from(data):
    with (
        pytest.warns(
            FitFailedWarning, match=r"fits failed out of a total of 36(.|\n)*raise ValueError"
        ),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        found = search(Picky(), n_iter=12).fit(*data)
    assert found.best_params_["C"] <= 1
    ranks = found.cv_results_["rank_test_score"]
    failed = np.isnan(found.cv_results_["mean_test_score"])
    assert 0 < failed.sum() < 12
    assert ranks[failed].min() > ranks[~failed].max()
    with pytest.raises(ValueError, match="too large"):
        search(Picky(), n_iter=12, error_score="raise").fit(*data)
    with pytest.warns(FitFailedWarning):
        found = search(Picky(), n_iter=12, error_score=-1.0).fit(*data)
    failed = found.cv_results_["param_C"] > 1
    assert (found.cv_results_["split2_test_score"] == -1).tolist() == failed.tolist()


def test_clone_pickle_and_nesting(data):
    X, y = data
    unfitted = search()
    assert clone(unfitted).get_params().keys() == unfitted.get_params().keys()
    assert is_classifier(unfitted)
    assert not is_classifier(search(Ridge(), {"alpha": C["C"]}))
    found = pickle.loads(pickle.dumps(unfitted.fit(X, y)))
    np.testing.assert_array_equal(found.predict(X), unfitted.predict(X))
    assert found.study_.best_params == unfitted.study_.best_params
    nested = cross_val_score(make_pipeline(StandardScaler(), search()), X, y, cv=KFold(2))
    assert nested.shape == (2,)


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_verbose_tells_every_params(data, capsys, verbose):
    search(verbose=verbose).fit(*data)
    lines = capsys.readouterr().out.splitlines()
    # the first says what begins, the last three what the winner is worth
    assert len(lines) == (8 if verbose == 2 else 0)
    for i, line in enumerate(lines[1:5], 1):
        assert line.startswith(f"[{i}/4] ")
        assert "{'C': " in line


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
@pytest.mark.parametrize("verbose", [0, 1])
def test_fits_that_fail_are_told_at_the_end_alone_where_nothing_is_to_be_said(
    data, capsys, monkeypatch, verbose
):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # as where nobody has set up the log
    found = search(Picky(), n_iter=12, verbose=verbose).fit(*data)
    failed = sum(trial.state == "failed" for trial in found.study_.trials)
    assert capsys.readouterr().err.count("failed: ") == verbose * failed > verbose - 1
    logger = logging.getLogger("gpsearch.trials")
    assert (logger.handlers, logger.level) == ([], logging.NOTSET)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_whoever_has_set_up_the_log_hears_of_each_failure(data, caplog):
    search(Picky(), n_iter=12).fit(*data)
    assert "failed: fold 0: ValueError: too large" in caplog.text


def test_equal_trials_are_equal_in_the_results_and_in_the_study():
    """Sums of floats depend on their order; the mean of a trial does not."""
    scores = {"a": [0.1, 0.2, 0.3], "b": [0.3, 0.2, 0.1]}
    assert len({np.mean(folds) for folds in scores.values()}) == 2
    trials = [
        Trial(
            number=n,
            state="complete",
            params={"x": name},
            folds=tuple(FoldResult(fold=j, score=s) for j, s in enumerate(folds)),
            seed=0,
            started=0.0,
        )
        for n, (name, folds) in enumerate(scores.items())
    ]
    results = cv_results(
        trials,
        [dict(trial.params) for trial in trials],
        n_splits=3,
        metrics=["score"],
        metric="score",
        return_train_score=False,
        error_score=np.nan,
    )
    assert results["rank_test_score"].tolist() == [1, 1]
    assert results["mean_test_score"].tolist() == [trial.score for trial in trials]


def test_results_look_as_those_of_randomized_search(data):
    space = {
        "C": loguniform(1e-3, 1e3),
        "class_weight": [None, "balanced"],
        "fit_intercept": [True, False],
        "max_iter": [100, 200],
    }
    for options in (
        {"return_train_score": True},
        {"scoring": ["accuracy", "roc_auc"], "refit": "roc_auc"},
    ):
        ours = search(space=space, n_iter=8, **options).fit(*data).cv_results_
        theirs = RandomizedSearchCV(
            LogisticRegression(), space, n_iter=8, cv=3, random_state=0, **options
        ).fit(*data)
        theirs = theirs.cv_results_
        assert set(ours) == set(theirs)
        for name, column in theirs.items():
            assert type(ours[name]) is type(column)
            assert getattr(ours[name], "dtype", None) == getattr(column, "dtype", None)


@pytest.mark.parametrize(("cost", "recorded"), [("seconds", "seconds"), ("work", None)])
def test_what_a_fit_costs_is_that_of_the_search(data, cost, recorded):
    found = search(cost=cost, n_iter=2).fit(*data)
    assert found.study_.info.settings["cost"] == recorded  # no work of an estimator is known


def test_folds_in_parallel_give_the_same_search(data):
    serial, parallel = search().fit(*data), search(n_jobs=2).fit(*data)
    np.testing.assert_array_equal(
        serial.cv_results_["mean_test_score"], parallel.cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize("pre_dispatch", [1, "all", "n_jobs"])
def test_folds_are_dispatched_as_joblib_is_told(data, monkeypatch, pre_dispatch):
    told = []
    parallel = joblib.Parallel
    monkeypatch.setattr(
        joblib, "Parallel", lambda *args, **kw: told.append(kw) or parallel(*args, **kw)
    )
    search(n_jobs=2, n_iter=2, pre_dispatch=pre_dispatch).fit(*data)
    assert told[-1]["pre_dispatch"] == pre_dispatch


def test_shows_itself_in_a_notebook(data):
    shown = search().fit(*data)._repr_html_()
    assert "GPSearchCV" in shown
    assert "best_estimator_: LogisticRegression" in shown


class Unscored(BaseEstimator):
    def fit(self, X, y=None):
        return self


REFUSALS = {
    "unknown parameter": (
        {},
        {"Cc": [1, 2, 3, 4]},
        InvalidObjectiveError,
        r"Did you mean .C.\?.*Invalid parameter .Cc.",
    ),
    "empty": ({}, {"C": []}, InvalidSpaceError, "'C' has no values"),
    "nothing to search": ({}, [{}], InvalidSpaceError, "is empty"),
    "no scale": ({}, {"C": norm(3.0, 0.0)}, InvalidSpaceError, "'C' has quantiles from nan"),
    "no distribution": ({}, {"C": object()}, InvalidSpaceError, "'C'.*is not a dimension"),
    "2-D choices": ({}, {"C": np.ones((3, 2))}, InvalidSpaceError, "2 axes"),
    "no time": ({"timeout": 1e-9}, None, InvalidSearchError, "timeout=1e-09.*no configuration"),
    "n_iter": ({"n_iter": 0}, None, InvalidSearchError, r"n_iter=0.*at least 1"),
    "refit not scored": (
        {"scoring": ["accuracy", "roc_auc"], "refit": "f1"},
        None,
        InvalidSearchError,
        "refit.*'f1'.*'accuracy', 'roc_auc'",
    ),
    "refit among several": (
        {"scoring": ["accuracy", "roc_auc"]},
        None,
        InvalidSearchError,
        "refit=True.*scorer key",
    ),
    "unknown scorer": (
        {"scoring": "acuracy"},
        None,
        InvalidObjectiveError,
        r"^GPSearchCV\(scoring='acuracy'\): .*Did you mean 'accuracy'",
    ),
    "unknown among several": (
        {"scoring": {"a": "accuracy", "b": "f11"}, "refit": "a"},
        None,
        InvalidObjectiveError,
        "scoring='f11'.*Did you mean 'f1'",
    ),
    "metric for a scorer": (
        {"scoring": accuracy_score},
        None,
        InvalidObjectiveError,
        r"make_scorer\(accuracy_score\)",
    ),
    "no scorer": ({"scoring": []}, None, InvalidSearchError, "Empty list"),
    "too many folds": ({"cv": 50}, None, InvalidObjectiveError, "n_splits=50 cannot be greater"),
    "bad error_score": ({"error_score": "nan"}, None, InvalidObjectiveError, "'nan'.*or 'raise'"),
    "Keras settings": ({"patience": 5}, None, InvalidSearchError, "LogisticRegression has set"),
    "open study": ({"study": 3}, None, InvalidSearchError, "must be the path"),
    "no folds": ({"cv": [1, 2]}, None, InvalidObjectiveError, r"GPSearchCV\(cv=.*pairs of lists"),
    "rows beyond X": (
        {"cv": [([0, 1, 2], [3, 90])]},
        None,
        InvalidObjectiveError,
        "row 90, where X has 90 rows",
    ),
    "no workers": ({"n_jobs": 0}, None, InvalidSearchError, "n_jobs=0.*other than 0"),
    "workers in words": ({"n_jobs": "2"}, None, InvalidSearchError, "n_jobs='2'"),
    "verbose in words": ({"verbose": "yes"}, None, InvalidSearchError, "verbose='yes'"),
    "train score": ({"return_train_score": "yes"}, None, InvalidSearchError, "True or False"),
    "no dispatch": ({"pre_dispatch": 0}, None, InvalidSearchError, "pre_dispatch=0.*positive"),
    "bad dispatch": ({"pre_dispatch": "2*n"}, None, InvalidSearchError, "'2.n'.*as joblib reads"),
    "no bool": ({"refit": 2}, None, InvalidSearchError, "refit=2"),
    "refit to no row": (
        {"refit": lambda results: 1.5},
        None,
        TypeError,
        r"^GPSearchCV\(refit=<lambda>\): best_index_ returned is not an integer: 1.5",
    ),
    "refit beyond the rows": (
        {"refit": lambda results: 99},
        None,
        IndexError,
        r"^GPSearchCV\(refit=<lambda>\): best_index_ index out of range: 99",
    ),
    "model without y": (
        {"estimator": gs.mlp},
        None,
        InvalidObjectiveError,
        r"^GPSearchCV.fit\(y=None\): a model function requires y to be passed",
    ),
    "outputs of a regression": (
        {"estimator": gs.mlp, "task": "regression", "outputs": "logits"},
        None,
        InvalidObjectiveError,
        r"^GPSearchCV\(outputs='logits'\): y \(regression\) holds no classes",
    ),
    "ensemble without predictions": (
        {"estimator": gs.mlp, "refit": "ensemble", "keep_predictions": False},
        None,
        InvalidSearchError,
        r"^GPSearchCV\(keep_predictions=False\): leaves no held-out predictions to choose by",
    ),
    "ensemble of estimators": (
        {"refit": "ensemble"},
        None,
        InvalidSearchError,
        r"^GPSearchCV\(refit='ensemble'\): needs a function that returns a Keras model",
    ),
    "model with train scores": (
        {"estimator": gs.mlp, "return_train_score": True},
        None,
        InvalidSearchError,
        r"^GPSearchCV\(return_train_score=True\): must be False over a model function",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(data, case):
    options, space, error, message = REFUSALS[case]
    with pytest.raises(error, match=f"(?s){message}"):
        search(space=space, **options).fit(*(data[:1] if case == "model without y" else data))


def test_a_model_function_has_no_rows_to_hold_back_but_for_early_stopping(data):
    with pytest.raises(InvalidSearchError, match=r"fit\(validation_split=0.2\).*patience="):
        search(gs.mlp).fit(*data, validation_split=0.2)


def test_refusals_of_data(data):
    X, y = data
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        search().fit(X, y[:-1])
    with pytest.raises(InvalidObjectiveError, match=r"All the 4 fits failed(.|\n)*no proba"):
        search(scoring=failing_scorer).fit(X, y)
    with pytest.raises(NotFittedError):
        search().predict(X)
    with pytest.raises(InvalidSearchError, match="must be an estimator with `fit`"):
        GPSearchCV("SVC", C).fit(X, y)
    with pytest.raises(TypeError, match="score"):
        GPSearchCV(Unscored(), C).fit(X, y)


class Counting(LogisticRegression):
    fits = 0

    def fit(self, X, y, sample_weight=None):
        Counting.fits += 1
        return super().fit(X, y, sample_weight)


SCALED = make_pipeline(StandardScaler(), Counting())
IMPUTED = make_pipeline(SimpleImputer(), Counting())
DATA = {
    "NaN": (Counting(), lambda X, y: (holed(X, np.nan), y), "X holds NaN: 1 of its values, which"),
    "NaN scaled": (SCALED, lambda X, y: (holed(X, np.nan), y), "which Counting does not take"),
    "infinity": (Counting(), lambda X, y: (holed(X, np.inf), y), "X holds infinity: 1 of"),
    "infinity imputed": (IMPUTED, lambda X, y: (holed(X, np.inf), y), "SimpleImputer does not"),
    "NaN in a frame": (
        Counting(),
        lambda X, y: (pd.DataFrame(holed(X, np.nan)), y),
        "X holds NaN: 1 of its values",
    ),
    "text": (Counting(), lambda X, y: (X.astype(str) + "a", y), "X holds text, which"),
    "one axis": (Counting(), lambda X, y: (X[:, 0], y), r"one axis.*X\.reshape\(-1, 1\)"),
    "a number": (Counting(), lambda X, y: (3, y), "has no rows"),
    "two columns": (Counting(), lambda X, y: (X, np.column_stack([y, y])), r"shape \(90, 2\)"),
    "one class": (Counting(), lambda X, y: (X, 0 * y), "y holds the single class 0"),
    "a lone member": (Counting(), lambda X, y: (X, holed(y, 2)), "class 2 of y has a single"),
    "quantities": (Counting(), lambda X, y: (X, X[:, 0]), "y holds continuous values such as"),
    "NaN in y": (Counting(), lambda X, y: (X, holed(1.0 * y, np.nan)), "y holds missing values"),
    "text for a regressor": (Ridge(), lambda X, y: (X, y.astype(str) + "a"), "are not numbers"),
}


def of_size(estimator):
    """The parameter that shrinks the coefficients."""
    return next(n for n in estimator.get_params() if n.split("__")[-1] in ("C", "alpha"))


def holed(values, value):
    values = values.copy()
    values.flat[7] = value
    return values


@pytest.mark.parametrize("case", DATA)
def test_data_that_no_fit_takes_are_refused_before_the_first(data, case):
    estimator, changed, message = DATA[case]
    Counting.fits = 0
    with pytest.raises(InvalidObjectiveError, match=rf"^GPSearchCV\.fit\([Xy]=.*{message}"):
        search(estimator, {of_size(estimator): C["C"]}).fit(*changed(*data))
    assert Counting.fits == 0


@pytest.mark.parametrize("name", ["sample_weight", "counting__sample_weight"])
def test_weights_of_other_rows_are_refused_before_the_first_fit(data, name):
    X, y = data
    estimator = Counting() if name == "sample_weight" else SCALED
    Counting.fits = 0
    with pytest.raises(InvalidObjectiveError, match=f"X has 90 rows, but {name} has 5"):
        search(estimator, {of_size(estimator): C["C"]}).fit(X, y, **{name: np.ones(5)})
    assert Counting.fits == 0


def test_data_that_some_configuration_takes_are_searched(data):
    X, y = data
    pipeline = make_pipeline(StandardScaler(), "passthrough", LogisticRegression())
    space = {"passthrough": [SimpleImputer(), "passthrough"], "logisticregression__C": C["C"]}
    with pytest.warns((FitFailedWarning, UserWarning)):
        found = search(pipeline, space, n_iter=6).fit(holed(X, np.nan), y)
    assert isinstance(found.best_params_["passthrough"], SimpleImputer)
    lone = search(cv=KFold(3)).fit(X, holed(y, 2))
    assert np.isfinite(lone.best_score_)
    assert search(HistGradientBoostingClassifier(max_iter=2), {"max_depth": [1, 2]}, n_iter=2).fit(
        holed(X, np.inf), y
    )


def failing_scorer(estimator, X, y):
    raise ValueError("no proba")


def test_the_baseline_of_several_dicts_is_of_the_one_that_fixes_its_values(data):
    spaces = [{"solver": [one], "C": [0.1, 1.0]} for one in ("lbfgs", "liblinear")]
    mine = {"solver": "liblinear", "C": 1}
    assert search(space=spaces, baseline=mine).fit(*data).cv_results_["params"][0] == mine
    with pytest.raises(InvalidParamsError, match=r"baseline=.*'saga'.* none of the dicts"):
        search(space=spaces, baseline={**mine, "solver": "saga"}).fit(*data)


def test_the_baseline_is_told_in_the_names_and_choices_of_the_estimator(data):
    first, second = StandardScaler(), StandardScaler(with_mean=False)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    spaces = [
        {"standardscaler": [first, second], "logisticregression__C": loguniform(1e-3, 1e3)},
        {"standardscaler": ["passthrough"], "logisticregression__C": loguniform(1e-3, 1e3)},
    ]
    for mine in (
        {"standardscaler": second, "logisticregression__C": 0.5},
        {"standardscaler": "passthrough", "logisticregression__C": 0.5},
    ):
        found = search(pipeline, spaces, n_iter=6, baseline=mine).fit(*data)
        assert found.cv_results_["params"][0] == mine
        assert found.study_.confirmation.baseline == 0
    one = search(pipeline, spaces[0], baseline={**mine, "standardscaler": first}).fit(*data)
    assert one.cv_results_["params"][0]["standardscaler"] is first
    like = {**mine, "standardscaler": StandardScaler()}
    assert search(pipeline, spaces[0], baseline=like).fit(*data).cv_results_["params"][0] == {
        **mine,
        "standardscaler": first,
    }
    for wrong in (
        {"standardscaler": second},
        {**mine, "logisticregression__C": 1e9},
        {**mine, "standardscaler": None},
    ):
        with pytest.raises(InvalidParamsError, match=r"baseline=.* none of the dicts"):
            search(pipeline, spaces, baseline=wrong).fit(*data)
    with pytest.raises(InvalidParamsError, match="baseline"):
        search(baseline={"C": 1e9}).fit(*data)
