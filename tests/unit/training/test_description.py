"""Two things have one description only where nothing that can be reached differs."""

import dataclasses
import enum
import functools
import math
import sys
import types

import numpy as np
import pytest

from gpsearch.training.compiled.description import Description, NotDescribed

SLOPE = 1.0
settings = types.ModuleType("settings_of_a_test")
sys.modules["settings_of_a_test"] = settings


def digest(thing):
    return Description().digest(thing)


class Holder:
    def __init__(self, value):
        self._value = value

    def method(self, x):
        return x * self._value


class Slotted:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


@dataclasses.dataclass
class Pair:
    value: float
    others: list


class Kind(enum.Enum):
    ONE = 1
    TWO = 2


class Own(dict):
    pass


def closure(value):
    return lambda x: x * value


def nested(value):
    def outer(x):
        def inner(y):
            return y * value

        return inner(x)

    return outer


def positional(value):
    def function(x, slope=value):
        return x * slope

    return function


def keyword_only(value):
    def function(x, *, slope=value):
        return x * slope

    return function


def attribute_of_function(value):
    def function(x):
        return x * function.slope

    function.slope = value
    return function


def of_class(value):
    class Local:
        slope = value

        def __call__(self, x):
            return x * self.slope

    return Local()


def of_base(value):
    class Base:
        slope = value

    class Local(Base):
        pass

    return Local()


def of_method(value):
    class Local:
        @staticmethod
        def slope():
            return value

    return Local()


def of_property(value):
    class Local:
        @property
        def slope(self):
            return value

    return Local()


def cached(value):
    @functools.lru_cache
    def function(x):
        return x * value

    return function


def wrapped(value):
    @functools.wraps(math.fabs)
    def function(x):
        return x * value

    return function


def ring(value):
    one, other = Holder(value), Holder(None)
    one.other, other.other = other, one
    return one


def with_attribute(container, value):
    container.extra = value
    return container


KINDS = {
    "number": lambda v: v,
    "number in a list": lambda v: [1, [v]],
    "number in a dict": lambda v: {"a": {"b": v}},
    "key of a dict": lambda v: {v: 1},
    "number in a set": lambda v: {v, "a", (1, 2)},
    "array": lambda v: np.array([1.0, v]),
    "array of objects": lambda v: np.array([1.0, Holder(v)], dtype=object),
    "masked array": lambda v: np.ma.masked_equal(np.array([1.0, 2.0]), v),
    "NumPy's number": np.float32,
    "type of array": lambda v: np.zeros(2, "float32" if v == 1.0 else "float64"),
    "private attribute": Holder,
    "slot": Slotted,
    "dataclass": lambda v: Pair(1.0, [v]),
    "nested object": lambda v: Holder(Holder(v)),
    "objects in a ring": ring,
    "bound method": lambda v: Holder(v).method,
    "partial": lambda v: functools.partial(pow, v),
    "keyword of a partial": lambda v: functools.partial(pow, exp=v),
    "closure": closure,
    "nested closure": nested,
    "positional default": positional,
    "keyword-only default": keyword_only,
    "attribute of a function": attribute_of_function,
    "class attribute": of_class,
    "attribute of a base": of_base,
    "static method": of_method,
    "property": of_property,
    "cached function": cached,
    "function under a trusted name": wrapped,
    "member of an enumeration": lambda v: Kind.ONE if v == 1.0 else Kind.TWO,
    "container of one's own": lambda v: Own(a=v),
    "attribute of a container": lambda v: with_attribute(Own(), v),
    "slice": lambda v: slice(0, int(v)),
    "namespace": lambda v: types.SimpleNamespace(slope=v),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_is_seen_wherever_it_stands(kind):
    make = KINDS[kind]
    assert digest(make(1.0)) == digest(make(1.0))
    assert digest(make(1.0)) != digest(make(2.0))


def reads_global(x):
    return x * SLOPE


def reads_global_inside(x):
    return [SLOPE * y for y in (lambda: x)()]


def reads_module(x):
    return x * settings.slope


def reads_module_by_name(x):
    return x * getattr(settings, "slope")  # noqa: B009


def imports_module(x):
    import settings_of_a_test as found

    return x * found.slope


def imports_from_module(x):
    from settings_of_a_test import slope

    return x * slope


def calls_helper(x):
    return reads_global(x)


@pytest.mark.parametrize("function", [reads_global, reads_global_inside, calls_helper])
def test_globals_that_code_reads_are_seen(function, monkeypatch):
    before = digest(function)
    assert digest(function) == before
    monkeypatch.setattr(sys.modules[__name__], "SLOPE", 2.0)
    assert digest(function) != before


@pytest.mark.parametrize(
    "function", [reads_module, reads_module_by_name, imports_module, imports_from_module]
)
def test_attributes_of_modules_that_code_reads_are_seen(function, monkeypatch):
    monkeypatch.setattr(settings, "slope", 1.0, raising=False)
    before = digest(function)
    monkeypatch.setattr(settings, "unread", 1.0, raising=False)
    assert digest(function) == before
    monkeypatch.setattr(settings, "slope", 2.0)
    assert digest(function) != before


def test_an_overridden_builtin_is_seen(monkeypatch):
    def function(x):
        return abs(x)

    before = digest(function)
    monkeypatch.setattr("builtins.abs", lambda x: x)
    assert digest(function) != before


def test_code_that_differs_is_seen():
    assert digest(lambda x: x + 1) != digest(lambda x: x + 2)
    assert digest(lambda x: x + 1) != digest(lambda x: x - 1)
    assert digest(lambda x: (lambda: 1)()) != digest(lambda x: (lambda: 2)())
    assert digest(lambda x: x + 1) == digest(lambda x: x + 1)


def test_types_and_signs_are_told_apart():
    things = [0, 0.0, -0.0, False, None, "0", b"0", (0,), [0], {0}, frozenset({0}) | {1}, {0: 0}]
    assert len({digest(thing) for thing in things}) == len(things)


def test_one_object_twice_is_not_two_equal_ones():
    shared = Holder(1.0)
    assert digest([shared, shared]) != digest([Holder(1.0), Holder(1.0)])


@pytest.mark.parametrize(
    "thing",
    [
        (x for x in range(3)),
        iter([1]),
        np.random.default_rng(0),
        np.random.RandomState(0),
        memoryview(b"a"),
        lambda: np.random.normal(),  # noqa: NPY002
        lambda: eval("SLOPE"),
        lambda: globals()["SLOPE"],
        lambda: open("a"),  # noqa: SIM115
        np.frompyfunc(lambda x: x, 1, 1),
    ],
    ids=[
        *("generator", "iterator", "random generator", "random state", "memory view"),
        *("module that draws", "eval", "globals", "open file", "ufunc of Python"),
    ],
)
def test_what_cannot_be_seen_is_not_described(thing):
    with pytest.raises(NotDescribed):
        digest([thing])


def test_an_open_file_is_not_described(tmp_path):
    with (tmp_path / "a").open("w") as file, pytest.raises(NotDescribed):
        digest(file)


def test_an_attribute_that_is_left_out_counts_where_code_reads_it():
    def described(value, function):
        return Description(hidden=lambda thing, name: name == "seed").digest(
            [types.SimpleNamespace(seed=value), function]
        )

    def reads(x):
        return x.seed

    assert described(1, closure(0)) == described(2, closure(0))
    assert described(1, reads) != described(2, reads)
