"""How much of what folds tell is noise? Searches of real networks, with a share that is given.

    python benchmarks/fold_noise.py out.jsonl [--shares fitted 0.1 1] [--seeds 8] [--trials 40]

Small networks of scikit-learn's on six sets, eight settings, five folds. A search fits which share
of the variance over folds is noise; here it is held at others, too, of which 1 takes all for noise.
The best configuration after 20, 30 and all trials is trained four times anew on the same folds.
Reported is how far its mean score is ahead of that of the first share, paired by set and seed, in
standard errors of a score, ± the standard error of the mean, and what was fitted. Searches that
stand in the file are not repeated.
"""

from __future__ import annotations

import argparse
import itertools
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from sklearn import datasets
from sklearn.metrics import get_scorer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

import gpsearch as gs
from gpsearch.strategy.history import fit_process, study_history
from gpsearch.surrogate import likelihood

AT = (20, 30)
FITTED = "fitted"
DIVERGED, LEAST = -1.0, -3.0  # score of a network that diverged, and of any at the least
RETRAINED = 4
SPACE = {
    "n_neurons": gs.Integer(8, 64, prior="log-uniform"),
    "n_hidden": gs.Integer(1, 2),
    "learning_rate": gs.Real(1e-4, 1e-1, prior="log-uniform"),
    "alpha": gs.Real(1e-6, 1.0, prior="log-uniform"),
    "batch_size": gs.Categorical([32, 64, 128]),
    "activation": gs.Categorical(["relu", "tanh", "logistic"]),
    "opt": gs.Categorical(["adam", "sgd"]),
    "momentum": gs.Real(0.0, 0.95),
}


def some(X: np.ndarray, y: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Some rows of a set."""
    rows = np.random.default_rng(0).permutation(len(y))[:n]
    return X[rows], y[rows]


def made(**options: Any) -> Any:
    """A problem that scikit-learn makes."""
    return datasets.make_classification(random_state=7, **options)


FOUR = {"n_samples": 250, "n_features": 18, "n_informative": 10, "n_classes": 4}
RARE = {"n_samples": 300, "n_features": 20, "n_informative": 8, "weights": [0.9]}
SETS: dict[str, tuple[Callable[[], Any], str]] = {
    "friedman": (lambda: datasets.make_friedman1(200, 10, noise=1.0, random_state=0), "r2"),
    "diabetes": (lambda: some(*datasets.load_diabetes(return_X_y=True), 200), "r2"),
    "digits": (lambda: some(*datasets.load_digits(return_X_y=True), 250), "accuracy"),
    "four classes": (lambda: made(**FOUR, flip_y=0.1, class_sep=0.7), "accuracy"),
    "imbalanced": (lambda: made(**RARE, flip_y=0.02), "average_precision"),
    "wine": (lambda: datasets.load_wine(return_X_y=True), "neg_log_loss"),
}


def evaluation(name: str, seed: int) -> Callable[[dict[str, Any], int], list[float]]:
    """Scores of a configuration on the folds of a set, by the seed of its networks."""
    load, scoring = SETS[name]
    X, y = load()
    X, scorer = StandardScaler().fit_transform(X), get_scorer(scoring)
    regression = scoring == "r2"
    if regression:
        y = (y - y.mean()) / y.std()
    kind = KFold if regression else StratifiedKFold
    folds = list(kind(5, shuffle=True, random_state=seed).split(X, y))

    def scores(params: dict[str, Any], model_seed: int) -> list[float]:
        found = []
        for fit, held_out in folds:
            model = (MLPRegressor if regression else MLPClassifier)(
                hidden_layer_sizes=(params["n_neurons"],) * params["n_hidden"],
                activation=params["activation"],
                solver=params["opt"],
                alpha=params["alpha"],
                batch_size=params["batch_size"],
                learning_rate_init=params["learning_rate"],
                momentum=params["momentum"],
                max_iter=12,
                random_state=model_seed,
            )
            try:
                score = scorer(model.fit(X[fit], y[fit]), X[held_out], y[held_out])
            except ValueError:  # it diverged
                score = DIVERGED
            found.append(max(float(score), LEAST))
        return found

    return scores


def search(name: str, seed: int, share: str, n_calls: int) -> dict[str, Any]:
    """One search, and what its best configurations score when they are trained anew."""
    scores = evaluation(name, seed)
    seeds = itertools.count(1000 * seed + 1)
    bounds = likelihood.LOG_SHARE_BOUNDS if share == FITTED else (np.log(float(share)),) * 2
    with mock.patch.object(likelihood, "LOG_SHARE_BOUNDS", bounds):
        study = gs.search(
            lambda params: scores(params, next(seeds)),
            SPACE,
            n_calls=n_calls,
            random_state=seed,
            progress=False,
            confirm=False,
        )
    anew = {}
    for n in (*AT, n_calls):
        best = max(study.trials[:n], key=lambda trial: trial.score)
        means = [np.mean(scores(dict(best.params), 10**6 + k)) for k in range(RETRAINED)]
        anew[str(n)] = float(np.mean(means))
    error = float(np.median([trial.standard_error for trial in study.trials]))
    fitted = fit_process(study.space, study_history(study)).hyperparameters.noise_share
    found = {"set": name, "seed": seed, "share": share, "anew": anew, "error": error}
    return found | ({"fitted": fitted} if share == FITTED else {})


def report(runs: list[dict[str, Any]], shares: list[str]) -> None:
    """How far each share is ahead of the first."""
    if fitted := [run["fitted"] for run in runs if "fitted" in run]:
        low, median, high = np.quantile(fitted, [0.1, 0.5, 0.9])
        print(f"fitted: {median:.2f} in the median, {low:.2f} to {high:.2f} in four of five")
    known = {(run["share"], run["set"], run["seed"]): run for run in runs}
    for share in shares[1:]:
        pairs = [
            (known[shares[0], *key], run)
            for (of, *key), run in known.items()
            if of == share and (shares[0], *key) in known
        ]
        cells = []
        for n in pairs[0][0]["anew"] if pairs else ():
            ahead = [
                (run["anew"][n] - base["anew"][n]) / np.mean([base["error"], run["error"]])
                for base, run in pairs
            ]
            cells.append(
                f"after {n} {np.mean(ahead):.2f} ± {np.std(ahead) / len(ahead) ** 0.5:.2f}"
            )
        print(f"share {share}, {len(pairs)} searches: {', '.join(cells)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--shares", nargs="+", default=[FITTED, "0.1", "1"])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--trials", type=int, default=40)
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # a dozen epochs do not converge
    lines = args.path.read_text().splitlines() if args.path.exists() else []
    runs = [json.loads(line) for line in lines]
    done = {(run["set"], run["seed"], run["share"]) for run in runs}
    for seed in range(args.seeds):
        for name in SETS:
            for share in args.shares:
                if (name, seed, share) not in done:
                    runs.append(search(name, seed, share, args.trials))
                    with args.path.open("a") as file:
                        file.write(json.dumps(runs[-1]) + "\n")
    report(runs, args.shares)


if __name__ == "__main__":
    main()
