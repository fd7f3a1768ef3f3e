"""An objective whose params have other names or values than the space that is searched."""

from types import SimpleNamespace
from typing import Any

from gpsearch.evaluation import Evaluation, Objective, Params, measures_work
from gpsearch.identity import fingerprint
from gpsearch.model_selection.distributions import ALTERNATIVE, Distributions
from gpsearch.space import Space

PASSED_ON = ("scored_share", "held_out", "score_bounds")
"""Attributes that an objective may have, whatever its params are called."""


class RenamedObjective:
    """An objective that takes the estimator's params; `distributions` translates the space's."""

    def __init__(self, objective: Objective, distributions: Distributions) -> None:
        self.objective = objective
        self.distributions = distributions
        self.name = objective.name
        self.n_folds = objective.n_folds
        self.measures_work = measures_work(objective)

    def __getattr__(self, name: str) -> Any:
        if name not in PASSED_ON:
            raise AttributeError(name)
        return getattr(self.objective, name)

    def with_fresh_folds(self, random_state: int) -> "RenamedObjective":
        """The same objective on splits of another seed."""
        fresh: Any = self.objective
        return RenamedObjective(fresh.with_fresh_folds(random_state), self.distributions)

    def validate(self, space: Space) -> None:
        """See `Objective.validate`."""
        translated, names = self.distributions, self.distributions.names
        fixed = dict(space.fixed)
        for values in translated.alternatives.values():
            fixed |= values
        renamed: Any = SimpleNamespace(  # all of a space that an objective asks for
            names=[
                names.get(name, name)
                for name in space.names
                if name != ALTERNATIVE or not self.distributions.alternatives
            ],
            fixed=fixed,
            sample=space.sample,
            params=lambda point: translated.translate(space.params(point)),
        )
        self.objective.validate(renamed)

    def fingerprint(self) -> str:
        """See `Objective.fingerprint`; it includes the choices that the names stand for."""
        given = [self.distributions.objects, self.distributions.alternatives]
        return fingerprint([self.objective.fingerprint(), *given])

    def describe(self) -> dict[str, Any]:
        """See `Objective.describe`."""
        return self.objective.describe()

    def evaluate(self, params: Params, **options: Any) -> Evaluation:
        """See `Objective.evaluate`."""
        return self.objective.evaluate(self.distributions.translate(params), **options)
