"""What stands along the axes: numbers that can be read, names as they are, nothing over another."""

from dataclasses import replace
from functools import partial
from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.text import Annotation

from gpsearch import plotting
from gpsearch.analysis import estimate_random
from gpsearch.comparison import compare
from gpsearch.errors import InvalidSearchError
from gpsearch.evaluation import FoldResult
from gpsearch.plotting.dependence import partial_dependence_map_series
from gpsearch.plotting.partial import draw_map
from gpsearch.plotting.svg import svg
from gpsearch.space import Categorical, Real
from gpsearch.study import Study

LINE = {"x": (0.0, 1.0)}


def drawn(axes):
    """All Axes of a figure that has been drawn."""
    figure = np.ravel(axes)[0].get_figure(root=True)
    figure.canvas.draw()
    return figure.axes


@pytest.mark.parametrize("factor", [1e-9, 1e12, -3e-7, 1.0])
@pytest.mark.parametrize("offset", [0.0, 1e6], ids=["from 0", "far from 0"])
def test_each_tick_has_a_whole_number_that_tells_it_from_the_others(factor, offset, make_study):
    if offset:
        factor = max(abs(factor), 1e-3)
    study = make_study(LINE, lambda p: offset + factor * p["x"], n=12, noise=0.1 * abs(factor))
    for plot in (
        plotting.plot_convergence,
        plotting.plot_fold_spread,
        plotting.plot_slices,
        plotting.plot_partial_dependence,
    ):
        for ax in drawn(plot(study)):
            for axis in (ax.xaxis, ax.yaxis):
                assert not axis.get_offset_text().get_text()
            along = 0 if plot is plotting.plot_fold_spread else 1
            labels = ax.get_yticklabels() if along else ax.get_xticklabels()
            shown = [t for t in labels if t.get_text()]
            numbers = [float(t.get_text().replace("−", "-")) for t in shown]
            assert len(set(numbers)) == len(numbers), plot
            places = np.array([float(t.get_position()[along]) for t in shown])
            gap = np.min(np.diff(places), initial=np.inf)
            np.testing.assert_allclose(numbers, places, rtol=0, atol=0.02 * gap)


class TestNames:
    NAME = r"$\frac{_1$ & <b>"

    def test_a_name_is_no_formula(self, make_study):
        space = {self.NAME: (0.0, 1.0), "k": [self.NAME, "b"]}
        study = make_study(
            space, lambda p: p[self.NAME], n=8, description={"score_name": self.NAME}
        )
        fold = FoldResult(
            fold=0, score=2.0, fit_seconds=1.0, curves={self.NAME: (1.0, 0.5), "loss": (1.0, 0.5)}
        )
        with study.writing() as writer:
            writer.add_trial(study.best_params, [fold])
        for plot in (
            *(plotting.plot_convergence, plotting.plot_fold_spread, plotting.plot_importance),
            *(plotting.plot_learning_curves, plotting.plot_parallel_coordinates),
            *(plotting.plot_partial_dependence, plotting.plot_slices, plotting.plot_trade_off),
            partial(plotting.plot_partial_dependence, dimensions=[(self.NAME, "k")]),
            lambda study: plotting.plot_convergence([study, study]),
        ):
            drawn(plot(study))
            plt.close("all")

    def test_a_metric_of_a_comparison_is_no_formula(self):
        found = compare(
            lambda p: p["x"], LINE, strategies=["random", "grid"], n_calls=2, n_repeats=2,
            random_state=0, progress=False,
        )  # fmt: skip
        named = replace(found, score_name=self.NAME)
        drawn(plotting.plot_comparison(named))
        drawn(plotting.plot_differences(named))

    def test_every_study_is_in_the_legend_and_has_a_line(self, make_study, tmp_path):
        names = ["_hidden", "one trial", "$x$"]
        studies = [
            make_study(LINE, lambda p: p["x"], n=n, path=tmp_path / f"{name}.db")
            for name, n in zip(names, (4, 1, 9), strict=True)
        ]
        ax = plotting.plot_convergence(studies)
        drawn(ax)
        shown = [t.get_text().strip().replace(r"\$", "$") for t in ax.get_legend().get_texts()]
        assert shown == names
        for line, n in zip(ax.lines, (4, 1, 9), strict=True):
            assert line.get_xdata()[-1] > n - 1
        legend = ax.get_legend().get_window_extent()
        assert legend.y0 >= ax.get_window_extent().y1 - 1  # above the lines

    @pytest.mark.filterwarnings("error")
    def test_letters_that_only_the_browser_has_print_no_warning(self):
        text = svg(lambda ax: ax.set_ylabel("学習率"), title="t", inches=(4, 3))
        assert "学習率" in text


@pytest.fixture(scope="module")
def many(make_study):
    """Forty categories of long names, and a dimension of long numbers."""
    names = [f"a_rather_long_name_of_category_{i}" for i in range(40)]
    space = {"kind": Categorical(names), "x": (0.0, 1.0), "n": (100_000, 900_000)}
    return make_study(space, lambda p: p["x"], n=30)


