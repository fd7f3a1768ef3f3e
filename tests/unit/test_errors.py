"""An error says which call the user made, and which argument of it breaks which rule."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import gpsearch as gs
from gpsearch.errors import GPSearchError, InvalidSearchError, public, renaming

X = np.arange(40.0).reshape(20, 2)
Y = np.arange(20) % 2
SPACE = {"x": (0.0, 1.0)}


def create(width=1):
    raise AssertionError("no model is built")


def score(params):
    raise AssertionError("nothing is evaluated")


def keras_cv(**arguments):
    return gs.KerasCV(**({"create_model": create, "X": X, "y": Y} | arguments))


def estimator_cv(**arguments):
    return gs.EstimatorCV(**({"estimator": LogisticRegression(), "X": X, "y": Y} | arguments))


def classifier(**arguments):
    return gs.KerasClassifier(create, **arguments).fit(X, Y)


def regressor(**arguments):
    return gs.KerasRegressor(create, **arguments).fit(X, Y * 1.0)


def gp_search_cv(**arguments):
    given = {"estimator": LogisticRegression(), "param_distributions": {"C": gs.Real(0.1, 1.0)}}
    return gs.GPSearchCV(**(given | arguments)).fit(X, Y)


def of_keras(**arguments):
    given = {"estimator": create, "param_distributions": {"width": gs.Integer(1, 99)}}
    return gp_search_cv(**(given | arguments))


def search(**arguments):
    return gs.search(**({"objective": score, "space": SPACE, "progress": False} | arguments))


def compare(**arguments):
    return gs.compare(**({"objective": score, "space": SPACE, "progress": False} | arguments))


def gp_minimize(**arguments):
    return gs.gp_minimize(**({"func": score, "dimensions": [(0.0, 1.0)]} | arguments))


def optimizer(**arguments):
    return gs.Optimizer(**({"dimensions": [(0.0, 1.0)]} | arguments))


def space(**entries):
    return gs.Space(entries)


CALLS = {
    "KerasCV": keras_cv,
    "EstimatorCV": estimator_cv,
    "KerasClassifier": classifier,
    "KerasRegressor": regressor,
    "GPSearchCV": gp_search_cv,
    "search": search,
    "compare": compare,
    "gp_minimize": gp_minimize,
    "Optimizer": optimizer,
}
BAD = [
    ("KerasCV", "create_model", 3),
    ("KerasCV", "cv", 1),
    ("KerasCV", "cv", "five"),
    ("KerasCV", "scoring", "acuracy"),
    ("KerasCV", "metrics", ["f11"]),
    ("KerasCV", "epochs", 0),
    ("KerasCV", "epochs", "9"),
    ("KerasCV", "epochs", True),
    ("KerasCV", "batch_size", 1.5),
    ("KerasCV", "patience", -1),
    ("KerasCV", "validation_fraction", 1),
    ("KerasCV", "validation_fraction", "a tenth"),
    ("KerasCV", "monitor_fold", "no"),
    ("KerasCV", "max_parameters", 0),
    ("KerasCV", "compiled", "yes"),
    ("KerasCV", "class_weight", "equal"),
    ("KerasCV", "preprocess", "scale"),
    ("KerasCV", "task", "ranking"),
    ("KerasCV", "random_state", "a"),
    ("EstimatorCV", "error_score", "warn"),
    ("KerasClassifier", "epochs", 0),
    ("KerasClassifier", "validation_fraction", 0),
    ("KerasRegressor", "patience", 1.5),
    ("KerasRegressor", "preprocess", "scale"),
    ("GPSearchCV", "estimator", 3),
    ("GPSearchCV", "param_distributions", {}),
    ("GPSearchCV", "param_distributions", 3),
    ("GPSearchCV", "n_iter", 0),
    ("GPSearchCV", "n_jobs", 0),
    ("GPSearchCV", "verbose", -1),
    ("GPSearchCV", "return_train_score", "no"),
    ("GPSearchCV", "error_score", "warn"),
    ("GPSearchCV", "random_state", "a"),
    ("GPSearchCV", "n_initial_points", -1),
    ("GPSearchCV", "strategy", "gpp"),
    ("GPSearchCV", "timeout", 0),
    ("GPSearchCV", "epochs", 5),
    ("search", "objective", 3),
    ("search", "space", 3),
    ("search", "n_calls", 0),
    ("search", "n_initial_points", -1),
    ("search", "strategy", "gpp"),
    ("search", "x0", "abc"),
    ("search", "timeout", "1h"),
    ("search", "stop", 3),
    ("search", "racing", "fast"),
    ("search", "greater_is_better", "no"),
    ("search", "isolate", "yes"),
    ("search", "live", "no"),
    ("search", "optimum_prior", 3),
    ("search", "n_jobs", 0),
    ("search", "executor", 5),
    ("search", "trial_timeout", -1),
    ("search", "memory_limit", "2 GB"),
    ("search", "progress", "no"),
    ("search", "random_state", -1),
    ("search", "study", 3),
    ("search", "warm_start", 3),
    ("compare", "n_calls", 0),
    ("compare", "n_repeats", 1),
    ("compare", "n_initial_points", -1),
    ("compare", "greater_is_better", "no"),
    ("compare", "timeout", 0),
    ("compare", "n_jobs", 0),
    ("compare", "racing", "fast"),
    ("compare", "random_state", -1),
    ("compare", "strategies", ["gp"]),
    ("compare", "space", 3),
    ("compare", "study", 3),
    ("gp_minimize", "n_calls", 0),
    ("gp_minimize", "y0", 3.0),
    ("gp_minimize", "acq_optimizer", "climb"),
    ("gp_minimize", "noise", "none"),
    ("Optimizer", "n_initial_points", -1),
    ("Optimizer", "acq_func", "ei"),
    ("Optimizer", "noise", -1.0),
    ("Optimizer", "space_constraint", 3),
]


@pytest.mark.parametrize(("call", "argument", "value"), BAD, ids=lambda part: str(part)[:20])
def test_the_call_the_argument_and_the_value_are_named(call, argument, value):
    with pytest.raises(GPSearchError) as caught:
        CALLS[call](**{argument: value})
    error = caught.value
    assert (error.call, error.argument) == (call, argument)
    shown = repr(value[0]) if argument == "metrics" else repr(value)
    assert str(error).startswith(f"{call}({argument}={shown}): ")
    assert error.rule.endswith((".", "?", ")"))


@pytest.mark.parametrize(
    ("call", "argument", "made"),
    [
        ("KerasClassifier.fit", "y", lambda: gs.KerasClassifier(create).fit(X, Y[1:])),
        (
            "GPSearchCV.fit",
            "y",
            lambda: gs.GPSearchCV(create, {"width": gs.Integer(1, 99)}).fit(X, Y[1:]),
        ),
        ("GPSearchCV", "cv", lambda: of_keras(cv=1)),
        ("GPSearchCV", "patience", lambda: of_keras(patience=0)),
        (
            "GPSearchCV",
            "param_distributions",
            lambda: of_keras(param_distributions={"w": gs.Real(0, 1)}),
        ),
        ("Optimizer.tell", "x", lambda: optimizer().tell([2.0], 0.0)),
        ("Optimizer.ask", "n_points", lambda: optimizer().ask(0)),
        ("Study.open", "path", lambda: gs.Study.open("none.db")),
        ("Study.create", "path", lambda: gs.Study.create("no/s.db", space=SPACE, seed=0)),
        ("Study.create", "space", lambda: gs.Study.create(None, space={}, seed=0)),
        ("search", "warm_start", lambda: search(warm_start="none.db")),
    ],
)
def test_arguments_of_methods_are_told_from_those_of_their_class(call, argument, made, tmp_path):
    with pytest.raises(GPSearchError) as caught:
        made()
    assert (caught.value.call, caught.value.argument) == (call, argument)
    assert str(caught.value).startswith(f"{call}({argument}=")


@pytest.mark.parametrize(
    "entry",
    [
        (1.0, 0.0),
        (1,),
        (0.0, 1.0, "log-uniform"),
        [],
        [1, 1],
        {"low": 1},
        {"typ": "real"},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("call", "argument", "made"),
    [
        ("Space", "dimensions", gs.Space),
        ("search", "space", lambda entries: search(space=entries)),
        ("compare", "space", lambda entries: compare(space=entries)),
        ("Optimizer", "dimensions", gs.Optimizer),
        ("gp_minimize", "dimensions", lambda entries: gp_minimize(dimensions=entries)),
    ],
)
def test_an_entry_of_the_space_is_named(call, argument, made, entry):
    with pytest.raises(GPSearchError, match="lr") as caught:
        made({"lr": entry, "width": [1, 2]})
    error = caught.value
    assert (error.call, error.argument, error.entry) == (call, argument, "lr")


def test_the_users_own_call_inside_a_search_keeps_its_name():
    def nested(params):
        gs.KerasCV(create, X, Y, cv=1)

    study = gs.search(nested, SPACE, n_calls=1, strategy="random", progress=False)
    assert "KerasCV(cv=1): " in study.trials[0].reason


def test_booleans_of_numpy_pass():
    assert not keras_cv(monitor_fold=np.bool_(False), compiled=np.False_).compiled


def test_an_error_survives_copies_and_the_way_from_a_worker():
    with pytest.raises(InvalidSearchError) as caught:
        search(n_calls=0)
    error = caught.value
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is InvalidSearchError
        assert (again.call, again.argument, str(again)) == ("search", "n_calls", str(error))


def test_a_value_without_a_text_of_one_line_is_left_out():
    class Broken:
        def __repr__(self):
            raise ValueError

    for value, shown in [
        (np.arange(3000.0), "..."),
        ("a\nb", r"'a\nb'"),
        (create, "create"),
        (Broken(), "<Broken>"),
    ]:
        error = GPSearchError("must not.").about("x", value)
        assert str(error) == f"x={shown}: must not."


def test_a_call_that_lacks_the_argument_leaves_the_error_as_it_is():
    @public()
    def inner(k):
        raise InvalidSearchError("must not.").about("k", k)

    @public(k="j")
    def outer(m):
        inner(m)

    with pytest.raises(InvalidSearchError) as caught:
        outer(3)
    assert caught.value.argument == "k"  # the test called `inner`, though inside of `outer`


def test_a_block_renames_what_it_passes_on():
    with pytest.raises(InvalidSearchError, match=r"^y=1: must"), renaming(x="y"):
        raise InvalidSearchError("must not.").about("x", 1)
