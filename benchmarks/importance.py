"""Whether an order of importance, believed beforehand, makes the search better.

``python benchmarks/importance.py [--seeds 8] [--suite synthetic]``

On the tasks that tune networks, whose dimensions have the classic names: the classic order as a
prior on the length scales, the same order backwards, and staged search, with the rest in the
middle of its range and with a random point of each seed's as the defaults. Tasks, seeds and noise
are the same for all, so differences are paired (see `variants`): where the interval lies below
zero, the belief helps.
"""

from __future__ import annotations

import numpy as np
from regret import BUDGET
from variants import Variant, arguments, network_tasks, report

from gpsearch.space import Point, Space
from gpsearch.strategy import History
from gpsearch.strategy.gp import GPStrategy
from gpsearch.strategy.importance import importance_tiers
from gpsearch.strategy.staged import StagedStrategy

AT = (10, 20, 30, 50)


def backwards(space: Space) -> list[list[str]]:
    """The classic order with its last tier first."""
    tiers = importance_tiers("classic", space.names)
    return [
        [name for name, of in zip(space.names, tiers, strict=True) if of == tier]
        for tier in range(tiers.max(), -1, -1)
    ]


class StagedFromAPoint(StagedStrategy):
    """Staged search whose defaults are a random point."""

    def __init__(self, space: Space, *, seed: int, n_calls: int) -> None:
        super().__init__(space, seed=seed, n_calls=n_calls)
        self._first = space.sample(1, np.random.default_rng(seed))[0]

    def propose(self, history: History, number: int) -> Point:
        """See `Strategy.propose`."""
        return self._first if number == 0 else super().propose(history, number)


VARIANTS: dict[str, Variant] = {
    "gp": lambda space, seed: GPStrategy(space, seed=seed),
    "classic prior": lambda space, seed: GPStrategy(space, seed=seed, importance="classic"),
    "backwards": lambda space, seed: GPStrategy(space, seed=seed, importance=backwards(space)),
    "staged": lambda space, seed: StagedStrategy(space, seed=seed, n_calls=BUDGET),
    "staged from a point": lambda space, seed: StagedFromAPoint(space, seed=seed, n_calls=BUDGET),
}


def main() -> None:
    args = arguments(__doc__.splitlines()[0], "importance")
    report(VARIANTS, network_tasks(args.suite), args.seeds, args.out, AT)


if __name__ == "__main__":
    main()
