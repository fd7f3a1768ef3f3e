"""`GPSearchCV`: a Bayesian search with the face of scikit-learn's `RandomizedSearchCV`."""

from __future__ import annotations

import contextlib
import copy
import math
import os
import time
from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import RandomizedSearchCV
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from gpsearch.analysis import best_ensemble
from gpsearch.described import one_line
from gpsearch.errors import InvalidSearchError, public
from gpsearch.model_selection.best_estimator import (
    has,
    of_best,
    require_refitted,
    visible_estimator,
)
from gpsearch.model_selection.distributions import Distributions, read_distributions
from gpsearch.model_selection.model_subject import ModelSubject
from gpsearch.model_selection.results import (
    cv_results,
    metric_names,
    report_failures,
    select_best,
)
from gpsearch.model_selection.routing import router, score_arguments
from gpsearch.model_selection.search_run import run_search
from gpsearch.model_selection.subjects import (
    EstimatorSubject,
    check_arguments,
    is_model_function,
    wants_ensemble,
)
from gpsearch.objective.estimator_arguments import read_scoring
from gpsearch.objective.estimator_fold import SINGLE

if TYPE_CHECKING:
    from gpsearch.study import Study

Subject = EstimatorSubject | ModelSubject


class GPSearchCV(MetaEstimatorMixin, BaseEstimator):
    """Search for the best configuration of an estimator by Bayesian optimisation.

    `RandomizedSearchCV` with a Gaussian process in place of random draws: same arguments, same
    attributes, fewer fits.

    Parameters
    ----------
    estimator : estimator or function
        Any scikit-learn estimator or Pipeline; or a function that returns a compiled Keras model,
        which is then cross-validated by `KerasCV`.
    param_distributions : dict, list of dicts, or Space
        From parameter name to a list of choices, a frozen scipy.stats distribution, or a
        dimension (``gs.Real``, ``gs.Integer``, ``gs.Categorical``). A single number, string or
        boolean, which `RandomizedSearchCV` refuses, is that value in every configuration. Of a
        list of dicts, each configuration takes one.
    n_iter : int, default 50
        Most configurations to evaluate; a smaller finite space ends the search earlier.
    scoring : str, callable, list, tuple, dict or None, default None
        As in scikit-learn. Of several, the search maximises the one that `refit` names, or the
        first where `refit` is a callable or False; the others are recorded.
    n_jobs : int, optional
        Folds of one configuration fitted at once, by joblib; -1 for all cores. Over a model
        function, trials trained at once, each in a process of its own.
    refit : bool, "ensemble", str or callable, default True
        Fit the best configuration on all the data. Over a model function, "ensemble" fits the
        average of several where that gains; see `Study.best_ensemble`. Another string names the
        metric that decides; a callable takes ``cv_results_`` and returns the row to take.
    cv : int, splitter, iterable or None, default None
        As in scikit-learn: None is 5 folds, stratified for a classifier. All configurations are
        scored on the same folds.
    verbose : int, default 0
        1 shows a progress bar and a line for each failed trial, or where no bar can be drawn a line
        for each trial; 2 a line for each trial beside the bar. With 0, one warning at the end
        reports all failed fits.
    pre_dispatch : int or str, default "2*n_jobs"
        Folds of one configuration that joblib sends to the processes of `n_jobs` in advance.
        Ignored over a model function: a trial starts when a process is free.
    random_state : int, RandomState or Generator, optional
        Seed of the search.
    error_score : "raise" or float, default NaN
        Score of a fit that fails. With NaN the trial's other folds are not tried, and the search
        avoids similar configurations.
    return_train_score : bool, default False
        Score the training rows, too.
    strategy : str or Strategy, default "gp"
        What proposes configurations; see `gpsearch.search`.
    n_initial_points : int, optional
        Configurations evaluated before the first model is fitted.
    optimum_prior : "by_name", dict or None, default "by_name"
        Where good values are expected, first and softly; see `gpsearch.search`.
    cost : "work", "seconds" or None, default "work"
        What a fit costs; see `gpsearch.search`. Only a model function's work is known: where fits
        of other estimators differ much in time, "seconds" spends a given time better.
    racing : "paired", callable or None, default None
        Ends a configuration after folds that show that it loses, which saves time; see
        `gpsearch.search`. In ``cv_results_`` the scores of its other splits and their mean are NaN,
        and its rank is the last. None scores every configuration on all splits.
    keep_predictions : bool or float, default True
        Whether ``study_`` keeps the held-out predictions, in at most so many megabytes; see
        `gpsearch.search`.
    confirm : bool or float, default True
        Score the best configurations again on fresh splits, where `cv` is a splitter that shuffles:
        ``StratifiedKFold(5, shuffle=True)``. `best_index_` then is that of the winner, which need
        not have the greatest mean; ``study_.confirmation`` says what score to expect on new data.
        Not where `refit` is a callable. See `gpsearch.search`.
    baseline : dict, optional
        The settings that you had before, tried first; ``study_.confirmation`` says by how much the
        winner is better.
    study : path, optional
        File of the record: an interrupted ``fit`` continues from there. It holds names in place of
        choices such as estimators, functions or dicts. A folder (one that exists, or a name that
        ends in "/") has a file for each data, as where ``cross_val_score`` fits a search on each of
        its folds.
    timeout : float, optional
        Seconds after which no trial starts.
    epochs, batch_size, patience, callbacks, preprocess : optional
        For a model function only: as in `KerasCV`; `callbacks` as in `KerasClassifier`.
    validation_fraction, monitor_fold, outputs, max_parameters : optional
        For a model function only, as in `KerasCV`. For weights of the classes, search over
        ``KerasClassifier(create_model, class_weight=...)``.
    task : {"classification", "regression"}, optional
        For a model function only: what y holds; by default read from y. Give it where the search
        itself is cross-validated, since scikit-learn then asks for the task before it passes y.

    Attributes
    ----------
    study_ : Study
        The record behind the search: trials, plots, report.
    cv_results_ : dict of arrays
    best_params_, best_score_, best_index_
        Of the best row of ``cv_results_``. No `best_score_` where `refit` is a callable.
    best_estimator_ : estimator
        Fitted on all the data.
    scorer_, n_splits_, refit_time_, multimetric_, classes_, n_features_in_, feature_names_in_
        As in scikit-learn.

    Raises
    ------
    InvalidSearchError, InvalidSpaceError, InvalidObjectiveError
        From ``fit``, when an argument breaks a rule; each is a ValueError.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GPSearchCV(SVC(), {"C": loguniform(1e-2, 1e3), "gamma": loguniform(1e-4, 1e1)},
    ...                     n_iter=12, cv=3, random_state=0).fit(X, y)
    >>> bool(search.best_score_ > 0.97), sorted(search.best_params_)
    (True, ['C', 'gamma'])
    """

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 50,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Any = None,
        error_score: Any = math.nan,
        return_train_score: bool = False,
        strategy: Any = "gp",
        n_initial_points: int | None = None,
        optimum_prior: Any = "by_name",
        cost: Any = "work",
        racing: Any = None,
        keep_predictions: bool | float = True,
        confirm: bool | float = True,
        baseline: Any = None,
        study: str | os.PathLike[str] | None = None,
        timeout: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        patience: int | None = None,
        callbacks: Any = None,
        validation_fraction: float | None = None,
        preprocess: Any = None,
        monitor_fold: bool | None = None,
        outputs: str | None = None,
        max_parameters: int | None = None,
        task: str | None = None,
    ) -> None:
        self.estimator = estimator
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.cv = cv
        self.verbose = verbose
        self.pre_dispatch = pre_dispatch
        self.random_state = random_state
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.strategy = strategy
        self.n_initial_points = n_initial_points
        self.optimum_prior = optimum_prior
        self.cost = cost
        self.racing = racing
        self.keep_predictions = keep_predictions
        self.confirm = confirm
        self.baseline = baseline
        self.study = study
        self.timeout = timeout
        self.epochs = epochs
        self.batch_size = batch_size
        self.patience = patience
        self.callbacks = callbacks
        self.validation_fraction = validation_fraction
        self.preprocess = preprocess
        self.monitor_fold = monitor_fold
        self.outputs = outputs
        self.max_parameters = max_parameters
        self.task = task

    @public(
        create_model="estimator",
        space="param_distributions",
        dimensions="param_distributions",
        n_calls="n_iter",
        metric="refit",
        metrics="scoring",
    )
    def fit(self, X: Any, y: Any = None, **params: Any) -> GPSearchCV:
        """Search, and fit the best configuration on all the data.

        Parameters
        ----------
        X : array-like, data frame, sparse matrix or list, n rows
        y : array-like, optional
        **params
            ``groups`` for the splitter, ``sample_weight`` and others for the estimator; split
            with X where they hold n rows. With metadata routing, as requested.

        Returns
        -------
        GPSearchCV
            Itself.
        """
        check_arguments(self)
        kind = ModelSubject if is_model_function(self.estimator) else EstimatorSubject
        subject = kind(self, X, y, params)
        distributions = read_distributions(self.param_distributions)
        with subject.working():
            study = run_search(self, subject, distributions)
        study.objective = None  # it holds X, which a fitted estimator does not
        self.study_ = study
        self.scorer_ = subject.scorer
        self.n_splits_ = subject.objective.n_folds
        self._read_results(study, distributions, subject.metrics)
        if self.refit:
            started = time.perf_counter()
            self.best_estimator_ = (
                self._ensemble(study, subject, distributions, X)
                if wants_ensemble(self)
                else subject.refit(X, y, self.best_params_, self._best_trial)
            )
            self.refit_time_ = time.perf_counter() - started
            if hasattr(self.best_estimator_, "feature_names_in_"):
                self.feature_names_in_ = self.best_estimator_.feature_names_in_
        return self

    def score(self, X: Any, y: Any = None, **params: Any) -> float:
        """Score of the best estimator on the given data, by the metric that decided.

        Parameters
        ----------
        X, y : as in `fit`
        **params
            For the scorer, with metadata routing.
        """
        require_refitted(self, "score")
        check_is_fitted(self)
        scorer = self._deciding(self.scorer_)
        data = (X,) if y is None else (X, y)
        return self._deciding(scorer(self.best_estimator_, *data, **score_arguments(self, params)))

    def _deciding(self, several: Any) -> Any:
        """Of several scorers or scores that of the metric that decided; a single one as it is."""
        if not isinstance(several, dict):
            return several
        return several[self.refit if isinstance(self.refit, str) else next(iter(several))]

    predict = of_best("predict")
    predict_proba = of_best("predict_proba")
    predict_log_proba = of_best("predict_log_proba")
    decision_function = of_best("decision_function")
    score_samples = of_best("score_samples")
    transform = of_best("transform")
    inverse_transform = of_best("inverse_transform")

    @property
    def classes_(self) -> Any:
        """Class labels of the best estimator."""
        has(self, "classes_")
        return self.best_estimator_.classes_

    @property
    def n_features_in_(self) -> int:
        """Number of features seen during ``fit``."""
        try:
            check_is_fitted(self)
        except NotFittedError as error:
            raise AttributeError("GPSearchCV object has no n_features_in_ attribute.") from error
        return self.best_estimator_.n_features_in_

    def __str__(self) -> str:
        """As scikit-learn's repr; once it is fitted, what it found as well, and less of that."""
        if "study_" not in vars(self):
            return repr(self)
        return "\n".join([one_line(repr(self)), *str(self.study_).splitlines()[1:]])

    # a notebook shows it as scikit-learn's own searches
    _sk_visual_block_ = RandomizedSearchCV._sk_visual_block_

    def get_metadata_routing(self) -> Any:
        """Where ``fit`` and ``score`` send metadata, as scikit-learn's routing has it."""
        return router(self, read_scoring(self.estimator, self.scoring, self.error_score))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(visible_estimator(self))
        known = self.task or not is_model_function(self.estimator) or "study_" in vars(self)
        tags.estimator_type = inner.estimator_type if known else None
        tags.classifier_tags = copy.deepcopy(inner.classifier_tags)
        tags.regressor_tags = copy.deepcopy(inner.regressor_tags)
        tags.target_tags = copy.deepcopy(inner.target_tags)
        tags.input_tags.pairwise = inner.input_tags.pairwise
        tags.input_tags.sparse = inner.input_tags.sparse
        return tags

    def _ensemble(
        self, study: Study, subject: Subject, distributions: Distributions, X: Any
    ) -> Any:
        objective = copy.copy(subject.objective)
        objective.refit = lambda params, **options: subject.objective.refit(
            distributions.translate(params), **options
        )
        ensemble: Any = best_ensemble(study, objective)
        if len(getattr(X, "shape", ())) == 2:
            ensemble.n_features_in_ = X.shape[1]
            with contextlib.suppress(TypeError):  # not all names are texts
                validate_data(ensemble, X, skip_check_array=True)  # notes the names
        return ensemble

    def _read_results(
        self, study: Study, distributions: Distributions, metrics: list[str] | None
    ) -> None:
        trials = study.ended
        if not trials:
            raise InvalidSearchError(
                "no configuration was evaluated in that time. Give a longer one."
            ).about("timeout", self.timeout)
        report_failures(trials, self.n_splits_, self.error_score)
        names = metric_names(trials) if metrics is None else metrics
        self.multimetric_ = names != [SINGLE]
        metric = self.refit if self.multimetric_ and isinstance(self.refit, str) else names[0]
        self.cv_results_ = cv_results(
            trials,
            [distributions.translate(trial.params) for trial in trials],
            n_splits=self.n_splits_,
            metrics=names,
            metric=metric,
            return_train_score=self.return_train_score,
            error_score=self.error_score,
        )
        if self.refit or not self.multimetric_:
            self.best_index_ = select_best(self.refit, self.cv_results_, metric)
            confirmed = study.confirmation
            if confirmed is not None and confirmed.winner is not None:
                numbers = [trial.number for trial in trials]
                self.best_index_ = numbers.index(confirmed.winner)
            self.best_params_ = self.cv_results_["params"][self.best_index_]
            self._best_trial = trials[self.best_index_]
            if not callable(self.refit):
                self.best_score_ = self.cv_results_[f"mean_test_{metric}"][self.best_index_]
