from dataclasses import replace
from unittest import mock

import numpy as np
import pytest

from gpsearch.errors import InvalidParamsError, StudyError
from gpsearch.evaluation import UNBOUNDED
from gpsearch.plotting.axes import dimension_axis, grid
from gpsearch.plotting.dependence import (
    fit_score_model,
    partial_dependence_map_series,
    partial_dependence_series,
)
from gpsearch.space import Space
from gpsearch.surrogate.kernels import matern52, scaled_sq_dist


@pytest.fixture(scope="module")
def model(mixed_study):
    return fit_score_model(mixed_study)


def dense_average(process, rows, weights):
    """Mean and variance of the weighted average of t over rows, by the textbook's full matrices."""
    at = process.hyperparameters

    def k(a, b):
        distance = scaled_sq_dist(a, b, at.weights, process.categorical)
        return at.signal * matern52(distance)[0] + process.mean_variance

    inverse = np.linalg.inv(k(process.Z, process.Z) + np.diag(process.noise))
    cross = k(rows, process.Z)
    covariance = k(rows, rows) - cross @ inverse @ cross.T
    return weights @ (cross @ inverse @ process.t), weights @ covariance @ weights


class TestAverages:
    @pytest.mark.parametrize("name", ["learning_rate", "n_hidden", "act_func"])
    def test_mean_and_variance_are_those_of_the_joint_posterior(self, model, name):
        axis = dimension_axis(model.space, name)
        places, _ = grid(model.space, axis, size=4)
        background = model.background(16)
        mean, variance = model.averages(places[:, None], [axis.index], background)
        for i, place in enumerate(places):
            rows = background.copy()
            rows[:, axis.index] = place
            expected = dense_average(model.process, rows, np.full(16, 1 / 16))
            np.testing.assert_allclose((mean[i], variance[i]), expected, rtol=1e-6, atol=1e-9)

    def test_the_averaged_function_is_surer_than_a_single_point(self, model):
        axis = dimension_axis(model.space, "learning_rate")
        background = model.background(64)
        _, averaged = model.averages(np.array([[0.1]]), [axis.index], background)
        rows = background.copy()
        rows[:, axis.index] = 0.1
        _, pointwise = model.process.predict(rows)
        assert averaged[0] < pointwise.mean()

    def test_conditions_leave_only_rows_where_the_dimension_exists(self, make_study):
        space = Space(
            {"opt": ["sgd", "adam"], "momentum": (0.0, 0.9), "x": (0.0, 1.0)},
            conditions={"momentum": {"opt": ["sgd"]}},
        )
        study = make_study(space, lambda p: p.get("momentum", 0.2) + 0.1 * p["x"], n=30, noise=1e-3)
        model = fit_score_model(study)
        background = model.background(32)
        mean, variance = model.averages(np.array([[0.0], [0.7]]), [1], background)
        sgd = background[:, 0] == 0.0
        assert 0 < sgd.sum() < 32
        for i, place in enumerate((0.0, 0.7)):
            rows = background[sgd].copy()
            rows[:, 1] = place
            weights = np.full(sgd.sum(), 1 / sgd.sum())
            expected = dense_average(model.process, rows, weights)
            np.testing.assert_allclose((mean[i], variance[i]), expected, rtol=1e-6, atol=1e-7)

    def test_a_cell_without_feasible_points_is_nan(self, make_study):
        space = Space({"x": (0.0, 1.0), "y": (0.0, 1.0)}, constraint=lambda p: p["x"] < 0.5)
        model = fit_score_model(make_study(space, lambda p: p["x"] + p["y"], n=20))
        series = partial_dependence_series(model, "x")
        np.testing.assert_array_equal(np.isnan(series.mean), series.grid >= 0.5)
        assert np.isfinite(partial_dependence_series(model, "y").mean).all()


