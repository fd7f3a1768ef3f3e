import dataclasses
import math

import numpy as np
import pytest

from gpsearch.evaluation import FoldResult
from gpsearch.space import Space
from gpsearch.strategy.history import FoldStatistics, history_of
from gpsearch.study import Trial
from gpsearch.study.trial import GIVEN

SPACE = Space({"x": (0.0, 1.0)})


def trial(number, scores, state="complete"):
    folds = tuple(FoldResult(fold=j, score=float(s)) for j, s in enumerate(scores))
    ended = None if state == "running" else 1.0
    return Trial(
        number=number,
        state=state,
        params={"x": number / 1000},
        folds=folds,
        seed=0,
        started=0.0,
        ended=ended,
    )


def draw(n, k, rng, *, noise=0.01, effect=0.1):
    """Scores of n trials on k folds: a mean of each trial, an effect of each fold, noise."""
    means, effects = rng.normal(size=(n, 1)), effect * rng.normal(size=k)
    return means + effects + noise * rng.standard_normal((n, k))


def test_losses_are_negated_means_and_running_trials_are_pending():
    trials = [trial(0, [0.5, 0.7]), trial(1, [0.8, 1.0]), trial(2, [], "running")]
    history = history_of(SPACE, trials)
    np.testing.assert_allclose(history.losses, [-0.6, -0.9])
    assert history.points == [[0.0], [0.001]]
    assert history.pending == [[0.002]]
    given = dataclasses.replace(trials[0], origin=GIVEN)
    assert (history.n_given, history_of(SPACE, [given, *trials[1:]]).n_given) == (0, 1)


def test_failed_trials_have_no_loss_and_leave_the_others_alone():
    good = [trial(0, [0.5, 0.7]), trial(1, [0.8, 0.9])]
    history = history_of(SPACE, [*good, trial(2, [], "failed")])
    assert math.isnan(history.losses[2])
    assert math.isnan(history.fold_variances[2])
    np.testing.assert_array_equal(
        history.fold_variances[:2], history_of(SPACE, good).fold_variances
    )


def test_what_folds_do_to_every_trial_alike_is_not_noise():
    rng = np.random.default_rng(0)
    trials = [trial(i, s) for i, s in enumerate(draw(200, 5, rng, noise=0.01, effect=1.0))]
    variances = history_of(SPACE, trials).fold_variances
    assert np.mean(variances) == pytest.approx(0.01**2 / 5, rel=0.15)


def test_the_variance_is_unbiased_for_few_trials_too():
    rng = np.random.default_rng(1)
    means = [
        history_of(
            SPACE, [trial(i, s) for i, s in enumerate(draw(2, 5, rng))]
        ).fold_variances.mean()
        for _ in range(500)
    ]
    assert np.mean(means) == pytest.approx(0.01**2 / 5, rel=0.1)


@pytest.mark.parametrize("huge", [-1e200, 1e155, 1.7e308])
def test_variances_are_finite_whatever_a_fold_scores(huge):
    trials = [trial(0, [0.1, 0.2, 0.3]), trial(1, [huge, 0.1, 0.2]), trial(2, [0.2, 0.2, 0.1])]
    assert np.isfinite(history_of(SPACE, trials).fold_variances).all()


@pytest.mark.parametrize("k", [2, 3, 5])
def test_the_variance_is_unbiased_for_few_folds_too(k):
    rng = np.random.default_rng(5)
    trials = [trial(i, s) for i, s in enumerate(draw(900, k, rng))]
    assert history_of(SPACE, trials).fold_variances.mean() == pytest.approx(0.01**2 / k, rel=0.1)


def test_a_variance_that_is_small_by_luck_is_moderated():
    rng = np.random.default_rng(2)
    scores = draw(40, 5, rng, noise=0.01)
    scores[7] = scores[7].mean() + (scores - scores.mean(axis=1, keepdims=True)).mean(axis=0)
    variances = history_of(SPACE, [trial(i, s) for i, s in enumerate(scores)]).fold_variances
    assert variances[7] == variances.min()
    assert variances[7] > 0.3 * np.median(variances)


def test_a_trial_that_is_truly_noisier_keeps_a_larger_variance():
    rng = np.random.default_rng(3)
    scores = draw(40, 5, rng, noise=0.01)
    scores[3] += rng.normal(size=5)
    variances = history_of(SPACE, [trial(i, s) for i, s in enumerate(scores)]).fold_variances
    assert variances[3] > 100 * np.median(variances)


