"""Quasi-random search: a scrambled Sobol sequence, addressed by number.

Reference: Owen, "Scrambling Sobol' and Niederreiter-Xing points", J. Complexity 14 (1998).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.stats import qmc

from gpsearch.space import Space
from gpsearch.strategy.strategy import Array, History, Proposal, trial_rng
from gpsearch.strategy.unseen import DistinctPoints

BLOCK = 64  # rows of the sequence made at once; a power of two keeps the sequence balanced


class SobolStrategy:
    """The points of a scrambled Sobol sequence, in order.

    The sequence keeps its points that are feasible and differ from the earlier ones; trial n
    takes the n-th of these, or the next that was not visited otherwise. Its rows are quantiles
    of the space's own distribution, so that every value of an Integer is equally likely.

    Parameters
    ----------
    space : Space
    seed : int
        Decides the scrambling.
    n_calls, n_initial_points : int
        Accepted as by every strategy.

    Examples
    --------
    >>> strategy = SobolStrategy(Space({"n": (1, 4)}), seed=0)
    >>> sorted(strategy.propose(History(), number)[0] for number in range(4))
    [1, 2, 3, 4]
    """

    name = "sobol"

    def __init__(
        self, space: Space, *, seed: int, n_calls: int = 100, n_initial_points: int = 0
    ) -> None:
        self._seed = seed
        blocks = sobol_blocks(len(space), np.random.default_rng(seed))
        self._sequence = DistinctPoints(
            space, (space.from_z(space.quantile(rows)) for rows in blocks)
        )

    def propose(self, history: History, number: int) -> Proposal:
        """Give the point of trial `number`; see `Strategy.propose`."""
        return self._sequence.propose(history, trial_rng(self._seed, number), start=number)


def sobol_blocks(n_dims: int, rng: np.random.Generator) -> Iterator[Array]:
    """The (64, n_dims) blocks of a scrambled Sobol sequence, one after the other."""
    sequence = qmc.Sobol(n_dims, scramble=True, rng=rng)
    for _ in range(2**sequence.bits // BLOCK):
        yield sequence.random(BLOCK)
