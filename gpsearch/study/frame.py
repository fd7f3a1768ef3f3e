"""Trials as a data frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpsearch.study.trial import Trial

if TYPE_CHECKING:
    import pandas as pd

    from gpsearch.space import Space


def frame_of(space: Space, trials: Sequence[Trial]) -> pd.DataFrame:
    """One row a trial; the columns are those of `Study.to_frame`."""
    import pandas as pd  # here, since few readers of a study need it

    names = [*space.names, *space.fixed]
    n_folds = max((fold.fold + 1 for trial in trials for fold in trial.folds), default=0)
    columns = [
        *("number", "state", "score", "std", "standard_error"),
        *(f"param_{name}" for name in names),
        *(f"fold_{j}" for j in range(n_folds)),
        *("best_epoch", "seconds", "work", "parameters", "started"),
        *("origin", "proposal", "seed", "reason"),
    ]
    rows = []
    for trial in trials:
        epochs = [fold.best_epoch for fold in trial.folds if fold.best_epoch is not None]
        row: dict[str, Any] = {
            "number": trial.number,
            "state": trial.state,
            "score": trial.score,
            "std": trial.std,
            "standard_error": trial.standard_error,
            "best_epoch": sum(epochs) / len(epochs) if epochs else math.nan,
            "seconds": trial.seconds,
            "work": math.nan if trial.work is None else trial.work,
            "parameters": math.nan if trial.parameters is None else trial.parameters,
            "started": pd.Timestamp(trial.started, unit="s", tz="UTC"),
            "origin": trial.origin,
            "proposal": trial.proposal,
            "seed": trial.seed,
            "reason": trial.reason,
        }
        row |= {f"param_{name}": trial.params.get(name) for name in names}
        row |= {f"fold_{fold.fold}": fold.score for fold in trial.folds}
        rows.append(row)
    return pd.DataFrame(rows, columns=columns)