class TestManyCategories:
    @pytest.mark.parametrize("inches", [(9.6, 3.6), (4.0, 3.6)], ids=["wide", "narrow"])
    def test_no_two_values_of_parallel_coordinates_touch(self, inches, many):
        figure, ax = plt.subplots(figsize=inches, layout="constrained")
        plotting.plot_parallel_coordinates(many, ax=ax)
        figure.draw_without_rendering()
        texts = [text for text in ax.texts if isinstance(text, Annotation)]
        boxes = [text.get_window_extent() for text in texts]
        touching = [
            (a.get_text(), b.get_text())
            for (a, one), (b, other) in combinations(zip(texts, boxes, strict=True), 2)
            if one.overlaps(other)
        ]
        assert not touching

    @pytest.mark.parametrize("n", [1, 2, 3])
    def test_panels_keep_their_height_below_legends_and_above_names(self, n, many):
        for plot in (plotting.plot_slices, plotting.plot_partial_dependence):
            cells = plot(many, list(many.space.names[:n]))
            drawn(cells)
            for cell in cells:
                assert cell.get_window_extent().height > 0.9 * cell.figure.dpi  # inches
                label = cell.yaxis.label.get_window_extent()
                assert label.height < 1.4 * cell.get_window_extent().height

    @pytest.mark.parametrize("other", ["rate", "act", "kind"])
    def test_names_beside_a_map_leave_room_for_the_values_below(self, other, make_study):
        names = [f"a_rather_long_name_of_category_{i}" for i in range(40)]
        space = {"rate": (1e-7, 10.0, "log"), "act": ["l1", "l2", "elasticnet"], "kind": names}
        space |= {"loss": ["modified_huber", "log_loss", "hinge"]}
        figure, ax = plt.subplots(figsize=(3.5, 2.6), layout="constrained")
        study = make_study(space, lambda p: p["rate"], n=20)
        draw_map(partial_dependence_map_series(study, (other, "loss"), size=8), ax)
        figure.draw_without_rendering()
        low, high = ax.get_xlim()
        inside = [t for t in ax.get_xticklabels() if low <= t.get_position()[0] <= high]
        assert len(inside) >= 2
        if inside[0].get_rotation():
            width = ax.get_window_extent().width / figure.dpi
            assert len(inside) <= 8 * width  # lines of small letters, in its inches
        else:
            boxes = [label.get_window_extent() for label in inside]
            assert not any(one.overlaps(after) for one, after in pairwise(boxes))


class TestScale:
    def test_losses_over_decades_have_a_log_axis_in_every_plot_of_trials(self, make_study):
        wide = {"space": {"x": (-4.0, 0.0)}, "noise": 0.0, "n": 20, "greater_is_better": False}
        study = make_study(score=lambda p: -(10 ** p["x"]), **wide)
        plots = plotting.plot_convergence, plotting.plot_slices
        for ax in (*(np.ravel(plot(study))[0] for plot in plots),
                   plotting.plot_convergence([study, study])):  # fmt: skip
            drawn(ax)
            assert ax.get_yscale() == "log"
            low, high = ax.get_ylim()
            assert low < min(-t.score for t in study.trials)
            assert high > max(-t.score for t in study.trials)
        target = plotting.plot_convergence(study, target=1e-7)
        assert target.get_ylim()[0] < 1e-7

    @pytest.mark.parametrize("several", [False, True])
    def test_a_log_axis_of_scores_below_0_is_refused(self, several, make_study):
        study = make_study(LINE, lambda p: p["x"] - 3, n=4)
        with pytest.raises(InvalidSearchError, match=r"plot_convergence\(log=True\).*above 0"):
            plotting.plot_convergence([study, study] if several else study, log=True)

    @pytest.mark.parametrize("ends", [(0.021, 0.029), (0.93, 0.95), (3.0, 40.0), (1e-8, 1e2)])
    def test_a_log_axis_has_two_numbers_at_least(self, ends, make_study):
        study = make_study({"x": Real(*ends, prior="log-uniform")}, lambda p: p["x"], n=4)
        (ax,) = plotting.plot_slices(study)
        drawn(ax)
        low, high = ax.get_xlim()
        inside = {t.get_text() for t in ax.get_xticklabels() if low <= t.get_position()[0] <= high}
        assert len(inside - {""}) >= 2

    def test_what_random_search_reaches_lies_within_the_axis(self, make_study):
        study = make_study(LINE, lambda p: p["x"], n=12)
        estimate = estimate_random(study)
        better = replace(estimate, expected=estimate.expected + 5.0)
        ax = plotting.plot_convergence(study, baseline=better)
        assert ax.get_ylim()[1] > better.expected[11]

    def test_equal_scores_have_an_axis_as_wide_as_their_size(self):
        found = compare(
            lambda p: 1e12, LINE, strategies=["random", "grid"], n_calls=1, n_repeats=2,
            random_state=0, progress=False,
        )  # fmt: skip
        ax = plotting.plot_comparison(found)
        assert np.ptp(ax.get_ylim()) > 1e9
        assert ax.get_xlim()[0] < 1 < ax.get_xlim()[1]


def test_a_comparison_counts_in_english():
    found = compare(
        lambda p: p["x"], LINE, strategies=["random", "grid"], n_calls=1, n_repeats=2,
        random_state=0, progress=False,
    )  # fmt: skip
    assert "2 repeats of 1 evaluation," in str(found)
    assert repr(found).endswith("2 repeats of 1 evaluation>")


def test_a_study_is_drawn_while_nothing_has_ended():
    study = Study.create(None, space=LINE, seed=0)
    with study.writing() as writer:
        writer.start_trial({"x": 0.5}, seed=0)
    for plot in (plotting.plot_convergence, plotting.plot_slices, plotting.plot_timeline):
        drawn(plot(study))
