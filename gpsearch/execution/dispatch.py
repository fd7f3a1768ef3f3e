"""The loop over workers: a free one gets a new trial at once.

Fold results and the ends of trials come through one queue to the thread of the search, which alone
touches the study. The points of the running trials are pending in the history.
"""

import contextlib
import dataclasses
import logging
import queue
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass

from gpsearch.errors import StudyError
from gpsearch.evaluation import FoldResult
from gpsearch.execution.run import Run
from gpsearch.execution.workers.executors import LOOK_UP, WorkerKilledError, Workers
from gpsearch.execution.workers.job import Job, Outcome, failure, sentence
from gpsearch.interruption import Terminated

logger = logging.getLogger("gpsearch")

MAX_ATTEMPTS = 3
"""Times that a trial is given to workers that are killed, or to an executor that breaks.

The last time it runs alone: until then it may have been killed with what ran beside it.
"""


@dataclass(frozen=True, kw_only=True)
class _FoldEnded:
    number: int
    fold: FoldResult
    reply: Future[bool]


@dataclass(frozen=True, kw_only=True)
class _TrialEnded:
    job: Job
    future: Future[Outcome]


class Events:
    """What the workers report, in the order in which it arrives."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[_FoldEnded | _TrialEnded] = queue.SimpleQueue()
        self._closed = False

    def fold_ended(self, number: int, fold: FoldResult) -> bool:
        """Report a fold result from any thread; returns whether the trial goes on."""
        if self._closed:
            return False
        reply: Future[bool] = Future()
        self._queue.put(_FoldEnded(number=number, fold=fold, reply=reply))
        if self._closed:  # meanwhile, so that nothing else will answer
            self.close()
        return reply.result()

    def trial_ended(self, job: Job, future: Future[Outcome]) -> None:
        """Report the end of a trial from any thread."""
        self._queue.put(_TrialEnded(job=job, future=future))

    def next(self) -> _FoldEnded | _TrialEnded | None:
        """Wait for the next report; None where there is none for a while."""
        try:
            return self._queue.get(timeout=LOOK_UP)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Stop the trial of every worker that waits for an answer."""
        self._closed = True
        with contextlib.suppress(queue.Empty):  # several threads may close it at once
            while True:
                event = self._queue.get_nowait()
                if isinstance(event, _FoldEnded):
                    event.reply.set_result(False)


def run_concurrently(run: Run, workers: Workers, events: Events) -> None:
    """Keep all workers busy until the search is over; StudyError where the executor breaks."""
    running: dict[int, Future[Outcome]] = {}
    attempts: dict[int, int] = {}
    last: list[Job] = []  # to be given for the last time

    def submit(job: Job) -> None:
        attempts[job.number] = attempts.get(job.number, 0) + 1
        try:
            future = workers.submit(job)
        except (BrokenExecutor, RuntimeError) as error:
            raise _broken(error) from error
        running[job.number] = future
        future.add_done_callback(lambda done: events.trial_ended(job, done))

    def free_slots() -> int:
        alone = last or any(attempts[number] == MAX_ATTEMPTS for number in running)
        return 0 if alone else workers.slots - len(running)

    while True:
        if last and not running:
            submit(last.pop(0))
        while (free := free_slots()) > 0 and (job := run.next_job()) is not None:
            submit(job)
        if not running:
            return
        while (event := events.next()) is None and free_slots() <= free:
            pass
        if event is None:  # workers have joined
            continue
        if isinstance(event, _FoldEnded):
            # A worker that was taken for dead may still send a fold.
            current = event.number in running
            goes_on = False
            try:
                goes_on = current and run.record_fold(event.number, event.fold)
            finally:
                event.reply.set_result(goes_on)
            continue
        number = event.job.number
        del running[number]
        given_up = event.future.cancelled()
        error = RuntimeError("the trial was cancelled") if given_up else event.future.exception()
        if error is None:
            run.finish(number, event.future.result())
        elif attempts[number] < MAX_ATTEMPTS:
            logger.warning("trial %d runs again after %r", number, error)
            again = dataclasses.replace(event.job, done=run.recorded(number))
            if attempts[number] == MAX_ATTEMPTS - 1:
                last.append(again)
            else:
                submit(again)
        elif isinstance(error, BrokenExecutor):
            raise _broken(error) from error
        else:
            reason = f"its executor failed with {error!r}"
            if isinstance(error, WorkerKilledError):
                reason = str(error)
            elif isinstance(error, KeyboardInterrupt | Terminated):  # the objective raised it
                reason = sentence(error)
            run.finish(number, failure(f"{reason}, {MAX_ATTEMPTS} times"))


def _broken(error: BaseException) -> StudyError:
    if isinstance(error, StudyError):
        return error
    broken = isinstance(error, BrokenExecutor)
    remedy = ". Where a training ends its process, isolate=True in its place costs that trial alone"
    return StudyError(
        f"the executor takes no more trials ({error!r}); every finished trial is in the study, and "
        f"the same call with a new executor continues it{remedy if broken else ''}"
    )
