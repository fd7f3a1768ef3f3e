"""Correlation functions of a mixed space, with the derivatives that fitting and search need.

=========== ================================================= ==============
symbol      meaning                                           shape
=========== ================================================= ==============
Z           points in the unit cube                           (n, d)
D           squared distances, one layer for each dimension   (d, p)
w           inverse squared length scales                     (d,)
s           ``sum_j w_j D_j``, squared scaled distance        (n, m)
k(s)        correlation, 1 at ``s = 0``                       (n, m)
k'(s)       its derivative in s                               (n, m)
=========== ================================================= ==============

The distance of a numeric dimension is the squared difference; that of a categorical one is
Hamming's, 0 for equal and 1 for different categories. Each has a length scale of its own, so
that ``exp(-sqrt(5 w_j))`` is roughly how alike two categories of dimension j are.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]


def matern52(sq_dist: Array) -> tuple[Array, Array]:
    """Matérn-5/2 correlation and its derivative in squared distance.

    ``k(s) = (1 + a + a²/3) exp(-a)`` with ``a = sqrt(5 s)``, so ``k'(s) = -5/6 (1 + a) exp(-a)``,
    which is finite at ``s = 0`` (Rasmussen & Williams 2006, equation 4.17), for squared distances s
    in units of the length scales.

    >>> k, dk = matern52(np.array([0.0, 0.2]))
    >>> [float(v) for v in np.round(k, 4)], [float(v) for v in np.round(dk, 4)]
    ([1.0, 0.8584], [-0.8333, -0.6131])
    """
    root = np.sqrt(5.0 * sq_dist)
    decay = np.exp(-root)
    root += 1.0
    root *= decay
    decay *= sq_dist
    decay *= 5.0 / 3.0
    decay += root
    root *= -5.0 / 6.0
    return decay, root  # in place: half of the time of a fit is spent in these lines


def matern52_correlation(sq_dist: Array) -> Array:
    """The correlation of `matern52` alone, where no derivative is needed.

    >>> matern52_correlation(np.array([0.0, 0.2])).round(4)
    array([1.    , 0.8584])
    """
    root = np.sqrt(5.0 * sq_dist)
    decay = np.exp(-root)
    root += 1.0
    root += (5.0 / 3.0) * sq_dist
    root *= decay
    return root


def pair_sq_dist(Z: Array, pairs: tuple[Rows, Rows], categorical: Mask) -> Array:
    """(d, p) squared distances between p pairs of rows of `Z`; Hamming's where categorical.

    >>> Z = np.array([[0.0, 0.0], [0.5, 0.5]])
    >>> pair_sq_dist(Z, np.tril_indices(2, -1), np.array([False, True]))
    array([[0.25],
           [1.  ]])
    """
    columns = np.ascontiguousarray(Z.T)
    layers = np.take(columns, pairs[0], axis=1)  # twice as fast as an index
    layers -= np.take(columns, pairs[1], axis=1)
    layers[categorical] = layers[categorical] != 0.0
    return np.square(layers, out=layers)


def scaled_sq_dist(Z: Array, other: Array, weights: Array, categorical: Mask) -> Array:
    """(n, m) distances between the rows of `Z` and `other`; see `ScaledSqDistTo`."""
    return ScaledSqDistTo(other, weights, categorical)(Z)


class ScaledSqDistTo:
    """``s_ik = sum_j w_j D_j(z_i, z'_k)`` to fixed points z', by one matrix product.

    With coordinates in length scales, ``|a - b|² = a a + b b - 2 a b`` is the product of
    ``(a, a a, 1)`` and ``(-2 b, 1, b b)``. A categorical dimension has one coordinate for each of
    its values: ``sqrt(w / 2)`` for the value of the point, 0 for the others. Two points then differ
    by w or 0.

    >>> to = ScaledSqDistTo(np.array([[0.5, 0.0]]), np.array([4.0, 3.0]), np.array([False, True]))
    >>> to(np.array([[0.5, 0.0], [0.0, 0.0], [0.0, 1.0]])).round(9)
    array([[0.],
           [1.],
           [4.]])
    """

    def __init__(self, other: Array, weights: Array, categorical: Mask) -> None:
        self._numeric = np.flatnonzero(~categorical)
        self._roots = np.sqrt(weights[self._numeric])
        self._coded = [
            (j, np.unique(other[:, j]), float(np.sqrt(weights[j] / 2.0)))
            for j in np.flatnonzero(categorical)
        ]
        # every point has one value of each categorical dimension, known to `other` or not
        self._sq_length = float(weights[categorical].sum()) / 2.0
        self._width = len(self._roots) + sum(len(values) for _, values, _ in self._coded) + 2
        right = self._coordinates(other)
        right[:, :-2] *= -2.0
        right[:, [-2, -1]] = right[:, [-1, -2]]
        self._right = np.ascontiguousarray(right.T)

    def __call__(self, Z: Array) -> Array:
        """(n, m) distances of the (n, d) rows of `Z`."""
        sq_dist = self._coordinates(Z) @ self._right
        return np.maximum(sq_dist, 0.0, out=sq_dist)  # cancellation leaves about -1e-16

    def _coordinates(self, Z: Array) -> Array:
        """(n, width) coordinates in length scales, their squared length, and 1."""
        coordinates = np.empty((len(Z), self._width))
        at = len(self._roots)
        numbers = np.multiply(Z[:, self._numeric], self._roots, out=coordinates[:, :at])
        for j, values, root in self._coded:
            same = Z[:, j, None] == values
            np.multiply(same, root, out=coordinates[:, at : at + len(values)])
            at += len(values)
        np.einsum("ij,ij->i", numbers, numbers, out=coordinates[:, -2])
        coordinates[:, -2] += self._sq_length
        coordinates[:, -1] = 1.0
        return coordinates
