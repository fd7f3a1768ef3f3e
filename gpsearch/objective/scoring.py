"""Scorers by name or callable, checked before any training."""

import contextlib
import difflib
import functools
import inspect
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer, get_scorer_names, make_scorer
from sklearn.pipeline import Pipeline

from gpsearch.data.rows import Parts
from gpsearch.data.target import Target
from gpsearch.errors import InvalidObjectiveError, TrialFailedError, renaming
from gpsearch.evaluation import UNBOUNDED
from gpsearch.training.fitted import FittedNetwork

OTHER_NAMES = {
    "neg_mean_squared_error": ("mse", "mean_squared_error", "loss"),
    "neg_root_mean_squared_error": ("rmse", "root_mean_squared_error"),
    "neg_mean_absolute_error": ("mae", "mean_absolute_error"),
    "neg_mean_absolute_percentage_error": ("mape", "mean_absolute_percentage_error"),
    "neg_mean_squared_log_error": ("msle", "mean_squared_logarithmic_error"),
    "neg_log_loss": (
        *("log_loss", "logloss", "crossentropy", "cross_entropy", "binary_crossentropy"),
        *("categorical_crossentropy", "sparse_categorical_crossentropy", "loss"),
    ),
    "neg_brier_score": ("brier", "brier_score"),
    "roc_auc": ("auc", "rocauc", "auroc"),
    "average_precision": ("ap", "pr_auc", "auprc"),
    "accuracy": (
        *("acc", "accuracy", "accuracy_score", "binary_accuracy", "categorical_accuracy"),
        "sparse_categorical_accuracy",
    ),
    "f1": ("f1_score",),
    "r2": ("r2_score", "r_squared"),
    "matthews_corrcoef": ("mcc",),
}
"""What scikit-learn names a scorer, and what Keras and users call it."""

OF_CLASSES = {"roc_auc": "roc_auc_ovr"} | {
    name: f"{name}_macro" for name in ("f1", "precision", "recall", "jaccard")
}
"""Scorers of two classes, and what takes more."""

SHARES = {
    f"{name}_score"
    for name in (
        *("accuracy", "balanced_accuracy", "top_k_accuracy", "average_precision", "roc_auc"),
        *("f1", "precision", "recall", "jaccard"),
    )
}
"""Metrics that lie between 0 and 1."""
AT_MOST_1 = SHARES | {"r2_score", "explained_variance_score", "matthews_corrcoef"}


class Scoring:
    """The metric of the search, and further ones that are only recorded; see `KerasCV`."""

    def __init__(self, scoring: Any, metrics: Any, target: Target) -> None:
        if scoring is None:
            if target.kind == "several":
                raise InvalidObjectiveError(
                    "a model with several outputs has no default score. Give a callable "
                    "(estimator, X, y) -> float; estimator.predict(X) returns all outputs."
                ).about("scoring", None)
            scoring = "accuracy" if target.is_classification else "r2"
        self.identity = scoring
        """The metric of the search: its name, which scikit-learn knows, or the scorer given."""
        self.scorer = read_scorer(scoring)
        self._score = _of_view(scoring)
        self.name = scoring if isinstance(scoring, str) else callable_name(scoring)
        named = metrics = without_set(metrics)
        if isinstance(metrics, list | tuple) and all(isinstance(m, str) for m in metrics):
            named = {name: name for name in metrics}
        if not isinstance(named, Mapping):
            raise InvalidObjectiveError(
                'must be a list of names, such as ["accuracy"], or a dict of name to scorer.'
            ).about("metrics", metrics)
        with renaming(scoring="metrics"):
            self.metrics = {name: _of_view(one) for name, one in named.items()}

    @property
    def shown_name(self) -> str:
        """Name of the score, shown to users."""
        return self.name if isinstance(self.identity, str) else shown_name(self.scorer)

    def score(self, view: FittedNetwork, X: Parts, y: Any) -> float:
        """The score of a trained network on rows it has not seen; raises where it is not finite."""
        value = self._score(view, X, y)
        try:
            score = float(value)
        except (TypeError, ValueError):
            raise InvalidObjectiveError(f"returned {type(value).__name__}, not a number.").about(
                "scoring", self.name
            ) from None
        if not math.isfinite(score):
            raise TrialFailedError(f"the score {self.name} is {score} on the scored fold")
        return score

    def check(self, view: FittedNetwork, X: Parts, y: Any) -> None:
        """Score a network that is not trained, to see whether it gives what the scorers need.

        The rows hold each label of a fold's.
        """
        with _explained("scoring", self.name, view, y):
            score = float(self._score(view, X, y))
        if math.isnan(score) and from_sklearn(self.scorer):
            held = ", ".join(map(repr, np.unique(y)[:5].tolist()))
            raise InvalidObjectiveError(
                f"is nan whatever a network predicts, where a fold scores only y = {held}. Use "
                "fewer folds, a splitter that stratifies, or another metric."
            ).about("scoring", self.name)
        for name, scorer in self.metrics.items():
            with _explained("metrics", name, view, y):
                float(scorer(view, X, y))

    def further(self, view: FittedNetwork, X: Parts, y: Any) -> dict[str, float]:
        """The further metrics by name; NaN where one fails."""
        values = {}
        for name, scorer in self.metrics.items():
            try:
                values[name] = float(scorer(view, X, y))
            except Exception as error:  # whatever a scorer of the user's own may raise
                warnings.warn(
                    f"Scoring failed: {name} raised {type(error).__name__}: {error}. The score on "
                    "this fold is NaN.",
                    stacklevel=2,
                )
                values[name] = math.nan
        return values


