"""Splits drawn anew for each configuration, against the same for all, by the one that wins.

    python benchmarks/reshuffle.py run out.jsonl --seeds 0 4
    python benchmarks/reshuffle.py report out.jsonl

Nagler et al. (NeurIPS 2024) draw the splits anew for each configuration, so that the search cannot
favour what suits one split. Here the configurations are a grid of about 64, each scored on every
fold of five repeats, and its model of all rows on new ones. From these tables searches are made:
the configuration with the best mean wins, of a holdout (one fold) or of all folds, the same for all
or drawn for each. Both take the same number of trials, and so the same time. Where a set of
`confirmation` is scored by accuracy or R², its models are kernel ridges, whose grid is quick.
"""

from __future__ import annotations

import argparse
import itertools
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from confirmation import KINDS, Kind, Simulated, accuracy, r2
from scipy import stats
from sklearn.metrics import r2_score
from sklearn.metrics.pairwise import rbf_kernel

import gpsearch as gs
from gpsearch.evaluation import Evaluation, FoldResult, run_folds

TRIALS, REPEATS, CONFIGURATIONS = 25, 5, 64
RANDOM_SEARCHES, GP_SEARCHES = 4000, 4  # of each table; the random ones cost nothing
LEFT_OUT = ("svm of three folds", "tree of ten folds", "imbalanced")  # like others, or slow
SEARCHED = [name for name in KINDS if name not in LEFT_OUT]
COLUMNS = list(itertools.product(("gp", "random"), ("holdout", "folds")))


RIDGE = {"gamma": list(np.geomspace(1e-2, 1e1, 8)), "alpha": list(np.geomspace(1e-4, 1e2, 8))}


def kernel_ridge(kind: Kind, X: Any, y: Any, X_new: Any, y_new: Any) -> np.ndarray:
    """Scores of `RIDGE` on new rows, by one decomposition for each gamma; of classes accuracy."""
    classes, scores = np.unique(y), []
    targets = y[:, None] if kind.score is r2 else 1.0 * (y[:, None] == classes)
    middle = targets.mean(axis=0)
    for gamma in np.array(RIDGE["gamma"]) / X.shape[1]:
        values, vectors = np.linalg.eigh(rbf_kernel(X, gamma=gamma))
        new, known = rbf_kernel(X_new, X, gamma=gamma) @ vectors, vectors.T @ (targets - middle)
        for alpha in RIDGE["alpha"]:
            found = middle + new @ (known / (values + alpha)[:, None])
            found = found[:, 0] if kind.score is r2 else classes[found.argmax(axis=1)]
            scores.append(r2_score(y_new, found) if kind.score is r2 else np.mean(found == y_new))
    return np.array(scores)


def levels(space: gs.Space) -> dict[str, list[Any]]:
    """A grid of the space: of each dimension its categories, or values at equal distances."""
    fixed = {dim.name: list(dim.categories) for dim in space if hasattr(dim, "categories")}
    size = CONFIGURATIONS / np.prod([len(values) for values in fixed.values()])
    n = round(size ** (1 / (len(space) - len(fixed))))
    grid: dict[str, list[Any]] = {}
    for dim in space:
        spread = np.geomspace if getattr(dim, "prior", "") == "log-uniform" else np.linspace
        if dim.name in fixed:
            grid[dim.name] = fixed[dim.name]
        elif isinstance(dim, gs.Integer):
            grid[dim.name] = sorted({round(v) for v in spread(dim.low, dim.high, n)})
        else:
            grid[dim.name] = list(map(float, spread(dim.low, dim.high, n)))
    return grid


