"""Estimates with intervals, as the comparison on real networks makes them."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from gpsearch.analysis.best_of_random import expected_best

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
from estimates import Estimate, best_of_random, mean_of

DRAWS = np.sort(np.random.default_rng(0).normal(size=40))[::-1]


@pytest.mark.parametrize("m", [1, 7, 40])
def test_the_best_of_some_draws_is_that_over_all_subsets(m):
    assert best_of_random(DRAWS, m).mean == pytest.approx(expected_best(DRAWS)[m - 1])


def test_draws_of_which_a_value_is_not_known_are_left_out():
    known = DRAWS.copy()
    known[3:] = np.nan
    first = 7 / 40, 33 / 40 * 7 / 39, 33 / 40 * 32 / 39 * 7 / 38  # each the best of 7
    expected = np.average(DRAWS[:3], weights=first)
    assert best_of_random(known, 7).mean == pytest.approx(expected)


def test_the_jackknife_gives_the_spread_over_searches():
    rng = np.random.default_rng(1)
    made = [best_of_random(np.sort(rng.normal(size=50))[::-1], 8) for _ in range(60)]
    spread = np.std([estimate.mean for estimate in made])
    estimated = np.sqrt(np.mean([estimate.variance for estimate in made]))
    assert estimated == pytest.approx(spread, rel=0.25)


def test_a_difference_has_the_interval_of_welch():
    first, second = np.array([3.0, 4.0, 6.0]), np.array([1.0, 1.5, 2.0, 2.5])
    low, high = stats.ttest_ind(first, second, equal_var=False).confidence_interval()
    difference = mean_of(first) - mean_of(second)
    assert difference.mean == pytest.approx((low + high) / 2)
    assert difference.half == pytest.approx((high - low) / 2)
    assert Estimate(1.0, 0.01, 5.0).ahead
    assert not Estimate(1.0, 1.0, 5.0).ahead
