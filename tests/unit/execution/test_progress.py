"""What a person sees while a search runs."""

import contextlib
import logging
import math

import pytest

import gpsearch.execution.progress as progress_module
from gpsearch.errors import StudyMismatchError
from gpsearch.evaluation import FoldResult
from gpsearch.execution import StopReason, search
from gpsearch.phases import listen, phase
from gpsearch.study import Study, Trial
from gpsearch.study.trial import seconds_left

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
        assert any("best 0.997334, 12 failed, trial 13 fold 2/10" in line for line in lines)
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
        announced, _, bars = capsys.readouterr().err.partition("\n")
        assert announced.endswith(f"picky, 8 trials -> {tmp_path / 'study.db'}")
        lines = [line for line in bars.split("\r") if "|" in line]
        assert lines[0].split("|")[2].startswith(" 5/8")
        assert "8/8" in lines[-1]


class TestLines:
    """Where no bar can be drawn; the log of the tests takes them."""

    def test_each_trial_is_one_after_what_is_begun(self, caplog, tmp_path):
        study = run(tmp_path / "study.db")
        announced, *lines = [r.getMessage() for r in caplog.records if r.name == "gpsearch.trials"]
        assert announced == f"picky, 20 trials -> {tmp_path / 'study.db'}"
        assert [line.partition(" ")[0] for line in lines] == [f"[{n}/20]" for n in range(1, 21)]
        for line, trial in zip(lines, study.trials, strict=True):
            told = f"failed: {trial.reason}" if trial.reason else f"{trial.score:.6g} ("
            assert told in line
        best = f"(best {study.best_score:.6g}, trial {study.best_trial.number})"
        assert all(("failed" in line) or (best in line) for line in lines[-3:])
        assert [" left" in line for line in lines if "failed" not in line][:-1].count(False) == 0
        assert progress_module.logger.level == logging.NOTSET

    def test_the_last_one_says_why_a_search_ended_early(self, caplog):
        run(n_calls=9, stop=[lambda study: len(study.trials) == 4])
        assert caplog.messages[-1] == StopReason.RULE.value
        run(n_calls=2)
        assert caplog.messages[-1].startswith("[2/2] ")

    def test_losses_are_told_as_the_user_has_them_with_the_digits_of_their_error(self, caplog):
        folds = [0.12345, 0.12565]
        run(objective=lambda params: folds, n_calls=2, greater_is_better=False)
        first, second = caplog.messages[1:3]
        assert first.startswith("[1/2] 0.1246 ± 0.0011 (the best) ")
        assert second.startswith("[2/2] 0.1246 ± 0.0011 (best 0.1246, trial 0) ")

    def test_no_line_where_no_progress_is_wanted(self, caplog):
        run(objective=lambda params: params["x"], progress=False)
        assert caplog.messages == []


def test_time_left_follows_the_pace_of_the_last_trials_and_no_pause():
    def trial(number, started, ended):
        times = {"started": started, "ended": ended}
        return Trial(number=number, state="complete", params={}, seed=0, **times)

    assert seconds_left([], 5) is None
    assert seconds_left([trial(0, 0.0, 4.0)], 5) == 20.0
    serial = [trial(n, 10.0 * n, 10.0 * n + 9.0) for n in range(5)]
    assert seconds_left(serial, 3) == pytest.approx(30.0)
    pairs = [trial(n, 10.0 * (n // 2), 10.0 * (n // 2) + 9.0) for n in range(8)]
    assert seconds_left(pairs, 3) == pytest.approx(3 * 30.0 / 7)
    paused = [*serial, trial(5, 100_040.0, 100_049.0)]
    assert seconds_left(paused, 1) < 15.0


def test_a_phase_is_shown_within_the_one_around_it():
    told = []
    listen(told.append)
    try:
        with phase("tracing"), phase("loading"):
            pass
    finally:
        listen(None)
    with phase("unseen"):
        pass
    assert told == ["tracing", "loading", "tracing", ""]


def test_live_outside_a_notebook_says_that_there_is_none(caplog):
    study = run(live=True, n_calls=2)
    assert len(study.trials) == 2
    assert "live=True shows the convergence in a notebook only" in caplog.text


def test_a_search_that_is_refused_leaves_the_log_as_it_was(monkeypatch):
    study = run(n_calls=1)
    monkeypatch.setattr(progress_module, "has_display", lambda: False)
    with pytest.raises(StudyMismatchError):
        run(study, n_calls=2, random_state=1)
    assert progress_module.logger.level == logging.NOTSET
    assert progress_module.logger.handlers == []


def test_a_score_on_fresh_splits_is_as_precise_as_its_error_lets_it_be(caplog):
    progress = progress_module.Progress(2, shown=False)
    progress.start(run(n_calls=2), 0)
    folds = [FoldResult(fold=i, score=score) for i, score in enumerate((0.90123, 0.92345))]
    with caplog.at_level(logging.INFO, "gpsearch"):
        progress.fresh_end(1, 0, folds)
        progress.fresh_end(1, 0, [FoldResult(fold=0, score=math.nan, error="exceeded the limit")])
    *_, scored, failed = caplog.messages
    assert scored == "trial 1 on fresh splits 1: 0.912 ± 0.011 0 s"
    assert failed == "trial 1 on fresh splits 1: failed: exceeded the limit"


def test_the_line_of_a_stopped_trial_is_free_of_the_ease_of_its_folds(caplog):
    """Its plain mean would be above the best, to which it has lost."""
    study = Study.create(None, space=SPACE, seed=0)
    lines = progress_module.Progress(9, shown=False)
    with study.writing() as writer, contextlib.closing(lines), caplog.at_level(logging.INFO):
        lines.start(study, 0)
        for i in range(5):
            number = writer.start_trial({"x": i / 9}, seed=0)
            for fold in range(1 if i == 4 else 3):
                score = 0.5 - i / 100 + (0.2, 0.0, -0.2)[fold]
                writer.record_fold(number, FoldResult(fold=fold, score=score))
            lines.end(writer.end_trial(number, "stopped" if i == 4 else "complete"))
    assert "[5/9] 0.46, " in caplog.messages[-1]
    assert "(best 0.50, trial 0)" in caplog.messages[-1]
