"""Bayesian search that prefers quick evaluations: improvement for each second.

For spaces in which some params take many times as long as others, and a budget of time rather
than of evaluations. Where all evaluations take about the same, it is the strategy ``gp``.
``benchmarks/per_second.py`` measures where it saves time and where that cannot be told.
"""

from __future__ import annotations

from dataclasses import replace

from gpsearch.space import Point, Space
from gpsearch.strategy.gp import GPOptions, GPStrategy
from gpsearch.strategy.importance import ImportanceOrder
from gpsearch.strategy.strategy import History


class GPPerSecondStrategy:
    """The search of `GPStrategy`, its improvement divided by the expected time of an evaluation.

    Parameters
    ----------
    space, seed, n_calls, n_initial_points, importance, options
        As of `GPStrategy`.

    Examples
    --------
    >>> space = Space({"x": (0.0, 1.0)})
    >>> x = [[0.1], [0.3], [0.5], [0.7], [0.9], [0.2], [0.4], [0.8]]
    >>> history = History.of(x, [(v - 0.6) ** 2 for (v,) in x], seconds=[1.0] * 8)
    >>> round(GPPerSecondStrategy(space, seed=0).propose(history, 8)[0], 1)
    0.6
    """

    name = "gp_per_second"

    def __init__(
        self,
        space: Space,
        *,
        seed: int,
        n_calls: int = 100,
        n_initial_points: int | None = None,
        importance: ImportanceOrder | None = None,
        options: GPOptions | None = None,
    ) -> None:
        self._strategy = GPStrategy(
            space,
            seed=seed,
            n_calls=n_calls,
            n_initial_points=n_initial_points,
            importance=importance,
            # what is usual of networks, many units and small batches, takes its time
            options=replace(options or GPOptions(habits=False), per_second=True),
        )

    def propose(self, history: History, number: int) -> Point:
        """Give the point of trial `number`; see `Strategy.propose`."""
        return self._strategy.propose(history, number)
