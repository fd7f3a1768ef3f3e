import pickle
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

import gpsearch as gs
from gpsearch.cli import main
from gpsearch.errors import StudyError, StudyMismatchError
from gpsearch.objective.function import as_objective
from gpsearch.study import Study
from gpsearch.study.sqlite import Database
from gpsearch.study.widening import widen

NARROW = {"x": gs.Integer(1, 4), "opt": ["adam", "sgd"], "depth": 3}
WIDE = gs.Space({"x": gs.Integer(0, 16), "opt": ["rmsprop", "adam", "sgd"], "depth": 3})


def score(params):
    if params["x"] == 2:
        raise ValueError("no such layer")
    return [params["x"] + 0.1, params["x"] - 0.1]


OBJECTIVE = as_objective(score)
OPTIONS = {"random_state": 0, "progress": False, "confirm": False}


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A search in the narrow space, with failures, a queue, and a trial that was left running."""
    path = tmp_path_factory.mktemp("narrow") / "s.db"
    study = gs.search(score, NARROW, n_calls=7, study=path, **OPTIONS)
    study.enqueue({"x": 4, "opt": "sgd", "depth": 3})
    with study.writing() as writer:
        writer.start_trial({"x": 3, "opt": "sgd", "depth": 3}, seed=9, origin="gp")
        writer.record_fresh(1, 0, gs.FoldResult(fold=0, score=0.5))
    return path


@pytest.fixture
def path(searched, tmp_path):
    return Path(shutil.copy(searched, tmp_path))


def test_trials_count_as_known_in_the_wider_space(path, tmp_path):
    before = pickle.loads(pickle.dumps(Study.open(path)))
    study, backup = widen(path, space=WIDE, objective=OBJECTIVE)
    assert Study.open(backup).trials == before.trials
    assert Study.open(backup).space == before.space
    for old, new in zip(before.ended, study.ended, strict=True):
        assert (new.origin, new.proposal) == ("given", "given")
        assert (new.folds, new.state, new.seed, new.reason) == (
            old.folds,
            old.state,
            old.seed,
            old.reason,
        )
        assert new.params == old.params
    assert study.fresh_seconds == before.fresh_seconds
    running = study.trials[-1]  # it is evaluated, not known
    assert (running.state, running.origin) == ("running", "gp")

    found = gs.search(score, WIDE, n_calls=6, study=path, **OPTIONS)
    assert len(found.trials) == 7 + 6  # the one that was running among them
    assert found.trials[8].origin == "enqueued"
    assert any(trial.proposal == "model" for trial in found.trials[9:])
    assert found.best_params["x"] > 4
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s.db", "s.db.narrow.bak"]


@pytest.mark.parametrize(
    ("space", "objective", "why"),
    [
        (NARROW, OBJECTIVE, "is in this space already"),
        (WIDE, as_objective(lambda params: 1.0), "so its scores cannot be kept"),
        (
            {**NARROW, "x": gs.Integer(2, 9)},
            OBJECTIVE,
            "does not lie in the wider space",
        ),
        ({**NARROW, "decay": (0.0, 1.0)}, OBJECTIVE, "'decay' is missing"),
        ({**NARROW, "momentum": 0.9}, OBJECTIVE, "are others there"),
        ({**NARROW, "x": gs.Real(1.0, 9.0)}, OBJECTIVE, "are others there"),
        ({**NARROW, "x": [1.0, 2.0, 3.0, 4.0]}, OBJECTIVE, "are others there"),
        ({**NARROW, "x": (1, 9), "depth": 3.0}, OBJECTIVE, "are others there"),
        ({"x": gs.Integer(1, 9), "opt": ["adam", "sgd"]}, OBJECTIVE, "has no 'depth'"),
        (gs.Space({**NARROW, "x": (0, 9)}, constraint=lambda p: p["x"] > 8), OBJECTIVE, "excludes"),
    ],
)
def test_what_cannot_be_carried_over_is_refused_and_stays(path, tmp_path, space, objective, why):
    before = path.read_bytes()
    with pytest.raises(StudyError, match=why):
        widen(path, space=gs.Space(space), objective=objective)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["s.db"]


def test_a_kill_in_the_middle_loses_nothing(path, monkeypatch):
    before = Study.open(path).trials

    def killed(self, table, rows, put=Database.put):
        put(self, table, rows[:3])
        if table == "trial":
            raise KeyboardInterrupt

    monkeypatch.setattr(Database, "put", killed)
    with pytest.raises(KeyboardInterrupt):
        widen(path, space=WIDE, objective=OBJECTIVE)
    monkeypatch.undo()
    assert Study.open(path).trials == before
    assert len(widen(path, space=WIDE, objective=OBJECTIVE)[0].ended) == 7


def test_the_command_and_the_error_that_names_it(path, monkeypatch, capsys):
    with pytest.raises(StudyMismatchError, match=r"another space .*`gpsearch widen` keeps its"):
        gs.search(score, WIDE, n_calls=9, study=path, **OPTIONS)
    config = SimpleNamespace(study=path, space=WIDE, objective=OBJECTIVE)
    monkeypatch.setattr("gpsearch.cli.searches.load_config", lambda path: config)
    assert main(["widen", "search.toml"]) == 0
    told = capsys.readouterr().out
    assert "its 7 trials count as known" in told
    assert told.endswith("Next     gpsearch run search.toml\n")
    assert main(["show", str(path)]) == 0
    assert "8 trials (5 complete" in capsys.readouterr().out
