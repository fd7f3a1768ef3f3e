"""Large arrays travel by the name of a file."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections import namedtuple
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from gpsearch.execution.workers import mapped_arrays
from gpsearch.execution.workers.executors import ExecutorWorkers
from gpsearch.execution.workers.mapped_arrays import MAPPED_BYTES, SharedArrays
from gpsearch.objective import as_objective

ROWS = np.arange(24_000.0).reshape(2000, 12)
LARGE = np.random.default_rng(0).normal(size=(3 * MAPPED_BYTES // 80, 10))  # three times the least


@pytest.fixture
def arrays():
    made = SharedArrays()
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the files are laid."""
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path))
    return tmp_path


@pytest.fixture
def mapped(tmp_path):
    np.save(tmp_path / "X.npy", ROWS)
    return np.load(tmp_path / "X.npy", mmap_mode="r")


VIEWS = {
    "whole": lambda X: X,
    "a view that is no memmap": np.asarray,
    "rows from the middle": lambda X: X[500:1500],
    "the same, twice a view": lambda X: np.asarray(X[100:])[400:1400],
    "reshaped": lambda X: X.reshape(500, 48),
    "transposed": lambda X: X.T,
}


@pytest.mark.parametrize("case", VIEWS)
def test_what_lies_in_the_file_stays_there(arrays, mapped, case):
    view = VIEWS[case](mapped)
    packed = arrays.dumps({"X": view, "y": np.arange(3)})
    assert len(packed) < 2000
    back = pickle.loads(packed)
    assert isinstance(back["X"], np.memmap)
    np.testing.assert_array_equal(back["X"], view)
    np.testing.assert_array_equal(back["y"], [0, 1, 2])
    assert not back["X"].flags.writeable


OTHERS = {
    "every second row": lambda X: X[::2],
    "a copy": np.array,
    "chosen rows": lambda X: X[[3, 1]],
    "no rows": lambda X: X[:0],
    "an array of objects": lambda X: np.array(["a", None], dtype=object),
}


@pytest.mark.parametrize("case", OTHERS)
def test_everything_else_travels_by_value(arrays, mapped, case):
    array = OTHERS[case](mapped)
    np.testing.assert_array_equal(pickle.loads(arrays.dumps(array)), array)


def test_what_was_written_to_a_private_map_travels_by_value(arrays, tmp_path, mapped):
    private = np.load(tmp_path / "X.npy", mmap_mode="c")
    private[0, 0] = -1.0
    assert pickle.loads(arrays.dumps(private))[0, 0] == -1.0


Pair = namedtuple("Pair", "left right")

