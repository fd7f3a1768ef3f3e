"""Variants of gpsearch's own strategies on the same tasks, paired by task and seed.

Tasks, seeds and noise are the same for every variant. Reported are the mean regret of the families
after some numbers of evaluations, and how much worse it is than that of the first variant, with the
95 % interval of a bootstrap over the seeds of each task. Runs are kept in a folder; a run that
stands there is not repeated.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from peers import BUDGET
from regret import families_mean, incumbent, observe, reference
from tasks import Task

from gpsearch.space import Space
from gpsearch.strategy import History, Strategy

DRAWS = 4000  # of the bootstrap
COMPARED_AT = (10, 15, 20, 50, 100)
Variant = Callable[[Space, int], Strategy]  # of a space and a seed


def with_folds(task: Task, share: float) -> Task:
    """The task with noise of `share` of what lies between its optimum and its reference."""
    best, usual = reference(task, {})
    return replace(task, noise=share * (usual - best), optimum=best, usual=usual)


def search(task: Task, seed: int, variant: Variant, budget: int, folds: bool = False) -> dict:
    """One search with a variant, which is told the noise where it is that of `folds`."""
    strategy = variant(Space(task.dimensions), seed)
    variance = task.noise**2 if folds else np.nan
    rng = np.random.default_rng(1000 + seed)
    points: list[list] = []
    observed: list[float] = []
    true: list[float] = []
    for number in range(budget):
        history = History.of(points, observed, fold_variances=np.full(number, variance))
        points.append(strategy.propose(history, number))
        seen, loss = observe(task, points[-1], rng)
        observed.append(seen)
        true.append(loss)
    return {"observed": observed, "true": true}


def families_difference(tasks: list[Task], differences: np.ndarray) -> str:
    """Mean over the families of (tasks, seeds) paired differences, with its 95 % interval.

    The tasks are given and the seeds are drawn, so the seeds of each task are drawn anew.
    """
    rng = np.random.default_rng(0)
    n_seeds = differences.shape[1]
    drawn = rng.integers(n_seeds, size=(len(tasks), n_seeds * DRAWS))
    means = np.take_along_axis(differences, drawn, axis=1)
    means = means.reshape(len(tasks), DRAWS, n_seeds).mean(axis=2)
    low, high = np.quantile(families_mean(tasks, means), [0.025, 0.975])
    gain = families_mean(tasks, differences.mean(axis=1, keepdims=True))[0]
    return f"{gain:+.3f} ({low:+.3f} to {high:+.3f})"


def arguments(description: str, out: str) -> argparse.ArgumentParser:
    """What the command line says of tasks, runs, and the folder where these are kept."""
    parser = argparse.ArgumentParser(description=description)
    suites = ["all", "synthetic", "mlp", "tables"]
    parser.add_argument("--suite", choices=suites, default="synthetic")
    parser.add_argument("--data", type=Path, help="the folder of the tables")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--budget", type=int, default=BUDGET)
    parser.add_argument("--folds", type=float, help="noise of known variance, 1 being regret 1")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results") / out)
    return parser


def network_tasks(tasks: list[Task]) -> list[Task]:
    """Those that tune networks: their dimensions have the usual names."""
    families = ("network", "failing", "mlp", "fcnet", "lcbench")
    return [task for task in tasks if task.family in families]


def report(
    variants: dict[str, Variant], tasks: list[Task], args: argparse.Namespace, at: Sequence[int]
) -> None:
    """Run what is not run yet, and print the table."""
    out, seeds, at = args.out, args.seeds, [n for n in at if n <= args.budget]
    if args.folds:
        out, tasks = out / f"folds-{args.folds}", [with_folds(one, args.folds) for one in tasks]
    out.mkdir(parents=True, exist_ok=True)
    curves: dict[str, dict[str, list[np.ndarray]]] = {}
    for name, variant in variants.items():
        path = out / f"{name.replace(' ', '-')}.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        for task in tasks:
            for seed in range(seeds):
                done = known.get(f"{task.name}|{seed}", {"true": []})
                if len(done["true"]) < args.budget:
                    known[f"{task.name}|{seed}"] = search(
                        task, seed, variant, args.budget, bool(args.folds)
                    )
            path.write_text(json.dumps(known))
        curves[name] = {
            task.name: [incumbent(known[f"{task.name}|{seed}"]) for seed in range(seeds)]
            for task in tasks
        }
    scales = [reference(task, curves) for task in tasks]
    regret = {  # variant to tasks by seeds by evaluations
        name: np.array(
            [
                np.clip((np.array(of[task.name]) - best) / (usual - best), 0.0, 2.0)
                for task, (best, usual) in zip(tasks, scales, strict=True)
            ]
        )
        for name, of in curves.items()
    }
    compared = [n for n in COMPARED_AT if n <= args.budget]
    heads = [f"@{n}" for n in at] + [f"worse @{n} (95 %)" for n in compared]
    print("| variant | " + " | ".join(heads) + " |")
    print("| --- |" + " --- |" * len(heads))
    base = next(iter(regret))
    for name, values in regret.items():
        mean = families_mean(tasks, values.mean(axis=1))
        cells = [f"{mean[n - 1]:.3f}" for n in at]
        worse = values - regret[base]
        cells += [
            "" if name == base else families_difference(tasks, worse[..., n - 1]) for n in compared
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")
