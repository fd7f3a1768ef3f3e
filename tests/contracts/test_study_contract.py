"""What a study promises, in memory and in a file alike."""

import dataclasses
import math

import pandas as pd
import pytest

from gpsearch.errors import (
    InvalidParamsError,
    InvalidSearchError,
    StudyError,
    StudyMismatchError,
    StudyReadOnlyError,
)
from gpsearch.evaluation import FoldResult
from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.study import Study

SPACE = {
    "rate": Real(1e-4, 1.0, prior="log-uniform"),
    "shape": Categorical([(8, 8), (16,), "none"]),
    "epochs": 20,
}
PARAMS = {"rate": 0.1, "shape": (16,), "epochs": 20}


def make(path, **values):
    given = {
        "space": SPACE,
        "seed": 3,
        "objective_fingerprint": "abc",
        "description": {"name": "f", "cv": 5, "shape": (4, 2)},
        "settings": {"strategy": "gp"},
    }
    return Study.create(path, **(given | values))


@pytest.fixture(params=["memory", "file"])
def path(request, tmp_path):
    return None if request.param == "memory" else tmp_path / "study.db"


@pytest.fixture
def study(path):
    return make(path)


def fold(j, score, **values):
    return FoldResult(fold=j, score=score, **values)


def test_a_trial_is_read_as_it_was_written(study):
    folds = (
        fold(2, 0.0, trainer="loop", note="its own train_step", error="ValueError: no"),
        fold(3, 0.1, train_metrics={"auc": 0.95}, fit_seconds=1.25, work=0.5),
        fold(0, 0.5, best_epoch=3, epochs=9, curves={"loss": (1.0, 1 / 3)}, seconds=1.5),
        fold(1, 0.7, metrics={"auc": 0.9, "fit_time": 0.5, "train_x": 0.25}, trainer="compiled"),
    )
    with study.writing() as writer:
        number = writer.start_trial(PARAMS, seed=2**32 - 1, origin="gp", proposal="model")
        for result in folds:
            writer.record_fold(number, result)
        writer.end_trial(number, "complete")
    (trial,) = study.trials
    assert (trial.number, trial.state, trial.seed, trial.origin) == (0, "complete", 2**32 - 1, "gp")
    assert trial.params == PARAMS
    assert trial.proposal == "model"
    assert trial.folds == tuple(sorted(folds, key=lambda result: result.fold))
    assert trial.started <= trial.ended


def test_a_trial_is_seen_running_with_the_folds_it_has(study):
    with study.writing() as writer:
        number = writer.start_trial(PARAMS, seed=1)
        writer.record_fold(number, fold(1, 0.5))
        writer.record_fold(number, fold(0, 0.25))
        (trial,) = study.trials
        assert trial.state == "running"
        assert [result.fold for result in trial.folds] == [0, 1]
        assert study.trials[0].ended is None
        with pytest.raises(StudyError, match="no complete trial"):
            _ = study.best_trial


def test_folds_handed_in_at_the_end_join_those_recorded_before(study):
    with study.writing() as writer:
        number = writer.start_trial(PARAMS, seed=1)
        writer.record_fold(number, fold(0, 0.5))
        writer.end_trial(number, "complete", folds=[fold(0, 9.0), fold(1, 0.7)])
    assert study.trials[0].score == pytest.approx(0.6)


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, 1e300, 5e-324, -0.0])
def test_every_float_is_a_score_that_can_be_stored(study, score):
    with study.writing() as writer:
        number = writer.start_trial(PARAMS, seed=1)
        writer.record_fold(number, fold(0, score, curves={"loss": (score,)}))
        writer.end_trial(number, "failed", reason="diverged")
    with study.writing() as writer:  # reads everything anew
        (result,) = study.trials[0].folds
    assert result.score == score or (math.isnan(score) and math.isnan(result.score))
    assert repr(result.curves["loss"]) == repr((score,))


