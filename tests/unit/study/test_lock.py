"""One writer: known by name to whoever comes second, forgotten as soon as it is dead."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
import types

import pytest

import gpsearch.study.lock as lock_module
from gpsearch.errors import StudyLockedError
from gpsearch.study.lock import WriteLock, holder_of

HOLDER = """
import sys, time, pathlib
from gpsearch.study.lock import WriteLock
lock = WriteLock(pathlib.Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "a.db")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_process_is_told_who_and_since_when(holder, tmp_path):
    with pytest.raises(StudyLockedError) as refusal:
        WriteLock(tmp_path / "a.db")
    assert re.search(rf"process {holder.pid} on \S+ since \d{{4}}-\d\d-\d\d", str(refusal.value))


def test_a_dead_holder_is_succeeded_at_once(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "a.db.lock").exists()
    WriteLock(tmp_path / "a.db").release()


def test_two_searches_of_one_process_exclude_each_other(tmp_path):
    lock = WriteLock(tmp_path / "a.db")
    with pytest.raises(StudyLockedError, match="another search in this process"):
        WriteLock(tmp_path / "." / "a.db")
    lock.release()
    WriteLock(tmp_path / "a.db").release()


def test_release_leaves_no_file_and_may_be_repeated(tmp_path):
    lock = WriteLock(tmp_path / "a.db")
    lock.release()
    lock.release()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_whose_file_was_removed_meanwhile_is_taken_on_the_new_file(tmp_path):
    """A process that opened the file just before its holder removed it must not hold a ghost."""
    first = WriteLock(tmp_path / "a.db")
    taken = []

    def second():
        while True:
            try:
                taken.append(WriteLock(tmp_path / "a.db"))
                return
            except StudyLockedError:
                continue

    thread = threading.Thread(target=second)
    thread.start()
    first.release()
    thread.join()
    assert os.fstat(taken[0]._free.args[0]).st_ino == (tmp_path / "a.db.lock").stat().st_ino
    taken[0].release()


def test_a_reader_learns_who_writes_and_takes_nothing(holder, tmp_path):
    study = tmp_path / "a.db"
    assert holder_of(study).startswith(f"process {holder.pid} on ")
    holder.kill()
    holder.wait()
    assert holder_of(study) == ""
    assert holder_of(tmp_path / "b.db") == ""
    WriteLock(study).release()


def test_asking_who_writes_does_not_give_the_own_lock_up(tmp_path):
    """Closing any descriptor of a file gives up all record locks that the process has on it."""
    study = tmp_path / "a.db"
    lock = WriteLock(study)
    assert holder_of(study) == f"process {os.getpid()}"
    code = (
        "import sys, pathlib; from gpsearch.study.lock import holder_of; "
        "print(holder_of(pathlib.Path(sys.argv[1])))"
    )
    told = subprocess.run([sys.executable, "-c", code, str(study)], capture_output=True, text=True)
    assert told.stdout.startswith(f"process {os.getpid()} on "), told.stderr
    lock.release()


class FileLockOfOthers:
    """The face of `filelock`, which is installed only where there are no POSIX locks."""

    def __init__(self, path, timeout=-1):
        self.path, self.lock_file, self.timeout = path, path, timeout

    def acquire(self, timeout=None):
        self.file = open(self.path, "a")  # noqa: SIM115, it is held
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.file.close()
            raise TimeoutError from None

    def release(self):
        os.unlink(self.path)
        self.file.close()

    def __enter__(self):
        self.acquire()

    def __exit__(self, *error):
        self.release()


def test_without_posix_locks_another_process_is_kept_out_by_filelock(tmp_path, monkeypatch):
    stand_in = types.SimpleNamespace(FileLock=FileLockOfOthers, Timeout=TimeoutError)
    monkeypatch.setitem(sys.modules, "filelock", stand_in)
    monkeypatch.setattr(lock_module, "fcntl", None)
    study = tmp_path / "a.db"
    lock = WriteLock(study)
    assert holder_of(study) == f"process {os.getpid()}"
    lock.release()
    assert holder_of(study) == ""
    with open(tmp_path / "a.db.lock", "a") as other:  # another process's
        fcntl.flock(other, fcntl.LOCK_EX)
        assert holder_of(study) == "another process"
        with pytest.raises(StudyLockedError, match="written by another process; wait"):
            WriteLock(study)
    WriteLock(study).release()
