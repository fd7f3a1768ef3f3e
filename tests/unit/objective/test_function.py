"""Plain functions as objectives."""

import numpy as np
import pytest

from gpsearch import KerasClassifier, KerasCV, search
from gpsearch.errors import InvalidObjectiveError, TrialFailedError
from gpsearch.objective import as_objective
from gpsearch.space import Space


def test_one_score_or_one_for_each_fold():
    assert as_objective(lambda params: params["x"] + 1).evaluate({"x": 2}, seed=0).score == 3.0
    folds = as_objective(lambda params: np.array([0.5, 1.0])).evaluate({}, seed=0).folds
    assert [(fold.fold, fold.score) for fold in folds] == [(0, 0.5), (1, 1.0)]


def test_a_loss_changes_its_sign_once():
    assert as_objective(lambda params: 4, greater_is_better=False)({}).score == -4.0


def test_the_function_cannot_change_the_callers_params():
    given = {"x": 1}
    as_objective(lambda params: params.pop("x"))(given)
    assert given == {"x": 1}


def test_seed_is_given_where_it_is_asked_for():
    assert as_objective(lambda params, seed: seed)({}).score == 0.0
    assert as_objective(lambda params, *, seed=5: seed).evaluate({}, seed=9).score == 9.0


@pytest.mark.parametrize("returned", [float("nan"), float("inf"), [1.0, float("nan")]])
def test_not_finite_is_a_failed_trial(returned):
    with pytest.raises(TrialFailedError, match="not finite"):
        as_objective(lambda params: returned)({})


@pytest.mark.parametrize(
    "returned", [None, "0.5", True, [], {"score": 1.0}, {0.5, 0.8}, [1.0, "2"], [[1.0]]]
)
def test_what_is_no_score(returned):
    with pytest.raises(InvalidObjectiveError, match="must return one number"):
        as_objective(lambda params: returned)({})


def test_what_is_no_objective():
    with pytest.raises(InvalidObjectiveError, match="a function from a dict"):
        as_objective("score")
    objective = as_objective(lambda params: 1.0)
    assert as_objective(objective) is objective
    with pytest.raises(InvalidObjectiveError, match="already"):
        as_objective(objective, greater_is_better=False)


def create_model(units, rate=0.1):
    return units


def with_defaults(units=4):
    return units


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        pytest.param(create_model, "takes 'rate' by name.*KerasCV.create_model, X, y.", id="rate"),
        pytest.param(with_defaults, "takes 'units' by name.*KerasCV", id="default"),
        pytest.param(lambda units, rate: 1, "cannot take one argument.*KerasCV", id="two"),
        pytest.param(lambda: 1, "cannot take one argument", id="none"),
        pytest.param(KerasCV, r"is a class. Give KerasCV\(create_model, X, y\)", id="class"),
        pytest.param(KerasClassifier(), "is an estimator. Give EstimatorCV", id="estimator"),
    ],
)
def test_a_slip_is_named_before_anything_runs(objective, message):
    space = Space({"units": (1, 4), "rate": (0.1, 1.0)})
    with pytest.raises(InvalidObjectiveError, match=message):
        search(objective, space, n_calls=1, progress=False)


def test_names_of_arguments_that_a_call_gives():
    def objective(units, seed=None, *, scale=2.0):
        return units["units"] * scale

    as_objective(objective).validate(Space({"units": (1, 4), "seed": (1, 2)}))


def test_fingerprint_sees_code_and_direction_but_not_comments():
    def one(params):
        return params["x"]

    def other(params):
        return params["x"] + 1

    prints = {
        as_objective(one).fingerprint(),
        as_objective(other).fingerprint(),
        as_objective(one, greater_is_better=False).fingerprint(),
    }
    assert len(prints) == 3


def test_the_standard_error_is_that_of_the_mean_over_folds():
    evaluation = as_objective(lambda params: [0.5, 0.7, 0.9])({})
    assert evaluation.standard_error == pytest.approx(0.2 / np.sqrt(3))
