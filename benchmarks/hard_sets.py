"""Sets on which thirty random points are not enough, for `comparison`: part of `timed_sets`.

Few rows, small networks and 20 epochs, so that a trial of three folds takes about a second. Sets
where random search finds the best within its folds' noise, as breast_cancer and diabetes, are
none of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import make_gaussian_quantiles
from timed_sets import CONVOLUTION_SPACE, SETS, TimedSet

from gpsearch.objective import KerasCV
from gpsearch.training import mlp_space

EPOCHS, FOLDS = 20, 3


def one_of(*values: Any) -> dict[str, Any]:
    return {"type": "categorical", "categories": list(values)}


BATCHES = {"batch_size": one_of(32, 64, 128, 256)}
SPACE = mlp_space() | BATCHES
SPACE |= {
    "n_neurons": one_of(8, 16, 32, 64, 128),
    "n_hidden": {"type": "integer", "low": 1, "high": 3},
}
SMALL_CONVOLUTIONS = CONVOLUTION_SPACE | BATCHES
SMALL_CONVOLUTIONS |= {"filters": one_of(2, 4, 8), "n_neurons": one_of(8, 16, 32, 64)}


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
    "convolution": SETS["convolution"],
}
ROWS = dict.fromkeys(HARD, 900) | {"convolution": 600}
SPACES = dict.fromkeys(HARD, SPACE) | {"convolution": SMALL_CONVOLUTIONS}


def objective(data: str) -> KerasCV:
    """Cross-validation of a network on a set."""
    chosen = HARD[data]
    X, y, *_ = chosen.split()
    return KerasCV(
        chosen.create_model,
        X[: ROWS[data]],
        y[: ROWS[data]],
        cv=FOLDS,
        scoring=chosen.scoring,
        epochs=EPOCHS,
        name=data,
    )
