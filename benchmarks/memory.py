"""Resident memory of a long search: a line for every 25 trials.

    python benchmarks/memory.py [--trials 300] [--epochs 3]

Random search over networks of one hidden layer: 6 widths, 3 activations and 5 optimisers are 90
architectures, about three times as many as compiled programs are kept, so that programs are
traced, found again and dropped all the time. One split of 569 rows, a few epochs.
"""

from __future__ import annotations

import argparse
import gc
from pathlib import Path

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import ShuffleSplit

from gpsearch.execution import search
from gpsearch.objective import KerasCV
from gpsearch.training import mlp, mlp_space
from gpsearch.training.compiled.compiled_trainer import KEPT_PROGRAMS


def resident() -> float:
    """Megabytes of this process that are in memory; Linux."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise OSError("VmRSS is not in /proc/self/status")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    X, y = load_breast_cancer(return_X_y=True)
    objective = KerasCV(
        mlp,
        X,
        y,
        cv=ShuffleSplit(1, test_size=0.2, random_state=0),
        epochs=arguments.epochs,
        patience=arguments.epochs,
        preprocess="standardize",
    )
    trainer = objective._trainer
    print(f"trials  MB resident  programs traced  found  (at most {KEPT_PROGRAMS} kept)")

    def show(result) -> None:
        n = len(result.x_iters)
        if n == 1 or n % 25 == 0:
            gc.collect()
            traced, found = trainer.n_traced, trainer.n_reused
            print(f"{n:6d}  {resident():11.0f}  {traced:15d}  {found:5d}", flush=True)

    search(
        objective,
        mlp_space() | {"n_hidden": 1},
        n_calls=arguments.trials,
        strategy="random",
        racing=None,
        random_state=0,
        callback=show,
        progress=False,
    )


if __name__ == "__main__":
    main()
