import pytest

from gpsearch import mlp
from gpsearch.errors import InvalidObjectiveError


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("n_hidden", -1),
        ("n_neurons", 0),
        ("n_neurons", 8.5),
        ("learning_rate", 0.0),
        ("momentum", 1.5),
        ("decay", float("inf")),
        ("drop_rate", -0.1),
        ("opt", "lion"),
        ("target_kind", "sequence"),
    ],
)
def test_a_setting_outside_its_range_is_named_before_a_model_is_made(argument, value):
    right = {"input_shape": (2,), "n_outputs": 1, "target_kind": "binary"}
    with pytest.raises(InvalidObjectiveError, match=argument):
        mlp(**right | {argument: value})
