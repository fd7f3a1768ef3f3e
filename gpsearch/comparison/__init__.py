"""Strategies side by side: the same folds, matched seeds, and what may honestly be concluded.

`compare` runs them into one study and reads it back; `comparison` holds the numbers, `statistics`
gives them intervals, `summary` puts them into words.
"""

from gpsearch.comparison.compare import compare, is_comparison, open_comparison
from gpsearch.comparison.comparison import Comparison
from gpsearch.comparison.statistics import Band, Difference, Interval, Saving

__all__ = [
    "Band",
    "Comparison",
    "Difference",
    "Interval",
    "Saving",
    "compare",
    "is_comparison",
    "open_comparison",
]
