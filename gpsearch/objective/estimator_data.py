"""Data that a scikit-learn estimator cannot be fitted on, found before the first fit.

An estimator says in its tags what it takes (`sklearn.utils.get_tags`). They are read of
scikit-learn's estimators and of those that set tags of their own; one that holds other estimators
is left alone, and so are the steps behind a transformer that may repair X.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import get_tags

from gpsearch.arguments import is_whole
from gpsearch.data.preprocessing import check_preprocess
from gpsearch.data.rows import NUMBERS, check_lengths, in_parts, is_text, named_parts
from gpsearch.data.target import read_target
from gpsearch.errors import InvalidObjectiveError
from gpsearch.objective.estimator_fold import last_step

SCALERS = (  # transformers that keep NaN
    *("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler"),
    *("PowerTransformer", "QuantileTransformer"),
)
TAKES_INFINITY = (
    "HistGradientBoostingClassifier",
    "HistGradientBoostingRegressor",
    "FunctionTransformer",
)
"""Estimators of scikit-learn that take infinity with NaN; the others that allow NaN do not."""


def check_target(estimator: Any, X: Any, y: Any, cv: Any) -> None:
    """Raise where y does not fit X, the estimator, or the folds that a number stands for."""
    if not hasattr(X, "__len__") and not hasattr(X, "__array__") and not hasattr(X, "tocsr"):
        raise InvalidObjectiveError("has no rows. Give an array or a data frame.").about("X", X)
    if hasattr(X, "__len__") and hasattr(y, "__len__"):
        check_lengths(X, y=y)
    last = last_step(estimator)
    if y is None or in_parts(y) or hasattr(y, "tocsr") or not _says_what_it_takes(last):
        return
    labels, tags, name = np.asarray(y), get_tags(last), type(last).__name__
    if labels.size < 2:
        return  # the splitter refuses it
    if np.iscomplexobj(labels):
        raise InvalidObjectiveError("Complex data not supported: y holds complex numbers.").about(
            "y"
        )
    if labels.ndim > 1 and labels.shape[1:] != (1,):
        several = tags.target_tags.multi_output or getattr(
            tags.classifier_tags, "multi_label", False
        )
        if not several:
            raise InvalidObjectiveError(
                f"y has the shape {labels.shape}, and {name} predicts one column. Give one column, "
                "or wrap the estimator in MultiOutputClassifier or MultiOutputRegressor."
            ).about("y")
        return
    if is_regressor(last):
        read_target(labels, "regression")
    if not is_classifier(last):
        return
    target = read_target(labels, "classification")
    if labels.dtype.kind == "f" and (fractions := labels[labels != np.round(labels)]).size:
        raise InvalidObjectiveError(
            f"y holds continuous values such as {fractions.flat[0]}, and {name} predicts classes. "
            "Give classes, or search over a regressor."
        ).about("y")
    counts = np.bincount(target.encoded)
    if (cv is None or is_whole(cv)) and counts.min() == 1:
        lone = np.asarray(target.classes).tolist()[counts.argmin()]
        raise InvalidObjectiveError(
            f"the class {lone!r} of y has a single member, so no fold both trains on it and scores "
            "it. Drop that row, or give cv a splitter of your own."
        ).about("y")


def check_features(estimators: Sequence[Any], X: Any) -> None:
    """Raise where each of `estimators`, configurations of a search, refuses X."""
    held = _held_by(X)
    refusals = [_of_network(estimator, X) or _refusal(estimator, *held) for estimator in estimators]
    if all(refusals):
        raise InvalidObjectiveError(refusals[0]).about("X")


def _held_by(X: Any) -> tuple[int, bool, int, int]:
    """What estimators may refuse in X: axes, text, and how many values are NaN and infinite."""
    holds_text, n_axes, n_missing, n_infinite = False, 2, 0, 0
    for name, part in named_parts(X):
        if hasattr(part, "tocsr"):
            part = part.tocsr().data.reshape(-1, 1)
        elif hasattr(part, "select_dtypes"):
            part = part.select_dtypes("number")
        values = np.empty((0, 0))
        try:
            values = np.asarray(part)
            numbers = values if values.dtype.kind in f"{NUMBERS}c" else values.astype(float)
        except (TypeError, ValueError):  # text, other objects, or rows of different lengths
            holds_text = not hasattr(part, "columns") and is_text(values)
            continue
        n_axes = 2 if name else values.ndim
        if numbers.dtype.kind == "f":
            n_missing += int(np.isnan(numbers).sum())
            n_infinite += int(np.isinf(numbers).sum())
    return n_axes, holds_text, n_missing, n_infinite


def _of_network(estimator: Any, X: Any) -> str:
    """The rule that X breaks for a network with a `preprocess` of its own; empty where none."""
    if hasattr(estimator, "preprocess"):
        try:
            check_preprocess(estimator.preprocess, X)
        except InvalidObjectiveError as error:
            return error.rule if error.argument == "X" else ""
    return ""


def _refusal(estimator: Any, n_axes: int, holds_text: bool, n_missing: int, n_infinite: int) -> str:
    """The rule that X breaks; empty where there is none, or where only a fit can tell."""
    for _, step in getattr(estimator, "steps", [("", estimator)]):
        if step is None or step == "passthrough":
            continue
        tags = get_tags(step)
        if not _says_what_it_takes(step) or tags.no_validation:
            return ""
        name, takes = type(step).__name__, tags.input_tags
        of_sklearn = any(kind.__module__.startswith("sklearn.") for kind in _kinds(step))
        if holds_text and of_sklearn and not (takes.string or takes.categorical):
            return f"X holds text, which {name} does not take. Encode it in a Pipeline."
        if n_axes == 1 and takes.two_d_array and not takes.one_d_array:
            return (
                f"X has one axis, and {name} takes rows of features. For a single feature give "
                "X.reshape(-1, 1)."
            )
        if n_missing and not takes.allow_nan:
            return (
                f"X holds NaN: {n_missing} of its values, which {name} does not take. "
                "Impute or drop them, or begin a Pipeline with SimpleImputer()."
            )
        finite = not takes.allow_nan or (of_sklearn and name not in TAKES_INFINITY)
        if n_infinite and finite:
            return (
                f"X holds infinity: {n_infinite} of its values, which {name} does not take. "
                "Clip them, or drop these rows."
            )
        if name not in SCALERS:
            return ""
    return ""


def _says_what_it_takes(estimator: Any) -> bool:
    """Whether tags are set for this kind of estimator, and it holds no other estimator."""
    return bool(_kinds(estimator)) and not any("__" in name for name in estimator.get_params())


def _kinds(estimator: Any) -> list[type]:
    """Classes of `estimator` that set tags, or that scikit-learn's own tags were written for."""
    return [
        kind
        for kind in type(estimator).__mro__
        if ("__sklearn_tags__" in vars(kind) or kind.__module__.startswith("sklearn."))
        and not re.match(r"sklearn\.(base|utils)|.*\.tests\.", kind.__module__)
    ]
