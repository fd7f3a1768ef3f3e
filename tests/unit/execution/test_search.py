"""The serial search: arguments, ends, faults, warm start, callbacks."""

import functools
import logging
import math
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest

import gpsearch as gs
import gpsearch.execution.progress as progress_module
from gpsearch.errors import (
    InvalidObjectiveError,
    InvalidParamsError,
    InvalidSearchError,
    InvalidSpaceError,
    StudyError,
    StudyMismatchError,
    TrialFailedError,
)
from gpsearch.evaluation import Evaluation, FoldResult
from gpsearch.execution import NoImprovement, StopReason, TargetScore, search
from gpsearch.execution.plan import SearchPlan
from gpsearch.execution.run import Run, run_serially
from gpsearch.objective import as_objective
from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.study import Study
from gpsearch.study.contenders import differing

SPACE = {"x": Real(-2.0, 2.0), "n": Integer(1, 9)}


def bowl(params):
    return -((params["x"] - 1) ** 2) - (params["n"] - 3) ** 2


def run(objective=bowl, space=SPACE, **options):
    given = {"n_calls": 6, "strategy": "random", "random_state": 0, "progress": False}
    return search(objective, space, **(given | options))


def points(study):
    return [(trial.params["x"], trial.params["n"]) for trial in study.trials]


BAD = [
    pytest.param({"n_calls": 0}, InvalidSearchError, "n_calls=0", id="no calls"),
    pytest.param({"n_calls": 2.5}, InvalidSearchError, "n_calls=2.5", id="half a call"),
    pytest.param({"n_calls": True}, InvalidSearchError, "n_calls=True", id="boolean calls"),
    pytest.param({"n_initial_points": -1}, InvalidSearchError, "n_initial_points", id="initial"),
    pytest.param({"timeout": 0}, InvalidSearchError, "timeout=0", id="no time"),
    pytest.param({"timeout": math.nan}, InvalidSearchError, "timeout=nan", id="nan time"),
    pytest.param({"random_state": -1}, InvalidSearchError, "random_state=-1", id="seed"),
    pytest.param({"random_state": "a"}, InvalidSearchError, "random_state='a'", id="text seed"),
    pytest.param({"strategy": "gpp"}, InvalidSearchError, "'gpp'", id="strategy"),
    pytest.param({"callback": 3}, InvalidSearchError, "callback=3", id="callback"),
    pytest.param({"stop": [1]}, InvalidSearchError, "stop=1", id="rule"),
    pytest.param({"stop": "target"}, InvalidSearchError, "stop='target'", id="rule by name"),
    pytest.param(
        {"stop": TargetScore}, InvalidSearchError, r"is a class.*TargetScore\(", id="class"
    ),
    pytest.param({"stop": lambda: 1}, InvalidSearchError, "of the study: too many", id="of none"),
    pytest.param({"callback": lambda study, trial: 1}, InvalidSearchError, "'trial'", id="of two"),
    pytest.param({"racing": lambda study: 1}, InvalidSearchError, "and the trial:", id="of one"),
    pytest.param({"racing": 1}, InvalidSearchError, "racing=1", id="racing"),
    pytest.param({"racing": "forgiving"}, InvalidSearchError, "'paired'", id="racing by name"),
    pytest.param({"n_jobs": 0}, InvalidSearchError, "n_jobs=0", id="jobs"),
    pytest.param({"trial_timeout": -1}, InvalidSearchError, "trial_timeout=-1", id="limit"),
    pytest.param({"executor": 5}, InvalidSearchError, "executor=5", id="executor"),
    pytest.param({"x0": [9.0, 3]}, InvalidParamsError, r"x0=\{'x': 9.0\}", id="outside"),
    pytest.param({"x0": {"x": 0.0}}, InvalidParamsError, "'n' is missing", id="incomplete"),
    pytest.param({"x0": "abc"}, InvalidSearchError, "x0='abc'", id="text point"),
    pytest.param({"x0": [[0.0, 3]], "y0": [1.0, 2.0]}, InvalidSearchError, "x0 1 points", id="y0"),
    pytest.param({"x0": [0.0, 3], "y0": math.nan}, InvalidSearchError, "y0=nan", id="nan y0"),
    pytest.param({"x0": [0.0, 3], "y0": 5j}, InvalidSearchError, "y0=5j", id="complex y0"),
    pytest.param({"max_same_errors": 0}, InvalidSearchError, "max_same_errors=0", id="errors"),
    pytest.param(
        {"strategy": "gp", "optimum_prior": np.ones(2)},
        InvalidSearchError,
        r"search\(optimum_prior=array",
        id="prior",
    ),
    pytest.param(
        {"optimum_prior": np.ones(2)}, InvalidSearchError, "optimum_prior=array", id="prior of none"
    ),
    pytest.param(
        {"space": Space(SPACE, constraint=lambda params: params["x"] > 5)},
        InvalidSpaceError,
        "constraint=<lambda>: none of 1000 random configurations fulfils it",
        id="no point",
    ),
    pytest.param(
        {"space": Space({"n": (1, 3)}, constraint=lambda params: False)},
        InvalidSpaceError,
        "constraint=<lambda>: none of",
        id="no point of few",
    ),
    pytest.param(
        {"space": Space(SPACE, constraint=lambda params: params["y"] > 0)},
        InvalidSpaceError,
        r"constraint=<lambda>: cannot judge \{'x': .* \(KeyError: 'y'\)",
        id="constraint raises",
    ),
    pytest.param(
        {"space": Space(SPACE, constraint=lambda params: None)},
        InvalidSpaceError,
        "constraint=<lambda>: cannot judge .* returned None",
        id="constraint without a verdict",
    ),
    pytest.param(
        {"space": Space(SPACE, constraint=lambda params: params["n"] < 3), "x0": [[0, 2], [0, 3]]},
        InvalidParamsError,
        r"search\(x0=\{'x': 0.0, 'n': 3\}\): does not fulfil the constraint",
        id="x0 against the constraint",
    ),
    pytest.param(
        {"objective": lambda x, n: x}, InvalidObjectiveError, "one argument: missing", id="keywords"
    ),
    pytest.param({"objective": lambda: 1.0}, InvalidObjectiveError, "too many", id="no argument"),
    pytest.param({"space": {}}, InvalidSpaceError, "at least one dimension", id="empty space"),
    pytest.param({"objective": 3}, InvalidObjectiveError, "objective=3", id="objective"),
]


