"""The prior of the optimum: where a search looks first, until the evaluations outweigh it.

========== =================================================================================
"by_name"  what the names of the dimensions say: `NamePrior`, the default
None       nothing is expected
a dict     expected values by the name of their dimension: `ExpectedValues`
an object  a density, as `OptimumPrior` describes it
========== =================================================================================

The first points follow the prior, and the acquisition is multiplied by its density to a power
that falls with the number of evaluations (Hvarfner et al. 2022, πBO: augmenting acquisition
functions with user beliefs for Bayesian optimization).
"""

from collections.abc import Mapping
from typing import Any, Protocol

from gpsearch.acquisition.weighting import Density
from gpsearch.errors import InvalidSearchError
from gpsearch.identity import SCHEME, STORED_DIGITS, fingerprint
from gpsearch.space import Space
from gpsearch.stored_values import value_to_json
from gpsearch.strategy.expected_values import ExpectedValues, listed
from gpsearch.strategy.name_priors import NamePrior
from gpsearch.strategy.strategy import Array

BY_NAME = "by_name"
MEMBERS = ("n_evaluations", "mode", "log_density", "quantile", "describe")


class OptimumPrior(Density, Protocol):
    """A density of the optimum over the unit cube."""

    n_evaluations: float
    """Evaluations after which it counts once, and from then on less."""
    mode: Array | None
    """(d,) point to evaluate first, or None."""

    def quantile(self, u: Array) -> Array:
        """(n, d) rows for ``Space.quantile``: uniform `u`, moved towards the optimum."""

    def describe(self) -> dict[str, str]:
        """Name of a dimension to what is expected of it, in words."""


OptimumPriorChoice = str | Mapping[str, Any] | OptimumPrior | None


def read_optimum_prior(
    choice: OptimumPriorChoice, space: Space, *, minds_cost: bool = False
) -> OptimumPrior | None:
    """The prior of a space; None where nothing is expected of it.

    `minds_cost` is that of `NamePrior`.

    Raises InvalidSearchError for an unknown choice, an unknown dimension, or a value outside of
    its dimension.

    >>> space = Space({"lr": (1e-4, 1.0, "log-uniform"), "x": (0.0, 1.0)})
    >>> read_optimum_prior("by_name", space).describe()
    {'lr': 'in the middle of its range'}
    >>> read_optimum_prior({"x": [0.2, 0.5]}, space).describe()
    {'x': 'near 0.2 or 0.5'}
    """
    if choice is None:
        return None
    if isinstance(choice, Mapping):
        return ExpectedValues(choice, space) if choice else None
    if isinstance(choice, str) and choice == BY_NAME:
        by_name = NamePrior(space, minds_cost=minds_cost)
        return by_name if by_name.describe() else None
    if isinstance(choice, str) or not all(hasattr(choice, name) for name in MEMBERS):
        raise InvalidSearchError(
            "must be 'by_name', None, a dict such as {\"learning_rate\": 1e-3}, or an object as "
            "gpsearch.strategy.optimum_prior describes it."
        ).about("optimum_prior", choice)
    return choice


def prior_in_words(strategy: Any) -> dict[str, str]:
    """What `strategy` expects of each dimension; empty where it expects nothing."""
    prior = getattr(strategy, "optimum_prior", None)
    return {} if prior is None else prior.describe()


def prior_setting(choice: OptimumPriorChoice) -> Any:
    """What a study records of the choice, and compares when it is continued."""
    if choice is None or isinstance(choice, str):
        return choice
    if isinstance(choice, Mapping):
        return {name: [value_to_json(v) for v in listed(values)] for name, values in choice.items()}
    return f"{type(choice).__name__} {fingerprint(choice)[: STORED_DIGITS + len(SCHEME)]}"
