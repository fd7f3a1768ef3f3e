"""One dimension and its column of z.

========= ===================================================================================
symbol    meaning
========= ===================================================================================
v         a value in the user's units
z         its place in [0, 1]: 0 at the first value, 1 at the last
u         a probability in [0, 1): a share u of random draws lies below ``quantile(u)``
K         number of values; 0 for a Real
========= ===================================================================================

A Real or Integer is linear, or linear in log10 for the prior "log-uniform". A Categorical is
the index of its category over ``K - 1``. Three or more categories that are numbers are ordered, so
that 32 lies between 16 and 64: as they are listed where they rise or fall, else by their values.
"""

import contextlib
import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skopt.space import Categorical, Dimension, Integer, Real

from gpsearch.arguments import is_number
from gpsearch.errors import InvalidParamsError, InvalidSpaceError

Array = NDArray[np.float64]

PRIORS = {"uniform": "uniform", "log-uniform": "log-uniform"} | dict.fromkeys(
    ("log", "loguniform", "log_uniform"), "log-uniform"
)
"""How users write a prior, and how scikit-optimize does."""
LARGEST_INTEGER = 2**53  # above, neighbouring integers are one float
LEAST_LOG_BOUND = float(np.finfo(float).tiny)  # below, floats lose digits


class Column(ABC):
    """The conversion between the values of one dimension and its column of z."""

    n_values: int
    """Number of values; 0 for a Real."""
    categorical: bool = False
    """True where the values have no order."""
    categories: tuple[Any, ...] = ()
    """Those of a Categorical, by their places."""
    shares: Array = np.empty(0)
    """Their probabilities in random draws."""

    @abstractmethod
    def encode(self, values: Sequence[Any]) -> Array:
        """Places of `values` in [0, 1]; raises InvalidParamsError for a value outside."""

    @abstractmethod
    def decode(self, z: float) -> Any:
        """The nearest value to `z`, a plain Python object."""

    @abstractmethod
    def snap(self, z: Array) -> Array:
        """The places of the values nearest to `z`."""

    @abstractmethod
    def places(self) -> Array:
        """Places of all values of an Integer or Categorical, in order."""

    @abstractmethod
    def quantile(self, u: Array) -> Array:
        """The place below which a share `u` of random draws lies."""

    @abstractmethod
    def identity(self, value: Any) -> Hashable:
        """A key that is equal for equal values only; 1 and True differ."""


def make_column(name: str, dimension: Dimension) -> Column:
    """Make the column of a scikit-optimize dimension; InvalidSpaceError where it breaks a rule."""
    with naming_entry(name):
        if isinstance(dimension, Real):
            return _RealColumn(name, dimension)
        if isinstance(dimension, Integer):
            return _IntegerColumn(name, dimension)
        if isinstance(dimension, Categorical):
            return _CategoricalColumn(name, dimension)
        raise InvalidSpaceError("must be a Real, an Integer or a Categorical.")


@contextlib.contextmanager
def naming_entry(name: str) -> Iterator[None]:
    """Name the entry of a space that breaks the rule."""
    try:
        yield
    except InvalidSpaceError as error:
        error.about("dimensions", entry=name)
        raise


def check_bounds(low: Any, high: Any, prior: str, *, whole: bool = False) -> None:
    """Raise InvalidSpaceError unless a numeric dimension can lie between these bounds."""
    bounds, argument, value = f"the bounds {plain(low)!r} and {plain(high)!r}", "low", low
    if not (is_number(low) and is_number(high)):
        rule = "must be numbers."
        if is_number(low):
            argument, value = "high", high
    elif not (math.isfinite(low) and math.isfinite(high) and low < high):
        rule = (
            "must be finite, and the lower one below the upper one. A single value is written as "
            "that value."
        )
    elif whole and not (float(low).is_integer() and float(high).is_integer()):
        rule = "of an Integer must be whole. Round them, or use a Real."
    elif whole and max(abs(low), abs(high)) > LARGEST_INTEGER:
        rule = "of an Integer must stay within 2**53. Use a Real, or a coarser unit."
    elif not math.isfinite(float(high) - float(low)):
        rule = "are further apart than a float can hold. Use a coarser unit."
    elif prior not in PRIORS.values():
        bounds, rule = "the prior", "must be 'uniform' or 'log-uniform' ('log' for short)."
        argument, value = "prior", prior
    elif prior == "log-uniform" and low < LEAST_LOG_BOUND:
        rule = (
            "of a log-uniform dimension must lie above zero, the lower one at "
            f"{LEAST_LOG_BOUND:.1e} or above, where floats are precise. Raise it, or use "
            "prior='uniform'."
        )
    else:
        return
    raise InvalidSpaceError(f"{bounds} {rule}").about(argument, value)


