"""The one-standard-error choice: the simplest configuration that is as good as the best.

Among the contenders, whose difference to the best is within its standard error over the folds
(`gpsearch.study.contenders`), the simplest is chosen.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from gpsearch.arguments import is_number, refusal
from gpsearch.described import number, number_beside
from gpsearch.errors import InvalidParamsError, InvalidSearchError, StudyError, public
from gpsearch.evaluation import as_user_value
from gpsearch.space import Categorical, Space
from gpsearch.space.classic_order import bare_name
from gpsearch.study import Study, Trial, require_study
from gpsearch.study.contenders import contenders, difference

SIMPLER: tuple[tuple[str, ...], ...] = (
    ("n_hidden", "n_layers", "num_layers", "layers", "n_hidden_layers", "depth"),
    ("n_neurons", "neurons", "n_units", "units", "n_hidden_units", "hidden_units", "hidden_size"),
    ("width", "filters", "n_filters"),
    ("epochs",),
)
"""Names looked for in a space, the first decides first; less of each is simpler."""

Simpler = Sequence[str] | Callable[[dict[str, Any]], Any]


@dataclass(frozen=True, kw_only=True)
class OneStandardError:
    """The simplest trial within one standard error of the best."""

    trial: Trial
    """The choice."""
    best: Trial
    """The best trial of the study: the winner of a confirmed search."""
    error: float
    """Standard error, over the folds, of the difference between the two."""
    n_within: int
    """Contenders: trials within one standard error of the best, which is one of them."""
    order: str
    """Which configurations count as simpler, in words."""
    greater_is_better: bool = True
    """Whether ``print`` shows scores; else losses, as the function returned them."""

    def __str__(self) -> str:
        if self.n_within == 1:
            return (
                f"No other trial lies within one standard error of the best, {self.best.number}: "
                "by this rule none is the simpler choice."
            )
        if self.trial.number == self.best.number:
            return (
                f"The best trial, {self.best.number}, is also the simplest of the {self.n_within} "
                f"within one standard error of it ({self.order})."
            )
        difference = self.best.score - self.trial.score
        chosen, best = (
            number(as_user_value(trial.score, self.greater_is_better) + 0.0, 4)
            for trial in (self.trial, self.best)
        )
        return (
            f"Trial {self.trial.number} ({chosen}) is the simplest of the {self.n_within} within "
            f"one standard error of the best, trial {self.best.number} ({best}; the difference is "
            f"{number_beside(difference, self.error)} ± {number(self.error, 2)}, standard "
            f"error over the folds); simpler is {self.order}."
        )


@public()
def one_standard_error(study: Study, simpler: Simpler | None = None) -> OneStandardError:
    """Choose the simplest configuration within one standard error of the best.

    Parameters
    ----------
    study : Study
    simpler : sequence of str, or callable, optional
        Names of dimensions, the first decides first: less is simpler, or more for a name after a
        minus ("-drop_rate"). A callable maps a configuration to a number or a tuple of numbers:
        less is simpler. By default the layers, units and epochs that the space has. Among equally
        simple configurations the best trial, then the best score decides.

    Raises
    ------
    StudyError
        No trial is complete, or the best has a single fold and so no standard error.
    InvalidParamsError
        A name that is not a dimension of the space, or one without an order.
    InvalidSearchError
        Nothing is given, and the space has no dimension known to be simpler at one end.

    Examples
    --------
    >>> import gpsearch as gs
    >>> def score(params):
    ...     return [0.9 + 0.001 * (fold - 0.9) * params["n_units"] for fold in range(3)]
    >>> study = gs.search(score, {"n_units": gs.Integer(1, 8)}, n_calls=8, random_state=0,
    ...                   progress=False)
    >>> study.best_params, one_standard_error(study).trial.params
    ({'n_units': 8}, {'n_units': 1})
    """
    best = require_study(study).best_trial
    if math.isnan(best.standard_error):
        raise StudyError(
            f"one_standard_error: trial {best.number} has a single fold, so its standard error is "
            "unknown; search with several folds"
        )
    if callable(simpler):
        key, order = _key_by(simpler), "by the function given"
    else:
        names = _default(study.space) if simpler is None else _names(simpler)
        key = _key_of(names, study.space)
        order = ", then ".join(f"more {n[1:]}" if n[0] == "-" else f"less {n}" for n in names)
    within = contenders(study.complete, best)  # min takes the first of equals
    chosen = min(within, key=lambda trial: key(dict(trial.params)))
    return OneStandardError(
        trial=chosen,
        best=best,
        error=difference(best, chosen)[1],
        n_within=len(within),
        order=order,
        greater_is_better=study.greater_is_better,
    )


def _default(space: Space) -> list[str]:
    ordered = [one.name for one in space.dimensions if _has_order(one)]
    found = [name for aliases in SIMPLER for name in ordered if bare_name(name) in aliases]
    if not found:
        raise InvalidSearchError(
            f"which end is simpler is unknown for {', '.join(space.names)}; name dimensions, as "
            'in simpler=["n_layers", "-drop_rate"].'
        ).about("simpler", None)
    return found


def _has_order(dimension: Any) -> bool:
    """Whether values of a dimension are numbers; two choices are, too, if not to the surrogate."""
    return not isinstance(dimension, Categorical) or all(map(is_number, dimension.categories))


def _names(simpler: Any) -> list[str]:
    listed = isinstance(simpler, Sequence) and not isinstance(simpler, str)
    if not listed or not simpler or not all(isinstance(n, str) and n for n in simpler):
        wanted = "a list of names of dimensions, or a function of params"
        raise refusal(InvalidSearchError, "simpler", simpler, wanted, also="None")
    return list(simpler)


def _key_by(simpler: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """What a function of the user's returns, refused where it orders nothing."""

    def key(params: dict[str, Any]) -> tuple[Any, ...]:
        found = simpler(params)
        parts = found if isinstance(found, tuple) else (found,)
        if not all(isinstance(one, Real | np.bool_) and one == one for one in parts):  # not NaN
            raise InvalidSearchError(
                f"returned {found!r} for {params}. It must return a number, or a tuple of numbers, "
                "that is less for a simpler configuration."
            ).about("simpler", simpler)
        return parts

    return key


def _key_of(names: Sequence[str], space: Space) -> Callable[[dict[str, Any]], Any]:
    signs = [(name.removeprefix("-"), -1.0 if name.startswith("-") else 1.0) for name in names]
    for bare, _ in signs:
        if bare not in space.names:
            raise InvalidParamsError(
                f"{bare!r} is not a dimension of the space; they are {', '.join(space.names)}"
            ).about("simpler", list(names))
        if not _has_order(space.dimensions[space.names.index(bare)]):
            raise InvalidParamsError(
                f"the categories of {bare!r} have no order; pass a function of params instead."
            ).about("simpler", list(names))

    def key(params: dict[str, Any]) -> tuple[float, ...]:
        # A dimension that does not exist in a configuration is the simplest of all.
        return tuple(sign * params[bare] if bare in params else -math.inf for bare, sign in signs)

    return key
