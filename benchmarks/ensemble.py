"""What the ensemble of a search gains over its best model, on rows set aside.

``python benchmarks/ensemble.py [--sets digits ...] [--seeds 0 1] [--trials 15] [--out FILE]``
``python benchmarks/ensemble.py --table FILE``

Both are fitted on all rows of the search. "chosen" is the ensemble that the folds choose, whether
its gain is shown or not; "used" is what `Study.best_ensemble` returns. Seconds are those of the
processor. The space is small, so that a search traces few programs; ``--whole-space`` is that of
`mlp_space`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn.metrics import log_loss, root_mean_squared_error
from timed_sets import SETS, SPACE

import gpsearch as gs
from gpsearch.analysis.ensemble_selection import fit_ensemble, select_ensemble

DEFAULT = ["breast_cancer", "four_classes", "friedman", "digits", "diabetes", "imbalanced"]
PASSES = 5
SMALL = {name: SPACE[name] for name in ("learning_rate", "n_neurons", "drop_rate")}
SMALL["n_hidden"] = {"type": "integer", "low": 1, "high": 2}


def worked(function):
    begun = time.process_time()
    returned = function()
    return returned, time.process_time() - begun


def measured(name: str, seed: int, n_trials: int, space: dict, folder: Path | None) -> dict:
    chosen_set = SETS[name]
    X, y, X_aside, y_aside = chosen_set.split()
    objective = gs.KerasCV(
        chosen_set.create_model, X, y, scoring=chosen_set.scoring, epochs=20, patience=5
    )
    study = gs.search(
        objective,
        chosen_set.space or space,
        n_calls=n_trials,
        random_state=seed,
        study=folder and folder / f"{name}-{seed}.db",
        racing=None,
        progress=False,
    )
    selection, select_seconds = worked(lambda: select_ensemble(study))
    alone = dataclasses.replace(selection, members={selection.single: 1})
    several = dataclasses.replace(selection, members=selection.chosen)
    single, refit_single = worked(lambda: fit_ensemble(study, objective, alone))
    ensemble, refit_ensemble = worked(lambda: fit_ensemble(study, objective, several))

    def loss(model):
        if chosen_set.classes:
            return log_loss(y_aside, model.predict_proba(X_aside))
        return root_mean_squared_error(y_aside, model.predict(X_aside))

    def predict_seconds(model):
        model.predict(X_aside)
        return min(worked(lambda: model.predict(X_aside))[1] for _ in range(PASSES))

    return {
        "set": name,
        "seed": seed,
        "distinct": len(selection.chosen),
        "estimate": [selection.gain, *selection.interval],
        "used": selection.is_better,
        "metric": [model.score(X_aside, y_aside) for model in (single, ensemble)],
        "loss": [loss(model) for model in (single, ensemble)],
        "predict": [predict_seconds(model) for model in (single, ensemble)],
        "refit": [refit_single, refit_ensemble],
        "select": select_seconds,
    }


def show(rows: list[dict]) -> None:
    by_set = defaultdict(list)
    for row in rows:
        by_set[row["set"]].append(row)
    print(
        "| set | metric | gain in it, chosen | used | gain in log loss or RMSE | used | members |"
        " estimate | predict |"
    )
    print("|---|---|---|---|---|---|---|---|---|")

    def gain(row, what):
        single, ensemble = row[what]
        return ensemble - single if what == "metric" else single - ensemble

    for name, some in by_set.items():
        cells = []
        for what in ("metric", "loss"):
            cells.append(f"{np.mean([gain(row, what) for row in some]):+.4f}")
            cells.append(f"{np.mean([gain(row, what) * row['used'] for row in some]):+.4f}")
        members = np.mean([row["distinct"] for row in some])
        estimate = np.mean([row["estimate"][0] for row in some])
        used = sum(row["used"] for row in some)
        ratio = statistics.median(row["predict"][1] / row["predict"][0] for row in some)
        cells += [f"{members:.1f}", f"{estimate:+.4f}, used {used}", f"{ratio:.1f}"]
        print(f"| {name} ({len(some)}) | {SETS[name].scoring} | {' | '.join(cells)} |")
    for what in ("metric", "loss"):
        for label, factor in (("chosen", lambda row: 1), ("used", lambda row: row["used"])):
            values = [gain(row, what) * factor(row) for row in rows]
            if what == "loss":  # relative: units differ from set to set
                values = [v / row["loss"][0] for v, row in zip(values, rows, strict=True)]
            low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
            print(
                f"{what}, {label}: {np.mean(values):+.4f} ({low:+.4f} to {high:+.4f}), "
                f"better in {sum(v > 0 for v in values)}, worse in {sum(v < 0 for v in values)} "
                f"of {len(values)}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=DEFAULT, choices=list(SETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--trials", type=int, default=15)
    parser.add_argument("--whole-space", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("ensemble.jsonl"))
    parser.add_argument("--folder", type=Path, help="where to keep the studies")
    parser.add_argument("--table", type=Path, help="results to show, without measuring")
    arguments = parser.parse_args()
    space = SPACE if arguments.whole_space else SMALL
    if arguments.table is None:
        for seed in arguments.seeds:
            for name in arguments.sets:
                row = measured(name, seed, arguments.trials, space, arguments.folder)
                print(json.dumps(row), flush=True)
                with arguments.out.open("a") as file:
                    file.write(json.dumps(row) + "\n")
    table = arguments.table or arguments.out
    show([json.loads(line) for line in table.read_text().splitlines()])


if __name__ == "__main__":
    main()
