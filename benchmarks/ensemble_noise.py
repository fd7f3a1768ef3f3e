"""How often an ensemble's gain is called shown where there is none: predictions without signal.

``python benchmarks/ensemble_noise.py [--searches 300]``

Labels are drawn at random, and what each trial predicts for a row is nearly the same in each fold
that holds it out. Any model is right half of the time: a gain that is shown is a false claim.
"""

from __future__ import annotations

import argparse
import dataclasses

import numpy as np
from sklearn.model_selection import RepeatedKFold

from gpsearch.analysis.ensemble_selection import EnsembleSelection, greedy

ROWS, TRIALS, MEMBERS, ALIKE = 100, 10, 6, 0.8
SPLITS = ((3, 1), (5, 1), (10, 1), (5, 3))  # folds, and repeats of them


def selected(seed: int, n_folds: int, n_repeats: int) -> EnsembleSelection:
    """What `select_ensemble` would choose, with a score that takes microseconds."""
    rng = np.random.default_rng(seed)
    y, own = rng.random(ROWS) < 0.5, rng.normal(size=(TRIALS, ROWS))
    splitter = RepeatedKFold(n_splits=n_folds, n_repeats=n_repeats, random_state=seed)
    tests = [test for _, test in splitter.split(np.zeros((ROWS, 1)))]
    told = [
        np.sqrt(ALIKE) * own[:, test] + np.sqrt(1 - ALIKE) * rng.normal(size=(TRIALS, len(test)))
        for test in tests
    ]

    def scorer(kept):
        known = {}

        def score(j, members):
            key = j, tuple(sorted(members))
            if key not in known:
                mean = told[j][list(members)].mean(axis=0)[kept[j]]
                known[key] = float(np.mean((mean > 0) == y[tests[j][kept[j]]]))
            return known[key]

        return score

    folds = range(len(tests))
    overall, gains = scorer([np.arange(len(test)) for test in tests]), []
    for left in folds:
        kept = [np.flatnonzero(~np.isin(test, tests[left])) for test in tests]
        others = [j for j in folds if j != left and len(kept[j])]
        chosen = greedy(scorer(kept), others, TRIALS, MEMBERS)
        gains.append(overall(left, chosen) - overall(left, chosen[:1]))
    chosen = dict.fromkeys(greedy(overall, folds, TRIALS, MEMBERS), 1)
    return EnsembleSelection(
        members={},
        chosen=chosen,
        single=0,
        gains=tuple(gains),
        score_name="accuracy",
        overlap=1 / (n_folds - 1),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--searches", type=int, default=300)
    arguments = parser.parse_args()
    for n_folds, n_repeats in SPLITS:
        found = [selected(seed, n_folds, n_repeats) for seed in range(arguments.searches)]
        shown = np.mean([one.is_better for one in found])
        plain = np.mean([dataclasses.replace(one, overlap=0.0).is_better for one in found])
        print(
            f"{n_folds} folds, {n_repeats} times: shown {shown:.1%}; "
            f"were the folds independent {plain:.1%}"
        )


if __name__ == "__main__":
    main()
