"""What objects print, and show in a notebook: at most five lines, without what is long."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

import gpsearch as gs
from gpsearch.described import WIDTH


def create_model(n_hidden=1):
    raise AssertionError("is not called")


def described_trial(study):
    curves = {"loss": tuple(0.123456789 for _ in range(200))}
    folds = [
        gs.FoldResult(fold=j, score=0.9 + 0.01 * j, curves=curves, best_epoch=7 + j, epochs=200)
        for j in range(5)
    ]
    with study.writing() as writer:
        writer.add_trial({"x": 1 / 3, "opt": "<adam>"}, folds)
    return study.best_trial


@pytest.fixture
def described():
    study = gs.Study.create(None, space={"x": (0.0, 1.0), "opt": ["<adam>", "sgd"]}, seed=3)
    trial = described_trial(study)
    X, y = np.zeros((40, 3)), np.arange(40) % 2
    names = {f"parameter_{i}": gs.Real(1e-4, 1.0, prior="log-uniform") for i in range(30)}
    when = {"parameter_1": {"kind": ["b", "c"]}}
    return {
        "study": study,
        "empty study": gs.Study.create(None, space={"x": (0.0, 1.0)}, seed=0),
        "trial": trial,
        "KerasCV": gs.KerasCV(create_model, X, y, patience=5, preprocess="standardize"),
        "EstimatorCV": gs.EstimatorCV(LogisticRegression(), X, y, scoring="roc_auc"),
        "space": gs.Space(names | {"kind": ["a", "b", "c"], "epochs": 20}, conditions=when),
    }


def test_each_prints_at_most_five_lines_that_fit_a_terminal(described):
    for name, thing in described.items():
        lines = str(thing).splitlines()
        assert 2 <= len(lines) <= 5, name
        assert max(map(len, lines)) <= WIDTH, name
        assert "\n" not in repr(thing), name
        assert " at 0x" not in repr(thing) + str(thing), name


def test_what_they_tell(described):
    trial, study = described["trial"], described["study"]
    assert repr(trial) == "<Trial 0, complete: score 0.9200 ± 0.0071 over 5 folds>"
    assert "best epochs 7, 8, 9, 10, 11" in str(trial)
    assert "0.123" not in repr(trial) + str(trial) + repr(trial.folds)
    assert "  best    trial 0, score 0.9200 ± 0.0071\n  params  x=0.333, opt=<adam>" in str(study)
    assert repr(described["empty study"]) == "<Study in memory: 0 trials, 0 complete>"
    told = str(described["KerasCV"])
    assert told.startswith("KerasCV of create_model: 40 rows x 3, 5 folds, accuracy\n")
    assert str(described["EstimatorCV"]).splitlines()[0].endswith(": 40 rows x 3, 5 folds, roc_auc")
    assert "at most 100 epochs, patience 5, batches of 32" in told
    assert "parameter_1 where kind is b or c" in str(described["space"])


def test_cards_escape_what_a_user_names(described):
    for name, thing in described.items():
        card = thing._repr_html_()
        assert card.startswith("<div"), name
        assert "<adam>" not in card, name
    assert "x=0.333, opt=&lt;adam&gt;" in described["trial"]._repr_html_()


def test_the_search_estimator_keeps_the_repr_of_scikit_learn():
    search = gs.GPSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, n_iter=2, cv=2)
    assert repr(search) == repr(clone(search)) == str(search)
    assert repr(search).startswith("GPSearchCV(cv=2, estimator=LogisticRegression()")
    search.fit(np.arange(20.0)[:, None], np.arange(20) % 2)
    assert repr(search) == repr(clone(search))
    assert "\n  best    trial " in str(search)
    assert len(str(search).splitlines()) <= 5
