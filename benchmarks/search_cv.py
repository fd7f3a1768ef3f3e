"""What `GPSearchCV` takes beyond fitting, beside `RandomizedSearchCV`.

Both search the same two parameters of the same cheap estimator on the same folds. A fit's own
time is in ``cv_results_``; the rest of the wall time is the search's. Run it with

    OMP_NUM_THREADS=1 python benchmarks/search_cv.py

Prints milliseconds for each point, and writes them as JSON where a path is given.
"""

import json
import sys
import time

from scipy.stats import loguniform
from sklearn.datasets import load_iris
from sklearn.model_selection import RandomizedSearchCV
from sklearn.svm import SVC

from gpsearch import GPSearchCV

SPACE = {"C": loguniform(1e-2, 1e3), "gamma": loguniform(1e-4, 1e1)}
N_ITER = 50
CV = 5


def own_time(kind, seed, **options):
    """Seconds for each point beyond fitting and scoring, and the best score."""
    X, y = load_iris(return_X_y=True)
    search = kind(SVC(), SPACE, n_iter=N_ITER, cv=CV, random_state=seed, refit=False, **options)
    started = time.perf_counter()
    search.fit(X, y)
    wall = time.perf_counter() - started
    results = search.cv_results_
    fitting = CV * (results["mean_fit_time"] + results["mean_score_time"]).sum()
    return {
        "own": (wall - fitting) / N_ITER,
        "wall": wall / N_ITER,
        "best": float(results["mean_test_score"].max()),
    }


def main(path=None, repeats=5):
    runs = {"GPSearchCV": [], "RandomizedSearchCV": []}
    own_time(GPSearchCV, 0)  # imports and first calls
    for seed in range(repeats):  # side by side, so that a busy machine slows both
        runs["GPSearchCV"].append(own_time(GPSearchCV, seed))
        runs["RandomizedSearchCV"].append(own_time(RandomizedSearchCV, seed))
    summary = {
        name: {
            key: sorted(run[key] for run in of_kind)[repeats // 2]
            for key in ("own", "wall", "best")
        }
        for name, of_kind in runs.items()
    }
    for name, values in summary.items():
        print(
            f"{name:20s} own {1e3 * values['own']:6.1f} ms a point, with fits "
            f"{1e3 * values['wall']:6.1f} ms; best score {values['best']:.4f} "
            f"(medians of {repeats})"
        )
    if path is not None:
        with open(path, "w") as file:
            json.dump({"runs": runs, "medians": summary}, file, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:2])
