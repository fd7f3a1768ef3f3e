import math
import sys
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
import skopt.space

from gpsearch.errors import InvalidParamsError, InvalidSpaceError, SpaceExhaustedError
from gpsearch.optimizer.skopt_arguments import read_space
from gpsearch.space import Categorical, Integer, Real, Space


@pytest.fixture
def rng():
    return np.random.default_rng(0)


class TestReading:
    def test_scikit_optimize_dimensions_are_copied_not_changed(self):
        mine = Real(1.0, 10.0, prior="log-uniform")
        space = Space({"lr": mine})
        assert mine.name is None
        assert mine.transform_ == "identity"
        assert space.names == ["lr"]
        assert isinstance(space, skopt.space.Space)

    @pytest.mark.parametrize(
        ("entry", "expected"),
        [
            ((1, 6), {"type": "integer", "low": 1, "high": 6, "prior": "uniform"}),
            ((0.0, 6), {"type": "real", "low": 0.0, "high": 6, "prior": "uniform"}),
            ((1e-4, 1.0, "log-uniform"), {"type": "real", "prior": "log-uniform"}),
            (scipy.stats.uniform(2, 3), {"type": "real", "low": 2.0, "high": 5.0}),
            (
                scipy.stats.loguniform(1e-3, 1),
                {"type": "real", "low": 1e-3, "prior": "log-uniform"},
            ),
            ((np.int64(1), np.int32(9)), {"type": "integer", "low": 1, "high": 9}),
            ((np.uint8(1), 9, "log-uniform"), {"type": "integer", "prior": "log-uniform"}),
            (tuple(np.array([1, 9])), {"type": "integer", "low": 1, "high": 9}),
            (tuple(np.array([1.0, 9.0])), {"type": "real", "low": 1.0, "high": 9.0}),
            ((np.float32(0.5), 2), {"type": "real", "low": 0.5, "high": 2}),
            ({"low": np.int64(1), "high": np.int64(9)}, {"type": "integer"}),
            (Integer(np.int64(1), 9.0), {"type": "integer", "low": 1, "high": 9}),
            (scipy.stats.randint(2, 9), {"type": "integer", "low": 2, "high": 8}),
            (["a", "b"], {"type": "categorical", "categories": ["a", "b"]}),
            (np.array([8, 16]), {"type": "categorical", "categories": [8, 16]}),
            (range(1, 4), {"type": "categorical", "categories": [1, 2, 3]}),
            ({"low": 1, "high": 4}, {"type": "integer", "low": 1, "high": 4}),
            ({"type": "real", "low": 1, "high": 4}, {"type": "real"}),
            ({"categories": ["x", "y"]}, {"type": "categorical"}),
        ],
    )
    def test_an_entry_is_read_as_its_library_reads_it(self, entry, expected):
        (described,) = Space({"x": entry}).to_json()["dimensions"]
        assert expected.items() <= described.items()

    def test_single_values_are_fixed_and_reach_the_params(self):
        space = Space({"lr": (0.1, 0.9), "epochs": 20, "opt": ["adam"], "none": None})
        assert space.names == ["lr"]
        assert space.params([0.5]) == {"lr": 0.5, "epochs": 20, "opt": "adam", "none": None}
        assert space.point({"lr": 0.5, "epochs": 20}) == [0.5]
        with pytest.raises(InvalidParamsError, match="fixed at 20"):
            space.point({"lr": 0.5, "epochs": 21})

    @pytest.mark.parametrize("prior", ["log", "loguniform", "log_uniform", "log-uniform"])
    def test_a_logarithmic_scale_has_several_names(self, prior):
        wanted = Space({"lr": Real(1e-4, 1.0, "log-uniform")}).fingerprint()
        assert Space({"lr": (1e-4, 1.0, prior)}).fingerprint() == wanted
        assert Space({"lr": Real(1e-4, 1.0, prior)}).fingerprint() == wanted
        assert Space({"lr": {"low": 1e-4, "high": 1.0, "prior": prior}}).fingerprint() == wanted

    def test_a_list_of_unnamed_dimensions_is_named_as_scikit_optimize_names_it(self):
        assert Space([(0, 1), Real(0, 1, name="lr"), ["a", "b"]]).names == ["X_0", "lr", "X_2"]

    @pytest.mark.parametrize(
        ("specification", "message"),
        [
            pytest.param({}, "at least one dimension", id="nothing"),
            pytest.param({"a": 1}, "at least one dimension", id="all fixed"),
            pytest.param({"a": []}, r"'a': ...}\): must hold at least one", id="empty list"),
            pytest.param({"a": object()}, "<object object at", id="unknown entry"),
            pytest.param({"a": (2, 1)}, r"'a': ...}\): the bounds 2 and 1", id="low above high"),
            pytest.param({"a": (1, "b")}, r"the tuple \(1, 'b'\) must", id="half a tuple"),
            pytest.param({"a": (1.0, 2.0, "normal")}, "must be", id="unknown prior"),
            pytest.param({"a": (0.0, 1.0, "log-uniform")}, "'a'", id="log prior at zero"),
            pytest.param({"a": (-2.0, -1.0, "log-uniform")}, "above zero", id="log prior below"),
            pytest.param({"a": (0.0, float("inf"))}, "finite", id="infinite bound"),
            pytest.param({"a": (0.0, float("nan"))}, "finite", id="nan bound"),
            pytest.param({"a": {"low": 1}}, "lacks 'high'", id="table without high"),
            pytest.param({"a": {"low": 1, "hgih": 2}}, "unknown key 'hgih'", id="misspelled key"),
            pytest.param({"a": {"type": "float", "low": 0, "high": 1}}, "'float'", id="type"),
            pytest.param(
                {"a": {"type": "integer", "low": 0.5, "high": 2}}, "whole", id="broken integer"
            ),
            pytest.param({"a": ["x", "x"]}, "occur once", id="repeated category"),
            pytest.param({"a": [1.0, float("nan")]}, "NaN", id="nan category"),
            pytest.param({"a": [[1], [2]]}, "hashable", id="unhashable category"),
            pytest.param({"a": scipy.stats.norm()}, "scipy.stats.norm", id="unbounded"),
            pytest.param({"a": (0, 2**60)}, r"2\*\*53", id="huge integer"),
            pytest.param(
                {"a": [1e-4, 1.0, "log"]},
                r"'a'.*tuple \(0.0001, 1.0, 'log'\).*\{low = 0.0001, high = 1.0, prior = 'log'\}",
                id="a list for a tuple",
            ),
            pytest.param(
                {"a": {"low": 0, "high": 1, "when": {"b": []}}, "b": ["x", "y"]},
                "the condition on 'a' has no value of 'b'",
                id="condition that never holds",
            ),
            pytest.param({1: (0, 1)}, "name 1", id="name"),
            pytest.param({"a": ["\ud800", "b"]}, "surrogate", id="half a character"),
            pytest.param({"a": "\ud800", "b": (0, 1)}, "surrogate", id="half a fixed one"),
            pytest.param({"\ud800": (0, 1)}, "surrogate", id="half a name"),
            pytest.param([Real(0, 1, name="a"), Real(0, 1, name="a")], "twice", id="same name"),
            pytest.param("lr", "dimensions='lr'", id="a string"),
            pytest.param(None, "dimensions=None", id="None"),
        ],
    )
    def test_a_broken_specification_is_refused_by_name(self, specification, message):
        with pytest.raises(InvalidSpaceError, match=message):
            Space(specification)

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            pytest.param(lambda: Real("a", "b"), r"Real\(low='a'\): the bounds 'a' and", id="text"),
            pytest.param(lambda: Real(0, 10**400), "must be numbers", id="beyond all floats"),
            pytest.param(lambda: Integer(-(10**400), 1), "must be numbers", id="a negative one"),
            pytest.param(lambda: Real(0, "1"), r"Real\(high='1'\): the bounds 0 and", id="half"),
            pytest.param(lambda: Real(None, 1), r"low=None\): .* must be numbers", id="None"),
            pytest.param(lambda: Real(True, 5), "low=True.* must be numbers", id="boolean"),
            pytest.param(lambda: Real(2, 1), "2 and 1 must be finite, and the lower", id="order"),
            pytest.param(lambda: Real(0, np.inf), "must be finite", id="infinite"),
            pytest.param(lambda: Real(1, 2, "normal"), r"\(prior='normal'\)", id="prior"),
            pytest.param(lambda: Real(0, 1, "log-uniform"), "above zero.*Raise it", id="log zero"),
            pytest.param(lambda: Real(5e-324, 1, "log-uniform"), "precise", id="denormal"),
            pytest.param(lambda: Integer("a", "b"), r"Integer\(low='a'\)", id="integer text"),
            pytest.param(lambda: Integer(0.5, 3.7), r"low=0.5\): .* whole", id="broken integer"),
            pytest.param(lambda: Integer(1, 2**60), r"2\*\*53", id="huge integer"),
            pytest.param(lambda: Categorical([]), r"categories=\[\]\): must hold", id="nothing"),
            pytest.param(lambda: Categorical("abc"), "'abc'.*list of choices", id="a string"),
            pytest.param(lambda: Categorical(None), "list of choices", id="no categories"),
            pytest.param(lambda: Categorical([[1], [2]]), "as a tuple", id="lists"),
            pytest.param(lambda: Categorical(["a"], [2]), "sum 1", id="prior's sum"),
            pytest.param(lambda: Categorical(["a"], "uniform"), "probability", id="prior's kind"),
        ],
    )
    def test_a_dimension_names_the_argument_that_breaks_a_rule(self, make, message):
        with pytest.raises(InvalidSpaceError, match=message):
            make()

    @pytest.mark.parametrize(
        ("stock", "message"),
        [
            pytest.param(skopt.space.Integer(0.5, 3.7), "must be whole", id="broken integer"),
            pytest.param(skopt.space.Real(1e-320, 1, "log-uniform"), "precise", id="denormal"),
            pytest.param(skopt.space.Real(True, 5), "numbers", id="boolean"),
        ],
    )
    def test_a_dimension_of_scikit_optimize_is_checked_when_it_is_read(self, stock, message):
        with pytest.raises(InvalidSpaceError, match=message):
            Space({"x": stock})

    def test_dimensions_are_scikit_optimizes_own(self):
        made = [Real(0, 1), Integer(1, 3), Categorical(["a", "b"])]
        kinds = [skopt.space.Real, skopt.space.Integer, skopt.space.Categorical]
        assert list(map(type, made)) == kinds
        assert list(map(isinstance, made, [Real, Integer, Categorical])) == [True] * 3
        assert not isinstance(made[0], Integer)
        assert Real(0, 1, base=2, name="x", prior="uniform").name == "x"

    def test_an_unknown_dimension_kind_is_refused(self):
        with pytest.raises(InvalidSpaceError, match="must be a Real, an Integer"):
            Space({"a": skopt.space.space.Dimension()})


