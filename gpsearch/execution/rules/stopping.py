"""When and why a search ends.

A stopping rule is a function of the study: called after each trial that ends, and once when a
search is resumed, it returns a `StopReason` (or a sentence, or True) to end the search.
"""

import enum
import itertools
import math
import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from gpsearch.arguments import is_number, positive, refusal, whole
from gpsearch.errors import FitFailedError, InvalidSearchError, StudyError, TrialFailedError, public
from gpsearch.evaluation import told_apart
from gpsearch.execution.workers.job import DIED, NOT_FINITE, OUT_OF_TIME
from gpsearch.study import Study, Trial


class StopReason(enum.Enum):
    """Why a search ended; the value is the sentence that the study records."""

    BUDGET = "All n_calls trials have been evaluated."
    REPEATS = "All runs of the comparison are complete."
    TIMEOUT = "The search reached its timeout."
    TARGET = "The target score was reached."
    NO_IMPROVEMENT = "The last trials did not improve on the best score."
    GAIN = "The next trials are expected to gain less than was asked for."
    NOISE = "What is left to gain is below the noise of the cross-validation."
    EXHAUSTED = "Every feasible point of the space has been evaluated."
    CALLBACK = "A callback asked the search to end."
    RULE = "A stopping rule asked the search to end."
    SAME_ERROR = "Every trial failed with the same error."
    ERROR = "The search ended with an error; the same command continues it."
    INTERRUPTED = "The search was interrupted; the same command continues it."
    TERMINATED = "The process was told to terminate; the same command continues the search."


OUT_OF_MEMORY = ("MemoryError", "ResourceExhaustedError")
"""Ends of the names of errors that Python, NumPy, PyTorch and TensorFlow raise."""

HEADER = "Traceback (most recent call last):\n"

LED_TO = re.compile(
    r"\n\n(?:The above exception was the direct cause of|During handling of the above exception,)"
    r"[^\n]*:\n\n(?=Traceback )"
)
"""Between the parts of a traceback."""

MOST_AHEAD = 100  # trials that `gpsearch.analysis.forecast` takes

StoppingRule = Callable[[Study], StopReason | str | bool | None]


@dataclass(frozen=True, kw_only=True)
class TargetScore:
    """Stop when a trial is as good as `score`.

    Examples
    --------
    >>> import gpsearch as gs
    >>> study = gs.Study.create(None, space={"x": gs.Real(0.0, 1.0)}, seed=0)
    >>> TargetScore(score=0.9)(study) is None
    True
    """

    score: float
    """In the study's direction: greater is better, as in `Study.best_score`."""

    @public()
    def __post_init__(self) -> None:
        if not is_number(self.score) or math.isnan(self.score):
            raise refusal(InvalidSearchError, "score", self.score, "a number")

    def __call__(self, study: Study) -> StopReason | None:
        """Decide on the complete trials of `study`."""
        scores = [told_apart(trial.score) for trial in study.complete]
        reached = scores and max(scores) >= told_apart(self.score)
        return StopReason.TARGET if reached else None


@dataclass(frozen=True, kw_only=True)
class NoImprovement:
    """Stop when the last `trials` trials did not improve on the best score before them."""

    trials: int
    """How many finished trials in a row, in the order of their numbers; at least 1. Trials with
    a given score (``y0``, ``warm_start``) set the best, but do not count."""
    min_delta: float = 0.0
    """Gains up to this do not count as an improvement; at least 0."""

    @public()
    def __post_init__(self) -> None:
        whole("trials", self.trials, 1)
        if not is_number(self.min_delta) or not self.min_delta >= 0:
            raise refusal(InvalidSearchError, "min_delta", self.min_delta, "a number of at least 0")

    def __call__(self, study: Study) -> StopReason | None:
        """Decide on the finished trials of `study`."""
        best, waited = -math.inf, 0
        for trial in study.ended:
            score = told_apart(trial.score)
            improved = trial.state == "complete" and score > told_apart(best + self.min_delta)
            if improved:
                best = score
            waited = 0 if improved else waited + (not trial.is_given)
        return StopReason.NO_IMPROVEMENT if waited >= self.trials else None


@dataclass(frozen=True, kw_only=True)
class ExpectedGain:
    """Stop when the next trials are expected to gain less than `below`.

    The forecast is that of `gpsearch.analysis.forecast`, of trials of the strategy "gp"; it costs
    about 0.4 s after each trial. A search with another strategy of gpsearch refuses the rule.
    """

    below: float
    """Gain, in the unit of the score, that is not worth the trials; finite, above 0."""
    trials: int = 20
    """How many further trials are forecast; from 1 to 100."""
    min_trials: int = 20
    """Trials that must have ended before a forecast may stop the search; at least 10."""

    @public()
    def __post_init__(self) -> None:
        if math.isinf(positive("below", self.below)):
            raise refusal(InvalidSearchError, "below", self.below, "a finite number above 0")
        if whole("trials", self.trials, 1) > MOST_AHEAD:
            raise refusal(InvalidSearchError, "trials", self.trials, f"at most {MOST_AHEAD}")
        whole("min_trials", self.min_trials, 10)

    def __call__(self, study: Study) -> StopReason | None:
        """Decide on the trials of `study` that have ended."""
        if len(study.ended) < self.min_trials or len(study.complete) < 2:
            return None
        try:
            (gain,) = study.forecast(self.trials).gain  # attached to Study from above
        except StudyError:  # equal scores
            return None
        return StopReason.GAIN if gain < self.below else None


def repeated_error(ended: Iterable[Trial], least: int) -> Trial | None:
    """The first of trials that ended, where all, `least` or more, failed with the same error."""
    trials = [trial for trial in ended if not trial.is_given]
    if len(trials) < least or any(trial.state != "failed" for trial in trials):
        return None
    errors = {_error_of(trial) for trial in trials}
    return trials[0] if len(errors) == 1 and None not in errors else None


def _error_of(trial: Trial) -> Hashable:
    """Kind and way of an error, whatever values its message names; None for a finding.

    A score that is not finite, a trial out of time or memory, a worker that died and
    `TrialFailedError` say something about one configuration; others may do better.
    """
    kind = trial.reason.partition(":")[0]
    if trial.reason.startswith((OUT_OF_TIME, DIED)):
        return None
    if not trial.traceback:
        finding = trial.reason.endswith(NOT_FINITE) or kind.endswith(OUT_OF_MEMORY)
        return None if finding else kind
    *earlier, last = LED_TO.split(trial.traceback)  # of an error that others led to the last part
    raised, frames = _raised(last)
    if raised == FitFailedError.__name__ and earlier:
        raised, frames = _raised(earlier[-1])
        kind = raised
    # the reason of a `TrialFailedError` is its own sentence
    found = raised not in ("", kind) or raised == TrialFailedError.__name__
    if found or kind.endswith(OUT_OF_MEMORY):
        return None
    return kind, *frames


def _raised(traceback: str) -> tuple[str, list[str]]:
    """Name of a traceback's error, the first line not indented, and its frames, each once."""
    whole = traceback.partition(HEADER)[2]  # without it, the long traceback was cut
    lines = whole.splitlines() if whole else traceback.splitlines()[1:]
    frames = list(itertools.takewhile(lambda line: line.startswith("  "), lines))
    last = lines[len(frames)] if len(frames) < len(lines) else ""
    name = last.partition(":")[0].rpartition(".")[2]
    return name, list(dict.fromkeys(line for line in frames if line.startswith('  File "')))
