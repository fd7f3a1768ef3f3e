"""The surrogate's posterior of averages of the score: the source of partial dependence.

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

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.stats import qmc

from gpsearch.analysis.posterior import (
    averaged_covariance,
    fitted_process,
    prior_covariance,
    unwarp,
)
from gpsearch.evaluation import as_user_value, flipped
from gpsearch.plotting.axes import Array, coordinates, dimension_axis
from gpsearch.plotting.data import score_label
from gpsearch.space import Space
from gpsearch.strategy.history import study_history
from gpsearch.study import Study
from gpsearch.surrogate import GaussianProcess

BLOCK = 2**15  # rows in memory at a time


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreModel:
    """The surrogate fitted to a study's trials, made by `fit_score_model`."""

    space: Space
    process: GaussianProcess
    """Fitted to the losses of the trials that have one."""
    points: tuple[dict[str, object], ...]
    """(n,) configurations of these trials."""
    scores: Array
    """(n,) their scores, in the user's units."""
    greater_is_better: bool
    label: str
    """Name of the score."""

    @property
    def all_equal(self) -> bool:
        """Whether every observed score is the same."""
        return bool(np.ptp(self.scores) == 0.0)

    def observed(self, name: str) -> Array:
        """(n,) coordinates of the observations on the axis of dimension `name`."""
        return coordinates(self.space, dimension_axis(self.space, name), self.points)

    def background(self, size: int) -> Array:
        """(size, d) places of evenly spread draws from the space; conditions not yet applied.

        Parameters
        ----------
        size : int
            A power of 2.
        """
        u = qmc.Sobol(len(self.space), seed=0).random(size)
        return np.column_stack([c.quantile(u[:, j]) for j, c in enumerate(self.space.columns)])

    def averages(
        self, cells: Array, shown: Sequence[int], background: Array
    ) -> tuple[Array, Array]:
        """Mean and variance of the average of t over the background, in each cell.

        Parameters
        ----------
        cells : (c, s) float array
            Places of the shown dimensions.
        shown : sequence of s int
            Their columns of z.
        background : (B, d) float array

        Returns
        -------
        mean, variance : (c,) float arrays
            NaN for a cell in which no feasible point of the space lies.
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
        loss = unwarp(self.process, t)
        return as_user_value(flipped(loss), self.greater_is_better)

    def _rows(self, cells: Array, shown: Sequence[int], background: Array) -> tuple[Array, Array]:
        c, size, d = len(cells), len(background), len(self.space)
        rows = np.repeat(background[None], c, axis=0)
        rows[:, :, list(shown)] = cells[:, None, :]
        flat = self.space.snap(rows.reshape(-1, d)) if self.space.when else rows.reshape(-1, d)
        keep = np.ones(len(flat), dtype=bool)
        if self.space.when:
            keep &= self.space.active(flat)[:, list(shown)].all(axis=1)
        if self.space.params_constraint is not None:
            keep[keep] = self.space.feasible(self.space.from_z(flat[keep]))
        kept = keep.reshape(c, size).astype(float)
        with np.errstate(invalid="ignore"):
            weights = kept / kept.sum(axis=1, keepdims=True)
        return flat.reshape(c, size, d), weights

    def _average(self, rows: Array, weights: Array) -> tuple[Array, Array]:
        process, c = self.process, len(rows)
        q = averaged_covariance(process, self.space, rows, weights)
        # Without conditions the prior variance is the same in every cell.
        same = not self.space.when and self.space.params_constraint is None
        some = slice(1 if same else c)
        prior = np.array(
            [
                w @ prior_covariance(process, z, z) @ w
                for z, w in zip(rows[some], weights[some], strict=True)
            ]
        )
        whitened = solve_triangular(process.factor, q.T, lower=True, check_finite=False)
        variance = prior - np.einsum("nc,nc->c", whitened, whitened)
        return q @ process.alpha, np.where(np.isnan(variance), np.nan, np.maximum(variance, 0.0))


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
    losses = history.losses[known]
    return ScoreModel(
        space=study.space,
        process=process,
        points=tuple(dict(t.params) for t, k in zip(study.ended, known, strict=True) if k),
        scores=study.as_user_value(flipped(losses)),
        greater_is_better=study.greater_is_better,
        label=score_label(study),
    )
