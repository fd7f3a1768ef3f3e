"""What rules over folds and epochs would have saved and lost, replayed on complete studies.

    python benchmarks/racing.py record [SET ...] [--rows 500] [--trials 40] [--epochs 60]
        [--patience 10] [--seed 0] [--folder runs/racing]
    python benchmarks/racing.py replay [SET ...] [--orders 20] [--folder runs/racing]

`record` searches each set with the strategies "random" and "gp" (the default; three quarters as
many trials), runs all folds and all epochs until early stopping, and keeps the studies in the
folder; a search that was killed goes on. `replay` reads them, and trains nothing.

A rule over epochs is asked at some epochs of a fold. It sees the lowest validation loss so far, and
those of the complete trials on the same fold, and stops a trial whose mean over all folds will,
with a probability of 99 %, be below the incumbent's. Between the folds the rule "paired" of the
package decides. What a rule did not let run teaches it nothing.

=========== ==================================================================================
line        linear regression of the scores to come on the log loss at that epoch, and on the
            mean score of the folds before
slope       the same, and on the fall of the log loss over the second half of the epochs so far
convex      the loss falls on as steeply until the last epoch, which is the best that a convex
            curve can do (Mohr & van Rijn 2023, LCCV); regression on the loss that it reaches
backlog     stop what is farther behind the incumbent than, at that epoch, any of the better half
            of the trials was behind one that it overtook in the end
cells       "paired" itself, with the score of the fold that is being trained predicted by
            regression on its log loss, over all trials that ended this fold
oracle      knows the outcome: what a rule that is never wrong would save
=========== ==================================================================================

Printed are, for random draws (mean over orders) and for the default's trials in their own order:
the share of the seconds that was needed; the same without tracing, which is what the first fold
took beyond its epochs; the trials stopped inside a fold; the incumbents lost of 500 trials. Shares
are means over the studies with the least and the greatest, counts have the 95 % interval of a
Poisson variable.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from scipy import stats
from timed_sets import SETS

from gpsearch.execution import search
from gpsearch.execution.rules.racing import paired
from gpsearch.objective import KerasCV
from gpsearch.strategy.history import FoldStatistics
from gpsearch.study import Study, Trial
from gpsearch.training import mlp, mlp_space

NAMES = ["breast_cancer", "four_classes", "friedman", "digits", "diabetes"]
FOLDS = 5
ASKED_AT = (4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)  # epochs
LEARNT_FROM = 5  # complete trials
LEVEL = 0.99


def record(name: str, options: argparse.Namespace) -> None:
    """Complete studies of one set."""
    data = SETS[name]
    X, y, _, _ = data.split()
    objective = KerasCV(
        mlp,
        X[: options.rows],
        y[: options.rows],
        cv=FOLDS,
        scoring=data.scoring,
        epochs=options.epochs,
        patience=options.patience,
        name=name,
    )
    for strategy, n_calls in (("random", options.trials), ("gp", options.trials * 3 // 4)):
        study = search(
            objective,
            mlp_space(),
            n_calls=n_calls,
            study=options.folder / f"{name}-{strategy}-{options.seed}.db",
            random_state=options.seed,
            strategy=strategy,
            racing=None,
            progress=False,
        )
        print(f"{name} {strategy}: {len(study.complete)} trials, {study.best_score:.4f}")


@dataclasses.dataclass(frozen=True)
class Recorded:
    """A complete trial as arrays."""

    trial: Trial
    scores: np.ndarray
    """(folds,)"""
    losses: np.ndarray
    """Logarithm of the lowest validation loss so far, the last one going on; (folds, epochs)."""
    epochs: np.ndarray
    """(folds,)"""
    seconds: np.ndarray
    """(folds,)"""

    @classmethod
    def of(cls, trial: Trial, longest: int) -> Recorded:
        """Read a trial of a study whose longest training has as many epochs."""
        losses = np.empty((len(trial.folds), longest))
        for row, fold in zip(losses, trial.folds, strict=True):
            lowest = np.fmin.accumulate(fold.curves["val_loss"])
            row[:] = lowest[-1]
            row[: len(lowest)] = lowest
        return cls(
            trial=trial,
            scores=np.array([fold.score for fold in trial.folds]),
            losses=np.log(np.clip(np.nan_to_num(losses, nan=1e3), 1e-4, 1e3)),
            epochs=np.array([fold.epochs for fold in trial.folds]),
            seconds=np.array([fold.seconds for fold in trial.folds]),
        )

    @functools.cached_property
    def per_epoch(self) -> float:
        """Seconds of one epoch; the first fold's hold those of tracing."""
        return float(np.median((self.seconds / self.epochs)[1:]))


