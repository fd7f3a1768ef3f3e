"""What a search promises wherever its trials run."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from gpsearch.execution import StopReason, TargetScore, search
from gpsearch.space import Integer, Real

SPACE = {"x": Real(-2.0, 2.0), "n": Integer(1, 50)}


def make_objective():
    """Three seeded folds; fails for n above 45. Local, so that it travels by value."""
    import numpy as np

    from gpsearch.evaluation import Evaluation, FoldResult

    class Folds:
        name, n_folds = "folds", 3

        def validate(self, space):
            pass

        def fingerprint(self):
            return "folds"

        def describe(self):
            return {}

        def evaluate(self, params, *, seed, on_fold=None, done=()):
            if params["n"] > 45:
                raise ValueError(f"n={params['n']} is too many")
            folds = list(done)
            for j in range(len(done), self.n_folds):
                rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(j,)))
                score = -((params["x"] - 1) ** 2) + float(rng.normal()) - j
                folds.append(FoldResult(fold=j, score=score, curves={"loss": (score, 1.0)}))
                if on_fold is not None and on_fold(folds[-1]) is False:
                    break
            return Evaluation(folds=tuple(folds))

    return Folds()


class Watching:
    """A strategy that draws at random and keeps what it was told."""

    name = "watching"

    def __init__(self):
        self.histories = []

    def propose(self, history, number):
        self.histories.append(history)
        return [((number * 0.37) % 4) - 2, 1 + (number * 7) % 50]


@pytest.fixture(scope="module")
def threads():
    with ThreadPoolExecutor(3) as executor:
        yield {"executor": executor}


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        yield {"executor": executor}


PLACES = ["in_process", "threads", "processes", "isolated"]


@pytest.fixture(params=PLACES)
def place(request):
    if request.param == "in_process":
        return {}
    if request.param == "isolated":
        return {"isolate": True, "n_jobs": 2}
    return request.getfixturevalue(request.param)


@pytest.fixture
def beside(place):
    if not place:
        pytest.skip("one trial at a time, in this process")
    return place


def run(**options):
    given = {"n_calls": 12, "strategy": "random", "random_state": 4, "progress": False}
    return search(make_objective(), SPACE, **(given | options))


def told(study):
    return [
        (t.number, t.state, t.params, t.seed, t.reason, [(f.score, f.curves) for f in t.folds])
        for t in study.trials
    ]


def test_one_trial_at_a_time_is_the_serial_search(place):
    assert told(run(**(place | {"n_jobs": 1}))) == told(run())


def test_the_budget_is_reached_and_every_trial_is_what_its_params_and_seed_make_it(place):
    study = run(**place, strategy=Watching(), racing=None)
    assert [trial.number for trial in study.trials] == list(range(12))
    assert study.stop_reason == StopReason.BUDGET.value
    assert {trial.state for trial in study.trials} == {"complete", "failed"}
    for trial in study.trials:
        if trial.params["n"] > 45:
            assert trial.reason == f"ValueError: n={trial.params['n']} is too many"
            assert "evaluate" in trial.traceback
        else:
            expected = make_objective().evaluate(trial.params, seed=trial.seed)
            assert trial.folds == expected.folds


def test_the_strategy_is_told_of_what_is_still_running(beside):
    strategy = Watching()
    run(**beside, strategy=strategy)
    assert max(len(history.pending) for history in strategy.histories) >= 1
    for number, history in enumerate(strategy.histories):
        assert len(history.points) + len(history.pending) == number


def test_a_rule_ends_the_search_when_the_running_trials_have_ended(place):
    study = run(**place, stop=TargetScore(score=-1e9))
    assert study.stop_reason == StopReason.TARGET.value
    assert all(trial.finished for trial in study.trials)
    assert len(study.trials) <= 4


def test_a_trial_is_stopped_after_the_fold_that_condemns_it(place):
    def racing(study, trial):
        return trial.number % 2 == 0

    study = run(**place, racing=racing, strategy=Watching())
    for trial in study.trials:
        if trial.state != "failed":
            stopped = trial.number % 2 == 1
            assert (trial.state, len(trial.folds)) == (
                ("stopped", 1) if stopped else ("complete", 3)
            )


def test_an_interruption_that_an_objective_raises_is_told_as_its_own(beside):
    def give_up(params):
        raise KeyboardInterrupt("enough")

    study = search(give_up, SPACE, **beside, n_calls=1, strategy="random", progress=False)
    (trial,) = study.trials
    assert (trial.state, trial.reason) == ("failed", "KeyboardInterrupt: enough, 3 times")
