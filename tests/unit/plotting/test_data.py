import itertools
from dataclasses import replace

import numpy as np
import pytest

import gpsearch as gs
from gpsearch.errors import InvalidParamsError, StudyError
from gpsearch.evaluation import FoldResult
from gpsearch.plotting.axes import coordinates, dimension_axis, grid
from gpsearch.plotting.data import (
    convergence_series,
    evaluations_series,
    fold_spread,
    timeline,
)
from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.study import Study


def recorded(scores, *, greater_is_better=True, states=None):
    """A study over x with one fold score each; None fails, a tuple stops after its folds."""
    study = Study.create(
        None,
        space={"x": (0.0, 1.0)},
        seed=0,
        settings={"greater_is_better": greater_is_better},
    )
    with study.writing() as writer:
        for i, score in enumerate(scores):
            number = writer.start_trial({"x": i / 10}, seed=i)
            if score is None:
                writer.end_trial(number, "failed", reason="no")
                continue
            folds = score if isinstance(score, tuple) else (score,)
            for j, value in enumerate(folds):
                writer.record_fold(number, FoldResult(fold=j, score=value))
            writer.end_trial(number, "stopped" if isinstance(score, tuple) else "complete")
    return study


class TestConvergence:
    def test_best_so_far_passes_over_failed_and_stopped_trials(self):
        series = convergence_series(recorded([None, 0.5, (0.9, 0.8), 0.4, 0.7, 0.7]))
        np.testing.assert_array_equal(series.best, [np.nan, 0.5, 0.5, 0.5, 0.7, 0.7])
        assert series.states == (
            "failed", "complete", "stopped", "complete", "complete", "complete",
        )  # fmt: skip
        assert np.isnan(series.values[0])
        assert series.values[2] == pytest.approx(0.85)

    def test_a_stopped_trial_stands_where_its_folds_do_without_what_they_are_to_all(self):
        whole = [(0.9, 0.5), (0.8, 0.4)]
        study = recorded([])
        with study.writing() as writer:
            for scores in [*whole, (0.85,)]:
                number = writer.start_trial({"x": scores[0]}, seed=0)
                for j, score in enumerate(scores):
                    writer.record_fold(number, FoldResult(fold=j, score=score))
                writer.end_trial(number, "complete" if len(scores) > 1 else "stopped")
        np.testing.assert_allclose(convergence_series(study).values, [0.7, 0.6, 0.65])

    def test_losses_are_shown_as_the_user_knows_them_and_fall(self):
        series = convergence_series(recorded([-3.0, -1.0, -2.0], greater_is_better=False))
        np.testing.assert_array_equal(series.values, [3.0, 1.0, 2.0])
        np.testing.assert_array_equal(series.best, [3.0, 1.0, 1.0])
        assert series.label == "loss"

    def test_the_error_is_that_of_the_trial_which_leads(self, mixed_study):
        series = convergence_series(mixed_study)
        leader = mixed_study.best_trial
        assert series.best[-1] == leader.score
        row = series.numbers.tolist().index(leader.number)
        assert series.best_errors[-1] == series.standard_errors[row] > 0

    def test_the_first_leads_of_two_that_rounding_alone_tells_apart(self):
        """The mean of three folds of 0.05 is greater than 0.15 / 3 in the last digit."""
        study = recorded([])
        with study.writing() as writer:
            for scores in ([0.0, 0.0, 0.15], [0.05, 0.05, 0.05], [0.0, 0.01, 0.0]):
                folds = [FoldResult(fold=j, score=score) for j, score in enumerate(scores)]
                writer.add_trial({"x": 0.5}, folds)
        assert study.best_trial.number == 0
        assert study.trials[1].score > study.trials[0].score
        series = convergence_series(study)
        np.testing.assert_array_equal(series.best_errors, series.standard_errors[0])

    def test_a_fold_that_is_hard_for_all_does_not_widen_the_error(self, make_study):
        plain = convergence_series(make_study(noise=0.01, n=20))
        study = make_study(noise=0.01, n=20)
        uneven = Study.create(None, space=study.space, seed=0)
        with uneven.writing() as writer:
            for trial in study.trials:
                folds = [replace(f, score=f.score - 0.3 * (f.fold == 2)) for f in trial.folds]
                writer.add_trial(trial.params, folds)
        series = convergence_series(uneven)
        np.testing.assert_allclose(series.standard_errors, plain.standard_errors)
        assert uneven.best_trial.standard_error > 10 * series.best_errors[-1]
        (_, moved, error), (_, scores, expected) = fold_spread(uneven, 10), fold_spread(study, 10)
        np.testing.assert_allclose(np.array(moved), scores, atol=1e-12)
        np.testing.assert_array_equal(scores[0], 0.0)  # of the best to itself
        np.testing.assert_allclose(error, expected, atol=1e-12)

    def test_a_trial_that_runs_is_left_out(self):
        study = recorded([0.1, 0.2])
        with study.writing() as writer:
            writer.start_trial({"x": 0.9}, seed=9)
            assert convergence_series(study).numbers.tolist() == [0, 1]

    def test_nothing_ended_gives_an_empty_series(self):
        assert len(convergence_series(recorded([])).best) == 0

    def test_initial_points_end_where_the_settings_say(self, make_study):
        assert convergence_series(make_study(n=12, n_initial=5)).guided_from == 5

    def test_the_model_begins_where_the_search_says(self):
        space = {f"x{i}": (0.0, 1.0) for i in range(10)}
        study = gs.search(lambda p: p["x0"], space, n_calls=20, random_state=0, progress=False)
        assert convergence_series(study).guided_from == 10  # one for each dimension, not 8

    def test_where_an_older_study_does_not_tell_nothing_is_guessed(self):
        assert convergence_series(recorded([0.1, 0.2, 0.3])).guided_from is None