class TestConversion:
    def test_z_of_a_log_dimension_is_linear_in_the_exponent(self):
        space = Space({"lr": Real(1e-4, 1.0, prior="log-uniform")})
        np.testing.assert_allclose(
            space.to_z([[1e-4], [1e-3], [1e-2], [1.0]])[:, 0], [0, 0.25, 0.5, 1]
        )

    def test_numbers_are_ordered_however_they_are_listed_and_others_are_not(self):
        space = Space(
            {
                "rising": [16, 32, 1000],
                "falling": [3.0, 2.0, 1.0],
                "mixed": [2, 1, 3],
                "text": ["a", "b", "c"],
                "pair": [32, 64],
                "bools": [False, True, 2],
            }
        )
        assert space.categorical.tolist() == [False, False, False, True, True, True]
        z = space.to_z([[32, 3.0, 2, "b", 64, 2]])
        np.testing.assert_array_equal(z[0][:3], [0.5, 0.0, 0.5])
        assert space.from_z(z) == [[32, 3.0, 2, "b", 64, 2]]

    def test_probabilities_follow_their_numbers(self):
        listed = Categorical([3, 1, 2], prior=[0.6, 0.1, 0.3], transform="identity")
        drawn = Space({"n": listed}).from_z(Space({"n": listed}).quantile([[0.05], [0.2], [0.9]]))
        assert drawn == [[1], [2], [3]]

    def test_a_fraction_bounds_a_real(self):
        assert Real(Fraction(1, 4), 2).low == 0.25
        assert Space({"x": (Fraction(1, 4), 2)}).point({"x": Fraction(1, 2)}) == [0.5]

    def test_numpy_integers_bound_an_integer(self):
        space = Space({"n": (np.int64(1), np.int64(6)), "x": (np.float64(0), np.int64(1))})
        assert list(map(isinstance, space.dimensions, [Integer, Real])) == [True, True]

    def test_true_and_one_are_different_categories(self):
        space = Space({"a": Categorical([1, True, "1"], transform="identity")})
        assert space.params(space.from_z(space.to_z([[True]]))[0])["a"] is True
        assert space.params([1])["a"] is not True

    def test_categories_come_back_as_the_users_own_objects(self):
        def relu(): ...

        def tanh(): ...

        space = Space({"act": [relu, tanh], "opt": [("sgd", 0.9), None]})
        (point,) = space.from_z(space.to_z([[tanh, ("sgd", 0.9)]]))
        assert point[0] is tanh
        assert space.unstorable == ["act"]

    def test_numpy_scalars_become_plain_python(self):
        space = Space({"n": (1, 9), "x": (0.0, 1.0), "c": ["a", "b"]})
        (point,) = space.canonical([[np.int64(3), np.float32(0.5), np.str_("a")]])
        assert [type(v) for v in point] == [int, float, str]

    @pytest.mark.parametrize(
        ("point", "message"),
        [
            ([0.5], "has 1 values"),
            ([2.0, 1, "a"], r"'x': 2.0.*from 0 to 1"),
            ([float("nan"), 1, "a"], r"'x': nan.*from 0 to 1"),
            (["0.5", 1, "a"], r"'x': '0.5'.*from 0 to 1"),
            ([True, 1, "a"], r"'x': True.*from 0 to 1"),
            ([0.5, 1.5, "a"], r"'n': .*1.5.* whole"),
            ([0.5, 1, "z"], r"'c': 'z'.*one of \['a', 'b'\]"),
            ([0.5, 1, ["a"]], r"one of \['a', 'b'\]"),
        ],
    )
    def test_a_foreign_value_is_refused(self, point, message):
        space = Space({"x": (0.0, 1.0), "n": (1, 9), "c": ["a", "b"]})
        with pytest.raises(InvalidParamsError, match=message):
            space.to_z([point])
        assert point not in space

    @pytest.mark.parametrize(
        ("params", "message"), [({"x": 0.5}, "'c' is missing"), ({"x": 0.5, "d": 1}, "has no 'd'")]
    )
    def test_params_with_wrong_names_are_refused(self, params, message):
        with pytest.raises(InvalidParamsError, match=message):
            Space({"x": (0.0, 1.0), "c": ["a", "b"]}).point(params)


