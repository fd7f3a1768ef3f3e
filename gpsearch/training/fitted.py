"""A trained network as scikit-learn sees one: `predict`, `predict_proba`, `classes_`.

The same view serves scorers during a search and users afterwards: what was scored is what is used.

========== ==================================================================================
outputs    what the network returns, shape (n,), (n, units), or one such array per output
link       what outputs are: "probabilities", "logits" (a sigmoid or softmax away from them),
           "margins" (of the second class where above 0), "scores" (near 0 and 1); "" where
           neither the loss nor the last layer says it, and the user has to, by `outputs=`
========== ==================================================================================
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metaestimators import available_if

from gpsearch.arguments import one_of, optional
from gpsearch.data.preprocessing import Preprocessor
from gpsearch.data.rows import Parts, n_rows, take
from gpsearch.data.target import Target
from gpsearch.errors import InvalidObjectiveError
from gpsearch.training.backend import import_keras, last_layer

FORWARD_ROWS = 4096  # in one pass of validation or prediction; small data is one pass

Forward = Callable[[Parts], Any]

LINKS = ("probabilities", "logits", "margins", "scores")
SAY = (
    'Say it: outputs="probabilities", "logits" (a sigmoid or softmax makes probabilities of them) '
    'or "margins" (the second class is above 0).'
)


class FittedNetwork(BaseEstimator):
    """A trained Keras model with its fitted preprocessing.

    Parameters
    ----------
    model : keras.Model
        The network, which takes preprocessed features.
    preprocessor : Preprocessor
        Fitted on the rows the network was trained on.
    target : Target
        What it predicts.
    forward : callable, optional
        From preprocessed features to the network's outputs; by default in large batches.
    """

    def __init__(
        self,
        model: Any,
        preprocessor: Preprocessor,
        target: Target,
        forward: Forward | None = None,
    ) -> None:
        self.model = model
        self.preprocessor = preprocessor
        self.target = target
        self.forward = forward

    def outputs(self, X: Parts) -> Any:
        """The network's outputs for raw features, as given to `KerasCV`.

        An (n, units) array, or a dict or list of them for a model with several outputs.
        """
        remembered = self.__dict__.get("_remembered")
        if remembered is not None and X is remembered[0]:
            return remembered[1]
        features = self.preprocessor.transform(X)
        if self.forward is not None:
            return self.forward(features)
        return forward_in_batches(self.model, features)

    def remember(self, X: Parts, outputs: Any) -> None:
        """Return `outputs` for this very object X from now on, without computing them."""
        self._remembered = (X, outputs)

    def predict(self, X: Parts) -> Any:
        """The outputs themselves; for a model with several outputs."""
        return self.outputs(X)

    def save(self, path: Any) -> None:
        """Write one ``.keras`` file that takes raw features and that plain Keras loads.

        Raises
        ------
        InvalidObjectiveError
            The preprocessing is a transformer that Keras cannot hold.
        """
        _of_raw_features(self.model, self.preprocessor).save(path)

    def __sklearn_is_fitted__(self) -> bool:
        return True


class FittedClassifier(ClassifierMixin, FittedNetwork):
    """A trained network whose target is classes."""

    @property
    def classes_(self) -> Any:
        """Class labels as in y; for a multi-label target one pair for each column."""
        if self.target.classes is None:
            return [np.array([0, 1])] * self.target.n_outputs
        return self.target.classes

    @property
    def link(self) -> str:
        """What the outputs are, see above."""
        return self.target.link or output_link(self.model)

    @available_if(lambda self: self.link in ("probabilities", "logits"))
    def predict_proba(self, X: Parts) -> np.ndarray:
        """Probabilities of the classes, shape (n, n_classes)."""
        outputs = np.asarray(self.outputs(X), np.float64)
        logits = self.link == "logits"
        if self.target.kind != "multilabel" and outputs.ndim == 2 and outputs.shape[1] > 1:
            if logits:
                return softmax(outputs, axis=1)
            # Exactly one in float64, as scikit-learn asks of what float32 only nearly gives.
            return outputs / outputs.sum(axis=1, keepdims=True)
        probabilities = expit(outputs) if logits else outputs
        if self.target.kind == "multilabel":
            return probabilities
        positive = probabilities.reshape(len(outputs))
        return np.column_stack([1 - positive, positive])

    def numbered(self) -> FittedClassifier:
        """A view of this network with the classes 0, 1, ... in place of labels.

        scikit-learn's scorers for two classes take the label 1 for the positive one, and refuse
        other labels; so for a scorer given by name, the greater label is the positive one.
        """
        view = copy.copy(self)
        if self.target.classes is not None:
            numbers = np.arange(len(self.target.classes))
            view.target = dataclasses.replace(self.target, classes=numbers)
        return view

    def decision_function(self, X: Parts) -> np.ndarray:
        """The raw outputs that rank classes: shape (n,) for one unit, else (n, units)."""
        outputs = np.asarray(self.outputs(X), np.float64)
        if self.target.kind == "binary" and outputs.ndim == 2:
            return outputs[:, -1] - (outputs[:, 0] if outputs.shape[1] == 2 else 0.0)
        return outputs

    def predict(self, X: Parts) -> np.ndarray:
        """The most probable class of each row, in the labels of y."""
        return self.labels(self.outputs(X))

    def labels(self, outputs: Any) -> np.ndarray:
        """The most probable class by the network's outputs.

        Raises
        ------
        InvalidObjectiveError
            The labels have to be cut out of a column of outputs, and nothing says where.
        """
        outputs = np.asarray(outputs)
        several = self.target.kind == "multilabel"
        if not several and outputs.ndim == 2 and outputs.shape[1] > 1:
            return self.classes_[outputs.argmax(axis=1)]
        if not self.link:
            raise InvalidObjectiveError(
                "neither the last layer nor the loss says whether the model's outputs are "
                f"probabilities. {SAY}"
            ).about("outputs", None)
        positive = outputs > (0.0 if self.link in ("logits", "margins") else 0.5)
        if several:
            return positive.astype(np.int32)
        return self.classes_[positive.reshape(len(outputs)).astype(int)]


class FittedRegressor(RegressorMixin, FittedNetwork):
    """A trained network whose target is a quantity."""

    def predict(self, X: Parts) -> np.ndarray:
        """Predicted values, shape (n,) for one unit, else as the network returns them."""
        outputs = np.asarray(self.outputs(X), np.float64)
        return outputs.reshape(len(outputs)) if outputs[0].size == 1 else outputs


def with_link(target: Target, outputs: str | None) -> Target:
    """The target of a model whose outputs are what the user's argument `outputs` says."""
    link = optional(one_of, "outputs", outputs, LINKS, kind=InvalidObjectiveError)
    return dataclasses.replace(target, link=link)


