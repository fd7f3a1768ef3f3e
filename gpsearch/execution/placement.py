"""Which workers a search runs on, from opening them to closing them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gpsearch.errors import InvalidSearchError
from gpsearch.execution.dispatch import Events, run_concurrently
from gpsearch.execution.run import Run, run_serially
from gpsearch.execution.workers.channel import FoldReceiver
from gpsearch.execution.workers.executors import (
    DaskWorkers,
    ExecutorWorkers,
    Workers,
    is_remote,
    pack,
)
from gpsearch.execution.workers.mapped_arrays import SharedArrays


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where trials run."""

    n_jobs: int | None
    """Trials at once; None for 1, or for as many as the executor has workers."""
    executor: Any
    """An executor of the caller's, a Dask client, a scheduler's address, or None."""
    isolate: bool
    """Whether to use worker processes where no executor is given."""
    trial_timeout: float | None
    """Seconds for each trial."""
    memory_limit: float | None
    """Megabytes for each worker process."""

    def __post_init__(self) -> None:
        limited = self.trial_timeout is not None or self.memory_limit is not None
        if self.executor is not None and (self.isolate or limited):
            raise InvalidSearchError(
                "leaves time and memory to the executor; isolate, trial_timeout and memory_limit "
                "belong to the search's own worker processes. Drop one or the other."
            ).about("executor", self.executor)

    @property
    def in_process(self) -> bool:
        """Whether trials run in this process, one after the other."""
        return self.executor is None and not (
            self.isolate
            or self.trial_timeout is not None
            or self.memory_limit is not None
            or (self.n_jobs or 1) > 1
        )


def drive(run: Run, placement: Placement) -> None:
    """Run a search to its end on the workers that `placement` names."""
    if placement.in_process:
        run_serially(run)
        return
    events = Events()
    receiver = FoldReceiver(events.fold_ended)
    arrays = SharedArrays()
    try:
        workers = _open_workers(run, placement, events, receiver, arrays)
        try:
            run_concurrently(run, workers, events)
        except BaseException:
            events.close()
            workers.close(at_once=True)
            raise
        workers.close(at_once=False)
    finally:
        events.close()
        receiver.close()
        arrays.close()


def _open_workers(
    run: Run,
    placement: Placement,
    events: Events,
    receiver: FoldReceiver,
    arrays: SharedArrays,
) -> Workers:
    if placement.executor is None:
        # Imported here: a search in this process does not need its library.
        from gpsearch.execution.workers.pool import IsolatedWorkers

        return IsolatedWorkers(
            pack(run.objective, receiver.address, arrays=arrays),
            placement.n_jobs or 1,
            time_limit=placement.trial_timeout,
            memory_limit=placement.memory_limit,
        )
    if is_remote(placement.executor):
        return DaskWorkers(
            placement.executor,
            run.objective,
            n_jobs=placement.n_jobs,
            address=receiver.address,
        )
    return ExecutorWorkers(
        placement.executor,
        run.objective,
        n_jobs=placement.n_jobs,
        sink=events.fold_ended,
        address=receiver.address,
        arrays=arrays,
    )
