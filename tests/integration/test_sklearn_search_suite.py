"""scikit-learn's own tests of its searches, with `GPSearchCV` in their place.

The tests stand in the wheel of scikit-learn. They are loaded a second time while
`RandomizedSearchCV` and `GridSearchCV` are replaced by thin shims, and run here under their own
names. What is left out, and why, is `LEFT_OUT`.
"""

import importlib.util
import sys
import warnings

import pytest
import sklearn
import sklearn.model_selection
from sklearn.model_selection import ParameterGrid

from gpsearch.model_selection import GPSearchCV
from gpsearch.model_selection.distributions import read_distributions

SUITE = "sklearn.model_selection.tests.test_search"


class _InOrder:
    """The points of a grid, in scikit-learn's order."""

    name = "listed"

    def __init__(self, points):
        self.points = points

    def propose(self, history, number):
        return self.points[number]


class RandomizedSearchCV(GPSearchCV):
    """The default budget, and a seed."""

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_iter=10,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score=float("nan"),
        return_train_score=False,
    ):
        super().__init__(
            estimator,
            param_distributions,
            n_iter=n_iter,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=0 if random_state is None else random_state,
            error_score=error_score,
            return_train_score=return_train_score,
        )


class GridSearchCV(GPSearchCV):
    """Every point of the grid, in scikit-learn's order."""

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        error_score=float("nan"),
        return_train_score=False,
    ):
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=0,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_grid = param_grid

    def fit(self, X, y=None, **params):
        self.param_distributions = self.param_grid
        self.n_iter, self.strategy = 1, "gp"
        if self.param_grid and self.param_grid != [{}]:
            self._list_the_grid()
        return super().fit(X, y, **params)

    def _list_the_grid(self):
        distributions = read_distributions(self.param_grid)
        space = distributions.space
        points = {_key(distributions.translate(space.params(p))): p for p in space.enumerate()}
        rows = list(dict.fromkeys(map(_key, ParameterGrid(self.param_grid))))
        self.n_iter, self.strategy = len(rows), _InOrder([points[row] for row in rows])


def _key(params):
    return repr(sorted(params.items(), key=repr))


def _load():
    spec = importlib.util.find_spec(SUITE)
    module = importlib.util.module_from_spec(spec)
    originals = {
        name: getattr(sklearn.model_selection, name)
        for name in ("RandomizedSearchCV", "GridSearchCV")
    }
    sklearn.model_selection.RandomizedSearchCV = RandomizedSearchCV
    sklearn.model_selection.GridSearchCV = GridSearchCV
    try:
        sys.modules[SUITE] = module  # where its classes are looked for when unpickled
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # marks that only scikit-learn's own set-up knows
            spec.loader.exec_module(module)
    finally:
        for name, original in originals.items():
            setattr(sklearn.model_selection, name, original)
    return module


NO_SEARCH = "runs no search: tests ParameterGrid, ParameterSampler or a helper of cv_results_"
ORDER = "expects a certain order of the sampled params, which the strategy decides"
ARRAY_API = "array libraries other than NumPy are not taken"
CALLBACKS = (
    "the experimental callbacks of scikit-learn 1.9 are not taken; the study reports instead"
)

REPEATED = "gives the same candidate several times, which is evaluated once here"

LEFT_OUT = {
    "test_validate_parameter_input": NO_SEARCH,
    "test_parameter_grid": NO_SEARCH,
    "test_param_sampler": NO_SEARCH,
    "test_parameters_sampler_replacement": NO_SEARCH,
    "test_yield_masked_array_for_each_param": NO_SEARCH,
    "test_yield_masked_array_no_runtime_warning": NO_SEARCH,
    "test_search_cv_results_rank_tie_breaking": ORDER,
    "test_search_with_2d_array": ORDER,
    "test_search_cv_timing": f"{ORDER}; and a wall time",
    "test_array_api_search_cv_classifier": ARRAY_API,
    "test_search_callbacks_no_propagation": CALLBACKS,
    "test_search_callbacks_propagation": CALLBACKS,
    "test_search_callbacks_receive_sample_weight": CALLBACKS,
    "test_search_callbacks_receive_search_instance": CALLBACKS,
    "test_search_callbacks_with_partial_fit_failures": CALLBACKS,
    "test_custom_run_search": "tests the hook _run_search of BaseSearchCV",
    "test__custom_fit_no_run_search": "tests the hook _run_search of BaseSearchCV",
    "test_grid_search_bad_param_grid": "a single value is taken as fixed; ours: test_refusals",
    "test_predict_proba_disabled": "searches no parameter at all, which is refused",
    "test_grid_search_classifier_all_fits_fail": REPEATED,
    "test_callable_multimetric_clf_all_fits_fail": REPEATED,
    "test_grid_search_cv_splits_consistency": REPEATED,
    "test_grid_search_failing_classifier": "counts folds after one that gives NaN: not run here",
    "test_unsupported_sample_weight_scorer": "its first scorer fails every fit, which is refused",
    "test_search_cv_verbose_3": "expects the very lines that scikit-learn prints for each fold",
}

_suite = _load()
_named = {name: value for name, value in vars(_suite).items() if name.startswith("test_")}
globals().update({name: value for name, value in _named.items() if name not in LEFT_OUT})

# What the tests of scikit-learn do not care about, in code of theirs and of ours.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{reason}")
    for reason in (
        # they search two or three choices with the default budget, in which one is as good as ten
        "The total space of parameters:UserWarning",
        # they fit hard problems in one iteration, and score folds of one row or of one class
        "Liblinear failed to converge:sklearn.exceptions.ConvergenceWarning",
        "R.2 score is not well-defined:sklearn.exceptions.UndefinedMetricWarning",
        "Precision is ill-defined:sklearn.exceptions.UndefinedMetricWarning",
        "One or more of the test scores are non-finite:UserWarning",
        "divide by zero encountered in log:RuntimeWarning",
    )
]


@pytest.mark.skipif(not sklearn.__version__.startswith("1.9."), reason="names of another version")
def test_what_is_left_out_exists():
    assert set(LEFT_OUT) <= set(_named)
