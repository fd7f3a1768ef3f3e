"""What it costs to hold a shared program against plain Keras, for each configuration it serves.

Configurations of one architecture of the ready-made mlp, on 569 rows of 30 columns, five folds.
Median CPU seconds of a configuration whose program is known, those of the comparison in it, and
the ratio of with to without; also those of telling whether a program is known.

    python benchmarks/witness.py
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any
from unittest import mock

from sklearn.datasets import load_breast_cancer

from gpsearch.objective import KerasCV
from gpsearch.training import mlp
from gpsearch.training.compiled import compiled_trainer, witness
from gpsearch.training.compiled.program_key import architecture_key

# Optimizer, and the learning rate of the first configuration.
OPTIMISERS = {"adam": 1e-3, "sgd": 1e-2, "rmsprop": 1e-3}


def configuration(opt: str, number: int) -> dict[str, Any]:
    return {
        "n_hidden": 2,
        "n_neurons": 64,
        "opt": opt,
        "learning_rate": OPTIMISERS[opt] * 1.2**number,
        "drop_rate": 0.1 + 0.02 * number,
    }


def seconds(objective: KerasCV, params: dict[str, Any], seed: int) -> tuple[float, float]:
    """CPU seconds of one evaluation, and of the comparison in it."""
    spent = [0.0]

    def difference(*arguments: Any) -> str:
        start = time.process_time()
        told = witness.difference(*arguments)
        spent[0] += time.process_time() - start
        return told

    with mock.patch.object(compiled_trainer, "difference", difference):
        start = time.process_time()
        objective.evaluate(params, seed=seed)  # under a new seed, or graphs are set up anew
        return time.process_time() - start, spent[0]


def key_seconds() -> float:
    shape = {"input_shape": (30,), "n_outputs": 1, "target_kind": "binary"}
    model = mlp(n_hidden=2, n_neurons=64, **shape)
    architecture_key(model)
    start = time.process_time()
    for _ in range(20):
        architecture_key(model)
    return (time.process_time() - start) / 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configurations", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=50)
    arguments = parser.parse_args()
    X, y = load_breast_cancer(return_X_y=True)
    for opt in OPTIMISERS:
        objective = KerasCV(
            mlp, X, y, cv=5, scoring="accuracy", epochs=arguments.epochs, patience=10,
            preprocess="standardize",
        )  # fmt: skip
        seconds(objective, configuration(opt, 0), 0)
        measured = [
            seconds(objective, configuration(opt, number), number)
            for number in range(1, arguments.configurations + 1)
        ]
        whole, compared = (statistics.median(column) for column in zip(*measured, strict=True))
        print(
            f"{opt}: {whole:.3f} a configuration, {compared:.3f} of it for the comparison, ratio "
            f"{whole / (whole - compared):.2f}; {objective._trainer.n_traced} traced",
            flush=True,
        )
    print(f"telling a model's program: {key_seconds():.4f} for each fold")


if __name__ == "__main__":
    main()
