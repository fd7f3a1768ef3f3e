"""A study of an older version is read as it stands, and migrated with a backup when it is written.

The fixtures are dumps of studies that the release before the next version wrote.
"""

import pickle
import sqlite3
from pathlib import Path

import numpy as np
import pytest

import gpsearch as gs
from gpsearch.analysis.best_of_random import random_scores
from gpsearch.errors import StudyError, StudyMismatchError
from gpsearch.evaluation import Predictions
from gpsearch.study import Study
from gpsearch.study import sqlite as study_file

FIXTURES = Path(__file__).parents[2] / "fixtures"
SPACE = {"x": gs.Real(0.0, 1.0), "act": ["relu", "tanh"]}


class Bowl:
    """What the searches of the fixtures evaluated."""

    name = "bowl"
    n_folds = 2

    def validate(self, space):
        pass

    def fingerprint(self):
        return "bowl"

    def describe(self):
        return {"name": "bowl", "scoring": "roc_auc", "cv": 2}

    def evaluate(self, params, *, seed, on_fold=None, done=()):
        scores = [-((params["x"] - 0.3) ** 2) + j / 8 for j in range(2)]
        return gs.Evaluation(
            folds=tuple(gs.FoldResult(fold=j, score=score) for j, score in enumerate(scores))
        )


@pytest.fixture
def old(tmp_path):
    """Makes the file of a fixture."""

    def make(name, version=1):
        path = tmp_path / f"{name}.db"
        connection = sqlite3.connect(path)
        connection.executescript((FIXTURES / f"study_v{version}_{name}.sql").read_text())
        connection.close()
        return path

    return make


def version_of(path):
    connection = sqlite3.connect(path)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return version


def told(study):
    """All that the trials hold, as text: NaN is equal to itself, and curves are read."""
    return [repr(trial) for trial in study.trials]


def test_reading_leaves_the_file_as_it_is(old):
    path = old("searched")
    before = path.read_bytes()
    study = Study.open(path)
    assert len(study.trials) == 10
    assert study.best_score == pytest.approx(0.0625, abs=0.01)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["searched.db"]


def test_writing_migrates_and_keeps_a_backup(old):
    path = old("folds")
    before, read = path.read_bytes(), told(Study.open(path))
    study = Study.open(path)
    with study.writing() as writer:
        assert [repr(trial) for trial in writer.trials[:6]] == read[:6]  # 6 was left running
        assert writer.next_queued().params == {"x": 0.875, "act": "tanh"}
    assert told(study) == told(Study.open(path)) == read
    assert version_of(path) == study_file.VERSION
    assert path.with_name("folds.db.v1.bak").read_bytes() == before


def test_a_reader_goes_on_while_the_study_is_migrated(old):
    path = old("folds")
    reader = Study.open(path)
    read = told(reader)
    with Study.open(path).writing() as writer:
        writer.add_trial({"x": 0.5, "act": "relu"}, [gs.FoldResult(fold=0, score=1.0)])
    assert told(reader)[:-1] == read
    assert reader.best_score == 1.0


def test_a_backup_is_never_overwritten(old):
    path = old("random")
    other = path.with_name("random.db.v1.bak")
    other.write_text("of another study")
    before = path.read_bytes()
    with Study.open(path).writing():
        pass
    assert other.read_text() == "of another study"
    assert path.with_name("random.db.v1.bak1").read_bytes() == before


def test_a_copy_that_was_pickled_can_be_written(old):
    study = pickle.loads(pickle.dumps(Study.open(old("random"))))
    with study.writing() as writer:
        writer.add_trial({"x": 0.5, "act": "relu"}, [gs.FoldResult(fold=0, score=1.0)])
    assert len(study.trials) == 5