HOLDERS = {
    "an array": lambda X: X,
    "a dict": lambda X: {"left": X, "right": X[:, :5]},
    "a tuple": lambda X: (X[:3], X),
    "a named tuple": lambda X: Pair(X, X[:3]),
    "a list of views": lambda X: [X[::2], X.T, np.asfortranarray(X)],
    "a data frame": lambda X: pd.DataFrame(X, columns=list("abcdefghij")),
    "a sparse matrix": scipy.sparse.csr_matrix,
    "text": lambda X: np.array(["one", "another"]).repeat(MAPPED_BYTES // 28),
    "times": lambda X: X.view("datetime64[s]"),
    "a closure": lambda X: lambda: X,
}


def contents(value):
    value = value() if callable(value) else value
    if isinstance(value, dict | tuple | list):
        return [contents(one) for one in (value.values() if isinstance(value, dict) else value)]
    return value.toarray() if hasattr(value, "toarray") else np.asarray(value)


@pytest.mark.parametrize("case", HOLDERS)
def test_a_large_array_is_mapped_wherever_it_stands(arrays, folder, case):
    value = HOLDERS[case](LARGE)
    packed = arrays.dumps(value)
    assert len(packed) < MAPPED_BYTES / 2
    assert list(folder.rglob("*.npy"))
    np.testing.assert_equal(contents(pickle.loads(packed)), contents(value))


def test_what_a_worker_writes_is_its_own(arrays):
    packed = arrays.dumps(LARGE)
    first, second = pickle.loads(packed), pickle.loads(packed)
    first[0] = -7.0
    assert type(first) is np.ndarray
    np.testing.assert_array_equal(second, LARGE)


def test_an_array_that_is_met_twice_is_written_once(arrays, folder):
    back = pickle.loads(arrays.dumps({"X": LARGE, "again": LARGE}))
    assert back["X"] is back["again"]
    assert len(list(folder.rglob("*.npy"))) == 1


class Marked(np.ndarray):
    """An array that is more than its content."""


BY_VALUE = {
    "small": LARGE[: MAPPED_BYTES // 80 - 1],
    "of objects": np.array([None, "a"] * MAPPED_BYTES, dtype=object),
    "masked": np.ma.masked_less(LARGE, 0),
    "of a class of its own": LARGE.view(Marked),
    "of named fields": np.zeros(MAPPED_BYTES, [("a", "f4"), ("b", "i4")]),
}


@pytest.mark.parametrize("case", BY_VALUE)
def test_no_file_is_written_of_an_array_that_is(arrays, folder, case):
    back = pickle.loads(arrays.dumps(BY_VALUE[case]))
    assert type(back) is type(BY_VALUE[case])
    np.testing.assert_array_equal(back, BY_VALUE[case])
    assert not list(folder.iterdir())


def test_closing_removes_the_files_and_leaves_what_is_mapped(folder):
    arrays = SharedArrays()
    back = pickle.loads(arrays.dumps(LARGE))
    assert [path.stat().st_mode & 0o077 for path in folder.iterdir()] == [0]  # for the owner alone
    arrays.close()
    assert not list(folder.iterdir())
    np.testing.assert_array_equal(back, LARGE)
    arrays.close()  # has nothing left to do


def test_without_room_it_travels_by_value_and_says_so_once(arrays, folder, monkeypatch, caplog):
    def half(path, array, **options):
        Path(path).write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mapped_arrays.np, "save", half)
    with caplog.at_level("WARNING", logger="gpsearch"):
        back = pickle.loads(arrays.dumps({"X": LARGE, "Z": LARGE * 2}))
    np.testing.assert_array_equal(back["Z"], LARGE * 2)
    assert not list(folder.rglob("*.npy"))
    (record,) = caplog.records
    assert "a copy of an array of 3 MB" in record.message
    assert "No space left on device" in record.message


def test_a_folder_that_is_none_is_no_failure(arrays, monkeypatch, caplog):
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", "/no/such/folder")
    np.testing.assert_array_equal(pickle.loads(arrays.dumps(LARGE)), LARGE)
    assert "JOBLIB_TEMP_FOLDER names another folder" in caplog.text


def test_memory_is_used_while_it_has_room(arrays, monkeypatch, tmp_path):
    memory, disk = tmp_path / "memory", tmp_path / "disk"
    memory.mkdir()
    disk.mkdir()
    monkeypatch.delenv("JOBLIB_TEMP_FOLDER", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(disk))
    for place, free, expected in (
        (memory, 2 * LARGE.nbytes, memory),
        (memory, 2 * LARGE.nbytes - 1, disk),
        (tmp_path / "none", 2 * LARGE.nbytes, disk),
    ):
        monkeypatch.setattr(mapped_arrays, "IN_MEMORY", str(place))
        monkeypatch.setattr("shutil.disk_usage", lambda path, free=free: SimpleNamespace(free=free))
        assert expected in arrays.write(LARGE).parents


@pytest.mark.parametrize(("pool", "mapped"), [(ProcessPoolExecutor, 1), (Executor, 0)])
def test_a_pool_of_processes_of_this_machine_maps_them_too(arrays, folder, pool, mapped):
    def objective(params):
        return LARGE.sum()

    ExecutorWorkers(
        pool(),
        as_objective(objective),
        n_jobs=1,
        sink=lambda number, fold: True,
        address=None,
        arrays=arrays,
    )
    assert len(list(folder.rglob("*.npy"))) == mapped


KILLED = """
import os, sys, time
import numpy as np
from gpsearch.execution import search

X = np.zeros(2**18)

def score(params):
    open({started!r}, "w").close()
    time.sleep(60)
    return X.sum()

search(score, {{"x": (0.0, 1.0)}}, n_calls=2, isolate=True, progress=False)
"""


def test_the_files_of_a_search_that_is_killed_are_removed(folder, tmp_path_factory):
    started = tmp_path_factory.mktemp("started") / "yes"
    script = KILLED.format(started=str(started))
    # What was lost is told by joblib's tracker.
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(folder)},
    ) as process:
        _wait_for(started.exists)
        assert list(folder.rglob("*.npy"))
        assert list(folder.rglob("trial-*.txt"))
        os.kill(process.pid, signal.SIGKILL)
    _wait_for(lambda: not list(folder.iterdir()))


def _wait_for(condition, seconds=60.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)
