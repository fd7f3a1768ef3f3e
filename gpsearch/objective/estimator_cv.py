"""A cross-validated scikit-learn estimator as an objective: params to one score for each fold.

============ ==============================================================================
scorer       what scikit-learn's `check_scoring` makes of `scoring`: one score or several
metric       name of the score that the search maximises; the others are recorded
============ ==============================================================================

Every fold is a fresh clone with the params set, fitted on the training rows and scored on the
held-out rows: what `sklearn.model_selection.cross_validate` does, one params after the other.
"""

from __future__ import annotations

import difflib
import hashlib
import inspect
import json
import math
import numbers
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import sklearn
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing, get_tags, indexable

from gpsearch.errors import InvalidObjectiveError, TrialFailedError
from gpsearch.evaluation import Evaluation, FoldResult, OnFold, Params
from gpsearch.objective.data import n_rows, take
from gpsearch.objective.model_function import source_of

if TYPE_CHECKING:
    from gpsearch.space import Space

SINGLE = "score"
"""Name of the only metric, as ``cv_results_`` has it."""

FAILED = "failed: "
"""Opening of `FoldResult.path` where `error_score` stands for a fit that failed."""

CHECKED_POINTS = 20  # of the space, whose names and values are tried on a clone

Split = tuple[np.ndarray, np.ndarray]