@contextlib.contextmanager
def _explained(argument: str, name: str, view: FittedNetwork, y: Any) -> Iterator[None]:
    """Say of an error what the scorer of this name needs, whatever one of the user's may raise."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        if isinstance(error, InvalidObjectiveError) and error.argument == "outputs":
            raise
        hint = ""
        if isinstance(error, AttributeError) and not hasattr(view, "predict_proba"):
            hint = (
                " The model gives no probabilities: its last layer is neither sigmoid nor "
                "softmax, and its loss is not from_logits=True. If its outputs are "
                'probabilities or logits all the same, say so: outputs="logits".'
            )
        elif view.target.kind == "multiclass" and name in OF_CLASSES:
            hint = f" For more than two classes write {OF_CLASSES[name]!r}."
        elif view.target.kind == "regression" and np.ndim(y) > 1:
            hint = ' Where y holds labels, give task="classification", or a callable scoring.'
        raise InvalidObjectiveError(f"cannot score this model: {error}.{hint}").about(
            argument, name
        ) from error


def score_bounds(scorer: Any) -> tuple[float, float]:
    """Least and greatest score, of a scorer that scikit-learn names and of its own `score`.

    Infinite where they are not known.

    >>> score_bounds(get_scorer("roc_auc")), score_bounds(get_scorer("neg_log_loss"))
    ((0.0, 1.0), (-inf, 0.0))
    """
    estimator = getattr(scorer, "_estimator", None)  # whose own `score` this is
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    method = getattr(type(estimator), "score", None)
    if method is ClassifierMixin.score:
        return 0.0, 1.0
    if method is RegressorMixin.score:
        return -math.inf, 1.0
    what = lambda one: [getattr(one, f"_{part}", None) for part in ("score_func", "sign", "kwargs")]  # noqa: E731
    if all(what(scorer) != what(get_scorer(name)) for name in get_scorer_names()):
        return UNBOUNDED  # other arguments or another sign may mean another range
    if scorer._sign < 0:
        return -math.inf, 0.0
    name = scorer._score_func.__name__
    return (0.0 if name in SHARES else -math.inf), (1.0 if name in AT_MOST_1 else math.inf)


def from_sklearn(scorer: Any) -> bool:
    """Whether a scorer computes a metric of scikit-learn's."""
    metric = getattr(scorer, "_score_func", None)
    return getattr(metric, "__module__", "").startswith("sklearn.metrics.")


def _of_view(scoring: Any) -> Callable[[FittedNetwork, Parts, Any], Any]:
    """The scorer; only one given by its name gets numbers in place of the user's labels."""
    scorer = read_scorer(scoring)
    return functools.partial(score_by_name, scorer) if isinstance(scoring, str) else scorer


