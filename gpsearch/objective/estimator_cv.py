"""A cross-validated scikit-learn estimator as an objective.

============ ==============================================================================
scorer       what scikit-learn's `check_scoring` makes of `scoring`: one score or several
metric       name of the score that the search maximises; the others are recorded
============ ==============================================================================

In each fold a clone with the configuration is fitted on the training rows and scored on the
held-out rows, as `sklearn.model_selection.cross_validate` does.
"""

import copy
import itertools
import math
import warnings
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from numbers import Integral
from typing import Any, Self

import joblib
import numpy as np
import sklearn
from joblib.parallel import get_active_backend
from sklearn.base import clone, is_classifier
from sklearn.utils import indexable

from gpsearch.arguments import boolean, instance_of, optional
from gpsearch.data.folds import Split, fresh_splitter, in_order
from gpsearch.data.rows import check_lengths, in_parts, n_rows, refuse_masked, rows_text
from gpsearch.described import Described
from gpsearch.errors import FitFailedError, InvalidObjectiveError, TrialFailedError, public
from gpsearch.evaluation import Evaluation, FoldResult, OnFold, Params, run_folds
from gpsearch.identity import Identity
from gpsearch.objective.estimator_arguments import (
    metric_names,
    read_dict,
    read_error_score,
    read_folds,
    read_metric,
    read_scoring,
    refusal,
    scorer_name,
)
from gpsearch.objective.estimator_data import check_features, check_target
from gpsearch.objective.estimator_fold import (
    SINGLE,
    FoldOutcome,
    fit_and_score,
    given,
    hold_back_last,
    last_step,
    seed_estimator,
)
from gpsearch.objective.scoring import score_bounds, shown_name
from gpsearch.space import Space
from gpsearch.training.trainer import TrainingFacts

CHECKED_POINTS = 20  # of the space, whose names and values are tried on a clone
NEW_PROCESS_SECONDS = 9.0  # of the processor, until it has imported TensorFlow


