"""A trained network as scikit-learn sees one: `predict`, `predict_proba`, `classes_`.

The same view serves scorers during a search and users afterwards: what was scored is what is used.

========== ==================================================================================
outputs    what the network returns, shape (n,), (n, units), or one such array per output
link       what these outputs are; see `output_link`
========== ==================================================================================
"""

import contextlib
import copy
import warnings
from typing import Any, Self

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metaestimators import available_if

from gpsearch.data.preprocessing import Preprocessor
from gpsearch.data.rows import Parts, n_rows, take
from gpsearch.data.target import Target
from gpsearch.errors import InvalidObjectiveError
from gpsearch.evaluation import Outputs, map_outputs
from gpsearch.training.backend import import_keras
from gpsearch.training.output_link import output_link

FAR = 100.0  # deviations from 0, beyond which float32 tells the values of a column less well apart
FORWARD_ROWS = 4096  # in one pass of validation or prediction; small data is one pass


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
    """

    _for_scorers = False

    def __init__(self, model: Any, preprocessor: Preprocessor, target: Target) -> None:
        self.model = model
        self.preprocessor = preprocessor
        self.target = target

    def outputs(self, X: Parts) -> Any:
        """The network's outputs for raw features, as given to `KerasCV`.

        An (n, units) array, or a dict or list of them for a model with several outputs.
        """
        return self._outputs(X)

    def _outputs(self, X: Parts) -> Any:
        remembered = self.__dict__.get("_remembered")
        if remembered is not None and X is remembered[0]:
            return remembered[1]
        return forward_in_batches(self.model, self.preprocessor.transform(X))

    def estimates(self, X: Parts) -> Outputs:
        """What an ensemble averages: the outputs, as probabilities where they can be such.

        Of two classes the probability of the second alone, shape (n, 1).
        """
        outputs = self._outputs(X)
        several = list(outputs) if isinstance(outputs, tuple) else outputs
        return map_outputs(lambda part: part[:, None] if part.ndim == 1 else part, several)

    def estimates_of(self, outputs: Any) -> Any:
        """`estimates` of the model's symbolic outputs, in layers of Keras."""
        return outputs

    def remember(self, X: Parts, outputs: Any) -> None:
        """Return `outputs` for this very object X from now on, without computing them."""
        self._remembered = (X, outputs)

    def for_scorers(self) -> Self:
        """A view for scorers: classes are 0, 1, ...; labels in one axis, quantities in two."""
        view = copy.copy(self)
        view._for_scorers = True
        return view

    def predict(self, X: Parts) -> Any:
        """The outputs themselves; for a model with several outputs."""
        return self._outputs(X)

    def save(self, path: Any) -> None:
        """Write one ``.keras`` file that takes raw features and that plain Keras loads.

        Where a standardized column is more than 100 deviations from 0 it takes float64: call
        ``model(X)``, since Keras's own ``predict`` rounds X to float32 first.

        Raises
        ------
        InvalidObjectiveError
            The preprocessing is a transformer that Keras cannot hold.
        """
        model = _of_raw_features(self.model, self.preprocessor)
        with warnings.catch_warnings():
            # Keras 3.15 reads TensorFlow's arrays in a way that NumPy 2 deprecates.
            warnings.filterwarnings("ignore", message="__array__ implementation")
            model.save(path)

    def __sklearn_is_fitted__(self) -> bool:
        return True


