import math

import numpy as np
import pytest

import gpsearch as gs
from gpsearch.comparison import compare, open_comparison
from gpsearch.comparison.statistics import Interval
from gpsearch.comparison.summary import table_cells
from gpsearch.errors import (
    InvalidObjectiveError,
    InvalidSearchError,
    StudyError,
    StudyMismatchError,
)
from gpsearch.execution.plan import evaluation_seed
from gpsearch.objective.function import FunctionObjective
from gpsearch.space import Space
from gpsearch.study import Study

SPACE = {"x": gs.Real(0.0, 1.0), "n": gs.Integer(1, 4)}


def noisy(params, seed):
    rng = np.random.default_rng(seed)
    return [-((params["x"] - 0.3) ** 2) - 0.1 * params["n"] + 0.01 * rng.normal() for _ in range(2)]


def small(**options):
    settings = {"strategies": ["grid", "random"], "n_calls": 6, "n_repeats": 3} | options
    return compare(noisy, SPACE, **settings)


def values(comparison):
    frame = comparison.to_frame()
    return frame[["strategy", "repeat", "n", "score", "param_x", "param_n", "seed"]]


def test_the_same_call_gives_the_same_comparison():
    first, second = small(), small()
    assert values(first).equals(values(second))
    assert not values(first).equals(values(small(random_state=1)))


def just_below(most):
    def score(params, seed):
        return most - 0.1 * np.random.default_rng([seed, round(1e6 * params["x"])]).random() ** 4

    return score


@pytest.mark.parametrize(
    ("objective", "bounds"),
    [
        (FunctionObjective(just_below(1.0)), (0.0, 1.0)),
        (FunctionObjective(just_below(0.0)), (-math.inf, 0.0)),
        (FunctionObjective(lambda p: 0.1 * p["x"] ** 3, greater_is_better=False), (-math.inf, 0.0)),
    ],
)
def test_intervals_of_scores_end_where_the_metric_does(objective, bounds, tmp_path):
    """Of a file that is read again, too."""

    def made(name):
        options = {"strategies": ["random", "tpe"], "n_calls": 4, "n_repeats": 2}
        compare(objective, SPACE, study=tmp_path / name, **options)
        return open_comparison(tmp_path / name)

    free, objective.score_bounds = made("free.db"), bounds
    bounded = made("bounded.db")
    ends = sorted(bounded.as_user_value(end) for end in bounds)
    beyond = []
    for wide, kept in [(free.table(), bounded.table()), (free.curve("tpe"), bounded.curve("tpe"))]:
        assert np.all(kept.low == np.maximum(wide.low, ends[0]))
        assert np.all(kept.high == np.minimum(wide.high, ends[1]))
        beyond.append(np.any(wide.low < ends[0]) or np.any(wide.high > ends[1]))
    assert all(beyond)


def test_no_difference_is_wider_than_the_metric():
    objective = FunctionObjective(lambda params, seed: float(params["n"] > 2) * (seed % 5) / 4)
    objective.score_bounds = (0.0, 1.0)
    settings = {"strategies": ["random", "tpe"], "n_calls": 2, "n_repeats": 2}
    (difference,) = compare(objective, {"n": gs.Integer(1, 4)}, **settings).differences()
    assert (difference.end.low, difference.end.high) == (-1.0, 1.0)


def test_bounds_that_a_score_lies_beyond_are_none():
    objective = FunctionObjective(lambda params: 90 + params["x"])
    objective.score_bounds = (0.0, 1.0)
    found = compare(objective, SPACE, strategies=["grid", "random"], n_calls=4, n_repeats=2)
    assert (found.table().high >= found.table().score).all()


def test_a_strategy_does_not_depend_on_its_company():
    alone, together = small(), small(strategies=["tpe", "random", "grid"])
    for strategy in ("grid", "random"):
        np.testing.assert_array_equal(alone.best_of(strategy), together.best_of(strategy))


