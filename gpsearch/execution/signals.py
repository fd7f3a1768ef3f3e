"""Ctrl-C and SIGTERM: the first ends the search tidily, the second at once.

Python handles a signal between two of its own steps, and a compiled training is one long step. The
first signal therefore takes effect when that step is done. The second need not wait, because the
study is whole at any moment: a thread that the system wakes ends the process.
"""

import atexit
import contextlib
import gc
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from gpsearch.interruption import Terminated

SHELL_EXIT = 128  # a shell reports a process that died of signal n as 128 + n

END_OF_WATCH = 0  # no signal has this number

HINT = "\ngpsearch: ending after the running step; once more to end at once.\n"


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Raise KeyboardInterrupt on Ctrl-C and `Terminated` on SIGTERM inside the block.

    Only the main thread may handle signals. A handler that the application has set for SIGTERM
    stays in its place, and where it watches signals itself, as a notebook's kernel does, the
    second one is left to it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        with _ended_by_the_second_signal():
            yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def end_process_soon() -> None:
    """Skip garbage collection at exit, which takes seconds where all cores are busy."""
    atexit.register(gc.freeze)


def _raise_terminated(signum: int, frame: Any) -> None:
    raise Terminated


@contextlib.contextmanager
def _ended_by_the_second_signal() -> Iterator[None]:
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    if before != -1:
        signal.set_wakeup_fd(before)
        os.close(awake)
        os.close(wake)
        yield
        return
    watcher = threading.Thread(target=_watch, args=(awake,), name="gpsearch-signals", daemon=True)
    watcher.start()
    _wakes.append(wake)
    try:
        yield
    finally:
        _wakes.remove(wake)
        signal.set_wakeup_fd(before)
        # Not by closing it alone: a child that was forked may hold it, too.
        os.write(wake, bytes([END_OF_WATCH]))
        os.close(wake)
        watcher.join()


_wakes: list[int] = []  # the descriptor that signals are written to, where there is one


def _part_from_watcher() -> None:
    """Leave the signals of a forked child to it: they are not meant for the search."""
    if _wakes:
        signal.set_wakeup_fd(-1)
        _wakes.clear()
    if signal.getsignal(signal.SIGTERM) is _raise_terminated:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_part_from_watcher)


def _watch(awake: int) -> None:
    seen: Counter[int] = Counter()
    with open(awake, "rb", buffering=0) as signals:
        while (number := signals.read(1)) and number[0] != END_OF_WATCH:
            seen[number[0]] += 1
            if number[0] not in (signal.SIGINT, signal.SIGTERM):
                continue
            if seen[number[0]] > 1:
                os._exit(SHELL_EXIT + number[0])
            if sys.stderr is not None and sys.stderr.isatty():
                os.write(sys.stderr.fileno(), HINT.encode())
