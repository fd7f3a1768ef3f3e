"""The best score that each tool reaches in equal processor seconds.

    python benchmarks/equal_time.py [breast_cancer digits ...] [--tools "gpsearch" "loop random"]
        [--half choose|validate] [--seeds 3] [--seconds 240] [--tree "before=../older"]
        [--out runs/equal_time] [--read] [--keep [NAME]]

Eight sets (`timed_sets`), eleven tools (`timed_tools`), one core. Seconds are those of the
processor from the start of the search, imports not counted; what ends later does not count. Scores
are read after a quarter, half and all of the time: the best cross-validated score so far, and the
score on the rows set aside of that configuration, trained anew on all other rows, in the mean of
five trainings. In the end it is the configuration that the tool chose, for gpsearch its confirmed
winner, whose search ends early for that. Sets that are made have 20,000 rows set aside. Both are
given as regret in units of the set: 0 is the best that any tool found, 1 the median over all
tools, seeds and readings. What counts are the sets and seeds on which all tools have been run;
``--keep`` keeps their figures, and ``make figures`` draws them.

``--tree NAME=FOLDER`` adds the default of another checkout, under that name. Optuna's GP needs
``torch``, and KerasTuner's Hyperband ``keras-tuner`` and ``tensorboard``. Each run is a process of
its own and stands in ``--out``; what stands there is not repeated.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from kept import keep, row_text
from scipy import stats

ROOT = Path(__file__).parents[1]
PAGE = "docs/explanation/benchmarks.md"
LIBRARIES = ("tensorflow", "keras", "optuna", "keras-tuner")
READINGS = (0.25, 0.5, 1.0)
MADE_ASIDE = 20_000
TRAININGS = 5
ONE_CORE = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


# ------------------------------------------------------------------ one run, one process


def measure(data: str, tool: str, seed: int, seconds: float) -> dict[str, Any]:
    """Run one tool on one set; gives what it had found at each reading."""
    import keras  # noqa: F401  (imports are not counted)
    from timed_sets import SETS
    from timed_tools import TOOLS, OverError, Task, cross_validated

    X, y, X_aside, y_aside = SETS[data].split(MADE_ASIDE)
    task = Task(SETS[data], X, y, seed, seconds)
    with contextlib.suppress(OverError):
        TOOLS[tool](task)
    curve, winners, spent = list(task.curve), [], task.spent
    on_aside = aside_scorer(SETS[data], X, y, X_aside, y_aside)
    uncharged = Task(SETS[data], X, y, seed, float("inf"))
    for share in READINGS:
        found = [entry for entry in curve if entry["cpu"] <= share * seconds]
        if not found:
            winners.append({"n": 0, "score": None, "aside": None})
            continue
        best = max(found, key=lambda entry: entry["rank"])
        if best["score"] is None:  # of one split; kept for the readings that follow
            best["score"] = cross_validated(uncharged, best["params"])
        chosen = task.winner if share == 1.0 and task.winner else best["params"]
        winners.append(
            {
                "n": len(found),
                "score": best["score"],
                "aside": on_aside(chosen),
                "aside of best": on_aside(best["params"]),
                "params": chosen,
            }
        )
    return {"winners": winners, "curve": curve, "cpu": spent}


def aside_scorer(
    data: Any, X: np.ndarray, y: np.ndarray, X_aside: np.ndarray, y_aside: np.ndarray
) -> Callable[[dict[str, Any]], float]:
    """The score of a configuration on rows set aside: the mean of several trainings on the others.

    Each with other initial weights, and other rows that early stopping watches.
    """
    from timed_tools import EPOCHS, PATIENCE

    import gpsearch as gs
    from gpsearch.errors import TrialFailedError

    X_all, y_all = np.concatenate([X, X_aside]), np.concatenate([y, y_aside])
    rows = np.arange(len(y)), np.arange(len(y), len(y_all))
    trainings = [
        gs.KerasCV(
            data.create_model,
            X_all,
            y_all,
            cv=[rows],
            scoring=data.scoring,
            epochs=EPOCHS,
            patience=PATIENCE,
            random_state=number,
        )
        for number in range(TRAININGS)
    ]

    @functools.cache
    def known(text: str) -> float:
        scores = []
        for number, training in enumerate(trainings):
            try:
                scores.append(training.evaluate(json.loads(text), seed=number).score)
            except TrialFailedError:  # it has diverged
                scores.append(0.0)
        return float(np.mean(scores))

    return lambda params: known(json.dumps(params, sort_keys=True))


# ------------------------------------------------------------------ all of them


def path_of(folder: Path, data: str, tool: str, seed: int) -> Path:
    return folder / f"{data}-{tool.replace(' ', '_').replace(',', '')}-{seed}.json"


def run_all(options: argparse.Namespace, tools: dict[str, Path]) -> None:
    """Run what does not stand in the folder, seed after seed, so that early tables are whole."""
    for seed in range(options.seeds):
        for data in options.data:
            for tool, tree in tools.items():
                path = path_of(options.out, data, tool, seed)
                if path.exists():
                    continue
                own = tool if tree == ROOT else "gpsearch"
                command = [sys.executable, __file__, "--one", data, own, str(seed), str(path)]
                done = subprocess.run(
                    [*command, "--seconds", str(options.seconds)],
                    env=os.environ | ONE_CORE | {"PYTHONPATH": str(tree)},
                    check=False,
                )
                how = "" if done.returncode == 0 else f" failed with {done.returncode}"
                print(f"{data}, {tool}, seed {seed}{how}", flush=True)


@dataclass(frozen=True)
class Runs:
    """The runs of the sets and seeds on which every tool has been measured."""

    tools: list[str]
    pairs: list[tuple[str, int]]
    seconds: float
    found: dict[tuple[str, str, int], dict[str, Any]]

    @classmethod
    def read(cls, options: argparse.Namespace, tools: list[str]) -> Runs:
        """What stands in the folder."""
        pairs = [
            (data, seed)
            for data in options.data
            for seed in range(options.seeds)
            if all(path_of(options.out, data, tool, seed).exists() for tool in tools)
        ]
        found = {
            (tool, *pair): json.loads(path_of(options.out, pair[0], tool, pair[1]).read_text())
            for tool in tools
            for pair in pairs
        }
        return cls(tools, pairs, options.seconds, found)

    def scores(self, what: str) -> np.ndarray:
        """Score by tool, pair and reading; -inf where nothing was found."""
        return np.array(
            [
                [
                    [finite(entry[what]) for entry in self.found[tool, *pair]["winners"]]
                    for pair in self.pairs
                ]
                for tool in self.tools
            ]
        )

    def regret(self, scores: np.ndarray, what: str) -> np.ndarray:
        """Scores by tool, pair and time in units of each set; 2 where nothing was found."""
        known, regret = self.scores(what), np.empty(scores.shape)
        for data in dict.fromkeys(name for name, _ in self.pairs):
            own = [i for i, (name, _) in enumerate(self.pairs) if name == data]
            found = known[:, own][np.isfinite(known[:, own])]
            scale = max(found.max() - np.median(found), 1e-9)
            regret[:, own] = np.clip((found.max() - scores[:, own]) / scale, 0, 2)
        return regret

    def curves(self, times: np.ndarray) -> np.ndarray:
        """The best cross-validated score so far, by tool, pair and time."""
        curves = np.full((len(self.tools), len(self.pairs), len(times)), -np.inf)
        for (tool, *pair), run in self.found.items():
            told = [(entry["cpu"], entry["score"]) for entry in run["curve"]]
            if any(score is None for _, score in told):  # of one split: only the readings are known
                told = [
                    (share * self.seconds, finite(entry["score"]))
                    for share, entry in zip(READINGS, run["winners"], strict=True)
                ]
            row = curves[self.tools.index(tool), self.pairs.index(tuple(pair))]
            for cpu, score in told:
                row[times >= cpu] = np.maximum(row[times >= cpu], score)
        return curves

    def evaluated(self, tool: str) -> float:
        """How many configurations it had evaluated at the end, in the mean."""
        return float(np.mean([self.found[tool, *pair]["winners"][-1]["n"] for pair in self.pairs]))


def finite(score: float | None) -> float:
    return -np.inf if score is None else score


def interval(differences: np.ndarray) -> str:
    """Mean of paired differences, with a 95 % interval by Student's t over all pairs."""
    if len(differences) < 2 or differences.std() == 0:
        return f"{differences.mean():.2f}"
    half = stats.sem(differences) * stats.t.ppf(0.975, len(differences) - 1)
    mean = differences.mean()
    return f"{mean:.2f} ({mean - half:.2f} to {mean + half:.2f})"


