"""scikit-optimize's acquisition functions over gpsearch's surrogate.

========== ==================================================================================
logEI, EI  log expected improvement on the least posterior mean: the same maximiser, and no
           margin, which scikit-optimize has in raw units of the loss
PI         log probability to improve by `xi` standard deviations of the losses
LCB        lower confidence bound, `kappa` standard deviations below the mean
EIps, PIps EI and PI, for each second: a second process models the logarithm of the time
gp_hedge   the maximisers of EI, LCB and PI, of which one is drawn; the lower the posterior means
           of its points, the more often
========== ==================================================================================

gp_hedge: Hoffman, Brochu & de Freitas 2011, Portfolio allocation for Bayesian optimization.
"""

import contextlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from gpsearch.acquisition import Effort
from gpsearch.arguments import finite, is_number, one_of, refusal, whole
from gpsearch.errors import InvalidSearchError
from gpsearch.space import Point, Space
from gpsearch.strategy import History, trial_rng
from gpsearch.strategy.gp import GPOptions, GPStrategy
from gpsearch.strategy.optimum_prior import OptimumPriorChoice
from gpsearch.strategy.strategy import Array
from gpsearch.surrogate import Priors

ACQ_FUNCS = ("logEI", "EI", "LCB", "PI", "EIps", "PIps", "gp_hedge")
OURS: dict[str, Literal["LogEI", "LogPI", "LCB"]] = {
    "logEI": "LogEI",
    "EI": "LogEI",
    "EIps": "LogEI",
    "PI": "LogPI",
    "PIps": "LogPI",
    "LCB": "LCB",
}
NO_FURTHER_NOISE = 1e6  # rate of the noise's density that holds the fitted noise at its floor
HEDGED = ("EI", "LCB", "PI")
LARGEST_KAPPA = 1e6  # for kappa="inf", which is exploration alone in scikit-optimize


@dataclass
class Hedge:
    """What gp_hedge remembers from one proposal to the next."""

    gains: Array = field(default_factory=lambda: np.zeros(len(HEDGED)))
    """Of the hedged acquisitions."""
    candidates: Array | None = None
    """Their last maximisers."""
    n_told: int = 0
    """Losses that were told when these were found."""


class Proposals:
    """One `GPStrategy` for each acquisition function in use; `noise` is known, of the losses."""

    def __init__(
        self,
        space: Space,
        acq_func: str,
        *,
        seed: int,
        n_initial_points: int,
        optimum_prior: OptimumPriorChoice,
        acq_optimizer: str,
        acq_func_kwargs: Mapping[str, float],
        acq_optimizer_kwargs: Mapping[str, int],
        noise: float | None,
        hedge: Hedge,
    ) -> None:
        one_of("acq_func", acq_func, ACQ_FUNCS)
        margins = {"xi": 0.01, "eta": 1.0, **acq_func_kwargs}
        with _entry_of("acq_func_kwargs"):
            kappa = read_kappa(margins.get("kappa", 1.96))
            xi, self._eta = (finite(name, margins[name]) for name in ("xi", "eta"))
        self._space, self._seed = space, seed
        self._n_initial_points = n_initial_points
        self.options = GPOptions(
            kappa=kappa,
            margin=xi,
            effort=_effort(acq_optimizer, acq_optimizer_kwargs),
            priors=Priors() if noise is None else Priors(noise_rate=NO_FURTHER_NOISE),
        )
        """Of all strategies, which differ in the acquisition."""
        self._strategies = [
            GPStrategy(
                space,
                seed=seed,
                n_initial_points=n_initial_points,
                optimum_prior=optimum_prior,
                options=replace(
                    self.options, acquisition=OURS[name], cost_exponent=float(name.endswith("ps"))
                ),
            )
            for name in (HEDGED if acq_func == "gp_hedge" else [acq_func])
        ]
        self._hedge = hedge

    def propose(self, history: History, number: int) -> Point:
        """Propose a point; see `Strategy.propose`."""
        is_initial = number < self._n_initial_points or history.failed.all()
        if len(self._strategies) > 1 and not is_initial:
            return self._hedged(history, number)
        return list(self._strategies[0].propose(history, number))

    def most_promising_again(self, history: History) -> Point:
        """The point to evaluate once more, by its lower confidence bound.

        Where no evaluation succeeded it is the one that was visited least often.
        """
        succeeded = np.flatnonzero(~history.failed)
        if not len(succeeded):
            visits = Counter(keys := self._space.keys(history.visited))
            return list(min(zip(keys, history.visited, strict=True), key=lambda v: visits[v[0]])[1])
        process = self._strategies[0].process(history)
        points = [history.points[i] for i in succeeded.tolist()]
        # not at the points of the process, which leaves some out where there are thousands
        mean, variance = process.predict(self._space.to_z(points))
        best = int(np.argmin(mean - self.options.kappa * np.sqrt(variance)))
        return list(points[best])

    def _hedged(self, history: History, number: int) -> Point:
        hedge = self._hedge
        if hedge.candidates is not None and len(history) > hedge.n_told:
            hedge.gains -= self._strategies[0].process(history).predict(hedge.candidates)[0]
        points = [list(strategy.propose(history, number)) for strategy in self._strategies]
        hedge.candidates, hedge.n_told = self._space.to_z(points), len(history)
        odds = np.exp(self._eta * (hedge.gains - hedge.gains.max()))
        drawn = trial_rng(self._seed, number).choice(len(points), p=odds / odds.sum())
        return points[int(drawn)]


def _effort(acq_optimizer: str, kwargs: Mapping[str, int]) -> Effort:
    """Random candidates alone for "sampling"; otherwise the best ones climb."""
    given = {name: value for name, value in kwargs.items() if value is not None}
    n_climbs = given.get("n_restarts_optimizer", Effort().starts)
    with _entry_of("acq_optimizer_kwargs"):
        n_points = whole("n_points", given.get("n_points", 10_000), 1)
        n_climbs = whole("n_restarts_optimizer", n_climbs, 0)
    if acq_optimizer == "sampling":
        return Effort(random=n_points, moves=0, starts=0)
    return Effort(starts=max(1, n_climbs))


@contextlib.contextmanager
def _entry_of(argument: str) -> Iterator[None]:
    """Name what is checked in a block as an entry of `argument`."""
    try:
        yield
    except InvalidSearchError as error:
        error.argument, error.entry = argument, error.argument
        raise


def read_kappa(kappa: Any) -> float:
    """`kappa`, of which scikit-optimize takes "inf" for exploration alone."""
    if isinstance(kappa, str) and kappa == "inf":
        kappa = LARGEST_KAPPA
    if not is_number(kappa) or math.isnan(kappa):
        raise refusal(InvalidSearchError, "kappa", kappa, "a number or 'inf'")
    return float(np.clip(kappa, -LARGEST_KAPPA, LARGEST_KAPPA))
