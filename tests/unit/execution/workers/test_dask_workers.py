"""How the objective reaches a Dask cluster whose workers come and go; a stand-in is its client."""

import pytest

from gpsearch.errors import StudyError
from gpsearch.execution.workers import executors
from gpsearch.execution.workers.executors import DaskWorkers
from gpsearch.objective.function import as_objective


class Client:
    """Fails to take the objective so many times, as where a worker dies meanwhile."""

    def __init__(self, n_failures):
        self.n_failures = n_failures

    def scatter(self, parcel, **options):
        self.n_failures -= 1
        if self.n_failures >= 0:
            raise KeyError("tcp://127.0.0.1:39475")
        return parcel

    def get_executor(self, **options):
        return None


def workers(n_failures):
    objective = as_objective(lambda params: 0.0)
    return DaskWorkers(Client(n_failures), objective, n_jobs=1, address=None)


def test_a_worker_that_dies_while_it_takes_the_objective_ends_no_search():
    assert workers(2)._scattered.data


def test_a_cluster_without_a_worker_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setattr(executors, "DASK_SECONDS", 0)
    with pytest.raises(StudyError, match=r"no worker .*KeyError.*wait_for_workers\(1\)"):
        workers(99)
