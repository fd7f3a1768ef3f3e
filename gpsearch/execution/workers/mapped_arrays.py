"""Large arrays for workers of the same machine travel as the name of a file.

============================ ==============================================================
an array that maps a file    opened from that file again
another of `MAPPED_BYTES`    written to a temporary file once, which every worker maps
anything else                pickled
============================ ==============================================================

What a worker maps it may write to, and keeps what it has written to itself (copy on write).
"""

import io
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np

from gpsearch.execution.workers.vanishing_folder import VanishingFolder

logger = logging.getLogger("gpsearch")

MAPPED_BYTES = 2**20  # bytes from which an array goes by a file, as in joblib
IN_MEMORY = "/dev/shm"
"""Folder of Linux whose files lie in memory; used where the array takes at most half of the space
that is free."""


class SharedArrays:
    """Packs values, and keeps the files of their large arrays until closed.

    The files lie where joblib lays its own: in the folder that the environment variable
    ``JOBLIB_TEMP_FOLDER`` names, else in memory, else with the temporary files. They are removed
    also when this process is killed.
    """

    def __init__(self) -> None:
        self._folders: dict[str, VanishingFolder] = {}
        self._count = 0
        self._warned = False

    def dumps(self, value: Any) -> bytes:
        """Pickle by cloudpickle, large arrays by the names of their files."""
        with io.BytesIO() as file:
            _MapPickler(file, self).dump(value)
            return file.getvalue()

    def write(self, array: np.ndarray) -> Path | None:
        """A file with the content of `array`; None where it cannot be written."""
        problem: Exception | None = None
        for root in _roots(array.nbytes):
            try:
                return self._written(array, root)
            except OSError as error:
                problem = error
        if not self._warned:
            logger.warning(
                "each worker process gets a copy of an array of %.0f MB, because it cannot be "
                "written to a temporary file (%s); JOBLIB_TEMP_FOLDER names another folder",
                array.nbytes / 1e6,
                problem,
            )
        self._warned = True
        return None

    def close(self) -> None:
        """Remove the files; what is mapped stays readable where it is."""
        for folder in self._folders.values():
            folder.close()
        self._folders.clear()

    def _written(self, array: np.ndarray, root: str) -> Path:
        if root not in self._folders:
            self._folders[root] = VanishingFolder("gpsearch-arrays-", root)
        self._count += 1
        path = self._folders[root].path / f"{self._count}.npy"
        try:
            np.save(path, array, allow_pickle=False)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path


class _MapPickler(cloudpickle.Pickler):
    """A Pickler that leaves the content of large arrays in files."""

    def __init__(self, file: io.BytesIO, arrays: SharedArrays) -> None:
        super().__init__(file)
        self._arrays = arrays

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            if (opened := _where(value)) is not None:
                return np.memmap, opened
            if _is_large(value) and (path := self._arrays.write(value)) is not None:
                return _mapped, (str(path),)
        return super().reducer_override(value)


def _mapped(path: str) -> np.ndarray:
    # Not a memmap: results computed from one would be memmaps, too.
    return np.load(path, mmap_mode="c", allow_pickle=False).view(np.ndarray)


def _is_large(array: np.ndarray) -> bool:
    """Whether an array goes by a file; of a type of its own it might come back as another."""
    plain = type(array) is np.ndarray and array.dtype.kind in "biufcSUmM"
    return plain and array.nbytes >= MAPPED_BYTES


def _roots(size: int) -> list[str]:
    """Folders to lay a file of `size` bytes in, the best first."""
    if given := os.environ.get("JOBLIB_TEMP_FOLDER"):
        return [given]
    roomy = os.access(IN_MEMORY, os.W_OK) and 2 * size <= shutil.disk_usage(IN_MEMORY).free
    return [*([IN_MEMORY] if roomy else []), tempfile.gettempdir()]


def _where(array: np.ndarray) -> tuple[Any, ...] | None:
    """Arguments of `np.memmap` that open `array` again; None where it is not part of a file."""
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
