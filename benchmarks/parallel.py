"""Four evaluations at a time: how running points are counted, and what it costs.

``python benchmarks/parallel.py [--seeds 4] [--at-once 4]``

Searches of the synthetic tasks, in rounds of so many points. All variants have the same first
points, the same noise and the same budget of evaluations, one at a time a quarter of them at once:

================= ==========================================================================
one at a time     what four at a time cannot reach in as many evaluations
believer          a running point counts as evaluated, with the mean that the process predicts
cl_min            it counts as evaluated with the least loss so far: a constant lie
joint samples     each point is the best of a joint sample of the losses of 1,000 candidates:
                  Thompson sampling, which needs no fantasy
================= ==========================================================================
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from regret import AT, BUDGET, families_mean, incumbent, observe, regrets
from scipy.linalg import solve_triangular
from tasks import Task, synthetic_tasks

import gpsearch
from gpsearch.space import Point, Space
from gpsearch.strategy import History, trial_rng
from gpsearch.strategy.gp import GPStrategy, default_initial_points
from gpsearch.surrogate.kernels import matern52_correlation, scaled_sq_dist

CANDIDATES, JITTER = 1000, 1e-6
LIKELY_TO_FAIL = 1e3  # what a candidate that the model of failures warns of is made worse by


class Lying:
    """``gpsearch.Optimizer`` with one of its lies."""

    def __init__(self, task: Task, seed: int, lie: str) -> None:
        self._optimizer = gpsearch.Optimizer(task.dimensions, random_state=seed)
        self._lie = lie

    def ask(self, n: int) -> list[Point]:
        """Give `n` points."""
        return self._optimizer.ask(n, self._lie)

    def tell(self, points: list[Point], losses: list[float]) -> None:
        """Record losses."""
        self._optimizer.tell(points, losses)


class JointSamples:
    """The best candidates of joint samples of the losses, of the same process."""

    def __init__(self, task: Task, seed: int) -> None:
        self._space, self._seed = Space(task.dimensions), seed
        self._optimizer = gpsearch.Optimizer(task.dimensions, random_state=seed)  # first points
        self._strategy = GPStrategy(self._space, seed=seed)
        self._points: list[Point] = []
        self._losses: list[float] = []

    def ask(self, n: int) -> list[Point]:
        """Give `n` points."""
        history = History.of(self._points, self._losses)
        first = len(self._points) < default_initial_points(len(self._space))
        if first or history.failed.all():
            return self._optimizer.ask(n)
        rng = trial_rng(self._seed, len(self._points))
        process = self._strategy.process(history)
        C = self._candidates(rng, process.Z[np.argsort(process.t)[:6]])
        k = process.hyperparameters.signal * matern52_correlation(
            scaled_sq_dist(C, C, process.hyperparameters.weights, process.categorical)
        )
        k_z = process.mean_variance + process.hyperparameters.signal * matern52_correlation(
            scaled_sq_dist(process.Z, C, process.hyperparameters.weights, process.categorical)
        )
        whitened = solve_triangular(process.factor, k_z, lower=True)
        covariance = k + process.mean_variance - whitened.T @ whitened
        root = np.linalg.cholesky(covariance + JITTER * np.eye(len(C)))
        mean = process.predict(C)[0]
        if history.failed.any():
            acquisition, _ = self._strategy.acquisition(history)
            likely = acquisition.model.log_probability(C) < np.log(0.5)
            mean = mean + LIKELY_TO_FAIL * likely
        batch: list[Point] = []
        seen = {self._space.key(point) for point in self._points}
        for sample in (mean[:, None] + root @ rng.standard_normal((len(C), n))).T:
            ranked = (self._space.from_z(C[row][None])[0] for row in np.argsort(sample))
            point = next(point for point in ranked if self._space.key(point) not in seen)
            seen.add(self._space.key(point))
            batch.append(point)
        return batch

    def tell(self, points: list[Point], losses: list[float]) -> None:
        """Record losses."""
        self._optimizer.tell(points, losses)
        self._points += points
        self._losses += losses

    def _candidates(self, rng: np.random.Generator, around: np.ndarray) -> np.ndarray:
        """Random points, and moves of a few coordinates from the best ones."""
        half = CANDIDATES // 2
        cloud = self._space.quantile(rng.random((half, len(self._space))))
        moved = around[rng.integers(len(around), size=half)]
        fresh = self._space.quantile(rng.random(moved.shape))
        near = np.clip(moved + 0.1 * rng.standard_normal(moved.shape), 0.0, 1.0)
        changes = rng.random(moved.shape) < 2.0 / len(self._space)
        goal = np.where(self._space.categorical, fresh, near)
        moves = self._space.snap(np.where(changes, goal, moved))
        return np.unique(np.concatenate([cloud, moves]), axis=0)


VARIANTS = {
    "one at a time": lambda task, seed: Lying(task, seed, "believer"),
    "believer": lambda task, seed: Lying(task, seed, "believer"),
    "cl_min": lambda task, seed: Lying(task, seed, "cl_min"),
    "joint samples": JointSamples,
}


def run(name: str, task: Task, seed: int, at_once: int) -> dict:
    """One search."""
    optimizer, rng = VARIANTS[name](task, seed), np.random.default_rng(1000 + seed)
    observed: list[float] = []
    true: list[float] = []
    while len(observed) < BUDGET:
        size = 1 if name == "one at a time" else at_once
        points = optimizer.ask(min(size, BUDGET - len(observed)))
        losses = [observe(task, point, rng) for point in points]
        optimizer.tell(points, [seen for seen, _ in losses])
        observed += [seen for seen, _ in losses]
        true += [loss for _, loss in losses]
    return {"observed": observed, "true": true}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/parallel"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    tasks, curves = synthetic_tasks(), {}
    for name in VARIANTS:
        path = args.out / f"{name.replace(' ', '-')}-{args.at_once}.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        for seed in range(args.seeds):
            for task in tasks:
                if f"{task.name}|{seed}" not in known:
                    known[f"{task.name}|{seed}"] = run(name, task, seed, args.at_once)
                    path.write_text(json.dumps(known))
        curves[name] = {
            task.name: [incumbent(known[f"{task.name}|{seed}"]) for seed in range(args.seeds)]
            for task in tasks
        }
    print("| variant | " + " | ".join(f"@{n}" for n in AT) + " |")
    print("| --- |" + " --- |" * len(AT))
    for name, values in regrets(tasks, curves).items():
        mean = families_mean(tasks, values)
        print(f"| {name} | " + " | ".join(f"{mean[n - 1]:.3f}" for n in AT) + " |")


if __name__ == "__main__":
    main()
