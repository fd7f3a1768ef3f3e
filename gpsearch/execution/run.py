"""A search in progress: what starts next, what a result means, when it is over.

`Run` knows nothing of processes and futures. Its caller (`run_serially` below, or the concurrent
loop) takes jobs from it, evaluates them anywhere, and reports fold results and outcomes; each is in
the study before the next call. A `Plan` chooses what starts next.
"""

import functools
import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from gpsearch.arguments import answer
from gpsearch.errors import StudyError
from gpsearch.evaluation import FoldResult, Objective
from gpsearch.execution.contest import Contest
from gpsearch.execution.plan import Plan
from gpsearch.execution.progress import Progress
from gpsearch.execution.rules.racing import FoldRule
from gpsearch.execution.rules.stopping import StoppingRule, StopReason, repeated_error
from gpsearch.execution.workers.job import Job, Outcome, evaluate, stopped_after
from gpsearch.optimizer import study_result
from gpsearch.phases import phase
from gpsearch.strategy import trial_seed
from gpsearch.study import Study, StudyWriter, Trial
from gpsearch.study.confirmation import Confirmation

logger = logging.getLogger("gpsearch")

FRESH = 2**31  # first number of fresh splits, whose seed it gives: far above that of any trial
NOT_CONFIRMED = (
    "",
    StopReason.CALLBACK.value,
    StopReason.INTERRUPTED.value,
    StopReason.TERMINATED.value,
)
"""Ends of a search after which its best trials are not scored again."""

BY_CALLBACK = "Nothing was scored again: a callback ended the search."

Callback = Callable[[Any], Any]
"""Takes `Study.result`, as in scikit-optimize; returning True ends the search."""


@runtime_checkable
class TrialCallback(Protocol):
    """A callback that takes the study rather than its result."""

    def on_trial_end(self, study: Study, trial: Trial) -> Any:
        """Take a trial that has just ended; returning True ends the search."""


