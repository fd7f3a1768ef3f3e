"""Plots of a study: frozen series are extracted first, then drawn onto given Axes.

`data` extracts the series from a study, `model_averages` and `dependence` from the surrogate
fitted to its trials. The other modules draw. A plot function takes a study or its series, draws
onto the given Axes or makes some, and returns them; it changes no global style. matplotlib is
loaded when the first plot function is used.

>>> from gpsearch.plotting import convergence_series
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpsearch.plotting.convergence import plot_convergence
    from gpsearch.plotting.data import convergence_series, evaluations_series
    from gpsearch.plotting.dependence import (
        partial_dependence_map_series,
        partial_dependence_series,
    )
    from gpsearch.plotting.evaluations import plot_evaluations
    from gpsearch.plotting.importance import plot_importance
    from gpsearch.plotting.live import LiveConvergence
    from gpsearch.plotting.model_averages import fit_score_model
    from gpsearch.plotting.partial import plot_partial_dependence, plot_partial_dependence_matrix
    from gpsearch.plotting.slices import plot_parallel_coordinates, plot_slices
    from gpsearch.plotting.strategies import (
        plot_comparison,
        plot_differences,
        plot_time_to_target,
    )
    from gpsearch.plotting.trials import (
        plot_fold_spread,
        plot_learning_curves,
        plot_recheck,
        plot_timeline,
    )

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
    "plot_evaluations",
    "plot_fold_spread",
    "plot_importance",
    "plot_learning_curves",
    "plot_parallel_coordinates",
    "plot_partial_dependence",
    "plot_partial_dependence_matrix",
    "plot_recheck",
    "plot_slices",
    "plot_time_to_target",
    "plot_timeline",
]

_HOMES = {
    "convergence": ["plot_convergence"],
    "data": ["convergence_series", "evaluations_series"],
    "dependence": ["partial_dependence_map_series", "partial_dependence_series"],
    "evaluations": ["plot_evaluations"],
    "trials": ["plot_fold_spread", "plot_learning_curves", "plot_recheck", "plot_timeline"],
    "importance": ["plot_importance"],
    "live": ["LiveConvergence"],
    "model_averages": ["fit_score_model"],
    "partial": ["plot_partial_dependence", "plot_partial_dependence_matrix"],
    "slices": ["plot_parallel_coordinates", "plot_slices"],
    "strategies": ["plot_comparison", "plot_differences", "plot_time_to_target"],
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
