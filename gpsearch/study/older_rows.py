"""Rows of the tables of older versions, each step as rows of the version after it.

Version 3 had no predictions, no scores on fresh splits, and neither held-out rows nor parameters
of a fold.

Version 2 had no work of a fold.

Version 1 told outcomes in strings: how a fold was trained and why, or what its fit raised, in one
column ``path``; times and training scores among the metrics. It did not tell how a point was
proposed, except by its origin.
"""

import json
from collections.abc import Callable

from gpsearch.study.encoding import dump
from gpsearch.study.tables import Row

PROPOSALS = {
    "given": "given",
    "x0": "queued",
    "enqueued": "queued",
    "random": "random",
    "sobol": "initial",
    "grid": "initial",
}
"""By origin; of the others, a number of trials came before the model."""

FAILED = "failed"
TRAIN = "train_"


def trial_row_of_1(row: Row) -> Row:
    """The row of a trial in version 2."""
    number, state, params, seed, origin, *rest = row
    strategy = origin.rpartition("#")[0] or origin  # of a comparison: ``strategy#repeat``
    return number, state, params, seed, origin, PROPOSALS.get(strategy, ""), *rest


def fold_row_of_1(row: Row) -> Row:
    """The row of a fold result in version 2."""
    *first, path, metrics, curves = row
    trainer, _, why = path.partition(": ")
    error, note = (why, "") if trainer == FAILED else ("", why)
    own, train = json.loads(metrics), {}
    fit_seconds = score_seconds = None
    if {"fit_time", "score_time"} <= own.keys():  # an estimator's fold
        fit_seconds, score_seconds = own.pop("fit_time"), own.pop("score_time")
        train = {name: own.pop(name) for name in list(own) if name.startswith(TRAIN)}
        train = {name.removeprefix(TRAIN): value for name, value in train.items()}
    return (
        *first,
        fit_seconds,
        score_seconds,
        "fit" if error else trainer,
        note,
        error,
        dump(own),
        dump(train),
        curves,
    )


UPGRADES: dict[int, dict[str, Callable[[Row], Row]]] = {
    1: {"trial": trial_row_of_1, "fold": fold_row_of_1},
    2: {"fold": lambda row: (*row[:8], None, *row[8:])},
    3: {"fold": lambda row: (*row[:9], None, None, *row[9:])},
}
"""By version and table: a row to that of the version after."""

SINCE = {"prediction": 4, "fresh": 4}
"""The version that a table came with, where it was not the first."""
