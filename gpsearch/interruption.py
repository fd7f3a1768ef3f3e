"""What ends the process from outside; Ctrl-C while ``gpsearch`` is imported, which takes seconds.

`gpsearch.cli.main` is not there yet to catch it, and the imports of other libraries answer a
KeyboardInterrupt in many ways. Nothing has been begun that would need an end.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

INTERRUPTED = 130  # exit code after Ctrl-C


class Terminated(BaseException):
    """The process was told to terminate. Not an Exception: no objective may swallow it."""


def leave(signum: int, frame: Any) -> None:
    """End the process with one sentence."""
    os.write(2, b"gpsearch: interrupted.\n")
    os._exit(INTERRUPTED)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt in the block, where Ctrl-C ends the process outside of it."""
    if signal.getsignal(signal.SIGINT) is not leave:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, leave)


def is_command() -> bool:
    """Whether this process was started as ``gpsearch`` or ``python -m gpsearch``."""
    # Workers are started in another way, with the arguments of the process that starts them.
    started = sys.argv[0] if sys.argv else ""
    if started == "-m":  # until the module runs
        return "gpsearch" in sys.orig_argv
    return Path(started).stem == "gpsearch" and started in sys.orig_argv


if is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, leave)
