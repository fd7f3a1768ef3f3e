"""What is scored again on fresh splits after a search, and what is said of the winner."""

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    KFold,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)

import gpsearch as gs
from gpsearch.cli.standing import state_line
from gpsearch.described import number
from gpsearch.errors import InvalidObjectiveError, InvalidParamsError, InvalidSearchError
from gpsearch.evaluation import FoldResult, run_folds
from gpsearch.execution import winner
from gpsearch.execution.contest import Contest, why_off
from gpsearch.execution.fresh_scores import JUDGING, FreshScores
from gpsearch.execution.run import FRESH
from gpsearch.execution.winner import Estimate, Standing, apart_folds, optimism
from gpsearch.strategy import trial_seed
from gpsearch.strategy.history import FoldStatistics
from gpsearch.study import Study
from gpsearch.study.confirmation import Confirmation
from gpsearch.study.widening import widen

NOISE = 0.05
SPACE = {"x": (0.0, 1.0), "n": (1, 2)}
GOOD, BAD = {"x": 0.9, "n": 1}, {"x": 0.1, "n": 1}


class Lucky:
    """Scores of ``slope * x`` plus luck, which belongs to the configuration and the splits."""

    name, n_folds, greater_is_better = "lucky", 4, True

    def __init__(self, slope=0.0, splits=0, calls=None, fails=(), stop_after=None):
        self.slope, self.splits, self.fails = slope, splits, fails
        self.calls, self.stop_after = [] if calls is None else calls, stop_after

    def validate(self, space):
        pass

    def fingerprint(self):
        return "lucky"

    def describe(self):
        return {"name": self.name}

    def with_fresh_folds(self, random_state):
        return Lucky(self.slope, random_state, self.calls, self.fails, self.stop_after)

    def evaluate(self, params, *, seed, on_fold=None, done=()):
        known = {fold.fold for fold in done}
        return run_folds((self._fold(params, j) for j in range(4) if j not in known), on_fold, done)

    def _fold(self, params, j):
        if self.splits:
            if len(self.calls) == self.stop_after:
                raise KeyboardInterrupt
            if any(abs(params["x"] - x) < 1e-9 for x in self.fails):
                raise ValueError("diverged")
            self.calls.append((self.splits, params["x"], j))
        rng = np.random.default_rng([self.splits, round(1e6 * params["x"]), j])
        score = 0.5 + self.slope * params["x"] + NOISE * rng.normal()
        return FoldResult(fold=j, score=float(score))


def searched(objective, n_calls=40, space=SPACE, **options):
    return gs.search(
        objective,
        space,
        n_calls=n_calls,
        strategy="random",
        random_state=0,
        progress=False,
        **{"racing": None} | options,
    )


CLOSE = 2.0  # slope at which two trials are close, and fresh splits may tell them apart


@pytest.fixture(scope="module")
def study():
    return searched(Lucky(CLOSE))


def test_the_luck_of_the_best_is_told():
    """Every configuration is worth 0.5: what the best of 40 scored beyond that is luck."""
    study = searched(Lucky())
    made = study.confirmation
    best = max(study.trials, key=lambda trial: trial.score)
    assert (made.favourite, made.searched) == (best.number, best.score)
    assert made.low < 0.5 < made.high
    assert made.expected < made.searched
    assert made.luck > NOISE / 2
    assert made.tied
    assert made.probability < 0.95
    assert f"was {number(round(made.luck, 4))} luck" in " ".join(study.confirmed())


def test_the_winner_is_the_best_trial(study):
    made = study.confirmation
    assert study.best_trial.number == made.winner
    assert study.best_params == study.trials[made.winner].params
    assert made.winner in made.contenders


def test_of_means_that_differ_in_rounding_alone_the_first_trial_wins():
    """0.15 / 3 and 0.05 are one score, and two floats."""
    scores = [[0.0, 0.0, 0.15], [0.05, 0.05, 0.05], [0.01, 0.0, 0.0], [0.0, 0.0, 0.02]]
    for tied in (scores[:2], scores[1::-1]):
        table = [*tied, *scores[2:]]
        study = gs.search(
            lambda params, table=table: table[params["n"]],
            {"n": [0, 1, 2, 3]},
            x0=[{"n": n} for n in range(4)],
            n_calls=4,
            random_state=0,
            progress=False,
        )
        made = study.confirmation
        assert (made.winner, made.favourite, study.best_params) == (0, 0, {"n": 0})


