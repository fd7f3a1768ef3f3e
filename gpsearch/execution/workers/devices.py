"""The accelerators of this machine, found without starting TensorFlow, and who gets which."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence

SECONDS = 10  # in which the driver must answer


def available_devices() -> list[str]:
    """Entries for ``CUDA_VISIBLE_DEVICES``: those that it holds, else those of NVIDIA's driver."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        names = [name.strip() for name in chosen.split(",")]
        hidden = [name for name in names if name in ("", "-1", "NoDevFiles")]
        return names[: names.index(hidden[0])] if hidden else names  # as CUDA reads it
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        listed = subprocess.run(
            [program, "--list-gpus"], capture_output=True, text=True, check=True, timeout=SECONDS
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return read_listed(listed)


def read_listed(listed: str) -> list[str]:
    r"""Identifiers of ``nvidia-smi --list-gpus``: parts of a device, where it is cut into parts.

    >>> read_listed("GPU 0: NVIDIA H200 (UUID: GPU-1a)\nGPU 1: NVIDIA H200 (UUID: GPU-2b)")
    ['GPU-1a', 'GPU-2b']
    """
    found = re.findall(r"\(UUID: ([^)]+)\)", listed)
    return [name for name in found if name.startswith("MIG-")] or found


def devices_in_words(devices: Sequence[str], n_workers: int) -> str:
    """How workers share devices, as the study tells it.

    >>> devices_in_words(["0", "1"], 3)
    '3 workers share 2 devices in turn: 0, 1'
    """
    if n_workers <= len(devices):
        return f"each of {n_workers} workers has a device: {', '.join(devices[:n_workers])}"
    return f"{n_workers} workers share {len(devices)} devices in turn: {', '.join(devices)}"
