"""The loop: from an objective and a space to a study, through any executor.

`search` reads its arguments, `repeats` those of a comparison; `session` opens the study and records
how the call ended. A `plan` chooses what starts next, `run` records the results. Trials run in
this process or on `workers`. A resumed search is the same search, because every
random number of a trial comes from the study's seed and the trial's number (in a comparison, the
repeat and the configuration), and each step is in the study before the next is decided.
"""

from typing import TYPE_CHECKING

from gpsearch.lazily import load_when_used

if TYPE_CHECKING:
    from gpsearch.execution.rules.below_noise import BelowNoise
    from gpsearch.execution.rules.stopping import (
        ExpectedGain,
        NoImprovement,
        StopReason,
        TargetScore,
    )
    from gpsearch.execution.search import search

_HOMES = load_when_used(  # a worker process needs none of them
    __name__,
    {
        "rules.below_noise": ("BelowNoise",),
        "rules.stopping": ("ExpectedGain", "NoImprovement", "StopReason", "TargetScore"),
        "search": ("search",),
    },
)
__all__ = [*_HOMES]
