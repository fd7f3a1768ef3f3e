"""Whether it helps to look first where a network's settings are usually good.

``python benchmarks/habits.py [--seeds 8] [--suite synthetic]``

On the tasks that tune networks, whose dimensions have the usual names: without habits, with them,
and with the same habits backwards (few units, strong dropout, large batches), which shows what a
wrong one costs. With ``--suite mlp`` the networks are scikit-learn's on real data, which took no
part in choosing the habits. Tasks, seeds and noise are the same for all, so differences are paired
(see `variants`): where the interval lies below zero, the habits help.
"""

from __future__ import annotations

from variants import Variant, arguments, network_tasks, report

from gpsearch.space import Space
from gpsearch.strategy.gp import GPOptions, GPStrategy
from gpsearch.strategy.name_priors import Habits

AT = (10, 20, 30, 50)


class Backwards(Habits):
    """The opposite of what is usual."""

    def __init__(self, space: Space) -> None:
        super().__init__(space)
        self._p, self._q = self._q, self._p


class BackwardsStrategy(GPStrategy):
    """The search that leans on it."""

    def __init__(self, space: Space, *, seed: int) -> None:
        super().__init__(space, seed=seed)
        self._habits = Backwards(space)


VARIANTS: dict[str, Variant] = {
    "without": lambda space, seed: GPStrategy(space, seed=seed, options=GPOptions(habits=False)),
    "habits": lambda space, seed: GPStrategy(space, seed=seed),
    "backwards": lambda space, seed: BackwardsStrategy(space, seed=seed),
}


def main() -> None:
    args = arguments(__doc__.splitlines()[0], "habits")
    report(VARIANTS, network_tasks(args.suite), args.seeds, args.out, AT)


if __name__ == "__main__":
    main()
