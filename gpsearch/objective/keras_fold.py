"""One fold of a trained Keras network, scored on the rows that it was not trained on."""

import time

import numpy as np

from gpsearch.data.folds import Fold
from gpsearch.data.rows import Parts, n_rows, take
from gpsearch.evaluation import FoldResult, Predictions, parts_of
from gpsearch.objective.scoring import Scoring
from gpsearch.training.fitted import FittedNetwork
from gpsearch.training.trained_network import TrainedNetwork
from gpsearch.training.trainer import check_finite


def scored_fold(
    trained: TrainedNetwork, fold: Fold, scoring: Scoring, *, started: float
) -> FoldResult:
    """The result of a fold whose training `started` at a time of `time.perf_counter`.

    Raises `TrialFailedError` where outputs or score are not finite.
    """
    fitted = time.perf_counter()
    prepared, target = trained.task.prepared, trained.task.target
    outputs = trained.fold.predict(prepared.features(fold.test))
    check_finite(outputs)
    view, X_test = trained.view(), prepared.raw(fold.test)
    labels = take(target.labels, fold.test)
    view.remember(X_test, outputs)
    score = scoring.score(view, X_test, labels)
    metrics = scoring.further(view, X_test, labels)
    predictions = _predictions(view, X_test, fold.test, n_rows(target.labels))
    ended = time.perf_counter()
    return FoldResult(
        fold=fold.index,
        score=score,
        metrics=metrics,
        seconds=ended - started,
        fit_seconds=fitted - started,
        score_seconds=ended - fitted,
        held_out=len(fold.test),
        predictions=predictions,
        **vars(trained.facts),
    )


def _predictions(view: FittedNetwork, X: Parts, rows: np.ndarray, n: int) -> Predictions | None:
    """Predictions of the scored rows X, as `view` remembers them; None if no table can."""
    try:
        outputs = view.estimates(X)
        if not all(isinstance(part, np.ndarray) for part in parts_of(outputs)):
            return None
    except Exception:  # a network may return anything; its score counts
        return None
    return Predictions(rows=rows, n_rows=n, outputs=outputs)
