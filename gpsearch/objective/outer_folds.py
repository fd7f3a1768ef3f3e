"""An objective on a part of its rows, and what scores a model of it on the others.

The whole of a search then stands on the training rows of an outer fold, as if there were no others.
"""

import copy
import dataclasses
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin, is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import get_scorer

from gpsearch.data.folds import DEFAULT_FOLDS, Split, in_order
from gpsearch.data.rows import in_parts, take
from gpsearch.errors import InvalidObjectiveError
from gpsearch.objective.estimator_cv import EstimatorCV
from gpsearch.objective.estimator_fold import (
    SINGLE,
    features_of_rows,
    last_step,
    params_of_rows,
    rows_of,
    score_rows,
)
from gpsearch.objective.keras_cv import KerasCV
from gpsearch.objective.scoring import callable_name, from_sklearn

Outer = tuple[Any, Callable[[Any], float]]
"""The objective on the training rows of an outer fold, and the score of a model on the others."""


def outer_folds(objective: Any, cv: Any) -> list[Outer]:
    """Split the rows of an objective by `cv`, as the objective itself would."""
    part: Callable[[Any, np.ndarray, np.ndarray], Outer]
    split: Callable[[Any, Any], list[Split]]
    if isinstance(objective, KerasCV):
        part, split = _networks, _split_networks
    elif isinstance(objective, EstimatorCV):
        part, split = _estimators, EstimatorCV._split
    else:
        raise InvalidObjectiveError(
            "must be a KerasCV or an EstimatorCV, whose rows can be set aside."
        ).about("objective", objective)
    if isinstance(objective.cv, list | tuple):
        raise InvalidObjectiveError(
            "its cv holds row numbers, which a part of the rows does not have. Give it a number of "
            "folds or a splitter."
        ).about("objective", objective)
    folds = split(objective, cv)
    _check_scored(objective, folds, cv)
    outer = []
    for index, (train, test) in enumerate(folds, start=1):
        inner, score = part(objective, train, test)
        inner.name = f"outer fold {index} of {len(folds)}, {objective.name}"
        outer.append((inner, score))
    return outer


def _check_scored(objective: Any, folds: list[Split], cv: Any) -> None:
    """Refuse rows set aside that a metric of scikit-learn's gives no score, even a constant."""
    if isinstance(objective, KerasCV):
        target, scorer = objective.target, objective.scoring.scorer
        classes, y = target.is_classification, target.encoded
    else:
        scorer = getattr(objective.scorer, "_scorers", {}).get(objective.metric, objective.scorer)
        classes, y = is_classifier(objective.estimator), objective.y
        own = getattr(type(last_step(objective.estimator)), "score", None)
        if callable_name(scorer) == "score" and own is RegressorMixin.score:
            scorer = get_scorer("r2")
    if y is None or in_parts(y) or not from_sklearn(scorer):
        return
    y, constant = np.asarray(y), DummyClassifier() if classes else DummyRegressor()

    def reason(rows: Any) -> str:
        """Why these rows have no score; empty where they have one."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = float(scorer(constant.fit(y, y), y[rows], y[rows]))
        except Exception as error:  # of scikit-learn's
            return f"raises {type(error).__name__}: {error}"
        return "" if math.isfinite(value) else f"is {value}"

    if reason(slice(None)):  # labels of a kind that the constant does not predict
        return
    for index, (_, test) in enumerate(folds, start=1):
        if says := reason(test):
            alone = ", all of one class," if classes and len(np.unique(y[test])) == 1 else ""
            raise InvalidObjectiveError(
                f"the {len(test)} rows that outer fold {index} of {len(folds)} sets aside{alone} "
                f"cannot be scored: {callable_name(scorer)} {says.rstrip('.')}. Give fewer or "
                "stratified outer folds, or another scoring."
            ).about("cv", cv)


def _split_networks(objective: KerasCV, cv: Any) -> list[Split]:
    outer = copy.copy(objective)
    outer.cv = DEFAULT_FOLDS if cv is None else cv
    outer._split()
    return [(fold.train, fold.test) for fold in outer.folds]


def _networks(objective: KerasCV, train: np.ndarray, test: np.ndarray) -> Outer:
    inner, target, n = copy.copy(objective), objective.target, len(train)
    inner.X, inner.n = take(objective.X, train), n
    inner.target = dataclasses.replace(  # the classes stay, also one that these rows lack
        target,
        **{
            name: take(value, train)
            for name in ("labels", "encoded", "numbers")
            if (value := getattr(target, name)) is not None
        },
    )
    for name in ("_groups", "sample_weight"):
        if (value := getattr(objective, name)) is not None:
            setattr(inner, name, np.asarray(value)[train])
    inner._split()

    def score(model: Any) -> float:
        labels = take(target.labels, test)
        return objective.scoring.score(model, take(objective.X, test), labels)

    return inner, score


def _estimators(objective: EstimatorCV, train: np.ndarray, test: np.ndarray) -> Outer:
    inner, X, y, n = copy.copy(objective), objective.X, objective.y, objective.n
    inner.X, inner.y, inner.n = (
        features_of_rows(objective.estimator, X, train, train),
        rows_of(y, train),
        len(train),
    )
    for name in ("fit_params", "score_params", "_split_params"):
        setattr(inner, name, params_of_rows(getattr(objective, name), train, n))
    inner.folds = inner._split(objective.cv)
    inner.n_folds, inner._in_order = len(inner.folds), in_order(inner.folds)

    def score(model: Any) -> float:
        rows = features_of_rows(objective.estimator, X, test, train), rows_of(y, test)
        given = params_of_rows(objective.score_params, test, n)
        scores = score_rows(model, *rows, objective.scorer, given)
        if list(scores) == [SINGLE] or objective.metric is None:
            return next(iter(scores.values()))
        return scores.get(objective.metric, math.nan)

    return inner, score