class FittedClassifier(ClassifierMixin, FittedNetwork):
    """A trained network whose target is classes."""

    @property
    def classes_(self) -> Any:
        """Class labels as in y; for a multi-label target one pair for each column."""
        if self.target.classes is None:  # an array, since scikit-learn asks for its shape
            return np.tile([0, 1], (self.target.n_outputs, 1))
        return np.arange(len(self.target.classes)) if self._for_scorers else self.target.classes

    def estimates(self, X: Parts) -> np.ndarray:
        """See `FittedNetwork.estimates`."""
        with contextlib.suppress(AttributeError, InvalidObjectiveError), np.errstate(all="ignore"):
            probabilities = self.predict_proba(X)
            return probabilities[:, 1:] if self.target.kind == "binary" else probabilities
        return super().estimates(X)

    def estimates_of(self, outputs: Any) -> Any:
        """See `FittedNetwork.estimates_of`."""
        by_unit = self._by_unit(np.empty([1 if size is None else size for size in outputs.shape]))
        if self.link == "logits":
            activation = "softmax" if by_unit else "sigmoid"
            outputs = import_keras().layers.Activation(activation)(outputs)
        if by_unit and self.link in ("logits", "probabilities"):
            if self.target.kind == "binary":
                return outputs[:, 1:]
            if self.target.kind == "multilabel":
                return outputs[..., -1]
        return outputs

    @property
    def link(self) -> str:
        """What the outputs are; see `output_link`."""
        return self.target.link or output_link(self.model)

    @available_if(lambda self: self.link in ("probabilities", "logits"))
    def predict_proba(self, X: Parts) -> np.ndarray:
        """Probabilities of the classes, shape (n, n_classes)."""
        outputs = np.asarray(self._outputs(X), np.float64)
        logits = self.link == "logits"
        if self._by_unit(outputs):
            # Exactly one in float64, as scikit-learn asks of what float32 only nearly gives.
            whole = outputs if logits else outputs / outputs.sum(axis=-1, keepdims=True)
            probabilities = softmax(outputs, axis=-1) if logits else whole
        else:
            positive = self._of_labels(expit(outputs) if logits else outputs)
            if self.target.kind == "multilabel":
                return positive
            probabilities = np.stack([1 - positive, positive], axis=-1)
        if self.target.kind == "multilabel":
            return probabilities[..., -1]
        several = self._for_scorers and probabilities.ndim > 2
        return probabilities.reshape(-1, probabilities.shape[-1]) if several else probabilities

    def decision_function(self, X: Parts) -> np.ndarray:
        """Raw outputs that rank classes: (n,) for one unit, above 0 for the second of two."""
        outputs = np.asarray(self._outputs(X), np.float64)
        of_two = self._for_scorers and self.target.n_classes == 2
        if self.target.kind != "binary" and not of_two:
            several = self._for_scorers and self.target.kind == "multiclass"
            return outputs.reshape(-1, outputs.shape[-1]) if several else outputs
        if self._by_unit(outputs):
            scores = outputs[..., 1] - outputs[..., 0]
        else:
            scores = self._of_labels(outputs) - (self._cut if self.link == "scores" else 0.0)
        return scores.ravel()

    def predict(self, X: Parts) -> np.ndarray:
        """The most probable class of each row, in the labels of y."""
        return self.labels(self._outputs(X))

    def labels(self, outputs: Any) -> np.ndarray:
        """The most probable class by the network's outputs.

        Raises
        ------
        InvalidObjectiveError
            The labels have to be cut out of a column of outputs, and nothing says where.
        """
        outputs = np.asarray(outputs)
        if self._by_unit(outputs):
            chosen = outputs.argmax(axis=-1)
        elif not self.link:
            raise InvalidObjectiveError(
                "neither the last layer nor the loss says whether the model's outputs are "
                'probabilities. Say it: outputs="probabilities", "logits" (a sigmoid or softmax '
                'makes probabilities of them) or "margins" (the second class is above 0).'
            ).about("outputs", None)
        else:
            chosen = self._of_labels(outputs > self._cut).astype(np.int32)
        several = self.target.kind == "multilabel"
        labels = chosen.astype(np.int32) if several else self.classes_[chosen]
        return labels.ravel() if self._for_scorers and labels.ndim > 1 + several else labels

    @property
    def _cut(self) -> float:
        """Outputs above it mean the second class."""
        if self.link in ("logits", "margins"):
            return 0.0
        classes = self.target.classes
        if self.link == "scores" and classes is not None and classes.dtype.kind in "iuf":
            return float(classes.mean())  # they were trained on as they are
        return 0.5

    def _by_unit(self, outputs: np.ndarray) -> bool:
        """Whether the last axis holds one output for each class."""
        target = self.target
        units = outputs.shape[-1] if outputs.ndim > 1 else 1
        n = target.n_classes
        if n is not None and units != n and (units, n) != (1, 2):
            raise InvalidObjectiveError(
                f"{units} outputs in each row do not say which of {n} classes it has. Score the "
                "outputs themselves: scoring=callable (estimator, X, y), which reads "
                "estimator.outputs(X)."
            )
        return units > 1 and (target.kind != "multilabel" or units != target.n_outputs)

    def _of_labels(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs in the shape of the labels: without a last axis of one unit."""
        return outputs[..., 0] if outputs.ndim > 1 and outputs.shape[-1] == 1 else outputs


class FittedRegressor(RegressorMixin, FittedNetwork):
    """A trained network whose target is a quantity."""

    def predict(self, X: Parts) -> np.ndarray:
        """Predicted values, shape (n,) for one unit, else as y has it or the network returns it."""
        outputs = np.asarray(self._outputs(X), np.float64)
        if outputs.shape[-1] == 1 and (outputs.ndim == 2 or self.target.n_outputs > 1):
            outputs = outputs[..., 0]
        flat = self._for_scorers and outputs.ndim > 2
        return outputs.reshape(len(outputs), -1) if flat else outputs


def as_fitted(model: Any, preprocessor: Preprocessor, target: Target) -> FittedNetwork:
    """The view that suits the target."""
    if target.is_classification:
        return FittedClassifier(model, preprocessor, target)
    if target.kind == "regression":
        return FittedRegressor(model, preprocessor, target)
    return FittedNetwork(model, preprocessor, target)


def forward_in_batches(model: Any, features: Parts) -> Any:
    """The model's outputs without training behaviour, `FORWARD_ROWS` rows at a time."""
    keras = import_keras()
    n = n_rows(features)
    pieces = [
        keras.tree.map_structure(
            keras.ops.convert_to_numpy,
            model(take(features, np.arange(start, min(start + FORWARD_ROWS, n))), training=False),
        )
        for start in range(0, n, FORWARD_ROWS)
    ]
    return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *pieces)


