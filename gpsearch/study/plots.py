"""The plots of a study as its methods; each draws with the function of `gpsearch.plotting`."""

from __future__ import annotations

from typing import Any


class StudyPlots:
    """What `Study` takes its plot methods from; matplotlib is loaded when one is called."""

    def plot_convergence(self: Any, ax: Any = None, **options: Any) -> Any:
        """See `gpsearch.plotting.plot_convergence`."""
        from gpsearch.plotting import plot_convergence

        return plot_convergence(self, ax=ax, **options)

    def plot_partial_dependence(self: Any, *args: Any, **options: Any) -> Any:
        """See `gpsearch.plotting.plot_partial_dependence`."""
        from gpsearch.plotting import plot_partial_dependence

        return plot_partial_dependence(self, *args, **options)

    def plot_partial_dependence_matrix(self: Any, *args: Any, **options: Any) -> Any:
        """See `gpsearch.plotting.plot_partial_dependence_matrix`."""
        from gpsearch.plotting import plot_partial_dependence_matrix

        return plot_partial_dependence_matrix(self, *args, **options)

    def plot_evaluations(self: Any, *args: Any, **options: Any) -> Any:
        """See `gpsearch.plotting.plot_evaluations`."""
        from gpsearch.plotting import plot_evaluations

        return plot_evaluations(self, *args, **options)

    def plot_slices(self: Any, *args: Any, **options: Any) -> Any:
        """See `gpsearch.plotting.plot_slices`."""
        from gpsearch.plotting import plot_slices

        return plot_slices(self, *args, **options)

    def plot_parallel_coordinates(self: Any, *args: Any, **options: Any) -> Any:
        """See `gpsearch.plotting.plot_parallel_coordinates`."""
        from gpsearch.plotting import plot_parallel_coordinates

        return plot_parallel_coordinates(self, *args, **options)

    def plot_importance(self: Any, ax: Any = None) -> Any:
        """See `gpsearch.plotting.plot_importance`."""
        from gpsearch.plotting import plot_importance

        return plot_importance(self, ax=ax)

    def plot_learning_curves(self: Any, *args: Any, **options: Any) -> Any:
        """See `gpsearch.plotting.plot_learning_curves`."""
        from gpsearch.plotting import plot_learning_curves

        return plot_learning_curves(self, *args, **options)

    def plot_fold_spread(self: Any, *args: Any, **options: Any) -> Any:
        """See `gpsearch.plotting.plot_fold_spread`."""
        from gpsearch.plotting import plot_fold_spread

        return plot_fold_spread(self, *args, **options)

    def plot_timeline(self: Any, ax: Any = None) -> Any:
        """See `gpsearch.plotting.plot_timeline`."""
        from gpsearch.plotting import plot_timeline

        return plot_timeline(self, ax=ax)

    def watch(self: Any) -> Any:
        """Show the convergence in a notebook; see `gpsearch.plotting.LiveConvergence`."""
        from gpsearch.plotting import LiveConvergence

        return LiveConvergence(self)
