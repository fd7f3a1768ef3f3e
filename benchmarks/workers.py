"""Measure how busy several workers are, and what the search loses by running trials in parallel.

``python benchmarks/workers.py [--workers 4] [--trials 40] [--repeats 5] [--seconds 2]``

The objective sleeps for a random, log-normal time and returns a noisy bowl's score. Reported
are the share of the time in which the workers evaluate, from the first start to the last
moment at which a trial may start; and the regret after all trials, beside that of the serial
search and of random search with the same seeds.

``python benchmarks/workers.py --dask FOLDER [--workers 4] [--trials 2000] [--kill 1000]``

The same function without the sleep, on a cluster of Dask workers, recorded in ``FOLDER/study.db``.
The search and its cluster are killed when so many trials have ended, and the same call goes on.
``FOLDER/workers.json`` gets, for every 100 trials, the processor seconds of the searching process,
its memory, the bytes of the study, and what the whole record shows: that no trial is lost or done
twice, and that the first proposal after the kill is that of the trials that stand in the file.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from gpsearch.execution import search
from gpsearch.space import Categorical, Integer, Real
from gpsearch.strategy import make_strategy
from gpsearch.strategy.history import history_of
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


class Log:
    """A callback that appends a line for every 100 trials to a file."""

    def __init__(self, path: Path, study: Path) -> None:
        self._path, self._study = path, study

    def on_trial_end(self, study: Study, trial) -> None:
        """Append the cost so far of this process."""
        if (n := len(study.ended)) % 100:
            return
        line = {
            "trials": n,
            "processor_seconds": time.process_time(),
            "wall_seconds": time.monotonic(),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "study_mb": self._study.stat().st_size / 1e6,
        }
        with self._path.open("a") as file:
            print(json.dumps(line), file=file)


def on_dask(folder: Path, n_workers: int, trials: int) -> None:
    """Search, or go on with the search, in `folder` on a cluster of processes."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        search(
            Sleeping(0.0),
            SPACE,
            n_calls=trials,
            executor=client,
            study=folder / "study.db",
            random_state=0,
            progress=False,
            callback=Log(folder / "log.jsonl", folder / "study.db"),
        )


def killed_and_resumed(folder: Path, arguments: argparse.Namespace) -> dict:
    """Run `on_dask` in a process of its own, kill it once, run it again; what the record shows."""
    folder.mkdir()
    log, before = folder / "log.jsonl", []
    command = [sys.executable, __file__, "--dask", str(folder), "--inside"]
    command += ["--workers", str(arguments.workers), "--trials", str(arguments.trials)]
    running = subprocess.Popen(command, start_new_session=True)
    while running.poll() is None and not before:
        time.sleep(1)
        told = json.loads(log.read_text().splitlines()[-1]) if log.exists() else {"trials": 0}
        if told["trials"] >= arguments.kill:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            before = Study.open(folder / "study.db").trials
    subprocess.run(command, check=True)
    study = Study.open(folder / "study.db")
    trials, number = study.trials, len(before)
    # what the resumed search knew when it proposed its first trial: the ended ones, and the others
    known = [
        dataclasses.replace(trial, state="running", folds=(), ended=None)
        if not before[trial.number].finished and trial.ended > trials[number].started
        else trial
        for trial in trials[:number]
    ]
    strategy = make_strategy("gp", study.space, seed=study.seed, n_calls=arguments.trials)
    proposed = strategy.propose(history_of(study.space, known), number)
    return {
        "trials": len(trials),
        "numbers_once": [trial.number for trial in trials] == list(range(len(trials))),
        "states": dict(Counter(trial.state for trial in trials)),
        "ended_before_the_kill": sum(trial.finished for trial in before),
        "unchanged_by_the_kill": all(
            trials[trial.number].folds == trial.folds and trials[trial.number].ended == trial.ended
            for trial in before
            if trial.finished
        ),
        "proposed_as_by_the_record": study.space.params(proposed) == trials[number].params,
        "regret": found(study),
        "log": [json.loads(line) for line in log.read_text().splitlines()],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--dask", type=Path)
    parser.add_argument("--kill", type=int, default=1000)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        on_dask(arguments.dask, arguments.workers, arguments.trials)
        return
    if arguments.dask:
        record = killed_and_resumed(arguments.dask, arguments)
        (arguments.dask / "workers.json").write_text(json.dumps(record, indent=1) + "\n")
        print(json.dumps({name: value for name, value in record.items() if name != "log"}))
        return
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
