"""Every defect of scikit-optimize 0.10.2 that we know of, shown right on gpsearch.

The numbers are those of the list that the project keeps.
"""

import json
import math
import pickle
import threading
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sklearn
from scipy import stats
from scipy.optimize import OptimizeResult
from sklearn.base import is_regressor
from sklearn.linear_model import LogisticRegression
from sklearn.utils.fixes import parse_version
from skopt.utils import cook_estimator

import gpsearch as gs
from gpsearch.errors import SpaceExhaustedError
from gpsearch.execution import BelowNoise, StopReason
from gpsearch.optimizer import Optimizer, gp_minimize
from gpsearch.plotting import plot_convergence
from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.strategy import STRATEGIES, History, make_strategy
from gpsearch.surrogate import GaussianProcess


class Layer:
    """A category of a user's own class."""


def run(optimizer, n, loss):
    for _ in range(n):
        point = optimizer.ask()
        result = optimizer.tell(point, loss(point))
    return result


@pytest.mark.parametrize("failure", [math.nan, math.inf, -math.inf])
def test_1_a_loss_that_is_no_finite_number_is_data(failure):
    optimizer = Optimizer([(-1.0, 1.0)], random_state=0)
    result = run(optimizer, 20, lambda p: failure if p[0] > 0.2 else (p[0] + 0.5) ** 2)
    assert sum(x > 0.2 for (x,) in result.x_iters) >= 1
    assert sum(x > 0.2 for (x,) in result.x_iters[12:]) <= 1
    assert abs(result.x[0] + 0.5) < 0.05


@pytest.mark.parametrize("generator", [None, "random", "sobol", "lhs", "halton", "hammersly"])
def test_2_points_hold_plain_values(generator):
    layer = Layer()
    dimensions = [
        Real(1e-3, 1.0, "log-uniform"),
        Integer(1, 9),
        Categorical(["a", "b"]),
        Categorical([True, False]),
        Categorical([np.int64(3), np.int64(5)]),
    ]
    optimizer = Optimizer(dimensions, initial_point_generator=generator, random_state=0)
    result = run(optimizer, 12, lambda p: p[0] + p[1])
    for point in [*result.x_iters, result.x, *optimizer.ask(2)]:
        assert [type(value) for value in point] == [float, int, str, bool, int]
        assert json.loads(json.dumps(point)) == point
    objects = Optimizer([Categorical([layer, None]), (0.0, 1.0)], random_state=0)
    chosen = run(objects, 12, lambda p: p[1]).x_iters
    assert all(category is layer or category is None for category, _ in chosen)


@pytest.mark.parametrize("generator", [None, "random", "sobol", "lhs", "grid"])
def test_3_categories_may_be_tuples_or_of_mixed_kinds(generator):
    dimensions = [Categorical([(8,), (16, 8), None]), Categorical([0.5, "auto", True])]
    optimizer = Optimizer(
        [*dimensions, (0.0, 1.0)], initial_point_generator=generator, random_state=0
    )
    result = run(optimizer, 14, lambda p: len(p[0] or ()) + (p[1] != "auto") + p[2])
    assert result.x[0] is None
    assert result.x[1] == "auto"
    tuples = Optimizer([Categorical([(8,), (16, 8)]), Categorical([(0, 1), (2, 3)])])
    tuples.tell([(16, 8), (2, 3)], 1.0)  # a point, although each of its values is a sequence
    tuples.tell([[(8,), (0, 1)], [(8,), (2, 3)]], [2.0, 3.0])
    assert tuples.Xi == [[(16, 8), (2, 3)], [(8,), (0, 1)], [(8,), (2, 3)]]


def test_4_every_value_of_an_integer_is_equally_likely():
    space = Space({"n": Integer(1, 4)})
    drawn = Counter(point[0] for point in space.sample(4000, np.random.default_rng(0)))
    assert stats.chisquare([drawn[n] for n in range(1, 5)]).pvalue > 0.001
    first = Optimizer([(1, 4), (0.0, 1.0)], initial_point_generator="random", random_state=0)
    drawn = Counter(first._first_points.next_new([])[0] for _ in range(2000))
    assert stats.chisquare([drawn[n] for n in range(1, 5)]).pvalue > 0.001


