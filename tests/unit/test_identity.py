"""What an identity tells apart and what it does not, case by case."""

import collections
import contextlib
import dataclasses
import datetime
import enum
import fractions
import functools
import heapq
import io
import json
import os
import pickle
import random
import runpy
import subprocess
import sys
import textwrap
import threading
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import BSpline
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from gpsearch.identity import (
    Identity,
    changed_parts,
    code_fingerprint,
    fingerprint,
    function_code,
)

RATE = 0.1


@pytest.fixture
def defined(tmp_path):
    """`f` of a module with the given text, each in a file of its own."""
    count = iter(range(100))

    def define(text):
        file = tmp_path / f"module_{next(count)}.py"
        file.write_text(textwrap.dedent(text))
        names = {"__name__": file.stem}
        exec(compile(file.read_text(), str(file), "exec"), names)
        return names["f"]

    return define


BASE = """
    def f(x, rate=0.1, *, decay=0.5):
        return x * rate + decay
"""

SAME = {
    "comment": """
        # of the whole
        def f(x, rate=0.1, *, decay=0.5):
            # of one line
            return x * rate + decay  # of the result
    """,
    "docstring": '''
        def f(x, rate=0.1, *, decay=0.5):
            """Say what it does."""
            return x * rate + decay
    ''',
    "layout": """
        if True:
            pass

        def f(
            x, rate=1e-1,
            *,
            decay=.5,
        ):

            return (
                x * rate
                + decay
            )
    """,
    "type hints": """
        def f(x: float, rate: float = 0.1, *, decay: "float" = 0.5) -> float:
            return x * rate + decay
    """,
    "no effect": """
        def f(x, rate=0.1, *, decay=0.5):
            pass
            "a string as a comment"
            return x * rate + decay
    """,
    "default by name": """
        R = 0.1
        def f(x, rate=R, *, decay=0.5):
            return x * rate + decay
    """,
    "others beside it": """
        import math
        TWO = 2
        def g(x):
            return TWO
        def f(x, rate=0.1, *, decay=0.5):
            return x * rate + decay
    """,
}

RATES = {
    "a metaclass": """
        class Meta(type):
            rate = 0.1
        class Model(metaclass=Meta):
            pass
        def f(x):
            return Model.rate * x
    """,
    "a global that a function inside names again": """
        model = 0.1
        def f(x):
            def build():
                model = []
                model.append(x)
                return model
            return build(), model
    """,
    "an entry beside one that changes": """
        config = {"rate": 0.1, "calls": 0}
        def f(x):
            config["calls"] += 1
            return config["rate"] * x
    """,
    "an attribute beside one that changes": """
        class Config:
            def __init__(self):
                self.rate, self.calls = 0.1, 0
        config = Config()
        def f(x):
            config.calls += 1
            return config.rate * x
    """,
    "an attribute of a class beside one that changes": """
        class Config:
            rate, calls = 0.1, 0
        def f(x):
            Config.calls += 1
            return Config.rate * x
    """,
    "an attribute beside a list that grows": """
        from types import SimpleNamespace
        config = SimpleNamespace(rate=0.1, seen=[])
        def f(x):
            config.seen.append(x)
            return config.rate * x
    """,
}
"""Of rate 0.1, which another function may have as 0.2."""

