import itertools
import math

import numpy as np
import pytest

import gpsearch as gs
from gpsearch.analysis import best_of_random, estimate_random, search_gain
from gpsearch.analysis.best_of_random import draws_to_reach, expected_best, random_scores
from gpsearch.errors import InvalidSearchError, StudyError
from gpsearch.evaluation import FoldResult
from gpsearch.study import Study, part_of
from gpsearch.study.confirmation import Confirmation

SPACE = {"x": gs.Real(0.0, 1.0), "y": gs.Real(0.0, 1.0), "act": ["relu", "tanh"]}
BEST = {"x": 0.3, "y": 0.8, "act": "tanh"}


def score(params):
    penalty = 0.2 if params["act"] == "relu" else 0.0
    return 3.0 - (params["x"] - 0.3) ** 2 - 2.0 * (params["y"] - 0.8) ** 2 - penalty


def test_expected_best_is_the_mean_over_all_subsets():
    scores = np.array([0.3, -1.0, 2.5, 2.5, 0.7, 11.0])
    by_hand = [
        np.mean([max(subset) for subset in itertools.combinations(scores, m)])
        for m in range(1, len(scores) + 1)
    ]
    np.testing.assert_allclose(expected_best(scores), by_hand, rtol=1e-12)


def test_expected_best_is_unbiased_for_the_best_of_fresh_draws():
    rng = np.random.default_rng(0)
    estimates = expected_best(rng.uniform(5.0, 6.0, size=(4000, 20)))
    m = np.arange(1, 21)
    np.testing.assert_allclose(estimates.mean(axis=0), 5.0 + m / (m + 1), atol=0.006)


def test_expected_best_of_many_draws_stays_finite():
    curve = expected_best(np.random.default_rng(1).normal(size=2000))
    assert np.isfinite(curve).all()
    assert (np.diff(curve) > -1e-9).all()


def test_draws_to_reach_at_and_beyond_the_ends():
    curve = np.array([1.0, 2.0, 2.5])
    assert draws_to_reach(0.2, curve) == 1.0
    assert draws_to_reach(2.0, curve) == 2.0
    assert draws_to_reach(2.25, curve) == 2.5
    assert draws_to_reach(2.6, curve) == math.inf
    assert draws_to_reach(float(np.mean([0.1] * 3)), np.array([0.0, 0.1])) == 2.0
    assert draws_to_reach(0.5, expected_best(np.full(6, 0.5))) == 1.0


@pytest.fixture(scope="module")
def study():
    return gs.search(score, SPACE, n_calls=22, random_state=3, progress=False)


def test_estimate_agrees_with_a_random_search_that_is_made(study):
    rng = np.random.default_rng(7)
    space = study.space
    scores = np.array([score(space.params(p)) for p in space.sample(4000, rng)]).reshape(200, 20)
    best = np.maximum.accumulate(scores, axis=1)
    estimate = estimate_random(study, n=20)
    np.testing.assert_allclose(estimate.expected[4:], best.mean(axis=0)[4:], atol=0.05)
    inside = (best >= estimate.low) & (best <= estimate.high)
    assert inside.mean() > 0.85


def test_no_score_beyond_the_metric_is_estimated(study):
    first = part_of(study, study.trials[:8])
    free, most = first.estimate_random(), first.best_score
    settings = {"score_bounds": [None, most]}
    bounded = Study.create(None, space=SPACE, seed=1, settings=settings)
    with bounded.writing() as writer:
        for trial in first.trials:
            writer.add_trial(trial.params, [FoldResult(fold=0, score=trial.score)])
    made = bounded.estimate_random()
    assert free.high[-1] > most
    np.testing.assert_allclose(made.high, np.minimum(free.high, most), rtol=1e-3)
    assert made.expected[-1] <= most


@pytest.mark.parametrize("prior", ["uniform", "log-uniform"])
def test_a_random_search_of_a_finite_space_repeats_nothing(prior):
    """After as many draws as the space has points it has found the best."""
    space = gs.Space({"n": gs.Integer(1, 12, prior=prior)})
    worth = lambda params: -((params["n"] - 7.0) ** 2)  # noqa: E731
    estimate = estimate_random(gs.search(worth, space, n_calls=12, random_state=0), n=15)
    drawn = np.reshape(space.sample(1000 * 300, np.random.default_rng(0)), (1000, 300)).tolist()
    runs = [[worth({"n": n}) for n in dict.fromkeys([*row, *range(1, 13)])] for row in drawn]
    truth = np.maximum.accumulate(runs, axis=1).mean(axis=0)
    assert truth[-1] == 0.0
    np.testing.assert_allclose(estimate.expected[:12], truth, atol=0.6)
    np.testing.assert_allclose(estimate.expected[11:], 0.0, atol=0.05)


