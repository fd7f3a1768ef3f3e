"""Trials side by side, or the folds of one trial: what several workers find, by a clock.

    python benchmarks/side_by_side.py [recorded.json ...] [--workers 2 4] [--seeds 4] [--out FOLDER]
    python benchmarks/side_by_side.py --measure [--trials 60]

Nothing is trained: the tasks are those of `simulated_cost`. A trial has five folds, which share its
cost; a worker that meets an architecture (categories and depth) for the first time traces it.

========= ==================================================================================
faster    one worker, so many times as fast: what nothing can beat
trials    each worker has a trial of its own, and those that run are pending in the history
folds     the folds of one trial; the next one is proposed when its last fold has ended
mixed     the same, but a worker that finds no fold left begins the next trial
========= ==================================================================================

Regret, as in `simulated_cost`, after equal seconds of the clock: 5 to 40 times the mean cost of a
random configuration, divided by the workers. With ``--measure`` random points are cross-validated
on digits by one worker process and by two; for the ratio of their seconds to mean anything, nothing
else may run on the two cores.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

import numpy as np
from simulated_cost import BUDGETS, MOST, CostTask, all_tasks, interval, regret, scattered
from sklearn.datasets import load_digits

from gpsearch.execution import search
from gpsearch.objective import KerasCV
from gpsearch.space.classic_order import bare_name
from gpsearch.strategy import History
from gpsearch.strategy.gp import GPStrategy
from gpsearch.training import mlp, mlp_space

WAYS = ("trials", "folds", "mixed", "faster")
FOLDS, TRACE = 5, 1.5  # seconds of a trace
DEPTH = ("layers", "depth", "depth_index", "n_hidden")


def program(task: CostTask, point: list) -> tuple:
    """The architecture of a point: programs serve all widths."""
    names = [bare_name(name) for name in task.space.names]
    fixed = [c or name in DEPTH for c, name in zip(task.space.categorical, names, strict=True)]
    return tuple(value for value, of_it in zip(point, fixed, strict=True) if of_it)


def run(task: CostTask, seed: int, workers: int, way: str) -> dict[str, list[float]]:
    """What one search saw, what it was worth, and the clock at its end, times the workers."""
    speed, at_once = (workers, 1) if way == "faster" else (1, workers)
    parts = FOLDS if way in ("folds", "mixed") else 1
    strategy = GPStrategy(task.space, seed=seed, n_calls=10_000, cost="work")
    free, known = [0.0] * at_once, [set() for _ in range(at_once)]
    points, losses, costs, seen, ended, queue = [], [], [], [], [], []
    while len(points) < MOST:
        if way == "folds" and not queue:
            free = [max(free)] * at_once
        worker = int(np.argmin(free))
        now = free[worker]
        if now * workers >= BUDGETS[-1] * task.unit:
            break
        if not queue:
            number = len(points)
            done = [i for i in range(number) if ended[i] <= now]
            history = History.of(
                *([values[i] for i in done] for values in (points, seen)),
                costs=[costs[i] for i in done],
                pending=[points[i] for i in range(number) if ended[i] > now],
            )
            points.append(list(strategy.propose(history, number)))
            losses.append(float(task.losses(points[-1:])[0]))
            noise = task.noise * np.random.default_rng([1000 + seed, number]).standard_normal()
            seen.append(losses[-1] + noise)
            costs.append(float(task.costs(points[-1:])[0]))
            ended.append(0.0)
            queue = [number] * parts
        number = queue.pop()
        seconds = costs[number] / parts
        if parts > 1:
            seconds *= float(scattered([[*points[number], len(queue)]], 0.2)[0])
        if (architecture := program(task, points[number])) not in known[worker]:
            known[worker].add(architecture)
            seconds += TRACE
        free[worker] = now + seconds / speed
        ended[number] = max(ended[number], free[worker])
    order = np.argsort(ended, kind="stable")
    found = {"seen": seen, "loss": losses, "spent": np.multiply(ended, workers)}
    return {name: [float(values[i]) for i in order] for name, values in found.items()}


def simulate(tasks: list[CostTask], workers: int, seeds: int, out: Path) -> None:
    """Print the table of so many workers; runs that stand in `out` are not repeated."""
    out.mkdir(parents=True, exist_ok=True)
    values = {}
    for way in WAYS:
        path = out / f"{way}-{workers}.json"
        runs = json.loads(path.read_text()) if path.exists() else {}
        for task in tasks:
            for seed in range(seeds):
                if f"{task.name}|{seed}" not in runs:
                    runs[f"{task.name}|{seed}"] = run(task, seed, workers, way)
            path.write_text(json.dumps(runs))
        values[way] = np.array(  # tasks by seeds by budgets
            [
                [[regret(t, runs[f"{t.name}|{s}"], b) for b in BUDGETS] for s in range(seeds)]
                for t in tasks
            ]
        )
    columns = [*(f"@{b}/{workers}" for b in BUDGETS), "difference", *(t.name for t in tasks)]
    print(f"| {workers} workers | " + " | ".join(columns) + " |\n| --- |" + " --- |" * len(columns))
    for way, found in values.items():
        cells = [f"{value:.2f}" for value in found.mean(axis=(0, 1))]
        cells.append("" if way == WAYS[0] else interval((found - values[WAYS[0]]).mean(axis=2)))
        cells += [f"{value:.2f}" for value in found.mean(axis=(1, 2))]
        print(f"| {way} | " + " | ".join(cells) + " |")


def seconds_of(n_jobs: int, trials: int, seed: int) -> float:
    """Wall time of random trials, from the first start to the last end, without imports."""
    X, y = load_digits(return_X_y=True)
    objective = KerasCV(
        mlp, X, y, cv=FOLDS, scoring="accuracy", preprocess="standardize", epochs=30, patience=5
    )
    study = search(
        objective,
        mlp_space(),
        n_calls=trials,
        strategy="random",
        n_jobs=n_jobs,
        isolate=True,
        racing=None,
        random_state=seed,
        progress=False,
    )
    return max(trial.ended for trial in study.trials) - min(t.started for t in study.trials)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recorded", nargs="*", type=Path)
    parser.add_argument("--workers", nargs="+", type=int, default=[2, 4])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/side_by_side"))
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--trials", type=int, default=60)
    args = parser.parse_args()
    if args.measure:
        ratios = []
        for seed in range(args.seeds):
            one, two = (seconds_of(n_jobs, args.trials, seed) for n_jobs in (1, 2))
            ratios.append(one / two)
            print(f"{args.trials} trials: {one:.1f} s by one, {two:.1f} s by two")
        print(f"{statistics.median(ratios):.2f} times the trials a second, in the median")
        return
    tasks = all_tasks(args.recorded)
    for workers in args.workers:
        simulate(tasks, workers, args.seeds, args.out)


if __name__ == "__main__":
    main()