def test_5_a_log_uniform_integer_is_searched_in_its_middle_too():
    result = gp_minimize(
        lambda p: (math.log10(p[0]) - 1.5) ** 2,
        [Integer(1, 1000, "log-uniform")],
        n_calls=15,
        random_state=0,
    )
    assert 25 <= result.x[0] <= 40
    assert result.x_iters.count([1000]) <= 2


TAKEN = pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.8"), reason="scikit-learn takes it"
)


@pytest.mark.parametrize("name", ["GBRT", pytest.param("dummy", marks=TAKEN)])
def test_6_estimators_that_scikit_learn_refuses_end_in_a_sentence_and_none_is_needed(name):
    with pytest.raises(ValueError, match="Leave base_estimator out"):
        Optimizer([(0.0, 1.0)], name)
    assert is_regressor(cook_estimator("GP", [(0.0, 1.0)]))  # what "skopt" runs on


def test_7_a_log_dimension_is_what_it_is_in_any_base():
    space = Space({"n": Real(1.0, 1024.0, prior="log-uniform", base=2)})
    assert space.to_z([[1.0], [32.0], [1024.0]]).ravel().tolist() == [0.0, 0.5, 1.0]
    result = gp_minimize(
        lambda p: (math.log2(p[0]) - 5) ** 2,
        [Real(1.0, 1024.0, prior="log-uniform", base=2)],
        n_calls=15,
        random_state=0,
    )
    assert 25 < result.x[0] < 40


def test_8_convergence_is_drawn_of_unequal_lengths_and_down_to_a_target_of_zero():
    ax = None
    for n_calls in (3, 5):
        study = gs.search(
            lambda params: params["x"] ** 2,
            {"x": (1.0, 2.0)},
            n_calls=n_calls,
            greater_is_better=False,
            random_state=0,
            progress=False,
        )
        ax = plot_convergence(study, ax, target=0.0, log=False)
    lines = [np.asarray(line.get_ydata(), dtype=float) for line in ax.lines]
    assert sum(len(line) >= 2 and (line == 0.0).all() for line in lines) >= 1
    assert ax.get_ylim()[0] <= 0.0


@pytest.mark.parametrize("generator", ["random", "sobol", "lhs", "halton", "hammersly", "grid"])
def test_9_first_points_satisfy_the_constraint(generator):
    optimizer = Optimizer(
        [(1, 30), (1, 30)],
        space_constraint=lambda point: point[0] * point[1] <= 60,
        initial_point_generator=generator,
        random_state=0,
    )
    result = run(optimizer, 12, lambda p: -p[0] * p[1])
    assert all(a * b <= 60 for a, b in result.x_iters)


def test_10_a_finite_space_is_searched_whole_and_ends_clearly():
    optimizer = Optimizer([(0, 1)] * 5, random_state=0)
    result = run(optimizer, 32, sum)
    assert len({tuple(point) for point in result.x_iters}) == 32
    with pytest.raises(SpaceExhaustedError, match="32"):
        optimizer.ask()


def test_10_points_of_a_tiny_range_are_not_repeats():
    result = gp_minimize(
        lambda p: (p[0] * 1e8 - 0.3) ** 2, [Real(1e-12, 1e-8)], n_calls=15, random_state=0
    )
    assert len({x for (x,) in result.x_iters}) == 15
    assert abs(result.x[0] * 1e8 - 0.3) < 0.02


