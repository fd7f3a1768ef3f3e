"""What random search would have found: the expected best of m random draws.

=========== ================================================================ =======
symbol      meaning                                                          shape
=========== ================================================================ =======
x_(i)       scores of N random draws, rising                                 (N,)
m           draws of a random search                                         scalar
E_m         expected greatest score of m draws                               scalar
f_s         sample s of the surrogate's posterior of the score               (S, D)
=========== ================================================================ =======

From N draws, E_m is estimated without bias as the mean of the maximum over all subsets of size
m,

    E_m = sum_i x_(i) C(i - 1, m - 1) / C(N, m),        m <= N

(Tang et al. 2020, Showing your work doesn't always work, equation 4; drawing with replacement,
as is often done, makes random search look worse than it is).

A search by a model draws few points at random, if any. The estimate therefore comes from the
surrogate: each sample of its posterior is a possible score function, of which m random draws are
made, each with the noise of an evaluation. Random search repeats no configuration, so neither do
these: m draws of a space of m points find its best.
"""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from gpsearch.analysis.posterior import fitted_process, noisy_scores, require_difference
from gpsearch.arguments import fraction, whole
from gpsearch.described import digits_apart, number
from gpsearch.errors import StudyError, public
from gpsearch.evaluation import holding_bounds, told_apart
from gpsearch.space import Point, Space
from gpsearch.strategy.history import FoldStatistics
from gpsearch.study import Study, Trial
from gpsearch.study.trial import GIVEN
from gpsearch.surrogate import GaussianProcess

Array = NDArray[np.float64]

N_SAMPLES = 200  # functions drawn from the posterior
N_DRAWS = 512  # different random points at which each is drawn
BATCHES = 8  # of so many draws, where a space has fewer points
ROUNDING = 1e-13  # share of a score, below which a difference is what rounding leaves
SEARCHES = 20  # random searches made of each function


@dataclass(frozen=True, kw_only=True)
class RandomEstimate:
    """What a random search of the same space would have found, estimated from one study."""

    n: NDArray[np.int64]
    """(m,) numbers of random draws, from 1."""
    expected: Array
    """(m,) expected best score after so many, in the user's units."""
    low: Array
    """(m,) lower end of the band that holds the best of one random search."""
    high: Array
    """(m,) upper end of that band."""
    confidence: float
    """Probability of the band."""
    observed: Array
    """(k,) expected best of the first k <= m draws, from the study's random trials alone."""
    n_random: int
    """Random trials of the study, from which `observed` follows."""
    best: float
    """Greatest score of the study, in the user's units."""
    n_calls: int
    """Trials that the search has evaluated; all that ended where each score was given."""

    def __str__(self) -> str:
        at = min(self.n_calls, len(self.n)) - 1
        this = "this search" if self.n_calls <= len(self.n) else f"this search of {self.n_calls}"
        scores = self.expected[at], self.low[at], self.high[at], self.best
        expected, low, high, best = (number(score, digits_apart(scores)) for score in scores)
        return (
            f"By estimate, not by measurement: a random search of {self.n[at]} trials reaches "
            f"{expected} ({low} to {high} with {self.confidence:.0%}); {this} reached {best}. Only "
            "gpsearch.compare measures the difference."
        )


def expected_best(scores: Array) -> Array:
    """E_m for m = 1 ... N: the expected greatest of m of the (..., N) scores of random draws.

    >>> expected_best(np.array([3.0, 1.0, 2.0]))
    array([2.        , 2.66666667, 3.        ])
    """
    ordered = np.sort(np.asarray(scores, dtype=float), axis=-1)
    return ordered @ _subset_weights(ordered.shape[-1]).T


def draws_to_reach(score: float, expected: Array) -> float:
    """Draws after which the rising curve `expected` reaches `score`, interpolated.

    1 where the first draw does, infinity where the curve ends below it.

    >>> draws_to_reach(2.5, np.array([2.0, 3.0, 3.5])), draws_to_reach(4.0, np.array([2.0, 3.0]))
    (1.5, inf)
    """
    # Means of equal scores may differ in the last digit.
    after = int(np.searchsorted(expected, score - ROUNDING * abs(score), side="left"))
    if after == 0:
        return 1.0
    if after == len(expected):
        return math.inf
    step = expected[after] - expected[after - 1]
    return after + min(1.0, float((score - expected[after - 1]) / step))


