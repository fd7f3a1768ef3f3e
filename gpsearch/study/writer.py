"""What writes to a study, for the length of the ``with`` block of `Study.writing`."""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gpsearch.arguments import refusal
from gpsearch.described import printable
from gpsearch.errors import InvalidParamsError, InvalidSearchError, StudyReadOnlyError, public
from gpsearch.evaluation import FoldResult
from gpsearch.study.confirmation import CONFIRMATION, Confirmation
from gpsearch.study.encoding import ParamsEncoding
from gpsearch.study.predictions import beyond, prediction_row, size_of
from gpsearch.study.study_file import StudyFile
from gpsearch.study.tables import Queued, Row, fold_row, fresh_row, queue_row, trial_row
from gpsearch.study.trial import Proposed, Trial, TrialState

if TYPE_CHECKING:
    from gpsearch.study.study import Study

logger = logging.getLogger("gpsearch")


class StudyWriter:
    """Records trials as they start, run and end; each call is on the disk when it returns.

    Attributes
    ----------
    study : Study
        What is written; it shows each step at once.
    trials : list of Trial
        All trials, by number; without predictions, which the file alone holds.
    fresh : dict
        Fold results on fresh splits, by the number of the splits and that of the trial.
    prediction_bytes : float
        What held-out predictions may take in all; 0, as at first, keeps none of those to come.
    """

    def __init__(self, study: Study, file: StudyFile, encoding: ParamsEncoding) -> None:
        self.study = study
        self._rows: StudyFile | None = file
        self._encoding = encoding
        self.prediction_bytes = 0.0
        self._sizes = file.prediction_sizes()
        self._begun: dict[int, float] = {}  # moments of the monotonic clock, by trial
        self._queue = file.read_queue(encoding)
        self._has_dropped = bool(file.read_dropped())
        self.fresh = file.read_fresh()
        self.trials = [self._taken_over(trial) for trial in file.read_trials(encoding)]

    @public()
    def start_trial(
        self,
        params: Mapping[str, Any],
        *,
        seed: int,
        origin: str = "",
        proposal: Proposed = "",
        queued: int | None = None,
    ) -> int:
        """Record that `params` are about to be evaluated; returns the trial's number.

        See `Trial` for the arguments; `queued` is `Queued.id` of the entry that is evaluated.
        """
        trial = Trial(
            number=len(self.trials),
            state="running",
            params=self._plain(params),
            seed=seed,
            started=time.time(),
            origin=origin,
            proposal=proposal,
        )
        self._begun[trial.number] = time.monotonic()
        taken = [] if queued is None else [self._queue[queued]]
        taken = [dataclasses.replace(entry, trial=trial.number) for entry in taken]
        self._file.write(trial=self._trial_rows(trial), queue=self._queue_rows(taken))
        for entry in taken:
            self._queue[entry.id] = entry
        self.trials.append(trial)
        return trial.number

    def record_fold(self, number: int, fold: FoldResult) -> None:
        """Record one fold result of a running trial."""
        trial = self._running(number)
        rows = self._prediction_rows(number, [fold])
        self._file.write(fold=[fold_row(number, fold)], prediction=rows)
        self.trials[number] = dataclasses.replace(trial, folds=_merged(trial.folds, [fold]))

    @public()
    def end_trial(
        self,
        number: int,
        state: TrialState,
        *,
        reason: str = "",
        traceback: str = "",
        folds: Sequence[FoldResult] = (),
    ) -> Trial:
        """Record the end of a running trial, and those of `folds` that are not recorded yet."""
        trial = self._running(number)
        known = {fold.fold for fold in trial.folds}
        missing = [fold for fold in folds if fold.fold not in known]
        ended = dataclasses.replace(
            trial,
            state=state,
            folds=_merged(trial.folds, missing),
            # not the time of day, which may be set back meanwhile
            ended=trial.started + time.monotonic() - self._begun[number],
            reason=reason,
            traceback=traceback,
        )
        rows = self._prediction_rows(number, missing)
        trials = [*self.trials[:number], ended, *self.trials[number + 1 :]]
        limit = self.prediction_bytes or math.inf
        dropped = beyond(limit, trials, self._sizes)
        self._file.write(
            trial=self._trial_rows(ended),
            fold=[fold_row(number, fold) for fold in missing],
            prediction=rows,
            dropped=dropped,
        )
        if dropped and not self._has_dropped:
            logger.warning(
                "held-out predictions take more than %g MB: only those of the best trials are kept",
                limit / 1e6,
            )
        for gone in dropped:
            self._has_dropped = True
            del self._sizes[gone]
        self.trials[number] = ended
        return ended

    def record_fresh(self, split: int, number: int, fold: FoldResult) -> None:
        """Record one fold result of an ended trial on fresh splits."""
        self._file.write(fresh=[fresh_row(split, number, fold)])
        key = split, number
        self.fresh[key] = _merged(self.fresh.get(key, ()), [fold])

    def reopen_trial(self, number: int) -> None:
        """Record that a failed trial is to be evaluated again, as if it were interrupted."""
        running = dataclasses.replace(
            self.trials[number], state="running", ended=None, reason="", traceback=""
        )
        self._file.write(head={CONFIRMATION: None}, trial=self._trial_rows(running))
        self.trials[number] = self._taken_over(running)

    def restore_trial(self, trial: Trial) -> None:
        """Record a reopened trial as it was."""
        folds = [fold_row(trial.number, fold) for fold in trial.folds]
        self._file.write(trial=self._trial_rows(trial), fold=folds)
        self.trials[trial.number] = trial

    @public()
    def add_trial(
        self,
        params: Mapping[str, Any],
        folds: Sequence[FoldResult],
        *,
        seed: int = 0,
        origin: str = "given",
        state: TrialState = "complete",
        reason: str = "",
    ) -> Trial:
        """Record a trial that was evaluated elsewhere, by default on all folds."""
        trial = Trial(
            number=0,
            state=state,
            params=dict(params),
            folds=tuple(folds),
            seed=seed,
            started=0.0,
            reason=reason,
            origin=origin,
        )
        return self.add_trials([trial])[0]

    def add_trials(self, several: Sequence[Trial]) -> list[Trial]:
        """Record trials that were evaluated elsewhere, all or none; each with a number of its own.

        So a search that is killed knows all that it was given, or asks for it again.
        """
        now = time.time()
        given: dict[str, Any] = {"started": now, "ended": now, "proposal": "given"}
        added = [
            dataclasses.replace(
                trial,
                **given,
                number=number,
                params=self._plain(trial.params),
                folds=_merged((), trial.folds),
            )
            for number, trial in enumerate(several, len(self.trials))
        ]
        for trial, given_trial in zip(added, several, strict=True):
            _require_ended(trial, n_folds=len(given_trial.folds))
        folds = [fold_row(trial.number, fold) for trial in added for fold in trial.folds]
        if added:
            self._file.write(trial=self._trial_rows(*added), fold=folds)
        self.trials += added
        return added

    def queue_params(self, several: Sequence[Mapping[str, Any]], *, origin: str) -> None:
        """Queue configurations; those queued with the same origin before are left out."""
        space = self.study.space
        known = {
            space.key(space.point(entry.params))
            for entry in self._queue
            if entry.origin == origin and (origin != "enqueued" or entry.trial is None)
        }
        new: list[Queued] = []
        for params in several:
            point = space.point(params)
            if not space.feasible([point])[0]:
                rule = "does not fulfil the constraint of the space."
                raise InvalidParamsError(rule).about("params", dict(params))
            if (key := space.key(point)) not in known:
                known.add(key)
                id_ = len(self._queue) + len(new)
                new.append(Queued(id=id_, params=space.params(point), origin=origin))
        if new:
            self._file.write(queue=self._queue_rows(new))
            self._queue += new

    def next_queued(self) -> Queued | None:
        """The first queued point that no trial has taken, and that fulfils today's constraint."""
        space = self.study.space
        waiting = (entry for entry in self._queue if entry.trial is None)
        return next((e for e in waiting if space.feasible([space.point(e.params)])[0]), None)

    def set_stop_reason(self, reason: str) -> None:
        """Record why the search ended; empty when it goes on."""
        if reason != (self._file.read_fact("stop_reason") or ""):
            self._file.write(head={"stop_reason": printable(reason)})

    def set_budget(self, n_trials: int) -> None:
        """Record how many trials the search is to evaluate in all."""
        if n_trials != self._file.read_budget():
            self._file.write(head={"budget": n_trials})

    def set_confirmation(self, confirmation: Confirmation | None) -> None:
        """Record the end of the search; None takes back an earlier one."""
        stored = confirmation and confirmation.to_json()
        if stored != self._file.read_fact(CONFIRMATION):
            self._file.write(head={CONFIRMATION: stored})

    def add_settings(self, settings: Mapping[str, Any]) -> None:
        """Record settings that an older study lacks; those that it holds stay."""
        info = self.study.info
        if missing := {n: value for n, value in settings.items() if n not in info.settings}:
            self._file.write(head={"settings": {**info.settings, **missing}})
            self.study.info = self._file.read_info()

    def content(self) -> bytes:
        """The bytes of the study's file."""
        return self._file.database.content()

    def replace_space(
        self, head: Mapping[str, Any], trials: Sequence[Trial], encoding: ParamsEncoding
    ) -> None:
        """Record the trials and the queue in the space of `encoding`, with facts of the study."""
        told = [trial_row(trial, encoding) for trial in trials]
        queue = [queue_row(entry, encoding) for entry in self._queue]
        self._file.write(head=head, trial=told, queue=queue)
        self._encoding = encoding

    def end(self) -> None:
        """Write no more; `Study.writing` calls it at the end of its block."""
        self._rows = None

    @property
    def _file(self) -> StudyFile:
        if self._rows is None:
            raise StudyReadOnlyError(
                f"{self.study!r} is no longer open for writing: the `with study.writing()` block "
                "of this StudyWriter has ended; write inside a new one"
            )
        return self._rows

    def _plain(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """A configuration of the space, as the file gives it back."""
        return self.study.space.params(self.study.space.point(params))

    def _trial_rows(self, *trials: Trial) -> list[Row]:
        return [trial_row(trial, self._encoding) for trial in trials]

    def _queue_rows(self, entries: Sequence[Queued]) -> list[Row]:
        return [queue_row(entry, self._encoding) for entry in entries]

    def _prediction_rows(self, number: int, folds: Sequence[FoldResult]) -> list[Row]:
        """Rows of the predictions of new folds, where they are kept."""
        if not self.prediction_bytes:
            return []
        rows = [prediction_row(number, fold) for fold in folds if fold.predictions is not None]
        if rows:
            self._sizes[number] = self._sizes.get(number, 0) + sum(map(size_of, rows))
        return rows

    def _taken_over(self, trial: Trial) -> Trial:
        """A trial left running by a search that died, without the time since and stand-in folds."""
        if trial.finished:
            return trial
        folds = tuple(fold for fold in trial.folds if not fold.error)
        if len(folds) < len(trial.folds):  # a trial that is stopped earlier would have them again
            kept = [fold_row(trial.number, fold) for fold in folds]
            self._file.write(emptied=[trial.number], fold=kept)
            for key in [key for key in self.fresh if key[1] == trial.number]:
                del self.fresh[key]
        spent = math.fsum(fold.seconds for fold in folds)
        self._begun[trial.number] = time.monotonic() - spent
        return dataclasses.replace(trial, folds=folds, started=time.time() - spent)

    def _running(self, number: int) -> Trial:
        if not 0 <= number < len(self.trials) or self.trials[number].state != "running":
            raise InvalidSearchError(f"trial {number} of {self.study!r} is not running")
        return self.trials[number]


def _merged(old: Sequence[FoldResult], new: Sequence[FoldResult]) -> tuple[FoldResult, ...]:
    by_fold = {fold.fold: dataclasses.replace(fold, predictions=None) for fold in (*old, *new)}
    return tuple(by_fold[j] for j in sorted(by_fold))


def _require_ended(trial: Trial, n_folds: int) -> None:
    """Raise where a trial has not ended, or its folds do not give what its state says."""
    if not trial.finished:
        wanted = "'complete', 'stopped' or 'failed' for a trial that was evaluated elsewhere"
        raise refusal(InvalidSearchError, "state", trial.state, wanted)
    if len(trial.folds) < n_folds:
        wanted = "fold results of different folds"
        raise refusal(InvalidSearchError, "folds", [fold.fold for fold in trial.folds], wanted)
    scores = [fold.score for fold in trial.folds]
    if trial.state == "complete" and not (scores and all(map(math.isfinite, scores))):
        wanted = "one fold result or more for a complete trial, each with a finite score"
        raise refusal(InvalidSearchError, "folds", scores, wanted)
