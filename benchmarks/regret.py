"""Sample efficiency: how close the search is to the optimum after 20, 30 and 50 evaluations.

``python benchmarks/regret.py --suite synthetic [--seeds 8] [--optimizers gpsearch,optuna-tpe]``
``python benchmarks/regret.py --suite tables --data FOLDER``

The synthetic tasks (see `tasks`) need no outside data; those of real trainings are read from a
folder (see `tables`), with onnxruntime, which the Python of ``make peers`` has:
``PYTHONPATH=. .peers/peers/bin/python``. Regret is 0 at the optimum and 1 at the median result of
random search after 50 evaluations, clipped to [0, 2], and taken at the noise-free loss of the best
observed point. All optimisers see the same noise. Runs are kept in ``--out``, a run that stands
there is not repeated, and an optimiser counts with the seeds that all tasks have: seeds can be
added by and by, and ``--seeds 0`` only reports. ``--keep NAME`` keeps what the pages show, beside
what is kept of optimisers that have no run in ``--out``: each can be measured by itself; ``make
figures`` draws it.
"""

from __future__ import annotations

import argparse
import json
import math
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from kept import KEPT, keep
from peers import BUDGET, installed, make
from scipy import stats
from tables import table_tasks
from tasks import Task, mlp_tasks, synthetic_tasks

from gpsearch.space import Space

PAGES = {"tables": "README.md"}  # that shows a suite's table; else the page of its section
LABELS = {
    "gpsearch": "gpsearch",
    "hebo": "HEBO",
    "optuna-gp": "Optuna, GP sampler",
    "optuna-tpe": "Optuna, TPE",
    "ax": "Ax",
    "botorch": "BoTorch, qLogNEI",
    "smac": "SMAC",
    "scikit-optimize": "scikit-optimize",
    "keras-tuner": "KerasTuner, Bayesian",
    "hyperopt": "hyperopt",
    "random": "random search",
    "corners": "random corners",
}
AT = (20, 30, 50)
COMPARED_AT = (20, 50)
RANDOM_DRAWS = 20_000  # of a synthetic task, for the median of random search
Curves = dict[str, dict[str, list[np.ndarray]]]  # optimiser to task to a curve for each seed


def observe(task: Task, point: list, rng: np.random.Generator) -> tuple[float, float]:
    """Observed and true loss."""
    true, error = task.loss(point), task.noise * rng.standard_normal()
    return true + error, true


def run(name: str, task: Task, seed: int) -> dict:
    """One search; its seconds are the processor time of the optimiser's process, at work."""
    rng, seconds = np.random.default_rng(1000 + seed), 0.0
    observed: list[float] = []
    true: list[float] = []
    with closing(make(name, task.dimensions, seed)) as optimizer:
        while len(observed) < BUDGET:
            start = optimizer.seconds()
            point = optimizer.ask()
            seconds += optimizer.seconds() - start
            seen, loss = observe(task, point, rng)
            start = optimizer.seconds()
            optimizer.tell([point], [seen])
            seconds += optimizer.seconds() - start
            observed.append(seen)
            true.append(loss)
        version, date = optimizer.version, datetime.now(UTC).date().isoformat()
    made = {"version": version, "date": date, "seconds": seconds}
    return {"observed": observed, "true": true} | made


def incumbent(record: dict) -> np.ndarray:
    """True loss of the best observed point after each evaluation; inf before a success."""
    best, curve, at = math.inf, [], math.inf
    for seen, true in zip(record["observed"], record["true"], strict=True):
        if seen < best:  # false for NaN
            best, at = seen, true
        curve.append(at)
    return np.array(curve)


def reference(task: Task, curves: Curves) -> tuple[float, float]:
    """Optimum, and random search's median after 50 evaluations."""
    if task.optimum is not None and task.usual is not None:
        return task.optimum, task.usual
    if task.optimum is not None:
        points = Space(task.dimensions).sample(RANDOM_DRAWS, np.random.default_rng(0))
        losses = np.nan_to_num([task.loss(point) for point in points], nan=np.inf)
        # the median of the least of b draws is the 1 - 2^(-1/b) quantile of one
        return task.optimum, float(np.quantile(losses, 1.0 - 0.5 ** (1.0 / BUDGET)))
    known = [curve for of in curves.values() for curve in of[task.name]]
    random = curves.get("random", {}).get(task.name)
    if random is None:
        random = [incumbent(run("random", task, seed)) for seed in range(8)]
    return min(curve[-1] for curve in known), float(np.median([curve[-1] for curve in random]))


