"""What is drawn, read back from the Axes; and that every plot stands for every kind of study."""

import re
import warnings
from dataclasses import replace
from functools import partial
from itertools import pairwise
from zlib import crc32

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import LogNorm
from matplotlib.text import Text

from gpsearch import plotting
from gpsearch.analysis import estimate_importance, estimate_random
from gpsearch.comparison import compare
from gpsearch.described import number
from gpsearch.errors import InvalidParamsError, InvalidSearchError, StudyError
from gpsearch.evaluation import FoldResult
from gpsearch.plotting.axes import score_limits
from gpsearch.plotting.dependence import partial_dependence_map_series, partial_dependence_series
from gpsearch.plotting.partial import curve_limits, draw_curve, draw_map
from gpsearch.plotting.svg import svg
from gpsearch.plotting.ticks import log_ticks
from gpsearch.space import Categorical, Real, Space
from gpsearch.study import Study

SPACES = {
    "one real": {"x": (0.0, 1.0)},
    "one category": {"opt": ["sgd", "adam"]},
    "two": {"lr": Real(1e-6, 10.0, prior="log-uniform"), "n": (1, 3)},
    "narrow log": {"lr": Real(0.02, 0.5, prior="log-uniform"), "big": (1000, 2_000_000)},
    "long names": {
        "kernel_initializer_of_the_first_layer": Categorical(
            ["glorot_uniform_initializer", "he_normal_initializer", "lecun", "zeros", "ones"]
        ),
        "learning_rate_decay": (0.0, 1.0),
    },
}
STUDIES = {
    "plain": {},
    "losses": {"greater_is_better": False},
    "some failed": {"failed": range(0, 12, 3), "stopped": [1, 2]},
    "one fold": {"n_folds": 1},
    "equal": {"score": lambda p: 0.5, "noise": 0.0},
    "diverged": {"score": lambda p: -1e6 if crc32(str(p).encode()) % 4 == 0 else len(p) / 100},
}
PLOTS = [
    plotting.plot_convergence,
    plotting.plot_fold_spread,
    plotting.plot_importance,
    plotting.plot_learning_curves,
    plotting.plot_parallel_coordinates,
    plotting.plot_partial_dependence,
    plotting.plot_slices,
    plotting.plot_timeline,
    plotting.plot_trade_off,
]


def first(axes):
    return np.ravel(axes)[0]


def render(axes):
    first(axes).get_figure(root=True).canvas.draw()


def hard_to_order(params):
    return sum(crc32(f"{k}{v}".encode()) % 100 for k, v in params.items()) / 1000


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.__name__)
@pytest.mark.parametrize("kind", STUDIES)
def test_every_plot_of_every_study(plot, kind, make_study):
    before = dict(matplotlib.rcParams)
    few = SPACES["two"] | {"opt": ["sgd", "adam", "rmsprop"]}
    render(plot(make_study(**{"space": few, "score": hard_to_order, "n": 12} | STUDIES[kind])))
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("space", SPACES)
def test_every_space(space, make_study):
    study = make_study(SPACES[space], hard_to_order, n=9)
    for plot in (
        plotting.plot_importance,
        plotting.plot_partial_dependence,
        plotting.plot_slices,
        plotting.plot_parallel_coordinates,
    ):
        axes = plot(study)
        render(axes)
        texts = first(axes).get_figure(root=True).findobj(Text)
        shown = "".join(text.get_text() for text in texts).replace("\n", "")
        named = all(name in shown for name in SPACES[space])
        assert named or "need two dimensions" in shown, plot