@pytest.mark.parametrize(("options", "error", "told"), BAD)
def test_bad_arguments_are_refused_before_anything_runs(options, error, told, tmp_path):
    def never(params):
        raise AssertionError("evaluated")

    path = tmp_path / "study.db"
    with pytest.raises(error, match=told):
        run(**({"objective": never, "study": path} | options))
    if "executor" not in options:
        assert not path.exists()


def test_an_objective_that_does_not_fit_the_space_is_refused_before_a_study_is_made(tmp_path):
    class Picky:
        name, n_folds = "picky", 1

        def fingerprint(self):
            return ""

        def describe(self):
            return {}

        def evaluate(self, params, **options):
            raise AssertionError("evaluated")

        def validate(self, space):
            raise InvalidObjectiveError("create_model does not take 'x'")

    with pytest.raises(InvalidObjectiveError, match="does not take"):
        run(Picky(), study=tmp_path / "study.db")
    assert list(tmp_path.iterdir()) == []


def test_the_same_seed_gives_the_same_search_and_another_another():
    assert points(run()) == points(run())
    assert points(run()) != points(run(random_state=1))
    assert points(run(random_state=np.random.RandomState(5))) == points(
        run(random_state=np.random.RandomState(5))
    )


def test_without_a_seed_a_fresh_one_is_drawn_and_kept(tmp_path):
    first, other = run(random_state=None), run(random_state=None)
    assert points(first) != points(other)
    assert points(run(random_state=first.seed)) == points(first)


def test_seeds_differ_between_trials_and_are_those_of_their_numbers():
    seeds = [trial.seed for trial in run(n_calls=20).trials]
    assert len(set(seeds)) == 20
    expected = np.random.SeedSequence(0, spawn_key=(7,)).generate_state(1)[0]
    assert seeds[7] == expected


