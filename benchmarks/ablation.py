"""Which ingredients of the search make the difference: each is taken away in turn.

``python benchmarks/ablation.py [--seeds 8] [--suite synthetic]``

Every variant is ``GPStrategy`` with one option changed; tasks, seeds, noise and first points are
those of the full search, so differences are paired (see `variants`): where the interval lies above
zero, the ingredient helps.
"""

from __future__ import annotations

from typing import Any

from regret import AT, tasks_of
from variants import Variant, arguments, report

from gpsearch.acquisition import Effort
from gpsearch.strategy.gp import GPOptions, GPStrategy
from gpsearch.surrogate import Linear, Priors

WEAK = Priors(length_strength=1e-3, signal_shape=1.0, signal_rate=1e-3, noise_rate=1e-3)
OPTIONS: dict[str, dict[str, Any]] = {
    "full": {},
    "settings of all names alike": {"optimum_prior": None},
    "losses as they are": {"options": GPOptions(shape=Linear())},
    "weak priors": {"options": GPOptions(priors=WEAK)},
    "mean of the losses as the mean": {"options": GPOptions(priors=Priors(mean_variance=0.0))},
    "plain expected improvement": {"options": GPOptions(augmented=False)},
    "random candidates alone": {"options": GPOptions(effort=Effort(random=800, moves=0, starts=0))},
    "probability of improvement": {"options": GPOptions(acquisition="LogPI")},
    "lower confidence bound": {"options": GPOptions(acquisition="LCB")},
    "5 first points": {"n_initial_points": 5},
    "8 first points in any space": {"n_initial_points": 8},
    "20 first points": {"n_initial_points": 20},
}


def variant(options: dict[str, Any]) -> Variant:
    return lambda space, seed: GPStrategy(space, seed=seed, **options)


def main() -> None:
    args = arguments(__doc__.splitlines()[0], "ablation").parse_args()
    variants = {name: variant(options) for name, options in OPTIONS.items()}
    report(variants, tasks_of(args.suite, args.data), args, AT)


if __name__ == "__main__":
    main()
