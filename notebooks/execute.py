"""Run the notebooks from top to bottom and save them with their outputs: ``make notebooks``.

    python notebooks/execute.py [NAME ...]      # all of them, or those whose name contains NAME

What a notebook writes goes to a temporary folder. With GPSEARCH_SMOKE set in the environment the
numbers of `FEW` stand in place of those that a notebook gives: that is how the tests run them,
without saving.
"""

import contextlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
TIMEOUT = 1800  # seconds a cell may take
FEW = {"n_calls": 12, "n_iter": 2, "n_repeats": 2, "epochs": 2, "patience": 2, "cv": 2}
FEW_TRAININGS = 2  # in place of the calls of a notebook that trains networks
SMALL = {
    r"\[:\d00\]": "[:100]",  # in place of the first hundreds of a data set
    # one number of layers and one activation, for each has a program of its own
    r'("n_hidden": )\d+': r"\g<1>1",
    r'("n_hidden": )[(\[][^)\]]*[)\]]': r"\g<1>[1]",
    r'("act_func": )\[[^\]]*\]': r'\g<1>["relu"]',
}
NATIVE_LOG = re.compile(r"[IWE]\d{4} |WARNING: All log messages before absl")
# TensorFlow's notes on the processor and Dask's on connections that close are not output.
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "DASK_LOGGING__DISTRIBUTED": "warning"}


@contextlib.contextmanager
def kernel() -> Iterator[NotebookClient]:
    """A kernel, which may run several notebooks: what they import is imported once."""
    nothing = nbformat.v4.new_notebook()
    client = NotebookClient(nothing, timeout=TIMEOUT, kernel_name="python3", record_timing=False)
    with client.setup_kernel(env=os.environ | QUIET):
        yield client


def execute(path: Path, folder: Path, client: NotebookClient) -> nbformat.NotebookNode:
    """Run the notebook at `path` with `folder` as its working directory; raises where it does."""
    execute_alone(f"%reset -f\n%cd -q {folder}", client)
    notebook = client.nb = nbformat.read(path, as_version=4)
    if "GPSEARCH_SMOKE" in os.environ:
        shorten(notebook)
    client.reset_execution_trackers()
    for index, cell in enumerate(notebook.cells):
        client.execute_cell(cell, index, execution_count=client.code_cells_executed + 1)
    client.set_widgets_metadata()
    drop_native_logs(notebook)
    return notebook


def execute_alone(source: str, client: NotebookClient) -> None:
    """Run a cell that belongs to no notebook."""
    cell = nbformat.v4.new_code_cell(source)
    client.nb = nbformat.v4.new_notebook(cells=[cell])
    client.execute_cell(cell, 0, store_history=False)


def shorten(notebook: nbformat.NotebookNode) -> None:
    """Put few, short trainings in place of the numbers that are written out."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    trains = any("KerasCV" in cell.source for cell in code)
    few = {**FEW, **({"n_calls": FEW_TRAININGS} if trains else {})}
    numbers = {rf"\b{name}=\d+": f"{name}={n}" for name, n in few.items()}
    for pattern, shorter in (numbers | SMALL).items():
        for cell in code:
            cell.source = re.sub(pattern, shorter, cell.source)


def drop_native_logs(notebook: nbformat.NotebookNode) -> None:
    """Leave out what TensorFlow's C++ code writes to stderr before anyone can silence it."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                out
                for out in cell.outputs
                if out.get("name") != "stderr"
                or not all(NATIVE_LOG.match(line) for line in out.text.splitlines())
            ]


def main(names: list[str]) -> None:
    """Run and save."""
    for path in sorted(HERE.glob("*.ipynb")):
        if names and not any(name in path.name for name in names):
            continue
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder, kernel() as client:
            notebook = execute(path, Path(folder), client)
        # What the kernel says of itself changes from machine to machine.
        notebook.metadata["language_info"] = {"name": "python"}
        nbformat.write(notebook, path)
        print(f"{path.name}: {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
