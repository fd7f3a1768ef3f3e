"""The Gaussian process against scikit-learn's, against finite differences, and at its limits."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

from gpsearch.surrogate import FeasibilityModel, GaussianProcess, Linear, Priors, YeoJohnson
from gpsearch.surrogate.kernels import matern52, pair_sq_dist, scaled_sq_dist
from gpsearch.surrogate.likelihood import NegativeLogPosterior
from gpsearch.surrogate.warping import Warp

SHAPES = [Linear(), YeoJohnson()]


def mixed_data(seed: int, n: int = 25, d: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of d - 1 numbers and a category, and skewed losses far from 0 and 1."""
    rng = np.random.default_rng(seed)
    Z = rng.random((n, d))
    Z[:, -1] = rng.integers(3, size=n) / 2
    y = 300.0 + 20.0 * np.exp(3.0 * Z[:, 0] + (Z[:, -1] == 0.5)) + rng.normal(size=n)
    return Z, y, np.arange(d) == d - 1


def central_difference(function, x: np.ndarray, step: float) -> np.ndarray:
    shifts = step * np.eye(len(x))
    return np.array([(function(x + s) - function(x - s)) / (2 * step) for s in shifts])


def test_matern_slope_is_its_difference():
    s = np.linspace(0.0, 9.0, 40)
    step = 1e-5  # third derivatives are below 10 here: error 1e-9 and rounding 1e-11
    numeric = (matern52(s + step)[0] - matern52(np.maximum(s - step, 0.0))[0]) / (
        s + step - np.maximum(s - step, 0.0)
    )
    np.testing.assert_allclose(matern52(s)[1][1:], numeric[1:], rtol=1e-6)
    assert numeric[0] == pytest.approx(matern52(s)[1][0], rel=1e-2)  # one-sided, and sqrt there


