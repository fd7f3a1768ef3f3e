"""Sample efficiency: how close the search is to the optimum after 20, 30 and 50 evaluations.

``python benchmarks/regret.py [--seeds 8] [--optimizers gpsearch,optuna-tpe] [--suite synthetic]``

Runs anywhere: the tasks of `tasks` need no outside data, and the optimisers are those that are
installed. Regret is 0 at the optimum and 1 at the median result of random search after 50
evaluations, clipped to [0, 2], and taken at the noise-free loss of the best observed point. All
optimisers see the same noise. Runs are kept in ``--out``; a run that stands there is not repeated,
and ``--seeds`` is how many are wanted of each, ``--slow-seeds`` of those that take many seconds a
search. ``--summary FILE`` writes what the README shows, and ``make figures`` draws it.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
from peers import installed, make
from scipy.stats import rankdata
from tasks import Task, mlp_tasks, synthetic_tasks

from gpsearch.space import Space

BUDGET, AT = 50, (20, 30, 50)
SLOW = ("optuna-gp", "scikit-optimize")
RANDOM_DRAWS = 20_000  # of a synthetic task, for the median of random search
Curves = dict[str, dict[str, list[np.ndarray]]]  # optimiser to task to a curve for each seed


def observe(task: Task, point: list, rng: np.random.Generator) -> tuple[float, float]:
    """Observed and true loss."""
    true, error = task.loss(point), task.noise * rng.standard_normal()
    return true + error, true


def run(name: str, task: Task, seed: int) -> dict:
    """One search."""
    rng, start = np.random.default_rng(1000 + seed), time.perf_counter()
    optimizer = make(name, task.dimensions, seed)
    observed: list[float] = []
    true: list[float] = []
    while len(observed) < BUDGET:
        point = optimizer.ask()
        seen, loss = observe(task, point, rng)
        optimizer.tell([point], [seen])
        observed.append(seen)
        true.append(loss)
    return {"observed": observed, "true": true, "seconds": time.perf_counter() - start}


def incumbent(record: dict) -> np.ndarray:
    """True loss of the best observed point after each evaluation; inf before a success."""
    best, curve, at = math.inf, [], math.inf
    for seen, true in zip(record["observed"], record["true"], strict=True):
        if seen < best:  # false for NaN
            best, at = seen, true
        curve.append(at)
    return np.array(curve)


def reference(task: Task, curves: Curves) -> tuple[float, float]:
    """Optimum, and random search's median after 50 evaluations."""
    if task.optimum is not None:
        points = Space(task.dimensions).sample(RANDOM_DRAWS, np.random.default_rng(0))
        losses = np.nan_to_num([task.loss(point) for point in points], nan=np.inf)
        # the median of the least of b draws is the 1 - 2^(-1/b) quantile of one
        return task.optimum, float(np.quantile(losses, 1.0 - 0.5 ** (1.0 / BUDGET)))
    known = [curve for of in curves.values() for curve in of[task.name]]
    random = curves.get("random", {}).get(task.name)
    if random is None:
        random = [incumbent(run("random", task, seed)) for seed in range(8)]
    return min(curve[-1] for curve in known), float(np.median([curve[-1] for curve in random]))


def regrets(tasks: list[Task], curves: Curves) -> dict[str, np.ndarray]:
    """Mean regret over the seeds: optimiser to an array of tasks by evaluations."""
    rows: dict[str, list[np.ndarray]] = {name: [] for name in curves}
    for task in tasks:
        best, usual = reference(task, curves)
        for name, of in curves.items():
            scaled = (np.array(of[task.name]) - best) / (usual - best)
            rows[name].append(np.clip(scaled, 0.0, 2.0).mean(axis=0))
    return {name: np.array(row) for name, row in rows.items()}


def families_mean(tasks: list[Task], regret: np.ndarray) -> np.ndarray:
    """Mean over the families of the mean over their tasks, for each evaluation."""
    families = sorted({task.family for task in tasks})
    rows = [[i for i, task in enumerate(tasks) if task.family == family] for family in families]
    return np.mean([regret[row].mean(axis=0) for row in rows], axis=0)


