"""What can be read of a damaged study goes on as a new one, and nothing else counts."""

import contextlib
import random
import shutil
import sqlite3

import pytest

import gpsearch as gs
from gpsearch.cli import main
from gpsearch.errors import StudyCorruptError, StudyError
from gpsearch.study import Study
from gpsearch.study.salvage import salvage
from gpsearch.study.tables import checksum

N_TRIALS, N_FOLDS = 30, 3


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("study") / "whole.db"
    study = Study.create(path, space={"x": (0.0, 1.0)}, seed=0)
    with study.writing() as writer:
        for i in range(N_TRIALS):
            number = writer.start_trial({"x": i / N_TRIALS}, seed=i)
            for j in range(N_FOLDS):
                curves = {"loss": tuple(i + k / 7 for k in range(40))}
                writer.record_fold(number, gs.FoldResult(fold=j, score=i + j / 3, curves=curves))
            writer.end_trial(number, "complete")
        writer.set_stop_reason("because")
    return path


def changed(path, *statements):
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return path


def zeroed(content, rng):
    at = rng.randrange(len(content))
    return content[:at] + bytes(4096) + content[at + 4096 :]


def flipped(content, rng):
    content = bytearray(content)
    for _ in range(20):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def truncated(content, rng):
    return content[: rng.randrange(4096, len(content))]


@pytest.mark.parametrize("damage", [zeroed, flipped, truncated])
def test_no_score_is_another_one_afterwards(whole, tmp_path, damage):
    """A trial that is complete has all its folds; what is lost is told; the study stays as is."""
    content, rng = whole.read_bytes(), random.Random(0)
    before = {trial.params["x"]: trial for trial in Study.open(whole).trials}
    n_saved = 0
    for i in range(5):
        damaged, new = tmp_path / f"{i}.db", tmp_path / f"{i}-new.db"
        damaged.write_bytes(damage(content, rng))
        kept = damaged.read_bytes()
        try:
            study, lost = salvage(damaged, new)
        except StudyCorruptError:
            assert not new.exists()
            continue
        n_saved += 1
        assert damaged.read_bytes() == kept
        complete = study.complete
        assert all(trial.folds == before[trial.params["x"]].folds for trial in complete)
        assert lost or len(complete) == N_TRIALS
    assert n_saved >= 2


def test_a_healthy_study_is_copied(whole, tmp_path):
    study, lost = salvage(whole, tmp_path / "new.db")
    assert lost == []
    assert study.trials == Study.open(whole).trials
    assert (study.stop_reason, study.info) == ("because", Study.open(whole).info)


def test_a_search_goes_on_where_folds_and_trials_were_lost(tmp_path):
    space = {"x": (0.0, 1.0)}

    def objective(params):
        return [params["x"], params["x"] + 1.0]

    arguments = {"strategy": "random", "random_state": 0, "progress": False}
    path, new = tmp_path / "a.db", tmp_path / "new.db"
    first = gs.search(objective, space, n_calls=6, study=path, x0={"x": 0.5}, **arguments)
    scores = {trial.params["x"]: trial.score for trial in first.trials}
    changed(
        path,
        "UPDATE trial SET seed = 7 WHERE number = 0",
        "UPDATE fold SET score = 9.0 WHERE trial = 3 AND fold = 1",
    )
    with pytest.raises(StudyCorruptError, match=r"gpsearch salvage .*a\.db -o new\.db"):
        Study.open(path).trials  # noqa: B018
    study, lost = salvage(path, new)
    assert [trial.state for trial in study.trials] == ["complete"] * 2 + ["running"] + [
        "complete"
    ] * 2
    assert any("cannot be read: 0." in what for what in lost)
    assert any("by trial: 3 (1)" in what for what in lost)
    study = gs.search(objective, space, n_calls=6, study=new, **arguments)
    assert len(study.complete) == 6
    assert study.trials[5].params == {"x": 0.5}  # queued again
    assert all(
        trial.score == scores[trial.params["x"]] for trial in study.trials if trial.number != 5
    )


def test_folds_are_told_lost_of_trials_that_were_stopped_too(whole, tmp_path):
    study = Study.open(shutil.copyfile(whole, tmp_path / "a.db"))
    with study.writing() as writer:
        writer.add_trial({"x": 0.5}, [gs.FoldResult(fold=0, score=1.0)], state="stopped")
    changed(study.path, f"UPDATE fold SET score = 9.0 WHERE trial IN (3, {N_TRIALS}) AND fold = 0")
    _, lost = salvage(study.path, tmp_path / "new.db")
    assert "by trial: 3 (0)." in lost[0]
    assert lost[1] == "Folds of trials that were stopped or failed may be lost."


def test_a_complete_trial_without_any_fold_is_evaluated_again(whole, tmp_path):
    path = changed(shutil.copyfile(whole, tmp_path / "a.db"), "DELETE FROM fold WHERE trial = 3")
    study, _ = salvage(path, tmp_path / "new.db")
    assert [trial.number for trial in study.trials if trial.state == "running"] == [3]


def test_what_is_in_the_way_stays(whole, tmp_path):
    for target in (whole, tmp_path / "notes.txt"):
        (tmp_path / "notes.txt").write_text("notes")
        before = target.read_bytes()
        with pytest.raises(StudyError, match=r"exists|is a study"):
            salvage(whole, target)
        assert target.read_bytes() == before
    with pytest.raises(StudyCorruptError, match=r"cannot be saved|not a study"):
        salvage(tmp_path / "notes.txt", tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()


def test_the_command_says_what_was_lost(whole, tmp_path, capsys):
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(whole.read_bytes())
    changed(damaged, "DELETE FROM trial WHERE number = 4")
    assert main(["show", str(damaged)]) == 2
    assert main(["salvage", str(damaged), "-o", str(tmp_path / "new.db")]) == 0
    out = capsys.readouterr().out
    assert "Saved    29 finished trials, and 0 to evaluate again" in out
    assert "Lost     Trials that cannot be read: 4." in out
    assert main(["show", str(tmp_path / "new.db")]) == 0
    assert main(["salvage", str(damaged), "-o", str(damaged)]) == 2
    assert "is a study" in capsys.readouterr().err


def queued_in(path):
    study = Study.create(path, space={"x": (0.0, 1.0)}, seed=0)
    study.enqueue([{"x": 0.25}, {"x": 0.75}])
    return path


def test_a_queued_configuration_that_is_none_is_left_out(tmp_path):
    path = queued_in(tmp_path / "a.db")
    row = (0, "not json", "enqueued", None)
    changed(path, f"UPDATE queue SET params = 'not json', crc = {checksum(row)} WHERE id = 0")
    study, lost = salvage(path, tmp_path / "new.db")
    assert lost == ["Configurations that were queued cannot be read."]
    with study.writing() as writer:
        assert writer.next_queued().params == {"x": 0.75}


@pytest.mark.parametrize(
    ("loss", "read"),
    [
        ("DELETE FROM trial", lambda study: study.trials),
        ("DELETE FROM trial WHERE number = 29", lambda study: study.trials),
        ("DELETE FROM fold WHERE trial = 3", lambda study: study.best_score),
        ("DELETE FROM queue WHERE id = 0", lambda study: study.enqueue({"x": 0.5})),
    ],
)
def test_rows_that_are_missing_are_noticed(whole, tmp_path, loss, read):
    path = queued_in(tmp_path / "a.db") if "queue" in loss else tmp_path / "a.db"
    if not path.exists():
        path.write_bytes(whole.read_bytes())
    with pytest.raises(StudyCorruptError, match="are missing from it"):
        read(Study.open(changed(path, loss)))
