"""Numbers and names as text, on axes and in tables."""

import math
import statistics
from collections.abc import Sequence

from gpsearch.described import FROM_1, number


def literal(text: str) -> str:
    r"""Escape text so that matplotlib draws it as it is, not as a formula.

    >>> print(literal("$x"), literal("caf\udce9"))
    \$x caf?
    """
    return text.encode(errors="replace").decode().replace("$", r"\$")


def aligned(values: Sequence[float], digits: int = 4) -> list[str]:
    """Format the numbers of a column with the same decimals: `digits` for the median.

    >>> aligned([0.86, 0.91234, float("nan"), 1.0]), aligned([12.5, 3.25, 40.0])
    (['0.8600', '0.9123', '', '1.0000'], ['12.50', '3.25', '40.00'])

    A number that would be rounded to 0 keeps two digits, and one less than 1 is not rounded to 1.

    >>> aligned([0.5, 1e-7, 0.99997]), aligned([-0.0, 2.0])
    (['0.5000', '1e-7', '0.99997'], ['0.000', '2.000'])
    """
    sizes = [abs(value) for value in values if math.isfinite(value) and value != 0]
    typical = statistics.median(sizes) if sizes else 0.0
    if not 1e-6 <= typical < 1e6:
        return [number(value, digits) if math.isfinite(value) else "" for value in values]
    places = max(digits - math.ceil(math.log10(typical)), 0)
    least = 0.5 * 10.0**-places
    return [
        ""
        if not math.isfinite(value)
        else number(value, 2)
        if 0 < abs(value) < least or 1.0 - least < abs(value) < 1.0 - FROM_1
        else f"{value + 0.0:.{places}f}"
        for value in values
    ]