@pytest.mark.parametrize(
    "plot", [plotting.plot_convergence, plotting.plot_timeline, plotting.plot_fold_spread]
)
def test_draws_onto_the_given_axes(plot, mixed_study):
    _, ax = plt.subplots()
    assert plot(mixed_study, ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_divides_the_place_of_the_given_axes(mixed_study):
    figure, (left, right) = plt.subplots(1, 2, figsize=(14, 8))
    left.plot([0, 1])
    cells = plotting.plot_partial_dependence(mixed_study, ax=right)
    assert first(cells).get_figure(root=True) is figure
    assert all(c.get_position().x0 > 0.5 for c in cells)


@pytest.mark.parametrize("plot", PLOTS)
def test_a_study_draws_itself(plot, make_study):
    study = make_study(SPACES["two"], hard_to_order, n=4)
    axes, again = getattr(study, plot.__name__)(), plot(study)
    assert np.shape(axes) == np.shape(again)
    assert first(axes).get_xlabel() == first(again).get_xlabel()


class TestConvergence:
    def test_failed_trials_are_crosses_and_target_is_a_line_even_at_zero(self, mixed_study):
        ax = plotting.plot_convergence(mixed_study, target=0.0)
        labels = {artist.get_label(): artist for artist in [*ax.collections, *ax.lines]}
        assert labels["failed"].get_offsets()[:, 0].tolist() == [4.0, 12.0]
        assert labels["stopped early"].get_offsets()[:, 0].tolist() == [7.0, 15.0]
        assert labels["target"].get_ydata()[0] == 0.0
        low, high = ax.get_ylim()
        assert low < 0.0 < high

    def test_one_diverged_trial_does_not_flatten_the_plot(self, make_study):
        study = make_study(
            {"x": (0.0, 1.0)},
            lambda p: -1e9 if p["x"] < 0.1 else p["x"],
            n=30,
            noise=0.0,
        )
        ax = plotting.plot_convergence(study)
        assert ax.get_ylim()[0] > -5
        outside = [c for c in ax.collections if c.get_label() == "off the scale"]
        diverged = [t.number for t in study.trials if t.score < -1]
        assert outside[0].get_offsets()[:, 0].tolist() == diverged

    def test_the_estimate_of_random_search_is_drawn_up_to_the_last_trial(self, mixed_study):
        estimate = estimate_random(mixed_study, n=100)
        ax = plotting.plot_convergence(mixed_study, baseline=estimate)
        (line,) = [line for line in ax.lines if line.get_label() == "random (estimate)"]
        np.testing.assert_array_equal(line.get_xdata(), np.arange(30))
        np.testing.assert_array_equal(line.get_ydata(), estimate.expected[:30])

    def test_wide_losses_have_a_log_axis_and_scores_have_not(self, make_study):
        wide = {"space": {"x": (-4.0, 0.0)}, "noise": 0.0, "n": 20}
        falling = make_study(score=lambda p: -(10 ** p["x"]), greater_is_better=False, **wide)
        assert plotting.plot_convergence(falling).get_yscale() == "log"
        rising = make_study(score=lambda p: 10 ** p["x"], **wide)
        assert plotting.plot_convergence(rising).get_yscale() == "linear"
        assert plotting.plot_convergence(rising, log=True).get_yscale() == "log"

    def test_wide_losses_have_a_log_scale_in_the_other_plots_as_well(self, make_study):
        space = {"x": (-6.0, 6.0), "y": (0.0, 1.0)}
        study = make_study(
            space, lambda p: -(10 ** p["x"]), greater_is_better=False, noise=0.0, n=20
        )
        (curve, *_) = plotting.plot_partial_dependence(study)
        assert curve.get_yscale() == "log"
        low, high = curve.get_ylim()
        assert low < min(-t.score for t in study.trials) < 1 < high
        surface = plotting.plot_partial_dependence(study, ("x", "y"))
        lines = plotting.plot_parallel_coordinates(study)
        for ax in (surface, lines):
            render(ax)
            assert isinstance(ax.collections[0].norm, LogNorm)
            ticks = [t.get_text() for t in ax.get_figure().axes[-1].get_yticklabels()]
            assert 2 <= len(ticks) <= 6
            assert not any("10^" in tick for tick in ticks)
        assert "a factor of" in surface.get_title(loc="right")

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"n": 3, "failed": {0, 1, 2}}, "All trials failed."),
            ({"n": 3, "score": lambda p: 0.5, "noise": 0.0}, "All scores are equal."),
            ({"n": 0}, "No trial has ended yet."),
        ],
    )
    def test_what_cannot_be_shown_is_said(self, options, sentence, make_study):
        ax = plotting.plot_convergence(make_study(**options))
        assert sentence in [text.get_text() for text in ax.texts]