def test_the_budget_counts_failures():
    def failing(params):
        raise ValueError("no such optimiser")

    study = run(failing, max_same_errors=None)
    assert [trial.state for trial in study.trials] == ["failed"] * 6
    assert study.trials[0].reason == "ValueError: no such optimiser"
    assert "failing" in study.trials[0].traceback
    assert study.stop_reason == StopReason.BUDGET.value
    with pytest.raises(StudyError, match="no such optimiser"):
        _ = study.best_score


def returns_a_dict(params):
    return {"loss": params["x"], "status": "ok"}


def raises(params):
    raise KeyError(f"no {params['x']}")


def exits(params):
    sys.exit(3)


def reads(params, file):
    if not file.exists():
        raise FileNotFoundError(file)
    return params["x"]


@pytest.mark.parametrize("objective", [returns_a_dict, raises, exits])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_same_error_in_every_trial_ends_the_search_with_it(objective, n_jobs, tmp_path):
    options = {"study": tmp_path / "study.db", "n_calls": 40}
    if n_jobs > 1:
        options |= {"executor": ThreadPoolExecutor(n_jobs)}
    with pytest.raises(InvalidObjectiveError) as refusal:
        run(objective, **options)
    study = Study.open(tmp_path / "study.db")
    assert len(study.trials) in range(5, 5 + n_jobs)
    assert study.trials[0].reason in str(refusal.value)
    assert "Traceback (most recent call last)" in str(refusal.value)
    assert "changed needs a new study" in str(refusal.value)
    assert study.stop_reason.startswith(StopReason.SAME_ERROR.value)
    before = study.trials
    with pytest.raises(InvalidObjectiveError):  # continued, it tries the first ones once more
        run(objective, **options)
    assert len(study.trials) == len(before)
    assert study.trials[n_jobs + 1 :] == before[n_jobs + 1 :]
    assert run(objective, max_same_errors=math.inf, **options | {"n_calls": 12}).trials[11].reason


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_trials_that_a_missing_file_made_fail_are_evaluated_again(n_jobs, tmp_path):
    file = tmp_path / "data.csv"
    never_failed = run(functools.partial(reads, file=tmp_path), x0={"x": 0.5, "n": 2})
    options = {"study": tmp_path / "study.db", "x0": {"x": 0.5, "n": 2}}
    if n_jobs > 1:
        options |= {"executor": ThreadPoolExecutor(n_jobs)}
    objective = functools.partial(reads, file=file)
    for _ in range(2):  # not yet mended the second time
        with pytest.raises(InvalidObjectiveError, match="evaluates them again"):
            run(objective, **options)
    file.touch()
    study = run(objective, **options)
    assert study.stop_reason == StopReason.BUDGET.value
    for trial, other in zip(study.trials, never_failed.trials, strict=True):
        assert (trial.params, trial.seed, trial.origin) == (other.params, other.seed, other.origin)
        assert (trial.state, trial.score, trial.reason) == ("complete", other.score, "")


@pytest.fixture
def mended(tmp_path):
    """An objective whose missing file is there by now, and the study that failed for it."""
    file = tmp_path / "data.csv"
    objective, path = functools.partial(reads, file=file), tmp_path / "study.db"
    with pytest.raises(InvalidObjectiveError):
        run(objective, study=path)
    file.touch()
    return objective, path


def test_trials_that_are_evaluated_again_mind_the_rules(mended):
    objective, path = mended
    run(objective, study=path, stop=lambda study: len(study.complete) == 2)
    assert [trial.state for trial in Study.open(path).trials] == ["complete"] * 2 + ["running"] * 3
    assert {trial.state for trial in run(objective, study=path).trials} == {"complete"}


def test_trials_that_are_evaluated_again_mind_the_time(mended):
    objective, path = mended
    study = run(objective, study=path, timeout=1e-9)
    assert study.stop_reason == StopReason.TIMEOUT.value
    assert [trial.state for trial in study.trials] == ["running"] * 5


def test_a_search_killed_while_it_tries_again_goes_on_trying(mended):
    objective, path = mended

    def stop(result):
        raise KeyboardInterrupt

    run(objective, study=path, callback=stop)
    assert [trial.state for trial in Study.open(path).trials] == ["complete"] + ["running"] * 4
    assert {trial.state for trial in run(objective, study=path).trials} == {"complete"}