class TestCurve:
    def test_shows_the_truth(self, model):
        rate = partial_dependence_series(model, "learning_rate")
        assert 0.002 < rate.grid[np.argmax(rate.mean)] < 0.05
        assert np.ptp(rate.mean) > 0.06
        act = partial_dependence_series(model, "act_func")
        assert act.axis.labels[int(np.argmax(act.mean))] == "relu"
        assert act.axis.labels[int(np.argmin(act.mean))] == "tanh"
        layers = partial_dependence_series(model, "n_hidden")
        assert layers.influence < 0.2 * rate.influence

    def test_at_best_sets_the_others_as_in_the_best_trial(self, model, mixed_study):
        best = mixed_study.best_trial
        assert model.scores[model.best] == best.score
        series = partial_dependence_series(model, "learning_rate")
        rows = model.space.to_z(
            [model.space.point({**best.params, "learning_rate": at}) for at in series.grid[::20]]
        )
        expected = [dense_average(model.process, row[None], np.ones(1))[0] for row in rows]
        np.testing.assert_allclose(series.at_best[::20], model.score_of(np.array(expected)))
        assert (series.at_best > series.mean).all()

    def test_at_best_is_absent_where_the_best_trial_lacks_the_dimension(self, make_study):
        space = Space(
            {"opt": ["sgd", "adam"], "momentum": (0.0, 0.9)},
            conditions={"momentum": {"opt": ["sgd"]}},
        )
        study = make_study(space, lambda p: p.get("momentum", 2.0), n=20)
        assert study.best_params == {"opt": "adam"}
        assert np.isnan(partial_dependence_series(study, "momentum").at_best).all()

    def test_band_holds_the_mean_and_widens_without_observations(self, make_study):
        space = {"x": (0.0, 1.0), "y": (0.0, 1.0)}
        left = Space(space, constraint=lambda p: p["x"] < 0.5)
        study = make_study(left, lambda p: np.sin(6 * p["x"]) + p["y"], n=30)
        free = replace(fit_score_model(study), space=Space(space))
        series = partial_dependence_series(free, "x")
        assert (series.lower <= series.mean).all()
        assert (series.mean <= series.upper).all()
        width = series.upper - series.lower
        assert width[series.grid > 0.8].min() > 2 * width[series.grid < 0.45].max()

    def test_no_band_leads_beyond_the_metric(self, model):
        losses = replace(model, greater_is_better=not model.greater_is_better)
        for free in (model, losses):
            wide = partial_dependence_series(free, "learning_rate")
            scores = wide.upper if free.greater_is_better else -wide.lower
            most = float(np.median(scores))
            series = partial_dependence_series(
                replace(free, bounds=(-np.inf, most)), "learning_rate"
            )
            limit = np.minimum if free.greater_is_better else np.maximum
            end = most if free.greater_is_better else -most
            for name in ("lower", "mean", "upper"):
                np.testing.assert_allclose(
                    getattr(series, name), limit(getattr(wide, name), end), rtol=1e-12
                )

    def test_a_study_that_records_the_bounds_of_its_metric_has_a_model_within(self, mixed_study):
        scores = [trial.score for trial in mixed_study.complete]
        info = replace(mixed_study.info, settings={"score_bounds": [None, max(scores) + 1]})
        assert fit_score_model(mixed_study).bounds == UNBOUNDED
        with mock.patch.object(mixed_study, "info", info):
            assert fit_score_model(mixed_study).bounds == (-np.inf, max(scores) + 1)

    def test_scores_come_back_through_the_warp(self, model):
        np.testing.assert_allclose(model.score_of(model.process.t), model.scores, rtol=1e-6)

    def test_beyond_the_observations_the_way_back_goes_straight_on(self, model):
        for end, step in ((model.process.t.min(), -1e-3), (model.process.t.max(), 1e-3)):
            inner, at, out, far = model.score_of(end + step * np.array([-1.0, 0.0, 1.0, 100.0]))
            if step < 0:  # beyond the worst it may be less steep
                np.testing.assert_allclose(out - at, at - inner, rtol=0.02)
            np.testing.assert_allclose(far - at, 100 * (out - at), rtol=1e-6)

    def test_losses_keep_their_sign(self, make_study):
        study = make_study(
            {"x": (0.0, 1.0)}, lambda p: -2.0 * p["x"], greater_is_better=False, noise=0.01
        )
        series = partial_dependence_series(study, "x")
        assert series.mean[-1] > series.mean[0] > -0.1
        assert (series.lower <= series.upper).all()
        assert series.scores.min() > -0.1

    def test_equal_scores_give_a_flat_line_and_say_so(self, make_study):
        series = partial_dependence_series(
            make_study(score=lambda p: 0.5, noise=0.0, n=12), "drop_rate"
        )
        assert series.all_equal
        np.testing.assert_allclose(series.mean, 0.5)

    def test_same_study_same_numbers(self, mixed_study):
        a, b = (partial_dependence_series(mixed_study, "drop_rate") for _ in range(2))
        np.testing.assert_array_equal(a.mean, b.mean)


class TestMap:
    def test_agrees_with_the_curve_averaged_over_the_other_dimension(self, make_study):
        """With two dimensions the map is the surrogate itself."""
        study = make_study(
            {"x": (0.0, 1.0), "opt": ["a", "b", "c"]},
            lambda p: p["x"] * {"a": 1, "b": -1, "c": 0}[p["opt"]],
            n=30,
        )
        model = fit_score_model(study)
        series = partial_dependence_map_series(model, ("x", "opt"), size=5)
        assert series.mean.shape == (3, 5)
        z = np.array([[x, o / 2] for o in range(3) for x in series.x_grid])
        expected = model.score_of(model.process.predict(z)[0]).reshape(3, 5)
        np.testing.assert_allclose(series.mean, expected, rtol=1e-6)

    def test_x_runs_along_columns(self, model):
        series = partial_dependence_map_series(model, ("learning_rate", "act_func"))
        spread_x, spread_y = np.ptp(series.mean, axis=1).mean(), np.ptp(series.mean, axis=0).mean()
        assert spread_x > spread_y
        assert (series.lower <= series.upper).all()


class TestRefusals:
    def test_unknown_dimension_before_any_fit(self, make_study):
        with pytest.raises(InvalidParamsError, match="'lr' is not a dimension of the space"):
            partial_dependence_series(make_study(n=1), "lr")

    def test_too_few_trials(self, make_study):
        with pytest.raises(StudyError, match=r"at least 2 complete trials.* has 1, and 2 failed"):
            partial_dependence_series(make_study(n=3, failed={0, 1}), "drop_rate")
