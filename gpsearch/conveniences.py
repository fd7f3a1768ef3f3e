"""Plots, report and result as methods of a study and of a comparison.

`Study` and `Comparison` do not import the rooms that draw and describe them: `lazily.extended`
attaches the methods named here when the classes are made. Each loads its room when it is called.
Within the package, the functions are called instead.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gpsearch.errors import public
from gpsearch.lazily import EXTENSIONS

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult

    from gpsearch.comparison import Comparison
    from gpsearch.study import Study
    from gpsearch.study.study import StudyPath

PLOTS: dict[str, tuple[str, ...]] = {
    "Study": (
        *("plot_convergence", "plot_partial_dependence", "plot_slices", "plot_importance"),
        *("plot_parallel_coordinates", "plot_learning_curves", "plot_fold_spread"),
        *("plot_timeline", "plot_trade_off"),
    ),
    "Comparison": ("plot_comparison", "plot_differences"),
}
"""Functions of `gpsearch.plotting` that are methods as well."""


def result(study: Study) -> OptimizeResult:
    """The study as an OptimizeResult of scikit-optimize, which its plots take."""
    from gpsearch.optimizer import study_result

    return study_result(study)


def report(self: Study | Comparison, path: StudyPath, **options: Any) -> Any:
    """Write one self-contained HTML page; see `gpsearch.report.render_report`."""
    from gpsearch.report import render_report

    return render_report(self, path, **options)


report.__qualname__ = "Study.report"  # an error then names the class of what it is called on


def method(name: str, home: str = "gpsearch.plotting") -> Callable[..., Any]:
    """The method that calls the function `name` of the module `home`, loaded when it is called."""

    def call(self: Any, *args: Any, **options: Any) -> Any:
        return getattr(importlib.import_module(home), name)(self, *args, **options)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"See `{home}.{name}`."
    return call


METHODS: dict[str, dict[str, Any]] = {
    "Study": {
        "result": property(result),
        "report": public()(report),
        "watch": method("LiveConvergence"),
        "forecast": method("forecast", "gpsearch.analysis"),
        "trade_off": method("trade_off", "gpsearch.analysis"),
        "best_ensemble": method("best_ensemble", "gpsearch.analysis"),
        "to_optuna": method("to_optuna", "gpsearch.optuna_study"),
        "estimate_importance": method("estimate_importance", "gpsearch.analysis"),
        "estimate_random": method("estimate_random", "gpsearch.analysis"),
        "one_standard_error": method("one_standard_error", "gpsearch.analysis"),
        "_repr_html_": method("render_summary", "gpsearch.report"),
    },
    "Comparison": {
        "table": method("table", "gpsearch.comparison.summary"),
        "summary": method("summary", "gpsearch.comparison.summary"),
        "report": public()(report),
        "__str__": method("summary", "gpsearch.comparison.summary"),
        "_repr_html_": method("summary_html", "gpsearch.comparison.summary"),
    },
}

for owner, methods in METHODS.items():
    EXTENSIONS[owner] = methods | {name: method(name) for name in PLOTS[owner]}
