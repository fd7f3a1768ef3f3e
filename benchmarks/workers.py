"""Measure how busy several workers are, and what the search loses by running trials in parallel.

``python benchmarks/workers.py [--workers 4] [--trials 40] [--repeats 5] [--seconds 2]``

The objective sleeps for a random, log-normal time and returns a noisy bowl's score. Reported
are the share of the time in which the workers evaluate, from the first start to the last
moment at which a trial may start; and the regret after all trials, beside that of the serial
search and of random search with the same seeds.
"""

from __future__ import annotations

import argparse
import math
import statistics
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from gpsearch.execution import search
from gpsearch.space import Categorical, Integer, Real
from gpsearch.study import Study

SPACE = {
    "rate": Real(1e-4, 1.0, prior="log-uniform"),
    "units": Integer(16, 512, prior="log-uniform"),
    "drop": Real(0.0, 0.5),
    "act": Categorical(["relu", "tanh", "selu"]),
}


def regret(params):
    """Distance from the optimum at rate 0.01, 128 units, drop 0.2, relu."""
    return (
        (math.log10(params["rate"]) + 2) ** 2
        + (math.log2(params["units"]) - 7) ** 2 / 4
        + 10 * (params["drop"] - 0.2) ** 2
        + {"relu": 0.0, "selu": 0.2, "tanh": 0.5}[params["act"]]
    )


class Sleeping:
    """Three folds that take a random time; `seconds` 0 takes none."""

    name, n_folds = "sleeping", 1

    def __init__(self, seconds):
        self.seconds = seconds

    def __call__(self, params, seed):
        """Score of a noisy bowl, after a log-normal time."""
        import time

        rng = np.random.default_rng(seed)
        time.sleep(self.seconds * rng.lognormal(-0.125, 0.5))
        return -regret(params) + rng.normal(0, 0.1)


def utilisation(study: Study, workers: int) -> float:
    """Share of the workers' time in which they evaluate, until the last trial starts."""
    begin = min(trial.started for trial in study.trials)
    end = max(trial.started for trial in study.trials)
    # the objective's own clock: a result that waits to be recorded keeps nobody busy
    busy = sum(min(trial.folds[0].seconds, end - trial.started) for trial in study.trials)
    return busy / (workers * (end - begin))


def found(study: Study) -> float:
    """True regret of the params that the study holds for best."""
    return regret(study.best_params)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    arguments = parser.parse_args()
    shared = {"n_calls": arguments.trials, "progress": False}

    busy, regrets = [], {"workers": [], "serial": [], "random": []}
    for seed in range(arguments.repeats):
        with ThreadPoolExecutor(arguments.workers) as executor:
            study = search(
                Sleeping(arguments.seconds), SPACE, executor=executor, random_state=seed, **shared
            )
        busy.append(utilisation(study, arguments.workers))
        regrets["workers"].append(found(study))
        for name, strategy in (("serial", "gp"), ("random", "random")):
            alone = search(Sleeping(0.0), SPACE, strategy=strategy, random_state=seed, **shared)
            regrets[name].append(found(alone))
    print(
        f"{arguments.workers} workers, {arguments.trials} trials of {arguments.seconds:g} s: busy "
        f"{statistics.mean(busy):.1%} (least {min(busy):.1%})"
    )
    for name, values in regrets.items():
        print(
            f"regret, {name:8s} median {statistics.median(values):.3f}  all "
            f"{' '.join(f'{v:.3f}' for v in sorted(values))}"
        )


if __name__ == "__main__":
    main()
