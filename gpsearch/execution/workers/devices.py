"""The accelerators of this machine, found without starting TensorFlow."""

import os
import re
import shutil
import subprocess

SECONDS = 10  # in which the driver must answer


def available_devices() -> list[str]:
    """Entries for ``CUDA_VISIBLE_DEVICES``: those that it holds, else those of NVIDIA's driver."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        names = list(dict.fromkeys(name.strip() for name in chosen.split(",")))
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