def check_shares(shares: Any, n_categories: int) -> None:
    """Raise InvalidSpaceError unless these are probabilities of so many categories."""
    try:
        numbers = np.asarray(shares, dtype=float)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != (n_categories,) or (numbers < 0).any() or abs(numbers.sum() - 1) > 1e-6:
        raise InvalidSpaceError(
            f"the prior {shares!r} must hold one probability for each of the {n_categories} "
            "categories, with the sum 1."
        ).about("prior", shares)


class _NumericColumn(Column):
    """What Real and Integer share: bounds, and a scale that is linear or logarithmic."""

    def __init__(self, name: str, dimension: Real | Integer) -> None:
        whole = isinstance(dimension, Integer)
        check_bounds(dimension.low, dimension.high, dimension.prior, whole=whole)
        low, high = float(dimension.low), float(dimension.high)
        self.log = dimension.prior == "log-uniform"
        self.name, self.low, self.high = name, low, high
        self._start, self._stop = self._scale(low), self._scale(high)

    def _scale(self, value: Any) -> Any:
        return np.log10(value) if self.log else value

    def _place(self, value: Any) -> Any:
        return (self._scale(value) - self._start) / (self._stop - self._start)

    def _value(self, z: Any) -> Any:
        scaled = self._start + np.clip(z, 0.0, 1.0) * (self._stop - self._start)
        return np.clip(10.0**scaled if self.log else scaled, self.low, self.high)

    def _value_at(self, z: float) -> float:
        """As `_value` of a single place, without what NumPy takes for a scalar."""
        scaled = self._start + min(max(z, 0.0), 1.0) * (self._stop - self._start)
        return float(min(max(10.0**scaled if self.log else scaled, self.low), self.high))

    def _checked(self, values: Sequence[Any]) -> Array:
        for value in values:
            if not is_number(value) or not self.low <= float(value) <= self.high:
                raise InvalidParamsError(
                    f"{self.name!r} must be a number from {self.low:g} to {self.high:g}."
                ).about("params", value, entry=self.name)
        return np.asarray(values, dtype=float)


class _RealColumn(_NumericColumn):
    n_values = 0

    def encode(self, values: Sequence[Any]) -> Array:
        return np.clip(self._place(self._checked(values)), 0.0, 1.0)

    def decode(self, z: float) -> float:
        # the ends are exact, whatever the rounding of the logarithm
        return self.low if z <= 0 else self.high if z >= 1 else self._value_at(z)

    def snap(self, z: Array) -> Array:
        return np.clip(z, 0.0, 1.0)

    def places(self) -> Array:
        raise InvalidSpaceError(f"{self.name!r} is a Real; its values cannot be listed.")

    def quantile(self, u: Array) -> Array:
        return np.asarray(u, dtype=float)

    def identity(self, value: Any) -> Hashable:
        return float(value)


