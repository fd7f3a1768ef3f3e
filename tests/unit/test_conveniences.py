"""Methods of a study and a comparison that are attached from above."""

import importlib
import inspect
import pickle

import cloudpickle
import pytest

import gpsearch as gs
from gpsearch.conveniences import METHODS, PLOTS
from gpsearch.optimizer import study_result

OWNERS = (gs.Study, gs.Comparison)


def attached(owner):
    return [*METHODS[owner.__name__], *PLOTS[owner.__name__]]


ATTACHED = [(owner, name) for owner in OWNERS for name in attached(owner)]


@pytest.mark.parametrize(
    ("owner", "name"), ATTACHED, ids=[f"{owner.__name__}.{name}" for owner, name in ATTACHED]
)
def test_what_is_attached_is_announced_and_described(owner, name):
    """Type checkers read the annotation in the class, the reference the docstring."""
    assert name.startswith("_") or name in owner.__annotations__
    assert inspect.getdoc(inspect.getattr_static(owner, name))


def test_what_is_announced_is_attached():
    for owner in OWNERS:
        announced = [
            name for name, kind in owner.__annotations__.items() if "ClassVar" in str(kind)
        ]
        assert set(announced) == {n for n in attached(owner) if n[0] != "_"}


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