DIFFERENT = {
    **{case: (text, text.replace("0.1", "0.2")) for case, text in RATES.items()},
    "constant": ("def f(x):\n    return x + 1", "def f(x):\n    return x + 2"),
    "type of a constant": ("def f(x):\n    return x + 1", "def f(x):\n    return x + 1.0"),
    "operator": ("def f(x):\n    return x + 1", "def f(x):\n    return x - 1"),
    "attribute": ("def f(x):\n    return x.a", "def f(x):\n    return x.b"),
    "string": ("def f(x):\n    return 'a'", "def f(x):\n    return 'b'"),
    "default": ("def f(x, a=1):\n    return a", "def f(x, a=2):\n    return a"),
    "keyword-only default": ("def f(*, a=1):\n    return a", "def f(*, a=2):\n    return a"),
    "which has a default": (
        "def f(*, a=1, b):\n    return a",
        "def f(*, a, b=1):\n    return a",
    ),
    "closure": (
        "def make(a):\n    return lambda x: a * x\nf = make(1)",
        "def make(a):\n    return lambda x: a * x\nf = make(2)",
    ),
    "array in a closure": (
        """
        import numpy as np
        def make(a):
            return lambda x: a * x
        f = make(np.arange(5000.0))
        """,
        """
        import numpy as np
        def make(a):
            return lambda x: a * x
        values = np.arange(5000.0)
        values[2500] = 0
        f = make(values)
        """,
    ),
    "global": ("A = 1\ndef f(x):\n    return A * x", "A = 2\ndef f(x):\n    return A * x"),
    "global of an inner function": (
        "A = 1\ndef f(x):\n    return [A for _ in range(2)]",
        "A = 2\ndef f(x):\n    return [A for _ in range(2)]",
    ),
    "constant of a function that it calls": (
        "def g(x):\n    return 1\ndef f(x):\n    return g(x)",
        "def g(x):\n    return 2\ndef f(x):\n    return g(x)",
    ),
    "global of a function that it calls": (
        "A = [1]\ndef g(x):\n    return A\ndef f(x):\n    return g(x)",
        "A = [2]\ndef g(x):\n    return A\ndef f(x):\n    return g(x)",
    ),
    "method of a class that it uses": (
        "class C:\n    def m(self):\n        return 1\ndef f(x):\n    return C().m()",
        "class C:\n    def m(self):\n        return 2\ndef f(x):\n    return C().m()",
    ),
    "attribute of a function": (
        "def f(x):\n    return x\nf.a = 1",
        "def f(x):\n    return x\nf.a = 2",
    ),
    "wrapped function": (
        "import functools\n@functools.lru_cache\ndef f(x):\n    return 1",
        "import functools\n@functools.lru_cache\ndef f(x):\n    return 2",
    ),
    "decorator": (
        """
        def times(n):
            def wrap(g):
                return lambda x: n * g(x)
            return wrap
        @times(2)
        def f(x):
            return x
        """,
        """
        def times(n):
            def wrap(g):
                return lambda x: n * g(x)
            return wrap
        @times(3)
        def f(x):
            return x
        """,
    ),
    "which lambda of the line": (
        "f, g = (lambda x: x + 1), (lambda x: x + 2)",
        "g, f = (lambda x: x + 1), (lambda x: x + 2)",
    ),
    "inner lambda": (
        "g = lambda: (lambda x: x + 1)\nf = g()",
        "g = lambda: (lambda x: x + 2)\nf = g()",
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_what_leaves_a_function_the_same(defined, case):
    one, other = (Identity.of({"f": defined(text)}) for text in (BASE, SAME[case]))
    assert one == other
    assert fingerprint(defined(BASE)) == fingerprint(defined(SAME[case]))


@pytest.mark.parametrize("case", DIFFERENT)
def test_what_makes_a_function_another(defined, case):
    one, other = DIFFERENT[case]
    prints = [fingerprint(defined(text)) for text in (one, one, other)]
    assert prints[0] == prints[1] != prints[2]
    parts = [Identity.of({"f": defined(text)}).fingerprint for text in (one, one, other)]
    assert parts[0] == parts[1] != parts[2]


@pytest.mark.parametrize(
    "binding",
    [
        "A = []; A.append(q)",
        "import json as A; A.x = 1",
        "import A.b; A.x = 1",
        "A: list = []; A[0] = 1",
        "for A in q: A.x = 1",
        "[A.append(1) for A in q]",
        "(lambda A: A.append(1))(q)",
        "class A: ...; A.x = 1",
        "with q as A: A.write('')",
        "def inner(*A): A.x = 1",
        "try: ...\n        except ValueError as A: A.x = 1",
        "match q:\n            case [*A]: A.append(1)",
        "match q:\n            case {'a': 1, **A}: A['x'] = 1",
        "match q:\n            case A: A.x = 1",
    ],
)
def test_a_name_that_a_function_inside_has_for_itself_is_another(defined, binding):
    text = "A = {}\ndef f(p):\n    def g(q):\n        {}\n    return g, A"
    one, other = (defined(text.format(value, binding)) for value in (1, 2))
    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize("case", DIFFERENT)
def test_functions_without_source_are_told_apart_too(case):
    def run(text):
        names = {"__name__": "typed"}
        exec(textwrap.dedent(text), names)
        return fingerprint(names["f"])

    one, other = DIFFERENT[case]
    assert run(one) == run("\n\n" + textwrap.dedent(one)) != run(other)


def test_a_docstring_does_not_matter_without_source_either():
    prints = set()
    for text in ("def f(x):\n  return 3, None", 'def f(x):\n  "Three."\n  return 3, None'):
        names = {}
        exec(text, names)
        prints.add(fingerprint(names["f"]))
    assert len(prints) == 1


def test_the_text_around_a_lambda_does_not_matter(defined):
    one = defined("def call(g, n):\n    return g\nf = call(lambda x: x + 1, n=10)")
    other = defined("def call(g, n):\n    return g\nf = call(lambda x: x + 1, n=20)")
    assert fingerprint(one) == fingerprint(other)


def test_a_file_that_was_edited_does_not_speak_for_the_code_that_runs(defined, tmp_path):
    f = defined("def f(x):\n    return 1")
    Path(f.__code__.co_filename).write_text("def f(x):\n    return 2")
    assert fingerprint(f) != fingerprint(defined("def f(x):\n    return 2"))


def test_the_parts_of_a_function_name_what_changed(defined):
    text = """
        A = {a}
        def make(b):
            def f(x, c={c}):
                return A + b + c{code}
            return f
        f = make({b})
    """

    def identity(**changes):
        given = {"a": 1, "b": 2, "c": 3, "code": ""} | changes
        return Identity.of({"function": defined(text.format(**given))}).to_json()

    same = identity()
    assert changed_parts(same, identity()) == []
    assert changed_parts(same, identity(a=5)) == ["function: global A"]
    assert changed_parts(same, identity(b=5)) == ["function: closure b"]
    assert changed_parts(same, identity(c=5)) == ["function: default c"]
    assert changed_parts(same, identity(code=" + 1")) == ["function"]


def test_recursion_and_circles_end(defined):
    text = """
        def g(x):
            return f(x - {step})
        def f(x):
            return x and g(x)
    """
    one, same, other = (fingerprint(defined(text.format(step=s))) for s in (1, 1, 2))
    assert one == same != other
    circle, again, longer = [1], [1], [1, 2]
    for items in (circle, again, longer):
        items.append(items)
    assert fingerprint(circle) == fingerprint(again) != fingerprint(longer)


class Log:
    def __init__(self):
        self.n = 0
        self.loaded = None

    def record(self):
        self.n += 1

    def load(self):
        if self.loaded is None:
            self.loaded = np.ones(3)
        return self.loaded


def _counting():
    calls, seen, total = [], {}, 0
    config = collections.Counter()
    state = {"rate": 0.1, "calls": 0, "seen": []}
    log = Log()

    def note(x):
        state["seen"].append(x)
        log.n += 1

    def f(x):
        nonlocal total
        total += 1
        calls.append(x)
        seen[x] = 1
        config.most = x
        state["calls"] += 1
        log.last = x
        note(x)
        return x * state["rate"]

    return f


def test_what_a_function_changes_itself_is_not_compared():
    f = _counting()
    f(2)
    before = fingerprint(f)
    f(3)
    assert fingerprint(f) == before == fingerprint(_counting())


def _pushes(heap):
    heapq.heappush(heap, 1)


def _through_a_method(log=Log()):  # noqa: B008
    return lambda: log.record()


def _through_a_cache(log=Log()):  # noqa: B008
    return lambda: log.load()


def _through_another_function(heap=[]):  # noqa: B006
    return lambda: _pushes(heap)


def _through_another_name(seen=[]):  # noqa: B006
    def function():
        alias = seen
        alias.append(1)

    return function


def _through_an_iterator():
    numbers = iter([1, 2, 3])
    return lambda: next(numbers)


@pytest.mark.parametrize(
    "make",
    [
        _through_a_method,
        _through_a_cache,
        _through_another_function,
        _through_another_name,
        _through_an_iterator,
    ],
)
def test_what_a_function_changes_by_other_hands_counts_as_it_was(make):
    """A search that goes on in the same process is the same search."""
    function = make()
    before = fingerprint(function)
    function()
    assert fingerprint(function) == before
    assert fingerprint(functools.partial(function)) == fingerprint(functools.partial(function))


class Scaled:
    """A decorator that keeps a value of its own beside the function."""

    def __init__(self, function, rate):
        functools.update_wrapper(self, function)
        self.rate = rate

    def __call__(self, x):
        return self.rate * self.__wrapped__(x)


def test_a_number_that_a_function_reads_counts_as_it_is():
    rate = 0.1

    def function():
        return rate

    before = fingerprint(function)
    rate = 0.2
    assert fingerprint(function) != before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        [LinearRegression().fit([[0.0], [1.0]], y) for y in ([0.0, 1.0], [0.0, 2.0])],
        [np.vectorize(function) for function in (abs, round)],
        [np.ma.masked_array([1.0, 2.0], mask) for mask in ([0, 0], [0, 1])],
        [BSpline([0, 1, 2, 3], c, 1) for c in ([1.0, 2.0], [1.0, 3.0])],
        [
            dataclasses.make_dataclass(
                "Units", [("units", list, dataclasses.field(default_factory=factory))]
            )
            for factory in (list, dict)
        ],
        [Scaled(abs, rate) for rate in (0.1, 0.2)],
    ],
    ids=["fitted", "vectorize", "mask", "spline", "default_factory", "decorator"],
)
def test_what_a_function_uses_is_told_apart_by_what_it_holds(one, other):
    assert fingerprint(lambda: one) != fingerprint(lambda: other)


