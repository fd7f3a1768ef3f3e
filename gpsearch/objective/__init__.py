"""Objectives: a configuration to one score for each fold.

`KerasCV` cross-validates a Keras model, `EstimatorCV` a scikit-learn estimator, and
`as_objective` takes any function of a configuration.
"""

from gpsearch.objective.estimator_cv import EstimatorCV as EstimatorCV
from gpsearch.objective.function import as_objective as as_objective
from gpsearch.objective.keras_cv import KerasCV as KerasCV
