"""EstimatorCV as an objective of a plain search."""

import math
import os
import pickle

import joblib
import numpy as np
import pytest
import scipy.sparse
from joblib.parallel import ThreadingBackend
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import KFold, cross_val_score

import gpsearch as gs
from gpsearch.analysis.side_by_side import side_by_side
from gpsearch.errors import FitFailedError, InvalidObjectiveError, TrialFailedError
from gpsearch.objective import estimator_cv
from gpsearch.report.facts import read_facts
from gpsearch.study import Study


@pytest.fixture(scope="module")
def data():
    return make_classification(80, 4, random_state=0)


def objective(data, estimator=None, **options):
    return gs.EstimatorCV(
        LogisticRegression() if estimator is None else estimator, *data, **{"cv": 3, **options}
    )


def test_folds_are_those_of_cross_val_score(data):
    scores = [fold.score for fold in objective(data, scoring="roc_auc")({"C": 0.3}).folds]
    wanted = cross_val_score(LogisticRegression(C=0.3), *data, cv=3, scoring="roc_auc")
    assert scores == wanted.tolist()


def test_a_seed_decides_what_the_estimator_leaves_open(data):
    forest = objective(data, RandomForestClassifier(n_estimators=3))
    scores = [[f.score for f in forest.evaluate({}, seed=seed).folds] for seed in (1, 1, 2)]
    assert scores[0] == scores[1] != scores[2]


def test_recorded_folds_are_not_run_again(data):
    whole = objective(data).evaluate({"C": 1.0}, seed=0)
    seen = []
    rest = objective(data).evaluate({"C": 1.0}, seed=0, done=whole.folds[:2], on_fold=seen.append)
    assert [fold.fold for fold in seen] == [2]
    assert [fold.score for fold in rest.folds] == [fold.score for fold in whole.folds]


def test_a_search_may_stop_a_trial(data):
    stopped = objective(data).evaluate({"C": 1.0}, seed=0, on_fold=lambda fold: fold.fold < 1)
    assert len(stopped.folds) == 2


def test_in_a_plain_search(data):
    study = gs.search(
        objective(data, scoring=["accuracy", "neg_log_loss"], metric="neg_log_loss"),
        {"C": gs.Real(1e-3, 1e3, prior="log-uniform")},
        n_calls=4,
        random_state=0,
        progress=False,
    )
    assert study.best_score < 0
    assert study.score_name == "neg_log_loss"
    assert set(study.best_trial.folds[0].metrics) == {"accuracy", "neg_log_loss"}
    assert study.best_params["C"] == study.best_model().C


def test_the_score_has_the_name_that_the_user_gave_its_scorer(data):
    def cost(y, predicted):
        return float(np.mean(y != predicted))

    loss = make_scorer(cost, greater_is_better=False)
    for scoring, name in (("neg_log_loss", "neg_log_loss"), ("f1", "f1"), (loss, "neg_cost")):
        described = objective(data, scoring=scoring).describe()
        facts = {k: v for k, v in described.items() if k != "score_name"}  # of an older study
        older = Study.create(None, space={"C": (0.1, 1.0)}, seed=0, description=facts)
        older.require_same(
            space=older.space,
            seed=0,
            objective_fingerprint="",
            description=described,
            settings={},
        )
        newer = Study.create(None, space={"C": (0.1, 1.0)}, seed=0, description=described)
        assert newer.score_name == name
        assert dict(read_facts(newer.info, None))["scoring"] == name
        assert side_by_side([older, newer]).groups == ((0, 1),)


def test_a_metric_may_have_any_name(data):
    """Times and training scores once stood among the metrics, under these names."""
    scoring = {"fit_time": "accuracy", "train_f1": "f1", "f1": "f1"}
    (fold, *_) = objective(data, scoring=scoring, metric="f1", return_train_score=True)({}).folds
    assert set(fold.metrics) == set(fold.train_metrics) == set(scoring)
    assert fold.metrics["train_f1"] == fold.metrics["f1"] == fold.score
    assert 0 < fold.metrics["fit_time"] <= 1
    assert fold.seconds == fold.fit_seconds + fold.score_seconds
    assert (fold.trainer, fold.error) == ("fit", "")


def test_fingerprint_tells_data_folds_scoring_and_estimator_apart(data):
    X, y = data
    sparse = scipy.sparse.csr_matrix(X)
    moved = sparse.copy()
    moved.data[0] += 1
    same = objective(data).fingerprint()
    assert same == objective(data).fingerprint()
    others = [
        objective((X + 1, y)),
        objective((sparse, y)),
        objective((moved, y)),
        objective(data, cv=4),
        objective(data, scoring="f1"),
        objective(data, LogisticRegression(C=2)),
        objective(data, fit_params={"sample_weight": np.ones(80)}),
    ]
    digests = [other.fingerprint() for other in others]
    assert len({same, *digests}) == 8


@pytest.mark.parametrize("kind", ["estimator_cv", "keras_cv"])
def test_data_that_were_changed_in_place_are_other_data(data, kind):
    X, y = np.array(data[0]), data[1]
    made = objective((X, y)) if kind == "estimator_cv" else gs.KerasCV(lambda: None, X, y)
    before, parts = made.fingerprint(), made.describe()["identity"]["parts"]
    assert "X" in parts
    X[0] += 1
    assert made.fingerprint() != before
    assert made.describe()["identity"]["parts"]["X"] != parts["X"]


def test_without_y(data):
    clusters = gs.EstimatorCV(KMeans(n_init=1), data[0], cv=KFold(2))
    assert clusters({"n_clusters": 3}).score < 0


