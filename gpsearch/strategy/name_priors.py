"""Where good values of a network's settings usually lie, told by the names of the dimensions.

=========== ================================================================ =======
symbol      meaning                                                          shape
=========== ================================================================ =======
z           place of a value between the bounds of its dimension             (n,)
p, q        of the beta density of good places; 1 and 1 where nothing is     scalar
            known
pi          ``FLOOR + (1 - FLOOR) z^(p - 1) (1 - z)^(q - 1) / B(p, q)``      (n,)
=========== ================================================================ =======

Whoever writes a range knows more than the range says: a learning rate is too large at one end and
too small at the other; wide networks mostly do better than narrow ones, weak dropout better than
strong, small batches better than large. That holds often and not always, so it is said softly: the
first points are drawn from the beta densities, and a proposal leans towards them as it leans to
what a user expects, half as firmly (Hvarfner et al. 2022, piBO: augmenting acquisition functions
with user beliefs). What a user expects of a dimension takes the place of the habit.

The densities are the trade's rules of thumb, not fits. Densities fitted to two of three families
of tables of real trainings lean the same ways, and served the third as well; what the habits gain
on other networks is measured in ``benchmarks/habits.py``.
"""

from __future__ import annotations

import re

import numpy as np
from scipy.special import betaincinv, betaln

from gpsearch.space import Space
from gpsearch.strategy.importance import bare_name
from gpsearch.strategy.strategy import Array

FLOOR = 0.25  # of the density: a habit that is wrong costs evaluations and never the optimum
INSIDE = 1e-3  # beyond it from an end the density is held, so that its slope is finite

HABITS: tuple[tuple[str, str, tuple[float, float]], ...] = (
    ("decay or penalty, weak", r"decay|alpha|penalty", (1.0, 1.5)),
    ("learning rate, in the middle", r"lr|learning_?rate|learn_rate|eta", (2.0, 2.0)),
    ("dropout, weak", r"drop|dropout", (1.0, 2.0)),
    ("units, many", r"units|neurons|width|hidden_size|filters", (2.0, 1.0)),
    ("layers, many", r"layers|(?<!max_)depth|n_hidden", (1.5, 1.0)),
    ("batch, small", r"batch|batchsize", (1.0, 1.5)),
    ("momentum, strong", r"momentum", (1.5, 1.0)),
)
"""What it is and where good values are, the words of a name that tell it, p and q; the first that
fits counts."""


class Habits:
    """The habits of the numeric dimensions of a space.

    Parameters
    ----------
    space : Space

    Examples
    --------
    >>> habits = Habits(Space({"learning_rate": (1e-4, 1.0, "log-uniform"), "x": (0.0, 1.0)}))
    >>> bool(habits), bool(Habits(Space({"x": (0.0, 1.0)})))
    (True, False)
    >>> habits.bend(np.array([[0.1, 0.1], [0.5, 0.5]])).round(2)
    array([[0.2, 0.1],
           [0.5, 0.5]])
    """

    def __init__(self, space: Space) -> None:
        found = {
            j: shape
            for j, name in enumerate(space.names)
            if not space.categorical[j] and name not in space.expected_values
            if (shape := usual_shape(name)) is not None
        }
        self._known = np.array(list(found), dtype=np.intp)
        self._p, self._q = np.array(list(found.values())).reshape(-1, 2).T
        self._log_norm = betaln(self._p, self._q)

    def __bool__(self) -> bool:
        """Whether anything is known."""
        return len(self._known) > 0

    def bend(self, u: Array) -> Array:
        """(n, d) quantiles of the habits that stand at the quantiles `u` of the uniform."""
        bent = u.copy()
        bent[:, self._known] = betaincinv(self._p, self._q, u[:, self._known])
        return bent

    def log_density(self, Z: Array, active: np.ndarray) -> tuple[Array, Array]:
        """``log pi`` at the (n, d) rows of `Z`, and its gradient; see `Expected.log_density`."""
        z = np.clip(Z[:, self._known], INSIDE, 1.0 - INSIDE)
        exists = active[:, self._known]
        p, q = self._p - 1.0, self._q - 1.0
        beta = (1.0 - FLOOR) * np.exp(p * np.log(z) + q * np.log1p(-z) - self._log_norm)
        density = FLOOR + beta
        gradient = np.zeros(Z.shape)
        gradient[:, self._known] = exists * beta * (p / z - q / (1.0 - z)) / density
        return np.where(exists, np.log(density), 0.0).sum(axis=1), gradient


def usual_shape(name: str) -> tuple[float, float] | None:
    """The p and q of the setting that a name tells; None where it tells none.

    >>> usual_shape("optimizer__learning_rate"), usual_shape("n_units_2"), usual_shape("x0")
    ((2.0, 2.0), (2.0, 1.0), None)
    >>> usual_shape("learning_rate_decay"), usual_shape("decay_steps"), usual_shape("drop_rate")
    ((1.0, 1.5), None, (1.0, 2.0))
    """
    bare = bare_name(name)
    if re.search(r"(^|_)(steps|schedule|epochs)(_|$)", bare):
        return None  # how something goes on, not how much of it
    return next(
        (shape for _, words, shape in HABITS if re.search(rf"(^|_)({words})(_|$)", bare)), None
    )
