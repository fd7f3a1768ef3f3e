"""Bayesian search: a Gaussian process of the loss, and the point that promises most.

=========== ================================================================ =======
symbol      meaning                                                          shape
=========== ================================================================ =======
Z           evaluated points in the unit cube                                (n, d)
y           their losses; failed evaluations have none                       (n,)
v           variances of the losses as means over folds; NaN where unknown   (n,)
P           points being evaluated                                           (p, d)
f           incumbent: least posterior mean at an evaluated point            scalar
=========== ================================================================ =======

The first points are quasi-random, and denser where the optimum is expected (`OptimumPrior`). From
then on each proposal fits a process to all losses, and maximises the logarithm of expected
improvement on f, augmented so that what is known precisely is not measured again. With noise, f is
the least *mean*, not the least measurement. Of v, a share is noise; it is fitted, because folds
differ in what suits them, which is in their scatter, too, and would be there again. Pending points
count as evaluated with their predicted means, so that the next proposal differs from them. Where
evaluations failed, improvement is weighted by the probability of success, which a second process
models. Where evaluations differ in cost, improvement is divided by the cost, which another process
models. The expected optimum weighs it, too, while the process does not contradict it.

Everything is computed from the history anew: a resumed search proposes what the uninterrupted
one would have.
"""

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

import numpy as np
from threadpoolctl import ThreadpoolController

from gpsearch.acquisition import (
    Acquisition,
    Effort,
    LogExpectedImprovement,
    LogProbabilityOfImprovement,
    LowerConfidenceBound,
    PerCost,
    WeightedByFeasibility,
    WeightedByPrior,
    maximise,
)
from gpsearch.arguments import one_of
from gpsearch.errors import InvalidSearchError, public
from gpsearch.space import Point, Space
from gpsearch.strategy.encoded_points import OncePerPoint
from gpsearch.strategy.optimum_prior import (
    BY_NAME,
    OptimumPrior,
    OptimumPriorChoice,
    read_optimum_prior,
)
from gpsearch.strategy.strategy import Array, Cost, History, Proposal, trial_rng
from gpsearch.strategy.unseen import SOBOL_BLOCK, DistinctPoints, draw_unseen, sobol_blocks
from gpsearch.surrogate import FeasibilityModel, GaussianProcess, Priors, YeoJohnson
from gpsearch.surrogate.warping import Shape

N_INITIAL_POINTS = 8  # at the least: fewer than the dimensions would leave some of them unmoved
FEWEST = 4  # however small the budget: of fewer, the process knows too little of the cost
COOLING = 2.0  # the cost counts once until half of the budget is spent, and then ever less
COST_BASE = 0.3  # geometric means of the known costs, added to each cost: what is cheap is alike
ENUMERABLE = 1000  # a space of at most this many points is valued whole
PLACES = 256  # at which predictions are compared with the expected optimum
CONTRADICTED = 0.1  # correlation of predicted losses with log pi, above which pi is left out
SAME_PLACE = 1e-9  # places that differ by less are one point
AcquisitionName = Literal["LogEI", "LogPI", "LCB"]


@dataclass(frozen=True, kw_only=True)
class GPOptions:
    """How the process is fitted and what is maximised."""

    acquisition: AcquisitionName = "LogEI"
    """What is maximised: LogEI (log expected improvement), LogPI (log probability of one) or LCB
    (lower confidence bound)."""
    augmented: bool = True
    """Whether LogEI avoids points whose loss is known more precisely than a measurement."""
    cost_exponent: float | None = None
    """Improvement is divided by the cost of its evaluation to this power; by default, where costs
    are known, by the cost and `COST_BASE`, to a power that falls at the end of the budget."""
    kappa: float = 1.96
    """Standard deviations below the mean, for LCB."""
    margin: float = 0.01
    """Least improvement that counts, in standard deviations of the losses, for LogPI."""
    shape: Shape = field(default_factory=YeoJohnson)
    """Family of output transforms."""
    priors: Priors = field(default_factory=Priors)
    """Of the process's hyperparameters."""
    effort: Effort = field(default_factory=Effort)
    """How hard the acquisition is maximised."""

    @public()
    def __post_init__(self) -> None:
        one_of("acquisition", self.acquisition, ("LogEI", "LogPI", "LCB"))
        if self.cost_exponent and self.acquisition == "LCB":
            raise InvalidSearchError(
                "a bound of the loss is not an improvement that a cost could divide; choose "
                "'LogEI' or 'LogPI'."
            ).about("cost_exponent", self.cost_exponent)


