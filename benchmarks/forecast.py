"""Whether the forecast of what more trials bring holds: its intervals against what came.

    python benchmarks/forecast.py [recorded.json ...] [--tables FOLDER] [--seeds 8] [--out FOLDER]

Nothing is trained. Searches of 100 trials run on the synthetic tasks of `tasks`, on forests fitted
to recorded trainings (see `simulated_cost`) and, where ``--tables`` names a folder whose
``tasks.py`` holds TASKS, on its tables of real trainings. After each of `SEEN` trials a search is
forecast, and what the next trials then gained is compared with the interval. The corrections of
`gpsearch.analysis.forecast` are chosen on every second task and judged on the others. Searches are
kept in ``--out``; one that stands there is not repeated.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from simulated_cost import all_tasks
from tasks import synthetic_tasks

import gpsearch as gs
from gpsearch.analysis.forecast import EXPECTED, GREATEST, N_MORE, played_gains
from gpsearch.study import part_of

N_CALLS, N_FOLDS = 100, 5
SEEN = (10, 15, 20, 30, 50)
Task = tuple[Any, Callable[[list], float], float]  # space, loss of a point, its noise


def tasks_by_name(recorded: list[Path], tables: Path | None) -> dict[str, Task]:
    found: dict[str, Task] = {
        task.name: (task.dimensions, task.loss, task.noise) for task in synthetic_tasks()
    }
    for task in all_tasks(recorded)[2:]:  # without the networks, which stand there already
        found[task.name] = (task.space, lambda p, of=task.losses: float(of([p])[0]), task.noise)
    if tables is not None:
        sys.path.insert(0, str(tables))
        sys.modules.pop("tasks")
        import tasks as shared

        for task in shared.TASKS.values():
            if task.name.partition(":")[0] in ("fcnet", "mlp", "noisy"):
                found[task.name] = (task.dimensions, task, task.sigma)
    return found


def search(path: Path, task: Task, seed: int) -> gs.Study:
    """A search with the noise spread over folds, of which some are harder for all trials."""
    dimensions, loss, noise = task
    space = gs.Space(dimensions)
    effects = 2.0 * noise * np.random.default_rng(seed).standard_normal(N_FOLDS)

    def score(params: dict, seed: int) -> float | list[float]:
        value = -float(loss(space.point(params)))
        if not noise:
            return value
        drawn = np.random.default_rng(seed).normal(0.0, noise * math.sqrt(N_FOLDS), N_FOLDS)
        return list(value + effects - effects.mean() + drawn)

    return gs.search(score, space, n_calls=N_CALLS, random_state=seed, study=path, progress=False)


def best_after(study: gs.Study, n: int) -> float:
    return max((t.score for t in study.ended[:n] if t.state == "complete"), default=math.nan)


def rows_of(study: gs.Study, half: str) -> list[dict[str, Any]]:
    """What was forecast of a search and what came: one row for each of `SEEN` and `N_MORE`."""
    rows = []
    for seen in SEEN:
        part = part_of(study, study.ended[:seen])
        if len(part.complete) < 2:
            continue
        begun = time.process_time()
        gains = played_gains(part, max(N_MORE))
        seconds = time.process_time() - begun
        for more in N_MORE:
            if seen + more <= N_CALLS:
                came = best_after(study, seen + more) - best_after(study, seen)
                of = {"mean": gains[:, more - 1].mean(), "q": np.quantile(gains[:, more - 1], 0.95)}
                known = {"half": half, "seen": seen, "more": more, "seconds": seconds}
                rows.append(known | of | {"came": came})
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Corrections that each half asks for, and how many gains the intervals of the package hold."""
    lines = ["| half | trials more | expected | greatest | forecasts | held |", "| --- " * 6 + "|"]
    for half in ("chosen on", "judged on"):
        for more, greatest in zip(N_MORE, GREATEST, strict=True):
            of = [row for row in rows if row["half"] == half and row["more"] == more]
            came, mean, q = (np.array([row[k] for row in of]) for k in ("came", "mean", "q"))
            cells = [
                f"{np.median(came[mean > 0] / mean[mean > 0]):.2f}",
                f"{np.quantile(came / np.maximum(q, 1e-300), 0.95):.2f}",
                str(len(of)),
                f"{np.mean(came <= greatest * q + 1e-12):.0%}",
            ]
            lines.append(f"| {half} | {more} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recorded", nargs="*", type=Path)
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/forecast"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for i, (name, task) in enumerate(tasks_by_name(args.recorded, args.tables).items()):
        for seed in range(args.seeds):
            path = args.out / f"{name.replace(':', '-')}.{seed}.db"
            study = gs.Study.open(path) if path.exists() else None
            if study is None or len(study.ended) < N_CALLS:
                study = search(path, task, seed)
            rows += rows_of(study, "judged on" if i % 2 else "chosen on")
    print(table(rows))
    seconds = [row["seconds"] for row in rows if row["more"] == N_MORE[0]]
    print(f"seconds of a forecast: {np.median(seconds):.2f}, at most {max(seconds):.2f}")
    print(f"of the package: expected {EXPECTED}, greatest {GREATEST}")


if __name__ == "__main__":
    main()
