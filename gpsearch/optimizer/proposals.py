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

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from gpsearch.acquisition import Effort
from gpsearch.arguments import one_of
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
    ) -> None:
        one_of("acq_func", acq_func, ACQ_FUNCS)
        self._space, self._seed = space, seed
        self._n_initial_points = n_initial_points
        self._eta = acq_func_kwargs.get("eta", 1.0)
        self.options = GPOptions(
            kappa=min(float(acq_func_kwargs.get("kappa", 1.96)), LARGEST_KAPPA),
            margin=acq_func_kwargs.get("xi", 0.01),
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
        self.gains = np.zeros(len(self._strategies))
        """Gains of the hedged acquisitions."""
        self._candidates: Array | None = None
        self._candidates_at = 0

    def propose(self, history: History, number: int) -> Point:
        """Propose a point; see `Strategy.propose`."""
        is_initial = number < self._n_initial_points or history.failed.all()
        if len(self._strategies) > 1 and not is_initial:
            return self._hedged(history, number)
        return list(self._strategies[0].propose(history, number))

    def most_promising_again(self, history: History) -> Point:
        """The evaluated point to evaluate once more, by its lower confidence bound."""
        succeeded = np.flatnonzero(~history.failed)
        process = self._strategies[0].process(history)
        mean, variance = process.predict(process.Z)
        best = int(np.argmin(mean - self.options.kappa * np.sqrt(variance)))
        return list(history.points[succeeded[best]])

    def _hedged(self, history: History, number: int) -> Point:
        if self._candidates is not None and len(history) > self._candidates_at:
            self.gains -= self._strategies[0].process(history).predict(self._candidates)[0]
        points = [list(strategy.propose(history, number)) for strategy in self._strategies]
        self._candidates, self._candidates_at = self._space.to_z(points), len(history)
        odds = np.exp(self._eta * (self.gains - self.gains.max()))
        drawn = trial_rng(self._seed, number).choice(len(points), p=odds / odds.sum())
        return points[int(drawn)]


def _effort(acq_optimizer: str, kwargs: Mapping[str, int]) -> Effort:
    """Random candidates alone for "sampling"; otherwise the best ones climb."""
    if acq_optimizer == "sampling":
        return Effort(random=kwargs.get("n_points", 10_000), moves=0, starts=0)
    if "n_restarts_optimizer" in kwargs:
        return Effort(starts=max(1, kwargs["n_restarts_optimizer"]))
    return Effort()
