import _thread
import functools
import itertools
import queue
import threading
from concurrent.futures import Future

import pytest

from gpsearch.evaluation import FoldResult
from gpsearch.execution.dispatch import Events, run_concurrently
from gpsearch.execution.workers.executors import WorkerKilledError
from gpsearch.execution.workers.job import Job, Outcome


def test_a_signal_that_wakes_nobody_still_ends_the_wait():
    """As where it arrives before the wait has begun, or at another thread."""
    events = Events()
    job = Job(number=0, params={}, seed=0)
    late = threading.Timer(20.0, events.trial_ended, (job, Future()))
    late.daemon = True  # without it the test would hang where it fails
    late.start()
    threading.Timer(0.05, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        any(events.next() for _ in itertools.count())
    assert late.is_alive()
    late.cancel()


class Taken(queue.SimpleQueue):
    """Looks full to a thread from which another one takes what there is."""

    def empty(self):
        return False


def test_closing_waits_for_no_report_that_another_thread_has_answered():
    """A thread that reports while it is being closed closes it, too: nothing else may answer."""
    events = Events()
    events._queue = Taken()
    closing = threading.Thread(target=events.close, daemon=True)
    closing.start()
    closing.join(timeout=20)
    assert not closing.is_alive()
    assert not events.fold_ended(0, FoldResult(fold=0, score=0.0))


class Trials:
    """Stands in for the run of a search with so many trials."""

    def __init__(self, n_trials):
        self.left = [Job(number=number, params={}, seed=0) for number in range(n_trials)]
        self.ended = {}

    def next_job(self):
        return self.left.pop(0) if self.left else None

    def recorded(self, number):
        return ()

    def finish(self, number, outcome):
        self.ended[number] = outcome.state


class Cluster:
    """Where trial 0 is deadly: with its process it soon ends every trial that runs beside it."""

    slots = 2

    def __init__(self):
        self.running = set()

    def submit(self, job):
        future = Future()
        self.running.add(future)
        end = self.die if job.number == 0 else functools.partial(self.complete, future)
        threading.Timer(0.1 if job.number == 0 else 0.3, end).start()
        return future

    def die(self):
        while self.running:
            self.running.pop().set_exception(WorkerKilledError("was killed"))

    def complete(self, future):
        if future in self.running:
            self.running.remove(future)
            future.set_result(Outcome(state="complete"))


def test_a_trial_is_not_failed_for_what_another_does_to_the_worker_of_both():
    run = Trials(4)
    run_concurrently(run, Cluster(), Events())
    assert run.ended == {0: "failed", 1: "complete", 2: "complete", 3: "complete"}


def test_workers_that_join_while_all_are_busy_get_trials_at_once():
    class Growing:
        slots = 1

        def __init__(self):
            self.futures = []

        def submit(self, job):
            self.futures.append(Future())
            threading.Timer(0.3, setattr, (self, "slots", 2)).start()
            if len(self.futures) == 2:  # the first ends only once the second has begun
                for future in self.futures:
                    future.set_result(Outcome(state="complete"))
            return self.futures[-1]

    run = Trials(2)
    waiting = threading.Thread(
        target=run_concurrently, args=(run, Growing(), Events()), daemon=True
    )
    waiting.start()
    waiting.join(timeout=20)
    assert run.ended == {0: "complete", 1: "complete"}
