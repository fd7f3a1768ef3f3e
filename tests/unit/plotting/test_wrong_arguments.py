"""Every argument of every public call that reads a finished study, given a thing of no use."""

import inspect

import pytest

import gpsearch as gs
from gpsearch import analysis, comparison, plotting, report
from gpsearch.errors import GPSearchError


class Useless:
    """Is of no type that any argument takes."""

    def __repr__(self):
        return "<useless>"


GIVEN = {"dimension": "x", "dimensions": ("x", "n"), "target": 0.5, "path": "report.html"}
CALLS = [getattr(plotting, name) for name in plotting.__all__]
CALLS += [
    analysis.estimate_importance,
    analysis.estimate_random,
    analysis.one_standard_error,
    comparison.compare,
    comparison.is_comparison,
    comparison.open_comparison,
    gs.Comparison.best_of,
    gs.Comparison.curve,
    gs.Comparison.differences,
    gs.Comparison.proposal_seconds,
    gs.Comparison.saving,
    report.render_report,
    report.render_summary,
    report.require_suffix,
]
FREE = {("fit_score_model", "call")}  # the words of a message


def arguments(call):
    names = inspect.signature(call).parameters
    return [name for name in names if name != "self" and (call.__name__, name) not in FREE]


CASES = [(call, name) for call in CALLS for name in arguments(call)]


@pytest.fixture(scope="module")
def given():
    """An argument of the right kind for each name."""
    space = {"x": (0.0, 1.0), "n": (1, 3)}
    compared = gs.compare(
        lambda p: [p["x"], p["n"]],
        space,
        strategies=["random", "grid"],
        n_calls=3,
        n_repeats=2,
        progress=False,
    )
    study = gs.search(
        lambda p: [p["x"], p["n"]], space, n_calls=3, strategy="random", progress=False
    )
    return GIVEN | {
        "objective": lambda p: p["x"],
        "space": space,
        "study": study,
        "comparison": compared,
        "self": compared,
        "strategy": "random",
    }


@pytest.mark.parametrize(
    ("call", "name"), CASES, ids=[f"{call.__qualname__}-{name}" for call, name in CASES]
)
def test_the_call_the_argument_and_the_rule_are_named(call, name, given):
    parameters = inspect.signature(call).parameters
    needed = [n for n, p in parameters.items() if p.default is inspect.Parameter.empty]
    values = {n: given[n] for n in needed} | {name: Useless()}
    owner = [values.pop("self")] if "self" in values else []
    with pytest.raises(GPSearchError) as raised:
        call(*owner, **values)
    assert raised.value.argument == name
    assert raised.value.call == call.__qualname__
    assert "<useless>" in str(raised.value)
    assert len(raised.value.rule) > 10
