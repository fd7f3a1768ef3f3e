import numpy as np
import pytest

import gpsearch as gs
from gpsearch.analysis import estimate_importance
from gpsearch.analysis.posterior import PosteriorFunctions, fitted_process, sample_losses
from gpsearch.analysis.sensitivity import Importance
from gpsearch.errors import InvalidSearchError, StudyError
from gpsearch.surrogate import GaussianProcess, Linear


def searched(function, space, n_calls=40, **options):
    return gs.search(
        function,
        space,
        n_calls=n_calls,
        n_initial_points=n_calls,  # a Sobol sequence, and no model
        optimum_prior=None,
        random_state=0,
        progress=False,
        **options,
    )


# ------------------------------------------------------------------ sampled functions


def test_sampled_functions_agree_with_joint_samples_of_the_posterior(monkeypatch):
    """Against the exact covariance, categories that were never observed included."""
    space = gs.Space(
        {"x": gs.Real(1e-3, 1.0, prior="log-uniform"), "n": (1, 9), "a": list("uvwxy")}
    )
    rng = np.random.default_rng(0)
    observed = [p for p in space.sample(40, rng) if p[2] not in "xy"][:14]
    Z = space.to_z(observed)
    y = 3.0 * Z[:, 0] - np.cos(5.0 * Z[:, 1]) + (Z[:, 2] > 0.3) + 0.1 * rng.normal(size=len(Z))
    process = GaussianProcess.fit(Z, y, categorical=space.categorical, shape=Linear())
    at = space.to_z(space.sample(30, rng))
    monkeypatch.setattr("gpsearch.analysis.posterior.N_WAVES", 4096)
    functions = PosteriorFunctions(process, space, 6000, rng)
    waves, exact = functions(at), sample_losses(process, at, 6000, rng)
    mean, variance = process.predict(at)
    np.testing.assert_allclose(waves.mean(axis=0), mean, atol=0.06)
    np.testing.assert_allclose(waves.var(axis=0), variance, rtol=0.15, atol=0.01)
    np.testing.assert_allclose(np.cov(waves.T), np.cov(exact.T), atol=0.1)


def test_a_sampled_function_gives_the_same_value_at_the_same_place():
    space = gs.Space({"x": (0.0, 1.0), "a": ["u", "v", "w"]})
    study = searched(lambda p: p["x"] + (p["a"] == "u"), space, n_calls=8)
    functions = PosteriorFunctions(
        fitted_process(study, "test"), study.space, 5, np.random.default_rng(0)
    )
    Z = space.to_z(space.sample(7, np.random.default_rng(1)))
    np.testing.assert_allclose(functions(Z)[:, 3:], functions(Z[3:]), atol=1e-12)


# ------------------------------------------------------------------ known indices


def test_indices_of_an_additive_function():
    """``a x + b y + c z`` with uniform inputs has the indices a², b², c² over their sum."""
    study = searched(
        lambda p: 40.0 * p["x"] + 2.0 * p["y"] + 0.0 * p["z"],
        {"x": (0.1, 0.2), "y": (5.0, 8.0), "z": (-1.0, 1.0)},
    )
    found = estimate_importance(study)
    spread = np.array([4.0, 6.0, 0.0]) ** 2
    np.testing.assert_allclose(found.first, spread / spread.sum(), atol=0.04)
    np.testing.assert_allclose(found.total, spread / spread.sum(), atol=0.04)
    assert found.order == ("y", "x", "z")
    assert found.negligible == ("z",)


def test_indices_of_an_interaction():
    """``(x - 1/2)(y - 1/2)``: nothing alone, everything together."""
    study = searched(
        lambda p: (p["x"] - 0.5) * (p["y"] - 0.5), {"x": (0.0, 1.0), "y": (0.0, 1.0)}, n_calls=48
    )
    found = estimate_importance(study)
    assert found.first.max() < 0.1
    np.testing.assert_allclose(found.total, [1.0, 1.0], atol=0.1)


def test_indices_of_ishigami():
    """Ishigami & Homma 1990, indices in closed form; the surrogate's own error is in the bounds."""
    a, b = 7.0, 0.1
    study = searched(
        lambda p: np.sin(p["x"]) + a * np.sin(p["y"]) ** 2 + b * p["z"] ** 4 * np.sin(p["x"]),
        {name: (-np.pi, np.pi) for name in "xyz"},
        n_calls=120,
    )
    v_x, v_y = 0.5 * (1 + b * np.pi**4 / 5) ** 2, a**2 / 8
    v_xz = b**2 * np.pi**8 * 8 / 225
    total = v_x + v_y + v_xz
    found = estimate_importance(study, n_points=1024)
    np.testing.assert_allclose(found.first, np.array([v_x, v_y, 0.0]) / total, atol=0.1)
    np.testing.assert_allclose(found.total, np.array([v_x + v_xz, v_y, v_xz]) / total, atol=0.15)


def test_a_category_and_a_log_scale_count_by_their_draws():
    """A category that adds 0 or 1 has the variance 1/4, a decade of x that adds 1 has 1/12."""
    study = searched(
        lambda p: np.log10(p["x"]) + (p["a"] == "u"),
        {"x": gs.Real(1.0, 10.0, prior="log-uniform"), "a": ["u", "v"]},
    )
    found = estimate_importance(study)
    np.testing.assert_allclose(found.first, [0.25, 0.75], atol=0.06)


