"""What a strategy is, what it sees, and where its randomness comes from.

A strategy proposes the next point from the history alone. It is a function of the history and
the trial's number: whatever ran before, on whichever worker, before or after a restart, the
same history and number give the same point. What a strategy remembers from one call to the
next may save time, never change the point.

=========== =================================================================================
history     points evaluated so far with their losses, and the points still being evaluated
number      the trial's number, from 0
seed        one for the whole search; trial n draws from ``trial_rng(seed, n)``
=========== =================================================================================
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gpsearch.errors import InvalidSearchError
from gpsearch.space import Point
from gpsearch.study.trial import Proposed

Array = NDArray[np.float64]
Cost = Literal["work", "seconds"]
"""What an evaluation is taken to cost: the work or the wall time of its folds."""


@dataclass(frozen=True, kw_only=True)
class History:
    """What a strategy sees of a search; everything is minimised.

    Examples
    --------
    >>> history = History.of([[0.1], [0.9]], [2.0, float("nan")])
    >>> history.losses, history.failed
    (array([ 2., nan]), array([False,  True]))
    """

    points: Sequence[Point] = ()
    """The n evaluated points, oldest first."""
    losses: Array = field(default_factory=lambda: np.empty(0))
    """(n,) losses; NaN where the evaluation failed."""
    variances: Array = field(default_factory=lambda: np.empty(0))
    """(n,) known noise variances of these losses, of the folds that did not run, too; NaN where
    unknown."""
    fold_variances: Array = field(default_factory=lambda: np.empty(0))
    """(n,) variances of these losses as means over all folds, of which a share is noise; NaN
    where unknown, and for all where left out."""
    costs: Array = field(default_factory=lambda: np.empty(0))
    """(n,) costs of each evaluation, or of a fold of it, in any unit; NaN where unknown."""
    pending: Sequence[Point] = ()
    """Points that are being evaluated and have no loss yet."""
    n_given: int = 0
    """Points whose scores were given to the search, which cost it nothing."""

    def __post_init__(self) -> None:
        if not len(self.fold_variances):
            object.__setattr__(self, "fold_variances", np.full(len(self.points), np.nan))
        arrays = (self.losses, self.variances, self.costs, self.fold_variances)
        shapes = [np.shape(values) for values in arrays]
        if any(shape != (len(self.points),) for shape in shapes):
            raise InvalidSearchError(
                f"History: {len(self.points)} points with losses of shape {shapes[0]}, variances "
                f"of shape {shapes[1]}, costs of shape {shapes[2]} and fold_variances of shape "
                f"{shapes[3]}; each point needs one."
            )

    @classmethod
    def of(
        cls,
        points: Sequence[Point],
        losses: Sequence[float] | Array,
        variances: Sequence[float] | Array | None = None,
        costs: Sequence[float] | Array | None = None,
        pending: Sequence[Point] = (),
        n_given: int = 0,
        fold_variances: Sequence[float] | Array | None = None,
    ) -> Self:
        """Make a history of plain sequences; an infinite loss counts as failed."""
        values = np.array(losses, dtype=float)
        values[~np.isfinite(values)] = np.nan
        unknown = np.full(len(points), np.nan)
        return cls(
            points=points,
            losses=values,
            variances=unknown if variances is None else np.array(variances, float),
            fold_variances=unknown if fold_variances is None else np.array(fold_variances, float),
            costs=unknown if costs is None else np.array(costs, float),
            pending=pending,
            n_given=n_given,
        )

    @property
    def failed(self) -> NDArray[np.bool_]:
        """(n,) booleans: which evaluations failed."""
        return np.isnan(self.losses)

    @property
    def visited(self) -> list[Point]:
        """The evaluated and the pending points."""
        return [*self.points, *self.pending]

    def __len__(self) -> int:
        return len(self.points)


class Proposal(list[Any]):
    """A point as a list, with how it was proposed.

    Parameters
    ----------
    point : list
    source : "initial", "model" or "random"
        See `gpsearch.study.trial.Proposed`.

    Examples
    --------
    >>> Proposal([0.5, "relu"], "random") == [0.5, "relu"]
    True
    """

    def __init__(self, point: Point, source: Proposed) -> None:
        super().__init__(point)
        self.source: Proposed = source


def source_of(point: Point) -> Proposed:
    """How a point was proposed; a plain list, from a user's strategy, counts as "model".

    >>> source_of(Proposal([0.5], "initial")), source_of([0.5])
    ('initial', 'model')
    """
    return point.source if isinstance(point, Proposal) else "model"


@runtime_checkable
class Strategy(Protocol):
    """What proposes the next point."""

    name: str
    """What the study records as the origin of its points."""

    def propose(self, history: History, number: int) -> Point:
        """Propose the point of trial `number`, as a `Proposal` or as a bare point.

        The point is feasible, its values are plain Python, and dimensions that do not exist for
        it stand at their canonical values. In a finite space it is neither evaluated nor pending.

        Raises
        ------
        SpaceExhaustedError
            When nothing feasible and unseen is left.
        """


def trial_rng(seed: int, number: int) -> np.random.Generator:
    """Randomness of trial `number`: addressed, so that nothing before it has to be replayed.

    >>> bool(trial_rng(0, 7).random() == trial_rng(0, 7).random())
    True
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))


def trial_seed(seed: int, number: int) -> int:
    """A seed below 2**32 for the randomness of trial `number`, where a library wants one."""
    return int(np.random.SeedSequence(seed, spawn_key=(number,)).generate_state(1)[0])
