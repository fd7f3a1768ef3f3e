"""What a search, a study and a comparison show in a notebook: each one output, none of it noise."""

import os

import pytest

nbformat = pytest.importorskip("nbformat", reason="the extra 'notebook' is not installed")
nbclient = pytest.importorskip("nbclient", reason="the extra 'notebook' is not installed")
pytest.importorskip("ipykernel", reason="the extra 'notebook' is not installed")
pytest.importorskip("ipywidgets", reason="the extra 'notebook' is not installed")

CELLS = [
    """
import gpsearch as gs

def objective(params):
    if params["x"] > 0.5:
        raise ValueError("too far")
    return [params["x"] + 0.01 * fold for fold in range(3)]

space = {"x": (0.0, 1.0), "opt": ["adam", "sgd"]}
study = gs.search(objective, space, n_calls=30, random_state=0, strategy="random", live=True)
""",
    "study",
    """
gs.compare(objective, space, strategies=["random", "grid"], n_calls=4, n_repeats=2,
           random_state=0, progress=False)
""",
]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    folder = str(tmp_path_factory.mktemp("notebook"))
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    client.execute(env=os.environ | {"GPSEARCH_SMOKE": "1"})
    return [cell.outputs for cell in notebook.cells]


# Of the kernel's own machinery, as in test_notebooks.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_a_search_shows_a_bar_and_one_picture_whatever_its_length(outputs):
    kinds = [set(out.data) for out in outputs[0] if out.output_type == "display_data"]
    assert kinds == [
        {"application/vnd.jupyter.widget-view+json", "text/plain"},
        {"image/png", "text/plain"},
    ]
    assert "30 trials" in outputs[0][1].data["text/plain"]  # the last state, not the first
    said = "".join(out.text for out in outputs[0] if out.output_type == "stream")
    assert said.count("failed") == 3  # of many: the bar counts the others


def test_a_study_shows_its_best(outputs):
    (shown,) = outputs[1]
    assert "complete" in shown.data["text/plain"]
    assert "<svg" in shown.data["text/html"]
    assert "opt" in shown.data["text/html"]


def test_a_comparison_shows_its_table_and_conclusions(outputs):
    page = next(out.data["text/html"] for out in outputs[2] if "data" in out)
    assert "<table" in page
    assert "grid" in page
