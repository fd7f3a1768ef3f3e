"""The rule of thumb of what to tune first knows the usual names."""

import pytest

from gpsearch.errors import InvalidSpaceError
from gpsearch.space.classic_order import classic_tier
from gpsearch.training import mlp_space


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


def test_the_space_of_the_first_tiers_holds_what_matters_most():
    spaces = [list(mlp_space(tiers)) for tiers in (1, 2, 3, None)]
    assert spaces[0] == ["learning_rate"]
    assert spaces[1] == ["learning_rate", "momentum", "n_neurons", "batch_size"]
    assert spaces[2] == [*spaces[1], "n_hidden", "decay"]
    assert spaces[3][:6] == spaces[2]
    assert len(spaces[3]) == 10


@pytest.mark.parametrize("tiers", [0, 4, "2"])
def test_other_tiers_are_refused(tiers):
    with pytest.raises(InvalidSpaceError, match="must be 1, 2, 3 or None"):
        mlp_space(tiers)