def test_no_more_than_the_share_is_spent_and_each_fold_is_scored_once():
    for share, most in ((True, 24), (0.3, 48)):
        objective = Lucky(CLOSE)
        made = searched(objective, confirm=share).confirmation
        assert made.folds == len(objective.calls) == len(set(objective.calls)) <= most
        assert made.folds > most - 4 * 4
    each = [{x for s, x, _ in objective.calls if s == splits} for splits in
            {s for s, _, _ in objective.calls}]  # fmt: skip
    assert max(map(len, each)) > 1


def test_where_fresh_splits_would_not_tell_them_apart_the_winner_alone_is_judged():
    objective = Lucky(slope=0.1)
    study = searched(objective, confirm=0.5)
    made = study.confirmation
    assert made.winner == made.favourite == max(study.trials, key=lambda t: t.score).number
    assert {x for _, x, _ in objective.calls} == {study.best_params["x"]}
    assert len(objective.calls) == made.folds == 4
    assert len(made.tied) > 1
    assert made.sentences()[-1] == (
        "1 trial scored again on fresh splits, 4 folds; more would hardly tell which is the best."
    )
    assert searched(Lucky(), 8, confirm=0.05).confirmation.sentences()[-1] == (
        "No trial was scored again: a trial takes more than the share for it."
    )


def test_what_judges_the_winner_has_no_part_in_choosing_it():
    """However bad the scores on the judging splits are, it stays; they alone say its worth."""
    seen = []

    def score(splits, x, j):
        seen.append(splits)
        return noisy(splits, x, j) - (splits == seen[-1] == judging)

    judging = trial_seed(0, FRESH + JUDGING)
    made = searched(Scored(score), 10).confirmation
    assert made.winner == made.favourite
    assert made.expected == pytest.approx(made.searched - made.luck)
    assert made.luck == pytest.approx(1.0, abs=4 * NOISE)


@pytest.mark.parametrize(("confirm", "luck"), [(0.05, 1.5), (True, 0.5)])
def test_splits_that_judge_the_winner_leave_the_luck_of_the_rows(confirm, luck):
    found = searched(Lucky(), 10, confirm=confirm)
    scores = np.array([[fold.score for fold in trial.folds] for trial in found.trials])
    with found.writing() as writer:
        judged = [fold.score for folds in writer.fresh.values() for fold in folds]
    assert found.confirmation.expected == pytest.approx(
        np.mean(judged or [found.confirmation.searched]) - luck * optimism(scores)
    )


def test_what_is_left_may_tell_two_from_another_and_not_five():
    scores = FreshScores(searched(Lucky()).trials, {})
    estimate = Estimate(scores, FoldStatistics.of(scores.trials))

    def standing(*compared):
        rest = [-np.inf] * (len(scores.trials) - len(compared))
        means = np.array([*compared, *rest])
        best = np.where(np.isfinite(means), 1.0, 0.0) / len(compared)
        return Standing(means, means, np.ones(len(means)), best, best)

    assert estimate.may_tell(standing(0.5, 0.5), 10)
    assert estimate.may_tell(standing(0.54, 0.5), 1)
    assert not estimate.may_tell(standing(0.5, 0.5), 1)
    assert not estimate.may_tell(standing(*[0.5] * 5), 10)


def test_a_clear_winner_is_judged_alone():
    objective = Lucky(slope=0.0)
    objective._fold = lambda params, j: FoldResult(fold=j, score=params["x"] + 1e-6 * j)
    made = searched(objective, 20).confirmation
    assert made.probability == 1.0
    assert made.contenders == (made.winner,)


def test_a_killed_confirmation_goes_on_where_it_was(study, tmp_path):
    objective = Lucky(CLOSE, stop_after=5)
    part = searched(objective, study=tmp_path / "s.db")
    assert part.confirmation is None
    objective.stop_after = None
    whole = searched(objective, study=tmp_path / "s.db")
    assert whole.confirmation == study.confirmation
    assert len(set(objective.calls)) == len(objective.calls) == whole.confirmation.folds
    assert Study.open(tmp_path / "s.db").confirmation == study.confirmation
    searched(objective, study=tmp_path / "s.db")
    assert len(objective.calls) == whole.confirmation.folds