def test_reasons_and_tracebacks_of_any_text_are_kept(study):
    with study.writing() as writer:
        number = writer.start_trial(PARAMS, seed=1)
        writer.end_trial(number, "failed", reason="half a \ud800 pair, '; DROP", traceback="a\x00b")
    assert study.trials[0].reason == "half a ? pair, '; DROP"
    assert study.trials[0].traceback == "a\x00b"


def test_best_is_the_first_of_the_greatest_complete(study):
    outcomes = [("complete", 0.5), ("failed", 8.0), ("stopped", 8.0), ("complete", 0.7)]
    with study.writing() as writer:
        for state, score in [*outcomes, ("complete", 0.7), ("complete", -1.0)]:
            number = writer.start_trial(PARAMS | {"rate": abs(score) / 8}, seed=1)
            writer.end_trial(number, state, folds=[fold(0, score)])
    assert study.best_trial.number == 3
    assert study.best_score == 0.7
    assert study.best_params == PARAMS | {"rate": 0.7 / 8}


def test_trials_are_told_apart_by_how_they_stand(study):
    with study.writing() as writer:
        for state in ("complete", "failed", "stopped"):
            writer.end_trial(writer.start_trial(PARAMS, seed=1), state, folds=[fold(0, 1.0)])
        writer.start_trial(PARAMS, seed=1)
        assert [trial.number for trial in study.complete] == [0]
        assert [trial.number for trial in study.ended] == [0, 1, 2]
    assert [trial.number for trial in study.ended] == [0, 1, 2]


@pytest.mark.parametrize(
    ("description", "greater_is_better", "name"),
    [
        ({"scoring": "roc_auc"}, True, "roc_auc"),
        ({"scoring": ""}, True, "score"),
        ({}, True, "score"),
        ({"scoring": "roc_auc"}, False, "loss"),
    ],
)
def test_the_score_has_the_name_of_the_scoring(path, description, greater_is_better, name):
    settings = {"greater_is_better": greater_is_better}
    assert make(path, description=description, settings=settings).score_name == name


def test_the_last_failure_is_named_when_nothing_is_complete(study):
    with study.writing() as writer:
        writer.end_trial(writer.start_trial(PARAMS, seed=1), "failed", reason="ValueError: no")
    with pytest.raises(StudyError, match="last failure: ValueError: no"):
        _ = study.best_params


def test_numbers_count_up_from_zero(study):
    with study.writing() as writer:
        assert [writer.start_trial(PARAMS, seed=1) for _ in range(3)] == [0, 1, 2]


def test_only_a_running_trial_takes_folds_and_an_end(study):
    with study.writing() as writer:
        number = writer.start_trial(PARAMS, seed=1)
        writer.end_trial(number, "complete", folds=[fold(0, 1.0)])
        for call in (
            lambda: writer.record_fold(number, fold(1, 1.0)),
            lambda: writer.end_trial(number, "failed"),
            lambda: writer.record_fold(7, fold(0, 1.0)),
        ):
            with pytest.raises(InvalidSearchError, match="is not running"):
                call()
    assert study.trials[0].state == "complete"
    assert len(study.trials[0].folds) == 1


def test_nothing_is_written_after_the_block_of_writing(study):
    with study.writing() as writer:
        pass
    for call in (
        lambda: writer.start_trial(PARAMS, seed=1),
        lambda: writer.set_stop_reason("because"),
        lambda: writer.add_trial(PARAMS, [fold(0, 1.0)]),
    ):
        with pytest.raises(StudyReadOnlyError):
            call()
    assert study.trials == []


def test_writing_can_be_entered_again_but_not_twice(study):
    for _ in range(2):
        with study.writing() as writer:
            writer.start_trial(PARAMS, seed=1)
            with pytest.raises(StudyError), study.writing():
                pass
    assert len(study.trials) == 2


