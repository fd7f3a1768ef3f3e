"""A damaged file is one clear sentence, and stays as it is."""

import random
import shutil
import sqlite3

import pytest

from gpsearch.errors import StudyCorruptError, StudyError, StudyReadOnlyError
from gpsearch.evaluation import FoldResult
from gpsearch.space import Real
from gpsearch.study import Study, sqlite


def fill(path, n_trials=30):
    study = Study.create(path, space={"x": Real(0.0, 1.0)}, seed=0)
    with study.writing():
        for i in range(n_trials):
            number = study.start_trial({"x": i / n_trials}, seed=i)
            for j in range(3):
                curves = {"loss": tuple(i + k / 7 for k in range(40))}
                study.record_fold(number, FoldResult(fold=j, score=i + j / 3, curves=curves))
            study.end_trial(number, "complete")
    return study


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("study") / "whole.db"
    fill(path)
    return path


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copy(whole, tmp_path / "copy.db")


def read_all(path):
    return [(t, [dict(f.curves) for f in t.folds]) for t in Study.open(path).trials]


@pytest.mark.parametrize("share", [0.001, 0.1, 0.3, 0.5, 0.77, 0.95, 0.9999])
def test_a_truncated_file_is_refused_and_left_as_it_is(copy, share):
    with open(copy, "r+b") as file:
        file.truncate(int(copy.stat().st_size * share))
    before = copy.read_bytes()
    with pytest.raises(StudyCorruptError, match=r"copy\.db is"):
        read_all(copy)
    assert copy.read_bytes() == before
    assert [path.name for path in copy.parent.iterdir()] == ["copy.db"]


def test_a_changed_byte_is_noticed_or_harmless(whole, copy):
    """Every byte of a few hundred: either nothing of the content changed, or it is refused."""
    expected = read_all(whole)
    content = whole.read_bytes()
    rng = random.Random(0)
    noticed = 0
    for position in [rng.randrange(len(content)) for _ in range(300)]:
        changed = bytearray(content)
        changed[position] ^= 1 << rng.randrange(8)
        copy.write_bytes(changed)
        try:
            assert read_all(copy) == expected
        except StudyError:
            noticed += 1
        assert copy.read_bytes() == changed
    assert noticed > 100  # the rest fell into unused space


def test_a_lost_trial_is_noticed(copy):
    with sqlite3.connect(copy) as connection:
        connection.execute("DELETE FROM trial WHERE number = 3")
    connection.close()
    with pytest.raises(StudyCorruptError, match="trials are missing"):
        read_all(copy)


def test_an_empty_file_is_refused_and_stays_empty(tmp_path):
    path = tmp_path / "empty.db"
    path.touch()
    with pytest.raises(StudyCorruptError, match="an empty file"):
        Study.open(path)
    with pytest.raises(StudyCorruptError, match="an empty file"):
        Study.create(path, space={"x": Real(0.0, 1.0)}, seed=0)
    assert path.stat().st_size == 0


@pytest.mark.parametrize("content", [b"hello", b"#!/bin/sh\n" * 1000], ids=["short", "long"])
def test_another_kind_of_file_is_refused(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(StudyCorruptError, match="is not a study"):
        Study.open(path)
    assert path.read_bytes() == content


def test_a_foreign_database_is_refused(tmp_path):
    path = tmp_path / "foreign.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE trial (number)")
    connection.close()
    with pytest.raises(StudyCorruptError, match="SQLite database, but not a study"):
        Study.open(path)


def test_directories_and_missing_files_are_told_apart(tmp_path):
    with pytest.raises(StudyError, match="is a directory"):
        Study.open(tmp_path)
    with pytest.raises(StudyError, match="is a directory"):
        Study.create(tmp_path, space={"x": Real(0.0, 1.0)}, seed=0)
    with pytest.raises(StudyError, match="does not exist"):
        Study.open(tmp_path / "none.db")
    with pytest.raises(StudyError, match=r"folder .* does not exist"):
        Study.create(tmp_path / "no" / "a.db", space={"x": Real(0.0, 1.0)}, seed=0)


def test_a_newer_version_is_refused(copy):
    with sqlite3.connect(copy) as connection:
        connection.execute(f"PRAGMA user_version = {sqlite.VERSION + 1}")
    connection.close()
    with pytest.raises(StudyError, match="newer gpsearch"):
        Study.open(copy)


def test_an_older_version_is_migrated_by_its_writer_with_a_backup_beside(copy, monkeypatch):
    expected = read_all(copy)
    old = copy.read_bytes()
    monkeypatch.setattr(sqlite, "VERSION", sqlite.VERSION + 1)
    steps = {sqlite.VERSION - 1: lambda connection: connection.execute("CREATE TABLE later (x)")}
    monkeypatch.setattr(sqlite, "MIGRATIONS", steps)
    study = Study.open(copy)
    assert copy.read_bytes() == old
    with study.writing():
        pass
    assert read_all(copy) == expected
    backup = copy.with_name(f"copy.db.v{sqlite.VERSION - 1}")
    assert backup.read_bytes() == old
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT count(*) FROM later").fetchone() == (0,)
    connection.close()


def test_a_full_disk_loses_nothing_and_names_the_place(tmp_path):
    path = tmp_path / "full.db"
    study = fill(path, n_trials=3)
    before = study.trials
    with study.writing():
        pages = study._file._connection.execute("PRAGMA page_count").fetchone()[0]
        study._file._connection.execute(f"PRAGMA max_page_count = {pages}")

        def fill_up():
            for i in range(1000):
                number = study.start_trial({"x": 0.5}, seed=i)
                study.end_trial(number, "failed", reason="x" * 1000)

        with pytest.raises(StudyError, match=r"full\.db cannot be written.*MB free.*same command"):
            fill_up()
    trials = Study.open(path).trials
    assert trials[:3] == before
    assert [trial.number for trial in trials] == list(range(len(trials)))


def test_a_file_without_the_right_to_write_can_be_read(whole, monkeypatch):
    monkeypatch.setattr("os.access", lambda *arguments: False)
    study = Study.open(whole)
    assert len(study.trials) == 30
    with pytest.raises(StudyReadOnlyError, match="open for reading"):
        study.start_trial({"x": 0.5}, seed=0)
