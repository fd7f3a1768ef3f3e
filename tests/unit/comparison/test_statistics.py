"""Intervals against known answers and against their own promise, by simulation."""

import numpy as np
import pytest
from scipy import stats

from gpsearch.comparison.statistics import (
    expanded_confidence,
    holm,
    least_p,
    mean_band,
    mean_draws,
    mean_interval,
    wilcoxon_p,
    win_probability,
)


@pytest.mark.parametrize("repeats", [2, 3, 5, 10])
def test_intervals_of_few_repeats_cover_what_they_promise(repeats):
    rng = np.random.default_rng(1)
    # 400 comparisons at once: each column is one
    values = rng.normal(2.0, 3.0, size=(repeats, 400))
    band = mean_band(values, confidence=0.95)
    covered = ((band.low <= 2.0) & (band.high >= 2.0)).mean()
    assert covered > 0.92
    plain = stats.bootstrap(
        (values,), np.mean, axis=0, n_resamples=999, batch=100, method="percentile", rng=rng
    ).confidence_interval
    assert ((plain.low <= 2.0) & (plain.high >= 2.0)).mean() < covered


def test_an_interval_sees_the_skewness_of_many_repeats():
    values = np.random.default_rng(2).lognormal(0.0, 1.5, size=60)
    interval, t = mean_interval(values), stats.sem(values) * stats.t.ppf(0.975, 59)
    assert interval.low == pytest.approx(values.mean() - t)
    assert interval.high > values.mean() + 1.02 * t


def test_expansion_fades_with_the_number_of_repeats():
    levels = [expanded_confidence(0.9, n) for n in (3, 5, 20, 10_000)]
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] == pytest.approx(0.9, abs=1e-3)


def test_interval_of_equal_differences_is_a_point():
    interval = mean_interval(np.full(5, 0.25))
    assert (interval.value, interval.low, interval.high) == (0.25, 0.25, 0.25)
    assert interval.excludes_zero
    assert not mean_interval(np.zeros(4)).excludes_zero


def test_mean_interval_follows_a_shift_and_a_scale():
    values = np.array([0.1, 0.5, -0.2, 0.4, 0.9, 0.3])
    plain, moved = mean_interval(values), mean_interval(10.0 * values - 3.0)
    assert moved.low == pytest.approx(10.0 * plain.low - 3.0)
    assert moved.high == pytest.approx(10.0 * plain.high - 3.0)


def test_win_probability_is_never_certain():
    assert win_probability(np.ones(5)).low < 0.7
    assert win_probability(-np.ones(5)).high > 0.3
    half = win_probability(np.array([1.0, -1.0, 0.0, 0.0]))
    assert half.value == 0.5
    assert half.low == pytest.approx(1.0 - half.high)


def test_wilcoxon_agrees_with_scipys_exact_distribution():
    rng = np.random.default_rng(3)
    for n in (5, 8, 12):
        differences = rng.normal(0.4, 1.0, size=n)
        exact = stats.wilcoxon(differences, method="exact").pvalue
        assert wilcoxon_p(differences) == pytest.approx(exact, abs=1e-9)


def test_wilcoxon_keeps_its_level_where_strategies_are_equal():
    rng = np.random.default_rng(4)
    p_values = [wilcoxon_p(rng.normal(size=7)) for _ in range(300)]
    assert np.mean(np.array(p_values) <= 0.05) < 0.08


def test_wilcoxon_with_ties_and_zeros():
    assert wilcoxon_p(np.array([0.0, 0.0, 0.0])) == 1.0
    assert 0.0 < wilcoxon_p(np.array([1.0, 1.0, 1.0, 0.0, 1.0, 1.0])) < 0.2
    assert wilcoxon_p(np.arange(1.0, 7.0)) == least_p(6) == 0.03125


def test_holm_against_a_worked_example():
    # Holm 1979: the sorted p are multiplied by 4, 3, 2, 1 and made monotone
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_draws_of_a_mean_have_the_quantiles_of_students_interval():
    values = np.array([3.0, 5.0, 4.0, 8.0, 4.5])
    draws = mean_draws(values, 20_000, np.random.default_rng(5))
    low, high = stats.t.interval(0.8, 4, values.mean(), stats.sem(values))
    assert np.quantile(draws, [0.1, 0.9]) == pytest.approx([low, high], abs=0.05)
