"""What every strategy promises: one suite, inherited by each."""

import functools
import math
from typing import ClassVar

import numpy as np
import pytest

from gpsearch.errors import SpaceExhaustedError
from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.strategy import STRATEGIES, History, Strategy, make_strategy, source_of
from gpsearch.strategy import skopt as stock


class Activation:
    """A category that is neither a string nor a number."""


RELU, TANH = Activation(), Activation()


def mixed_space():
    return Space(
        {
            "lr": Real(1e-4, 1.0, prior="log-uniform"),
            "drop": Real(-0.5, 0.5),
            "units": Integer(16, 512, prior="log-uniform"),
            "layers": Integer(1, 6),
            "batch": Categorical([16, 32, 64]),
            "shape": Categorical([(8, 8), (16,), None]),
            "act": Categorical([RELU, TANH]),
        }
    )


def loss_of(space, point):
    """A bowl in z whose minimum is off the centre."""
    return float(((space.to_z([point])[0] - 0.3) ** 2).sum()) + 5.0


def costs_of(space, points):
    """From 1 to 50: some dimensions are dearer than others."""
    return [float(np.exp(4.0 * space.to_z([point])[0].mean())) for point in points]


def drive(strategy, space, n, loss=loss_of, points=(), losses=()):
    """Run `strategy` for n trials one after the other; the points it proposed."""
    points, losses = list(points), list(losses)
    start = len(points)
    for number in range(start, start + n):
        point = strategy.propose(History.of(points, losses, costs=costs_of(space, points)), number)
        points.append(point)
        losses.append(loss(space, point))
    return points[start:], losses[start:]


@functools.cache
def undisturbed(contract):
    """The space, the points and the losses of one search of ten trials."""
    space = mixed_space()
    return space, *drive(contract().make(space), space, 10)


