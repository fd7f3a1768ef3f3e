"""Memory maps on their way to workers of the same machine: the file's name, not its content."""

from __future__ import annotations

import io
from typing import Any

import cloudpickle
import numpy as np


def dumps_with_maps(value: Any) -> bytes:
    """Pickle by cloudpickle; arrays that map a file are opened from it again."""
    with io.BytesIO() as file:
        _MapPickler(file).dump(value)
        return file.getvalue()


class _MapPickler(cloudpickle.Pickler):
    """A Pickler that does not read the file behind a memory map."""

    def reducer_override(self, value: Any) -> Any:
        opened = _where(value) if isinstance(value, np.ndarray) else None
        if opened is None:
            return super().reducer_override(value)
        return np.memmap, opened


def _where(array: np.ndarray) -> tuple[Any, ...] | None:
    """Arguments of `np.memmap` that open `array` again; None where it is no part of a file."""
    mapped: Any = array
    while isinstance(getattr(mapped, "base", None), np.ndarray):
        mapped = mapped.base
    order = "C" if array.flags.c_contiguous else "F" if array.flags.f_contiguous else None
    # What was written to a map in mode "c" is in no file; a map of an open file has no name.
    in_file = isinstance(mapped, np.memmap) and mapped.filename and mapped.mode != "c"
    if not in_file or order is None or not array.size:
        return None
    start = array.__array_interface__["data"][0] - mapped.__array_interface__["data"][0]
    return mapped.filename, array.dtype, "r", mapped.offset + start, array.shape, order
