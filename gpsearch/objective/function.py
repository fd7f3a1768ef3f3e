"""Any function of a configuration as an objective."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

import numpy as np

from gpsearch.arguments import boolean, is_number, kind_of_thing, signature_of
from gpsearch.errors import InvalidObjectiveError, TrialFailedError
from gpsearch.evaluation import Evaluation, FoldResult, Objective, OnFold, Params, as_user_value
from gpsearch.identity import Identity

if TYPE_CHECKING:
    from gpsearch.space import Space


def as_objective(
    objective: Objective | Callable[[Params], Any], *, greater_is_better: bool = True
) -> Objective:
    """An objective as it is, or a plain function wrapped as one.

    Parameters
    ----------
    objective : Objective or callable
        A callable takes a configuration, a dict, and returns one score, or one for each fold.
    greater_is_better : bool, default True
        False where a callable returns a loss.

    Raises
    ------
    InvalidObjectiveError
        It is neither, or `greater_is_better=False` is asked of an objective whose scores
        already are greater when better.

    Examples
    --------
    >>> objective = as_objective(lambda params: params["x"] ** 2, greater_is_better=False)
    >>> objective.evaluate({"x": 3.0}, seed=0).score
    -9.0
    """
    greater_is_better = boolean("greater_is_better", greater_is_better)
    if what := kind_of_thing(objective):
        made = "EstimatorCV(estimator, X, y), or use GPSearchCV"
        raise InvalidObjectiveError(
            f"is {what}. Give {made if what == 'an estimator' else 'KerasCV(create_model, X, y)'}."
        ).about("objective", objective)
    if callable(getattr(objective, "evaluate", None)):
        if not greater_is_better:
            raise InvalidObjectiveError(
                f"{type(objective).__name__} returns scores, which are greater when better "
                "already. Choose a scorer such as 'neg_log_loss' instead."
            ).about("greater_is_better", False)
        return objective  # type: ignore[return-value]
    if not callable(objective):
        raise InvalidObjectiveError(
            "must be KerasCV(...) or a function from a dict of params to a score."
        ).about("objective", objective)
    return FunctionObjective(objective, greater_is_better=greater_is_better)


class FunctionObjective:
    """A plain function of a configuration (and ``seed``) to one score, or one for each fold."""

    n_folds = 1
    """Unknown before the first call; a function that returns several scores returns its folds."""

    def __init__(self, function: Callable[..., Any], *, greater_is_better: bool = True) -> None:
        self.function = function
        self.greater_is_better = bool(greater_is_better)
        self.name = str(getattr(function, "__name__", type(function).__name__))
        signature = signature_of(function)
        self._takes_seed = "seed" in list(signature.parameters)[1:]
        try:
            signature.bind({}, **({"seed": 0} if self._takes_seed else {}))
        except TypeError as error:
            raise self._refusal(f"it cannot take one argument: {error}") from error

    def validate(self, space: Space) -> None:
        """Raise where the function takes the dimensions one by one, as ``create_model`` does."""
        names = [*space.names, *space.fixed]
        by_name = [
            parameter.name
            for position, parameter in enumerate(signature_of(self.function).parameters.values())
            if parameter.name in names
            and parameter.name != "seed"
            and (position > 0 or parameter.default is not parameter.empty)
        ]
        if by_name:
            raise self._refusal(f"it takes {by_name[0]!r} by name")

    def _refusal(self, why: str) -> InvalidObjectiveError:
        return InvalidObjectiveError(
            f"is called with one dict of params, but {why}. For a function that builds a model "
            f"give KerasCV({self.name}, X, y), else lambda params: {self.name}(**params)."
        ).about("objective", self.function)

    def fingerprint(self) -> str:
        """See `Objective.fingerprint`: of the function and its direction."""
        return self._identity().fingerprint

    def describe(self) -> dict[str, Any]:
        """JSON-ready facts for the record and the report."""
        return {
            "kind": "function",
            "name": self.name,
            "greater_is_better": self.greater_is_better,
            "identity": self._identity().to_json(),
        }

    def _identity(self) -> Identity:
        return Identity.of({"function": self.function, "greater_is_better": self.greater_is_better})

    def evaluate(
        self,
        params: Params,
        *,
        seed: int,
        on_fold: OnFold | None = None,
        done: Sequence[FoldResult] = (),
    ) -> Evaluation:
        """See `Objective.evaluate`; one call gives all folds, so none is `done` before."""
        started = time.perf_counter()
        given = {"seed": seed} if self._takes_seed else {}
        scores = self._read(self.function(dict(params), **given))
        seconds = (time.perf_counter() - started) / len(scores)
        return Evaluation(
            folds=tuple(
                FoldResult(fold=index, score=score, seconds=seconds, trainer="function")
                for index, score in enumerate(scores)
            )
        )

    def __call__(self, params: Params) -> Evaluation:
        """Evaluate a configuration with seed 0."""
        return self.evaluate(params, seed=0)

    def _read(self, returned: Any) -> list[float]:
        if isinstance(returned, np.ndarray):
            returned = returned.tolist()
        # of equal scores a set holds one
        unfit = str | bytes | Mapping | Set
        many = isinstance(returned, Iterable) and not isinstance(returned, unfit)
        values = list(returned) if many else [returned]
        if not values or not all(is_number(value) for value in values):
            raise InvalidObjectiveError(
                f"{self.name} returned {returned!r}; it must return one number, or a sequence of "
                "numbers, one for each fold."
            )
        scores = [as_user_value(float(value), self.greater_is_better) for value in values]
        if not all(math.isfinite(score) for score in scores):
            raise TrialFailedError(f"{self.name} returned {returned!r}, which is not finite")
        return scores
