import json

import optuna
import pytest

import gpsearch as gs
from gpsearch.cli import main
from gpsearch.errors import StudyError
from gpsearch.evaluation import FoldResult
from gpsearch.optuna_study import storage_url
from gpsearch.study import Study

SPACE = {
    "rate": gs.Real(1e-4, 1.0, prior="log-uniform"),
    "units": gs.Integer(1, 6),
    "layers": gs.Categorical([(32, 16), (64,)]),
    "opt": ["adam", "sgd"],
    "momentum": {"low": 0.0, "high": 0.9, "type": "real", "when": {"opt": ["sgd"]}},
    "epochs": 20,
}
SGD = {"rate": 0.01, "units": 3, "layers": (64,), "opt": "sgd", "momentum": 0.5, "epochs": 20}
ADAM = {"rate": 0.1, "units": 6, "layers": (32, 16), "opt": "adam", "epochs": 20}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A trial of each state; folds have curves of different lengths."""
    path = tmp_path_factory.mktemp("optuna") / "losses.db"
    settings = {"greater_is_better": False}
    study = Study.create(path, space=SPACE, seed=3, settings=settings, description={"n_folds": 2})
    curves = ((0.5, 0.4, 0.3), (0.6, 0.2))
    with study.writing() as writer:
        for params, state in ((SGD, "complete"), (ADAM, "stopped"), (SGD, "failed"), (ADAM, "")):
            number = writer.start_trial(params, seed=5, origin="gp")
            for fold, curve in enumerate(curves[: 2 if state == "complete" else 1]):
                writer.record_fold(
                    number,
                    FoldResult(
                        fold=fold,
                        score=-curve[-1],
                        epochs=len(curve),
                        best_epoch=2,
                        curves={"loss": (9.0,) * len(curve), "val_loss": curve},
                    ),
                )
            if state:
                writer.end_trial(number, state, reason="diverged" if state == "failed" else "")
    return study


def test_a_copy_holds_space_states_values_and_curves(study, tmp_path, capsys):
    path = tmp_path / "optuna.db"
    assert main(["export", str(study.path), "--format", "optuna", "-o", str(path)]) == 0
    assert f"sqlite:///{path}" in capsys.readouterr().out
    read = optuna.load_study(study_name="losses", storage=f"sqlite:///{path}")
    assert (read.direction.name, read.metric_names) == ("MINIMIZE", ["loss"])
    assert read.user_attrs["fixed"] == {"epochs": 20}
    assert [trial.state.name for trial in read.trials] == ["COMPLETE", "PRUNED", "FAIL", "RUNNING"]
    first, second, failed, running = read.trials
    assert (first.value, second.value, failed.value, running.value) == (0.25, 0.3, None, None)
    assert first.params == {
        "rate": 0.01,
        "units": 3,
        "layers": "(64,)",
        "opt": "sgd",
        "momentum": 0.5,
    }
    assert "momentum" not in second.params
    assert first.distributions["rate"] == optuna.distributions.FloatDistribution(
        1e-4, 1.0, log=True
    )
    assert first.distributions["units"] == optuna.distributions.IntDistribution(1, 6, step=1)
    assert first.distributions["opt"].choices == ("adam", "sgd")
    assert first.intermediate_values == {1: 0.5, 2: 0.4, 3: 0.3, 4: 0.6, 5: 0.2}
    assert second.intermediate_values == {1: 0.5, 2: 0.4, 3: 0.3}
    assert first.user_attrs["fold scores"] == [0.3, 0.2]
    assert (failed.user_attrs["reason"], failed.user_attrs["seed"]) == ("diverged", 5)
    assert first.datetime_start.timestamp() == pytest.approx(study.trials[0].started)
    assert read.best_trial.number == 0
    assert [p.name for p in tmp_path.iterdir()] == ["optuna.db"]

    before = path.read_bytes()  # other studies may be in it
    assert main(["export", str(study.path), "--format", "optuna", "-o", str(path)]) == 2
    assert path.read_bytes() == before
    assert main(["export", str(study.path), "--format", "optuna"]) == 2
    assert "--output" in capsys.readouterr().err


def test_in_memory_folds_without_curves_are_steps():
    study = gs.search(
        lambda params: [params["x"], 0.5], {"x": (0.0, 1.0)}, n_calls=3, random_state=0
    )
    copy = study.to_optuna()
    assert copy.direction.name == "MAXIMIZE"
    assert copy.best_value == study.best_score
    for mine, theirs in zip(study.trials, copy.trials, strict=True):
        assert theirs.intermediate_values == {1: mine.params["x"], 2: 0.5}
        assert json.dumps(theirs.user_attrs)


def test_no_value_of_a_fold_is_lost_or_stands_in_the_place_of_another():
    """Curves longer than the epochs of their folds, and others than losses."""
    study = Study.create(None, space=SPACE, seed=0)
    curves = ({"val_loss": (3.0, 2.0, 1.0)}, {"loss": (6.0, 5.0)}, {"auc": (0.7,)}, {})
    with study.writing() as writer:
        folds = [FoldResult(fold=j, score=0.5, epochs=1, curves=c) for j, c in enumerate(curves)]
        writer.add_trial(ADAM, folds)
    (copied,) = study.to_optuna().trials
    assert copied.intermediate_values == {1: 3.0, 2: 2.0, 3: 1.0, 4: 6.0, 5: 5.0, 7: 0.7}


def test_a_path_may_hold_what_a_url_reads_otherwise(study, tmp_path):
    path = tmp_path / "a%20b?c#{d}&mode=memory.db"
    copy = study.to_optuna(path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert len(copy.trials) == 4
    assert len(optuna.load_study(study_name="losses", storage=storage_url(path)).trials) == 4
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_categories_that_optuna_takes_for_one_stay_apart():
    study = Study.create(None, space={"x": gs.Categorical([1, True, len, None])}, seed=0)
    with study.writing() as writer:
        for value, score in ((1, 0.5), (True, 0.5), (len, 0.5), (None, 0.25)):
            writer.add_trial({"x": value}, [FoldResult(fold=0, score=score)])
    copy = study.to_optuna()
    assert [trial.params["x"] for trial in copy.trials] == ["1 (0)", "True (1)", "len", None]


def test_what_stands_at_the_path_is_not_overwritten(study, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StudyError, match="exists"):
        study.to_optuna(tmp_path / "notes.txt")
    with pytest.raises(StudyError, match="is a study"):
        study.to_optuna(study.path)
