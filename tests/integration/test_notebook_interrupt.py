"""The interrupted cell of a notebook leaves a study that can be used and continued."""

import pytest

jupyter_client = pytest.importorskip("jupyter_client", reason="the extra 'notebook' is missing")
pytest.importorskip("ipykernel", reason="the extra 'notebook' is not installed")

# Of the kernel's own machinery, as in test_notebooks.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SEARCH = """
import time
import gpsearch as gs

calls = []

def objective(params):
    calls.append(params)
    if len(calls) == 3:
        print("third", flush=True)
    if 3 <= len(calls) <= 10:
        time.sleep(30)
    return params["x"]

study = gs.search(objective, {"x": (0.0, 1.0)}, n_calls=11, random_state=0, progress=False)
"""
CONTINUE = """
calls.extend([None] * 10)
before = len(study.trials)
study = gs.search(
    objective, {"x": (0.0, 1.0)}, n_calls=4, random_state=0, progress=False, study=study
)
print(before, len(study.trials), study.best_score > 0)
"""


@pytest.fixture
def kernel():
    manager, client = jupyter_client.manager.start_new_kernel(kernel_name="python3")
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def execute(client, source, when_said=lambda text: None):
    """Run a cell; what it printed, and the error that it ended in, if any."""
    said, errors = [], []

    def hear(message):
        if message["msg_type"] == "stream":
            said.append(message["content"]["text"])
            when_said("".join(said))
        elif message["msg_type"] == "error":
            errors.append(message["content"]["ename"])

    client.execute_interactive(source, output_hook=hear, timeout=120)
    return "".join(said), errors


def test_an_interrupted_cell_leaves_a_study_that_goes_on(kernel):
    manager, client = kernel
    interrupted = []

    def interrupt_once(text):
        if "third" in text and not interrupted:
            interrupted.append(True)
            manager.interrupt_kernel()

    said, errors = execute(client, SEARCH, interrupt_once)
    assert not errors
    assert "The search was interrupted" in said
    said, errors = execute(client, CONTINUE)
    assert not errors
    before, after, found = said.split()
    assert (after, found) == ("4", "True")
    assert before in ("2", "3")  # the trial that was cut short may stand as waiting