def table(
    tasks: list[Task],
    regret: dict[str, np.ndarray],
    seconds: dict[str, float],
    seeds: dict[str, int],
) -> str:
    names = sorted(regret, key=lambda name: families_mean(tasks, regret[name])[-1])
    ranks = np.mean(
        [rankdata([regret[name][i, -1] for name in names]) for i in range(len(tasks))], axis=0
    )
    lines = [
        "| optimiser | "
        + " | ".join(f"@{n}" for n in AT)
        + " | mean rank | seeds | s per search |",
        "| --- |" + " --- |" * (len(AT) + 3),
    ]
    for name, rank in zip(names, ranks, strict=True):
        mean = families_mean(tasks, regret[name])
        cells = [f"{mean[n - 1]:.3f}" for n in AT] + [
            f"{rank:.2f}",
            str(seeds[name]),
            f"{seconds[name]:.1f}",
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "| regret @50 | " + " | ".join(names) + " |", "| --- |" + " --- |" * len(names)]
    for i, task in enumerate(tasks):
        cells = [f"{regret[name][i, -1]:.2f}" for name in names]
        lines.append(f"| {task.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def failures(records: dict, tasks: list[Task]) -> str:
    """How many of the evaluations failed, on the tasks of which a part of the space does."""
    lines = []
    for task in tasks:
        if task.family != "failing":
            continue
        counts = {
            name: np.mean([sum(map(math.isnan, run["observed"])) for run in of[task.name]])
            for name, of in records.items()
        }
        said = ", ".join(f"{name} {count:.1f}" for name, count in counts.items())
        lines.append(f"failed of {BUDGET} on {task.name}: {said}")
    return "\n".join(lines)


def summary(tasks: list[Task], regret: dict[str, np.ndarray], seeds: dict[str, int]) -> dict:
    """What `plots/make_plots.py` draws."""
    return {
        "tasks": [task.name for task in tasks],
        "seeds": seeds,
        "regret": {
            name: [round(float(r), 4) for r in families_mean(tasks, values)]
            for name, values in regret.items()
        },
    }


def collect(names: list[str], tasks: list[Task], seeds: dict[str, int], out: Path) -> dict:
    """Records of all searches, made where they do not stand in `out` yet."""
    out.mkdir(parents=True, exist_ok=True)
    records: dict = {}
    for name in names:
        path = out / f"{name}.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        for seed in range(seeds[name]):
            for task in tasks:
                key = f"{task.name}|{seed}"
                if key not in known:
                    known[key] = run(name, task, seed)
                    path.write_text(json.dumps(known))
        records[name] = {
            task.name: [known[f"{task.name}|{seed}"] for seed in range(seeds[name])]
            for task in tasks
        }
    return records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--optimizers", default=",".join(installed()))
    parser.add_argument("--suite", choices=["all", "synthetic", "mlp"], default="all")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--slow-seeds", type=int)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/regret"))
    parser.add_argument("--summary", type=Path)
    args = parser.parse_args()
    tasks = synthetic_tasks() if args.suite != "mlp" else []
    tasks += mlp_tasks() if args.suite != "synthetic" else []
    names = args.optimizers.split(",")
    if args.suite != "synthetic" and "random" not in names:
        names.append("random")  # the scale of a task whose optimum is not known
    slow = min(args.seeds, args.slow_seeds or args.seeds)
    seeds = {name: slow if name in SLOW else args.seeds for name in names}
    records = collect(names, tasks, seeds, args.out)
    curves = {
        name: {task: [incumbent(r) for r in runs] for task, runs in of.items()}
        for name, of in records.items()
    }
    seconds = {
        name: float(np.median([r["seconds"] for runs in of.values() for r in runs]))
        for name, of in records.items()
    }
    regret = regrets(tasks, curves)
    counts = {name: len(of[tasks[0].name]) for name, of in records.items()}
    print(table(tasks, regret, seconds, counts), failures(records, tasks), sep="\n\n")
    if args.summary:
        args.summary.write_text(json.dumps(summary(tasks, regret, counts)) + "\n")


if __name__ == "__main__":
    main()