@pytest.mark.parametrize("acq_func", ["logEI", "EI", "PI", "LCB", "gp_hedge"])
def test_11_and_12_proposals_do_not_depend_on_the_units_of_the_loss(acq_func):
    def loss(point):
        return (point[0] - 0.4) ** 2 + 0.3 * math.sin(8 * point[1])

    def points(scale, shift):
        optimizer = Optimizer([(0.0, 1.0)] * 2, acq_func=acq_func, random_state=0)
        return run(optimizer, 11, lambda p: scale * loss(p) + shift).x_iters

    plain = points(1.0, 0.0)
    for scale, shift in [(1e-6, 0.0), (1e6, -1e7)]:
        np.testing.assert_allclose(points(scale, shift), plain, atol=0.02)


def test_12_the_luckiest_measurement_is_not_the_incumbent():
    space = Space({"x": (0.0, 1.0)})
    rng = np.random.default_rng(0)
    points = [[x] for x in np.linspace(0, 1, 40)]
    losses = [(x - 0.7) ** 2 + 0.05 * rng.standard_normal() for (x,) in points]
    losses[4] = -0.2  # one lucky measurement, far from the minimum
    strategy = make_strategy("gp", space, seed=0, n_calls=50)
    proposed = [strategy.propose(History.of(points, losses), number)[0] for number in range(40, 44)]
    assert abs(np.median(proposed) - 0.7) < 0.2


