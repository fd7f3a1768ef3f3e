"""One fold of one Keras model: built, trained, and wrapped as a scikit-learn estimator.

Keras is imported when a model is first built, not before.
"""

from typing import TYPE_CHECKING

from gpsearch.lazily import load_when_used

if TYPE_CHECKING:
    from gpsearch.training.fitted import FittedClassifier as FittedClassifier
    from gpsearch.training.fitted import FittedNetwork as FittedNetwork
    from gpsearch.training.fitted import FittedRegressor as FittedRegressor
    from gpsearch.training.mlp import mlp as mlp
    from gpsearch.training.mlp import mlp_space as mlp_space

load_when_used(
    __name__,
    {
        "fitted": ("FittedClassifier", "FittedNetwork", "FittedRegressor"),
        "mlp": ("mlp", "mlp_space"),
    },
)
