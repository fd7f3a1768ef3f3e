"""``param_distributions`` as `RandomizedSearchCV` takes them, read as a space.

========================================= ==================================================
written                                   searched as
========================================= ==================================================
what `gpsearch.Space` reads               the same
a list, an array, any iterable            Categorical; repeated choices count once
choices that cannot be hashed             Categorical of boxes, opened before the fit
another frozen scipy.stats distribution   Real or Integer over its central 99.8 %, log-uniform
                                          where that spans three decades above zero
a list of dicts                           one choice among them; their dimensions exist only
                                          where their dict is chosen
========================================= ==================================================

The space holds names and values of its own where it must; `Distributions.translate` turns its
params into those of the estimator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gpsearch.errors import InvalidSpaceError
from gpsearch.evaluation import Evaluation, FoldResult, Objective, OnFold, Params
from gpsearch.space import Categorical, Integer, Point, Real, Space

ALTERNATIVE = "alternative"
"""Dimension that chooses among several dicts."""

TAIL = 0.001  # share of an unbounded distribution that is cut off on either side
LOG_SPAN = 1000.0  # ratio of the bounds from which the logarithm is searched

READ_BY_SPACE = ("uniform", "loguniform", "reciprocal", "randint")


@dataclass(frozen=True, kw_only=True)
class Distributions:
    """A space, and the way from its params to those of the estimator."""

    space: Space
    """What is searched."""
    alternatives: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """For each choice of `ALTERNATIVE`, the values that are fixed with it."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Names of the estimator's parameters by those of the space, where they differ."""

    def translate(self, params: Mapping[str, Any]) -> Params:
        """Params as the estimator takes them."""
        fixed = self.alternatives.get(params.get(ALTERNATIVE, ""), {})
        own = {
            self.names.get(name, name): value
            for name, value in params.items()
            if name != ALTERNATIVE or not self.alternatives
        }
        return {name: _opened(value) for name, value in {**own, **fixed}.items()}

    @property
    def translates(self) -> bool:
        """Whether the estimator takes other params than the space holds."""
        boxed = any(
            isinstance(category, Box)
            for dimension in self.space.dimensions
            if isinstance(dimension, Categorical)
            for category in dimension.categories
        )
        boxed = boxed or any(isinstance(value, Box) for value in self.space.fixed.values())
        return boxed or bool(self.alternatives)


def read_distributions(given: Any) -> Distributions:
    """Read ``param_distributions``.

    Parameters
    ----------
    given : dict, list of dicts, list of dimensions, or Space

    Returns
    -------
    Distributions

    Raises
    ------
    InvalidSpaceError
        It is empty, or an entry is nothing that can be searched.
    """
    if isinstance(given, Space):
        return Distributions(space=given)
    if isinstance(given, Mapping):
        return Distributions(space=_space(_entries(given)))
    several = isinstance(given, Sequence) and not isinstance(given, str)
    if several and given and all(isinstance(entry, Mapping) for entry in given):
        if len(given) == 1:
            return Distributions(space=_space(_entries(given[0])))
        return _alternatives([_entries(entry) for entry in given])
    if several and given and all(hasattr(entry, "transformed_size") for entry in given):
        return Distributions(space=Space(given))
    raise InvalidSpaceError(
        f"GPSearchCV(param_distributions={given!r}) must be a dict of parameter name to "
        "distribution, a list of such dicts, or a gpsearch.Space."
    )


class Translated:
    """An objective that is evaluated at translated params.

    Parameters
    ----------
    objective : Objective
        Takes the params of the estimator.
    distributions : Distributions
    """

    def __init__(self, objective: Objective, distributions: Distributions) -> None:
        self.objective = objective
        self.distributions = distributions
        self.name = objective.name
        self.n_folds = objective.n_folds

    def validate(self, space: Space) -> None:
        """See `Objective.validate`."""
        self.objective.validate(_TranslatedSpace(space, self.distributions))  # type: ignore[arg-type]

    def fingerprint(self) -> str:
        """See `Objective.fingerprint`."""
        return self.objective.fingerprint()

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


class Box:
    """A choice that cannot be hashed, told from others by where it stands."""

    def __init__(self, value: Any, index: int) -> None:
        self.value = value
        self.index = index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Box) and other.index == self.index

    def __hash__(self) -> int:
        return hash(self.index)

    def __repr__(self) -> str:
        return f"{self.value!r}"


class _TranslatedSpace:
    """What an objective asks of a space when it validates one."""

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


