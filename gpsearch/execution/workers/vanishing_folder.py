"""A temporary folder that is removed also where the process that made it is killed."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REMOVER = "import shutil, sys; sys.stdin.read(); shutil.rmtree(sys.argv[1], ignore_errors=True)"
"""Removes a folder when the process that holds the other end of its input ends."""


class VanishingFolder:
    """A new folder in `root`, until `close`; another process waits for the end of this one."""

    def __init__(self, prefix: str, root: str | None = None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=root))
        command = [sys.executable, "-I", "-S", "-c", REMOVER, str(self.path)]
        # Its own session: Ctrl-C and the end of the search's group do not reach it.
        self._remover = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def close(self) -> None:
        """Remove the folder; what is mapped from it stays readable where it is."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._remover.kill()
        self._remover.communicate()
