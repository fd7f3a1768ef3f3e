"""A study as scikit-optimize's result."""

import math

import numpy as np
import pytest
import skopt.plots
from matplotlib import pyplot as plt

import gpsearch as gs
from gpsearch.analysis.posterior import fitted_process
from gpsearch.evaluation import FoldResult
from gpsearch.optimizer import study_result
from gpsearch.plotting.dependence import fit_score_model
from gpsearch.strategy.gp import GPStrategy
from gpsearch.study import Study

SPACE = {
    "x": gs.Real(-2.0, 2.0),
    "opt": gs.Categorical(["sgd", "adam"]),
    "momentum": {"low": 0.0, "high": 0.9, "when": {"opt": ["sgd"]}},
    "epochs": 20,
}


def score_of(params):
    if params["x"] > 1.5:
        raise ValueError("diverged")
    return 10 - (params["x"] - 0.5) ** 2 - params.get("momentum", 0.3)


@pytest.fixture(scope="module")
def study():
    return gs.search(score_of, SPACE, n_calls=16, strategy="random", random_state=0, progress=False)


def test_losses_are_scores_with_their_sign_changed(study):
    result = study_result(study)
    assert result.fun == pytest.approx(-study.best_score)
    assert result.space.params(result.x) == study.best_params
    assert len(result.x_iters) == 16


def test_a_result_can_be_printed(study):
    none_given = {"acq_func_kwargs": {}, "n_initial_points": 1, "random_state": 0}
    optimizer = gs.Optimizer([(0.0, 1.0)], **none_given)
    for result in (study_result(study), optimizer.tell([0.5], 1.0)):
        assert "func_vals" in str(result)


def test_a_failed_trial_stands_as_inf(study):
    result = study_result(study)
    failed = [trial.state == "failed" for trial in study.trials]
    assert any(failed)
    assert np.isinf(result.func_vals).tolist() == failed


def test_its_model_predicts_losses(study):
    result = study_result(study)
    (model,) = result.models
    finite = np.isfinite(result.func_vals)
    predicted = model.predict(result.space.transform(result.x_iters))
    assert np.abs(predicted - result.func_vals)[finite].mean() < 0.7


def test_losses_stay_losses_where_smaller_is_better():
    study = gs.search(
        lambda params: params["x"] ** 2 + 1.0,
        {"x": gs.Real(-1.0, 1.0)},
        n_calls=9,
        strategy="random",
        greater_is_better=False,
        random_state=0,
        progress=False,
    )
    assert study_result(study).fun == pytest.approx(study.best_params["x"] ** 2 + 1.0)


def test_scikit_optimizes_plots_take_it(study):
    result = study.result
    drawn = skopt.plots.plot_convergence(result).lines[0].get_ydata()
    np.testing.assert_array_equal(drawn, np.minimum.accumulate(result.func_vals))
    n = len(result.space.dimensions)
    for plot, options in (
        (skopt.plots.plot_objective, {"n_points": 4, "n_samples": 8}),
        (skopt.plots.plot_evaluations, {}),
    ):
        plot(result, **options)
        assert sum(ax.axison for ax in plt.gcf().axes) >= n * (n + 1) / 2, plot


def test_a_study_of_failures_has_no_model():
    def fail(params):
        raise ValueError("no")

    study = gs.search(fail, {"x": gs.Real(0.0, 1.0)}, n_calls=2, strategy="random", progress=False)
    result = study_result(study)
    assert result.models == []
    assert result.x is None
    assert math.isnan(result.fun)


def test_its_model_trusts_a_mean_over_folds_by_their_spread():
    rng = np.random.default_rng(0)

    def folds(spread):
        noise = spread * rng.standard_normal(5)
        return lambda params: 1.0 - params["x"] ** 2 + noise - noise.mean()

    def misfit(spread):
        """How far the model stays from one mean that stands out by 0.5."""
        study = gs.Study.create(None, space={"x": gs.Real(-1.0, 1.0)}, seed=0)
        with study.writing() as writer:
            for x in np.linspace(-1, 1, 9):
                number = writer.start_trial({"x": float(x)}, seed=0)
                outlier = 0.5 if x == 0.5 else 0.0
                for j, score in enumerate(folds(spread if outlier else 0.01)({"x": x})):
                    fold = gs.FoldResult(fold=j, score=float(score + outlier))
                    writer.record_fold(number, fold)
                writer.end_trial(number, "complete")
        result = study_result(study)
        row = result.space.transform([[0.5]])
        return abs(float(result.models[-1].predict(row)[0]) - result.func_vals[6])

    assert misfit(2.0) > 2 * misfit(0.01)


def test_the_process_of_a_study_is_that_of_the_search_everywhere():
    """Folds that are hard for all configurations are not noise."""
    hard_and_easy = np.array([-8.0, -3.0, 1.0, 10.0])

    def scores_of(params):
        jitter = 0.05 * np.sin(40.0 * params["x"] + np.arange(4))
        return list(-((params["x"] - 0.5) ** 2) + hard_and_easy + jitter)

    searched, shown = [], []

    class Noting(GPStrategy):
        def process(self, history):
            searched.append(super().process(history))
            return searched[-1]

    class Reader:
        def on_trial_end(self, study, trial):
            if trial.number == 11:
                models = [*study.result.models, fit_score_model(study)]
                shown.extend([*(m.process for m in models), fitted_process(study, "test")])

    space = gs.Space({"x": gs.Real(-2.0, 2.0)})
    gs.search(
        scores_of,
        space,
        n_calls=13,
        strategy=Noting(space, seed=0),
        callback=Reader(),
        progress=False,
    )
    at_the_end, Z = searched[-1], np.linspace(0.0, 1.0, 9)[:, None]
    for process in shown:
        np.testing.assert_array_equal(process.noise, at_the_end.noise)
        np.testing.assert_array_equal(process.predict(Z)[0], at_the_end.predict(Z)[0])
    assert len(shown) == 3
    assert at_the_end.noise.max() < 0.01  # with the spread of the folds in it: above 1


def test_its_best_point_is_that_of_the_study_whatever_a_stopped_trial_promises():
    study = Study.create(None, space={"x": (0.0, 1.0)}, seed=0)
    with study.writing() as writer:
        for x, scores in ((0.1, (0.5, 0.7)), (0.2, (0.7, 0.5)), (0.3, (0.9,))):
            number = writer.start_trial({"x": x}, seed=1)
            for fold, score in enumerate(scores):
                writer.record_fold(number, FoldResult(fold=fold, score=score))
            writer.end_trial(number, "complete" if len(scores) == 2 else "stopped")
    result = study_result(study)
    assert result.x == [study.best_params["x"]] == [0.1]
    assert result.fun == -study.best_score > result.func_vals.min()
