"""`KerasClassifier` and `KerasRegressor`: a model function as a scikit-learn estimator.

Training is that of `KerasCV`: one compiled program for each architecture, kept for the next fit,
or Keras's own ``fit``.
"""

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from gpsearch.data.rows import Parts, in_parts
from gpsearch.data.target import plain_type
from gpsearch.errors import public
from gpsearch.estimators.base import KerasEstimator

TINY, EPSILON = float(np.finfo(float).tiny), float(np.finfo(float).epsneg)


def _gives_probabilities(classifier: Any) -> bool:
    network = getattr(classifier, "network_", None)
    return network is None or hasattr(network, "predict_proba")


class KerasClassifier(ClassifierMixin, KerasEstimator):
    """A Keras model as a scikit-learn classifier.

    Two classes (one sigmoid unit or two outputs), several, or several labels at once.

    Parameters
    ----------
    create_model : callable, optional
        Returns a compiled Keras model. Its arguments are filled by name: from `model_params`, and
        with facts about the data and the training as in `KerasCV`. By default `gpsearch.mlp`.
    epochs : int, default 100
        Passes over the training rows, at most.
    batch_size : int, optional
        Rows in one step; by default 32, or all where there are fewer.
    patience : int, optional
        Epochs without a better loss on held-back rows before training stops; the weights of the
        best epoch are kept. None trains on all rows for all epochs.
    validation_fraction : float, default 0.1
        Share of the rows that early stopping holds back.
    preprocess : None, "auto", "standardize", transformer, or dict of them by part of X
        Fitted on X, as in `KerasCV`.
    callbacks : Keras callbacks, or a function that returns them, optional
        Copied for each fit. A plain ``EarlyStopping(patience=n)`` is read as `patience`; others
        train on the plain loop.
    compiled : bool, default True
        Train in a compiled program where the model allows it.
    random_state : int, RandomState or None, default None
        Seed of initial weights, held-back rows and the order of the rows.
    class_weight : dict by label, "balanced" or None
        Weights of the classes in the training loss.
    outputs : {"probabilities", "logits", "margins", "scores"}, optional
        What the network returns, where its last layer and its loss do not say it; see `KerasCV`.
    **model_params
        Arguments of `create_model`.

    Attributes
    ----------
    classes_ : array of labels
    model_ : keras.Model
        The trained network, after preprocessing.
    history_ : dict of lists
        Loss and metrics for each epoch.
    training_ : TrainingFacts
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Examples
    --------
    >>> classifier = KerasClassifier(n_hidden=1, n_neurons=16, epochs=20)
    >>> classifier.set_params(n_neurons=8)
    KerasClassifier(epochs=20, n_hidden=1, n_neurons=8)
    """

    _task = "classification"
    _label_dtype: str | None = None

    @public()
    def fit(self, X: Parts, y: Any, sample_weight: Any = None, **training: Any) -> Self:
        """Train the model.

        Parameters
        ----------
        X : array of any rank, data frame, or dict or tuple of them, n rows
        y : labels of shape (n,), (n, n_labels) of 0 and 1, or one for each of more axes
        sample_weight : array of shape (n,), optional
        **training
            ``epochs``, ``batch_size``, ``patience``, ``callbacks``, ``validation_split`` for this
            fit alone.
        """
        X, y = self._given(X, y)
        columns = np.shape(y)[1:] if not in_parts(y) else ()
        if columns == (1,):
            column_or_1d(y, warn=True)  # as scikit-learn asks of classifiers
        self._label_dtype = np.asarray(y).dtype.str if columns not in ((), (1,)) else None
        return self._fit(X, y, sample_weight, training)

    def predict(self, X: Parts, **of_keras: Any) -> np.ndarray:
        """The most probable label of each row, in the form of y: in columns where it had them."""
        features = self._features(X, of_keras)  # first: raises where nothing was fitted
        labels = self.network_.predict(features)
        if self.network_.target.one_hot:
            labels = np.eye(self.network_.target.n_outputs)[labels]
        return labels if self._label_dtype is None else labels.astype(self._label_dtype)

    @available_if(_gives_probabilities)
    def predict_proba(self, X: Parts, **of_keras: Any) -> np.ndarray:
        """Probabilities, shape (n, n_classes)."""
        features = self._features(X, of_keras)
        return self.network_.predict_proba(features)

    def decision_function(self, X: Parts) -> np.ndarray:
        """What ranks the labels: shape (n,) for two classes, else (n, n_classes).

        For two classes it is above zero where the second is predicted: log-odds, where the
        network gives probabilities.
        """
        features = self._features(X)
        scores = self.network_.decision_function(features)
        if self.network_.target.kind != "binary":
            return scores
        if hasattr(self.network_, "predict_proba"):
            positive = np.clip(self.network_.predict_proba(features)[:, 1], TINY, 1 - EPSILON)
            return np.log(positive) - np.log1p(-positive)
        return scores

    def score(self, X: Parts, y: Any, sample_weight: Any = None) -> float:
        """Accuracy; of all labels where each row has several classes, as in a sequence."""
        labels, predicted = plain_type(np.asarray(y)), self.predict(X)
        target = self.network_.target
        if labels.ndim > 1 and target.classes is not None and not target.one_hot:
            labels, predicted = labels.ravel(), predicted.ravel()
        return float(accuracy_score(labels, predicted, sample_weight=sample_weight))

    def _given(self, X: Parts, y: Any) -> tuple[Parts, Parts]:
        X, y = super()._given(X, y)
        if not in_parts(y) and np.ndim(y) <= 2:
            check_classification_targets(y)
        return X, y

    @property
    def classes_(self) -> Any:
        """Labels, sorted."""
        check_is_fitted(self)
        return self.network_.classes_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class KerasRegressor(RegressorMixin, KerasEstimator):
    """A Keras model as a scikit-learn regressor of one or several quantities.

    Parameters
    ----------
    create_model, epochs, batch_size, patience, validation_fraction, preprocess, callbacks, \
compiled, random_state, **model_params
        As of `KerasClassifier`.

    Attributes
    ----------
    model_, history_, training_, n_features_in_, feature_names_in_
        As of `KerasClassifier`.
    """

    _task = "regression"

    @public()
    def fit(self, X: Parts, y: Any, sample_weight: Any = None, **training: Any) -> Self:
        """Train the model; see `KerasClassifier.fit`. y has shape (n,) or (n, n_outputs)."""
        X, y = self._given(X, y)
        return self._fit(X, y, sample_weight, training)

    def predict(self, X: Parts, **of_keras: Any) -> Any:
        """Predicted values, shape (n,) or (n, ...)."""
        features = self._features(X, of_keras)
        return self.network_.predict(features)

    def score(self, X: Parts, y: Any, sample_weight: Any = None) -> float:
        """R², the mean over all entries of a row."""
        truth, predicted = (np.reshape(part, (len(part), -1)) for part in (y, self.predict(X)))
        return float(r2_score(truth, predicted, sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
