"""Sets on which thirty random points are not enough, for `comparison`: part of `timed_sets`.

Few rows, small networks and 20 epochs, so that a trial of three folds takes about a second. Sets
where random search finds the best within its folds' noise, as breast_cancer and diabetes, are
none of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import make_gaussian_quantiles
from timed_sets import SETS, TimedSet

from gpsearch.objective import KerasCV
from gpsearch.training import mlp_space

ROWS, EPOCHS, FOLDS = 900, 20, 3


def one_of(*values: Any) -> dict[str, Any]:
    return {"type": "categorical", "categories": list(values)}


SPACE = mlp_space() | {
    "n_neurons": one_of(8, 16, 32, 64, 128),
    "batch_size": one_of(32, 64, 128, 256),
    "n_hidden": {"type": "integer", "low": 1, "high": 3},
}
"""The ten settings of the ready-made network, without those that train for long."""


def spirals() -> tuple[np.ndarray, np.ndarray]:
    """Two arms of a spiral, with noise."""
    rng = np.random.default_rng(7)
    label = rng.integers(0, 2, 1_200)
    angle = 3 * np.pi * np.sqrt(rng.uniform(0.02, 1, len(label)))
    arm = np.column_stack([np.cos(angle + np.pi * label), np.sin(angle + np.pi * label)])
    return angle[:, None] * arm + rng.normal(scale=0.5, size=arm.shape), label


def shells() -> tuple[np.ndarray, np.ndarray]:
    """Three classes by the distance from the middle, in eight dimensions."""
    return make_gaussian_quantiles(
        n_samples=1_200, n_features=8, n_classes=3, shuffle=True, random_state=7
    )


HARD = {name: SETS[name] for name in ("digits", "friedman", "four_classes", "large")} | {
    "spirals": TimedSet("validate", "accuracy", spirals),
    "shells": TimedSet("validate", "accuracy", shells),
}


def objective(data: str) -> KerasCV:
    """Cross-validation of a network on a set."""
    chosen = HARD[data]
    X, y, *_ = chosen.split()
    return KerasCV(
        chosen.create_model,
        X[:ROWS],
        y[:ROWS],
        cv=FOLDS,
        scoring=chosen.scoring,
        epochs=EPOCHS,
        name=data,
    )
