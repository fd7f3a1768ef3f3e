"""Objectives: a configuration to one score for each fold.

`KerasCV` cross-validates a Keras model, `EstimatorCV` a scikit-learn estimator, and
`as_objective` takes any function of a configuration.
"""

from typing import TYPE_CHECKING

from gpsearch.lazily import load_when_used

if TYPE_CHECKING:
    from gpsearch.objective.estimator_cv import EstimatorCV
    from gpsearch.objective.function import as_objective
    from gpsearch.objective.keras_cv import KerasCV

load_when_used(
    __name__,
    {"estimator_cv": ("EstimatorCV",), "function": ("as_objective",), "keras_cv": ("KerasCV",)},
)
