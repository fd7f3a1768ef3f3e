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

The densities are rules of thumb, not fits. Densities fitted to two of three families of tables of
real trainings lean the same ways, and served the third as well; what they gain on other networks
is measured in ``benchmarks/name_priors.py``.
"""

from __future__ import annotations

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


class NamePrior:
    """The prior of the optimum that the names of numeric dimensions give; an `OptimumPrior`.

    Parameters
    ----------
    space : Space

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

    def __init__(self, space: Space) -> None:
        found = {
            j: shape
            for j, name in enumerate(space.names)
            if not space.categorical[j] and (shape := usual_shape(name)) is not None
        }
        self._names = [space.names[j] for j in found]
        self._known = np.array(list(found), dtype=np.intp)
        self._p, self._q = np.array(list(found.values())).reshape(-1, 2).T
        self._log_norm = betaln(self._p, self._q)

    def quantile(self, u: Array) -> Array:
        """(n, d) quantiles of the beta densities that stand at the quantiles `u` of the uniform."""
        moved = u.copy()
        moved[:, self._known] = betaincinv(self._p, self._q, u[:, self._known])
        return moved

    def describe(self) -> dict[str, str]:
        """Where each known dimension is expected to be good; empty where no name is known."""
        parts = {-1: "lower part", 0: "middle", 1: "upper part"}
        return {
            name: f"in the {parts[int(np.sign(p - q))]} of its range"
            for name, p, q in zip(self._names, self._p, self._q, strict=True)
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


def usual_shape(name: str) -> tuple[float, float] | None:
    """The p and q for the setting that a name means; None for an unknown name.

    >>> usual_shape("optimizer__learning_rate"), usual_shape("n_units_2"), usual_shape("x0")
    ((2.0, 2.0), (2.0, 1.0), None)
    >>> usual_shape("learning_rate_decay"), usual_shape("decay_steps"), usual_shape("drop_rate")
    ((1.0, 1.5), None, (1.0, 2.0))
    """
    bare = bare_name(name)
    if re.search(r"(^|_)(steps|schedule|epochs)(_|$)", bare):
        return None  # "decay_steps" is not a decay
    return next(
        (shape for _, words, shape in NAME_PRIORS if re.search(rf"(^|_)({words})(_|$)", bare)), None
    )