class Run:
    """One call of `gpsearch.search` or `gpsearch.compare` on a study that is open for writing.

    Nothing starts after `deadline`, a time of `time.monotonic`. `fold_rule` decides after each fold
    whether its trial goes on; `rules` and `callbacks` decide after each trial whether the search
    does. Nothing starts either where the first `max_same_errors` trials failed with one error.
    After the search, `make_contest` says which trials are scored again on fresh splits.
    """

    def __init__(
        self,
        writer: StudyWriter,
        objective: Objective,
        plan: Plan,
        *,
        deadline: float = math.inf,
        rules: Sequence[StoppingRule] = (),
        callbacks: Sequence[Callback | TrialCallback] = (),
        fold_rule: FoldRule | None = None,
        max_same_errors: int | None = None,
        make_contest: Callable[..., Contest] | None = None,
        reserve: float = 0.0,
        progress: Progress,
    ) -> None:
        self.study = writer.study
        self.writer = writer
        self.objective = objective
        self.progress = progress
        self.reason: str = ""
        self._plan = plan
        self._last = deadline
        kept = reserve * max(deadline - time.monotonic(), 0.0) if deadline < math.inf else 0.0
        self._deadline = deadline - kept
        self._make_contest = make_contest
        self._fresh: dict[int, int] = {}  # splits by number of the trial that is scored on them
        self._rules = rules
        self._callbacks = callbacks
        self._fold_rule = fold_rule
        self._max_same_errors = max_same_errors
        self._n_folds: int | None = getattr(objective, "n_folds", None)
        self._failed = self._reopen()
        trials = plan.trials()
        self._interrupted = [trial for trial in trials if not trial.finished]
        self._rules_due = bool(self.study.ended)
        self._has_ended_one = False
        progress.start(self.study, len(trials) - len(self._interrupted))

    def next_job(self) -> Job | None:
        """Record and return the next trial to evaluate; None when none may start now.

        Trials that an earlier process left running come first, with their configurations, seeds and
        recorded folds; last come trials that are scored again on fresh splits.
        """
        while (trial := self._next_trial()) is not None:
            if (job := self._job(trial)) is not None:
                self.progress.fold(self.study.trials[job.number], self._n_folds)
                return job
        return self._fresh_job()

    @functools.cached_property
    def contest(self) -> Contest | None:
        """The contest after the search; None while that goes on, and where there is none."""
        return None if self._make_contest is None else self._make_contest()

    def confirms(self) -> bool:
        """Whether the search has ended in such a way that its best trials are scored again."""
        if self._make_contest is None or self.reason in NOT_CONFIRMED or self.repeated_error():
            return False
        return all(trial.finished for trial in self.study.trials)

    def verdict(self) -> Confirmation | None:
        """What the study records of its end; None where it does not confirm."""
        if self.reason == StopReason.CALLBACK.value and self._make_contest is not None:
            return self._make_contest(off=BY_CALLBACK).verdict()
        return self.contest.verdict() if self.confirms() and self.contest else None

    def told_reason(self) -> list[str]:
        """Why the search ended before its last trial, as a sentence."""
        usual = ("", StopReason.BUDGET.value, StopReason.REPEATS.value)
        return [] if self.reason in usual else [self.reason]

    def recorded(self, number: int) -> tuple[FoldResult, ...]:
        """The fold results of the evaluation of a trial that is running."""
        if (splits := self._fresh.get(number)) is not None:
            return self.writer.fresh.get((splits, number), ())
        return self.study.trials[number].folds

    def _fresh_job(self) -> Job | None:
        """The next evaluation on fresh splits."""
        if not self.confirms() or self.contest is None or time.monotonic() >= self._last:
            return None
        for number, splits in self.contest.missing():
            if number not in self._fresh:
                self._fresh[number] = splits
                seed = trial_seed(self.study.seed, FRESH + splits)
                params, done = self.study.trials[number].params, self.recorded(number)
                return Job(number=number, params=params, seed=seed, done=done, splits=seed)
        return None

    def _next_trial(self) -> Trial | None:
        """An interrupted trial, or the next of the plan; None when none may start now."""
        while self._interrupted:
            before = self._failed.get(self._interrupted[0].number)
            if before is not None and self._is_over():  # the next call evaluates it
                return None
            trial = self._interrupted.pop(0)
            if before is None or not self._fails_still(before):
                return trial
            self.writer.restore_trial(before)
        if self._is_over(self._plan.over()):
            return None
        with phase("choosing"):
            start = self._plan.next()
        if start is None:
            if (over := self._plan.over()) is not None:  # the space is exhausted
                self._stop(over)
            return None
        number = self.writer.start_trial(**start)
        return self.study.trials[number]

    def _is_over(self, over: StopReason | None = None) -> bool:
        """Whether no trial may start, for a rule, `over` or the deadline."""
        self._apply_rules()
        if self.reason or self.repeated_error() is not None:
            return True
        if over is None and time.monotonic() >= self._deadline:
            over = StopReason.TIMEOUT
        if over is not None:
            self._stop(over)
        return over is not None

    def _job(self, trial: Trial) -> Job | None:
        """What is left to evaluate of a started trial; None where known results end it."""
        known = self._plan.known(trial)
        if known is not None and not self._is_raced(known):
            self._finish_as(trial, known)
            return None
        goes_on = not trial.folds or self._goes_on(trial)  # killed before its end was recorded
        done = {fold.fold for fold in trial.folds}
        for fold in () if known is None else known.folds:
            if goes_on and fold.fold not in done:
                goes_on = self.record_fold(trial.number, fold)
        trial = self.study.trials[trial.number]
        if not goes_on:
            reason = stopped_after(len(trial.folds), self._n_folds)
            self.finish(trial.number, Outcome(state="stopped", folds=trial.folds, reason=reason))
            return None
        if known is not None and known.state != "stopped":
            self._finish_as(trial, known)
            return None
        return Job(number=trial.number, params=trial.params, seed=trial.seed, done=trial.folds)

    def _is_raced(self, known: Trial) -> bool:
        """Whether the fold rule judges the folds of an evaluation that is known, one by one."""
        # A function that returns several scores returns them together, and is never raced.
        n_folds = self._n_folds
        return self._fold_rule is not None and n_folds is not None and len(known.folds) <= n_folds

    def _finish_as(self, trial: Trial, known: Trial) -> None:
        told = ("state", "folds", "reason", "traceback")
        self.finish(trial.number, Outcome(**{name: getattr(known, name) for name in told}))

    def record_fold(self, number: int, fold: FoldResult) -> bool:
        """Record a fold result; returns whether the trial goes on.

        One that is not finite ends it: `finish` records that fold with the end, in one step.
        """
        if not math.isfinite(fold.score):
            return True
        if (splits := self._fresh.get(number)) is not None:
            self.writer.record_fresh(splits, number, fold)
            self.progress.fresh(number, splits)
            return True
        self.writer.record_fold(number, fold)
        trial = self.study.trials[number]
        self.progress.fold(trial, self._n_folds)
        return self._goes_on(trial)

    def finish(self, number: int, outcome: Outcome) -> None:
        """Record the end of a trial, then call the callbacks."""
        if number in self._fresh:
            self._finish_fresh(number, outcome)
            return
        trial = self.writer.end_trial(
            number,
            outcome.state,
            reason=outcome.reason,
            traceback=outcome.traceback,
            folds=outcome.folds,
        )
        self.progress.end(trial)
        self._rules_due = self._has_ended_one = True
        # Every callback is called, also after one that asked to end.
        if any([self._call(callback, trial) for callback in self._callbacks]):
            self._stop(StopReason.CALLBACK)

    def _finish_fresh(self, number: int, outcome: Outcome) -> None:
        done = {fold.fold for fold in self.recorded(number)}
        folds = [fold for fold in outcome.folds if fold.fold not in done]
        if outcome.state != "complete":  # the fold that failed says why
            bad = [fold.fold for fold in folds if not math.isfinite(fold.score)]
            failed = (bad or [min(set(range(len(done) + 1)) - done)])[0]
            folds = [FoldResult(fold=failed, score=math.nan, error=outcome.reason)]
        for fold in folds:
            self.writer.record_fresh(self._fresh[number], number, fold)
        self.progress.fresh_end(number, self._fresh[number], self.recorded(number))
        del self._fresh[number]

    def repeated_error(self) -> Trial | None:
        """The first trial, where it and each after it failed with one error, too often."""
        if self._max_same_errors is None or not self._has_ended_one:
            return None
        return repeated_error(self.study.ended, self._max_same_errors)

    def _reopen(self) -> dict[int, Trial]:
        """Trials by number, to evaluate again, where all so far failed alike, or each fit did."""
        trials = [trial for trial in self._plan.trials() if trial.finished]
        fits = [fold for trial in trials for fold in trial.folds]
        no_fit = bool(fits) and all(fold.error for fold in fits)
        if repeated_error(self.study.ended, 1) is None and not no_fit:
            return {}
        failed = {trial.number: trial for trial in trials if no_fit or trial.state == "failed"}
        for number in failed:
            self.writer.reopen_trial(number)
        return failed

    def _fails_still(self, before: Trial) -> bool:
        """Whether the trials that were evaluated again have failed with the error of `before`."""
        if self._max_same_errors is None or not self._has_ended_one:
            return False
        return repeated_error([*self.study.ended, before], 1) is not None

    def _call(self, callback: Callback | TrialCallback, trial: Trial) -> bool:
        if isinstance(callback, TrialCallback):
            return answer("callback", callback, callback.on_trial_end(self.study, trial))
        result = study_result(self.study)
        # Stoppers of scikit-optimize read the models, of which it has none before the first points.
        if all(one.proposal != "model" for one in self.study.trials):
            result.models = []
        return answer("callback", callback, callback(result))

    def _goes_on(self, trial: Trial) -> bool:
        """Whether a trial's further folds are worth running."""
        if self._fold_rule is None or len(trial.folds) == self._n_folds:
            return True
        verdict: Any = self._fold_rule(*self._plan.seen_by(trial))
        return verdict is None or answer("racing", self._fold_rule, verdict)

    def _apply_rules(self) -> None:
        if not self._rules_due or self.reason:
            return
        self._rules_due = False
        for rule in self._rules:
            try:
                verdict = rule(self.study)
            except StudyError:
                if self.study.complete:
                    raise
                continue  # the rule needs a complete trial, and all failed
            if isinstance(verdict, StopReason):
                self._stop(verdict)
            elif isinstance(verdict, str):
                self.reason = self.reason or verdict
            elif answer("stop", rule, verdict):
                self._stop(StopReason.RULE)

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
