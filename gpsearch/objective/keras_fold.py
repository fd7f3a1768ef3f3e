"""A Keras network scored: the first of a search untrained, so that a fault shows at once.

Each trained one is scored on the rows that it was not trained on.
"""

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpsearch.data.folds import Fold
from gpsearch.data.prepared_folds import PreparedFolds
from gpsearch.data.rows import Parts, n_rows, take
from gpsearch.data.target import Target
from gpsearch.evaluation import FoldResult, Predictions, parts_of
from gpsearch.objective.scoring import Scoring
from gpsearch.training.fitted import FittedNetwork, as_fitted
from gpsearch.training.keras_callbacks import Callbacks, check_callbacks
from gpsearch.training.trained_network import NetworkTask, TrainedNetwork
from gpsearch.training.trainer import check_finite

SCORED_ROWS = 1000  # on which the scorer is tried


def check_first_model(
    task: NetworkTask,
    folds: Sequence[Fold],
    prepared: PreparedFolds,
    scoring: Scoring,
    callbacks: Callbacks,
) -> None:
    """Raise where a model of `task`, one on the first fold, can be neither trained nor scored.

    Its outputs are compared with y, and scored on that fold and on the one of the fewest labels.
    """
    first = folds[0]
    if task.prepared.preprocessor.transformers:
        # What is not finite is refused here, not in each trial.
        task.prepared.features(first.train)
    task = dataclasses.replace(task, max_parameters=None)  # another configuration may be small
    earlier = task.build()
    model = task.build()  # a second one, to detect models that share what they learn
    del earlier
    task.check(model)
    check_callbacks(callbacks, model)
    variety = [_variety(task.target, fold) for fold in folds]
    least = folds[int(np.argmin(variety))]
    _try_to_score(task, model, first, scoring)
    if min(variety) < variety[0]:
        task = dataclasses.replace(task, prepared=prepared[least])
        _try_to_score(task, task.build(), least, scoring)


def _try_to_score(task: NetworkTask, model: Any, fold: Fold, scoring: Scoring) -> None:
    """Score a model that is not trained on rows spread over a fold, with each of its labels."""
    target, n = task.target, len(fold.test)
    chosen = np.linspace(0, n - 1, min(n, SCORED_ROWS)).astype(int)
    if target.by_class:
        of_each = np.unique(target.encoded[fold.test], return_index=True)[1]
        chosen = np.union1d(chosen, of_each)
    view = as_fitted(model, task.prepared.preprocessor, target)
    rows = fold.test[chosen]
    scoring.check(view, task.prepared.raw(rows), take(target.labels, rows))


def _variety(target: Target, fold: Fold) -> int:
    """How many labels a fold scores; of quantities, whether several."""
    if target.by_class:
        return len(np.unique(target.encoded[fold.test]))
    return min(len(fold.test), 2)


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
