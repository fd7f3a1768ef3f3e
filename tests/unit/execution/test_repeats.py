"""A comparison runs as a search does: side by side, raced, timed, resumed."""

import itertools
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import gpsearch as gs
from gpsearch.comparison import compare, open_comparison
from gpsearch.errors import InvalidObjectiveError, InvalidSearchError, StudyError
from gpsearch.evaluation import Evaluation, FoldResult
from gpsearch.execution import StopReason
from gpsearch.execution.plan import RepeatsPlan, origin_of
from gpsearch.strategy import make_strategy
from gpsearch.study import Study

SPACE = {"x": gs.Real(-1.0, 3.0), "n": gs.Integer(2, 5)}
FINITE = {"n": gs.Integer(2, 5), "act": ["relu", "tanh"]}


def bowl(params, seed):
    noise = np.random.default_rng(seed).normal(0, 0.1, size=3)
    return list(-((params.get("x", 0.0) - 1.0) ** 2) - 0.2 * params["n"] + noise)


def compared(objective=bowl, space=SPACE, **options):
    settings = {"strategies": ["grid", "random", "gp"], "n_calls": 8, "n_repeats": 2} | options
    return compare(objective, space, **settings)


def values(comparison):
    frame = comparison.to_frame()
    return frame.drop(columns=["seconds", "shared"])


class Folds:
    """Four folds of the bowl, each a little harder than the one before; counts those it runs."""

    name, n_folds = "folds", 4

    def __init__(self):
        self.ran = Counter()

    def validate(self, space):
        pass

    def fingerprint(self):
        return ""

    def describe(self):
        return {}

    def evaluate(self, params, *, seed, on_fold=None, done=()):
        folds = list(done)
        for j in range(len(done), self.n_folds):
            score = bowl(params, seed)[0] - 0.1 * j
            folds.append(FoldResult(fold=j, score=score, seconds=1.0))
            self.ran[seed, j] += 1
            if on_fold is not None and on_fold(folds[-1]) is False:
                break
        return Evaluation(folds=tuple(folds))


# ------------------------------------------------------------------ side by side


def test_runs_beside_each_other_are_those_of_one_after_the_other(tmp_path):
    running, most = set(), []

    def watched(params, seed):
        running.add(seed)
        time.sleep(0.1 if len(most) < 6 else 0.0)
        most.append(len(running))
        running.discard(seed)
        return bowl(params, seed)

    with ThreadPoolExecutor(3) as executor:
        beside = compared(watched, executor=executor, study=tmp_path / "beside.db")
    assert max(most) > 1
    assert values(beside).equals(values(compared()))
    trials = Study.open(tmp_path / "beside.db").trials
    for origin in {trial.origin for trial in trials}:
        own = [trial for trial in trials if trial.origin == origin]
        for before, after in itertools.pairwise(own):
            assert after.started >= before.ended, "two trials of one run at once"


def test_an_evaluation_that_another_run_is_making_is_waited_for():
    calls = Counter()
    lock = threading.Lock()

    def counted(params, seed):
        with lock:
            calls[seed] += 1
        time.sleep(0.01)
        return bowl(params, seed)

    with ThreadPoolExecutor(4) as executor:
        beside = compared(counted, FINITE, executor=executor)
    assert len(calls) == 2 * 8  # every run visits each of the 8 points
    assert set(calls.values()) == {1}
    assert values(beside).equals(values(compared(space=FINITE)))
    assert beside.to_frame().shared.sum() == 2 * 2 * 8


def test_a_space_that_is_exhausted_ends_every_run(tmp_path):
    with ThreadPoolExecutor(3) as executor:
        made = compared(space=FINITE, n_calls=20, executor=executor, study=tmp_path / "c.db")
    study = Study.open(tmp_path / "c.db")
    assert study.stop_reason == StopReason.REPEATS.value
    assert len(study.trials) == 2 * 3 * 8
    with study.writing() as writer:
        writer.set_stop_reason("")  # as where a further repeat is being made
    assert values(open_comparison(tmp_path / "c.db")).equals(values(made))


def test_a_repeat_that_begins_while_another_runs_does_not_make_that_one_complete():
    settings = {"strategy": "comparison", "n_calls": 2}
    study = Study.create(None, space=SPACE, seed=0, settings=settings)
    with study.writing() as writer:
        for label, repeat, n in [("a", 0, 2), ("a", 1, 2), ("a", 2, 1), ("b", 0, 2), ("b", 1, 1)]:
            for _ in range(n):
                origin = origin_of(label, repeat)
                writer.add_trial({"x": 0.0, "n": 2}, [FoldResult(fold=0, score=0.5)], origin=origin)
    with pytest.raises(StudyError, match="1 complete repeat of"):
        open_comparison(study)
    with study.writing() as writer:
        for origin in ("b#2", "b#1"):
            writer.add_trial({"x": 0.0, "n": 2}, [FoldResult(fold=0, score=0.5)], origin=origin)
    assert open_comparison(study).n_repeats == 2


def test_a_plan_starts_the_first_run_that_has_no_trial_running():
    study = Study.create(None, space=SPACE, seed=0)

    def grid(seed):
        return make_strategy("grid", study.space, seed=seed, n_calls=2)

    plan = RepeatsPlan(study, {"a": grid, "b": grid, "c": grid}, n_calls=2, n_repeats=2)
    with study.writing() as writer:

        def start():
            if (new := plan.next()) is not None:
                writer.start_trial(**new)
            return None if new is None else new["origin"]

        # b and c propose what a evaluates: they wait
        assert [start(), start(), start()] == ["a#0", "a#1", None]
        writer.end_trial(0, "failed")
        assert [start(), start(), start()] == ["a#0", "b#0", None]
        known = plan.known(study.trials[3])
        assert (known.number, known.state) == (0, "failed")
        assert plan.over() is None


