"""Objectives: params to fold results.

`KerasCV` cross-validates a Keras model, `EstimatorCV` a scikit-learn estimator; `as_objective`
takes any function of params; `mlp` is a ready-made model function, and `KerasClassifier` and
`KerasRegressor` make one an estimator. A fold's way through `KerasCV`:

========================= =================================================================
data, streamed, folds     X and y read; rows split into training, stop and scored rows
prepared, preprocessing   features made on the training part of each fold, once per objective
model_function            ``create_model`` called by name, with seeded initial weights
loss_target, weights      y and weights as the model's loss takes them
compiled, loop            training: one compiled program, or Keras's own ``fit``
fitted, scoring           the trained network as scikit-learn sees it, and its score
========================= =================================================================

Keras is imported when a model is first built, not before.
"""

from gpsearch.objective.estimator import KerasClassifier as KerasClassifier
from gpsearch.objective.estimator import KerasRegressor as KerasRegressor
from gpsearch.objective.estimator_cv import EstimatorCV as EstimatorCV
from gpsearch.objective.fitted import FittedClassifier as FittedClassifier
from gpsearch.objective.fitted import FittedNetwork as FittedNetwork
from gpsearch.objective.fitted import FittedRegressor as FittedRegressor
from gpsearch.objective.function import as_objective as as_objective
from gpsearch.objective.keras_cv import KerasCV as KerasCV
from gpsearch.objective.mlp import mlp as mlp
from gpsearch.objective.mlp import mlp_space as mlp_space
