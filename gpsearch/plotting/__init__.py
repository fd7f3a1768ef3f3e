"""Plots of a study: numbers are extracted first, then drawn onto given Axes.

`data` extracts the numbers of a study, `dependence` those of the surrogate fitted to its trials.
The other modules draw. A plot function takes a study, or what was extracted from it, draws onto
the given Axes or makes some, and returns them; it changes no global style. matplotlib is loaded
when the first plot function is used.

>>> from gpsearch.plotting import convergence_series
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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
    from gpsearch.plotting.strategies import plot_comparison, plot_differences, plot_time_to_target
    from gpsearch.plotting.trials import plot_fold_spread, plot_learning_curves, plot_timeline

__all__ = [
    "LiveConvergence",
    "convergence_series",
    "evaluations_series",
    "fit_score_model",
    "partial_dependence_map_series",
    "partial_dependence_series",
    "plot_comparison",
    "plot_convergence",
    "plot_differences",
    "plot_fold_spread",
    "plot_importance",
    "plot_learning_curves",
    "plot_parallel_coordinates",
    "plot_partial_dependence",
    "plot_slices",
    "plot_time_to_target",
    "plot_timeline",
    "plot_trade_off",
]

_DRAWING = (
    "convergence",
    "costs",
    "evaluations",
    "importance",
    "partial",
    "strategies",
    "trials",
)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module in _DRAWING:
            found = getattr(importlib.import_module(f"{__name__}.{module}"), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
