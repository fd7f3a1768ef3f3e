"""The other optimisers of the benchmarks, each in a process of its own."""

import math
import shutil
import sys
from contextlib import closing
from pathlib import Path

import pytest
from skopt.space import Categorical, Integer, Real

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
DIMENSIONS = [
    Real(1e-5, 1.0, prior="log-uniform", name="rate"),
    Integer(1, 64, name="units"),
    Integer(16, 512, prior="log-uniform", name="batch"),
    Categorical([True, False], name="bias"),
    Categorical(["relu", "tanh", "elu"], name="activation"),
]
PEERS = [
    "ax",
    "botorch",
    "hebo",
    "hyperopt",
    "keras-tuner",
    "optuna-gp",
    "optuna-tpe",
    "scikit-optimize",
    "smac",
]


@pytest.fixture
def peers(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import peers

    return peers


def in_process(peers, name, seed=0):
    return closing(peers.Peer(name, DIMENSIONS, seed, Path(sys.executable)))


def loss(point):
    rate, units, batch, bias, activation = point
    size = abs(math.log2(batch) - 6) / 4 + abs(units - 20) / 64
    return (math.log10(rate) + 3) ** 2 + size + bias + len(activation) / 10


def test_process_asks_what_the_same_search_asks_here(peers):
    here = peers.make("random", DIMENSIONS, 3)
    expected = [here.ask() for _ in range(5)]
    with in_process(peers, "random", seed=3) as there:
        for point in expected:
            assert there.ask() == point
            there.tell([point], [math.nan])
        assert 0.0 < there.seconds() < 60.0
        assert there.version == here.version


def test_an_exception_of_a_peer_is_raised_with_its_name(peers):
    with (
        in_process(peers, "random") as there,
        pytest.raises(RuntimeError, match=r"(?s)random: .*zip"),
    ):
        there.tell([[1e-3, 20]], [0.5])


def test_a_process_that_ends_is_told(peers):
    with pytest.raises(RuntimeError, match="random: its process ended"):
        peers.Peer("random", DIMENSIONS, 0, Path(shutil.which("true")))


def test_a_name_that_is_not_known_is_told_with_those_that_are(peers):
    with pytest.raises(ValueError, match=r"no optimiser 'best'; there are gpsearch, .*smac"):
        peers.make("best", DIMENSIONS, 0)


def test_corners_are_at_the_ends(peers):
    corners = peers.make("corners", DIMENSIONS, 0)
    for rate, units, batch, *_ in (corners.ask() for _ in range(8)):
        assert rate in {1e-5, 1.0}
        assert units in {1, 64}
        assert batch in {16, 512}


def test_a_failure_becomes_the_worst_loss_and_waits_for_the_first(peers, monkeypatch):
    from peer_shape import Random, Search

    told = []
    monkeypatch.setattr(Random, "takes_failures", False)
    monkeypatch.setattr(Random, "tell", lambda self, values, loss: told.append(loss))
    search = Search(Random, [peers.described(d) for d in DIMENSIONS], 0, 50)
    for seen in (math.nan, 2.0, math.nan, 5.0, math.nan):
        search.tell([search.ask()], [seen])
    assert told == [2.0, 2.0, 2.0, 5.0, 5.0]


@pytest.mark.slow
@pytest.mark.parametrize("name", PEERS)
def test_peer_tunes_a_mixed_space_with_a_failure(peers, name):
    python = peers.python_of(name)
    if python is None:
        pytest.skip(f"{name} is not installed: make peers")
    known = [[1e-2, 8, 64, True, "tanh"], [1e-4, 30, 128, False, "elu"]]
    failing = (0, 1, 7)  # before the first success, and after
    with closing(peers.make(name, DIMENSIONS, 0)) as optimizer:
        for number in range(15):
            if number == 4:
                optimizer.tell(known, [loss(point) for point in known])
            point = optimizer.ask()
            for value, dimension in zip(point, DIMENSIONS, strict=True):
                assert value in dimension
                assert isinstance(value, int) == isinstance(dimension, Integer) or value in (0, 1)
            optimizer.tell([point], [math.nan if number in failing else loss(point)])
        assert optimizer.version.split()[1][0].isdigit()
