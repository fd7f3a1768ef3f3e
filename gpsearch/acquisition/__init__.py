"""What a point is worth trying for, and where that is greatest.

`improvement` values points under a surrogate, `weighting` by what else counts; `maximisation` finds
the most valuable one of a space of numbers and categories, under conditions and a constraint.
"""

from gpsearch.acquisition.improvement import (
    Acquisition,
    LogExpectedImprovement,
    LogProbabilityOfImprovement,
    LowerConfidenceBound,
)
from gpsearch.acquisition.maximisation import Effort, maximise
from gpsearch.acquisition.weighting import PerCost, WeightedByFeasibility, WeightedByPrior

__all__ = [
    "Acquisition",
    "Effort",
    "LogExpectedImprovement",
    "LogProbabilityOfImprovement",
    "LowerConfidenceBound",
    "PerCost",
    "WeightedByFeasibility",
    "WeightedByPrior",
    "maximise",
]
