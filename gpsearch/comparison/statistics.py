"""The statistics of a comparison: arrays in, intervals out; greater is better throughout.

=========== ================================================================ =========
symbol      meaning                                                          shape
=========== ================================================================ =========
R           repeats: pairs of runs of two strategies with the same seed      scalar
n           evaluations                                                      scalar
B           best score so far                                                (R, n)
d           difference of two strategies, repeat by repeat                   (R, ...)
=========== ================================================================ =========

For few repeats the percentile bootstrap of a mean is too narrow, by the factor
``sqrt((R - 1) / R)`` and by the difference between the normal and the t distribution: at R = 5
its 95 % intervals hold the true mean about 84 % of the time. Its percentiles are therefore
expanded, from ``alpha / 2`` to

    alpha' / 2 = Phi(-sqrt(R / (R - 1)) t_{R - 1; 1 - alpha / 2})

(Hesterberg 2015, What teachers should know about the bootstrap, section 4.1.2, "expanded
percentile interval"). Still, no resample reaches beyond the data: with two normal repeats the
widest interval holds the true mean half of the time, with three 75 %. Each end of an interval is
therefore the outer one of the bootstrap's, which follows skewness, and Student's t's, which needs
few repeats.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gpsearch.arguments import fraction
from gpsearch.evaluation import told_apart

Array = NDArray[np.float64]

RESAMPLES = 9_999
EXACT_SIGNS = 13  # repeats up to which all 2**R signs of the differences are tried


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate and its confidence interval."""

    value: float
    """The estimate."""
    low: float
    """Lower end."""
    high: float
    """Upper end."""

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside."""
        return self.low > 0.0 or self.high < 0.0

    def within(self, least: float, greatest: float) -> "Interval":
        """Its part between two bounds, which hold the estimate."""
        return Interval(value=self.value, low=max(self.low, least), high=min(self.high, greatest))

    def map(self, rising: Callable[[float], float]) -> "Interval":
        """The interval of a rising function of what is estimated."""
        return Interval(value=rising(self.value), low=rising(self.low), high=rising(self.high))


@dataclass(frozen=True, kw_only=True)
class Band:
    """A mean over repeats after each evaluation, with a confidence interval at each."""

    mean: Array
    """(n,) means."""
    low: Array
    """(n,) lower ends."""
    high: Array
    """(n,) upper ends."""

    def within(self, least: float, greatest: float) -> "Band":
        """Its part between two bounds, which hold the means."""
        low, high = np.maximum(self.low, least), np.minimum(self.high, greatest)
        return Band(mean=self.mean, low=low, high=high)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How much better one strategy is than another; positive is better, in units of the score."""

    strategy: str
    """The strategy that is judged."""
    baseline: str
    """The strategy that it is compared with."""
    end: Interval
    """Difference of the best scores at the end, paired by repeat."""
    area: Interval
    """Difference of the best score so far, averaged over the middle half of the run."""
    better: Interval
    """Probability that the strategy has the better score at the end."""
    p: float
    """Wilcoxon's signed-rank test of the differences at the end."""
    p_holm: float
    """The same, with Holm's correction for the number of strategies compared."""


@dataclass(frozen=True, kw_only=True)
class Saving:
    """What a strategy saves over random search for the same score."""

    strategy: str
    """Name of the strategy."""
    n: int
    """Evaluations that it made."""
    random_evaluations: Interval
    """Evaluations after which random search expects the same score; infinite where they are more
    than `most`."""
    most: int
    """Configurations that random search evaluated in all repeats: no estimate goes further."""
    seconds: float
    """Mean time of a run of the strategy, its proposals included."""
    random_seconds: Interval
    """Time in which random search expects the same score."""

    @property
    def evaluations(self) -> Interval:
        """Evaluations saved: those of random search less its own."""
        return self.random_evaluations.map(lambda needed: needed - self.n)


def differences_of(scores: Array, others: Array) -> Array:
    """(R,) differences ``scores - others``, to 10 digits; 0 where the scores are equal.

    Further digits are what rounding leaves, which is neither a win nor a spread.

    >>> differences_of(np.array([0.6, 0.9, 0.1 + 0.2]), np.array([0.5, 0.8, 0.3]))
    array([0.1, 0.1, 0. ])
    """
    equal = [told_apart(a) == told_apart(b) for a, b in zip(scores, others, strict=True)]
    return np.array(
        [
            0.0 if same else float(f"{d:.10g}")
            for same, d in zip(equal, scores - others, strict=True)
        ]
    )


def expanded_confidence(confidence: float, n: int) -> float:
    """Level at which the percentile bootstrap of n values covers `confidence`; see the module.

    >>> round(expanded_confidence(0.95, 5), 4), round(expanded_confidence(0.95, 1000), 4)
    (0.9981, 0.9504)
    """
    t = stats.t.ppf((1.0 + confidence) / 2.0, n - 1)
    return float(1.0 - 2.0 * stats.norm.cdf(-math.sqrt(n / (n - 1)) * t))


def mean_band(values: Array, confidence: float = 0.95) -> Band:
    """Mean of the (R, n) `values` over R >= 2 repeats, with its interval; see the module."""
    fraction("confidence", confidence)
    mean, n = values.mean(axis=0), len(values)
    found = stats.bootstrap(
        (values,),
        np.mean,
        axis=0,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=500,
        confidence_level=expanded_confidence(confidence, n),
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    t = stats.t.ppf((1.0 + confidence) / 2.0, n - 1) * stats.sem(values, axis=0)
    return Band(
        mean=mean, low=np.minimum(found.low, mean - t), high=np.maximum(found.high, mean + t)
    )


def mean_interval(values: Array, confidence: float = 0.95) -> Interval:
    """Mean of the (R,) `values`, R >= 2, with its interval; see `mean_band`.

    For paired differences this is the paired bootstrap.

    >>> interval = mean_interval(np.array([1.0, 2.0, 3.0, 2.0, 2.0]))
    >>> interval.value, interval.excludes_zero
    (2.0, True)
    """
    band = mean_band(values[:, None], confidence)
    return Interval(value=float(band.mean[0]), low=float(band.low[0]), high=float(band.high[0]))


def mean_draws(values: Array, number: int, rng: np.random.Generator) -> Array:
    """(number,) draws of the mean behind the (R,) `values`: ``mean + s / sqrt(R) t_{R - 1}``."""
    return np.asarray(
        values.mean() + stats.sem(values) * rng.standard_t(len(values) - 1, size=number)
    )


def win_probability(differences: Array, confidence: float = 0.95) -> Interval:
    """Share of the repeats that were won, ties as halves, with Jeffreys' interval.

    The interval is that of ``Beta(w + 1/2, R - w + 1/2)`` for w wins (Brown, Cai & DasGupta 2001,
    Interval estimation for a binomial proportion), which has a width even when all were won.

    >>> won = win_probability(np.array([0.1, 0.2, 0.3, 0.1, 0.4]))
    >>> won.value, round(won.low, 2), won.high
    (1.0, 0.62, 1.0)
    """
    repeats = len(differences)
    wins = float((differences > 0).sum() + 0.5 * (differences == 0).sum())
    tail = (1.0 - confidence) / 2.0
    posterior = stats.beta(wins + 0.5, repeats - wins + 0.5)
    low = 0.0 if wins == 0 else float(posterior.ppf(tail))
    high = 1.0 if wins == repeats else float(posterior.ppf(1.0 - tail))
    return Interval(value=wins / repeats, low=low, high=high)


def wilcoxon_p(differences: Array) -> float:
    """Two-sided p of Wilcoxon's signed-rank test that the differences are symmetric around zero.

    Exact for up to 50 differences. Where some are zero (these are ranked too: Pratt 1959) or
    tied, the signs are permuted, exhaustively up to 13 differences. With R repeats p cannot fall
    below `least_p`.

    >>> wilcoxon_p(np.array([0.1, 0.2, 0.3, 0.15, 0.4])), wilcoxon_p(np.zeros(5))
    (0.0625, 1.0)
    """
    if not np.any(differences):
        return 1.0
    if np.all(differences) and len(np.unique(np.abs(differences))) == len(differences):
        return float(stats.wilcoxon(differences).pvalue)
    permutations = stats.PermutationMethod(
        n_resamples=2**EXACT_SIGNS + 1, rng=np.random.default_rng(0)
    )
    return float(stats.wilcoxon(differences, zero_method="pratt", method=permutations).pvalue)


def least_p(repeats: int) -> float:
    """The smallest p that `wilcoxon_p` can give: ``2 / 2**R``."""
    return 2.0 / 2.0**repeats


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for multiple tests (Holm 1979).

    ``p'_(i) = max_{j <= i} min(1, (k - j + 1) p_(j))`` for the k values in rising order.

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    p = np.array(p_values)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(np.minimum(1.0, np.arange(len(p), 0, -1) * p[order]))
    return adjusted.tolist()