class TestDraws:
    def test_integer_end_points_are_as_likely_as_the_others(self, rng):
        draws = [p[0] for p in Space({"n": (1, 4)}).sample(8000, rng)]
        counts = np.bincount(draws, minlength=5)[1:]
        assert scipy.stats.chisquare(counts).pvalue > 1e-3

    def test_log_integers_are_drawn_by_the_width_of_their_cell(self, rng):
        space = Space({"n": Integer(1, 50, prior="log-uniform")})
        counts = np.bincount([p[0] for p in space.sample(8000, rng)], minlength=51)[1:]
        k = np.arange(1, 51)
        shares = np.log((k + 0.5) / (k - 0.5))
        assert scipy.stats.chisquare(counts, shares / shares.sum() * 8000).pvalue > 1e-3

    def test_categories_follow_their_prior(self, rng):
        space = Space({"c": Categorical(["a", "b", "c"], prior=[0.7, 0.1, 0.2])})
        draws = [p[0] for p in space.sample(8000, rng)]
        counts = [draws.count(c) for c in "abc"]
        assert scipy.stats.chisquare(counts, [5600, 800, 1600]).pvalue > 1e-3

    def test_log_reals_are_uniform_in_the_exponent(self, rng):
        space = Space({"lr": Real(1e-5, 10.0, prior="log-uniform")})
        exponents = np.log10([p[0] for p in space.sample(4000, rng)])
        assert scipy.stats.kstest(exponents, scipy.stats.uniform(-5, 6).cdf).pvalue > 1e-3

    def test_rvs_takes_a_random_state_as_scikit_optimize_does(self):
        space = Space({"x": (0.0, 1.0), "n": (1, 9)})
        assert space.rvs(3, random_state=7) == space.rvs(3, random_state=7)
        assert all(type(p[1]) is int for p in space.rvs(3))

    def test_a_constraint_is_respected_and_asks_in_params(self, rng):
        space = Space(
            {"a": (0.0, 1.0), "b": (0.0, 1.0)}, constraint=lambda p: p["a"] + p["b"] < 0.3
        )
        assert all(a + b < 0.3 for a, b in space.sample(50, rng))
        assert space.feasible([[0.1, 0.1], [0.5, 0.5]]).tolist() == [True, False]
        assert [0.5, 0.5] not in space

    def test_an_impossible_constraint_ends_with_a_sentence(self, rng):
        space = Space({"a": (0.0, 1.0)}, constraint=lambda p: False)
        with pytest.raises(SpaceExhaustedError, match="Widen the constraint"):
            space.sample(2, rng)

    @pytest.mark.parametrize("wrong", ["no", "False", math.nan, [False], None, iter("a"), 2])
    def test_a_constraint_that_returns_no_truth_value_is_refused(self, wrong):
        for space in (
            Space({"a": (0.0, 1.0)}, constraint=lambda p: wrong),
            read_space([(0.0, 1.0)], lambda point: wrong),
        ):
            with pytest.raises(InvalidSpaceError, match="neither true nor false"):
                space.feasible([[0.5]])

    @pytest.mark.parametrize("right", [True, np.True_, 1, np.float64(1.0)])
    def test_what_equals_true_or_false_is_a_truth_value(self, right):
        assert Space({"a": (0.0, 1.0)}, constraint=lambda p: right).feasible([[0.5]])[0]

    def test_a_constraint_does_not_end_the_program(self):
        space = Space({"a": (0.0, 1.0)}, constraint=lambda p: sys.exit(4))
        with pytest.raises(InvalidSpaceError, match="SystemExit: 4"):
            space.feasible([[0.5]])

    def test_a_scikit_optimize_space_brings_its_constraint_on_points(self, rng):
        stock = skopt.space.Space([Real(0, 1, name="a")], constraint=lambda point: point[0] < 0.2)
        assert all(p[0] < 0.2 for p in Space(stock).sample(20, rng))

    def test_a_finite_space_lists_its_points(self):
        space = Space({"n": (1, 3), "c": ["a", "b"]}, constraint=lambda p: p["n"] != 2)
        assert space.cardinality == 6
        assert space.enumerate() == [[1, "a"], [1, "b"], [3, "a"], [3, "b"]]
        assert Space({"x": (0.0, 1.0)}).enumerate() is None
        assert Space({"n": (1, 3)}).enumerate(limit=2) is None


