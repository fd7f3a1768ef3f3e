"""CPU time of one cross-validated configuration: the loop people write against `KerasCV`.

Eight seeded configurations of the ready-made mlp, five folds. For each, in one process and in
turn: the plain loop as a user writes it (build, compile, fit with EarlyStopping, predict), then
`KerasCV` at first sight of the architecture, then `KerasCV` when its trace is known (another
learning rate and seed). Same splits, same stop rows, same stopping rule, one core. The figures
are ratios of CPU seconds per epoch run, so that a run that stops earlier gains nothing by it.

    python benchmarks/training.py small medium large
    python benchmarks/training.py small --cold    # a fresh process each, imports included
    python benchmarks/training.py small --search 50    # how many points found their trace
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.metrics import get_scorer
from sklearn.preprocessing import StandardScaler

from gpsearch.evaluation import Evaluation
from gpsearch.execution import search
from gpsearch.objective import KerasCV
from gpsearch.training import mlp, mlp_space
from gpsearch.training.backend import import_keras, seeded

N_CONFIGURATIONS = 8

# name: data, epochs at most, patience
DATA: dict[str, tuple[Callable[[], Any], int, int]] = {
    "small": (lambda: load_breast_cancer(return_X_y=True), 50, 10),
    "medium": (lambda: load_digits(return_X_y=True), 30, 10),
    "large": (lambda: make_classification(20_000, 30, n_informative=10, random_state=0), 4, 4),
}


def configuration(number: int) -> dict[str, Any]:
    """A configuration drawn from the usual ranges."""
    rng = np.random.default_rng([20, number])
    return {
        "n_hidden": int(rng.integers(1, 5)),
        "n_neurons": int(2 ** rng.uniform(4, 8)),
        "learning_rate": float(10 ** rng.uniform(-4, -1)),
        "momentum": float(rng.uniform(0, 0.95)),
        "decay": float(10 ** rng.uniform(-6, -2)),
        "drop_rate": float(rng.uniform(0, 0.5)),
        "act_func": str(rng.choice(["relu", "tanh", "elu"])),
        "kernel_init": str(rng.choice(["glorot_uniform", "he_normal"])),
        "opt": str(rng.choice(["adam", "sgd", "rmsprop", "adagrad", "adadelta"])),
        "batch_size": int(rng.choice([32, 64, 128])),
    }


def plain_loop(objective: KerasCV, params: dict[str, Any]) -> tuple[float, int]:
    """What a user writes; mean score and epochs run."""
    keras = import_keras()
    settings = objective.settings
    X, target = objective.X, objective.target
    arguments = {name: value for name, value in params.items() if name != "batch_size"}
    facts = {"input_shape": X.shape[1:], "n_outputs": target.n_outputs, "target_kind": target.kind}
    scorer, scores, epochs = get_scorer("accuracy"), [], 0
    for fold in objective.folds:
        scaler = StandardScaler().fit(X[fold.train])
        with seeded(fold.index):
            model = mlp(**arguments, **facts)
            history = model.fit(
                scaler.transform(X[fold.fit]),
                target.encoded[fold.fit],
                validation_data=(scaler.transform(X[fold.stop]), target.encoded[fold.stop]),
                batch_size=params["batch_size"],
                epochs=settings.epochs,
                callbacks=[
                    keras.callbacks.EarlyStopping(
                        patience=settings.patience, restore_best_weights=True
                    )
                ],
                verbose=0,
            )
            outputs = model.predict(scaler.transform(X[fold.test]), verbose=0)
        epochs += len(history.epoch)
        labels = outputs.argmax(1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0.5).astype(int)
        scores.append(scorer._score_func(target.encoded[fold.test], labels))
    return float(np.mean(scores)), epochs


def measured(call: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of all threads of this process, and the result."""
    gc.collect()
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def epochs_of(evaluation: Evaluation) -> int:
    return sum(fold.epochs or 0 for fold in evaluation.folds)


