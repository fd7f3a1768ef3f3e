"""Points that were not visited yet."""

import itertools
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from gpsearch.errors import SpaceExhaustedError
from gpsearch.space import Integer, Space
from gpsearch.strategy import unseen
from gpsearch.strategy.unseen import DistinctPoints, draw_unseen


def rng():
    return np.random.default_rng(0)


def test_what_is_left_is_drawn_by_the_spaces_distribution():
    space = Space({"n": Integer(1, 6), "x": (0.0, 1.0)}, constraint=lambda p: p["n"] != 3)
    generator = rng()
    counts = Counter(draw_unseen(space, set(), generator)[0] for _ in range(1500))
    assert 3 not in counts
    assert stats.chisquare([counts[n] for n in (1, 2, 4, 5, 6)]).pvalue > 0.001


def test_the_one_point_left_of_thousands_is_found():
    space = Space({"a": (1, 70), "b": (1, 70)})
    seen = space.keys([p for p in space.enumerate(4900) if p != [33, 44]])
    assert draw_unseen(space, seen, rng()) == [33, 44]


def test_the_errors_tell_an_exhausted_space_from_an_infeasible_one():
    space = Space({"n": (1, 4)})
    with pytest.raises(SpaceExhaustedError, match="all 4 feasible points"):
        draw_unseen(space, space.keys([[1], [2], [3], [4]]), rng())
    with pytest.raises(SpaceExhaustedError, match=r"no point .* satisfies"):
        draw_unseen(Space({"n": (1, 4)}, constraint=lambda p: p["n"] > 4), set(), rng())


def test_a_space_too_large_to_enumerate_ends_after_many_draws(monkeypatch):
    monkeypatch.setattr(unseen, "MORE_DRAWS", 2000)
    with pytest.raises(SpaceExhaustedError, match=r"none of 2.* random points satisfies"):
        draw_unseen(Space({"x": (0.0, 1.0)}, constraint=lambda p: False), set(), rng())
    space = Space({"x": (0.0, 1.0), "c": ["a", "b"]}, constraint=lambda p: p["x"] == 0.25)
    with pytest.raises(SpaceExhaustedError):
        draw_unseen(space, space.keys([[0.25, "a"]]), rng())


def blocks_of(values, size=3):
    iterator = iter(values)
    while block := [[value] for value in itertools.islice(iterator, size)]:
        yield block


def test_a_sequence_keeps_what_is_feasible_and_new_in_its_order():
    space = Space({"n": (1, 99)}, constraint=lambda p: p["n"] % 2 == 0)
    points = DistinctPoints(space, blocks_of([4, 3, 8, 4, 2, 8, 6, 1]))
    assert [points.first_unseen(set(), start) for start in range(4)] == [[4], [8], [2], [6]]
    assert points.first_unseen(set(), 4) is None
    assert points.first_unseen(space.keys([[4], [2]])) == [8]
    assert points.first_unseen(space.keys([[8], [2]]), 1) == [6]


def test_a_sequence_gives_copies():
    points = DistinctPoints(Space({"n": (1, 9)}), blocks_of([5]))
    points.first_unseen(set()).append("spoilt")
    assert points.first_unseen(set()) == [5]


def test_a_sequence_that_brings_nothing_new_ends(monkeypatch):
    monkeypatch.setattr(unseen, "FRUITLESS", 50)
    made = []

    def for_ever():
        for value in itertools.repeat(7):
            made.append(value)
            yield [[value]]

    points = DistinctPoints(Space({"n": (1, 9)}), for_ever())
    assert points.first_unseen(set(), 1) is None
    assert len(made) == 51


def test_a_finite_sequence_ends_with_the_last_point_of_the_space():
    points = DistinctPoints(Space({"n": (1, 3)}), blocks_of(itertools.cycle([1, 2, 3])))
    assert points.first_unseen(set(), 3) is None