def test_a_call_that_fails_before_its_first_trial_leaves_no_study_of_its_own(tmp_path):
    link, target = tmp_path / "link.db", tmp_path / "study.db"
    link.symlink_to(target)
    with pytest.raises(InvalidSearchError, match="must be an executor"):
        run(study=link, executor=object(), x0={"x": 0.5, "n": 2}, y0=1.0)
    assert link.is_symlink()
    assert list(tmp_path.iterdir()) == [link]
    Study.create(target, space=SPACE, seed=0)  # of another call
    with pytest.raises(StudyMismatchError):
        run(study=target, executor=object())
    assert target.exists()


class Broken:
    def submit(self, function, *args):
        raise BrokenProcessPool("a worker died")


class Calling:
    def submit(self, function, *args):
        return function(*args)


@pytest.mark.parametrize(
    ("executor", "error", "told"),
    [
        (ThreadPoolExecutor, InvalidSearchError, "must be an executor"),
        (Calling(), InvalidSearchError, r"executor=.*must return a concurrent\.futures\.Future"),
        (Broken(), StudyError, "takes no more trials .* isolate=True .* costs that trial alone"),
    ],
    ids=["a class", "returns no future", "a pool that broke"],
)
def test_an_executor_that_takes_no_trial_is_told_with_the_remedy(executor, error, told):
    with pytest.raises(error, match=told):
        run(executor=executor)


@pytest.mark.parametrize(
    "space",
    [{"n": (1, 9)}, {"n": (1, 9), "c": ["a", "z"]}, {"n": [1, 2], "c": "a"}],
    ids=["without a dimension", "without a category", "with a fixed value"],
)
def test_a_study_of_another_space_is_no_damaged_one(space, tmp_path):
    path, own = tmp_path / "study.db", {"n": (1, 9), "c": ["a", "b"]}
    with Study.create(path, space=own, seed=0).writing() as writer:  # no `cost` in its settings
        writer.add_trial({"n": 3, "c": "b"}, [FoldResult(fold=0, score=0.5)])
    with pytest.raises(StudyMismatchError, match="another space"):
        run(study=path, objective=lambda params: params["n"], space=space)
    with pytest.raises(StudyMismatchError, match=r"another space .*leave space= out"):
        Study.open(path, space=space)
    assert Study.open(path, space=Space(own, constraint=lambda params: True)).best_score == 0.5


def test_a_study_opened_in_a_space_has_the_types_of_its_values(tmp_path):
    path = tmp_path / "study.db"
    Study.create(path, space={"n": (1, 9), "flag": 1}, seed=0)
    with pytest.raises(StudyMismatchError, match=r"'flag': 1} in the study, {'flag': True} in"):
        Study.open(path, space={"n": (1, 9), "flag": True})


def test_what_may_hold_for_one_configuration_does_not_end_the_search():
    calls = []

    def by_turns(params):
        calls.append(params)
        if len(calls) % 2:
            raise ValueError("odd")
        raise KeyError("even")

    def diverges(params):
        raise TrialFailedError("diverged")

    for objective in (by_turns, diverges, lambda params: math.nan):
        assert len(run(objective, n_calls=9).trials) == 9
    late = run(lambda params: params["x"] if params["x"] < 0 else 1 // 0, n_calls=12)
    assert "failed" in {trial.state for trial in late.trials}


@pytest.mark.parametrize("limit", [math.inf, 1e308])
def test_infinite_limits_are_none(limit):
    endless = {"timeout": limit, "trial_timeout": limit, "memory_limit": math.inf}
    with ThreadPoolExecutor(1) as executor:  # which takes no limit
        assert points(run(executor=executor, **endless)) == points(run(**endless))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (3, "at least 100: .* Write 3000 for 3 gigabytes, or None"),
        (0.5, "at least 100: .* Write 500 for 0.5 gigabytes, or None"),
        (99.9, "at least 100: .* Write 99900 for 99.9 gigabytes, or None"),
        (1e-9, "at least 100: .* Write None"),
        (4 * 2**30, "at most 100000000: .* Write 4295 for 4294967296 bytes, or None"),
        (1e308, "at most 100000000: .* Write None"),
    ],
)
@pytest.mark.parametrize("call", [gs.search, gs.compare])
def test_a_limit_of_memory_in_another_unit_is_refused_before_any_trial(given, meant, call):
    with pytest.raises(InvalidSearchError, match=rf"^{call.__name__}\(memory_limit=.*{meant}"):
        call(lambda params: pytest.fail("evaluated"), SPACE, n_calls=3, memory_limit=given)