def test_equal_params_of_a_repeat_are_evaluated_once_and_score_the_same():
    calls = []

    def counted(params, seed):
        calls.append((params["n"], params["act"], seed))
        return noisy({"x": 0.5, **params}, seed)

    space = {"n": gs.Integer(1, 4), "act": ["relu", "tanh"]}
    comparison = compare(
        counted, space, strategies=["random", "grid", "tpe"], n_calls=8, n_repeats=3
    )
    # 8 points in all: every run visits each of them
    assert len(calls) == len(set(calls)) == 3 * 8
    frame = comparison.to_frame()
    assert frame.shared.sum() == 2 * 24
    spread = frame.groupby(["repeat", "param_n", "param_act"]).score.nunique()
    assert (spread == 1).all()
    assert frame.groupby(["param_n", "param_act"]).score.nunique().min() == 3
    # sharing is not a discount
    charged = frame.groupby(["repeat", "param_n", "param_act"]).seconds.nunique()
    assert (charged == 1).all()


def test_sharing_changes_no_score():
    shared = small(strategies={"first": "grid", "second": "grid"})
    assert shared.to_frame().shared.sum() == 3 * 6
    for row in shared.to_frame().to_dict("records"):
        params = {"x": row["param_x"], "n": row["param_n"]}
        assert row["score"] == pytest.approx(np.mean(noisy(params, row["seed"])), abs=1e-15)


def test_the_seed_of_an_evaluation_depends_on_repeat_and_params_alone():
    space = Space(SPACE)
    seed = evaluation_seed(5, space, {"x": 0.25, "n": 2})
    assert seed == evaluation_seed(5, space, {"n": 2, "x": 0.25})
    assert seed != evaluation_seed(6, space, {"x": 0.25, "n": 2})
    assert seed != evaluation_seed(5, space, {"x": 0.25, "n": 3})


def test_strategies_of_ones_own():
    class Corner:
        name = "corner"

        def propose(self, history, number):
            return [number / 10, 1]

    def late(space, *, seed, n_calls):
        return gs.strategy.make_strategy("random", space, seed=seed + 1, n_calls=n_calls)

    comparison = small(strategies={"corner": Corner(), "random": "random", "late": late})
    assert comparison.strategies == ("corner", "random", "late")
    assert comparison.to_frame().query("strategy == 'corner'").param_x.max() == 0.5
    named = small(strategies=[Corner(), "random"])
    np.testing.assert_array_equal(named.best_of("corner"), comparison.best_of("corner"))


def test_a_first_score_of_any_size_does_not_decide_what_is_said_of_a_run():
    seen = []

    def explodes_once(params, seed):
        seen.append(params)
        return -1e14 if len(seen) == 1 else -((params["x"] - 0.3) ** 2)

    comparison = compare(
        explodes_once, SPACE, strategies=["random", "grid"], n_calls=12, n_repeats=2
    )
    assert comparison.best.min() == -1e14
    assert np.abs(comparison.area).max() < 1.0
    assert "e+" not in comparison.summary()


def test_losses_are_shown_as_losses():
    scores = compare(lambda p: -p["x"], SPACE, strategies=["tpe", "random"], n_calls=5, n_repeats=2)
    losses = compare(
        lambda p: p["x"],
        SPACE,
        strategies=["tpe", "random"],
        n_calls=5,
        n_repeats=2,
        greater_is_better=False,
    )
    np.testing.assert_allclose(losses.curve("tpe").mean, -scores.curve("tpe").mean)
    assert losses.differences()[0].end.value == pytest.approx(scores.differences()[0].end.value)
    assert losses.to_frame().best.is_monotonic_increasing is False
    assert losses.score_name == "loss"
    shown = losses._repr_html_()
    assert all(f"<td>{cell}</td>" in shown for row in table_cells(losses)[1] for cell in row)
    assert (losses.curve("tpe").low <= losses.curve("tpe").high).all()


# ------------------------------------------------------------------ known answers


