"""What the splits of an objective allow: other ones, and an estimate of the luck of a choice.

The symbols are those of `gpsearch.execution.winner`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gpsearch.errors import InvalidObjectiveError
from gpsearch.evaluation import Objective
from gpsearch.execution.workers.job import sentence

TRIED = (2_000_003, 2_000_029, 2_000_039)  # seeds of splits, before a search; hardly the user's


def optimism(scores: NDArray[np.float64], apart: NDArray[np.bool_] | None = None) -> float | None:
    """By how much the greatest mean of the (n, k) scores exceeds what it is worth: o.

    `apart` says which folds (columns) may choose the trial that each fold (row) judges, by default
    all others; a fold for which none may does not judge. None where no fold does.

    >>> round(optimism(np.array([[0.9, 0.5], [0.6, 0.6]])), 3)
    0.15
    """
    means = scores.mean(axis=1)
    apart = ~np.eye(scores.shape[1], dtype=bool) if apart is None else apart
    judges = [j for j, choosing in enumerate(apart) if choosing.any()]
    if not judges:
        return None
    chosen = [int(scores[:, apart[j]].sum(axis=1).argmax()) for j in judges]
    judged = float(np.mean([scores[i, j] for i, j in zip(chosen, judges, strict=True)]))
    if len(judges) < len(apart):  # they may be harder than the others
        judged += float(means.mean() - scores[:, judges].mean())
    return max(float(means.max()) - judged, 0.0)


def apart_folds(held_out: Sequence[NDArray[Any]] | None, parts: int) -> NDArray[np.bool_] | None:
    """Pairs of folds that share no held-out row, of those that have enough; None for all pairs."""
    if held_out is None:
        return None
    columns = np.concatenate(held_out)
    starts = np.cumsum([0, *map(len, held_out)])
    of_fold = sparse.csr_array((np.ones(len(columns)), columns, starts))
    apart = (of_fold @ of_fold.T).toarray() == 0
    apart[apart.sum(axis=1) < min(2, parts - 1)] = False
    return apart


def why_off(objective: Objective) -> str:
    """Why the splits of an objective cannot be drawn afresh, as a sentence; else empty."""
    if not hasattr(objective, "with_fresh_folds"):
        return "Nothing was scored again: the objective has no splits to draw afresh."
    before, why = _parts(objective), ""
    for seed in TRIED:
        try:
            fresh = objective.with_fresh_folds(seed)
        except InvalidObjectiveError as error:
            why = f"{error.argument}={error.value} {error.rule}"
        except Exception as error:  # the user's splitter
            why = f"its splits cannot be drawn afresh: {sentence(error)}."
        else:
            if before is None or _parts(fresh) != before:
                return ""
            why = "its splits are the same for every random_state."
    return f"Nothing was scored again: {why}"


def _parts(objective: Objective) -> set[bytes] | None:
    """The rows that the folds score, to be compared; None where they are not known."""
    held_out = getattr(objective, "held_out", None)
    return None if held_out is None else {np.sort(rows).tobytes() for rows in held_out}
