"""One Keras model as a scikit-learn estimator: fitted, saved and loaded."""

from gpsearch.estimators.keras_estimator import KerasClassifier as KerasClassifier
from gpsearch.estimators.keras_estimator import KerasRegressor as KerasRegressor
