"""A real scheduler and two workers, as processes of their own."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from gpsearch.comparison import compare
from gpsearch.errors import InvalidSearchError
from gpsearch.execution import StopReason, search
from gpsearch.execution.workers import executors
from gpsearch.space import Real

distributed = pytest.importorskip("distributed")

SPACE = {"x": Real(-2.0, 2.0)}


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Address of a scheduler with two workers."""
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    # A free port: another test, or another person, may have the usual one.
    quiet = ["--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file)]
    processes = [start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", *quiet)]
    try:
        for _ in range(2):
            place = ["--nthreads", "1", "--local-directory", str(folder), "--no-nanny"]
            processes.append(start("dask_worker", *place, *quiet))
        end = time.monotonic() + 60
        while not file.exists() and time.monotonic() < end:
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        with distributed.Client(address) as client:
            client.wait_for_workers(2, timeout=60)
        yield address
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(timeout=30)


def run(objective, **options):
    given = {"n_calls": 8, "strategy": "random", "random_state": 4, "progress": False}
    return search(objective, SPACE, **(given | options))


def make_slow():
    def slow(params):
        import time

        time.sleep(0.1)
        return -abs(params["x"] - 1)

    return slow


def test_a_cluster_is_used_by_the_address_of_its_scheduler(cluster):
    study = run(make_slow(), executor=cluster)
    assert study.stop_reason == StopReason.BUDGET.value
    assert [trial.state for trial in study.trials] == ["complete"] * 8
    for trial in study.trials:
        assert trial.score == -abs(trial.params["x"] - 1)


@pytest.mark.parametrize("ask", [lambda client: client, lambda client: client.get_executor()])
def test_both_workers_work_at_once_and_a_client_stays_open(cluster, ask):
    def where(params):
        import os
        import time

        time.sleep(0.2)
        return float(os.getpid())

    with distributed.Client(cluster) as client:
        study = run(where, executor=ask(client))
        assert len({trial.score for trial in study.trials}) == 2
        assert client.status == "running"
    trials = study.trials
    assert any(
        first.started < second.started < first.ended for first in trials for second in trials
    )


def test_one_job_at_a_time_is_the_serial_search(cluster):
    told = [
        (t.params, t.seed, t.score) for t in run(make_slow(), executor=cluster, n_jobs=1).trials
    ]
    assert told == [(t.params, t.seed, t.score) for t in run(make_slow()).trials]


def test_a_comparison_on_a_cluster_is_the_serial_comparison(cluster):
    def runs(**where):
        comparison = compare(
            make_slow(),
            SPACE,
            strategies=["gp", "random"],
            n_calls=4,
            n_repeats=2,
            random_state=4,
            progress=False,
            **where,
        )
        return {
            label: [[(trial.params, trial.score) for trial in run] for run in repeats]
            for label, repeats in comparison.runs.items()
        }

    told = runs(executor=cluster)
    assert {label: [len(run) for run in repeats] for label, repeats in told.items()} == {
        "gp": [4, 4],
        "random": [4, 4],
    }
    assert told == runs()


def test_a_failing_trial_fails_alone(cluster):
    def picky(params):
        if params["x"] < 0:
            raise ValueError("negative")
        return params["x"]

    study = run(picky, executor=cluster)
    assert {trial.state for trial in study.trials} == {"complete", "failed"}
    assert {t.reason for t in study.trials if t.state == "failed"} == {"ValueError: negative"}


def test_a_worker_killed_in_a_trial_costs_the_trial_a_retry_not_the_search(cluster, tmp_path):
    first = str(tmp_path / "first")

    def deadly(params):
        import os
        import time

        if not os.path.exists(first):
            with open(first, "w") as file:
                file.write(str(os.getpid()))
            time.sleep(60)
        return 1.0

    def kill():
        while not (os.path.exists(first) and os.path.getsize(first)):
            time.sleep(0.02)
        with open(first) as file:
            os.kill(int(file.read()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    study = run(deadly, executor=cluster)
    killer.join()
    assert [trial.state for trial in study.trials] == ["complete"] * 8


def test_a_search_survives_a_restart_of_its_cluster(cluster):
    """All that the cluster holds is lost then, the objective with it."""
    with distributed.Client(cluster) as client:
        submit, sent = client.submit, []

        def submit_and_lose(function, *args, **options):
            sent.append(submit(function, *args, **options))
            if len(sent) == 3:
                client.cancel(sent, force=True)
            return sent[-1]

        client.submit = submit_and_lose
        study = run(make_slow(), executor=client)
    assert [trial.state for trial in study.trials] == ["complete"] * 8


def test_an_address_without_a_scheduler_is_one_clear_sentence_soon(monkeypatch):
    monkeypatch.setattr(executors, "DASK_SECONDS", 0.2)  # seconds, where Dask itself takes 30
    with pytest.raises(InvalidSearchError, match=r"no Dask scheduler answers there within 0\.2 s"):
        run(make_slow(), executor="tcp://127.0.0.1:1")
