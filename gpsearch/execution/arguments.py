"""The arguments of a search, read and refused before anything runs."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gpsearch.errors import InvalidSearchError
from gpsearch.evaluation import as_user_value
from gpsearch.execution.rules.racing import RACING, FoldRule
from gpsearch.execution.workers.executors import available_cores
from gpsearch.space import Space

SEED_BITS = 32


def read_seed(random_state: Any, *, call: str = "search") -> int:
    """Seed of a search; a fresh one for None."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(0, 2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(0, 2**SEED_BITS))
    if (
        isinstance(random_state, numbers.Integral)
        and not isinstance(random_state, bool)
        and 0 <= int(random_state) < 2**SEED_BITS
    ):
        return int(random_state)
    raise InvalidSearchError(
        f"{call}(random_state={random_state!r}) must be an integer from 0 to 2**32 - 1, a NumPy "
        "RandomState or Generator, or None"
    )


def read_points(space: Space, x0: Any) -> list[dict[str, Any]]:
    """Params of ``x0``: params or a point, or a list of these."""
    if x0 is None:
        return []
    if isinstance(x0, Mapping):
        several: list[Any] = [x0]
    elif isinstance(x0, Sequence) and not isinstance(x0, str):
        # a list of params or points, or one point
        nested = all(isinstance(entry, Mapping | list | tuple) for entry in x0)
        several = list(x0) if nested and list(x0) not in space else [list(x0)]
    else:
        raise InvalidSearchError(f"search(x0={x0!r}) must be params, a point, or a list of these")
    points = [
        space.point(dict(entry)) if isinstance(entry, Mapping) else list(entry) for entry in several
    ]
    return [space.params(point) for point in points]


def read_scores(
    y0: Any, points: Sequence[Mapping[str, Any]], greater_is_better: bool
) -> list[float] | None:
    """Scores of ``y0``, greater is better; None where none are given."""
    if y0 is None:
        return None
    values = [y0] if is_real(y0) else list(y0)
    if len(values) != len(points):
        raise InvalidSearchError(
            f"search: x0 holds {len(points)} points and y0 {len(values)} scores; each point needs "
            "its own score"
        )
    if broken := [v for v in values if not is_real(v) or not math.isfinite(v)]:
        raise InvalidSearchError(
            f"search: y0 holds {broken[0]!r}; a given score must be a finite number"
        )
    return [as_user_value(float(value), greater_is_better) for value in values]


def read_callables(name: str, given: Any, *, method: str = "__call__") -> list[Any]:
    """Read a callable or an object with `method`, or a list of these."""
    listed = isinstance(given, Sequence) and not isinstance(given, str)
    several = [] if given is None else list(given) if listed else [given]
    if broken := [e for e in several if not callable(e) and not hasattr(e, method)]:
        other = "" if method == "__call__" else f" or have a method {method}"
        raise InvalidSearchError(
            f"search({name}={broken[0]!r}) must be callable{other}, or be a list of these"
        )
    return several


def read_racing(racing: Any, *, call: str = "search") -> FoldRule | None:
    """Read a racing rule, by name or as it is."""
    if racing is None:
        return None
    if isinstance(racing, str) and racing in RACING:
        return RACING[racing]
    if not callable(racing):
        raise InvalidSearchError(
            f"{call}(racing={racing!r}) must be one of {', '.join(map(repr, RACING))}, or a "
            "function of the study and the trial"
        )
    rule: FoldRule = racing
    return rule


def at_least(least: int, name: str, value: Any, *, call: str = "search") -> int:
    """Read an integer, an argument of `call`, that must not be below `least`."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or int(value) < least:
        raise InvalidSearchError(f"{call}({name}={value!r}) must be an integer of at least {least}")
    return int(value)


def read_jobs(n_jobs: Any, *, call: str = "search") -> int | None:
    """Trials at once: None leaves it to the executor, -1 is one for each core."""
    if n_jobs is None:
        return None
    return available_cores() if n_jobs == -1 else at_least(1, "n_jobs", n_jobs, call=call)


def positive(name: str, value: Any, unit: str, *, call: str = "search") -> float | None:
    """Read a number above zero, or None."""
    if value is None:
        return None
    if not is_real(value) or not value > 0:
        raise InvalidSearchError(
            f"{call}({name}={value!r}) must be a number of {unit} above 0, or None"
        )
    return float(value)


def is_real(value: Any) -> bool:
    """Whether `value` is a number, and not True or False."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
