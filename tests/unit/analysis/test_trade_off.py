from itertools import pairwise

import numpy as np
import pytest

import gpsearch as gs
from gpsearch.analysis import trade_off
from gpsearch.errors import StudyError
from gpsearch.evaluation import FoldResult
from gpsearch.study import Study
from gpsearch.study.contenders import difference


def study_of(*rows, greater_is_better=True):
    """Trials with the scores of their folds and what each of these cost."""
    settings = {"greater_is_better": greater_is_better}
    study = Study.create(None, space={"x": (0.0, 1.0)}, seed=0, settings=settings)
    with study.writing() as writer:
        for scores, costs in rows:
            folds = [FoldResult(fold=j, score=s, **costs) for j, s in enumerate(scores)]
            writer.add_trial({"x": 0.5}, folds)
    return study


SEEN = [
    ([0.8, 0.6], {"parameters": 100, "fit_seconds": 2.0}),
    ([0.9, 0.9], {"parameters": 900, "fit_seconds": 8.0}),
    ([0.5, 0.5], {"parameters": 400, "fit_seconds": 1.0}),
    ([0.9, 0.7], {"parameters": 300, "fit_seconds": 9.0}),
    ([0.7, 0.7], {"parameters": 100, "fit_seconds": 3.0}),
]


def test_the_curve_holds_the_best_under_each_bound():
    found = study_of(*SEEN).trade_off()
    numbers = {name: [trial.number for trial in curve] for name, curve in found.curves.items()}
    assert numbers == {"parameters": [0, 3, 1], "training seconds": [2, 0, 1]}
    assert found.missing == ("prediction seconds per row",)
    assert "The prediction seconds per row were not recorded." in str(found)
    frame = found.to_frame().query("measure == 'parameters'")
    assert frame["bound"].tolist() == [100, 300, 900]
    np.testing.assert_allclose(frame["behind"], [0.2, 0.1, 0.0])
    np.testing.assert_allclose(frame["standard_error"], [0.1, 0.1, 0.0])


def test_prediction_time_is_that_of_a_row():
    slow = {"score_seconds": 3.0, "held_out": 30}
    found = trade_off(study_of(([0.9], slow), ([0.8], slow | {"held_out": 60}), ([0.99], {})))
    assert found.costs == {"prediction seconds per row": {0: 0.1, 1: 0.05}}
    (curve,) = found.curves.values()
    assert [trial.number for trial in curve] == [1, 0]  # of the best trial it is not known
    assert "1 complete trial, the best, has no recorded prediction seconds per row." in str(found)


def test_trials_of_unknown_cost_are_counted():
    known, best = ([0.5], {"parameters": 100}), ([0.9], {})
    study = study_of(known, best, ([0.4], {}))
    said = "2 complete trials, the best among them, have no recorded parameters."
    assert said in str(study.trade_off())
    title = study.plot_trade_off()[0].get_title(loc="left")
    assert said in title.replace("\n", " ")
    assert "not recorded: training seconds" in title
    assert "1 complete trial has no recorded" in str(study_of(known, ([0.4], {})).trade_off())


def test_parameters_are_those_of_the_largest_network_as_in_the_trial():
    study = study_of(([0.5], {"parameters": 100}))
    with study.writing() as writer:
        folds = [FoldResult(fold=j, score=0.7, parameters=p) for j, p in enumerate((10, 30))]
        trial = writer.add_trial({"x": 0.1}, folds)
    assert study.trade_off().costs["parameters"] == {0: 100, 1: trial.parameters} == {0: 100, 1: 30}


def test_the_plot_shows_each_measure_and_names_those_that_are_missing():
    cells = study_of(*SEEN).plot_trade_off()
    assert [cell.get_xlabel() for cell in cells] == [
        "parameters, at most",
        "training seconds, at most",
    ]
    assert cells[0].get_title(loc="left") == "not recorded: prediction seconds per row"
    assert [text.get_text() for text in cells[0].texts] == ["1", "3", "0"]
    steps = cells[0].lines[0].get_ydata()
    np.testing.assert_allclose(steps, [0.7, 0.8, 0.9, 0.9])
    costs = {"parameters": 7, "fit_seconds": 1.0, "held_out": 1}
    times = np.linspace(1.3e-4, 3.7e-4, 9)
    rows = [([0.5 + t], costs | {"score_seconds": t}) for t in times.tolist()]
    (few, *_) = study_of(*rows).plot_trade_off()
    few.figure.draw_without_rendering()
    for cell in few.figure.axes:
        boxes = [t.get_window_extent() for t in cell.get_xticklabels() if t.get_text()]
        assert all(a.x1 < b.x0 for a, b in pairwise(boxes))
    (losses,) = study_of(([-3.0], {"parameters": 7}), greater_is_better=False).plot_trade_off()
    np.testing.assert_allclose(losses.lines[0].get_ydata(), 3.0)


def test_without_a_complete_trial_there_is_nothing_to_tell():
    with pytest.raises(StudyError, match="at least 1 complete trial"):
        trade_off(gs.Study.create(None, space={"x": (0.0, 1.0)}, seed=0))


def test_a_score_that_is_greater_by_rounding_alone_is_no_better():
    """The means of both are 0.05, of which the last digit differs."""
    study = study_of(((0.0, 0.0, 0.15), {"parameters": 2}), ((0.05, 0.05, 0.05), {"parameters": 4}))
    small, large = study.trials
    assert small.score < large.score
    assert study.best_trial.number == 0
    assert [trial.number for trial in study.trade_off().curves["parameters"]] == [0]
    assert study.trade_off().to_frame().behind.tolist() == [0.0]
    assert difference(large, small)[0] == 0.0
