"""The inside of a worker process: unpacks the objective once and evaluates many trials."""

import contextlib
import faulthandler
import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
import threadpoolctl

from gpsearch.evaluation import Objective
from gpsearch.execution.workers.channel import Address, FoldSender
from gpsearch.execution.workers.job import Job, Outcome, evaluate, failure
from gpsearch.training.quiet_import import quiet_tensorflow

WATCHER = """
import os, select, signal, sys
select.select([int(fd) for fd in sys.argv[1:]], [], [])
os.killpg(0, signal.SIGKILL)
"""
"""Kills its process group, itself included, when the other end of one of its pipes is closed."""

TRACE_AT = 0.9
"""Share of the time limit after which a trial's stack is written down, in case it hangs."""


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """An objective ready to travel."""

    digest: str
    """Identifies it in a worker that serves several searches."""
    data: bytes
    """The objective, packed by cloudpickle: closures and notebook functions travel."""
    address: Address | None
    """Where its fold results are sent; None where they return with the trial."""


def start_isolated(parcel: Parcel, threads: int, megabytes: float | None) -> None:
    """Prepare a fresh process with so many threads and, but for None, so much private memory."""
    # At once, wherever the trial stands: a Python handler would wait for a hung C call to return.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # A group of its own, so that what a trial has started can be ended with it.
    with contextlib.suppress(OSError, AttributeError):
        os.setsid()
    _end_with_parent()
    _limit_threads(threads)
    quiet_tensorflow()
    _unpack(parcel)
    # Afterwards, so that a limit below what the libraries take does not stop the worker itself.
    if megabytes is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (int(megabytes * 1e6),) * 2)


def probe(parcel: Parcel) -> str:
    """Say why the objective could not be unpacked here; empty when it was."""
    unpacked = _unpack(parcel)
    return unpacked if isinstance(unpacked, str) else ""


def evaluate_isolated(parcel: Parcel, job: Job, traces: Path, time_limit: float | None) -> Outcome:
    """Evaluate a trial in a process that may die of it, leaving its stack behind."""
    with open(_trace_path(traces, job.number), "w") as trace:
        faulthandler.enable(file=trace)
        if time_limit is not None:
            faulthandler.dump_traceback_later(TRACE_AT * time_limit, file=trace)
        try:
            return evaluate_anywhere(parcel, job)
        finally:
            faulthandler.cancel_dump_traceback_later()
            faulthandler.disable()


def evaluate_anywhere(parcel: Parcel, job: Job) -> Outcome:
    """Evaluate a trial in whatever process an executor offers."""
    unpacked = _unpack(parcel)
    if isinstance(unpacked, str):
        return failure(unpacked)
    if parcel.address is None:
        return evaluate(unpacked, job)
    # A connection serves one thread of one process; a forked child inherits its parent's cache.
    sender = _connected(parcel.address, os.getpid(), threading.get_ident())
    return evaluate(unpacked, job, on_fold=functools.partial(sender, job.number))


def read_trace(traces: Path, number: int) -> str:
    """The stack that trial `number` left behind; empty for none."""
    try:
        return _trace_path(traces, number).read_text(errors="replace")
    except OSError:
        return ""


def _trace_path(traces: Path, number: int) -> Path:
    return traces / f"trial-{number}.txt"


_unpacked: dict[str, Objective | str] = {}
"""The objective, by its digest; or the sentence that says why it could not be unpacked."""


def _unpack(parcel: Parcel) -> Objective | str:
    if parcel.digest not in _unpacked:
        _unpacked.clear()  # frees the data of an earlier search
        try:
            _unpacked[parcel.digest] = cloudpickle.loads(parcel.data)
        except Exception as error:
            _unpacked[parcel.digest] = (
                "the objective cannot be unpacked in a worker process "
                f"({type(error).__name__}: {error}); what it uses must be importable there"
            )
    return _unpacked[parcel.digest]


@functools.lru_cache(maxsize=1)
def _connected(address: Address, pid: int, thread: int) -> FoldSender:
    return FoldSender(address)


def _end_with_parent() -> None:
    """End this worker with the search, and what its trials have started with the worker.

    A trial may hang in C code that holds the interpreter's lock, so that no thread of this
    process could act: another process waits for either end, and kills the group.
    """
    parent: Any = multiprocessing.parent_process()
    if parent is None:
        return
    if not hasattr(os, "getpgrp") or os.getpgrp() != os.getpid():  # it leads no group
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()
        return
    mine, of_parent = os.pipe(), parent.sentinel
    command = [sys.executable, "-I", "-S", "-c", WATCHER, str(mine[0]), str(of_parent)]
    # Never waited for: it ends with the group. The writing end stays open as long as this process
    # lives.
    _watchers.append(subprocess.Popen(command, pass_fds=(mine[0], of_parent)))
    os.close(mine[0])


_watchers: list[subprocess.Popen[bytes]] = []


def _end_after(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _limit_threads(threads: int) -> None:
    # Not the threads *between* operations: they wait rather than work, and a graph that nests
    # loops holds one for each level, so that a pool of one would wait for ever.
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(name, str(threads))
    # NumPy's libraries are loaded already, and read no environment any more.
    threadpoolctl.threadpool_limits(threads)
