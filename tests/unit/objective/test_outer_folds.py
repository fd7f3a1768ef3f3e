"""An objective on the rows of an outer fold is the one that is made of these rows alone."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

import gpsearch as gs
from gpsearch.data.rows import take
from gpsearch.objective.outer_folds import outer_folds

N = 60
RNG = np.random.default_rng(3)
X = RNG.normal(2.0, 3.0, size=(N, 4))
NAMES = np.where(X[:, 0] > 2, "yes", "no")
GROUPS = np.arange(N) // 4
WEIGHTS = RNG.uniform(0.5, 2.0, size=N)
OUTER = KFold(3, shuffle=True, random_state=5)


def create_model(n_neurons=4):
    raise AssertionError("no model is built")


@pytest.mark.parametrize(
    ("X", "y", "options", "by_row"),
    [
        pytest.param(X, NAMES, {}, {}, id="labels"),
        pytest.param(pd.DataFrame(X), X[:, 1], {"cv": KFold(4)}, {}, id="frame and quantities"),
        pytest.param({"a": X, "b": X[:, :1]}, NAMES, {"epochs": 3}, {}, id="parts"),
        pytest.param(X, (X[:, 0], NAMES), {}, {}, id="several outputs"),
        pytest.param(X, np.eye(3)[np.arange(N) % 3], {}, {}, id="one hot"),
        pytest.param(X, NAMES, {}, {"groups": GROUPS, "sample_weight": WEIGHTS}, id="by row"),
    ],
)
def test_of_networks(X, y, options, by_row):
    options = {"cv": 2, "random_state": 7, **options}
    scoring = {"scoring": lambda model, X, y: 1.0}
    whole = gs.KerasCV(create_model, X, y, **options, **by_row, **scoring)
    outer = outer_folds(whole, 3)
    assert [inner.name for inner, _ in outer] == [
        f"outer fold {j} of 3, create_model" for j in (1, 2, 3)
    ]
    splits = gs.KerasCV(create_model, X, y, **{**options, "cv": 3}, **by_row, **scoring).folds
    for (inner, _), fold in zip(outer, splits, strict=True):
        rows = fold.train
        parts = {name: values[rows] for name, values in by_row.items()}
        alone = gs.KerasCV(
            create_model, take(X, rows), take(y, rows), **options, **parts, **scoring
        )
        assert inner.fingerprint() == alone.fingerprint()
        assert (inner.n, inner.n_folds) == (len(rows), whole.n_folds)
        assert inner.scored_share == alone.scored_share
        assert np.array_equal(inner._whole.train, np.arange(len(rows)))
    assert whole.n == N


def test_the_score_is_that_of_the_rows_set_aside():
    def rows_seen(model, X, y):
        return float(X[:, 0].sum() + 1000 * (y == "yes").sum() + model)

    whole = gs.KerasCV(create_model, X, NAMES, cv=2, scoring=rows_seen)
    for (_, score), (_, test) in zip(outer_folds(whole, OUTER), OUTER.split(X), strict=True):
        wanted = X[test, 0].sum() + 1000 * (NAMES[test] == "yes").sum() + 0.5
        assert score(0.5) == pytest.approx(wanted)


def test_classes_stay_where_the_training_rows_lack_one():
    y = np.array(["a", "b", "c"]).repeat([25, 25, 10])
    for cv in (KFold(2, shuffle=True), 2):
        whole = gs.KerasCV(create_model, X, y, cv=cv, scoring=lambda model, X, y: 1.0)
        for lacking in (range(25), range(25, 50), range(50, 60)):
            left = np.setdiff1d(range(60), lacking)
            inner, _ = outer_folds(whole, [(left, lacking)])[0]
            assert list(inner.target.classes) == ["a", "b", "c"]
            assert (inner.target.n_outputs, inner.n_folds) == (3, 2)


def test_no_cv_is_five_folds_as_in_scikit_learn():
    none, five = (
        gs.KerasCV(create_model, X, NAMES, cv=cv, scoring=lambda model, X, y: 1.0)
        for cv in (None, 5)
    )
    assert none.fingerprint() == five.fingerprint()
    of_none, of_five = (
        [inner.fingerprint() for inner, _ in outer_folds(five, cv)] for cv in (None, 5)
    )
    assert of_none == of_five


@pytest.mark.parametrize("kernel", ["rbf", "precomputed"])
def test_of_estimators(kernel):
    """A precomputed kernel is cut in both axes."""
    given = X @ X.T if kernel == "precomputed" else X
    estimator = make_pipeline(SVC(kernel=kernel))
    options = {"cv": KFold(2), "scoring": ["accuracy", "f1_macro"], "metric": "f1_macro"}
    weighted = {"svc__sample_weight": WEIGHTS}
    whole = gs.EstimatorCV(estimator, given, NAMES, fit_params=weighted, **options)
    for (inner, score), (train, test) in zip(
        outer_folds(whole, OUTER), OUTER.split(X), strict=True
    ):
        cut = np.ix_(train, train) if kernel == "precomputed" else train
        alone = gs.EstimatorCV(
            estimator,
            given[cut],
            NAMES[train],
            fit_params={"svc__sample_weight": WEIGHTS[train]},
            **options,
        )
        assert inner.fingerprint() == alone.fingerprint()
        assert inner({"svc__C": 1.0}).score == alone({"svc__C": 1.0}).score
        fitted = inner.refit({"svc__C": 1.0})
        cut = np.ix_(test, train) if kernel == "precomputed" else test
        scorer = whole.scorer._scorers["f1_macro"]
        assert score(fitted) == scorer(fitted, given[cut], NAMES[test])
