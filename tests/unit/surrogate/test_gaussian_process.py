import numpy as np
import pytest

from gpsearch.errors import InvalidSearchError
from gpsearch.surrogate import FeasibilityModel, GaussianProcess, YeoJohnson, gaussian_process
from gpsearch.surrogate.subsets import representatives

NUMERIC = np.array([False, False])


def test_representatives_do_not_depend_on_the_order_of_telling():
    rng = np.random.default_rng(0)
    y, turned = rng.random(1000), rng.permutation(1000)
    chosen = np.sort(y[representatives(y, 300)])
    np.testing.assert_array_equal(np.sort(y[turned][representatives(y[turned], 300)]), chosen)
    np.testing.assert_array_equal(chosen[:150], np.sort(y)[:150])
    assert chosen[-1] == y.max()
    assert len(chosen) == 300


def test_the_best_and_some_of_all_others_stand_for_many_observations(monkeypatch):
    """The cost is that of the limit, and what is known near the optimum stays."""
    rng = np.random.default_rng(2)
    Z = rng.random((200, 2))
    y = ((Z - 0.3) ** 2).sum(axis=1) + 0.02 * rng.standard_normal(200)
    y[0], Z[0] = -1.0, [0.9, 0.9]  # lucky, among others that say so
    Z[1:30] = Z[0] + 0.02 * rng.standard_normal((29, 2))
    y[1:30] = 0.72 + 0.02 * rng.standard_normal(29)
    turned = rng.permutation(200)
    whole = GaussianProcess.fit(Z, y, categorical=NUMERIC)
    for limit, at_most in ((200, 200), (80, 80)):
        monkeypatch.setattr(gaussian_process, "CONDITIONED_ON", limit)
        part = GaussianProcess.fit(Z, y, categorical=NUMERIC)
        assert len(part.t) == at_most
        near = np.array([[0.3, 0.3], [0.35, 0.2], [0.9, 0.9]])
        if limit == 200:
            np.testing.assert_array_equal(part.predict(near), whole.predict(near))
        np.testing.assert_allclose(part.predict(near)[0], whole.predict(near)[0], atol=0.3)
    again = GaussianProcess.fit(Z[turned], y[turned], categorical=NUMERIC)
    np.testing.assert_array_equal(np.sort(again.t.round(6)), np.sort(part.t.round(6)))


def test_a_category_is_another_place_not_a_distance():
    Z = np.array([[0.0], [0.5], [1.0]] * 6)
    y = np.tile([1.0, 5.0, 1.0], 6) + np.linspace(0, 0.01, 18)
    process = GaussianProcess.fit(Z, y, categorical=np.array([True]))
    mean, _ = process.predict(np.array([[0.0], [0.5], [1.0]]))
    assert mean[1] > mean[0] + 1
    assert abs(mean[0] - mean[2]) < 0.05


def test_a_prediction_changes_nothing():
    rng = np.random.default_rng(1)
    Z = rng.random((9, 2))
    process = GaussianProcess.fit(Z, Z[:, 0], categorical=NUMERIC)
    first = process.predict(Z)
    process.predict_gradient(Z[:3])
    process.fantasize(Z[:2] + 0.01)
    np.testing.assert_array_equal(process.predict(Z), first)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("Z", np.ones(4)),
        ("Z", np.ones((0, 2))),
        ("Z", [[0.1, np.nan]] * 4),
        ("y", np.ones(3)),
        ("y", [0.1, 0.2, np.inf, 0.3]),
        ("categorical", [True]),
        ("categorical", [0, 1]),
        ("variances", [-1.0, 0.0, 0.0, 0.0]),
        ("variances", 0.1),
        ("fold_variances", [-1.0, 0.0, 0.0, 0.0]),
        ("fold_variances", [np.nan, 0.0, 0.0, 0.0]),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(argument, value):
    Z = np.random.default_rng(4).random((4, 2))
    right = {"Z": Z, "y": np.arange(4), "categorical": NUMERIC}
    with pytest.raises(InvalidSearchError, match=r"GaussianProcess\.fit") as error:
        GaussianProcess.fit(**right | {argument: value})
    assert error.value.argument == argument


