"""Partial dependence: how the score depends on one or two dimensions, averaged over the others.

=========== ==================================================================== ===========
symbol      meaning                                                              shape
=========== ==================================================================== ===========
c           cells: places of the shown dimensions at which an average is taken   scalar
B           background: draws of the other dimensions                            scalar
Z           rows of z, the shown dimensions set, the others drawn                (c, B, d)
w           weights of the rows of each cell, which sum to 1                     (c, B)
t(z)        the score's loss on the surrogate's scale, a Gaussian process
m, v        mean and variance of ``sum_b w_b t(z_b)`` in each cell               (c,)
=========== ==================================================================== ===========

An average of a Gaussian process is Gaussian. With ``k_z`` the prior covariance of t(z) with
the observations, ``q = sum_b w_b k_{z_b}``, and L and alpha those of the process,

    m = q alpha,        v = sum_bb' w_b w_b' k(z_b, z_b') - |L^-1 q|²,

which is the variance of the averaged function under the joint posterior of all rows, not an
average of pointwise variances (Rasmussen & Williams 2006, equations 2.25 and 2.26).

The average is taken on the scale on which the surrogate fits the losses, where a few diverged
trainings do not outweigh the rest, and is then transformed back to the user's units, as are
``m ± sqrt v``. Where the scale is linear this is the ordinary mean; else it is the
quasi-arithmetic mean of the scale, and the band is exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.stats import qmc

from gpsearch.analysis.posterior import (
    averaged_covariance,
    fitted_process,
    prior_covariance,
    unwarp,
)
from gpsearch.arguments import whole
from gpsearch.errors import public
from gpsearch.evaluation import UNBOUNDED, as_user_value, flipped, holding_bounds
from gpsearch.plotting.axes import (
    Array,
    DimensionAxis,
    coordinates,
    dimension_axes,
    dimension_axis,
    grid,
)
from gpsearch.plotting.data import as_series, score_label
from gpsearch.space import Space
from gpsearch.strategy.history import study_history
from gpsearch.study import Study, require_study
from gpsearch.surrogate import GaussianProcess

BLOCK = 2**15  # rows in memory at a time
BACKGROUND = 128  # draws of the other dimensions for a curve, a power of 2
BACKGROUND_OF_MAP = 64  # fewer for each of the many cells of a map
MAP_SIZE = 28  # values of each of the two dimensions of a map


@dataclass(frozen=True, kw_only=True, eq=False)
class Observations:
    """The scores that an average rests on."""

    scores: Array
    """(n,) scores of the trials that have one, in the user's units."""
    numbers: NDArray[np.int64]
    """(n,) numbers of these trials."""
    best: int
    """Row of the best trial."""
    greater_is_better: bool
    label: str
    """Name of the score."""

    @property
    def all_equal(self) -> bool:
        """Whether all of them are equal."""
        return bool(np.ptp(self.scores) == 0.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreModel(Observations):
    """The surrogate fitted to a study's trials, made by `fit_score_model`."""

    space: Space
    process: GaussianProcess
    """Fitted to the losses of the trials that have one."""
    points: tuple[dict[str, object], ...]
    """(n,) configurations of these trials."""
    bounds: tuple[float, float] = UNBOUNDED
    """Between which scores lie, greater is better."""

    def background(self, size: int) -> Array:
        """(size, d) places of evenly spread draws from the space; conditions not yet applied."""
        u = qmc.Sobol(len(self.space), seed=0).random(size)
        return np.column_stack([c.quantile(u[:, j]) for j, c in enumerate(self.space.columns)])

    def averages(
        self, cells: Array, shown: Sequence[int], background: Array
    ) -> tuple[Array, Array]:
        """(c,) means and variances of the average of t over the (B, d) background, in each cell.

        `cells` are the (c, s) places of the dimensions `shown`, columns of z. NaN stands for a cell
        in which no feasible point of the space lies.
        """
        mean, variance = np.empty(len(cells)), np.empty(len(cells))
        step = max(1, BLOCK // len(background))
        for start in range(0, len(cells), step):
            block = slice(start, start + step)
            rows, weights = self._rows(cells[block], shown, background)
            mean[block], variance[block] = self._average(rows, weights)
        return mean, variance

    def score_of(self, t: Array) -> Array:
        """Scores in the user's units of values on the surrogate's scale."""
        scores = np.clip(flipped(unwarp(self.process, t)), *self.bounds)
        return as_user_value(scores, self.greater_is_better)

    def _rows(self, cells: Array, shown: Sequence[int], background: Array) -> tuple[Array, Array]:
        (size, d), space = background.shape, self.space
        rows = np.repeat(background[None], len(cells), axis=0)
        rows[:, :, list(shown)] = cells[:, None, :]
        flat = rows.reshape(-1, d)
        keep = np.ones(len(flat), dtype=bool)
        if space.when:
            flat = space.snap(flat)
            keep &= space.active(flat)[:, list(shown)].all(axis=1)
        if space.params_constraint is not None:
            keep[keep] = space.feasible(space.from_z(flat[keep]))
        kept = keep.reshape(-1, size).astype(float)
        with np.errstate(invalid="ignore"):
            weights = kept / kept.sum(axis=1, keepdims=True)
        return flat.reshape(-1, size, d), weights

    def _average(self, rows: Array, weights: Array) -> tuple[Array, Array]:
        process = self.process
        q = averaged_covariance(process, rows, weights)
        # Without conditions the prior variance is the same in every cell.
        same = not self.space.when and self.space.params_constraint is None
        some = slice(1 if same else len(rows))
        prior = np.array(
            [
                w @ prior_covariance(process, z, z) @ w
                for z, w in zip(rows[some], weights[some], strict=True)
            ]
        )
        whitened = solve_triangular(process.factor, q.T, lower=True, check_finite=False)
        variance = prior - np.einsum("nc,nc->c", whitened, whitened)
        return q @ process.alpha, np.where(np.isnan(variance), np.nan, np.maximum(variance, 0.0))


@dataclass(frozen=True, kw_only=True, eq=False)
class DependenceSeries(Observations):
    """The surrogate's average of the score over the dimensions that are not shown."""

    mean: Array
    """(m,) or (q, p) averaged scores, in the user's units; NaN where no feasible point lies."""
    lower: Array
    """Averaged score less one standard deviation of the averaged function."""
    upper: Array
    """Averaged score plus one standard deviation of the averaged function."""
    observed: Array
    """(n,) or (n, 2) coordinates of these trials; NaN where they lack a dimension."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PartialDependenceSeries(DependenceSeries):
    """The average along one dimension."""

    axis: DimensionAxis
    grid: Array
    """(m,) coordinates, rising."""
    at_best: Array
    """(m,) scores with the other dimensions as in the best trial; NaN where none is feasible."""
    influence: float
    """Standard deviation of the averaged function over the draws of the dimension, on the
    surrogate's scale: 0 where it has no effect on its own, 1 where it explains everything."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PartialDependenceMapSeries(DependenceSeries):
    """The average over two dimensions; rows are values of y, columns of x."""

    x: DimensionAxis
    y: DimensionAxis
    x_grid: Array
    """(p,) coordinates, rising."""
    y_grid: Array
    """(q,) coordinates, rising."""


@public()
def fit_score_model(study: Study, call: str = "plot_partial_dependence") -> ScoreModel:
    """Fit the surrogate, as the strategy "gp" does, to all trials that have a score.

    Stopped trials count with the uncertainty of their fewer folds; failed ones do not count.

    Raises
    ------
    StudyError
        Fewer than two trials are complete.
    """
    process = fitted_process(study, call)
    history = study_history(study)
    known = ~history.failed
    trials = [trial for trial, scored in zip(study.ended, known, strict=True) if scored]
    return ScoreModel(
        space=study.space,
        process=process,
        points=tuple(dict(trial.params) for trial in trials),
        bounds=holding_bounds(study.info.score_bounds, flipped(history.losses[known])),
        scores=study.as_user_value(flipped(history.losses[known])),
        numbers=np.array([trial.number for trial in trials], dtype=np.int64),
        best=[trial.number for trial in trials].index(study.best_trial.number),
        greater_is_better=study.greater_is_better,
        label=score_label(study),
    )


@public(dimensions="dimension")
def partial_dependence_series(study: Study | ScoreModel, dimension: str) -> PartialDependenceSeries:
    """Average the surrogate over all dimensions but one, and set them as in the best trial.

    Parameters
    ----------
    study : Study or ScoreModel
        A ScoreModel saves fitting it again.
    dimension : str

    Raises
    ------
    InvalidParamsError
        No such dimension.
    StudyError
        Fewer than two trials are complete.
    """
    axis = dimension_axis(space_of(study), dimension)
    model = as_series(study, ScoreModel, fit_score_model)
    places, at = grid(model.space, axis)
    draws = model.background(BACKGROUND)
    mean, fields = _averaged(model, [axis], places[:, None], draws)
    known = ~np.isnan(mean)
    drawn = np.interp(draws[:, axis.index], places[known], mean[known]) if known.any() else [0.0]
    best = model.space.to_z([model.space.point(model.points[model.best])])
    at_best, _ = model.averages(places[:, None], [axis.index], best)
    return PartialDependenceSeries(
        axis=axis,
        grid=at,
        at_best=model.score_of(at_best),
        influence=float(np.std(drawn)),
        **fields,
    )


@public()
def partial_dependence_map_series(
    study: Study | ScoreModel, dimensions: Sequence[str], *, size: int = MAP_SIZE
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

    Raises
    ------
    InvalidParamsError
        No such dimension.
    StudyError
        Fewer than two trials are complete.
    """
    x, y = dimension_axes(space_of(study), dimensions)
    whole("size", size, 1)
    model = as_series(study, ScoreModel, fit_score_model)
    x_places, x_grid = grid(model.space, x, size)
    y_places, y_grid = grid(model.space, y, size)
    cells = np.column_stack([a.ravel() for a in np.meshgrid(x_places, y_places)])
    _, fields = _averaged(model, [x, y], cells, model.background(BACKGROUND_OF_MAP))
    for name in ("mean", "lower", "upper"):
        fields[name] = fields[name].reshape(len(y_grid), len(x_grid))
    return PartialDependenceMapSeries(x=x, y=y, x_grid=x_grid, y_grid=y_grid, **fields)


def space_of(study: Study | ScoreModel) -> Space:
    """The space of either; refused where it is another thing."""
    return study.space if isinstance(study, ScoreModel) else require_study(study).space


def _averaged(
    model: ScoreModel, shown: Sequence[DimensionAxis], cells: Array, background: Array
) -> tuple[Array, dict[str, Any]]:
    """The mean on the surrogate's scale, and the fields of a `DependenceSeries`."""
    mean, variance = model.averages(cells, [axis.index for axis in shown], background)
    ends = [model.score_of(mean + sign * np.sqrt(variance)) for sign in (-1.0, 1.0)]
    observed = [coordinates(model.space, axis, model.points) for axis in shown]
    return mean, {
        "mean": model.score_of(mean),
        "lower": np.fmin(*ends),
        "upper": np.fmax(*ends),
        "observed": observed[0] if len(shown) == 1 else np.column_stack(observed),
        "scores": model.scores,
        "numbers": model.numbers,
        "best": model.best,
        "greater_is_better": model.greater_is_better,
        "label": model.label,
    }
