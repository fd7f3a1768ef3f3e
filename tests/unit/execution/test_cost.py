"""What a search minds as the cost of a trial, and what it records of that."""

import math

import numpy as np
import pytest

import gpsearch as gs
from gpsearch.errors import InvalidSearchError, StudyMismatchError
from gpsearch.evaluation import FoldResult, run_folds
from gpsearch.report.content import read_content
from gpsearch.report.facts import read_facts

SPACE = {"units": gs.Integer(1, 64, prior="log-uniform"), "x": (0.0, 1.0)}


class Trainings:
    """Two folds whose work grows with the units; `pace` is the seconds that a unit of it takes."""

    name, n_folds, measures_work = "trainings", 2, True

    def __init__(self, pace=1.0):
        self.pace = pace
        self.evaluated = []

    def validate(self, space):
        """Everything can be evaluated."""

    def fingerprint(self):
        return self.name

    def describe(self):
        return {"name": self.name, "n_folds": self.n_folds}

    def evaluate(self, params, *, seed, on_fold=None, done=()):
        self.evaluated.append(params)
        rng = np.random.default_rng(seed)
        score = -((params["x"] - 0.3) ** 2) - 0.02 * (math.log2(params["units"]) - 5) ** 2
        folds = (
            FoldResult(
                fold=j,
                score=score + 0.01 * rng.standard_normal(),
                work=(work := 1.0 + params["units"] * (j + 1)),
                seconds=self.pace * work * rng.uniform(0.5, 2.0),
            )
            for j in range(self.n_folds)
        )
        return run_folds(folds, on_fold, done)


def search(objective=None, n_calls=16, **arguments):
    objective = Trainings() if objective is None else objective
    arguments = {"random_state": 1, "progress": False, **arguments}
    return gs.search(objective, SPACE, n_calls=n_calls, **arguments)


def proposed(study):
    return [trial.params for trial in study.trials]


def test_work_is_the_cost_where_it_is_measured_whatever_the_clock_says():
    slow, fast = search(Trainings(pace=30.0)), search(Trainings(pace=0.001))
    assert proposed(slow) == proposed(fast)
    assert slow.info.settings["cost"] == "work"
    assert proposed(slow) != proposed(search(cost=None))


@pytest.mark.parametrize(
    ("cost", "said"), [("work", "work"), ("seconds", "seconds"), (None, "none")]
)
def test_result_and_report_say_which_cost_was_minded(cost, said):
    study = search(n_calls=2, cost=cost)
    assert study.result.specs["args"]["cost"] == cost
    assert ("cost", said) in read_facts(study.info, None)
    assert ("cost=" in read_content(study)["again"]) == (cost != "work")


def test_a_search_that_was_stopped_continues_as_the_uninterrupted_one():
    whole = search()
    part = search(callback=lambda result: len(result.x_iters) == 11)
    assert len(part.trials) == 11
    assert proposed(search(study=part)) == proposed(whole)


def test_seconds_are_the_cost_where_they_are_asked_for():
    study = search(cost="seconds")
    assert study.info.settings["cost"] == "seconds"
    assert proposed(study) != proposed(search())


@pytest.mark.parametrize("cost", ["work", None])
def test_a_plain_function_costs_the_same_everywhere(cost):
    def score(params):
        return -((params["x"] - 0.3) ** 2) - 0.02 * (math.log2(params["units"]) - 5) ** 2

    study = search(score, cost=cost)
    assert study.info.settings["cost"] is None
    strategy = gs.strategy.gp.GPStrategy(study.space, seed=1)
    points, losses = [], []
    for number, trial in enumerate(study.trials):
        history = gs.strategy.History.of(points, losses)
        assert study.space.params(strategy.propose(history, number)) == trial.params
        points.append(study.space.point(dict(trial.params)))
        losses.append(trial.loss)


def test_a_study_continues_with_its_own_cost_alone():
    study = search(n_calls=2)
    with pytest.raises(StudyMismatchError, match="cost='work', not None"):
        search(n_calls=3, study=study, cost=None)


def test_a_study_begun_before_costs_counted_goes_on_without():
    whole = search(cost=None)
    older = gs.Study.create(
        None,
        space=SPACE,
        seed=whole.seed,
        settings={name: v for name, v in whole.info.settings.items() if name != "cost"},
        objective_fingerprint=whole.info.objective_fingerprint,
        description=whole.info.description,
    )
    with older.writing() as writer:
        for trial in whole.trials[:11]:
            number = writer.start_trial(trial.params, seed=trial.seed, proposal=trial.proposal)
            writer.end_trial(number, trial.state, folds=trial.folds)
    search(study=older, n_calls=13)
    assert proposed(search(study=older)) == proposed(whole)
    assert "cost" not in older.info.settings


def test_anything_else_is_refused():
    with pytest.raises(InvalidSearchError, match=r"search\(cost='money'\).*'work' or 'seconds'"):
        search(cost="money")


def test_a_comparison_minds_it_as_well():
    options = {"strategies": ["gp", "random"], "n_calls": 10, "n_repeats": 2, "progress": False}
    slow, fast, alike = (
        gs.compare(Trainings(pace), SPACE, cost=cost, **options)
        for pace, cost in [(30.0, "work"), (0.001, "work"), (1.0, None)]
    )
    np.testing.assert_array_equal(slow.best, fast.best)
    assert slow.info.settings["cost"] == "work"
    assert [t.params for t in slow.runs["gp"][0]] != [t.params for t in alike.runs["gp"][0]]


def test_a_study_of_the_strategy_per_second_opens_and_begins_a_new_one(tmp_path):
    path = tmp_path / "old.db"
    old = search(n_calls=3, strategy="random", study=path)
    with old.writing() as writer:
        writer.add_settings({"strategy": "gp_per_second"})
    assert len(gs.Study.open(path).trials) == 3
    with pytest.raises(InvalidSearchError, match=r'was removed.*cost="seconds".*warm_start=study'):
        search(strategy="gp_per_second", study=path)
    new = search(n_calls=2, warm_start=path, cost="seconds")
    assert len(new.trials) == 5
