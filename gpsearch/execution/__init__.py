"""The loop: from an objective and a space to a study, through any executor.

`search` reads its arguments and opens the study; `run` says what starts next and what a result
means; `evaluation` runs one trial wherever it is sent. Every random number of a trial comes
from the study's seed and the trial's number, and each step is in the study before the next is
decided: that, and nothing else, is why a resumed search is the same search.
"""

from gpsearch.execution.rules.below_noise import BelowNoise
from gpsearch.execution.rules.stopping import NoImprovement, StopReason, TargetScore
from gpsearch.execution.search import search

__all__ = ["BelowNoise", "NoImprovement", "StopReason", "TargetScore", "search"]
