"""What a scorer asks an estimator for, kept as it is computed: no row is predicted twice."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor

from gpsearch.training.fitted import FittedNetwork


@dataclass
class Predicted:
    """Predictions of the held-out rows, as `gpsearch.evaluation.Predictions` has them."""

    outputs: Any = None
    """None where the scorer has asked for nothing but labels, or for some of the rows."""


@contextlib.contextmanager
def listened(estimator: Any, y: Any, n: int) -> Iterator[Predicted]:
    """Keep what a fitted `estimator` predicts for n rows within the block.

    Of a classifier, probabilities; of a Keras network, which gives labels and probabilities of the
    same outputs, those of its outputs; of a regressor, quantities.
    """
    predicted = Predicted()
    network = getattr(last_step(estimator), "network_", None)
    read: Callable[[Any, Any], Any] = functools.partial(_of_classes, estimator, y)
    if isinstance(network, FittedNetwork):
        owner, name, read = network, "outputs", network.recalled
    elif is_classifier(estimator):
        owner, name = estimator, "predict_proba"
    else:
        owner, name = estimator, "predict" if is_regressor(estimator) else ""
    method = getattr(owner, name, None)
    if method is None or name in getattr(owner, "__dict__", {name: "it has no attributes"}):
        yield predicted
        return

    @functools.wraps(method)
    def kept(X: Any, *args: Any, **options: Any) -> Any:
        returned = method(X, *args, **options)
        if predicted.outputs is None and getattr(returned, "shape", ())[:1] == (n,):
            predicted.outputs = X, returned
        return returned

    setattr(owner, name, kept)
    try:
        yield predicted
    finally:
        delattr(owner, name)
    found, predicted.outputs = predicted.outputs, None
    if found is not None:
        with contextlib.suppress(Exception):  # an estimator may return anything; its score counts
            predicted.outputs = read(*found)


def last_step(estimator: Any) -> Any:
    """The estimator, or the last one of a Pipeline."""
    steps = getattr(estimator, "steps", None)
    return steps[-1][1] if steps else estimator


def _of_classes(estimator: Any, y: Any, X: Any, outputs: Any) -> np.ndarray:
    """One column for each class of y, also where the training rows lack some; for two, one."""
    values = np.asarray(outputs, np.float64)
    if values.ndim == 1:
        return values[:, None]
    if not is_classifier(estimator) or np.ndim(y) != 1:
        return values
    classes = np.unique(np.asarray(y))
    probabilities = np.zeros((len(values), len(classes)))
    probabilities[:, np.searchsorted(classes, estimator.classes_)] = values
    return probabilities[:, 1:] if len(classes) == 2 else probabilities
