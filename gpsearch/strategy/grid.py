"""Grid search, with the resolution that the budget allows.

========== ==================================================================================
levels     places in one dimension that the grid uses: all categories, and for the rest the
           middles of equal shares of the dimension's distribution
cell       index of a level for each dimension; together they are the grid
========== ==================================================================================
"""

import itertools
import math
from collections.abc import Iterator

import numpy as np

from gpsearch.space import Point, Space
from gpsearch.strategy.strategy import Array, History, Proposal, trial_rng
from gpsearch.strategy.unseen import SOBOL_BLOCK, DistinctPoints, sobol_blocks

DRAWS_PER_CELL = 8  # quasi-random draws for each cell before the cells left over follow in order


class GridStrategy:
    """A grid of at least `n_calls` points, in an order that covers it evenly from the start.

    Unordered categories are all on the grid; the other dimensions start with two levels, and
    the one with the fewest is refined until the grid has `n_calls` points. Cells are visited in
    the order in which a quasi-random sequence hits them, so that a search that ends early has
    covered the whole space coarsely. After the last point of the grid follows one of twice as many
    points, and so on to the end of a finite space. The grid is the same for every `seed`, which
    decides the random points after it.

    >>> space = Space({"x": (0.0, 1.0), "act": ["relu", "tanh"]})
    >>> strategy = GridStrategy(space, seed=0, n_calls=4)
    >>> history = History()
    >>> for number in range(4):
    ...     seen = [*history.pending, strategy.propose(history, number)]
    ...     history = History(pending=seen)
    >>> sorted(seen)
    [[0.25, 'relu'], [0.25, 'tanh'], [0.75, 'relu'], [0.75, 'tanh']]
    """

    name = "grid"

    def __init__(
        self, space: Space, *, seed: int, n_calls: int = 100, n_initial_points: int = 0
    ) -> None:
        self._seed = seed
        self._grid = DistinctPoints(space, _grids(space, n_calls))

    def propose(self, history: History, number: int) -> Proposal:
        """Give the first point of the grid that was not visited; see `Strategy.propose`."""
        return self._grid.propose(history, trial_rng(self._seed, number))


def grid_sizes(space: Space, n_points: int) -> list[int]:
    """Numbers of levels, one for each dimension, whose product reaches `n_points`.

    >>> grid_sizes(Space({"x": (0.0, 1.0), "n": (1, 3), "act": ["relu", "tanh"]}), 20)
    [4, 3, 2]
    """
    limits = [int(n) or n_points for n in space.n_values]
    sizes = [
        limit if categorical else min(2, limit)
        for limit, categorical in zip(limits, space.categorical, strict=True)
    ]
    while math.prod(sizes) < n_points:
        growing = [
            j for j, (size, limit) in enumerate(zip(sizes, limits, strict=True)) if size < limit
        ]
        if not growing:
            break
        sizes[min(growing, key=lambda j: sizes[j])] += 1
    return sizes


def _grids(space: Space, n_points: int) -> Iterator[list[Point]]:
    """Blocks of the points of the grid for `n_points`, then of ever finer ones."""
    previous: list[int] = []
    while (sizes := grid_sizes(space, n_points)) != previous:
        levels = _levels(space, sizes)
        for cells in _covering_cells(sizes):
            z = np.column_stack([places[cells[:, j]] for j, places in enumerate(levels)])
            yield space.from_z(z)
        previous, n_points = sizes, 2 * n_points


def _levels(space: Space, sizes: list[int]) -> list[Array]:
    """The places of the levels of each dimension."""
    return [
        column.places()
        if size == column.n_values
        else column.quantile((np.arange(size) + 0.5) / size)
        for column, size in zip(space.columns, sizes, strict=True)
    ]


def _covering_cells(sizes: list[int]) -> Iterator[np.ndarray]:
    """Blocks of rows of level indices: every cell once, in the order a Sobol sequence hits them."""
    total = math.prod(sizes)
    met: set[tuple[int, ...]] = set()
    blocks = sobol_blocks(len(sizes), np.random.default_rng(0))
    for drawn, block in zip(itertools.count(SOBOL_BLOCK, SOBOL_BLOCK), blocks, strict=False):
        cells = [tuple(cell) for cell in (block * sizes).astype(int).tolist()]
        fresh = [cell for cell in dict.fromkeys(cells) if cell not in met]
        met.update(fresh)
        if fresh:
            yield np.array(fresh)
        if len(met) == total or drawn >= DRAWS_PER_CELL * total:
            break
    rest = (cell for cell in itertools.product(*map(range, sizes)) if cell not in met)
    while block_of_rest := list(itertools.islice(rest, SOBOL_BLOCK)):
        yield np.array(block_of_rest)
