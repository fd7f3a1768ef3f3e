"""A small network cross-validated end to end."""

import numpy as np
import pytest

from gpsearch.errors import InvalidObjectiveError, TrialFailedError
from gpsearch.objective import KerasCV, mlp

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


def test_batch_larger_than_a_training_part_is_refused(data):
    X, y = data
    with pytest.raises(InvalidObjectiveError, match=r"batch_size=64 .* 30 rows"):
        KerasCV(mlp, X, y, cv=2, batch_size=64)
