"""The arguments of `EstimatorCV`, read and refused before anything is fitted."""

import difflib
import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring

from gpsearch.arguments import instance_of, is_number, optional
from gpsearch.data.folds import Split, read_splits, read_splitter
from gpsearch.data.rows import in_parts
from gpsearch.errors import GPSearchError, InvalidObjectiveError
from gpsearch.objective.estimator_fold import SINGLE
from gpsearch.objective.scoring import callable_name, read_scorer, without_set


def read_folds(
    cv: Any, X: Any, y: Any, n: int, given: Mapping[str, Any], classifier: bool
) -> list[Split]:
    """Row numbers of all folds, split once; a fold that scores training rows gets a warning."""
    labels = None if in_parts(y) else y
    rows = np.zeros((n, 1)) if in_parts(X) else X
    splitter = read_splitter(cv, labels, classifier=classifier)
    try:
        splits = read_splits(list(splitter.split(rows, labels, **given)), n)
        declared = splitter.get_n_splits(rows, labels, **given)
    except GPSearchError:
        raise
    except (ValueError, TypeError) as error:
        raise InvalidObjectiveError(f"cannot split X: {error}").about("cv", cv) from error
    if declared != len(splits):
        raise InvalidObjectiveError(
            f"cv.split and cv.get_n_splits return inconsistent results. Expected {declared} "
            f"splits, got {len(splits)}"
        ).about("cv", cv)
    shared = [index for index, split in enumerate(splits) if np.intersect1d(*split).size]
    if shared:
        warnings.warn(
            f"cv: fold {shared[0]} scores rows that it also trains on, so its score is optimistic.",
            UserWarning,
            stacklevel=5,
        )
    return splits


def read_dict(argument: str, value: Any) -> dict[str, Any]:
    """Arguments by name; none for None."""
    kind = InvalidObjectiveError
    return dict(optional(instance_of, argument, value, Mapping, "a dict", kind=kind) or {})


def read_error_score(error_score: Any) -> Any:
    """Read a number, or "raise"."""
    if error_score == "raise":
        return error_score
    if is_number(error_score):
        return float(error_score)
    raise InvalidObjectiveError("must be a number or 'raise'.").about("error_score", error_score)


def read_scoring(estimator: Any, scoring: Any, error_score: Any) -> Any:
    """The scorer, or scikit-learn's scorer of several metrics."""
    scoring = without_set(scoring)
    several = scoring if isinstance(scoring, list | tuple) else [scoring]
    for one in scoring.values() if isinstance(scoring, Mapping) else several:
        if one is not None:
            read_scorer(one)
    return check_scoring(estimator, scoring, raise_exc=error_score == "raise")


def read_metric(metric: str | None, scorer: Any) -> str | None:
    """Name of the metric to maximise; None for a callable, whose names are not known yet."""
    names = metric_names(scorer)
    optional(instance_of, "metric", metric, str, "the name of a score", kind=InvalidObjectiveError)
    if not names:
        return metric
    if names == [SINGLE]:
        return SINGLE
    if metric is not None and metric not in names:
        raise InvalidObjectiveError(f"is not scored; the metrics are {names}.").about(
            "metric", metric
        )
    return names[0] if metric is None else metric


def metric_names(scorer: Any) -> list[str]:
    """Names of several scorers; [SINGLE] for one; [] for a plain callable, which may give both."""
    several = getattr(scorer, "_scorers", None)
    if isinstance(several, dict):
        return list(several)
    return [] if inspect.isfunction(scorer) or not hasattr(scorer, "_sign") else [SINGLE]


def scorer_name(scorer: Any, metric: str | None, name: Callable[[Any], str] = callable_name) -> str:
    """Name of what is maximised, as studies hold it."""
    if getattr(scorer, "_scorers", None):
        return str(metric)
    return name(scorer)


def refusal(estimator: Any, params: Mapping[str, Any], error: Exception) -> str:
    """Why the estimator does not take a configuration, with the names that may be meant."""
    valid = [str(name) for name in estimator.get_params(deep=True)]
    unknown = [name for name in params if name not in valid and name.split("__")[0] not in valid]
    if not unknown:
        return f"{type(estimator).__name__} refuses {dict(params)!r}: {error}"
    folded = {name.lower(): name for name in valid}
    close = [folded[n] for n in difflib.get_close_matches(unknown[0].lower(), folded, n=3)]
    tails = [name for name in valid if name.endswith(f"__{unknown[0]}")]
    hint = "" if "Did you mean" in str(error) else " or ".join(map(repr, tails or close))
    return f"{f'Did you mean {hint}? ' if hint else ''}{error}"
