import numpy as np
import pytest
from sklearn.model_selection import KFold, ShuffleSplit, TimeSeriesSplit

import gpsearch as gs
from gpsearch.analysis import recheck
from gpsearch.errors import InvalidObjectiveError, InvalidSearchError, StudyError
from gpsearch.evaluation import Evaluation, FoldResult
from gpsearch.study import Study

SPACE = {"x": gs.Real(0.0, 1.0)}
NOISE = 0.05


class Lucky:
    """Scores of 0.8 whatever the params, with luck that belongs to the params and the folds."""

    name = "lucky"
    n_folds = 4
    greater_is_better = True

    def __init__(self, folds=0):
        self.folds = folds

    def validate(self, space):
        pass

    def fingerprint(self):
        return f"lucky {self.folds}"

    def describe(self):
        return {"name": self.name}

    def with_fresh_folds(self, random_state):
        return Lucky(random_state)

    def evaluate(self, params, *, seed, on_fold=None, done=()):
        rng = np.random.default_rng([self.folds, round(1e6 * params["x"])])
        scores = 0.8 + NOISE * rng.normal(size=self.n_folds)
        return Evaluation(
            folds=tuple(FoldResult(fold=j, score=float(s)) for j, s in enumerate(scores))
        )


@pytest.fixture(scope="module")
def study():
    return gs.search(Lucky(), SPACE, n_calls=60, strategy="random", random_state=0, progress=False)


def test_the_luck_of_the_best_is_gone_on_fresh_splits(study):
    """Every params are worth 0.8; what the best of 60 scored beyond that was luck."""
    found = recheck(study, k=5, n_splits=30)
    assert found.searched[0] == study.best_score
    assert found.optimism == pytest.approx(study.best_score - 0.8, abs=3 * NOISE / np.sqrt(120))
    assert found.optimism > 1.5 * NOISE / 2
    assert found.optimism_error == pytest.approx(NOISE / np.sqrt(120), rel=0.25)
    np.testing.assert_allclose(found.fresh_means, 0.8, atol=0.02)
    assert "too good by" in str(found)
    assert not found.unchanged


def test_an_honest_score_shows_no_optimism():
    study = gs.search(Lucky(), SPACE, n_calls=1, strategy="random", random_state=0, progress=False)
    found = recheck(study, k=1, n_splits=1)
    assert abs(found.optimism) < 4 * NOISE / 2
    assert len(found.sentences()) == 1


def test_all_configurations_are_scored_on_the_same_fresh_splits(study):
    class Shared(Lucky):
        def with_fresh_folds(self, random_state):
            return Shared(random_state)

        def evaluate(self, params, *, seed, on_fold=None, done=()):
            score = 0.5 + (self.folds % 1000) / 1e4
            return Evaluation(folds=tuple(FoldResult(fold=j, score=score) for j in range(4)))

    found = recheck(study, Shared(), k=4, n_splits=3)
    assert (found.fresh == found.fresh[0]).all()
    assert len(np.unique(found.fresh[0])) == 3
    again = recheck(study, Shared(), k=4, n_splits=3)
    np.testing.assert_array_equal(found.fresh, again.fresh)
    other = recheck(study, Shared(), k=4, n_splits=3, random_state=99)
    assert (found.fresh != other.fresh).any()


def test_top_trials_are_the_best_complete_ones_in_order(study):
    found = recheck(study, k=3)
    ranked = sorted(study.trials, key=lambda trial: -trial.score)
    assert found.numbers == tuple(trial.number for trial in ranked[:3])
    frame = found.to_frame()
    assert list(frame.number) == list(found.numbers)
    np.testing.assert_allclose(frame.optimism, frame.searched - frame.fresh)


def test_a_function_with_a_seed_is_scored_with_fresh_seeds():
    def noisy(params, seed):
        return np.random.default_rng(seed).normal(0.0, 1.0, size=2)

    study = gs.search(noisy, SPACE, n_calls=30, strategy="random", random_state=0, progress=False)
    found = recheck(study, k=1, n_splits=40)
    assert abs(found.fresh_means[0]) < 0.5
    assert found.optimism > 0.5


def test_a_function_without_chance_cannot_be_rechecked_and_says_so():
    study = gs.search(lambda p: p["x"], SPACE, n_calls=4, random_state=0, progress=False)
    found = recheck(study, k=2)
    assert found.unchanged
    assert "says nothing of its optimism" in str(found)


def test_training_that_fails_on_fresh_splits_is_said(study):
    class Fails(Lucky):
        def with_fresh_folds(self, random_state):
            return Fails(random_state)

        def evaluate(self, params, *, seed, on_fold=None, done=()):
            if round(1e6 * params["x"]) == round(1e6 * study.best_params["x"]):
                raise ValueError("diverged")
            return super().evaluate(params, seed=seed)

    found = recheck(study, Fails(), k=3)
    assert "could not be trained" in found.sentences()[0]
    assert found.best != 0


def test_bad_input_is_refused(study, tmp_path):
    with pytest.raises(InvalidSearchError, match="at least 1"):
        recheck(study, k=0)
    with pytest.raises(InvalidObjectiveError, match="not an objective"):
        recheck(study, 3)
    gs.search(Lucky(), SPACE, n_calls=2, study=tmp_path / "s.db", progress=False)
    opened = Study.open(tmp_path / "s.db")
    with pytest.raises(StudyError, match="recheck needs the objective"):
        recheck(opened)
    assert recheck(opened, Lucky()).numbers
    empty = Study.create(None, space=SPACE, seed=0)
    with pytest.raises(StudyError, match="no complete trial"):
        recheck(empty, Lucky())


# ------------------------------------------------------------------ KerasCV's fresh folds


def cross_validated(**options):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.integers(0, 2, size=60)
    return gs.KerasCV(gs.mlp, X, y, **options)


@pytest.mark.parametrize(
    "cv", [3, KFold(3, shuffle=True, random_state=5), ShuffleSplit(3, random_state=5)]
)
def test_fresh_folds_are_other_folds_of_the_same_objective(cv):
    objective = cross_validated(cv=cv)
    before = [fold.test.copy() for fold in objective.folds]
    fresh = objective.with_fresh_folds(7)
    assert fresh.n_folds == objective.n_folds == 3
    assert any(
        set(a.test) != set(b.test) for a, b in zip(objective.folds, fresh.folds, strict=True)
    )
    assert fresh.fingerprint() != objective.fingerprint()
    assert fresh.fingerprint() == objective.with_fresh_folds(7).fingerprint()
    for fold, rows in zip(objective.folds, before, strict=True):
        np.testing.assert_array_equal(fold.test, rows)


@pytest.mark.parametrize("cv", [KFold(3), TimeSeriesSplit(3), [(np.arange(40), np.arange(40, 60))]])
def test_splits_without_chance_cannot_be_fresh(cv):
    with pytest.raises(InvalidObjectiveError, match="leaves nothing to chance"):
        cross_validated(cv=cv).with_fresh_folds(7)
