"""Models as scikit-optimize's plots call them."""

import pickle

import matplotlib.pyplot as plt
import numpy as np
import pytest
import skopt.plots
from skopt import expected_minimum

from gpsearch.optimizer import Optimizer, gp_minimize
from gpsearch.optimizer.models import transformed_to_z
from gpsearch.optimizer.skopt_arguments import read_space
from gpsearch.space import Categorical, Integer, Real, Space

DIMENSIONS = [
    Real(1e-4, 1.0, prior="log-uniform", name="lr"),
    Integer(1, 30, name="units"),
    Categorical(["relu", "tanh"], name="act"),
    Categorical([16, 32, 64], name="batch"),
    Categorical(["only"], name="one"),
]


def loss_of(point):
    lr, units, act, batch, _ = point
    return 3.0 + (np.log10(lr) + 2) ** 2 + abs(units - 20) / 30 + (act == "tanh") + batch / 64


@pytest.fixture(scope="module")
def result():
    return gp_minimize(loss_of, DIMENSIONS, n_calls=25, random_state=0)


def test_rows_transformed_by_the_space_of_the_result_come_back_as_z(result):
    points = result.space.sample(50, np.random.default_rng(0))
    Z = transformed_to_z(np.asarray(result.space.transform(points), dtype=float), result.space)
    np.testing.assert_allclose(Z, result.space.to_z(points), atol=1e-12)


@pytest.mark.parametrize(
    "categories",
    [
        ["tanh", "relu"],
        [32, 128, 64],
        [0.1, 10, 0.01],
        [np.int64(5), np.int64(3), np.int64(4)],
        [True, False],
        [1, True, "1"],
        ["sqrt", 0.5, 2],
        [(1, 2), (0, 1), (3, 3)],
        [(1,), (1, 2), ()],
        [None, 7],
        [len],
    ],
    ids=str,
)
def test_categories_of_any_kind_are_transformed_and_return_themselves(categories):
    space = read_space([Categorical(categories), (0.0, 1.0)])
    points = [[category, 0.25] for category in categories]
    rows = np.asarray(space.transform(points), dtype=float)
    np.testing.assert_array_equal(transformed_to_z(rows, space), space.to_z(points))
    assert all(
        back is category
        for (back, _), category in zip(space.inverse_transform(rows), categories, strict=True)
    )


@pytest.mark.filterwarnings("ignore")  # of matplotlib, in scikit-optimize's plot
@pytest.mark.parametrize("categories", [["sqrt", 0.5, 2], [(1, 2), (0, 1), (3, 3)]])
def test_scikit_optimize_plots_the_objective_of_categories_of_any_kind(categories):
    result = gp_minimize(
        lambda point: categories.index(point[0]) + point[1] ** 2,
        [Categorical(categories), (-1.0, 1.0)],
        n_calls=9,
        random_state=0,
    )
    skopt.plots.plot_objective(result, n_samples=5, n_points=5)
    plt.close("all")


def test_predictions_are_in_the_units_of_the_losses(result):
    rng = np.random.default_rng(1)
    points = result.space.sample(200, rng)
    truth = np.array([loss_of(point) for point in points])
    median, std = result.models[-1].predict(result.space.transform(points), return_std=True)
    assert np.corrcoef(median, truth)[0, 1] > 0.8
    assert abs(np.mean(median - truth)) < 0.5
    assert (std > 0).all()
    assert np.mean(np.abs(median - truth) < 3 * std) > 0.8


def test_many_rows_are_predicted_in_parts(result, monkeypatch):
    rows = result.space.transform(result.space.sample(50, np.random.default_rng(2)))
    whole = result.models[-1].predict(rows)
    monkeypatch.setattr("gpsearch.optimizer.models.ROWS_AT_ONCE", 7)
    np.testing.assert_allclose(result.models[-1].predict(rows), whole)


def test_an_earlier_model_knows_only_its_own_observations(result):
    assert [len(model.process.t) for model in result.models] == list(range(8, 26))


def test_only_the_last_model_holds_a_fit():
    optimizer = Optimizer([(-1.0, 1.0)], n_initial_points=3, random_state=0)
    for _ in range(8):
        point = optimizer.ask()
        result = optimizer.tell(point, point[0] ** 2)
        for model in result.models[-1:]:
            model.predict([[0.5]])
    assert [model._process is not None for model in result.models] == [False] * 5 + [True]


def test_a_model_tells_the_deviation_of_its_losses_as_scikit_optimizes_does(result):
    assert result.models[0].y_train_std_ == pytest.approx(result.func_vals[:8].std())
    failed = gp_minimize(lambda p: np.nan if p[0] > 0 else 1.0, [(-1.0, 1.0)], n_calls=10)
    assert failed.models[-1].y_train_std_ == 0.0