def _of_raw_features(model: Any, preprocessor: Preprocessor) -> Any:
    """The model with its preprocessing in front, as one Keras model."""
    if not preprocessor.transformers:
        return model
    keras = import_keras()
    mean, scale = _mean_and_scale(preprocessor)
    dtype = raw_dtype(preprocessor)  # not that of the user's policy, which may be of half precision
    inputs = keras.Input(mean.shape, dtype=dtype)
    standardize = keras.layers.Rescaling(1 / scale, -mean / scale, dtype=dtype)
    return keras.Model(inputs, model(standardize(inputs)))


def raw_dtype(preprocessor: Preprocessor) -> str:
    """The type in which a model with its preprocessing in front takes raw features."""
    if not preprocessor.transformers:
        return "float32"
    mean, scale = _mean_and_scale(preprocessor)
    return "float64" if (np.abs(mean) / scale).max() > FAR else "float32"


def _mean_and_scale(preprocessor: Preprocessor) -> tuple[np.ndarray, np.ndarray]:
    """What the preprocessing takes from each column, and what it divides it by."""
    check_keras_file(preprocessor)
    scaler = preprocessor.transformers[""]
    zeros = np.zeros(scaler.n_features_in_)
    mean = scaler.mean_ if scaler.with_mean else zeros
    return mean, scaler.scale_ if scaler.with_std else zeros + 1


def check_keras_file(preprocessor: Preprocessor) -> None:
    """Raise where the preprocessing cannot become part of a Keras file."""
    transformers = preprocessor.transformers
    if transformers and type(transformers.get("")) is not StandardScaler:
        raise InvalidObjectiveError(
            f"save(): the preprocessing {list(transformers.values())!r} cannot become part of a "
            'Keras file. Write a file that ends in ".joblib" with study.save_model or joblib.dump, '
            'or search without, or with "standardize" where X is a single array.'
        )
