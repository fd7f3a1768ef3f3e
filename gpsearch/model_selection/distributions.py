"""``param_distributions``, as `RandomizedSearchCV` takes them, read as a space.

========================================= ==================================================
written                                   searched as
========================================= ==================================================
what `gpsearch.Space` reads               the same
a list, an array, any iterable            Categorical; repeated choices count once
choices that a study cannot store:        Categorical of names for them, so that a study on disk
estimators, functions, dicts, arrays      continues; the fit is given the choices themselves
another frozen scipy.stats distribution   Real or Integer over its central 99.8 %, log-uniform
                                          where that spans three decades above zero
a list of dicts                           one choice among them; their dimensions exist only
                                          where their dict is chosen
========================================= ==================================================

`Distributions.translate` turns params of that space into params of the estimator.
"""

import contextlib
import inspect
import math
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gpsearch.arguments import is_number
from gpsearch.errors import InvalidParamsError, InvalidSpaceError
from gpsearch.evaluation import Params
from gpsearch.identity import fingerprint
from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.stored_values import storable, value_to_json

ALTERNATIVE = "alternative"  # dimension that chooses among several dicts
TAIL = 0.001  # share of an unbounded distribution that is cut off on either side
LOG_SPAN = 1000.0  # ratio of the bounds from which the logarithm is searched
LONGEST_NAME = 60  # characters of the name that stands for a choice

READ_BY_SPACE = ("uniform", "loguniform", "reciprocal", "randint")


@dataclass(frozen=True, kw_only=True)
class Distributions:
    """A space, and the translation of its params to those of the estimator."""

    space: Space
    """What is searched."""
    alternatives: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """For each choice of `ALTERNATIVE`, the values that are fixed with it."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Dimension to parameter of the estimator, where the names differ."""
    objects: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """For each dimension of named choices, the choices by their names."""

    def translate(self, params: Mapping[str, Any]) -> Params:
        """Params as the estimator takes them."""
        fixed = self.alternatives.get(params.get(ALTERNATIVE, ""), {})
        own = {
            self.names.get(name, name): self._object(name, value)
            for name, value in params.items()
            if name != ALTERNATIVE or not self.alternatives
        }
        return {**own, **fixed}

    def stored(self, configuration: Mapping[str, Any]) -> Params:
        """Inverse of `translate`: params of the space."""
        for number, label in enumerate(self.alternatives or [""]):
            fixed = self.alternatives.get(label, {})
            own = {n: f"{n}[{number}]" for n in configuration if f"{n}[{number}]" in self.names}
            params = {
                own.get(name, name): self._stored(own.get(name, name), value)
                for name, value in configuration.items()
                if name not in fixed
            }
            if not self.alternatives:
                return params
            params[ALTERNATIVE] = label
            with contextlib.suppress(InvalidParamsError):
                found = self.translate(self.space.params(self.space.point(params)))
                same = all(_is_same(v, configuration.get(n, ...)) for n, v in fixed.items())
                if same and found.keys() == configuration.keys():
                    return params
        raise InvalidParamsError(
            "is a configuration of none of the dicts of param_distributions."
        ).about("params", dict(configuration))

    @property
    def translates(self) -> bool:
        """Whether the estimator's params differ from those of the space."""
        return bool(self.alternatives or self.objects)

    def _object(self, name: str, value: Any) -> Any:
        named = self.objects.get(name, {})
        return named.get(value, value) if isinstance(value, str) else value

    def _stored(self, name: str, value: Any) -> Any:
        named = self.objects.get(name, {})
        very_first = sorted(named.items(), key=lambda item: item[1] is not value)
        return next((text for text, choice in very_first if _is_same(choice, value)), value)


def read_distributions(given: Any) -> Distributions:
    """Read a dict, a list of dicts, a list of dimensions, or a Space."""
    if isinstance(given, Space):
        return Distributions(space=given)
    several = isinstance(given, Sequence) and not isinstance(given, str)
    if several and given and all(hasattr(entry, "transformed_size") for entry in given):
        return Distributions(space=Space(given))
    dicts = [given] if isinstance(given, Mapping) else given if several else []
    if dicts and all(isinstance(entry, Mapping) for entry in dicts):
        entries = [_entries(entry) for entry in dicts]
        if len(entries) > 1:
            return _alternatives(entries)
        space = _space({name: _stored(entry) for name, entry in entries[0].items()})
        named = {n: e.objects for n, e in entries[0].items() if isinstance(e, _NamedChoices)}
        return Distributions(space=space, objects=named)
    raise InvalidSpaceError(
        "must be a dict of parameter name to distribution, a list of such dicts, or a "
        "gpsearch.Space."
    ).about("param_distributions", given)


class _NamedChoices:
    """Choices; a name stands for each one that a study cannot store."""

    def __init__(self, choices: list[Any]) -> None:
        self.objects: dict[str, Any] = {}
        """Choices by name."""
        self.stored: list[Any] = []
        """All choices, as the space holds them."""
        taken = {choice for choice in choices if isinstance(choice, str)}
        for choice in choices:
            if storable(value_to_json(choice)):
                self.stored.append(choice)
                continue
            name = first = _name(choice)
            count = 1
            while name in taken:
                count += 1
                name = f"{first} #{count}"
            taken.add(name)
            self.objects[name] = choice
            self.stored.append(name)


