"""The surrogate after a number of observations, as scikit-optimize's plots call it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from skopt.space import Categorical

from gpsearch.space import Space
from gpsearch.strategy import History
from gpsearch.strategy.gp import GPOptions
from gpsearch.strategy.history import fit_process
from gpsearch.strategy.strategy import Array
from gpsearch.surrogate import GaussianProcess

ROWS_AT_ONCE = 10_000  # bounds the memory of a prediction
ONE_SIGMA = (0.15865525393145707, 0.8413447460685429)  # normal probabilities at -1 and 1


class SurrogateModel:
    """The Gaussian process after the first observations, fitted when it is asked (again)."""

    def __init__(
        self, space: Space, history: Callable[[], History], options: GPOptions | None = None
    ) -> None:
        self._space, self._history, self._options = space, history, options
        self._process: GaussianProcess | None = None

    @property
    def process(self) -> GaussianProcess:
        """The fitted process, in warped losses."""
        if self._process is None:
            self._process = fit_process(self._space, self._history(), self._options)
        return self._process

    @property
    def y_train_std_(self) -> float:
        """Standard deviation of the observed losses, which scikit-optimize's callbacks read."""
        history = self._history()
        return float(history.losses[~history.failed].std())

    @property
    def estimators_(self) -> list["SurrogateModel"]:
        """The models of the loss and of the logarithm of the seconds, of "EIps" and "PIps"."""
        history = self._history()
        timed = np.flatnonzero(history.costs > 0).tolist()  # not of NaN
        if not timed:
            raise AttributeError("no seconds were told, of which this would hold a model")
        seconds = History.of([history.points[i] for i in timed], np.log(history.costs[timed]))
        return [self, SurrogateModel(self._space, lambda: seconds)]

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predict the noise-free loss at transformed rows.

        Parameters
        ----------
        X : (m, transformed dimensions) float array
            As the space of the result transforms points.
        return_std : bool, default False

        Returns
        -------
        median : (m,) float array
            In the units of the losses. Under an output transform the median is what passes
            through it unchanged; without one it is the mean.
        std : (m,) float array
            Half the width of the central 68 %; only with `return_std`.
        """
        Z = transformed_to_z(np.asarray(X, dtype=float), self._space)
        low, high = ONE_SIGMA
        median = self._quantile(Z, 0.5)
        if not return_std:
            return median
        return median, 0.5 * (self._quantile(Z, high) - self._quantile(Z, low))

    def forget(self) -> None:
        """Drop the fit; the next prediction fits again."""
        self._process = None

    def _quantile(self, Z: Array, probability: float) -> Array:
        parts = [Z[i : i + ROWS_AT_ONCE] for i in range(0, len(Z), ROWS_AT_ONCE)]
        return np.concatenate([self.process.loss_quantile(part, probability) for part in parts])


def transformed_to_z(X: Array, space: Space) -> Array:
    """Places in the unit cube of rows that a normalised space transformed.

    Normalised numbers are places already; a one-hot category stands where its column has it.

    >>> from gpsearch.optimizer.skopt_arguments import read_space
    >>> space = read_space({"c": [10, 30, 20], "x": (0.0, 4.0)})
    >>> transformed_to_z(space.transform([[20, 1.0], [30, 4.0]]).astype(float), space)
    array([[0.5 , 0.25],
           [1.  , 1.  ]])
    """
    Z = np.empty((len(X), len(space)))
    start = 0
    for j, dimension in enumerate(space.dimensions):
        width = dimension.transformed_size
        block = X[:, start : start + width]
        if not isinstance(dimension, Categorical):
            Z[:, j] = np.clip(block[:, 0], 0.0, 1.0)
        else:
            places = space.columns[j].encode(dimension.categories)
            Z[:, j] = places[dimension.transformer.nearest(block)]
        start += width
    return space.snap(Z) if space.when else Z
