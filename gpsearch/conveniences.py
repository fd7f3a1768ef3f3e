"""Plots, report and result as methods of a study and of a comparison.

`Study` and `Comparison` do not import the rooms that draw and describe them: the methods that need
these rooms are attached here when gpsearch is imported. Each loads its room when it is called.
Within the package, the functions are called instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gpsearch.comparison import Comparison
from gpsearch.errors import public
from gpsearch.study import Study
from gpsearch.study.study import StudyPath

if TYPE_CHECKING:
    import pandas as pd
    from scipy.optimize import OptimizeResult

PLOTS: dict[type, tuple[str, ...]] = {
    Study: (
        "plot_convergence",
        "plot_partial_dependence",
        "plot_partial_dependence_matrix",
        "plot_evaluations",
        "plot_slices",
        "plot_parallel_coordinates",
        "plot_importance",
        "plot_learning_curves",
        "plot_fold_spread",
        "plot_timeline",
    ),
    Comparison: ("plot_comparison", "plot_differences", "plot_time_to_target"),
}
"""Functions of `gpsearch.plotting` that are methods as well."""


def result(study: Study) -> OptimizeResult:
    """The study as an OptimizeResult of scikit-optimize, which its plots take."""
    from gpsearch.optimizer import study_result

    return study_result(study)


@public()
def report(self: Study | Comparison, path: StudyPath, **options: Any) -> Any:
    """Write one self-contained HTML page; see `gpsearch.report.render_report`."""
    from gpsearch.report import render_report

    return render_report(self, path, **options)


def watch(self: Study) -> Any:
    """Show the convergence in a notebook; see `gpsearch.plotting.LiveConvergence`."""
    from gpsearch.plotting import LiveConvergence

    return LiveConvergence(self)


def study_html(self: Study) -> str:
    """What a notebook shows; see `gpsearch.report.render_summary`."""
    from gpsearch.report import render_summary

    return render_summary(self)


def table(self: Comparison, confidence: float = 0.95) -> pd.DataFrame:
    """One row a strategy: its score at the end with the band, and how it compares."""
    from gpsearch.comparison.summary import table

    return table(self, confidence)


def summary(self: Comparison, confidence: float = 0.95) -> str:
    """Table and conclusions as text, for print."""
    from gpsearch.comparison.summary import summary

    return summary(self, confidence)


def comparison_html(self: Comparison) -> str:
    """What a notebook shows."""
    from gpsearch.comparison.summary import summary_html

    return summary_html(self)


def plot(name: str) -> Callable[..., Any]:
    """The method that calls a function of `gpsearch.plotting`."""

    def method(self: Any, *args: Any, **options: Any) -> Any:
        import gpsearch.plotting

        return getattr(gpsearch.plotting, name)(self, *args, **options)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"See `gpsearch.plotting.{name}`."
    return method


METHODS: dict[type, dict[str, Any]] = {
    Study: {
        "result": property(result),
        "report": report,
        "watch": watch,
        "_repr_html_": study_html,
    },
    Comparison: {
        "table": table,
        "summary": summary,
        "report": report,
        "__str__": summary,
        "_repr_html_": comparison_html,
    },
}

for owner, methods in METHODS.items():
    for name, attached in (methods | {name: plot(name) for name in PLOTS[owner]}).items():
        setattr(owner, name, attached)