class TestDimensions:
    space = Space(
        {
            "rate": Real(1e-3, 1.0, prior="log-uniform"),
            "units": Integer(16, 512, prior="log-uniform"),
            "layers": Integer(2, 5),
            "opt": Categorical(["sgd", "a_very_long_optimizer_name"]),
            "batch": Categorical([16, 32, 64]),
        }
    )

    def test_scale_kind_and_labels(self):
        axes = {name: dimension_axis(self.space, name) for name in self.space.names}
        assert [axes[n].log for n in self.space.names] == [True, True, False, False, False]
        assert [axes[n].ordered for n in self.space.names] == [True, True, True, False, True]
        assert axes["batch"].labels == ("16", "32", "64")
        assert axes["opt"].labels[0] == "sgd"
        assert len(axes["opt"].labels[1]) < 20

    def test_coordinates_are_values_and_indices(self):
        params = [{"rate": 0.5, "batch": 64}, {"rate": 0.01}]
        rate, batch = (dimension_axis(self.space, name) for name in ("rate", "batch"))
        np.testing.assert_array_equal(coordinates(self.space, rate, params), [0.5, 0.01])
        np.testing.assert_array_equal(coordinates(self.space, batch, params), [2.0, np.nan])

    @pytest.mark.parametrize("name", ["rate", "units", "layers", "opt", "batch"])
    def test_grid_runs_from_end_to_end_and_agrees_with_the_places(self, name):
        axis = dimension_axis(self.space, name)
        places, at = grid(self.space, axis, size=9)
        assert (at[0], at[-1]) == (axis.low, axis.high)
        assert (np.diff(at) > 0).all()
        z = np.full((len(places), len(self.space)), 0.5)
        z[:, axis.index] = places
        points = self.space.from_z(z)
        values = [{name: point[axis.index]} for point in points]
        np.testing.assert_allclose(coordinates(self.space, axis, values), at)

    def test_grid_of_a_long_integer_holds_integers_only(self):
        _, at = grid(self.space, dimension_axis(self.space, "units"), size=9)
        assert len(at) == 9
        np.testing.assert_array_equal(at, np.round(at))

    def test_unknown_name_lists_the_known_ones(self):
        with pytest.raises(InvalidParamsError, match=r"'lr' is not a dimension.*rate, units"):
            dimension_axis(self.space, "lr")

    def test_fixed_name_says_so(self):
        space = Space({"x": (0.0, 1.0), "epochs": 20})
        with pytest.raises(InvalidParamsError, match="fixed at 20"):
            dimension_axis(space, "epochs")


class TestEvaluations:
    def test_best_is_a_row_not_a_number(self):
        series = evaluations_series(recorded([None, 0.2, 0.9, 0.1]))
        assert series.best == 2
        np.testing.assert_allclose(series.coordinates[:, 0], [0.0, 0.1, 0.2, 0.3])

    def test_absent_dimension_is_nan(self, make_study):
        space = Space(
            {"opt": ["sgd", "adam"], "momentum": (0.0, 0.9)},
            conditions={"momentum": {"opt": ["sgd"]}},
        )
        study = make_study(space, lambda p: p.get("momentum", 0.5), n=20)
        series = evaluations_series(study)
        np.testing.assert_array_equal(
            np.isnan(series.coordinates[:, 1]), series.coordinates[:, 0] == 1
        )

    def test_no_complete_trial_has_no_best(self):
        assert evaluations_series(recorded([None, None])).best is None


class TestBelowTheMean:
    def test_fold_spread_is_sorted_and_in_users_units(self):
        study = recorded([-3.0, -1.0, None, -2.0], greater_is_better=False)
        best, scores, _ = fold_spread(study, 2)
        assert [trial.number for trial in best] == [1, 3]
        np.testing.assert_array_equal(np.ravel(scores), [0.0, 1.0])  # a loss of 2 less that of 1

    def test_the_folds_of_a_single_trial_are_shown_as_they_are(self, make_study):
        study = make_study(n=1)
        (trial,), (scores,), (error,) = fold_spread(study, 10)
        np.testing.assert_array_equal(scores, [fold.score for fold in trial.folds])
        assert error == trial.standard_error > 0

    def test_fold_spread_needs_a_complete_trial(self):
        with pytest.raises(StudyError, match="at least 1 complete trial"):
            fold_spread(recorded([None]), 10)


def test_timeline_never_lays_simultaneous_trials_on_one_row(monkeypatch):
    rng = np.random.default_rng(0)
    study = Study.create(None, space={"x": (0.0, 1.0)}, seed=0)
    now = [0.0]
    for clock in ("time", "monotonic"):
        monkeypatch.setattr(f"gpsearch.study.writer.time.{clock}", lambda: now[0])
    running = []
    with study.writing() as writer:
        for i in range(40):
            now[0] += rng.random()
            running.append(writer.start_trial({"x": i / 40}, seed=i))
            while len(running) > 3 or (running and rng.random() < 0.3):
                now[0] += rng.random()
                writer.end_trial(
                    running.pop(int(rng.integers(len(running)))),
                    "complete",
                    folds=[FoldResult(fold=0, score=0.0)],
                )
        for number in running:
            writer.end_trial(number, "complete", folds=[FoldResult(fold=0, score=0.0)])
    trials, lanes = timeline(study)
    assert lanes.max() == 3
    for lane in range(4):
        row = [trial for trial, its_lane in zip(trials, lanes, strict=True) if its_lane == lane]
        for before, after in itertools.pairwise(row):
            assert after.started >= before.started + before.seconds - 1e-9