def test_the_one_point_that_half_of_all_draws_give_is_drawn_once():
    """Without it the draws are uniform from 1 to 2, of which the best of m is m / (m + 1) above."""
    space = gs.Space({"on": [False, True], "x": (1.0, 2.0)}, conditions={"x": {"on": [True]}})
    study = gs.search(lambda params: params.get("x", 0.0), space, n_calls=25, random_state=0)
    expected = estimate_random(study, n=6).expected
    m = np.arange(7)
    uniform = np.where(m > 0, 1.0 + m / (m + 1), 0.0)
    absent = 0.5 ** m[1:]  # of m draws none is that point
    np.testing.assert_allclose(
        expected, absent * uniform[1:] + (1.0 - absent) * uniform[:-1], atol=0.06
    )


def test_estimate_rises_and_says_that_it_is_one(study):
    estimate = estimate_random(study, n=600)
    assert (np.diff(estimate.expected) > -1e-9).all()
    assert (estimate.low <= estimate.expected).all()
    assert (estimate.expected <= estimate.high).all()
    assert (estimate.n_random, len(estimate.observed)) == (0, 0)
    assert "By estimate, not by measurement" in str(estimate)
    assert f"({estimate.low[21]:.4g} to {estimate.high[21]:.4g} with 95%)" in str(estimate)


def test_no_more_draws_are_told_than_were_made(study, monkeypatch):
    monkeypatch.setattr(best_of_random, "N_DRAWS", 20)
    estimate = estimate_random(study, n=600)
    assert list(estimate.n) == list(range(1, 21))
    n = len(study.trials)
    assert n > 20
    assert "a random search of 20 trials" in str(estimate)
    assert f"this search of {n} reached" in str(estimate)
    assert "a random search of 20 trials" in search_gain(study)


def test_initial_points_are_not_random_draws():
    """Placed where good values are expected, they would overrate random search."""
    study = gs.search(
        score,
        SPACE,
        n_calls=9,
        random_state=0,
        progress=False,
        optimum_prior={"x": 0.3, "y": 0.8},
    )
    assert [trial.proposal for trial in study.trials] == ["initial"] * 4 + ["model"] * 5
    assert len(estimate_random(study).observed) == 0


def test_the_draws_of_a_random_search_are_observed():
    study = gs.search(
        score, SPACE, n_calls=6, strategy="random", random_state=0, progress=False, x0=[BEST]
    )
    estimate = estimate_random(study, n=20)
    drawn = [trial.score for trial in study.trials[1:]]  # the first was queued
    np.testing.assert_allclose(estimate.observed, expected_best(np.array(drawn)))


def test_estimate_of_losses_falls():
    study = gs.search(
        lambda params: -score(params),
        SPACE,
        n_calls=14,
        random_state=1,
        progress=False,
        greater_is_better=False,
    )
    estimate = estimate_random(study, n=10)
    assert (np.diff(estimate.expected) < 1e-9).all()
    assert (estimate.low <= estimate.high).all()
    assert estimate.best == pytest.approx(-study.best_score)


def test_failed_draws_count_as_the_worst_score():
    def sometimes(params):
        if params["x"] > 0.5:
            raise ValueError("diverged")
        return score(params)

    study = gs.search(
        sometimes, SPACE, n_calls=20, strategy="random", random_state=0, progress=False
    )
    scores = random_scores(study)
    known = [trial.score for trial in study.complete]
    assert len(scores) == 20
    assert 0 < len(known) < 20
    assert scores.min() == min(known)
    assert (scores == min(known)).sum() == 20 - len(known) + 1


def test_a_draw_that_was_stopped_counts_and_is_no_better_than_the_best():
    """Its one fold is the easy one of all: by that alone it would have beaten the best."""
    study = gs.Study.create(None, space=SPACE, seed=0)
    outcomes = [(0.9, 0.5), (0.8, 0.4), (0.7, 0.3), (0.89,), (0.75,)]
    with study.writing() as writer:
        for i, scores in enumerate(outcomes):
            number = writer.start_trial({**BEST, "x": i / 10}, seed=i, proposal="random")
            for j, score in enumerate(scores):
                writer.record_fold(number, FoldResult(fold=j, score=score))
            writer.end_trial(number, "complete" if len(scores) == 2 else "stopped")
    np.testing.assert_allclose(random_scores(study), [0.7, 0.6, 0.5, 0.69, 0.55])
    with study.writing() as writer:
        number = writer.start_trial({**BEST, "x": 0.9}, seed=9, proposal="random")
        writer.record_fold(number, FoldResult(fold=0, score=0.95))
        writer.end_trial(number, "stopped")
    assert random_scores(study)[-1] == study.best_score


def test_first_points_that_were_stopped_are_among_those_told():
    study = gs.Study.create(None, space=SPACE, seed=0)
    outcomes = [("initial", (0.5, 0.5)), ("initial", (0.1,)), ("model", (0.6, 0.7))]
    with study.writing() as writer:
        for i, (proposal, scores) in enumerate(outcomes):
            number = writer.start_trial({**BEST, "x": i / 10}, seed=i, proposal=proposal)
            for j, score in enumerate(scores):
                writer.record_fold(number, FoldResult(fold=j, score=score))
            writer.end_trial(number, "complete" if len(scores) == 2 else "stopped")
    assert "the best of the 2 first points, 0.5" in search_gain(study)


