"""What this process is busy with, told to the progress of a search that it runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_current = ""
_listener: Callable[[str], None] | None = None


@contextmanager
def phase(text: str) -> Iterator[None]:
    """Tell that the block, or the decorated function, does what `text` says."""
    before = _current
    _enter(text)
    try:
        yield
    finally:
        _enter(before)


def listen(listener: Callable[[str], None] | None) -> None:
    """Have `listener` called with each phase of this process; "" after the outermost one."""
    global _listener
    _listener = listener


def _enter(text: str) -> None:
    global _current
    _current = text
    if _listener is not None:
        _listener(text)
