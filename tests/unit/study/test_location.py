"""Nothing is written over a study, and a link stays one."""

import multiprocessing
import os
import pickle
import shutil
import sqlite3
from types import SimpleNamespace

import joblib
import pytest

import gpsearch as gs
from gpsearch.cli import main
from gpsearch.errors import (
    GPSearchError,
    InvalidParamsError,
    InvalidSearchError,
    StudyError,
    UnwritableError,
)
from gpsearch.study import Study
from gpsearch.study.location import unfinished_file, write_whole
from gpsearch.study.salvage import salvage
from gpsearch.study.sqlite import Database

SPACE = {"x": (0.0, 1.0)}


@pytest.fixture
def study(tmp_path):
    """Path of a study with a complete trial, named as a page."""
    path = tmp_path / "s.html"
    with Study.create(path, space=SPACE, seed=0).writing() as writer:
        writer.add_trial({"x": 0.5}, [gs.FoldResult(fold=0, score=1.0)])
    return path


def test_a_path_that_begins_with_a_tilde_is_one_of_the_users_folder(study, tmp_path, monkeypatch):
    """For what is written as for a study: no folder is named ~."""
    home, here = tmp_path / "home", tmp_path / "here"
    for folder in (home, here):
        folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    shutil.copy(study, home / "own.db")
    assert Study.open("~/own.db").report("~/page.md") == home / "page.md"
    assert main(["export", "~/own.db", "-o", "~/new/trials.csv"]) == 0
    assert main(["report", "~/own.db"]) == 0
    made = {str(path.relative_to(home)) for path in home.rglob("*.*")}  # and Matplotlib's cache
    assert made >= {"new/trials.csv", "own.db", "own.html", "page.md"}
    assert list(here.iterdir()) == []


def itself(path):
    return path


def symbolic(path):
    link = path.with_name("symbolic.html")
    link.symlink_to(path)
    return link


def hard(path):
    link = path.with_name("hard.html")
    os.link(path, link)
    return link


def roundabout(path):
    return path.parent / "." / ".." / path.parent.name / path.name


@pytest.mark.parametrize("name", [itself, symbolic, hard, roundabout])
def test_no_call_writes_over_a_study_under_any_name(study, name, capsys):
    other = study.with_name("other.db")
    Study.create(other, space=SPACE, seed=0)
    target, before = name(study), study.read_bytes()
    for command in (
        ["export", str(study), "-o", str(target)],
        ["export", str(other), "-o", str(target), "--format", "json"],
        ["report", str(study), "-o", str(target)],
        ["report", str(other), "-o", str(target)],
        ["report", str(study)],
        ["compare", str(study), "-o", str(target)],
        ["salvage", str(other), "-o", str(target)],
    ):
        assert main(command) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "study" in line
    with pytest.raises(StudyError, match="is a study"):
        Study.open(study).report(target)
    with pytest.raises(StudyError, match="is a study"):
        write_whole(target, b"")
    assert study.read_bytes() == before
    assert sorted(path.suffix for path in study.parent.iterdir()).count(".new") == 0


@pytest.mark.parametrize("ending", ["-journal", "-wal", "-shm", ".lock"])
def test_what_belongs_to_a_study_is_not_written_over_either(study, ending, capsys):
    assert main(["export", str(study), "-o", f"{study}{ending}"]) == 2
    assert "belongs to the study s.html" in capsys.readouterr().err
    assert [path.name for path in study.parent.iterdir()] == ["s.html"]


def test_a_damaged_study_is_one_still(study):
    content = bytearray(study.read_bytes())
    content[:16] = bytes(16)
    study.write_bytes(content)
    with pytest.raises(StudyError, match="is a study"):
        write_whole(study, b"")


@pytest.mark.parametrize(
    ("config", "options"),
    [
        ('study = "s.html"', []),
        ('study = "new.html"\nreport = "./new.html"', []),
        ('study = "new.db"', ["--report", "s.html"]),
        ('study = "new.db"', ["--study", "new.html", "--report", "new.html"]),
        ('study = "new.db"', ["--study", "new.html", "--report", "link.html"]),
    ],
)
def test_a_search_whose_study_and_report_are_one_is_refused_before_it_begins(
    study, monkeypatch, config, options, capsys
):
    monkeypatch.chdir(study.parent)
    (study.parent / "link.html").symlink_to("new.html")
    (study.parent / "a.toml").write_text(f'{config}\n[data]\ndataset = "iris"\n')
    before = study.read_bytes()
    names = sorted(os.listdir())
    assert main(["run", "a.toml", *options]) == 2
    assert "study" in capsys.readouterr().err
    assert (study.read_bytes(), sorted(os.listdir())) == (before, names)


