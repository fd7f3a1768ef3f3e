"""What the tests share."""

import gc
import os
import sys

import matplotlib
import pytest

from gpsearch.estimators import fit
from gpsearch.objective import keras_cv
from gpsearch.study import sqlite
from gpsearch.training.compiled import compiled_trainer
from gpsearch.training.compiled.program_key import architecture_key
from gpsearch.training.compiled.sizes import has_free_sizes
from gpsearch.training.loop import LoopTrainer

matplotlib.use("Agg")  # no windows; not by the environment, which notebooks would inherit
gc.disable()  # while all modules are imported, to find their tests: a fifth of that time


def pytest_collection_modifyitems(items):
    """Begin with the longest files: at the end of a run a core would wait for them."""
    items.sort(key=lambda item: "integration" not in item.nodeid)


def pytest_collection_finish(session):
    """Refuse names of tests that two processes do not share, and let the collector skip imports.

    A garbage collector that also walks what the libraries have made takes a tenth of all time.
    """
    if unstable := [item.nodeid for item in session.items if " at 0x" in item.nodeid]:
        raise pytest.UsageError(f"give these tests ids without addresses: {unstable}")
    gc.freeze()
    gc.set_threshold(5000, 10, 10)
    gc.enable()
    optimize_graphs(False)


def optimize_graphs(wanted):
    """Have TensorFlow rewrite graphs before they run, as it does: a quarter of a trace's time."""
    if tensorflow := sys.modules.get("tensorflow"):
        tensorflow.config.optimizer.set_experimental_options({"disable_meta_optimizer": not wanted})


@pytest.fixture
def _optimized_graphs():
    """For what compares programs with plain Keras over many kinds of models: as users run them."""
    optimize_graphs(True)
    yield
    optimize_graphs(False)


@pytest.fixture(scope="module")
def _without_witness():
    """For what is not about programs: none is compared with Keras, a quarter of a trace's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled_trainer, "difference", lambda *_: "")
        yield


@pytest.fixture
def program_key():
    """A function of a model: what decides which program it has."""

    def key(model):
        free = architecture_key(model, free=True) if has_free_sizes(model) else None
        found = free or architecture_key(model)
        assert found
        return found

    return key


@pytest.fixture
def _eager_loop(monkeypatch):
    """For what trains on the plain loop: a few steps are over before Keras has traced one."""
    plain = LoopTrainer.train

    def train(self, model, training, *, built_by):
        model.run_eagerly = True
        return plain(self, model, training, built_by=built_by)

    monkeypatch.setattr(LoopTrainer, "train", train)


@pytest.fixture(autouse=True)
def _close_figures():
    """Let no test draw into the figure that another has left."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture
def _without_figures(monkeypatch):
    """Pages of which only the text is looked at: drawing the figures takes seconds."""
    monkeypatch.setattr("gpsearch.report.figures.svg", lambda draw, **options: "<svg></svg>")


@pytest.fixture(scope="session", autouse=True)
def _one_set_of_programs():
    """Trace each architecture once for all tests: tracing takes longer than their trainings."""
    programs = compiled_trainer.CompiledTrainer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled_trainer, "KEPT_PROGRAMS", 100)
        patch.setattr(keras_cv, "CompiledTrainer", lambda: programs)
        patch.setattr(fit, "_programs", programs)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_wait_for_the_disk():
    """Files of tests need not outlive a loss of power: for that, each commit would wait 25 ms."""
    connect = sqlite._connect

    def connect_without_sync(address, *settings):
        return connect(address, *settings, "synchronous = OFF")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "_connect", connect_without_sync)
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield
