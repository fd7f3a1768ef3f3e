"""What a strategy gains: its difference from another, and what it saves over random search."""

from dataclasses import dataclass

from gpsearch.comparison.statistics import Interval


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