class TestConditions:
    @pytest.fixture
    def space(self):
        return Space(
            {
                "opt": ["adam", "sgd", "rmsprop"],
                "momentum": (0.0, 0.9),
                "nesterov": {"categories": [False, True], "when": {"momentum_on": True}},
                "momentum_on": [True, False],
            },
            conditions={
                "momentum": {"opt": ["sgd", "rmsprop"], "momentum_on": True},
                "momentum_on": {"opt": ["sgd", "rmsprop"]},
            },
        )

    def test_absent_dimensions_are_absent_from_the_params(self, space):
        assert space.params(["adam", 0.3, True, True]) == {"opt": "adam"}
        assert space.params(["sgd", 0.3, True, False]) == {"opt": "sgd", "momentum_on": False}
        assert len(space.params(["sgd", 0.3, True, True])) == 4

    def test_points_that_differ_only_there_are_one_point(self, space):
        assert space.key(["adam", 0.3, True, True]) == space.key(["adam", 0.7, False, False])
        np.testing.assert_array_equal(
            *space.to_z([["adam", 0.3, True, True], ["adam", 0.7, False, False]])
        )
        assert space.point({"opt": "adam"}) == ["adam", 0.45, False, True]

    def test_every_draw_gives_params_that_return(self, space, rng):
        for point in space.sample(200, rng):
            assert space.point(space.params(point)) == point

    def test_a_finite_space_lists_only_what_differs(self):
        space = Space(
            {"layers": (1, 3), "units_3": ["few", "many"]}, conditions={"units_3": {"layers": 3}}
        )
        assert [space.params(p) for p in space.enumerate()] == [
            {"layers": 1},
            {"layers": 2},
            {"layers": 3, "units_3": "few"},
            {"layers": 3, "units_3": "many"},
        ]

    @pytest.mark.parametrize(
        ("conditions", "message"),
        [
            ({"momentum": {"optimizer": "sgd"}}, "'optimizer', which is not a dimension"),
            ({"momentum": {"opt": "sdg"}}, r"'sdg'.*one of \['adam'"),
            ({"momentum": {"opt": "sgd"}, "opt": {"momentum": 0.5}}, "circle"),
            ({"momentum": "sgd"}, "must be a table"),
        ],
    )
    def test_a_broken_condition_is_refused(self, conditions, message):
        with pytest.raises(InvalidSpaceError, match=message):
            Space({"opt": ["adam", "sgd"], "momentum": (0.0, 0.9)}, conditions=conditions)