class TestImportance:
    def test_bars_stand_in_the_order_of_the_totals(self, mixed_study):
        importance = estimate_importance(mixed_study, n_samples=20, n_points=64)
        ax = plotting.plot_importance(importance)
        assert [t.get_text() for t in ax.get_yticklabels()] == list(importance.order)
        totals = [bar.get_width() for bar in ax.containers[0]]
        assert totals == sorted(totals, reverse=True)
        assert ax.get_yticklabels()[0].get_text() == "learning_rate"

    def test_equal_scores_are_said(self, make_study):
        study = make_study(score=lambda p: 0.5, noise=0.0, n=5)
        assert "All scores are equal" in plotting.plot_importance(study).texts[0].get_text()


@pytest.fixture(scope="module", params=[True, False], ids=["scores", "losses"])
def comparison(request):
    sign = 1 if request.param else -1
    return compare(
        lambda p: sign * (1 - (p["x"] - 0.3) ** 2),
        {"x": (0.0, 1.0)},
        strategies=["random", "tpe", "grid"],
        n_calls=6,
        n_repeats=3,
        random_state=0,
        greater_is_better=request.param,
        progress=False,
    )


class TestComparison:
    def test_one_line_a_strategy_in_the_users_units(self, comparison):
        ax = plotting.plot_comparison(comparison)
        lines = {line.get_label(): line.get_ydata() for line in ax.lines}
        assert list(lines) == ["random", "tpe", "grid"]
        np.testing.assert_array_equal(lines["tpe"], comparison.curve("tpe").mean)
        low, high = ax.get_ylim()
        ends = [values[-1] for values in lines.values()]
        assert low < min(ends) <= max(ends) < high
        render(ax)

    def test_losses_over_decades_have_a_log_axis(self):
        made = compare(
            lambda p: 10 ** p["x"],
            {"x": (-6.0, 6.0)},
            strategies=["random", "grid"],
            n_calls=8,
            n_repeats=2,
            random_state=0,
            greater_is_better=False,
            progress=False,
        )
        ax = plotting.plot_comparison(made)
        assert ax.get_yscale() == "log"
        means = np.concatenate([line.get_ydata() for line in ax.lines])
        assert ax.get_ylim()[0] < means.min() <= means.max() < ax.get_ylim()[1]
        render(ax)

    def test_differences_are_rows_against_the_baseline(self, comparison):
        ax = plotting.plot_differences(comparison)
        assert [t.get_text() for t in ax.get_yticklabels()] == ["tpe", "grid"]
        assert "better than random" in ax.get_xlabel()
        diamonds = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "D"]
        assert diamonds == [d.end.value for d in comparison.differences()]

    def test_a_comparison_draws_itself(self, comparison):
        for axes in (
            comparison.plot_comparison(),
            comparison.plot_differences(),
        ):
            render(axes)
            texts = [text.get_text() for text in axes.get_figure(root=True).findobj(Text)]
            assert any("grid" in text for text in texts)

    def test_equal_scores_are_said(self):
        equal = compare(
            lambda p: 0.5,
            {"x": (0.0, 1.0)},
            strategies=["random", "grid"],
            n_calls=3,
            n_repeats=2,
            progress=False,
        )
        assert "All scores are equal." in [t.get_text() for t in equal.plot_comparison().texts]
        assert equal.plot_differences().get_title(loc="left") == "all scores are equal"

    def test_unknown_baseline(self, comparison):
        with pytest.raises(InvalidSearchError, match="skopt"):
            plotting.plot_differences(comparison, "skopt")


