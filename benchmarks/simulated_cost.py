"""What minding the cost gains: searches at equal cost, of evaluations that differ in cost.

    python benchmarks/simulated_cost.py [recorded.json ...] [--seeds 8] [--out FOLDER]
    python benchmarks/simulated_cost.py [recorded.json ...] --trials 10 [--seeds 8]
    python benchmarks/simulated_cost.py --record digits recorded.json [--minutes 10]

Nothing is trained. The tasks are the synthetic networks of `tasks`, charged with the work of their
size, and forests fitted to recorded trainings, of the score and of the seconds; ``--record`` makes
these, of random configurations of the ready-made network on data of scikit-learn.

The budget is 5 to 40 times the mean cost of a random configuration, and each evaluation is charged
half a second more, which the search is not told. Regret is 0 at the optimum and 1 at the median of
40 random configurations, clipped to [0, 2]. Differences are those from the first variant, over
budgets, tasks and seeds, with the 95 % interval of a bootstrap over the seeds of each task. Runs
are kept in ``--out``; a run that stands there is not repeated. With ``--trials`` the budget is one
of trials, and small, and the variants differ in how many points come before the first model.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.preprocessing import OneHotEncoder
from tasks import synthetic_tasks

import gpsearch as gs
from gpsearch.space import Point, Space
from gpsearch.strategy import History, Strategy
from gpsearch.strategy.gp import GPOptions, GPStrategy, default_initial_points
from gpsearch.strategy.name_priors import NamePrior
from gpsearch.strategy.optimum_prior import BY_NAME
from gpsearch.strategy.random import RandomStrategy

BUDGETS = (5, 10, 20, 40)
UNSEEN = 0.5  # seconds of an evaluation that are no work
MOST = 150  # evaluations of a run
SAMPLE = 4000  # random configurations, for the scale of a task
UNITS, BATCHES = [8, 16, 32, 64, 128, 256, 512], [16, 32, 64, 128, 256]
Values = Callable[[list[Point]], np.ndarray]


@dataclass(kw_only=True)
class CostTask:
    """A loss to minimise, and what an evaluation costs."""

    name: str
    space: Space
    losses: Values
    costs: Values
    noise: float
    optimum: float | None = None
    usual: float = 0.0
    """Median of the best of 40 random configurations."""
    unit: float = 0.0
    """Mean cost of a random configuration."""

    def __post_init__(self) -> None:
        points = self.space.sample(SAMPLE, np.random.default_rng(0))
        losses = self.losses(points)
        self.usual = float(np.quantile(losses, 1.0 - 0.5 ** (1.0 / BUDGETS[-1])))
        self.unit = float(self.costs(points).mean())
        self.optimum = float(losses.min()) if self.optimum is None else self.optimum


# ------------------------------------------------------------------ the tasks


def scattered(points: list[Point], deviation: float) -> np.ndarray:
    """A factor that belongs to each point: epochs differ."""
    rngs = [np.random.default_rng(zlib.crc32(repr(point).encode())) for point in points]
    return np.exp(deviation * np.array([rng.standard_normal() for rng in rngs]))


def work_of_networks(points: list[Point]) -> np.ndarray:
    """Seconds of five trainings with 2,000 rows, 20 columns, 40 epochs, batches of 32."""
    width, depth = np.array([point[1:3] for point in points], dtype=float).T
    weights, steps = 20 * width + (depth - 1) * width**2, 63 * 40
    seconds = 5 * (0.2 + steps * (3e-4 + weights * (1.5e-9 + 32 * 0.14e-9)))
    return seconds * scattered(points, 0.3)


def recorded_task(path: Path) -> CostTask:
    """Forests of the score and the logarithm of the seconds, fitted to recorded trainings."""
    space, rows = gs.Space(network_space()), json.loads(path.read_text())
    Z = space.to_z([space.point(row["params"]) for row in rows])
    unordered = np.flatnonzero(space.categorical)
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore").fit(Z[:, unordered])

    def features(Z: np.ndarray) -> np.ndarray:
        return np.hstack([np.delete(Z, unordered, axis=1), encoder.transform(Z[:, unordered])])

    def fitted(values: np.ndarray, leaf: int) -> Values:
        forest = ExtraTreesRegressor(100, min_samples_leaf=leaf, max_features=0.7, random_state=0)
        forest.fit(features(Z), values)
        return lambda points: forest.predict(features(space.to_z(points)))

    scores = np.array([row["scores"] for row in rows])
    log_cost = fitted(np.log([5 * np.mean(row["seconds"]) for row in rows]), 2)
    return CostTask(
        name=path.stem,
        space=space,
        losses=fitted(-scores.mean(axis=1), 1),
        costs=lambda points: np.exp(log_cost(points)) * scattered(points, 0.2),
        noise=float(np.median(scores.std(axis=1, ddof=1))) / 4,
    )


def losses_of(loss: Callable[[Point], float], points: list[Point]) -> np.ndarray:
    return np.array([loss(point) for point in points])


def all_tasks(paths: list[Path]) -> list[CostTask]:
    networks = [t for t in synthetic_tasks() if t.name in ("network", "network-noisy")]
    return [
        CostTask(
            name=t.name,
            space=Space(t.dimensions),
            losses=functools.partial(losses_of, t.loss),
            costs=work_of_networks,
            noise=t.noise,
            optimum=t.optimum,
        )
        for t in networks
    ] + [recorded_task(path) for path in paths]


def network_space() -> dict[str, Any]:
    """That of the ready-made network, with wider ones and larger batches."""
    return gs.mlp_space() | {
        "n_neurons": {"type": "categorical", "categories": UNITS},
        "batch_size": {"type": "categorical", "categories": BATCHES},
    }


def record(data: str, path: Path, minutes: float) -> None:
    """Train random configurations on three folds, and write their scores and seconds."""
    X, y = getattr(datasets, f"load_{data}")(return_X_y=True)
    objective = gs.KerasCV(
        gs.mlp, X, y, cv=3, preprocess="standardize", scoring="accuracy", epochs=60, patience=10
    )
    space, rng, rows = gs.Space(network_space()), np.random.default_rng(0), []
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        params = space.params(space.sample(1, rng)[0])
        folds = objective.evaluate(params, seed=0).folds
        rows.append(
            {
                "params": params,
                "scores": [fold.score for fold in folds],
                "seconds": [fold.seconds for fold in folds],
            }
        )
        path.write_text(json.dumps(rows))


# ------------------------------------------------------------------ the searches


def minding(exponent: float | None = None, sizes: bool = False) -> Callable[[Space, int], Strategy]:
    """The search with another exponent, or with what is usually expected of sizes."""
    options = GPOptions(cost_exponent=exponent)
    return lambda space, seed: GPStrategy(
        space,
        seed=seed,
        n_calls=10_000,
        cost="work",
        optimum_prior=NamePrior(space) if sizes else BY_NAME,
        options=options,
    )


VARIANTS: dict[str, Callable[[Space, int], Strategy]] = {
    "gp": minding(),
    "improvement / cost": minding(1.0),
    "improvement / square root of cost": minding(0.5),
    "large networks expected": minding(sizes=True),
    "cost=None": lambda space, seed: GPStrategy(space, seed=seed),
    "random": lambda space, seed: RandomStrategy(space, seed=seed),
}


def run(
    task: CostTask, seed: int, strategy: Strategy, budget: float = BUDGETS[-1], most: int = MOST
) -> dict[str, list[float]]:
    """What one search saw, what it was worth, and what was spent so far."""
    rng, points, costs = np.random.default_rng(1000 + seed), [], []
    out: dict[str, list[float]] = {"seen": [], "loss": [], "spent": []}
    spent = 0.0
    while spent < budget * task.unit and len(points) < most:
        history = History.of(points, out["seen"], costs=costs)
        points.append(list(strategy.propose(history, len(points))))
        out["loss"].append(float(task.losses(points[-1:])[0]))
        out["seen"].append(out["loss"][-1] + task.noise * rng.standard_normal())
        costs.append(float(task.costs(points[-1:])[0]))
        spent += costs[-1] + UNSEEN
        out["spent"].append(spent)
    return out


def regret(task: CostTask, found: dict[str, list[float]], budget: float) -> float:
    """Regret of the best seen evaluation that ended within a budget."""
    n = sum(spent <= budget * task.unit for spent in found["spent"])
    if not n:
        return 2.0
    loss = found["loss"][int(np.argmin(found["seen"][:n]))]
    return float(np.clip((loss - task.optimum) / (task.usual - task.optimum), 0.0, 2.0))


def interval(differences: np.ndarray) -> str:
    """Mean of (tasks, seeds) differences, with its 95 % interval over the seeds."""
    rng, (_, n) = np.random.default_rng(0), differences.shape
    drawn = [
        np.mean([row[rng.integers(n, size=n)].mean() for row in differences]) for _ in range(2000)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{differences.mean():+.2f} ({low:+.2f} to {high:+.2f})"


def small_budget(tasks: list[CostTask], n_calls: int, n_seeds: int) -> None:
    """Print the regret after so many trials, by the number of points before the first model."""
    usual = default_initial_points(len(tasks[0].space))
    firsts = {None, max(4, n_calls // 3), 2 * n_calls // 3, min(usual, n_calls)}
    print(f"| first points of {n_calls} | regret | cost | difference |\n| --- |" + " --- |" * 3)
    base = np.zeros(0)
    for first in sorted(firsts, key=lambda first: first or 0):
        found = []
        for task in tasks:
            for seed in range(n_seeds):
                strategy = GPStrategy(
                    task.space, seed=seed, n_calls=n_calls, cost="work", n_initial_points=first
                )
                ran = run(task, seed, strategy, budget=math.inf, most=n_calls)
                found.append([regret(task, ran, math.inf), ran["spent"][-1] / task.unit])
        values = np.array(found).reshape(len(tasks), n_seeds, 2)
        base = values[:, :, 0] if first is None else base
        told = "" if first is None else interval(values[:, :, 0] - base)
        means = " | ".join(f"{value:.2f}" for value in values.mean(axis=(0, 1)))
        print(f"| {first or 'default'} | {means} | {told} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recorded", nargs="*", type=Path)
    parser.add_argument("--record", metavar="DATA")
    parser.add_argument("--trials", type=int)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/simulated_cost"))
    args = parser.parse_args()
    if args.record:
        record(args.record, args.recorded[0], args.minutes)
        return
    if args.trials:
        small_budget(all_tasks(args.recorded), args.trials, args.seeds)
        return
    args.out.mkdir(parents=True, exist_ok=True)
    tasks, values, trials = all_tasks(args.recorded), {}, {}
    for name, make in VARIANTS.items():
        path = args.out / f"{name.replace(' / ', '-').replace(' ', '-')}.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        for task in tasks:
            for seed in range(args.seeds):
                if f"{task.name}|{seed}" not in known:
                    found = run(task, seed, make(task.space, seed))
                    known[f"{task.name}|{seed}"] = found
            path.write_text(json.dumps(known))
        runs = [[known[f"{task.name}|{s}"] for s in range(args.seeds)] for task in tasks]
        values[name] = np.array(  # tasks by seeds by budgets
            [
                [[regret(task, one, budget) for budget in BUDGETS] for one in row]
                for task, row in zip(tasks, runs, strict=True)
            ]
        )
        trials[name] = np.mean([[len(one["spent"]) for one in row] for row in runs])
    base = values[next(iter(VARIANTS))]
    columns = [*(f"@{b}" for b in BUDGETS), "trials", "difference", *(t.name for t in tasks)]
    print("| variant | " + " | ".join(columns) + " |\n| --- |" + " --- |" * len(columns))
    for name, found in values.items():
        cells = [f"{value:.2f}" for value in found.mean(axis=(0, 1))] + [f"{trials[name]:.0f}"]
        cells.append("" if found is base else interval((found - base).mean(axis=2)))
        cells += [f"{value:.2f}" for value in found.mean(axis=(1, 2))]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