def score_text(score: float) -> str:
    return f"{score:.4f}" if np.isfinite(score) else "none"


def tables(runs: Runs) -> list[dict[str, Any]]:
    """Mean regret of each tool, with its paired difference to the first, and the scores reached."""
    score, aside = (runs.regret(runs.scores(what), what) for what in ("score", "aside"))
    seconds = [f"{share * runs.seconds:.0f} s" for share in READINGS]
    order = [int(t) for t in np.argsort(score[..., -1].mean(axis=1))]
    regrets = [
        [
            runs.tools[t],
            f"{runs.evaluated(runs.tools[t]):.0f}",
            *(f"{mean:.2f}" for mean in score[t].mean(axis=0)),
            interval((score[t] - score[0])[:, -1]) if t else "",
            f"{aside[t, :, -1].mean():.2f}",
            interval((aside[t] - aside[0])[:, -1]) if t else "",
        ]
        for t in order
    ]
    first = f"more than {runs.tools[0]}"
    one = "" if len({seed for _, seed in runs.pairs}) > 1 else ", one seed"
    columns = [f"tool{one}", "evaluated", *seconds, first, f"rows set aside, {seconds[-1]}", first]
    reached, names = runs.scores("score")[..., -1], [name for name, _ in runs.pairs]
    sets = list(dict.fromkeys(names))
    means = [
        [runs.tools[t], *(score_text(reached[t, np.array(names) == name].mean()) for name in sets)]
        for t in order
    ]
    return [
        {"columns": columns, "rows": regrets},
        {"columns": [f"best score after {seconds[-1]}{one}", *sets], "rows": means},
    ]


