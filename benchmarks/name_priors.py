"""Whether it helps to look first where a network's settings are usually good.

``python benchmarks/name_priors.py [--seeds 8] [--suite synthetic]``

On the tasks that tune networks, whose dimensions have the usual names: without the prior, with it,
and with the same prior backwards (few units, strong dropout, large batches), which shows what a
wrong one costs. With ``--suite mlp`` the networks are scikit-learn's on real data, which took no
part in choosing it. Tasks, seeds and noise are the same for all, so differences are paired
(see `variants`): where the interval lies below zero, the prior helps.
"""

from __future__ import annotations

from variants import Variant, arguments, network_tasks, report

from gpsearch.space import Space
from gpsearch.strategy.gp import GPStrategy
from gpsearch.strategy.name_priors import NamePrior

AT = (10, 20, 30, 50)


class Backwards(NamePrior):
    """The opposite of what is usual."""

    def __init__(self, space: Space) -> None:
        super().__init__(space)
        self._p, self._q = self._q, self._p
        self._drawn = {j: pq[::-1] for j, pq in self._drawn.items()}


VARIANTS: dict[str, Variant] = {
    "without": lambda space, seed: GPStrategy(space, seed=seed, optimum_prior=None),
    "by name": lambda space, seed: GPStrategy(space, seed=seed),
    "backwards": lambda space, seed: GPStrategy(space, seed=seed, optimum_prior=Backwards(space)),
}


def main() -> None:
    args = arguments(__doc__.splitlines()[0], "name_priors")
    report(VARIANTS, network_tasks(args.suite), args.seeds, args.out, AT)


if __name__ == "__main__":
    main()