def test_intervals_narrow_with_the_number_of_trials():
    space = {"x": (0.0, 1.0), "y": (0.0, 1.0)}

    def width(n):
        found = estimate_importance(searched(lambda p: p["x"] + p["y"] ** 2, space, n_calls=n))
        low, high = found.total_interval
        assert (low <= found.total).all()
        assert (found.total <= high).all()
        return (high - low).max()

    assert width(40) < 0.5 * width(5)


def test_a_dimension_that_does_not_exist_everywhere():
    space = gs.Space(
        {"opt": ["adam", "sgd"], "momentum": (0.0, 1.0)},
        conditions={"momentum": {"opt": ["sgd"]}},
    )
    found = estimate_importance(searched(lambda p: p.get("momentum", 0.5), space, n_calls=30))
    assert found.total[1] > 0.5
    assert np.isfinite(found.total_samples).all()


def test_no_dimension_explains_more_than_all():
    study = searched(lambda p: np.sin(9 * p["x"]), {"x": (0.0, 1.0), "y": (0.0, 1.0)}, n_calls=30)
    found = estimate_importance(study, n_points=64)
    assert 0.97 < found.total_interval[1].max() <= 1.0


# ------------------------------------------------------------------ words


def given(names, totals, spread=0.01):
    rng = np.random.default_rng(0)
    samples = np.array(totals) + spread * rng.normal(size=(200, len(totals)))
    return Importance(
        names=names, first_samples=samples, total_samples=samples, confidence=0.9, n_trials=30
    )


def test_a_contradiction_of_the_rule_of_thumb_is_said():
    (said,) = given(("lr", "depth", "act"), (0.1, 0.6, 0.3)).against_the_rule_of_thumb()
    told = "Against the rule of thumb, depth mattered more than lr here: 60% against 10% of the"
    assert said == f"{told} differences."


def test_agreement_and_doubt_are_no_contradiction():
    agreed = given(("lr", "batch_size", "depth"), (0.5, 0.3, 0.1)).against_the_rule_of_thumb()
    assert agreed == ["Nothing contradicts the rule of thumb (lr, batch_size, depth)."]
    doubtful = given(("lr", "depth"), (0.3, 0.35), spread=0.2).against_the_rule_of_thumb()
    assert doubtful == ["Nothing contradicts the rule of thumb (lr, depth)."]
    assert given(("lr", "act"), (0.1, 0.9)).against_the_rule_of_thumb() == []


def test_equal_scores_say_that_nothing_can_be_said():
    found = estimate_importance(searched(lambda p: 1.0, {"x": (0.0, 1.0)}, n_calls=5))
    assert found.all_equal
    assert found.sentences() == ["All 5 scores are equal: no dimension can be said to matter."]
    assert (found.total == 0).all()
    assert found.negligible == ()


def test_scores_that_differ_are_not_called_equal_where_the_process_rests_on_equal_ones():
    study = searched(lambda p: p["x"], {"x": (0.0, 1.0)}, n_calls=5)
    process = GaussianProcess.fit(
        np.linspace(0, 1, 4)[:, None], np.zeros(4), categorical=np.array([False])
    )
    assert not estimate_importance(study, process=process, n_samples=2).all_equal


@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_scores_that_no_process_tells_apart_are_refused(scale):
    study = searched(lambda p: scale * p["x"], {"x": (0.0, 1.0), "y": (0.0, 1.0)}, n_calls=5)
    with pytest.raises(StudyError, match="estimate_importance needs scores whose squares"):
        estimate_importance(study)


@pytest.mark.parametrize(
    "folds",
    [
        [(0.0, 0.0, 0.15), (0.05, 0.05, 0.05)],  # their means differ in the last digit
        [(0.5, 0.6, 0.7), (0.5, 0.6, 0.7), (0.5, 0.6)],  # the last one was stopped
    ],
)
def test_neither_rounding_nor_folds_that_were_not_run_are_a_difference(folds):
    study = gs.Study.create(None, space={"x": (0.0, 1.0), "y": (0.0, 1.0)}, seed=0)
    with study.writing() as writer:
        for i, scores in enumerate(folds):
            results = [gs.FoldResult(fold=j, score=score) for j, score in enumerate(scores)]
            state = "complete" if len(scores) == 3 else "stopped"
            writer.add_trial({"x": i / 4, "y": 1 - i / 4}, results, state=state)
    assert len({trial.score for trial in study.ended}) == 2
    assert estimate_importance(study, n_samples=2).all_equal
    with pytest.raises(StudyError, match="needs different scores"):
        gs.analysis.estimate_random(study)


def test_bad_input_is_refused():
    study = searched(lambda p: p["x"], {"x": (0.0, 1.0)}, n_calls=1)
    with pytest.raises(StudyError, match="at least 2 complete trials; the study has 1"):
        estimate_importance(study)
    with pytest.raises(InvalidSearchError, match="power of two"):
        estimate_importance(study, n_points=100)
