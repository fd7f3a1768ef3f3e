"""CPU time of one cross-validated configuration: the loop people write against `KerasCV`.

Eight seeded configurations of the ready-made mlp, five folds. For each, in one process and in
turn: the plain loop as a user writes it (build, compile, fit with EarlyStopping, predict), then
`KerasCV` at first sight of the architecture, then `KerasCV` when its trace is known (another
learning rate and seed). Same splits, same stop rows, same stopping rule, one core. The figures
are ratios of CPU seconds per epoch run, so that a run that stops earlier gains nothing by it.

    python benchmarks/training.py small medium large
    python benchmarks/training.py small --cold    # a fresh process each, imports included
    python benchmarks/training.py small --new          # what a new width costs in a known trace
    python benchmarks/training.py small --search 50    # how many points found their trace
    python benchmarks/training.py --frame    # folds of a frame with other numbers of columns
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.metrics import get_scorer
from sklearn.preprocessing import StandardScaler

from gpsearch.evaluation import Evaluation
from gpsearch.execution import search
from gpsearch.objective import KerasCV
from gpsearch.training import mlp, mlp_space
from gpsearch.training.backend import import_keras
from gpsearch.training.compiled import compiled_trainer, program, program_key
from gpsearch.training.seeding import seeded

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


EPOCHS = 20  # of `compare_new`, which all run

# Under a seed that was set before, TensorFlow sets up its graphs anew.
_seeds = itertools.count(1)


def evaluated(objective: KerasCV, params: dict[str, Any], free: bool = True) -> float:
    """CPU seconds of an evaluation, with programs of free shape or of fixed ones."""
    with mock.patch.object(
        compiled_trainer, "has_free_sizes", compiled_trainer.has_free_sizes if free else _never
    ):
        return measured(lambda: objective.evaluate(params, seed=next(_seeds)))[0]


def _never(model: Any) -> bool:
    return False


def compare_new(name: str) -> None:
    """What is new in a known trace, against what is known; and free shapes against fixed ones."""
    print(f"{name}: CPU seconds, all epochs run; ratios of a new setting to a known one, and of a")
    print("known one in a trace of free shape to one in a trace of fixed shape (middle of 5 pairs)")
    changes = [{"n_neurons": n} for n in (16, 128, 512)]
    changes += [{"batch_size": 64}, {"kernel_init": "he_normal"}]
    for opt in ("adam", "sgd", "rmsprop"):
        base = {"n_hidden": 3, "n_neurons": 32, "drop_rate": 0.2, "opt": opt, "momentum": 0.9}
        base |= {"epochs": EPOCHS, "patience": EPOCHS}
        objective, other = objective_of(name), objective_of(name)
        first = evaluated(objective, base)
        evaluated(other, base, free=False)
        for change in changes:
            params = {**base, **change}
            new = evaluated(objective, params)
            new_fixed = evaluated(other, params, free=False)
            pairs = []
            for step in range(5):
                params["learning_rate"] = 1e-3 / 1.1**step
                pairs.append((evaluated(objective, params), evaluated(other, params, free=False)))
            known = statistics.median(pair[0] for pair in pairs)
            fixed = statistics.median(pair[1] for pair in pairs)
            print(
                f"  {opt:8} {change!s:28} first trace {first:.2f}, new {new:.2f}, known "
                f"{known:.2f}: {new / known:.2f}; fixed shapes: new {new_fixed:.2f}, known "
                f"{fixed:.2f}: {new_fixed / fixed:.2f}; known free / fixed "
                f"{statistics.median(a / b for a, b in pairs):.2f}",
                flush=True,
            )


def count_found(name: str, n_calls: int) -> None:
    """Search the ready-made mlp's own space, and count the points whose program was there.

    Each point is evaluated with programs of free shape, then with those of fixed ones.
    """
    for strategy in ("gp", "random"):
        objective, other, rows = objective_of(name), objective_of(name), []
        evaluate = objective.evaluate

        def both(params: dict[str, Any], **options: Any) -> Evaluation:
            traced = [one._trainer.n_traced for one in (objective, other)]  # noqa: B023
            seconds, result = measured(lambda: evaluate(params, **options))  # noqa: B023
            fixed = evaluated(other, params, free=False)  # noqa: B023
            new = [one._trainer.n_traced for one in (objective, other)]  # noqa: B023
            rows.append((seconds, fixed, new[0] > traced[0], new[1] > traced[1]))  # noqa: B023
            return result

        with mock.patch.object(objective, "evaluate", both):
            search(
                objective,
                mlp_space(),
                n_calls=n_calls,
                strategy=strategy,
                racing=None,
                random_state=0,
                progress=False,
            )
        free, fixed, traced, traced_fixed = np.array(rows, float).T
        print(
            f"{name}, {strategy}: {traced.mean():.0%} of {len(free)} points traced anew, "
            f"{traced[len(free) // 2 :].mean():.0%} of the second half, {free.sum():.0f} CPU "
            f"seconds; with fixed shapes {traced_fixed.mean():.0%}, {fixed.sum():.0f} seconds",
            flush=True,
        )


def compare_frame() -> None:
    """Folds of a frame with rare categories, which have other numbers of columns.

    Architectures that are new, by programs of open columns and by one for each number of them.
    """
    rng, n = np.random.default_rng(0), 600
    shares = 1 / np.arange(1, 61)
    frame = pd.DataFrame(rng.normal(size=(n, 2)), columns=["age", "income"])
    for name in ("city", "job"):
        frame[name] = rng.choice([f"{name} {i}" for i in range(60)], n, p=shares / shares.sum())
    target = frame["age"] + rng.normal(size=n) > 0
    open_columns, known = (
        KerasCV(mlp, frame, target, cv=5, epochs=30, patience=5, preprocess="auto") for _ in "ab"
    )
    ratios = []
    for n_hidden, act_func in itertools.product((1, 2, 3), ("relu", "tanh")):
        params = {"n_hidden": n_hidden, "n_neurons": 16, "act_func": act_func}
        seconds = evaluated(open_columns, params)
        with contextlib.ExitStack() as patched:
            for module in (compiled_trainer, program, program_key):
                patched.enter_context(mock.patch.object(module, "has_free_columns", _never))
            of_each = evaluated(known, params)
        if open_columns._trainer.n_traced > 1:  # the first pays for imports
            ratios.append(of_each / seconds)
            print(f"  {params}: {seconds:.2f} s, a program for each number {of_each:.2f} s")
    mean, sd = np.mean(ratios), np.std(ratios, ddof=1)
    print(
        f"frame: {open_columns._trainer.n_traced} programs against {known._trainer.n_traced}; "
        f"{mean:.2f} ± {1.96 * sd / len(ratios) ** 0.5:.2f} times less processor time"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*", default=["small"], help=", ".join(DATA))
    parser.add_argument("--configurations", type=int, default=N_CONFIGURATIONS)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--new", action="store_true")
    parser.add_argument("--search", type=int, metavar="N_CALLS")
    parser.add_argument("--frame", action="store_true")
    parser.add_argument("--alone", choices=["loop", "compiled"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not DATA.keys() >= set(arguments.data):  # as choices=, argparse refuses the default
        parser.error(f"there are {', '.join(DATA)}")
    if hasattr(os, "sched_setaffinity"):  # one core, or idle threads that spin count as work
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if arguments.frame:
        compare_frame()
        return
    for name in arguments.data:
        if arguments.alone:
            alone(name, arguments.alone)
        elif arguments.search:
            count_found(name, arguments.search)
        elif arguments.new:
            compare_new(name)
        elif arguments.cold:
            compare_cold(name)
        else:
            compare(name, range(arguments.configurations))


if __name__ == "__main__":
    main()