def compare(name: str, numbers: range) -> None:
    load, epochs, _ = DATA[name]
    X, y = load()
    # The first trace of a process pays for imports and registrations of TensorFlow's own.
    KerasCV(mlp, X[:100], y[:100], cv=2, epochs=1)({"n_hidden": 1, "n_neurons": 3})
    print(f"{name}: {X.shape[0]} x {X.shape[1]}, up to {epochs} epochs, CPU seconds")
    print("  #  loop (epochs)   first (epochs)   known (epochs)   loop/first  loop/known  scores")
    ratios: dict[str, list[float]] = {"first": [], "known": [], "raw first": [], "raw known": []}
    totals = np.zeros(3)
    for number in numbers:
        params = configuration(number)
        objective = objective_of(name)
        loop, (loop_score, loop_epochs) = measured(lambda: plain_loop(objective, params))  # noqa: B023
        first, at_first = measured(lambda: objective.evaluate(params, seed=number))  # noqa: B023
        other = {**params, "learning_rate": 0.9 * params["learning_rate"]}
        known, at_known = measured(lambda: objective.evaluate(other, seed=number + 100))  # noqa: B023
        totals += (loop, first, known)
        ratios["raw first"].append(loop / first)
        ratios["raw known"].append(loop / known)
        ratios["first"].append(loop / loop_epochs / (first / epochs_of(at_first)))
        ratios["known"].append(loop / loop_epochs / (known / epochs_of(at_known)))
        print(
            f"  {number}  {loop:6.2f} ({loop_epochs:3d})   {first:6.2f} ({epochs_of(at_first):3d})"
            f"    {known:6.2f} ({epochs_of(at_known):3d})    {ratios['first'][-1]:6.1f}"
            f"      {ratios['known'][-1]:6.1f}    {loop_score:.3f} {at_first.score:.3f}",
            flush=True,
        )
    print(
        f"  mean of ratios per epoch: first {statistics.fmean(ratios['first']):.1f}, known "
        f"{statistics.fmean(ratios['known']):.1f}; mean of raw ratios: first "
        f"{statistics.fmean(ratios['raw first']):.1f}, known "
        f"{statistics.fmean(ratios['raw known']):.1f}; ratio of total seconds: first "
        f"{totals[0] / totals[1]:.1f}, known {totals[0] / totals[2]:.1f}"
    )


def objective_of(name: str) -> KerasCV:
    load, epochs, patience = DATA[name]
    X, y = load()
    return KerasCV(
        mlp,
        X,
        y,
        cv=5,
        scoring="accuracy",
        epochs=epochs,
        patience=patience,
        preprocess="standardize",
    )


def alone(name: str, way: str) -> None:
    """Evaluate the first configuration, and print the CPU seconds of this whole process."""
    objective = objective_of(name)
    if way == "loop":
        plain_loop(objective, configuration(0))
    else:
        objective.evaluate(configuration(0), seed=0)
    print(time.process_time())


def compare_cold(name: str) -> None:
    """From the start of a process to its first result."""
    seconds = {}
    for way in ("loop", "compiled"):
        command = [sys.executable, __file__, name, "--alone", way]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds[way] = float(done.stdout.split()[-1])
    print(
        f"{name}, first result from a cold start: loop {seconds['loop']:.1f}, compiled "
        f"{seconds['compiled']:.1f} CPU seconds, {seconds['loop'] / seconds['compiled']:.1f} times"
    )


def count_found(name: str, n_calls: int) -> None:
    """Search the ready-made mlp's own space, and count the points whose program was there."""
    for strategy in ("gp", "random"):
        objective = objective_of(name)
        traced = [0]
        search(
            objective,
            mlp_space(),
            n_calls=n_calls,
            strategy=strategy,
            random_state=0,
            callback=lambda _: traced.append(objective._trainer.n_traced),  # noqa: B023
            progress=False,
        )
        found = np.diff(traced) == 0
        half = len(found) // 2
        print(
            f"{name}, {strategy}: {found.mean():.0%} of {len(found)} points found their trace, "
            f"{found[half:].mean():.0%} of the second half",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*", default=["small"], choices=list(DATA))
    parser.add_argument("--configurations", type=int, default=N_CONFIGURATIONS)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--search", type=int, metavar="N_CALLS")
    parser.add_argument("--alone", choices=["loop", "compiled"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):  # one core, or idle threads that spin count as work
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for name in arguments.data:
        if arguments.alone:
            alone(name, arguments.alone)
        elif arguments.search:
            count_found(name, arguments.search)
        elif arguments.cold:
            compare_cold(name)
        else:
            compare(name, range(arguments.configurations))


if __name__ == "__main__":
    main()