def test_failures(data):
    def fails(estimator, X, y):
        raise RuntimeError("out of luck")

    with pytest.raises(TrialFailedError, match="fold 0: RuntimeError: out of luck"):
        objective(data, scoring=fails)({})
    folds = objective(data, scoring=fails, error_score=0)({}).folds
    assert [fold.score for fold in folds] == [0.0, 0.0, 0.0]
    assert folds[0].error == "RuntimeError: out of luck"
    strict = objective(data, scoring=fails, error_score="raise")
    with pytest.raises(TrialFailedError):
        strict({})
    assert isinstance(strict.raised, RuntimeError)


class TwoPartError(Exception):
    """Pickle cannot make it anew."""

    def __init__(self, what, why):
        super().__init__(f"{what} for {why}")


class Failing(LogisticRegression):
    def fit(self, X, y):
        if self.C > 1:
            raise TwoPartError("no fit", "this C")
        if self.C < 1:
            raise ValueError("diverged") from TrialFailedError("the loss is nan")
        return super().fit(X, y)


def test_what_a_fold_raises_does_not_depend_on_its_process(data):
    def facts(error):
        return type(error), str(error), str(error.__cause__)

    raised = []
    for n_jobs in (None, 2):
        failing = objective(data, Failing(), n_jobs=n_jobs)
        with pytest.raises(FitFailedError, match="TwoPartError: no fit for this C") as of_user:
            failing({"C": 2.0})
        with pytest.raises(TrialFailedError) as diverged:
            failing({"C": 0.5})
        standing_in = objective(data, Failing(), n_jobs=n_jobs, error_score=0)({"C": 2.0})
        sentence = {fold.error for fold in standing_in.folds}
        raised.append((type(of_user.value), str(of_user.value), facts(diverged.value), sentence))
    assert raised[0] == raised[1]


def process_id(estimator, X, y):
    return float(os.getpid())


def test_folds_of_n_jobs_run_in_processes_that_outlive_a_trial(data):
    parallel = objective(data, n_jobs=2, scoring=process_id, cv=5)
    seen = {fold.score for fold in parallel({}).folds}
    assert os.getpid() not in seen
    with parallel.workers():
        for last in (0, 4):
            stopped = parallel.evaluate({}, seed=0, on_fold=lambda fold: fold.fold < last)  # noqa: B023
            assert len(stopped.folds) == last + 1
            seen |= {fold.score for fold in stopped.folds}
    assert len(seen) <= 2


# A thread of joblib's may look for a fold that was cancelled, and end with a KeyError.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_stopped_trial_does_not_wait_for_folds_that_take_longer_than_new_processes(
    data, monkeypatch
):
    monkeypatch.setattr(estimator_cv, "NEW_PROCESS_SECONDS", 0.0)
    parallel = objective(data, n_jobs=2, scoring=process_id, cv=5)
    with parallel.workers():
        first, second = (
            parallel.evaluate({}, seed=0, on_fold=lambda fold: False).folds for _ in range(2)
        )
    assert len(first) == len(second) == 1
    assert first[0].score != second[0].score


def test_folds_run_on_backends_that_give_all_results_at_once(data, monkeypatch):
    monkeypatch.setattr(ThreadingBackend, "supports_return_generator", False)
    parallel, alone = (objective(data, n_jobs=n_jobs) for n_jobs in (2, None))
    with joblib.parallel_config(backend="threading"):
        score = parallel({}).score
    assert score == alone({}).score


def test_the_order_of_metrics_in_a_set_is_that_of_their_names(data):
    several = objective(data, scoring={"roc_auc", "f1", "accuracy"})
    assert [several.metric, *several.describe()["metrics"]] == ["accuracy", "f1", "roc_auc"]


def test_splits_of_a_generator_are_kept(data):
    walk = objective(data, cv=KFold(3).split(data[0]))
    assert pickle.loads(pickle.dumps(walk))({}).score == objective(data, cv=KFold(3))({}).score


def test_the_name_that_is_meant_is_told_once(data):
    """A Keras estimator tells it itself."""
    network = gs.EstimatorCV(gs.KerasClassifier(n_neurons=4), *data)
    with pytest.raises(InvalidObjectiveError) as refused:
        network({"n_neuron": 3})
    assert str(refused.value).count("Did you mean 'n_neurons'") == 1


def test_refusals(data):
    with pytest.raises(InvalidObjectiveError, match=r"Did you mean 'C'.*Invalid parameter 'c'"):
        objective(data)({"c": 1})
    with pytest.raises(InvalidObjectiveError, match="is not scored"):
        objective(data, scoring=["accuracy", "f1"], metric="recall")
    with pytest.raises(TrialFailedError, match="must return a number"):
        objective(data, scoring=lambda estimator, X, y: "high")({})
    with pytest.raises(InvalidObjectiveError, match="cannot split X"):
        objective(data, cv=70)
    with pytest.raises(InvalidObjectiveError, match="scored rows of fold 0 name row 80"):
        objective(data, cv=[(np.arange(40), [80])])
    with pytest.raises(InvalidObjectiveError, match="masked array"):
        objective((data[0], np.ma.masked_less(data[1], 1)))
    for estimator in (LogisticRegression, lambda C: None):
        with pytest.raises(InvalidObjectiveError, match="must be an estimator with `fit`"):
            objective(data, estimator)
    assert math.isnan(objective(data).error_score)


def test_folds_are_rows_however_they_are_written(data):
    train = np.arange(80) < 60
    written = [(train, ~train), (np.flatnonzero(train), np.arange(-20, 0))]
    scores = [objective(data, cv=[split])({}).score for split in written]
    assert scores[0] == scores[1]
    with pytest.warns(UserWarning, match="fold 0 scores rows that it also trains on"):
        objective(data, cv=[(train, np.arange(80))])


def test_the_estimators_own_score_has_a_name(data):
    assert objective(data).describe()["scoring"] == "score"