def test_what_a_class_counts_itself_is_not_compared():
    class Counting:
        calls, rate = 0, 0.1

        def __call__(self, x):
            Counting.calls += 1
            return self.rate * x

    before = fingerprint(Counting)
    Counting()(1.0)
    assert fingerprint(Counting) == before
    Counting.rate = 0.2
    assert fingerprint(Counting) != before


def test_random_generators_are_not_compared():
    rng, old = np.random.default_rng(0), random.Random(0)

    def f(x):
        return x + rng.normal() + old.random()

    before = fingerprint(f)
    f(1.0)
    assert fingerprint(f) == before


class Data:
    """Has an address in its text, and state."""

    def __init__(self, n=3):
        self.n = n


class Counting:
    """Called, it counts."""

    factor = 2

    def __init__(self, rate):
        self.rate = rate
        self.calls = 0

    def __call__(self, params):
        self._count()
        return self.factor * self.rate * params

    def _count(self):
        self.calls += 1

    def score(self, params):
        """Of params."""
        self._count()
        return self.rate


class Slotted:
    """Has no dict."""

    __slots__ = ("n",)

    def __init__(self, n):
        self.n = n


@dataclass(frozen=True)
class Settings:
    """Has methods that nobody wrote."""

    n: int = 3


class Kind(enum.Enum):
    """Two values."""

    A = 1
    B = 2


