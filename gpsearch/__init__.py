"""Bayesian hyperparameter search for Keras models, written on scikit-optimize.

A *space* says what can be set, an *objective* what a setting is worth: one score for each fold
of a cross-validation. A *strategy* is a function of the history that proposes the next point;
the one that matters is a Gaussian process (`surrogate`) whose expected improvement
(`acquisition`) is maximised over the space. `execution` asks the strategy, runs the objective
and writes each result into the *study*, one SQLite file, before anything else happens.
`plotting`, `report` and `comparison` read a study and never write one.

======== ============================ ============================================================
layer    module                       role
======== ============================ ============================================================
7        cli, config                  the command line; a TOML file to one call
6        plotting, report, comparison a study as pictures, as one HTML page; strategies compared
5        execution                    the loop, executors, stopping rules, progress
5        callbacks                    finished trials for TensorBoard and MLflow
5        analysis                     what one study says of its dimensions and of random search
4        strategy, optimizer          what to try next; ask and tell as scikit-optimize has them
3        acquisition                  expected improvement, and its maximum over a mixed space
2        surrogate, objective, study  the Gaussian process; cross-validated Keras; the record
1        space, evaluation            params, point and z; what an objective returns
0        errors                       everything raised on purpose
======== ============================ ============================================================

Imports go downward only (``tests/test_architecture.py``), and ``import gpsearch`` loads none of
Keras, TensorFlow, matplotlib, Dask or Optuna.
"""

from gpsearch.comparison import Comparison, compare
from gpsearch.errors import GPSearchError
from gpsearch.estimators import KerasClassifier, KerasRegressor
from gpsearch.evaluation import Evaluation, FoldResult
from gpsearch.execution import StopReason, search
from gpsearch.model_selection import GPSearchCV
from gpsearch.objective import EstimatorCV, KerasCV
from gpsearch.optimizer import Optimizer, gp_minimize
from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.study import Study, Trial
from gpsearch.surrogate import GaussianProcess
from gpsearch.training import mlp, mlp_space
from gpsearch.version import __version__

__all__ = [
    "Categorical",
    "Comparison",
    "EstimatorCV",
    "Evaluation",
    "FoldResult",
    "GPSearchCV",
    "GPSearchError",
    "GaussianProcess",
    "Integer",
    "KerasCV",
    "KerasClassifier",
    "KerasRegressor",
    "Optimizer",
    "Real",
    "Space",
    "StopReason",
    "Study",
    "Trial",
    "__version__",
    "compare",
    "gp_minimize",
    "mlp",
    "mlp_space",
    "search",
]
