"""Bayesian hyperparameter search for Keras models, written on scikit-optimize.

A *space* says what can be set, an *objective* what a setting is worth: one score for each fold
of a cross-validation. A *strategy* is a function of the history that proposes the next point;
the one that matters is a Gaussian process (`surrogate`) whose expected improvement
(`acquisition`) is maximised over the space. `execution` asks the strategy, runs the objective
and writes each result into the *study*, one SQLite file, before anything else happens.
`plotting`, `report` and `comparison` read a study and never write one.

===== ================= =========================== =============================================
floor room              alone imports               role
===== ================= =========================== =============================================
9     cli               shtab (completion)          the command line
9     config                                        a TOML file to one call
8     report            jinja2 (page)               one self-contained HTML page
8     optuna_study      sqlalchemy                  a study as Optuna has it
7     plotting          matplotlib                  a study as series of numbers, and as pictures
7     model_selection                               the scikit-learn search estimator
7     comparison                                    several strategies, and honest statistics
6     analysis                                      what one study says
5     execution         tqdm (progress)             the loop from an objective to a study
5     execution.rules                               when a trial stops, and when a search stops
5     execution.workers distributed (executors),    isolated processes, and executors of others
                        pebble (pool), cloudpickle
4     optimizer         skopt                       ask and tell as scikit-optimize has them
4     strategy          skopt (skopt),              a history to the next point
                        optuna (tpe)
3     acquisition                                   what a point promises, and where it is most
2     estimators,                                   one Keras model as a scikit-learn estimator;
      objective                                     a configuration to one score for each fold
2     training          keras (backend),            one fold of one Keras model
                        tensorflow (backend)
2     data                                          rows, folds, weights, preprocessing
2     study             sqlite3 (sqlite)            the record
2     surrogate                                     the Gaussian process
1     space             skopt                       configuration, point and z
1     evaluation                                    what an objective returns
1     identity                                      what makes two searches the same
1     stored_values                                 values and spaces as JSON has them
0     arguments                                     checks of plain values
0     errors, version                               what is raised on purpose
0     described                                     objects and numbers as text
0     phases                                        what the process is busy with
0     interruption                                  what ends the process from outside
0     lazily                                        names and methods imported when used
===== ================= =========================== =============================================

A room imports from the rows below its own, and each library above is imported by these rooms alone
(``tests/test_architecture.py`` reads this table). ``import gpsearch`` loads none of them: each
name below, and each room, is imported when it is first used.
"""

import gpsearch.interruption  # noqa: I001  (first: it looks after the imports below)
from typing import TYPE_CHECKING

from gpsearch.lazily import load_when_used
from gpsearch.version import __version__

if TYPE_CHECKING:
    from gpsearch.comparison import Comparison, compare
    from gpsearch.errors import GPSearchError
    from gpsearch.estimators import KerasClassifier, KerasRegressor
    from gpsearch.evaluation import Evaluation, FoldResult
    from gpsearch.execution import (
        BelowNoise,
        ExpectedGain,
        NoImprovement,
        StopReason,
        TargetScore,
        search,
    )
    from gpsearch.model_selection import GPSearchCV, NestedCV, nested_cv
    from gpsearch.objective import EstimatorCV, KerasCV
    from gpsearch.optimizer import Optimizer, gp_minimize
    from gpsearch.plotting import plot_convergence
    from gpsearch.space import Categorical, Integer, Real, Space
    from gpsearch.study import Study, Trial
    from gpsearch.surrogate import GaussianProcess
    from gpsearch.training import mlp, mlp_space

_ROOMS = load_when_used(
    __name__,
    {
        "comparison": ("Comparison", "compare"),
        "errors": ("GPSearchError",),
        "estimators": ("KerasClassifier", "KerasRegressor"),
        "evaluation": ("Evaluation", "FoldResult"),
        "execution": (
            *("BelowNoise", "ExpectedGain", "NoImprovement", "StopReason", "TargetScore"),
            "search",
        ),
        "model_selection": ("GPSearchCV", "NestedCV", "nested_cv"),
        "objective": ("EstimatorCV", "KerasCV"),
        "optimizer": ("Optimizer", "gp_minimize"),
        "plotting": ("plot_convergence",),
        "space": ("Categorical", "Integer", "Real", "Space"),
        "study": ("Study", "Trial"),
        "surrogate": ("GaussianProcess",),
        "training": ("mlp", "mlp_space"),
    },
)
__all__ = ["__version__", *_ROOMS]
