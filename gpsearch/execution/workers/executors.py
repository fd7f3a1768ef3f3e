"""Where trials run: executors of the user's behind one protocol. Dask is imported here alone.

============================ ==============================================================
in this process              no executor at all: `gpsearch.execution.run.run_serially`
isolated worker processes    `gpsearch.execution.workers.pool.IsolatedWorkers`
``concurrent.futures``       any `Executor`: threads, processes, mpi4py, loky
Dask                         a client, or the address of a scheduler
============================ ==============================================================
"""

import functools
import hashlib
import importlib
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from types import ModuleType
from typing import Any, Protocol

import cloudpickle

from gpsearch.errors import InvalidObjectiveError, InvalidSearchError, StudyError
from gpsearch.evaluation import Objective
from gpsearch.execution.workers.channel import Address, FoldSink
from gpsearch.execution.workers.job import Job, Outcome, evaluate
from gpsearch.execution.workers.mapped_arrays import SharedArrays
from gpsearch.execution.workers.worker import Parcel, evaluate_anywhere

LOOK_UP = 0.2
"""Seconds after which a wait is begun anew: a signal that arrives just before a wait does not end
it."""

DASK_SECONDS = 5  # seconds in which a scheduler must answer, and take the objective
DASK_RETRIES = 2
"""Further workers that a trial is given when its own is lost, beyond Dask's allowance."""


class WorkerKilledError(RuntimeError):
    """A worker was killed from outside in the middle of a trial."""


class Workers(Protocol):
    """What evaluates trials concurrently."""

    @property
    def slots(self) -> int:
        """Trials that may run at once; may change while a cluster grows or shrinks."""

    def submit(self, job: Job) -> Future[Outcome]:
        """Evaluate a trial; the future raises only when the executor itself fails."""

    def close(self, *, at_once: bool) -> None:
        """Free what belongs to the search; running trials are given up when `at_once`."""


def pack(
    objective: Objective, address: Address | None, *, arrays: SharedArrays | None = None
) -> Parcel:
    """Pack an objective for processes that send folds to `address`; `arrays` go by their files."""
    try:
        data = cloudpickle.dumps(objective) if arrays is None else arrays.dumps(objective)
    except Exception as error:
        raise InvalidObjectiveError(
            f"the objective cannot travel to other processes ({type(error).__name__}: {error}); "
            "what it holds, such as an open file or a lock, must be made inside the function, or "
            "the search must run in this process (n_jobs=1, isolate=False)"
        ) from error
    return Parcel(digest=hashlib.sha256(data).hexdigest(), data=data, address=address)


def travel_by_value(module: ModuleType) -> None:
    """Have what a module defines travel whole: other processes cannot import it by its name."""
    cloudpickle.register_pickle_by_value(module)


def is_remote(executor: Any) -> bool:
    """Whether `executor` is a Dask client or the address of its scheduler."""
    # By name, so that Dask is not imported.
    return isinstance(executor, str) or any(
        kind.__name__ == "Client" and kind.__module__.startswith("distributed")
        for kind in type(executor).__mro__
    )


class ExecutorWorkers:
    """An ``Executor`` of the caller's, which stays open; its processes reach `sink`."""

    def __init__(
        self,
        executor: Executor,
        objective: Objective,
        *,
        n_jobs: int | None,
        sink: FoldSink,
        address: Address,
        arrays: SharedArrays,
    ) -> None:
        if not callable(getattr(executor, "submit", None)):
            raise InvalidSearchError(
                "must be an executor of concurrent.futures, a Dask client or the address of a Dask "
                "scheduler."
            ).about("executor", executor)
        self._executor = executor
        self._futures: list[Future[Outcome]] = []
        self.slots = n_jobs or int(getattr(executor, "_max_workers", 0)) or 1
        self._evaluate: Callable[[Job], Outcome]
        if isinstance(executor, ThreadPoolExecutor):
            self._evaluate = lambda job: evaluate(
                objective, job, on_fold=functools.partial(sink, job.number)
            )
        else:
            near = isinstance(executor, ProcessPoolExecutor)
            parcel = pack(objective, address, arrays=arrays if near else None)
            self._evaluate = functools.partial(evaluate_anywhere, parcel)

    def submit(self, job: Job) -> Future[Outcome]:
        """Evaluate a trial."""
        future = self._executor.submit(self._evaluate, job)
        self._futures = [f for f in self._futures if not f.done()] + [future]
        return future

    def close(self, *, at_once: bool) -> None:
        """Withdraw what has not begun; the executor is the caller's."""
        for future in self._futures:
            future.cancel()


class DaskWorkers:
    """A Dask cluster: `client`, which stays open, or an address. The objective goes there once."""

    def __init__(
        self, client: Any, objective: Objective, *, n_jobs: int | None, address: Address
    ) -> None:
        self._parcel = pack(objective, address)
        self._owned = isinstance(client, str)
        self._client = _connect(client) if isinstance(client, str) else client
        self._n_jobs = n_jobs
        self._scattered = self._scatter()
        self._executor = self._client.get_executor(pure=False, retries=DASK_RETRIES)

    @property
    def slots(self) -> int:
        """Trials at once: `n_jobs`, or the cluster's threads."""
        return self._n_jobs or max(1, sum(self._client.nthreads().values()))

    def submit(self, job: Job) -> Future[Outcome]:
        """Evaluate a trial; Dask gives it to another worker when its own is lost."""
        # The objective is lost when the last worker that holds it dies, and with it every trial
        # that waits for it; Dask calls both cancelled.
        if self._scattered.status != "finished":
            self._scattered = self._scatter()
        future: Future[Outcome] = self._executor.submit(evaluate_anywhere, self._scattered, job)
        return future

    def _scatter(self) -> Any:
        give_up = time.monotonic() + DASK_SECONDS
        while True:
            try:
                # Under a name of its own each time: Dask remembers the lost one's as cancelled.
                return self._client.scatter(self._parcel, broadcast=True, hash=False)
            except Exception as error:  # of the scheduler, where a worker dies meanwhile
                if time.monotonic() > give_up:
                    raise StudyError(
                        f"the Dask cluster has no worker that takes the objective ({error!r}); "
                        "every finished trial is in the study, and the same call continues it "
                        "where `client.wait_for_workers(1)` returns"
                    ) from error
            time.sleep(LOOK_UP)

    def close(self, *, at_once: bool) -> None:
        """Withdraw what is running; the cluster stays."""
        self._executor.shutdown(wait=not at_once)
        if self._owned:
            self._client.close()


def _connect(address: str) -> Any:
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise InvalidSearchError("needs Dask: pip install 'gpsearch[dask]'.").about(
            "executor", address
        ) from None
    try:
        return distributed.Client(address, timeout=DASK_SECONDS)
    except Exception as error:  # what answers may be anything
        raise InvalidSearchError(
            f"no Dask scheduler answers there within {DASK_SECONDS} s ({error}). Start one, as "
            "with `dask scheduler`, or give its address."
        ).about("executor", address) from error
