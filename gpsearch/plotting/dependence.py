"""Partial dependence: how the score depends on one or two dimensions, averaged over the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gpsearch.plotting.axes import Array, DimensionAxis, dimension_axis, grid
from gpsearch.plotting.model_averages import ScoreModel, fit_score_model
from gpsearch.study import Study

BACKGROUND = 128  # draws of the other dimensions for a curve
BACKGROUND_OF_MAP = 64  # fewer for each of the many cells of a map
MAP_SIZE = 28  # values of each of the two dimensions of a map


@dataclass(frozen=True, kw_only=True)
class PartialDependenceSeries:
    """The surrogate's average of the score along one dimension."""

    axis: DimensionAxis
    grid: Array
    """(m,) coordinates, rising."""
    mean: Array
    """(m,) averaged scores, in the user's units; NaN where no feasible point lies."""
    lower: Array
    """(m,) averaged score less one standard deviation of the averaged function."""
    upper: Array
    """(m,) averaged score plus one standard deviation of the averaged function."""
    observed: Array
    """(n,) coordinates of the trials with a score; NaN where they lack the dimension."""
    scores: Array
    """(n,) their scores."""
    influence: float
    """Standard deviation of the averaged function over the draws of the dimension, on the
    surrogate's scale: 0 where it has no effect on its own, 1 where it explains everything."""
    greater_is_better: bool
    label: str
    """Name of the score."""
    all_equal: bool
    """Whether all observed scores are equal."""


@dataclass(frozen=True, kw_only=True)
class PartialDependenceMapSeries:
    """The surrogate's average of the score over two dimensions."""

    x: DimensionAxis
    y: DimensionAxis
    x_grid: Array
    """(p,) coordinates, rising."""
    y_grid: Array
    """(q,) coordinates, rising."""
    mean: Array
    """(q, p) averaged scores, in the user's units; NaN where no feasible point lies."""
    lower: Array
    """(q, p) averaged score less one standard deviation of the averaged function."""
    upper: Array
    """(q, p) averaged score plus one standard deviation of the averaged function."""
    observed: Array
    """(n, 2) coordinates of the trials with a score."""
    scores: Array
    """(n,) their scores."""
    greater_is_better: bool
    label: str
    """Name of the score."""


def partial_dependence_series(
    study: Study | ScoreModel, dimension: str, *, background: int = BACKGROUND
) -> PartialDependenceSeries:
    """Average the surrogate over all dimensions but one.

    Parameters
    ----------
    study : Study or ScoreModel
        A ScoreModel saves fitting it again.
    dimension : str
    background : int, default 128
        Draws of the other dimensions, a power of 2.

    Raises
    ------
    InvalidParamsError
        No such dimension.
    StudyError
        Fewer than two trials are complete.

    Notes
    -----
    The band is the posterior standard deviation of the averaged function, from the joint
    covariance of all averaged points; see `gpsearch.plotting.model_averages`.
    """
    axis = dimension_axis(study.space, dimension)
    model = fit_score_model(study) if isinstance(study, Study) else study
    places, at = grid(model.space, axis)
    draws = model.background(background)
    mean, variance = model.averages(places[:, None], [axis.index], draws)
    known = ~np.isnan(mean)
    drawn = np.interp(draws[:, axis.index], places[known], mean[known]) if known.any() else mean
    lower, upper = _band(model, mean, variance)
    return PartialDependenceSeries(
        axis=axis,
        grid=at,
        mean=model.score_of(mean),
        lower=lower,
        upper=upper,
        observed=model.observed(dimension),
        scores=model.scores,
        influence=float(np.std(drawn)) if known.any() else 0.0,
        greater_is_better=model.greater_is_better,
        label=model.label,
        all_equal=model.all_equal,
    )


def partial_dependence_map_series(
    study: Study | ScoreModel,
    dimensions: Sequence[str],
    *,
    size: int = MAP_SIZE,
    background: int = BACKGROUND_OF_MAP,
) -> PartialDependenceMapSeries:
    """Average the surrogate over all dimensions but two.

    Parameters
    ----------
    study : Study or ScoreModel
        A ScoreModel saves fitting it again.
    dimensions : pair of str
        The dimensions along x and along y.
    size : int, default 28
        Values of each dimension at which the average is taken.
    background : int, default 64
        Draws of the other dimensions, a power of 2.

    Raises
    ------
    InvalidParamsError
        No such dimension.
    StudyError
        Fewer than two trials are complete.
    """
    x, y = (dimension_axis(study.space, name) for name in dimensions)
    model = fit_score_model(study) if isinstance(study, Study) else study
    x_places, x_grid = grid(model.space, x, size)
    y_places, y_grid = grid(model.space, y, size)
    cells = np.column_stack([a.ravel() for a in np.meshgrid(x_places, y_places)])
    mean, variance = model.averages(cells, [x.index, y.index], model.background(background))
    lower, upper = _band(model, mean, variance)
    shape = (len(y_grid), len(x_grid))
    return PartialDependenceMapSeries(
        x=x,
        y=y,
        x_grid=x_grid,
        y_grid=y_grid,
        mean=model.score_of(mean).reshape(shape),
        lower=lower.reshape(shape),
        upper=upper.reshape(shape),
        observed=np.column_stack([model.observed(x.name), model.observed(y.name)]),
        scores=model.scores,
        greater_is_better=model.greater_is_better,
        label=model.label,
    )


def _band(model: ScoreModel, mean: Array, variance: Array) -> tuple[Array, Array]:
    ends = [model.score_of(mean + sign * np.sqrt(variance)) for sign in (-1.0, 1.0)]
    return np.fmin(*ends), np.fmax(*ends)
