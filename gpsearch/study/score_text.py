"""Scores as text, as precise as their error lets them be."""

from __future__ import annotations

import math

DIGITS = 6  # of a score without an error


def score_text(score: float, error: float = math.nan) -> str:
    """A score and its standard error, which decides the digits.

    >>> score_text(0.99613, 0.00123), score_text(1234.5, 60.0), score_text(0.9961)
    ('0.9961 ± 0.0012', '1234 ± 60', '0.9961')
    """
    digits = decimals(error)
    if digits is None:
        return f"{score:.{DIGITS}g}"
    return f"{score:.{digits}f} ± {error:.{digits}f}"


def decimals(error: float) -> int | None:
    """Decimals that show two digits of an error; None where it is not known, or tiny."""
    if not (math.isfinite(error) and error > 0):
        return None
    digits = max(0, 1 - math.floor(math.log10(error)))
    return digits if digits <= 2 * DIGITS else None
