"""A study as ``cv_results_``, and the report of the fits that failed.

Everything is read from the trials, so a search that was continued from its file has the results
of the uninterrupted one.
"""

import math
import statistics
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.exceptions import FitFailedWarning

from gpsearch.errors import InvalidObjectiveError, InvalidSearchError
from gpsearch.evaluation import FoldResult, told_apart
from gpsearch.objective.estimator_fold import SINGLE
from gpsearch.study import Trial

Results = dict[str, Any]


class RowTypeError(InvalidSearchError, TypeError):
    """A callable ``refit`` did not return an integer."""


class RowIndexError(InvalidSearchError, IndexError):
    """A callable ``refit`` returned an integer that is not a row of ``cv_results_``."""


def cv_results(
    trials: Sequence[Trial],
    params: Sequence[Mapping[str, Any]],
    *,
    n_splits: int,
    metrics: Sequence[str],
    metric: str,
    return_train_score: bool,
    error_score: Any = math.nan,
) -> Results:
    """Trials as scikit-learn shows them, ddof 0; folds not run are `error_score` or NaN."""
    missing = math.nan if error_score == "raise" else error_score
    whole = np.array([trial.state != "stopped" for trial in trials])
    results: Results = {}
    for name, seconds in (("fit_time", _fit_seconds), ("score_time", _score_seconds)):
        values = _by_fold(trials, n_splits, seconds, math.nan)
        results[f"mean_{name}"] = values.mean(axis=1)
        results[f"std_{name}"] = values.std(axis=1)
    results |= _masked(params)
    results["params"] = [dict(p) for p in params]
    for name in metrics:
        score = partial(_score, name=None if name == metric else name)
        _store(results, f"test_{name}", _by_fold(trials, n_splits, score, missing), whole)
        results[f"rank_test_{name}"] = _ranks(results[f"mean_test_{name}"])
        if return_train_score:
            score = partial(_train_score, name=name)
            values = _by_fold(trials, n_splits, score, math.nan)
            _store(results, f"train_{name}", values, whole, _train_scores_remedy(trials))
    return results


def metric_names(trials: Sequence[Trial]) -> list[str]:
    """Names of the metrics that the folds record: ["score"] for a single one.

    A fold that failed before any was scored knows one name at most.
    """
    recorded = (list(fold.metrics) for trial in trials for fold in trial.folds)
    return max(recorded, key=len, default=[]) or [SINGLE]


def select_best(refit: Any, results: Results, metric: str) -> int:
    """Row of the best configuration: the first of rank 1, or what a callable `refit` returns."""
    if not callable(refit):
        return int(results[f"rank_test_{metric}"].argmin())
    index = refit(results)
    if not isinstance(index, int | np.integer):
        raise RowTypeError(
            f"best_index_ returned is not an integer: {index!r}. The callable must return a row of "
            "cv_results_."
        ).about("refit", refit)
    if not 0 <= index < len(results["params"]):
        raise RowIndexError(
            f"best_index_ index out of range: {index!r}, where cv_results_ has "
            f"{len(results['params'])} rows."
        ).about("refit", refit)
    return int(index)


def report_failures(trials: Sequence[Trial], n_splits: int, error_score: Any) -> None:
    """Warn about fits that failed; raise where all did."""
    reasons: Counter[str] = Counter()
    tracebacks: dict[str, str] = {}
    not_run = 0
    for trial in trials:
        reasons.update(fold.error for fold in trial.folds if fold.error)
        if trial.state == "failed":
            succeeded = sum(math.isfinite(fold.score) for fold in trial.folds)
            scored_badly = len(trial.folds) - succeeded
            reasons[trial.reason] += 0 if scored_badly else 1
            first, *_ = trial.traceback.split("\nThe above exception was the direct cause")
            tracebacks.setdefault(trial.reason, first.rstrip())  # the estimator's own
            not_run += n_splits - succeeded - 1
    reasons = +reasons
    n_failed, total = reasons.total(), len(trials) * n_splits
    if not n_failed:
        return
    details = "\n".join(
        f"{count} fits failed with the following error:\n{tracebacks.get(reason) or reason}"
        for reason, count in reasons.most_common()
    )
    skipped = f" {not_run} more were not tried, since their mean has no score." if not_run else ""
    if n_failed + not_run == total:
        raise InvalidObjectiveError(
            f"GPSearchCV: All the {n_failed} fits failed.{skipped} It is very likely that "
            "your model is misconfigured. error_score='raise' raises the error where it happens.\n"
            f"{details}"
        )
    warnings.warn(
        f"GPSearchCV: {n_failed} fits failed out of a total of {total}.{skipped}\nThe score on "
        f"these train-test partitions for these parameters will be set to {error_score}. If these "
        "failures are not expected, error_score='raise' raises the error where it happens.\n"
        f"{details}",
        FitFailedWarning,
        stacklevel=3,
    )


