"""Objectives that fail in every way, and how a search handles them.

``python benchmarks/faults.py``

Each fault is one trial in an isolated worker process with a time limit. Then a search is killed,
interrupted and terminated while its workers hang, and its disk fills up. All of it is a table:
what happened, and how long it took.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gpsearch as gs

TIME_LIMIT = 3.0
MEMORY_LIMIT = 800.0

FAULTS = (
    "none",
    "raise",
    "NaN",
    "+inf",
    "-inf",
    "1e300",
    "wrong type",
    "hang",
    "hang in C",
    "sys.exit",
    "os._exit",
    "segfault",
    "MemoryError",
    "out of memory",
    "kill -9",
)


def misbehave(params):
    """Do what `params` says."""
    import ctypes
    import os
    import sys
    import time

    fault = params["fault"]
    if fault == "raise":
        raise ValueError("the layers do not fit")
    if fault == "sys.exit":
        sys.exit(3)
    if fault == "os._exit":
        os._exit(3)
    if fault == "segfault":
        ctypes.string_at(0)
    if fault == "hang":
        time.sleep(3600)
    if fault == "hang in C":  # without ever giving the interpreter's lock back
        ctypes.PyDLL(None).sleep(3600)
    if fault == "MemoryError":
        raise MemoryError
    if fault == "out of memory":
        return len([bytearray(10**8) for _ in range(1000)])
    if fault == "kill -9":
        os.kill(os.getpid(), 9)
    scores = {"NaN": float("nan"), "+inf": float("inf"), "-inf": -float("inf"), "1e300": 1e300}
    return "one" if fault == "wrong type" else scores.get(fault, 0.5)


SCRIPT = """
import ctypes, os, subprocess, sys, time
import gpsearch as gs

def hang(params):
    child = subprocess.Popen(["sleep", "3600"])
    with open(sys.argv[1] + "/pids", "a") as file:
        file.write(f"{os.getpid()} {child.pid}\\n")
    (time if sys.argv[2] == "Python" else ctypes.PyDLL(None)).sleep(3600)

try:
    gs.search(hang, {"x": (0.0, 1.0)}, n_calls=9, study=sys.argv[1] + "/study.db",
              strategy="random", random_state=0, n_jobs=2)
finally:
    print("ended", flush=True)
"""


def faults() -> None:
    """One search over all faults, in two isolated workers."""
    study = gs.search(
        misbehave,
        {"fault": gs.Categorical(list(FAULTS))},
        n_calls=len(FAULTS),
        x0=[{"fault": fault} for fault in FAULTS],
        strategy="random",
        random_state=0,
        n_jobs=2,
        trial_timeout=TIME_LIMIT,
        memory_limit=MEMORY_LIMIT,
        progress=False,
    )
    print(f"{'fault':14s} {'trial':9s} {'seconds':>7s}  {'reason':64s} traceback")
    for trial in study.trials:
        where = "yes" if "misbehave" in trial.traceback else "-"
        told = f"{trial.params['fault']:14s} {trial.state:9s} {trial.seconds:7.2f}"
        print(f"{told}  {trial.reason[:64]:64s} {where}")
    print(f"{len(study.trials)} of {len(FAULTS)} trials, best {study.best_score:g}\n")


def lives(pid: int) -> bool:
    """Whether a process exists and is not merely waiting to be reaped."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def ends() -> None:
    """A search whose two workers hang, each with a process of its own, is told to end.

    Its process ends later than the search: the interpreter still tidies up what was imported.
    """
    heads = ("search ends after", "workers and theirs", "process")
    print(f"{'signal':8s} {'hang in':8s}" + "".join(f"{head:>20s}" for head in heads), end="")
    print("  exit  study")
    for name in ("SIGKILL", "SIGINT", "SIGTERM"):
        for hang in ("Python", "C"):
            with tempfile.TemporaryDirectory() as folder:
                _end(name, hang, Path(folder))
    print()


def _end(name: str, hang: str, folder: Path) -> None:
    search = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), hang],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    pids = folder / "pids"
    while not pids.exists() or len(pids.read_text().split()) < 4:
        time.sleep(0.05)
    begun = time.perf_counter()
    search.send_signal(getattr(signal, name))
    assert search.stdout is not None
    search.stdout.readline()
    seconds = [time.perf_counter() - begun]
    while any(lives(int(pid)) for pid in pids.read_text().split()):
        time.sleep(0.01)
    seconds.append(time.perf_counter() - begun)
    code = search.wait()
    seconds.append(time.perf_counter() - begun)
    study = gs.Study.open(folder / "study.db")
    kept = f"{len(study.trials)} trials, {study.stop_reason!r}"
    print(f"{name:8s} {hang:8s}" + "".join(f"{s:18.2f} s" for s in seconds), end="")
    print(f"  {code:4d}  {kept}", flush=True)


def content(path: Path) -> str:
    """Params and scores of a study."""
    return json.dumps([(dict(t.params), t.score) for t in gs.Study.open(path).trials])


def full_disk() -> None:
    """The system refuses to let the study grow; then there is room, and the search goes on."""

    def run(path):
        return gs.search(
            lambda params: params["x"],
            {"x": (0.0, 1.0)},
            n_calls=200,
            study=path,
            strategy="random",
            random_state=0,
            progress=False,
        )

    with tempfile.TemporaryDirectory() as folder:
        whole, path = Path(folder) / "whole.db", Path(folder) / "study.db"
        run(whole)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (whole.stat().st_size // 2, limits[1]))
        try:
            run(path)
        except gs.GPSearchError as error:
            print(f"disk full: {str(error).replace(folder, '...')}")
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        before = [trial for trial in gs.Study.open(path).trials if trial.finished]
        run(path)
        same = content(path) == content(whole)
        print(f"{len(before)} of 200 trials were kept; continued, it is the same search: {same}")


def main() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # A shell has its background processes ignore Ctrl-C, and their children after them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    faults()
    ends()
    full_disk()


if __name__ == "__main__":
    main()