def test_what_is_known_of_a_strategy_that_is_told_the_answer():
    class Oracle:
        name = "oracle"

        def propose(self, history, number):
            return [0.0 if number == 0 else 1.0 - number / 100]

    comparison = compare(
        lambda p: -p["x"],
        {"x": (0.0, 1.0)},
        strategies=[Oracle(), "random"],
        n_calls=10,
        n_repeats=6,
    )
    (difference,) = comparison.differences()
    assert difference.strategy == "oracle"
    assert difference.baseline == "random"
    # the expected least of 10 uniform draws is 1 / 11
    assert difference.end.low < 1 / 11 < difference.end.high
    assert difference.better.value == 1.0
    assert difference.p == pytest.approx(2 / 2**6)
    saving = comparison.saving("oracle")
    assert math.isinf(saving.random_evaluations.value)
    assert saving.most == 60
    assert "more than 60 evaluations" in comparison.summary()


def test_evaluations_saved_against_the_exact_law():
    """A strategy that holds 0.1 from the start is worth the 9 draws whose expected least is 0.1."""

    class Tenth:
        name = "tenth"

        def propose(self, history, number):
            return [0.1 + number / 100]

    comparison = compare(
        lambda p: -p["x"],
        {"x": (0.0, 1.0)},
        strategies=[Tenth(), "random"],
        n_calls=15,
        n_repeats=16,
    )
    needs = comparison.saving("tenth").random_evaluations
    assert needs.low < 9.0 < needs.high
    assert needs.value == pytest.approx(9.0, rel=0.25)
    assert comparison.saving("tenth").evaluations.value == pytest.approx(needs.value - 15)


def test_no_more_random_evaluations_are_needed_than_the_space_has_points():
    """Random search repeats no configuration: what all repeats evaluated is one sample of them."""
    space = {"n": gs.Integer(1, 12)}
    worth = lambda params: -abs(params["n"] - 7.0)  # noqa: E731
    comparison = compare(worth, space, strategies=["grid", "random"], n_calls=12, n_repeats=5)
    saving = comparison.saving("grid")
    needs = saving.random_evaluations
    assert (saving.most, needs.value, needs.low, needs.high) == (12, 12.0, 12.0, 12.0)
    orders = [np.random.default_rng(seed).permutation(12) - 6.0 for seed in range(2000)]
    truth = np.maximum.accumulate(-np.abs(orders), axis=1).mean(axis=0)
    comparison = compare(worth, space, strategies=["grid", "random"], n_calls=6, n_repeats=20)
    needs = comparison.saving("grid").random_evaluations  # its best is 1 from the optimum
    assert needs.value == pytest.approx(np.interp(-1.0, truth, np.arange(1, 13)), abs=0.2)


def test_what_rounding_leaves_is_neither_a_win_nor_a_spread():
    class Only:
        def __init__(self, n):
            self.n = n

        def propose(self, history, number):
            return [self.n]

    comparison = compare(
        lambda params: [[0.05, 0.05, 0.05], [0.0, 0.0, 0.15]][params["n"]],
        {"n": gs.Integer(0, 1)},
        strategies={"one": Only(0), "other": Only(1)},
        n_calls=1,
        n_repeats=3,
    )
    assert comparison.best[0, 0, 0] > comparison.best[1, 0, 0]
    (found,) = comparison.differences()
    assert (found.end.value, found.end.high, found.better.value, found.p) == (0.0, 0.0, 0.5, 1.0)
    assert (found.area.value, found.area.high) == (0.0, 0.0)
    assert "by exactly" not in comparison.summary()


def test_a_strategy_equal_to_random_is_within_the_noise():
    comparison = compare(
        noisy,
        SPACE,
        n_calls=8,
        n_repeats=6,
        strategies={
            "random": "random",
            "other": lambda space, *, seed, n_calls: gs.strategy.make_strategy(
                "random", space, seed=seed + 99, n_calls=n_calls
            ),
        },
    )
    said = comparison.summary()
    assert "other and random cannot be told apart" in said
    assert "within the noise of 6 repeats" in said


def test_few_repeats_are_said_to_be_few():
    said = small(n_repeats=3, strategies=["grid", "random", "tpe"]).summary()
    assert "With 3 repeats the rank test cannot go below p = 0.25" in said