def test_workers_end_with_the_same(study):
    with ThreadPoolExecutor(3) as executor:
        assert (
            searched(Lucky(CLOSE), executor=executor, n_jobs=3).confirmation == study.confirmation
        )


def scored_by(n_workers, order, study, *, fails):
    """What is scored where so many workers report fold after fold in a random `order`."""
    fresh, running = {}, []
    contest = Contest(study, fresh, share=0.4, baseline=dict(study.trials[3].params))
    while True:
        lacking = [pair for pair in contest.missing() if pair not in running]
        running += lacking[: n_workers - len(running)]
        if not running:
            return sorted(fresh), repr((sorted(fresh.items()), contest.verdict()))
        number, split = running[order.integers(len(running))]
        folds = fresh.get((split, number), ())
        luck, chance = np.random.default_rng((split, number, len(folds))).random(2)
        score = math.nan if chance < fails else study.trials[number].score + NOISE * luck
        fresh[split, number] = (*folds, FoldResult(fold=len(folds), score=score))
        if math.isnan(score) or len(folds) == 3:
            running.remove((number, split))


@pytest.mark.parametrize("fails", [0.2, 0.5])
def test_whichever_evaluation_ends_first_the_same_are_made(study, fails):
    order = np.random.default_rng(0)
    serial = scored_by(1, order, study, fails=fails)
    assert any(split != JUDGING for split, _ in serial[0])
    for n_workers in [2, 3, 8]:
        assert scored_by(n_workers, order, study, fails=fails) == serial


def test_where_the_time_is_over_before_all_are_scored_that_is_why(study):
    """Not that a trial would take more than the share, nor that more would hardly tell."""
    made = Contest(study, {}, share=0.6).verdict()
    assert made.sentences()[-1] == "No trial was scored again: the time was over."
    (number, split), *_ = Contest(study, {}, share=0.6).missing()
    fresh = {(split, number): tuple(FoldResult(fold=j, score=0.5) for j in range(4))}
    made = Contest(study, fresh, share=0.6).verdict()
    assert made.sentences()[-1].endswith("4 folds; the time was over before more were.")
    assert not study.confirmation.cut


def test_a_search_whose_time_is_over_says_that_it_was(tmp_path):
    objective = Lucky(CLOSE)
    searched(objective, n_calls=8, confirm=False, study=tmp_path / "study.db")
    late = searched(objective, n_calls=8, timeout=1e-9, study=tmp_path / "study.db")
    assert late.confirmed()[-1] == "No trial was scored again: the time was over."


def test_it_no_longer_holds_when_trials_are_added(tmp_path):
    first = searched(Lucky(), 20, study=tmp_path / "s.db")
    seen = []
    longer = searched(
        Lucky(), 24, study=tmp_path / "s.db", callback=lambda _: seen.append(first.confirmation)
    )
    assert first.confirmation.trials == 24
    assert seen[-1] is None
    assert longer.confirmation.trials == 24


def test_a_trial_that_fails_on_fresh_splits_does_not_win(study):
    favourite = study.trials[study.confirmation.favourite]
    found = searched(Lucky(CLOSE, fails=[favourite.params["x"]]))
    assert found.confirmation.winner != favourite.number
    assert favourite.number in found.confirmation.contenders
    assert found.best_trial.number == found.confirmation.winner
    assert math.isnan(found.confirmation.luck)
    assert "failed on the fresh splits" in found.confirmation.sentences()[1]
    assert Confirmation.from_json(found.confirmation.to_json()).sentences() == (
        found.confirmation.sentences()
    )


def test_without_it_an_earlier_verdict_no_longer_holds(tmp_path):
    path = tmp_path / "s.db"
    assert searched(Lucky(), study=path).confirmation is not None
    again = searched(Lucky(), study=path, confirm=False)
    assert again.confirmation is Study.open(path).confirmation is None
    assert again.best_score == max(trial.score for trial in again.trials)


def test_why_nothing_was_scored_again_is_said_once():
    ended = searched(Lucky(), callback=lambda result: len(result.x_iters) == 12)
    assert ended.confirmed()[-1] == "Nothing was scored again: a callback ended the search."
    assert ended.confirmation.folds == 0
    assert searched(Lucky(), 3).confirmed() == [
        "Nothing was confirmed: an estimate takes 4 complete trials; the study has 3."
    ]


