import math

import numpy as np
import pytest

import gpsearch as gs
from gpsearch.analysis import one_standard_error
from gpsearch.errors import InvalidParamsError, InvalidSearchError, StudyError
from gpsearch.evaluation import FoldResult
from gpsearch.plotting.data import evaluations_series, fold_spread
from gpsearch.report.content import read_result
from gpsearch.study import Study
from gpsearch.study.confirmation import Confirmation

SPACE = {"n_hidden": gs.Integer(1, 5), "units": gs.Integer(8, 64), "drop_rate": (0.0, 0.5)}
SPREAD = np.array([-0.03, 0.0, 0.03])  # of a difference: standard error 0.03 / sqrt(3) = 0.0173


def recorded(*rows, spread=SPREAD, space=None):
    """Trials whose folds differ by `spread` from those of the first, on folds that differ more."""
    study = Study.create(None, space=space or SPACE, seed=0)
    with study.writing() as writer:
        for i, (params, score) in enumerate(rows):
            own = np.multiply(spread, i > 0) + np.arange(len(spread)) - (len(spread) - 1) / 2
            folds = [FoldResult(fold=j, score=score + s) for j, s in enumerate(own)]
            writer.add_trial(params, folds)
    return study


def params(n_hidden, units, drop_rate=0.1):
    return {"n_hidden": n_hidden, "units": units, "drop_rate": drop_rate}


def test_the_simplest_within_one_standard_error_is_chosen():
    study = recorded(
        (params(5, 64), 0.900),
        (params(2, 32), 0.890),  # within
        (params(2, 16), 0.884),  # within, and smaller
        (params(1, 8), 0.880),  # below 0.9 - 0.0173
    )
    choice = one_standard_error(study)
    assert choice.trial.number == 2
    assert choice.best.number == 0
    assert choice.n_within == 3
    assert choice.error == pytest.approx(0.03 / np.sqrt(3))
    assert "the difference is 0.016 ± 0.017, standard error over the folds" in str(choice)
    assert "simpler is less n_hidden, then less units" in str(choice)


def test_the_best_may_be_the_simplest():
    choice = one_standard_error(recorded((params(1, 8), 0.9), (params(2, 8), 0.9)))
    assert choice.trial == choice.best
    assert "is also the simplest" in str(choice)


def test_the_best_is_the_winner_of_a_confirmed_search():
    study = recorded(
        (params(4, 8), 0.90), (params(3, 8), 0.89), (params(1, 8), 0.86), spread=[0, 0, 0.01]
    )
    with study.writing() as writer:
        writer.set_confirmation(Confirmation(trials=3, winner=1, favourite=0))
    choice = one_standard_error(study)
    assert (choice.best.number, choice.trial.number, choice.n_within) == (1, 1, 2)
    shown, differences, _ = fold_spread(study, 3)
    assert [trial.number for trial in shown] == [1, 0, 2]
    assert not differences[0].any()
    assert evaluations_series(study).best == 1
    assert read_result(study).contenders == 2
    assert "  winner  trial 1, score 0.89 " in str(study)


@pytest.mark.parametrize(("k", "lost"), [(2, 0.1), (2, 0.2), (5, 0.125), (10, 1 / 57)])
def test_who_loses_on_one_fold_alone_lies_exactly_one_standard_error_behind(k, lost):
    """As accuracies often do: D = e = lost / k then, whatever rounding leaves of both."""
    study = Study.create(None, space=SPACE, seed=0)
    with study.writing() as writer:
        for own in (lost, 0.0):
            folds = [FoldResult(fold=j, score=0.0) for j in range(k - 1)]
            writer.add_trial(params(1, 8), [*folds, FoldResult(fold=k - 1, score=own)])
    assert one_standard_error(study).n_within == 2


def test_the_order_can_be_stated():
    study = recorded((params(1, 8, 0.0), 0.9), (params(1, 8, 0.4), 0.89), (params(3, 8, 0.5), 0.89))
    assert one_standard_error(study, ["-drop_rate"]).trial.number == 2
    assert one_standard_error(study, ["n_hidden", "-drop_rate"]).trial.number == 1
    assert one_standard_error(study, lambda p: -p["n_hidden"]).trial.number == 2


@pytest.mark.parametrize("key", [math.nan, None, "few", (1, None), np.ones(2), np.ma.masked])
def test_an_order_that_a_function_does_not_give_is_refused(key):
    """NaN is neither less nor more: any trial would do as the simplest."""
    study = recorded((params(1, 8), 0.9), (params(3, 8), 0.9))
    with pytest.raises(InvalidSearchError, match=r"one_standard_error\(simpler=.*returned"):
        one_standard_error(study, lambda p: key)
    with pytest.raises(InvalidSearchError, match=r"simpler=\[\]"):
        one_standard_error(study, [])
    assert one_standard_error(study, lambda p: np.float64(p["n_hidden"]) == 1).trial.number == 1


def test_equally_simple_params_are_told_apart_by_their_score():
    study = recorded((params(3, 8), 0.90), (params(1, 8, 0.2), 0.885), (params(1, 8, 0.3), 0.887))
    assert one_standard_error(study).trial.number == 2


def test_two_numbers_have_an_order_and_texts_are_left_out():
    space = {"n_hidden": ["few", "many", "most"], "units": [64, 8]}
    rows = [({"n_hidden": "few", "units": 64}, 0.9), ({"n_hidden": "most", "units": 8}, 0.89)]
    assert one_standard_error(recorded(*rows, space=space)).trial.number == 1
    texts = recorded(({"n_hidden": "few"}, 0.9), space={"n_hidden": ["few", "many"]})
    with pytest.raises(InvalidSearchError, match="which end is simpler is unknown"):
        one_standard_error(texts)


def test_of_a_function_that_returns_a_loss_losses_are_told():
    study = Study.create(None, space=SPACE, seed=0, settings={"greater_is_better": False})
    with study.writing() as writer:
        for n_hidden, losses in ((5, [0.0, 0.0]), (2, [0.0, 0.5])):
            folds = [FoldResult(fold=j, score=-loss) for j, loss in enumerate(losses)]
            writer.add_trial(params(n_hidden, 8), folds)
    told = str(one_standard_error(study))
    assert told.startswith("Trial 1 (0.25) is the simplest of the 2")
    assert "trial 0 (0; the difference is 0.25 ± 0.25," in told


def test_failed_trials_are_no_choice():
    study = recorded((params(3, 8), 0.9))
    with study.writing() as writer:
        number = writer.start_trial(params(1, 8), seed=0)
        writer.end_trial(number, "failed", reason="diverged")
    assert one_standard_error(study).trial.number == 0


def test_bad_input_is_refused():
    study = recorded((params(3, 8), 0.9))
    with pytest.raises(InvalidParamsError, match="'depth' is not a dimension"):
        one_standard_error(study, ["depth"])
    with pytest.raises(StudyError, match="single fold"):
        one_standard_error(recorded((params(3, 8), 0.9), spread=[0.0]))
    other = recorded(({"a": "u"}, 0.9), space={"a": ["u", "v", "w"]})
    with pytest.raises(InvalidSearchError, match="which end is simpler is unknown"):
        one_standard_error(other)
    with pytest.raises(InvalidParamsError, match="no order"):
        one_standard_error(other, ["a"])
    with pytest.raises(StudyError, match="no complete trial"):
        one_standard_error(Study.create(None, space=SPACE, seed=0))
