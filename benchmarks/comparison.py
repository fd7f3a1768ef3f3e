"""Strategies side by side on small networks: the comparison table of the documentation.

    python benchmarks/comparison.py [breast_cancer digits diabetes]
        [--networks keras] [--space all] [--n-calls 30] [--n-repeats 5] [--folder runs]

The ready-made mlp with its own space of ten dimensions, or with the six of them that concern
training alone (``--space training``: two layers of 32 units, an eighth of the time). Three folds,
the same folds and seeds for every strategy. ``--networks scikit-learn`` trains scikit-learn's
instead, seven dimensions, as `tasks` has them: cheap enough for many repeats. Each data set is
one study in the folder; the same call continues it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sklearn import datasets
from tasks import mlp_dimensions, mlp_loss

from gpsearch.comparison import compare
from gpsearch.objective import KerasCV
from gpsearch.training import mlp, mlp_space

STRATEGIES = ["gp", "random", "grid", "tpe", "skopt"]
SCORING = {"breast_cancer": "average_precision", "digits": "accuracy", "diabetes": "r2"}
EPOCHS, PATIENCE, FOLDS = 25, 5, 3
ARCHITECTURE = {"n_neurons": 32, "n_hidden": 2, "kernel_init": "glorot_uniform", "act_func": "relu"}
SPACES = {"all": mlp_space(), "training": mlp_space() | ARCHITECTURE}


def objective(
    data: str,
    compiled: bool = True,
    *,
    cv: int = FOLDS,
    epochs: int = EPOCHS,
    patience: int = PATIENCE,
) -> KerasCV:
    X, y = getattr(datasets, f"load_{data}")(return_X_y=True)
    if data == "diabetes":
        y = (y - y.mean()) / y.std()  # the network's first outputs are near zero
    return KerasCV(
        mlp,
        X,
        y,
        cv=cv,
        scoring=SCORING[data],
        epochs=epochs,
        patience=patience,
        preprocess="standardize",
        compiled=compiled,
        name=data,
    )


def keras_networks(data: str, space: str) -> tuple[Any, Any]:
    return objective(data), SPACES[space]


def scikit_learn_networks(data: str) -> tuple[Any, Any]:
    loss, dimensions = mlp_loss(data), mlp_dimensions()

    def score(params: dict[str, Any]) -> float:
        return -loss([params[dimension.name] for dimension in dimensions])

    return score, dimensions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*", default=list(SCORING), help=", ".join(SCORING))
    parser.add_argument("--networks", choices=["keras", "scikit-learn"], default="keras")
    parser.add_argument("--space", choices=list(SPACES), default="all")
    parser.add_argument("--strategies", nargs="+", default=STRATEGIES)
    parser.add_argument("--n-calls", type=int, default=30)
    parser.add_argument("--n-repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path("runs"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for data in options.data:
        keras = options.networks == "keras"
        kind = options.space if keras else options.networks
        searched = keras_networks(data, kind) if keras else scikit_learn_networks(data)
        comparison = compare(
            *searched,
            strategies=options.strategies,
            n_calls=options.n_calls,
            n_repeats=options.n_repeats,
            study=options.folder / f"compare-{kind}-{data}.db",
        )
        print(f"{comparison}\n", flush=True)


if __name__ == "__main__":
    main()
