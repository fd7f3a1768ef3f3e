"""Every notebook runs from top to bottom, and is saved with the outputs of such a run."""

import importlib.util
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))

nbformat = pytest.importorskip("nbformat", reason="the extra 'notebook' is not installed")
pytest.importorskip("nbclient", reason="the extra 'notebook' is not installed")
pytest.importorskip("ipykernel", reason="the extra 'notebook' is not installed")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the kernel's own machinery
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # sockets that are left to the exit
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def load_execute():
    spec = importlib.util.spec_from_file_location("execute", NOTEBOOKS / "execute.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXECUTE = load_execute()


def test_there_are_notebooks():
    assert PATHS


# As in `conftest.py`: graphs run as they are traced, the collector skips what is imported, and
# pages have no figures. The notebooks' own are drawn.
PREPARED = """
import gc
import gpsearch.report.figures
gpsearch.report.figures.svg = lambda draw, **options: "<svg></svg>"
from gpsearch.training.backend import import_tensorflow
import_tensorflow().config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
gc.freeze()
gc.set_threshold(5000, 10, 10)
"""


@pytest.fixture(scope="module")
def client():
    """One kernel for all notebooks: most of a short run is the import of TensorFlow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPSEARCH_SMOKE", "1")
        with EXECUTE.kernel() as client:
            EXECUTE.execute_alone(PREPARED, client)
            yield client


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_runs_from_top_to_bottom(path, tmp_path, client):
    notebook = EXECUTE.execute(path, tmp_path, client)
    assert problems(notebook) == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_is_saved_with_clean_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any("image/png" in out.get("data", {}) for cell in cells for out in cell.outputs)
    assert problems(notebook) == []


def problems(notebook):
    """Errors, and what was printed to stderr: warnings and logs that nobody wants to read."""
    return [
        out.get("text", out.output_type)
        for cell in notebook.cells
        if cell.cell_type == "code"
        for out in cell.outputs
        if out.output_type == "error" or out.get("name") == "stderr"
    ]