def test_trials_with_a_given_score_take_no_part():
    made = searched(Lucky(), 12, x0=GOOD, y0=0.99).confirmation
    assert (made.trials, made.compared) == (13, 12)
    assert "the best of the 12 complete trials" in made.sentences()[0]


class Scored(Lucky):
    """Scores of a function of the splits (0 in the search), x and the fold."""

    def __init__(self, score, splits=0):
        super().__init__(splits=splits)
        self.score = score

    def with_fresh_folds(self, random_state):
        return Scored(self.score, random_state)

    def _fold(self, params, j):
        return FoldResult(fold=j, score=self.score(self.splits, params["x"], j))


def noisy(splits, x, j):
    return CLOSE * x + NOISE * np.random.default_rng([splits, round(1e6 * x), j]).normal()


def test_splits_on_which_several_fail_count_for_no_trial(study):
    """As the area under the curve of a part without a positive."""
    seen = []

    def score(splits, x, j):
        if splits and splits not in seen:
            seen.append(splits)
        return np.nan if splits and splits == seen[0] else noisy(splits, x, j)

    found = searched(Scored(score), 40, confirm=0.3)
    made = found.confirmation
    assert made.void == 1
    assert made.contenders
    assert found.trials[made.favourite].score == made.searched
    assert "1 of the splits did not count" in made.sentences()[-1]
    with found.writing() as writer:
        rows = writer.fresh
    assert all(len(folds) == 1 for (split, _), folds in rows.items() if split == 1)
    assert made.folds == 4 * sum(split != 1 for split, _ in rows)


@pytest.mark.parametrize("fault", [np.nan, ValueError("cannot be cut")])
def test_where_no_fresh_split_counts_the_verdict_is_of_the_search_alone(fault):
    def score(splits, x, j):
        if splits and isinstance(fault, ValueError):
            raise fault
        return fault if splits else noisy(0, x, j)

    made = searched(Scored(score), 40, confirm=0.3).confirmation
    alone = searched(lambda p: [noisy(0, p["x"], j) for j in range(4)], 40).confirmation
    assert (made.winner, made.expected, made.probability) == (
        alone.winner, alone.expected, alone.probability)  # fmt: skip
    assert (made.folds, made.contenders) == (0, ())
    assert "from the search alone" in made.off
    assert "was not luck" not in " ".join(made.sentences())


def test_ties_share_the_probability():
    made = searched(Scored(lambda splits, x, j: 0.8), 10, baseline=BAD).confirmation
    assert made.probability == pytest.approx(0.1)
    assert len(made.tied) == 9
    assert made.gain == made.gain_low == made.gain_high == 0.0
    told = " ".join(made.sentences())
    assert "no interval" in told
    assert "tied with the baseline, trial 0" in told or made.winner == 0
    later = Scored(lambda splits, x, j: 0.8 + 0.01 * j)
    found = searched(later, 10)
    made = searched(later, 12, study=found, baseline=BAD).confirmation
    assert "It is tied with the baseline, trial 10" in " ".join(made.sentences())


def test_however_many_are_equal_none_is_told_from_the_winner():
    made = searched(Scored(lambda splits, x, j: 0.8 + 0.01 * j), 60, confirm=0.5).confirmation
    assert made.probability < 0.05
    assert len(made.tied) == 59
    assert made.folds == 4  # the winner is judged, and nothing else is worth a fold
    assert "and 49 more cannot be told from it" in made.sentences()[0]


def test_a_winner_without_a_rival_within_the_share_is_only_judged(study, monkeypatch):
    """A cheap one, all of whose rivals take more than is left."""
    contest = Contest(study, {}, share=0.3)
    contest._costs[:] = 1e9
    contest._costs[contest._estimate.standing().winner] = 1e-3
    monkeypatch.setattr(contest._estimate, "may_tell", lambda standing, further: True)
    assert [split for _, split in contest.missing()] == [JUDGING]


def test_without_it_the_best_score_wins(study):
    plain = searched(Lucky(), confirm=False)
    assert plain.confirmation is None
    assert plain.confirmed() == []
    assert plain.best_trial.score == max(trial.score for trial in plain.trials)
    with pytest.raises(InvalidSearchError, match=r"confirm=2\): must be a number between 0 and 1"):
        searched(Lucky(), confirm=2)


