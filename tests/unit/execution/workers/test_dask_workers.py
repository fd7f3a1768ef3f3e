"""How trials reach a Dask cluster whose workers come and go; a stand-in is its client."""

import asyncio

import pytest

from gpsearch.errors import StudyError
from gpsearch.execution.workers import executors
from gpsearch.execution.workers.executors import DaskWorkers, WorkerKilledError
from gpsearch.execution.workers.job import Job
from gpsearch.objective.function import as_objective


class Task:
    status = "pending"

    def __init__(self, end=None):
        self.end = end

    def __await__(self):
        raise self.end
        yield

    def done(self):
        return self.end is not None


class Loop:
    def add_callback(self, function, *args):
        asyncio.run(function(*args))


class Client:
    """Fails to answer so many times; its trials end with `end`."""

    status, loop = "running", Loop()

    def __init__(self, n_failures=0, *, threads=(), end=None):
        self.n_failures, self.threads, self.end = n_failures, threads, end
        self.sent = []

    def submit(self, function, *args, **options):
        self.n_failures -= 1
        if self.n_failures >= 0:
            raise OSError("tcp://127.0.0.1:39475")
        self.sent.append((function.__name__, args, options))
        return Task(self.end)

    def nthreads(self):
        return dict(enumerate(self.threads))


def workers(client, **options):
    objective = as_objective(lambda params: 0.0)
    return DaskWorkers(client, objective, address=None, **({"n_jobs": None} | options))


def end_of(error):
    future = workers(Client(end=error)).submit(Job(number=0, params={}, seed=0))
    return future.exception(timeout=0)


def test_a_scheduler_that_is_away_for_a_moment_ends_no_search():
    client = Client(2)
    workers(client)
    assert len(client.sent) == 1


def test_a_scheduler_that_does_not_answer_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setattr(executors, "DASK_SECONDS", 0)
    with pytest.raises(StudyError, match=r"scheduler .*does not answer \(OSError.*with a client"):
        workers(Client(99))


def test_a_client_that_is_closed_is_not_waited_for():
    client = Client(99)
    client.status = "closed"
    with pytest.raises(StudyError, match="with a client that is connected"):
        workers(client)
    assert client.n_failures == 98


def test_an_objective_that_is_cancelled_is_sent_again():
    """As it is with all else when the cluster is restarted."""
    client = Client(end=ValueError())
    cluster = workers(client)
    cluster._objective.status = "cancelled"
    cluster.submit(Job(number=0, params={}, seed=0))
    assert [name for name, *_ in client.sent] == ["_same", "_same", "evaluate_anywhere"]


def test_a_trial_whose_result_dask_cannot_fetch_ends_nevertheless():
    lost = asyncio.CancelledError("evaluate_anywhere-1 cancelled for reason: unknown.")
    assert end_of(lost) is lost


def test_a_trial_that_kills_its_workers_is_told_so_in_words():
    KilledWorker = type("KilledWorker", (Exception,), {})
    error = end_of(KilledWorker("evaluate_anywhere-1", "tcp://127.0.0.1:39475", 3))
    assert isinstance(error, WorkerKilledError)
    assert "worker process was lost on each Dask worker that tried it" in str(error)


def test_a_cluster_without_a_worker_is_waited_for_and_said_once(caplog):
    client = Client()
    cluster = workers(client)
    assert [cluster.slots, cluster.slots] == [1, 1]
    client.threads = 2, 3
    assert cluster.slots == 5
    assert [record.getMessage() for record in caplog.records] == [
        "the Dask cluster has no worker; the search waits for one"
    ]


def test_an_executor_of_dask_hands_its_options_on():
    class ClientExecutor:
        _client, _kwargs = Client(end=ValueError()), {"workers": ["a"], "pure": True}

    workers(ClientExecutor()).submit(Job(number=0, params={}, seed=0))
    assert [options for *_, options in ClientExecutor._client.sent] == [
        {"workers": ["a"], "pure": False}
    ] * 2
