"""Which of many observations a Gaussian process rests on."""

import numpy as np
from numpy.typing import NDArray

from gpsearch.surrogate.kernels import Array

FITTED_ON, FITTED_ON_AT_MOST, FITTED_ON_PER_DIMENSION = 64, 300, 8  # see `fitted_on`


def fitted_on(n: int, d: int) -> int:
    """Number of the n observations on which the hyperparameters are fitted.

    Half of them, but at least 64 and 8 for each of d dimensions, and at most 300: that suffices
    for d + 3 numbers, and the cost of a fit is cubic. The posterior takes all observations.
    Searches of 100 evaluations ended no worse for it on 14 tables and surrogates of real trainings,
    20 seeds each.

    >>> fitted_on(50, 8), fitted_on(100, 8), fitted_on(100, 14), fitted_on(2000, 8)
    (50, 64, 100, 300)
    """
    least = max(FITTED_ON, FITTED_ON_PER_DIMENSION * d)
    return min(n, FITTED_ON_AT_MOST, max(least, n // 2))


def representatives(y: Array, number: int) -> NDArray[np.intp]:
    """Rows to fit on: half of `number` are the best, the others lie evenly over the ranks.

    The choice depends on the losses alone, not on their order.

    >>> representatives(np.array([5.0, 1.0, 4.0, 2.0, 3.0]), 4)
    array([1, 3, 4, 0])
    """
    order = np.argsort(y, kind="stable")
    if len(y) <= number:
        return np.arange(len(y))
    best = number // 2
    spread = np.linspace(best, len(y) - 1, number - best).round().astype(np.intp)
    return order[np.concatenate([np.arange(best), spread])]


def evenly(n: int, number: int) -> NDArray[np.intp]:
    """At most `number` of n rows, evenly over time: for fits to losses of known noise.

    Of losses that were chosen for being low, the noise is lower than of all.

    >>> evenly(3, 5), evenly(9, 5)
    (array([0, 1, 2]), array([0, 2, 4, 6, 8]))
    """
    return np.linspace(0, n - 1, min(n, number)).round().astype(np.intp)