class TestPartialDependence:
    def test_log_axis_and_category_names(self, mixed_study):
        cells = plotting.plot_partial_dependence(mixed_study)
        by_name = {cell.get_xlabel(): cell for cell in cells}
        assert set(by_name) == set(mixed_study.space.names)
        assert by_name["learning_rate"].get_xscale() == "log"
        assert by_name["drop_rate"].get_xscale() == "linear"
        render(cells)
        ticks = [t.get_text() for t in by_name["act_func"].get_xticklabels()]
        assert ticks == ["relu", "tanh", "selu"]
        assert cells[0].get_xlabel() == "learning_rate"  # the most influential first

    def test_what_diverged_settings_give_does_not_flatten_the_averages(self, mixed_study):
        curves = [partial_dependence_series(mixed_study, name) for name in mixed_study.space.names]
        for curve in curves:
            curve.at_best[-1] = curve.lower[-3:] = -1e6
        low, high = curve_limits(curves)
        kept = np.concatenate([*[curve.mean for curve in curves], [mixed_study.best_score]])
        assert low < kept.min() <= kept.max() < high
        assert np.ptp(kept) > 0.3 * (high - low)

    def test_a_name_a_pair_and_a_list(self, mixed_study):
        curve = plotting.plot_partial_dependence(mixed_study, "learning_rate")
        assert curve.get_xlabel() == "learning_rate"
        surface = plotting.plot_partial_dependence(mixed_study, ("learning_rate", "act_func"))
        assert (surface.get_xlabel(), surface.get_ylabel()) == ("learning_rate", "act_func")
        cells = plotting.plot_partial_dependence(
            mixed_study, ["drop_rate", ("n_neurons", "n_hidden")]
        )
        assert [c.get_xlabel() for c in cells] == ["drop_rate", "n_neurons"]

    @pytest.mark.parametrize(
        "dimensions",
        [
            "lr",
            ("lr", "act_func"),
            ["drop_rate", "lr"],
            [("a", "b", "c")],
            ("n_hidden", "n_hidden"),
        ],
    )
    def test_unknown_dimensions(self, dimensions, mixed_study):
        with pytest.raises(InvalidParamsError, match="plot_partial_dependence"):
            plotting.plot_partial_dependence(mixed_study, dimensions)

    def test_equal_scores_are_said(self, make_study):
        cells = plotting.plot_partial_dependence(make_study(score=lambda p: 0.5, noise=0.0, n=8))
        assert cells[0].get_title() == "all scores are equal"

    def test_needs_finished_trials(self, make_study):
        with pytest.raises(StudyError, match="at least 2 complete trials"):
            plotting.plot_partial_dependence(make_study(n=3, failed={0, 1, 2}))

    def test_a_star_in_the_worse_half_of_a_map_is_explained(self, mixed_study):
        series = partial_dependence_map_series(mixed_study, ("learning_rate", "act_func"), size=6)
        for mean, said in [(series.mean, False), (-series.mean, True)]:
            figure, ax = plt.subplots(figsize=(3.5, 2.6), layout="constrained")
            draw_map(replace(series, mean=mean), ax)
            title = ax.get_title(loc="right").replace("\n", " ")
            assert ("owes its score to other" in title) is said
            figure.draw_without_rendering()
            texts = [t for t in ax.findobj(Text) if t.get_text() == ax.get_title(loc="right")]
            assert texts[0].get_window_extent().x0 >= 0

    def test_only_the_vague_part_of_a_map_is_hatched(self, mixed_study):
        clear = partial_dependence_map_series(mixed_study, ("learning_rate", "act_func"), size=6)
        vague = clear.upper.copy()
        vague[:, -2:] += 1.0
        for upper, cells in [(clear.upper, 0), (vague, 6)]:
            ax = draw_map(replace(clear, upper=upper), plt.figure().add_subplot())
            hatched = [c for c in ax.collections if c.get_hatch()]
            assert sum(len(c.get_paths()) for c in hatched) == cells


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.3"), (1e-5, "1e-5"), (-2.5e-7, "-2.5e-7"), (0, "0"), (48000.0, "48000"),
        (0.98765, "0.988"), (999.6, "1000"), (3e9, "3e9"), (float("nan"), "nan"),
        (5030862.0, "5030862"), (2e6, "2e6"), (0.9996, "0.9996"), (-0.99998, "-0.99998"),
    ],
)  # fmt: skip
def test_number_is_what_people_write(value, text):
    assert number(value) == text


@pytest.mark.parametrize("score", [0.9 + 1e-9, 5.3e6, -2e-7, 0.12345])
@pytest.mark.parametrize("inches", [(9.6, 3.6), (4.0, 3.6)], ids=["wide", "narrow"])
def test_no_two_labels_of_an_axis_touch(inches, score, make_study):
    long = {f"quite_long_name_of_a_dimension_{i}": (0.0, 1.0) for i in range(4)}
    study = make_study(long, lambda p: score, n=8, noise=abs(score) * 1e-3)
    for plot in (plotting.plot_fold_spread, plotting.plot_parallel_coordinates):
        figure, ax = plt.subplots(figsize=inches, layout="constrained")
        plot(study, ax=ax)
        figure.draw_without_rendering()
        boxes = [t.get_window_extent() for t in ax.get_xticklabels() if t.get_text()]
        assert all(a.x1 < b.x0 for a, b in pairwise(boxes)), plot
        plt.close(figure)