def test_a_failing_trial_does_not_end_the_search():
    def sometimes(params):
        return math.nan if params["x"] < 0 else bowl(params)

    study = run(sometimes, n_calls=20)
    assert {trial.state for trial in study.trials} == {"complete", "failed"}
    assert math.isfinite(study.best_score)
    assert study.best_params["x"] >= 0


def test_losses_are_minimised_when_told_so():
    study = run(lambda params: -bowl(params) + 7, greater_is_better=False, n_calls=15)
    best = max(study.trials, key=lambda trial: bowl(trial.params))
    assert study.best_params == best.params
    assert study.best_trial.loss == pytest.approx(7 - bowl(best.params))
    assert not study.greater_is_better


def test_a_finite_space_ends_the_search_with_its_reason():
    study = run(lambda params: params["c"] == "a", {"c": ["a", "b", "c"]}, n_calls=10)
    assert study.stop_reason == StopReason.EXHAUSTED.value
    assert len(study.trials) == 3


def test_rules_end_the_search_and_end_it_again_at_once():
    study = run(stop=TargetScore(score=-0.5), n_calls=200)
    n = len(study.trials)
    assert study.stop_reason == StopReason.TARGET.value
    assert max(trial.score for trial in study.trials[:-1]) < -0.5 <= study.best_score
    assert len(run(study=study, stop=TargetScore(score=-0.5), n_calls=200).trials) == n
    longer = run(study=study, stop=NoImprovement(trials=4), n_calls=n + 200)
    assert longer.stop_reason == StopReason.NO_IMPROVEMENT.value


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        (True, StopReason.RULE.value),
        (np.True_, StopReason.RULE.value),
        ("Out of coffee.", "Out of coffee."),
    ],
)
def test_a_rule_of_the_user_may_give_its_own_reason(verdict, reason):
    study = run(stop=lambda study: len(study.trials) >= 2 and verdict)
    assert (len(study.trials), study.stop_reason) == (2, reason)


def test_a_rule_that_asks_for_the_best_waits_until_there_is_one():
    def late(params):
        if len(calls) < 3:
            raise ValueError("not yet")
        return bowl(params)

    calls = []
    study = run(
        late,
        n_calls=9,
        stop=lambda study: study.best_score > -100,
        callback=lambda result: calls.append(result),
    )
    assert [trial.state for trial in study.trials] == ["failed"] * 3 + ["complete"]
    assert study.stop_reason == StopReason.RULE.value


def test_an_error_of_a_rule_is_not_hidden():
    def wrong(study):
        raise StudyError("of the rule")

    with pytest.raises(StudyError, match="of the rule"):
        run(stop=wrong)


def test_nothing_starts_after_the_timeout():
    study = run(lambda params: time.sleep(0.1) or bowl(params), n_calls=1000, timeout=1.0)
    assert study.stop_reason == StopReason.TIMEOUT.value
    assert 1 <= len(study.trials) < 20
    assert all(trial.finished for trial in study.trials)


def test_x0_is_evaluated_first_and_once(tmp_path):
    path = tmp_path / "study.db"
    x0 = [{"x": 0.5, "n": 4}, [1.5, 2], {"x": 0.5, "n": 4}]
    for _ in range(2):
        study = run(study=path, x0=x0)
    assert points(study)[:2] == [(0.5, 4), (1.5, 2)]
    assert [trial.origin for trial in study.trials] == ["x0"] * 2 + ["random"] * 4


def test_one_point_may_stand_for_itself():
    assert points(run(x0=[0.5, 4], n_calls=1)) == [(0.5, 4)]
    tuples = {"c": Categorical([(1, 2), (3, 4)]), "d": Categorical([(1, 2), (5,)])}
    study = run(lambda params: 1.0, tuples, x0=[(1, 2), (5,)], n_calls=1)
    assert study.trials[0].params == {"c": (1, 2), "d": (5,)}