def score_by_name(scorer: Any, view: FittedNetwork, X: Parts, y: Any, **params: Any) -> Any:
    """Call a scorer of scikit-learn's, which takes numbered classes and one or two axes of y."""
    target = view.target
    if target.kind == "several":
        return scorer(view, X, y, **params)
    if target.classes is not None:
        if not np.isin(y, target.classes).all():  # a label that the training rows lack
            return scorer(view, X, y, **params)
        y = np.searchsorted(target.classes, y).ravel()
        scorer = _of_classes(scorer, y, len(target.classes))
    elif y.ndim > 2:
        y = y.ravel() if target.is_classification else y.reshape(len(y), -1)
    return scorer(view.for_scorers(), X, y, **params)


def _of_classes(scorer: Any, y: np.ndarray, n_classes: int) -> Any:
    """A scorer of probabilities that is told of all classes, where y lacks some of them."""
    metric = getattr(scorer, "_score_func", None)
    response = getattr(scorer, "_response_method", None)
    told = "labels" in inspect.signature(metric).parameters if metric else False
    if not told or response == "predict" or len(np.unique(y)) == n_classes:
        return scorer
    options = {**scorer._kwargs, "labels": np.arange(n_classes)}
    return make_scorer(
        metric, response_method=response, greater_is_better=scorer._sign > 0, **options
    )


def read_scorer(scoring: Any) -> Any:
    """The scorer of a name, or the callable given; raises where it is neither."""
    if isinstance(scoring, str):
        names = get_scorer_names()
        if scoring not in names:
            bare = scoring.lower().replace("-", "_").replace(" ", "_").removeprefix("val_")
            if meant := [repr(name) for name, others in OTHER_NAMES.items() if bare in others]:
                is_loss, wanted = meant[0].startswith("'neg_"), " or ".join(meant)
                raise InvalidObjectiveError(
                    "a score is greater when better, and this is a loss. Write its negative, "
                    f"{wanted}."
                    if is_loss
                    else f"scikit-learn names it {wanted}. Write that name; the rows that each "
                    "fold holds out are scored."
                ).about("scoring", scoring)
            close = difflib.get_close_matches(scoring, names, n=3)
            hint = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
            raise InvalidObjectiveError(
                f"no scikit-learn scorer has this name. {hint}sklearn.metrics.get_scorer_names() "
                "lists them all."
            ).about("scoring", scoring)
        return get_scorer(scoring)
    if not callable(scoring):
        raise InvalidObjectiveError(
            "must be a scorer name or a callable (estimator, X, y) -> float."
        ).about("scoring", scoring)
    if getattr(scoring, "__module__", "").startswith("sklearn.metrics.") and inspect.isfunction(
        scoring
    ):
        raise InvalidObjectiveError(
            "this is a metric of (y_true, y_pred), not a scorer. Give its name, or "
            f"sklearn.metrics.make_scorer({scoring.__name__})."
        ).about("scoring", scoring.__name__)
    return scoring


def without_set(scoring: Any) -> Any:
    """Names in a list where they are given as a set, whose order differs between processes."""
    return sorted(scoring, key=str) if isinstance(scoring, set | frozenset) else scoring


def callable_name(scorer: Any) -> str:
    """Name of a scorer, shown in the report; "score" for the estimator's own."""
    if type(scorer).__name__ == "_PassthroughScorer":
        return "score"
    function = getattr(scorer, "_score_func", scorer)
    return str(getattr(function, "__name__", type(function).__name__))


def shown_name(scorer: Any) -> str:
    """scikit-learn's name of a scorer; of another its `callable_name`, negated where it is so.

    >>> from sklearn.metrics import get_scorer
    >>> shown_name(get_scorer("neg_log_loss")), shown_name(get_scorer("accuracy"))
    ('neg_log_loss', 'accuracy')
    """
    if not hasattr(scorer, "_score_func"):
        return callable_name(scorer)
    facts = ("_score_func", "_sign", "_kwargs", "_response_method")
    own = [getattr(scorer, fact, None) for fact in facts]
    for name in get_scorer_names():
        if [getattr(get_scorer(name), fact, None) for fact in facts] == own:
            return str(name)
    return f"{'neg_' if getattr(scorer, '_sign', 1) < 0 else ''}{callable_name(scorer)}"
