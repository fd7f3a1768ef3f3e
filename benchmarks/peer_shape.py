"""What an optimiser of the comparison is: it is asked for values by name, and told their loss.

Nothing of gpsearch and none of the peers is imported here: `peers` uses it in its process,
`peer_process` in that of a peer.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import math
from collections.abc import Sequence
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Dimension:
    """A setting: numbers from `low` to `high`, or one of the categories."""

    name: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    integer: bool = False
    categories: Sequence = ()

    @property
    def codes(self) -> list[str]:
        """What a peer gets in place of the categories: text, which every one of them takes."""
        return [str(i) for i in range(len(self.categories))]

    def value(self, given: Any) -> Any:
        """Give the value of what a peer proposes."""
        if self.categories:
            return self.categories[int(given)]
        inside = min(max(float(given), self.low), self.high)
        return round(inside) if self.integer else inside

    def from_unit(self, u: float) -> float:
        """Give the number at a share of the way from `low` to `high`."""
        if self.log:
            return self.low * (self.high / self.low) ** u
        return self.low + u * (self.high - self.low)

    def to_unit(self, value: float) -> float:
        """Give the share of the way."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


class Peer:
    """An optimiser of values by name, where a category is its code."""

    package = "numpy"
    takes_failures = True
    """Whether it may be told NaN; else it gets the worst loss so far, as from its users."""

    def __init__(self, dimensions: list[Dimension], seed: int, budget: int) -> None:
        self.dimensions, self.seed, self.budget = dimensions, seed, budget
        self.trial: Any = None  # what `ask` opened, until it is told
        self.start()

    def start(self) -> None:
        """Make the optimiser."""

    def ask(self) -> dict:
        """Give the values to try next."""
        raise NotImplementedError

    def tell(self, values: dict, loss: float) -> None:
        """Learn one loss, of what was asked where there is a trial."""

    def tell_all(self, values: list[dict], losses: list[float]) -> None:
        """Learn many losses."""
        for one, loss in zip(values, losses, strict=True):
            self.tell(one, loss)


class Random(Peer):
    """Independent draws; also what the tests of this protocol ask."""

    def start(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def ask(self) -> dict:
        return {d.name: self.draw(d) for d in self.dimensions}

    def draw(self, d: Dimension) -> Any:
        """Draw a value; each integer has its share of the range."""
        if d.categories:
            return self.rng.choice(d.codes)
        half = 0.5 * d.integer
        wide = dataclasses.replace(d, low=d.low - half, high=d.high + half)
        return wide.from_unit(self.rng.random())


class Corners(Random):
    """Ends of the ranges at random: good only where a task rewards going to them."""

    def draw(self, d: Dimension) -> Any:
        return super().draw(d) if d.categories else (d.low, d.high)[self.rng.integers(2)]


class Search:
    """A search by one of the peers, of points in the order of the dimensions."""

    def __init__(self, kind: type[Peer], dimensions: list[dict], seed: int, budget: int) -> None:
        self.dimensions = [Dimension(**d) for d in dimensions]
        self.peer = kind(self.dimensions, seed, budget)
        self.version = f"{kind.package} {importlib.metadata.version(kind.package)}"
        self.asked: list | None = None
        self.failed: list[list] = []  # before the first success
        self.worst = -math.inf

    def ask(self) -> list:
        """Give the next point."""
        values = self.peer.ask()
        self.asked = [d.value(values[d.name]) for d in self.dimensions]
        return self.asked

    def tell(self, points: list[list], losses: list[float]) -> None:
        """Pass on the losses of points, the one asked for last or others."""
        if not self.peer.takes_failures:
            points, losses = self.with_worst(points, losses)
        if points != [self.asked]:
            self.peer.trial = None
        values = [
            {
                d.name: str(list(d.categories).index(value)) if d.categories else value
                for d, value in zip(self.dimensions, point, strict=True)
            }
            for point in points
        ]
        if values:
            self.peer.tell_all(values, losses)
        self.peer.trial = self.asked = None

    def with_worst(self, points: list[list], losses: list[float]) -> tuple[list, list]:
        """Put the worst loss for failures, which wait for the first success."""
        self.worst = max([self.worst, *filter(math.isfinite, losses)])
        points, losses = self.failed + points, [math.nan] * len(self.failed) + losses
        if self.worst == -math.inf:
            self.failed = points
            return [], []
        self.failed = []
        return points, [loss if math.isfinite(loss) else self.worst for loss in losses]
