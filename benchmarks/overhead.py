"""Overhead: what a proposal and the record cost after n trials in d dimensions, beside the peers.

``python benchmarks/overhead.py [--sizes 10,100,1000,10000] [--dimensions 8] [--optimizers NAMES]
[--record] [--keep scale] [--out overhead.json]``

Mixed dimensions, random points of a plain function as history, one core; each measurement in a
process of its own. What counts is processor time: on a busy machine a long cycle is interrupted
more often than a short one. Reported are the median of an ask and tell (the first, which also pays
for imports, is left out), its ratio to gpsearch's, the peak of resident memory, and the power of n,
and of d, by which they grow. A curve ends where a proposal takes more than `SECONDS`, or its
process more than `MIB`. What stands in ``--out`` is not measured again; ``--keep`` keeps it.
``--record`` measures a study of five folds in place of optimisers: the seconds in which a trial is
chosen at random and written, the file opened, ``gpsearch show`` and the report made. ``--subset
200,500`` continues searches of 200 evaluations to 500, once with a process of all of them and once
with one of at most 200, and keeps the best noise-free losses at the end as regret: 1 is what 50
random draws find.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from kept import KEPT, keep
from peers import installed, make
from regret import LABELS, reference
from skopt.space import Categorical, Dimension, Integer, Real
from tasks import Task, synthetic_tasks

CYCLES = 5
SECONDS, MIB = 30.0, 8192.0  # of a proposal and of its process, where a curve ends
FITTED_FROM = {"n": 100, "d": 2}  # with few trials, what a proposal costs in any case is most
FOLDS = 5
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def dimensions(d: int = 8) -> list[Dimension]:
    """Of eight: three rates, two numbers, two counts and a category; and so on."""
    kinds = {
        "rate": lambda name: Real(1e-5, 1e-1, prior="log-uniform", name=name),
        "x": lambda name: Real(0.0, 1.0, name=name),
        "n": lambda name: Integer(1, 20, name=name),
        "kind": lambda name: Categorical(["a", "b", "c", "d"], name=name),
    }
    order = ["rate", "x", "n", "kind", "rate", "x", "n", "rate"]
    return [kinds[order[i % 8]](f"{order[i % 8]}{i}") for i in range(d)]


def loss(point: list, rng: np.random.Generator) -> float:
    """A bowl in all dimensions, with noise."""
    costs = {
        "rate": lambda value: (np.log10(value) + 3.0) ** 2,
        "x": lambda value: 4.0 * (value - 0.3) ** 2,
        "n": lambda value: 0.02 * (value - 8) ** 2,
        "kind": lambda value: {"a": 0.5, "b": 0.0, "c": 1.0, "d": 0.8}[value],
    }
    names = (dimension.name.rstrip("0123456789") for dimension in dimensions(len(point)))
    total = sum(costs[name](value) for name, value in zip(names, point, strict=True))
    return float(total + 0.1 * rng.standard_normal())


def proposal(name: str, n: int, d: int) -> dict[str, float]:
    """Median processor seconds of an ask and tell after `n` observations."""
    from gpsearch.space import Space

    rng = np.random.default_rng(0)
    points = Space(dimensions(d)).sample(n, rng)
    optimizer = make(name, dimensions(d), 0)
    optimizer.tell(points, [loss(point, rng) for point in points])
    seconds: list[float] = []
    while len(seconds) <= CYCLES and max(seconds, default=0.0) < SECONDS:
        start = optimizer.seconds()
        point = optimizer.ask()
        optimizer.tell([point], [loss(point, rng)])
        seconds.append(optimizer.seconds() - start)
    optimizer.close()
    return {"proposal": float(np.median(seconds[1:] or seconds)), "peak_mib": peak_mib()}


def record(n: int, d: int) -> dict[str, float]:
    """Processor seconds of the steps of a study of `n` trials, which are not searched for."""
    import gpsearch
    from gpsearch.cli import main as command
    from gpsearch.study.encoding import ParamsEncoding
    from gpsearch.study.study_file import StudyFile
    from gpsearch.study.tables import fold_row, trial_row

    def score(params: dict) -> list[float]:
        rng = np.random.default_rng(0)
        return [-loss(list(params.values()), rng) for _ in range(FOLDS)]

    space = gpsearch.Space(dimensions(d))
    known = {"strategy": "random", "random_state": 0, "progress": False, "confirm": False}
    seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def timed(step: str):
        start = time.process_time()
        yield
        seconds[step] = time.process_time() - start

    class Stamp:
        times: list[float] = []  # noqa: RUF012

        def on_trial_end(self, study, trial) -> None:
            self.times.append(time.process_time())

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "study.db")
        first = gpsearch.search(score, space, n_calls=1, study=path, **known)
        (trial,), encoding, rows = first.trials, ParamsEncoding(space), {"trial": [], "fold": []}
        for i, point in enumerate(space.sample(n, np.random.default_rng(0))):
            params = space.params(point)
            rows["trial"].append(
                trial_row(dataclasses.replace(trial, number=i, params=params), encoding)
            )
            for fold, value in zip(trial.folds, score(params), strict=True):
                rows["fold"].append(fold_row(i, dataclasses.replace(fold, score=value)))
        info = first.info
        path.unlink()
        StudyFile.create(path, info, rows).database.close()
        with timed("open"):
            study = gpsearch.Study.open(path)
            len(study.trials)
        with timed("show"), contextlib.redirect_stdout(io.StringIO()):
            command(["show", str(path)])
        gpsearch.search(score, space, n_calls=n + CYCLES + 2, study=path, callback=Stamp(), **known)
        seconds["trial"] = float(np.median(np.diff(Stamp.times)))
        with timed("report"):
            study.report(Path(folder, "report.html"))
        sizes = {
            "study_mb": path.stat().st_size / 1e6,
            "report_mb": Path(folder, "report.html").stat().st_size / 1e6,
        }
    return {**seconds, **sizes, "peak_mib": peak_mib()}


def levy(point: list) -> float:
    """Many local optima in a bowl; the least is 0 at ones."""
    w = 1.0 + (np.array(point) - 1.0) / 4.0
    waves = (w[:-1] - 1.0) ** 2 * (1.0 + 10.0 * np.sin(np.pi * w[:-1] + 1.0) ** 2)
    last = (w[-1] - 1.0) ** 2 * (1.0 + np.sin(2.0 * np.pi * w[-1]) ** 2)
    return float(np.sin(np.pi * w[0]) ** 2 + waves.sum() + last)


def subset_tasks() -> list[Task]:
    """Tasks of which the optimum is known and not found in some hundred evaluations."""
    numbers = [Real(-8.0, 10.0, name=f"x{i}") for i in range(10)]
    levy10 = Task(name="levy10", family="levy", dimensions=numbers, loss=levy, optimum=0.0)
    chosen = [t for t in synthetic_tasks() if t.name in ("rosenbrock", "wide-noisy", "multimodal")]
    return [*chosen, levy10, dataclasses.replace(levy10, name="levy10-noisy", noise=1.0)]


def subset_regret(task: Task, seed: int, limit: int, end: int) -> dict[str, float]:
    """Regret at `limit` evaluations, and after the searches that go on to `end` from there."""
    from gpsearch.space import Space
    from gpsearch.strategy import History
    from gpsearch.strategy.gp import GPStrategy
    from gpsearch.surrogate import gaussian_process

    best, usual = reference(task, {})
    shared: list[tuple[list, float, float]] = []

    def search(told: list, n: int, conditioned_on: int) -> float:
        gaussian_process.CONDITIONED_ON = conditioned_on
        strategy = GPStrategy(Space(task.dimensions), seed=seed, n_calls=end)
        while len(told) < n:
            points, observed = [one[0] for one in told], [one[1] for one in told]
            point = list(strategy.propose(History.of(points, observed), len(told)))
            true, rng = task.loss(point), np.random.default_rng([seed, len(told)])
            told.append((point, true + task.noise * rng.standard_normal(), true))
        return float((min(true for *_, true in told) - best) / (usual - best))

    start = search(shared, limit, limit)
    return {
        "start": start,
        "exact": search(list(shared), end, end),
        "subset": search(list(shared), end, limit),
    }


def peak_mib() -> float:
    """Most memory of this process so far, or of that of a peer."""
    peer, own = (
        resource.getrusage(which).ru_maxrss
        for which in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)
    )
    return (peer or own) / 1024


def measured(name: str, n: int, d: int) -> dict[str, float]:
    """`proposal`, or `record`, in a process of its own."""
    command = [sys.executable, __file__, "--one", name, str(n), str(d)]
    done = subprocess.run(command, env=os.environ | ONE_CORE, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def show(kept: dict[str, dict[str, float]]) -> None:
    """A line for each measurement, with its ratio to gpsearch's."""
    for key, values in kept.items():
        place = key.split(" ", 1)[1]
        own = kept.get(f"gpsearch {place}", {}).get("proposal")
        ratio = f", {values['proposal'] / own:.1f} x" if own and "proposal" in values else ""
        print(key, {step: float(f"{value:.3g}") for step, value in values.items()}, ratio)


