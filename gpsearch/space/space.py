"""The space: all dimensions together, with conditions, a constraint and fixed values."""

import itertools
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from numbers import Real
from typing import Any, Self

import numpy as np
import skopt.space
from sklearn.utils import check_random_state

from gpsearch.arguments import instance_of, optional, refusal, whole
from gpsearch.described import Described, counted, digits_within, value_text, values_text
from gpsearch.errors import InvalidParamsError, InvalidSpaceError, SpaceExhaustedError, public
from gpsearch.identity import fingerprint
from gpsearch.space.columns import Array, Column, make_column, plain
from gpsearch.space.conditions import Conditions, canonical_place, parents_text
from gpsearch.space.dimensions import read, read_when
from gpsearch.space.storage import dimension_from_json, dimension_to_json, source_text
from gpsearch.stored_values import canonical_json, storable, value_from_json, value_to_json

Point = list[Any]

FINGERPRINT_LENGTH = 18  # characters, the scheme among them

DRAWS_PER_POINT = 1000  # rejection sampling gives up after this many draws without a feasible one


class Space(Described, skopt.space.Space):
    """A search space: named dimensions, conditions and a constraint on them, and fixed values.

    Parameters
    ----------
    dimensions : dict, sequence of dimensions, or Space
        A dict of name to entry. An entry is a ``Real``, ``Integer`` or ``Categorical``; a tuple
        ``(low, high)`` or ``(low, high, "log")``; a list of choices; a frozen
        scipy.stats ``uniform``, ``loguniform`` or ``randint``; a TOML table with ``low`` and
        ``high`` or ``categories``; or a single value, which is then fixed. Dimensions are copied:
        the caller's stay as they are.
    conditions : dict, optional
        ``{"momentum": {"opt": ["sgd", "rmsprop"]}}``: momentum exists only for these values of
        opt. Elsewhere the configuration does not hold it, and it does not affect the search.
    constraint : callable, optional
        ``constraint(params) -> bool``; only configurations for which it is true are proposed.

    Attributes
    ----------
    names : list of d str
    fixed : dict
        Values that every configuration holds.
    categorical : (d,) bool array
        Dimensions without an order.
    n_values : (d,) int array
        Number of values of each dimension; 0 for a Real.

    Raises
    ------
    InvalidSpaceError
        When an entry, a condition or a name breaks a rule.

    Examples
    --------
    >>> from gpsearch.space import Real
    >>> space = Space({"lr": Real(1e-4, 1.0, prior="log-uniform"), "opt": ["sgd", "adam"],
    ...                "momentum": (0.0, 0.9), "epochs": 20},
    ...               conditions={"momentum": {"opt": ["sgd"]}})
    >>> space.params([0.01, "sgd", 0.3])
    {'lr': 0.01, 'opt': 'sgd', 'momentum': 0.3, 'epochs': 20}
    >>> space.point({"lr": 0.01, "opt": "adam", "epochs": 20})
    [0.01, 'adam', 0.45]
    >>> space.to_z([[0.01, "adam", 0.3]])
    array([[0.5, 1. , 0.5]])
    """

    @public()
    def __init__(
        self,
        dimensions: Mapping[str, Any] | Sequence[Any] | skopt.space.Space,
        *,
        conditions: Mapping[str, Mapping[str, Any]] | None = None,
        constraint: Callable[[dict[str, Any]], bool] | None = None,
    ) -> None:
        source = dimensions if isinstance(dimensions, skopt.space.Space) else None
        if isinstance(source, Space):
            dimensions = dict(zip(source.names, source.dimensions, strict=True))
        elif source is not None:
            dimensions = source.dimensions
        read_dimensions, self.fixed, when = read(dimensions)
        self.names: list[str] = [dimension.name for dimension in read_dimensions]
        wanted = "a dict, as {'momentum': {'opt': ['sgd']}}"
        optional(instance_of, "conditions", conditions, Mapping, wanted, kind=InvalidSpaceError)
        self.when = when | {n: read_when(n, w) for n, w in (conditions or {}).items()}
        if isinstance(source, Space):
            self.fixed = dict(source.fixed)
            self.when = source.when | self.when
            constraint = constraint or source.params_constraint
        elif source is not None and source.constraint is not None and constraint is None:
            constraint = self._of_params(source.constraint)
        self._check_names()
        self.columns: list[Column] = [
            make_column(name, dimension)
            for name, dimension in zip(self.names, read_dimensions, strict=True)
        ]
        super().__init__(read_dimensions)
        if constraint is not None and not callable(constraint):
            raise refusal(InvalidSpaceError, "constraint", constraint, "callable", also="None")
        self.params_constraint: Callable[[dict[str, Any]], bool] | None = constraint
        self.constraint = None if constraint is None else self._satisfies
        self._lacks_constraint = False
        self.categorical = np.array([column.categorical for column in self.columns])
        self.n_values = np.array([column.n_values for column in self.columns])
        self._conditions = Conditions(self.when, self.names, self.columns)

    # ---------------------------------------------------------------- params and points

    def params(self, point: Sequence[Any]) -> dict[str, Any]:
        """Params of a point: plain values by name, without the dimensions that do not exist."""
        z = self.to_z([point])
        active = self.active(z)
        (canonical,) = self._decode(z, like=[point], active=active)
        values = {n: v for n, v, on in zip(self.names, canonical, active[0], strict=True) if on}
        return values | self.fixed

    @public()
    def point(self, params: Mapping[str, Any]) -> Point:
        """Point of params; dimensions that do not exist take their canonical value.

        Raises
        ------
        InvalidParamsError
            When a name is unknown or missing, or a value outside of its dimension.
        """
        if unknown := [name for name in params if name not in [*self.names, *self.fixed]]:
            raise InvalidParamsError(
                f"the space has no {unknown[0]!r}; its names are "
                f"{', '.join([*self.names, *self.fixed])}."
            ).about("params", params[unknown[0]], entry=unknown[0])
        for name, value in self.fixed.items():
            given = plain(params.get(name, value))
            if given != value and not (given != given and value != value):  # NaN is itself here
                raise InvalidParamsError(f"{name!r} is fixed at {value!r} in the space.").about(
                    "params", params[name], entry=name
                )
        point = [
            params[name] if name in params else column.decode(canonical_place(column))
            for name, column in zip(self.names, self.columns, strict=True)
        ]
        z = self.to_z([point])
        for name, active in zip(self.names, self.active(z)[0], strict=True):
            if active and name not in params:
                raise InvalidParamsError(f"{name!r} is missing.").about("params", dict(params))
        return self._decode(z, like=[point])[0]

    def canonical(self, points: Sequence[Sequence[Any]]) -> list[Point]:
        """The same points with plain Python values; absent dimensions at their canonical value."""
        return self._decode(self.to_z(points), like=points)

    def key(self, point: Sequence[Any]) -> Hashable:
        """Identity of a point: equal for points that give the same params."""
        return self.keys([point])[0]

    def keys(self, points: Sequence[Sequence[Any]]) -> list[Hashable]:
        """Identities of several points, made at once."""
        return [
            tuple(c.identity(v) for c, v in zip(self.columns, point, strict=True))
            for point in self.canonical(points)
        ]

    # ---------------------------------------------------------------- points and z

    def to_z(self, points: Sequence[Sequence[Any]]) -> Array:
        """(n, d) places of n points in the unit cube; see `gpsearch.space.columns`.

        Raises
        ------
        InvalidParamsError
            When a point has the wrong length, or a value lies outside of its dimension.
        """
        for point in points:
            if len(point) != len(self):
                raise InvalidParamsError(
                    f"the point has {len(point)} values; the space has {len(self)} dimensions."
                ).about("params", list(point))
        z = np.empty((len(points), len(self)))
        for j, column in enumerate(self.columns):
            z[:, j] = column.encode([point[j] for point in points])
        return self._conditions.canonicalise(z)

    def from_z(self, z: Array) -> list[Point]:
        """Points nearest to the (n, d) rows of `z`, with plain Python values."""
        return self._decode(self.snap(z))

    def snap(self, z: Array) -> Array:
        """(n, d) places of the points nearest to the rows of `z`."""
        z = np.atleast_2d(np.asarray(z, dtype=float))
        snapped = [column.snap(z[:, j]) for j, column in enumerate(self.columns)]
        return self._conditions.canonicalise(np.column_stack(snapped))

    def quantile(self, u: Array) -> Array:
        """(n, d) quantiles of the space's own distribution, by dimension, at probabilities `u`.

        Uniform `u` give random draws: the values of a uniform Integer are equally likely, those of
        a Categorical follow its prior.
        """
        u = np.atleast_2d(np.asarray(u, dtype=float))
        placed = [column.quantile(u[:, j]) for j, column in enumerate(self.columns)]
        return self._conditions.canonicalise(np.column_stack(placed))

    def active(self, z: Array) -> np.ndarray:
        """(n, d) booleans: which dimensions exist for the rows of snapped `z`."""
        return self._conditions.active(z)

    # ---------------------------------------------------------------- draws and feasibility

    def sample(self, n: int, rng: np.random.Generator) -> list[Point]:
        """Draw n feasible points from the space's own distribution.

        Raises
        ------
        SpaceExhaustedError
            When no draw satisfies the constraint.
        """
        points: list[Point] = []
        draws = 0
        while len(points) < n:
            batch = self.from_z(self.quantile(rng.random((n, len(self)))))
            points += [point for point in batch if self._satisfies(point)]
            draws += n
            if draws >= DRAWS_PER_POINT * n and not points:
                raise SpaceExhaustedError(
                    f"Space: none of {draws} random points satisfies the constraint; it may leave "
                    "nothing to search. Widen the constraint, or the bounds."
                )
        return points[:n]

    def feasible(self, points: Sequence[Sequence[Any]]) -> np.ndarray:
        """(n,) booleans: which points satisfy the constraint."""
        return np.array([self._satisfies(point) for point in points], dtype=bool)

    def require_feasible(self) -> None:
        """Raise `InvalidSpaceError` where no point is found that satisfies the constraint."""
        try:
            self.sample(1, np.random.default_rng(0))
        except SpaceExhaustedError:
            if not self.enumerate():
                raise InvalidSpaceError(
                    f"none of {DRAWS_PER_POINT} random configurations fulfils it. Widen it, or the "
                    "bounds of the space."
                ).about("constraint", self.params_constraint) from None

    @property
    def cardinality(self) -> int | None:
        """Number of combinations of values, conditions and constraint aside; None if infinite."""
        return math.prod(int(n) for n in self.n_values) if self.n_values.all() else None

    def enumerate(self, limit: int = 10_000) -> list[Point] | None:
        """All distinct feasible points of a space of at most `limit` combinations, else None."""
        if self.cardinality is None or self.cardinality > limit:
            return None
        places = itertools.product(*(column.places() for column in self.columns))
        points = self.from_z(np.array(list(places)))
        distinct = dict(zip(self.keys(points), points, strict=True))
        return [point for point in distinct.values() if self._satisfies(point)]

    # ---------------------------------------------------------------- identity and storage

    def to_json(self) -> dict[str, Any]:
        """JSON-ready description, from which `from_json` makes an equal space.

        Categories other than strings, numbers, booleans, None and tuples of these cannot be
        stored by value: they stand as ``{"repr": ...}``, and `unstorable` names them. A
        constraint is described by its source and is not restored.
        """
        return {
            "dimensions": [
                {"name": name} | dimension_to_json(dimension)
                for name, dimension in zip(self.names, self.dimensions, strict=True)
            ],
            "fixed": {name: value_to_json(value) for name, value in self.fixed.items()},
            "when": {
                name: {
                    parent: [value_to_json(v) for v in values] for parent, values in when.items()
                }
                for name, when in self.when.items()
            },
            "constraint": source_text(self.params_constraint),
        }

    @classmethod
    def from_json(cls, description: Mapping[str, Any]) -> Self:
        """Make the space that `to_json` described, without its constraint."""
        space = cls(
            [dimension_from_json(entry) for entry in description["dimensions"]],
            conditions={
                name: {parent: [value_from_json(v) for v in vs] for parent, vs in when.items()}
                for name, when in description["when"].items()
            },
        )
        space.fixed = {n: value_from_json(value) for n, value in description["fixed"].items()}
        space._lacks_constraint = bool(description.get("constraint"))
        return space

    @property
    def unstorable(self) -> list[str]:
        """Names whose categories, or fixed value, cannot be stored by value."""
        parts = {name: [value] for name, value in self.fixed.items()} | {
            dimension.name: dimension.categories
            for dimension in self.dimensions
            if isinstance(dimension, skopt.space.Categorical)
        }
        return [
            name
            for name, values in parts.items()
            if not all(storable(value_to_json(plain(value))) for value in values)
        ]

    def fingerprint(self) -> str:
        """Equal exactly for spaces with the same points, params and constraint."""
        parts: list[Any] = [canonical_json(self.to_json()), self.params_constraint]
        if self.unstorable:
            categories = [getattr(dimension, "categories", None) for dimension in self.dimensions]
            parts += [categories, self.fixed, self.when]
        return fingerprint(parts)[:FINGERPRINT_LENGTH]

    # ---------------------------------------------------------------- as scikit-optimize has it

    def rvs(self, n_samples: int = 1, random_state: Any = None) -> list[Point]:
        """Draw points; `sample` under the name and the arguments of scikit-optimize."""
        whole("n_samples", n_samples, 0)
        seed = check_random_state(random_state).randint(0, 2**31 - 1)
        return self.sample(n_samples, np.random.default_rng(seed))

    def __contains__(self, point: Any) -> bool:
        try:
            self.to_z([point])
        except (InvalidParamsError, TypeError, KeyError):  # no sequence
            return False
        return self._satisfies(point)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and self.fingerprint() == other.fingerprint()

    def __hash__(self) -> int:
        return hash(self.fingerprint())

    def __len__(self) -> int:
        return len(self.dimensions)

    def _title(self) -> str:
        n = len(self)
        return f"Space of {counted(n, 'dimension')}: {', '.join(self.names)}"

    def _facts(self) -> dict[str, str]:
        ranges, choices = [], []
        for name, dimension in zip(self.names, self.dimensions, strict=True):
            if isinstance(dimension, skopt.space.Categorical):
                choices.append(f"{name}: {', '.join(map(value_text, dimension.categories))}")
            else:
                log = " (log)" if dimension.prior == "log-uniform" else ""
                digits = digits_within(dimension.low, dimension.high)
                low, high = (value_text(e, digits) for e in (dimension.low, dimension.high))
                ranges.append(f"{name} {low} to {high}{log}")
        only = [f"{name} where {parents_text(parents)}" for name, parents in self.when.items()]
        if self.params_constraint is not None:
            only.append("configurations that fulfil the constraint")
        elif self._lacks_constraint:
            only.append("configurations that fulfil a constraint, recorded without its function")
        return {
            "ranges": ", ".join(ranges),
            "choices": "; ".join(choices),
            "fixed": values_text(self.fixed),
            "only": ", ".join(only),
        }

    # ---------------------------------------------------------------- private

    def _decode(
        self,
        z: Array,
        like: Sequence[Sequence[Any]] | None = None,
        active: np.ndarray | None = None,
    ) -> list[Point]:
        """Points of snapped `z`; where `like` is given, Reals keep its unrounded values."""
        rows = z.tolist()
        points = [[c.decode(v) for c, v in zip(self.columns, row, strict=True)] for row in rows]
        if like is not None:
            active = self.active(z) if active is None else active
            for point, on, original in zip(points, active, like, strict=True):
                for j in np.flatnonzero(on & (self.n_values == 0)).tolist():
                    point[j] = float(original[j])
        return points

    def _of_params(self, of_point: Callable[[Point], bool]) -> Callable[[dict[str, Any]], bool]:
        names = list(self.names)  # the space itself would be a part of its own identity
        return lambda params: of_point([params[name] for name in names])

    def _satisfies(self, point: Sequence[Any]) -> bool:
        if self.params_constraint is None:
            return True
        params = self.params(point)
        try:
            return truth_of(self.params_constraint(dict(params)))
        except (Exception, SystemExit) as error:  # the user's function
            raise InvalidSpaceError(
                f"cannot judge {params} ({type(error).__name__}: {error}). It must return True or "
                "False for every configuration of the space."
            ).about(
                getattr(self.params_constraint, "argument", "constraint"), self.params_constraint
            ) from error

    def _check_names(self) -> None:
        if not self.names:
            raise InvalidSpaceError("needs at least one dimension with two values or more.").about(
                "dimensions"
            )
        if twice := [name for name in self.names if self.names.count(name) > 1]:
            raise InvalidSpaceError(f"the name {twice[0]!r} occurs twice.").about("dimensions")


def truth_of(fulfilled: Any) -> bool:
    """Whether a constraint is fulfilled; TypeError where it returned neither true nor false."""
    if isinstance(fulfilled, bool | np.bool_ | Real) and fulfilled in (0, 1):
        return bool(fulfilled)
    raise TypeError(f"it returned {fulfilled!r}, neither true nor false")