def as_fitted(
    model: Any, preprocessor: Preprocessor, target: Target, forward: Forward | None = None
) -> FittedNetwork:
    """The view that suits the target."""
    if target.is_classification:
        return FittedClassifier(model, preprocessor, target, forward)
    if target.kind == "regression":
        return FittedRegressor(model, preprocessor, target, forward)
    return FittedNetwork(model, preprocessor, target, forward)


def forward_in_batches(model: Any, features: Parts, rows: int = FORWARD_ROWS) -> Any:
    """The model's outputs without training behaviour, at most `rows` rows at a time."""
    keras = import_keras()
    n = n_rows(features)
    pieces = [
        keras.tree.map_structure(
            keras.ops.convert_to_numpy,
            model(take(features, np.arange(start, min(start + rows, n))), training=False),
        )
        for start in range(0, n, rows)
    ]
    return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *pieces)


def output_link(model: Any) -> str:
    """What the outputs are, as the last layer and the loss say it; "" where neither does."""
    loss = _only_loss(model)
    logits = getattr(loss, "keywords", {}).get("from_logits", getattr(loss, "from_logits", False))
    last = last_layer(model)
    activation = getattr(last, "activation", None)
    end = _name_of_keras(activation or last)
    if end in ("sigmoid", "softmax"):  # where a loss is to read logits, Keras gives it those
        return "probabilities"
    if logits:
        return "logits"
    if end in ("hardsigmoid", "sparsemax"):
        return "probabilities"
    name = loss_name(model)
    if "crossentropy" in name and activation is None:  # a layer of the user's own
        return "probabilities"
    if "hinge" in name:
        return "margins"
    return "scores" if name else ""


def loss_name(model: Any) -> str:
    """Lower-case name of the loss without underscores; "" for the user's own, and for several."""
    loss = _only_loss(model)
    return _name_of_keras(loss.func if isinstance(loss, functools.partial) else loss)


def _only_loss(model: Any) -> Any:
    """The loss of a model with a single one, as an object or function; else None."""
    keras = import_keras()
    losses = keras.tree.flatten(model.loss)
    loss = losses[0] if len(losses) == 1 else None
    with contextlib.suppress(ValueError):  # no loss of Keras's has this name
        return keras.losses.get(loss) if isinstance(loss, str) else loss
    return None


def _name_of_keras(thing: Any) -> str:
    """Name of a function or class in lower case without underscores; "" for the user's own."""
    if str(getattr(thing, "__module__", "")).split(".")[0] not in ("keras", "tensorflow", "jax"):
        return ""
    return str(getattr(thing, "__name__", type(thing).__name__)).replace("_", "").lower()


def _of_raw_features(model: Any, preprocessor: Preprocessor) -> Any:
    """The model with its preprocessing in front, as one Keras model."""
    transformers = preprocessor.transformers
    if not transformers:
        return model
    scaler = transformers.get("")
    if not isinstance(scaler, StandardScaler):
        raise InvalidObjectiveError(
            f"save(): the preprocessing {list(transformers.values())!r} cannot become part of a "
            "Keras file. Save `.model` with Keras and `.preprocessor.transformers` with joblib "
            'or skops, or search with preprocess="standardize" or None.'
        )
    keras = import_keras()
    inputs = keras.Input((scaler.n_features_in_,))
    standardize = keras.layers.Rescaling(1 / scaler.scale_, -scaler.mean_ / scaler.scale_)
    return keras.Model(inputs, model(standardize(inputs)))
