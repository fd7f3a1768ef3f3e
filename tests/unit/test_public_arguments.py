"""A value of a wrong type for any argument of any public call: the error names the argument.

The arguments are read from the signatures, so that a new one is tested without a row here.
"""

import inspect

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import gpsearch as gs
from gpsearch import analysis, plotting, report
from gpsearch.errors import GPSearchError

X = np.arange(40.0).reshape(20, 2)
Y = np.arange(20) % 2
SPACE = {"x": (0.0, 1.0)}
POINTS = np.linspace(0, 1, 6)[:, None]
NUMERIC = np.array([False])


class Wrong:
    """Neither a number, nor a text, nor anything that can be called or walked through."""

    def __repr__(self):
        return "<Wrong>"


def create(width=1):
    raise AssertionError("no model is built")


def score(params):
    raise AssertionError("nothing is evaluated")


def compare():
    return gs.compare(
        lambda params: params["x"],
        SPACE,
        strategies=["random", "grid"],
        n_calls=2,
        n_repeats=2,
        progress=False,
    )


def fitted(kind, y):
    """A function that makes an estimator and fits it."""
    return lambda **arguments: kind(**arguments).fit(X, y)


SEARCHED = {"estimator": LogisticRegression(), "param_distributions": {"C": gs.Real(0.1, 1.0)}}
COMPARISON = compare()


BUDGET = {"space": SPACE, "n_calls": 1, "progress": False}
CV = gs.EstimatorCV(LogisticRegression(), X, Y, cv=2)
CLASSES = {
    "search": (gs.search, {"objective": score, **BUDGET}),
    "nested_cv": (gs.nested_cv, {"objective": CV, **BUDGET, "space": {"C": [0.5, 1.0]}}),
    "compare": (gs.compare, {"objective": score, "n_repeats": 2, **BUDGET}),
    "KerasCV": (gs.KerasCV, {"create_model": create, "X": X, "y": Y}),
    "EstimatorCV": (gs.EstimatorCV, {"estimator": LogisticRegression(), "X": X, "y": Y}),
    "Optimizer": (gs.Optimizer, {"dimensions": [(0.0, 1.0)]}),
    "gp_minimize": (gs.gp_minimize, {"func": score, "dimensions": [(0.0, 1.0)]}),
    "Space": (gs.Space, {"dimensions": SPACE}),
    "Real": (gs.Real, {"low": 0.0, "high": 1.0}),
    "Integer": (gs.Integer, {"low": 0, "high": 1}),
    "Categorical": (gs.Categorical, {"categories": ["a", "b"]}),
    "mlp": (gs.mlp, {"input_shape": (2,), "n_outputs": 1, "target_kind": "binary"}),
    "mlp_space": (gs.mlp_space, {}),
    "Study.open": (gs.Study.open, {"path": "nothing.db"}),
    "Study.create": (gs.Study.create, {"path": None, "space": SPACE, "seed": 0}),
    "GaussianProcess.fit": (
        gs.GaussianProcess.fit,
        {"Z": POINTS, "y": POINTS[:, 0], "categorical": NUMERIC},
    ),
    "TargetScore": (gs.TargetScore, {"score": 0.5}),
    "NoImprovement": (gs.NoImprovement, {"trials": 5}),
    "ExpectedGain": (gs.ExpectedGain, {"below": 0.1}),
    "BelowNoise": (gs.BelowNoise, {}),
    "KerasClassifier": (gs.KerasClassifier, {"create_model": create}),
    "KerasRegressor": (gs.KerasRegressor, {"create_model": create}),
    "GPSearchCV": (gs.GPSearchCV, SEARCHED),
}
FITTED = {"KerasClassifier": Y, "KerasRegressor": Y * 1.0, "GPSearchCV": Y}
METHODS = {
    "Study": ("enqueue", "predictions", "fold_predictions", "best_model", "save_model"),
    "Comparison": ("best_of", "curve", "saving", "differences", "summary", "table"),
    "Optimizer": ("ask", "tell", "run", "copy"),
    "GaussianProcess": ("predict", "predict_gradient", "fantasize", "loss_quantile"),
}
FUNCTIONS = [
    *(f"plotting.{name}" for name in plotting.__all__ if name.startswith("plot_")),
    *("analysis.estimate_importance", "analysis.estimate_random", "analysis.forecast"),
    *("analysis.one_standard_error", "analysis.trade_off"),
    *("analysis.best_ensemble", "analysis.select_ensemble"),
    *("report.render_report", "report.render_summary"),
]
GIVEN = {  # what a method or a function needs beside the argument that is wrong
    "comparison": COMPARISON,
    "strategy": "random",
    "x": [0.5],
    "y": 1.0,
    "func": lambda x: 1.0,
    "target": 0.5,
    "Z": POINTS,
    "probability": 0.5,
}
PROCESS = gs.GaussianProcess.fit(POINTS, POINTS[:, 0], categorical=NUMERIC)
ROOMS = {"plotting": plotting, "analysis": analysis, "report": report}


def called(name, study):
    """What carries the signature, what is called, and the arguments that are right."""
    if name in CLASSES:
        call, right = CLASSES[name]
        return call, fitted(call, FITTED[name]) if name in FITTED else call, right
    owner, _, attribute = name.partition(".")
    owners = {"Study": study, "Comparison": COMPARISON, "GaussianProcess": PROCESS, **ROOMS}
    call = getattr(owners.get(owner) or gs.Optimizer([(0.0, 1.0)]), attribute)
    names = inspect.signature(call).parameters
    given = {**GIVEN, "study": study, "path": "nothing.html"}
    if attribute == "ask":
        given.pop("strategy")
    if attribute == "save_model":
        given["path"] = "nothing.keras"
    return call, call, {key: value for key, value in given.items() if key in names}


NAMES = [
    *CLASSES,
    *(f"{owner}.{method}" for owner, methods in METHODS.items() for method in methods),
    *FUNCTIONS,
]


@pytest.fixture(scope="module")
def study(make_study):
    return make_study(n=8)


def test_every_public_call_stands_here():
    values = {"Comparison", "Evaluation", "FoldResult", "GPSearchError", "NestedCV", "StopReason"}
    values.add("Trial")
    elsewhere = {"Study", "GaussianProcess", "plot_convergence"}  # by methods and FUNCTIONS
    calls = {name for name in gs.__all__ if callable(getattr(gs, name))}
    assert calls == values | elsewhere | {name for name in CLASSES if "." not in name}


@pytest.mark.parametrize("name", NAMES)
def test_an_argument_of_a_wrong_type_is_named(name, study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    signed, call, right = called(name, study)
    unnamed = {}
    for argument, parameter in inspect.signature(signed).parameters.items():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        try:
            call(**{**right, argument: Wrong()})
        except GPSearchError as error:
            if error.argument != argument and (error.argument or argument not in str(error)):
                unnamed[argument] = f"{error.argument!r}: {error}"
        except Exception as error:
            if argument not in str(error) or not isinstance(error, TypeError | ValueError):
                unnamed[argument] = repr(error)
        else:
            unnamed[argument] = "accepted"
    assert unnamed == {}
