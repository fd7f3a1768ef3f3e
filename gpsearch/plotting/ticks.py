"""The numbers along an axis, as users write them."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import (
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
    ScalarFormatter,
)

from gpsearch.described import digits_within, number

DIGITS = 12  # of a number with an exponent, as far as they are not zeros


class WholeNumbers(ScalarFormatter):
    """Whole numbers: 0.99985 and 9.4e-10 can be read, 9.4 beside the 1e-10 of the axis hardly."""

    def format_ticks(self, values: Any) -> list[str]:
        """The numbers at all ticks."""
        texts = super().format_ticks(values)
        if super().get_offset():  # an exponent
            return [number(value, DIGITS) for value in values]
        return texts

    def get_offset(self) -> str:
        """Nothing at the end of the axis."""
        return ""


def plain_scale(ax: Axes) -> None:
    """Write whole numbers along `ax`."""
    for axis in (ax.xaxis, ax.yaxis):
        if isinstance(axis.get_major_formatter(), ScalarFormatter):
            axis.set_major_formatter(WholeNumbers(useOffset=False))


def log_ticks(axis: Axis, low: float, high: float, most: int = 4) -> None:
    """Few round numbers along a logarithmic axis."""
    if high / low >= 100:
        axis.set_major_locator(LogLocator(numticks=most))
    else:
        close = high / low < 5  # may hold none of 1, 2, 5, 10, ... or one
        subs = (1, 2, 5) if high / low < 20 else (1, 3)  # five labels or less
        axis.set_major_locator(MaxNLocator(3) if close else LogLocator(subs=subs, numticks=5))
        axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda v, _: number(v, digits_within(low, high))))
    axis.set_minor_formatter(NullFormatter())
