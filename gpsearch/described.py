"""What an object is in a few named facts, as text and as a card in a notebook; numbers as text."""

import math
import re
import statistics
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH = 100  # characters of a line
LARGE = 1e7  # from here on, digits before the point are left out
SMALL = 1e-4  # below it, an exponent stands for the zeros after the point
FROM_1 = 1e-6  # what is nearer to 1 may be shown as 1
SCORE_DIGITS = 6  # of a score without an error
ROUNDING = 1e-12  # share of a score below which its error is that of rounding
UNITS = (("h", 3600.0), ("min", 60.0))

CARD = '<div style="font-family: system-ui, sans-serif; line-height: 1.4; max-width: 46em">'
NAME = '<td style="text-align: left; padding: 0 1.2em 0 0; opacity: 0.7; vertical-align: top">'
VALUE = '<td style="text-align: left; padding: 0">'


class Described:
    """A class whose `_facts` are what it prints, one a line, and shows in a notebook."""

    def _title(self) -> str:
        """What it is, in one line."""
        raise NotImplementedError

    def _facts(self) -> Mapping[str, str]:
        """At most four facts; those that are empty are left out."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{self._title()}>"

    def __str__(self) -> str:
        shown = {name: value for name, value in self._facts().items() if value}
        width = max(map(len, shown), default=0)
        lines = [self._title(), *(f"  {name:<{width}}  {value}" for name, value in shown.items())]
        return "\n".join(one_line(line) for line in lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr>{NAME}{escape(name)}</td>{VALUE}{escape(value)}</td></tr>"
            for name, value in self._facts().items()
            if value
        )
        return f"{CARD}<strong>{escape(self._title())}</strong><table>{rows}</table></div>"


def values_text(values: Mapping[str, Any], digits: Mapping[str, int] | None = None) -> str:
    """Named values in one line; floats with their `digits`, or three.

    >>> values_text({"lr": 0.0123456, "opt": "adam"})
    'lr=0.0123, opt=adam'
    """
    known = digits or {}
    return ", ".join(f"{name}={value_text(v, known.get(name, 3))}" for name, v in values.items())


def value_text(value: Any, digits: int = 3) -> str:
    """A value of a configuration as text: floats with so many digits, functions by their names.

    >>> value_text(0.00123456), value_text(128), value_text("relu"), value_text((32, 16))
    ('0.00123', '128', 'relu', '(32, 16)')
    >>> value_text(True), value_text(len), value_text(0.00123456, 4)
    ('True', 'len', '0.001235')
    """
    if isinstance(value, float):
        return number(value, digits)
    return str(getattr(value, "__name__", None) or value)


def digits_within(low: float, high: float) -> int:
    """Digits that tell the values of a range apart, as three do from 0 on.

    >>> digits_within(1e-4, 1.0), digits_within(0.9, 0.9999), digits_within(1000.0, 1001.0)
    (3, 4, 6)
    """
    return 3 + max(0, round(math.log10(max(abs(low), abs(high)) / (high - low))))


def number(value: float, digits: int = 3) -> str:
    """Format a number, without an exponent from 0.001 to 9,999,999 unless that is exact.

    What is less than 1 is not rounded to 1, which says that it is perfect, or at its bound.

    >>> number(0.1 + 0.2), number(1e-5), number(128.0), number(48000)
    ('0.3', '1e-5', '128', '48000')
    >>> number(5030862.0), number(5e6), number(5.030862e8)
    ('5030862', '5e6', '5.03e8')
    >>> number(0.9996), number(-0.99996, 4), number(1 - 1e-9)
    ('0.9996', '-0.99996', '1')
    """
    if not math.isfinite(value):
        return str(value)
    if value == 0:
        return "0"
    if (left := 1.0 - abs(value)) > FROM_1:
        digits = max(digits, math.ceil(-math.log10(left)))
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    short = f"{_without_zeros(mantissa)}e{int(exponent)}"
    if not 1e-3 <= abs(value) < LARGE or (abs(value) >= 1e6 and float(short) == value):
        return short
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:.{places}f}"
    return _without_zeros(text)


def number_beside(value: float, larger: float, digits: int = 2) -> str:
    """Format a number with the decimals of a larger one beside it, or those of its first digit.

    >>> number_beside(0.00312, 0.067), number_beside(3.12e-4, 0.067), number_beside(3e-9, 2e-8)
    ('0.003', '0.0003', '3e-9')
    >>> number_beside(9.2e-4, 0.8897, digits=4)
    '0.0009'
    """
    text = number(larger, digits)
    if "e" in text or not 1e-6 <= abs(value) < math.inf:
        return number(value, 2)
    places = max(len(text.partition(".")[2]), -math.floor(math.log10(abs(value))))
    text = f"{value:.{places}f}"
    return _without_zeros(text)


def score_text(score: float, error: float = math.nan) -> str:
    """A score and its standard error, which decides the digits.

    >>> score_text(0.99613, 0.00123), score_text(1234.5, 60.0), score_text(0.9961)
    ('0.9961 ± 0.0012', '1234 ± 60', '0.9961')
    >>> score_text(1.23456789e12, 4.5e10), score_text(3.2123e-7, 1.21e-9)
    ('1.235e12 ± 4.5e10', '3.212e-7 ± 1.2e-9')
    """
    size = max(abs(score), error)
    if not (math.isfinite(size) and error > ROUNDING * size):
        return number(score, SCORE_DIGITS)
    last = math.floor(math.log10(error)) - 1  # place of the second digit of the error
    if SMALL <= size < LARGE:
        places = max(0, -last)
        return f"{score:.{places}f} ± {error:.{places}f}"
    return f"{number(score, 1 + math.floor(math.log10(size)) - last)} ± {number(error, 2)}"


def aligned(values: Sequence[float], digits: int = 4) -> list[str]:
    """Format the numbers of a column with the same decimals: `digits` for the median.

    >>> aligned([0.86, 0.91234, float("nan"), 1.0]), aligned([12.5, 3.25, 40.0])
    (['0.8600', '0.9123', '', '1.0000'], ['12.50', '3.25', '40.00'])

    Small and large ones have an exponent. A number that would be rounded to 0 keeps two digits, and
    one less than 1 is not rounded to 1.

    >>> aligned([0.5, 1e-7, 0.99997]), aligned([-0.0, 2.0]), aligned([1.8414e-6, 1.0664e-5])
    (['0.5000', '1e-7', '0.99997'], ['0.000', '2.000'], ['1.841e-6', '1.066e-5'])
    """
    sizes = [abs(value) for value in values if math.isfinite(value) and value != 0]
    typical = statistics.median(sizes) if sizes else 0.0
    if not SMALL <= typical < LARGE:
        return [number(value, digits) if math.isfinite(value) else "" for value in values]
    places = max(digits - math.ceil(math.log10(typical)), 0)
    least = 0.5 * 10.0**-places

    def text(value: float) -> str:
        if not math.isfinite(value):
            return ""
        if 0 < abs(value) < least or 1.0 - least < abs(value) < 1.0 - FROM_1:
            return number(value, 2)
        return f"{value + 0.0:.{places}f}"

    return list(map(text, values))


def digits_apart(values: Sequence[float]) -> int:
    """Digits with which scores read apart: four, or two of their range.

    >>> digits_apart([0.86, 0.91]), digits_apart([0.9123456781, 0.9123456783]), digits_apart([])
    (4, 11, 4)
    """
    known = [value for value in values if math.isfinite(value)]
    size, span = (
        max(map(abs, known), default=0.0),
        max(known, default=0.0) - min(known, default=0.0),
    )
    if not (math.isfinite(span) and span > ROUNDING * size):
        return 4
    return max(4, 2 + math.floor(math.log10(size / span)))


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


def counted(n: int, what: str) -> str:
    """So many of `what`.

    >>> counted(1, "trial"), counted(3, "outer fold")
    ('1 trial', '3 outer folds')
    """
    return f"{n} {what}{'' if n == 1 else 's'}"


def printable(text: str) -> str:
    r"""A text that UTF-8 can hold: messages of user code may hold half a surrogate pair.

    >>> printable("\ud800 is half a pair")
    '? is half a pair'
    """
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def one_line(text: str) -> str:
    """A text in one line, cut where it is long."""
    line = re.sub(r"\s*\n\s*", " ", text)
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 4]} ..."


def _rounded(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
