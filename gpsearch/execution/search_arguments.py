"""The arguments of `search`, read and refused before anything is evaluated."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gpsearch.arguments import fraction, function_of, is_number, positive, refusal
from gpsearch.errors import InvalidParamsError, InvalidSearchError, renaming
from gpsearch.evaluation import as_user_value
from gpsearch.execution.contest import SHARE
from gpsearch.space import Space

PREDICTION_MEGABYTES = 256.0


def read_megabytes(keep_predictions: Any) -> float:
    """Megabytes that predictions may take; 0 for False."""
    if isinstance(keep_predictions, bool | np.bool_):
        return PREDICTION_MEGABYTES if keep_predictions else 0.0
    return positive("keep_predictions", keep_predictions, "megabytes", also="True or False")


def read_callables(name: str, given: Any, of: str, *, method: str = "__call__") -> list[Any]:
    """Read a function `of` something, or an object with `method`, or a list of these."""
    listed = isinstance(given, Sequence) and not isinstance(given, str)
    several = [] if given is None else list(given) if listed else [given]
    if classes := [e for e in several if isinstance(e, type)]:
        raise InvalidSearchError(
            f"is a class; give an instance of it, as {classes[0].__name__}(...)."
        ).about(name, classes[0])
    if broken := [e for e in several if not callable(e) and not hasattr(e, method)]:
        other = "" if method == "__call__" else f", an object with the method {method}"
        raise refusal(InvalidSearchError, name, broken[0], f"a function{other}, or a list of these")
    for each in several:
        if method == "__call__" or not hasattr(each, method):
            function_of(name, each, of)
    return several


def read_share(confirm: Any) -> float:
    """Share of what the search took; 0 for False."""
    if isinstance(confirm, bool | np.bool_):
        return SHARE if confirm else 0.0
    return fraction("confirm", confirm, also="True or False")


def read_points(space: Space, x0: Any, name: str) -> list[dict[str, Any]]:
    """Configurations of ``x0`` or ``baseline``: one or a point, or a list of these."""
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
        raise refusal(InvalidSearchError, name, x0, wanted)
    with renaming(params=name, point=name):
        points = [
            space.point(dict(entry)) if isinstance(entry, Mapping) else list(entry)
            for entry in several
        ]
        if not all(feasible := space.feasible(points)):
            refused = space.params(points[list(feasible).index(False)])
            rule = "does not fulfil the constraint of the space."
            raise InvalidParamsError(rule).about(name, refused)
        return [space.params(point) for point in points]


def read_scores(
    y0: Any, points: Sequence[Mapping[str, Any]], greater_is_better: bool
) -> list[float] | None:
    """Scores of ``y0``, greater is better; None where none are given."""
    if y0 is None:
        return None
    values = list(y0) if isinstance(y0, Sequence | np.ndarray) and not isinstance(y0, str) else [y0]
    if len(values) != len(points):
        raise InvalidSearchError(
            f"holds {len(values)} scores, and x0 {len(points)} points; each point needs its own."
        ).about("y0", y0)
    if broken := [v for v in values if not is_number(v) or not math.isfinite(v)]:
        raise InvalidSearchError(
            f"holds {broken[0]!r}; a given score must be a finite number."
        ).about("y0", y0)
    return [as_user_value(float(value), greater_is_better) for value in values]