def test_a_study_without_complete_trials_is_refused():
    def fails(params):
        raise ValueError("out of memory")

    study = gs.search(fails, SPACE, n_calls=3, random_state=0, progress=False)
    with pytest.raises(StudyError, match=r"has 0, and 3 failed.*out of memory"):
        estimate_random(study)


@pytest.mark.parametrize("options", [{"n": 0}, {"confidence": 1.0}, {"confidence": 0.0}])
def test_bad_arguments_are_refused(study, options):
    with pytest.raises(InvalidSearchError, match="estimate_random"):
        estimate_random(study, **options)


def test_the_gain_is_that_over_the_first_points(study):
    first = max(t.score for t in study.trials if t.proposal == "initial")
    told = search_gain(study)
    assert told.startswith(f"{study.best_score - first:.3g} over the best of the 8 first points")
    assert f"a random search of {len(study.trials)} trials reaches" in told


def test_a_search_that_gained_nothing_says_so():
    study = gs.search(lambda params: 1.0, {"x": (0.0, 1.0)}, n_calls=10, random_state=0)
    assert (
        search_gain(study)
        == "nothing: the model has not improved on the best of the 5 first points, 1."
    )


def test_what_was_given_or_queued_is_no_gain_of_the_search():
    study = gs.search(score, SPACE, n_calls=11, x0=[BEST], random_state=0, progress=False)
    assert search_gain(study).startswith("nothing: the model has not improved on")
    study = gs.search(score, SPACE, n_calls=11, x0=[BEST], y0=[9.0], random_state=0, progress=False)
    assert search_gain(study).startswith(
        "nothing: the model has not improved on the best of the 1 given and 4 first points, 9. "
    )
    assert "a random search of 11 trials" in search_gain(study)
    assert "a random search of 11 trials" in str(study.estimate_random())  # as in the report
    told = Study.create(None, space=SPACE, seed=0)
    with told.writing() as writer:
        for trial in study.trials:
            writer.add_trial(trial.params, trial.folds)
    assert "a random search of 12 trials" in str(told.estimate_random())


def test_a_random_search_has_no_first_points_to_gain_over():
    study = gs.search(score, SPACE, n_calls=4, strategy="random", random_state=0)
    assert search_gain(study) == ""


def test_the_gain_of_a_confirmed_search_is_that_of_its_greatest_score():
    study = Study.create(None, space={"x": (0.0, 1.0)}, seed=0)
    with study.writing() as writer:
        for i, score in enumerate([0.5, 0.3, 0.4, 0.6, 0.45]):
            number = writer.start_trial(
                {"x": i / 5}, seed=i, proposal="model" if i > 2 else "random"
            )
            writer.record_fold(number, FoldResult(fold=0, score=score))
            writer.end_trial(number, "complete")
        before = search_gain(study)
        writer.set_confirmation(Confirmation(trials=5, winner=4, favourite=3))
    assert study.best_score == 0.45
    assert search_gain(study) == before
    assert before.startswith("0.1 over the best of the 3 first points, 0.5.")


@pytest.mark.parametrize(("unit", "offset"), [(0.0, 0.5), (0.0, 0.0), (1e-300, 0.0), (1e200, 0.0)])
def test_nothing_is_estimated_from_scores_that_no_process_tells_apart(unit, offset):
    study = Study.create(None, space={"x": (0.0, 1.0)}, seed=0)
    with study.writing() as writer:
        for i in range(12):
            writer.add_trial({"x": i / 11}, [FoldResult(fold=0, score=offset + unit * i)])
    for call in ("estimate_random", "forecast"):
        with pytest.raises(StudyError, match=f"{call} needs .*scores"):
            getattr(study, call)()


def test_a_model_whose_points_were_all_stopped_has_gained_nothing():
    """They lost against the first points, which says as much as if they had run all folds."""
    study = Study.create(None, space={"x": (0.0, 1.0)}, seed=0)
    with study.writing() as writer:
        for i in range(8):
            number = writer.start_trial({"x": i / 8}, seed=i, proposal="model" if i > 4 else "")
            for fold in range(1 if i > 4 else 3):
                writer.record_fold(number, FoldResult(fold=fold, score=0.1 * (4 - i) + fold % 2))
            writer.end_trial(number, "stopped" if i > 4 else "complete")
    assert search_gain(study).startswith("nothing: the model has not improved on the best of the 5")


def test_a_trial_that_still_runs_is_none_of_those_that_random_search_is_given():
    study = gs.search(score, SPACE, n_calls=6, random_state=0, progress=False)
    ended = study.estimate_random()
    with study.writing() as writer:
        writer.start_trial(study.best_params, seed=0)
        assert str(study.estimate_random()) == str(ended)
