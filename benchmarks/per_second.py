"""What improvement for each second saves where some configurations train far longer than others.

First Branin's function, charged with simulated seconds. Then boosted trees on breast cancer data:
from 5 to 500 trees of depth 1 to 6, so that the slowest configuration takes over a hundred times
as long as the fastest. The strategies ``gp`` and ``gp_per_second`` search the same folds with the
same seeds, each for the same CPU time, their proposals included. The target is what random search
reaches in that time, in the median of the repeats. Run it with

    OMP_NUM_THREADS=1 python benchmarks/per_second.py results.json

Runs are kept in the file, and the same call continues. Prints for each strategy the best score
and the CPU seconds to the target, and the ratio of these for the same seed.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier

import gpsearch as gs
from gpsearch.evaluation import Evaluation, FoldResult
from gpsearch.execution import TargetScore

SPACE = {
    "n_estimators": gs.Integer(5, 500, prior="log-uniform"),
    "max_depth": gs.Integer(1, 6),
    "learning_rate": gs.Real(0.01, 1.0, prior="log-uniform"),
    "subsample": gs.Real(0.3, 1.0),
    "max_features": gs.Real(0.1, 1.0),
}
STRATEGIES = ("random", "gp", "gp_per_second")
BUDGET = 12.0  # CPU seconds of a run
REPEATS = 12


def run(strategy, seed):
    """Best score so far and CPU seconds so far, after each trial."""
    X, y = load_breast_cancer(return_X_y=True)
    objective = gs.EstimatorCV(
        GradientBoostingClassifier(), X, y, cv=3, scoring="neg_log_loss", error_score="raise"
    )
    spent = []
    started = time.process_time()

    def over(study):
        if len(study.trials) > len(spent):
            spent.append(time.process_time() - started)
        return bool(spent) and spent[-1] >= BUDGET

    study = gs.search(
        objective,
        SPACE,
        n_calls=10_000,
        strategy=strategy,
        random_state=seed,
        stop=over,
        progress=False,
    )
    best = np.maximum.accumulate([trial.score for trial in study.trials])
    return {"best": best.tolist(), "spent": spent}


class Branin:
    """Branin's function: three equal minima, of which the left one is the quickest to evaluate.

    An evaluation is charged from 1 second at the left edge to 100 at the right one, without
    waiting for them. A plain search goes to any of the minima.
    """

    name, n_folds = "branin", 1

    def validate(self, space):
        """Everything can be evaluated."""

    def fingerprint(self):
        """One function, one digest."""
        return self.name

    def describe(self):
        """What a reader is told."""
        return {"name": self.name, "n_folds": self.n_folds}

    def evaluate(self, params, *, seed, on_fold=None, done=()):
        """The negated loss, and the seconds that it is charged."""
        a, b = params["a"], params["b"]
        loss = (b - 5.1 * a**2 / (4 * np.pi**2) + 5 * a / np.pi - 6) ** 2
        loss += 10 * (1 - 1 / (8 * np.pi)) * np.cos(a) + 10
        seconds = float(100 ** ((a + 5) / 15))
        return Evaluation(folds=(FoldResult(fold=0, score=-float(loss), seconds=seconds),))


def charged_until(strategy, seed, within=0.1, least=0.397887):
    """Seconds charged until a loss within 0.1 of the minimum, in 60 evaluations at most."""
    study = gs.search(
        Branin(),
        {"a": gs.Real(-5.0, 10.0), "b": gs.Real(0.0, 15.0)},
        n_calls=60,
        strategy=strategy,
        random_state=seed,
        stop=TargetScore(score=-least - within),
        progress=False,
    )
    return sum(trial.folds[0].seconds for trial in study.trials)


def best_within(result):
    """The best score of the trials that ended within the budget."""
    return max(b for b, s in zip(result["best"], result["spent"], strict=True) if s <= BUDGET)


def time_to(target, result):
    """CPU seconds until `target` was reached; the budget where it was not."""
    reached = [s for b, s in zip(result["best"], result["spent"], strict=True) if b >= target]
    return min([*reached[:1], BUDGET])


def main(path=None):
    charged = {
        s: np.array([charged_until(s, seed) for seed in range(REPEATS)]) for s in STRATEGIES[1:]
    }
    for s, seconds in charged.items():
        print(f"Branin, {s:14s} {np.median(seconds):.0f} s charged (median)")
    print_ratio("Branin", charged["gp_per_second"], charged["gp"])
    runs = json.loads(Path(path).read_text()) if path and Path(path).exists() else {}
    for seed in range(REPEATS):
        for strategy in STRATEGIES:  # side by side, so that a busy machine slows all
            name = f"{strategy} {seed}"
            if name not in runs:
                runs[name] = run(strategy, seed)
                if path:
                    Path(path).write_text(json.dumps(runs))
    by = {s: [runs[f"{s} {seed}"] for seed in range(REPEATS)] for s in STRATEGIES}
    target = float(np.median([best_within(result) for result in by["random"]]))
    times = {s: np.array([time_to(target, result) for result in by[s]]) for s in STRATEGIES}
    print(f"target {target:.4f}, budget {BUDGET:.0f} CPU seconds, {REPEATS} repeats")
    for s in STRATEGIES:
        trials = np.median([len(result["best"]) for result in by[s]])
        print(
            f"{s:14s} best {np.median([best_within(r) for r in by[s]]):.4f}, {trials:.0f} trials, "
            f"{np.median(times[s]):5.1f} s to the target, "
            f"reached in {(times[s] < BUDGET).sum()} of {REPEATS} (medians)"
        )
    print_ratio("boosted trees", times["gp_per_second"], times["gp"])


def print_ratio(task, times, baseline):
    """Geometric mean of the ratios for the same seed, with a bootstrap interval."""
    ratios = np.log(times / baseline)
    draws = np.random.default_rng(0).choice(ratios, (10_000, REPEATS)).mean(axis=1)
    low, high = np.exp(np.quantile(draws, [0.025, 0.975]))
    print(
        f"{task}, gp_per_second / gp, time to the target: {np.exp(ratios.mean()):.2f} "
        f"(geometric mean of {REPEATS} pairs, bootstrap 95 % {low:.2f} to {high:.2f})",
        flush=True,
    )


if __name__ == "__main__":
    main(*sys.argv[1:2])
