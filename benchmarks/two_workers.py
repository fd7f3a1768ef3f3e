"""What a second worker process is worth on two cores: the same trials by one worker and by two.

    python benchmarks/two_workers.py [--trials 60] [--repeats 3]

Random points of the ready-made mlp's own space are cross-validated on digits (1,797 x 64, five
folds, at most 30 epochs), which no proposal of the other run depends on. Reported are seconds of
wall time from the first trial's start to the last one's end, so that the workers' imports of
TensorFlow do not count, the trials for each second, and their ratio. For wall time to mean
anything, nothing else may run on the two cores.
"""

from __future__ import annotations

import argparse
import statistics

from sklearn.datasets import load_digits

from gpsearch.execution import search
from gpsearch.objective import KerasCV
from gpsearch.training import mlp, mlp_space


def seconds(n_jobs: int, trials: int, seed: int) -> float:
    """Wall time of the trials by so many workers."""
    X, y = load_digits(return_X_y=True)
    objective = KerasCV(
        mlp, X, y, cv=5, scoring="accuracy", preprocess="standardize", epochs=30, patience=5
    )
    study = search(
        objective,
        mlp_space(),
        n_calls=trials,
        strategy="random",
        n_jobs=n_jobs,
        isolate=True,
        random_state=seed,
        progress=False,
    )
    return max(trial.ended for trial in study.trials) - min(t.started for t in study.trials)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    ratios = []
    for seed in range(args.repeats):
        one, two = (seconds(n_jobs, args.trials, seed) for n_jobs in (1, 2))
        ratios.append(one / two)
        print(f"{args.trials} trials: {one:.1f} s by one, {two:.1f} s by two: {ratios[-1]:.2f} x")
    print(f"median of {args.repeats}: {statistics.median(ratios):.2f} times the trials a second")


if __name__ == "__main__":
    main()
