import _thread
import queue
import threading
from concurrent.futures import Future

import pytest

from gpsearch.evaluation import FoldResult
from gpsearch.execution.dispatch import Events
from gpsearch.execution.workers.job import Job


def test_a_signal_that_wakes_nobody_still_ends_the_wait():
    """As where it arrives before the wait has begun, or at another thread."""
    events = Events()
    job = Job(number=0, params={}, seed=0)
    late = threading.Timer(20.0, events.trial_ended, (job, Future()))
    late.daemon = True  # without it the test would hang where it fails
    late.start()
    threading.Timer(0.05, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        events.next()
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
