"""What racing gains: searches at equal cost, of evaluations in folds, with racing and without.

    python benchmarks/simulated_racing.py [--seeds 8] [--noise 0.5] [--dead 0] [--out FOLDER]

Nothing is trained. The tasks are the synthetic ones of `tasks`. A fold's loss is the task's, and
what the fold is harder or easier for all, and noise: six tenths of its variance are drawn for each
fold of each trial, the others are a smooth function of the configuration, one for each fold, for
folds differ in what suits them. Both have a standard deviation of ``--noise``, where regret 1 is
the median that random search reaches with 50 configurations, and 0 the optimum. The worst
configurations, a share ``--dead`` of the space, train to nothing: all have the loss of the best of
them on every fold, but for a fiftieth of the noise.

An evaluation costs 1 for each fold that ran, and 0.5 for its model. After a budget, in
cross-validations of five folds, the regret of the best score so far is that of its configuration
without noise, clipped to [-2, 2]. Differences are those from the first variant, with the 95 %
interval of a bootstrap over the seeds of each task. Runs are kept in ``--out``; a run that stands
there is not repeated.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
from regret import reference
from simulated_cost import interval
from tasks import Task, synthetic_tasks

import gpsearch as gs
from gpsearch.errors import TrialFailedError
from gpsearch.evaluation import Evaluation, FoldResult, OnFold, run_folds
from gpsearch.space import Space

FOLDS, OF_MODEL = 5, 0.5
BUDGETS = (10, 15, 20, 30, 40, 60)
OWN = 0.6  # share of the variance that is drawn for each fold of each trial
WAVES = 60  # of a smooth function
DRAWN = 3000  # configurations, of which the worst are told
OF_DEAD = 0.02  # of the noise, on the folds of what trains to nothing
VARIANTS: dict[str, dict[str, Any]] = {"all folds": {"racing": None}, "paired": {}}


class Simulated:
    """A task as a cross-validation, on folds that belong to a seed."""

    n_folds = FOLDS

    def __init__(self, task: Task, deviation: float, seed: int, dead: float) -> None:
        rng = np.random.default_rng([5, seed])
        self.name, self.task, self.space = task.name, task, Space(task.dimensions)
        self.deviation, d = deviation, len(self.space)
        self.effects = rng.normal(size=FOLDS)
        self.waves = rng.normal(size=(FOLDS, WAVES, d)) * 4 / math.sqrt(d)
        self.phases = rng.uniform(0, 2 * math.pi, (FOLDS, WAVES))
        self.heights = rng.normal(size=(FOLDS, WAVES)) * math.sqrt(2 / WAVES)
        drawn = self.space.sample(DRAWN, np.random.default_rng(0)) if dead else []
        losses = np.array([task.loss(point) for point in drawn])
        self.worst = float(np.nanquantile(losses, 1 - dead)) if dead else math.inf

    def validate(self, space: Space) -> None:
        """All of them can be evaluated."""

    def fingerprint(self) -> str:
        """Of the task alone: no study is continued."""
        return self.name

    def describe(self) -> dict[str, Any]:
        """Nothing to tell."""
        return {}

    def evaluate(
        self,
        params: dict[str, Any],
        *,
        seed: int,
        on_fold: OnFold | None = None,
        done: tuple[FoldResult, ...] = (),
    ) -> Evaluation:
        """See `gpsearch.evaluation.Objective`."""
        point = self.space.point(params)
        loss = self.task.loss(point)
        if math.isnan(loss):
            raise TrialFailedError("diverged")
        phase = self.waves @ self.space.to_z([point])[0] + self.phases
        smooth = (self.heights * np.cos(phase)).sum(axis=1)
        drawn = np.random.default_rng([9, seed]).normal(size=FOLDS)
        noise = math.sqrt(OWN) * drawn + math.sqrt(1 - OWN) * smooth + self.effects
        if loss > self.worst:
            loss, noise = self.worst, OF_DEAD * drawn
        scores = -(loss + self.deviation * noise)
        results = (FoldResult(fold=j, score=float(s)) for j, s in enumerate(scores))
        return run_folds(results, on_fold, done)


def run(
    task: Task, seed: int, noise: float, dead: float, options: dict[str, Any]
) -> dict[str, list[float]]:
    """What one search had spent after each trial, and the regret of its best then."""
    best, usual = reference(task, {})
    objective = Simulated(task, noise * (usual - best), seed, dead)
    found: dict[str, list[float]] = {"spent": [], "regret": []}

    def over(study: gs.Study) -> bool:
        spent = sum(OF_MODEL + len(trial.folds) for trial in study.trials)
        if study.complete:
            point = objective.space.point(dict(study.best_trial.params))
            found["spent"].append(spent)
            found["regret"].append((task.loss(point) - best) / (usual - best))
        return spent >= BUDGETS[-1] * (OF_MODEL + FOLDS)

    gs.search(
        objective,
        objective.space,
        n_calls=10_000,
        random_state=seed,
        stop=over,
        confirm=False,
        progress=False,
        **options,
    )
    return found


def regret(found: dict[str, list[float]], budget: float) -> float:
    """Of the best trial that began within a budget."""
    n = sum(spent <= budget * (OF_MODEL + FOLDS) + FOLDS for spent in found["spent"])
    return float(np.clip(found["regret"][n - 1], -2.0, 2.0)) if n else 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--noise", type=float, default=0.5)
    parser.add_argument("--dead", type=float, default=0.0)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/simulated_racing"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    logging.getLogger("gpsearch").setLevel(logging.ERROR)  # a third of one task fails
    # those with noise of their own are the same tasks
    tasks = [task for task in synthetic_tasks() if not task.name.endswith("-noisy")]
    path = args.out / f"{args.noise}-{args.dead}.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    for seed in range(args.seeds):
        for task in tasks:
            for name, options in VARIANTS.items():
                key = f"{name}|{task.name}|{seed}"
                if key not in known:
                    known[key] = run(task, seed, args.noise, args.dead, options)
                    path.write_text(json.dumps(known))
    values = {
        name: np.array(  # budgets by tasks by seeds
            [
                [
                    [regret(known[f"{name}|{task.name}|{s}"], budget) for s in range(args.seeds)]
                    for task in tasks
                ]
                for budget in BUDGETS
            ]
        )
        for name in VARIANTS
    }
    base = next(iter(values.values()))
    print("| variant | trials | " + " | ".join(f"@{b}" for b in BUDGETS) + " |")
    print("| --- | --- |" + " --- |" * len(BUDGETS))
    for name, found in values.items():
        n = np.mean([len(one["spent"]) for key, one in known.items() if key.startswith(name)])
        cells = [f"{of.mean():.2f}" for of in found]
        if name != next(iter(values)):
            cells = [f"{cell}, {interval(d)}" for cell, d in zip(cells, found - base, strict=True)]
        print(f"| {name} | {n:.0f} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
