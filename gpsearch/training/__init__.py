"""One fold of one Keras model: built, trained, and wrapped as a scikit-learn estimator.

================ =============================================================================
model_function   ``create_model`` called by name, with seeded initial weights
loss_target      y as the model's loss takes it
trainer          the contract of a trainer: rows and settings to a trained fold
loop             Keras's own ``fit``: the oracle, and the fallback
compiled         the same training as one compiled program
fitted           a trained network with ``predict`` and ``predict_proba``
mlp              the ready-made network
backend          the only way to Keras and TensorFlow
================ =============================================================================

Keras is imported when a model is first built, not before.
"""

from gpsearch.training.fitted import FittedClassifier as FittedClassifier
from gpsearch.training.fitted import FittedNetwork as FittedNetwork
from gpsearch.training.fitted import FittedRegressor as FittedRegressor
from gpsearch.training.mlp import mlp as mlp
from gpsearch.training.mlp import mlp_space as mlp_space
