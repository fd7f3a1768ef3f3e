"""Scores as text, as precise as their error lets them be."""

import math

DIGITS = 6  # of a score without an error
LARGE = 1e7  # from here on, digits before the point are left out


def score_text(score: float, error: float = math.nan) -> str:
    """A score and its standard error, which decides the digits.

    >>> score_text(0.99613, 0.00123), score_text(1234.5, 60.0), score_text(0.9961)
    ('0.9961 ± 0.0012', '1234 ± 60', '0.9961')
    >>> score_text(1.23456789e12, 4.5e10)
    '1.23457e+12 ± 4.5e+10'
    """
    digits = decimals(error)
    if digits is None:
        return f"{score:.{DIGITS}g}"
    if max(abs(score), error) >= LARGE:
        return f"{score:.{DIGITS}g} ± {error:.2g}"
    return f"{score:.{digits}f} ± {error:.{digits}f}"


def decimals(error: float) -> int | None:
    """Decimals that show two digits of an error; None where it is not known, or tiny."""
    if not (math.isfinite(error) and error > 0):
        return None
    digits = max(0, 1 - math.floor(math.log10(error)))
    return digits if digits <= 2 * DIGITS else None