def test_13_predicting_builds_nothing_of_rows_by_observations_twice():
    """The time is in benchmarks/overhead.py; what costs it is that array."""
    rng = np.random.default_rng(0)
    Z, rows = rng.random((200, 6)), rng.random((10_000, 6))
    process = GaussianProcess.fit(Z, Z.sum(axis=1), categorical=np.zeros(6, dtype=bool))
    tracemalloc.start()
    mean, variance = process.predict(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * 8 * rows.shape[0] * Z.shape[0]  # a few matrices of rows by observations
    assert mean.shape == variance.shape == (10_000,)


def test_14_fits_are_not_kept():
    optimizer = Optimizer([(0.0, 1.0)] * 3, n_initial_points=5, random_state=0)
    result = run(optimizer, 60, sum)
    assert len(result.models) == 56
    result.models[-1].predict(np.full((1, 3), 0.5))
    assert len(pickle.dumps(result.models)) < 200_000  # 56 fits would be over a megabyte
    run(optimizer, 1, sum)
    assert len(pickle.dumps(optimizer.models)) < 200_000


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_15_a_resumed_search_is_the_same_search(name):
    space = Space({"x": Real(0.0, 1.0), "c": Categorical(["a", "b", "c"])})
    options = {"skopt": {"n_points": 100, "n_restarts_optimizer": 1}}.get(name, {})

    def go_on(points, losses):
        strategy = make_strategy(name, space, seed=3, n_calls=10, n_initial_points=4, **options)
        while len(points) < 10:
            point = strategy.propose(History.of(points, losses), len(points))
            points.append(point)
            losses.append((point[0] - 0.3) ** 2 + (point[1] == "a"))
        return points, losses

    points, losses = go_on([], [])
    assert go_on(points[:6], losses[:6])[0] == points


def test_16_every_ask_gives_another_point_and_knows_what_is_pending():
    optimizer = Optimizer([(0.0, 1.0), (1, 9)], random_state=0)
    run(optimizer, 12, lambda p: (p[0] - 0.5) ** 2 + p[1])
    asked = [optimizer.ask() for _ in range(4)]
    assert len({tuple(point) for point in asked}) == 4
    for point in asked[::-1]:  # answers come in any order
        optimizer.tell(point, (point[0] - 0.5) ** 2 + point[1])
    assert tuple(optimizer.ask()) not in {tuple(point) for point in asked}


def test_17_the_callers_dimensions_stay_as_they_were():
    dimensions = [Real(0.0, 1.0), Integer(1, 9, transform="identity"), Categorical(["a", "b", "c"])]
    before = [(d.transform_, d.name, repr(d)) for d in dimensions]
    gp_minimize(lambda p: p[0] + p[1], dimensions, n_calls=10, random_state=0)
    Optimizer(dimensions).ask()
    Space(dimensions)
    assert [(d.transform_, d.name, repr(d)) for d in dimensions] == before
    optimizer = Optimizer(dimensions)
    twin = optimizer.copy()
    assert twin.space.dimensions[0] is not optimizer.space.dimensions[0]


def test_18_spaces_that_differ_are_told_apart():
    def print_of(*dimensions):
        return Space(list(dimensions)).fingerprint()

    prints = [
        print_of(Integer(1, 100, name="n")),
        print_of(Integer(1, 100, prior="log-uniform", name="n")),
        print_of(Integer(1, 100, name="n"), Real(0.0, 1.0, name="x")),
        print_of(Real(1e-10, 1.0, name="x")),
        print_of(Real(1e-9, 1.0, name="x")),
    ]
    assert len(set(prints)) == 5
    assert Space([Integer(1, 100)]) != Space([Integer(1, 100, prior="log-uniform")])


def test_19_what_is_left_to_gain_is_asked_of_the_model_not_of_the_losses():
    """Losses that spread widely, and a model that is sure; then the other way round."""

    def study_of(loss):
        return gs.search(
            lambda params: [loss(params["x"]) + 0.01, loss(params["x"]) - 0.01],
            {"x": (-1.0, 1.0)},
            n_calls=14,
            greater_is_better=False,
            random_state=0,
            progress=False,
        )

    wide = study_of(lambda x: 10.0 * (x - 0.3) ** 2)
    narrow = study_of(lambda x: math.sin(2000.0 * x))
    assert np.ptp([trial.loss for trial in wide.trials]) > 2.0
    rule = BelowNoise(min_trials=10)
    assert rule(wide) is StopReason.NOISE
    assert rule(narrow) is None


def test_20_a_value_that_is_fixed_is_no_dimension():
    space = Space({"layers": [3], "x": (0.0, 1.0)})
    assert len(space) == 1
    assert space.params([0.5]) == {"x": 0.5, "layers": 3}


def test_21_a_copy_keeps_every_setting():
    optimizer = Optimizer(
        [(0.0, 1.0)],
        acq_func="LCB",
        avoid_duplicates=False,
        model_queue_size=3,
        acq_func_kwargs={"kappa": 3.0},
        noise=0.1,
    )
    twin = optimizer.copy()
    for name in ("avoid_duplicates", "max_model_queue_size", "acq_func", "acq_func_kwargs"):
        assert getattr(twin, name) == getattr(optimizer, name)
    assert twin._noise == 0.1


@pytest.mark.parametrize("strategy", ["believer", "cl_min", "cl_mean", "cl_max"])
def test_21_a_lie_under_improvement_per_second_keeps_loss_and_time_apart(strategy):
    optimizer = Optimizer([(0.0, 1.0), (0.0, 1.0)], acq_func="EIps", random_state=0)
    run(optimizer, 12, lambda p: (sum(p) - 100.0, 10.0))
    history = optimizer._observations.history([[0.5, 0.5]], strategy)
    assert history.losses.max() < -90
    np.testing.assert_allclose(history.costs, 10.0)
    batch = optimizer.ask(3, strategy)
    assert isinstance(optimizer.tell(batch, [(1.0, 2.0)] * 3), OptimizeResult)


def test_22_n_jobs_evaluates_beside_each_other():
    both = threading.Barrier(2, timeout=60)  # both must reach it

    def objective(params):
        both.wait()
        return params["x"]

    with ThreadPoolExecutor(2) as executor:
        study = gs.search(
            objective, {"x": (0.0, 1.0)}, n_calls=4, executor=executor, n_jobs=2, progress=False
        )
    assert [trial.state for trial in study.trials] == ["complete"] * 4


def test_23_the_search_estimator_takes_a_callable_refit():
    X, y = np.linspace(0, 1, 30)[:, None], np.tile([0, 1], 15)
    search = gs.GPSearchCV(
        LogisticRegression(), {"C": (0.01, 1.0)}, n_iter=3, cv=2, refit=lambda results: 1
    )
    search.fit(X, y)
    assert search.best_index_ == 1
    assert search.best_params_ == search.cv_results_["params"][1]
