"""Trials that hang, leak and die, in worker processes that may."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from gpsearch.comparison import compare
from gpsearch.errors import InvalidObjectiveError, InvalidSearchError
from gpsearch.execution import StopReason, search
from gpsearch.space import Categorical
from gpsearch.strategy import trial_seed
from gpsearch.study import Study

TIME_LIMIT = 1.0
SLACK = 60.0  # seconds; what hangs would sleep for an hour, and the machine may be busy


def make_faulty():
    def faulty(params):
        import ctypes
        import os
        import sys
        import time

        fault = params["fault"]
        if fault == "raise":
            raise ValueError("no")
        if fault == "sys.exit":
            sys.exit(3)
        if fault == "os._exit":
            os._exit(3)
        if fault == "os._exit(0)":
            os._exit(0)
        if fault == "segfault":
            ctypes.string_at(0)
        if fault == "hang":
            time.sleep(3600)
        if fault == "hang in C":  # holds the interpreter's lock and heeds no Python handler
            ctypes.PyDLL(None).sleep(3600)
        if fault == "MemoryError":
            raise MemoryError
        if fault == "out of memory":
            return len(bytearray(os.urandom(1)) * 10**11)
        if fault == "kill -9":
            os.kill(os.getpid(), 9)
        scores = {"nan": float("nan"), "inf": float("inf"), "-inf": -float("inf"), "type": "one"}
        return scores.get(fault, 1e300 if fault == "1e300" else 0.5)

    return faulty


REASONS = {
    "none": "",
    "raise": "ValueError: no",
    "sys.exit": "SystemExit: 3",
    "os._exit": "exit code 3",
    "os._exit(0)": "exit code 0",
    "segfault": "died of SIGSEGV",
    "hang": "exceeded the time limit of 1 s",
    "hang in C": "exceeded the time limit of 1 s",
    "MemoryError": "MemoryError",
    "out of memory": "MemoryError",
    "kill -9": "was killed (SIGKILL), as the system does when memory runs out, 3 times",
    "nan": "not finite",
    "inf": "not finite",
    "-inf": "not finite",
    "type": "must return one number",
    "1e300": "",
}


@pytest.fixture(scope="module")
def study():
    return search(
        make_faulty(),
        {"fault": Categorical(list(REASONS))},
        n_calls=len(REASONS),
        x0=[{"fault": fault} for fault in REASONS],
        strategy="random",
        random_state=0,
        n_jobs=2,
        trial_timeout=TIME_LIMIT,
        memory_limit=3000,
        progress=False,
    )


def test_the_search_reaches_its_budget_with_a_finite_best(study):
    assert study.stop_reason == StopReason.BUDGET.value
    assert len(study.trials) == len(REASONS)
    assert study.best_score == 1e300


@pytest.mark.parametrize("fault", REASONS)
def test_every_fault_has_its_reason(study, fault):
    (trial,) = [trial for trial in study.trials if trial.params["fault"] == fault]
    assert trial.state == ("failed" if REASONS[fault] else "complete")
    assert REASONS[fault] in trial.reason


@pytest.mark.parametrize("fault", ["segfault", "hang", "hang in C", "sys.exit"])
def test_a_trial_that_dies_or_hangs_leaves_the_place_where_it_did(study, fault):
    (trial,) = [trial for trial in study.trials if trial.params["fault"] == fault]
    assert "faulty" in trial.traceback


@pytest.mark.parametrize("end", ["hangs", "dies"])
def test_a_deaf_trial_ends_in_time_and_with_all_that_it_started(tmp_path, end):
    pids = tmp_path / "pids"

    def deaf(params):
        import os
        import signal
        import subprocess
        import time

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen(["sleep", "3600"])
        pids.write_text(f"{child.pid} {os.getpid()}")
        if end == "dies":
            os._exit(3)
        time.sleep(3600)

    study = search(
        deaf,
        {"x": (0.0, 1.0)},
        n_calls=1,
        strategy="random",
        trial_timeout=TIME_LIMIT if end == "hangs" else None,
        isolate=True,
        progress=False,
    )
    (trial,) = study.trials
    assert trial.state == "failed"
    assert trial.seconds < TIME_LIMIT + SLACK or end == "dies"
    assert not any(lives(int(pid)) for pid in pids.read_text().split())


def test_no_worker_is_left(study):
    # joblib keeps workers of its own for later tests of this process
    left = [child for child in multiprocessing.active_children() if "Loky" not in child.name]
    assert left == []


def test_what_cannot_travel_is_refused_before_the_search():
    lock = __import__("threading").Lock()
    with pytest.raises(InvalidObjectiveError, match="cannot travel"):
        search(lambda params: lock, {"x": (0.0, 1.0)}, isolate=True, progress=False)


def test_what_cannot_arrive_is_refused_before_the_search():
    class Bomb:
        def __reduce__(self):
            return (exec, ("raise ImportError('no such package')",))

    bomb = Bomb()
    with pytest.raises(InvalidObjectiveError, match="no such package"):
        search(lambda params: bomb, {"x": (0.0, 1.0)}, isolate=True, progress=False)


@pytest.mark.parametrize("code", [0, 1])
def test_an_objective_that_ends_its_process_on_arrival_is_refused(code):
    class Bomb:
        def __reduce__(self):
            return (os._exit, (code,))

    bomb = Bomb()
    with pytest.raises(InvalidObjectiveError, match="die while they unpack"):
        search(lambda params: bomb, {"x": (0.0, 1.0)}, n_jobs=1, isolate=True, progress=False)


def test_limits_belong_to_the_own_workers():
    for options in ({"isolate": True}, {"trial_timeout": 1.0}, {"memory_limit": 1000.0}):
        with pytest.raises(InvalidSearchError, match="Drop one or the other"):
            search(lambda params: 1.0, {"x": (0.0, 1.0)}, executor="tcp://x:1", **options)


def test_workers_have_the_devices_in_turn(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")

    def device(params):
        assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
        (tmp_path / str(os.getpid())).touch()
        while len(list(tmp_path.iterdir())) < 2:  # so that each worker has a trial
            time.sleep(0.05)
        return float(os.environ["CUDA_VISIBLE_DEVICES"])

    study = search(device, {"x": (0.0, 1.0)}, n_calls=2, n_jobs=2, strategy="random")
    assert sorted(trial.score for trial in study.trials) == [3.0, 5.0]
    assert study.info.settings["devices"] == "2 workers have 3, 5 in turn"


def test_one_worker_or_none_has_all_devices(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    for options in ({"n_jobs": 1}, {"n_jobs": 1, "isolate": True}):
        study = search(
            lambda params: len(os.environ["CUDA_VISIBLE_DEVICES"]),
            {"x": (0.0, 1.0)},
            n_calls=1,
            strategy="random",
            progress=False,
            **options,
        )
        assert study.best_score == 3.0
        assert "devices" not in study.info.settings


SCRIPT = """
import os, signal, subprocess, sys, time
import gpsearch as gs