@pytest.mark.parametrize("inches", [(9.6, 3.6), (4.0, 3.6)], ids=["wide", "narrow"])
def test_names_of_pipelines_touch_no_other_and_end_within_the_figure(inches, make_study):
    name = "columntransformer__pipeline__histgradientboostingclassifier__min_samples_leaf"
    study = make_study({f"{name}_{i}": (0.0, 1.0) for i in range(4)}, hard_to_order, n=8)
    figure, ax = plt.subplots(figsize=inches, layout="constrained")
    plotting.plot_importance(study, ax=ax)
    figure.draw_without_rendering()
    boxes = [t.get_window_extent() for t in ax.get_yticklabels()]
    assert all(b.y1 <= a.y0 + 1 for a, b in pairwise(boxes))
    plt.close(figure)
    for draw in (plotting.plot_partial_dependence, plotting.plot_slices):
        cells = np.ravel(draw(study))
        cells[0].figure.draw_without_rendering()
        labels = [cell.xaxis.label.get_window_extent() for cell in cells]
        widest = max(cell.get_window_extent().width for cell in cells)
        assert all(label.width <= 1.2 * widest for label in labels)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_a_legend_lies_within_its_figure(n, make_study):
    study = make_study({f"x{i}": (0.0, 1.0) for i in range(n)}, lambda p: p["x0"])
    for plot in (plotting.plot_partial_dependence, plotting.plot_slices):
        (cell, *_) = plot(study)
        figure = cell.figure
        figure.draw_without_rendering()
        assert figure.legends[0].get_window_extent().x1 <= figure.bbox.x1 + 1, plot
        lines = figure.legends[0].get_lines()
        assert {line.get_solid_capstyle() for line in lines} == {"butt"}  # the name is beside it


def test_the_spread_over_folds_is_told_where_there_are_folds(make_study):
    (n, less) = (5, "score less that of trial")
    plain = {"space": {"x": (0.0, 1.0)}, "score": lambda p: p["x"], "description": {}}
    for n_folds, told in [(1, False), (3, True)]:
        label = plotting.plot_fold_spread(make_study(n=n, n_folds=n_folds, **plain)).get_xlabel()
        assert label.startswith(less)
        assert ("fold" in label) is ("standard error" in label.replace("\n", " ")) is told


def test_score_limits_show_what_must_be_shown():
    values = np.array([0.9, 0.91, 0.92, 0.93, -1e6])
    low, high = score_limits(values, np.array([0.2]), True)
    assert -1 < low < 0.2
    assert high > 0.93
    low, high = score_limits(-values, np.array([]), False)
    assert high < 1
    assert low < -0.93


def test_slices_show_where_trials_failed(mixed_study):
    (panel, *_) = plotting.plot_slices(mixed_study, ["learning_rate"])
    (crosses,) = [
        c
        for c in panel.collections
        if c.get_facecolor().shape == (1, 4) and len(c.get_offsets()) == 2
    ]
    failed = [t.params["learning_rate"] for t in mixed_study.trials if t.state == "failed"]
    np.testing.assert_allclose(sorted(crosses.get_offsets()[:, 0]), sorted(failed))


def test_one_dimension_has_no_parallel_coordinates(make_study):
    ax = plotting.plot_parallel_coordinates(make_study({"x": (0.0, 1.0)}, lambda p: p["x"], n=4))
    assert "plot_slices" in ax.texts[0].get_text()


def test_a_trial_too_short_for_its_gap_is_a_line_in_its_colour(monkeypatch):
    now = [0.0]
    for clock in ("time", "monotonic"):
        monkeypatch.setattr(f"gpsearch.study.writer.time.{clock}", lambda: now[0])
    study = Study.create(None, space={"x": (0.0, 1.0)}, seed=0)
    with study.writing() as writer:
        for start, seconds in enumerate([1.0, 1e-6, 1.0]):
            now[0] = float(start)
            trial = writer.start_trial({"x": 0.5}, seed=0)
            now[0] += seconds
            writer.end_trial(trial, "complete", folds=[FoldResult(fold=0, score=0.0)])
    ax = plotting.plot_timeline(study)
    bars = {bar.get_x(): bar for bar in ax.patches}
    assert bars[1.0].get_edgecolor() == bars[1.0].get_facecolor()
    assert bars[0.0].get_edgecolor() != bars[0.0].get_facecolor()


