"""Rows are moved block by block, and given to TensorFlow where they lie."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from gpsearch.data import blocks as module
from gpsearch.data.blocks import ALIGNMENT, aligned, blocks, gathered
from gpsearch.data.preprocessing import Preprocessor
from gpsearch.training.backend import SHARED_BYTES, as_tensor

X = np.random.default_rng(0).normal(5, 3, size=(97, 4))
ROWS = np.random.default_rng(1).permutation(97)[:61]


@pytest.fixture(params=[1, 100, 10**6], ids=["row by row", "three rows", "all at once"])
def block_bytes(request, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_BYTES", request.param)
    return request.param


@pytest.mark.parametrize("rows", [None, ROWS], ids=["all", "chosen"])
def test_blocks_put_together_are_the_rows(block_bytes, rows):
    parts = list(blocks(X, rows))
    np.testing.assert_array_equal(np.concatenate(parts), X if rows is None else X[rows])
    assert max(part.nbytes for part in parts) <= max(block_bytes, X[0].nbytes)


@pytest.mark.parametrize("rows", [None, ROWS], ids=["all", "chosen"])
@pytest.mark.parametrize("shape", [(97, 4), (97, 2, 2), (97 * 4,)])
def test_gathered_rows_are_a_new_array(block_bytes, rows, shape):
    array = X.reshape(shape)
    made = gathered(array, rows)
    np.testing.assert_array_equal(made, array if rows is None else array[rows])
    assert not np.shares_memory(made, array)
    halves = gathered(array, rows, lambda block: (block / 2).astype(np.float32))
    assert halves.dtype == np.float32
    np.testing.assert_allclose(halves, made / 2, rtol=1e-6)


def test_rows_are_standardised_as_by_one_fit(block_bytes):
    chosen = Preprocessor("standardize", X, ROWS).transform(X, ROWS)
    whole = StandardScaler().fit_transform(X[ROWS])
    np.testing.assert_allclose(chosen, whole, atol=1e-6)


@pytest.mark.parametrize("n", [1, 3, 1000])
def test_memory_begins_on_a_boundary(n):
    array = aligned((n, 3), np.float32)
    assert array.ctypes.data % ALIGNMENT == 0
    assert array.shape == (n, 3)
    assert array.flags.writeable


def test_a_large_aligned_array_is_not_copied_into_its_tensor():
    pytest.importorskip("tensorflow")
    n = SHARED_BYTES // 4
    array = aligned((n,), np.float32)
    array[:] = 1.0
    tensor = as_tensor(array)
    array[0] = 2.0
    assert float(tensor[0]) == 2.0


COPIED = {
    "small": lambda array: array[:16],
    "not aligned": lambda array: array[1:],
    "read-only": lambda array: array.view(),
    "with gaps": lambda array: array[::2],
}


@pytest.mark.parametrize("case", COPIED)
def test_any_other_array_is_copied_into_its_tensor(case):
    pytest.importorskip("tensorflow")
    array = aligned((SHARED_BYTES,), np.float32)
    array[:] = 1.0
    given = COPIED[case](array)
    given.flags.writeable = case != "read-only"
    tensor = as_tensor(given)
    array[:] = 2.0
    np.testing.assert_array_equal(tensor.numpy(), np.ones(len(given), np.float32))
