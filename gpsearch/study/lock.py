"""One writer at a time for a study's file.

On POSIX systems the lock is the operating system's own (``fcntl`` on the file ``<study>.lock``): it
dies with its holder however that ends, so a killed process leaves nothing to clean up. The file's
text, which only serves the message, says which process holds it and since when. A record lock,
unlike ``flock``, is not inherited by forked children, so an orphaned worker cannot keep a dead
search's lock. Elsewhere the lock is that of `filelock`, whose file shows no text while it is held.
"""

import contextlib
import functools
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from gpsearch.errors import StudyError, StudyLockedError, StudyReadOnlyError

try:
    import fcntl
except ImportError:  # not a POSIX system: the lock is that of filelock
    fcntl = None  # type: ignore[assignment]

_held: set[str] = set()
"""Files locked by this process. A record lock does not exclude its own process, and closing any
descriptor of its file would give it up."""

_mutex = threading.Lock()  # guards `_held` between the threads of this process
MARK = b'{"pid": '  # how the text of a lock begins
PATIENCE = 0.2
"""Seconds for which a lock that is held is tried again: `holder_of` takes it for a moment."""


class WriteLock:
    """The right to write to a study's file, which need not exist yet, held until `release`."""

    def __init__(self, study: Path) -> None:
        self._path = str(study.resolve()) + ".lock"
        self._study = study
        self._pid = os.getpid()
        with _mutex:
            if self._path in _held:
                raise StudyLockedError(
                    f"{study} is being written by another search in this process; wait until it "
                    "ends, or give this search a study of its own"
                )
            try:
                self._refuse_foreign()
                self._free = self._acquire_portable() if fcntl is None else self._acquire()
            except OSError as error:
                raise StudyReadOnlyError(
                    f"{study} cannot be written: {error}; a search needs the right to write to the "
                    "folder of its study"
                ) from error
            _held.add(self._path)

    def release(self) -> None:
        """Give the lock back and remove its file; again is harmless."""
        if os.getpid() != self._pid:
            return
        with _mutex:
            free, self._free = self._free, lambda: None
            free()
            _held.discard(self._path)

    def _refuse_foreign(self) -> None:
        """Raise where what lies at the lock's name is not a lock, nor the beginning of one."""
        text = b""
        with contextlib.suppress(OSError):  # there is none, or a system keeps it while it is held
            text = Path(self._path).read_bytes()
        if not (text.startswith(MARK) or MARK.startswith(text)):
            raise StudyError(
                f"{self._study} cannot be written: {self._path} lies where its lock belongs, and "
                "is none; move it, or give the study another path."
            )

    def _acquire(self) -> Callable[[], None]:
        give_up = time.monotonic() + PATIENCE
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not _same_file(descriptor, self._path):
                    os.close(descriptor)
                    continue
                self._sign(descriptor)
            except BlockingIOError:
                holder = _describe_holder(os.pread(descriptor, 4096, 0))
                os.close(descriptor)
                if time.monotonic() < give_up:
                    time.sleep(PATIENCE / 10)
                    continue
                raise self._refusal(holder) from None
            except BaseException:
                os.close(descriptor)
                raise
            return functools.partial(self._give_back, descriptor)

    def _give_back(self, descriptor: int) -> None:
        # Removed while still held: a process that opened it meanwhile sees by the inode that its
        # file is gone, and starts over.
        with contextlib.suppress(OSError):
            os.unlink(self._path)
        os.close(descriptor)

    def _acquire_portable(self) -> Callable[[], None]:
        from filelock import FileLock, Timeout

        lock = FileLock(self._path)
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            raise self._refusal("another process") from None
        return lock.release

    def _refusal(self, holder: str) -> StudyLockedError:
        return StudyLockedError(
            f"{self._study} is being written by {holder}; wait until that search ends or stop it, "
            "or give this search a study of its own (reading is possible at any time: Study.open, "
            "gpsearch show)"
        )

    @staticmethod
    def _sign(descriptor: int) -> None:
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
        # The lock holds without its text, which a full disk may refuse.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def holder_of(study: Path) -> str:
    """What writes to a study: ``process 17 on host since ...``; empty where nothing does."""
    path = f"{study.resolve()}.lock"
    with _mutex:
        if path in _held:
            return f"process {os.getpid()}"
        if fcntl is None:
            return _portable_holder(path)
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError:
            return ""
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return ""
        except OSError:
            return _describe_holder(os.pread(descriptor, 4096, 0))
        finally:
            os.close(descriptor)


def _portable_holder(path: str) -> str:
    from filelock import FileLock, Timeout

    if not os.path.exists(path):
        return ""
    try:
        with FileLock(path, timeout=0):
            return ""
    except Timeout:
        return "another process"


def _same_file(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _describe_holder(text: bytes) -> str:
    try:
        holder = json.loads(text)
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder["since"]))
        return f"process {holder['pid']} on {holder['host']} since {since}"
    except (ValueError, TypeError, KeyError, OverflowError):
        return "another process"
