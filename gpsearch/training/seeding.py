"""Random streams: a build and a training that depend on their seed alone, and leave no trace."""

import contextlib
import pickle
import random
import threading
from collections.abc import Callable, Iterator

import numpy as np

from gpsearch.training.backend import set_seed

# Keras draws the seeds of initializers and dropout from Python's global generator, so two
# threads that build models at once would draw from each other's stream.
_BUILD_LOCK = threading.RLock()


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Build and train as if the process had just been seeded with `seed`, below 2**32.

    Python's and NumPy's global generators are put back afterwards, so that an evaluation does
    not disturb the caller's own stream of random numbers.
    """
    with _BUILD_LOCK, streams_kept():
        set_seed(seed)
        yield


@contextlib.contextmanager
def streams_kept() -> Iterator[None]:
    """Put Python's and NumPy's global generators back afterwards."""
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002


@contextlib.contextmanager
def draws_noticed() -> Iterator[Callable[[], bool]]:
    """Whether the body has drawn from Python's or NumPy's global generator so far."""

    def state() -> bytes:
        return pickle.dumps((random.getstate(), np.random.get_state()))  # noqa: NPY002

    with _BUILD_LOCK:  # another thread, too, may seed them there
        before = state()
        yield lambda: state() != before
