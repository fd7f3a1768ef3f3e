"""Strategies on real networks that are not easy to tune: who wins, and by how much.

    python benchmarks/comparison.py [digits friedman ...] [--n-repeats 7] [--n-calls 30]
        [--folder runs] [--read] [--keep]

Keras networks with the ten settings of the ready-made one, up to 128 units, 20 epochs, three
folds. Each set is one study of `gpsearch.compare`: the same folds for all strategies, and the same
call continues it. The winners are then trained again, on three other splits and seeds. ``--read``
runs nothing; ``--keep`` keeps the tables for the pages.

What random search finds is computed from all its draws, 210 with seven repeats: the expected best
of 30 of them, or of as many as are trained in the seconds of another run.

======= =======================================================================================
unit    the standard deviation of a fold's score: root mean square over the best trials of all runs
seconds of a trial: three times its median fold, for the first may trace a program that a later run
        finds known; and the time of its proposal
below   how far the best of 30 random points is below the best known, both on the other splits
======= =======================================================================================
"""

from __future__ import annotations

import argparse
import itertools
import json
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from estimates import Estimate, best_of_random, mean_of
from hard_sets import EPOCHS, FOLDS, HARD, ROWS, SPACE, objective
from kept import keep, row_text

from gpsearch.comparison import Comparison, compare, open_comparison
from gpsearch.errors import TrialFailedError
from gpsearch.objective import KerasCV
from gpsearch.study import Trial

PAGE = "docs/explanation/benchmarks.md"
FRESH = 3  # other splits
STRATEGIES = ["gp", "tpe", "random"]
SCORES = {"accuracy": "accuracy", "r2": "R²"}
TRIALS, SECONDS, OTHER_SPLITS = "equal trials", "equal seconds", "equal trials, other splits"
PAIRS = (("gp", "random"), ("gp", "tpe"), ("tpe", "random"))
SCORED_AGAIN = 20  # of the random trials, the best: one of them wins in 95 of 100 searches of 30


# ------------------------------------------------------------------ the winners on other splits


def best_trial(run: Any) -> Trial:
    return max((trial for trial in run if trial.state == "complete"), key=lambda t: t.score)


def random_trials(comparison: Comparison) -> list[Trial]:
    """All random trials, the best first and the failed last."""
    pool = [trial for run in comparison.runs["random"] for trial in run]
    return sorted(pool, key=lambda trial: -trial.score if trial.state == "complete" else np.inf)


def winners(comparison: Comparison) -> list[Trial]:
    """What is scored again: the best trial of each run by a model, and the best random ones."""
    found = [
        best_trial(run)
        for strategy, runs in comparison.runs.items()
        if strategy != "random"
        for run in runs
    ]
    return found + random_trials(comparison)[:SCORED_AGAIN]


def score_again(data: str, comparison: Comparison, path: Path) -> None:
    """Train the winners on other splits and seeds, as far as the file does not hold them."""
    known = json.loads(path.read_text()) if path.exists() else {}
    todo = [trial for trial in winners(comparison) if str(trial.number) not in known]
    splits = [objective(data)] if todo else []
    splits = [own.with_fresh_folds(1000 + k) for own in splits for k in range(FRESH)]
    for trial in todo:
        known[str(trial.number)] = [score_of(own, trial) for own in splits]
        path.write_text(json.dumps(known))


def score_of(own: KerasCV, trial: Trial) -> float:
    """The score on its splits; 0, as of a network that has learnt nothing, where it diverges."""
    try:
        return own.evaluate(trial.params, seed=own.random_state).score
    except TrialFailedError:
        return 0.0


# ------------------------------------------------------------------ differences