def curves(kept: dict, over: str, step: str = "proposal") -> dict[tuple[str, int], list]:
    """By optimiser and d the values over n, or by optimiser and n those over d."""
    found: dict[tuple[str, int], list[tuple[int, float]]] = {}
    for key, values in kept.items():
        name, n, d = key.split()
        at, other = (n, d) if over == "n" else (d, n)
        found.setdefault((name, int(other[2:])), []).append((int(at[2:]), values[step]))
    return {which: sorted(points) for which, points in found.items()}


def exponent(points: list[tuple[int, float]], start: int) -> str:
    """The power by which values grow from `start` on, of a line fitted to the logarithms."""
    late = np.log([point for point in points if point[0] >= start])
    return f"{np.polyfit(*late.T, 1)[0]:.2f}" if len(late) > 1 else ""


def show_exponents(kept: dict) -> None:
    """By which power of n, and of d, each measurement grows."""
    for over, step in itertools.product(FITTED_FROM, next(iter(kept.values()), {})):
        for (name, other), points in curves(kept, over, step).items():
            if power := exponent(points, FITTED_FROM[over]):
                print(f"{name} {'d' if over == 'n' else 'n'}={other}: {step} by {over}^{power}")


def tables(kept: dict) -> list[dict]:
    """What the page shows: the seconds over n, and their powers of n and of d."""
    seconds, memory = curves(kept, "n"), curves(kept, "n", "peak_mib")
    over_d = curves(kept, "d")
    sizes = sorted({n for points in seconds.values() for n, _ in points})
    names = [name for name in LABELS if any(which[0] == name for which in seconds)]
    rows = []
    for name, d in sorted(seconds, key=lambda which: (names.index(which[0]), which[1])):
        at = dict(seconds[name, d])
        cells = [f"{at[n]:.2g}" if n in at else "" for n in sizes]
        mib = f"{memory[name, d][-1][1]:.0f}"
        rows.append(
            [LABELS[name], str(d), *cells, exponent(seconds[name, d], FITTED_FROM["n"]), mib]
        )
    columns = ["seconds a proposal", "dimensions", *(f"{n:,}" for n in sizes)]
    columns += ["power of the trials", "most MiB"]
    powers = {
        n: [exponent(over_d.get((name, n), []), FITTED_FROM["d"]) for name in names]
        for n in (100, 1000)
    }
    by_d = [[LABELS[name], *cells] for name, *cells in zip(names, *powers.values(), strict=True)]
    return [
        {"columns": columns, "rows": rows},
        {"columns": ["power of the dimensions", *(f"{n:,} trials" for n in powers)], "rows": by_d},
    ]