class TestLearningCurves:
    def test_each_fold_is_a_thin_and_a_thick_line_with_a_dot_at_its_best_epoch(self, mixed_study):
        (cell,) = plotting.plot_learning_curves(mixed_study)
        assert cell.get_title(loc="left") == f"trial {mixed_study.best_trial.number}"
        assert cell.get_ylabel() == "loss (thin), val_loss"
        lines = [line for line in cell.lines if line.get_marker() == "None"]
        assert [len(line.get_xdata()) for line in lines] == 2 * [5, 6, 7, 8, 9]
        dots = [line for line in cell.lines if line.get_marker() == "o"]
        assert [dot.get_xdata()[0] for dot in dots] == [4, 5, 6, 7, 8]

    def test_no_curve_and_no_trial_are_said(self, make_study):
        with pytest.raises(StudyError, match=r"plot_learning_curves\(number=5\).*from 0 to 1"):
            plotting.plot_learning_curves(make_study(n=2), 5)
        with pytest.raises(StudyError, match="no learning curve"):
            plotting.plot_learning_curves(make_study(n=2, failed={0}), 0)
        with pytest.raises(StudyError, match="no trial yet"):
            plotting.plot_learning_curves(make_study(n=0), 0)


class TestMarksOfAPage:
    """In an SVG each mark names its trial, and each axis of parallel coordinates its place."""

    def test_dots_and_crosses_stand_where_their_trial_does(self, mixed_study):
        draw = partial(plotting.plot_convergence, mixed_study)
        text = svg(draw, title="t", inches=(6, 3))
        marks = re.findall(r'data-trial="(\d+)"[^>]*?(?: x="| d="M )([\d.]+)', text)
        numbers, x = np.array(sorted((int(n), float(at)) for n, at in marks)).T
        np.testing.assert_array_equal(numbers, np.arange(30))
        at = x[0] + numbers * (x[-1] - x[0]) / 29
        np.testing.assert_allclose(x, at, atol=4)  # a diamond begins at its corner

    def test_lines_are_in_the_order_of_the_scores_and_the_best_is_on_top(self, mixed_study):
        draw = partial(plotting.plot_parallel_coordinates, mixed_study)
        text = svg(draw, title="t", inches=(6, 3))
        lines = [int(number) for number in re.findall(r'<path data-trial="(\d+)"', text)]
        scored = [trial for trial in mixed_study.trials if trial.state != "failed"]
        rising = sorted(scored, key=lambda trial: trial.score)
        assert lines == [trial.number for trial in rising] + [mixed_study.best_trial.number]
        assert re.findall(r'data-axis="(\d)"', text) == ["0", "1", "2", "3", "4"]

    def test_a_trial_without_the_dimension_takes_no_mark_of_another(self, make_study):
        space = {"opt": ["sgd", "adam"], "m": (0.0, 1.0)}
        study = make_study(
            Space(space, conditions={"m": {"opt": ["sgd"]}}), lambda p: p.get("m", 0.5), n=12
        )
        curve = partial_dependence_series(study, "m")
        text = svg(partial(draw_curve, curve), title="t", inches=(4, 3))
        named = {int(number) for number in re.findall(r'data-trial="(\d+)"', text)}
        assert named == {trial.number for trial in study.trials if "m" in trial.params}

    def test_names_too_long_for_the_layout_print_no_warning(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            svg(lambda ax: ax.set_ylabel("n" * 9, fontsize=500), title="t", inches=(2, 2))


@pytest.mark.parametrize("ratio", [1.5, 5.0, 12.0, 19.0, 21.0, 64.0, 99.0, 1e4])
@pytest.mark.parametrize("low", [1.0, 0.00011, 1.9, 4.0])
def test_a_logarithmic_axis_has_few_labels_and_more_than_one(low, ratio):
    _, axes = plt.subplots()
    axes.set_xscale("log")
    axes.set_xlim(low, low * ratio)
    log_ticks(axes.xaxis, low, low * ratio)
    seen = [tick for tick in axes.get_xticks() if low * 0.999 <= tick <= low * ratio * 1.001]
    assert 2 <= len(seen) <= 5
