"""Params and curves survive their way through JSON, value, type and identity."""

import copy
import enum
import math

import numpy as np
import pytest

from gpsearch.errors import InvalidSpaceError
from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.study.encoding import Curves, ParamsDecoding, ParamsEncoding, dump, require_storable


class Opaque:
    """A category that JSON cannot hold."""


SPACE = Space(
    {
        "rate": Real(1e-300, 1.0, prior="log-uniform"),
        "units": Integer(1, 2**40),
        "mixed": Categorical([1, 1.5, True, "1", None, (1, "a"), ((2,), None)]),
        "epochs": 20,
    }
)
MIXED = [1, 1.5, True, "1", None, (1, "a"), ((2,), None)]


def round_trip(space, params):
    encoding = ParamsEncoding(space)
    return encoding.decode(encoding.encode(params))


@pytest.mark.parametrize("category", MIXED, ids=repr)
def test_categories_that_look_alike_stay_apart(category):
    params = {"rate": 0.5, "units": 3, "mixed": category, "epochs": 20}
    decoded = round_trip(SPACE, params)
    assert decoded == params
    assert type(decoded["mixed"]) is type(category)


@pytest.mark.parametrize("rate", [0.1, 1 / 3, 5e-300, np.nextafter(0.5, 1.0)])
def test_floats_keep_every_bit(rate):
    params = {"rate": float(rate), "units": 2**40, "mixed": 1, "epochs": 20}
    assert round_trip(SPACE, params)["rate"] == rate


def test_objects_come_back_as_themselves_in_their_own_space():
    first, second = Opaque(), Opaque()
    space = Space({"x": Categorical([first, second])})
    assert round_trip(space, {"x": second})["x"] is second


class Act(enum.StrEnum):
    RELU = "relu"
    TANH = "tanh"


class Units(enum.IntEnum):
    FEW = 8
    MANY = 64


@pytest.mark.parametrize(
    ("members", "plain"),
    [(list(Act), ["relu", "tanh"]), (list(Units), [8, 64]), ([(math.nan,), (1.0,)],) * 2],
    ids=["StrEnum", "IntEnum", "NaN in a tuple"],
)
def test_what_derives_from_a_text_or_a_number_is_itself_in_its_own_space(members, plain):
    space = Space({"x": Categorical(members)})
    require_storable(space, "a.db")
    for member, value in zip(members, plain, strict=True):
        assert round_trip(space, {"x": member})["x"] is member
        read = ParamsDecoding(space.to_json()).decode(ParamsEncoding(space).encode({"x": member}))
        assert repr(read["x"]) == repr(value)


def test_a_file_refuses_what_it_could_not_give_back():
    space = Space({"x": Categorical([Opaque(), Opaque()]), "y": Real(0.0, 1.0)})
    with pytest.raises(InvalidSpaceError, match=r"a\.db cannot store the values of 'x'"):
        require_storable(space, "a.db")
    require_storable(SPACE, "a.db")


def test_curves_are_equal_to_the_dict_they_came_from():
    curves = {"loss": (0.1, math.inf), "val_loss": (0.2,)}
    stored = Curves(dump(curves))
    assert copy.copy(stored) == copy.deepcopy(stored) == stored == curves
    assert list(stored) == ["loss", "val_loss"]
    assert math.isnan(Curves(dump({"loss": [math.nan]}))["loss"][0])
