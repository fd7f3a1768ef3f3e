"""Several networks as one: a Keras model that averages their predictions.

Members keep their weights; logits become probabilities first, so that each member counts alike.
The average is an ordinary Keras model of layers that Keras saves.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from gpsearch.data.rows import Parts, map_parts, read_features
from gpsearch.training.backend import import_keras
from gpsearch.training.fitted import FittedClassifier, FittedNetwork, FittedRegressor


class EnsembleNetwork(FittedNetwork):
    """An average of networks, as scikit-learn sees one; `selection` says of which, and its gain."""

    selection: Any
    _scorer: Callable[..., float]
    _features = staticmethod(read_features)

    @property
    def network_(self) -> Self:
        """Itself: what scorers read of a fitted Keras estimator."""
        return self

    def _outputs(self, X: Parts) -> Any:
        return super()._outputs(read_features(X))  # X may be a list of rows, too

    def score(self, X: Parts, y: Any) -> float:
        """Score by the metric of the search, greater is better."""
        X = read_features(X)
        return self._scorer(self, X, self.target.as_labels(y))

    def __str__(self) -> str:
        return str(self.__dict__.get("selection", type(self).__name__))


class EnsembleClassifier(EnsembleNetwork, FittedClassifier):
    """An average of networks whose target is classes."""


class EnsembleRegressor(EnsembleNetwork, FittedRegressor):
    """An average of networks whose target is a quantity."""


def average(
    networks: Sequence[FittedNetwork],
    weights: Sequence[float],
    rows: Parts,
    *,
    scorer: Callable[..., float],
    selection: Any,
) -> EnsembleNetwork:
    """One network whose outputs are the mean of the `estimates` of several, by their weights.

    The weights are above zero and are divided by their sum, so that they sum to 1. The networks
    have the same preprocessing. `rows` are some rows of X, which show the inputs of a model that
    does not.
    """
    first, target = networks[0], networks[0].target
    kind = EnsembleNetwork
    model = first.model
    if target.is_classification:
        kind = EnsembleClassifier
        target = dataclasses.replace(target, link=first.link)
    elif isinstance(first, FittedRegressor):
        kind = EnsembleRegressor
    if len(networks) > 1:
        model = _average_model(networks, weights, first.preprocessor.transform(rows))
        if target.link == "logits":
            target = dataclasses.replace(target, link="probabilities")
    ensemble = kind(model, first.preprocessor, target)
    ensemble.selection, ensemble._scorer = selection, scorer
    return ensemble


def _average_model(
    networks: Sequence[FittedNetwork], weights: Sequence[float], features: Parts
) -> Any:
    keras = import_keras()
    inputs = _inputs(networks[0].model, features)
    total_weight = math.fsum(weights)
    shares = []
    for index, (network, weight) in enumerate(zip(networks, weights, strict=True)):
        share = keras.layers.Rescaling(weight / total_weight)
        outputs = network.estimates_of(network.model(inputs))
        # Each in a model of its own: members may have one name.
        member = keras.Model(inputs, outputs, name=f"member_{index}")
        shares.append(keras.tree.map_structure(share, member(inputs)))
    total = keras.tree.map_structure(lambda *parts: keras.layers.Add()(list(parts)), *shares)
    return keras.Model(inputs, total, name="ensemble")


def _inputs(model: Any, features: Parts) -> Any:
    """Inputs as the model has them; of one that does not say, as the features are."""
    keras = import_keras()

    def like(tensor: Any) -> Any:
        return keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)

    try:
        return keras.tree.map_structure(like, model.input)
    except (AttributeError, ValueError):  # a class of the user's own
        names = iter(features if isinstance(features, Mapping) else ())

        def of_part(part: np.ndarray) -> Any:
            return keras.Input(np.shape(part)[1:], dtype=part.dtype, name=next(names, None))

        return map_parts(of_part, features)