class _IntegerColumn(_NumericColumn):
    def __init__(self, name: str, dimension: Integer) -> None:
        super().__init__(name, dimension)
        self.n_values = int(self.high - self.low) + 1

    def encode(self, values: Sequence[Any]) -> Array:
        checked = self._checked(values)
        if (broken := checked != np.round(checked)).any():
            value = checked[broken][0]
            raise InvalidParamsError(f"{self.name!r} must be a whole number.").about(
                "params", value, entry=self.name
            )
        return np.clip(self._place(checked), 0.0, 1.0)

    def decode(self, z: float) -> int:
        return round(self._value_at(z))

    def snap(self, z: Array) -> Array:
        return np.clip(self._place(np.round(self._value(z))), 0.0, 1.0)

    def places(self) -> Array:
        return np.clip(self._place(np.arange(self.low, self.high + 1)), 0.0, 1.0)

    def quantile(self, u: Array) -> Array:
        # Each value owns the cell from half below to half above it on the linear axis: equal
        # shares for a uniform prior, shares as the logarithm has them for a log-uniform one.
        start, stop = self._scale(self.low - 0.5), self._scale(self.high + 0.5)
        scaled = start + np.asarray(u, dtype=float) * (stop - start)
        values = np.round(10.0**scaled if self.log else scaled)
        return np.clip(self._place(np.clip(values, self.low, self.high)), 0.0, 1.0)

    def identity(self, value: Any) -> Hashable:
        return int(value)


class _CategoricalColumn(Column):
    def __init__(self, name: str, dimension: Categorical) -> None:
        self.name = name
        listed = [plain(category) for category in dimension.categories]
        self.n_values = len(listed)
        self.categorical = self.n_values < 3 or not all(map(is_number, listed))
        order = range(self.n_values) if self.categorical else _order(listed)
        self.categories = tuple(listed[i] for i in order)
        try:
            self._index = {_typed(c): i for i, c in enumerate(self.categories)}
        except TypeError:
            raise InvalidSpaceError(
                "categories must be hashable; a list can be written as a tuple."
            ) from None
        if len(self._index) < self.n_values or any(c != c for c in self.categories):
            raise InvalidSpaceError(
                f"of the categories {list(self.categories)!r} each must occur once, and none may "
                "be NaN."
            )
        check_shares(dimension.prior_, self.n_values)
        self.shares = np.asarray(dimension.prior_, dtype=float)[list(order)]
        self._edges = np.cumsum(self.shares)[:-1]

    def encode(self, values: Sequence[Any]) -> Array:
        indices = np.array([self.identity(value) for value in values], dtype=float)
        return indices / max(self.n_values - 1, 1)

    def decode(self, z: float) -> Any:
        return self.categories[round(min(max(z, 0.0), 1.0) * (self.n_values - 1))]

    def snap(self, z: Array) -> Array:
        steps = max(self.n_values - 1, 1)
        return np.round(np.clip(z, 0.0, 1.0) * (self.n_values - 1)) / steps

    def places(self) -> Array:
        return np.arange(self.n_values) / max(self.n_values - 1, 1)

    def quantile(self, u: Array) -> Array:
        return np.searchsorted(self._edges, u, side="right") / max(self.n_values - 1, 1)

    def identity(self, value: Any) -> int:
        """Index of the category."""
        value = plain(value)
        try:
            index = self._index.get(_typed(value))
        except TypeError:
            index = None
        if index is None:  # 32.0 for 32, or a subclass of str for str
            equal = [i for i, c in enumerate(self.categories) if _equal(c, value)]
            if not equal:
                raise InvalidParamsError(
                    f"{self.name!r} must be one of {list(self.categories)!r}."
                ).about("params", value, entry=self.name)
            index = equal[0]
        return index


def plain(value: Any) -> Any:
    """A NumPy scalar as the Python value it stands for; anything else as it is.

    >>> plain(np.int64(3)), plain(np.str_("relu")), plain((1, 2))
    (3, 'relu', (1, 2))
    """
    return value.item() if isinstance(value, np.generic) else value


def _typed(value: Any) -> Hashable:
    return (type(value), value)


def _equal(category: Any, value: Any) -> bool:
    # True == 1 in Python, and here they are different choices
    if isinstance(category, bool) != isinstance(value, bool):
        return False
    same = category == value  # an array where `value` is one
    return isinstance(same, bool | np.bool_) and bool(same)


def _order(listed: Sequence[Any]) -> Sequence[int]:
    """Positions of numbers as they are listed where they fall strictly, else by their values."""
    falls = all(a > b for a, b in itertools.pairwise(listed))
    return range(len(listed)) if falls else sorted(range(len(listed)), key=listed.__getitem__)
