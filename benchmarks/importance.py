"""Whether an order of importance, believed beforehand, makes the search better.

``python benchmarks/importance.py [--seeds 8] [--suite synthetic]``

On the tasks that tune networks, whose dimensions have the classic names: the classic order as a
prior on the length scales, the same order backwards, and staged search, with the rest in the
middle of its range and with a random point of each seed's as the defaults. Tasks, seeds and noise
are the same for all, so differences are paired. Reported are the mean regret of the families after
10, 20, 30 and 50 evaluations, and the mean paired difference from ``gp`` at 20 and 50 with the 95 %
interval of a bootstrap over the seeds: below zero, the belief helps.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ablation import families_difference
from regret import BUDGET, families_mean, incumbent, observe, reference
from tasks import Task, mlp_tasks, synthetic_tasks

from gpsearch.space import Space
from gpsearch.strategy import History, Strategy
from gpsearch.strategy.gp import GPStrategy
from gpsearch.strategy.importance import importance_tiers
from gpsearch.strategy.staged import StagedStrategy

AT, COMPARED_AT = (10, 20, 30, 50), (20, 50)


def backwards(space: Space) -> list[list[str]]:
    """The classic order with its last tier first."""
    tiers = importance_tiers("classic", space.names)
    return [
        [name for name, of in zip(space.names, tiers, strict=True) if of == tier]
        for tier in range(tiers.max(), -1, -1)
    ]


def staged(space: Space, seed: int) -> Strategy:
    return StagedStrategy(space, seed=seed, n_calls=BUDGET)


VARIANTS: dict[str, Callable[[Space, int], Strategy]] = {
    "gp": lambda space, seed: GPStrategy(space, seed=seed),
    "classic prior": lambda space, seed: GPStrategy(space, seed=seed, importance="classic"),
    "backwards": lambda space, seed: GPStrategy(space, seed=seed, importance=backwards(space)),
    "staged": staged,
    "staged from a point": staged,
}


def search(task: Task, seed: int, variant: str) -> dict:
    """One search with a variant of the strategy."""
    space = Space(task.dimensions)
    strategy = VARIANTS[variant](space, seed)
    rng = np.random.default_rng(1000 + seed)
    points: list[list] = []
    observed: list[float] = []
    true: list[float] = []
    for number in range(BUDGET):
        if number == 0 and variant == "staged from a point":
            point = space.sample(1, np.random.default_rng(seed))[0]
        else:
            point = strategy.propose(History.of(points, observed), number)
        seen, loss = observe(task, point, rng)
        points.append(point)
        observed.append(seen)
        true.append(loss)
    return {"observed": observed, "true": true}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", choices=["all", "synthetic", "mlp"], default="synthetic")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/importance"))
    args = parser.parse_args()
    tasks = [task for task in synthetic_tasks() if "network" in task.name]
    tasks = (tasks if args.suite != "mlp" else []) + (
        mlp_tasks() if args.suite != "synthetic" else []
    )
    args.out.mkdir(parents=True, exist_ok=True)
    curves: dict[str, dict[str, list[np.ndarray]]] = {}
    for name in VARIANTS:
        path = args.out / f"{name.replace(' ', '-')}.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        for task in tasks:
            for seed in range(args.seeds):
                if f"{task.name}|{seed}" not in known:
                    known[f"{task.name}|{seed}"] = search(task, seed, name)
                    path.write_text(json.dumps(known))
        curves[name] = {
            task.name: [incumbent(known[f"{task.name}|{seed}"]) for seed in range(args.seeds)]
            for task in tasks
        }
    scales = [reference(task, curves) for task in tasks]
    regret = {
        name: np.array(
            [
                np.clip((np.array(of[task.name]) - best) / (usual - best), 0.0, 2.0)
                for task, (best, usual) in zip(tasks, scales, strict=True)
            ]
        )
        for name, of in curves.items()
    }
    heads = [f"@{n}" for n in AT] + [f"worse @{n} (95 %)" for n in COMPARED_AT]
    print("| variant | " + " | ".join(heads) + " |")
    print("| --- |" + " --- |" * len(heads))
    for name, values in regret.items():
        cells = [f"{families_mean(tasks, values.mean(axis=1))[n - 1]:.3f}" for n in AT]
        worse = values - regret["gp"]
        cells += [families_difference(tasks, worse[..., n - 1]) for n in COMPARED_AT]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