def test_splits_that_cannot_be_drawn_afresh_are_said():
    made = searched(lambda p: [0.5 + 0.1 * p["x"], 0.6, 0.4 * p["n"]], 20).confirmation
    assert "Nothing was scored again" in made.off
    assert made.folds == 0
    assert searched(lambda p: p["x"], 10).confirmation is None
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    for cv, why in ((TimeSeriesSplit(3), "leaves nothing to chance"), (3, "does not shuffle")):
        objective = gs.EstimatorCV(LogisticRegression(), X, y, cv=cv)
        found = gs.search(objective, {"C": (0.1, 1.0)}, n_calls=5, progress=False)
        assert why in found.confirmation.off
        assert why in " ".join(found.confirmed())


def test_an_estimator_is_scored_on_other_splits_of_the_same_kind():
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    cv = StratifiedKFold(4, shuffle=True, random_state=0)
    objective = gs.EstimatorCV(LogisticRegression(), X, y, cv=cv)
    fresh = objective.with_fresh_folds(7)
    assert any(set(a[1]) != set(b[1]) for a, b in zip(objective.folds, fresh.folds, strict=True))
    assert all(y[test].sum() == 5 for _, test in fresh.folds)
    assert fresh.scored_share == 0.25


# ------------------------------------------------------------------ the baseline


def test_the_gain_over_the_baseline_has_an_interval():
    made = searched(Lucky(slope=1.0), baseline=BAD).confirmation
    assert made.baseline == 0
    assert made.gain_low < 0.85 < made.gain_high
    assert made.gain_low > 0
    assert made.more_folds == 0
    assert made.gain == pytest.approx(made.expected - 0.6, abs=NOISE)
    assert any("It is better than the baseline, trial 0" in line for line in made.sentences())


@pytest.mark.parametrize("n_calls", [10, 40])  # fresh splits for the winner alone, and for both
def test_easier_fresh_splits_are_no_gain(n_calls):
    easier = Scored(lambda splits, x, j: noisy(0, x, j) + (splits > 0))
    found = searched(easier, n_calls, baseline={"x": 0.5, "n": 1})
    made = found.confirmation
    assert made.folds >= 4 * (1 + (n_calls == 40))
    better = CLOSE * (found.best_params["x"] - 0.5)
    assert made.gain == pytest.approx(better, abs=2 * NOISE)


@pytest.mark.parametrize("harder", [-30.0, 30.0])
def test_how_hard_fresh_splits_are_has_no_part_in_the_choice(study, harder):
    """Only some trials are scored on them, and others only on the folds of the search."""
    made = searched(
        Scored(lambda splits, x, j: noisy(splits, x, j) - (splits > 0) * harder)
    ).confirmation
    alike = searched(Scored(noisy)).confirmation
    assert len(alike.contenders) > 1
    for name in ("winner", "probability", "contenders", "tied", "folds"):
        assert getattr(made, name) == getattr(alike, name)


def test_where_it_cannot_be_told_the_folds_that_it_takes_are():
    found = searched(Lucky(), baseline=BAD)
    made = found.confirmation
    assert found.trials[0].origin == "baseline"
    assert found.trials[0].params == BAD
    with found.writing() as writer:
        judged = [fold.score for fold in writer.fresh[JUDGING, 0]]
    assert made.gain == pytest.approx(made.expected - np.mean(judged))
    assert made.gain_low < 0 < made.gain_high
    assert "cannot be told" in " ".join(made.sentences())
    told = dataclasses.replace(made, more_folds=30, gain=0.1)
    assert "30 more folds" in " ".join(told.sentences())


def test_two_that_diverge_by_themselves_void_no_splits():
    """They have failed, and what was scored beside them counts."""

    def score(splits, x, j):
        if splits and x in diverging:
            return np.nan
        return noisy(splits, x, j)

    diverging = ()
    fine = searched(Scored(score), 40, confirm=0.5)
    first = fine.confirmation.contenders
    assert len(first) == 3
    diverging = [fine.trials[number].params["x"] for number in sorted(
        first, key=lambda number: -fine.trials[number].score)[:2]]  # fmt: skip
    made = searched(Scored(score), 40, confirm=0.5).confirmation
    assert made.void == 0
    assert fine.trials[made.winner].params["x"] not in diverging
    diverging = [fine.trials[number].params["x"] for number in first]
    made = searched(Scored(score), 40, confirm=0.5).confirmation
    assert made.void == 1  # with another trial beside them, the second splits count
    assert made.winner not in first