class StrategyContract:
    """Inherit, and set `name`; `options` may make a slow strategy quicker.

    `starts_as` is how it proposes its first points, before its model where it has one.
    """

    name: str
    options: ClassVar[dict] = {}
    seeded = True
    starts_as = "initial"

    def make(self, space, *, seed=0, n_calls=20, **options):
        return make_strategy(
            self.name, space, seed=seed, n_calls=n_calls, **{**self.options, **options}
        )

    def test_it_is_a_strategy_and_knows_its_name(self):
        strategy = self.make(Space({"x": (0.0, 1.0)}))
        assert isinstance(strategy, Strategy)
        assert strategy.name == self.name

    def test_points_belong_to_the_space_and_hold_plain_values(self):
        space, points, _ = undisturbed(type(self))
        for point in points:
            assert point in space
            assert [type(value) for value in point[:5]] == [float, float, int, int, int]
            assert type(point[5]) in (tuple, type(None))
            assert point[6] is RELU or point[6] is TANH

    def test_points_of_a_search_differ(self):
        space, points, _ = undisturbed(type(self))
        assert len({space.key(point) for point in points}) == 10

    @pytest.mark.parametrize("done", [0, 2, 7])
    def test_a_resumed_search_proposes_what_the_uninterrupted_one_did(self, done):
        space, points, losses = undisturbed(type(self))
        resumed, _ = drive(
            self.make(space), space, 10 - done, points=points[:done], losses=losses[:done]
        )
        assert resumed == points[done:]

    def test_proposing_twice_gives_the_same_point_whatever_was_proposed_between(self):
        space, points, losses = undisturbed(type(self))
        strategy = self.make(space)
        for number in (8, 3, 6, 0, 3):
            costs = costs_of(space, points[:number])
            history = History.of(points[:number], losses[:number], costs=costs)
            again = strategy.propose(history, number)
            assert again == points[number]

    def test_it_says_how_each_point_was_proposed(self):
        points = undisturbed(type(self))[1][:8]
        n_initial = self.options.get("n_initial_points", 8)
        expected = [self.starts_as] * n_initial + ["model"] * (8 - n_initial)
        assert [source_of(point) for point in points] == expected

    def test_the_history_stays_as_it_was(self):
        space, points, losses = undisturbed(type(self))
        points, losses = points[:7], losses[:7]
        history = History.of([list(p) for p in points], losses, pending=[list(points[0])])
        self.make(space).propose(history, 8)
        assert history.points == points
        assert history.losses.tolist() == losses
        assert history.pending == [points[0]]

    def test_other_seeds_give_other_points(self):
        space = mixed_space()
        first, second = (self.make(space, seed=s).propose(History(), 0) for s in (1, 2))
        assert (first != second) == self.seeded

    def test_a_finite_space_is_searched_whole_then_ends(self):
        space = Space({"n": (1, 3), "act": ["relu", "tanh"]})
        strategy = self.make(space)
        points, losses = drive(strategy, space, 6)
        assert len({tuple(point) for point in points}) == 6
        with pytest.raises(SpaceExhaustedError):
            strategy.propose(History.of(points, losses), 6)

    def test_conditions_leave_fewer_points_and_the_space_ends_there(self):
        space = Space(
            {"opt": ["sgd", "adam"], "nesterov": [False, True], "layers": [1, 2]},
            conditions={"nesterov": {"opt": ["sgd"]}},
        )
        strategy = self.make(space)
        points, losses = drive(strategy, space, 6)
        assert len({tuple(sorted(space.params(p).items())) for p in points}) == 6
        with pytest.raises(SpaceExhaustedError):
            strategy.propose(History.of(points, losses), 6)

    def test_pending_points_are_not_proposed_again(self):
        space = Space({"n": (1, 4)})
        for missing in range(1, 5):
            pending = [[n] for n in range(1, 5) if n != missing]
            assert self.make(space).propose(History(pending=pending), 3) == [missing]

    def test_pending_points_move_the_next_proposal_elsewhere(self):
        space, points, losses = undisturbed(type(self))
        points, losses = points[:8], losses[:8]
        strategy = self.make(space)
        pending = []
        for number in range(8, 11):
            pending.append(strategy.propose(History.of(points, losses, pending=pending), number))
        assert len({space.key(point) for point in points + pending}) == 11

    def test_every_point_satisfies_the_constraint(self):
        space = Space(
            {"first": (1, 100), "second": (1, 100), "x": (0.0, 1.0)},
            constraint=lambda params: params["first"] + params["second"] <= 60,
        )
        points, _ = drive(self.make(space), space, 12)
        assert all(first + second <= 60 for first, second, _ in points)

    def test_a_constraint_that_nothing_satisfies_ends_the_search(self, monkeypatch):
        monkeypatch.setattr("gpsearch.strategy.unseen.MORE_DRAWS", 300)
        monkeypatch.setattr("gpsearch.strategy.unseen.FRUITLESS", 256)
        space = Space({"x": (0.0, 1.0)}, constraint=lambda params: params["x"] > 1)
        with pytest.raises(SpaceExhaustedError, match="constraint"):
            self.make(space).propose(History(), 0)

    def test_dimensions_that_do_not_exist_stand_at_their_canonical_values(self):
        space = Space(
            {"opt": ["sgd", "adam", "rmsprop"], "momentum": (0.0, 0.9), "lr": (0.001, 0.1)},
            conditions={"momentum": {"opt": ["sgd", "rmsprop"]}},
        )
        points, _ = drive(self.make(space), space, 12)
        assert points == space.canonical(points)
        assert {opt for opt, _, _ in points} == {"sgd", "adam", "rmsprop"}

    def test_failed_trials_do_not_stop_it(self):
        space = mixed_space()

        def half_fail(space, point):
            return math.nan if point[1] > 0 else loss_of(space, point)

        points, losses = drive(self.make(space), space, 12, loss=half_fail)
        assert np.isnan(losses).any()
        assert len({space.key(point) for point in points}) == 12

    def test_it_goes_on_when_every_trial_failed(self):
        space = mixed_space()
        points, _ = drive(self.make(space), space, 9, loss=lambda space, point: math.nan)
        assert len({space.key(point) for point in points}) == 9

    @pytest.mark.parametrize("loss", [0.0, 1e12, -1e-12], ids=str)
    def test_a_constant_loss_is_no_trouble(self, loss):
        space = Space({"x": (0.0, 1.0), "n": (1, 5)})
        points, _ = drive(self.make(space), space, 8, loss=lambda space, point: loss)
        assert all(point in space for point in points)

    def test_points_from_elsewhere_are_part_of_the_history(self):
        space = Space({"x": (0.0, 1.0), "n": (1, 5)})
        history = History.of([[0.5, 3]], [1.0], variances=[0.01])
        assert self.make(space).propose(history, 0) in space
        assert self.make(space).propose(history, 1) in space

    def test_twenty_dimensions_of_which_one_has_twenty_categories(self):
        space = Space(
            {f"x{i}": Real(0.0, 1.0) for i in range(10)}
            | {f"n{i}": Integer(1, 50) for i in range(9)}
            | {"c": Categorical([f"category {i}" for i in range(20)])}
        )
        points, _ = drive(self.make(space), space, 8)
        assert len({space.key(point) for point in points}) == 8
        assert all(point in space for point in points)

    def test_no_initial_points_and_an_empty_history_still_give_a_point(self):
        space = Space({"x": (0.0, 1.0)})
        assert self.make(space, n_initial_points=0).propose(History(), 0) in space

    def test_a_budget_of_one(self):
        space = mixed_space()
        assert self.make(space, n_calls=1).propose(History(), 0) in space


class TestGP(StrategyContract):
    name = "gp"
    options: ClassVar[dict] = {"n_initial_points": 4}


class TestGPMindingCost(StrategyContract):
    name = "gp"
    options: ClassVar[dict] = {"n_initial_points": 4, "cost": "work"}


class TestRandom(StrategyContract):
    name = "random"
    starts_as = "random"


class TestGrid(StrategyContract):
    name = "grid"
    seeded = False


class TestTPE(StrategyContract):
    name = "tpe"
    options: ClassVar[dict] = {"n_initial_points": 5}


class TestSkopt(StrategyContract):
    name = "skopt"
    options: ClassVar[dict] = {"n_initial_points": 7, "n_points": 100, "n_restarts_optimizer": 1}

    @pytest.fixture(autouse=True)
    def _one_start_for_each_fit(self, monkeypatch):
        """The stock process is scikit-optimize's own; its fits from three starts take seconds."""
        quick = functools.partial(stock.cook_estimator, n_restarts_optimizer=0)
        monkeypatch.setattr(stock, "cook_estimator", quick)


def test_every_strategy_stands_here():
    tested = {cls.name for cls in StrategyContract.__subclasses__()}
    assert tested == set(STRATEGIES)