class TestFingerprint:
    def test_it_tells_apart_what_scikit_optimize_takes_for_equal(self):
        first, *others = [
            Space({"x": dimension})
            for dimension in (
                Real(1e-10, 1.0, prior="log-uniform"),
                Real(1e-9, 1.0, prior="log-uniform"),
                Real(1e-10, 1.0),
                Integer(1, 5),
                Integer(1, 5, prior="log-uniform"),
            )
        ]
        assert len({space.fingerprint() for space in (first, *others)}) == 5
        assert first not in others

    def test_names_order_fixed_values_and_conditions_count(self):
        specifications = [
            Space({"a": (0, 1), "b": (0, 1)}),
            Space({"b": (0, 1), "a": (0, 1)}),
            Space({"a": (0, 1), "b": (0, 1), "c": 1}),
            Space({"a": (0, 1), "b": (0, 1)}, conditions={"b": {"a": 1}}),
            Space({"a": (0, 1), "b": (0, 1)}, constraint=lambda p: True),
        ]
        assert len({space.fingerprint() for space in specifications}) == 5
        assert Space(specifications[2]) == specifications[2]
        assert hash(Space(specifications[3])) == hash(specifications[3])

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            pytest.param(Space({"x": (0, 1.0)}), Space({"x": (0.0, 1)}), id="types of bounds"),
            pytest.param(Space({"x": (-0.0, 1.0)}), Space({"x": (0.0, 1.0)}), id="sign of zero"),
            pytest.param(
                Space({"x": Categorical(["a", "b"], prior=[0.5, 0.5])}),
                Space({"x": ["a", "b"]}),
                id="even prior",
            ),
            pytest.param(
                Space({"n": (1, 3), "m": (0, 1)}, conditions={"m": {"n": [1, 2]}}),
                Space({"n": (1, 3), "m": (0, 1)}, conditions={"m": {"n": [2.0, 1]}}),
                id="condition",
            ),
            pytest.param(
                Space({"f": [np.mean, np.median]}), Space({"f": [np.mean, np.median]}), id="objects"
            ),
            pytest.param(
                Space({"x": (0, 9)}, constraint=lambda p: p["x"] > 1),
                Space(
                    {"x": (0, 9)},
                    # said in two lines
                    constraint=lambda p: (
                        p["x"] > 1  # at least
                    ),
                ),
                id="layout of a constraint",
            ),
        ],
    )
    def test_other_spellings_of_a_space_are_equal(self, one, other):
        assert one == other
        assert one.fingerprint() == other.fingerprint()

    def test_what_a_constraint_holds_counts(self):
        def at_least(least):
            return Space({"x": (0, 9)}, constraint=lambda p: p["x"] > least)

        assert at_least(1) == at_least(1) != at_least(2)
        assert Space({"f": [np.mean, np.median]}) != Space({"f": [np.mean, np.max]})