def _entries(given: Mapping[str, Any]) -> dict[str, Any]:
    if not given:
        raise InvalidSpaceError(
            "GPSearchCV(param_distributions={}) is empty: there is nothing to search. Give at "
            "least one parameter with its values."
        )
    return {name: _entry(name, entry) for name, entry in given.items()}


def _entry(name: str, entry: Any) -> Any:
    if hasattr(entry, "transformed_size") or isinstance(entry, Mapping | str):
        return entry
    if isinstance(entry, tuple) and _is_range(entry):
        return entry
    if hasattr(entry, "rvs"):
        return _distribution(name, entry)
    if isinstance(entry, np.ndarray) and entry.ndim > 1:
        raise InvalidSpaceError(
            f"GPSearchCV: the choices of {name!r} are an array of {entry.ndim} axes; give a list "
            "of its rows."
        )
    if not isinstance(entry, Iterable):
        return entry
    choices = _boxed(entry)
    if not choices:
        raise InvalidSpaceError(
            f"GPSearchCV: {name!r} has no values to choose from; give at least one."
        )
    return choices


def _is_range(entry: tuple[Any, ...]) -> bool:
    """Whether a tuple is (low, high) or (low, high, prior), and not a tuple of choices."""
    bounds, prior = entry[:2], entry[2:]
    numbers = all(isinstance(b, int | float | np.number) for b in bounds)
    return len(bounds) == 2 and numbers and (not prior or isinstance(prior[0], str))


def _boxed(values: Iterable[Any]) -> list[Any]:
    """Distinct choices, all in boxes where one cannot be hashed."""
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    try:
        # True and 1 are different choices, and equal as keys of a dict
        return list({(type(value), value): value for value in plain}.values())
    except TypeError:
        return [Box(value, index) for index, value in enumerate(plain)]


def _distribution(name: str, frozen: Any) -> Any:
    family = getattr(getattr(frozen, "dist", None), "name", None)
    if family in READ_BY_SPACE:
        return frozen
    if not hasattr(frozen, "ppf") or family is None:
        raise InvalidSpaceError(
            f"GPSearchCV: {name!r} is {frozen!r}, whose bounds cannot be told. Write "
            "gs.Real(low, high) or gs.Integer(low, high)."
        )
    low, high = frozen.ppf(TAIL), frozen.ppf(1 - TAIL)
    if not low < high:
        return low.item()
    discrete = hasattr(frozen, "pmf") and not hasattr(frozen.dist, "_pdf")
    prior = "log-uniform" if low > 0 and high / low >= LOG_SPAN else "uniform"
    return Integer(int(low), int(high), prior) if discrete else Real(low, high, prior)


def _space(entries: Mapping[str, Any]) -> Space:
    """The space of one dict; where every value is given, its first is a dimension of one value."""
    fixed = {name: _single(entry) for name, entry in entries.items() if _is_single(entry)}
    if len(fixed) < len(entries):
        return Space({**entries, **{name: [value] for name, value in fixed.items()}})
    first = next(iter(fixed))
    alone = Categorical([fixed[first]], transform="identity")
    return Space({name: alone if name == first else [value] for name, value in fixed.items()})


def _alternatives(several: Sequence[Mapping[str, Any]]) -> Distributions:
    labels = [f"{i}: {', '.join(map(str, entries))}" for i, entries in enumerate(several)]
    dimensions: dict[str, Any] = {ALTERNATIVE: labels}
    conditions: dict[str, Any] = {}
    names: dict[str, str] = {}
    fixed: dict[str, dict[str, Any]] = {label: {} for label in labels}
    for number, (label, entries) in enumerate(zip(labels, several, strict=True)):
        for name, entry in entries.items():
            if _is_single(entry):
                fixed[label][name] = _single(entry)
                continue
            shared = sum(name in other for other in several) > 1 or name == ALTERNATIVE
            own = f"{name}[{number}]" if shared else name
            dimensions[own], names[own] = entry, name
            conditions[own] = {ALTERNATIVE: [label]}
    return Distributions(
        space=Space(dimensions, conditions=conditions), alternatives=fixed, names=names
    )


def _is_single(entry: Any) -> bool:
    if isinstance(entry, list):
        return len(entry) == 1
    return isinstance(entry, str | int | float | bool | np.generic | type(None))


def _single(entry: Any) -> Any:
    return entry[0] if isinstance(entry, list) else entry


def _opened(value: Any) -> Any:
    return value.value if isinstance(value, Box) else value
