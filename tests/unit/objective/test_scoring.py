"""Scorers as users name them: refused with the right name, and never searched the other way."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    check_scoring,
    get_scorer,
    get_scorer_names,
    log_loss,
    make_scorer,
    mean_squared_error,
    r2_score,
    top_k_accuracy_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from gpsearch.data.preprocessing import Preprocessor
from gpsearch.data.target import read_target
from gpsearch.errors import InvalidObjectiveError
from gpsearch.evaluation import UNBOUNDED
from gpsearch.objective.scoring import OF_CLASSES, OTHER_NAMES, Scoring, read_scorer, score_bounds
from gpsearch.training.fitted import as_fitted
from gpsearch.training.output_link import with_link


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mse", "is a loss. Write its negative, 'neg_mean_squared_error'"),
        ("rmse", "is a loss. Write its negative, 'neg_root_mean_squared_error'"),
        ("MAE", "is a loss. Write its negative, 'neg_mean_absolute_error'"),
        ("logloss", "is a loss. Write its negative, 'neg_log_loss'"),
        ("binary_crossentropy", "is a loss. Write its negative, 'neg_log_loss'"),
        ("val_loss", "'neg_mean_squared_error' or 'neg_log_loss'"),
        ("auc", "names it 'roc_auc'"),
        ("val_accuracy", "names it 'accuracy'"),
        ("f1-score", "names it 'f1'"),
    ],
)
def test_another_name_is_explained(name, message):
    with pytest.raises(InvalidObjectiveError, match=message) as caught:
        read_scorer(name)
    assert caught.value.value == repr(name)


def test_each_name_that_is_proposed_is_one_of_scikit_learn_and_no_other_is():
    names = {*get_scorer_names()}
    assert {*OTHER_NAMES, *OF_CLASSES, *OF_CLASSES.values()} <= names
    assert {n for others in OTHER_NAMES.values() for n in others} & names == {"accuracy"}


@pytest.mark.parametrize(
    "scorer",
    [
        make_scorer(accuracy_score, normalize=False),
        make_scorer(top_k_accuracy_score, response_method="predict_proba", normalize=False),
        make_scorer(balanced_accuracy_score, adjusted=True),
        make_scorer(r2_score, greater_is_better=False),
        make_scorer(mean_squared_error),
        lambda estimator, X, y: 0.5,
    ],
)
def test_a_scorer_with_other_arguments_or_another_sign_has_no_bounds(scorer):
    assert score_bounds(scorer) == UNBOUNDED


def test_a_scorer_as_scikit_learn_names_it_has_bounds():
    assert (
        score_bounds(get_scorer("f1_macro")) == score_bounds(make_scorer(accuracy_score)) == (0, 1)
    )
    assert score_bounds(get_scorer("r2")) == (-float("inf"), 1)
    assert score_bounds(get_scorer("neg_max_error")) == (-float("inf"), 0)


@pytest.mark.parametrize(
    ("estimator", "bounds"),
    [
        (make_pipeline(StandardScaler(), SVC()), (0, 1)),
        (SVR(), (-float("inf"), 1)),
        (KMeans(), UNBOUNDED),
    ],
)
def test_the_own_score_of_an_estimator_has_bounds(estimator, bounds):
    assert score_bounds(check_scoring(estimator)) == bounds


@pytest.mark.parametrize("n_classes", [2, 3])
def test_scorers_of_probabilities_are_told_of_classes_that_a_fold_lacks(n_classes):
    """Each fold knows the classes of all rows, and so do the columns of its probabilities."""
    labels = np.array(["a", "b", "c"])[:n_classes]
    target = with_link(read_target(np.repeat(labels, 4)), "probabilities")
    X, y = np.zeros((5, 1)), np.repeat(labels[:-1], 5)[-5:]
    outputs = np.random.default_rng(0).dirichlet(np.ones(n_classes), size=5)
    network = as_fitted(None, Preprocessor(None, X), target)
    network.remember(X, outputs)
    names = ["neg_log_loss", "neg_brier_score", *["top_k_accuracy"][: n_classes - 2]]
    scores = {name: Scoring(name, (), target).score(network, X, y) for name in names}
    assert scores["neg_log_loss"] == pytest.approx(-log_loss(y, outputs, labels=labels))
    assert all(np.isfinite(score) for score in scores.values())


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "neg_log_loss", "accuracy", "f1"])
def test_two_classes_have_one_score_in_each_form(name):
    rng = np.random.default_rng(0)
    positive, X = rng.uniform(0.05, 0.95, size=(20, 3)), rng.normal(size=(20, 2))
    y = (positive + rng.normal(size=(20, 3)) / 4 > 0.5).astype(int)
    units = np.stack([1 - positive, positive], axis=-1)
    forms = {
        "one unit": (y.ravel(), positive.reshape(-1, 1)),
        "two units": (y.ravel(), units.reshape(-1, 2)),
        "one-hot": (np.eye(2)[y.ravel()], units.reshape(-1, 2)),
        "a sequence, one unit": (y[..., None], positive[..., None]),
        "a sequence, two units": (y[..., None], units),
    }
    scores = {}
    for form, (labels, outputs) in forms.items():
        target = with_link(read_target(labels, "classification"), "probabilities")
        rows = X if len(labels) == len(X) else np.repeat(X, 3, axis=0)
        view = as_fitted(None, Preprocessor(None, rows), target)
        view.remember(rows, outputs)
        scores[form] = Scoring(name, (), target).score(view, rows, target.labels)
    wanted = get_scorer(name)._score_func
    first = y.ravel(), (positive.ravel() > 0.5 if name in ("accuracy", "f1") else positive.ravel())
    np.testing.assert_allclose(
        list(scores.values()), get_scorer(name)._sign * wanted(*first), err_msg=str(scores)
    )
