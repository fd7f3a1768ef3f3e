"""What an objective is, and the values it returns.

An objective turns a configuration into one score for each fold. The objective makes these values
and the study stores them; neither imports the other.

=============== =========================================================================
score           the user's metric on one scored fold; greater is better
loss            a score with its sign changed (`flipped`); smaller is better
evaluation      the fold results of one configuration; its score is their mean
=============== =========================================================================
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from gpsearch.arguments import instance_of, is_number, refusal, whole
from gpsearch.described import printable
from gpsearch.errors import InvalidObjectiveError, public

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gpsearch.space import Space

Value = TypeVar("Value", float, "NDArray[np.float64]")

Params = dict[str, Any]
Outputs = Any  # an array, or a dict or list of arrays of a model with several outputs
TIMES = ("fit_seconds", "score_seconds", "work")  # of a fold, which may be unknown
UNBOUNDED = -math.inf, math.inf
"""Between which the scores of a metric lie of which nothing is known."""
OnFold = Callable[["FoldResult"], bool | None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """What a fold's model predicts for the rows that it was not trained on."""

    rows: NDArray[np.intp]
    """Numbers of these rows in X, from 0; shape (n,)."""
    n_rows: int
    """Rows of X."""
    outputs: Outputs
    """Shape (n, outputs): probabilities of the classes (of the second of two, in one column), the
    network's own outputs where it gives no probabilities, or quantities."""


def map_outputs(function: Callable[..., Any], *outputs: Outputs) -> Outputs:
    """Apply `function` to each array of one or several outputs of equal structure.

    >>> map_outputs(max, {"a": 1, "b": 5}, {"a": 3, "b": 2})
    {'a': 3, 'b': 5}
    """
    first = outputs[0]
    if isinstance(first, Mapping):
        return {name: function(*(one[name] for one in outputs)) for name in first}
    if isinstance(first, list):
        return [function(*parts) for parts in zip(*outputs, strict=True)]
    return function(*outputs)


def parts_of(outputs: Outputs) -> list[Any]:
    """The arrays of outputs."""
    if isinstance(outputs, Mapping):
        return list(outputs.values())
    return outputs if isinstance(outputs, list) else [outputs]


@dataclass(frozen=True, kw_only=True)
class FoldResult:
    """The outcome of training on one fold's training part and scoring its held-out part."""

    fold: int
    """Index of the fold, from 0."""
    score: float
    """The metric on the held-out part; greater is better."""
    best_epoch: int | None = None
    """Epoch (from 1) whose weights were scored; None where there are no epochs."""
    epochs: int | None = None
    """Epochs run before training ended; None where there are no epochs."""
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict, repr=False)
    """Learning curves by name ("loss", "val_loss", ...), one value for each epoch run."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """The user's metrics on the held-out part, by name, where there are several."""
    train_metrics: Mapping[str, float] = field(default_factory=dict)
    """Scores of the training part by metric, where they were asked for."""
    seconds: float = 0.0
    """Wall time of this fold."""
    fit_seconds: float | None = None
    """Wall time of training; None where it was not measured apart."""
    score_seconds: float | None = None
    """Wall time of scoring the held-out part; None where it was not measured apart."""
    work: float | None = None
    """Work of this fold in reference seconds: what it takes on one core of the machine that
    calibrated the measure. It follows from the configuration and the epochs alone; None where it
    is not known."""
    held_out: int | None = None
    """Rows of the held-out part; None where it is not known."""
    parameters: int | None = None
    """Numbers in the weights of the network, fixed ones included; None where there is none."""
    trainer: str = ""
    """What trained: "compiled", "loop", "fit" (an estimator's own), "function" (a plain function),
    or "given" where the score was not evaluated here."""
    note: str = ""
    """Why that trainer, where it was not the user's choice."""
    error: str = ""
    """What the fit raised, as a sentence, where ``error_score`` stands for its score."""
    predictions: Predictions | None = field(default=None, compare=False, repr=False)
    """Of the held-out rows, on their way to the study; `Study.predictions` reads them there."""

    @public()
    def __post_init__(self) -> None:
        # Values that a file gives back as they are: else a resumed search would differ.
        plain: dict[str, Any] = {"fold": whole("fold", self.fold, 0, kind=InvalidObjectiveError)}
        for name in ("best_epoch", "epochs", "held_out", "parameters"):
            count = getattr(self, name)
            if not (count is None or (type(count) is int and count >= 0)):
                plain[name] = whole(name, count, 0, kind=InvalidObjectiveError)
        for name in ("score", "seconds", "fit_seconds", "score_seconds", "work"):
            value = getattr(self, name)
            usual = type(value) is float and value and value == value  # asked first: it is fast
            if usual or (value is None and name in TIMES):
                continue
            if not is_number(value) or (name != "score" and math.isnan(value)):
                raise refusal(InvalidObjectiveError, name, value, "a number")
            # One NaN, so that equal results are equal; no -0.0, which a loss of 0 is as a score.
            plain[name] = math.nan if math.isnan(value) else float(value) + 0.0
        for name in ("trainer", "note", "error"):
            text = instance_of(name, getattr(self, name), str, "a text", kind=InvalidObjectiveError)
            plain[name] = printable(text)
        vars(self).update(plain)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The fold results of one configuration.

    Examples
    --------
    >>> folds = tuple(FoldResult(fold=i, score=s) for i, s in enumerate([0.8, 0.9, 1.0]))
    >>> round(Evaluation(folds=folds).score, 3), round(Evaluation(folds=folds).std, 3)
    (0.9, 0.1)
    """

    folds: tuple[FoldResult, ...]
    """Results in the order of the folds; fewer than the objective's folds when stopped early."""

    @property
    def score(self) -> float:
        """Mean score over the folds; NaN without folds."""
        return mean_score(self.folds)

    @property
    def std(self) -> float:
        """Sample standard deviation (ddof=1) over the folds; NaN for fewer than two."""
        return std_score(self.folds)

    @property
    def standard_error(self) -> float:
        """Standard error of `score`: ``std / sqrt(n_folds)``; NaN for fewer than two folds."""
        return self.std / math.sqrt(len(self.folds)) if self.folds else math.nan


