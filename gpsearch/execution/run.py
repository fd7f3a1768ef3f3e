"""A search in progress: what starts next, what a result means, when it is over.

`Run` knows nothing of processes and futures. Whoever drives it (`serial` below, or the
concurrent loop) asks for jobs, evaluates them anywhere, and hands back fold results and
outcomes; each is in the study before the next question is asked.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from gpsearch.errors import SpaceExhaustedError, StudyError
from gpsearch.evaluation import FoldResult, Objective
from gpsearch.execution.progress import Progress
from gpsearch.execution.rules.racing import FoldRule
from gpsearch.execution.rules.stopping import StoppingRule, StopReason
from gpsearch.execution.warm_start import GIVEN
from gpsearch.execution.workers.job import Job, Outcome, evaluate
from gpsearch.space import Point
from gpsearch.strategy import Strategy, trial_seed
from gpsearch.strategy.history import history_of
from gpsearch.study import Study, StudyWriter, Trial

logger = logging.getLogger("gpsearch")

Callback = Callable[[Any], Any]
"""Takes `Study.result`, as in scikit-optimize; returning True ends the search."""


@runtime_checkable
class TrialCallback(Protocol):
    """What wants the study rather than its result, as `gpsearch.callbacks` do."""

    def on_trial_end(self, study: Study, trial: Trial) -> Any:
        """Take a trial that has just ended; returning True ends the search."""


class Run:
    """One call of `gpsearch.search` on a study that is open for writing.

    Parameters
    ----------
    writer : StudyWriter
    objective : Objective
    strategy : Strategy
    n_calls : int
        Trials of the study when the search is over, those with a given score aside.
    deadline : float
        `time.monotonic` after which nothing starts; infinity for none.
    rules : sequence of stopping rules
    callbacks : sequence of callables or TrialCallback
        Called after each trial; returning True ends the search.
    fold_rule : callable, optional
        Decides after each fold whether its trial goes on.
    progress : Progress
    """

    def __init__(
        self,
        writer: StudyWriter,
        objective: Objective,
        strategy: Strategy,
        *,
        n_calls: int,
        deadline: float,
        rules: Sequence[StoppingRule],
        callbacks: Sequence[Callback | TrialCallback],
        fold_rule: FoldRule | None,
        progress: Progress,
    ) -> None:
        self.study = study = writer.study
        self._writer = writer
        self.objective = objective
        self.reason: str = ""
        self._strategy = strategy
        self._n_calls = n_calls
        self._deadline = deadline
        self._rules = rules
        self._callbacks = callbacks
        self._fold_rule = fold_rule
        self._progress = progress
        self._interrupted = [trial for trial in study.trials if not trial.finished]
        self._rules_due = bool(study.ended)
        self._points: dict[int, Point] = {}
        progress.start(study, self._n_started() - len(self._interrupted))

    def next_job(self) -> Job | None:
        """Record and return the next trial to evaluate; None when none may start.

        Trials that an earlier process left running come first, with their own params, seeds and
        recorded folds.
        """
        if self._interrupted:
            trial = self._interrupted.pop(0)
            if trial.folds and not self._goes_on(trial):  # killed before this was recorded
                n_folds = self.objective.n_folds
                reason = f"stopped after {len(trial.folds)} of {n_folds} folds"
                self.finish(
                    trial.number, Outcome(state="stopped", folds=trial.folds, reason=reason)
                )
                return self.next_job()
            return Job(number=trial.number, params=trial.params, seed=trial.seed, done=trial.folds)
        self._apply_rules()
        if self.reason:
            return None
        if self._n_started() >= self._n_calls:
            self._stop(StopReason.BUDGET)
            return None
        if time.monotonic() >= self._deadline:
            self._stop(StopReason.TIMEOUT)
            return None
        number = len(self.study.trials)
        queued = self._writer.next_queued()
        if queued is not None:
            params, origin = dict(queued.params), queued.origin
        else:
            history = history_of(self.study.space, self.study.trials, self._points)
            try:
                point = self._strategy.propose(history, number)
            except SpaceExhaustedError:
                self._stop(StopReason.EXHAUSTED)
                return None
            params, origin = self.study.space.params(point), self._strategy.name
        seed = trial_seed(self.study.seed, number)
        self._writer.start_trial(
            params, seed=seed, origin=origin, queued=None if queued is None else queued.id
        )
        return Job(number=number, params=params, seed=seed)

    def record_fold(self, number: int, fold: FoldResult) -> bool:
        """Record a fold result; returns whether the trial goes on."""
        self._writer.record_fold(number, fold)
        trial = self.study.trials[number]
        self._progress.fold(trial, getattr(self.objective, "n_folds", None))
        return self._goes_on(trial)

    def finish(self, number: int, outcome: Outcome) -> None:
        """Record the end of a trial, then tell the callbacks."""
        trial = self._writer.end_trial(
            number,
            outcome.state,
            reason=outcome.reason,
            traceback=outcome.traceback,
            folds=outcome.folds,
        )
        self._progress.end(trial)
        self._rules_due = True
        # Every callback is told, also after one that asked to end.
        if any([self._tell(callback, trial) for callback in self._callbacks]):
            self._stop(StopReason.CALLBACK)

    def _tell(self, callback: Callback | TrialCallback, trial: Trial) -> bool:
        if isinstance(callback, TrialCallback):
            return bool(callback.on_trial_end(self.study, trial))
        return bool(callback(self.study.result))

    def _goes_on(self, trial: Trial) -> bool:
        """Whether a trial's further folds are worth running."""
        n_folds = getattr(self.objective, "n_folds", None)
        if self._fold_rule is None or len(trial.folds) == n_folds:
            return True
        return self._fold_rule(self.study, trial)

    def _n_started(self) -> int:
        return sum(trial.origin != GIVEN for trial in self.study.trials)

    def _apply_rules(self) -> None:
        if not self._rules_due or self.reason:
            return
        self._rules_due = False
        for rule in self._rules:
            verdict = self._ask(rule)
            if isinstance(verdict, StopReason):
                self._stop(verdict)
            elif isinstance(verdict, str):
                self.reason = self.reason or verdict
            elif verdict:  # NumPy's True as well
                self._stop(StopReason.RULE)

    def _ask(self, rule: StoppingRule) -> StopReason | str | bool | None:
        try:
            return rule(self.study)
        except StudyError:
            if self.study.complete:
                raise
            return None  # it asked for the best of trials that all failed

    def _stop(self, reason: StopReason) -> None:
        self.reason = self.reason or reason.value


def run_serially(run: Run) -> None:
    """Evaluate one trial after the other in this process: the reference for every executor."""
    while (job := run.next_job()) is not None:
        number = job.number
        outcome = evaluate(
            run.objective,
            job,
            on_fold=lambda fold: run.record_fold(number, fold),  # noqa: B023
        )
        run.finish(number, outcome)
