"""Ask and tell: a skopt.Optimizer over our search."""

import copy
import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import skopt
from skopt.learning import ExtraTreesRegressor

from gpsearch.errors import SpaceExhaustedError
from gpsearch.optimizer import Optimizer
from gpsearch.optimizer.proposals import ACQ_FUNCS
from gpsearch.space import Categorical, Integer, Real, Space

DIMENSIONS = [Real(-2.0, 3.0), Integer(5, 20), Categorical(["a", "b", "c"])]


def loss_of(point):
    x, n, category = point
    return (x - 1.5) ** 2 + 0.02 * (n - 9) ** 2 + {"a": 0.4, "b": 0.0, "c": 1.0}[category] - 7.0


def run(optimizer, n, loss=loss_of):
    for _ in range(n):
        point = optimizer.ask()
        result = optimizer.tell(point, loss(point))
    return result


def test_it_is_a_skopt_optimizer():
    assert issubclass(Optimizer, skopt.Optimizer)


def test_it_finds_the_minimum_of_a_mixed_bowl():
    result = run(Optimizer(DIMENSIONS, random_state=0), 25)
    x, n, category = result.x
    assert category == "b"
    assert abs(x - 1.5) < 0.3
    assert abs(n - 9) <= 2


def test_what_a_caller_does_to_a_result_does_not_reach_the_search():
    touched, left = (Optimizer(DIMENSIONS, n_initial_points=4, random_state=0) for _ in range(2))
    result = run(touched, 5)
    result.x[0], result.x_iters[0][1] = 99.0, "many"
    run(left, 5)
    assert (touched.Xi, touched.ask()) == (left.Xi, left.ask())


@pytest.mark.parametrize("acq_func", ACQ_FUNCS)
def test_every_acquisition_function_searches_better_than_its_first_points(acq_func):
    optimizer = Optimizer(DIMENSIONS, acq_func=acq_func, n_initial_points=6, random_state=1)
    timed = acq_func.endswith("ps")
    result = run(optimizer, 22, lambda p: (loss_of(p), 1.0 + p[1]) if timed else loss_of(p))
    assert result.fun < result.func_vals[:6].min()
    assert result.fun < -6.5


@pytest.mark.parametrize("acq_optimizer", ["auto", "lbfgs", "sampling"])
def test_every_way_to_maximise_the_acquisition_searches(acq_optimizer):
    result = run(Optimizer(DIMENSIONS, acq_optimizer=acq_optimizer, random_state=2), 20)
    assert result.fun < -6.5


def test_improvement_per_second_prefers_what_is_quick():
    def run_timed(acq_func):
        optimizer = Optimizer([(-1.0, 1.0), (-1.0, 1.0)], acq_func=acq_func, random_state=3)
        for _ in range(25):
            x, y = optimizer.ask()
            loss = (x**2 - 0.25) ** 2 + y**2  # minima at x = -0.5 and x = 0.5
            timed = (loss, 50.0 if x > 0 else 1.0)
            optimizer.tell([x, y], timed if acq_func == "EIps" else loss)
        return np.array(optimizer.Xi)[8:, 0]

    assert (run_timed("EIps") < 0).mean() > (run_timed("EI") < 0).mean() + 0.2


def test_the_hedge_gains_by_the_means_of_its_candidates():
    optimizer = Optimizer([(-2.0, 2.0)], acq_func="gp_hedge", n_initial_points=3, random_state=0)
    run(optimizer, 4, lambda p: p[0] ** 2)
    assert not optimizer._hedge.gains.any()
    run(optimizer, 3, lambda p: p[0] ** 2)
    assert optimizer._hedge.gains.all()


def test_the_same_seed_asks_the_same_and_another_seed_does_not():
    first, second, other = (run(Optimizer(DIMENSIONS, random_state=s), 12) for s in (5, 5, 6))
    assert first.x_iters == second.x_iters
    assert first.x_iters != other.x_iters