def test_what_contests_among_fewer_trials_scored_keeps_none_from_ending(study, monkeypatch):
    """Where what they spent changes who may enter, and so what is theirs."""
    done = tuple(FoldResult(fold=j, score=0.5) for j in range(4))
    contest = Contest(study, {(1, 0): done, (1, 1): done})
    seen = iter([{(1, 0)}, {(1, 1)}] * 10)
    monkeypatch.setattr(contest, "_round", lambda left: ([], next(seen)))
    assert contest.missing() == []


def test_a_search_that_is_raised_step_by_step_spends_no_more_than_the_share(monkeypatch):
    monkeypatch.setattr(winner, "REACH", 0.0)  # nothing is called tied
    objective, study = Lucky(), None
    for n_calls in (10, 16, 22, 28, 34, 40):
        study = searched(objective, n_calls, study=study, confirm=0.3)
        assert len(objective.calls) <= 0.3 * 4 * n_calls
    assert len(objective.calls) > 0.25 * 4 * n_calls


def test_an_interval_ends_where_the_metric_does():
    objective = Scored(lambda splits, x, j: 0.99 - 0.04 * j * (1 - x))
    free = searched(objective, 10).confirmation
    objective.score_bounds = (0.0, 1.0)
    made = searched(objective, 10).confirmation
    assert free.high > 1.0 == made.high
    assert (made.low, made.expected) == (free.low, free.expected)


def test_bounds_that_do_not_hold_are_none():
    objective = Scored(lambda splits, x, j: 40 * noisy(splits, x, j))
    objective.score_bounds = (0.0, 1.0)
    made = searched(objective, 10).confirmation
    assert made.expected > 1.0
    assert made.low < made.expected < made.high


def test_an_interval_at_the_end_of_the_metric_is_one(study):
    """Luck takes the score below 0, where there is none; that is no score that never varies."""
    scores = FreshScores(study.trials, {})
    estimate = Estimate(scores, FoldStatistics.of(scores.trials), bounds=(-0.5, 4.0))
    estimate.optimism = 10.0
    low, high = estimate.interval(estimate.standing(), 0)
    assert low == -0.5 < high


def test_a_baseline_may_win_or_fail():
    made = searched(Lucky(slope=5.0), 10, baseline={"x": 1.0, "n": 1}).confirmation
    assert made.winner == made.baseline == 0
    assert "No other trial is expected to be better" in " ".join(made.sentences())

    def score(params):
        if params == BAD:
            raise ValueError("diverged")
        return [params["x"], params["x"] + 0.1]

    made = searched(score, 10, baseline=BAD).confirmation
    assert "which failed" in " ".join(made.sentences())
    stored = made.to_json()
    assert stored["gain"] is None
    assert np.isnan(Confirmation.from_json(stored).gain)


def test_a_baseline_that_was_stopped_is_told_from_one_that_failed():
    rule = lambda study, trial: trial.params != BAD  # noqa: E731
    stopped = searched(Lucky(), 10, baseline=BAD, racing=rule)
    assert "trial 0, which was stopped after 1 of 4 folds." in " ".join(stopped.confirmed())
    again = searched(Lucky(0.15, fails=[BAD["x"]]), baseline=BAD)
    assert "trial 0, which failed on fresh splits." in " ".join(again.confirmed())


def test_a_baseline_that_had_lost_before_it_was_named_is_evaluated_whole():
    """So that the end can say what is gained over it."""
    study = searched(Lucky(), 12, racing="paired")
    lost = next(trial for trial in study.trials if trial.state == "stopped")
    with pytest.raises(InvalidSearchError, match="was stopped before its last fold in the study"):
        searched(Lucky(), 12, study=study, racing="paired", baseline=lost.params)
    for n_calls in (14, 15):
        study = searched(Lucky(), n_calls, study=study, racing="paired", baseline=lost.params)
        named = [trial for trial in study.trials if trial.origin == "baseline"]
        assert [(trial.state, trial.params) for trial in named] == [("complete", lost.params)]
        assert study.confirmation.baseline == named[0].number
        assert np.isfinite(study.confirmation.gain)


