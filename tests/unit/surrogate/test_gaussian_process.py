import numpy as np

from gpsearch.surrogate import FeasibilityModel, GaussianProcess
from gpsearch.surrogate.gaussian_process import representatives

NUMERIC = np.array([False, False])


def test_representatives_do_not_depend_on_the_order_of_telling():
    rng = np.random.default_rng(0)
    y, turned = rng.random(1000), rng.permutation(1000)
    chosen = np.sort(y[representatives(y, 300)])
    np.testing.assert_array_equal(np.sort(y[turned][representatives(y[turned], 300)]), chosen)
    np.testing.assert_array_equal(chosen[:150], np.sort(y)[:150])
    assert chosen[-1] == y.max()
    assert len(chosen) == 300


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


def test_the_callers_losses_stay_as_they_are():
    Z, y = np.random.default_rng(2).random((6, 2)), np.array([1e200, 2.0, 3.0, 1.0, 5.0, 4.0])
    before = y.copy()
    GaussianProcess.fit(Z, y, categorical=NUMERIC)
    np.testing.assert_array_equal(y, before)


def test_where_everything_failed_nothing_is_likely_to_succeed():
    Z = np.random.default_rng(3).random((10, 2))
    model = FeasibilityModel.fit(Z, np.ones(10, dtype=bool), categorical=NUMERIC)
    assert np.isfinite(model.log_probability(Z)).all()