def test_telling_in_another_order_or_at_once_asks_the_same_up_to_rounding():
    space = [(-1.0, 1.0), (0.0, 4.0)]
    points = Space(space).sample(12, np.random.default_rng(0))
    losses = [x**2 + y for x, y in points]
    one_by_one, at_once, reversed_ = (Optimizer(space, random_state=0) for _ in range(3))
    for point, loss in zip(points, losses, strict=True):
        one_by_one.tell(point, loss)
    at_once.tell(points, losses)
    reversed_.tell(points[::-1], losses[::-1])
    asked = one_by_one.ask()
    assert at_once.ask() == asked
    np.testing.assert_allclose(reversed_.ask(), asked, atol=1e-2)


# ---------------------------------------------------------------- pending points and batches


def test_named_gp_repeats_its_answer_as_scikit_optimize_does():
    optimizer = Optimizer(DIMENSIONS, "GP", n_initial_points=3, random_state=0)
    assert optimizer.ask() != optimizer.ask()
    run(optimizer, 3)
    assert optimizer.ask() == optimizer.ask()
    batch = optimizer.ask(3)
    assert optimizer.ask(3) == batch
    before = optimizer.ask()
    optimizer.tell(before, loss_of(before))
    assert optimizer.ask() != before


def test_a_told_point_is_no_longer_pending():
    optimizer = Optimizer([(1, 3)], random_state=0)
    first, second, third = (optimizer.ask() for _ in range(3))
    with pytest.raises(SpaceExhaustedError):
        optimizer.ask()
    optimizer.tell(second, 1.0)
    assert optimizer._observations.pending == [first, third]


def test_update_next_forgets_what_is_pending():
    optimizer = Optimizer([(1, 2)], random_state=0)
    asked = [optimizer.ask(), optimizer.ask()]
    optimizer.update_next()
    assert optimizer.ask() in asked


@pytest.mark.parametrize("strategy", [None, "believer", "cl_min", "cl_mean", "cl_max"])
@pytest.mark.parametrize("acq_func", ["EI", "EIps", "gp_hedge"])
def test_the_points_of_a_batch_differ(strategy, acq_func):
    optimizer = Optimizer(DIMENSIONS, acq_func=acq_func, n_initial_points=4, random_state=0)
    told = []
    for _ in range(2):
        batch = optimizer.ask(4, strategy)
        losses = [(loss_of(p), 2.0) if acq_func == "EIps" else loss_of(p) for p in batch]
        optimizer.tell(batch, losses)
        told += batch
    assert len({tuple(point) for point in told}) == 8


def test_a_batch_is_spread_where_one_point_would_be_repeated():
    optimizer = Optimizer([(-1.0, 1.0), (-1.0, 1.0)], random_state=0)
    run(optimizer, 8, lambda p: p[0] ** 2 + p[1] ** 2)
    batch = np.array(optimizer.ask(4))
    apart = np.linalg.norm(batch[:, None] - batch, axis=2)[np.triu_indices(4, 1)]
    assert apart.min() > 0.02


# ---------------------------------------------------------------- spaces


def test_conditions_and_a_constraint_of_a_space_are_kept():
    space = Space(
        {"opt": ["sgd", "adam"], "momentum": (0.0, 0.9), "first": (1, 50), "second": (1, 50)},
        conditions={"momentum": {"opt": ["sgd"]}},
        constraint=lambda params: params["first"] >= params["second"],
    )
    optimizer = Optimizer(space, random_state=0)
    result = run(optimizer, 12, lambda p: p[2] - p[3] + (p[1] if p[0] == "sgd" else 0.5))
    assert all(first >= second for _, _, first, second in result.x_iters)
    assert {momentum for opt, momentum, *_ in result.x_iters if opt == "adam"} == {0.45}


@pytest.mark.parametrize("generator", [None, "random", "sobol", "halton", "hammersly", "lhs"])
def test_a_space_constraint_holds_for_the_first_points_and_the_rest(generator):
    optimizer = Optimizer(
        [(0.0, 1.0), (0.0, 1.0)],
        space_constraint=lambda point: point[0] + point[1] < 0.7,
        initial_point_generator=generator,
        n_initial_points=8,
        random_state=0,
    )
    result = run(optimizer, 10, lambda p: -p[0])
    assert all(x + y < 0.7 for x, y in result.x_iters)


