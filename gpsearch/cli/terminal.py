"""What a command prints, in which colours, and how it ends."""

import contextlib
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import TextIO

from gpsearch.phases import listen

DONE, NOTHING_FINISHED, WRONG, UNEXPECTED = 0, 1, 2, 3

CLEARED = "\r\033[K"  # the line of a terminal
LABEL = 9  # characters of the name before a line
STYLES = {"bold": "1", "red": "31", "green": "32", "dim": "2"}
PAINT = "|".join([*STYLES.values(), "0"])
CONTROL = re.compile(rf"(?!\033\[(?:{PAINT})m)[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@contextlib.contextmanager
def printing() -> Iterator[None]:
    """Raise UnwritableError where the block cannot write to standard output."""
    try:
        yield
    except OSError:
        from gpsearch.study.location import writing_file  # here, since `--help` needs no study

        with writing_file("standard output"):
            raise


def say(text: str) -> None:
    """Print to standard output."""
    with printing():
        print(harmless(text, sys.stdout))


def harmless(text: str, stream: TextIO) -> str:
    """`text` as it is; for a terminal, what is not of `STYLES` and would control it is spelled."""
    if not stream.isatty():
        return text
    return CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def paint(text: str, style: str) -> str:
    """`text` in one of `STYLES`, on a terminal that shows colours and where NO_COLOR is not set."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    if plain or not sys.stdout.isatty():
        return text
    return f"\033[{STYLES[style]}m{text}\033[0m"


@contextlib.contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show on a terminal what the block is busy with, and clear the line at its end."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return

    def show(phase: str) -> None:
        print(f"{CLEARED}{phase or text} ...", end="", file=sys.stderr, flush=True)

    show("")
    listen(show)
    try:
        yield
    finally:
        listen(None)
        print(CLEARED, end="", file=sys.stderr, flush=True)


def label(name: str) -> str:
    """The beginning of a line, as wide as that of the others."""
    return paint(f"{name:<{LABEL}}", "bold")


def fact(name: str, text: str) -> str:
    """A labelled text; on a terminal that is narrower, the further lines stand below the text."""
    if sys.stdout.isatty():
        width = max(shutil.get_terminal_size().columns - LABEL, LABEL)
        lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
        text = f"\n{'':{LABEL}}".join(lines)
    return f"{label(name)}{text}"


def end(code: int, message: object = "") -> int:
    """Say why a command ends, where that can be said, and give its exit code back."""
    with contextlib.suppress(OSError):
        if message and sys.stderr is not None:
            print(f"gpsearch: {harmless(str(message), sys.stderr)}", file=sys.stderr)
    try:
        sys.stdout.flush()
    except OSError:  # Python would try again at its end, and complain
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
