"""One fold of one Keras model: built, trained, and wrapped as a scikit-learn estimator.

Keras is imported when a model is first built, not before.
"""

from typing import TYPE_CHECKING

from gpsearch.lazily import load_when_used

if TYPE_CHECKING:
    from gpsearch.training.fitted import FittedClassifier, FittedNetwork, FittedRegressor
    from gpsearch.training.mlp import mlp, mlp_space

load_when_used(
    __name__,
    {
        "fitted": ("FittedClassifier", "FittedNetwork", "FittedRegressor"),
        "mlp": ("mlp", "mlp_space"),
    },
)