def test_pairs_and_products_give_the_same_distances():
    Z, _, categorical = mixed_data(0)
    weights = np.array([0.3, 2.0, 7.0, 1.5])
    rows = np.tril_indices(len(Z), -1)
    by_pairs = weights @ pair_sq_dist(Z, rows, categorical)
    np.testing.assert_allclose(
        scaled_sq_dist(Z, Z, weights, categorical)[rows], by_pairs, rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("folds", [0.0, 1.0], ids=["known", "folds"])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
@pytest.mark.parametrize("seed", range(3))
def test_likelihood_gradient_is_its_difference(shape, seed, folds):
    Z, y, categorical = mixed_data(seed)
    rng = np.random.default_rng(100 + seed)
    warp = Warp.of(y, shape)
    objective = NegativeLogPosterior(
        Z,
        y,
        variances=0.1 * warp.scale**2 * rng.random(len(y)),
        fold_variances=folds * warp.scale**2 * rng.random(len(y)),
        categorical=categorical,
        warp=warp,
        priors=Priors(),
    )
    assert len(objective.start) == Z.shape[1] + 3 + (folds > 0)
    x = objective.start + 0.5 * rng.standard_normal(len(objective.start))
    # values of about 100 leave 1e-14 * 100 / 1e-5 = 1e-7 of rounding
    numeric = central_difference(lambda at: objective(at)[0], x, 1e-5)
    np.testing.assert_allclose(objective(x)[1], numeric, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("most", [1.0, 2.0], ids=["some", "as much as of losses"])
def test_likelihood_is_the_normal_density_of_the_losses(most):
    Z, y, categorical = mixed_data(3)
    warp, priors = Warp.of(y, YeoJohnson()), Priors()
    unit = warp.scale**2
    variances = np.linspace(0.0, 0.2 * unit, len(y))
    of_folds = np.linspace(most * unit, 0.0, len(y))
    objective = NegativeLogPosterior(
        Z,
        y,
        variances=variances,
        fold_variances=of_folds,
        categorical=categorical,
        warp=warp,
        priors=priors,
    )
    x = objective.start + 0.3
    log_signal, log_noise, rho, log_share = x[-4:]
    warped = warp.evaluate(warp.standardise(y), rho)
    slope = central_difference_of_warp(warp, y, y, rho)
    # what of the losses is usual noise is expected to vanish
    usual = np.minimum(variances + of_folds, np.median(variances + of_folds))
    kept = np.maximum(0.0, 1.0 - usual * (1.5**2 * 2.0 / np.pi) / unit)
    assert (kept.min() == 0.0) == (most > 1.0)
    assert kept.max() > 0.5
    there = central_difference_of_warp(warp, y, warp.centre + kept * (y - warp.centre), rho)
    s = scaled_sq_dist(Z, Z, np.exp(x[:-4]), categorical)
    K = np.exp(log_signal) * matern52(s)[0] + priors.mean_variance
    K += np.diag(np.exp(log_noise) + (variances + np.exp(log_share) * of_folds) * there**2)
    expected = multivariate_normal(np.zeros(len(y)), K).logpdf(warped.t) + np.log(slope).sum()
    expected += priors.log_density(x[:-2])[0] + priors.log_share_density(log_share)[0]
    expected += warp.shape.log_density(rho)[0]
    assert -objective(x)[0] == pytest.approx(expected, rel=1e-6)


def central_difference_of_warp(
    warp: Warp, y: np.ndarray, places: np.ndarray, rho: float
) -> np.ndarray:
    """dt/dy at `places` of the transform of losses y, its mean and standard deviation held."""
    at = warp.evaluate(warp.standardise(y), rho)

    def t(values: np.ndarray) -> np.ndarray:
        return (warp.shape.transform(warp.standardise(values), rho).g - at.mean) / at.sd

    step = 1e-5 * warp.scale
    return (t(places + step) - t(places - step)) / (2 * step)


def test_posterior_is_that_of_scikit_learn():
    rng = np.random.default_rng(4)
    Z, query = rng.random((30, 3)), rng.random((20, 3))
    y = 50.0 + 9.0 * np.sin(4.0 * Z[:, 0]) + Z[:, 1]
    ours = GaussianProcess.fit(Z, y, categorical=np.zeros(3, dtype=bool))
    at = ours.hyperparameters
    kernel = ConstantKernel(at.signal, "fixed") * Matern(
        1.0 / np.sqrt(at.weights), "fixed", nu=2.5
    ) + ConstantKernel(ours.mean_variance, "fixed")
    theirs = GaussianProcessRegressor(kernel, alpha=at.noise, optimizer=None).fit(Z, ours.t)
    mean, sd = theirs.predict(query, return_std=True)
    ours_mean, ours_variance = ours.predict(query)
    np.testing.assert_allclose(ours_mean, mean, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(ours_variance, sd**2, rtol=1e-6, atol=1e-8)


def test_prediction_gradient_is_its_difference():
    Z, y, categorical = mixed_data(5)
    process = GaussianProcess.fit(Z, y, categorical=categorical, shape=YeoJohnson())
    query = mixed_data(6, n=8)[0]
    mean, variance, mean_gradient, variance_gradient = process.predict_gradient(query)
    np.testing.assert_allclose(mean, process.predict(query)[0], rtol=1e-9)
    np.testing.assert_allclose(variance, process.predict(query)[1], rtol=1e-6)
    step = 1e-5
    for j in range(3):
        shift = step * np.eye(4)[j]
        above, below = process.predict(query + shift), process.predict(query - shift)
        for k, gradient in enumerate((mean_gradient, variance_gradient)):
            numeric = (above[k] - below[k]) / (2 * step)
            np.testing.assert_allclose(gradient[:, j], numeric, rtol=1e-4, atol=1e-6)
    assert not mean_gradient[:, 3].any()
    assert not variance_gradient[:, 3].any()


@pytest.mark.parametrize("rho", [-1.5, 0.0, 1e-9, 0.4, 1.0, 2.0, 2.7])
def test_yeo_johnson_is_inverted_and_its_derivatives_are_differences(rho):
    shape, u, step = YeoJohnson(), np.linspace(-4.0, 6.0, 41), 1e-5
    transformed = shape.transform(u, rho)
    np.testing.assert_allclose(shape.inverse(transformed.g, rho), u, rtol=1e-7, atol=1e-9)
    by_rho = (shape.transform(u, rho + step).g - shape.transform(u, rho - step).g) / (2 * step)
    np.testing.assert_allclose(transformed.g_rho, by_rho, rtol=1e-4, atol=1e-6)
    by_u = (shape.transform(u + step, rho).g - shape.transform(u - step, rho).g) / (2 * step)
    np.testing.assert_allclose(transformed.log_slope, np.log(by_u), rtol=1e-4, atol=1e-4)


def test_a_fit_finds_which_dimension_matters():
    rng = np.random.default_rng(7)
    Z = rng.random((60, 5))
    y = np.sin(6.0 * Z[:, 3]) + 0.01 * rng.standard_normal(60)
    process = GaussianProcess.fit(Z, y, categorical=np.zeros(5, dtype=bool))
    assert np.argmax(process.hyperparameters.weights) == 3
    assert process.hyperparameters.noise < 0.02


def test_known_variances_enter_the_posterior():
    rng = np.random.default_rng(8)
    Z = np.linspace(0.0, 1.0, 21)[:, None]
    y = 2.0 * Z[:, 0]
    y[10] += 5.0  # one measurement is far off, and is known to be poor
    variances = np.where(np.arange(21) == 10, 25.0, 1e-4)
    told = GaussianProcess.fit(Z, y, categorical=np.array([False]), variances=variances)
    untold = GaussianProcess.fit(Z, y, categorical=np.array([False]))
    at = Z[[10]] + 0.001 * rng.random()
    assert abs(told.loss_quantile(at, 0.5)[0] - 1.0) < 0.1
    assert abs(untold.loss_quantile(at, 0.5)[0] - 1.0) > 0.2


def test_quantiles_are_in_the_units_of_the_losses():
    Z, y, categorical = mixed_data(9, n=60)
    process = GaussianProcess.fit(Z, y, categorical=categorical, shape=YeoJohnson())
    low, middle, high = (process.loss_quantile(Z, p) for p in (0.025, 0.5, 0.975))
    assert (low < middle).all()
    assert (middle < high).all()
    np.testing.assert_allclose(middle, y, rtol=0.05)


@pytest.mark.parametrize(
    ("Z", "y"),
    [
        pytest.param(np.full((1, 2), 0.3), np.array([4.0]), id="one point"),
        pytest.param(np.random.default_rng(0).random((12, 2)), np.full(12, -7.0), id="constant"),
        pytest.param(np.full((20, 2), 0.5), np.arange(20.0), id="one place, twenty losses"),
        pytest.param(np.repeat([[0.1, 0.2], [0.3, 0.9]], 40, 0), np.tile([1.0, 2.0], 40), id="dup"),
        pytest.param(
            np.random.default_rng(1).random((25, 2)), np.logspace(-12, 12, 25), id="24 decades"
        ),
        pytest.param(
            np.random.default_rng(2).random((25, 2)),
            -np.logspace(-12, 12, 25),
            id="24 decades below zero",
        ),
        pytest.param(
            np.random.default_rng(3).random((30, 2)), 1e12 + np.arange(30.0), id="far from zero"
        ),
        pytest.param(np.linspace(0, 1e-7, 30)[:, None] * [[1, 1]], np.arange(30.0), id="crowded"),
    ],
)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
def test_extreme_data_are_fitted_without_a_warning(Z, y, shape):
    process = GaussianProcess.fit(Z, y, categorical=np.zeros(2, dtype=bool), shape=shape)
    mean, variance = process.predict(np.random.default_rng(4).random((50, 2)))
    assert np.isfinite(mean).all()
    assert np.isfinite(variance).all()
    assert (variance > 0).all()
    assert np.isfinite(process.loss_quantile(Z, 0.5)).all()


def test_two_thousand_points_are_fitted():
    rng = np.random.default_rng(5)
    Z = rng.random((2000, 3)).round(1)  # many repeat
    y = np.exp(5.0 * Z[:, 0]) + 0.01 * rng.standard_normal(2000)
    process = GaussianProcess.fit(Z, y, categorical=np.zeros(3, dtype=bool), shape=YeoJohnson())
    middle = process.loss_quantile(np.array([[0.5, 0.5, 0.5]]), 0.5)[0]
    assert middle == pytest.approx(np.exp(2.5), rel=0.02)


def test_fantasies_move_no_mean_and_lower_variances():
    Z, y, categorical = mixed_data(10)
    process = GaussianProcess.fit(Z, y, categorical=categorical)
    pending, query = mixed_data(11, n=3)[0], mixed_data(12, n=30)[0]
    fantasized = process.fantasize(pending)
    before, after = process.predict(query), fantasized.predict(query)
    np.testing.assert_allclose(after[0], before[0], atol=1e-6)
    assert (after[1] <= before[1] + 1e-9).all()
    assert (fantasized.predict(pending)[1] < 0.5 * process.predict(pending)[1]).all()


def test_feasibility_gradient_is_its_difference():
    Z, _, categorical = mixed_data(13, n=40)
    model = FeasibilityModel.fit(Z, Z[:, 0] + 0.5 * Z[:, -1] > 0.8, categorical=categorical)
    query, step = mixed_data(14, n=8)[0], 1e-5
    value, gradient = model.log_probability_gradient(query)
    np.testing.assert_allclose(value, model.log_probability(query), rtol=1e-8)
    for j in range(3):
        shift = step * np.eye(4)[j]
        numeric = (model.log_probability(query + shift) - model.log_probability(query - shift)) / (
            2 * step
        )
        np.testing.assert_allclose(gradient[:, j], numeric, rtol=1e-4, atol=1e-6)


def test_feasibility_learns_a_category_that_fails():
    rng = np.random.default_rng(15)
    Z = rng.random((30, 2))
    Z[:, 1] = rng.integers(3, size=30) / 2
    model = FeasibilityModel.fit(Z, Z[:, 1] == 0.5, categorical=np.array([False, True]))
    at = np.array([[0.5, 0.0], [0.5, 0.5], [0.5, 1.0]])
    good, bad, other = np.exp(model.log_probability(at))
    assert bad < 0.1
    assert min(good, other) > 0.9