@pytest.mark.parametrize(("repeats", "apart"), [(3, False), (6, True)])
def test_the_very_same_difference_in_few_repeats_is_no_certainty(repeats, apart):
    class Low:
        def propose(self, history, number):
            return [0.1 * number, 1]

    class High:
        def propose(self, history, number):
            return [0.1 * number + 0.5, 1]

    said = compare(
        lambda params: round(params["x"], 1),
        SPACE,
        strategies={"high": High(), "low": Low()},
        n_calls=3,
        n_repeats=repeats,
    ).summary()
    assert ("by exactly as much each time" in said) != apart
    assert ("low is worse than high by 0.5" in said) == apart


def test_repeats_that_ended_equal_are_not_told_as_half_of_a_win():
    class Only:
        def __init__(self, n):
            self.n = n

        def propose(self, history, number):
            return [self.n]

    seeds = {}

    def better(space, *, seed, n_calls):
        """As good for the first seeds."""
        return Only(1 if seeds.setdefault(seed, len(seeds)) < 2 else 2)

    said = compare(
        lambda params: float(params["n"]),
        {"n": gs.Integer(1, 3)},
        strategies={"better": better, "same": Only(1)},
        n_calls=1,
        n_repeats=6,
    ).summary()
    assert "same is worse than better by" in said
    assert "was better in 0 of 6 repeats and as good in " in said


def test_equal_scores_are_said_to_be_equal():
    comparison = compare(
        lambda p: 0.5, SPACE, strategies=["grid", "random"], n_calls=3, n_repeats=2
    )
    assert comparison.all_equal
    assert "Every evaluation gave the same score" in comparison.summary()
    assert "<li>Every evaluation" in comparison._repr_html_()
    assert comparison.saving("grid").random_evaluations == Interval(value=1.0, low=1.0, high=1.0)


def test_failures_count_against_a_run_but_do_not_void_it():
    def half(params):
        if params["x"] > 0.5:
            raise ValueError("diverged")
        return params["x"]

    comparison = compare(half, SPACE, strategies=["grid", "random"], n_calls=10, n_repeats=4)
    assert np.isnan(comparison.scores).any()
    for scores, best in zip(
        comparison.scores.reshape(-1, 10), comparison.best.reshape(-1, 10), strict=True
    ):
        for n in range(1, 11):
            known = scores[:n][np.isfinite(scores[:n])]
            assert best[n - 1] == (known.max() if len(known) else np.nanmin(comparison.scores))
    frame = comparison.to_frame()
    assert set(frame.state) == {"complete", "failed"}
    assert comparison.table().shape[0] == 2


def test_an_exhausted_space_ends_a_run_early_and_keeps_its_best():
    comparison = compare(
        lambda p: p["n"],
        {"n": gs.Integer(1, 3)},
        strategies=["grid", "random"],
        n_calls=6,
        n_repeats=2,
    )
    assert np.isnan(comparison.scores[:, :, 3:]).all()
    assert (comparison.best[:, :, -1] == 3).all()


# ------------------------------------------------------------------ record and resume


def test_a_comparison_is_read_back_from_its_file(tmp_path):
    made = small(study=tmp_path / "c.db")
    read = open_comparison(tmp_path / "c.db")
    assert values(made).equals(values(read))
    assert str(made) == str(read)


@pytest.mark.parametrize("survives", [0, 1, 7, 8, 20, 35])
def test_a_comparison_that_died_goes_on_as_if_it_had_not(tmp_path, survives):
    calls = []

    def mortal(params, seed):
        if len(calls) == survives:
            raise KeyboardInterrupt
        calls.append(params)
        return noisy(params, seed)

    def immortal(params, seed):
        return noisy(params, seed)

    path = tmp_path / "c.db"
    space = Space(SPACE)
    objectives = [gs.objective.function.FunctionObjective(f) for f in (mortal, immortal)]
    for objective in objectives:
        objective.fingerprint = lambda: "the same"
        objective.name = "noisy"
    with pytest.raises(KeyboardInterrupt):
        compare(
            objectives[0], space, strategies=["gp", "random"], n_calls=9, n_repeats=2, study=path
        )
    assert "interrupted" in Study.open(path).stop_reason
    resumed = compare(
        objectives[1], space, strategies=["gp", "random"], n_calls=9, n_repeats=2, study=path
    )
    whole = compare(immortal, space, strategies=["gp", "random"], n_calls=9, n_repeats=2)
    assert values(resumed).equals(values(whole))


