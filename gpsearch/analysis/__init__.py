"""Questions asked of one study: what random search would have found, what mattered, what holds.

`best_of_random` estimates a random search of the same space, `importance` the share of each
dimension in the differences between scores, `recheck` what the best scores are worth on fresh
splits, `one_standard_error` which params are as good and simpler. `posterior` holds what they
share: the surrogate of a finished study. Nothing here writes a study.
"""

from gpsearch.analysis.best_of_random import RandomEstimate, estimate_random
from gpsearch.analysis.one_standard_error import OneStandardError, one_standard_error
from gpsearch.analysis.recheck import Recheck, recheck
from gpsearch.analysis.sensitivity import Importance, estimate_importance

__all__ = [
    "Importance",
    "OneStandardError",
    "RandomEstimate",
    "Recheck",
    "estimate_importance",
    "estimate_random",
    "one_standard_error",
    "recheck",
]
