"""scikit-learn's own checks of an estimator, on ours."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.estimator_checks import check_estimator

from gpsearch import GPSearchCV, KerasClassifier, KerasRegressor

pytest.importorskip("keras")

pytestmark = pytest.mark.usefixtures("_without_witness")

SMALL = {"n_hidden": 0, "learning_rate": 0.1, "epochs": 20, "random_state": 0}

EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": (
        "steps of the optimiser see batches: a row of weight 2 is not two rows in two batches"
    ),
    "check_sample_weight_equivalence_on_sparse_data": "as on dense data",
}

EXPECTED_OF_KERAS = {
    **EXPECTED,
    "check_methods_sample_order_invariance": (
        "at 1e-7, where the last digit of a float32 depends on the place of its row in the batch; "
        "below at 1e-5"
    ),
}

EXPECTED_OF_SEARCH = {
    **EXPECTED,
    "check_sample_weight_equivalence_on_dense_data": (
        "removed and repeated rows change the folds; so for every search of scikit-learn"
    ),
}


def run(estimator, expected):
    """All checks; returns how many passed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of convergence, failed fits, and single-column y
        results = check_estimator(
            estimator, expected_failed_checks=expected, on_fail=None, on_skip=None
        )
    failed = {r["check_name"]: repr(r["exception"]) for r in results if r["status"] == "failed"}
    assert not failed
    return sum(result["status"] == "passed" for result in results)


@pytest.mark.parametrize("kind", [KerasClassifier, KerasRegressor])
def test_keras_estimators(kind):
    assert run(kind(**SMALL), EXPECTED_OF_KERAS) > 50


@pytest.mark.parametrize("kind", [KerasClassifier, KerasRegressor])
def test_predictions_follow_the_order_of_the_rows(kind):
    X = np.random.default_rng(0).normal(size=(40, 3))
    fitted = kind(**SMALL).fit(X, np.arange(40) % 3)
    order = np.random.default_rng(1).permutation(40)
    for name in ("predict", "predict_proba", "decision_function"):
        if hasattr(fitted, name):
            predict = getattr(fitted, name)
            np.testing.assert_allclose(predict(X[order]), predict(X)[order], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("estimator", "space"),
    [
        pytest.param(LogisticRegression(), {"C": (0.1, 10.0)}, id="classifier"),
        pytest.param(Ridge(), {"alpha": (0.1, 10.0)}, id="regressor"),
    ],
)
def test_search_over_scikit_learn(estimator, space):
    search = GPSearchCV(estimator, space, n_iter=2, cv=2, random_state=0, error_score="raise")
    assert run(search, EXPECTED_OF_SEARCH) > 40


@pytest.mark.slow  # each of some hundred fits is five trainings
def test_search_over_a_keras_estimator():
    search = GPSearchCV(
        KerasClassifier(**SMALL),
        {"learning_rate": [0.03, 0.1]},
        n_iter=2,
        cv=2,
        random_state=0,
        error_score="raise",
    )
    assert run(search, EXPECTED_OF_SEARCH) > 40
