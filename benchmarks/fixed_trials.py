"""What the default search gained since an older checkout, in seconds, on the ready-made network.

    python benchmarks/fixed_trials.py ../older [--data digits diabetes imbalanced] [--seeds 1]
        [--n-calls 50] [--seconds 240] [--out FOLDER]

Both checkouts search the space of `mlp_space` with so many trials. Told are the processor seconds
that they take, the best score then, and the seconds after which this checkout has reached the score
that the older one had after ``--seconds``. Sets, folds and training are those of `equal_time`;
imports are not counted. Each search is a process of its own on one core, and stands in ``--out``;
what stands there is not repeated.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from equal_time import ONE_CORE, ROOT

Curve = list[tuple[float, float]]  # after each trial: processor seconds, best score


def measure(data: str, seed: int, n_calls: int) -> Curve:
    """One search with the checkout that is imported."""
    import keras  # noqa: F401  (imports are not counted)
    from timed_sets import SETS
    from timed_tools import EPOCHS, PATIENCE, Task

    import gpsearch as gs

    X, y, *_ = SETS[data].split()
    task = Task(SETS[data], X, y, seed, float("inf"))
    objective = gs.KerasCV(
        gs.mlp,
        X,
        y,
        cv=task.splitter,
        scoring=task.data.scoring,
        epochs=EPOCHS,
        patience=PATIENCE,
    )
    curve: Curve = []
    start = time.process_time()

    def note(study: gs.Study) -> None:
        scores = [trial.score for trial in study.trials if trial.state == "complete"]
        curve.append((time.process_time() - start, max(scores, default=float("-inf"))))

    # an older checkout does not choose its winner on fresh splits, and knows no such argument
    known = {"confirm": False} if "confirm" in inspect.signature(gs.search).parameters else {}
    gs.search(
        objective,
        gs.mlp_space(),
        n_calls=n_calls,
        random_state=seed,
        stop=note,
        progress=False,
        **known,
    )
    return curve


def run(path: Path, tree: Path, data: str, seed: int, n_calls: int) -> Curve:
    """The curve that stands in `path`, measured in the checkout `tree` if it does not."""
    if not path.exists():
        subprocess.run(
            [sys.executable, __file__, "--one", str(path), data, str(seed), str(n_calls)],
            env=os.environ | ONE_CORE | {"PYTHONPATH": str(tree)},
            check=True,
        )
    return json.loads(path.read_text())


def main() -> None:
    if sys.argv[1] == "--one":
        path, data, seed, n_calls = sys.argv[2:]
        Path(path).write_text(json.dumps(measure(data, int(seed), int(n_calls))))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("older", type=Path, help="the folder of the older checkout")
    parser.add_argument("--data", nargs="+", default=["digits", "diabetes", "imbalanced"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--n-calls", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/fixed_trials"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    print(
        f"| set, seed | seconds, {args.n_calls} trials | older | ratio | score | older | older "
        f"after {args.seconds:.0f} s | reached after | ratio |\n|" + " --- |" * 9
    )
    for data in args.data:
        for seed in range(args.seeds):
            now, older = (
                run(args.out / f"{data}-{seed}-{name}.json", tree, data, seed, args.n_calls)
                for name, tree in (("now", ROOT), ("older", args.older))
            )
            target = max(score for spent, score in older if spent <= args.seconds)
            reached = next((spent for spent, score in now if score >= target), float("nan"))
            print(
                f"| {data}, {seed} | {now[-1][0]:.0f} | {older[-1][0]:.0f} | "
                f"{older[-1][0] / now[-1][0]:.1f} | {now[-1][1]:.4f} | {older[-1][1]:.4f} | "
                f"{target:.4f} | {reached:.0f} | {args.seconds / reached:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
