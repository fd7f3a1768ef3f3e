"""Rows of large arrays, chosen and changed block by block, without a second array of their size."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

ALIGNMENT = 64  # bytes; TensorFlow takes an array that begins on such a boundary without a copy
BLOCK_BYTES = 2**22  # of the rows that are changed at once


def blocks(array: np.ndarray, rows: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """The chosen rows of an array, by default all, `BLOCK_BYTES` of them at once."""
    n = len(array) if rows is None else len(rows)
    row_bytes = array.dtype.itemsize * math.prod(array.shape[1:])
    step = max(1, BLOCK_BYTES // max(1, row_bytes))
    for start in range(0, n, step):
        block = slice(start, start + step)
        yield array[block] if rows is None else array[rows[block]]


def gathered(
    array: np.ndarray,
    rows: np.ndarray | None = None,
    change: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> np.ndarray:
    """The chosen rows, at least one, by default all; changed block by block, as a new array.

    >>> gathered(np.arange(4), np.array([3, 0]), lambda part: part + 1)
    array([4, 1])
    """
    changed = map(change, blocks(array, rows))
    first = next(changed)
    whole = aligned((len(array) if rows is None else len(rows), *first.shape[1:]), first.dtype)
    start = len(first)
    whole[:start] = first
    for block in changed:
        whole[start : start + len(block)] = block
        start += len(block)
    return whole


def aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array of any content that begins on a boundary of `ALIGNMENT` bytes."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(shape)
