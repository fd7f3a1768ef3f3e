"""How often X is in memory while a search runs: in this process and in its workers.

    python benchmarks/copies.py [--megabytes 200] [--only create_model]

Each case runs in a process of its own, with a small X and with a large one, and is watched from
outside: the proportional set size (Linux's PSS: what processes share counts once) of the process
and all its children together, and the private memory of the greatest child.
What is printed is the difference of the two peaks by that of the two X, so 1.0 is X itself and
nothing else. The folds of an estimator wait a moment while they hold their rows.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

SMALL = 8  # megabytes
INTERVAL = 0.02  # seconds between two looks
COLUMNS = 1000
FOLDS = 3


def memory(pid: int, field: str) -> float:
    """Megabytes of a process, from Linux's smaps_rollup; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1000


def children(pid: int) -> list[int]:
    """Numbers of all processes that a process has started, and of those that they have."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            own = [int(child) for child in task.read_text().split()]
        except OSError:
            continue
        found += own + [grandchild for child in own for grandchild in children(child)]
    return found


class Peak(threading.Thread):
    """The greatest memory of a process and its children, while it runs."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.over = pid, False
        self.together = self.worker = 0.0

    def run(self) -> None:
        """Look until `over`."""
        while not self.over:
            below = children(self.pid)
            together = sum(memory(one, "Pss") for one in (self.pid, *below))
            self.together = max(self.together, together)
            self.worker = max([self.worker, *(memory(one, "Anonymous") for one in below)])
            time.sleep(INTERVAL)


def made_up(megabytes: float) -> tuple[np.ndarray, np.ndarray]:
    X = np.zeros((int(megabytes * 1e6 / 8 / COLUMNS), COLUMNS))
    rng = np.random.default_rng(0)
    for row in X:  # without a second X on the way
        row[:] = rng.normal(size=COLUMNS)
    return X, (X[:, 0] > 0).astype(int)


def of_estimator(kind: str, n_jobs: int):
    from scipy.stats import loguniform
    from sklearn.dummy import DummyClassifier
    from sklearn.model_selection import RandomizedSearchCV

    from gpsearch import GPSearchCV

    class Waits(DummyClassifier):
        def __init__(self, constant=0, C=1.0):
            super().__init__(strategy="constant", constant=constant)
            self.C = C

        def fit(self, X, y, sample_weight=None):
            time.sleep(0.5)
            return super().fit(X, y, sample_weight)

    search = {"GPSearchCV": GPSearchCV, "RandomizedSearchCV": RandomizedSearchCV}[kind]
    return search(
        Waits(),
        {"C": loguniform(1e-3, 1e3)},
        n_iter=2,
        cv=FOLDS,
        n_jobs=n_jobs,
        random_state=0,
        refit=False,
    ).fit


def of_network(n_jobs: int, preprocess: str | None, patience: int | None):
    from gpsearch import GPSearchCV

    def create_model(n_features, learning_rate):
        import keras

        model = keras.Sequential([keras.Input((n_features,)), keras.layers.Dense(1, "sigmoid")])
        model.compile(keras.optimizers.Adam(learning_rate), "binary_crossentropy")
        return model

    return GPSearchCV(
        create_model,
        {"learning_rate": (1e-4, 1e-1, "log-uniform")},
        n_iter=2,
        cv=FOLDS,
        n_jobs=n_jobs,
        random_state=0,
        refit=False,
        epochs=2,
        patience=patience,
        batch_size=500,
        preprocess=preprocess,
    ).fit


CASES = {
    f"{kind}(estimator, n_jobs={n_jobs})": (of_estimator, kind, n_jobs)
    for n_jobs in (1, 2)
    for kind in ("RandomizedSearchCV", "GPSearchCV")
} | {
    f"GPSearchCV(create_model, n_jobs={n_jobs}, preprocess={preprocess!r}, patience={patience})": (
        of_network,
        n_jobs,
        preprocess,
        patience,
    )
    for n_jobs in (1, 2)
    for preprocess, patience in ((None, None), ("standardize", 1))
}


def peaks(name: str, megabytes: float) -> tuple[float, float]:
    """Megabytes of all processes together, and of the greatest worker's own."""
    command = [sys.executable, __file__, "--case", name, "--megabytes", str(megabytes)]
    with subprocess.Popen(command) as process:
        watch = Peak(process.pid)
        watch.start()
    watch.over = True
    if process.returncode:
        raise RuntimeError(f"the search ended with exit code {process.returncode}")
    watch.join()
    return watch.together, watch.worker


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=200)
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        make, *options = CASES[arguments.case]
        fit = make(*options)
        fit(*made_up(arguments.megabytes))
        return
    print(f"times X of {arguments.megabytes:g} MB: all processes together, one worker's own")
    for name in CASES:
        if arguments.only in name:
            few, many = peaks(name, SMALL), peaks(name, arguments.megabytes)
            X = arguments.megabytes - SMALL
            together, worker = ((b - a) / X for a, b in zip(few, many, strict=True))
            print(f"{together:6.2f}  {worker:6.2f}  {name}", flush=True)


if __name__ == "__main__":
    main()