class Measured:
    """One set: its comparison, and the scores of the winners on other splits."""

    def __init__(self, data: str, folder: Path) -> None:
        self.data = data
        self.comparison = open_comparison(folder / f"hard-{data}.db")
        self.again: dict[str, list[float]] = json.loads((folder / f"hard-{data}.json").read_text())
        self.pool = random_trials(self.comparison)
        worst = np.nanmin(self.comparison.scores)
        self.drawn = np.array([worst if np.isnan(t.score) else t.score for t in self.pool])

    @cached_property
    def unit(self) -> float:
        """The standard deviation of a fold's score, of what the runs found."""
        found = [best_trial(run).std for runs in self.comparison.runs.values() for run in runs]
        return float(np.sqrt(np.mean(np.square(found))))

    def on_other_splits(self, trial: Trial) -> float:
        return float(np.mean(self.again.get(str(trial.number), np.nan)))

    @cached_property
    def below(self) -> Estimate:
        """How far random search of n is below the best known, on the other splits."""
        known = max(
            (best_trial(run) for runs in self.comparison.runs.values() for run in runs),
            key=lambda trial: trial.score,
        )
        table = np.array(list(self.again.values()))
        rest = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
        freedom = (len(table) - 1) * (FRESH - 1)
        variance = float((rest**2).sum() / freedom / FRESH)
        best = Estimate(self.on_other_splits(known), variance, freedom)
        return (best - self.of_random(other_splits=True)) / self.unit

    def of_random(self, m: float | None = None, *, other_splits: bool = False) -> Estimate:
        """What the best of m random points is expected to have."""
        values = self.drawn
        if other_splits:
            values = np.array([self.on_other_splits(trial) for trial in self.pool])
        return best_of_random(values, self.comparison.n_calls if m is None else m)

    def elapsed(self, strategy: str) -> np.ndarray:
        """(R, n) seconds of each run after so many trials."""
        wait = self.comparison.proposal_seconds(strategy)
        return np.cumsum(
            [[wait + seconds_of(trial) for trial in run] for run in self.comparison.runs[strategy]],
            axis=1,
        )

    def over(self, strategy: str, other: str, equal: str) -> Estimate:
        """How far a strategy is ahead of another, in units.

        Equal seconds are those of the strategy's own run where the other is random search, else
        those of the shorter run of the two.
        """
        again = equal == OTHER_SPLITS
        if other == "random":
            draws = np.full(self.comparison.n_repeats, float(self.comparison.n_calls))
            if equal == SECONDS:  # of the same repeat: other work on the machine fell on both
                draws *= self.elapsed(strategy)[:, -1] / self.elapsed("random")[:, -1]
            expected = [self.of_random(m, other_splits=again) for m in draws]
            shared = self.of_random(draws.mean(), other_splits=again)  # by all runs
            ahead = self.reached(strategy, again=again) - [of.mean for of in expected]
            difference = mean_of(ahead) - Estimate(0.0, shared.variance, shared.freedom)
        elif equal == SECONDS:
            spent = [self.elapsed(name) for name in (strategy, other)]
            until = np.minimum(spent[0][:, -1], spent[1][:, -1])
            curves = [self.comparison.best_of(name) for name in (strategy, other)]
            reached = [
                [curve[np.sum(row <= end) - 1] for curve, row, end in zip(*runs, strict=True)]
                for runs in zip(curves, spent, [until, until], strict=True)
            ]
            difference = mean_of(np.subtract(*reached))
        else:
            own, its = (self.reached(name, again=again) for name in (strategy, other))
            difference = mean_of(own - its)
        return difference / self.unit

    def reached(self, strategy: str, *, again: bool) -> np.ndarray:
        """(R,) best score of each run, or that of its winner on the other splits."""
        if not again:
            return self.comparison.best_of(strategy)[:, -1]
        runs = self.comparison.runs[strategy]
        return np.array([self.on_other_splits(best_trial(run)) for run in runs])


def seconds_of(trial: Trial) -> float:
    """Training seconds of a trial, without what its first fold alone took."""
    folds = [fold.seconds for fold in trial.folds]
    return FOLDS * float(np.median(folds)) if folds else trial.seconds


# ------------------------------------------------------------------ tables