def test_a_point_that_breaks_the_constraint_cannot_be_told():
    optimizer = Optimizer([(0.0, 1.0)], space_constraint=lambda point: point[0] < 0.5)
    with pytest.raises(ValueError, match="constraint"):
        optimizer.tell([0.7], 1.0)


def test_random_first_points_are_the_numbers_scikit_optimize_draws():
    dimensions = [Real(-1.0, 2.0), Categorical(["a", "b", "c"]), Real(1e-4, 1.0, "log-uniform")]
    stock = skopt.Optimizer(dimensions, "GP", random_state=4)
    ours = Optimizer(dimensions, initial_point_generator="random", random_state=4)
    for _ in range(6):
        ours_point, stock_point = ours.ask(), stock.ask()
        assert ours_point[1] == stock_point[1]
        np.testing.assert_allclose(ours_point[::2], stock_point[::2], rtol=1e-9)


def test_a_dict_makes_a_space_too():
    optimizer = Optimizer({"lr": Real(1e-4, 1.0, "log-uniform"), "act": ["relu", "tanh"]})
    assert optimizer.space.names == ["lr", "act"]
    assert optimizer.ask() in optimizer.space


# ---------------------------------------------------------------- telling


def test_numpy_values_and_arrays_can_be_told():
    optimizer = Optimizer([(0.0, 1.0), (1, 9)])
    optimizer.tell([np.float64(0.25), np.int64(3)], np.float64(2.0))
    optimizer.tell(np.array([[0.5, 4], [0.75, 5]]), np.array([1.0, 3.0]))
    assert optimizer.Xi == [[0.25, 3], [0.5, 4], [0.75, 5]]
    assert [type(n) for _, n in optimizer.Xi] == [int, int, int]


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        pytest.param([2.0, 3], 1.0, "not within the bounds", id="outside"),
        pytest.param([0.5], 1.0, "Dimensions of point", id="too short"),
        pytest.param([[0.5, 3], [0.5]], [1.0, 2.0], "same dimensions", id="one too short"),
        pytest.param([[0.5, 3], [0.5, 4]], [1.0], "2 points with 1", id="too few losses"),
        pytest.param([[0.5, 3], [0.5, 4]], 1.0, "single value", id="one loss for two"),
        pytest.param([0.5, 3], "good", "scalar", id="loss that is text"),
        pytest.param([0.5, 3], None, "scalar", id="no loss"),
        pytest.param([0.5, "three"], 1.0, "not within the bounds", id="text for a number"),
    ],
)
def test_what_cannot_be_told_is_refused_and_leaves_no_trace(x, y, message):
    optimizer = Optimizer([(0.0, 1.0), (1, 9)])
    with pytest.raises(ValueError, match=message):
        optimizer.tell(x, y)
    assert optimizer.Xi == []


@pytest.mark.parametrize("y", [1.0, (1.0, 2.0, 3.0)])
def test_improvement_per_second_wants_pairs(y):
    with pytest.raises(TypeError, match="func_val"):
        Optimizer([(0.0, 1.0)], acq_func="EIps").tell([0.5], y)


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf, "a", None])
def test_a_time_that_is_none_is_refused(seconds):
    with pytest.raises(ValueError, match="above zero"):
        Optimizer([(0.0, 1.0)], acq_func="PIps").tell([0.5], (1.0, seconds))


def test_an_array_without_dimensions_is_a_number_and_an_endless_int_a_failure():
    optimizer = Optimizer([(0.0, 1.0)])
    optimizer.tell([0.5], np.array(2.0))
    result = optimizer.tell([0.25], 10**400)
    assert result.func_vals.tolist() == [2.0, math.inf]