# ------------------------------------------------------------------ limits and failures


def test_a_timeout_ends_it_and_the_same_call_continues(tmp_path):
    path = tmp_path / "c.db"
    with pytest.raises(StudyError, match=r"0 complete repeats.*The call that made it continues"):
        compared(study=path, timeout=1e-9)
    assert Study.open(path).stop_reason == StopReason.TIMEOUT.value

    calls = []

    def slow_in_the_end(params, seed):
        calls.append(seed)
        time.sleep(2.0 if len(calls) == 20 else 0.0)
        return bowl(params, seed)

    short = {"strategies": ["grid", "random"], "n_calls": 4, "n_repeats": 3}
    cut = compared(slow_in_the_end, timeout=2.0, **short)
    assert cut.n_repeats == 2  # those that were complete in time
    assert values(cut).equals(values(compared(**short | {"n_repeats": 2})))
    ended = compared(study=path, timeout=600)
    assert values(ended).equals(values(compared()))


def test_without_a_random_state_it_goes_on_with_that_of_the_study(tmp_path):
    short = {"n_calls": 2, "study": tmp_path / "study.db"}
    first = compared(random_state=5, **short)
    assert values(compared(**short)).equals(values(first))
    assert Study.open(tmp_path / "study.db").seed == 5
    assert values(compared(n_calls=2)).equals(values(compared(n_calls=2, random_state=0)))


def test_failed_trials_are_shared():
    calls = Counter()

    def half(params, seed):
        calls[seed] += 1
        if params["act"] == "tanh":
            raise ValueError("diverged")
        return params["n"]

    frame = compared(half, FINITE).to_frame()
    assert set(calls.values()) == {1}
    assert (frame.reason[frame.state == "failed"] == "ValueError: diverged").all()
    assert (frame.state == "failed").sum() == 2 * 3 * 4


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_no_strategy_keeps_the_failures_of_a_missing_file(n_jobs, tmp_path):
    file, path = tmp_path / "data.csv", tmp_path / "study.db"

    def reads(params, seed):
        if not file.exists():
            raise FileNotFoundError(file)
        return bowl(params, seed)

    with ThreadPoolExecutor(n_jobs) as executor:
        with pytest.raises(InvalidObjectiveError, match="same error"):
            compared(reads, study=path, executor=executor)
        file.touch()
        mended = compared(reads, study=path, executor=executor)
    assert values(mended).equals(values(compared()))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        pytest.param({"n_jobs": 0}, r"compare\(n_jobs=0\)", id="no jobs"),
        pytest.param({"timeout": -1}, r"compare\(timeout=-1\)", id="no time"),
        pytest.param({"racing": "fast"}, r"compare\(racing='fast'\)", id="no such rule"),
        pytest.param({"strategies": 3}, r"compare\(strategies=3\)", id="no strategies"),
        pytest.param({"strategies": ["gp", print]}, r"compare\(strategies=", id="a builtin"),
        pytest.param({"optimum_prior": np.ones(2)}, r"compare\(optimum_prior=", id="prior"),
        pytest.param({"max_same_errors": "a"}, r"compare\(max_same_errors='a'\)", id="errors"),
        pytest.param({"executor": object(), "isolate": True}, "isolate", id="two places"),
    ],
)
def test_bad_arguments_are_refused_before_any_evaluation(options, match):
    def never(params):
        raise AssertionError

    with pytest.raises(InvalidSearchError, match=match):
        compared(never, **options)


# ------------------------------------------------------------------ racing


def ahead(study, trial):
    """A racing rule: go on while no complete trial is ahead."""
    return not any(other.score > trial.score for other in study.complete)


def test_racing_is_the_same_beside_each_other_and_runs_no_fold_twice():
    alone, beside = Folds(), Folds()
    first = compared(alone, FINITE, racing=ahead)
    with ThreadPoolExecutor(4) as executor:
        second = compared(beside, FINITE, racing=ahead, executor=executor)
    assert values(first).equals(values(second))
    assert set(alone.ran.values()) == set(beside.ran.values()) == {1}
    frame = first.to_frame()
    assert set(frame.state) == {"complete", "stopped"}
    # one run may go on where another has stopped: the rule sees the trials of its own run
    states = frame.groupby(["repeat", "param_n", "param_act"]).state.nunique()
    assert states.max() == 2


def test_a_racing_rule_sees_its_own_run_alone():
    seen = []

    def rule(study, trial):
        seen.append((trial.origin, {other.origin for other in study.trials}))
        assert study.trials[trial.number] == trial
        assert trial.number == len(study.trials) - 1
        return True

    compared(Folds(), racing=rule, n_calls=3)
    assert len({origin for origin, _ in seen}) == 6
    assert all({origin} == others for origin, others in seen)


def test_what_racing_stops_is_charged_its_own_folds():
    frame = compared(Folds(), FINITE, racing=ahead).to_frame()
    charged = frame.groupby("state").seconds.agg(["min", "max"])
    assert list(charged.loc["complete"]) == [4.0, 4.0]
    assert charged.loc["stopped", "min"] >= 1.0
    assert charged.loc["stopped", "max"] < 4.0


# ------------------------------------------------------------------ progress


def test_progress_counts_the_trials_of_this_comparison(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    path = tmp_path / "c.db"
    compared(study=path)
    assert "48/48 [" in capsys.readouterr().err.split("\r")[-1]
    compared(study=path, strategies=["tpe", "random"], n_repeats=3)
    shown = capsys.readouterr().err
    assert "16/48 [" in shown  # those of "random" are made
    assert "48/48 [" in shown.split("\r")[-1]