def read(path: Path) -> list[Recorded]:
    """The complete trials of a study."""
    complete = Study.open(path).complete
    longest = max((fold.epochs or 0 for trial in complete for fold in trial.folds), default=0)
    return [Recorded.of(trial, longest) for trial in complete]


# ------------------------------------------------------------------ rules over epochs


@dataclasses.dataclass(frozen=True)
class Cell:
    """What a rule is asked about: a trial at an epoch of a fold."""

    done: Sequence[Recorded]
    """The complete trials."""
    ended: Sequence[Recorded]
    """Those that ended this fold, too."""
    best: Recorded
    trial: Recorded
    fold: int
    epoch: int

    def below(self, known: list[list[float]], new: list[float]) -> bool:
        """Whether the upper bound of a linear prediction does not reach the incumbent.

        `known` holds the features of the complete trials, `new` those of the trial.
        """
        X = np.column_stack([known, *self._means(self.done)])
        x = np.array([*new, *np.ravel(self._means([self.trial]))])
        y = np.array([one.scores[self.fold :].mean() for one in self.done])
        mean, sd, freedom = predicted(X, y, x)
        bound = mean + stats.t.ppf(LEVEL, freedom) * sd
        k = len(self.trial.scores)
        needed = k * self.best.trial.score - self.trial.scores[: self.fold].sum()
        return bool(bound * (k - self.fold) < needed)

    def _means(self, trials: Sequence[Recorded]) -> list[list[float]]:
        """Mean scores of the folds before; no column in the first fold."""
        return [[one.scores[: self.fold].mean() for one in trials]] if self.fold else []

    def loss(self, trial: Recorded, epoch: int | None = None) -> float:
        """Log loss of a trial at this fold and an epoch, by default this one."""
        return float(trial.losses[self.fold, (self.epoch if epoch is None else epoch) - 1])


def predicted(X: np.ndarray, y: np.ndarray, x: np.ndarray) -> tuple[float, float, int]:
    """Mean, standard deviation and degrees of freedom of a new y by linear regression."""
    X, x = np.column_stack([np.ones(len(X)), X]), np.array([1.0, *x])
    inverse = np.linalg.pinv(X.T @ X)
    beta = inverse @ X.T @ y
    freedom = len(y) - len(x)
    if freedom < 1:
        return math.nan, math.inf, 1
    variance = ((y - X @ beta) ** 2).sum() / freedom * (1 + x @ inverse @ x)
    return float(x @ beta), math.sqrt(variance), freedom


Rule = Callable[[Cell], bool]
"""Whether a trial stops at a cell."""


