"""What the tests share."""

import pytest

from gpsearch.objective import keras_cv
from gpsearch.training.compiled.compiled_trainer import CompiledTrainer


@pytest.fixture(scope="session", autouse=True)
def _one_set_of_programs():
    """Trace each architecture once for all tests: tracing takes longer than their trainings."""
    programs = CompiledTrainer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras_cv, "CompiledTrainer", lambda: programs)
        yield
