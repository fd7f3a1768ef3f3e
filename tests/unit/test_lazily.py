"""Names and methods that are imported when they are used."""

import importlib
import pickle
import re

import cloudpickle
import pytest

import gpsearch as gs
from gpsearch.optimizer import study_result

METHODS = [
    (owner, name, *found.groups())
    for owner in (gs.Study, gs.Comparison)
    for name, method in vars(owner).items()
    if (found := re.fullmatch(r"See `([\w.]+)\.(\w+)`.", method.__doc__ or ""))
]


@pytest.mark.parametrize(
    ("owner", "method", "room", "name"),
    METHODS,
    ids=lambda value: getattr(value, "__name__", value),
)
def test_each_method_is_a_function_of_its_room(owner, method, room, name):
    assert callable(getattr(importlib.import_module(room), name))


def test_they_are_the_functions_themselves():
    study = gs.search(
        lambda p: p["x"], {"x": (0.0, 1.0)}, n_calls=3, strategy="random", progress=False
    )
    assert study.result.func_vals.tolist() == study_result(study).func_vals.tolist()
    assert study.plot_convergence().get_xlabel() == gs.plotting.plot_convergence(study).get_xlabel()


@pytest.mark.parametrize(
    "name", ["", ".execution", ".objective", ".plotting", ".training"], ids=lambda name: name
)
def test_a_package_whose_names_are_imported_when_used_travels_by_its_name(name):
    """As every module does, with a function that uses it: to worker processes, to a cluster."""
    package = importlib.import_module(f"gpsearch{name}")
    assert pickle.loads(pickle.dumps(package)) is package
    function = cloudpickle.loads(cloudpickle.dumps(lambda: package.__name__))
    assert function() == package.__name__
