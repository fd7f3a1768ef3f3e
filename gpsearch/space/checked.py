"""scikit-optimize's dimensions, whose arguments are checked before they are made.

``Real("a", "b")`` and ``Categorical([])`` of scikit-optimize end in errors of its arithmetic,
and ``Integer(0.5, 3.7)`` in values that lie outside of its bounds.
"""

from collections.abc import Iterable
from typing import Any

import skopt.space

from gpsearch.errors import InvalidSpaceError, public
from gpsearch.space.columns import PRIORS, check_bounds, check_shares, plain


class _Checked(type):
    """Classes that make scikit-optimize's dimensions, and count these as their instances."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__mro__[1])


class Real(skopt.space.Real, metaclass=_Checked):
    """A number from `low` to `high`: a ``skopt.space.Real``, whose arguments it takes.

    >>> Real(1e-4, 1.0, "log")
    Real(low=0.0001, high=1.0, prior='log-uniform', transform='identity')
    """

    @public()
    def __new__(cls, low: Any, high: Any, prior: str = "uniform", *more: Any, **named: Any) -> Any:
        """Check the bounds and the prior."""
        prior = PRIORS.get(prior, prior) if isinstance(prior, str) else prior
        check_bounds(low, high, prior)
        # a fraction, which NumPy does not take, as a float
        low, high = (v if isinstance(v, int | float) else float(v) for v in (low, high))
        return skopt.space.Real(plain(low), plain(high), prior, *more, **named)


class Integer(skopt.space.Integer, metaclass=_Checked):
    """A whole number from `low` to `high`: a ``skopt.space.Integer``, whose arguments it takes.

    >>> Integer(1, 6)
    Integer(low=1, high=6, prior='uniform', transform='identity')
    """

    @public()
    def __new__(cls, low: Any, high: Any, prior: str = "uniform", *more: Any, **named: Any) -> Any:
        """Check the bounds and the prior."""
        prior = PRIORS.get(prior, prior) if isinstance(prior, str) else prior
        check_bounds(low, high, prior, whole=True)
        return skopt.space.Integer(int(low), int(high), prior, *more, **named)


class Categorical(skopt.space.Categorical, metaclass=_Checked):
    """One of several values of any type: a ``skopt.space.Categorical``, whose arguments it takes.

    >>> Categorical(["relu", "tanh"])
    Categorical(categories=('relu', 'tanh'), prior=None)
    """

    @public()
    def __new__(cls, categories: Any, prior: Any = None, *more: Any, **named: Any) -> Any:
        """Check the categories and the prior."""
        if isinstance(categories, str | bytes) or not isinstance(categories, Iterable):
            raise InvalidSpaceError("must be a list of choices.").about("categories", categories)
        categories = list(categories)
        if not categories:
            raise InvalidSpaceError("must hold at least one choice.").about("categories", [])
        if prior is not None:
            check_shares(prior, len(categories))
        try:
            return skopt.space.Categorical(categories, prior, *more, **named)
        except TypeError as error:  # its one-hot transform
            if "unhashable" not in str(error):
                raise
            raise InvalidSpaceError(
                "must hold hashable choices; a list can be written as a tuple."
            ).about("categories", categories) from None