def regrets(tasks: list[Task], curves: Curves) -> dict[str, np.ndarray]:
    """Mean regret over the seeds: optimiser to an array of tasks by evaluations."""
    rows: dict[str, list[np.ndarray]] = {name: [] for name in curves}
    for task in tasks:
        best, usual = reference(task, curves)
        for name, of in curves.items():
            scaled = (np.array(of[task.name]) - best) / (usual - best)
            rows[name].append(np.clip(scaled, 0.0, 2.0).mean(axis=0))
    return {name: np.array(row) for name, row in rows.items()}


def families_mean(tasks: list[Task], regret: np.ndarray) -> np.ndarray:
    """Mean over the families of the mean over their tasks, for each evaluation."""
    families = sorted({task.family for task in tasks})
    rows = [[i for i, task in enumerate(tasks) if task.family == family] for family in families]
    return np.mean([regret[row].mean(axis=0) for row in rows], axis=0)


def over_tasks(tasks: list[Task], values: np.ndarray) -> tuple[float, float]:
    """Mean of the families of a value for each task, and the half of its 95 % interval.

    The tasks are taken as drawn: each has the weight of its share of its family, all families the
    same, and the values vary about the mean as those of any tasks would.
    """
    families = [task.family for task in tasks]
    weight = np.array([1.0 / families.count(family) for family in families]) / len(set(families))
    mean, n = float(weight @ values), len(values)
    error = math.sqrt(n / (n - 1) * (weight**2 @ (values - mean) ** 2))
    return mean, float(stats.t.ppf(0.975, n - 1)) * error


def rows(tasks: list[Task], found: dict) -> list[list[str]]:
    """The table's rows, the best optimiser first: means of the families, and the paired rest."""
    names = sorted(found["regret"], key=lambda name: found["regret"][name][-1])
    base = "gpsearch" if "gpsearch" in names else names[0]
    told = []
    for name in names:
        at = {n: np.array(found["by task"][str(n)][name]) for n in AT}
        cells = [f"{families_mean(tasks, at[n]):.2f}" for n in AT]
        for n in COMPARED_AT:
            mean, half = over_tasks(tasks, at[n] - found["by task"][str(n)][base])
            cells.append("" if name == base else f"{round(mean, 2) + 0.0:.2f} ± {half:.2f}")
        told.append([LABELS[name], *cells, str(found["optimizers"][name]["seeds"])])
    return told


def by_task(found: dict) -> list[list[str]]:
    """The regret at the end of each task."""
    last = found["by task"][str(BUDGET)]
    return [
        [name, *(f"{values[i]:.2f}" for values in last.values())]
        for i, name in enumerate(found["tasks"])
    ]


def seeds_of(found: dict) -> int:
    """How many seeds an optimiser has, on each task the same."""
    return len(next(iter(found.values())))


