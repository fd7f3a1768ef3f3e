"""Overhead: seconds of one ask and tell after n observations, side by side with the peers.

``python benchmarks/overhead.py [--sizes 20,50,100] [--optimizers gpsearch,optuna-gp]``

Eight mixed dimensions, one core. What counts is processor time: on a busy machine a
long cycle is interrupted more often than a short one. The cycles of an optimiser follow each other,
so that none starts with what another has left in the caches. Reported are the median and the ratio
of each peer's median to gpsearch's. The first cycle, which also pays for imports, is left out.
``--memory`` reports the growth of resident memory over 1,000 asks of gpsearch.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys

import numpy as np
from peers import GPSearch, installed, make
from skopt.space import Categorical, Dimension, Integer, Real

CYCLES = 7
LARGEST = {"scikit-optimize": 200, "optuna-gp": 1000}  # beyond it, a peer takes minutes


ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def dimensions() -> list[Dimension]:
    return [
        *(Real(1e-5, 1e-1, prior="log-uniform", name=f"rate{i}") for i in range(3)),
        *(Real(0.0, 1.0, name=f"x{i}") for i in range(2)),
        *(Integer(1, 20, name=f"n{i}") for i in range(2)),
        Categorical(["a", "b", "c", "d"], name="kind"),
    ]


def loss(point: list, rng: np.random.Generator) -> float:
    rates = sum((np.log10(rate) + 3.0 + 0.3 * i) ** 2 for i, rate in enumerate(point[:3]))
    numbers = 4.0 * (point[3] - 0.3) ** 2 + 4.0 * (point[4] - 0.7) ** 2
    counts = 0.02 * ((point[5] - 8) ** 2 + (point[6] - 15) ** 2)
    kind = {"a": 0.5, "b": 0.0, "c": 1.0, "d": 0.8}[point[7]]
    return float(rates + numbers + counts + kind + 0.1 * rng.standard_normal())


def measure(names: list[str], n: int) -> dict[str, float]:
    """Median processor seconds of an ask and tell for each optimiser after `n` observations."""
    from gpsearch.space import Space

    rng = np.random.default_rng(0)
    points = Space(dimensions()).sample(n, rng)
    losses = [loss(point, rng) for point in points]
    optimizers = {name: make(name, dimensions(), 0) for name in names}
    for optimizer in optimizers.values():
        optimizer.tell(points, losses)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for name, optimizer in optimizers.items():
        for _ in range(CYCLES + 1):
            start = optimizer.seconds()
            point = optimizer.ask()
            optimizer.tell([point], [loss(point, rng)])
            seconds[name].append(optimizer.seconds() - start)
        optimizer.close()
    return {name: float(np.median(times[1:])) for name, times in seconds.items()}


def memory(asks: int = 1000) -> tuple[float, float]:
    """Peak resident MiB after 100 asks and after all, with 100 observations told throughout."""
    from gpsearch.space import Space

    rng = np.random.default_rng(0)
    points = Space(dimensions()).sample(100, rng)
    early = 0.0
    for n in range(asks):
        optimizer = GPSearch(dimensions(), n)
        optimizer.tell(points, [loss(point, rng) for point in points])
        optimizer.ask()
        if n == 99:
            early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return early, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    if os.environ.get("OMP_NUM_THREADS") != "1":  # libraries read it when they are loaded
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ONE_CORE)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--optimizers", default=",".join(installed()))
    parser.add_argument("--sizes", default="20,50,100,1000,2000")
    parser.add_argument("--memory", action="store_true")
    args = parser.parse_args()
    if args.memory:
        early, late = memory()
        print(f"peak resident memory: {early:.0f} MiB after 100 asks, {late:.0f} MiB after 1,000")
        return
    names = args.optimizers.split(",")
    sizes = [int(n) for n in args.sizes.split(",")]
    print("| optimiser | " + " | ".join(f"n = {n}" for n in sizes) + " |")
    print("| --- |" + " --- |" * len(sizes))
    measured = {n: measure([name for name in names if n <= LARGEST.get(name, n)], n) for n in sizes}
    for name in names:
        cells = []
        for n in sizes:
            if name not in measured[n]:
                cells.append("")
                continue
            ratio = measured[n][name] / measured[n]["gpsearch"]
            cells.append(f"{1e3 * measured[n][name]:.1f} ms ({ratio:.1f} x)")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
