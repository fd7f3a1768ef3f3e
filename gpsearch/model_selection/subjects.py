"""What `GPSearchCV` searches over: a scikit-learn estimator, or a function to a Keras model.

A subject makes the objective of the search and fits the best configuration on all the data. The
one of a model function is in `model_subject`.
"""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import joblib
import numpy as np
from sklearn.utils import get_tags

from gpsearch.arguments import boolean, is_whole, kind_of_thing, refusal, whole
from gpsearch.errors import InvalidSearchError
from gpsearch.model_selection.model_subject import TRAINING
from gpsearch.model_selection.results import check_refit, metric_names
from gpsearch.model_selection.routing import route
from gpsearch.objective.estimator_arguments import read_error_score, read_scoring
from gpsearch.objective.estimator_cv import EstimatorCV


class EstimatorSubject:
    """A scikit-learn estimator or Pipeline, of a `GPSearchCV` and the arguments of its ``fit``."""

    objective: Any
    """The objective of the search; it takes params of the estimator."""
    scorer: Any
    """A scorer, or a dict of them."""
    metrics: list[str] | None
    """Names of the metrics, ["score"] for a single one; None where only the folds hold them."""
    trials_at_once: int | None = 1
    """Folds run in parallel, not trials, so that each proposal uses the last score."""

    def __init__(self, search: Any, X: Any, y: Any, params: Mapping[str, Any]) -> None:
        scorer = read_scoring(search.estimator, search.scoring, search.error_score)
        several = getattr(scorer, "_scorers", None)
        if several is not None:
            check_refit(search.refit, list(several))
        if y is None and get_tags(search.estimator).target_tags.required:
            raise InvalidSearchError(
                f"{type(search.estimator).__name__} requires y to be passed, but the target y is "
                "None."
            ).about("y", None)
        self._refit = search.refit
        named = isinstance(search.refit, str)
        self.scorer = scorer if several is None else several
        self.metrics = None if several is None else list(several)
        self.objective = EstimatorCV(
            search.estimator,
            X,
            y,
            cv=search.cv,
            **route(search, scorer, params),
            scoring=scorer,
            metric=search.refit if named else None,
            error_score=search.error_score,
            return_train_score=search.return_train_score,
            n_jobs=search.n_jobs,
            pre_dispatch=search.pre_dispatch,
        )

    def working(self) -> AbstractContextManager[Any]:
        """Context that the search runs in."""
        return self.objective.workers()

    def error(self, trials: list[Any]) -> Exception | None:
        """The error that ends the search after `trials`; None while it continues."""
        raised = self.objective.raised
        if self.metrics is None and raised is None:  # a callable's names are known when it returned
            try:
                check_refit(self._refit, metric_names(trials))
            except InvalidSearchError as error:
                return error
        # Of a setting that only some configurations have, the others do not raise.
        one_of_many = any(trial.state == "complete" for trial in trials)
        return None if one_of_many and self.objective.error_score != "raise" else raised

    def refit(self, X: Any, y: Any, params: Mapping[str, Any], trial: Any) -> Any:
        """Fit `params`, which `trial` evaluated, on all the data."""
        return self.objective.refit(dict(params))


def is_model_function(estimator: Any) -> bool:
    """Whether `estimator` is a function to a Keras model."""
    return callable(estimator) and not hasattr(estimator, "fit")


def wants_ensemble(search: Any) -> bool:
    """Whether a `GPSearchCV` fits an ensemble; of several metrics, one may have that name."""
    several = isinstance(search.scoring, list | tuple | set | Mapping)
    return isinstance(search.refit, str) and search.refit == "ensemble" and not several


def check_arguments(search: Any) -> None:
    """Check the arguments of a `GPSearchCV` before anything is fitted."""
    what = kind_of_thing(search.estimator)
    if what in ("a class", "a Keras model") or not (what or callable(search.estimator)):
        raise InvalidSearchError(
            f"{what and f'is {what}; it '}must be an estimator with `fit`, or a function that "
            "returns a compiled Keras model."
        ).about("estimator", search.estimator)
    of_model = [name for name in (*TRAINING, "task") if getattr(search, name) is not None]
    if of_model and not is_model_function(search.estimator):
        name = of_model[0]
        raise InvalidSearchError(
            "is for a function that returns a Keras model; "
            f"{type(search.estimator).__name__} has settings of its own. Set it there."
        ).about(name, getattr(search, name))
    if isinstance(search.scoring, list | tuple | set | Mapping) and not len(search.scoring):
        raise InvalidSearchError(
            "Empty list was given; name at least one metric, or give None for the estimator's "
            "own score."
        ).about("scoring", search.scoring)
    whole("n_iter", search.n_iter, 1)
    if not isinstance(search.refit, bool | np.bool_ | str) and not callable(search.refit):
        raise InvalidSearchError(
            "must be True, False, the name of a metric, or a callable that takes cv_results_ and "
            "returns the best row."
        ).about("refit", search.refit)
    if wants_ensemble(search):
        if not is_model_function(search.estimator):
            raise InvalidSearchError(
                "needs a function that returns a Keras model, whose networks become one. Give it "
                "in place of the estimator, or refit=True."
            ).about("refit", "ensemble")
        if search.keep_predictions is False:
            raise InvalidSearchError(
                'leaves no held-out predictions to choose by, which refit="ensemble" needs. Leave '
                "it out."
            ).about("keep_predictions", False)
    if search.n_jobs is not None and (not is_whole(search.n_jobs) or search.n_jobs == 0):
        wanted = "a whole number other than 0 (-1 is one for each core)"
        raise refusal(InvalidSearchError, "n_jobs", search.n_jobs, wanted, also="None")
    if not isinstance(search.verbose, bool):
        whole("verbose", search.verbose, 0)
    boolean("return_train_score", search.return_train_score)
    read_error_score(search.error_score)
    pre_dispatch = search.pre_dispatch
    positive = is_whole(pre_dispatch) and pre_dispatch > 0
    if not positive and not (isinstance(pre_dispatch, str) and _joblib_reads(pre_dispatch)):
        raise InvalidSearchError(
            "must be a positive integer, 'all', or a text such as '2*n_jobs', as joblib reads it."
        ).about("pre_dispatch", pre_dispatch)
    if search.study is not None and not isinstance(search.study, str | os.PathLike):
        raise InvalidSearchError(
            "must be the path of a file, or None; an open Study cannot be cloned with its "
            "estimator. Give its path."
        ).about("study", search.study)


def _joblib_reads(pre_dispatch: str) -> bool:
    """Whether joblib takes the text; it reads it when it is called, even with no work."""
    calls = (joblib.delayed(abs)(value) for value in range(0))
    try:
        joblib.Parallel(2, backend="threading", pre_dispatch=pre_dispatch)(calls)
    except ValueError:
        return False
    return True