def test_queued_params_come_in_order_and_are_taken_once(study):
    study.enqueue([PARAMS, PARAMS | {"rate": 0.2}, PARAMS])
    study.enqueue(PARAMS | {"rate": 0.3})
    taken = []
    with study.writing() as writer:
        while (entry := writer.next_queued()) is not None:
            assert entry.origin == "enqueued"
            writer.start_trial(entry.params, seed=1, queued=entry.id)
            taken.append(entry.params["rate"])
    assert taken == [0.1, 0.2, 0.3]
    with study.writing() as writer:
        assert writer.next_queued() is None
    study.enqueue(PARAMS)  # evaluated before, and wanted once more
    with study.writing() as writer:
        assert writer.next_queued().params == PARAMS


def test_what_does_not_belong_to_the_space_is_not_queued(study):
    with pytest.raises(InvalidParamsError):
        study.enqueue(PARAMS | {"rate": 7.0})


def test_the_stop_reason_is_kept_until_it_is_cleared(study):
    assert study.stop_reason == ""
    with study.writing() as writer:
        writer.set_stop_reason("All is done.")
    assert study.stop_reason == "All is done."
    with study.writing() as writer:
        writer.set_stop_reason("")
    assert study.stop_reason == ""


def test_a_frame_has_one_row_a_trial_and_one_column_a_fold(study):
    with study.writing() as writer:
        first = writer.start_trial(PARAMS, seed=1)
        scored = [fold(0, 0.5, best_epoch=4), fold(1, 0.7, best_epoch=7)]
        writer.end_trial(first, "complete", folds=scored)
        writer.end_trial(writer.start_trial(PARAMS, seed=2), "failed", reason="no")
    frame = study.to_frame()
    assert frame["state"].tolist() == ["complete", "failed"]
    assert frame["param_shape"].tolist() == [(16,), (16,)]
    assert frame.loc[0, ["fold_0", "fold_1", "best_epoch"]].tolist() == [0.5, 0.7, 5.5]
    assert frame.loc[1, ["score", "fold_0"]].isna().all()
    assert str(frame["started"].dt.tz) == "UTC"


def test_the_frame_of_an_empty_study_has_its_columns(study):
    frame = study.to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == 0
    assert {"number", "score", "param_rate", "param_epochs", "reason"} <= set(frame.columns)


def same(study, **changes):
    values = {
        "space": Space(SPACE),
        "seed": 3,
        "objective_fingerprint": "abc",
        "description": {"name": "f", "cv": 5, "shape": (4, 2)},
        "settings": {"strategy": "gp"},
    }
    study.require_same(**(values | changes))


WIDER = SPACE | {"rate": Real(1e-5, 1.0, prior="log-uniform")}
MORE = SPACE | {"units": Integer(1, 4)}
FIXED = SPACE | {"epochs": 30}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"space": Space(WIDER)}, r"rate: .*0\.0001.* 1e-05", id="bounds"),
        pytest.param({"space": Space(MORE)}, "units not in the study", id="dimension"),
        pytest.param({"space": Space(FIXED)}, "epochs.*20.*30", id="fixed"),
        pytest.param({"seed": 4}, "random_state=3, not 4", id="seed"),
        pytest.param({"settings": {"strategy": "tpe"}}, "strategy='gp', not 'tpe'", id="strategy"),
        pytest.param(
            {"objective_fingerprint": "x", "description": {"name": "f", "cv": 3, "shape": [4, 2]}},
            r"another objective \(cv: 5 in the study, 3 in the search\)",
            id="cv",
        ),
        pytest.param({"objective_fingerprint": "x"}, "source of its function", id="source"),
    ],
)
def test_another_search_is_refused_with_what_differs(study, changes, told):
    with pytest.raises(StudyMismatchError, match=told):
        same(study, **changes)


def test_the_same_search_is_accepted_and_changes_nothing(study):
    before = study.info
    same(study, description={"name": "f", "cv": 5, "shape": [4, 2]})  # as it comes from a file
    assert study.info == before


def test_a_refusal_names_the_parts_that_changed():
    study, wanted = (
        {
            "objective_fingerprint": name,
            "description": {"identity": {"parts": {"model": name, "folds": "f"}}},
        }
        for name in ("2:a", "2:b")
    )
    recorded = Study.create(None, space=SPACE, seed=3, settings={"strategy": "gp"}, **study)
    same(recorded, **study)
    with pytest.raises(StudyMismatchError, match=r"another objective \(changed: model\)"):
        same(recorded, **wanted)