def test_a_link_to_nothing_makes_what_it_names(tmp_path):
    link = tmp_path / "link.db"
    link.symlink_to("target.db")
    gs.search(lambda p: p["x"], SPACE, n_calls=2, study=link, strategy="random", progress=False)
    assert link.is_symlink()
    assert not (tmp_path / "target.db").is_symlink()
    assert len(Study.open(link).trials) == len(Study.open(tmp_path / "target.db").trials) == 2
    astray = tmp_path / "astray.db"
    astray.symlink_to("no/target.db")
    with pytest.raises(StudyError, match=r"folder .*no does not exist"):
        Study.create(astray, space=SPACE, seed=0)


def test_a_race_at_the_creation_is_won_once(tmp_path, monkeypatch):
    """The loser continues what the winner made, or is told who holds it."""
    path = tmp_path / "a.db"
    make, made = Study.create.__func__, []

    def beaten(cls, *args, **options):
        if not made:
            made.append(make(cls, *args, **options))  # by another process, a moment before
        return make(cls, *args, **options)

    monkeypatch.setattr(Study, "create", classmethod(beaten))
    arguments = {"n_calls": 3, "study": path, "strategy": "random", "progress": False}
    study = gs.search(lambda p: p["x"], SPACE, **arguments)
    assert (study.seed, len(study.trials)) == (made[0].seed, 3)
    path.unlink()
    made.clear()
    monkeypatch.setattr(Study, "writing", _held)
    with pytest.raises(StudyError, match="being written by process 17"):
        gs.search(lambda p: p["x"], SPACE, **arguments)


def _held(study):
    raise StudyError(f"{study.path} is being written by process 17")


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda s: s.report("no/x.html"), UnwritableError, r"^Study\.report\(path='no/x.html'\)"),
        (lambda s: s.report(3), InvalidSearchError, r"^Study\.report\(path=3\)"),
        (lambda s: s.report(""), InvalidSearchError, r"^Study\.report\(path=''\)"),
        (lambda s: s.save_model(3), InvalidSearchError, r"^Study\.save_model\(path=3\)"),
        (lambda s: s.enqueue(5), InvalidParamsError, r"^Study\.enqueue\(params=5\)"),
        (lambda s: s.enqueue([5]), InvalidParamsError, r"^Study\.enqueue\(params=\[5\]\)"),
        (lambda s: s.enqueue("x"), InvalidParamsError, r"^Study\.enqueue\(params='x'\)"),
        (lambda s: Study.open(""), InvalidSearchError, r"^Study\.open\(path=''\)"),
    ],
)
def test_a_wrong_argument_names_itself(study, call, kind, message):
    with pytest.raises(kind, match=message) as refusal:
        call(Study.open(study))
    assert isinstance(refusal.value, GPSearchError)


def test_any_model_is_kept_as_a_pickle(study, tmp_path):
    objective = SimpleNamespace(refit=lambda params, *, seed, folds: (params, len(folds)))
    Study.open(study).save_model(tmp_path / "best.joblib", objective)
    assert joblib.load(tmp_path / "best.joblib") == ({"x": 0.5}, 1)
    with pytest.raises(StudyError, match=r"not a Keras network.*\.joblib"):
        Study.open(study).save_model(tmp_path / "best.keras", objective)


@pytest.mark.parametrize(
    "wrong",
    [
        {"seed": "a"},
        {"seed": -1},
        {"seed": 1.5},
        {"description": 3},
        {"settings": [3]},
        {"objective_fingerprint": 3},
        {"space": 3},
    ],
)
def test_a_study_is_not_made_of_wrong_arguments(wrong, tmp_path):
    ((name, value),) = wrong.items()
    with pytest.raises(GPSearchError) as refusal:
        Study.create(tmp_path / "a.db", **{"space": SPACE, "seed": 0, **wrong})
    assert str(refusal.value).startswith(f"Study.create({name}={value!r}): must be ")
    assert list(tmp_path.iterdir()) == []


def test_settings_that_an_older_study_lacks_are_recorded(tmp_path):
    path = tmp_path / "a.db"
    study = Study.create(path, space=SPACE, seed=0, settings={"strategy": "random"})
    with study.writing() as writer:
        writer.add_settings({"strategy": "gp", "optimum_prior": "by_name"})
    assert study.info == Study.open(path).info
    assert study.info.settings == {"strategy": "random", "optimum_prior": "by_name"}