def test_threads_may_share_an_optimizer():
    optimizer = Optimizer([(0.0, 1.0), (0.0, 1.0)], random_state=0)

    def work(_):
        for _ in range(4):
            point = optimizer.ask()
            optimizer.tell(point, sum(point))

    with ThreadPoolExecutor(4) as executor:
        list(executor.map(work, range(4)))
    assert len({tuple(point) for point in optimizer.Xi}) == 16
    assert pickle.loads(pickle.dumps(optimizer)).ask() == optimizer.ask()


def test_exploration_alone_goes_where_least_is_known():
    optimizer = Optimizer(
        [(0.0, 1.0)], acq_func="LCB", acq_func_kwargs={"kappa": "inf"}, n_initial_points=3
    )
    optimizer.tell([[0.0], [0.1], [0.2], [0.3], [0.4]], [0.0, 1.0, 2.0, 3.0, 4.0])
    assert optimizer.ask() == [1.0]


def test_telling_without_a_fit_adds_no_model_but_asking_uses_what_was_told():
    optimizer = Optimizer([(-1.0, 1.0)], n_initial_points=3, random_state=0)
    points = [[x] for x in (-0.9, -0.3, 0.2, 0.7, 1.0)]
    result = optimizer.tell(points, [(x - 0.2) ** 2 for (x,) in points], fit=False)
    assert result.models == []
    assert abs(optimizer.ask()[0] - 0.2) < 0.2


def test_failures_are_kept_away_from():
    optimizer = Optimizer([(-1.0, 1.0), (-1.0, 1.0)], random_state=0)
    result = run(optimizer, 30, lambda p: float("nan") if p[0] > 0 else (p[0] + 0.4) ** 2)
    late = np.array(result.x_iters)[15:, 0]
    assert (late > 0).mean() < 0.2
    assert result.fun < 0.01


# ---------------------------------------------------------------- results, copies, settings


def test_a_copy_goes_on_like_the_original_and_alone():
    optimizer = Optimizer(DIMENSIONS, avoid_duplicates=False, model_queue_size=2, random_state=0)
    run(optimizer, 10)
    waiting = optimizer.ask()
    twin = optimizer.copy(random_state=1)
    assert twin.Xi == optimizer.Xi
    assert twin.yi == optimizer.yi
    assert twin._observations.pending == [waiting]
    assert (twin.avoid_duplicates, twin.max_model_queue_size) == (False, 2)
    run(twin, 3)
    assert len(optimizer.Xi) == 10


def test_a_copy_has_the_first_points_of_the_original():
    optimizer = Optimizer(DIMENSIONS, initial_point_generator="lhs", random_state=0)
    run(optimizer, 3)
    assert optimizer.copy(random_state=7).ask() == optimizer.ask()


def test_it_pickles_and_goes_on_the_same():
    optimizer = Optimizer(DIMENSIONS, random_state=0)
    run(optimizer, 10)
    thawed, copied = pickle.loads(pickle.dumps(optimizer)), copy.deepcopy(optimizer)
    asked = optimizer.ask()
    assert thawed.ask() == asked
    assert copied.ask() == asked


def test_model_queue_size_limits_the_models():
    result = run(Optimizer(DIMENSIONS, n_initial_points=2, model_queue_size=3), 9)
    assert [len(model.process.t) for model in result.models] == [7, 8, 9]


@pytest.mark.parametrize(
    "again",
    [
        lambda optimizer: optimizer.copy(random_state=1),
        lambda optimizer: pickle.loads(pickle.dumps(optimizer)),
        copy.deepcopy,
    ],
)
@pytest.mark.parametrize("acq_func", ["logEI", "gp_hedge"])
def test_a_copy_of_any_kind_asks_what_the_original_asks(again, acq_func):
    optimizer = Optimizer(DIMENSIONS, acq_func=acq_func, n_initial_points=3, random_state=1)
    run(optimizer, 8)
    twin = again(optimizer)
    assert run(twin, 4).x_iters == run(optimizer, 4).x_iters


