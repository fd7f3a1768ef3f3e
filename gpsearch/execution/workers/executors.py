"""Where trials run: executors of the user's behind one protocol. Dask is imported here alone.

============================ ==============================================================
in this process              no executor at all: `gpsearch.execution.run.run_serially`
isolated worker processes    `gpsearch.execution.workers.pool.IsolatedWorkers`
``concurrent.futures``       any `Executor`: threads, processes, mpi4py, loky
Dask                         a client, its executor, or the address of a scheduler
============================ ==============================================================
"""

import contextlib
import functools
import hashlib
import importlib
import logging
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from types import ModuleType
from typing import Any, Protocol

import cloudpickle

from gpsearch.errors import InvalidObjectiveError, InvalidSearchError, StudyError
from gpsearch.evaluation import Objective
from gpsearch.execution.workers.channel import Address, FoldSink
from gpsearch.execution.workers.job import DIED, Job, Outcome, evaluate
from gpsearch.execution.workers.mapped_arrays import SharedArrays
from gpsearch.execution.workers.worker import Parcel, evaluate_anywhere

logger = logging.getLogger("gpsearch")

LOOK_UP = 0.2
"""Seconds after which a wait is begun anew: a signal that arrives just before a wait does not end
it."""

DASK_SECONDS = 5  # seconds in which a scheduler must answer
DASK_KILLED = (
    f"{DIED} was lost on each Dask worker that tried it, as where memory runs out; the logs of the "
    "workers say more"
)


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
    """Whether `executor` is a Dask client, its executor, or the address of its scheduler."""
    # By name, so that Dask is not imported.
    return isinstance(executor, str) or any(
        kind.__name__ in ("Client", "ClientExecutor") and kind.__module__.startswith("distributed")
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
        if isinstance(executor, type) or not callable(getattr(executor, "submit", None)):
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
        if not hasattr(future, "add_done_callback"):
            raise InvalidSearchError(
                f"must return a concurrent.futures.Future from submit, no {type(future).__name__}."
            ).about("executor", self._executor)
        self._futures = [f for f in self._futures if not f.done()] + [future]
        return future

    def close(self, *, at_once: bool) -> None:
        """Withdraw what has not begun; the executor is the caller's."""
        for future in self._futures:
            future.cancel()


class DaskWorkers:
    """A Dask cluster: a client or its executor, which stay open, or an address.

    The objective is the result of a task there, so that the cluster makes it again where the
    workers that hold it are lost; data that were scattered would be gone, and with them each trial.
    """

    def __init__(
        self, cluster: Any, objective: Objective, *, n_jobs: int | None, address: Address
    ) -> None:
        self._parcel = pack(objective, address)
        self._owned = isinstance(cluster, str)
        # An executor of Dask is its client and options for each task, as which workers may take it.
        self._client = _connect(cluster) if self._owned else getattr(cluster, "_client", cluster)
        self._options = {**getattr(cluster, "_kwargs", {}), "pure": False}
        self._n_jobs = n_jobs
        self._futures: list[Any] = []
        self._waits = False
        self._objective = self._send()

    @property
    def slots(self) -> int:
        """Trials at once: `n_jobs`, or the cluster's threads."""
        threads = sum(self._asked(self._client.nthreads).values())
        if not threads and not self._waits:
            logger.warning("the Dask cluster has no worker; the search waits for one")
        self._waits = not threads
        return self._n_jobs or max(1, threads)

    def submit(self, job: Job) -> Future[Outcome]:
        """Evaluate a trial; Dask gives it to another worker when its own is lost."""
        if self._objective.status not in ("pending", "finished"):  # as when Dask is restarted
            self._objective = self._send()
        task = self._asked(
            self._client.submit, evaluate_anywhere, self._objective, job, **self._options
        )
        self._futures = [future for future in self._futures if not future.done()] + [task]
        outcome: Future[Outcome] = Future()
        outcome.set_running_or_notify_cancel()
        self._client.loop.add_callback(_bring, task, outcome)
        return outcome

    def close(self, *, at_once: bool) -> None:
        """Withdraw what is running; the cluster stays."""
        with contextlib.suppress(Exception):  # a client that is lost has nothing to withdraw
            self._client.cancel(self._futures)
        if self._owned:
            self._client.close()

    def _send(self) -> Any:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            return self._asked(self._client.submit, _same, self._parcel, **self._options)

    def _asked(self, ask: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """What the scheduler answers; StudyError where it does not for a while."""
        give_up = time.monotonic() + DASK_SECONDS
        while True:
            try:
                return ask(*args, **options)
            except Exception as error:
                if self._client.status == "closed" or time.monotonic() > give_up:
                    raise StudyError(
                        f"the scheduler of the Dask cluster does not answer ({error!r}); every "
                        "finished trial is in the study, and the same call with a client that is "
                        "connected continues it"
                    ) from error
            time.sleep(LOOK_UP)


def _same(parcel: Parcel) -> Parcel:
    return parcel


async def _bring(task: Any, outcome: Future[Outcome]) -> None:
    """Hand on the end of a Dask task, also where Dask fails to fetch its result."""
    # Dask's own executor leaves its future pending for ever then.
    try:
        outcome.set_result(await task)
    except BaseException as error:
        killed = type(error).__name__ == "KilledWorker"
        outcome.set_exception(WorkerKilledError(DASK_KILLED) if killed else error)


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
