"""Does the confirmed score hold on new data? Searches whose truth is known, to coverage and bias.

    python benchmarks/confirmation.py simulated out.jsonl --seeds 0 30   # eight searches a seed
    python benchmarks/confirmation.py networks out.jsonl --seeds 0 15    # six of networks a seed
    python benchmarks/confirmation.py real out.jsonl --seeds 0 6         # six of Keras's a seed
    python benchmarks/confirmation.py report out.jsonl

Each search is on few rows; the truth of a configuration is the mean score on thousands of new rows
(those that are set aside for the shipped sets) of the models of the folds of two other splits, of
other seeds: its own were chosen with it. Scores are told in standard deviations of a fold's score
around the mean of its search. The baseline is the middle of the space. Nobody chose it, so the
error of its cross-validation on the same rows is 0 on average, and what of a bias goes with that
error is taken away: the chance of the rows, not of the rule.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import unittest.mock
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from sklearn import datasets
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import gpsearch as gs
from gpsearch.evaluation import Evaluation, FoldResult, run_folds
from gpsearch.execution import winner
from gpsearch.execution.contest import Contest
from gpsearch.execution.run import FRESH
from gpsearch.execution.workers.job import Job, evaluate
from gpsearch.strategy import trial_seed

NEW = 2500  # rows, made
CHUNKS = 40  # of new rows, as large as a fold, of which the mean is taken: not all scores are means
OTHER = (7001, 7002)  # splits and seeds of the truth
BUDGETS = (15, 20, 30, 50)
SHARES = ((0.001, 0.05), (0.05, 0.05), (0.1, 0.05), (0.15, 0.05), (0.15, 0.0))
"""Of the search, for fresh splits, and the chance of a verdict below which trials are tied; the
default is one of them, and without such a chance the whole share is spent."""
NETWORKS = {
    "n_hidden": gs.Integer(1, 2),
    "n_neurons": gs.Integer(8, 64, prior="log-uniform"),
    "learning_rate": gs.Real(1e-3, 0.3, prior="log-uniform"),
    "drop_rate": gs.Real(0.0, 0.5),
}
PROGRAMS: Any = None


def accuracy(predicted: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean(predicted == y))


def r2(predicted: np.ndarray, y: np.ndarray) -> float:
    return float(1 - np.sum((y - predicted) ** 2) / np.sum((y - y.mean()) ** 2))


def precision(chances: np.ndarray, y: np.ndarray) -> float:
    return float(average_precision_score(y, chances[:, 1]))


def log_likelihood(chances: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean(np.log(np.clip(chances[np.arange(len(y)), y], 1e-6, 1.0))))


def log(low: float, high: float) -> Any:
    return gs.Real(low, high, prior="log-uniform")


TREE = {
    "max_depth": gs.Integer(1, 14),
    "min_samples_leaf": gs.Integer(1, 40, prior="log-uniform"),
    "max_features": gs.Real(0.2, 1.0),
}


@dataclass(frozen=True)
class Kind:
    """One kind of simulated search."""

    n: int
    k: int
    data: Callable[..., Any]
    score: Callable[..., float]
    model: Callable[..., Any]
    space: dict[str, Any]


def classes(**options: Any) -> Callable[[int, int], Any]:
    return lambda n, seed: datasets.make_classification(n, random_state=seed, **options)


KINDS = {
    "svm": Kind(
        200,
        5,
        classes(n_features=10, n_informative=5, flip_y=0.1, class_sep=0.8),
        accuracy,
        lambda seed, **p: SVC(**p),
        {"C": log(1e-2, 1e3), "gamma": log(1e-4, 1e1)},
    ),
    "svm of three folds": Kind(
        450,
        3,
        classes(n_features=12, n_informative=6, n_classes=3, flip_y=0.05),
        accuracy,
        lambda seed, **p: SVC(**p),
        {"C": log(1e-2, 1e3), "gamma": log(1e-4, 1e1)},
    ),
    "kernel ridge": Kind(
        150,
        5,
        lambda n, seed: datasets.make_friedman1(n, 8, noise=2.0, random_state=seed),
        r2,
        lambda seed, **p: KernelRidge(kernel="rbf", **p),
        {"alpha": log(1e-4, 1e1), "gamma": log(1e-3, 1e1)},
    ),
    "tree": Kind(
        400,
        5,
        classes(n_features=12, n_informative=6, weights=[0.85], flip_y=0.04),
        precision,
        lambda seed, **p: DecisionTreeClassifier(random_state=seed, **p),
        TREE | {"ccp_alpha": log(1e-4, 1e-1)},
    ),
    "tree of ten folds": Kind(
        250,
        10,
        classes(n_features=10, n_informative=5, flip_y=0.05),
        accuracy,
        lambda seed, **p: DecisionTreeClassifier(random_state=seed, **p),
        TREE,
    ),
    "logistic": Kind(
        150,
        5,
        classes(n_features=40, n_informative=8, flip_y=0.1),
        log_likelihood,
        lambda seed, **p: LogisticRegression(max_iter=200, **p),
        {"C": log(1e-4, 1e2), "fit_intercept": gs.Categorical([True, False])},
    ),
    "neighbours": Kind(
        150,
        5,
        classes(n_features=8, n_informative=4, flip_y=0.1),
        accuracy,
        lambda seed, **p: KNeighborsClassifier(**p),
        {
            "n_neighbors": gs.Integer(1, 40, prior="log-uniform"),
            "weights": gs.Categorical(["uniform", "distance"]),
            "p": gs.Integer(1, 3),
        },
    ),
    "elastic net": Kind(
        120,
        5,
        lambda n, seed: datasets.make_regression(
            n, 40, n_informative=12, noise=60, random_state=seed
        ),
        r2,
        lambda seed, **p: ElasticNet(max_iter=300, tol=1e-2, **p),
        {"alpha": log(1e-2, 1e2), "l1_ratio": gs.Real(0.05, 1.0)},
    ),
}


class Simulated:
    """Cross-validation on the first rows of made data; the others are new."""

    def __init__(self, name: str, seed: int, splits: int = 0) -> None:
        self.name, self.seed, self.splits, self.kind = name, seed, splits, KINDS[name]
        self.n_folds, n = self.kind.k, self.kind.n
        X, y = self.kind.data(n + NEW, seed)
        order = np.random.default_rng(seed).permutation(len(y))
        X, y = X[order], y[order]
        X = (X - X[:n].mean(axis=0)) / (X[:n].std(axis=0) + 1e-9)
        self.X, self.y, self.X_new, self.y_new = X[:n], y[:n], X[n:], y[n:]
        splitter = KFold if y.dtype.kind == "f" else StratifiedKFold
        cv = splitter(self.n_folds, shuffle=True, random_state=splits)
        self.folds = list(cv.split(self.X, self.y))

    def validate(self, space: Any) -> None:
        """Every configuration can be scored."""

    def fingerprint(self) -> str:
        """Of the data."""
        return f"{self.name} {self.seed}"

    def describe(self) -> dict[str, Any]:
        """Of the data."""
        return {"name": self.name}

    def with_fresh_folds(self, random_state: int) -> Simulated:
        """The same rows, cut otherwise."""
        return Simulated(self.name, self.seed, random_state)

    def evaluate(
        self, params: Any, *, seed: int, on_fold: Any = None, done: Any = ()
    ) -> Evaluation:
        """Fit and score each fold."""
        known = {fold.fold for fold in done}
        results = (self._fold(params, seed, j) for j in range(self.n_folds) if j not in known)
        return run_folds(results, on_fold, done)

    def truth(self, params: Any) -> float:
        """Mean score on new rows of the folds' models of other splits."""
        return float(np.mean([self.with_fresh_folds(s).on_new_rows(params, s) for s in OTHER]))

    def on_new_rows(self, params: Any, seed: int) -> float:
        """Mean score of the folds' models."""
        size = len(self.y) // self.n_folds
        parts = [
            slice(i * size, (i + 1) * size) for i in range(min(CHUNKS, len(self.y_new) // size))
        ]
        models = [self._fitted(params, seed, j) for j in range(self.n_folds)]
        told = [self._predicted(model, self.X_new) for model in models]
        score, y = self.kind.score, self.y_new
        return float(np.mean([score(of[part], y[part]) for of in told for part in parts]))

    def _fold(self, params: Any, seed: int, j: int) -> FoldResult:
        test = self.folds[j][1]
        predicted = self._predicted(self._fitted(params, seed, j), self.X[test])
        return FoldResult(fold=j, score=self.kind.score(predicted, self.y[test]))

    def _predicted(self, model: Any, X: np.ndarray) -> np.ndarray:
        is_class = self.kind.score in (accuracy, r2)
        return np.asarray((model.predict if is_class else model.predict_proba)(X))

    def _fitted(self, params: Any, seed: int, j: int) -> Any:
        train = self.folds[j][0]
        word = int(np.random.SeedSequence(seed, spawn_key=(j,)).generate_state(1)[0] >> 1)
        return self.kind.model(word, **params).fit(self.X[train], self.y[train])


def of_set(name: str) -> Callable[[int, int], Any]:
    """Rows of a set of `timed_sets`, in another order for each seed."""

    def rows(n: int, seed: int) -> Any:
        from timed_sets import SETS

        X, y = SETS[name].load()
        order = np.random.default_rng(seed).permutation(len(y))[:n]
        return X[order], (y if SETS[name].classes else (y - y.mean()) / y.std())[order]

    return rows


def on_set(name: str, like: str) -> Kind:
    """Models of the kind `like`, on 240 rows of a set."""
    return dataclasses.replace(KINDS[like], n=240, k=5, data=of_set(name))


ON_SETS = {
    "breast_cancer": "tree",
    "four_classes": "svm",
    "friedman": "kernel ridge",
    "digits": "svm",
    "diabetes": "kernel ridge",
    "imbalanced": "tree",
}
KINDS |= {name: on_set(name, like) for name, like in ON_SETS.items()}


def network(like: Kind) -> Kind:
    """The same with small networks of scikit-learn's, which train in milliseconds."""
    made = MLPRegressor if like.score is r2 else MLPClassifier

    def model(seed: int, n_neurons: int, **settings: Any) -> Any:
        sizes = {"hidden_layer_sizes": (n_neurons,), "batch_size": 48, "max_iter": 10}
        return made(**sizes, **settings, random_state=seed)

    space = {
        "n_neurons": gs.Integer(8, 64, prior="log-uniform"),
        "learning_rate_init": log(1e-3, 3e-1),
        "alpha": log(1e-5, 1e0),
    }
    return dataclasses.replace(like, model=model, space=space)


KINDS |= {f"network, {name}": network(KINDS[name]) for name in ON_SETS}


def networks(seed: int) -> Iterator[dict[str, Any]]:
    """A search of small networks on each set, of 15 or 20 trials, the other rows set aside."""
    for name in ON_SETS:
        yield searched(f"network, {name}", seed, 15 + 5 * (seed % 2), "gp")


def simulated(seed: int) -> Iterator[dict[str, Any]]:
    """One search of each kind."""
    rng = np.random.default_rng(seed)
    for name in list(KINDS)[: -2 * len(ON_SETS)]:
        n_calls = int(rng.choice(BUDGETS[:3] if seed % 2 else BUDGETS))
        yield searched(name, seed, n_calls, "gp" if seed % 2 else "random")


def searched(name: str, seed: int, n_calls: int, strategy: str) -> dict[str, Any]:
    """One search of a kind."""
    objective, space = Simulated(name, seed), gs.Space(KINDS[name].space)
    options = {"n_calls": n_calls, "strategy": strategy, "random_state": seed}
    return {"kind": name, "seed": seed} | confirmed(objective, space, objective.truth, **options)


def confirmed(objective: Any, space: Any, truth: Any, **options: Any) -> dict[str, Any]:
    """A search, and what each of the shares makes of it: what is scored again is scored once."""
    (middle,) = space.from_z(space.quantile(np.full((1, len(space)), 0.5)))
    baseline = space.params(middle)
    options = {"strategy": "gp", "progress": False, "baseline": baseline} | options
    study = gs.search(objective, space, confirm=False, racing=None, **options)
    trials, known, found = study.trials, dict[Any, Any](), dict[str, Any]()

    @functools.cache
    def true(number: int) -> float:
        return truth(dict(trials[number].params))

    def scored(number: int, splits: int) -> Any:
        if (splits, number) not in known:
            seed = trial_seed(study.seed, FRESH + splits)
            fresh = objective.with_fresh_folds(seed)
            outcome = evaluate(fresh, Job(number=number, params=trials[number].params, seed=seed))
            known[splits, number] = outcome.folds
        return known[splits, number]

    for share, reach in SHARES:
        fresh: dict[tuple[int, int], Any] = {}
        contest = Contest(
            study, fresh, share=share, scored_share=getattr(objective, "scored_share", None)
        )
        with unittest.mock.patch.object(winner, "REACH", reach):
            while missing := contest.missing():
                fresh |= {(splits, number): scored(number, splits) for number, splits in missing}
        name = f"{share:g}" + ("" if reach else " whole")
        found[name] = judged(study, contest.verdict(), true)
    again = [objective.with_fresh_folds(s).evaluate(baseline, seed=s).score for s in OTHER]
    control = float(np.mean([trials[0].score, *again])) - true(0)
    of_search = {"strategy": options["strategy"], "n": len(trials), "control": control}
    return of_search | {"shares": found}


def judged(study: gs.Study, made: Any, truth: Callable[[int], float]) -> dict[str, Any] | None:
    """What a search says of its winner, and what is true of it."""
    trials = study.trials
    if made is None or made.winner is None:
        return None
    top = sorted(study.complete, key=lambda trial: trial.loss)[:10]
    return {
        "sd": float(np.sqrt(np.mean([trial.std**2 for trial in top]))),
        "k": len(top[0].folds),
        "evaluated": sum(len(trial.folds) for trial in trials),
        "standard_error": trials[made.favourite].standard_error,
        "truth": truth(made.winner),
        "of_favourite": truth(made.favourite),
        "of_baseline": None if made.baseline is None else truth(made.baseline),
    } | made.to_json()


def real(seed: int) -> Iterator[dict[str, Any]]:
    """One search of networks for each set, 15 trials."""
    from timed_sets import SETS

    from gpsearch.objective import keras_cv
    from gpsearch.training import mlp
    from gpsearch.training.compiled.compiled_trainer import CompiledTrainer

    global PROGRAMS
    PROGRAMS = PROGRAMS or CompiledTrainer()  # traced once for all searches
    keras_cv.CompiledTrainer = lambda: PROGRAMS
    for name in ON_SETS:
        data = SETS[name]
        X, y = data.load()
        rng = np.random.default_rng(seed)
        order, n = rng.permutation(len(y)), 240
        X, y = X[order], y[order]
        scale = X[:n].std(axis=0) + 1e-9
        X = (X - X[:n].mean(axis=0)) / scale
        if not data.classes:
            y = (y - y[:n].mean()) / y[:n].std()
        options = {"scoring": data.scoring, "epochs": 20, "patience": 6, "random_state": seed}
        objective = gs.KerasCV(mlp, X[:n], y[:n], cv=5, **options)
        aside = np.arange(n, min(len(y), n + 2000))
        # models of the same rows, scored on the rows set aside
        folds = [fold for s in OTHER for fold in objective.with_fresh_folds(s).folds]
        cv = [(fold.train, aside) for fold in folds]
        far = gs.KerasCV(mlp, X[: aside[-1] + 1], y[: aside[-1] + 1], cv=cv, **options)

        def truth(params: Any, far: Any = far) -> float:
            return float(far.evaluate(params, seed=OTHER[0]).score)

        found = confirmed(objective, gs.Space(NETWORKS), truth, n_calls=15, random_state=seed)
        yield {"kind": name, "seed": seed} | found


def report(rows: list[dict[str, Any]], label: str) -> None:
    """Coverage and bias for each share, of what the study says and of the greatest score as it is.

    Biases are told as they are and, in brackets, without the chance of the rows.
    """
    print(f"{label}: {len(rows)} searches")
    for share in rows[0]["shares"]:
        known = [row for row in rows if row["shares"][share]]
        _report_share(share, [row | row["shares"][share] for row in known])


def _report_share(share: str, rows: list[dict[str, Any]]) -> None:
    def column(name: str) -> np.ndarray:
        return np.array([row[name] for row in rows], dtype=float)

    sd, truth, kinds = column("sd"), column("truth"), np.array([row["kind"] for row in rows])
    control = column("control") / sd
    bias = (column("expected") - truth) / sd
    raw = column("searched") - column("of_favourite")
    covered = (column("low") <= truth) & (truth <= column("high"))
    t = stats.t.ppf(0.95, column("k") - 1)
    usual = np.abs(raw) <= t * column("standard_error")
    width = np.mean((column("high") - column("low")) / 2 / sd)
    spent = np.mean(column("folds") / column("evaluated"))
    print(f"    share {share}: {spent:.1%} of the folds, ± {width:.2f}")
    for name, off, inside in (("expected", bias, covered), ("best score", raw / sd, usual)):
        alone = without_chance(off, control, kinds)
        told = f"bias {_with_error(off)} ({_with_error(alone)}; median {np.median(off):+.2f})"
        print(f"        {name}: {told}, covered {_share(inside)}")
    usual_sd = np.array([np.median(sd[kinds == kind]) for kind in kinds])
    off = (column("expected") - truth) / usual_sd
    print(f"        in the median standard deviation of a kind: bias {_with_error(off)}")
    gained = (truth - column("of_favourite")) / sd
    print(
        f"        winner over best score {_with_error(gained)}, "
        f"probability {column('probability').mean():.2f}"
    )
    true = truth - column("of_baseline")
    low, high, gain = (column(name) for name in ("gain_low", "gain_high", "gain"))
    told = (column("winner") != column("baseline")) & np.isfinite(gain)
    if not told.any():
        return
    off, better = ((gain - true) / sd)[told], (low > 0) & told
    print(
        f"        gain over the baseline: bias {_with_error(off)}, median {np.median(off):+.2f}, "
        f"covered {_share(((low <= true) & (true <= high))[told])}, told better in "
        f"{better.sum()} of {told.sum()}, of these truly {(true[better] > 0).sum()}"
    )


def without_chance(off: np.ndarray, control: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """What of these is left where the controls, 0 on average, are taken away, kind by kind."""
    kind = kinds[:, None] == np.unique(kinds)
    x, y = (values - kind @ (values @ kind / kind.sum(axis=0)) for values in (control, off))
    return off - control * (x @ y) / (x @ x)


def _with_error(values: np.ndarray) -> str:
    return f"{values.mean():+.3f} ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}"


def _share(hits: np.ndarray) -> str:
    found = stats.binomtest(int(hits.sum()), len(hits)).proportion_ci(0.95)
    return f"{hits.mean():.1%} ({found.low:.0%} to {found.high:.0%})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("simulated", "networks", "real", "report"))
    parser.add_argument("path", type=Path)
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 30))
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    if arguments.what == "report":
        rows = [json.loads(line) for line in arguments.path.read_text().splitlines()]
        report(rows, "all")
        for name in ("strategy", "kind"):
            for value in sorted({row[name] for row in rows}):
                report([row for row in rows if row[name] == value], value)
        return
    searches = {"simulated": simulated, "networks": networks, "real": real}
    with arguments.path.open("a") as file:
        for seed in range(*arguments.seeds):
            for row in searches[arguments.what](seed):
                file.write(json.dumps(row) + "\n")
                file.flush()


if __name__ == "__main__":
    main()