class Objective(Protocol):
    """What a search evaluates."""

    name: str
    """Name shown in the report."""
    n_folds: int
    """Folds of a complete evaluation."""
    # Attributes are optional: `measures_work`, whether its fold results hold their work, and
    # `rows_text`, its data in words.

    def validate(self, space: Space) -> None:
        """Raise where no configuration of `space` can be evaluated."""

    def fingerprint(self) -> str:
        """Equal for objectives that give equal scores; see `gpsearch.identity`."""

    def describe(self) -> dict[str, Any]:
        """JSON-ready facts for the record and the report."""

    def evaluate(
        self,
        params: Params,
        *,
        seed: int,
        on_fold: OnFold | None = None,
        done: Sequence[FoldResult] = (),
    ) -> Evaluation:
        """Evaluate a configuration; the same `params` and `seed` give the same scores.

        Fold j draws from ``SeedSequence(seed, spawn_key=(j,))``. `on_fold` is called with each
        fold's result as it ends; returning False stops the evaluation. The folds in `done` were
        recorded earlier and are not run again.
        """


def run_folds(
    results: Iterable[FoldResult], on_fold: OnFold | None, done: Sequence[FoldResult]
) -> Evaluation:
    """The folds in `done` and those of `results`, run one by one until `on_fold` returns False."""
    folds = {result.fold: result for result in done}
    for result in results:
        folds[result.fold] = result
        if on_fold is not None and on_fold(result) is False:
            break
    return Evaluation(folds=tuple(folds[index] for index in sorted(folds)))


def measures_work(objective: Objective) -> bool:
    """Whether the fold results of `objective` hold their work, for models that show theirs."""
    return bool(getattr(objective, "measures_work", False))


def mean_score(folds: Sequence[FoldResult]) -> float:
    """Mean score over `folds`; NaN for none."""
    scores = [fold.score for fold in folds]
    try:
        return statistics.fmean(scores) if scores else math.nan
    except OverflowError:  # of their sum; this one is exact, and slower
        return statistics.mean(scores)


def told_apart(score: float) -> float:
    """A score as it is compared, to 13 digits: further ones are what rounding leaves.

    Two means over folds may be equal and differ in the last digit, by which one would win.

    >>> a, b = statistics.fmean([0.0, 0.0, 0.15]), statistics.fmean([0.05, 0.05, 0.05])
    >>> a == b, told_apart(a) == told_apart(b)
    (False, True)
    """
    return float(f"{score:.13g}")


def std_score(folds: Sequence[FoldResult]) -> float:
    """Sample standard deviation (ddof=1) of the scores; NaN for fewer than two finite ones."""
    scores = [fold.score for fold in folds]
    known = len(scores) > 1 and all(map(math.isfinite, scores))
    return statistics.stdev(scores) if known else math.nan


def holding_bounds(bounds: tuple[float, float], scores: Iterable[float]) -> tuple[float, float]:
    """The `bounds` of a metric without one that a score lies beyond.

    >>> holding_bounds((0.0, 1.0), [0.5, 99.5])
    (0.0, inf)
    """
    seen = [score for score in scores if not math.isnan(score)]
    (least, greatest), rounding = bounds, 1e-9
    return (
        least if min(seen, default=least) >= least - rounding else -math.inf,
        greatest if max(seen, default=greatest) <= greatest + rounding else math.inf,
    )


def flipped(values: Value) -> Value:
    """Scores as losses, or losses as scores: the one place where the sign changes."""
    return -values


def as_user_value(scores: Value, greater_is_better: bool) -> Value:
    """Scores in the user's unit, or values in that unit as scores.

    >>> as_user_value(0.9, True), as_user_value(-0.9, False)
    (0.9, 0.9)
    """
    return scores if greater_is_better else flipped(scores)
