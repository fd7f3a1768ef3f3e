import numpy as np
import pytest
from skopt.space import Categorical, Integer, Real

from gpsearch.acquisition import WeightedByPrior
from gpsearch.space import Space
from gpsearch.strategy import History
from gpsearch.strategy.gp import GPStrategy
from gpsearch.strategy.name_priors import FLOOR, NamePrior, usual_setting

NETWORK = [
    Real(1e-4, 1.0, prior="log-uniform", name="learning_rate"),
    Integer(8, 512, prior="log-uniform", name="n_neurons"),
    Real(0.0, 0.5, name="drop_rate"),
    Categorical(["adam", "sgd"], name="opt"),
    Real(0.0, 1.0, name="x"),
]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("lr", True),
        ("init_lr_index", True),
        ("optimizer__learning-rate", True),
        ("n_units_2", True),
        ("max_units", True),
        ("n_hidden", True),
        ("batch_size", True),
        ("weight_decay", True),
        ("momentum", True),
        ("max_depth", False),  # of a tree
        ("already", False),  # has "lr" in it
        ("epochs", False),
        ("lr_schedule", False),
        ("decay_steps", False),
        ("beta_1", False),
    ],
)
def test_known_names(name: str, known: bool) -> None:
    assert (usual_setting(name) is not None) is known


def test_density_is_one_on_average_and_its_gradient_is_right() -> None:
    space = Space(NETWORK)
    prior, rng = NamePrior(space), np.random.default_rng(0)
    Z = rng.random((200_000, len(space)))
    everything = np.ones(Z.shape, dtype=bool)
    value, _ = prior.log_density(Z, everything)
    assert np.exp(value).mean() == pytest.approx(1.0, abs=0.01)
    assert np.exp(value).min() > FLOOR**3
    Z = rng.uniform(0.02, 0.98, (50, len(space)))
    _, gradient = prior.log_density(Z, everything[:50])
    for j in range(len(space)):
        step = np.zeros(len(space))
        step[j] = 1e-6
        up, down = (prior.log_density(Z + s * step, everything[:50])[0] for s in (1, -1))
        np.testing.assert_allclose(gradient[:, j], (up - down) / 2e-6, atol=1e-6)


def test_dimension_that_does_not_exist_counts_nothing() -> None:
    prior = NamePrior(Space(NETWORK))
    Z = np.random.default_rng(0).random((5, 5))
    value, gradient = prior.log_density(Z, np.zeros(Z.shape, dtype=bool))
    assert not value.any()
    assert not gradient.any()


def test_moved_quantiles_are_quantiles_of_the_density() -> None:
    prior, rng = NamePrior(Space(NETWORK)), np.random.default_rng(0)
    moved = prior.quantile(rng.random((20_000, 5)))
    np.testing.assert_allclose(moved.mean(axis=0), [0.5, 2 / 3, 1 / 3, 0.5, 0.5], atol=0.01)
    np.testing.assert_array_equal(prior.quantile(np.eye(5)), np.eye(5))


def test_unknown_names_are_searched_as_without_a_prior() -> None:
    space = Space({f"v{j}": dimension for j, dimension in enumerate(NETWORK)})
    usual, plain = (GPStrategy(space, seed=0, optimum_prior=prior) for prior in ("by_name", None))
    points = [usual.propose(History(), number) for number in range(8)]
    assert points == [plain.propose(History(), number) for number in range(8)]
    history = History.of(points, [float(i) for i in range(8)])
    assert usual.propose(history, 8) == plain.propose(history, 8)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_prior_is_left_out_while_losses_contradict_it(sign: float) -> None:
    """Losses that fall with the units agree with it, and those that rise with them do not."""
    space = Space({"units": (8, 512, "log"), "dropout": (0.0, 0.5)})
    strategy = GPStrategy(space, seed=0)
    points = [strategy.propose(History(), number) for number in range(8)]
    units, dropout = space.to_z(points).T
    acquisition, _ = strategy.acquisition(History.of(points, sign * (dropout - units)))
    assert isinstance(acquisition, WeightedByPrior) is (sign > 0)


def test_the_prior_matters_first_and_is_outgrown() -> None:
    """The optimum is where none is expected: the prior costs some evaluations, not the optimum."""
    space = Space(NETWORK)

    def loss(point: list) -> float:
        z = space.to_z([point])[0]
        return float((z[0] - 0.95) ** 2 + (z[1] - 0.05) ** 2 + (z[2] - 0.95) ** 2)

    found = {}
    for prior in ("by_name", None):
        strategy = GPStrategy(space, seed=0, optimum_prior=prior)
        points: list = []
        for number in range(30):
            history = History.of(points, [loss(p) for p in points])
            points.append(strategy.propose(history, number))
        found[prior] = [loss(p) for p in points]
    assert np.mean(found["by_name"][:8]) > np.mean(found[None][:8])
    assert min(found["by_name"]) < 0.007  # a corner of the cube has 0.0075


def test_first_points_are_denser_where_settings_are_usually_good() -> None:
    strategies = [
        GPStrategy(Space(NETWORK), seed=0, optimum_prior=prior) for prior in ("by_name", None)
    ]
    usual, plain = ([s.propose(History(), n)[1] for n in range(8)] for s in strategies)
    assert np.mean(usual) > np.mean(plain)