def test_an_objective_of_scores_is_not_taken_for_one_of_losses():
    objective = as_objective(bowl)
    with pytest.raises(InvalidObjectiveError, match="greater when better already"):
        run(objective, greater_is_better=False, x0={"x": 0.0, "n": 2}, y0=0.9)


@pytest.mark.parametrize("greater_is_better", [True, False])
def test_given_scores_are_recorded_not_evaluated(greater_is_better, tmp_path):
    evaluated = []

    def watched(params):
        evaluated.append(params)
        return -50.0 if greater_is_better else 50.0

    for _ in range(2):
        study = run(
            watched,
            study=tmp_path / "study.db",
            x0=[[0.5, 4], [1.5, 2]],
            y0=[1.0, 2.0],
            n_calls=3,
            greater_is_better=greater_is_better,
        )
    assert len(evaluated) == 3
    assert [trial.origin for trial in study.trials] == ["given"] * 2 + ["random"] * 3
    assert study.best_params == ({"x": 1.5, "n": 2} if greater_is_better else {"x": 0.5, "n": 4})


def test_an_enqueued_point_against_the_constraint_is_refused_or_left_out(tmp_path):
    """A study that is opened from its file does not know the constraint."""
    space = Space({"x": (0.0, 1.0)}, constraint=lambda params: params["x"] < 0.5)
    arguments = {"study": tmp_path / "a.db", "strategy": "random", "progress": False}
    study = search(lambda params: params["x"], space, n_calls=1, **arguments)
    with pytest.raises(InvalidParamsError, match="does not fulfil the constraint"):
        study.enqueue({"x": 0.75})
    Study.open(study.path).enqueue([{"x": 0.75}, {"x": 0.25}])
    study = search(lambda params: params["x"], space, n_calls=3, **arguments)
    assert study.trials[1].params == {"x": 0.25}
    assert study.trials[2].params["x"] < 0.5


def test_enqueued_points_come_before_the_strategy():
    study = run(n_calls=2)
    study.enqueue({"x": 0.25, "n": 8})
    run(study=study, n_calls=4)
    assert points(study)[2] == (0.25, 8)
    assert [trial.origin for trial in study.trials] == ["random", "random", "enqueued", "random"]


def test_a_study_of_another_search_is_refused(tmp_path):
    path = tmp_path / "study.db"
    run(study=path)
    for options in (
        {"space": {"x": Real(-2.0, 2.5), "n": Integer(1, 9)}},
        {"objective": lambda params: 0.0},
        {"random_state": 5},
        {"strategy": "grid"},
    ):
        with pytest.raises(StudyMismatchError):
            run(study=path, **options)
    assert len(Study.open(path).trials) == 6


def test_a_refused_strategy_leaves_no_study_behind(tmp_path):
    with pytest.raises(InvalidSearchError):
        run(study=tmp_path / "study.db", strategy="gp2")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_returns_what_there_is_and_says_how_to_go_on(tmp_path, caplog):
    path = tmp_path / "study.db"

    class Interrupted:
        name, n_folds = "interrupted", 2
        left = 5

        def validate(self, space):
            pass

        def fingerprint(self):
            return ""

        def describe(self):
            return {}

        def evaluate(self, params, *, seed, on_fold=None, done=()):
            folds = list(done)
            for j in range(len(done), 2):
                self.left -= 1
                if self.left == 0:
                    raise KeyboardInterrupt
                folds.append(FoldResult(fold=j, score=bowl(params) + j))
                on_fold(folds[-1])
            return Evaluation(folds=tuple(folds))

    study = run(Interrupted(), study=path)
    assert study.stop_reason == StopReason.INTERRUPTED.value
    assert [trial.state for trial in study.trials] == ["complete", "complete", "running"]
    assert study.best_params is not None
    assert str(path) in caplog.text
    whole = Interrupted()
    whole.left = 1000
    resumed = run(whole, study=path)
    assert [t.params for t in resumed.trials] == [t.params for t in run(whole).trials]
    assert [t.score for t in resumed.trials] == [t.score for t in run(whole).trials]