def test_trials_of_other_folds_side_by_side_have_the_variances_that_each_has_alone():
    rng = np.random.default_rng(6)
    trials = [trial(i, s) for i, s in enumerate(draw(12, 5, rng))]
    others = [
        trial(12, [0.1, 0.3], "stopped"),
        trial(13, [], "failed"),
        trial(14, [0.2], "stopped"),
    ]
    folds = FoldStatistics.of(trials)
    together = folds.scatters([others[0], *trials, *others[1:]])
    one_by_one = [folds.scatters([one])[0] for one in (others[0], *trials, *others[1:])]
    np.testing.assert_array_equal(together, one_by_one)
    free = [-fold.score - folds.effects[fold.fold] for fold in trials[4].folds]
    own = np.var(free, ddof=1) * 12 / 11
    assert together[5] == (4 * folds.pooled + 4 * own) / 8
    assert np.isnan(together[-2])


def test_a_stopped_trial_is_judged_without_the_effects_of_its_folds():
    scores = np.array([[0.9, 0.5, 0.1], [0.8, 0.4, 0.0], [0.85, 0.45, 0.05]])
    trials = [trial(i, s) for i, s in enumerate(scores)]
    stopped = trial(3, [0.9], "stopped")  # as good as the first on the easy fold, no better
    history = history_of(SPACE, [*trials, stopped])
    assert history.losses[3] == pytest.approx(-0.5)
    longer = history_of(SPACE, [*trials, trial(3, [0.9, 0.5], "stopped")])
    assert history.variances[3] >= longer.variances[3] > 0
    np.testing.assert_array_equal(history.variances[:3], 0.0)


def test_stopped_trials_are_measured_as_well_as_their_variances_say():
    """Folds ten times as different as the noise: what is left of the error is the noise's."""
    rng = np.random.default_rng(4)
    k, noise = 5, 0.1
    effects = rng.normal(size=k)
    means = rng.normal(size=300)
    scores = means[:, None] + effects - effects.mean() + noise * rng.normal(size=(300, k))
    ran = np.where(np.arange(300) < 100, k, rng.integers(1, k, size=300))
    trials = [
        trial(i, row[:m], "complete" if m == k else "stopped")
        for i, (row, m) in enumerate(zip(scores, ran, strict=True))
    ]
    history = history_of(SPACE, trials)
    errors = history.losses + means
    for m in range(1, k):
        chosen = ran == m
        assert np.sqrt(np.mean(errors[chosen] ** 2)) == pytest.approx(noise / np.sqrt(m), rel=0.3)
    assert np.mean(errors**2) == pytest.approx(
        np.mean(history.variances + history.fold_variances), rel=0.15
    )


@pytest.mark.parametrize("trials", [[trial(0, [0.5, 0.7])], [trial(0, [0.5]), trial(1, [0.6])]])
def test_without_two_trials_of_two_folds_the_variance_is_unknown(trials):
    assert np.isnan(history_of(SPACE, trials).fold_variances).all()


@pytest.mark.parametrize("cost", ["seconds", "work"])
def test_costs_are_those_of_a_fold_so_that_a_stopped_trial_is_not_cheap(cost):
    timed = [
        dataclasses.replace(
            trial(number, [0.5] * len(seconds), state),
            folds=tuple(FoldResult(fold=j, score=0.5, **{cost: s}) for j, s in enumerate(seconds)),
        )
        for number, (seconds, state) in enumerate(
            [([2.0, 4.0], "complete"), ([3.0], "stopped"), ([0.0], "complete"), ([], "failed")]
        )
    ]
    costs = history_of(SPACE, timed, cost=cost).costs
    np.testing.assert_array_equal(costs, [3.0, 3.0, np.nan, np.nan])
    assert np.isnan(history_of(SPACE, timed).costs).all()


@pytest.mark.parametrize("of_one_class", [[0.6] * 5, [0.61, 0.59, 0.6, 0.6, 0.62]])
def test_trainings_that_died_tell_nothing_of_the_folds_of_others(of_one_class):
    """More than half of the trials score the share of one class, whatever the fold is to others."""
    rng = np.random.default_rng(8)
    scores = draw(6, 5, rng, noise=0.01, effect=0.1)
    living = [trial(i, row) for i, row in enumerate(scores)]
    dead = [trial(i, of_one_class) for i in range(6, 14)]
    lost = trial(20, scores[0][:1], "stopped")
    alone, both = FoldStatistics.of(living), FoldStatistics.of([*dead, *living])
    assert both.effects == pytest.approx(alone.effects)
    assert both.pooled == pytest.approx(alone.pooled)
    assert both.loss(lost) == pytest.approx(living[0].loss, abs=0.03)
    np.testing.assert_allclose(both.scatters([*living, lost]), alone.scatters([*living, lost]))
    assert both.n_trials == 14
    one = FoldStatistics.of([*dead, living[0]])
    assert one.scatters([lost])[0] > 0.01**2