def line(cell: Cell, *, slope: bool = False) -> bool:
    """Regression on the loss so far."""

    def features(one: Recorded) -> list[float]:
        now = cell.loss(one)
        return [now, cell.loss(one, cell.epoch // 2) - now] if slope else [now]

    return cell.below([features(one) for one in cell.done], features(cell.trial))


def convex(cell: Cell) -> bool:
    """Regression on the lowest loss that a convex curve can still reach."""
    half, now = math.exp(cell.loss(cell.trial, cell.epoch // 2)), math.exp(cell.loss(cell.trial))
    fall = (half - now) / (cell.epoch - cell.epoch // 2)
    longest = cell.trial.losses.shape[1]
    last = math.log(max(now - fall * (longest - cell.epoch), 1e-4))
    return cell.below([[cell.loss(one, longest)] for one in cell.done], [last])


def backlog(cell: Cell) -> bool:
    """How far behind a later winner can be."""
    better = sorted(cell.done, key=lambda one: -one.trial.score)[: math.ceil(len(cell.done) / 2)]
    at = [cell.loss(one) for one in better]
    caught_up = max(at[i] - at[j] for i in range(len(at)) for j in range(i + 1, len(at)))
    return cell.loss(cell.trial) - cell.loss(cell.best) > max(caught_up, 0.0)


def cells(cell: Cell) -> bool:
    """The rule between folds, before the fold has ended."""
    if len(cell.ended) < LEARNT_FROM:
        return False
    fold, trial, best = cell.fold, cell.trial, cell.best
    X = np.array([[cell.loss(one)] for one in cell.ended])
    y = np.array([one.scores[fold] for one in cell.ended])
    mean, sd, freedom = predicted(X, y, np.array([cell.loss(trial)]))
    m, k = fold + 1, len(trial.scores)
    statistics = FoldStatistics.of([one.trial for one in cell.done])
    before = dataclasses.replace(trial.trial, folds=trial.trial.folds[:fold])
    scatter = statistics.scatter(before) if fold else statistics.pooled
    variance = (sd / m) ** 2 + 2 * scatter * (k - m) / (k * m)
    behind = ((trial.scores[:fold] - best.scores[:fold]).sum() + mean - best.scores[fold]) / m
    return bool(behind + stats.t.ppf(LEVEL, freedom) * math.sqrt(variance) < 0)


def oracle(cell: Cell) -> bool:
    """The truth."""
    return cell.trial.trial.score <= cell.best.trial.score


RULES: dict[str, tuple[Rule | None, bool]] = {
    "paired alone": (None, True),
    "line": (line, True),
    "line, no paired": (line, False),
    "slope": (functools.partial(line, slope=True), True),
    "convex": (convex, True),
    "backlog": (backlog, True),
    "cells": (cells, True),
    "oracle": (oracle, True),
}
"""The rule over epochs, and whether "paired" decides between folds."""


# ------------------------------------------------------------------ the replay


@dataclasses.dataclass
class Outcome:
    """What a rule would have done with a study."""

    seconds: float = 0.0
    untraced: float = 0.0
    inside: float = 0.0
    lost: float = 0.0


def replay(trials: Sequence[Recorded], rule: Rule | None, between: bool) -> Outcome:
    """One study, in this order; seconds as shares."""
    done: list[Recorded] = []
    ended: list[list[Recorded]] = [[] for _ in range(FOLDS)]
    out = Outcome()
    for one in trials:
        best = max(done, key=lambda other: other.trial.score, default=None)
        known = [other.trial for other in done]
        study = SimpleNamespace(trials=known, complete=known)
        for j, epochs in enumerate(one.epochs):
            ran = epochs
            if rule is not None and best is not None and len(done) >= LEARNT_FROM:
                asked = (Cell(done, ended[j], best, one, j, e) for e in ASKED_AT if e < epochs)
                ran = next((cell.epoch for cell in asked if rule(cell)), epochs)
            out.untraced += one.per_epoch * ran
            out.seconds += max(one.seconds[j] - one.per_epoch * (epochs - ran), 0.0)
            if ran == epochs:
                ended[j].append(one)
            so_far = dataclasses.replace(one.trial, folds=one.trial.folds[: j + 1])
            if ran < epochs or (between and not paired(study, so_far)):
                out.inside += ran < epochs
                out.lost += best is None or one.trial.score > best.trial.score
                break
        else:
            done.append(one)
    out.seconds /= sum(one.seconds.sum() for one in trials)
    out.untraced /= sum(one.per_epoch * one.epochs.sum() for one in trials)
    return out


def row(name: str, studies: Sequence[Sequence[Recorded]], orders: int) -> str:
    """One line of the table."""
    rule, between = RULES[name]
    shares, counts = [], np.zeros(2)
    for study in studies:
        rng = np.random.default_rng(0)
        order = [np.arange(len(study)), *(rng.permutation(len(study)) for _ in range(orders - 1))]
        outs = [replay([study[i] for i in positions], rule, between) for positions in order]
        shares.append(np.mean([(out.seconds, out.untraced) for out in outs], 0))
        counts += np.mean([(out.inside, out.lost) for out in outs], 0)
    n, (inside, lost) = sum(map(len, studies)), counts
    low = stats.chi2.ppf(0.025, 2 * lost) / 2 if lost else 0.0
    high = stats.chi2.ppf(0.975, 2 * lost + 2) / 2
    cells = [f"{x.mean():.2f} ({x.min():.2f} to {x.max():.2f})" for x in np.transpose(shares)]
    cells.append(f"{inside / n:6.0%}")
    cells.append(f"{500 * lost / n:.1f} ({500 * low / n:.1f} to {500 * high / n:.1f})")
    return "   ".join([f"{name:16s}", *cells])


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=["record", "replay"])
    parser.add_argument("sets", nargs="*", default=NAMES, help=", ".join(NAMES))
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--patience", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=Path("runs/racing"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.part == "record":
        for name in options.sets:
            record(name, options)
        return
    for strategy in ("random", "gp"):
        found = [options.folder.glob(f"{name}-{strategy}-*.db") for name in options.sets]
        studies = [read(path) for paths in found for path in sorted(paths)]
        print(f"\n{strategy}: {sum(map(len, studies))} trials of {len(studies)} studies")
        print(f"{'rule':16s}   seconds needed        without tracing       inside   lost of 500")
        for name in RULES:
            print(row(name, studies, options.orders if strategy == "random" else 1), flush=True)


if __name__ == "__main__":
    main()