def test_dimensions_that_do_not_exist_do_not_change_a_prediction():
    space = Space(
        {"opt": ["sgd", "adam"], "momentum": (0.0, 0.9)}, conditions={"momentum": {"opt": "sgd"}}
    )
    optimizer = Optimizer(space, n_initial_points=6, random_state=0)
    optimizer.run(lambda p: p[1] if p[0] == "sgd" else 0.2, n_iter=8)
    model = optimizer.models[-1]
    adam = model.predict([[1.0, 0.0], [1.0, 1.0]])
    sgd = model.predict([[0.0, 0.0], [0.0, 1.0]])
    assert adam[0] == adam[1]
    assert sgd[0] < sgd[1]


def test_a_result_pickles_with_its_models(result):
    thawed = pickle.loads(pickle.dumps(result))
    rows = result.space.transform(result.x_iters)
    np.testing.assert_allclose(thawed.models[-1].predict(rows), result.models[-1].predict(rows))


def test_scikit_optimizes_plots_take_the_result(result):
    skopt.plots.plot_convergence(result)
    skopt.plots.plot_evaluations(result)
    skopt.plots.plot_objective(result, n_points=5, n_samples=10)
    xi, yi = skopt.plots.partial_dependence_1D(
        result.space, result.models[-1], 1, result.space.transform(result.x_iters), n_points=9
    )
    assert abs(xi[np.argmin(yi)] - 20) < 8


def test_scikit_optimizes_plots_skip_constant_dimensions_and_take_one_name_twice():
    dimensions = [
        Real(-1.0, 1.0, name="x"),
        Categorical(["one"], name="constant"),
        Integer(1, 5, name="x"),
        [7],
    ]
    result = gp_minimize(lambda p: p[0] ** 2 + p[2], dimensions, n_calls=8, random_state=0)
    assert result.x[1::2] == ["one", 7]
    for plot in (
        skopt.plots.plot_evaluations(result),
        skopt.plots.plot_objective(result, n_points=4, n_samples=5),
    ):
        drawn = [axes for axes in plot.figure.axes if axes.axison and axes is not plot]
        assert len(drawn) == 3  # of two dimensions: each alone, and the pair


def test_scikit_optimizes_plots_take_a_result_with_failures():
    result = gp_minimize(
        lambda p: float("nan") if p[0] > 0.5 else (p[0] + 0.3) ** 2,
        [(-1.0, 1.0)],
        n_calls=12,
        random_state=0,
    )
    axes = skopt.plots.plot_convergence(result)
    assert np.isfinite(axes.lines[0].get_ydata()[-1])


@pytest.mark.parametrize("acq_func", [None, "logEI", "EI", "LCB", "PI", "gp_hedge"])
def test_scikit_optimizes_plot_of_one_dimension_knows_every_acquisition(acq_func):
    result = gp_minimize(
        lambda p: (p[0] + 0.3) ** 2, [(-1.0, 1.0)], n_calls=10, acq_func=acq_func, random_state=0
    )
    axes = skopt.plots.plot_gaussian_process(result, show_acq_func=True)
    assert axes is not None


def test_the_expected_minimum_of_the_model_is_near_that_of_the_function():
    result = gp_minimize(lambda p: (p[0] - 0.3) ** 2, [(-1.0, 1.0)], n_calls=15, random_state=0)
    (x,), loss = expected_minimum(result, random_state=0)
    assert abs(x - 0.3) < 0.05
    assert abs(loss) < 0.01


@pytest.mark.filterwarnings("ignore")  # of matplotlib, in scikit-optimize's plot
@pytest.mark.parametrize("acq_func", ["EIps", "PIps"])
def test_scikit_optimize_plots_a_search_that_weighs_seconds(acq_func):
    def timed(point):
        return point[0] ** 2, 3.0 if point[0] > 0 else 1.0

    space = [(-1.0, 1.0)]
    result = gp_minimize(timed, space, n_calls=14, acq_func=acq_func, random_state=0)
    skopt.plots.plot_gaussian_process(result, show_acq_func=True)
    plt.close("all")
    log_seconds = result.models[-1].estimators_[1].predict(np.array([[0.1], [0.9]]))
    np.testing.assert_allclose(np.exp(log_seconds), [1.0, 3.0], rtol=0.15)
    assert not hasattr(gp_minimize(lambda x: x[0], space, n_calls=5).models[-1], "estimators_")
