"""One trial evaluated, whatever the objective does.

`evaluate` runs where the objective runs: in the process of the search, in a worker process, on a
cluster. It turns every failure of an objective that does not kill the process into an `Outcome`.
"""

import dataclasses
import math
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import cloudpickle

from gpsearch.errors import TrialFailedError
from gpsearch.evaluation import Evaluation, FoldResult, Objective, OnFold, mean_score
from gpsearch.interruption import Terminated

TRACEBACK_CHARACTERS = 20_000  # of which a failed trial keeps the last; the cause stands there
REASON_CHARACTERS = 1000  # of an error's message; the traceback holds the rest

OUT_OF_TIME = "exceeded the time limit"
DIED = "its worker process"
NOT_FINITE = "is not finite"  # with which the reasons of such trials begin, and end


@dataclass(frozen=True, kw_only=True)
class Job:
    """A trial to evaluate."""

    number: int
    """The trial's number."""
    params: Mapping[str, Any]
    """The trial's configuration."""
    seed: int
    """The trial's seed."""
    done: tuple[FoldResult, ...] = ()
    """Folds that an earlier, interrupted evaluation of this trial recorded."""
    splits: int | None = None
    """Seed of the fresh splits to evaluate it on; None for the objective's own."""

    def __reduce__(self) -> tuple[Any, ...]:
        # A choice may be of a script, from which other processes cannot import it.
        return _unpacked, (cloudpickle.dumps(vars(self)),)


def _unpacked(fields: bytes) -> Job:
    return Job(**cloudpickle.loads(fields))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How the evaluation of a trial ended."""

    state: Literal["complete", "stopped", "failed"]
    """The trial's final state."""
    folds: tuple[FoldResult, ...] = ()
    """Its fold results, those that were done before included."""
    reason: str = ""
    """Why it failed or was stopped."""
    traceback: str = ""
    """The traceback, where it raised."""


def evaluate(objective: Objective, job: Job, on_fold: OnFold | None = None) -> Outcome:
    """Evaluate a trial; a failure of the objective is an outcome, not an error.

    `on_fold` is called with each new fold result; returning False stops the trial. What it raises
    is raised here, not taken for a failure of the objective.
    """
    folds = {fold.fold: fold for fold in job.done}
    escaped: list[BaseException] = []
    goes_on = True

    def record(fold: FoldResult) -> bool:
        nonlocal goes_on
        folds[fold.fold] = fold
        try:
            goes_on = on_fold is None or on_fold(fold) is not False
        except BaseException as error:
            escaped.append(error)
            raise
        return goes_on and math.isfinite(fold.score)

    def outcome(state: Literal["complete", "stopped", "failed"], reason: str = "") -> Outcome:
        results = tuple(folds[j] for j in sorted(folds))
        return Outcome(state=state, folds=results, reason=reason)

    try:
        if job.splits is not None:
            objective = objective.with_fresh_folds(job.splits)  # type: ignore[attr-defined]
        evaluation = objective.evaluate(
            dict(job.params), seed=job.seed, on_fold=record, done=job.done
        )
        for fold in _folds_of(evaluation):
            folds.setdefault(fold.fold, fold)
        mean_score(tuple(folds.values()))  # finite scores may overflow in their sum
    # A model function that calls sys.exit(), or is cancelled, ends its trial, not the search.
    except BaseException as error:
        if escaped:
            raise escaped[0] from None
        if isinstance(error, KeyboardInterrupt | Terminated):
            raise
        failed = outcome("failed", sentence(error))
        return dataclasses.replace(failed, traceback=traceback.format_exc()[-TRACEBACK_CHARACTERS:])
    if escaped:  # the objective swallowed it
        raise escaped[0]
    for fold in folds.values():
        if not math.isfinite(fold.score):
            return outcome("failed", f"fold {fold.fold} scored {fold.score}, which {NOT_FINITE}")
    if not folds:
        return outcome("failed", "the objective returned no fold result")
    n_folds = getattr(objective, "n_folds", None)
    if not goes_on if n_folds is None else len(folds) < n_folds:
        return outcome("stopped", stopped_after(len(folds), n_folds))
    return outcome("complete")


def stopped_after(folds: int, of: int | None) -> str:
    """Why a trial has so few folds; an objective need not say how many it has."""
    several = "" if folds == 1 else "s"
    return f"stopped after {folds} {f'fold{several}' if of is None else f'of {of} folds'}"


def failure(reason: str, traceback: str = "") -> Outcome:
    """Outcome of a trial whose worker could not report one."""
    return Outcome(state="failed", reason=reason, traceback=traceback)


def sentence(error: BaseException) -> str:
    """Kind and message of an error, on one line; what is too long for one is shortened."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # an error without a text
        text = ""
    if len(text) > REASON_CHARACTERS:
        text = f"{text[:REASON_CHARACTERS]} ..."
    if text and isinstance(error, TrialFailedError):  # an objective's own sentence
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _folds_of(evaluation: Any) -> tuple[FoldResult, ...]:
    if not isinstance(evaluation, Evaluation):
        raise TypeError(
            f"the objective returned {evaluation!r}, a {type(evaluation).__name__}; evaluate must "
            "return an Evaluation"
        )
    return evaluation.folds
