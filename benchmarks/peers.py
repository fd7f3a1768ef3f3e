"""Optimisers behind one shape: ``make(name, dimensions, seed)`` gives ``ask()`` and ``tell()``.

Points are lists in the order of the dimensions; losses are minimised, and NaN is a failure. A
peer that cannot take a failure gets the worst loss it has seen, as its users do.
"""

from __future__ import annotations

import importlib.util
import math
import warnings
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from skopt.space import Categorical, Dimension, Integer


class AskTell(Protocol):
    """An optimiser."""

    def ask(self) -> list:
        """The next point."""

    def tell(self, points: Sequence[list], losses: Sequence[float]) -> None:
        """The losses of points."""


class GPSearch:
    """``gpsearch.Optimizer`` as it comes."""

    def __init__(self, dimensions: list[Dimension], seed: int, **options: Any) -> None:
        import gpsearch

        self._optimizer = gpsearch.Optimizer(dimensions, random_state=seed, **options)

    def ask(self) -> list:
        """Give the next point."""
        return self._optimizer.ask()

    def tell(self, points: Sequence[list], losses: Sequence[float]) -> None:
        """Record losses."""
        self._optimizer.tell(list(points), list(losses))


class Random:
    """Independent draws."""

    def __init__(self, dimensions: list[Dimension], seed: int) -> None:
        from gpsearch.space import Space

        self._space, self._rng = Space(dimensions), np.random.default_rng(seed)

    def ask(self) -> list:
        """Give the next point."""
        return self._space.sample(1, self._rng)[0]

    def tell(self, points: Sequence[list], losses: Sequence[float]) -> None:
        """Learn nothing."""


class ScikitOptimize:
    """``skopt.Optimizer`` as ``skopt.gp_minimize`` sets it up."""

    def __init__(self, dimensions: list[Dimension], seed: int) -> None:
        from skopt import Optimizer
        from skopt.utils import cook_estimator, normalize_dimensions

        rng = np.random.RandomState(seed)
        space = normalize_dimensions(dimensions)
        estimator = cook_estimator(
            "GP", space=space, random_state=rng.randint(0, np.iinfo(np.int32).max), noise="gaussian"
        )
        self._optimizer = Optimizer(
            space,
            estimator,
            n_initial_points=10,
            acq_func="gp_hedge",
            random_state=rng,
            acq_optimizer_kwargs={"n_points": 10_000, "n_restarts_optimizer": 5, "n_jobs": 1},
        )
        self._dimensions, self._worst = dimensions, 0.0

    def ask(self) -> list:
        """Give the next point."""
        return [_plain(d, v) for d, v in zip(self._dimensions, self._optimizer.ask(), strict=True)]

    def tell(self, points: Sequence[list], losses: Sequence[float]) -> None:
        """Record losses."""
        known = [loss for loss in losses if math.isfinite(loss)]
        self._worst = max([self._worst, *known])
        told = [loss if math.isfinite(loss) else self._worst for loss in losses]
        self._optimizer.tell(list(points), told)


class Optuna:
    """Optuna's samplers, TPE or GP, as they come."""

    def __init__(self, dimensions: list[Dimension], seed: int, sampler: str) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        make = {"tpe": optuna.samplers.TPESampler, "gp": optuna.samplers.GPSampler}[sampler]
        self._optuna, self._study = optuna, optuna.create_study(sampler=make(seed=seed))
        self._dimensions, self._trial = dimensions, None
        self._distributions = {d.name: self._distribution(d) for d in dimensions}

    def ask(self) -> list:
        """Give the next point."""
        self._trial = self._study.ask(self._distributions)
        return [_plain(d, self._trial.params[d.name]) for d in self._dimensions]

    def tell(self, points: Sequence[list], losses: Sequence[float]) -> None:
        """Record losses."""
        if self._trial is not None and len(points) == 1:
            self._end(self._trial, losses[0])
            self._trial = None
            return
        names = [d.name for d in self._dimensions]
        self._study.add_trials(
            [
                self._optuna.trial.create_trial(
                    params=dict(zip(names, point, strict=True)),
                    distributions=self._distributions,
                    value=float(loss),
                )
                for point, loss in zip(points, losses, strict=True)
            ]
        )

    def _end(self, trial: Any, loss: float) -> None:
        if math.isfinite(loss):
            self._study.tell(trial, loss)
        else:
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)

    def _distribution(self, d: Dimension) -> Any:
        kinds = self._optuna.distributions
        if isinstance(d, Categorical):
            return kinds.CategoricalDistribution(list(d.categories))
        log = d.prior == "log-uniform"
        if isinstance(d, Integer):
            return kinds.IntDistribution(int(d.low), int(d.high), log=log)
        return kinds.FloatDistribution(d.low, d.high, log=log)


NEEDS = {
    "gpsearch": "gpsearch",
    "optuna-gp": "torch",
    "optuna-tpe": "optuna",
    "scikit-optimize": "skopt",
    "random": "numpy",
}
"""Optimiser to the package without which it cannot run."""


def installed() -> list[str]:
    """The optimisers that can run here."""
    return [name for name, package in NEEDS.items() if importlib.util.find_spec(package)]


def make(name: str, dimensions: list[Dimension], seed: int) -> AskTell:
    """Make an optimiser by name."""
    if name == "gpsearch":
        return GPSearch(dimensions, seed)
    warnings.filterwarnings("ignore")  # the peers': their figures are what is asked for
    if name == "random":
        return Random(dimensions, seed)
    if name == "scikit-optimize":
        return ScikitOptimize(dimensions, seed)
    return Optuna(dimensions, seed, name.removeprefix("optuna-"))


def _plain(dimension: Dimension, value: Any) -> Any:
    if isinstance(dimension, Categorical):
        return value.item() if isinstance(value, np.generic) else value
    value = min(max(float(value), dimension.low), dimension.high)
    return round(value) if isinstance(dimension, Integer) else value