def test_a_point_of_another_dimension_is_refused_by_each_prediction():
    process = GaussianProcess.fit([[0.0, 1.0], [1.0, 0.0]], [1, 2], categorical=[False, False])
    for predict in (process.predict, process.predict_gradient, process.fantasize):
        with pytest.raises(InvalidSearchError, match=r"of shape \(n, 2\)"):
            predict([[0.5]])
    np.testing.assert_array_equal(process.predict([[0, 1]]), process.predict(process.Z[:1]))


def test_the_callers_losses_stay_as_they_are():
    Z, y = np.random.default_rng(2).random((6, 2)), np.array([1e200, 2.0, 3.0, 1.0, 5.0, 4.0])
    before = y.copy()
    GaussianProcess.fit(Z, y, categorical=NUMERIC)
    np.testing.assert_array_equal(y, before)


def test_where_everything_failed_nothing_is_likely_to_succeed():
    Z = np.random.default_rng(3).random((10, 2))
    model = FeasibilityModel.fit(Z, np.ones(10, dtype=bool), categorical=NUMERIC)
    assert np.isfinite(model.log_probability(Z)).all()


def test_noise_of_the_best_holds_what_is_known_of_the_best_points():
    x = np.linspace(0.0, 1.0, 30)
    variances = np.where(x < 0.5, 1e-3, 1e-1)
    process = GaussianProcess.fit(
        x[:, None], (x - 0.2) ** 2, categorical=np.array([False]), variances=variances
    )
    assert (np.abs(process.Z[process.best, 0] - 0.2) < 0.2).all()
    known = process.noise - process.hyperparameters.noise
    assert process.noise_of_best == pytest.approx(
        process.hyperparameters.noise + known[x < 0.5][0], rel=1e-6
    )


@pytest.mark.parametrize("share", [0.03, 1.0])
def test_the_share_of_the_variance_over_folds_that_is_noise_is_found(share):
    rng = np.random.default_rng(5)
    Z = rng.random((120, 1))
    loss, variances = np.sin(6.0 * Z[:, 0]), 0.04 * (1.0 + 3.0 * Z[:, 0])
    seen = loss + np.sqrt(share * variances) * rng.standard_normal(len(Z))
    process = GaussianProcess.fit(Z, seen, categorical=np.array([False]), fold_variances=variances)
    found = process.hyperparameters.noise_share
    assert found == pytest.approx(share, rel=0.6)
    known = process.noise - process.hyperparameters.noise
    np.testing.assert_allclose(known / variances, known[0] / variances[0], rtol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_noise_alone_is_not_told_by_a_transform_that_is_steep_where_it_led(seed):
    rng = np.random.default_rng(seed)
    Z, y = rng.random((60, 2)), rng.standard_normal(60)
    process = GaussianProcess.fit(
        Z, y, categorical=NUMERIC, fold_variances=np.ones(60), shape=YeoJohnson()
    )
    assert 0.0 < process.hyperparameters.rho < 2.0
    assert process.hyperparameters.noise_share > 0.6


@pytest.mark.parametrize("level", [30.0, 1e6])
def test_losses_of_folds_that_diverged_still_tell_that_they_are_bad(level):
    rng = np.random.default_rng(0)
    Z = rng.random((40, 1))
    diverged = Z[:, 0] > 0.7
    y = np.where(diverged, level * np.exp(rng.standard_normal(40)), (1.0 - Z[:, 0]) ** 2)
    spread = np.where(diverged, y, 0.02)  # one of the folds has made the mean
    process = GaussianProcess.fit(
        Z, y, categorical=np.array([False]), fold_variances=spread**2, shape=YeoJohnson()
    )
    assert np.median(process.noise[diverged]) < 1.5  # all warped losses vary by 1
