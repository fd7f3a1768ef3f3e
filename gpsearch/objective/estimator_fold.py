"""One fold of a scikit-learn estimator: fitted on the training rows, scored on the others.

Rows are taken from X, or from its memory map in a worker process, when a fold needs them.
"""

import copy
import numbers
import time
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing, get_tags

from gpsearch.data.folds import Split
from gpsearch.data.rows import in_parts, n_rows, take
from gpsearch.errors import FitFailedError, InvalidObjectiveError, TrialFailedError

SINGLE = "score"  # name of the only metric, as ``cv_results_`` has it


@dataclass(frozen=True, kw_only=True)
class FoldOutcome:
    """One fold, fitted and scored."""

    test: dict[str, float] = field(default_factory=dict)
    """Scores of the held-out rows by name; without those that failed."""
    train: dict[str, float] = field(default_factory=dict)
    """Scores of the training rows."""
    fit_seconds: float
    """Wall time of the fit."""
    score_seconds: float = 0.0
    """Wall time of scoring the held-out rows."""
    error: Exception | None = None
    """What the fit, or the only score, raised."""
    sentence: str = ""
    """The error in one line; empty without."""
    found: bool = False
    """Whether the error is of this configuration, as where a network diverged; others may do."""
    facts: Any = None
    """Learning curves and best epoch, where the last step is a network of ours."""


def hold_back_last(estimator: Any, whether: bool) -> None:
    """Tell every Keras estimator in `estimator` to hold back its last rows, or random ones."""
    for part in [estimator, *estimator.get_params(deep=True).values()]:
        if hasattr(part, "rows_in_order") and not isinstance(part, type):
            part.rows_in_order = whether


def seed_estimator(estimator: Any, seed: int, fold: int) -> Any:
    """`estimator` with a seed in each ``random_state`` that is None."""
    unset = sorted(
        name
        for name, value in estimator.get_params(deep=True).items()
        if value is None and name.split("__")[-1] == "random_state"
    )
    if unset:
        seeds = np.random.SeedSequence(seed, spawn_key=(fold,)).generate_state(len(unset))
        estimator.set_params(
            **{name: int(word >> 1) for name, word in zip(unset, seeds, strict=True)}
        )
    return estimator


def fit_and_score(
    estimator: Any,
    X: Any,
    y: Any,
    split: Split,
    *,
    scorer: Any,
    fit_params: Mapping[str, Any],
    score_params: Mapping[str, Any],
    return_train_score: bool,
    remote: bool,
) -> FoldOutcome:
    """Fit in place on the training rows, and score; an error is part of the outcome."""
    train, test = split
    n = n_rows(X)
    started = time.perf_counter()
    try:
        X_train, y_train = features_of_rows(estimator, X, train, train), rows_of(y, train)
        estimator.fit(*given(X_train, y_train), **params_of_rows(fit_params, train, n))
    except Exception as error:
        return _failure(error, time.perf_counter() - started, remote)
    fitted = time.perf_counter()
    try:
        X_test, y_test = features_of_rows(estimator, X, test, train), rows_of(y, test)
        scores = score_rows(
            estimator, X_test, y_test, scorer, params_of_rows(score_params, test, n)
        )
        scored = time.perf_counter()
        on_train = (
            score_rows(estimator, X_train, y_train, scorer, params_of_rows(score_params, train, n))
            if return_train_score
            else {}
        )
    except Exception as error:
        return _failure(error, fitted - started, remote)
    return FoldOutcome(
        test=scores,
        train=on_train,
        fit_seconds=fitted - started,
        score_seconds=scored - fitted,
        facts=getattr(last_step(estimator), "training_", None),
    )


def given(X: Any, y: Any) -> tuple[Any, ...]:
    """The first arguments of ``fit`` and of a scorer; a y of None is left out."""
    return (X,) if y is None else (X, y)


def score_rows(
    estimator: Any, X: Any, y: Any, scorer: Any, params: Mapping[str, Any]
) -> dict[str, float]:
    """Scores by name; of several, those that failed are left out with a warning."""
    value = scorer(estimator, *given(X, y), **params)
    if not isinstance(value, dict):
        return {SINGLE: _number(value, SINGLE)}
    scores = {}
    for name, score in value.items():
        if isinstance(score, str):  # the traceback, of a multi-metric scorer that went on
            warnings.warn(f"Scoring failed: {name} raised\n{score}", UserWarning, stacklevel=2)
        else:
            scores[name] = _number(score, name)
    return scores


def _number(value: Any, name: str) -> float:
    value = value.item() if hasattr(value, "item") and np.size(value) == 1 else value
    if not isinstance(value, numbers.Number):
        raise InvalidObjectiveError(
            f"scoring must return a number, got {value!r} ({type(value)}) for {name!r}. Return one "
            "number, or a dict of name to number."
        )
    return float(value)  # type: ignore[arg-type]


def features_of_rows(estimator: Any, X: Any, rows: np.ndarray, train: np.ndarray) -> Any:
    """Rows of X; of a square matrix of distances those to the rows `train`."""
    if in_parts(X):
        return take(X, rows)
    if get_tags(estimator).input_tags.pairwise:
        if not hasattr(X, "shape"):
            raise InvalidObjectiveError(
                "Precomputed kernels or affinity matrices have to be passed as arrays or sparse "
                "matrices."
            ).about("X")
        if X.shape[0] != X.shape[1]:
            raise InvalidObjectiveError(
                f"of shape {X.shape}: X should be a square kernel matrix, for the estimator takes "
                "distances or a kernel."
            ).about("X")
        return X[np.ix_(rows, train)]
    return _safe_indexing(X, rows)


def rows_of(values: Any, rows: np.ndarray) -> Any:
    """Rows of y, or of its parts."""
    if values is None:
        return None
    return take(values, rows) if in_parts(values) else _safe_indexing(values, rows)


def params_of_rows(params: Mapping[str, Any], rows: np.ndarray, n: int) -> dict[str, Any]:
    """Arguments of ``fit``, those with one entry for each row split."""
    return {
        name: _safe_indexing(value, rows) if _has_rows(value, n) else value
        for name, value in params.items()
    }


def _has_rows(value: Any, n: int) -> bool:
    if hasattr(value, "shape"):
        return len(value.shape) > 0 and value.shape[0] == n
    return not isinstance(value, str | Mapping) and hasattr(value, "__len__") and len(value) == n


def _failure(error: Exception, fit_seconds: float, remote: bool) -> FoldOutcome:
    """The outcome of a fold that raised; what pickle drops of the error stands beside it."""
    sentence = f"{type(error).__name__}: {' '.join(str(error).split())}"
    found = isinstance(error.__cause__, TrialFailedError)
    if remote:
        text = traceback.format_exc()
        try:
            copy.deepcopy(error)  # made anew as pickle does
        except Exception:  # where it cannot, the processes would end
            error = FitFailedError(sentence)
        error.add_note(text)
    return FoldOutcome(fit_seconds=fit_seconds, error=error, sentence=sentence, found=found)


def last_step(estimator: Any) -> Any:
    """The estimator, or the last one of a Pipeline."""
    steps = getattr(estimator, "steps", None)
    return steps[-1][1] if steps else estimator
