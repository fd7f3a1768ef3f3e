"""A trial: one evaluation, as the study records it.

A trial is ``running`` from the moment its configuration is stored until its end is stored. It then
is ``complete`` (every fold was scored), ``stopped`` (ended early on purpose, with the folds it
has) or ``failed`` (no score; `Trial.reason` says why). A trial left ``running`` by a killed
process is run again, with its configuration and seed, when the search is resumed.
"""

import functools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

from gpsearch.arguments import instance_of, is_whole, one_of, refusal
from gpsearch.described import Described, number, printable, score_text, value_text, values_text
from gpsearch.errors import InvalidSearchError
from gpsearch.evaluation import FoldResult, flipped, mean_score, std_score

TrialState = Literal["running", "complete", "stopped", "failed"]
"""The states of a trial; all but ``running`` are final."""

Proposed = Literal["initial", "model", "given", "queued", "random", ""]
"""How the point of a trial was proposed: laid out in advance, before or without a model
(``initial``), by a model (``model``), with its score (``given``), by the user (``queued``), drawn
at random from the space (``random``); empty where an older study does not hold it."""

GIVEN: Proposed = "given"
"""Origin and proposal of a trial whose score was given; a baseline stays one by its origin."""

BASELINE = "baseline"
"""Origin of the trial of ``baseline=``: the settings that the winner is compared with."""

LAST_TRIALS = 10  # whose pace is taken
LONGEST_BETWEEN = 2.0  # seconds between two trials, but for a pause of the search


@dataclass(frozen=True, kw_only=True, repr=False)
class Trial(Described):
    """One evaluation of a configuration.

    Examples
    --------
    >>> folds = (FoldResult(fold=0, score=0.5), FoldResult(fold=1, score=0.7))
    >>> trial = Trial(number=3, state="complete", params={"x": 1.0}, folds=folds, seed=7,
    ...               started=100.0, ended=104.0)
    >>> round(trial.score, 3), round(trial.loss, 3), trial.seconds
    (0.6, -0.6, 4.0)
    """

    number: int
    """Position in the study, from 0."""
    state: TrialState
    """``running``, ``complete``, ``stopped`` or ``failed``."""
    params: Mapping[str, Any]
    """The evaluated configuration, in the user's units."""
    folds: tuple[FoldResult, ...] = ()
    """Fold results in the order of the folds."""
    seed: int
    """Seed of every random number of this trial."""
    started: float
    """Start, in seconds since 1970."""
    ended: float | None = None
    """End, in seconds since 1970; None while running."""
    reason: str = ""
    """Why the trial failed or was stopped, as a sentence."""
    traceback: str = ""
    """The traceback of a trial that raised."""
    origin: str = ""
    """What proposed the configuration: a strategy's name, ``baseline``, ``x0``, ``given`` (its
    score was given, not evaluated here) or ``enqueued``."""
    proposal: Proposed = ""
    """How the point was proposed; see `Proposed`."""

    def __post_init__(self) -> None:
        one_of("state", self.state, get_args(TrialState))
        if not is_whole(self.seed) or not 0 <= self.seed < 2**63:
            raise refusal(InvalidSearchError, "seed", self.seed, "a whole number below 2**63")
        for name in ("reason", "traceback", "origin"):
            vars(self)[name] = printable(instance_of(name, getattr(self, name), str, "a text"))

    @functools.cached_property  # asked for in every pass over a history
    def score(self) -> float:
        """Mean score over the recorded folds, greater is better; NaN if failed or without folds.

        A stopped trial ran some of the folds, which may be easy for all: it is no rank.
        """
        return math.nan if self.state == "failed" else mean_score(self.folds)

    @property
    def loss(self) -> float:
        """`score` with its sign changed: what is minimised."""
        return flipped(self.score)

    @property
    def std(self) -> float:
        """Sample standard deviation (ddof=1) over the folds; NaN for fewer than two."""
        return math.nan if self.state == "failed" else std_score(self.folds)

    @property
    def standard_error(self) -> float:
        """Standard error of `score`: ``std / sqrt(folds)``; NaN for fewer than two folds."""
        return self.std / math.sqrt(len(self.folds)) if self.folds else math.nan

    @property
    def seconds(self) -> float:
        """Wall time from start to end; the folds' own time while running."""
        if self.ended is None:
            return math.fsum(fold.seconds for fold in self.folds)
        return self.ended - self.started

    @property
    def work(self) -> float | None:
        """Work of the recorded folds, in reference seconds; None where one's is not known."""
        known = [fold.work for fold in self.folds if fold.work is not None]
        return math.fsum(known) if known and len(known) == len(self.folds) else None

    @property
    def parameters(self) -> int | None:
        """Most parameters of the networks of the folds; None where one's is not known."""
        known = [fold.parameters for fold in self.folds if fold.parameters is not None]
        return max(known) if known and len(known) == len(self.folds) else None

    @property
    def is_given(self) -> bool:
        """Whether its score was known before the search: it does not count against the budget."""
        return self.origin == GIVEN or (self.origin == BASELINE and self.proposal == GIVEN)

    @property
    def finished(self) -> bool:
        """Whether the state is final."""
        return self.state != "running"

    def _title(self) -> str:
        title = f"Trial {self.number}, {self.state}"
        if math.isnan(self.score):
            return title
        folds = f" over {len(self.folds)} folds" if len(self.folds) > 1 else ""
        return f"{title}: score {score_text(self.score, self.standard_error)}{folds}"

    def _facts(self) -> dict[str, str]:
        epochs = [fold.best_epoch for fold in self.folds if fold.best_epoch is not None]
        best = f"; best epochs {', '.join(map(str, epochs))}" if epochs else ""
        proposed = f", {self.proposal}" if self.proposal else ""
        origin = f", proposed by {self.origin}{proposed}" if self.origin else ""
        return {
            "params": values_text(self.params),
            "folds": ", ".join(f"{number(fold.score, 4)}" for fold in self.folds) + best,
            "run": f"{value_text(self.seconds)} s{origin}, seed {self.seed}",
            "reason": self.reason,
        }


def seconds_left(evaluated: Sequence[Trial], n_left: int) -> float | None:
    """Seconds that `n_left` more trials take, by the time from end to end, pauses not counted."""
    ended = sorted((t for t in evaluated if t.ended is not None), key=lambda t: t.ended or 0.0)
    if not ended:
        return None
    paces = [
        min((b.ended or 0.0) - (a.ended or 0.0), 2 * b.seconds + LONGEST_BETWEEN)
        for a, b in pairwise(ended[-LAST_TRIALS - 1 :])
    ] or [ended[0].seconds]
    return n_left * statistics.fmean(paces)
