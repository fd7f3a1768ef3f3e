"""The metric of a search, computed from predictions of held-out rows alone."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import log_loss, mean_squared_error

from gpsearch.data.preprocessing import Preprocessor
from gpsearch.data.rows import Parts, take
from gpsearch.errors import StudyError
from gpsearch.evaluation import Outputs, Predictions, flipped, parts_of
from gpsearch.objective.keras_cv import KerasCV
from gpsearch.training.fitted import as_fitted

Score = Callable[["HeldOutRows", Outputs], float]


class HeldOutRows:
    """Rows of X and y whose predictions are scored without a model."""

    def __init__(self, objective: KerasCV, rows: np.ndarray, *, probabilities: bool) -> None:
        target = objective.target
        self.labels = take(target.labels, rows)
        self.encoded = take(target.encoded, rows)
        self._X: Parts = take(objective.X, rows)
        probabilities = probabilities and target.link not in ("margins", "scores")
        self.lack_probabilities = target.is_classification and not probabilities
        if target.is_classification and probabilities:
            target = dataclasses.replace(target, link="probabilities")
        self._view = as_fitted(None, Preprocessor(None, self._X), target)
        if target.is_classification:  # a model's outputs may be logits, or in other columns
            self._view.outputs = _refuse_outputs  # type: ignore[method-assign]
        self._scoring = objective.scoring

    def score(self, outputs: Outputs) -> float:
        """The search's own metric."""
        self._view.remember(self._X, outputs)
        return self._scoring.score(self._view, self._X, self.labels)

    def fallback(self, outputs: Outputs) -> float:
        """Minus the log loss of classes, or the mean squared error of quantities."""
        y = self.encoded
        if self._view.target.classes is None and not self._view.target.is_classification:
            truth, predicted = (part.reshape(len(part), -1) for part in (y, outputs))
            return flipped(float(mean_squared_error(truth, predicted)))
        if outputs.shape[-1] == 1 or self._view.target.classes is None:
            outputs, y = np.stack([1 - outputs, outputs], axis=-1), y.reshape(outputs.shape)
        n_classes = outputs.shape[-1]
        flat = outputs.reshape(-1, n_classes).astype(np.float64)
        flat /= flat.sum(axis=1, keepdims=True)
        return flipped(float(log_loss(np.ravel(y), flat, labels=np.arange(n_classes))))


def choose_score(rows: HeldOutRows, outputs: Outputs, name: str) -> tuple[Score, str]:
    """How predictions are scored, and its name: by the metric `name` where it needs no model."""
    fallback = "neg_log_loss" if rows._view.target.is_classification else "neg_mean_squared_error"
    try:
        rows.score(outputs)
        return HeldOutRows.score, name
    except Exception as error:  # whatever a scorer of the user's own may raise
        if rows.lack_probabilities:
            raise StudyError(
                "the models give no probabilities, which an ensemble of classifiers averages; "
                "give them a last layer of sigmoid or softmax and a crossentropy for the loss, or "
                'say that they give margins: KerasCV(..., outputs="margins")'
            ) from error
        try:
            rows.fallback(outputs)
        except Exception:
            raise StudyError(
                f"the scoring {name} cannot be computed from predictions ({error}), and neither "
                f"can {fallback}; give a scoring that reads estimator.predict(X)"
            ) from error
    return HeldOutRows.fallback, f"{fallback}, as {name} cannot be computed from predictions"


def _refuse_outputs(X: Parts) -> Any:
    raise StudyError("it reads estimator.outputs(X), of which the probabilities alone are kept")


def hold_probabilities(held_out: Predictions) -> bool:
    """Whether predictions may be probabilities; `select_ensemble` compares their scores, too."""
    return all(part.min() >= 0 and part.max() <= 1 for part in parts_of(held_out.outputs))
