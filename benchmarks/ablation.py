"""Which ingredients of the search make the difference: each is taken away in turn.

``python benchmarks/ablation.py [--seeds 8] [--suite synthetic]``

Every variant is ``GPStrategy`` with one option changed; tasks, seeds, noise and first points are
those of the full search, so differences are paired. Reported are the mean regret of the families
after 20, 30 and 50 evaluations, and how much worse it is than that of the full search at 20 and at
50, with the 95 % interval of a bootstrap over the seeds of each task: where the interval lies
above zero, the ingredient helps. Runs are kept in ``--out``; a run that stands there is not
repeated.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from regret import AT, BUDGET, families_mean, incumbent, observe, reference
from tasks import Task, mlp_tasks, synthetic_tasks

from gpsearch.acquisition import Effort
from gpsearch.space import Space
from gpsearch.strategy import History
from gpsearch.strategy.gp import GPOptions, GPStrategy
from gpsearch.surrogate import Linear, Priors

DRAWS = 4000  # of the bootstrap
COMPARED_AT = (20, 50)
WEAK = Priors(length_strength=1e-3, signal_shape=1.0, signal_rate=1e-3, noise_rate=1e-3)
VARIANTS: dict[str, dict[str, Any]] = {
    "full": {},
    "losses as they are": {"options": GPOptions(shapes=(Linear(),))},
    "weak priors": {"options": GPOptions(priors=WEAK)},
    "mean of the losses as the mean": {"options": GPOptions(priors=Priors(mean_variance=0.0))},
    "plain expected improvement": {"options": GPOptions(augmented=False)},
    "random candidates alone": {"options": GPOptions(effort=Effort(random=800, moves=0, starts=0))},
    "probability of improvement": {"options": GPOptions(acquisition="LogPI")},
    "lower confidence bound": {"options": GPOptions(acquisition="LCB")},
    "5 first points": {"n_initial_points": 5},
    "8 first points in any space": {"n_initial_points": 8},
    "20 first points": {"n_initial_points": 20},
}


def search(task: Task, seed: int, variant: dict[str, Any]) -> dict:
    """One search with a variant of the strategy."""
    strategy = GPStrategy(Space(task.dimensions), seed=seed, **variant)
    rng = np.random.default_rng(1000 + seed)
    points: list[list] = []
    observed: list[float] = []
    true: list[float] = []
    for number in range(BUDGET):
        points.append(strategy.propose(History.of(points, observed), number))
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", choices=["all", "synthetic", "mlp"], default="synthetic")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/ablation"))
    args = parser.parse_args()
    tasks = synthetic_tasks() if args.suite != "mlp" else []
    tasks += mlp_tasks() if args.suite != "synthetic" else []
    args.out.mkdir(parents=True, exist_ok=True)
    curves: dict[str, dict[str, list[np.ndarray]]] = {}
    for name, variant in VARIANTS.items():
        path = args.out / f"{name.replace(' ', '-')}.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        for task in tasks:
            for seed in range(args.seeds):
                if f"{task.name}|{seed}" not in known:
                    known[f"{task.name}|{seed}"] = search(task, seed, variant)
            path.write_text(json.dumps(known))
        curves[name] = {
            task.name: [incumbent(known[f"{task.name}|{seed}"]) for seed in range(args.seeds)]
            for task in tasks
        }
    regret: dict[str, np.ndarray] = {}  # variant to tasks by seeds by evaluations
    scales = {task.name: reference(task, curves) for task in tasks}
    for name, of in curves.items():
        rows = []
        for task in tasks:
            best, usual = scales[task.name]
            scaled = (np.array(of[task.name]) - best) / (usual - best)
            rows.append(np.clip(scaled, 0.0, 2.0))
        regret[name] = np.array(rows)
    at = [f"@{n}" for n in AT] + [f"worse @{n} (95 %)" for n in COMPARED_AT]
    print("| variant | " + " | ".join(at) + " |")
    print("| --- |" + " --- |" * len(at))
    for name, values in regret.items():
        mean = families_mean(tasks, values.mean(axis=1))
        cells = [f"{mean[n - 1]:.3f}" for n in AT]
        if name != "full":
            worse = values - regret["full"]
            cells += [families_difference(tasks, worse[..., n - 1]) for n in COMPARED_AT]
        else:
            cells += [""] * len(COMPARED_AT)
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
