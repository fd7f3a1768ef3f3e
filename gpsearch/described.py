"""What an object is in a few named facts: as text, and as a card in a notebook."""

import math
import re
from collections.abc import Mapping
from html import escape
from typing import Any

WIDTH = 100  # characters of a line
LARGE = 1e7  # from here on, digits before the point are left out
FROM_1 = 1e-6  # what is nearer to 1 may be shown as 1

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
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    short = f"{mantissa}e{int(exponent)}"
    if not 1e-3 <= abs(value) < LARGE or (abs(value) >= 1e6 and float(short) == value):
        return short
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


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
    return text.rstrip("0").rstrip(".") if "." in text else text


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
