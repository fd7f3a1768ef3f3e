"""Strategies: what proposes the next point.

============= ===============================================================================
gp            Gaussian process and log expected improvement: the one to use
random        independent draws
grid          a grid of the resolution that the budget allows
tpe           Optuna's tree-structured Parzen estimator (extra ``gpsearch[tpe]``)
skopt         scikit-optimize's own loop, the reference
============= ===============================================================================
"""

import importlib
from collections.abc import Callable
from typing import Any

from gpsearch.arguments import optional, whole
from gpsearch.errors import InvalidSearchError
from gpsearch.space import Space
from gpsearch.strategy.optimum_prior import BY_NAME, OptimumPriorChoice
from gpsearch.strategy.strategy import (
    Cost,
    History,
    Proposal,
    Strategy,
    source_of,
    trial_rng,
    trial_seed,
)

__all__ = [
    "STRATEGIES",
    "Cost",
    "History",
    "Proposal",
    "Strategy",
    "make_strategy",
    "source_of",
    "trial_rng",
    "trial_seed",
]

STRATEGIES = {
    "gp": ("gpsearch.strategy.gp", "GPStrategy"),
    "random": ("gpsearch.strategy.random", "RandomStrategy"),
    "grid": ("gpsearch.strategy.grid", "GridStrategy"),
    "tpe": ("gpsearch.strategy.tpe", "TPEStrategy"),
    "skopt": ("gpsearch.strategy.skopt", "SkoptStrategy"),
}
"""Name to module, and what makes it there; a module is imported when its strategy is made."""


REMOVED = {
    "sobol": "it gained nothing",
    "staged": "it gained nothing",
    "gp_per_second": '"gp" minds the cost itself, of cost="work" or cost="seconds"',
}
"""Strategies of older studies, and why they are gone."""


def make_strategy(
    name: str | Strategy,
    space: Space,
    *,
    seed: int,
    n_calls: int,
    n_initial_points: int | None = None,
    optimum_prior: OptimumPriorChoice = BY_NAME,
    cost: Cost | None = None,
    **options: Any,
) -> Strategy:
    """Make a strategy by name, or wrap one that the user made.

    Parameters
    ----------
    name : one of `STRATEGIES`, or object with ``propose``
        An object is used as it is: ``propose(history, number)`` returns a point of the space.
    space : Space
    seed : int
        Trial n draws from ``trial_rng(seed, n)``.
    n_calls : int
        The budget, at least 1.
    n_initial_points : int, optional
        Points before the first model, by default the strategy's own choice.
    optimum_prior : "by_name", dict, OptimumPrior or None, default "by_name"
        Where the optimum is expected; see `gpsearch.strategy.optimum_prior`. Only "gp" uses it.
    cost : "work", "seconds" or None, default None
        What `History.costs` will hold; None where all evaluations count alike. Only "gp" uses it.
    **options
        The strategy's own options.

    Raises
    ------
    InvalidSearchError
        For an unknown name, an unknown option, a budget below 1, a strategy whose package is not
        installed, or a prior of the optimum for one that takes none.

    Examples
    --------
    >>> space = Space({"n": (1, 4)})
    >>> make_strategy("grid", space, seed=0, n_calls=10).name
    'grid'
    """
    whole("n_calls", n_calls, 1)
    optional(whole, "n_initial_points", n_initial_points, 0)
    if isinstance(name, str) and name == "gp":
        options |= {"optimum_prior": optimum_prior, "cost": cost}
    else:
        refuse_prior(optimum_prior)
    if not isinstance(name, str):
        if options:
            raise InvalidSearchError(
                f"make_strategy: {', '.join(options)} cannot be passed on to a strategy that is "
                "already made; set it there."
            )
        return _OwnStrategy(name, space)
    if name in REMOVED:
        raise InvalidSearchError(
            f"was removed: {REMOVED[name]}. A study that it made can begin a new one: "
            'gpsearch.search(..., strategy="gp", warm_start=study).'
        ).about("strategy", name)
    if name not in STRATEGIES:
        raise InvalidSearchError(
            f"no such strategy; choose one of {', '.join(STRATEGIES)}, or pass an object with "
            "propose(history, number)."
        ).about("strategy", name)
    module, class_name = STRATEGIES[name]
    make: Callable[..., Strategy] = getattr(importlib.import_module(module), class_name)
    if n_initial_points is not None:
        options["n_initial_points"] = n_initial_points
    try:
        return make(space, seed=seed, n_calls=n_calls, **options)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        raise InvalidSearchError(
            f"make_strategy({name!r}): {str(error).split('() ')[-1]}; see {module}.{class_name} "
            "for its options."
        ) from error


def refuse_prior(optimum_prior: Any) -> None:
    """Raise where a prior of the optimum is given, to strategies that take none."""
    by_default = isinstance(optimum_prior, str) and optimum_prior == BY_NAME
    if optimum_prior is not None and not by_default:
        raise InvalidSearchError(
            'only the strategy "gp" takes it; choose that, or leave it out.'
        ).about("optimum_prior", optimum_prior)


class _OwnStrategy:
    """A user's strategy, held to the contract: its points are checked and made canonical."""

    def __init__(self, strategy: Any, space: Space) -> None:
        if not callable(getattr(strategy, "propose", None)):
            raise InvalidSearchError(
                f"a strategy is one of {', '.join(STRATEGIES)}, or an object with "
                "propose(history, number)."
            ).about("strategy", strategy)
        self.name = str(getattr(strategy, "name", type(strategy).__name__))
        self.optimum_prior = getattr(strategy, "optimum_prior", None)
        self._strategy, self._space = strategy, space

    def propose(self, history: History, number: int) -> Proposal:
        point = self._strategy.propose(history, number)
        return Proposal(self._space.canonical([point])[0], source_of(point))
