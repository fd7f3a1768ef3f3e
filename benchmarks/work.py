"""How well the work of a training predicts its seconds, and the constants that make it do so.

Draws configurations of the ready-made mlp (8 to 512 units, 1 to 4 layers, batches of 16 to 256,
five optimisers), of a small convolutional network and of a small recurrent one, on data of several
sizes. Each is evaluated
once for its program to be traced, and then measured in it: processor seconds of two folds on one
core, the lesser of two measurements. The constants are fitted on half of the configurations; the
printed figures are of the other half: Spearman's correlation of work and seconds, and the median
and the 90 % quantile of the ratio by which they differ. The constants in `training/work.py`, fitted
on all, are printed last.

    export OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1
    python benchmarks/work.py measure work.jsonl --configurations 240    # appends; can be resumed
    python benchmarks/work.py fit work.jsonl
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import spearmanr
from sklearn.datasets import make_classification

from gpsearch.objective import KerasCV
from gpsearch.training import mlp
from gpsearch.training.backend import import_keras
from gpsearch.training.mlp import OPTIMISERS
from gpsearch.training.work import SECONDS, Arithmetic, arithmetic, counts

FOLDS = 2
RECURRENT = range(215, 240)  # numbers of configurations
UPDATES = (20, 2000)  # steps of the optimiser in a fold, about; log-uniform


def convolution(filters: int, depth: int, opt: str, *, input_shape: Any, n_classes: int) -> Any:
    keras = import_keras()
    layers = [keras.Input(input_shape)]
    for _ in range(depth):
        layers.append(keras.layers.Conv2D(filters, 3, padding="same", activation="relu"))
        layers.append(keras.layers.MaxPooling2D())
    layers += [keras.layers.Flatten(), keras.layers.Dense(n_classes, activation="softmax")]
    model = keras.Sequential(layers)
    model.compile(optimizer=opt, loss="sparse_categorical_crossentropy")
    return model


def recurrent(units: int, kind: str, opt: str, *, input_shape: Any, n_classes: int) -> Any:
    keras = import_keras()
    layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[kind](units)
    last = keras.layers.Dense(n_classes, activation="softmax")
    model = keras.Sequential([keras.Input(input_shape), layer, last])
    model.compile(optimizer=opt, loss="sparse_categorical_crossentropy")
    return model


def drawn(number: int) -> tuple[KerasCV, dict[str, Any]]:
    """Objective and configuration of this number."""
    rng = np.random.default_rng(number)
    n, classes = int(np.exp(rng.uniform(np.log(300), np.log(20_000)))), int(rng.integers(2, 6))
    conv = number % 5 == 4
    columns = int(rng.choice([64, 144, 256] if conv else [8, 20, 60]))
    X, y = make_classification(
        n, columns, n_informative=6, n_redundant=0, n_classes=classes, random_state=number
    )
    X = X.astype("float32")
    params: dict[str, Any] = {
        "batch_size": int(2 ** rng.integers(4, 9)),
        "opt": str(rng.choice(OPTIMISERS)),
    }
    create_model: Any = convolution if conv else mlp
    if number in RECURRENT:
        create_model = recurrent
        X = X.reshape(n, -1, 4)
        params |= {"units": int(2 ** rng.uniform(2, 6)), "kind": str(rng.choice(["lstm", "gru"]))}
    elif conv:
        side = round(columns**0.5)
        X = X.reshape(n, side, side, 1)
        params |= {"filters": int(2 ** rng.uniform(2, 5.5)), "depth": int(rng.integers(1, 4))}
    else:
        params |= {"n_neurons": int(2 ** rng.uniform(3, 9)), "n_hidden": int(rng.integers(1, 5))}
    updates = np.exp(rng.uniform(*np.log(UPDATES)))
    rows = n * (FOLDS - 1) / FOLDS
    epochs = int(np.clip(round(updates * params["batch_size"] / rows), 2, 100))
    objective = KerasCV(
        create_model, X, y, cv=FOLDS, epochs=epochs,
        patience=epochs if rng.random() < 0.7 else None,
    )  # fmt: skip
    return objective, params


def measure(number: int) -> dict[str, Any]:
    objective, params = drawn(number)
    objective.evaluate(params, seed=0)  # traces
    seconds = []
    for seed in (1, 2):  # under a new seed, or graphs are set up anew
        start = time.process_time()
        folds = objective.evaluate(params, seed=seed).folds
        seconds.append((time.process_time() - start) / FOLDS)
    fold = objective.folds[0]
    task = objective._task(fold, params, objective._prepared[fold], (0, 0))
    extent = {
        "rows": len(task.fit),
        "batch_size": params["batch_size"],
        "epochs": folds[0].epochs,
        "watched": 0 if task.stop is None else len(task.stop),
        "scored": len(fold.test),
    }
    seen = vars(arithmetic(task.build()))
    return {"params": params, "seen": seen, "extent": extent, "seconds": seconds}


def fitted(counted: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Positive constants with the least squared error of the logarithm."""
    start = np.log(np.median(seconds) / counted.mean(axis=0) / len(SECONDS))

    def errors(logs: np.ndarray) -> np.ndarray:
        return np.log(counted @ np.exp(logs)) - np.log(seconds)

    return np.exp(least_squares(errors, start, loss="soft_l1", f_scale=0.1).x)


def told(name: str, work: np.ndarray, seconds: np.ndarray) -> None:
    ratio = np.exp(np.abs(np.log(work / seconds)))
    print(
        f"{name}: {len(work)} configurations of {seconds.min():.3f} to {seconds.max():.1f} s a "
        f"fold: Spearman {spearmanr(work, seconds).statistic:.3f}; off by a factor of "
        f"{np.median(ratio):.2f} in the median, {np.quantile(ratio, 0.9):.2f} at 90 %"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["measure", "fit"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--configurations", type=int, default=240)
    arguments = parser.parse_args()
    done = arguments.file.read_text().splitlines() if arguments.file.exists() else []
    if arguments.action == "measure":
        for number in range(len(done), arguments.configurations):
            with arguments.file.open("a") as file:
                file.write(json.dumps(measure(number)) + "\n")
        return
    measured = [json.loads(line) for line in done]
    counted = np.array(
        [
            [counts(Arithmetic(**one["seen"]), **one["extent"])[name] for name in SECONDS]
            for one in measured
        ]
    )
    seconds = np.array([min(one["seconds"]) for one in measured])
    half = np.arange(len(measured)) % 2 == 0
    found = fitted(counted[half], seconds[half])
    told("held out", counted[~half] @ found, seconds[~half])
    for kind, name in {"n_neurons": "mlp", "filters": "convolutions", "units": "recurrent"}.items():
        chosen = ~half & np.array([kind in one["params"] for one in measured])
        if chosen.any():
            told(f"held out, {name}", counted[chosen] @ found, seconds[chosen])
    told("constants of the package", counted @ np.array([*SECONDS.values()]), seconds)
    for name, value in zip(SECONDS, fitted(counted, seconds), strict=True):
        print(f'    "{name}": {value:.2g},')


if __name__ == "__main__":
    main()
