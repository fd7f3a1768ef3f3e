"""A function to a Keras model as what `GPSearchCV` searches over."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import get_scorer

from gpsearch.data.folds import in_order, read_splitter
from gpsearch.data.rows import without_lists
from gpsearch.data.target import read_target
from gpsearch.errors import InvalidObjectiveError, InvalidSearchError
from gpsearch.estimators.keras_estimator import KerasClassifier, KerasRegressor
from gpsearch.estimators.parameter_names import OVERRIDABLE, given_settings
from gpsearch.model_selection.results import check_refit
from gpsearch.objective import KerasCV
from gpsearch.objective.estimator_fold import SINGLE
from gpsearch.objective.scoring import score_by_name, without_set
from gpsearch.training.model_function import TRAINING_NAMES
from gpsearch.training.trainer import epochs_to_refit

if TYPE_CHECKING:
    from gpsearch.study import Trial

TRAINING = (
    *("epochs", "batch_size", "patience", "callbacks", "validation_fraction", "preprocess"),
    *("monitor_fold", "outputs", "max_parameters"),
)
"""Arguments of `GPSearchCV` for a model function only; None where not given."""


class ModelSubject:
    """A ``create_model`` function, cross-validated by `KerasCV`; see `EstimatorSubject`."""

    def __init__(self, search: Any, X: Any, y: Any, params: Mapping[str, Any]) -> None:
        if search.return_train_score:
            raise InvalidSearchError(
                "must be False over a model function, whose training rows are not scored; or "
                "search over KerasClassifier(create_model)."
            ).about("return_train_score", True)
        if y is None:
            raise InvalidObjectiveError(
                "a model function requires y to be passed, but the target y is None."
            ).about("y", None)
        X, y = without_lists(X, y)
        given = {name: getattr(search, name) for name in TRAINING} | _training(params)
        self._given = {name: value for name, value in given.items() if value is not None}
        self._create_model = search.estimator
        self._sample_weight = params.get("sample_weight")
        scorers = _scorers(without_set(search.scoring))
        if len(scorers) > 1:
            check_refit(search.refit, list(scorers))
        named = search.refit in scorers if isinstance(search.refit, str) else False
        metric = search.refit if named else next(iter(scorers))
        several = not isinstance(search.scoring, str | type(None)) and not callable(search.scoring)
        self.metrics: list[str] | None = list(scorers) if several else [SINGLE]
        self.objective: Any = KerasCV(
            search.estimator,
            X,
            y,
            cv=_splitter(search, y),
            scoring=scorers[metric],
            metrics={name: one for name, one in scorers.items() if name != metric},
            groups=params.get("groups"),
            sample_weight=self._sample_weight,
            task=search.task,
            **self._given,
        )
        if search.refit and search.refit != "ensemble":  # what it cannot fit is not searched for
            self._estimator({}).check_rows(X, y)
        self.trials_at_once: int | None = search.n_jobs
        self._raises = search.error_score == "raise"
        read = {**scorers, metric: self.objective.scoring.scorer}
        if self.objective.target.kind != "several":
            read |= {
                name: ScorerByName(get_scorer(read[name]))
                for name, given in scorers.items()
                if isinstance(given, str | None)
            }
        self.scorer = read if several else read[metric]

    def working(self) -> AbstractContextManager[Any]:
        """See `EstimatorSubject.working`."""
        return contextlib.nullcontext()

    def error(self, trials: list[Trial]) -> Exception | None:
        """See `EstimatorSubject.error`."""
        for trial in trials:
            if self._raises and trial.state == "failed":
                return InvalidObjectiveError(
                    f"trial {trial.number} failed: {trial.reason}\n{trial.traceback}"
                ).about("error_score", "raise")
        return None

    def refit(self, X: Any, y: Any, params: Mapping[str, Any], trial: Trial) -> Any:
        """See `EstimatorSubject.refit`; trains for the median of the folds' best epochs."""
        estimator = self._estimator(params)
        estimator.random_state = trial.seed
        if (epochs := epochs_to_refit(trial.folds)) is not None:
            callbacks = self.objective.callbacks.make
            estimator.set_params(epochs=epochs, patience=None, callbacks=callbacks)
        estimator.rows_in_order = in_order([(f.train, f.test) for f in self.objective.folds])
        estimator.planned = self.objective._settings_of(params)
        estimator.fit(X, y, sample_weight=self._sample_weight)
        estimator.rows_in_order, estimator.planned = False, None
        return estimator

    def _estimator(self, params: Mapping[str, Any]) -> Any:
        """The estimator of a configuration, not fitted."""
        kind = KerasClassifier if self.objective.target.is_classification else KerasRegressor
        own = {*kind._get_param_names()} - {*TRAINING_NAMES}
        create_model: Any = self._create_model
        if of_model := {name: value for name, value in params.items() if name in own}:
            # The estimator has arguments of these names itself.
            create_model = functools.partial(create_model, **of_model)
            create_model.__name__ = self.objective.model_function.name
        given = {name: v for name, v in self._given.items() if name in {*own, *TRAINING_NAMES}}
        others = {name: value for name, value in params.items() if name not in of_model}
        return kind(create_model, **{**given, **others})


class ScorerByName:
    """A scorer for a fitted `KerasClassifier`, with labels numbered as scorers of two want them."""

    def __init__(self, scorer: Any) -> None:
        self.scorer = scorer

    def __call__(self, estimator: Any, X: Any, y: Any, **params: Any) -> float:
        """Score of `estimator`, whose labels y holds."""
        features = estimator._features(X)
        labels = estimator.network_.target.as_labels(y)
        return score_by_name(self.scorer, estimator.network_, features, labels, **params)

    def __repr__(self) -> str:
        return repr(self.scorer)


def _training(params: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of the training among the arguments of ``fit``, by the names of Keras's ``fit``."""
    known = {*OVERRIDABLE, "validation_split", "verbose", "groups", "sample_weight"}
    if unknown := sorted(set(params) - known):
        raise TypeError(
            f"GPSearchCV.fit over a model function does not take {unknown[0]!r}; it takes X, y, "
            f"{', '.join(sorted(known))}."
        )
    settings = given_settings(params)
    if params.get("validation_split"):
        raise InvalidSearchError(
            "the search holds back rows of each training fold for early stopping alone. Leave it "
            "out, and give GPSearchCV(patience=..., validation_fraction=...), or search over "
            "KerasClassifier(create_model)."
        ).about("validation_split", params["validation_split"])
    return {name: settings[name] for name in OVERRIDABLE if name in settings}


def _scorers(scoring: Any) -> dict[str, Any]:
    """Scorers by name, as `KerasCV` takes them."""
    if isinstance(scoring, Mapping):
        return dict(scoring)
    if isinstance(scoring, list | tuple):
        return {name: name for name in scoring}
    return {SINGLE: scoring}


def _splitter(search: Any, y: Any) -> Any:
    """The splitter that scikit-learn would choose."""
    target = None if isinstance(y, Mapping | tuple) else read_target(y, search.task)
    if target is None:
        return read_splitter(search.cv)
    stratified = target.kind in ("binary", "multiclass")
    return read_splitter(search.cv, np.asarray(target.labels), classifier=stratified)
