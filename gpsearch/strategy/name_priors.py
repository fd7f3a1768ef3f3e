"""Where good values of a network's settings usually lie, by the names of the dimensions.

=========== ================================================================ =======
symbol      meaning                                                          shape
=========== ================================================================ =======
z           place of a value between the bounds of its dimension             (n,)
p, q        of the beta density of good places; 1 and 1 where nothing is     scalar
            known
pi          ``FLOOR + (1 - FLOOR) z^(p - 1) (1 - z)^(q - 1) / B(p, q)``      (n,)
=========== ================================================================ =======

A learning rate is too large at one end of its range and too small at the other; wide networks
mostly do better than narrow ones, weak dropout better than strong, small batches better than
large. That holds often and not always, so the prior is soft: the first points are drawn from the
beta densities, and the acquisition is weighted by `pi`, half as firmly as by expected values
(Hvarfner et al. 2022, πBO: augmenting acquisition functions with user beliefs).

Where evaluations differ in cost, many units, many layers and small batches are also what is dear.
There nothing is expected of them, and the first points are drawn from the mirrored densities: what
the learning rate and the others are worth is seen on small networks as well, for less.

The densities are rules of thumb, not fits: fitted to two of three families of tables of real
trainings they served the third no better than none. What each gains is measured by
``benchmarks/name_priors.py``.
"""

import re

import numpy as np
from scipy.special import betaincinv, betaln

from gpsearch.space import Space
from gpsearch.space.classic_order import bare_name
from gpsearch.strategy.strategy import Array

FLOOR = 0.25  # of the density: a wrong one costs evaluations and never the optimum
INSIDE = 1e-3  # beyond it from an end the density is held, so that its slope is finite

NAME_PRIORS: tuple[tuple[str, str, tuple[float, float]], ...] = (
    ("decay or penalty, weak", r"decay|alpha|penalty", (1.0, 1.5)),
    ("learning rate, in the middle", r"lr|learning_?rate|learn_rate|eta", (2.0, 2.0)),
    ("dropout, weak", r"drop|dropout", (1.0, 2.0)),
    ("units, many", r"units|neurons|width|hidden_size|filters", (2.0, 1.0)),
    ("layers, many", r"layers|(?<!max_)depth|n_hidden", (1.5, 1.0)),
    ("batch, small", r"batch|batchsize", (1.0, 1.5)),
    ("momentum, strong", r"momentum", (1.5, 1.0)),
)
"""Setting and where its good values are; pattern in the name; p and q. The first match counts."""
SIZES = ("units, many", "layers, many", "batch, small")
"""Settings whose good values make an evaluation dear."""


class NamePrior:
    """The prior of the optimum that the names of numeric dimensions give; an `OptimumPrior`.

    Parameters
    ----------
    space : Space
    minds_cost : bool, default False
        Whether to begin with small networks, and to expect nothing of their size.

    Examples
    --------
    >>> prior = NamePrior(Space({"learning_rate": (1e-4, 1.0, "log-uniform"), "x": (0.0, 1.0)}))
    >>> prior.describe()
    {'learning_rate': 'in the middle of its range'}
    >>> prior.quantile(np.array([[0.1, 0.1], [0.5, 0.5]])).round(2)
    array([[0.2, 0.1],
           [0.5, 0.5]])
    """

    n_evaluations = 5.0
    mode: Array | None = None

    def __init__(self, space: Space, *, minds_cost: bool = False) -> None:
        found = {
            j: setting
            for j, name in enumerate(space.names)
            if not space.categorical[j] and (setting := usual_setting(name)) is not None
        }
        cheap = {j for j, (setting, _) in found.items() if minds_cost and setting in SIZES}
        self._names = {j: space.names[j] for j in found}
        self._drawn = {j: pq[::-1] if j in cheap else pq for j, (_, pq) in found.items()}
        """p and q of the first points by dimension."""
        self._known = np.array([j for j in found if j not in cheap], dtype=np.intp)
        self._p, self._q = np.array([self._drawn[j] for j in self._known]).reshape(-1, 2).T
        self._log_norm = betaln(self._p, self._q)

    def quantile(self, u: Array) -> Array:
        """(n, d) quantiles of the beta densities that stand at the quantiles `u` of the uniform."""
        moved = u.copy()
        for j, (p, q) in self._drawn.items():
            moved[:, j] = betaincinv(p, q, u[:, j])
        return moved

    def describe(self) -> dict[str, str]:
        """Where each known dimension is expected to be good; empty where no name is known."""
        parts = {-1: "lower part", 0: "middle", 1: "upper part"}
        return {
            self._names[j]: f"{'in' if j in self._known else 'at first in'} the "
            f"{parts[int(np.sign(p - q))]} of its range"
            for j, (p, q) in self._drawn.items()
        }

    def log_density(self, Z: Array, active: np.ndarray) -> tuple[Array, Array]:
        """``log pi`` at the (n, d) rows of `Z`, and its gradient; see `Density.log_density`."""
        z = np.clip(Z[:, self._known], INSIDE, 1.0 - INSIDE)
        exists = active[:, self._known]
        p, q = self._p - 1.0, self._q - 1.0
        beta = (1.0 - FLOOR) * np.exp(p * np.log(z) + q * np.log1p(-z) - self._log_norm)
        density = FLOOR + beta
        gradient = np.zeros(Z.shape)
        gradient[:, self._known] = exists * beta * (p / z - q / (1.0 - z)) / density
        return np.where(exists, np.log(density), 0.0).sum(axis=1), gradient


def usual_setting(name: str) -> tuple[str, tuple[float, float]] | None:
    """The setting that a name means, with its p and q; None for an unknown name.

    >>> usual_setting("optimizer__learning_rate"), usual_setting("n_units_2")
    (('learning rate, in the middle', (2.0, 2.0)), ('units, many', (2.0, 1.0)))
    >>> usual_setting("learning_rate_decay"), usual_setting("decay_steps")
    (('decay or penalty, weak', (1.0, 1.5)), None)
    """
    bare = bare_name(name)
    if re.search(r"(^|_)(steps|schedule|epochs)(_|$)", bare):
        return None  # "decay_steps" is not a decay
    return next(
        (
            (setting, shape)
            for setting, words, shape in NAME_PRIORS
            if re.search(rf"(^|_)({words})(_|$)", bare)
        ),
        None,
    )
