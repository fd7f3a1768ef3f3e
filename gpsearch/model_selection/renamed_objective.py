"""An objective whose params have other names or values than the space that is searched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpsearch.evaluation import Evaluation, FoldResult, Objective, OnFold, Params
from gpsearch.identity import fingerprint
from gpsearch.model_selection.distributions import ALTERNATIVE, Distributions
from gpsearch.space import Point, Space


class RenamedObjective:
    """An objective that takes the estimator's params; `distributions` translates the space's."""

    def __init__(self, objective: Objective, distributions: Distributions) -> None:
        self.objective = objective
        self.distributions = distributions
        self.name = objective.name
        self.n_folds = objective.n_folds

    def validate(self, space: Space) -> None:
        """See `Objective.validate`."""
        self.objective.validate(_RenamedSpace(space, self.distributions))  # type: ignore[arg-type]

    def fingerprint(self) -> str:
        """See `Objective.fingerprint`; it includes the choices that the names stand for."""
        given = [self.distributions.objects, self.distributions.alternatives]
        return fingerprint([self.objective.fingerprint(), *given])

    def describe(self) -> dict[str, Any]:
        """See `Objective.describe`."""
        return self.objective.describe()

    def evaluate(
        self,
        params: Params,
        *,
        seed: int,
        on_fold: OnFold | None = None,
        done: Sequence[FoldResult] = (),
    ) -> Evaluation:
        """See `Objective.evaluate`."""
        translated = self.distributions.translate(params)
        return self.objective.evaluate(translated, seed=seed, on_fold=on_fold, done=done)

    def refit(self, params: Params, **options: Any) -> Any:
        """Fit the objective's model with translated params."""
        return self.objective.refit(self.distributions.translate(params), **options)  # type: ignore[attr-defined]


class _RenamedSpace:
    """The part of a space that `Objective.validate` uses, in the estimator's names."""

    def __init__(self, space: Space, distributions: Distributions) -> None:
        self._space, self._distributions = space, distributions
        names = [distributions.names.get(name, name) for name in space.names]
        self.names = [n for n in names if n != ALTERNATIVE or not distributions.alternatives]
        self.fixed = dict(space.fixed)
        for values in distributions.alternatives.values():
            self.fixed |= values

    def sample(self, n: int, rng: np.random.Generator) -> list[Point]:
        return self._space.sample(n, rng)

    def params(self, point: Point) -> Params:
        return self._distributions.translate(self._space.params(point))
