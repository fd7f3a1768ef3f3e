import numpy as np
import pytest

import gpsearch as gs
from gpsearch.analysis.side_by_side import side_by_side
from gpsearch.cli import main
from gpsearch.errors import InvalidSearchError
from gpsearch.evaluation import FoldResult
from gpsearch.identity import Identity
from gpsearch.report import render_report
from gpsearch.study import Study

PARTS = {"X": 1, "y": 2, "folds": 3, "scoring": "accuracy", "model function": 4, "epochs": 5}
SPACE = {"rate": gs.Real(1e-4, 1.0, prior="log-uniform"), "opt": ["adam", "sgd"]}


@pytest.fixture
def make(tmp_path):
    """Makes a study whose best score grows to `best`, of an objective with these parts."""

    def made(name, best=0.9, space=SPACE, score_name="accuracy", n=3, **parts):
        identity = Identity.of(PARTS | parts)
        facts = {"kind": "keras_cv", "name": "mlp", "data": {"X": [90, 5]}, "scoring": score_name}
        study = Study.create(
            tmp_path / name,
            space=space,
            seed=0,
            objective_fingerprint=identity.fingerprint,
            description={**facts, "n_folds": 2, "identity": identity.to_json()},
            settings={"strategy": "gp"},
        )
        with study.writing() as writer:
            for i in range(n):
                params = {"rate": 0.1 / (i + 1), "opt": "adam"}
                scores = (best - 0.1 * (n - 1 - i), 0.7 * best)
                folds = [FoldResult(fold=j, score=score) for j, score in enumerate(scores)]
                writer.add_trial(study.space.params(study.space.point(params)), folds)
        return study

    return made


def test_what_differs_is_told_and_other_data_stands_apart(make):
    wide = {"rate": gs.Real(1e-6, 1.0, prior="log-uniform"), "opt": ["adam", "sgd"], "n": 3}
    shown = side_by_side(
        [
            make("a.db"),
            make("b.db", space=wide),
            make("c.db", epochs=9, **{"model function": 7}),
            make("d.db", X=8),
            make("e.db", score_name="roc_auc", scoring="roc_auc"),
        ]
    )
    assert shown.names == ("a", "b", "c", "d", "e")
    assert shown.groups == ((0, 1, 2), (3,), (4,))
    assert list(shown.differing) == ["data", "metric", "model", "training", "space"]
    assert shown.differing["space"][:2] == (
        "rate 0.0001 to 1 (log), no n",
        "rate 1e-06 to 1 (log), n fixed at 3",
    )
    # One description, and not the same: letters tell them apart.
    assert shown.differing["data"] == (*["X [90, 5] (A)"] * 3, "X [90, 5] (B)", "X [90, 5] (A)")
    assert shown.differing["model"] == ("mlp (A)", "mlp (A)", "mlp (B)", "mlp (A)", "mlp (A)")
    assert shown.differing["metric"] == ("accuracy",) * 4 + ("roc_auc",)
    assert shown.same == ("folds", "strategy", "seed")
    assert shown.differing_within([0, 1]) == ["space"]


def test_functions_are_compared_as_a_whole():
    searches = [
        gs.search(function, {"x": (0.0, 1.0)}, n_calls=2, random_state=0, progress=False)
        for function in (_rising, _rising, _falling)
    ]
    shown = side_by_side(searches)
    assert shown.groups == ((0, 1), (2,))
    assert list(shown.differing) == ["objective"]
    assert shown.names == ("_rising (1)", "_rising (2)", "_falling")


def _rising(params):
    return params["x"]


def _falling(params):
    return -params["x"]


@pytest.mark.parametrize("studies", [[], ["a.db"], "a.db"])
def test_what_are_no_studies_is_refused(studies):
    with pytest.raises(InvalidSearchError):
        side_by_side(studies)


def test_only_scores_of_one_kind_share_an_axis(make):
    a, b, c = make("a.db"), make("b.db", best=0.8), make("c.db", best=9.0, y=7)
    ax = gs.plot_convergence([a, b])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    one, other = (line.get_ydata() for line in ax.get_lines())
    np.testing.assert_allclose(one - other, 0.085)
    cells = gs.plot_convergence([a, b, c], target=0.85)
    assert [len(cell.get_legend().get_texts()) for cell in cells] == [3, 2]
    assert cells[1].get_ylim()[1] > 7 > 2 > cells[0].get_ylim()[1]


def test_one_page_ranks_no_scores_of_different_kinds(make, tmp_path):
    a, b, c = make("a.db"), make("b.db", best=0.8), make("c.db", best=9.0, y=7)
    text = render_report([a, b, c], tmp_path / "page.md").read_text()
    assert "Scores of 2 kinds, which differ in data:" in text
    assert "The best trial of b scores 0.085 ± 0.015 worse than that of a, fold by fold." in text
    assert "that of c" not in text
    assert text.index("## a and b: accuracy") < text.index("## c: accuracy")
    paths = [str(study.path) for study in (a, b, c)]
    assert main(["report", *paths]) == 0
    page = (tmp_path / "side_by_side.html").read_text()
    assert page.count("<svg") == 4  # a figure for each kind, and its narrow copy
    assert "<th scope=row>c</th>" in page
    assert "http" not in page.partition("</style>")[2].replace("http://www.w3.org", "")


def test_studies_that_differ_in_nothing_have_no_empty_table(make, tmp_path):
    a = make("a.db")
    for suffix in (".html", ".md"):
        text = render_report([a, a], tmp_path / f"page{suffix}").read_text()
        assert "The same in all: data" in text
        assert "A letter tells" not in text
        told = text[text.rindex("What differs") :]
        assert "<table" not in told
        assert "| --- |" not in told
