"""A length of time as text, and how long a search still takes."""

import statistics
from collections.abc import Sequence
from itertools import pairwise

from gpsearch.study.trial import Trial

LAST_TRIALS = 10  # whose pace is taken
LONGEST_BETWEEN = 2.0  # seconds between two trials, but for a pause of the search
UNITS = (("h", 3600.0), ("min", 60.0))


def duration(seconds: float) -> str:
    """A length of time with two digits that matter.

    >>> duration(0.0123), duration(42.7), duration(754), duration(9000), duration(4.5e5)
    ('12 ms', '43 s', '13 min', '2.5 h', '125 h')
    """
    if 0 < seconds < 1:
        return f"{_rounded(1000 * seconds)} ms"
    for unit, length in UNITS:
        if seconds >= 1.5 * length:
            return f"{_rounded(seconds / length)} {unit}"
    return f"{_rounded(seconds)} s"


def seconds_left(evaluated: Sequence[Trial], n_left: int) -> float | None:
    """Seconds that `n_left` more trials take, by the time from end to end, pauses not counted."""
    ended = sorted((t for t in evaluated if t.ended is not None), key=lambda t: t.ended or 0.0)
    if not ended:
        return None
    paces = [
        min((b.ended or 0.0) - (a.ended or 0.0), 2 * b.seconds + LONGEST_BETWEEN)
        for a, b in pairwise(ended[-LAST_TRIALS - 1 :])
    ] or [ended[0].seconds]
    return n_left * statistics.fmean(paces)


def _rounded(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"
