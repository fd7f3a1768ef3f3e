"""The numbers along an axis, as users write them."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
    ScalarFormatter,
)

from gpsearch.described import digits_within, number
from gpsearch.plotting.axes import few_log_ticks

MOST_DIGITS = 15  # of a number at a tick


class WholeNumbers(ScalarFormatter):
    """Whole numbers: 0.99985 and 9.4e-10 can be read, 9.4 beside the 1e-10 of the axis hardly."""

    def __init__(self) -> None:
        super().__init__(useOffset=False)

    def format_ticks(self, values: Any) -> list[str]:
        """The numbers at all ticks; with an exponent, as many digits as tell them apart."""
        texts = super().format_ticks(values)
        if not super().get_offset():  # no exponent
            return texts
        places = np.asarray(values, float)
        near = 0.01 * float(np.min(np.diff(places), initial=np.abs(places).max(initial=0.0)))
        for digits in range(1, MOST_DIGITS + 1):
            texts = [number(value, digits) for value in values]
            if all(abs(float(t) - v) <= near for t, v in zip(texts, values, strict=True)):
                break
        return texts

    def get_offset(self) -> str:
        """Nothing at the end of the axis."""
        return ""


def plain_scale(ax: Axes) -> None:
    """Write whole numbers along `ax`."""
    for axis in (ax.xaxis, ax.yaxis):
        if isinstance(axis.get_major_formatter(), ScalarFormatter):
            axis.set_major_formatter(WholeNumbers())


def log_ticks(axis: Axis, low: float, high: float) -> None:
    """Few round numbers along a logarithmic axis."""
    few = few_log_ticks(low, high, 5)
    if high / low >= 100:
        axis.set_major_locator(LogLocator(numticks=4))
    elif len(few) > 1:
        axis.set_major_locator(FixedLocator(few))
    else:
        axis.set_major_locator(MaxNLocator(3))
    if high / low < 100:
        axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda v, _: number(v, digits_within(low, high))))
    axis.set_minor_formatter(NullFormatter())