@pytest.mark.parametrize("named", [{"baseline": BAD}, {}], ids=["named again", "not named again"])
def test_a_baseline_is_compared_with_in_a_wider_space(named, tmp_path):
    path, space = tmp_path / "study.db", gs.Space({**SPACE, "n": (1, 9)})
    before = searched(Lucky(slope=1.0), 6, study=path, baseline=BAD)
    assert before.confirmation.baseline == 0
    widened, _ = widen(path, space=space, objective=Lucky(slope=1.0))
    assert (widened.trials[0].origin, widened.trials[0].proposal) == ("baseline", "given")
    assert widened.confirmed() == before.confirmed()
    again = searched(Lucky(slope=1.0), 3, study=path, space=space, **named)
    assert (again.confirmation.baseline, len(again.trials)) == (0, 6 + 3)
    assert "the baseline, trial 0" in " ".join(again.confirmed())
    assert "3 of 3 trials and 6 given (9 complete)" in state_line(again)


def test_a_trial_that_is_half_scored_again_is_scored_to_its_end():
    """A kill in between changes nothing, also where an earlier end of the study scored others."""
    objective, share = Lucky(slope=1.0), 0.5
    again = {"strategy": "random", "random_state": 3, "racing": None, "progress": False}
    before = gs.search(objective, SPACE, n_calls=6, confirm=share, **again)
    study = gs.search(objective, SPACE, n_calls=9, confirm=False, study=before, **again)
    fresh = dict(study._file.read_fresh())
    contest, n_before = Contest(study, fresh, share=share), len(fresh)
    while missing := contest.missing():
        number, split = missing[0]
        seed = trial_seed(study.seed, FRESH + split)
        folds = Lucky(1.0, seed).evaluate(study.trials[number].params, seed=seed).folds
        fresh[split, number] = folds[:1]
        assert contest.missing() == missing
        fresh[split, number] = folds
    assert len(fresh) > n_before > 0


def test_a_few_trials_in_a_wider_space_leave_enough_to_judge_their_winner(tmp_path):
    """Fresh splits of the narrow space are paid by its trials, which the wider one has as given."""
    path, space = tmp_path / "study.db", gs.Space({**SPACE, "n": (1, 9)})
    narrow = searched(Lucky(slope=1.0), study=path)
    assert len(narrow._file.read_fresh()) == 1
    widen(path, space=space, objective=Lucky(slope=1.0))
    options = {"study": path, "space": space, "x0": {"x": 1.0, "n": 9}}
    made = searched(Lucky(slope=1.0), 10, **options).confirmation
    assert made.winner == 40
    assert (JUDGING, 40) in Study.open(path)._file.read_fresh()
    again = searched(Lucky(slope=1.0), 4, study=tmp_path / "new.db", warm_start=narrow)
    assert not again._file.read_fresh()  # known trials of another study pay for nothing


def test_each_baseline_is_evaluated_once_and_the_given_one_compared():
    study = searched(Lucky(), 8, baseline=GOOD, x0=[GOOD, {"x": 0.5, "n": 1}])
    assert [trial.params["x"] for trial in study.trials[:2]] == [0.9, 0.5]
    assert searched(Lucky(), 9, study=study, baseline=BAD).confirmation.baseline == 8
    assert searched(Lucky(), 9, study=study, baseline=GOOD).confirmation.baseline == 0
    assert searched(Lucky(), 9, study=study, baseline={"x": 0.5, "n": 1}).confirmation.baseline == 1
    with pytest.raises(InvalidSearchError, match=r"is new to the study, which holds n_calls=9"):
        searched(Lucky(), 9, study=study, baseline={"x": 0.2, "n": 1})
    assert len(study.trials) == 9


def test_a_baseline_is_one_configuration_of_the_space():
    with pytest.raises(InvalidSearchError, match="holds no configuration"):
        searched(Lucky(), baseline=[])
    with pytest.raises(InvalidParamsError, match="baseline"):
        searched(Lucky(), baseline={"x": 3.0, "n": 1})
    with pytest.raises(InvalidSearchError, match="holds several configurations"):
        searched(Lucky(), baseline=[GOOD, BAD])


# ------------------------------------------------------------------ the estimate


def test_the_optimism_is_that_of_the_choice():
    """Over searches without signal the corrected score is that of every configuration."""
    rng = np.random.default_rng(0)
    errors, raw = [], []
    for _ in range(400):
        scores = rng.normal(size=(12, 5))
        raw.append(scores.mean(axis=1).max())
        errors.append(raw[-1] - optimism(scores))
    assert np.mean(raw) > 0.6
    assert abs(np.mean(errors)) < 0.1
    assert optimism(np.arange(12.0).reshape(3, 4)) == 0.0