@public()
def estimate_random(
    study: Study,
    *,
    n: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
    process: GaussianProcess | None = None,
) -> RandomEstimate:
    """Estimate from one study what a random search of its space would have found.

    Parameters
    ----------
    study : Study
    n : int, default 200
        Draws up to which the estimate goes; not beyond 512 different ones.
    confidence : float, default 0.95
        Probability that the best of one random search lies in the band.
    seed : int, default 0
        Of the samples.
    process : GaussianProcess, optional
        The surrogate of these trials, where it is fitted already.

    Raises
    ------
    StudyError
        Fewer than two trials are complete, or all scores are equal.
    InvalidSearchError
        An argument breaks a rule.
    """
    whole("n", n, 1)
    fraction("confidence", confidence)
    whole("seed", seed, 0)
    process = fitted_process(study, "estimate_random", process)
    require_difference(study, "estimate_random")
    rng = np.random.default_rng(seed)
    space = study.space
    points, weights = _distinct_draws(space, rng)
    bounds = holding_bounds(study.info.score_bounds, [trial.score for trial in study.complete])
    scores = np.clip(noisy_scores(process, space.to_z(points), N_SAMPLES, rng), *bounds)
    # Draws without repeats, each with a probability as its weight: the order of these numbers.
    order = rng.exponential(size=(N_SAMPLES * SEARCHES, len(points))) / weights
    if len(points) == N_DRAWS:  # what lies beyond is not known
        n = min(n, N_DRAWS)
    picks = np.argsort(order, axis=1)[:, :n]
    searches = np.repeat(scores, SEARCHES, axis=0)[np.arange(len(picks))[:, None], picks]
    found = np.maximum.accumulate(searches, axis=1)
    # After all points of the space, nothing is new.
    found = found[:, np.minimum(np.arange(n), len(points) - 1)]
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(found, [tail, 1.0 - tail], axis=0)
    expected = found.mean(axis=0)
    random = random_scores(study)
    low, high = np.sort(study.as_user_value(np.array([low, high])), axis=0)
    return RandomEstimate(
        n=np.arange(1, n + 1),
        expected=study.as_user_value(expected),
        low=low,
        high=high,
        confidence=confidence,
        observed=study.as_user_value(expected_best(random)[:n]) if len(random) else np.empty(0),
        n_random=len(random),
        best=study.as_user_value(max(trial.score for trial in study.complete)),
        n_calls=_n_evaluated(study),
    )


@public()
def search_gain(study: Study) -> str:
    """What a search gained over its first points, and over a random search by estimate.

    Parameters
    ----------
    study : Study

    Returns
    -------
    str
        A sentence; empty where the points of a model and those before it are not both known.
    """
    before = [t for t in study.ended if t.proposal != "model" and t.state != "failed"]
    first = [trial.score for trial in before if trial.state == "complete"]
    guided = [t for t in study.ended if t.proposal == "model" and t.state != "failed"]
    if not first or not guided:
        return ""
    # Like is compared with like: the winner of a confirmed search may have a smaller score.
    greatest = max(trial.score for trial in study.complete)
    gain = greatest - max(first)
    reached = study.as_user_value(max(first)) + 0.0
    n_given = sum(trial.is_given for trial in before)
    n_first = len(before) - n_given
    named = " and ".join(f"{n} {kind}" for n, kind in ((n_given, GIVEN), (n_first, "first")) if n)
    points = f"the best of the {named} points" if len(before) > 1 else f"the {named[2:]} point"
    sentence = f"{number(gain)} over {points}, {number(reached, 4)}."
    if told_apart(greatest) <= told_apart(max(first)):
        sentence = f"nothing: the model has not improved on {points}, {number(reached, 4)}."
    try:
        estimate = estimate_random(study, n=_n_evaluated(study))
    except StudyError:  # too few scores, or all alike
        return sentence
    scores = estimate.expected[-1], estimate.low[-1], estimate.high[-1]
    expected, low, high = (number(score, digits_apart([*scores, reached])) for score in scores)
    return (
        f"{sentence} By estimate, a random search of {estimate.n[-1]} trials reaches {expected} "
        f"({low} to {high})."
    )


def _n_evaluated(study: Study) -> int:
    """Trials that a random search would have had: those with a given score cost neither anything.

    All that ended, where each score was given.
    """
    return sum(not trial.is_given for trial in study.ended) or len(study.ended)


def random_scores(study: Study) -> Array:
    """(k,) scores of the trials drawn at random, not of initial points."""
    drawn = [trial for trial in study.ended if trial.proposal == "random"]
    return scores_of_draws(drawn, study.ended)


def scores_of_draws(drawn: Sequence[Trial], trials: Sequence[Trial]) -> Array:
    """Scores of those of `trials` that were `drawn`; a failure has the worst.

    One that was stopped has what its folds tell, but no more than the best, to which it had lost.
    """
    found = FoldStatistics.of(trials).scores(drawn)
    known = [trial.score for trial in trials if trial.state == "complete"]
    return np.minimum(np.where(np.isnan(found), min(known), found), max(known))


def _distinct_draws(space: Space, rng: np.random.Generator) -> tuple[list[Point], Array]:
    """Points that random searches draw, at most `N_DRAWS`, and how often each was drawn."""
    points: dict[Hashable, Point] = {}
    times: Counter[Hashable] = Counter()
    for _ in range(BATCHES):
        drawn = space.sample(N_DRAWS, rng)
        if len(points) == N_DRAWS:
            continue  # it draws all the same, so that what follows does not depend on the space
        for key, point in zip(space.keys(drawn), drawn, strict=True):
            if len(points) == N_DRAWS:
                break
            points.setdefault(key, point)
            times[key] += 1
    return [*points.values()], np.array([times[key] for key in points], dtype=float)


@lru_cache(maxsize=8)
def _subset_weights(N: int) -> Array:
    """(N, N) array: row m - 1 holds C(i - 1, m - 1) / C(N, m) for i = 1 ... N."""
    i, m = np.arange(1, N + 1)[None, :], np.arange(1, N + 1)[:, None]

    def log_choose(n: Any, k: Any) -> Array:
        return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))

    weights = np.exp(log_choose(i - 1, m - 1) - log_choose(N, m))  # 0 for i < m
    return weights / weights.sum(axis=1, keepdims=True)
