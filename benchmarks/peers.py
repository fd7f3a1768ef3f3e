"""Optimisers behind one shape: ``make(name, dimensions, seed)`` gives ``ask()`` and ``tell()``.

Points are lists in the order of the dimensions; losses are minimised, and NaN is a failure. A peer
runs in a process of its own (see `peer_process`), so that none is needed here: in an environment of
``make peers`` where that was made, else in this Python where it is installed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peer_shape import Corners, Random, Search
from skopt.space import Categorical, Dimension, Integer

BUDGET = 50  # evaluations of a search, for the peers that want to know
PROCESS = Path(__file__).with_name("peer_process.py")
ENVIRONMENTS = Path(__file__).parents[1] / ".peers"
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
HERE = {"random": Random, "corners": Corners}  # in this process: they learn nothing
MODULES = {
    "hebo": "hebo",
    "smac": "smac",
    "ax": "ax",
    "botorch": "botorch",
    "keras-tuner": "keras_tuner",
    "hyperopt": "hyperopt",
    "optuna-gp": "torch",
    "optuna-tpe": "optuna",
    "scikit-optimize": "skopt",
}
"""Peer to the module without which it cannot run."""


class Optimizer:
    """An optimiser in this process."""

    version = ""

    def ask(self) -> list:
        """Give the next point."""
        raise NotImplementedError

    def tell(self, points: Sequence[list], losses: Sequence[float]) -> None:
        """Record the losses of points."""
        raise NotImplementedError

    def seconds(self) -> float:
        """Processor time of its process so far."""
        return time.process_time()

    def close(self) -> None:
        """End its process where it has one."""


class GPSearch(Optimizer):
    """``gpsearch.Optimizer`` as it comes."""

    def __init__(self, dimensions: list[Dimension], seed: int, **options: Any) -> None:
        import gpsearch

        self._optimizer = gpsearch.Optimizer(dimensions, random_state=seed, **options)
        self.version = f"gpsearch {gpsearch.__version__}"

    def ask(self) -> list:
        return self._optimizer.ask()

    def tell(self, points: Sequence[list], losses: Sequence[float]) -> None:
        self._optimizer.tell(list(points), list(losses))


class Unguided(Optimizer):
    """Random points or corners, drawn in this process."""

    def __init__(self, name: str, dimensions: list[Dimension], seed: int) -> None:
        self._search = Search(HERE[name], [described(d) for d in dimensions], seed, BUDGET)
        self.version = self._search.version

    def ask(self) -> list:
        return self._search.ask()

    def tell(self, points: Sequence[list], losses: Sequence[float]) -> None:
        """Learn nothing."""


class Peer(Optimizer):
    """A peer in a process of its own, on one core."""

    def __init__(self, name: str, dimensions: list[Dimension], seed: int, python: Path) -> None:
        self._process = subprocess.Popen(
            [python, PROCESS, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a hundred warnings; an exception comes as an answer
            text=True,
            env=os.environ | ONE_CORE | {"PYTHONPATH": "", "KERAS_BACKEND": "torch"},
        )
        self._name, self._seconds = name, math.nan
        first = {"dimensions": [described(d) for d in dimensions], "seed": seed, "budget": BUDGET}
        self.version = self._answer(first)["version"]

    def ask(self) -> list:
        return self._answer({"ask": 1})["point"]

    def tell(self, points: Sequence[list], losses: Sequence[float]) -> None:
        self._answer({"tell": [list(points), list(losses)]})

    def seconds(self) -> float:
        return self._seconds

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _answer(self, request: dict) -> dict:
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": "its process ended"}
        if "error" in answer:
            self.close()
            raise RuntimeError(f"{self._name}: {answer['error']}")
        self._seconds = answer["seconds"]
        return answer


def described(d: Dimension) -> dict:
    """Describe a dimension in JSON."""
    if isinstance(d, Categorical):
        return {"name": d.name, "categories": list(d.categories)}
    integer = isinstance(d, Integer)
    low, high = (int(d.low), int(d.high)) if integer else (float(d.low), float(d.high))
    log = d.prior == "log-uniform"
    return {"name": d.name, "low": low, "high": high, "log": log, "integer": integer}


def python_of(name: str) -> Path | None:
    """Find the Python that runs a peer; None where it is not installed."""
    made = ENVIRONMENTS / ("hebo" if name == "hebo" else "peers") / "bin" / "python"
    if made.exists():
        return made
    return Path(sys.executable) if importlib.util.find_spec(MODULES[name]) else None


def installed() -> list[str]:
    """List the optimisers that can run here."""
    return ["gpsearch", *(name for name in MODULES if python_of(name)), *HERE]


def make(name: str, dimensions: list[Dimension], seed: int) -> Optimizer:
    """Make an optimiser by name; close it in the end."""
    if name == "gpsearch":
        return GPSearch(dimensions, seed)
    if name in HERE:
        return Unguided(name, dimensions, seed)
    if name not in MODULES:
        raise ValueError(f"no optimiser {name!r}; there are gpsearch, {', '.join(MODULES | HERE)}")
    python = python_of(name)
    if python is None:
        raise ModuleNotFoundError(f"{name} is not installed: `make peers` makes its environment")
    return Peer(name, dimensions, seed, python)
