"""Scores as text, as precise as their error lets them be."""

import math

from gpsearch.described import LARGE, number

DIGITS = 6  # of a score without an error
ROUNDING = 1e-12  # share of the score below which an error is that of rounding
SMALL = 1e-4  # below it, an exponent stands for the zeros after the point


def score_text(score: float, error: float = math.nan) -> str:
    """A score and its standard error, which decides the digits.

    >>> score_text(0.99613, 0.00123), score_text(1234.5, 60.0), score_text(0.9961)
    ('0.9961 ± 0.0012', '1234 ± 60', '0.9961')
    >>> score_text(1.23456789e12, 4.5e10), score_text(3.2123e-7, 1.21e-9)
    ('1.235e12 ± 4.5e10', '3.212e-7 ± 1.2e-9')
    """
    size = max(abs(score), error)
    if not (math.isfinite(size) and error > ROUNDING * size):
        return number(score, DIGITS)
    last = math.floor(math.log10(error)) - 1  # place of the second digit of the error
    if SMALL <= size < LARGE:
        places = max(0, -last)
        return f"{score:.{places}f} ± {error:.{places}f}"
    return f"{number(score, 1 + math.floor(math.log10(size)) - last)} ± {number(error, 2)}"
