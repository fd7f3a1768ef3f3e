"""A damaged file is one clear sentence, and stays as it is."""

import contextlib
import os
import random
import shutil
import sqlite3
import time

import pytest

from gpsearch.errors import (
    InvalidSearchError,
    StudyCorruptError,
    StudyError,
    StudyReadOnlyError,
)
from gpsearch.evaluation import FoldResult
from gpsearch.space import Real
from gpsearch.study import Study, sqlite


def fill(path, n_trials=30):
    study = Study.create(path, space={"x": Real(0.0, 1.0)}, seed=0)
    with study.writing() as writer:
        for i in range(n_trials):
            number = writer.start_trial({"x": i / n_trials}, seed=i)
            for j in range(3):
                curves = {"loss": tuple(i + k / 7 for k in range(40))}
                writer.record_fold(number, FoldResult(fold=j, score=i + j / 3, curves=curves))
            writer.end_trial(number, "complete")
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
    """Bytes here and there: either nothing of the content changed, or it is refused."""
    expected = read_all(whole)
    content = whole.read_bytes()
    rng = random.Random(0)
    noticed = 0
    for position in [rng.randrange(len(content)) for _ in range(150)]:
        changed = bytearray(content)
        changed[position] ^= 1 << rng.randrange(8)
        copy.write_bytes(changed)
        try:
            assert read_all(copy) == expected
        except StudyError:
            noticed += 1
        assert copy.read_bytes() == changed
    assert noticed > 50  # the rest fell into unused space


def test_a_name_that_is_no_text_is_noticed_or_harmless(whole, copy):
    """SQLite quotes what it found, and its message then is no text either."""
    expected, content = read_all(whole), copy.read_bytes()
    at = content.index(b"CREATE TABLE")
    noticed = 0
    for position in range(at, at + 40):
        copy.write_bytes(content[:position] + b"\xff" + content[position + 1 :])
        try:
            assert read_all(copy) == expected
        except StudyCorruptError:
            noticed += 1
    assert noticed > 20


def test_a_lost_trial_is_noticed(copy):
    with contextlib.closing(sqlite3.connect(copy)) as connection, connection:
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
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
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
    with contextlib.closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute(f"PRAGMA user_version = {sqlite.VERSION + 1}")
    connection.close()
    with pytest.raises(StudyError, match="newer gpsearch"):
        Study.open(copy)


def test_a_full_disk_loses_nothing_and_names_the_place(tmp_path):
    path = tmp_path / "full.db"
    study = fill(path, n_trials=3)
    before = study.trials
    with study.writing() as writer:
        pages = writer._file.database._connection.execute("PRAGMA page_count").fetchone()[0]
        writer._file.database._connection.execute(f"PRAGMA max_page_count = {pages}")

        def fill_up():
            for i in range(1000):
                number = writer.start_trial({"x": 0.5}, seed=i)
                writer.end_trial(number, "failed", reason="x" * 1000)

        with pytest.raises(StudyError, match=r"full\.db cannot be written.*MB free.*same command"):
            fill_up()
    trials = Study.open(path).trials
    assert trials[:3] == before
    assert [trial.number for trial in trials] == list(range(len(trials)))


def test_a_file_without_the_right_to_write_can_be_read(whole, monkeypatch):
    monkeypatch.setattr("os.access", lambda *arguments: False)
    study = Study.open(whole)
    assert len(study.trials) == 30
    with pytest.raises(StudyReadOnlyError, match="opened for reading"):
        study._file.write(head={"stop_reason": "because"})


@pytest.mark.parametrize("path", ["x" * 300 + ".db", "a\0b.db", "~nobody-of-this-name/a.db"])
def test_what_cannot_be_a_path_is_one_sentence(path):
    for call in (Study.open, lambda path: Study.create(path, space={"x": Real(0.0, 1.0)}, seed=0)):
        with pytest.raises(StudyError, match="cannot be the path of a study"):
            call(path)


@pytest.mark.parametrize("path", [3, b"a.db", ["a.db"]])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(InvalidSearchError, match="must be the path of a file"):
        Study.open(path)


def test_a_device_is_not_to_be_deleted():
    with pytest.raises(StudyError, match="a device or a pipe"):
        Study.open("/dev/null")


def test_a_name_that_sqlite_would_read_as_an_address_is_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fill("file:a.db?mode=memory", n_trials=1)
    assert [path.name for path in tmp_path.iterdir()] == ["file:a.db?mode=memory"]


def test_the_working_directory_may_change(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = fill("a.db", n_trials=1)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with study.writing() as writer:
        writer.end_trial(writer.start_trial({"x": 0.5}, seed=0), "failed")
    assert len(Study.open(tmp_path / "a.db").trials) == 2
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced"])
def test_a_file_that_is_gone_while_it_is_written_ends_the_search_in_one_sentence(
    tmp_path, whole, how
):
    path = tmp_path / "a.db"
    study = fill(path, n_trials=3)

    def write_after_it_is_gone():
        with study.writing() as writer:
            writer.start_trial({"x": 0.5}, seed=0)
            if how == "deleted":
                path.unlink()
            else:
                path.rename(tmp_path / "b.db")
            if how == "replaced":
                shutil.copy(whole, path)
            writer.end_trial(3, "failed")

    with pytest.raises(StudyError, match=r"a\.db was deleted, moved or replaced"):
        write_after_it_is_gone()
    if how != "deleted":
        assert len(Study.open(tmp_path / "b.db").trials) == 4
    if how == "replaced":
        assert read_all(path) == read_all(whole)


def test_a_clock_that_is_set_back_makes_no_negative_time(tmp_path, monkeypatch):
    study = fill(tmp_path / "a.db", n_trials=0)
    now = time.time()
    with study.writing() as writer:
        number = writer.start_trial({"x": 0.5}, seed=0)
        monkeypatch.setattr("time.time", lambda: now - 86400)
        trial = writer.end_trial(number, "failed")
    assert 0 <= trial.seconds < 60
    assert Study.open(tmp_path / "a.db").trials == [trial]


def test_the_time_between_a_death_and_the_resume_is_no_training(tmp_path, monkeypatch):
    study = fill(tmp_path / "a.db", n_trials=0)
    with study.writing() as writer:
        number = writer.start_trial({"x": 0.5}, seed=0)
        writer.record_fold(number, FoldResult(fold=0, score=1.0, seconds=100.0))
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 86400)
    with study.writing() as writer:
        trial = writer.end_trial(number, "complete")
    assert 100 <= trial.seconds < 160
    assert trial.ended == pytest.approx(now + 86400, abs=60)


def test_a_write_that_was_cut_short_is_told_to_who_may_not_undo_it(tmp_path, monkeypatch):
    path, killed = tmp_path / "study.db", tmp_path / "killed.db"
    Study.create(path, space={"x": (0.0, 1.0)}, seed=0)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("CREATE TABLE large (value BLOB)")
        connection.execute("BEGIN")
        connection.execute("INSERT INTO large VALUES (zeroblob(1000000))")
        connection.execute("UPDATE head SET crc = crc + 1")
        for ending in ("", "-journal"):  # as they lie there while it writes
            shutil.copyfile(f"{path}{ending}", f"{killed}{ending}")
    monkeypatch.setattr(os, "access", lambda *asked: False)
    with pytest.raises(StudyReadOnlyError, match=r"when its search was killed.* opens it once"):
        Study.open(killed)
    monkeypatch.undo()
    assert Study.open(killed).seed == 0
