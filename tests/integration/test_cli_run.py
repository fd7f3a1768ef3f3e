"""The command line on a real search: its first call in a process of its own."""

import shutil
import subprocess
import sys

import pytest

from gpsearch.cli import main
from gpsearch.study import Study

CONFIG = """
study = "out/small.db"

[data]
dataset = "iris"

[objective]
create_model = "model.py:create_model"
cv = 2
epochs = 3
preprocess = "standardize"

[search]
n_calls = 3
random_state = 0

[space]
learning_rate = { low = 1e-3, high = 1.0, prior = "log-uniform" }
n_hidden = 1
opt = "sgd"
"""


MODEL = """
import keras  # as users do; what its import writes is not theirs

from gpsearch import mlp


def create_model(learning_rate, n_hidden, opt, input_shape, n_outputs, target_kind):
    assert keras
    data = {"input_shape": input_shape, "n_outputs": n_outputs, "target_kind": target_kind}
    return mlp(n_hidden, learning_rate=learning_rate, opt=opt, **data)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "model.py").write_text(MODEL)
    (folder / "search.toml").write_text(CONFIG)
    return folder


def gpsearch(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "gpsearch", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.usefixtures("_without_figures")  # of the second call, in this process
def test_run_ends_with_the_result_and_continues_when_called_again(folder, monkeypatch, capsys):
    first = gpsearch(folder, "run", "search.toml")
    assert first.returncode == 0, first.stderr
    for told in (
        "Best ",
        "learning_rate",
        "over 2 folds",
        "Time ",
        "out/small.db",
        "out/small.html",
    ):
        assert told in first.stdout
    assert "Traceback" not in first.stderr
    announced, *lines = first.stderr.splitlines()  # TensorFlow writes nothing
    assert announced == "create_model, 150 rows x 4, 2 folds, 3 trials -> out/small.db"
    assert [line.partition(" ")[0] for line in lines] == ["[1/3]", "[2/3]", "[3/3]"]
    assert first.stdout.count("Nothing was confirmed: ") == 1
    assert " (the best) " in lines[0]
    assert lines[0].endswith(" left")
    page = (folder / "out/small.html").read_text()
    assert "learning_rate" in page

    trials = Study.open(folder / "out/small.db").trials
    assert [trial.number for trial in trials] == [0, 1, 2]

    monkeypatch.chdir(folder)
    assert main(["run", "search.toml", "--n-calls", "4"]) == 0, capsys.readouterr().err
    continued = Study.open(folder / "out/small.db").trials
    assert continued[:3] == trials
    assert len(continued) == 4

    page = (folder / "out/small.html").read_text()
    shutil.copy("out/small.db", "other.db")
    assert main(["run", "search.toml", "--n-calls", "4", "--study", "other.db"]) == 0
    assert "Report   other.html" in capsys.readouterr().out
    assert (folder / "out/small.html").read_text() == page


def test_another_objective_is_refused_on_the_same_study(folder, monkeypatch, capsys):
    (folder / "other.toml").write_text(CONFIG.replace("epochs = 3", "epochs = 4"))
    monkeypatch.chdir(folder)
    assert main(["run", "other.toml"]) == 2
    told = capsys.readouterr().err
    assert "objective" in told
    assert "Traceback" not in told