def test_the_optimism_of_repeats_is_that_of_their_own_folds():
    """Of 40 configurations, each right on its own 70 % of the rows."""
    rng, X = np.random.default_rng(0), np.zeros((200, 1))
    rows = [test for _, test in RepeatedKFold(n_splits=5, n_repeats=4, random_state=0).split(X)]
    apart = apart_folds(rows, 5)
    assert (apart.sum(axis=1) == 4).all()
    held_out = np.array([np.isin(np.arange(200), test) for test in rows]).T / 40
    true, told = [], []
    for _ in range(60):
        right = rng.random((40, 200)) < 0.7
        scores = right @ held_out
        true.append(scores.mean(axis=1).max() - 0.7)
        told.append(optimism(scores, apart))
    assert np.mean(told) == pytest.approx(np.mean(true), abs=0.015)
    at_random = [test for _, test in ShuffleSplit(10, test_size=0.2, random_state=0).split(X)]
    assert optimism(scores, apart_folds(at_random, 5)) is None


def test_repeats_are_no_further_rows():
    """Each 2 x 2 folds have one degree of freedom; random splits say what is left."""

    def made(rows):
        objective = Scored(lambda splits, x, j: noisy(0, x, j))
        objective.held_out, objective.scored_share = rows, 0.5
        return searched(objective, 10, confirm=True).confirmation

    halves = [np.arange(4), np.arange(4, 8), np.arange(0, 8, 2), np.arange(1, 8, 2)]
    repeated, at_random = made(halves), made([np.arange(4)] * 4)
    plain = searched(lambda p: [noisy(0, p["x"], j) for j in range(4)], 10).confirmation
    assert repeated.corrected
    assert repeated.high - repeated.low > 2 * (plain.high - plain.low)
    assert not at_random.corrected
    assert at_random.expected == at_random.searched
    assert "may hold luck of the rows" in " ".join(at_random.sentences())


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
    assert any(set(a.test) != set(b) for a, b in zip(fresh.folds, before, strict=True))
    assert fresh.fingerprint() == objective.with_fresh_folds(7).fingerprint()
    for fold, rows in zip(objective.folds, before, strict=True):
        np.testing.assert_array_equal(fold.test, rows)


def test_fresh_folds_keep_groups_together():
    groups = np.repeat(np.arange(15), 4)
    fresh = cross_validated(cv=3, groups=groups).with_fresh_folds(7)
    assert all(not set(groups[f.train]) & set(groups[f.test]) for f in fresh.folds)


class Own(KFold):
    """A splitter of the user's."""

    def __init__(self, kind):
        self.kind = kind
        super().__init__(3, shuffle=True, random_state=0)

    random_state = property(
        lambda self: 0, lambda self, value: None if value == 0 or self.kind != "fixed" else 1 / 0
    )

    def split(self, X, y=None, groups=None):
        if self.kind == "raises" and hasattr(self, "is_split"):
            raise AttributeError("'int' object has no attribute 'permutation'")
        self.is_split = True
        return super().split(X, y, groups)


@pytest.mark.parametrize(
    ("kind", "why"),
    [("fixed", "cannot be set"), ("raises", "permutation"), ("same", "the same for every")],
)
def test_a_splitter_that_cannot_be_fresh_is_said(kind, why):
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    told = why_off(gs.EstimatorCV(LogisticRegression(), X, y, cv=Own(kind)))
    assert told.startswith("Nothing was scored again: ")
    assert why in told


@pytest.mark.parametrize("cv", [KFold(3), TimeSeriesSplit(3), [(np.arange(40), np.arange(40, 60))]])
def test_splits_without_chance_cannot_be_fresh(cv):
    with pytest.raises(InvalidObjectiveError, match="leaves nothing to chance"):
        cross_validated(cv=cv).with_fresh_folds(7)


def test_a_gain_that_is_what_rounding_leaves_is_none():
    made = Confirmation(trials=9, winner=1, baseline=0, searched=0.9, gain=5.6e-17, gain_low=-0.1)
    made = dataclasses.replace(made, gain_high=0.1, more_folds=None)
    assert "cannot be told: by 0 (90% interval" in " ".join(made.sentences())