# As in a terminal: whoever runs the tests in the background has it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

def slow(params):                       # defined in a script without a main guard
    started = [os.getpid()]
    if "WITH_CHILD" in os.environ:
        started.append(subprocess.Popen(["sleep", "3600"]).pid)
    with open(os.environ["PIDS"], "a") as file:
        file.write("".join(f"{pid}\\n" for pid in started))
    time.sleep(float(os.environ["SECONDS"]))
    return params["x"]

study = gs.search(
    slow, {"x": (0.0, 1.0)}, n_calls=int(os.environ["CALLS"]), study=os.environ["STUDY"],
    strategy="random", random_state=0, progress=False, n_jobs=int(os.environ["JOBS"]),
)
print("ended:", study.stop_reason, len(study.trials))
"""


@pytest.fixture
def start(tmp_path):
    """Start the script as a process, which does not outlive the test."""
    started = []

    def start(*, seconds, jobs, calls=4):
        script = tmp_path / "script.py"
        script.write_text(SCRIPT)
        environment = os.environ | {
            "PIDS": str(tmp_path / "pids"),
            "STUDY": str(tmp_path / "study.db"),
            "SECONDS": str(seconds),
            "JOBS": str(jobs),
            "CALLS": str(calls),
        }
        process = subprocess.Popen(
            [sys.executable, str(script)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def workers(folder, n, deadline=60.0):
    """Process numbers of n evaluations that have begun."""
    path = folder / "pids"
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        begun = path.read_text().split("\n")[:-1] if path.exists() else []
        if len(begun) >= n:
            return [int(pid) for pid in begun]
        time.sleep(0.02)
    raise AssertionError("no evaluation began")


def lives(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_neither_workers_nor_what_they_started_outlive_a_killed_search(
    tmp_path, start, monkeypatch
):
    monkeypatch.setenv("WITH_CHILD", "yes")
    process = start(seconds=3600, jobs=2)
    pids = workers(tmp_path, 4)
    process.kill()
    process.communicate()
    end = time.monotonic() + 10
    while any(map(lives, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(lives, pids))


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_ends_the_search_and_says_how_to_go_on(tmp_path, start, jobs):
    process = start(seconds=3600, jobs=jobs)
    workers(tmp_path, jobs)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert time.monotonic() - begun < 60  # the figure is the fault benchmark's; this is a hang
    assert out == f"ended: {StopReason.INTERRUPTED.value} {jobs}\n"
    assert "study.db" in err
    assert "Traceback" not in err


def test_sigterm_ends_the_process_after_a_tidy_end(tmp_path, start):
    process = start(seconds=3600, jobs=1)
    workers(tmp_path, 1)
    process.terminate()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM
    assert out == ""
    assert StopReason.TERMINATED.value in err
    assert not (tmp_path / "study.db.lock").exists()


def test_a_worker_killed_from_outside_costs_its_trial_a_retry(tmp_path, start):
    """In a script without a main guard, which spawned workers would otherwise run again."""
    process = start(seconds=1, jobs=2, calls=4)
    os.kill(workers(tmp_path, 1)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert out == f"ended: {StopReason.BUDGET.value} 4\n", err
    assert {trial.state for trial in Study.open(tmp_path / "study.db").trials} == {"complete"}


def test_a_killed_search_on_workers_loses_no_trial(tmp_path, start):
    process = start(seconds=0.2, jobs=2, calls=8)
    workers(tmp_path, 5)
    process.kill()
    process.communicate()
    before = Study.open(tmp_path / "study.db").trials
    assert any(trial.finished for trial in before)
    out, err = start(seconds=0.2, jobs=2, calls=8).communicate(timeout=120)
    assert out == f"ended: {StopReason.BUDGET.value} 8\n", err
    after = Study.open(tmp_path / "study.db").trials
    assert all(trial.finished for trial in after)
    for old, new in zip(before, after, strict=False):
        assert (new.params, new.seed) == (old.params, old.seed)
        if old.finished:
            assert new == old


def test_a_comparison_shares_the_trial_that_died_and_goes_on():
    class Fixed:
        """Asks for a fault: a crash in one repeat, a hang in the other."""

        def __init__(self, space, *, seed, n_calls):
            self.fault = "os._exit" if seed % 2 else "hang"

        def propose(self, history, number):
            return [["none", self.fault][number]]

    assert {trial_seed(1, repeat) % 2 for repeat in (0, 1)} == {0, 1}
    comparison = compare(
        make_faulty(),
        {"fault": Categorical(["none", "os._exit", "hang"])},
        strategies={"a": Fixed, "b": Fixed},
        n_calls=2,
        n_repeats=2,
        n_jobs=2,
        random_state=1,
        trial_timeout=TIME_LIMIT,
    )
    frame = comparison.to_frame()
    assert list(frame.state) == ["complete", "failed"] * 4
    died = frame[frame.state == "failed"].set_index("param_fault")
    assert set(died.loc["os._exit"].reason) == {"its worker process ended with exit code 3"}
    assert set(died.loc["hang"].reason) == {"exceeded the time limit of 1 s"}
    assert list(frame.shared) == [False] * 4 + [True] * 4
