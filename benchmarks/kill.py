"""Kill searches at random moments and compare the resumed ones with the uninterrupted one.

``python benchmarks/kill.py [--searches 100] [--trials 25] [--strategy gp]``

Each search runs in a process of its own, is killed at a moment drawn uniformly over 80% of the time
that the uninterrupted search takes (start-up, training, writes and surrogate fits included), and
is resumed until it ends. One further search is killed 20 times. Reported are the searches whose
final study equals the uninterrupted one bit for bit, and what was lost or done twice.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from gpsearch.evaluation import Evaluation, FoldResult
from gpsearch.execution import search
from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.strategy import make_strategy
from gpsearch.study import Study

SPACE = {
    "learning_rate": Real(1e-4, 1.0, prior="log-uniform"),
    "n_neurons": Integer(16, 512, prior="log-uniform"),
    "opt": Categorical(["adam", "sgd", "rmsprop"]),
}
N_FOLDS = 3
FOLD_SECONDS = 0.02


class NoisyBowl:
    """A cross-validation in miniature: folds, seeds, noise and a learning curve.

    Every fold leaves a line in `log` when it begins.
    """

    name = "noisy bowl"
    n_folds = N_FOLDS
    measures_work = True  # so that the search minds the cost

    def __init__(self, log: Path) -> None:
        self.log = log

    def validate(self, space):
        """Accept every space."""

    def fingerprint(self):
        """Name of the objective: it has no data."""
        return self.name

    def describe(self):
        """Nothing beyond the name."""
        return {"name": self.name}

    def evaluate(self, params, *, seed, on_fold=None, done=()):
        """Three folds of a noisy function, each as long as a very short training."""
        folds = list(done)
        for j in range(len(done), self.n_folds):
            with self.log.open("a") as log:
                log.write(f"{seed} {j}\n")
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(j,)))
            time.sleep(FOLD_SECONDS)
            distance = (np.log10(params["learning_rate"]) + 2) ** 2 / 4
            score = -distance - abs(params["n_neurons"] - 200) / 200 + rng.normal(0, 0.1)
            fold = FoldResult(
                fold=j,
                score=float(score),
                curves={"loss": tuple(rng.random(50))},
                work=FOLD_SECONDS * params["n_neurons"] / 64,
            )
            folds.append(fold)
            if on_fold is not None and on_fold(fold) is False:
                break
        return Evaluation(folds=tuple(folds))


def run_search(folder: Path, trials: int, strategy: str) -> None:
    """The search of this benchmark; reports every finished trial in a file of its own."""
    reported = folder / "reported"

    def report(study):
        finished = len(study.ended)
        with reported.open("a") as file:
            file.write(f"{finished}\n")

    search(
        NoisyBowl(folder / "folds"),
        SPACE,
        n_calls=trials,
        study=folder / "study.db",
        strategy=strategy,
        random_state=7,
        stop=report,
        progress=False,
    )


def in_child(folder: Path, trials: int, strategy: str, kill_after: float | None) -> bool:
    """Run the search in a child; kill it after a time. Returns whether it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            run_search(folder, trials, strategy)
            os._exit(0)
        except BaseException as error:
            print(f"child: {error!r}", flush=True)
            os._exit(1)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise SystemExit("a search failed; see above")
    return os.WIFEXITED(status)


def content(path: Path) -> str:
    """All that two runs of one search must share: params, seeds, states, folds, curves."""
    return json.dumps(
        [
            (
                trial.number,
                trial.state,
                dict(trial.params),
                trial.seed,
                trial.origin,
                [(fold.fold, fold.score, dict(fold.curves)) for fold in trial.folds],
            )
            for trial in Study.open(path).trials
        ]
    )


def finished_in(path: Path) -> int:
    """Finished trials in the study, if there is one yet."""
    return sum(trial.finished for trial in Study.open(path).trials) if path.exists() else 0


def lines(path: Path) -> list[str]:
    """Whole lines of a file that may not exist or end in the middle of a line."""
    return path.read_text().split("\n")[:-1] if path.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--searches", type=int, default=100)
    parser.add_argument("--trials", type=int, default=25)
    parser.add_argument("--strategy", default="gp")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    # Imported once, here: the children are forked, so that a search costs no second of imports.
    make_strategy(arguments.strategy, Space(SPACE), seed=0, n_calls=1)

    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        in_child(Path(folder), arguments.trials, arguments.strategy, None)
        duration = time.perf_counter() - begun
        expected = content(Path(folder) / "study.db")
    print(f"uninterrupted: {arguments.trials} trials, {duration:.2f} s")

    totals: Counter[str] = Counter()
    plans = [[rng.uniform(0, 0.8 * duration)] for _ in range(arguments.searches)]
    plans.append(list(rng.uniform(0, duration / 12, size=20)))
    for index, moments in enumerate(plans):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            kills = 0
            for moment in moments:
                if in_child(folder, arguments.trials, arguments.strategy, moment):
                    break
                kills += 1
                reported = int((lines(folder / "reported") or [0])[-1])
                lost = reported - finished_in(folder / "study.db")
                totals["reported, then lost"] += max(0, lost)
            in_child(folder, arguments.trials, arguments.strategy, None)
            same = content(folder / "study.db") == expected
            folds = Counter(lines(folder / "folds"))
            repeated = sum(folds.values()) - len(folds)
            totals["kills"] += kills
            totals["searches"] += 1
            totals["equal to the uninterrupted"] += same
            totals["folds run twice"] += repeated
            totals["searches with more folds run twice than kills"] += repeated > kills
            totals["left running"] += any(
                not trial.finished for trial in Study.open(folder / "study.db").trials
            )
            if index == arguments.searches:
                print(f"the search with many kills: {kills} kills, equal: {same}")
    for name in (
        "searches",
        "kills",
        "equal to the uninterrupted",
        "reported, then lost",
        "left running",
        "folds run twice",
        "searches with more folds run twice than kills",
    ):
        print(f"{name:48s} {totals[name]:6d}")


if __name__ == "__main__":
    main()