def test_outcomes_that_were_strings_are_fields(old):
    trials = Study.open(old("folds")).trials
    given, network, estimator, failed, stopped, of_random, running = trials
    assert [(fold.trainer, fold.note) for fold in network.folds] == [
        ("compiled", ""),
        ("loop", "the model has its own train_step"),
    ]
    assert network.folds[0].curves["val_loss"] == (0.8, 0.5, 0.6)
    assert network.folds[0].metrics == {"accuracy": 0.9}
    whole, broken = estimator.folds
    assert (whole.trainer, whole.fit_seconds, whole.score_seconds) == ("fit", 1.0, 0.5)
    assert whole.metrics == {"roc_auc": 0.4, "accuracy": 0.7}
    assert whole.train_metrics == {"roc_auc": 0.9}
    assert (broken.error, broken.fit_seconds) == ("ValueError: no: never", 1.25)
    assert stopped.folds[0].metrics == {"train_x": 0.25}
    assert given.folds[0].trainer == "given"
    assert (failed.state, failed.reason) == ("failed", "ValueError: diverged")
    assert (of_random.state, of_random.reason) == ("failed", "its score is not a number")
    assert of_random.folds[0].trainer == "function"
    assert running.state == "running"


def test_how_points_were_proposed_is_told_where_it_is_known(old):
    proposals = [trial.proposal for trial in Study.open(old("folds")).trials]
    assert proposals == ["given", "", "", "", "queued", "random", ""]
    assert {trial.proposal for trial in Study.open(old("random")).trials} == {"random"}
    study = Study.open(old("searched"))
    assert [trial.proposal for trial in study.trials] == ["queued"] + [""] * 9
    assert len(random_scores(study)) == 0


def test_the_work_of_a_fold_is_not_known_in_version_2(old):
    path = old("random", 2)
    read = Study.open(path)
    (fold, _), *_ = (trial.folds for trial in read.trials)
    assert (fold.fit_seconds, fold.work, fold.trainer) == (0.25, None, "compiled")
    assert fold.curves == {"loss": (0.5,)}
    assert read.trials[0].work is None
    before = told(read)
    with Study.open(path).writing() as writer:
        known = [gs.FoldResult(fold=j, score=1.0, work=j + 0.5) for j in range(2)]
        writer.add_trial({"x": 0.5, "act": "relu"}, known)
    assert told(Study.open(path))[:-1] == before
    assert Study.open(path).trials[-1].work == 2.0


def test_of_an_older_trial_no_predictions_are_known(old):
    path = old("random", 3)
    read = Study.open(path)
    fold = read.trials[0].folds[0]
    assert (fold.held_out, fold.parameters, fold.trainer) == (None, None, "compiled")
    with pytest.raises(StudyError, match="trial 0: it was recorded by an earlier gpsearch"):
        read.predictions(0)
    held_out = Predictions(rows=np.arange(2), n_rows=2, outputs=np.eye(2))
    known = [gs.FoldResult(fold=0, score=1.0, predictions=held_out)]
    with Study.open(path).writing() as writer:
        writer.prediction_bytes = 1e6
        writer.end_trial(
            writer.start_trial({"x": 0.5, "act": "relu"}, seed=0), "complete", folds=known
        )
    assert np.array_equal(Study.open(path).predictions(4), np.eye(2))
    with pytest.raises(StudyError, match="trial 0: it was recorded by an earlier gpsearch"):
        Study.open(path).predictions(0)
    assert version_of(path.with_name("random.db.v3.bak")) == 3


@pytest.mark.parametrize(
    ("name", "version", "strategy"),
    [("searched", 1, "gp"), *(("random", version, "random") for version in (1, 2, 3))],
)
def test_a_search_goes_on(old, name, version, strategy):
    path = old(name, version)
    before = told(Study.open(path))
    study = gs.search(
        Bowl(), SPACE, n_calls=len(before) + 2, strategy=strategy, study=path, progress=False
    )
    assert told(study)[: len(before)] == before
    proposal = "model" if strategy == "gp" else "random"
    assert [trial.proposal for trial in study.trials[-2:]] == [proposal] * 2
    assert study.best_score >= 0.055


def test_a_search_that_goes_on_records_what_it_expects_of_the_optimum(old):
    path = old("searched")
    assert "optimum_prior" not in Study.open(path).info.settings
    options = {"n_calls": 10, "study": path, "progress": False}
    gs.search(Bowl(), SPACE, optimum_prior=None, **options)
    assert Study.open(path).info.settings["optimum_prior"] is None
    with pytest.raises(StudyMismatchError, match="optimum_prior=None, not 'by_name'"):
        gs.search(Bowl(), SPACE, **options)
