"""The order in which dimensions are believed to matter, and what "gp" makes of it."""

import numpy as np
import pytest

import gpsearch as gs
from gpsearch.errors import InvalidSearchError, StudyMismatchError
from gpsearch.space import Space
from gpsearch.strategy import History, make_strategy
from gpsearch.strategy.gp import GPOptions, GPStrategy, believing_order
from gpsearch.strategy.importance import classic_tier, importance_tiers
from gpsearch.surrogate import Priors

NAMES = ["drop_rate", "lr", "batch_size", "n_hidden", "n_neurons"]
SPACE = Space({name: (0.0, 1.0) for name in NAMES})


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("learning_rate", 1),
        ("optimizer__learning_rate", 1),
        ("LR", 1),
        ("batch-size", 2),
        ("n_neurons_2", 2),
        ("momentum", 2),
        ("beta_1", 2),
        ("n_hidden", 3),
        ("lr_decay", 3),
        ("drop_rate", None),
        ("activation", None),
    ],
)
def test_classic_tier_knows_the_usual_names(name, tier):
    assert classic_tier(name) == tier


def test_tiers_of_an_order_have_no_gaps_and_what_is_not_named_comes_last():
    assert importance_tiers("classic", NAMES).tolist() == [3, 0, 1, 2, 1]
    assert importance_tiers("classic", ["n_hidden", "act"]).tolist() == [0, 1]
    assert importance_tiers(["n_hidden", ["lr", "drop_rate"]], NAMES).tolist() == [1, 1, 2, 0, 2]
    assert importance_tiers([NAMES], NAMES).tolist() == [0] * 5


@pytest.mark.parametrize(
    ("importance", "message"),
    [
        pytest.param("learning_rate", "'classic', or a list", id="a bare name"),
        pytest.param([], "'classic', or a list", id="empty"),
        pytest.param({"lr": 1}, "'classic', or a list", id="a dict"),
        pytest.param([3], "3 is no dimension", id="a number"),
        pytest.param([[]], "names no dimension", id="an empty tier"),
        pytest.param(["lr", "momentum"], "'momentum' is no dimension.*drop_rate, lr", id="unknown"),
        pytest.param(["lr", ["batch_size", "lr"]], "'lr' occurs twice", id="twice"),
    ],
)
def test_a_wrong_order_is_refused(importance, message):
    with pytest.raises(InvalidSearchError, match=message):
        importance_tiers(importance, NAMES)


def test_the_classic_order_needs_a_name_that_it_knows():
    with pytest.raises(InvalidSearchError, match=r"none of x, y.*give the order"):
        importance_tiers("classic", ["x", "y"])


def test_a_prior_with_centres_is_the_plain_one_moved():
    centres, theta = (4.0, 0.5), np.array([0.3, -0.2, 0.1, -3.0])
    moved, gradient = Priors(length_centres=centres).log_density(theta)
    plain, plain_gradient = Priors().log_density(theta - [np.log(4.0), np.log(0.5), 0.0, 0.0])
    assert moved == pytest.approx(plain)
    np.testing.assert_allclose(gradient, plain_gradient)


def test_important_dimensions_are_expected_to_have_shorter_length_scales():
    centres = believing_order(GPOptions(), "classic", SPACE).priors.length_centres
    assert centres == (1.0, 8.0, 4.0, 2.0, 4.0)
    points = SPACE.sample(6, np.random.default_rng(0))
    history = History.of(points, np.random.default_rng(1).normal(size=6))
    plain = GPStrategy(SPACE, seed=0).process(history).hyperparameters.weights
    believing = GPStrategy(SPACE, seed=0, importance="classic").process(history)
    ratios = believing.hyperparameters.weights / plain
    assert ratios[1] > 1.5 * ratios[0]


def test_search_takes_an_order_records_it_and_continues_with_no_other():
    def search(importance, n_calls, study=None, **options):
        return gs.search(
            lambda params: -((params["lr"] - 0.3) ** 2),
            {"lr": (0.0, 1.0), "x": (0.0, 1.0)},
            n_calls=n_calls,
            study=study,
            random_state=0,
            importance=importance,
            progress=False,
            **options,
        )

    study = search(["lr"], 9)
    assert study.info.settings["importance"] == ["lr"]
    with pytest.raises(StudyMismatchError, match="importance=\\['lr'\\], not None"):
        search(None, 10, study)
    assert len(search(["lr"], 10, study).trials) == 10
    with pytest.raises(InvalidSearchError, match="'importance'"):
        search(["lr"], 3, strategy="random")
    with pytest.raises(InvalidSearchError, match="importance cannot be passed on"):
        search(["lr"], 3, strategy=make_strategy("gp", study.space, seed=0, n_calls=3))
