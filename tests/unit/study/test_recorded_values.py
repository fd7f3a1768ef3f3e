"""What is recorded is what the file gives back; what it could not give back is refused at once."""

import math

import numpy as np
import pytest

import gpsearch as gs
from gpsearch.errors import InvalidObjectiveError, InvalidParamsError, InvalidSearchError
from gpsearch.evaluation import std_score
from gpsearch.study import Study

SPACE = {"x": gs.Real(0.0, 1.0), "n": gs.Integer(1, 9)}
PARAMS = {"x": 0.5, "n": 3}


@pytest.fixture
def study(tmp_path):
    return Study.create(tmp_path / "study.db", space=SPACE, seed=0)


def result(**values):
    return gs.FoldResult(**{"fold": 0, "score": 0.5} | values)


@pytest.mark.parametrize(
    "values",
    [
        {"fold": -1},
        {"fold": 1.5},
        {"fold": "0"},
        {"score": "0.5"},
        {"score": None},
        {"score": True},
        {"score": 10**400},
        {"epochs": 2.5},
        {"best_epoch": "3"},
        {"parameters": -1},
        {"seconds": math.nan},
        {"seconds": None},
        {"work": math.nan},
        {"fit_seconds": "1"},
        {"note": None},
        {"error": 5},
    ],
    ids=str,
)
def test_a_fold_result_holds_numbers_and_texts(values):
    (name,) = values
    with pytest.raises(InvalidObjectiveError, match=rf"^FoldResult\({name}=.*\): must be"):
        result(**values)


def test_a_fold_result_is_made_of_plain_values():
    made = result(fold=np.int64(2), score=np.float32(0.5), seconds=np.float64(1), epochs=np.int8(3))
    assert [type(v) for v in (made.fold, made.score, made.seconds, made.epochs)] == [
        *(int, float, float, int)
    ]
    assert math.copysign(1.0, result(score=-0.0).score) == 1.0


@pytest.mark.parametrize(
    ("params", "folds", "more", "kind"),
    [
        ({"x": 0.5}, [result()], {}, InvalidParamsError),
        ({**PARAMS, "y": 1}, [result()], {}, InvalidParamsError),
        ({**PARAMS, "x": 7.0}, [result()], {}, InvalidParamsError),
        ({**PARAMS, "x": math.nan}, [result()], {}, InvalidParamsError),
        ({**PARAMS, "n": "3"}, [result()], {}, InvalidParamsError),
        (PARAMS, [result()], {"state": "done"}, InvalidSearchError),
        (PARAMS, [result()], {"state": "running"}, InvalidSearchError),
        (PARAMS, [result()], {"seed": 2**63}, InvalidSearchError),
        (PARAMS, [result()], {"reason": None}, InvalidSearchError),
        (PARAMS, [result(), result(score=0.9)], {}, InvalidSearchError),
        (PARAMS, [], {}, InvalidSearchError),
        (PARAMS, [result(), result(fold=1, score=math.nan)], {}, InvalidSearchError),
        (PARAMS, [result(score=math.inf), result(fold=1, score=-math.inf)], {}, InvalidSearchError),
    ],
)
def test_a_trial_that_no_reader_would_understand_is_not_recorded(study, params, folds, more, kind):
    with study.writing() as writer, pytest.raises(kind, match=r"^StudyWriter\.add_trial\("):
        writer.add_trial(params, folds, **more)
    assert Study.open(study.path).trials == []


def test_the_end_of_a_trial_has_a_state(study):
    with study.writing() as writer:
        number = writer.start_trial({"x": np.float32(0.5), "n": np.int64(3)}, seed=1)
        with pytest.raises(InvalidSearchError, match="'done'"):
            writer.end_trial(number, "done")
        writer.end_trial(number, "failed", reason="half a pair: \ud800")
    (trial,) = Study.open(study.path).trials
    assert (trial.state, trial.params) == ("failed", PARAMS)


def test_memory_and_file_hold_the_same(study):
    text = "half a pair: \ud800"
    folds = [result(fold=3, score=np.float32(0.1), note=text, error=text), result(score=-0.0)]
    with study.writing() as writer:
        params = {"n": np.int64(3), "x": np.float32(0.25)}
        added = writer.add_trial(params, folds, origin=text, reason=text)
    assert Study.open(study.path).trials == [added]
    assert [fold.fold for fold in added.folds] == [0, 3]
    assert {name: type(value) for name, value in added.params.items()} == {"x": float, "n": int}


def test_scores_that_are_not_finite_have_no_spread(study):
    folds = [result(), result(fold=1, score=math.nan)]
    assert math.isnan(std_score(folds))
    with study.writing() as writer:
        number = writer.start_trial(PARAMS, seed=1)
        for fold in folds:
            writer.record_fold(number, fold)
        frame = study.to_frame()
        writer.end_trial(number, "failed")
    assert math.isnan(frame.loc[0, "std"])
