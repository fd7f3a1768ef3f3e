"""A length of time as text."""

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


def _rounded(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"