def _entries(given: Mapping[str, Any]) -> dict[str, Any]:
    if not given:
        raise InvalidSpaceError(
            "is empty: there is nothing to search. Give at least one parameter with its values."
        ).about("param_distributions", {})
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
            f"the choices of {name!r} are an array of {entry.ndim} axes; give a list of its rows."
        ).about("param_distributions", entry=name)
    if isinstance(entry, np.ndarray) and entry.ndim == 0:
        return entry.item()
    if not isinstance(entry, Iterable):
        return entry
    if isinstance(entry, Set):  # whose order differs from process to process
        entry = sorted(entry, key=_name)
    choices = _distinct(entry)
    if not choices:
        raise InvalidSpaceError(f"{name!r} has no values to choose from; give at least one.").about(
            "param_distributions", entry=name
        )
    named = _NamedChoices(choices)
    return named if named.objects else choices


def _is_range(entry: tuple[Any, ...]) -> bool:
    """Whether a tuple is (low, high) or (low, high, prior), and not a tuple of choices."""
    bounds, prior = entry[:2], entry[2:]
    numbers = len(bounds) == 2 and all(map(is_number, bounds))
    return numbers and (not prior or isinstance(prior[0], str))


def _distinct(values: Iterable[Any]) -> list[Any]:
    """Choices without repetitions, where all can be hashed."""
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    try:
        # True and 1 are different choices, and equal as keys of a dict
        return list({(type(value), value): value for value in plain}.values())
    except TypeError:
        return plain


def _is_same(choice: Any, value: Any) -> bool:
    """Whether both give equal scores: of estimators, those of one class and parameters."""
    if is_number(choice) and is_number(value):
        return bool(choice == value)
    return choice is value or fingerprint([choice]) == fingerprint([value])


def _name(choice: Any) -> str:
    """The name of a choice in the study: the same in every process."""
    if inspect.isroutine(choice) or inspect.isclass(choice):
        text = choice.__qualname__
    else:
        text = re.sub(r" at 0x[0-9a-f]+", "", " ".join(repr(choice).split()))
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 3]}..."


def _distribution(name: str, frozen: Any) -> Any:
    family = getattr(getattr(frozen, "dist", None), "name", None)
    if family in READ_BY_SPACE:
        return frozen
    if not hasattr(frozen, "ppf") or family is None:
        raise InvalidSpaceError(
            f"{name!r} is {frozen!r}, whose bounds are unknown. Write gs.Real(low, high) or "
            "gs.Integer(low, high)."
        ).about("param_distributions", entry=name)
    discrete = hasattr(frozen, "pmf") and not hasattr(frozen.dist, "_pdf")
    with np.errstate(invalid="ignore"):  # what is NaN is refused
        low, high = (float(frozen.ppf(share)) for share in (TAIL, 1 - TAIL))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InvalidSpaceError(
            f"{name!r} has quantiles from {low} to {high}: arguments of the distribution break its "
            "rules. Give others, such as a scale above 0."
        ).about("param_distributions", entry=name)
    if discrete:
        low, high = int(low), int(high)
    if low == high:
        return low
    prior = "log-uniform" if low > 0 and high / low >= LOG_SPAN else "uniform"
    return Integer(low, high, prior) if discrete else Real(low, high, prior)


def _space(entries: Mapping[str, Any]) -> Space:
    """The space of one dict; if all values are fixed, the first is a dimension of one value."""
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
    objects: dict[str, Mapping[str, Any]] = {}
    fixed: dict[str, dict[str, Any]] = {label: {} for label in labels}
    for number, (label, entries) in enumerate(zip(labels, several, strict=True)):
        for name, entry in entries.items():
            if _is_single(entry):
                fixed[label][name] = _single(entry)
                continue
            shared = sum(name in other for other in several) > 1 or name == ALTERNATIVE
            own = f"{name}[{number}]" if shared else name
            dimensions[own], names[own] = _stored(entry), name
            if isinstance(entry, _NamedChoices):
                objects[own] = entry.objects
            conditions[own] = {ALTERNATIVE: [label]}
    return Distributions(
        space=Space(dimensions, conditions=conditions),
        alternatives=fixed,
        names=names,
        objects=objects,
    )


def _is_single(entry: Any) -> bool:
    stored = _stored(entry)
    if isinstance(stored, list):
        return len(stored) == 1
    return isinstance(entry, str | int | float | bool | np.generic | type(None))


def _single(entry: Any) -> Any:
    if isinstance(entry, _NamedChoices):
        return next(iter(entry.objects.values()))
    return entry[0] if isinstance(entry, list) else entry


def _stored(entry: Any) -> Any:
    return entry.stored if isinstance(entry, _NamedChoices) else entry
