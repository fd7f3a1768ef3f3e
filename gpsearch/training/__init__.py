"""One fold of one Keras model: built, trained, and wrapped as a scikit-learn estimator.

Keras is imported when a model is first built, not before.
"""

from gpsearch.training.fitted import FittedClassifier as FittedClassifier
from gpsearch.training.fitted import FittedNetwork as FittedNetwork
from gpsearch.training.fitted import FittedRegressor as FittedRegressor
from gpsearch.training.mlp import mlp as mlp
from gpsearch.training.mlp import mlp_space as mlp_space
