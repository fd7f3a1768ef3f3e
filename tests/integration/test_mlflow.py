"""Trials in a real MLflow store; runs where MLflow is installed (``gpsearch[mlflow]``)."""

import os

import pytest

from gpsearch.callbacks import MLflow
from gpsearch.execution import search
from gpsearch.study import Study

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
mlflow = pytest.importorskip("mlflow")

# MLflow's own use of its libraries
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def uri(tmp_path):
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def score(params):
    if params["x"] > 0.9:
        raise ValueError("too large")
    return [params["x"], params["x"] + 0.5]


def run(tmp_path, uri, n_calls):
    return search(
        score,
        {"x": (0.0, 1.0), "act": ["relu", ("leaky", 0.1)]},
        n_calls=n_calls,
        study=tmp_path / "study.db",
        strategy="random",
        random_state=0,
        callback=MLflow("mine", tracking_uri=uri),
        progress=False,
    )


def runs(uri):
    client = mlflow.tracking.MlflowClient(uri)
    found = client.search_runs([client.get_experiment_by_name("mine").experiment_id])
    trials = [run for run in found if "gpsearch.trial" in run.data.tags]
    (parent,) = [run for run in found if "gpsearch.trial" not in run.data.tags]
    return parent, sorted(trials, key=lambda run: int(run.data.tags["gpsearch.trial"]))


def test_every_trial_is_a_nested_run_once_also_when_the_search_goes_on(tmp_path, uri):
    run(tmp_path, uri, 3)
    study = run(tmp_path, uri, 6)
    parent, trials = runs(uri)
    assert [int(r.data.tags["gpsearch.trial"]) for r in trials] == list(range(6))
    for logged, trial in zip(trials, study.trials, strict=True):
        assert logged.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert logged.data.params == {name: str(value) for name, value in trial.params.items()}
        assert logged.info.status == ("FAILED" if trial.state == "failed" else "FINISHED")
        assert logged.data.metrics.get("score") == (
            pytest.approx(trial.score) if trial.state == "complete" else None
        )
        assert logged.data.tags.get("reason", "") == trial.reason


def test_a_run_that_was_left_half_logged_is_logged_anew(tmp_path, uri):
    run(tmp_path, uri, 2)
    client = mlflow.tracking.MlflowClient(uri)
    client.update_run(runs(uri)[1][1].info.run_id, status="RUNNING")
    MLflow("mine", tracking_uri=uri).write(Study.open(tmp_path / "study.db"))
    assert [r.info.status == "RUNNING" for r in runs(uri)[1]] == [False, False]
