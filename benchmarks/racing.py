"""What racing saves, and what it costs: the same searches with and without it.

    python benchmarks/racing.py [wine breast_cancer digits diabetes friedman]
        [--rules paired forgiving aggressive] [--n-calls 24] [--seeds 5] [--folder runs/racing]

Each search tunes the six settings of the ready-made mlp that concern its training (one layer
of 16 units), with the same folds and the same seed for every rule. Reported are, against the
search without racing and paired by data set and seed: the final score of the search, the score
of its best configuration on fresh folds, the CPU seconds of the whole search, and the folds
trained.

Differences of scores are given in units of the noise: the standard deviation of the mean of a
cross-validation, ``sqrt(s² / k)`` with the s² of `gpsearch.strategy.history`, of the same data
set. Intervals are those of a paired t test at 95 %; for the CPU seconds, of the log ratio.

At the end each rule is replayed on the trials of the searches without racing: the share of
folds that it would have left, and how many trials it would have stopped that became the
incumbent when all their folds were run.

Each search is one study in the folder, beside it a JSON file with its CPU seconds; a search
that was killed is run anew, one that has ended is read.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import stats
from sklearn import datasets

from gpsearch.execution import search
from gpsearch.execution.rules.racing import RACING
from gpsearch.objective import KerasCV
from gpsearch.strategy.history import FoldStatistics
from gpsearch.study import Study, Trial
from gpsearch.training import mlp, mlp_space

RULES = ["paired", "forgiving", "aggressive"]
SCORING = {
    "wine": "neg_log_loss",
    "breast_cancer": "average_precision",
    "digits": "accuracy",
    "diabetes": "r2",
    "friedman": "r2",
}
ARCHITECTURE = {"n_neurons": 16, "n_hidden": 1, "kernel_init": "glorot_uniform", "act_func": "relu"}
SPACE = mlp_space() | ARCHITECTURE | {"opt": ["adam", "sgd"], "batch_size": [32, 64, 128]}


def objective(data: str) -> KerasCV:
    """A fresh objective, whose programs are still to be traced."""
    if data == "friedman":
        X, y = datasets.make_friedman1(400, n_features=10, noise=1.0, random_state=0)
    else:
        X, y = getattr(datasets, f"load_{data}")(return_X_y=True)
    if SCORING[data] == "r2":
        y = (y - y.mean()) / y.std()
    return KerasCV(
        mlp,
        X,
        y,
        cv=5,
        scoring=SCORING[data],
        epochs=20,
        patience=5,
        preprocess="standardize",
        name=data,
    )


def run(data: str, rule: str | None, seed: int, n_calls: int, folder: Path) -> dict[str, Any]:
    """One search, or its record; the facts of it."""
    stem = folder / f"{data}-{rule or 'off'}-{seed}-{n_calls}"
    path, facts = stem.with_suffix(".db"), stem.with_suffix(".json")
    if not facts.exists():
        path.unlink(missing_ok=True)
        searched = objective(data)
        start = time.process_time()
        study = search(
            searched,
            SPACE,
            n_calls=n_calls,
            study=path,
            random_state=seed,
            racing=rule,
            progress=False,
        )
        seconds = time.process_time() - start
        fresh = searched.with_fresh_folds(1000 + seed).evaluate(study.best_params, seed=seed)
        facts.write_text(json.dumps({"seconds": seconds, "fresh": fresh.score}))
    study = Study.open(path)
    return {
        **json.loads(facts.read_text()),
        "score": study.best_score,
        "folds": sum(len(trial.folds) for trial in study.trials),
        "pooled": FoldStatistics.of(study.trials).pooled,
    }


def interval(values: list[float]) -> tuple[float, float, float]:
    """Mean with the bounds of its 95 % interval."""
    x = np.asarray(values)
    if len(x) < 2:
        return float(x.mean()), float("nan"), float("nan")
    half = stats.t.ppf(0.975, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x))
    return float(x.mean()), float(x.mean() - half), float(x.mean() + half)


def row(name: str, pairs: list[tuple[dict[str, Any], dict[str, Any], float]]) -> str:
    """One line of the table: pairs of (off, raced, noise)."""
    cells = [f"{name:24s} {len(pairs):3d}"]
    for key in ("score", "fresh"):
        mean, low, high = interval([(b[key] - a[key]) / noise for a, b, noise in pairs])
        cells.append(f"{mean:+6.2f} [{low:+6.2f}, {high:+6.2f}]")
    worst = min((b["score"] - a["score"]) / noise for a, b, noise in pairs)
    cells.append(f"{worst:+6.2f}")
    for key in ("seconds", "folds"):
        bounds = np.exp(interval([float(np.log(b[key] / a[key])) for a, b, _ in pairs]))
        cells.append("{:.2f} [{:.2f}, {:.2f}]".format(*bounds))
    return "  ".join(cells)


def replayed(rule: str, paths: list[Path]) -> str:
    """What a rule would have done in searches that ran all folds."""
    left = folds = stopped = lost = trials = 0
    for path in paths:
        done: list[Trial] = []
        for trial in Study.open(path).trials:
            if trial.state != "complete":
                continue
            ran, k = 1, len(trial.folds)
            best = max((one.score for one in done), default=-np.inf)
            while ran < k:
                so_far = dataclasses.replace(trial, folds=trial.folds[:ran], state="running")
                if not RACING[rule](SimpleNamespace(trials=done), so_far):
                    break
                ran += 1
            trials, folds, left = trials + 1, folds + k, left + ran
            stopped, lost = stopped + (ran < k), lost + (ran < k and trial.score > best)
            if ran == k:
                done.append(trial)
    return (
        f"{rule:12s} runs {left / folds:.0%} of the folds, stops {stopped} of {trials} trials, "
        f"{lost} of which became the incumbent"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*", default=list(SCORING), help=", ".join(SCORING))
    parser.add_argument("--rules", nargs="+", default=RULES)
    parser.add_argument("--n-calls", type=int, default=24)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path("runs/racing"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if hasattr(os, "sched_setaffinity"):  # one core, or idle threads that spin count as work
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    # The first trace of a process pays for imports and registrations of TensorFlow's own.
    objective("wine").evaluate({"n_hidden": 1, "n_neurons": 3}, seed=0)

    def searched(rule: str | None, data: str) -> list[dict[str, Any]]:
        found = []
        for seed in range(options.seeds):
            found.append(run(data, rule, seed, options.n_calls, options.folder))
            shown = {name: round(value, 5) for name, value in found[-1].items()}
            print(f"{data} {rule or 'off'} {seed}: {shown}", flush=True)
        return found

    off = {data: searched(None, data) for data in options.data}
    noise = {
        data: float(np.sqrt(np.median([one["pooled"] for one in off[data]]) / 5)) for data in off
    }
    lines = []
    for rule in options.rules:
        pairs = {
            data: [
                (a, b, noise[data]) for a, b in zip(off[data], searched(rule, data), strict=True)
            ]
            for data in off
        }
        lines += [row(f"{rule}, {data}", several) for data, several in pairs.items()]
        lines.append(row(f"{rule}, all", [pair for several in pairs.values() for pair in several]))
    print(
        "\nraced against off             n  final score, in noise      on fresh folds             "
        "worst   CPU seconds, ratio   folds, ratio"
    )
    print("\n".join(lines))
    print("\nreplayed on the searches without racing")
    paths = sorted(options.folder.glob(f"*-off-*-{options.n_calls}.db"))
    for rule in RACING:
        print(replayed(rule, paths))


if __name__ == "__main__":
    main()