def _train_scores_remedy(trials: Sequence[Trial]) -> str:
    """What to do where a study's trials were evaluated without train scores; else empty."""
    lack = sum(
        trial.state == "complete"
        and any(not (fold.train_metrics or fold.error) for fold in trial.folds)
        for trial in trials
    )
    if not lack:
        return ""
    return (
        f"\n{lack} of the {len(trials)} trials of the study were evaluated without "
        "return_train_score=True. Give a new study, whose trials all have train scores."
    )


def _fit_seconds(fold: FoldResult) -> float:
    return fold.seconds if fold.fit_seconds is None else fold.fit_seconds


def _score_seconds(fold: FoldResult) -> float:
    return math.nan if fold.score_seconds is None else fold.score_seconds


def _score(fold: FoldResult, name: str | None) -> float:
    return fold.score if fold.error or name is None else fold.metrics.get(name, math.nan)


def _train_score(fold: FoldResult, name: str) -> float:
    return fold.score if fold.error else fold.train_metrics.get(name, math.nan)


def _by_fold(
    trials: Sequence[Trial], n_splits: int, value: Callable[[FoldResult], float], missing: float
) -> np.ndarray:
    """(trials, folds) values; `missing` where a failed trial has none, NaN where another has."""
    table = np.full((len(trials), n_splits), np.nan)
    for row, trial in zip(table, trials, strict=True):
        if trial.state == "failed":
            row[:] = missing
        for fold in trial.folds:
            row[fold.fold] = value(fold)
    return table


def _store(
    results: Results, name: str, values: np.ndarray, whole: np.ndarray, remedy: str = ""
) -> None:
    """Scores of each split, their means and deviations; those of rows that are `whole` have one."""
    for split in range(values.shape[1]):
        results[f"split{split}_{name}"] = values[:, split]
    with np.errstate(invalid="ignore"):  # infinite scores
        means, deviations = values.mean(axis=1), values.std(axis=1)
    finite = np.isfinite(means)  # summed as `Trial.score` is, so that the same trials are tied
    means[finite] = [statistics.fmean(row) for row in values[finite].tolist()]
    if not np.isfinite(means[whole]).all():
        warnings.warn(
            f"One or more of the {name.split('_')[0]} scores are non-finite: {means}{remedy}",
            UserWarning,
            stacklevel=4,
        )
    results[f"mean_{name}"] = means
    results[f"std_{name}"] = deviations


def _ranks(means: np.ndarray) -> np.ndarray:
    """Rank 1 is the greatest mean; NaN shares the last rank."""
    losses = [math.inf if math.isnan(mean) else -told_apart(mean) for mean in means]
    return rankdata(losses, method="min").astype(np.int32)


def _masked(params: Sequence[Mapping[str, Any]]) -> Results:
    """One masked array for each parameter; masked where a row has no such parameter."""
    names = dict.fromkeys(name for row in params for name in row)
    results = {}
    for name in names:
        rows = {index: row[name] for index, row in enumerate(params) if name in row}
        array = np.ma.MaskedArray(np.empty(len(params), dtype=_dtype(list(rows.values()))))
        array[:] = np.ma.masked
        for index, value in rows.items():
            array[index] = value
        results[f"param_{name}"] = array
    return results


def _dtype(values: list[Any]) -> np.dtype:
    """The type that NumPy gives numbers; object for everything else."""
    try:
        array = np.array(values)
    except ValueError:
        return np.dtype(object)
    return array.dtype if array.dtype.kind in "biuf" and array.ndim == 1 else np.dtype(object)


def check_refit(refit: Any, metrics: Sequence[str]) -> None:
    """Raise an InvalidSearchError unless `refit` names which of several metrics decides."""
    named = isinstance(refit, str) and refit in metrics
    if list(metrics) == [SINGLE] or named or not refit or callable(refit):
        return
    raise InvalidSearchError(
        "For multi-metric scoring, the parameter refit must be set to a scorer key or a callable "
        "to refit an estimator with the best parameters; the keys are "
        f"{', '.join(map(repr, metrics))}. Give False for no final fit."
    ).about("refit", refit)
