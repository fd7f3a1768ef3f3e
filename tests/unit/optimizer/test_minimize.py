"""gp_minimize: scikit-optimize's signature, budget and result."""

import inspect
import math

import numpy as np
import pandas as pd
import pytest
import skopt
from scipy.optimize import OptimizeResult
from skopt.callbacks import CheckpointSaver, DeltaYStopper, StdStopper, ThresholdStopper

from gpsearch.errors import InvalidSearchError
from gpsearch.optimizer import Optimizer, gp_minimize

SPACE = [(-2.0, 2.0), (1, 9)]


def bowl(point):
    return (point[0] - 0.5) ** 2 + 0.1 * (point[1] - 4) ** 2


def test_the_signature_is_scikit_optimizes_with_one_keyword_more():
    ours, stock = (list(inspect.signature(f).parameters) for f in (gp_minimize, skopt.gp_minimize))
    assert ours == [*stock, "optimum_prior"]
    with pytest.raises(TypeError):
        gp_minimize(bowl, SPACE, *[None] * (len(stock) - 2), "by_name")  # only by its name


def test_the_result_is_scikit_optimizes():
    result = gp_minimize(bowl, SPACE, n_calls=15, random_state=0)
    stock = skopt.gp_minimize(bowl, SPACE, n_calls=10, n_points=50, random_state=0)
    assert isinstance(result, OptimizeResult)
    assert set(result) == set(stock)
    assert result.fun == bowl(result.x) == result.func_vals.min()
    assert result.specs["function"] == "base_minimize"
    assert result.specs["args"]["func"] is bowl
    assert result.fun < 0.05


def test_callbacks_of_scikit_optimize_read_the_models_and_hand_them_back(tmp_path):
    settings = {"n_calls": 8, "n_initial_points": 3, "random_state": 0}
    whole = gp_minimize(bowl, SPACE, callback=StdStopper(0.0), **settings)
    assert len(whole.x_iters) == 8
    spread = whole.func_vals[:4].std()
    stopped = gp_minimize(bowl, SPACE, callback=StdStopper(spread, log_interval=99), **settings)
    assert len(stopped.x_iters) <= 4
    reached = gp_minimize(bowl, SPACE, callback=ThresholdStopper(whole.fun), **settings)
    assert reached.fun == whole.fun
    saver = CheckpointSaver(tmp_path / "result.pkl", store_objective=False)
    gp_minimize(bowl, SPACE, callback=saver, **settings)
    longer = gp_minimize(bowl, SPACE, callback=saver, **settings, **saver.load())
    assert len(longer.x_iters) == 16
    assert longer.models[-1].predict(longer.space.transform([longer.x])).shape == (1,)


def test_known_points_take_no_calls_and_others_do():
    x0, y0 = [[0.0, 1], [1.0, 9]], [9.0, 7.0]
    known = gp_minimize(bowl, SPACE, n_calls=5, n_initial_points=3, x0=x0, y0=y0)
    assert len(known.x_iters) == 7
    assert known.func_vals[:2].tolist() == y0
    unknown = gp_minimize(bowl, SPACE, n_calls=5, n_initial_points=3, x0=x0)
    assert len(unknown.x_iters) == 5
    assert unknown.x_iters[:2] == x0
    single = gp_minimize(bowl, SPACE, n_calls=4, n_initial_points=2, x0=[0.0, 1], y0=3.0)
    assert len(single.x_iters) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"n_calls": 0}, "n_calls", id="no calls"),
        pytest.param({"n_calls": 3, "n_initial_points": 5}, ">= 5", id="too few calls"),
        pytest.param({"n_initial_points": 0}, "x0", id="nothing to start from"),
        pytest.param({"x0": [[0.0, 1]], "y0": [1.0, 2.0]}, "same length", id="x0 and y0"),
        pytest.param({"x0": ([0.0, 1],)}, "should be a list", id="x0 is a tuple of points"),
        pytest.param({"x0": [[0.0, 1]], "y0": object()}, "iterable", id="y0"),
        pytest.param({"y0": [1.0]}, "no `x0`", id="y0 alone"),
        pytest.param({"n_calls": 10.0}, "whole", id="calls as a float"),
    ],
)
def test_a_wrong_budget_or_start_has_its_own_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        gp_minimize(bowl, SPACE, **{"n_calls": 10, **arguments})


def test_a_function_may_do_what_it_likes_with_its_point():
    def greedy(point):
        loss = bowl(point)
        point.clear()
        return loss

    spoilt = gp_minimize(greedy, SPACE, n_calls=9, x0=[0.0, 1], random_state=0)
    assert (
        spoilt.x_iters == gp_minimize(bowl, SPACE, n_calls=9, x0=[0.0, 1], random_state=0).x_iters
    )