def scaled(x, arr=None, data=None):
    return x


ARRAY = np.arange(5000.0)
CHANGED = np.where(ARRAY == 2500, 0.0, ARRAY)
FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
SPARSE = scipy.sparse.csr_matrix(np.eye(3))


def sparse_with(value):
    made = SPARSE.copy()
    made.data[0] = value
    return made


# Two things that are equal, and one that differs.
OBJECTS = {
    "object in a partial": lambda n: functools.partial(scaled, data=Data(n)),
    "array in a partial": lambda n: functools.partial(scaled, arr=ARRAY if n == 1 else CHANGED),
    "position in a partial": lambda n: functools.partial(scaled, 1, n),
    "callable object": Counting,
    "bound method": lambda n: Counting(n).score,
    "bound method of a builtin": lambda n: [n].count,
    "slots": Slotted,
    "dataclass": Settings,
    "named tuple": lambda n: collections.namedtuple("P", "x")(n),
    "enum": lambda n: Kind(n),
    "ordered dict": lambda n: collections.OrderedDict(a=n),
    "deque": lambda n: collections.deque([n]),
    "date": lambda n: datetime.date(2020, 1, n),
    "fraction": lambda n: fractions.Fraction(1, n),
    "path": lambda n: Path(f"file{n}"),
    "range": range,
    "set": lambda n: {"a", "b", n},
    "dict of a set": lambda n: {"names": {f"name {n}", "b", "c"}, "n": frozenset({n})},
    "bytes": lambda n: b"x" * n,
    "large int": lambda n: 10**9999 + n,
    "array": lambda n: ARRAY if n == 1 else CHANGED,
    "array of objects": lambda n: np.array([None, "a", n], dtype=object),
    "array of text": lambda n: np.array(["a", f"{n}"]),
    "records": lambda n: np.array([(1, n)], dtype=[("a", int), ("b", float)]),
    "frame": lambda n: FRAME.assign(a=[1, 2, n]),
    "frame by name": lambda n: FRAME.rename(columns={"a": f"a{n}"}),
    "series": lambda n: pd.Series([1, n]),
    "categories": lambda n: pd.DataFrame({"a": pd.Categorical(["a"], categories=["a", f"b{n}"])}),
    "sparse matrix": sparse_with,
    "estimator": lambda n: LogisticRegression(C=n),
    "pipeline": lambda n: make_pipeline(StandardScaler(), PCA(n)),
    "function in a transformer": lambda n: FunctionTransformer(scaled, kw_args={"arr": n}),
    "splitter": lambda n: KFold(n + 1),
    "random state": lambda n: KFold(3, shuffle=True, random_state=np.random.RandomState(n)),
    "scorer": lambda n: make_scorer(f1_score, pos_label=n),
    "ufunc": lambda n: [np.add, np.multiply][n - 1],
    "numpy function": lambda n: [np.mean, np.median][n - 1],
    "builtin": lambda n: [len, max][n - 1],
    "class": lambda n: [Data, Slotted][n - 1],
    "library class": lambda n: [PCA, StandardScaler][n - 1],
}


