import _thread
import threading
from concurrent.futures import Future

import pytest

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
