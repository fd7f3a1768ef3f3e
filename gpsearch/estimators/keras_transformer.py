"""A preprocessing layer of Keras as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from gpsearch.training.backend import import_keras, import_tensorflow


class KerasTransformer(TransformerMixin, BaseEstimator):
    """A Keras preprocessing layer that is adapted on the rows it is fitted to.

    As `preprocess` of `KerasCV`, `KerasClassifier` or `GPSearchCV`, a `TextVectorization` learns
    its vocabulary on the training part of each fold, never on scored rows.

    Parameters
    ----------
    make_layer : callable
        Returns the layer, not adapted: ``keras.layers.TextVectorization``, or a function that
        calls it.
    **arguments
        Of `make_layer`.

    Attributes
    ----------
    layer_ : keras.Layer
        Adapted.

    Examples
    --------
    >>> import keras                                               # doctest: +SKIP
    >>> words = KerasTransformer(keras.layers.TextVectorization, output_sequence_length=2)
    ...                                                            # doctest: +SKIP
    >>> words.fit_transform(["a b", "b"])                          # doctest: +SKIP
    array([[3, 2], [2, 0]])
    """

    def __init__(self, make_layer: Callable[..., Any], **arguments: Any) -> None:
        self.make_layer = make_layer
        self._arguments = arguments

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The function and its arguments."""
        return {"make_layer": self.make_layer, **self._arguments}

    def set_params(self, **params: Any) -> Self:
        """Set the function or its arguments."""
        self.make_layer = params.pop("make_layer", self.make_layer)
        self._arguments = {**self._arguments, **params}
        return self

    def fit(self, X: Any, y: Any = None) -> Self:
        """Adapt a fresh layer to the rows of X."""
        import_keras()
        self.layer_ = self.make_layer(**self._arguments)
        self.layer_.adapt(_rows(X))
        return self

    def transform(self, X: Any) -> np.ndarray:
        """The layer's output for each row."""
        check_is_fitted(self)
        return np.asarray(import_keras().ops.convert_to_numpy(self.layer_(_rows(X))))


def _rows(X: Any) -> Any:
    """Rows as Keras takes them: text as a tensor of strings."""
    values = np.asarray(X)
    if values.dtype.kind not in "OUST":
        return values
    return import_tensorflow().constant(values.astype(str).tolist())
