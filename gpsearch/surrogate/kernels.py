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

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]


def matern52(sq_dist: Array) -> tuple[Array, Array]:
    """Matérn-5/2 correlation and its derivative in squared distance.

    ``k(s) = (1 + a + a²/3) exp(-a)`` with ``a = sqrt(5 s)``, so ``k'(s) = -5/6 (1 + a) exp(-a)``,
    which is finite at ``s = 0`` (Rasmussen & Williams 2006, equation 4.17).

    Parameters
    ----------
    sq_dist : float array
        Squared distances in length-scale units; non-negative.

    Returns
    -------
    correlation, derivative : float arrays of the same shape

    Examples
    --------
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
    """Squared distances of pairs of points, one layer for each dimension.

    Parameters
    ----------
    Z : (n, d) float array
    pairs : two (p,) int arrays
        Rows of `Z`.
    categorical : (d,) bool array
        Dimensions whose distance is Hamming's.

    Returns
    -------
    (d, p) float array

    Examples
    --------
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
    """``s_ik = sum_j w_j D_j(z_i, z'_k)``, by matrix products.

    Parameters
    ----------
    Z : (n, d) float array
    other : (m, d) float array
    weights : (d,) float array
        Inverse squared length scales.
    categorical : (d,) bool array

    Returns
    -------
    (n, m) float array
    """
    root = np.where(categorical, 0.0, np.sqrt(weights))
    left, right = Z * root, other * root
    sq_dist = left @ (-2.0 * right).T
    sq_dist += np.einsum("ij,ij->i", left, left)[:, None]
    sq_dist += np.einsum("ij,ij->i", right, right)
    np.maximum(sq_dist, 0.0, out=sq_dist)  # cancellation leaves about -1e-16
    for j in np.flatnonzero(categorical):
        sq_dist += weights[j] * (Z[:, j, None] != other[None, :, j])
    return sq_dist
