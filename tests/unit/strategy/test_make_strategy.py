"""Strategies by name, and a user's own."""

import numpy as np
import pytest

from gpsearch.errors import InvalidParamsError, InvalidSearchError
from gpsearch.space import Categorical, Space
from gpsearch.strategy import History, Proposal, make_strategy, source_of

SPACE = Space({"n": (1, 4), "shape": Categorical([(8,), (16, 16)])})


def make(name, space=SPACE, **options):
    return make_strategy(name, space, **{"seed": 0, "n_calls": 10, **options})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            {"name": "gd"},
            "gp, random, grid, tpe, skopt, or",
            id="unknown name",
        ),
        pytest.param({"name": "random", "n_calls": 0}, "at least 1", id="no budget"),
        pytest.param({"name": "grid", "n_initial_points": -1}, "at least 0", id="negative"),
        pytest.param({"name": "random", "kappa": 2}, "'kappa'", id="unknown option"),
        pytest.param({"name": "tpe", "kappa": 2}, "'kappa'", id="unknown option of Optuna"),
        pytest.param({"name": "skopt", "n_points": 0}, "n_points=0", id="no candidates"),
        pytest.param(
            {"name": "skopt", "n_restarts_optimizer": -1}, "n_restarts_optimizer=-1", id="no starts"
        ),
        pytest.param({"name": "skopt", "acq_func": "EI"}, "'acq_func'", id="option of another"),
        pytest.param({"name": "staged"}, "was removed", id="removed name"),
        pytest.param({"name": "sobol"}, "was removed", id="another removed name"),
        pytest.param({"name": "gp_per_second"}, 'cost="seconds"', id="now an argument"),
        pytest.param({"name": "gp", "importance": "classic"}, "'importance'", id="removed option"),
        pytest.param(
            {"name": "random", "optimum_prior": {"n": 2}},
            'only the strategy "gp"',
            id="useless prior",
        ),
        pytest.param({"name": object()}, "propose", id="object without propose"),
    ],
)
def test_a_wrong_argument_has_its_own_error(arguments, message):
    with pytest.raises(InvalidSearchError, match=message):
        make(**arguments)


class Always:
    """A user's strategy: no base class, no name."""

    def __init__(self, point):
        self.point = point

    def propose(self, history, number):
        return self.point


def test_an_own_strategy_serves_and_its_points_become_plain():
    strategy = make(Always((np.int64(3), (8,))))
    assert strategy.name == "Always"
    (number, shape) = strategy.propose(History(), 0)
    assert type(number) is int
    assert (number, shape) == (3, (8,))


@pytest.mark.parametrize(
    ("point", "source"),
    [([3, (8,)], "model"), (Proposal([3, (8,)], "random"), "random")],
    ids=["a bare point", "a proposal"],
)
def test_an_own_strategy_may_say_how_it_proposes(point, source):
    assert source_of(make(Always(point)).propose(History(), 0)) == source


def test_an_own_strategy_that_leaves_the_space_is_told_so():
    with pytest.raises(InvalidParamsError, match="'n': 9"):
        make(Always([9, (8,)])).propose(History(), 0)


def test_options_cannot_be_added_to_a_strategy_that_is_made():
    with pytest.raises(InvalidSearchError, match="kappa"):
        make(Always([1, (8,)]), kappa=2)
