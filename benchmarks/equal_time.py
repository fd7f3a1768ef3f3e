"""The best score that each tool reaches in equal processor seconds.

    python benchmarks/equal_time.py [breast_cancer digits ...] [--tools "gpsearch" "loop random"]
        [--half choose|validate] [--seeds 3] [--seconds 240] [--tree "before=../older"]
        [--out runs/equal_time] [--plot equal_time.png]

Eight sets (`timed_sets`), eleven tools (`timed_tools`), one core. Seconds are those of the
processor from the start of the search, imports not counted; what ends later does not count. Scores
are read after a quarter, half and all of the time: the best cross-validated score so far, and the
score on the rows set aside of that configuration, trained once more on all other rows. Both are
given as regret in units of the set: 0 is the best that any tool found, 1 the median over all
tools, seeds and readings.

``--tree NAME=FOLDER`` adds the default of another checkout, under that name. Optuna's GP needs
``torch``, and KerasTuner's Hyperband ``keras-tuner``. Each run is a process of its own and stands
in ``--out``; what stands there is not repeated.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

ROOT = Path(__file__).parents[1]
READINGS = (0.25, 0.5, 1.0)
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
    from timed_tools import TOOLS, OverError, Task, cross_validated, score_of, train

    X, y, X_aside, y_aside = SETS[data].split()
    task = Task(SETS[data], X, y, seed, seconds)
    with contextlib.suppress(OverError):
        TOOLS[tool](task)
    curve, winners = list(task.curve), []
    uncharged = Task(SETS[data], X, y, seed, float("inf"))
    known: dict[str, tuple[float, float]] = {}
    for share in READINGS:
        found = [entry for entry in curve if entry["cpu"] <= share * seconds]
        if not found:
            winners.append({"n": 0, "score": None, "aside": None})
            continue
        best = max(found, key=lambda entry: entry["rank"])
        key = json.dumps(best["params"], sort_keys=True)
        if key not in known:
            score = best["score"]
            if score is None:
                score = cross_validated(uncharged, best["params"])
            model, _ = train(uncharged, best["params"], np.arange(len(y)))
            known[key] = score, score_of(uncharged, model, X_aside, y_aside)
        score, aside = known[key]
        winners.append({"n": len(found), "score": score, "aside": aside, "params": best["params"]})
    return {"winners": winners, "curve": curve, "cpu": task.spent}


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


def regrets(options: argparse.Namespace, tools: list[str], what: str) -> np.ndarray:
    """Regret by tool, set, seed and reading; NaN without a run, 2 where nothing was found."""
    values = np.full((len(tools), len(options.data), options.seeds, len(READINGS)), np.nan)
    for t, tool in enumerate(tools):
        for d, data in enumerate(options.data):
            for seed in range(options.seeds):
                path = path_of(options.out, data, tool, seed)
                if path.exists():
                    won = json.loads(path.read_text())["winners"]
                    values[t, d, seed] = [
                        -np.inf if entry[what] is None else entry[what] for entry in won
                    ]
    for d in range(len(options.data)):
        found = values[:, d][np.isfinite(values[:, d])]
        best, usual = found.max(initial=-np.inf), np.median(found) if len(found) else np.nan
        values[:, d] = np.clip((best - values[:, d]) / max(best - usual, 1e-9), 0, 2)
    return values


def interval(differences: np.ndarray) -> str:
    """Mean of paired differences over sets, with a 95 % interval by Student's t over all pairs."""
    known = differences[np.isfinite(differences)]
    if len(known) < 2 or known.std() == 0:
        return f"{known.mean():+.2f}" if len(known) else "-"
    half = stats.sem(known) * stats.t.ppf(0.975, len(known) - 1)
    return f"{known.mean():+.2f} ({known.mean() - half:+.2f} to {known.mean() + half:+.2f})"


def table(options: argparse.Namespace, tools: list[str]) -> str:
    """Mean regret of each tool at each reading, and its paired difference to the first tool."""
    seconds = [f"{share * options.seconds:.0f} s" for share in READINGS]
    lines = []
    for what, title in (("score", "cross-validated"), ("aside", "on rows set aside")):
        values = regrets(options, tools, what)
        lines.append(f"{title:<26}" + "".join(f"{text:>8}" for text in seconds))
        for t in np.argsort(np.nanmean(values[..., -1], axis=(1, 2))):
            means = "".join(f"{mean:>8.2f}" for mean in np.nanmean(values[t], axis=(0, 1)))
            paired = interval((values[t] - values[0])[..., -1])
            lines.append(f"{tools[t]:<26}{means}   {paired}")
        lines.append("")
    return "\n".join(lines)


def plot(options: argparse.Namespace, tools: list[str]) -> None:
    """Mean regret over time of all tools."""
    from matplotlib.figure import Figure

    values = regrets(options, tools, "score")
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    times = [share * options.seconds for share in READINGS]
    for t, tool in enumerate(tools):
        mean = np.nanmean(values[t], axis=(0, 1))
        (line,) = axes.plot(times, mean, marker="o", linewidth=3 if t == 0 else 1.2, label=tool)
        line.set_zorder(3 if t == 0 else 2)
    axes.set(xlabel="Processor seconds", ylabel="Mean regret", xticks=times, ylim=(0, None))
    axes.legend(fontsize="small", loc="upper right", bbox_to_anchor=(1.42, 1.0), frameon=False)
    figure.savefig(options.plot, dpi=150)


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
    parser.add_argument("--plot", type=Path)
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
    run_all(options, tools)
    print(table(options, list(tools)))
    if options.plot:
        plot(options, list(tools))


if __name__ == "__main__":
    main()
