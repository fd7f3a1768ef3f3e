"""Whether it helps to look first where a network's settings are usually good, and which settings.

``python benchmarks/name_priors.py [--suite synthetic|mlp|tables] [--seeds 8] [--apart]``

On the tasks that tune networks, whose dimensions have the usual names: without the prior, with it,
and with wrong ones, which show what an error costs:

=========== ================================================================================
reversed    each density mirrored: few units, strong dropout, large batches
shifted     each density moved by half of the range: good places at its ends
other names the names dealt anew among the numeric dimensions of a task, for each seed
=========== ================================================================================

With ``--apart`` each kind of setting is expected alone, and each is left out. With ``--suite mlp``
the networks are scikit-learn's on real data; ``--suite tables`` needs ``--data`` (see `tables`).
Tasks, seeds and noise are the same for all, so differences are paired (see `variants`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from regret import tasks_of
from variants import Variant, arguments, network_tasks, report

from gpsearch.space import Space
from gpsearch.strategy.gp import GPStrategy
from gpsearch.strategy.name_priors import NAME_PRIORS, NamePrior, usual_setting
from gpsearch.strategy.strategy import Array

AT = (10, 20, 30, 50)
Names = Callable[[Space, int], list[str]]  # of a space and a seed


class Wrong(NamePrior):
    """Densities that are mirrored (the sign is -1), and moved by a part of the range."""

    def __init__(self, space: Space, sign: float, shift: float) -> None:
        super().__init__(space)
        self._sign, self._shift = sign, shift

    def _move(self, Z: Array) -> Array:
        return np.mod(self._sign * Z + self._shift, 1.0 + 1e-12)

    def quantile(self, u: Array) -> Array:
        return self._move(super().quantile(self._move(u)))

    def log_density(self, Z: Array, active: np.ndarray) -> tuple[Array, Array]:
        value, gradient = super().log_density(self._move(Z), active)
        return value, self._sign * gradient


def wrong(sign: float, shift: float) -> Variant:
    return lambda space, seed: GPStrategy(space, seed=seed, optimum_prior=Wrong(space, sign, shift))


def named(names: Names) -> Variant:
    """The prior of a space whose dimensions have other names."""

    def variant(space: Space, seed: int) -> GPStrategy:
        renamed = Space(dict(zip(names(space, seed), space.dimensions, strict=True)))
        prior = NamePrior(renamed)
        return GPStrategy(space, seed=seed, optimum_prior=prior if prior.describe() else None)

    return variant


def dealt(space: Space, seed: int) -> list[str]:
    """The names of the numeric dimensions in another order."""
    names, numeric = np.array(space.names, dtype=object), np.flatnonzero(~space.categorical)
    names[numeric] = np.random.default_rng(seed).permutation(names[numeric])
    return list(names)


def keeping(kept: Callable[[str], bool]) -> Names:
    """Names of which only some kinds of settings are known."""

    def names(space: Space, seed: int) -> list[str]:
        known = [usual_setting(name) for name in space.names]
        return [
            name if setting and kept(setting[0]) else f"unknown {j}"
            for j, (name, setting) in enumerate(zip(space.names, known, strict=True))
        ]

    return names


VARIANTS: dict[str, Variant] = {
    "without": lambda space, seed: GPStrategy(space, seed=seed, optimum_prior=None),
    "by name": lambda space, seed: GPStrategy(space, seed=seed),
    "reversed": wrong(-1.0, 1.0),
    "shifted": wrong(1.0, 0.5),
    "other names": named(dealt),
}
KINDS = [setting for setting, *_ in NAME_PRIORS]
APART: dict[str, Variant] = {
    **{f"only {kind.partition(',')[0]}": named(keeping(kind.__eq__)) for kind in KINDS},
    **{f"all but {kind.partition(',')[0]}": named(keeping(kind.__ne__)) for kind in KINDS},
}


def main() -> None:
    parser = arguments(__doc__.splitlines()[0], "name_priors")
    parser.add_argument("--apart", action="store_true", help="each kind of setting by itself")
    args = parser.parse_args()
    variants = VARIANTS | (APART if args.apart else {})
    report(variants, network_tasks(tasks_of(args.suite, args.data)), args, AT)


if __name__ == "__main__":
    main()
