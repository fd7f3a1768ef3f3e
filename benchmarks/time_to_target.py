"""How long until the score is reached that 60 random draws over the usual Keras loop reach.

    python benchmarks/time_to_target.py [breast_cancer digits diabetes] [--seeds 5]
        [--draws 60] [--loop-draws 60] [--trials 600] [--out runs/time_to_target]

The baseline is what `RandomizedSearchCV(n_iter=60)` over a Keras wrapper does: 60 draws from the
space, each cross-validated by the loop people write (build, compile, fit with EarlyStopping,
predict, for each fold). Its best score is the target. Against it stands `gpsearch.search` with
racing, on the same folds, until a trial reaches the target (600 trials at most: the default
search takes many cheap ones).

The gain is a product; its factors are measured one step at a time:

=================== ========================================================================
fewer points        60 draws, then a search of as many trials as it takes: both compiled, no
                    racing
faster training     the loop against the compiled training of the same draws
racing              the search without racing against the search with it
=================== ========================================================================

Times are CPU seconds of the whole process, surrogate, proposals and tracing included: on a machine
that is busy with other work they are what wall time would be on an idle one. With
``--loop-draws`` below 60 the loop trains only so many of the draws, spread evenly over their
compiled cost, and its time for the rest is extrapolated by their ratio; the table says so. Each
measurement is a process of its own and stands in ``--out``; what stands there is not repeated.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from timed_sets import SETS

from gpsearch.execution import TargetScore, search
from gpsearch.objective import KerasCV
from gpsearch.space import Space
from gpsearch.strategy import trial_seed
from gpsearch.training import mlp, mlp_space

DATA = ("breast_cancer", "digits", "diabetes")
TRAINING = {"cv": 5, "epochs": 100, "patience": 10}  # as in the README's example
STEPS = ("draws", "loop", "search", "paired")  # the last is the search with racing


# ------------------------------------------------------------------ one measurement, one process


def objective_of(data: str, *, compiled: bool) -> KerasCV:
    """Cross-validation of the ready-made network on a set."""
    X, y = SETS[data].load()
    if not SETS[data].classes:
        y = (y - y.mean()) / y.std()  # the network's first outputs are near zero
    return KerasCV(
        mlp,
        X,
        y,
        scoring=SETS[data].scoring,
        preprocess="standardize",
        compiled=compiled,
        name=data,
        **TRAINING,
    )


def measure(
    step: str, data: str, seed: int, n_draws: int, n_loop: int, n_calls: int, folder: Path
) -> dict[str, Any]:
    """Make one measurement; `draws` comes first."""
    objective = objective_of(data, compiled=step != "loop")
    # The first trace of a process pays for imports and registrations of TensorFlow's own.
    objective.evaluate({"n_hidden": 1, "n_neurons": 3}, seed=0)
    if step == "draws":
        return {"draws": [timed(objective, p, seed, i) for i, p in enumerate(drawn(seed, n_draws))]}
    draws = read(folder, "draws", data, seed)["draws"]
    if step == "loop":
        chosen = spread_by_cost([draw["cpu"] for draw in draws], n_loop)
        params = drawn(seed, n_draws)
        return {"draws": {i: timed(objective, params[i], seed, i) for i in chosen}}
    target = best_of(draws)
    start = time.process_time()
    study = search(
        objective,
        mlp_space(),
        n_calls=n_calls,
        random_state=seed,
        stop=TargetScore(score=target),
        racing="paired" if step == "paired" else None,
        progress=False,
    )
    cpu = time.process_time() - start
    scores = [trial.score for trial in study.complete]
    return {
        "cpu": cpu,
        "n": len(study.trials),
        "stopped": sum(trial.state == "stopped" for trial in study.trials),
        "best": max(scores, default=None),
        "reached": max(scores, default=-np.inf) >= target,
    }


def timed(objective: KerasCV, params: dict[str, Any], seed: int, number: int) -> dict[str, Any]:
    """Score and CPU seconds of one draw; a diverged training costs its time and has no score."""
    start = time.process_time()
    try:
        score = objective.evaluate(params, seed=trial_seed(seed, number)).score
    except RuntimeError:
        score = None
    return {"score": score, "cpu": time.process_time() - start}


def drawn(seed: int, number: int) -> list[dict[str, Any]]:
    """The random draws of one seed."""
    space = Space(mlp_space())
    # Not the stream of the search, whose first points would otherwise be related to them.
    rng = np.random.default_rng([60, seed])
    return [space.params(point) for point in space.sample(number, rng)]


def best_of(draws: list[dict[str, Any]]) -> float:
    return max(draw["score"] for draw in draws if draw["score"] is not None)


def spread_by_cost(costs: list[float], number: int) -> list[int]:
    """Draws spread evenly over the ranks of their cost."""
    order = np.argsort(costs, kind="stable")
    ranks = (np.arange(number) + 0.5) / number * len(costs)
    return sorted(int(order[int(rank)]) for rank in ranks)


# ------------------------------------------------------------------ all of them


def path_of(folder: Path, step: str, data: str, seed: int) -> Path:
    return folder / f"{data}-{seed}-{step}.json"


def read(folder: Path, step: str, data: str, seed: int) -> dict[str, Any]:
    return json.loads(path_of(folder, step, data, seed).read_text())


def factors(folder: Path, data: str, seed: int) -> dict[str, float]:
    """The gain of one seed and its factors; a gain is 0 where the target was not reached."""
    draws, loop, plain, race = (read(folder, step, data, seed) for step in STEPS)
    compiled = [draw["cpu"] for draw in draws["draws"]]
    looped = {int(i): draw["cpu"] for i, draw in loop["draws"].items()}
    training = sum(looped.values()) / sum(compiled[i] for i in looped)
    points = sum(compiled) / plain["cpu"]
    racing = plain["cpu"] / race["cpu"]
    return {
        "loop": training * sum(compiled),
        "ours": race["cpu"],
        "total": training * points * racing if race["reached"] else 0.0,
        "plain": training * points if plain["reached"] else 0.0,
        "points": points,
        "training": training,
        "racing": racing,
        "n": race["n"],
        "reached": race["reached"],
        "looped": len(looped),
        "draws": len(compiled),
    }


def table(folder: Path, names: list[str], seeds: int) -> str:
    """Median gains over the seeds, one that never reached the target counting as no gain at all.

    Trials, times and factors are geometric means over the seeds that reached it.
    """
    lines = [
        f"{'data':<14} {'reached':>7} {'gain':>6} {'of each seed':>24} {'trials':>6} {'loop':>8} "
        f"{'ours':>7}   points x training x racing   gain without racing",
    ]
    for data in names:
        done = [
            factors(folder, data, seed)
            for seed in range(seeds)
            if all(path_of(folder, step, data, seed).exists() for step in STEPS)
        ]
        if not done:
            continue
        gains = [row["total"] for row in done]
        each = ", ".join(f"{gain:.1f}" for gain in gains)
        reached = [row for row in done if row["reached"]]
        line = f"{data:<14} {len(reached):>2} of {len(done)} {np.median(gains):>6.1f} {each:>24}"
        if reached:
            mean = {
                name: stats.gmean([row[name] for row in reached])
                for name in ("n", "loop", "ours", "points", "training", "racing")
            }
            line += (
                f" {mean['n']:>6.1f} {mean['loop']:>6.0f} s {mean['ours']:>5.0f} s   "
                f"{mean['points']:.2f} x {mean['training']:.2f} x {mean['racing']:.2f}"
            )
        plain = [row["plain"] for row in done]
        lines.append(f"{line}   {np.median(plain):.1f} ({', '.join(f'{x:.1f}' for x in plain)})")
        fewest, draws = min((row["looped"], row["draws"]) for row in done)
        if fewest < draws:
            lines.append(f"{'':<14} the loop trained {fewest} of {draws} draws; the rest by ratio")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*", default=list(DATA), help=", ".join(DATA))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--draws", type=int, default=60)
    parser.add_argument("--loop-draws", type=int, help="all draws unless given")
    parser.add_argument("--trials", type=int, default=600, help="of a search, at most")
    parser.add_argument("--out", type=Path, default=Path("runs/time_to_target"))
    parser.add_argument("--one", nargs=2, metavar=("STEP", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    n_loop = min(options.loop_draws or options.draws, options.draws)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.one:
        (data,), (step, seed) = options.data, options.one
        found = measure(step, data, int(seed), options.draws, n_loop, options.trials, options.out)
        path_of(options.out, step, data, int(seed)).write_text(json.dumps(found))
        return
    for seed in range(options.seeds):
        for data in options.data:
            for step in STEPS:
                if not path_of(options.out, step, data, seed).exists():
                    call = [sys.executable, __file__, data, "--one", step, str(seed)]
                    call += ["--out", str(options.out), "--draws", str(options.draws)]
                    call += ["--loop-draws", str(n_loop), "--trials", str(options.trials)]
                    subprocess.run(call, check=True)
            print(f"\n{table(options.out, options.data, options.seeds)}", flush=True)


if __name__ == "__main__":
    main()