def tables(sets: list[Measured]) -> list[dict[str, Any]]:
    """How hard each set is and what is found on it; then who is ahead of whom, three times."""
    rows = [
        [
            one.data.replace("_", " "),
            f"{ROWS} x {HARD[one.data].load()[0][0].size}",
            SCORES[HARD[one.data].scoring],
            str(one.comparison.n_repeats),
            f"{one.unit:.4f}",
            f"{one.of_random().mean:.3f}",
            *(f"{one.reached(name, again=False).mean():.3f}" for name in reversed(STRATEGIES[:-1])),
            f"{np.nanmax(one.comparison.scores):.3f}",
            str(one.below),
        ]
        for one in sets
    ]
    columns = ["set", "rows x columns", "score", "runs", "fold's deviation"]
    made = [
        {
            "columns": [*columns, *STRATEGIES[::-1], "best known", "random is below it by"],
            "rows": rows,
        }
    ]
    for equal in (TRIALS, SECONDS, OTHER_SPLITS):
        ahead = [[one.over(*pair, equal) for pair in PAIRS] for one in sets]
        rows = [
            [one.data.replace("_", " "), *map(str, row)]
            for one, row in zip(sets, ahead, strict=True)
        ]
        if len(sets) > 1:
            means = [mean_of([each.mean for each in column]) for column in zip(*ahead, strict=True)]
            rows.append(["**mean of the sets**", *(f"**{mean}**" for mean in means)])
        columns = [equal, *(f"{strategy} over {other}" for strategy, other in PAIRS)]
        made.append({"columns": columns, "rows": rows})
    return made


def keep_all(sets: list[Measured], made: list[dict[str, Any]]) -> None:
    """Keep the tables, and of each what the pages say."""
    values = {}
    for table in made[1:]:
        equal, *pairs = table["columns"]
        values |= {
            f"{pair}, {equal}": mean.strip("*")
            for pair, mean in zip(pairs, table["rows"][-1][1:], strict=True)
        }
    for equal, pair in itertools.product((TRIALS, SECONDS, OTHER_SPLITS), PAIRS):
        ahead = sum(one.over(*pair, equal).ahead for one in sets)
        values[f"{pair[0]} ahead of {pair[1]}, {equal}"] = f"{ahead} of {len(sets)}"
    repeats, draws = (
        " or ".join(map(str, sorted(set(found))))
        for found in zip(*((one.comparison.n_repeats, len(one.pool)) for one in sets), strict=True)
    )
    versions = ", ".join(f"{name} {version(name)}" for name in ("tensorflow", "keras", "optuna"))
    keep(
        "strategies",
        conditions=f"{len(sets)} sets, {repeats} runs of {sets[0].comparison.n_calls} points, "
        f"{draws} random points a set, {FOLDS} folds, {EPOCHS} epochs, one core; "
        f"intervals of 95 % over the runs, and of the means over the sets; {versions}",
        values=values,
        tables={PAGE: made},
        data={
            one.data: {"random": rounded(one.drawn)}
            | {s: rounded(one.reached(s, again=False)) for s in STRATEGIES if s != "random"}
            for one in sets
        },
    )


def rounded(scores: np.ndarray) -> list[float]:
    return [round(float(score), 4) for score in scores]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*", default=list(HARD), help=", ".join(HARD))
    parser.add_argument("--n-calls", type=int, default=30)
    parser.add_argument("--n-repeats", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=Path("runs"))
    parser.add_argument("--read", action="store_true", help="run nothing: read what stands there")
    parser.add_argument("--keep", action="store_true", help="keep the results for the pages")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for data in () if options.read else options.data:
        comparison = compare(
            objective(data),
            SPACE,
            strategies=STRATEGIES,
            n_calls=options.n_calls,
            n_repeats=options.n_repeats,
            study=options.folder / f"hard-{data}.db",
            progress=False,
        )
        print(f"{comparison}\n", flush=True)
        score_again(data, comparison, options.folder / f"hard-{data}.json")
    sets = [Measured(data, options.folder) for data in options.data]
    made = tables(sets)
    for table in made:
        print(*(row_text(row) for row in (table["columns"], *table["rows"])), "", sep="\n")
    if options.keep:
        keep_all(sets, made)


if __name__ == "__main__":
    main()
