"""What the tests share."""

import gc

import pytest

from gpsearch.objective import keras_cv
from gpsearch.training.compiled.compiled_trainer import CompiledTrainer


def pytest_collection_finish():
    """Keep the garbage collector away from what the libraries made: a tenth of all time."""
    gc.freeze()
    gc.set_threshold(5000, 10, 10)


@pytest.fixture(scope="session", autouse=True)
def _one_set_of_programs():
    """Trace each architecture once for all tests: tracing takes longer than their trainings."""
    programs = CompiledTrainer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras_cv, "CompiledTrainer", lambda: programs)
        yield
