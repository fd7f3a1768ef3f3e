"""Memory maps travel by the name of their file."""

import pickle

import numpy as np
import pytest

from gpsearch.execution.mapped_arrays import dumps_with_maps

ROWS = np.arange(24_000.0).reshape(2000, 12)


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
def test_what_lies_in_the_file_stays_there(mapped, case):
    view = VIEWS[case](mapped)
    packed = dumps_with_maps({"X": view, "y": np.arange(3)})
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
def test_everything_else_travels_by_value(mapped, case):
    array = OTHERS[case](mapped)
    np.testing.assert_array_equal(pickle.loads(dumps_with_maps(array)), array)


def test_what_was_written_to_a_private_map_travels_by_value(tmp_path, mapped):
    private = np.load(tmp_path / "X.npy", mmap_mode="c")
    private[0, 0] = -1.0
    assert pickle.loads(dumps_with_maps(private))[0, 0] == -1.0