class EstimatorCV:
    """Cross-validation of any scikit-learn estimator or Pipeline.

    Parameters
    ----------
    estimator : estimator
        Cloned for every fold. Where one of its ``random_state`` parameters is None, it is seeded
        from the trial's seed, so that an evaluation can be repeated.
    X : array-like, data frame, sparse matrix, list; or dict or tuple of arrays
        Features, n rows.
    y : array-like, optional
        Target; None for an unsupervised estimator.
    cv : int, splitter, iterable of (train, test) or None, default None
        As in scikit-learn: None is 5 folds, stratified for a classifier, unshuffled.
    scoring : str, callable, list, tuple, dict or None, default None
        As in scikit-learn; None is the estimator's own ``score``.
    metric : str, optional
        Which of several scores is maximised; by default the first.
    groups : array-like of length n, optional
        For the splitter.
    fit_params, score_params : dict, optional
        Passed to ``fit`` and to the scorer; an array with n rows is split as X is.
    error_score : "raise" or float, default NaN
        Score of a fold whose fit or score fails. NaN fails the whole trial at once, "raise" too
        and keeps the error in `raised`.
    return_train_score : bool, default False
        Score the training rows as well.
    n_jobs : int, optional
        Folds fitted at once, by joblib.
    name : str, optional
        What a reader of the study is told was tuned; by default the class of the estimator.

    Attributes
    ----------
    raised : Exception or None
        The error that ended a trial and that no other params would mend; with
        ``error_score="raise"`` any error.

    Raises
    ------
    InvalidObjectiveError
        X, y and the folds do not fit together, or `metric` is not scored.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> objective = EstimatorCV(LogisticRegression(max_iter=500), X, y, cv=3)
    >>> round(objective({"C": 1.0}).score, 2)
    0.97
    """

    greater_is_better = True

    def __init__(
        self,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        cv: Any = None,
        scoring: Any = None,
        metric: str | None = None,
        groups: Any = None,
        fit_params: Mapping[str, Any] | None = None,
        score_params: Mapping[str, Any] | None = None,
        error_score: Any = math.nan,
        return_train_score: bool = False,
        n_jobs: int | None = None,
        name: str | None = None,
    ) -> None:
        self.estimator = estimator
        self.name = name or type(_last_step(estimator)).__name__
        in_parts = _in_parts(X)
        self.X: Any
        self.y: Any
        self.X, self.y = (X, y) if in_parts else indexable(X, y)
        self.n = n_rows(self.X) if in_parts else _length(self.X)
        self.cv = cv
        self.folds = _split(cv, self.X, y, self.n, groups, is_classifier(estimator))
        self.n_folds = len(self.folds)
        self.error_score = _read_error_score(error_score)
        self.scorer = check_scoring(estimator, scoring, raise_exc=error_score == "raise")
        self.metric = _read_metric(metric, self.scorer)
        self.fit_params = dict(fit_params or {})
        self.score_params = dict(score_params or {})
        self.return_train_score = bool(return_train_score)
        self.n_jobs = n_jobs
        self.raised: Exception | None = None
        self._parallel: Any = None

    def validate(self, space: Space) -> None:
        """Set params of `space` on a clone.

        Raises
        ------
        InvalidObjectiveError
            The estimator has no parameter of a name, or refuses a value.
        """
        rng = np.random.default_rng(0)
        for point in space.sample(CHECKED_POINTS, rng):
            self._configured(space.params(point))

    def evaluate(
        self,
        params: Params,
        *,
        seed: int,
        on_fold: OnFold | None = None,
        done: Sequence[FoldResult] = (),
    ) -> Evaluation:
        """Fit and score every fold that is not `done`; see `Objective.evaluate`.

        Raises
        ------
        TrialFailedError
            A fit or score failed and `error_score` is no finite number.
        """
        results = {result.fold: result for result in done}
        todo = [fold for fold in range(self.n_folds) if fold not in results]
        for fold, outcome in zip(todo, self._outcomes(params, todo, seed), strict=False):
            results[fold] = result = self._result(fold, outcome)
            if on_fold is not None and on_fold(result) is False:
                break
        return Evaluation(folds=tuple(results[fold] for fold in sorted(results)))

    def __call__(self, params: Params) -> Evaluation:
        """Evaluate `params` with seed 0."""
        return self.evaluate(params, seed=0)

    def refit(self, params: Params, *, seed: int = 0, folds: Sequence[FoldResult] = ()) -> Any:
        """Fit a clone with `params` on all the data.

        Parameters
        ----------
        params : dict
        seed : int
            Not used: an unseeded estimator is fitted as the user would.
        folds : sequence of FoldResult
            Not used: `KerasCV.refit` reads the number of epochs from them.
        """
        return fit(self._configured(params), self.X, self.y, self.fit_params)

    @contextmanager
    def workers(self) -> Iterator[EstimatorCV]:
        """Keep the processes of `n_jobs`, and their view of X, from one trial to the next."""
        if self.n_jobs is None or joblib.effective_n_jobs(self.n_jobs) == 1:
            yield self
            return
        with joblib.Parallel(n_jobs=self.n_jobs, return_as="generator") as parallel:
            self._parallel = parallel
            try:
                yield self
            finally:
                self._parallel = None

    def fingerprint(self) -> str:
        """Hex digest of data, folds, scoring, estimator and arguments of ``fit``."""
        parts = {
            "data": _digest((self.X, self.y, self.fit_params, self.score_params)),
            "folds": _digest(self.folds),
            "scoring": [self.metric, _described(self.scorer)],
            "estimator": _described(self.estimator),
            "error_score": repr(self.error_score),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def describe(self) -> dict[str, Any]:
        """JSON-ready facts for the record and the report."""
        return {
            "kind": "estimator_cv",
            "name": self.name,
            "estimator": " ".join(repr(self.estimator).split()),
            "data": list(getattr(self.X, "shape", (self.n,))),
            "data_fingerprint": _digest(self.X)[:16],
            "cv": "splits" if isinstance(self.cv, list) else str(self.cv),
            "n_folds": self.n_folds,
            "scoring": _scorer_name(self.scorer, self.metric),
            "metrics": [name for name in _metric_names(self.scorer) if name != self.metric],
            "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
        }

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_parallel": None}

    def _configured(self, params: Mapping[str, Any]) -> Any:
        """A clone with `params` set; params that are estimators are cloned too."""
        estimator = clone(self.estimator)
        try:
            return estimator.set_params(**{k: clone(v, safe=False) for k, v in params.items()})
        except (ValueError, TypeError, AttributeError) as error:
            raise InvalidObjectiveError(_unknown_parameter(estimator, params, error)) from error

    def _outcomes(
        self, params: Params, folds: Sequence[int], seed: int
    ) -> Iterator[_Outcome] | Sequence[_Outcome]:
        calls = (
            joblib.delayed(_fit_and_score)(
                _seeded(self._configured(params), seed, fold),
                self.X,
                self.y,
                self.folds[fold],
                scorer=self.scorer,
                fit_params=self.fit_params,
                score_params=self.score_params,
                return_train_score=self.return_train_score,
                remote=self._parallel is not None,
            )
            for fold in folds
        )
        if self._parallel is not None:
            return self._parallel(calls)
        return (function(*args, **kwargs) for function, args, kwargs in calls)

    def _result(self, fold: int, outcome: _Outcome) -> FoldResult:
        if outcome.error is not None and not self._has_stand_in:
            if self.error_score == "raise" or isinstance(outcome.error, InvalidObjectiveError):
                self.raised = outcome.error
            raise TrialFailedError(
                f"fold {fold}: {type(outcome.error).__name__}: {outcome.error}"
            ) from outcome.error
        names = self._names(outcome)
        stand_in = {name: self.error_score for name in names}
        scores = {**stand_in, **outcome.test}
        several = names != [SINGLE]
        metric = self.metric if several and self.metric is not None else next(iter(scores))
        if metric not in scores:
            self.raised = InvalidObjectiveError(
                f"EstimatorCV(metric={metric!r}): For multi-metric scoring, the parameter refit "
                "must be set to a scorer key or a callable to refit; the scorer returned "
                f"{', '.join(map(repr, scores))}."
            )
            raise self.raised
        facts = outcome.facts
        metrics = {"fit_time": outcome.fit_seconds, "score_time": outcome.score_seconds}
        metrics |= scores if several else {}
        if self.return_train_score:
            train = {**stand_in, **outcome.train}
            metrics |= {f"train_{name}": value for name, value in train.items()}
        return FoldResult(
            fold=fold,
            score=float(scores[metric]),
            best_epoch=getattr(facts, "best_epoch", None),
            epochs=getattr(facts, "epochs", None),
            curves=getattr(facts, "curves", {}),
            metrics={name: float(value) for name, value in metrics.items()},
            seconds=outcome.fit_seconds + outcome.score_seconds,
            path=outcome.path if outcome.error is None else f"{FAILED}{_sentence(outcome.error)}",
        )

    @property
    def _has_stand_in(self) -> bool:
        return isinstance(self.error_score, float) and math.isfinite(self.error_score)

    def _names(self, outcome: _Outcome) -> list[str]:
        """Names of all metrics; those of a callable are known when it has returned."""
        if outcome.test:
            self._returned = list(outcome.test)
        known = _metric_names(self.scorer)
        return known or getattr(self, "_returned", None) or [self.metric or SINGLE]


@dataclass(frozen=True, kw_only=True)
class _Outcome:
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
    facts: Any = None
    """Learning curves and best epoch, where the last step is a network of ours."""
    path: str = "fit"
    """How a network was trained."""


def fit(estimator: Any, X: Any, y: Any, fit_params: Mapping[str, Any]) -> Any:
    """Fit in place, without handing over a y that is None."""
    # What `fit` returns is not relied on: not every estimator returns itself.
    if y is None:
        estimator.fit(X, **fit_params)
    else:
        estimator.fit(X, y, **fit_params)
    return estimator


def _fit_and_score(
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
) -> _Outcome:
    train, test = split
    n = n_rows(X) if _in_parts(X) else _length(X)
    started = time.perf_counter()
    try:
        X_train, y_train = _features(estimator, X, train, train), _rows(y, train)
        fit(estimator, X_train, y_train, _rows_of_params(fit_params, train, n))
    except Exception as error:
        seconds = time.perf_counter() - started
        return _Outcome(fit_seconds=seconds, error=_travelling(error, remote))
    fitted = time.perf_counter()
    try:
        X_test, y_test = _features(estimator, X, test, train), _rows(y, test)
        scores = _score(estimator, X_test, y_test, scorer, _rows_of_params(score_params, test, n))
        scored = time.perf_counter()
        on_train = (
            _score(estimator, X_train, y_train, scorer, _rows_of_params(score_params, train, n))
            if return_train_score
            else {}
        )
    except Exception as error:
        seconds = fitted - started
        return _Outcome(fit_seconds=seconds, error=_travelling(error, remote))
    facts = getattr(_last_step(estimator), "training_", None)
    return _Outcome(
        test=scores,
        train=on_train,
        fit_seconds=fitted - started,
        score_seconds=scored - fitted,
        facts=facts,
        path=getattr(facts, "path", "fit"),
    )


def _score(
    estimator: Any, X: Any, y: Any, scorer: Any, params: Mapping[str, Any]
) -> dict[str, float]:
    """Scores by name; of several, those that failed are left out with a warning."""
    value = scorer(estimator, X, **params) if y is None else scorer(estimator, X, y, **params)
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


def _features(estimator: Any, X: Any, rows: np.ndarray, train: np.ndarray) -> Any:
    if _in_parts(X):
        return take(X, rows)
    if get_tags(estimator).input_tags.pairwise:
        if not hasattr(X, "shape"):
            raise InvalidObjectiveError(
                "EstimatorCV(X=...): Precomputed kernels or affinity matrices have to be passed as "
                "arrays or sparse matrices."
            )
        if X.shape[0] != X.shape[1]:
            raise InvalidObjectiveError(
                f"EstimatorCV(X=...) of shape {X.shape}: X should be a square kernel matrix, for "
                "the estimator takes distances or a kernel."
            )
        return X[np.ix_(rows, train)]
    return _safe_indexing(X, rows)


def _rows(values: Any, rows: np.ndarray) -> Any:
    if values is None:
        return None
    return (
        take(values, rows) if isinstance(values, Mapping | tuple) else _safe_indexing(values, rows)
    )


def _rows_of_params(params: Mapping[str, Any], rows: np.ndarray, n: int) -> dict[str, Any]:
    """Arguments of ``fit``, those with one entry for each row split."""
    return {
        name: _safe_indexing(value, rows) if _has_rows(value, n) else value
        for name, value in params.items()
    }


def _has_rows(value: Any, n: int) -> bool:
    if isinstance(value, str | Mapping) or np.ndim(getattr(value, "shape", ())) == 0:
        return False
    if hasattr(value, "shape"):
        return len(value.shape) > 0 and value.shape[0] == n
    return hasattr(value, "__len__") and len(value) == n


def _in_parts(X: Any) -> bool:
    """Whether X is a dict or tuple of arrays; a sparse matrix by keys is a dict, too."""
    return isinstance(X, Mapping | tuple) and not hasattr(X, "tocsr")


def _length(X: Any) -> int:
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def _split(cv: Any, X: Any, y: Any, n: int, groups: Any, classifier: bool) -> list[Split]:
    try:
        labels = None if isinstance(y, Mapping | tuple) else y
        splitter = check_cv(cv, labels, classifier=classifier)
        rows = np.zeros((n, 1)) if _in_parts(X) else X
        splits = list(splitter.split(rows, labels, groups))
    except ValueError as error:
        raise InvalidObjectiveError(f"EstimatorCV(cv={cv!r}) cannot split X: {error}") from error
    if not splits:
        raise InvalidObjectiveError(
            f"EstimatorCV(cv={cv!r}): No fits were performed. Was the CV iterator empty? Were "
            "there no candidates? A generator can be used only once; give a list or a splitter."
        )
    return [(np.asarray(train), np.asarray(test)) for train, test in splits]


def _read_error_score(error_score: Any) -> Any:
    if error_score == "raise":
        return error_score
    if isinstance(error_score, numbers.Real) and not isinstance(error_score, bool):
        return float(error_score)
    raise InvalidObjectiveError(
        f"EstimatorCV(error_score={error_score!r}) must be a number or 'raise'."
    )


def _read_metric(metric: str | None, scorer: Any) -> str | None:
    """Name of the metric to maximise; None where a callable will tell its names."""
    names = _metric_names(scorer)
    if not names:
        return metric
    if names == [SINGLE]:
        return SINGLE
    if metric is not None and metric not in names:
        raise InvalidObjectiveError(
            f"EstimatorCV(metric={metric!r}) is not scored; the metrics are {names}."
        )
    return names[0] if metric is None else metric


def _metric_names(scorer: Any) -> list[str]:
    """Names of several scorers; [SINGLE] for one; [] for a plain callable, which may give both."""
    several = getattr(scorer, "_scorers", None)
    if isinstance(several, dict):
        return list(several)
    return [] if inspect.isfunction(scorer) or not hasattr(scorer, "_sign") else [SINGLE]


def _scorer_name(scorer: Any, metric: str | None) -> str:
    several = getattr(scorer, "_scorers", None)
    if several:
        return str(metric)
    function = getattr(scorer, "_score_func", scorer)
    return str(getattr(function, "__name__", type(function).__name__))


def _seeded(estimator: Any, seed: int, fold: int) -> Any:
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


def _last_step(estimator: Any) -> Any:
    steps = getattr(estimator, "steps", None)
    return steps[-1][1] if steps else estimator


def _travelling(error: Exception, remote: bool) -> Exception:
    """`error` as a value that keeps its traceback, also on its way from another process."""
    if remote:
        error.add_note(traceback.format_exc())
    return error


def _unknown_parameter(estimator: Any, params: Mapping[str, Any], error: Exception) -> str:
    valid = [str(name) for name in estimator.get_params(deep=True)]
    unknown = [name for name in params if name not in valid]
    kind = type(estimator).__name__
    if not unknown:
        return f"{kind} refuses the params {dict(params)!r}: {error}"
    folded = {name.lower(): name for name in valid}
    close = [folded[n] for n in difflib.get_close_matches(unknown[0].lower(), folded, n=3)]
    tails = [name for name in valid if name.endswith(f"__{unknown[0]}")]
    hint = " or ".join(map(repr, tails or close))
    return (
        f"{kind} has no parameter {unknown[0]!r}. {f'Did you mean {hint}? ' if hint else ''}"
        f"Its parameters are {', '.join(sorted(valid))}."
    )


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _digest(value: Any) -> str:
    try:
        return str(joblib.hash(value, hash_name="sha1"))
    except Exception:  # something that cannot be pickled
        return hashlib.sha256(repr(value).encode()).hexdigest()


def _described(thing: Any) -> Any:
    """An estimator, scorer or parameter as JSON that is the same in every process."""
    if isinstance(thing, bool | int | float | str | type(None)):
        return thing
    if isinstance(thing, Mapping):
        return {str(name): _described(value) for name, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [_described(value) for value in thing]
    if isinstance(thing, type):
        return f"{thing.__module__}.{thing.__qualname__}"
    if hasattr(thing, "get_params"):
        return [_described(type(thing)), _described(thing.get_params(deep=False))]
    if inspect.isroutine(thing):
        return _source(thing)
    if hasattr(thing, "_scorers"):
        return _described(thing._scorers)
    if hasattr(thing, "_score_func"):
        kwargs = getattr(thing, "_kwargs", {})
        return [_source(thing._score_func), getattr(thing, "_sign", 1), _described(kwargs)]
    return _digest(thing)


def _source(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__module__', '')}: {source_of(function)}"