class TestEarlierRules:
    """Fingerprints that were made before they had a scheme."""

    @pytest.fixture
    def earlier(self, study):
        space = Space(SPACE)
        study.info = dataclasses.replace(
            study.info, space_fingerprint="0" * 16, objective_fingerprint="0" * 64
        )
        assert not space.fingerprint().startswith("0")
        return study

    def test_what_its_description_tells_is_compared(self, earlier, caplog):
        same(earlier, objective_fingerprint="2:abc")
        assert "made by an earlier gpsearch" in caplog.text
        with pytest.raises(StudyMismatchError, match="cv: 5 in the study, 4"):
            same(
                earlier,
                objective_fingerprint="2:abc",
                description={"name": "f", "cv": 4, "shape": (4, 2)},
            )
        with pytest.raises(StudyMismatchError, match="rate: "):
            same(earlier, objective_fingerprint="2:abc", space=Space(WIDER))

    def test_an_objective_with_a_fingerprint_of_its_own_is_not_believed(self, earlier):
        with pytest.raises(StudyMismatchError, match="another objective"):
            same(earlier, objective_fingerprint="parabola 1")


@pytest.mark.parametrize("in_file", [True, False])
def test_what_cannot_be_identified_is_said_once(tmp_path, caplog, in_file):
    path = tmp_path / "study.db" if in_file else None
    description = {"identity": {"parts": {}, "unidentified": ["function: closure lock (lock)"]}}
    study = Study.create(path, space=SPACE, seed=3, description=description)
    assert ("closure lock (lock)" in caplog.text) == in_file
    caplog.clear()
    same(study, objective_fingerprint="", description=description, settings={})
    assert caplog.text == ""


def test_best_model_asks_the_objective_or_says_what_it_lacks(study):
    class Refittable:
        def refit(self, params, *, seed, folds):
            return params["rate"], seed, len(folds)

    with study.writing() as writer:
        writer.end_trial(writer.start_trial(PARAMS, seed=1), "complete", folds=[fold(0, 1.0)])
    assert study.best_model(Refittable()) == (0.1, 1, 1)
    with pytest.raises(StudyError, match="best_model needs the objective"):
        study.best_model()


class TestFile:
    """What only a file can promise."""

    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "study.db"

    def test_opening_gives_the_same_trials_and_space(self, study, path):
        with study.writing() as writer:
            writer.end_trial(writer.start_trial(PARAMS, seed=1), "complete", folds=[fold(0, 1.0)])
        opened = Study.open(path)
        assert opened.trials == study.trials
        assert opened.space == Space(SPACE)
        assert opened.seed == 3
        assert opened.info == study.info

    def test_a_reader_sees_each_step_of_the_writer(self, study, path):
        reader = Study.open(path)
        with study.writing() as writer:
            number = writer.start_trial(PARAMS, seed=1)
            assert reader.trials == study.trials
            writer.record_fold(number, fold(0, 1.0))
            assert reader.trials == study.trials
            writer.end_trial(number, "complete")
            assert reader.best_score == 1.0

    def test_a_study_is_one_file_and_nothing_else(self, study, path):
        with study.writing() as writer:
            writer.start_trial(PARAMS, seed=1)
        assert [entry.name for entry in path.parent.iterdir()] == ["study.db"]

    def test_an_existing_study_is_not_made_anew(self, study, path):
        before = path.read_bytes()
        with pytest.raises(StudyError, match="exists"):
            make(path)
        assert path.read_bytes() == before

    def test_what_a_killed_creation_left_is_no_hindrance(self, path):
        path.with_name("study.db.lock").write_bytes(b"{")
        path.with_name("study.db-journal").write_bytes(bytes.fromhex("d9d505f920a163d7") + b"half")
        make(path)
        assert [entry.name for entry in path.parent.iterdir()] == ["study.db"]
