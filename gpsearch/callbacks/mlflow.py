"""Trials for an MLflow server; ``mlflow-skinny`` suffices."""

from __future__ import annotations

from typing import Any

from gpsearch.callbacks.trial_callback import TrialWriter, metrics_of, require
from gpsearch.study import Study, Trial

STUDY, TRIAL = "gpsearch.study", "gpsearch.trial"  # tags by which a run is found again
BATCH = 1000  # metrics that MLflow takes at once
PARAM_CHARACTERS = 6000  # of a param's value that MLflow takes


class MLflow(TrialWriter):
    """Log each finished trial as a run of MLflow, nested in one run for the study.

    Params, results and the learning curves of the folds (one step an epoch) are logged. The
    runs of a study are found again by their tags, so that a search that was killed and resumed
    logs each trial once. MLflow's active run and experiment are left alone.

    Parameters
    ----------
    experiment_name : str, default "gpsearch"
        Made if it does not exist.
    tracking_uri : str, optional
        By default MLflow's own, as from the environment's ``MLFLOW_TRACKING_URI``.

    Raises
    ------
    InvalidSearchError
        MLflow is not installed.
    """

    name = "MLflow"

    def __init__(
        self, experiment_name: str = "gpsearch", *, tracking_uri: str | None = None
    ) -> None:
        self.experiment_name = experiment_name
        self._entities = require("mlflow.entities", "MLflow")
        self._client = require("mlflow.tracking", "MLflow").MlflowClient(tracking_uri)
        self._logged: dict[str, set[int]] = {}

    def write(self, study: Study) -> None:
        """Log all finished trials of `study` that are not logged yet."""
        identity = f"{study.info.space_fingerprint[:16]}-{study.seed}-{study.info.created:.6f}"
        experiment = self._experiment()
        parent = self._find_or_make_parent(experiment, identity, study)
        if identity not in self._logged:
            self._logged[identity] = self._find_logged(experiment, identity)
        for trial in study.trials:
            if trial.finished and trial.number not in self._logged[identity]:
                self._write(trial, experiment, identity, parent)
                self._logged[identity].add(trial.number)

    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(self.experiment_name)
        return str(
            self._client.create_experiment(self.experiment_name)
            if found is None
            else found.experiment_id
        )

    def _runs(self, experiment: str, identity: str) -> list[Any]:
        own = f"tags.`{STUDY}` = '{identity}'"
        page = self._client.search_runs([experiment], own)
        runs = list(page)
        while page.token:
            page = self._client.search_runs([experiment], own, page_token=page.token)
            runs += page
        return runs

    def _find_or_make_parent(self, experiment: str, identity: str, study: Study) -> str:
        for run in self._runs(experiment, identity):
            if TRIAL not in run.data.tags:
                return str(run.info.run_id)
        name = "study in memory" if study.path is None else study.path.stem
        run = self._client.create_run(experiment, tags={STUDY: identity}, run_name=name)
        self._client.set_terminated(run.info.run_id, "FINISHED")
        return str(run.info.run_id)

    def _find_logged(self, experiment: str, identity: str) -> set[int]:
        logged = set()
        for run in self._runs(experiment, identity):
            if TRIAL not in run.data.tags:
                continue
            if run.info.status == "RUNNING":  # its search died while it was logged
                self._client.delete_run(run.info.run_id)
            else:
                logged.add(int(run.data.tags[TRIAL]))
        return logged

    def _write(self, trial: Trial, experiment: str, identity: str, parent: str) -> None:
        ended = round(1000 * (trial.started if trial.ended is None else trial.ended))
        tags = {STUDY: identity, TRIAL: str(trial.number), "mlflow.parentRunId": parent}
        if trial.reason:
            tags["reason"] = trial.reason
        run = self._client.create_run(
            experiment,
            start_time=round(1000 * trial.started),
            tags=tags | {"state": trial.state, "origin": trial.origin},
            run_name=f"trial {trial.number}",
        )
        params = [
            self._entities.Param(name, str(value)[:PARAM_CHARACTERS])
            for name, value in trial.params.items()
        ]
        metrics = [
            self._entities.Metric(name, value, ended, 0)
            for name, value in metrics_of(trial).items()
        ]
        metrics += [
            self._entities.Metric(f"{name}/fold_{fold.fold}", value, ended, epoch)
            for fold in trial.folds
            for name, values in fold.curves.items()
            for epoch, value in enumerate(values, start=1)
        ]
        self._client.log_batch(run.info.run_id, params=params)
        for start in range(0, len(metrics), BATCH):
            self._client.log_batch(run.info.run_id, metrics=metrics[start : start + BATCH])
        status = "FAILED" if trial.state == "failed" else "FINISHED"
        self._client.set_terminated(run.info.run_id, status, end_time=ended)
