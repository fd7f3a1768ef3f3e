import numpy as np
import pytest

import gpsearch as gs
from gpsearch.analysis import estimate_importance, estimate_random
from gpsearch.analysis.posterior import (
    averaged_covariance,
    fitted_process,
    noisy_scores,
    prior_covariance,
    sample_losses,
    unwarp,
)
from gpsearch.strategy import History
from gpsearch.strategy.history import fit_process

SPACE = {"x": gs.Real(1e-3, 1.0, prior="log-uniform"), "n": gs.Integer(1, 9), "a": ["u", "v", "w"]}


def score(params):
    return -100.0 * (np.log10(params["x"]) + 1.2) ** 2 - params["n"] - 5.0 * (params["a"] == "v")


@pytest.fixture(scope="module")
def study():
    return gs.search(score, SPACE, n_calls=16, random_state=2, progress=False)


def test_samples_have_the_moments_that_the_process_predicts(study):
    process = fitted_process(study, "test")
    rng = np.random.default_rng(0)
    Z = study.space.to_z(study.space.sample(40, rng))
    samples = sample_losses(process, Z, 20_000, rng)
    mean, variance = process.predict(Z)
    np.testing.assert_allclose(samples.mean(axis=0), mean, atol=5 * np.sqrt(variance.max() / 2e4))
    np.testing.assert_allclose(samples.var(axis=0), variance, rtol=0.06, atol=1e-6)


def test_a_sample_is_a_function(study):
    """Equal places have equal values in every sample, and near ones nearly equal values."""
    process = fitted_process(study, "test")
    z = study.space.to_z(study.space.sample(1, np.random.default_rng(5)))
    Z = np.vstack([z, z, z + np.array([1e-4, 0.0, 0.0])])
    samples = sample_losses(process, Z, 100, np.random.default_rng(1))
    np.testing.assert_allclose(samples[:, 0], samples[:, 1], atol=1e-5)
    np.testing.assert_allclose(samples[:, 0], samples[:, 2], atol=1e-2)
    assert samples[:, 0].std() > 1e-3


def test_unwarp_inverts_the_warp_at_the_observations(study):
    process = fitted_process(study, "test")
    losses = [-trial.score for trial in study.trials]
    np.testing.assert_allclose(unwarp(process, process.t), losses, rtol=1e-6)


def test_a_step_beyond_the_worst_observation_is_worth_no_more_than_one_within(study):
    process = fitted_process(study, "test")
    assert process.hyperparameters.rho < 0.9  # a transform that is steep at the worst
    losses = [-trial.score for trial in study.trials]
    beyond = process.t.max() + np.array([0.0, 0.1, 1.0]) * np.ptp(process.t)
    expected = max(losses) + np.array([0.0, 0.1, 1.0]) * np.ptp(losses)
    np.testing.assert_allclose(unwarp(process, beyond), expected, rtol=1e-6)


def test_scores_of_samples_are_never_worse_than_any_observed(study):
    process = fitted_process(study, "test")
    rng = np.random.default_rng(0)
    Z = study.space.to_z(study.space.sample(100, rng))
    worst = min(trial.score for trial in study.trials)
    assert noisy_scores(process, Z, 50, rng).min() >= worst - 1e-6 * abs(worst)


def test_averaged_covariance_is_the_average_of_the_covariances(study):
    process = fitted_process(study, "test")
    rng = np.random.default_rng(3)
    rows = study.space.to_z(study.space.sample(5 * 7, rng)).reshape(5, 7, -1)
    weights = rng.dirichlet(np.ones(7), size=5)
    each = prior_covariance(process, rows.reshape(35, -1), process.Z).reshape(5, 7, -1)
    np.testing.assert_allclose(
        averaged_covariance(process, rows, weights),
        np.einsum("cb,cbn->cn", weights, each),
        rtol=1e-9,
    )


def test_a_process_that_is_fitted_already_serves_every_estimate(study):
    process = fitted_process(study, "test")
    random, again = estimate_random(study), estimate_random(study, process=process)
    np.testing.assert_array_equal(random.expected, again.expected)
    mattered = estimate_importance(study, n_samples=5, n_points=64)
    again = estimate_importance(study, n_samples=5, n_points=64, process=process)
    np.testing.assert_array_equal(mattered.total_samples, again.total_samples)


def test_noise_alone_promises_no_scores_that_were_never_near():
    """Uniform noise drives the transform to its bound, behind which a draw has no finite loss."""
    space = gs.Space({"x": (0.0, 1.0), "a": ["u", "v", "w"]})
    rng = np.random.default_rng(0)
    study = gs.Study.create(None, space=space, seed=0)
    with study.writing() as writer:
        for point in space.sample(300, rng):
            scores = rng.random(5)
            folds = [gs.FoldResult(fold=j, score=float(s)) for j, s in enumerate(scores)]
            writer.add_trial(space.params(point), folds)
    process = fitted_process(study, "test")
    drawn = noisy_scores(process, space.to_z(space.sample(100, rng)), 200, rng)
    seen = np.array([trial.score for trial in study.trials])
    assert drawn.max() < seen.max() + np.ptp(seen)
    assert drawn.std() == pytest.approx(seen.std(), rel=0.3)


def test_folds_that_did_not_run_are_no_noise_of_an_evaluation():
    """Two of three trials ran one fold of many: what they lack is in their noise, not in draws."""
    space, rng = gs.Space(SPACE), np.random.default_rng(6)
    points = space.sample(30, rng)
    losses = [-score(space.params(point)) for point in points]
    spread, of_folds = np.std(losses), np.full(30, 1e-4 * np.var(losses))
    lacking = np.where(np.arange(30) % 3 > 0, 100.0 * np.var(losses), 0.0)
    process = fit_process(space, History.of(points, losses, lacking, fold_variances=of_folds))
    assert np.median(process.noise) > 100 * process.noise.min()
    drawn = noisy_scores(process, space.to_z(space.sample(50, rng)), 100, rng)
    assert drawn.std(axis=0).max() < 3.0 * spread
    np.testing.assert_allclose(process.fold_noise, process.hyperparameters.noise_share * of_folds)
