"""What an earlier study is good for depends on its objective."""

import dataclasses

import pytest

from gpsearch.errors import StudyError
from gpsearch.evaluation import FoldResult
from gpsearch.execution import search
from gpsearch.space import Integer, Real, Space
from gpsearch.study import Study

OLD = {"x": Real(-2.0, 2.0), "n": Integer(1, 9)}
NEW = {"x": Real(-1.0, 1.0), "n": Integer(1, 9)}


def bowl(params):
    return -((params["x"] - 0.5) ** 2) - params["n"]


def other(params):
    return bowl(params) + 100.0


def run(objective, space, **options):
    given = {"n_calls": 20, "strategy": "random", "random_state": 0, "progress": False}
    return search(objective, space, **(given | options))


@pytest.fixture
def earlier(tmp_path):
    run(bowl, OLD, study=tmp_path / "old.db")
    return tmp_path / "old.db"


def inside(study):
    return [t for t in study.trials if -1 <= t.params["x"] <= 1]


def test_the_same_objective_makes_its_scores_known(earlier, tmp_path):
    """Of an overlapping space, what lies in both; without counting against the budget."""
    expected = inside(Study.open(earlier))
    assert 0 < len(expected) < 20
    for _ in range(2):
        study = run(bowl, NEW, warm_start=earlier, n_calls=3, study=tmp_path / "new.db")
    given = [trial for trial in study.trials if trial.origin == "given"]
    assert [t.params for t in given] == [{"x": t.params["x"], "n": t.params["n"]} for t in expected]
    assert [t.folds for t in given] == [t.folds for t in expected]
    assert len(study.trials) == len(expected) + 3


def test_an_objective_of_an_earlier_gpsearch_is_compared_by_its_description(earlier, caplog):
    old = Study.open(earlier)
    old.info = dataclasses.replace(old.info, objective_fingerprint="0" * 64)
    study = run(bowl, NEW, warm_start=old, n_calls=1)
    assert len(study.trials) == len(inside(old)) + 1
    assert "made by an earlier gpsearch" in caplog.text
    study = run(other, NEW, warm_start=old, n_calls=1)
    assert [trial.origin for trial in study.trials] == ["x0"]


def test_another_objective_makes_its_best_params_first_guesses(earlier):
    study = run(other, NEW, warm_start=Study.open(earlier), n_calls=8)
    best = sorted(inside(Study.open(earlier)), key=lambda trial: trial.loss)[:5]
    assert [trial.params["x"] for trial in study.trials[:5]] == [t.params["x"] for t in best]
    assert [trial.origin for trial in study.trials] == ["x0"] * 5 + ["random"] * 3
    assert study.best_score > 50


@pytest.mark.parametrize("space", [{"x": Real(-1.0, 1.0)}, {**NEW, "shift": 3.0}])
def test_a_score_is_known_of_the_settings_alone_with_which_it_was_measured(space):
    def shifted(params):
        return params["x"] + params.get("n", 0) + params.get("shift", 0.0)

    old = run(shifted, NEW)
    study = run(shifted, space, warm_start=old, n_calls=7)
    assert [trial.origin for trial in study.trials] == ["x0"] * 5 + ["random"] * 2
    assert [trial.score for trial in study.trials] == [shifted(t.params) for t in study.trials]
    best = sorted(old.trials, key=lambda trial: trial.loss)[:5]
    assert [trial.params["x"] for trial in study.trials[:5]] == [t.params["x"] for t in best]


def test_a_constraint_keeps_its_own(earlier):
    space = Space(NEW, constraint=lambda params: params["n"] < 5)
    study = run(bowl, space, warm_start=earlier, n_calls=2)
    assert all(trial.params["n"] < 5 for trial in study.trials)


def test_a_search_that_has_begun_is_not_told_again(earlier, tmp_path):
    first = run(bowl, NEW, n_calls=2, study=tmp_path / "new.db").trials
    second = run(bowl, NEW, n_calls=3, study=tmp_path / "new.db", warm_start=earlier)
    assert second.trials[:2] == first
    assert len(second.trials) == 3


def test_a_missing_study_is_an_error_before_the_search(tmp_path):
    with pytest.raises(StudyError, match="does not exist"):
        run(bowl, NEW, warm_start=tmp_path / "none.db", study=tmp_path / "new.db")
    assert list(tmp_path.iterdir()) == []


def test_trials_that_were_stopped_are_known_with_the_folds_they_have():
    whole = run(bowl, NEW, n_calls=1).info
    told = {
        "objective_fingerprint": whole.objective_fingerprint,
        "description": whole.description,
    }
    old = Study.create(None, space=Space(NEW), seed=0, **told)
    with old.writing() as writer:
        for number, (state, n_folds) in enumerate([("complete", 3), ("stopped", 1), ("failed", 1)]):
            writer.start_trial({"x": 0.1 * number, "n": 1}, seed=7)
            for fold in range(n_folds):
                writer.record_fold(number, FoldResult(fold=fold, score=float(fold)))
            writer.end_trial(number, state, reason=state)
    first, second, *new = run(bowl, NEW, warm_start=old, n_calls=1).trials
    assert first.folds == old.trials[0].folds
    assert (second.state, second.reason) == ("stopped", "stopped")
    assert second.folds == old.trials[1].folds
    assert second.is_given
    assert len(new) == 1
    queued = run(other, NEW, warm_start=old, n_calls=1)
    assert [trial.params for trial in queued.trials] == [old.trials[0].params]
