"""Worker processes for trials that may hang, leak or die, on `pebble`'s pool.

Each worker imports the objective once and serves many trials. A trial that exceeds its time limit
or kills its process fails; its worker is replaced, the others go on.
"""

import contextlib
import dataclasses
import multiprocessing
import multiprocessing.context
import os
import signal
import sys
import threading
import types
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pebble
from joblib import cpu_count

from gpsearch.errors import InvalidObjectiveError
from gpsearch.execution.workers.executors import LOOK_UP, WorkerKilledError
from gpsearch.execution.workers.job import DIED, OUT_OF_TIME, Job, Outcome, failure
from gpsearch.execution.workers.vanishing_folder import VanishingFolder
from gpsearch.execution.workers.worker import (
    Parcel,
    evaluate_isolated,
    probe,
    read_trace,
    start_isolated,
)

MAX_BROKEN_POOLS = 3  # pools that may break one after the other before a trial ends
EXIT_ZERO = 256  # stands for the exit code 0, see `_Process`; no process has it
KILLED = "its worker process was killed (SIGKILL), as the system does when memory runs out"


class IsolatedWorkers:
    """A fixed number of worker processes, with limits as in `gpsearch.search`."""

    def __init__(
        self,
        parcel: Parcel,
        n_workers: int,
        *,
        time_limit: float | None,
        memory_limit: float | None,
        devices: Sequence[str] = (),
    ) -> None:
        self._parcel = parcel
        self._n_workers = n_workers
        self._time_limit = time_limit
        self._traces = VanishingFolder("gpsearch-traces-")
        self._devices = devices
        self._limits = max(1, cpu_count() // n_workers), memory_limit
        self._broken_pools = 0
        self._pool = self._make_pool()
        try:
            probed = self._pool.schedule(probe, args=(parcel,))
            while not probed.done():  # a single long wait might miss a Ctrl-C
                wait([probed], timeout=LOOK_UP)
            if problem := probed.result():
                raise InvalidObjectiveError(problem)
        except BrokenProcessPool as error:
            self.close(at_once=True)
            raise InvalidObjectiveError(
                "worker processes die while they unpack the objective; what it imports may end the "
                "process, or need more memory than memory_limit"
            ) from error
        except BaseException:
            self.close(at_once=True)
            raise

    @property
    def slots(self) -> int:
        """Trials that may run at once."""
        return self._n_workers

    def submit(self, job: Job) -> Future[Outcome]:
        """Evaluate a trial; the future raises where its worker was killed from outside."""
        pooled = self._schedule(job)
        outcome: Future[Outcome] = Future()
        outcome.set_running_or_notify_cancel()
        pooled.add_done_callback(lambda done: self._settle(job, done, outcome))
        return outcome

    def close(self, *, at_once: bool) -> None:
        """End the workers: when their trials are done, or at once."""
        if at_once:
            self._pool.stop()
        else:
            self._pool.close()
        self._pool.join()
        self._traces.close()

    def _make_pool(self) -> pebble.ProcessPool:
        return pebble.ProcessPool(
            max_workers=self._n_workers,
            initializer=start_isolated,
            initargs=(self._parcel, *self._limits),
            context=_Context(self._devices),
        )

    def _schedule(self, job: Job) -> Future[Outcome]:
        # Every worker has the objective from its start; with each trial only its name travels.
        name = dataclasses.replace(self._parcel, data=b"")
        args = (name, job, self._traces.path, self._time_limit)
        while True:
            try:
                return self._pool.schedule(evaluate_isolated, args=args, timeout=self._time_limit)
            # The pool breaks when a worker is killed between two trials.
            except (RuntimeError, BrokenProcessPool):
                self._broken_pools += 1
                if self._broken_pools > MAX_BROKEN_POOLS:
                    raise
                self._pool.stop()
                self._pool.join()
                self._pool = self._make_pool()

    def _settle(self, job: Job, pooled: Future[Outcome], outcome: Future[Outcome]) -> None:
        try:
            result = pooled.result()
        except FutureTimeoutError:
            result = self._failed(job, f"{OUT_OF_TIME} of {self._time_limit:g} s")
        except pebble.ProcessExpired as death:
            _kill_group(death.pid)
            if death.exitcode == -signal.SIGKILL:
                outcome.set_exception(WorkerKilledError(KILLED))
                return
            result = self._failed(job, f"{DIED} {_cause(death.exitcode)}")
        except BaseException as error:  # a broken pool
            outcome.set_exception(error)
            return
        self._broken_pools = 0
        outcome.set_result(result)

    def _failed(self, job: Job, reason: str) -> Outcome:
        return failure(reason, traceback=read_trace(self._traces.path, job.number))


def _cause(exitcode: int | None) -> str:
    if exitcode is None:
        return "died"
    if exitcode >= 0:
        return f"ended with exit code {0 if exitcode == EXIT_ZERO else exitcode}"
    return f"died of {signal.Signals(-exitcode).name}"


def _kill_group(pid: int | None) -> None:
    """Kill a worker with the processes that its trial has started, also after its own death."""
    if pid:
        with contextlib.suppress(OSError, AttributeError):
            os.killpg(pid, signal.SIGKILL)


class _Process(multiprocessing.context.SpawnProcess):
    device = ""
    """The accelerator of the process; empty where it may use all."""

    def run(self) -> None:
        if self.device:  # before TensorFlow starts, which takes all memory of what it sees
            os.environ["CUDA_VISIBLE_DEVICES"] = self.device
            os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        super().run()

    @property
    def exitcode(self) -> int | None:
        # No worker ends by itself. To pebble a zero means that one did, which would leave the
        # trial of an objective that calls os._exit(0) running for ever.
        code = super().exitcode
        return EXIT_ZERO if code == 0 else code

    def terminate(self) -> None:
        # A hung trial may ignore SIGTERM, and a worker has nothing to clean up.
        _kill_group(self.pid)
        self.kill()

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802, the name is multiprocessing's
        with _without_main():
            return multiprocessing.context.SpawnProcess._Popen(process_obj)


class _Context(multiprocessing.context.SpawnContext):
    """Fresh processes, on the device that the fewest use; spawn alone would rerun the script."""

    def __init__(self, devices: Sequence[str] = ()) -> None:
        super().__init__()
        self._devices = devices
        self._made: list[_Process] = []

    def Process(self, *args: Any, **options: Any) -> _Process:  # type: ignore[override]  # noqa: N802
        process = _Process(*args, **options)
        self._made = [other for other in self._made if other.is_alive()]
        used = [other.device for other in self._made]
        process.device = min(self._devices, key=used.count, default="")
        self._made.append(process)
        return process


_main_is_hidden = threading.Lock()


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    with _main_is_hidden:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