def keep_all(runs: Runs, name: str) -> None:
    """Keep the tables, and the curves that `make figures` draws, as `name`."""
    from timed_tools import SEARCHED

    times = np.linspace(0, runs.seconds, 121)[1:]
    curves = runs.regret(runs.curves(times), "score").mean(axis=1)
    both = tables(runs)
    reached, regret = runs.scores("score")[..., -1], runs.regret(runs.scores("score"), "score")
    others = [t for t, tool in enumerate(runs.tools) if not tool.startswith("gpsearch,")]
    wins = (reached[0] >= reached[others]).all(axis=0).sum()
    values = {"gpsearch ahead of all": f"{wins} of {len(runs.pairs)}"}
    for tool, row in zip(runs.tools[1:], regret[1:] - regret[0], strict=True):
        for share, differences in zip(READINGS[:-1], row.T, strict=False):
            values[f"{tool}, more after {share * runs.seconds:.0f} s"] = interval(differences)
    for row in both[0]["rows"]:
        values[f"{row[0]}, evaluated"] = row[1]
        values[f"{row[0]}, regret"] = row[len(READINGS) + 1]
        if row[0] != runs.tools[0]:
            values[f"{row[0]}, more"] = row[len(READINGS) + 2]
    versions = ", ".join(f"{library} {version(library)}" for library in LIBRARIES)
    seeds = {data: [str(s) for of, s in runs.pairs if of == data] for data, _ in runs.pairs}
    sets = ", ".join(f"{data} (seed {' and '.join(own)})" for data, own in seeds.items())
    hours = len(runs.found) * runs.seconds / 3600
    keep(
        name,
        conditions=f"{runs.seconds:.0f} processor seconds of one core, imports not counted; "
        f"{sets}; 5 folds, at most 60 epochs; "
        f"{MADE_ASIDE:,} rows set aside of a set that is made, a quarter of the others; gpsearch "
        f"searches for {100 * SEARCHED:.0f} % of the time, then confirms; "
        "regret 0 is the best of all, 1 the median, 2 nothing yet; "
        f"intervals of 95 % over the pairs; {versions}",
        takes=f"{hours:.1f} processor hours and more for scoring",
        values=values,
        tables={PAGE: both},
        data={
            "seconds": [float(time) for time in times],
            "regret": {
                tool: [round(float(mean), 3) for mean in curve]
                for tool, curve in zip(runs.tools, curves, strict=True)
            },
        },
    )


def main() -> None:
    from timed_sets import SETS
    from timed_tools import TOOLS

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*", help=", ".join(SETS))
    parser.add_argument("--half", choices=["choose", "validate"])
    parser.add_argument("--tools", nargs="+", default=list(TOOLS))
    parser.add_argument("--tree", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--out", type=Path, default=Path("runs/equal_time"))
    parser.add_argument("--read", action="store_true", help="run nothing: read what stands there")
    parser.add_argument(
        "--keep",
        nargs="?",
        const="equal_time",
        metavar="NAME",
        help="keep the results for the pages",
    )
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        data, tool, seed, path = options.one
        result = measure(data, tool, int(seed), options.seconds)
        Path(path).write_text(json.dumps(result))
        return
    options.out.mkdir(parents=True, exist_ok=True)
    halves = [name for name, data in SETS.items() if options.half in (None, data.half)]
    options.data = options.data or halves
    tools = dict.fromkeys(options.tools, ROOT)
    tools |= {name: Path(tree) for name, tree in (text.split("=") for text in options.tree)}
    if not options.read:
        run_all(options, tools)
    runs = Runs.read(options, list(tools))
    for table in tables(runs):
        print(*(row_text(row) for row in (table["columns"], *table["rows"])), "", sep="\n")
    if options.keep:
        keep_all(runs, options.keep)


if __name__ == "__main__":
    main()