class GPStrategy:
    """Bayesian search with a Gaussian process; see `gpsearch.strategy.gp`.

    Parameters
    ----------
    space : Space
    seed : int
        Decides the first points and the candidates of each proposal.
    n_calls : int, default 100
        The budget: of a small one fewer points are spent before the first fit, and towards its end
        the cost counts less.
    n_initial_points : int, optional
        Quasi-random points before the first fit; see `default_initial_points`.
    optimum_prior : "by_name", dict, OptimumPrior or None, default "by_name"
        Where the optimum is expected; see `gpsearch.strategy.optimum_prior`.
    cost : "work", "seconds" or None, default None
        What `History.costs` will hold; None where all evaluations count alike.
    options : GPOptions, optional

    Examples
    --------
    >>> space = Space({"x": (0.0, 1.0)})
    >>> strategy = GPStrategy(space, seed=0)
    >>> x = [[0.1], [0.3], [0.5], [0.7], [0.9], [0.2], [0.4], [0.8]]
    >>> history = History.of(x, [(v - 0.6) ** 2 for (v,) in x])
    >>> (best,) = strategy.propose(history, 8)
    >>> round(best, 1)
    0.6
    """

    name = "gp"

    def __init__(
        self,
        space: Space,
        *,
        seed: int,
        n_calls: int = 100,
        n_initial_points: int | None = None,
        optimum_prior: OptimumPriorChoice = BY_NAME,
        cost: Cost | None = None,
        options: GPOptions | None = None,
    ) -> None:
        self._space, self._seed, self._options = space, seed, options or GPOptions()
        self._n_calls = n_calls
        self._minds_cost = cost is not None and self._options.acquisition != "LCB"
        self.optimum_prior = read_optimum_prior(optimum_prior, space, minds_cost=self._minds_cost)
        if n_initial_points is None:
            n_initial_points = default_initial_points(len(space), n_calls)
        self._n_initial_points = n_initial_points
        self._places = OncePerPoint(space.to_z)
        self._first_points = DistinctPoints(space, self._make_first_points())

    def propose(self, history: History, number: int) -> Proposal:
        """Give the point of trial `number`; see `Strategy.propose`."""
        # Matrices are so small that a second thread of BLAS costs time: up to a hundredfold where
        # the cores are busy training.
        with _thread_pools().limit(limits=1, user_api="blas"):
            return self._propose(history, number)

    def _propose(self, history: History, number: int) -> Proposal:
        rng = trial_rng(self._seed, number)
        if number < self._n_initial_points or history.failed.all():
            return self._first_points.propose(history, rng, start=number)
        acquisition, good = self.acquisition(history)
        ranking = maximise(
            acquisition,
            self._space,
            around=good,
            rng=rng,
            effort=self._options.effort,
            everything=self._everything,
        )
        visited, seen = self._to_z(history.visited), self._first_points.visited(history)
        for z in ranking:
            if np.abs(visited - z).max(axis=1).min() > SAME_PLACE:
                (point,) = self._space.from_z(z[None])
                if self._space.key(point) not in seen:  # between close bounds lie few floats
                    return Proposal(point, "model")
        return draw_unseen(self._space, seen, rng)

    @functools.cached_property
    def _everything(self) -> Array | None:
        """All feasible places of a small space."""
        points = self._space.enumerate(ENUMERABLE)
        return None if points is None else self._space.to_z(points)

    @functools.cached_property
    def _expectation(self) -> tuple[Array, Array]:
        """Evenly spread places, and how far the log density of the prior stands out at each."""
        rows = np.concatenate(list(itertools.islice(self._even_rows(), PLACES // SOBOL_BLOCK)))
        Z = self._space.quantile(rows)
        value, _ = cast(OptimumPrior, self.optimum_prior).log_density(Z, self._space.active(Z))
        return Z, value - value.mean()

    def _contradicts(self, process: GaussianProcess) -> bool:
        """Whether `process` predicts greater losses where the optimum was expected."""
        Z, expected = self._expectation
        mean, _ = process.predict(Z)
        # no correlation where either is constant
        scale = np.linalg.norm(expected) * np.linalg.norm(mean - mean.mean())
        return bool(expected @ mean > CONTRADICTED * scale)

    def process(self, history: History) -> GaussianProcess:
        """The process fitted to the evaluations that succeeded, of which there must be one."""
        succeeded = ~history.failed
        return GaussianProcess.fit(
            self._encode(history, succeeded),
            history.losses[succeeded],
            categorical=self._space.categorical,
            variances=known_variances(history.variances[succeeded]),
            fold_variances=known_variances(history.fold_variances[succeeded]),
            shape=self._options.shape,
            priors=self._options.priors,
        )

    def acquisition(self, history: History) -> tuple[Acquisition, Array]:
        """What is maximised after `history`, and the (k, d) best evaluated points."""
        options, space = self._options, self._space
        process = self.process(history)
        good, noise = process.Z[process.best], process.noise_of_best
        places = good
        if history.pending:
            pending = self._to_z(history.pending)
            process, places = process.fantasize(pending), np.concatenate([good, pending])
        mean, _ = process.predict(places)
        acquisition = self._improvement(process, incumbent=float(mean.min()), noise=noise)
        if history.failed.any():
            model = FeasibilityModel.fit(
                self._to_z(history.points), history.failed, categorical=space.categorical
            )
            acquisition = WeightedByFeasibility(acquisition=acquisition, model=model)
        known = history.costs > 0  # false for NaN
        exponent, base = options.cost_exponent or 0.0, 0.0
        if options.cost_exponent is None and self._minds_cost:
            left = max(0.0, 1.0 - (len(history) - history.n_given) / self._n_calls)
            exponent, base = min(1.0, COOLING * left), COST_BASE
        if exponent and len(np.unique(history.costs[known])) > 1:
            log_cost = GaussianProcess.fit(
                self._encode(history, known),
                np.log(history.costs[known]),
                categorical=space.categorical,
                priors=options.priors,
            )
            acquisition = PerCost(
                acquisition=acquisition, log_cost=log_cost, exponent=exponent, base=base
            )
        if (prior := self.optimum_prior) and not self._contradicts(process):
            acquisition = WeightedByPrior(
                acquisition=acquisition,
                space=space,
                density=prior,
                weight=prior.n_evaluations / len(history),
            )
        return acquisition, good

    def _improvement(self, process: GaussianProcess, incumbent: float, noise: float) -> Acquisition:
        """The acquisition by the process alone."""
        options = self._options
        if options.acquisition == "LCB":
            return LowerConfidenceBound(process=process, kappa=options.kappa)
        if options.acquisition == "LogPI":
            return LogProbabilityOfImprovement(
                process=process, incumbent=incumbent, margin=options.margin
            )
        return LogExpectedImprovement(
            process=process, incumbent=incumbent, noise=noise if options.augmented else 0.0
        )

    def _encode(self, history: History, chosen: np.ndarray) -> Array:
        """Encode the evaluated points for which `chosen` is true."""
        return self._to_z([p for p, kept in zip(history.points, chosen, strict=True) if kept])

    def _to_z(self, points: Sequence[Point]) -> Array:
        return np.array(self._places(points)).reshape(-1, len(self._space))

    def _make_first_points(self) -> Iterator[list[Point]]:
        space, prior = self._space, self.optimum_prior
        if prior is not None and prior.mode is not None:
            yield space.from_z(prior.mode[None])
        for u in self._even_rows():
            yield space.from_z(space.quantile(u if prior is None else prior.quantile(u)))

    def _even_rows(self) -> Iterator[Array]:
        """Blocks of evenly spread rows of the unit cube; they follow the names, not the order."""
        by_name = np.argsort(np.argsort(self._space.names))
        for rows in sobol_blocks(len(self._space), np.random.default_rng(self._seed)):
            yield rows[:, by_name]


@functools.cache
def _thread_pools() -> ThreadpoolController:
    return ThreadpoolController()  # once: it searches all loaded libraries


def default_initial_points(n_dims: int, n_calls: int | None = None) -> int:
    """Quasi-random points before the first fit: 8, or one for each dimension if that is more.

    At most half of the budget, unless that is less than 4.

    >>> default_initial_points(5), default_initial_points(14)
    (8, 14)
    >>> default_initial_points(14, n_calls=20), default_initial_points(14, n_calls=7)
    (10, 4)
    """
    usual = max(N_INITIAL_POINTS, n_dims)
    return usual if n_calls is None else min(usual, max(FEWEST, n_calls // 2))


def known_variances(variances: Array) -> Array:
    """Variances with the largest known one in place of NaN; zeros where all are NaN.

    >>> known_variances(np.array([0.1, np.nan, 0.3])), known_variances(np.array([np.nan]))
    (array([0.1, 0.3, 0.3]), array([0.]))
    """
    unknown = np.isnan(variances)
    if unknown.all():
        return np.zeros(len(variances))
    return np.where(unknown, np.nanmax(variances), variances)
