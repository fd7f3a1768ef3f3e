"""Which ingredients of the search make the difference: each is taken away in turn.

``python benchmarks/ablation.py [--seeds 8] [--suite synthetic]``
``python benchmarks/ablation.py --only 0 5 12 --folds 0.1 --budget 100 [--suite tables]``

Every variant is ``GPStrategy`` with one option changed; tasks, seeds, noise and first points are
those of the full search, so differences are paired (see `variants`): where the interval lies above
zero, the ingredient helps. ``--only`` names variants by their number; with ``--folds`` the losses
are noisy, and the search knows how much, as it does from the folds of a cross-validation: without
them nothing of it is to be fitted, and "all that folds tell is noise" is the full search.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from regret import AT, tasks_of
from variants import Variant, arguments, report

from gpsearch.acquisition import Effort
from gpsearch.strategy import History
from gpsearch.strategy.gp import GPOptions, GPStrategy
from gpsearch.surrogate import GaussianProcess, Linear, Priors

SMALL = (10, 15)  # evaluations of a small budget


class AllIsNoise(GPStrategy):
    """All of the variance over folds counts as noise."""

    def process(self, history: History) -> GaussianProcess:
        unknown = np.full(len(history), np.nan)
        told = replace(history, variances=history.fold_variances, fold_variances=unknown)
        return super().process(told)


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
    "all that folds tell is noise": {"made": AllIsNoise},
    "7 first points": {"n_initial_points": 7},
}


def variant(made: type[GPStrategy] = GPStrategy, **options: Any) -> Variant:
    return lambda space, seed: made(space, seed=seed, **options)


def main() -> None:
    parser = arguments(__doc__.splitlines()[0], "ablation")
    parser.add_argument("--only", type=int, nargs="+", default=range(len(OPTIONS)))
    args = parser.parse_args()
    names = [list(OPTIONS)[number] for number in args.only]
    variants = {name: variant(**OPTIONS[name]) for name in names}
    report(variants, tasks_of(args.suite, args.data), args, (*SMALL, *AT, 100))


if __name__ == "__main__":
    main()
