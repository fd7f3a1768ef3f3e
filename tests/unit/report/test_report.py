import errno
import html
import os
import re
import stat
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.figure import Figure

import gpsearch as gs
from gpsearch.analysis import estimate_importance, estimate_random, one_standard_error
from gpsearch.comparison import compare
from gpsearch.comparison.summary import table_cells
from gpsearch.described import number
from gpsearch.errors import InvalidSearchError, StudyReadOnlyError, UnwritableError
from gpsearch.evaluation import FoldResult
from gpsearch.plotting.data import fold_spread
from gpsearch.report import content, render_report, render_summary
from gpsearch.report.content import read_content, read_result
from gpsearch.report.findings import advise, read_findings
from gpsearch.report.page import draw_page, render_page
from gpsearch.space import Real, Space
from gpsearch.study import Study
from gpsearch.study.confirmation import Confirmation
from gpsearch.study.contenders import contenders

SMALL = {"x": (0.0, 1.0), "opt": ["sgd", "adam"]}
VOID = {"meta", "link", "br", "input", "path", "use", "image", "polyline"}


class Page(HTMLParser):
    """Checks that tags are closed in order, and collects what the tests look at."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.tags = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        attributes = dict(attrs)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.links += [v for k, v in attrs if k in ("href", "src", "xlink:href", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(mixed_study, tmp_path_factory):
    return render_report(mixed_study, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def text(page):
    return page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def drawn(mixed_study):
    """Findings and figures, drawn once more."""
    return draw_page(mixed_study)


@pytest.fixture
def _sketches(monkeypatch):
    """Figures are drawn, but not laid out and written, which the tests of plotting do."""

    def sketch(draw, *, inches, **options):
        draw(ax=Figure(figsize=inches).add_subplot())
        return "<svg></svg>"

    monkeypatch.setattr("gpsearch.report.figures.svg", sketch)


class TestPage:
    def test_asks_nothing_of_the_network(self, text):
        for link in Page(text).links:
            assert link.startswith(("#", "data:")), link
        assert "@import" not in text
        assert not re.search(r"url\((?!#)", text)
        assert not re.search(r"https?://(?!www\.w3\.org/)", text)

    def test_is_one_well_formed_small_file(self, page, text):
        parsed = Page(text)
        assert page.stat().st_size < 5e6
        assert len(parsed.ids) == len(set(parsed.ids))
        assert set(link[1:] for link in parsed.links if link.startswith("#")) <= set(parsed.ids)
        assert parsed.tags.count("h1") == 1
        assert parsed.tags.count("svg") >= 10

    def test_tells_the_result_with_its_uncertainty(self, mixed_study, text):
        best = mixed_study.best_trial
        assert f'<div class="score">{best.score:.4f}</div>' in text
        assert "standard error over 5 folds" in text
        assert str(mixed_study.forecast()) in text
        assert "30 trials proposed by the strategy “gp” in 5 dimensions" in text
        assert str(best.params["n_neurons"]) in text
        assert "the budget of calls is used up" in text

    def test_has_a_row_for_every_trial_and_says_why_some_failed(self, text):
        body = text[text.index('id="trials"') :]
        rows = re.findall(r'<tr class="(\w+)( best)?"', body)
        assert [state for state, _ in rows].count("failed") == 2
        assert len(rows) == 30
        assert [best for _, best in rows].count(" best") == 1
        assert "Trial 4 failed: ValueError: the loss is NaN" in text

    def test_every_figure_speaks(self, text):
        for svg in re.findall(r"<svg[^>]*>", text):
            assert 'role="img"' in svg
            assert re.search(r'aria-label="[^"]{3,}', svg)

    def test_figures_take_the_colours_of_the_page(self, text):
        assert "#010203" not in text
        assert "currentColor" in text

    def test_the_same_study_gives_the_same_page(self, mixed_study, drawn, text):
        assert render_page(mixed_study, drawn=drawn) == text


@pytest.mark.parametrize("suffix", [".html", ".md"])
def test_of_thousands_of_trials_the_best_and_some_others_are_shown(
    suffix, mixed_study, drawn, monkeypatch
):
    monkeypatch.setattr(content, "MOST_SHOWN", 6)
    text = render_page(mixed_study, suffix=suffix, drawn=drawn)
    values, n = content.read_content(mixed_study), len(mixed_study.trials)
    listed = values["rows"]
    assert f"Of {n} trials, 6 are" in text
    shown = {row.trial for row in listed}
    assert len(listed) == 6
    assert {failure.number for failure in values["failures"]} <= shown
    assert mixed_study.best_trial.number in shown
    assert {int(trial) for trial in re.findall(r'data-trial="(\d+)"', text)} == (
        shown if suffix == ".html" else set()
    )


def test_stopped_trials_on_an_easy_fold_hide_no_complete_one(monkeypatch):
    monkeypatch.setattr(content, "MOST_SHOWN", 4)
    study = Study.create(None, space={"x": (0.0, 1.0)}, seed=0)
    with study.writing() as writer:
        for i in range(20):
            number = writer.start_trial({"x": i / 20}, seed=0)
            scores = [0.9] if i % 4 else [0.9, 0.1 + i / 100]
            for fold, score in enumerate(scores):
                writer.record_fold(number, FoldResult(fold=fold, score=score))
            writer.end_trial(number, "stopped" if i % 4 else "complete")
    listed = content.read_content(study)["rows"]
    assert [row.trial for row in listed if row.state == "complete"][-2:] == [12, 16]
    assert any(row.is_best for row in listed)


def test_a_stopped_trial_has_the_score_of_the_figures_and_is_counted_not_listed():
    """The first fold is easy for all: by its plain mean, what has lost would stand first."""
    study = Study.create(None, space={"x": (0.0, 1.0)}, seed=0)
    with study.writing() as writer:
        for i in range(9):
            number = writer.start_trial({"x": i / 9}, seed=0)
            for fold in range(1 if i > 5 else 3):
                folds = FoldResult(fold=fold, score=0.5 - i / 100 + (0.2, 0.0, -0.2)[fold])
                writer.record_fold(number, folds)
            state, reason = ("stopped", "stopped after 1 of 3 folds") if i > 5 else ("complete", "")
            writer.end_trial(number, state, reason=reason)
    values = content.read_content(study)
    scores = {row.trial: row.cells[2].key for row in values["rows"]}
    assert scores[7] == pytest.approx(0.43)
    assert max(scores, key=scores.get) == study.best_trial.number == 0
    assert values["failures"] == []
    assert values["stopped"].startswith("3 stopped after 1 of 3 folds. ")


def test_what_users_wrote_is_escaped_whatever_it_is(make_study, tmp_path):
    """Dollars are a formula to matplotlib."""
    evil, names = "<script>alert(1)</script>", ["<i>a", "b&c", "$\\frac$", "a$b$c"]
    study = make_study(
        {"$x_$": (0.0, 1.0), "<b>name": names},
        lambda p: names.index(p["<b>name"]) + p["$x_$"],
        n=12,
        description={"name": evil, "scoring": evil, "note": evil},
    )
    with study.writing() as writer:
        number = writer.start_trial({"<b>name": "b&c", "$x_$": 1.0}, seed=0)
        writer.end_trial(number, "failed", reason=evil, traceback=evil)
    text = render_report(study, tmp_path / "report.html").read_text(encoding="utf-8")
    assert evil not in text
    assert "<i>" not in text
    assert "<b>" not in text
    assert "<i>" not in render_summary(study)
    Page(text)
    for shown in ("&lt;i&gt;a", "b&amp;c", "$\\frac$", "a$b$c", "$x_$"):
        assert f">{shown}</text>" in text


@pytest.mark.usefixtures("_sketches")
@pytest.mark.parametrize(
    "options",
    [
        {"n": 0},
        {"n": 1},
        {"n": 3, "failed": {0, 1, 2}},
        {"n": 2, "stopped": {0, 1}},
        {"n": 5, "n_folds": 1},
        {"n": 6, "score": lambda p: 0.5, "noise": 0.0},
        {"n": 6, "greater_is_better": False},
        {"space": {"x": (0.0, 1.0)}, "n": 6},
    ],
    ids=lambda options: ",".join(options),
)
def test_a_report_of_any_study(options, make_study, tmp_path):
    study = make_study(**{"space": SMALL, "score": lambda p: p["x"], **options})
    page = Page(render_report(study, tmp_path / "report.html").read_text())
    assert page.tags.count("tr") >= len(study.trials)
    assert "svg" in page.tags or not any(trial.state == "complete" for trial in study.trials)
    assert Page(render_summary(study)).tags


@pytest.mark.usefixtures("_without_figures")
@pytest.mark.parametrize("watched", [True, False])
def test_a_report_says_where_early_stopping_watched_the_scored_fold(watched, make_study, tmp_path):
    study = make_study(
        SMALL, lambda params: params["x"], n=3, description={"monitor_fold": watched}
    )
    text = render_report(study, tmp_path / "report.html").read_text(encoding="utf-8")
    assert ("scores are optimistic" in text) is watched


@pytest.mark.usefixtures("_sketches")
def test_many_dimensions_are_cut_to_what_a_page_can_show(make_study, tmp_path):
    space = {f"x{i}": (0.0, 1.0) for i in range(14)}
    study = make_study(space, lambda p: p["x13"], n=8)
    text = render_report(study, tmp_path / "report.html").read_text()
    assert "through the most influential dimensions" in text


@pytest.mark.usefixtures("_without_figures")
def test_a_report_while_the_search_runs(make_study, tmp_path):
    study = make_study(SMALL, lambda p: p["x"], n=5)
    with study.writing() as writer:
        writer.start_trial(study.best_params, seed=1)
        text = render_report(study, tmp_path / "report.html").read_text()
    assert '<tr class="running"' in text


def test_losses_are_told_as_the_user_knows_them(make_study):
    study = make_study(score=lambda p: -3.0, noise=0.0, n=3, greater_is_better=False)
    result = read_result(study)
    assert result.score == "3"
    content = read_content(study)
    assert (content["label"], content["direction"]) == ("loss", "smaller is better")
    assert content["rows"][0].cells[2].text == "3.000"


@pytest.mark.usefixtures("_sketches")
def test_equal_scores_of_a_function_leave_no_empty_figure_and_no_empty_column(make_study, tmp_path):
    study = make_study(SMALL, lambda p: 0.5, n=6, n_folds=1, noise=0.0)
    text = study.report(tmp_path / "report.html").read_text()
    assert "What mattered" not in text
    assert "std. error" not in text
    study = make_study(SMALL, lambda p: p["x"], n=6)
    assert "std. error" in study.report(tmp_path / "report.html").read_text()


def test_the_table_tells_scores_apart(make_study):
    study = make_study(SMALL, lambda p: 0.9 + 1e-9 * p["x"], n=8, n_folds=1, noise=0.0)
    texts = [row.cells[2].text for row in read_content(study)["rows"]]
    assert len(set(texts)) == 8
    assert max(map(len, texts)) <= 13


def test_scores_that_differ_late_read_apart_in_the_estimates(make_study):
    study = make_study(SMALL, lambda p: 1234.5 + 0.01 * p["x"], n=20, n_folds=1, noise=0.0)
    estimate = estimate_random(study)
    reached = re.findall(r"123\d[\d.]*", str(estimate))
    assert len(reached) == 4  # expected, low, high, and that of the search
    assert len(set(reached)) > 1
    comparison = TestComparison.compared(score=lambda p: 1234.5 + 0.01 * p["x"])
    (random, _) = table_cells(comparison)[1]
    assert len({random[1], *random[2].split(" to ")}) == 3


@pytest.mark.usefixtures("_without_figures")
def test_a_single_trial_is_told_nothing_of_figures_that_are_not_there(make_study, tmp_path):
    text = make_study(n=1).report(tmp_path / "report.html").read_text()
    assert "take the partial dependence" not in text
    assert "The best trials against" not in text


@pytest.mark.usefixtures("_sketches")
class TestComparison:
    @staticmethod
    def compared(greater_is_better=True, score=lambda p: p["x"]):
        sign = 1 if greater_is_better else -1
        return compare(
            lambda p: sign * score(p),
            {"x": (0.0, 1.0), "<opt>": ["<a>", "b"]},
            strategies=["random", "grid"],
            n_calls=5,
            n_repeats=2,
            random_state=0,
            greater_is_better=greater_is_better,
            progress=False,
        )

    @pytest.mark.parametrize("greater_is_better", [True, False])
    def test_one_row_a_run_at_its_best_params(self, greater_is_better, tmp_path):
        comparison = self.compared(greater_is_better)
        text = render_report(comparison, tmp_path / "comparison.html").read_text()
        assert Page(text).tags.count("svg") == 4  # two figures, each for a desk and a phone
        assert "<title>Comparison: &lt;lambda&gt;</title>" in text
        assert "<a>" not in text.replace("<a href", "")
        rows = re.findall(r'<tr class="complete">(.*?)</tr>', text)
        assert len(rows) == 4
        sign = 1 if greater_is_better else -1
        keys = re.findall(r'data-key="([^"]*)"', rows[0])
        assert keys[0] == "random"
        assert float(keys[2]) == pytest.approx(sign * float(keys[6]))  # x, or the loss -x
        assert float(keys[2]) == pytest.approx(comparison.best[0, 0, -1] * sign)

    def test_equal_scores_are_said(self, tmp_path):
        comparison = self.compared(score=lambda p: 1.0)
        text = render_report(comparison, tmp_path / "comparison.html").read_text()
        assert "cannot be told apart" in text


class TestAdvice:
    @pytest.fixture(autouse=True)
    def _without_what_it_does_not_read(self, monkeypatch):
        for name in ("forecast", "estimate_random"):
            monkeypatch.setattr(f"gpsearch.report.findings.{name}", lambda *_, **__: None)

    def advice(self, study):
        return " ".join(advise(study, read_result(study), read_findings(study)))

    def test_best_at_the_bound(self, make_study):
        space = {"x": (0.0, 1.0), "y": (0.0, 1.0)}
        rising = make_study(space, lambda p: p["x"] - 0.1 * (p["y"] - 0.5) ** 2, n=40, noise=1e-3)
        told = self.advice(rising)
        x = number(rising.best_params["x"])
        assert f"The best x is {x}, near its upper bound (1)" in told  # and not at it
        assert "The best y" not in told

        def falling(params):
            return -params["x"] - 0.1 * (params["y"] - 0.5) ** 2

        study = make_study(space | {"x": (0.1, 1.0)}, falling, n=40, noise=1e-3)
        x = number(study.best_params["x"])
        assert f"The best x is {x}, near its lower bound (0.1)" in self.advice(study)
        study = make_study(space, falling, n=40, noise=1e-3)
        assert "The best x" not in self.advice(study)  # no setting goes below 0

    def test_a_search_that_settled_in_a_corner_points_beyond_it(self, make_study):
        """There the average over all the rest of the space may well point elsewhere."""
        space = {"x": (0.0, 1.0), "y": (0.0, 1.0)}

        def score(params):  # best at x = 1, y = 1; on average over y, best at x = 0
            return params["x"] * (3 * params["y"] - 2)

        study = make_study(space, score, n=40, noise=1e-3)
        with study.writing() as writer:
            for y in np.linspace(0.99, 1.0, 12):
                params = {"x": 1.0, "y": float(y)}
                writer.add_trial(
                    params, [FoldResult(fold=j, score=score(params)) for j in range(5)]
                )
        told = self.advice(study)
        assert "The best x lies at its upper bound (1)" in told
        assert "The best y lies at its upper bound (1)" in told

    def test_one_of_two_values_is_no_bound(self, make_study):
        study = make_study({"n": (1, 2), "x": (0.0, 1.0)}, lambda p: p["x"], n=40, noise=1e-3)
        assert "The best n" not in self.advice(study)

    def test_dimension_without_effect(self, make_study):
        space = {"x": (0.0, 1.0), "idle": (0.0, 1.0)}
        told = self.advice(make_study(space, lambda p: (p["x"] - 0.3) ** 2, n=40, noise=1e-4))
        assert "Hardly any effect was seen of idle" in told

    def test_linear_scale_over_decades(self, make_study):
        space = Space({"lr": Real(1e-5, 1.0), "decay": Real(1e-5, 1.0, prior="log-uniform")})
        told = self.advice(make_study(space, lambda p: p["lr"], n=6))
        assert "lr runs from 1e-5 to 1 on a linear scale" in told
        assert "decay runs" not in told

    @pytest.mark.parametrize(("low", "told"), [(0.0, True), (1e-4, True), (0.05, False)])
    def test_a_learning_rate_is_searched_by_its_magnitude(self, low, told, make_study):
        space = {"learning_rate": (low, 0.1), "drop_rate": (0.0, 0.5)}
        advice = self.advice(make_study(space, lambda p: p["learning_rate"], n=6))
        assert ("learning_rate runs from" in advice) == told
        assert ("a lower bound above 0" in advice) == (low == 0.0)
        assert "drop_rate runs" not in advice

    def test_failures_name_the_usual_reason(self, make_study):
        small = {"space": SMALL, "score": lambda p: p["x"]}
        told = self.advice(make_study(**small, n=10, failed={1, 2, 3}))
        assert "3 of 10 trials failed, most often with “ValueError: the loss is NaN”" in told
        assert "failed" not in self.advice(make_study(**small, n=12, failed={1}))
        told = self.advice(make_study(**small, n=3, failed={0, 1, 2}))
        assert told.startswith("All 3 trials failed, most often with “ValueError: the loss is NaN”")
        assert "constraint" not in told  # no value is at fault

    @pytest.mark.parametrize(
        ("made", "useful"),
        [
            ({}, True),
            ({"off": "Not scored again: there are no splits to draw."}, False),
            ({"winner": 1, "contenders": (1, 2), "tied": (2,)}, False),
            ({"winner": 1, "tied": (2,)}, True),
        ],
        ids=["none yet", "no splits", "more would not tell", "share too small"],
    )
    def test_fresh_splits_are_advised_only_where_they_may_help(
        self, made, useful, make_study, monkeypatch
    ):
        study = make_study(SMALL, lambda p: p["x"], n=20, noise=0.5)
        monkeypatch.setattr(Study, "confirmation", Confirmation(trials=20, **made))
        assert ("give fresh splits a greater share" in self.advice(study)) == useful

    def test_equal_scores_without_folds_are_no_question_of_noise(self, make_study):
        told = self.advice(make_study(SMALL, lambda p: 0.5, n=8, n_folds=1, noise=0.0))
        assert "8 trials share the best score: prefer the simplest." in told
        assert "standard error" not in told
        assert "fresh splits" not in told

    def test_the_advice_counts_the_contenders_as_every_other_place_does(self, make_study):
        study = make_study(n=20, noise=0.5)
        number = len(contenders(study.complete))
        assert number > 1
        assert f"{number} trials lie within one standard error of the best" in self.advice(study)
        choice = one_standard_error(study, study.space.names[:1])
        assert choice.n_within == read_result(study).contenders == number
        _, scores, errors = fold_spread(study, 20)
        lags = [np.mean(scores[0]) - np.mean(of_trial) for of_trial in scores]
        assert sum(lag <= error + 1e-12 for lag, error in zip(lags, errors, strict=True)) == number
        assert read_result(make_study(n=20, noise=1e-6)).contenders == 1


class TestFindings:
    @pytest.mark.usefixtures("_without_figures")
    @pytest.mark.parametrize("suffix", [".html", ".md"])
    def test_the_confirmation_is_told(self, make_study, tmp_path, suffix):
        study = make_study(n=8)
        made = Confirmation(trials=8, winner=3, probability=0.7, expected=0.5, low=0.4, high=0.6)
        with study.writing() as writer:
            writer.set_confirmation(made)
        text = html.unescape(render_report(study, tmp_path / f"report{suffix}").read_text())
        assert all(sentence in text for sentence in made.sentences())
        assert read_result(study).number == 3

    def test_the_rule_of_thumb_is_checked_against_the_data(self, make_study, tmp_path):
        space = {"n_layers": (0.0, 1.0), "learning_rate": (0.0, 1.0), "drop": (0.0, 1.0)}

        def page(score):
            study = make_study(space, score, n=30, noise=1e-3)
            return render_report(study, tmp_path / "report.md").read_text(encoding="utf-8")

        contradicted = page(lambda params: params["n_layers"] + 0.2 * params["learning_rate"])
        assert "Against the rule of thumb, n_layers mattered more than" in contradicted
        assert "Nothing contradicts the rule of thumb" not in contradicted
        confirmed = page(lambda params: 0.2 * params["n_layers"] + params["learning_rate"])
        assert "Nothing contradicts the rule of thumb (learning_rate, n_layers)." in confirmed
        assert "Against the rule of thumb" not in confirmed

    def test_the_page_says_whether_the_rule_of_thumb_holds(self, text, mixed_study):
        sentences = estimate_importance(mixed_study).against_the_rule_of_thumb()
        assert sentences
        assert all(f"<li>{sentence}</li>" in text for sentence in sentences)

    def test_the_simplest_of_the_best_is_named(self, text, mixed_study):
        chosen = one_standard_error(mixed_study)
        assert str(chosen) in text


class TestMarkdown:
    def test_tells_the_same_without_figures(self, mixed_study, drawn):
        text = render_page(mixed_study, suffix=".md", drawn=drawn)
        assert text.startswith("# Search: ")
        assert f"**{mixed_study.best_score:.4f}**" in text
        for heading in ("Result", "What mattered", "Trials", "Failed trials", "Space"):
            assert f"\n## {heading}\n" in text
        rows = [line for line in text.splitlines() if re.match(r"\| \d+ \| \w+ \|", line)]
        assert len(rows) == 30
        assert {row.count("|") for row in rows} == {rows[0].count("|")}
        assert "<svg" not in text

    def test_what_users_wrote_does_not_break_a_table(self, make_study, tmp_path):
        space = {"a|b": ["x|y", "<b>z"], "n_x": (0.0, 1.0)}
        study = make_study(space, lambda p: p["n_x"], n=5)
        text = render_report(study, tmp_path / "report.md").read_text()
        rows = [line for line in text.splitlines() if re.match(r"\| \d+ \| \w+ \|", line)]
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {9}
        assert "<b>" not in text

    @pytest.mark.parametrize("options", [{"n": 0}, {"n": 3, "failed": {0, 1, 2}}])
    def test_of_any_study(self, options, make_study, tmp_path):
        text = render_report(make_study(**options), tmp_path / "report.md").read_text()
        assert "No trial is complete yet." in text

    def test_of_a_comparison(self, tmp_path):
        comparison = TestComparison.compared()
        text = render_report(comparison, tmp_path / "comparison.md").read_text()
        assert "<svg" not in text
        for heading in ("Result", "Runs", "Space", "How it was run"):
            assert f"\n## {heading}\n" in text
        assert "| random | " in text
        assert "gpsearch.compare(objective, space, strategies=['random', 'grid']" in text


@pytest.mark.usefixtures("_without_figures")
def test_an_old_page_stands_until_the_new_one_is_whole(make_study, tmp_path, monkeypatch):
    study = make_study(SMALL, lambda p: p["x"], n=3)
    path = tmp_path / "report.html"
    path.write_text("the old page")
    path.chmod(0o640)

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            study.report(path)
    assert path.read_text() == "the old page"
    study.report(path)
    assert "<html" in path.read_text(encoding="utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["report.html"]


@pytest.mark.usefixtures("_without_figures")
def test_a_page_behind_a_link_is_replaced_where_it_lies(make_study, tmp_path):
    (tmp_path / "served").mkdir()
    link = tmp_path / "report.html"
    link.symlink_to(tmp_path / "served" / "page.html")
    make_study(SMALL, lambda p: p["x"], n=3).report(link)
    assert link.is_symlink()
    assert os.listdir(tmp_path / "served") == ["page.html"]


def test_no_number_is_rounded_to_a_bound_to_1_or_to_minus_0(make_study):
    space = {"beta": (0.9, 0.99996), "size": Real(1e8, 1.00001e8), "x": (0.0, 0.9999)}
    study = make_study(space, lambda p: 0.0, noise=0.0, greater_is_better=False, n=12)
    facts = read_content(study)
    assert [row[2] for row in facts["space"]] == [
        *("0.9 to 0.99996", "1e8 to 1.00001e8", "0 to 0.9999")
    ]
    shown = {name: {row.cells[i].text for row in facts["rows"]} for i, name in
             enumerate(facts["columns"]) if name in space}  # fmt: skip
    assert len(shown["size"]) == 12
    assert not {"1"} & (shown["beta"] | shown["x"])
    texts = "".join(row.told + row.best + row.cells[2].text for row in facts["rows"])
    assert "-0" not in texts.replace("e-0", "")


def test_another_suffix_is_refused(mixed_study, tmp_path):
    with pytest.raises(InvalidSearchError, match=r"report\.pdf.*\.html, \.htm, \.md.*print"):
        mixed_study.report(tmp_path / "report.pdf")


def test_a_name_that_no_file_can_have_is_named(mixed_study):
    with pytest.raises(UnwritableError, match=r"cannot be written: .*embedded null"):
        mixed_study.report("a\0.html")


def test_a_folder_that_does_not_exist_is_named(mixed_study, tmp_path):
    with pytest.raises(
        UnwritableError, match=r"report\(path='.*nope/x\.html'\): .*make it"
    ) as told:
        mixed_study.report(tmp_path / "nope" / "x.html")
    assert told.value.argument == "path"


def test_the_number_of_calls_is_that_of_the_last_search():
    options = {"strategy": "random", "random_state": 0, "progress": False}
    study = gs.search(lambda params: params["x"], {"x": (0.0, 1.0)}, n_calls=3, **options)
    gs.search(study.objective, study.space, n_calls=5, study=study, **options)
    content = read_content(study)
    assert "n_calls=5" in content["again"]
    assert ("n calls", "5") in content["facts"]


def test_the_strategy_proposed_neither_what_was_given_nor_what_was_queued():
    options = {"random_state": 0, "progress": False}
    known = {"x0": [{"x": 0.5}], "y0": [-0.04]}
    study = gs.search(lambda p: -p["x"], {"x": (0.0, 1.0)}, n_calls=4, **known, **options)
    study.enqueue({"x": 0.9})
    gs.search(study.objective, study.space, n_calls=5, study=study, **options)
    told = "4 trials proposed by the strategy “gp” and 2 given or queued in 1 dimension, begun"
    assert read_content(study)["summary"].startswith(told)


def test_the_call_that_repeats_a_search_says_what_was_not_usual(make_study, tmp_path):
    assert "strategy" not in read_content(make_study(n=2, path=tmp_path / "a.db"))["again"]
    study = Study.create(
        None,
        space=SMALL,
        seed=7,
        settings={"strategy": "random", "n_calls": 9, "greater_is_better": False},
    )
    assert read_content(study)["again"] == (
        "gpsearch.search(objective, space, n_calls=9, random_state=7, strategy='random', "
        "greater_is_better=False)"
    )


class TestSummary:
    def test_tells_score_params_and_course(self, mixed_study):
        text = render_summary(mixed_study)
        assert f"{mixed_study.best_score:.4f}" in text
        assert "learning_rate" in text
        assert "<polyline" in text
        assert mixed_study._repr_html_() == text


def test_the_best_so_far_reads_as_in_the_row_of_its_trial():
    """Also where scores span orders of magnitude, and a column has one place for all."""
    losses = [0.4, 0.09, 0.05, 7.25e-9, 0.1, 0.3, 2e-3]
    given = {"x0": [[i / 10] for i in range(7)], "y0": losses}
    options = {"strategy": "random", "greater_is_better": False, "progress": False}
    study = gs.search(lambda params: 1.0, {"x": (0.0, 1.0)}, n_calls=1, **given, **options)
    rows = content.read_content(study)["rows"]
    texts = [row.cells[2].text for row in rows]
    best = np.minimum.accumulate([*losses, 1.0])
    assert [row.best for row in rows] == [texts[[*losses, 1.0].index(value)] for value in best]


@pytest.fixture
def growing(tmp_path, monkeypatch):
    """A study as another process reads it: each time it looks, a search has ended a trial."""
    path, values = tmp_path / "study.db", iter(np.linspace(0.0, 1.0, 999))
    with Study.create(path, space=SMALL, seed=0).writing() as writer:

        def add():
            params = {"x": float(next(values)), "opt": "adam"}
            writer.add_trial(params, [FoldResult(fold=0, score=params["x"])])

        for _ in range(8):
            add()
        study = Study.open(path)
        version = study._file.database.data_version
        monkeypatch.setattr(study._file.database, "data_version", lambda: [add(), version()][1])
        yield study


def test_a_report_of_a_running_search_is_of_one_moment(growing, tmp_path):
    text = growing.report(tmp_path / "report.md").read_text()
    assert "9 trials in 2 dimensions" in text
    assert len(re.findall(r"^\| \d+ \|", text, re.MULTILINE)) == 9


def test_a_plot_of_a_running_search_is_of_one_moment(growing):
    points = growing.plot_parallel_coordinates().collections[0].get_segments()
    assert len(points) == 9


def test_a_study_that_stands_still_is_none_for_the_others(growing):
    still = growing.still()
    assert len(still.trials) == len(still.complete) == 9
    assert [len(growing.trials), len(growing.trials)] == [10, 11]
    assert len(still.trials) == 9


def test_a_study_that_stands_still_is_not_written(growing):
    still = growing.still()
    with pytest.raises(StudyReadOnlyError, match="write to the study itself"):
        still.enqueue({"x": 0.5, "opt": "adam"})
    with pytest.raises(StudyReadOnlyError), still.writing():
        pass
    assert len(still.trials) == 9
