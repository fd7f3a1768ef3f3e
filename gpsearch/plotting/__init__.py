"""Plots of a study: numbers are extracted first, then drawn onto given Axes.

`data` extracts the numbers of a study, `dependence` those of the surrogate fitted to its trials.
The other modules draw. A plot function takes a study, or what was extracted from it, draws onto
the given Axes or makes some, and returns them; it changes no global style. matplotlib is loaded
when the first plot function is used.

>>> from gpsearch.plotting import convergence_series
"""

from typing import TYPE_CHECKING

from gpsearch.lazily import load_when_used

if TYPE_CHECKING:
    from gpsearch.plotting.convergence import LiveConvergence, plot_convergence
    from gpsearch.plotting.costs import plot_trade_off
    from gpsearch.plotting.data import convergence_series, evaluations_series
    from gpsearch.plotting.dependence import (
        fit_score_model,
        partial_dependence_map_series,
        partial_dependence_series,
    )
    from gpsearch.plotting.evaluations import plot_parallel_coordinates, plot_slices
    from gpsearch.plotting.importance import plot_importance
    from gpsearch.plotting.partial import plot_partial_dependence
    from gpsearch.plotting.strategies import plot_comparison, plot_differences
    from gpsearch.plotting.trials import plot_fold_spread, plot_learning_curves, plot_timeline

_HOMES = load_when_used(
    __name__,
    {
        "convergence": ("LiveConvergence", "plot_convergence"),
        "costs": ("plot_trade_off",),
        "data": ("convergence_series", "evaluations_series"),
        "dependence": (
            *("fit_score_model", "partial_dependence_map_series"),
            "partial_dependence_series",
        ),
        "evaluations": ("plot_parallel_coordinates", "plot_slices"),
        "importance": ("plot_importance",),
        "partial": ("plot_partial_dependence",),
        "strategies": ("plot_comparison", "plot_differences"),
        "trials": ("plot_fold_spread", "plot_learning_curves", "plot_timeline"),
    },
)
__all__ = [*_HOMES]