@pytest.mark.parametrize("base_estimator", [None, "GP"])
def test_the_caller_may_change_the_points_that_it_was_given(base_estimator):
    optimizers = [Optimizer(DIMENSIONS, base_estimator, random_state=0) for _ in range(2)]
    batches = [optimizer.ask(3) for optimizer in optimizers]
    for point in batches[0]:
        point[0] = "changed"
    batches[0].clear()
    assert optimizers[0].ask(3) == optimizers[1].ask(3)

    def changing(point):
        loss = loss_of(point)
        point[0] = "changed"
        return loss

    assert run(optimizers[1], 3).x_iters == optimizers[0].run(changing, 3).x_iters


@pytest.mark.filterwarnings("ignore:The objective has been evaluated")
def test_points_that_all_failed_or_are_pending_are_asked_again_in_turn():
    optimizer = Optimizer([(0, 2)], random_state=0, avoid_duplicates=False)
    assert sorted(optimizer.ask(6)) == [[0], [0], [1], [1], [2], [2]]
    failing = Optimizer([(0, 2)], random_state=0, avoid_duplicates=False)
    assert sorted(run(failing, 6, lambda point: math.nan).x_iters) == sorted(optimizer.ask(6))


@pytest.mark.parametrize("judge", [lambda point: None, lambda point: 1 / 0])
def test_a_constraint_that_cannot_judge_is_named_as_it_was_given(judge):
    optimizer = Optimizer([(0.0, 1.0)], space_constraint=judge)
    with pytest.raises(ValueError, match=r"^Optimizer\(space_constraint=<lambda>\): cannot judge"):
        optimizer.ask()


def test_a_list_of_arrays_is_a_list_of_points():
    optimizer = Optimizer([(0.0, 1.0), ["a", "b"]])
    optimizer.tell([np.array([0.5, "a"], dtype=object), np.array([1.0, "b"], dtype=object)], [1, 2])
    assert optimizer.Xi == [[0.5, "a"], [1.0, "b"]]


def test_with_thousands_of_losses_the_most_promising_point_is_asked_again():
    optimizer = Optimizer([(0, 4)], random_state=0, n_initial_points=1, avoid_duplicates=False)
    points = [[i % 5] for i in range(1003)]
    optimizer.tell(points, [float((x - 3) ** 2) for (x,) in points])
    with pytest.warns(UserWarning, match="again"):
        assert optimizer.ask() == [3]


def test_run_asks_and_tells():
    result = Optimizer([(-1.0, 1.0)], random_state=0).run(lambda p: p[0] ** 2, n_iter=12)
    assert len(result.x_iters) == 12
    assert result.fun < 0.01