class Folds:
    """Four folds of the bowl, each easier than the one before; counts those it runs."""

    name, n_folds = "folds", 4

    def __init__(self):
        self.ran = 0

    def validate(self, space):
        pass

    def fingerprint(self):
        return ""

    def describe(self):
        return {}

    def evaluate(self, params, *, seed, on_fold=None, done=()):
        folds = list(done)
        for j in range(len(done), self.n_folds):
            folds.append(FoldResult(fold=j, score=bowl(params) + j))
            self.ran += 1
            if on_fold(folds[-1]) is False:
                break
        return Evaluation(folds=tuple(folds))


def ahead(study, trial):
    """A racing rule: go on while no complete trial is ahead."""
    return not any(t.score > trial.score for t in study.complete)


@pytest.mark.parametrize("argument", ["stop", "callback", "racing"])
def test_an_answer_that_is_neither_true_nor_false_is_named(argument, tmp_path):
    def several(*given):
        return np.array([True, False, True])

    with pytest.raises(
        InvalidSearchError,
        match=rf"^search\({argument}=several\): returned ndarray of shape \(3,\), .*any\(\)",
    ):
        run(Folds(), study=tmp_path / "study.db", **{argument: several})
    goes_on = run(Folds(), study=tmp_path / "study.db")
    assert len(goes_on.trials) == 6


@pytest.mark.parametrize(("verdict", "n_folds"), [(np.False_, 1), (np.True_, 4), (None, 4)])
def test_a_racing_rule_may_answer_with_a_boolean_of_numpy(verdict, n_folds):
    study = run(Folds(), racing=lambda study, trial: verdict)
    assert {len(trial.folds) for trial in study.trials} == {n_folds}


def test_racing_stops_trials_and_the_strategy_learns_of_it():
    seen = []

    class Watching:
        name = "watching"

        def propose(self, history, number):
            seen.append(history)
            return [number / 10, 3 if number == 0 else 9]

    study = run(Folds(), strategy=Watching(), racing=ahead, n_calls=4)
    assert [trial.state for trial in study.trials] == ["complete"] + ["stopped"] * 3
    assert [len(trial.folds) for trial in study.trials] == [4, 1, 1, 1]
    assert np.isfinite(seen[-1].losses).all()
    assert study.best_trial.number == 0


def test_a_search_races_unless_told_otherwise():
    raced = search(Folds(), SPACE, n_calls=12, random_state=0, progress=False)
    states = [trial.state for trial in raced.trials]
    assert states[:4] == ["complete"] * 4
    assert "stopped" in states
    whole = search(Folds(), SPACE, n_calls=12, random_state=0, progress=False, racing=None)
    assert {len(trial.folds) for trial in whole.trials} == {4}
    assert raced.info.settings["racing"] == "paired"
    assert whole.info.settings["racing"] is None


def test_a_trial_killed_before_it_was_stopped_is_stopped_when_the_search_goes_on():
    study = Study.create(None, space=SPACE, seed=0, settings={"n_calls": 2})
    with study.writing() as writer:
        writer.start_trial({"x": 1.0, "n": 3}, seed=0)
        for j in range(4):
            writer.record_fold(0, FoldResult(fold=j, score=float(j)))
        writer.end_trial(0, "complete")
        writer.start_trial({"x": -2.0, "n": 9}, seed=1)
        writer.record_fold(1, FoldResult(fold=0, score=-45.0))
    objective = Folds()
    with study.writing() as writer:
        run = Run(
            writer,
            objective,
            SearchPlan(writer, None, n_calls=2),
            fold_rule=ahead,
            progress=progress_module.Progress(2, shown=False),
        )
        run_serially(run)
    assert (study.trials[1].state, len(study.trials[1].folds)) == ("stopped", 1)
    assert objective.ran == 0


def test_the_log_has_a_line_for_each_trial_and_a_warning_for_each_failure(caplog):
    def sometimes(params):
        if params["x"] < 0:
            raise ValueError("negative")
        return bowl(params)

    with caplog.at_level(logging.INFO, logger="gpsearch"):
        study = run(sometimes, n_calls=10)
    levels = [r.levelno for r in caplog.records if r.getMessage().startswith("[")]
    expected = [
        logging.WARNING if trial.state == "failed" else logging.INFO for trial in study.trials
    ]
    assert levels == expected