@pytest.mark.parametrize("make", OBJECTS.values(), ids=OBJECTS)
def test_objects_are_told_by_class_and_state(make):
    identity = Identity.of({"thing": make(1)})
    assert identity == Identity.of({"thing": make(1)})
    assert identity.fingerprint != Identity.of({"thing": make(2)}).fingerprint
    assert fingerprint(make(1)) == fingerprint(make(1)) != fingerprint(make(2))
    assert identity.unidentified == ()


def test_a_large_array_is_read_where_it_lies():
    large = np.zeros((1000, 20_000))[:, ::2]
    tracemalloc.start()
    fingerprint(large)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < large.nbytes / 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (np.float64(0.1), 0.1),
        (np.str_("relu"), "relu"),
        (np.asfortranarray(np.eye(3)), np.eye(3)),
        (np.eye(3, dtype=">f8"), np.eye(3)),
        (np.repeat(np.arange(3.0), 2)[::2], np.arange(3.0)),
        (SPARSE, SPARSE.tocsc()),
        (SPARSE, scipy.sparse.coo_matrix(([0.5, 0.5, 1, 1], ([0, 0, 1, 2], [0, 0, 1, 2])))),
        (LogisticRegression(), LogisticRegression().fit([[0.0], [1.0]], [0, 1])),
        (Counting(1), Counting(1)(3) and Counting(1)),
    ],
)
def test_other_spellings_are_the_same(one, other):
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (1, True), ("1", 1), (b"a", "a"), ([1], (1,)), ([[1], 2], [1, [2]]), (None, "None")],
)
def test_types_and_structure_count(one, other):
    assert fingerprint(one) != fingerprint(other)


def test_state_counts_where_the_call_does_not_change_it():
    called = Counting(1)
    before = fingerprint(called), Identity.of({"f": called.score})
    called(2)
    called.score(2)
    assert called.calls == 2
    assert (fingerprint(called), Identity.of({"f": called.score})) == before
    called.rate = 2
    assert fingerprint(called) != before[0]


def test_an_object_may_tell_its_identity_itself():
    class Own:
        def __init__(self, name):
            self.name, self.noise = name, object()

        def fingerprint(self):
            return self.name

    assert fingerprint(Own("a")) == fingerprint(Own("a")) != fingerprint(Own("b"))


def test_what_cannot_be_identified_is_named(tmp_path):
    lock = threading.Lock()
    steps = (i for i in range(3))
    with (tmp_path / "log").open("w") as log:

        def f(x):
            return lock, [steps], log

        identity = Identity.of({"function": f, "argument": functools.partial(f, data=Data(lock))})
    assert sorted(identity.unidentified) == [
        "argument: argument data, n (lock)",
        "argument: closure lock (lock)",
        "argument: closure log (TextIOWrapper)",
        "argument: closure steps (generator)",
        "function: closure lock (lock)",
        "function: closure log (TextIOWrapper)",
        "function: closure steps (generator)",
    ]


def test_what_is_nested_too_deeply_is_named():
    deep = []
    for _ in range(10 * sys.getrecursionlimit()):
        deep = [deep]
    assert Identity.of({"x": deep}).unidentified == ("x (list)",)


def test_only_the_code_is_asked_for():
    one, other = (functools.partial(lambda a: lambda x: a, n)() for n in (1, 2))
    assert code_fingerprint(one) == code_fingerprint(other)
    assert fingerprint(one) != fingerprint(other)
    assert code_fingerprint(len) != code_fingerprint(max)