def test_a_result_before_anything_is_told_holds_nothing():
    result = Optimizer(DIMENSIONS).get_result()
    assert result.x is None
    assert result.x_iters == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"acq_func": "UCB"}, "acq_func", id="acq_func"),
        pytest.param({"acq_optimizer": "newton"}, "acq_optimizer", id="acq_optimizer"),
        pytest.param({"n_initial_points": -1}, "n_initial_points", id="n_initial_points"),
        pytest.param({"n_initial_points": 2.5}, "whole", id="a fraction of initial points"),
        pytest.param({"noise": "gauss"}, "noise='gauss'", id="noise that is text"),
        pytest.param({"noise": -1.0}, "noise=-1.0", id="noise below zero"),
        pytest.param({"noise": math.nan}, "noise=nan", id="noise that is NaN"),
        pytest.param({"noise": None}, "noise=None", id="no noise"),
        pytest.param({"dimensions": [(-1e308, 1e308)]}, "further apart", id="too wide"),
        pytest.param({"space_constraint": 3}, "callable", id="space_constraint"),
        pytest.param({"initial_point_generator": "grit"}, "sobol", id="generator"),
        pytest.param({"dimensions": [[]]}, r"dimensions=\[\[\]\].*\(low, high\)", id="no choices"),
        pytest.param({"dimensions": [(3, 1)]}, "less than the", id="bounds in the wrong order"),
        pytest.param({"dimensions": [(0, 10**400)]}, "dimensions=", id="beyond all floats"),
        pytest.param({"dimensions": 3}, "dimensions=3", id="no dimensions"),
        pytest.param(
            {"base_estimator": "RF", "optimum_prior": {"X_0": 0.5}},
            r"optimum_prior=.*leave base_estimator out",
            id="a prior for another estimator",
        ),
        pytest.param(
            {"acq_func": "MES", "optimum_prior": {"X_0": 0.5}}, "optimum_prior", id="for MES"
        ),
        pytest.param({"base_estimator": "XGB"}, "'GBRT' or 'DUMMY'", id="estimator"),
        pytest.param({"model_queue_size": 0}, "model_queue_size=0", id="a queue of no models"),
        pytest.param({"model_queue_size": -1}, "model_queue_size=-1", id="a queue below zero"),
        *(
            pytest.param(
                {argument: {name: value}}, rf"{argument}={{'{name}': ", id=f"{name}={value}"
            )
            for argument, name, value in [
                ("acq_func_kwargs", "xi", "a"),
                ("acq_func_kwargs", "xi", math.nan),
                ("acq_func_kwargs", "kappa", "much"),
                ("acq_func_kwargs", "kappa", math.nan),
                ("acq_func_kwargs", "eta", math.inf),
                ("acq_optimizer_kwargs", "n_points", 0),
                ("acq_optimizer_kwargs", "n_points", 2.5),
                ("acq_optimizer_kwargs", "n_restarts_optimizer", "a"),
            ]
        ),
    ],
)
def test_a_wrong_argument_has_its_own_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        Optimizer(**{"dimensions": [(0.0, 1.0)], **arguments})


def test_asking_for_no_points_is_refused():
    with pytest.raises(ValueError, match="n_points"):
        Optimizer([(0.0, 1.0)]).ask(0)
    with pytest.raises(ValueError, match="cl_man"):
        Optimizer([(0.0, 1.0)]).ask(2, "cl_man")


def test_another_estimator_runs_scikit_optimizes_own_loop():
    def points_of(cls):
        forest = ExtraTreesRegressor(n_estimators=5, random_state=2)
        optimizer = cls([(-2.0, 2.0)], forest, n_initial_points=3, acq_func="EI", random_state=1)
        return optimizer.run(lambda p: (p[0] - 1) ** 2, n_iter=6).x_iters

    assert points_of(Optimizer) == points_of(skopt.Optimizer)


def test_dimensions_of_one_name_are_told_apart_and_keep_their_names():
    dimensions = [
        Real(0.0, 1.0, name="lr"),
        Integer(1, 3, name="lr"),
        (0, 5),
        Real(0, 1, name="X_2"),
    ]
    optimizer = Optimizer(dimensions, n_initial_points=2, random_state=0)
    result = optimizer.run(lambda p: p[0] + p[1], 3)
    assert [dimension.name for dimension in result.space.dimensions] == ["lr", "lr", None, "X_2"]
    assert len(set(result.space.names)) == 4
    twin = optimizer.copy(random_state=1)
    assert twin.space == optimizer.space
    assert [dimension.name for dimension in twin.space.dimensions] == ["lr", "lr", None, "X_2"]
    limited = Optimizer(dimensions, space_constraint=lambda p: p[1] + p[2] <= 2, random_state=0)
    assert all(n + m <= 2 for _, n, m, _ in limited.ask(5))


def test_the_prior_by_name_can_be_left_out_and_a_copy_leaves_it_out_too():
    dimensions = [Integer(8, 512, prior="log-uniform", name="units"), Real(0.0, 1.0, name="x")]
    usual = Optimizer(dimensions, random_state=0)
    plain = Optimizer(dimensions, random_state=0, optimum_prior=None)
    for one, other in ((usual, plain), (usual.copy(random_state=0), plain.copy(random_state=0))):
        assert np.mean([p[0] for p in one.ask(8)]) > np.mean([p[0] for p in other.ask(8)])
