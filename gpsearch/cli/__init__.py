"""The command line: ``gpsearch run search.toml``, and commands that read its study.

=========== ====================================================================
exit code   meaning
=========== ====================================================================
0           done
1           the study holds no finished trial, or a comparison ended at its
            timeout before two complete repeats
2           the call, the configuration or the study is wrong, every trial failed
            with the same error, or a file cannot be written
3           an error that gpsearch did not expect, such as one of a callback
130         interrupted (Ctrl-C); the same command continues
143         terminated (SIGTERM); the same command continues
=========== ====================================================================

Each error is one sentence. No command writes over a study.
"""

import contextlib
import importlib
import os
import shlex
import sys
from collections.abc import Sequence

from gpsearch.cli.parser import make_parser
from gpsearch.cli.terminal import DONE, UNEXPECTED, WRONG, end, printing, waiting
from gpsearch.errors import GPSearchError
from gpsearch.interruption import INTERRUPTED, interruptible


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    if sys.stdout is None:  # closed by the caller
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    with contextlib.suppress(AttributeError):  # the terminal may lack characters of a value
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        try:
            return _command(argv)
        finally:
            with printing():
                sys.stdout.flush()
    except BrokenPipeError:  # `gpsearch export ... | head`
        return end(DONE)
    except GPSearchError as error:
        return end(WRONG, error.rule if error.argument == "path" else error)
    except KeyboardInterrupt:
        return end(INTERRUPTED, "interrupted.")
    except Exception as error:  # of code of the user's, or a fault of gpsearch
        from gpsearch.config.python_objects import place_of
        from gpsearch.execution.workers.job import sentence

        return end(UNEXPECTED, f"{sentence(error)}{place_of(error)}")


def _command(argv: Sequence[str] | None) -> int:
    arguments = make_parser().parse_args(argv)
    arguments.command_line = shlex.join(["gpsearch", *(sys.argv[1:] if argv is None else argv)])
    # Each command's module imports what it needs, while Ctrl-C still ends the process at once.
    room, _, name = arguments.command.partition(":")
    slow = waiting("gpsearch") if room == "searches" else contextlib.nullcontext()
    with slow:
        command = getattr(importlib.import_module(f"gpsearch.cli.{room}"), name)
    with interruptible():
        return int(command(arguments))
