"""A long study: how long opening, listing, reporting and writing take.

``python benchmarks/study.py [--trials 2000] [--folds 5] [--epochs 100] [--rows 5000 --classes 10]``

With `--rows`, every fold has held-out predictions: probabilities of `--classes` classes.

Seconds depend on the disk and on what else the machine does, so each write is also compared
with what the disk itself needs for the same: an append and an fsync. A write of SQLite takes four
of these, so that ``--folder /dev/shm``, a disk that needs none, shows what gpsearch itself takes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.special import softmax

from gpsearch.evaluation import FoldResult, Predictions
from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.strategy.history import history_of
from gpsearch.study import Study

SPACE = Space(
    {
        "learning_rate": Real(1e-4, 1.0, prior="log-uniform"),
        "n_neurons": Integer(16, 512, prior="log-uniform"),
        "act_func": Categorical(["relu", "tanh"]),
        "opt": Categorical(["adam", "sgd", "rmsprop"]),
    }
)


def fill(
    path: Path, trials: int, folds: int, epochs: int, rows: int = 0, classes: int = 10, keep=True
) -> tuple[list[float], float]:
    """Write a study; returns the seconds of each write, and those of the processor in all."""
    rng = np.random.default_rng(0)
    study = Study.create(path, space=SPACE, seed=0)
    seconds, worked = [], 0.0
    parts = np.array_split(rng.permutation(rows), folds)

    def timed(function, *arguments, **options):
        nonlocal worked
        begun, processor = time.perf_counter(), time.process_time()
        result = function(*arguments, **options)
        seconds.append(time.perf_counter() - begun)
        worked += time.process_time() - processor
        return result

    def predictions(part):
        logits = rng.normal(scale=3.0, size=(len(part), classes))
        return Predictions(rows=np.sort(part), n_rows=rows, outputs=softmax(logits, axis=1))

    with study.writing() as writer:
        writer.prediction_bytes = 256e6 * keep
        for point in SPACE.sample(trials, rng):
            number = timed(writer.start_trial, SPACE.params(point), seed=1, origin="gp")
            for j in range(folds):
                curves = {name: tuple(rng.random(epochs)) for name in ("loss", "val_loss")}
                fold = FoldResult(
                    fold=j,
                    score=float(rng.random()),
                    curves=curves,
                    epochs=epochs,
                    predictions=predictions(parts[j]) if rows else None,
                )
                timed(writer.record_fold, number, fold)
            timed(writer.end_trial, number, "complete")
    return seconds, worked


def fsync_seconds(folder: Path, size: int) -> float:
    """Median seconds of an append of `size` bytes and its fsync."""
    seconds = []
    with (folder / "plain").open("ab", buffering=0) as file:
        for _ in range(200):
            begun = time.perf_counter()
            file.write(b"x" * size)
            os.fsync(file.fileno())
            seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--folder", type=Path, default=None)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        path = folder / "study.db"
        sizes = arguments.trials, arguments.folds, arguments.epochs
        rows = arguments.rows, arguments.classes
        writes, worked = fill(path, *sizes, *rows)
        writes.sort()
        size = path.stat().st_size
        print(f"{arguments.trials} trials of {arguments.folds} folds: {size / 1e6:.1f} MB")
        plain = fsync_seconds(folder, size // len(writes))
        median, late = statistics.median(writes), writes[int(0.99 * len(writes))]
        print(f"a write: median {1e3 * median:.2f} ms, 99 of 100 below {1e3 * late:.2f} ms")
        print(f"         {sum(writes):.2f} s in all, of the processor {worked:.2f} s")
        if arguments.rows:
            bare = folder / "without.db"
            without, own = fill(bare, *sizes, *rows, keep=False)
            print(
                f"with keep_predictions=False: {bare.stat().st_size / 1e6:.1f} MB, "
                f"{sum(without):.2f} s in all, of the processor {own:.2f} s"
            )
        print(f"         {median / plain:.1f} times an append with fsync ({1e3 * plain:.2f} ms)")

        def show(what, function):
            begun, worked = time.perf_counter(), time.process_time()
            result = function()
            seconds, own = time.perf_counter() - begun, time.process_time() - worked
            print(f"{what:32s} {seconds:6.2f} s, of the processor {own:6.2f} s")
            return result

        study = show("open, checked", lambda: Study.open(path))
        if arguments.rows:
            show("the predictions of all", lambda: [study.predictions(t) for t in study.trials])
        show("all trials", lambda: study.trials)
        show("all trials, again", lambda: study.trials)
        show("all learning curves", lambda: [dict(f.curves) for t in study.trials for f in t.folds])
        show("to_frame", study.to_frame)
        show("the strategy's history", lambda: history_of(study.space, study.trials))
        show("the report page", lambda: study.report(folder / "report.html"))
        show("the report page, again", lambda: study.report(folder / "report.html"))


if __name__ == "__main__":
    main()
