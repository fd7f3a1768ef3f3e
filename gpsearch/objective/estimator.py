"""`KerasClassifier` and `KerasRegressor`: a model function as a scikit-learn estimator.

The arguments of ``create_model`` are parameters of the estimator, beside those of training. So
``clone``, ``set_params``, Pipelines and every search see them. Training is that of `KerasCV`:
one compiled program for each architecture, kept for the next fit, or Keras's own ``fit``.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from gpsearch.objective.data import Parts, Target, n_rows, read_features, read_target
from gpsearch.objective.estimator_file import load_network, save_network
from gpsearch.objective.fit_network import TrainingFacts, Wanted, fit_network
from gpsearch.objective.fitted import as_fitted, loss_name
from gpsearch.objective.mlp import mlp
from gpsearch.objective.model_function import ModelFunction
from gpsearch.objective.preprocessing import check_preprocess

TINY, EPSILON = float(np.finfo(float).tiny), float(np.finfo(float).epsneg)

OVERRIDABLE = ("epochs", "batch_size", "patience", "callbacks", "validation_fraction")
"""Settings that ``fit`` takes for one training."""


class _KerasEstimator(BaseEstimator):
    """What the classifier and the regressor share."""

    _task: str

    def __init__(
        self,
        create_model: Callable[..., Any] | None = None,
        *,
        epochs: int = 100,
        batch_size: int | None = None,
        patience: int | None = None,
        validation_fraction: float = 0.1,
        preprocess: Any = None,
        callbacks: Any = None,
        compiled: bool = True,
        random_state: Any = None,
        **model_params: Any,
    ) -> None:
        self.create_model = create_model
        self.epochs = epochs
        self.batch_size = batch_size
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.preprocess = preprocess
        self.callbacks = callbacks
        self.compiled = compiled
        self.random_state = random_state
        self._model_params = model_params

    # ---------------------------------------------------------------- parameters

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters of the training, and the arguments of ``create_model`` that were given."""
        return {**super().get_params(deep=deep), **self._model_params}

    def set_params(self, **params: Any) -> Self:
        """Set parameters of the training, or arguments of ``create_model``.

        Raises
        ------
        ValueError
            A name that is neither.
        """
        own = super().get_params(deep=True)
        of_training = {
            name: value
            for name, value in params.items()
            if name in own or name.split("__")[0] in own
        }
        of_model = {name: value for name, value in params.items() if name not in of_training}
        if of_model:
            create_model = of_training.get("create_model", self._function)
            function = ModelFunction(create_model) if callable(create_model) else None
            unknown = [name for name in of_model if function and name not in function.takes]
            if function and unknown and not function.takes_any:
                valid = sorted({*own, *function.takes})
                close = difflib.get_close_matches(unknown[0], valid, n=2)
                hint = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
                raise ValueError(
                    f"Invalid parameter {unknown[0]!r} for estimator {self}. {hint}Valid "
                    f"parameters are: {valid}: those of the training, and the arguments of "
                    f"{function.name}."
                )
        super().set_params(**of_training)
        self._model_params = {**self._model_params, **of_model}
        return self

    # ---------------------------------------------------------------- training

    def _fit(
        self,
        X: Parts,
        y: Any,
        sample_weight: Any,
        class_weight: Any,
        overrides: Mapping[str, Any],
    ) -> Self:
        call = type(self).__name__
        features = self._read(X, reset=True)
        target = read_target(y, None if isinstance(y, Mapping | tuple) else self._task)
        weight = _read_weights(call, sample_weight)
        _check_lengths(call, features, target, weight)
        self.network_, self.training_, self._rebuild = fit_network(
            self._wanted(class_weight, overrides), features, target, weight
        )
        self.history_ = {name: list(values) for name, values in self.training_.curves.items()}
        return self

    @property
    def _function(self) -> Callable[..., Any]:
        return mlp if self.create_model is None else self.create_model

    def _wanted(self, class_weight: Any, overrides: Mapping[str, Any]) -> Wanted:
        """The settings of the estimator, with those given to ``fit`` in their place."""
        own = {name: getattr(self, name) for name in OVERRIDABLE}
        given = {
            "validation_fraction" if name == "validation_split" else name: value
            for name, value in overrides.items()
            if name != "verbose"
        }
        if unknown := sorted(set(given) - set(OVERRIDABLE)):
            raise TypeError(
                f"{type(self).__name__}.fit does not take {unknown[0]!r}; it takes X, y, "
                f"sample_weight, {', '.join(OVERRIDABLE)} (or validation_split), and ignores "
                "verbose. Arguments of create_model are parameters of the estimator."
            )
        seeds = check_random_state(self.random_state).randint(0, 2**31 - 1, size=2).tolist()
        return Wanted(
            call=type(self).__name__,
            create_model=self._function,
            model_params=self._model_params,
            preprocess=self.preprocess,
            compiled=self.compiled,
            class_weight=class_weight,
            seeds=(seeds[0], seeds[1]),
            **{**own, **given},
        )

    # ---------------------------------------------------------------- data

    def _read(self, X: Parts, *, reset: bool) -> Parts:
        """X, checked as scikit-learn does where it is an array of numbers."""
        if isinstance(X, Mapping | tuple) and not hasattr(X, "tocsr"):
            features = read_features(X)
        elif self.preprocess is None or isinstance(self.preprocess, str):
            features = validate_data(
                self, X, reset=reset, allow_nd=True, ensure_min_samples=2 if reset else 1
            )
        else:
            features = read_features(X)
            if np.ndim(features) == 2:
                validate_data(self, X, reset=reset, skip_check_array=True)
        if reset:
            check_preprocess(self.preprocess, features)
        return features

    def _features(self, X: Parts) -> Parts:
        check_is_fitted(self)
        return self._read(X, reset=False)

    # ---------------------------------------------------------------- keeping

    @property
    def model_(self) -> Any:
        """The trained Keras model, which takes preprocessed rows."""
        check_is_fitted(self)
        return self.network_.model

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator as one ``.keras`` file, without pickle.

        The file is a Keras model that takes X as given, so plain Keras loads it, too.

        Raises
        ------
        InvalidObjectiveError
            The preprocessing is one that Keras cannot hold, or JSON cannot hold the labels.
        """
        check_is_fitted(self)
        save_network(self, path)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        create_model: Callable[..., Any] | None = None,
        custom_objects: Mapping[str, Any] | None = None,
    ) -> Self:
        """Read a fitted estimator from a file that `save` wrote.

        Parameters
        ----------
        path : path
        create_model : callable, optional
            For fitting anew; prediction needs none.
        custom_objects : dict, optional
            Layers and functions of your own, as ``keras.models.load_model`` takes them.

        Raises
        ------
        InvalidObjectiveError
            The file was not written by `save`, or by another kind of estimator.
        """
        loaded = load_network(cls.__name__, path, custom_objects)
        made = cls(create_model, **loaded.params)
        made.network_, made.training_ = loaded.network, TrainingFacts(**loaded.training)
        made.history_ = {name: list(values) for name, values in made.training_.curves.items()}
        if loaded.n_features is not None:
            made.n_features_in_ = loaded.n_features
        return made

    def __getstate__(self) -> dict[str, Any]:
        """The trained weights beside the call that rebuilds their model.

        A model with a loss or layer of the user's own could be unpickled only where those were
        registered with Keras; its function is enough.
        """
        state = dict(super().__getstate__())
        if "network_" in state and "_rebuild" in state:
            network = state.pop("network_")
            state["_packed"] = (network.model.get_weights(), network.preprocessor, network.target)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        packed = state.pop("_packed", None)
        super().__setstate__(state)
        if packed is not None:
            weights, preprocessor, target = packed
            model = self._rebuild.model(self._function)
            model.set_weights(weights)
            self.network_ = as_fitted(model, preprocessor, target)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")


def _gives_probabilities(classifier: Any) -> bool:
    network = getattr(classifier, "network_", None)
    return network is None or hasattr(network, "predict_proba")


class KerasClassifier(ClassifierMixin, _KerasEstimator):
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
    preprocess : None, "standardize", transformer, or dict of them by part of X
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
    _label_dtype: Any = None

    def __init__(
        self,
        create_model: Callable[..., Any] | None = None,
        *,
        epochs: int = 100,
        batch_size: int | None = None,
        patience: int | None = None,
        validation_fraction: float = 0.1,
        preprocess: Any = None,
        callbacks: Any = None,
        compiled: bool = True,
        random_state: Any = None,
        class_weight: Any = None,
        **model_params: Any,
    ) -> None:
        super().__init__(
            create_model,
            epochs=epochs,
            batch_size=batch_size,
            patience=patience,
            validation_fraction=validation_fraction,
            preprocess=preprocess,
            callbacks=callbacks,
            compiled=compiled,
            random_state=random_state,
            **model_params,
        )
        self.class_weight = class_weight

    def fit(self, X: Parts, y: Any, sample_weight: Any = None, **training: Any) -> Self:
        """Train the model.

        Parameters
        ----------
        X : array of any rank, data frame, or dict or tuple of them, n rows
        y : labels of shape (n,), or (n, n_labels) of 0 and 1
        sample_weight : array of shape (n,), optional
        **training
            ``epochs``, ``batch_size``, ``patience``, ``callbacks``, ``validation_split`` for this
            fit alone.
        """
        check_y(self, y)
        if not isinstance(y, Mapping | tuple):
            check_classification_targets(y)
        labels = read_y(y)
        several = not isinstance(labels, Mapping | tuple) and labels.ndim > 1
        self._label_dtype = labels.dtype if several else None
        return self._fit(X, labels, sample_weight, self.class_weight, training)

    def predict(self, X: Parts) -> np.ndarray:
        """The most probable label of each row."""
        features = self._features(X)
        labels = self.network_.predict(features)
        return labels if self._label_dtype is None else labels.astype(self._label_dtype)

    @available_if(_gives_probabilities)
    def predict_proba(self, X: Parts) -> np.ndarray:
        """Probabilities, shape (n, n_classes)."""
        features = self._features(X)
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
        return scores if "hinge" in loss_name(self.model_) else scores - 0.5

    @property
    def classes_(self) -> Any:
        """Labels, sorted."""
        check_is_fitted(self)
        return self.network_.classes_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class KerasRegressor(RegressorMixin, _KerasEstimator):
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

    def fit(self, X: Parts, y: Any, sample_weight: Any = None, **training: Any) -> Self:
        """Train the model; see `KerasClassifier.fit`. y has shape (n,) or (n, n_outputs)."""
        check_y(self, y)
        return self._fit(X, read_y(y), sample_weight, None, training)

    def predict(self, X: Parts) -> Any:
        """Predicted values, shape (n,) or (n, n_outputs)."""
        features = self._features(X)
        return self.network_.predict(features)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def check_y(estimator: Any, y: Any) -> None:
    """Raise where there is no y."""
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None."
        )


def read_y(y: Any) -> Any:
    """Y as an array; a single column is warned of and flattened, as scikit-learn does."""
    if isinstance(y, Mapping | tuple):
        return y
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = column_or_1d(values, warn=True)
    if values.dtype.kind == "c":
        raise ValueError("Complex data not supported: y holds complex numbers.")
    return values


def _read_weights(call: str, sample_weight: Any) -> np.ndarray | None:
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, float)
    if weights.ndim != 1 or not np.isfinite(weights).all() or not (weights > 0).any():
        raise ValueError(
            f"{call}.fit(sample_weight=...) of shape {weights.shape}: Sample weights must be 1D "
            "array or scalar of finite numbers, one for each row, and not all zero."
        )
    return weights


def _check_lengths(call: str, features: Parts, target: Target, sample_weight: Any) -> None:
    n = n_rows(features)
    given = {"y": target.encoded, "sample_weight": sample_weight}
    for name, value in given.items():
        if value is not None and n_rows(value) != n:
            raise ValueError(
                f"{call}.fit: X has {n} rows, but {name} has {n_rows(value)}: inconsistent numbers "
                "of samples. Each row of X needs one entry."
            )