def write_report(study, beside):
    study.report(beside / "page.html")


def write_table(study, beside):
    assert main(["export", str(study.path), "-o", str(beside / "table.csv")]) == 0


def write_study(study, beside):
    Study.create(beside / "other.db", space=SPACE, seed=0)


def write_optuna(study, beside):
    study.to_optuna(beside / "optuna.db")


WRITERS = [write_report, write_table, write_study, write_optuna]
"""Each way to write a file that appears whole or not at all."""


def write_and_die(write, path, folder):
    """Write as a process does that is killed before its file has its name."""
    os.replace = lambda *_: os._exit(9)
    write(Study.open(path), folder)


@pytest.mark.parametrize("write", WRITERS)
def test_what_a_killed_writer_left_is_removed_by_one_that_comes_later(study, write, tmp_path):
    folder = tmp_path / "written"
    folder.mkdir()
    killed = multiprocessing.get_context("fork").Process(
        target=write_and_die, args=(write, study, folder)
    )
    killed.start()
    killed.join()
    (left,) = folder.glob("*.new")  # a lock may stay, too
    name = left.name[: -len(".01234567.new")]
    own = [folder / f"{name}.new", folder / f"{name}.0123abc.new", folder / f"a{left.name}"]
    for file in own:
        file.write_text("of the user")
    for file in (left, *own):
        os.utime(file, (0.0, 0.0))
    write(Study.open(study), folder)
    assert {*folder.iterdir()} == {folder / name, *own}


def test_a_file_that_is_being_written_is_not_removed(tmp_path):
    page = tmp_path / "page.html"
    with unfinished_file(page) as first:
        first.write_text("first")
        with unfinished_file(page) as second:
            second.write_text("second")
            write_whole(page, b"third")
            assert first.exists()
            assert second.exists()
    assert page.read_text() == "first"
    assert [*tmp_path.iterdir()] == [page]


BESIDE = [".new", ".lock", "-journal", "-wal"]


@pytest.mark.parametrize("ending", BESIDE)
@pytest.mark.parametrize("is_study", [False, True])
def test_a_file_of_another_beside_a_study_stays(tmp_path, ending, is_study):
    path, other = tmp_path / "a.db", tmp_path / f"a.db{ending}"
    if is_study:
        Study.create(other, space=SPACE, seed=0)
    else:
        other.write_text("my thesis")
    before = other.read_bytes()
    if ending == ".new":
        Study.create(path, space=SPACE, seed=0)
    else:
        with pytest.raises(StudyError, match=f"a.db{ending} lies where .* move it"):
            Study.create(path, space=SPACE, seed=0)
        assert not path.exists()
    assert other.read_bytes() == before


@pytest.mark.parametrize("ending", BESIDE[1:])
def test_a_file_of_another_that_came_later_stays(study, ending):
    other = study.with_name(f"{study.name}{ending}")
    with pytest.raises(StudyError, match="belongs to the study"):
        Study.create(other, space=SPACE, seed=0)
    other.write_text("my thesis")
    with pytest.raises(StudyError, match=r"lies where .* move it"):
        Study.open(study).enqueue({"x": 0.5})
    assert other.read_text() == "my thesis"


def test_a_study_that_does_not_fit_on_the_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(Database, "make_tables", full)
    with pytest.raises(StudyError, match="It was not made; when there is room"):
        Study.create(tmp_path / "a.db", space=SPACE, seed=0)
    assert list(tmp_path.iterdir()) == []


def test_a_study_with_a_write_ahead_log_is_whole(study, tmp_path):
    """Another tool may have set it up; then rows lie in a file beside the study."""
    tool = sqlite3.connect(study)
    tool.execute("PRAGMA journal_mode = WAL").fetchall()
    tool.execute("SELECT * FROM head").fetchall()
    with Study.open(study).writing() as writer:
        writer.add_trial({"x": 0.25}, [gs.FoldResult(fold=0, score=2.0)])
    (tmp_path / "copy").mkdir()
    for ending in ("", "-wal"):
        shutil.copy(f"{study}{ending}", tmp_path / "copy" / f"s.html{ending}")
    saved, lost = salvage(tmp_path / "copy" / "s.html", tmp_path / "new.db")
    assert (len(saved.trials), lost) == (2, [])
    assert len(pickle.loads(pickle.dumps(Study.open(study))).trials) == 2
    tool.close()
