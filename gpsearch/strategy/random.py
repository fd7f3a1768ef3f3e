"""Random search: independent draws from the space's own distribution."""

from gpsearch.space import Space
from gpsearch.strategy.strategy import History, Proposal, trial_rng
from gpsearch.strategy.unseen import Visited, draw_unseen


class RandomStrategy:
    """Random search without repeats.

    Trial n draws from its own address of randomness, so the points do not depend on the order
    in which evaluations end. `n_calls` and `n_initial_points` are those of every strategy, and
    decide nothing.

    >>> strategy = RandomStrategy(Space({"n": (1, 3)}), seed=0)
    >>> strategy.propose(History(pending=[[1], [3]]), 2)
    [2]
    """

    name = "random"

    def __init__(
        self, space: Space, *, seed: int, n_calls: int = 100, n_initial_points: int = 0
    ) -> None:
        self._space, self._seed, self._visited = space, seed, Visited(space)

    def propose(self, history: History, number: int) -> Proposal:
        """Draw the point of trial `number`; see `Strategy.propose`."""
        seen = self._visited(history)
        return draw_unseen(self._space, seen, trial_rng(self._seed, number))