def test_keras_objects():
    keras = pytest.importorskip("keras")

    def network(rate=0.1, units=2):
        model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(units)])
        model.set_weights([np.zeros((3, units)), np.full(units, rate)])
        return model

    things = [
        keras.optimizers.Adam(1e-3),
        keras.optimizers.Adam(1e-2),
        keras.layers.Dense(3),
        keras.layers.Dense(4),
        keras.losses.Huber(1.0),
        keras.losses.Huber(2.0),
        keras.callbacks.EarlyStopping(patience=3),
        keras.callbacks.EarlyStopping(patience=4),
        keras.losses.mean_squared_error,
        keras.losses.mean_absolute_error,
        network(),
        network(rate=0.2),
        network(units=3),
    ]
    assert len(set(map(fingerprint, things))) == len(things)
    again = [keras.optimizers.Adam(1e-3), keras.layers.Dense(3), network()]
    assert list(map(fingerprint, again)) == [fingerprint(things[i]) for i in (0, 2, 10)]


SCRIPT = """
import functools, json, sys
import numpy as np
from gpsearch.identity import Identity, fingerprint
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

NAMES = {"relu", "tanh", "selu", "elu"}

class Data:
    def __init__(self):
        self.names = {name: {name} for name in NAMES}

def score(params, data=None):
    return len(NAMES)

things = {
    "partial": functools.partial(score, data=Data()),
    "sets": {frozenset(NAMES), frozenset({1, 2.0, "a", None})},
    "method": Data().__init__,
    "lambda": lambda x, names=NAMES: (x, names),
    "pipeline": make_pipeline(StandardScaler()),
    "array": np.arange(5000.0),
}
print(json.dumps({name: fingerprint(thing) for name, thing in things.items()}
    | dict(Identity.of(things).parts)))
"""


CIRCLE = """
class Node:
    def __init__(self, name):
        self.name, self.near = name, set()

class Names(set):
    pass

nodes = [Node(f"n{i}") for i in range(12)]
for i, node in enumerate(nodes):
    node.near.update(nodes[(i + step) % 12] for step in (1, 2, 5))
group = set(nodes)
names = Names("abcdefgh")

def count(params):
    return len(group) + len(names)

print(json.dumps([fingerprint(thing) for thing in (group, nodes, names, count)]))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What this process and another, whose hashes differ, print of `SCRIPT` and of `CIRCLE`."""
    script = tmp_path_factory.mktemp("identity") / "script.py"
    script.write_text(SCRIPT + CIRCLE)
    with contextlib.redirect_stdout(io.StringIO()) as here:
        runpy.run_path(str(script), run_name="__main__")
    seed = "0" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    there = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return here.getvalue().splitlines(), there.stdout.splitlines()


def test_it_is_the_same_in_every_process(told):
    one, other = told
    assert json.loads(one[0]) == json.loads(other[0])


def test_a_set_in_a_circle_is_the_same_whatever_the_hashes_are(told):
    one, other = told
    assert one[1] == other[1]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.frozensets(st.integers() | st.text()),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(), inner)
        | st.tuples(inner)
        | st.builds(Data, inner)
    ),
    max_leaves=8,
)


def exact(value):
    """A text that is equal only for equal values of equal types."""
    if isinstance(value, Data):
        return ["Data", exact(value.n)]
    if isinstance(value, dict):
        return ["dict", sorted((repr(k), exact(v)) for k, v in value.items())]
    if isinstance(value, frozenset):
        return ["set", sorted(map(repr, value))]
    if isinstance(value, list | tuple):
        return [type(value).__name__, *map(exact, value)]
    return [type(value).__name__, repr(value)]


@settings(deadline=None, max_examples=50)
@given(VALUES)
def test_a_copy_is_the_same(value):
    assert fingerprint(pickle.loads(pickle.dumps(value))) == fingerprint(value)


@settings(deadline=None, max_examples=50)
@given(VALUES, VALUES)
def test_it_differs_exactly_where_values_do(one, other):
    assert (fingerprint(one) == fingerprint(other)) == (exact(one) == exact(other))


def test_the_code_of_a_function_reads_and_changes():
    def f(x):
        np.random.default_rng(0)
        f.calls = RATE
        x.append(RATE)
        x[0] = 1

    code = function_code(f.__code__)
    assert code.reads == (("RATE",), ("np", "random", "default_rng"))
    assert code.changes == {"f.calls", "x"}
