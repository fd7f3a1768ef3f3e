"""What a person sees while a search runs."""

import contextlib
import logging

import pytest

import gpsearch.execution.progress as progress_module
from gpsearch.evaluation import FoldResult
from gpsearch.execution import search
from gpsearch.study import Study

SPACE = {"x": (0.0, 1.0)}


def picky(params):
    if params["x"] > 0.4:
        raise ValueError("too far")
    return params["x"]


def run(study=None, objective=picky, **options):
    given = {"n_calls": 20, "strategy": "random", "random_state": 0, "progress": True}
    return search(objective, SPACE, study=study, **(given | options))


@pytest.fixture
def _terminal(monkeypatch):
    monkeypatch.setattr(progress_module, "has_display", lambda: True)


@pytest.mark.usefixtures("_terminal")
class TestBar:
    def test_it_tells_the_best_and_counts_the_failed(self, capsys):
        study = run()
        failed = sum(trial.state == "failed" for trial in study.trials)
        last = capsys.readouterr().err.split("\r")[-1]
        assert "20/20 [" in last
        assert f"best {study.best_score:.6g}, {failed} failed" in last

    def test_it_fits_a_terminal_of_80_columns_while_a_fold_runs(self, capsys):
        study = Study.create(None, space=SPACE, seed=0)
        bar = progress_module.Progress(100, shown=True)
        with study.writing() as writer, contextlib.closing(bar):
            bar.start(study, 0)
            for _ in range(12):
                writer.start_trial({"x": 0.5}, seed=0)
                bar.end(writer.end_trial(len(study.trials) - 1, "failed", reason="too far"))
            writer.add_trial({"x": 0.5}, [FoldResult(fold=0, score=0.997334)])
            bar.end(study.trials[-1])
            number = writer.start_trial({"x": 0.5}, seed=0)
            writer.record_fold(number, FoldResult(fold=0, score=0.5))
            bar.fold(study.trials[number], 10)
        lines = capsys.readouterr().err.replace("\r", "\n").splitlines()
        assert any("best 0.997334, 12 failed, trial 13 fold 1/10" in line for line in lines)
        without_bar = max(map(len, lines)) - 10  # the cells of a bar where no terminal is
        assert without_bar < 75

    def test_only_the_first_failures_are_said_beside_it(self, caplog):
        study = run()
        said = [r for r in caplog.records if r.levelno == logging.WARNING]
        assert sum(trial.state == "failed" for trial in study.trials) > len(said) == 3

    def test_without_it_every_failure_is_said(self, caplog, monkeypatch):
        monkeypatch.setattr(progress_module, "has_display", lambda: False)
        study = run()
        said = [r for r in caplog.records if r.levelno == logging.WARNING]
        assert len(said) == sum(trial.state == "failed" for trial in study.trials) > 3

    def test_a_continued_search_begins_where_it_stood(self, tmp_path, capsys):
        run(tmp_path / "study.db", n_calls=5)
        capsys.readouterr()
        run(tmp_path / "study.db", n_calls=8)
        lines = capsys.readouterr().err.split("\r")
        assert next(line for line in lines if line.strip()).split("|")[2].startswith(" 5/8")
        assert "8/8" in lines[-1]


def test_live_outside_a_notebook_says_that_there_is_none(caplog):
    study = run(live=True, n_calls=2)
    assert len(study.trials) == 2
    assert "live=True shows the convergence in a notebook only" in caplog.text