def test_a_space_of_before_expectations_moved_to_the_search_opens():
    description = Space({"x": (0.0, 1.0)}).to_json() | {"expected": {"x": [0.5]}}
    assert Space.from_json(description).names == ["x"]


def test_keys_of_several_points_are_those_of_each():
    space = Space(
        {"opt": ["sgd", "adam"], "momentum": (0.0, 0.9), "n": (1, 5)},
        conditions={"momentum": {"opt": "sgd"}},
    )
    points = [["sgd", 0.3, 1], ["adam", 0.3, 1], ["adam", 0.7, 1], ["sgd", 0.3, 1.0]]
    assert space.keys(points) == [space.key(point) for point in points]
    assert len(set(space.keys(points))) == 2


@pytest.mark.parametrize("values", [[1, 2], (1, 2), {1, 2}, frozenset([1, 2]), np.array([1, 2])])
def test_a_condition_may_hold_its_values_in_any_collection(values):
    space = Space({"n": (1, 3), "m": (0, 1)}, conditions={"m": {"n": values}})
    assert space == Space({"n": (1, 3), "m": (0, 1)}, conditions={"m": {"n": [1, 2]}})


@pytest.mark.parametrize("thing", [None, 3, "x", {"x": 0.5}, [None], [[0.5]], np.array(0.5)])
def test_what_is_no_point_is_not_in_a_space(thing):
    assert thing not in Space({"x": (0.0, 1.0)})


@pytest.mark.parametrize("n_samples", [-1, 2.5, "a"])
def test_a_number_of_draws_that_is_none_is_refused(n_samples):
    with pytest.raises(ValueError, match=r"n_samples=.*whole number"):
        Space({"x": (0.0, 1.0)}).rvs(n_samples)
