"""The configurations of examples/ run as they are, and so do their data and modules."""

import re
import shutil
from pathlib import Path

import pytest

from gpsearch.config import load_config

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.name for path in EXAMPLES.glob("*.toml"))
KINDS = {
    "breast_cancer.toml": "binary",
    "digits.toml": "multiclass",
    "friedman.toml": "regression",
    "wine.toml": "multiclass",
}


def test_there_is_one_for_each_kind_of_target():
    assert sorted(KINDS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_what_it_says(name):
    config = load_config(EXAMPLES / name)
    assert config.objective.target.kind == KINDS[name]
    assert str(config.study) == f"runs/{Path(name).stem}.db"


@pytest.mark.parametrize("name", NAMES)
def test_an_example_runs(name, tmp_path, monkeypatch):
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    text = (EXAMPLES / name).read_text()
    for key, few in {"n_calls": 2, "cv": 2, "epochs": 1, "patience": 1}.items():
        text = re.sub(rf"(?m)^{key} = \d+", f"{key} = {few}", text)
    (tmp_path / "examples" / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    study = load_config(f"examples/{name}").run(progress=False)
    assert len(study.trials) == 2
    assert all(trial.state in ("complete", "stopped") for trial in study.trials)
    assert study.path == Path(f"runs/{Path(name).stem}.db")