@pytest.mark.parametrize(
    ("x0", "message"),
    [
        (
            [[0.0, 1], [0.0, 1, 2]],
            r"gp_minimize\(x0=\[0.0, 1, 2\]\): .*length 3; .* 2 dimen.*",
        ),
        ([0.0], r"gp_minimize\(x0=\[0.0\]\): .*length 1; .* 2 dimensions\."),
        ([[0.0, 1], 5], r"gp_minimize\(x0=5\): each point is a list of 2 values\."),
    ],
)
def test_a_start_of_the_wrong_length_is_refused(x0, message):
    with pytest.raises(RuntimeError, match=f"^{message}$"):  # scikit-optimize's kind of error
        gp_minimize(bowl, SPACE, n_calls=10, x0=x0)


@pytest.mark.parametrize("point", [[0.0, 1.5], [0.0, "1"], [0.0, True], ["0", 1], [9e9, 1]])
def test_a_start_that_would_be_recorded_as_another_is_refused_before_a_call(point):
    called = []
    with pytest.raises(
        InvalidSearchError, match=r"^gp_minimize\(x0=.*bounds of the space.* must be"
    ):
        gp_minimize(called.append, SPACE, n_calls=10, x0=[[0.0, 1], point])
    assert called == []
    with pytest.raises(InvalidSearchError, match=r"^Optimizer\.tell\(x=.*bounds of the space"):
        Optimizer(SPACE).tell(point, 1.0)


@pytest.mark.parametrize("x0", [{"x": 1}, {0.0, 1}, np.array(3.0), 3.0])
def test_a_start_that_is_no_list_is_refused(x0):
    with pytest.raises(InvalidSearchError, match=r"^gp_minimize\(x0=.*must be a point"):
        gp_minimize(bowl, SPACE, n_calls=5, x0=x0)


@pytest.mark.parametrize("point", [[10**400, 1], [0.0, 10**400]])
def test_an_int_beyond_all_floats_lies_outside_of_the_space(point):
    with pytest.raises(InvalidSearchError, match="within the bounds"):
        gp_minimize(bowl, SPACE, n_calls=5, x0=[point])


def test_a_start_of_tuples_alone_is_one_point():
    space = [[(1, 2), (3, 4), (5, 6)]]
    result = gp_minimize(lambda x: x[0][0], space, n_calls=3, x0=[(3, 4)], random_state=0)
    assert result.x_iters[0] == [(3, 4)]
    assert result.fun == 1


def test_the_rule_follows_the_sentence_of_scikit_optimize():
    with pytest.raises(ValueError, match=r"less than the upper bound 2\. Each entry must be"):
        gp_minimize(bowl, [(2, 2)])


def test_a_loss_of_a_start_may_be_an_array_without_dimensions():
    result = gp_minimize(bowl, SPACE, n_calls=3, x0=[0.0, 1], y0=np.array(2.0), random_state=0)
    assert result.func_vals[0] == 2.0


def test_the_calls_may_all_be_starts():
    starts = [[0.0, 1], [0.5, 1], [0.5, 2]]
    assert gp_minimize(bowl, SPACE, n_calls=3, x0=starts).x_iters == starts


def test_kappa_may_be_infinite_as_in_scikit_optimize():
    kappas = ["inf", math.inf]
    settings = {"n_calls": 6, "n_initial_points": 3, "acq_func": "LCB", "random_state": 0}
    first, second = (gp_minimize(bowl, SPACE, kappa=kappa, **settings) for kappa in kappas)
    assert first.x_iters == second.x_iters


def test_a_start_may_be_an_array_and_is_called_as_it_is_recorded():
    called = []
    for x0 in (np.array([[0.0, 1.0], [0.5, 2.0]]), [np.array([0.0, 1.0]), (0.5, 2.0)]):
        result = gp_minimize(lambda x: called.append(x) or bowl(x), SPACE, n_calls=6, x0=x0)
        assert called[-6:] == result.x_iters
        assert called[-6:-4] == [[0.0, 1], [0.5, 2]]
        assert {type(x[1]) for x in called} == {int}


@pytest.mark.parametrize(("n_calls", "models"), [(3, 2), (10, 6), (15, 9), (16, 9)])
def test_half_of_a_small_budget_is_left_to_the_model(n_calls, models):
    # one after the last of the first points, and one after each further call
    assert len(gp_minimize(bowl, SPACE, n_calls=n_calls, random_state=0).models) == models