class EstimatorCV(Described):
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
    split_params : dict, optional
        All arguments of the splitter, by name, where it takes others than `groups`.
    fit_params, score_params : dict, optional
        Passed to ``fit`` and to the scorer; an array with n rows is split as X is.
    error_score : "raise" or float, default NaN
        Score of a fold whose fit or score fails. NaN fails the whole trial at once, "raise" too
        and keeps the error in `raised`.
    return_train_score : bool, default False
        Score the training rows as well.
    n_jobs : int, optional
        Folds fitted at once, by joblib.
    pre_dispatch : int or str, default "2*n_jobs"
        Folds sent to joblib's workers ahead of time.
    name : str, optional
        Name shown in the report; by default the class of the estimator.

    Attributes
    ----------
    raised : Exception or None
        The error that ended a trial and would end any other; with ``error_score="raise"`` any
        error.

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

    @public()
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
        split_params: Mapping[str, Any] | None = None,
        fit_params: Mapping[str, Any] | None = None,
        score_params: Mapping[str, Any] | None = None,
        error_score: Any = math.nan,
        return_train_score: bool = False,
        n_jobs: int | None = None,
        pre_dispatch: int | str = "2*n_jobs",
        name: str | None = None,
    ) -> None:
        if isinstance(estimator, type) or not hasattr(estimator, "fit"):
            raise InvalidObjectiveError(
                "must be an estimator with `fit`, such as LogisticRegression(). For a function "
                "that builds a Keras model use KerasCV."
            ).about("estimator", estimator)
        refuse_masked("X", X)
        refuse_masked("y", y)
        self.estimator = estimator
        kind = InvalidObjectiveError
        name = optional(instance_of, "name", name, str, "a text", kind=kind)
        self.name = name or type(last_step(estimator)).__name__
        check_target(estimator, X, y, cv)
        self.X: Any
        self.y: Any
        self.X, self.y = (X, y) if in_parts(X) else indexable(X, y)
        self.n = n_rows(self.X)
        self.cv = cv = list(cv) if isinstance(cv, Iterator) else cv  # which cannot be copied
        optional(instance_of, "groups", groups, Collection, "one label for each row", kind=kind)
        self._split_params = (
            {"groups": groups} if split_params is None else read_dict("split_params", split_params)
        )
        self.folds = self._split(cv)
        self.n_folds = len(self.folds)
        self.measures_work = bool(getattr(last_step(estimator), "measures_work", False))
        self._in_order = in_order(self.folds)
        self.error_score = read_error_score(error_score)
        self.scorer = read_scoring(estimator, scoring, error_score)
        self.metric = read_metric(metric, self.scorer)
        self.fit_params = read_dict("fit_params", fit_params)
        self.score_params = read_dict("score_params", score_params)
        for name, value in [*self.fit_params.items(), *self.score_params.items()]:
            if name.rpartition("__")[2] == "sample_weight" and hasattr(value, "__len__"):
                check_lengths(self.X, **{name: value})
        self.return_train_score = boolean("return_train_score", return_train_score, kind=kind)
        self.n_jobs = optional(instance_of, "n_jobs", n_jobs, Integral, "a whole number", kind=kind)
        self.pre_dispatch = instance_of(
            "pre_dispatch", pre_dispatch, (Integral, str), "a whole number or a text", kind=kind
        )
        self.raised: Exception | None = None
        self._parallel: Any = None

    @public(params="space")
    def validate(self, space: Space) -> None:
        """Set configurations of `space` on clones, and compare X with what they take.

        Raises
        ------
        InvalidObjectiveError
            The estimator has no parameter of a name, or refuses a value; or X holds what no
            configuration takes.
        """
        rng = np.random.default_rng(0)
        points = space.sample(CHECKED_POINTS, rng)
        check_features([self._configured(space.params(point)) for point in points], self.X)

    def evaluate(
        self,
        params: Params,
        *,
        seed: int,
        on_fold: OnFold | None = None,
        done: Sequence[FoldResult] = (),
    ) -> Evaluation:
        """See `Objective.evaluate`; a fold that fails scores a finite `error_score`."""
        known = {result.fold for result in done}
        todo = [fold for fold in range(self.n_folds) if fold not in known]
        with closing(self._outcomes(params, todo, seed)) as outcomes:
            results = map(self._result, todo, outcomes)
            return run_folds(results, on_fold, done)

    def __call__(self, params: Params) -> Evaluation:
        """Evaluate a configuration with seed 0."""
        return self.evaluate(params, seed=0)

    def refit(
        self, params: Params, *, seed: int | None = None, folds: Sequence[FoldResult] = ()
    ) -> Any:
        """Fit a clone with `params` on all the data; with a `seed` as a fold's is seeded."""
        estimator = self._configured(params)
        if seed is not None:
            seed_estimator(estimator, seed, self.n_folds)
        estimator.fit(*given(self.X, self.y), **self.fit_params)
        hold_back_last(estimator, False)
        return estimator

    @property
    def scored_share(self) -> float:
        """Share of the rows that one fold scores."""
        return sum(map(len, self.held_out)) / (self.n_folds * self.n)

    @property
    def score_bounds(self) -> tuple[float, float]:
        """Least and greatest score that the metric gives."""
        return score_bounds(getattr(self.scorer, "_scorers", {}).get(self.metric, self.scorer))

    @property
    def held_out(self) -> list[np.ndarray]:
        """Rows that each fold scores."""
        return [test for _, test in self.folds]

    def with_fresh_folds(self, random_state: int) -> Self:
        """The same objective on splits of another seed; see `KerasCV.with_fresh_folds`."""
        if self.cv is None or isinstance(self.cv, Integral):
            raise InvalidObjectiveError(
                "cannot be split afresh: a number of folds does not shuffle here. Use a splitter "
                "that shuffles, such as StratifiedKFold(5, shuffle=True)."
            ).about("cv", self.cv)
        fresh = copy.copy(self)
        fresh.cv = fresh_splitter(self.cv, random_state)
        fresh.folds = fresh._split(fresh.cv)
        return fresh

    @contextmanager
    def workers(self) -> Iterator[Self]:
        """Keep the processes of `n_jobs`, and their view of X, from one trial to the next."""
        with self._processes() or nullcontext() as self._parallel:
            try:
                yield self
            finally:
                self._parallel = None

    @property
    def rows_text(self) -> str:
        """The data in words, as "569 rows x 30"."""
        return rows_text(self.X)

    def fingerprint(self) -> str:
        """See `Objective.fingerprint`: of data, folds, scoring, estimator, arguments of fit."""
        return self._identity().fingerprint

    def describe(self) -> dict[str, Any]:
        """JSON-ready facts for the record and the report."""
        return {
            "kind": "estimator_cv",
            "name": self.name,
            "estimator": " ".join(repr(self.estimator).split()),
            "data": list(getattr(self.X, "shape", (self.n,))),
            "cv": "splits" if isinstance(self.cv, list) else str(self.cv),
            "n_folds": self.n_folds,
            "scoring": scorer_name(self.scorer, self.metric),
            "score_name": scorer_name(self.scorer, self.metric, shown_name),
            "metrics": [name for name in metric_names(self.scorer) if name != self.metric],
            "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
            "identity": self._identity().to_json(),
        }

    def _title(self) -> str:
        score = scorer_name(self.scorer, self.metric, shown_name)
        return f"EstimatorCV of {self.name}: {self.rows_text}, {self.n_folds} folds, {score}"

    def _facts(self) -> dict[str, str]:
        facts = self.describe()
        return {
            "estimator": facts["estimator"],
            "folds": f"{self.n_folds}, cv={facts['cv']}",
            "also scored": ", ".join(facts["metrics"]),
        }

    def _identity(self) -> Identity:
        return Identity.of(
            {
                "estimator": self.estimator,
                "X": self.X,
                "y": self.y,
                "folds": [list(split) for split in self.folds],
                "scoring": [self.metric, getattr(self.scorer, "_scorers", self.scorer)],
                "fit_params": self.fit_params,
                "score_params": self.score_params,
                "error_score": self.error_score,
            }
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_parallel": None}

    def _split(self, cv: Any) -> list[Split]:
        """The folds of another `cv` on the same rows."""
        classifier = is_classifier(self.estimator)
        return read_folds(cv, self.X, self.y, self.n, self._split_params, classifier)

    def _configured(self, params: Mapping[str, Any]) -> Any:
        """A clone with `params` set; values that are estimators are cloned too."""
        estimator = clone(self.estimator)
        try:
            estimator.set_params(**{k: clone(v, safe=False) for k, v in params.items()})
        except (ValueError, TypeError, AttributeError) as error:
            raise InvalidObjectiveError(refusal(estimator, params, error)) from error
        if self._in_order:
            hold_back_last(estimator, True)
        return estimator

    def _processes(self) -> Any:
        """What runs folds at once; None where they run in this process."""
        if joblib.effective_n_jobs(self.n_jobs) == 1:
            return None
        one_by_one = get_active_backend()[0].supports_return_generator
        return_as = "generator" if one_by_one else "list"
        return joblib.Parallel(self.n_jobs, pre_dispatch=self.pre_dispatch, return_as=return_as)

    def _outcomes(
        self, params: Params, folds: Sequence[int], seed: int
    ) -> Generator[FoldOutcome, None, None]:
        """Fit and score `folds`; where the caller wants no more, quick ones end on their own."""
        parallel = self._parallel or self._processes()
        calls = (
            joblib.delayed(fit_and_score)(
                seed_estimator(self._configured(params), seed, fold),
                self.X,
                self.y,
                self.folds[fold],
                scorer=self.scorer,
                fit_params=self.fit_params,
                score_params=self.score_params,
                return_train_score=self.return_train_score,
                remote=parallel is not None,
            )
            for fold in folds
        )
        if parallel is None:
            yield from (function(*args, **kwargs) for function, args, kwargs in calls)
            return
        wanted, seconds = True, 0.0
        outcomes = parallel(itertools.takewhile(lambda _: wanted, calls))
        try:
            for outcome in outcomes:
                seconds = outcome.fit_seconds
                yield outcome
        finally:
            wanted = False
            if seconds < NEW_PROCESS_SECONDS:
                for _ in outcomes:
                    pass
            elif isinstance(outcomes, Generator):  # new processes take less than these folds
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", message=".*have been cancelled")
                    outcomes.close()

    def _result(self, fold: int, outcome: FoldOutcome) -> FoldResult:
        stands_in = isinstance(self.error_score, float) and math.isfinite(self.error_score)
        if outcome.error is not None and not stands_in:
            if self.error_score == "raise" or isinstance(outcome.error, InvalidObjectiveError):
                self.raised = outcome.error
            kind = TrialFailedError if outcome.found else FitFailedError
            raise kind(f"fold {fold}: {outcome.sentence}") from outcome.error
        names = self._names(outcome)
        stand_in = {name: self.error_score for name in names}
        scores = {**stand_in, **outcome.test}
        several = names != [SINGLE]
        metric = self.metric if several and self.metric is not None else next(iter(scores))
        if metric not in scores:
            self.raised = InvalidObjectiveError(
                "For multi-metric scoring, the parameter refit must be set to a scorer key or a "
                f"callable to refit; the scorer returned {', '.join(map(repr, scores))}."
            ).about("metric", metric)
            raise self.raised
        facts = outcome.facts if isinstance(outcome.facts, TrainingFacts) else None
        train = {**stand_in, **outcome.train} if self.return_train_score else {}
        return FoldResult(
            fold=fold,
            score=float(scores[metric]),
            metrics={name: float(v) for name, v in scores.items()} if several else {},
            train_metrics={name: float(value) for name, value in train.items()},
            seconds=outcome.fit_seconds + outcome.score_seconds,
            fit_seconds=outcome.fit_seconds,
            score_seconds=outcome.score_seconds,
            held_out=len(self.folds[fold][1]),
            error=outcome.sentence,
            **({"trainer": "fit"} if facts is None else vars(facts)),
        )

    def _names(self, outcome: FoldOutcome) -> list[str]:
        """Names of all metrics; those of a callable are known when it has returned."""
        if outcome.test:
            self._returned = list(outcome.test)
        known = metric_names(self.scorer)
        return known or getattr(self, "_returned", None) or [self.metric or SINGLE]
