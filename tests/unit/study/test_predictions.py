"""Held-out predictions: kept with the fold, read by row, within a bound."""

import contextlib
import copy
import pickle
import shutil
import sqlite3
from functools import partial

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import gpsearch as gs
from gpsearch.errors import StudyCorruptError, StudyError
from gpsearch.evaluation import Predictions, run_folds
from gpsearch.study.salvage import salvage

N = 30
FOLDS = [np.arange(j, N, 3)[::-1] for j in range(3)]  # in no order
SPACE = {"x": gs.Real(0.0, 1.0)}
search = partial(gs.search, n_calls=4, strategy="random", random_state=0, progress=False)


class Simulated:
    """Scores and predictions that follow from x and the fold."""

    name, n_folds = "simulated", len(FOLDS)

    def __init__(self, folds=FOLDS, shape=(2,), fails_at=None):
        self.rows, self.shape, self.fails_at = folds, shape, fails_at

    def validate(self, space):
        pass

    def fingerprint(self):
        return "simulated"

    def describe(self):
        return {"name": self.name}

    def outputs(self, x, rows):
        columns = np.arange(1, 1 + np.prod(self.shape)).reshape(self.shape)
        return np.sin(x + np.multiply.outer(rows, columns))

    def evaluate(self, params, *, seed, on_fold=None, done=()):
        known, x = {fold.fold for fold in done}, params["x"]

        def results():
            for j, rows in enumerate(self.rows):
                if j == self.fails_at:
                    raise ValueError("no")
                if j not in known:
                    held_out = Predictions(rows=rows, n_rows=N, outputs=self.outputs(x, rows))
                    yield gs.FoldResult(fold=j, score=x - j, predictions=held_out)

        return run_folds(results(), on_fold, done)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A study in a file."""
    path = tmp_path_factory.mktemp("predictions") / "study.db"
    return search(Simulated(), SPACE, study=path)


def test_predictions_are_those_of_the_folds_by_row(whole):
    for trial in whole.trials:
        expected = Simulated().outputs(trial.params["x"], np.arange(N))
        found = whole.predictions(trial)
        assert found.dtype == np.float32
        assert np.array_equal(found, expected.astype(np.float32))
        assert all(fold.predictions is None for fold in trial.folds)  # the file alone holds them
    assert np.array_equal(whole.fold_predictions(0)[1].rows, FOLDS[1])
    again = pickle.loads(pickle.dumps(whole))
    assert np.array_equal(again.predictions(2), gs.Study.open(whole.path).predictions(2))


def test_a_row_of_several_folds_has_the_mean_and_one_of_none_has_nan():
    class Overlapping(Simulated):
        def outputs(self, x, rows):
            return np.full((len(rows), 1), len(rows))

    study = search(Overlapping([np.array([0, 1, 1, 4]), np.array([1, 2])]), SPACE)
    expected = [4, (4 + 4 + 2) / 3, 2, np.nan, 4, np.nan]
    assert np.allclose(study.predictions(0)[:6, 0], expected, equal_nan=True)


@pytest.mark.parametrize("kind", [dict, list])
def test_several_outputs_keep_their_structure_and_axes(kind):
    class Several(Simulated):
        def outputs(self, x, rows):
            one, two = super().outputs(x, rows), rows[:, None, None] + np.zeros((1, 4, 3))
            return {"a": one, "b": two} if kind is dict else [one, two]

    found = search(Several(), SPACE).predictions(0)
    assert isinstance(found, kind)
    one, two = found.values() if kind is dict else found
    assert one.shape == (N, 2)
    assert np.array_equal(two, np.arange(N)[:, None, None] + np.zeros((1, 4, 3)))


def test_a_search_that_was_cut_off_keeps_what_the_whole_one_does(whole, tmp_path):
    path = tmp_path / "cut.db"

    class Cut(Simulated):
        def evaluate(self, params, *, seed, on_fold=None, done=()):
            def record(fold):
                goes_on = on_fold(fold)
                if fold.fold == 1:
                    shutil.copy(tmp_path / "running.db", path)  # as kill -9 would leave it
                return goes_on

            return super().evaluate(params, seed=seed, on_fold=record, done=done)

    search(Cut(), SPACE, study=tmp_path / "running.db", n_calls=3)
    assert gs.Study.open(path).trials[2].state == "running"
    assert sorted(gs.Study.open(path).fold_predictions(2)) == [0, 1]
    resumed = search(Simulated(), SPACE, study=path)
    stored = []
    for one in (resumed, whole):
        with contextlib.closing(sqlite3.connect(one.path)) as connection:
            stored.append(connection.execute("SELECT * FROM prediction").fetchall())
    assert stored[0] == stored[1] != []


def test_beyond_the_bound_those_of_the_best_are_kept(caplog):
    sizes = {"keep_predictions": 2.2 * size_of_one() / 1e6}
    study = search(Simulated(), SPACE, n_calls=6, **sizes)
    best = sorted(study.complete, key=lambda trial: -trial.score)
    kept = [trial.number for trial in best if has_predictions(study, trial)]
    assert kept == [trial.number for trial in best[:2]]
    assert caplog.text.count("only those of the best trials are kept") == 1
    with pytest.raises(StudyError, match="those of the best trials alone were kept"):
        study.predictions(best[-1])


def size_of_one():
    study = search(Simulated(), SPACE, n_calls=1)
    return study._file.prediction_sizes()[0]


def has_predictions(study, trial):
    try:
        study.predictions(trial)
    except StudyError:
        return False
    return True


def none_kept():
    return search(Simulated(), SPACE, keep_predictions=False)


def failed():
    study = search(Simulated(fails_at=2), SPACE, max_same_errors=None)
    assert study.trials[0].state == "failed"
    return study


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (none_kept, "keep_predictions=False"),
        (failed, "it failed"),
        (lambda: search(lambda params: params["x"], SPACE), "no model that the search trained"),
        (lambda: search(Simulated(), SPACE, x0=[{"x": 0.5}], y0=[0.1]), "no model"),
    ],
    ids=["not kept", "failed", "function", "given"],
)
def test_why_there_are_none_is_said(make, why):
    with pytest.raises(StudyError, match=f"holds no predictions of trial 0: .*{why}"):
        make().predictions(0)


@pytest.mark.parametrize("trial", [9, -1, "0", None])
def test_a_trial_that_is_not_there_is_refused(whole, trial):
    with pytest.raises(StudyError, match="trial"):
        whole.predictions(trial)


def test_the_table_of_trials_is_as_without(whole):
    without = none_kept().to_frame().drop(columns=["seconds", "started"])
    assert without.equals(whole.to_frame().drop(columns=["seconds", "started"]))


def test_a_study_goes_on_without_them_and_keeps_those_it_has(tmp_path):
    path = tmp_path / "study.db"
    search(Simulated(), SPACE, study=path, n_calls=2)
    study = search(Simulated(), SPACE, study=path, keep_predictions=False)
    assert [has_predictions(study, trial) for trial in study.trials] == [True] * 2 + [False] * 2


def test_damage_is_found_and_the_rest_is_saved(whole, tmp_path):
    path = shutil.copy(whole.path, tmp_path / "damaged.db")
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        sql = "UPDATE prediction SET outputs = zeroblob(LENGTH(outputs)) WHERE trial = 1 AND fold=0"
        connection.execute(sql)
    connection.close()
    study = gs.Study.open(path)
    assert has_predictions(study, study.trials[0])
    with pytest.raises(StudyCorruptError, match="values of row 1 have changed"):
        study.predictions(1)
    saved, lost = salvage(path, tmp_path / "new.db")
    assert lost == ["Held-out predictions of some folds cannot be read."]
    assert [has_predictions(saved, trial) for trial in saved.trials] == [True, False, True, True]


X = np.random.default_rng(0).normal(size=(N, 2))


def test_an_estimator_is_scored_as_it_is_and_keeps_none():
    objective = gs.EstimatorCV(LogisticRegression(), X, np.arange(N) % 2, cv=3, scoring=altered)
    study = search(objective, {"C": gs.Real(0.1, 1.0)}, n_calls=1)
    assert study.best_score == 0.0
    with pytest.raises(StudyError, match="with an EstimatorCV, which"):
        study.predictions(0)


def altered(estimator, X, y):
    """A scorer that alters a copy, as an ablation does."""
    estimator = copy.deepcopy(estimator)
    estimator.coef_, estimator.intercept_ = 0 * estimator.coef_, 0 * estimator.intercept_
    return -abs(estimator.predict_proba(X) - 0.5).max()