class Table:
    """Scores (configuration, repeat, fold) of a set's grid, and of the models of all rows."""

    def __init__(self, name: str, seed: int) -> None:
        self.name, self.seed, kind = name, seed, KINDS[name]
        ridge = kind.score in (accuracy, r2)
        self.grid = RIDGE if ridge else levels(gs.Space(kind.space))
        self.shape = tuple(map(len, self.grid.values()))
        of_grid = kernel_ridge if ridge else self._models
        repeats = [Simulated(name, seed, splits) for splits in range(REPEATS)]
        rows = repeats[0]
        with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
            scores = [
                of_grid(kind, of.X[train], of.y[train], of.X[test], of.y[test])
                for of in repeats
                for train, test in of.folds
            ]
            self.truth = of_grid(kind, rows.X, rows.y, rows.X_new, rows.y_new)
        self.scores = np.array(scores).T.reshape(len(self.truth), REPEATS, kind.k)

    def _models(self, kind: Kind, X: Any, y: Any, X_new: Any, y_new: Any) -> np.ndarray:
        """Scores of the kind's own models on new rows."""
        every = itertools.product(*self.grid.values())
        grid = [dict(zip(self.grid, values, strict=True)) for values in every]
        models = [kind.model(self.seed, **params).fit(X, y) for params in grid]
        return np.array([kind.score(model, X_new, y_new) for model in models])

    def random(self, splits: str, rng: np.random.Generator) -> float:
        """Mean gain of redrawn splits over random searches."""
        table = self.scores.mean(axis=2) if splits == "folds" else _flat(self.scores)
        gains = []
        for _ in range(RANDOM_SEARCHES):
            tried = rng.permutation(len(table))[:TRIALS]
            columns = rng.integers(table.shape[1], size=TRIALS)
            same, drawn = table[tried, columns[0]], table[tried, columns]
            gains.append(self.truth[tried[drawn.argmax()]] - self.truth[tried[same.argmax()]])
        return float(np.mean(gains))

    def gp(self, splits: str, rng: np.random.Generator) -> float:
        """Mean gain of redrawn splits over a few searches of ours."""
        space = {
            name: gs.Categorical([str(v) for v in values])
            if isinstance(values[0], str | bool)
            else gs.Integer(0, len(values) - 1)
            for name, values in self.grid.items()
        }
        gains = []
        for _ in range(GP_SEARCHES):
            seed, first = int(rng.integers(2**31)), int(rng.integers(2**31))
            options = {"n_calls": TRIALS, "racing": None, "confirm": False}
            options |= {"random_state": seed, "progress": False}
            same, drawn = (
                gs.search(Splits(self, splits, given), space, **options) for given in (first, None)
            )
            gains.append(self.truth[self.row(drawn.best_params)])
            gains[-1] -= self.truth[self.row(same.best_params)]
        return float(np.mean(gains))

    def row(self, params: dict[str, Any]) -> int:
        """Number of a configuration."""
        at = [
            int(params[name]) if not isinstance(params[name], str) else texts.index(params[name])
            for name, values in self.grid.items()
            for texts in [list(map(str, values))]
        ]
        return int(np.ravel_multi_index(at, self.shape))


class Splits:
    """A table as an objective; the splits follow from `first`, or from the trial's own seed."""

    greater_is_better = True

    def __init__(self, table: Table, splits: str, first: int | None) -> None:
        self.table, self.first, self.name = table, first, table.name
        self.scores = table.scores if splits == "folds" else _flat(table.scores)[:, :, None]
        self.n_folds = self.scores.shape[2]

    def validate(self, space: Any) -> None:
        """Every configuration has its scores."""

    def fingerprint(self) -> str:
        """Of the table."""
        return f"{self.table.name} {self.table.seed} {self.n_folds} {self.first}"

    def describe(self) -> dict[str, Any]:
        """Of the table."""
        return {"name": self.name}

    def evaluate(
        self, params: Any, *, seed: int, on_fold: Any = None, done: Any = ()
    ) -> Evaluation:
        """Look the folds up."""
        rng = np.random.default_rng(seed if self.first is None else self.first)
        of = self.scores[self.table.row(params), rng.integers(self.scores.shape[1])]
        return run_folds((FoldResult(fold=j, score=s) for j, s in enumerate(of)), on_fold, done)


def _flat(scores: np.ndarray) -> np.ndarray:
    return scores.reshape(len(scores), -1)


def report(rows: Sequence[dict[str, Any]]) -> str:
    """What redrawn splits gain on new rows, in hundredths of the metric, by set and in all."""
    names = [name for name in SEARCHED if any(row["kind"] == name for row in rows)]
    gains = {
        name: {
            column: [100 * row[" ".join(column)] for row in rows if row["kind"] == name]
            for column in COLUMNS
        }
        for name in names
    }
    of_all = {column: [np.mean(gains[name][column]) for name in names] for column in COLUMNS}
    signs = {column: np.sign(of_all[column]).tolist() for column in COLUMNS}
    lines = [
        ["set", *(f"{strategy}, {splits}" for strategy, splits in COLUMNS)],
        ["---"] * (len(COLUMNS) + 1),
        *([n, *(f"{np.mean(gains[n][column]):+.2f}" for column in COLUMNS)] for n in names),
        ["mean of the sets", *(interval(of_all[column]) for column in COLUMNS)],
        ["sets better, worse", *(f"{of.count(1)}, {of.count(-1)}" for of in signs.values())],
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def interval(gains: Sequence[float]) -> str:
    """Mean, and its 95 % interval by Student's t."""
    mean, n = np.mean(gains), len(gains)
    wide = stats.t.ppf(0.975, n - 1) * np.std(gains, ddof=1) / np.sqrt(n)
    return f"{mean:+.2f} ({mean - wide:+.2f} to {mean + wide:+.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("run", "report"))
    parser.add_argument("path", type=Path)
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 4))
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    if arguments.what == "report":
        print(report([json.loads(line) for line in arguments.path.read_text().splitlines()]))
        return
    with arguments.path.open("a") as file:
        for seed, name in itertools.product(range(*arguments.seeds), SEARCHED):
            table, row = Table(name, seed), {"kind": name, "seed": seed}
            for strategy, splits in COLUMNS:
                rng = np.random.default_rng(seed)
                row[f"{strategy} {splits}"] = getattr(table, strategy)(splits, rng)
            file.write(json.dumps(row) + "\n")
            file.flush()


if __name__ == "__main__":
    main()