def test_nothing_is_printed_unasked(capfd):
    run(progress=True)
    assert capfd.readouterr() == ("", "")


def test_a_bar_shows_the_best_score_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    study = run(progress=True)
    shown = capsys.readouterr().err
    assert f"best {study.best_score:.6g}" in shown
    assert "6/6" in shown


def test_an_unstorable_space_is_searched_in_memory_and_refused_in_a_file(tmp_path):
    class Activation:
        pass

    first, second = Activation(), Activation()
    space = Space({"act": Categorical([first, second]), "x": Real(0.0, 1.0)})
    study = run(lambda params: float(params["act"] is second), space)
    assert study.best_params["act"] is second
    with pytest.raises(InvalidSpaceError, match="cannot store the values of 'act'"):
        run(lambda params: 0.0, space, study=tmp_path / "study.db")


def test_a_search_that_ends_with_an_error_says_so_in_its_study(tmp_path):
    def broken(result):
        raise RuntimeError("no such host")

    with pytest.raises(RuntimeError):
        search(
            lambda params: params["x"],
            {"x": (0.0, 1.0)},
            study=tmp_path / "a.db",
            strategy="random",
            callback=broken,
            progress=False,
        )
    study = Study.open(tmp_path / "a.db")
    assert study.stop_reason == f"{StopReason.ERROR.value} (RuntimeError: no such host)"
    assert [trial.state for trial in study.trials] == ["complete"]


def test_a_long_failure_is_one_short_line_of_the_log(caplog):
    def fails(params):
        raise ValueError("x" * 10_000)

    search(fails, {"x": (0.0, 1.0)}, n_calls=1, strategy="random", progress=False)
    (record,) = caplog.records
    assert record.getMessage().endswith("x ...")
    assert len(record.getMessage()) < 350


@pytest.mark.parametrize("study", [3, b"a.db"])
def test_a_study_that_is_no_path_is_refused(study):
    with pytest.raises(InvalidSearchError, match="must be the path of a file"):
        search(lambda params: 1.0, {"x": (0.0, 1.0)}, study=study, progress=False)


def test_callbacks_see_no_model_before_a_model_proposes():
    seen = []
    options = {"strategy": "gp", "n_calls": 6, "n_initial_points": 4}
    run(callback=lambda result: seen.append(len(result.models)), **options)
    assert seen == [0, 0, 0, 0, 1, 1]


def test_a_value_fixed_at_nan_is_searched_continued_and_no_difference(tmp_path):
    """As ``missing_values`` of an imputer is."""
    space = {"missing": math.nan, "x": (0.0, 1.0)}

    def run(n_calls, **options):
        options = {"study": tmp_path / "study.db", "random_state": 0, "progress": False} | options
        return search(lambda p: [p["x"], p["x"] ** 2], space, n_calls=n_calls, **options)

    run(5)
    study = run(9)
    assert len(study.complete) == 9
    assert all(math.isnan(trial.params["missing"]) for trial in study.trials)
    assert differing(study.trials[0].params, study.trials[1].params) == ["x"]
    assert len(run(2, study=None, x0=study.best_params).complete) == 2


@pytest.mark.parametrize("unit", [1e-300, 1.0, 1e200])
def test_the_winner_is_the_best_in_every_unit(unit):
    study = search(lambda p: [unit * (p["x"] + i / 10) for i in range(3)], {"x": (0.0, 1.0)},
                   n_calls=12, random_state=0, progress=False)  # fmt: skip
    assert study.best_score == max(trial.score for trial in study.complete)


@pytest.mark.parametrize("folds", [1, 3], ids=["one fold", "all folds"])
@pytest.mark.parametrize("huge", [-1e200, 1e155, 1.5e308])
def test_enormous_scores_of_folds_end_no_search(huge, folds):
    def score(params):
        large = params["x"] > 0.9
        return [huge if large and i < folds else params["x"] for i in range(3)]

    study = search(score, {"x": (0.0, 1.0)}, n_calls=12, random_state=0, progress=False)
    assert len(study.complete) == 12
    assert any(huge in [fold.score for fold in trial.folds] for trial in study.trials)
