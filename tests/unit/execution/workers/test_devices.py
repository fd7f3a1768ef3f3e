"""Which worker gets which accelerator, without one."""

import os
import subprocess

import pytest

from gpsearch.execution.workers import devices
from gpsearch.execution.workers.devices import available_devices
from gpsearch.execution.workers.pool import _Context, _Process

LISTED = """GPU 0: NVIDIA A100 (UUID: GPU-1a)
  MIG 1g.5gb Device 0: (UUID: MIG-2b)
  MIG 1g.5gb Device 1: (UUID: MIG-3c)
"""


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ("0, 2", ["0", "2"]),
        ("", []),
        ("-1", []),
        ("1,-1,2", ["1"]),
        ("0,0", ["0"]),
        ("GPU-1a", ["GPU-1a"]),
    ],
)
def test_what_the_environment_chooses_is_taken_as_cuda_reads_it(monkeypatch, chosen, found):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert available_devices() == found


def test_else_the_driver_is_asked(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices.shutil, "which", lambda program: None)
    assert available_devices() == []
    monkeypatch.setattr(devices.shutil, "which", lambda program: program)
    done = subprocess.CompletedProcess([], 0, stdout=LISTED)
    monkeypatch.setattr(devices.subprocess, "run", lambda *args, **options: done)
    assert available_devices() == ["MIG-2b", "MIG-3c"]
    monkeypatch.setattr(devices.subprocess, "run", _fails)
    assert available_devices() == []


def _fails(*args, **options):
    raise subprocess.CalledProcessError(9, "nvidia-smi")


def test_a_new_process_has_the_device_that_fewest_living_ones_have(monkeypatch):
    dead = []
    alive = "gpsearch.execution.workers.pool._Process.is_alive"
    monkeypatch.setattr(alive, lambda process: process not in dead)
    context = _Context(["0", "1"])
    made = [context.Process() for _ in range(4)]
    assert [process.device for process in made] == ["0", "1", "0", "1"]
    dead += made[1:2]
    assert context.Process().device == "1"
    assert _Context().Process().device == ""


def test_how_memory_of_a_device_grows_is_left_to_the_environment(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "false")
    process = _Process(target=lambda: None)
    process.device = "1"
    process.run()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "false"