def keep_curves(name: str, kept: dict) -> None:
    """Keep the tables of the page and the curves of its figure."""
    known = json.loads((KEPT / f"{name}.json").read_text())
    page = known["where"].partition("#")[0]
    made = tables(kept)
    heads = [table["columns"][0] for table in made]
    made += [table for table in known["tables"][page] if table["columns"][0] not in heads]
    data = {
        over: {
            f"{which} {other}": [[at, float(f"{value:.3g}")] for at, value in points]
            for (which, other), points in curves(kept, over).items()
            if len(points) > 1
        }
        for over in "nd"
    }
    labels = {which.split()[0]: LABELS[which.split()[0]] for which in data["n"]}
    keep(name, tables={page: made}, data=data | {"labels": labels})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--optimizers", default=",".join(installed()))
    parser.add_argument("--sizes", default="10,100,1000,10000")
    parser.add_argument("--dimensions", default="8")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--keep", help="the name of the kept result")
    parser.add_argument("--subset")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("overhead.json"))
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        name, n, d = args.one[0], int(args.one[1]), int(args.one[2])
        print(json.dumps(record(n, d) if name == "record" else proposal(name, n, d)))
        return
    kept = json.loads(args.out.read_text()) if args.out.exists() else {}
    if args.subset:
        limit, end = map(int, args.subset.split(","))
        for task, seed in itertools.product(subset_tasks(), range(args.seeds)):
            if (key := f"{task.name}:{seed} n={limit} d={end}") not in kept:
                kept[key] = subset_regret(task, seed, limit, end)
                args.out.write_text(json.dumps(kept, indent=1) + "\n")
        show(kept)
        return
    names = ["record"] if args.record else args.optimizers.split(",")
    for d, name in itertools.product(map(int, args.dimensions.split(",")), names):
        for n in map(int, args.sizes.split(",")):
            key = f"{name} n={n} d={d}"
            if key not in kept:
                kept[key] = measured(name, n, d)
                args.out.write_text(json.dumps(kept, indent=1) + "\n")
                print(key, kept[key], flush=True)
            if kept[key].get("proposal", 0.0) > SECONDS or kept[key]["peak_mib"] > MIB:
                break
    show(kept)
    show_exponents(kept)
    if args.keep:
        keep_curves(args.keep, kept)


if __name__ == "__main__":
    main()