def test_more_repeats_and_strategies_extend_a_comparison(tmp_path):
    path = tmp_path / "c.db"
    first = small(study=path, n_repeats=2)
    n = len(Study.open(path).trials)
    more = small(study=path, n_repeats=4, strategies=["grid", "random", "tpe"])
    np.testing.assert_array_equal(more.best[:2, :2], first.best)
    assert len(Study.open(path).trials) == n + 2 * 2 * 6 + 4 * 6
    assert values(more).equals(values(small(n_repeats=4, strategies=["grid", "random", "tpe"])))


def test_an_unfinished_comparison_shows_its_complete_repeats(tmp_path):
    calls = []

    def mortal(params):
        calls.append(params)
        if len(calls) == 29:
            raise KeyboardInterrupt
        return params["x"]

    with pytest.raises(KeyboardInterrupt):
        compare(
            mortal,
            SPACE,
            strategies=["grid", "random"],
            n_calls=6,
            n_repeats=4,
            study=tmp_path / "c.db",
        )
    assert open_comparison(tmp_path / "c.db").n_repeats == 2


# ------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("options", "match"),
    [
        pytest.param({"n_repeats": 1}, "one run of each strategy cannot", id="one repeat"),
        pytest.param({"n_repeats": 0}, "n_repeats", id="no repeat"),
        pytest.param({"strategies": ["gp", "bogo"]}, "'bogo'.*no such strategy", id="unknown"),
        pytest.param({"strategies": ["gp"]}, "at least two", id="one strategy"),
        pytest.param({"strategies": "gp"}, "at least two", id="a name alone"),
        pytest.param({"strategies": ["gp", "gp"]}, "'gp' occurs twice", id="twice"),
        pytest.param({"strategies": {"gp": "gp", "\ud800": "random"}}, "surrogate", id="half"),
        pytest.param({"strategies": ["gp", 3]}, "neither a strategy nor", id="a number"),
        pytest.param({"n_calls": 0}, r"compare\(n_calls=0\)", id="no calls"),
        pytest.param({"random_state": -1}, "random_state", id="seed"),
    ],
)
def test_bad_arguments_are_refused_before_any_evaluation(options, match):
    def never(params):
        raise AssertionError

    settings = {"strategies": ["grid", "random"]} | options
    with pytest.raises(InvalidSearchError, match=match):
        compare(never, SPACE, **settings)


def test_a_run_without_a_complete_trial_is_named():
    def fails(params):
        raise ValueError("no memory left")

    with pytest.raises(StudyError, match=r"'grid'.*repeat 0.*no memory left"):
        compare(fails, SPACE, strategies=["grid", "random"], n_calls=1, n_repeats=2)
    with pytest.raises(InvalidObjectiveError, match=r"same error.*ValueError: no memory left"):
        compare(fails, SPACE, strategies=["grid", "random"], n_calls=9, n_repeats=2)


def test_another_budget_is_another_comparison(tmp_path):
    small(study=tmp_path / "c.db")
    with pytest.raises(StudyMismatchError, match="n_calls=6"):
        small(study=tmp_path / "c.db", n_calls=7)
    with pytest.raises(StudyMismatchError, match="another space"):
        compare(
            noisy,
            {**SPACE, "z": (0.0, 1.0)},
            strategies=["grid", "random"],
            n_calls=6,
            n_repeats=3,
            study=tmp_path / "c.db",
        )


def test_a_single_search_is_no_comparison(tmp_path):
    gs.search(lambda p: p["x"], SPACE, n_calls=2, study=tmp_path / "s.db", progress=False)
    with pytest.raises(StudyError, match="a single search"):
        open_comparison(tmp_path / "s.db")
