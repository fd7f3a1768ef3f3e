"""The arguments of a search, read and refused before anything runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gpsearch.arguments import is_number, is_whole, refusal, whole
from gpsearch.errors import InvalidSearchError, renaming
from gpsearch.evaluation import as_user_value
from gpsearch.execution.rules.racing import RACING, FoldRule
from gpsearch.execution.workers.executors import available_cores
from gpsearch.space import Space

SEED_BITS = 32


def read_seed(random_state: Any) -> int:
    """Seed of a search; a fresh one for None."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(0, 2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(0, 2**SEED_BITS))
    if is_whole(random_state) and 0 <= int(random_state) < 2**SEED_BITS:
        return int(random_state)
    wanted = "an integer from 0 to 2**32 - 1, a NumPy RandomState or Generator"
    raise refusal(InvalidSearchError, "random_state", random_state, wanted, also="None")


def read_points(space: Space, x0: Any) -> list[dict[str, Any]]:
    """Configurations of ``x0``: one or a point, or a list of these."""
    if x0 is None:
        return []
    if isinstance(x0, Mapping):
        several: list[Any] = [x0]
    elif isinstance(x0, Sequence) and not isinstance(x0, str):
        # a list of params or points, or one point
        nested = all(isinstance(entry, Mapping | list | tuple) for entry in x0)
        several = list(x0) if nested and list(x0) not in space else [list(x0)]
    else:
        wanted = "a configuration, a point, or a list of these"
        raise refusal(InvalidSearchError, "x0", x0, wanted)
    with renaming(params="x0", point="x0"):
        points = [
            space.point(dict(entry)) if isinstance(entry, Mapping) else list(entry)
            for entry in several
        ]
        return [space.params(point) for point in points]


def read_scores(
    y0: Any, points: Sequence[Mapping[str, Any]], greater_is_better: bool
) -> list[float] | None:
    """Scores of ``y0``, greater is better; None where none are given."""
    if y0 is None:
        return None
    values = [y0] if is_number(y0) else list(y0)
    if len(values) != len(points):
        raise InvalidSearchError(
            f"holds {len(values)} scores, and x0 {len(points)} points; each point needs its own."
        ).about("y0", y0)
    if broken := [v for v in values if not is_number(v) or not math.isfinite(v)]:
        raise InvalidSearchError(
            f"holds {broken[0]!r}; a given score must be a finite number."
        ).about("y0", y0)
    return [as_user_value(float(value), greater_is_better) for value in values]


def strategy_name(strategy: Any) -> str:
    """Name of a strategy, or of a function that makes one."""
    if isinstance(strategy, str):
        return strategy
    own = getattr(strategy, "__name__", type(strategy).__name__)
    return str(getattr(strategy, "name", own))


def read_callables(name: str, given: Any, *, method: str = "__call__") -> list[Any]:
    """Read a callable or an object with `method`, or a list of these."""
    listed = isinstance(given, Sequence) and not isinstance(given, str)
    several = [] if given is None else list(given) if listed else [given]
    if broken := [e for e in several if not callable(e) and not hasattr(e, method)]:
        other = "" if method == "__call__" else f", an object with the method {method}"
        raise refusal(InvalidSearchError, name, broken[0], f"a function{other}, or a list of these")
    return several


def read_racing(racing: Any) -> FoldRule | None:
    """Read a racing rule, by name or as it is."""
    if racing is None:
        return None
    if isinstance(racing, str) and racing in RACING:
        return RACING[racing]
    if not callable(racing):
        wanted = f"one of {', '.join(map(repr, RACING))}, or a function of the study and the trial"
        raise refusal(InvalidSearchError, "racing", racing, wanted, also="None")
    rule: FoldRule = racing
    return rule


def read_jobs(n_jobs: Any) -> int | None:
    """Trials at once: None leaves it to the executor, -1 is one for each core."""
    if is_whole(n_jobs) and n_jobs == -1:
        return available_cores()
    return None if n_jobs is None else whole("n_jobs", n_jobs, 1, also="-1 for all cores, or None")