def markdown(table: dict) -> str:
    columns = table["columns"]
    lines = [columns, ["---"] * len(columns), *table["rows"]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def failures(records: dict, tasks: list[Task]) -> str:
    """How many of the evaluations failed, on the tasks of which a part of the space does."""
    lines = []
    for task in tasks:
        if task.family != "failing":
            continue
        counts = {
            name: np.mean([sum(map(math.isnan, run["observed"])) for run in of[task.name]])
            for name, of in records.items()
        }
        said = ", ".join(f"{name} {count:.1f}" for name, count in counts.items())
        lines.append(f"failed of {BUDGET} on {task.name}: {said}")
    return "\n".join(lines)


def summary(tasks: list[Task], regret: dict[str, np.ndarray], records: dict) -> dict:
    """What a figure shows, and how each optimiser was run: its mean regret over the seeds."""
    optimizers = {
        name: {
            "label": LABELS[name],
            "seeds": seeds_of(found),
            "versions": sorted(
                {f"{r['version']}, {r['date']}" for of in found.values() for r in of}
            ),
        }
        for name, found in records.items()
    }
    curves = {
        name: np.round(families_mean(tasks, values), 3).tolist() for name, values in regret.items()
    }
    tasks_at = {
        str(n): {name: np.round(values[:, n - 1], 3).tolist() for name, values in regret.items()}
        for n in AT
    }
    named = [task.name for task in tasks]
    return {"optimizers": optimizers, "regret": curves, "tasks": named, "by task": tasks_at}


def with_kept(found: dict, kept: dict) -> dict:
    """What was found, beside what is kept of the optimisers that have no run here."""
    if kept["tasks"] != found["tasks"]:
        raise SystemExit(f"kept are {', '.join(kept['tasks'])}: other tasks than those run")
    order = [name for name in LABELS if name in kept["optimizers"] | found["optimizers"]]

    def both(old: dict, new: dict) -> dict:
        return {name: (old | new)[name] for name in order}

    at = {n: both(kept["by task"][n], found["by task"][n]) for n in found["by task"]}
    parts = {part: both(kept[part], found[part]) for part in ("optimizers", "regret")}
    return {"tasks": found["tasks"], "by task": at} | parts


def collect(names: list[str], tasks: list[Task], seeds: int, out: Path) -> dict:
    """Records of all searches by optimiser and task, made where they do not stand in `out` yet."""
    out.mkdir(parents=True, exist_ok=True)
    known = {}
    for name in names:
        path = out / f"{name}.json"
        known[name] = json.loads(path.read_text()) if path.exists() else {}
    for seed in range(seeds):
        for name in names:
            for task in tasks:
                key = f"{task.name}|{seed}"
                if key not in known[name]:
                    known[name][key] = run(name, task, seed)
                    (out / f"{name}.json").write_text(json.dumps(known[name]))
    records: dict = {}
    for name, found in known.items():
        whole = 0
        while all(f"{task.name}|{whole}" in found for task in tasks):
            whole += 1
        if whole:
            records[name] = {
                task.name: [found[f"{task.name}|{seed}"] for seed in range(whole)] for task in tasks
            }
    return records


def tasks_of(suite: str, data: Path | None = None) -> list[Task]:
    """The tasks of a suite."""
    if suite == "tables":
        if data is None:
            raise SystemExit("--suite tables needs --data FOLDER: see benchmarks/pack_tables.py")
        return table_tasks(data)
    return [
        *(synthetic_tasks() if suite != "mlp" else []),
        *(mlp_tasks() if suite != "synthetic" else []),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--optimizers", default=",".join(installed()))
    parser.add_argument("--suite", choices=["all", "synthetic", "mlp", "tables"], default="all")
    parser.add_argument("--data", type=Path, help="the folder of the tables")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/regret"))
    parser.add_argument("--keep", help="the name of the kept result")
    args = parser.parse_args()
    tasks = tasks_of(args.suite, args.data)
    records = collect(args.optimizers.split(","), tasks, args.seeds, args.out)
    if not records:
        raise SystemExit(f"no optimiser has run all tasks in {args.out}; --seeds says how often")
    curves = {
        name: {task: [incumbent(r) for r in runs] for task, runs in of.items()}
        for name, of in records.items()
    }
    found = summary(tasks, regrets(tasks, curves), records)
    known = json.loads((KEPT / f"{args.keep}.json").read_text()) if args.keep else {}
    if "data" in known and all(task.optimum is not None for task in tasks):
        found = with_kept(found, known["data"])  # else regret depends on who was run
    columns = ["", *(f"{'regret ' * (n == AT[0])}after {n}" for n in AT)]
    columns += [f"{'more than gpsearch' if n == AT[0] else 'more'} after {n}" for n in COMPARED_AT]
    means = {"columns": [*columns, "seeds"], "rows": rows(tasks, found)}
    labels = [LABELS[name] for name in found["regret"]]
    single = {"columns": [f"regret after {BUDGET}", *labels], "rows": by_task(found)}
    print(markdown(means), markdown(single), failures(records, tasks), sep="\n\n")
    if args.keep:
        page = known["where"].partition("#")[0]
        tables = {page: [single]}
        tables.setdefault(PAGES.get(args.suite, page), []).insert(0, means)
        cells = {
            f"{row[0]}, {column}": cell
            for row in means["rows"]
            for column, cell in zip(means["columns"], row, strict=True)
        }
        values = known["values"] | {name: cells[name] for name in cells.keys() & known["values"]}
        keep(args.keep, tables=tables, values=values, data=found)


if __name__ == "__main__":
    main()