@pytest.mark.parametrize(
    "call",
    [
        lambda **given: gp_minimize(bowl, SPACE, n_calls=6, **given),
        lambda **given: Optimizer(SPACE, **given).run(bowl, n_iter=6),
        lambda **given: Optimizer(SPACE, "ET", **given).run(bowl, n_iter=6),
    ],
)
def test_the_old_name_of_n_initial_points_still_serves(call):
    with pytest.warns(DeprecationWarning, match="n_initial_points") as told:
        result = call(n_random_starts=4)
    assert len(result.models) == 3
    assert told[0].filename == __file__  # Python does not show one of another file


@pytest.mark.parametrize("returned", [np.ones(3), pd.Series([1.0, 2.0])])
def test_a_callback_that_returns_neither_true_nor_false_is_named(returned):
    def several(result):
        return returned

    message = r"^gp_minimize\(callback=several\): returned .*any\(\)"
    with pytest.raises(InvalidSearchError, match=message):
        gp_minimize(bowl, SPACE, n_calls=5, callback=[several])


@pytest.mark.parametrize(
    ("returned", "ends"),
    [(one, True) for one in (True, np.True_, 1, [0], np.array([1.0]))]
    + [(one, False) for one in (0, "", None, np.False_)],
)
def test_what_a_callback_returns_is_true_as_scikit_optimize_has_it(returned, ends):
    calls = []

    def after_three(result):
        return returned if len(result.x_iters) > 2 else None

    given = [after_three, calls.append]
    settings = {"n_calls": 5, "n_initial_points": 3, "callback": given, "random_state": 0}
    found = gp_minimize(bowl, SPACE, **settings, verbose=True)
    assert given == [after_three, calls.append]  # the list stays as it was given
    assert len(found.x_iters) == len(calls) == (3 if ends else 5)
    stock = skopt.gp_minimize(bowl, SPACE, **settings, n_points=50)
    assert len(stock.x_iters) == len(found.x_iters)


@pytest.mark.parametrize("callback", [3, "stop", [print, 3], (print,), lambda: None])
def test_a_callback_that_is_none_is_refused(callback):
    message = r"^gp_minimize\(callback=.*: must be a (callable or a list|function of the result)"
    with pytest.raises(InvalidSearchError, match=message):
        gp_minimize(bowl, SPACE, n_calls=5, callback=callback)


def test_a_callback_ends_the_search():
    seen = []
    result = gp_minimize(
        bowl, SPACE, n_calls=30, callback=[seen.append, DeltaYStopper(1.0, 3)], random_state=0
    )
    assert len(result.x_iters) == len(seen) < 30


def test_verbose_prints_each_call(capsys):
    gp_minimize(bowl, SPACE, n_calls=3, n_initial_points=2, verbose=True)
    assert capsys.readouterr().out.count("ended") == 3


def test_a_function_that_fails_leaves_a_gap():
    result = gp_minimize(
        lambda p: float("nan") if p[0] < 0 else bowl(p), SPACE, n_calls=15, random_state=0
    )
    assert np.isinf(result.func_vals).any()
    assert result.x[0] >= 0


def test_a_function_that_always_fails_ends_without_a_best_point():
    result = gp_minimize(lambda p: float("inf"), SPACE, n_calls=12, random_state=0)
    assert result.x is None
    assert np.isnan(result.fun)
    assert len(result.x_iters) == 12


def test_an_exhausted_space_is_searched_on_with_a_warning():
    with pytest.warns(UserWarning, match="all points"):
        result = gp_minimize(lambda p: (p[0] - 3) ** 2, [(1, 4)], n_calls=9, random_state=0)
    assert sorted(n for (n,) in result.x_iters[:4]) == [1, 2, 3, 4]
    assert result.x_iters[4:] == [[3]] * 5


def test_known_noise_is_taken_as_it_is():
    quiet, loud = (
        gp_minimize(bowl, SPACE, n_calls=20, noise=noise, random_state=0) for noise in (1e-10, 4.0)
    )
    points = quiet.space.transform(quiet.x_iters)
    misfit = np.abs(quiet.models[-1].predict(points) - quiet.func_vals).max()
    assert misfit < 0.02
    points = loud.space.transform(loud.x_iters)
    assert np.abs(loud.models[-1].predict(points) - loud.func_vals).max() > 10 * misfit


def test_points_and_restarts_reach_the_maximiser():
    few = gp_minimize(bowl, SPACE, n_calls=12, acq_optimizer="sampling", n_points=3, random_state=0)
    many = gp_minimize(bowl, SPACE, n_calls=12, acq_optimizer="sampling", random_state=0)
    assert few.x_iters[:6] == many.x_iters[:6]
    assert few.x_iters != many.x_iters
