import numpy as np
import pytest

from gpsearch.errors import InvalidParamsError, InvalidSearchError, SpaceExhaustedError
from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.strategy import History
from gpsearch.strategy.encoded_points import OncePerPoint
from gpsearch.strategy.gp import GPOptions, GPStrategy, known_variances

CONTINUOUS = Space({"x": (-3.0, 5.0), "y": Real(1e-4, 1.0, prior="log-uniform")})
MIXED = Space(
    {
        "x": (0.0, 1.0),
        "rate": Real(1e-5, 1e-1, prior="log-uniform"),
        "n": Integer(1, 12),
        "opt": Categorical(["adam", "sgd", "rmsprop"]),
    }
)


def mixed_loss(point) -> float:
    x, rate, n, opt = point
    return (
        3.0 * (x - 0.7) ** 2
        + (np.log10(rate) + 3.0) ** 2
        + 0.05 * (n - 9) ** 2
        + {"adam": 0.0, "sgd": 0.4, "rmsprop": 0.2}[opt]
    )


def run(space, loss, number, *, seed=0, **options):
    strategy = GPStrategy(space, seed=seed, **options)
    points, losses = [], []
    for n in range(number):
        points.append(strategy.propose(History.of(points, losses), n))
        losses.append(loss(points[-1]))
    return points, losses


def told(space, loss, number, seed=0):
    points = space.sample(number, np.random.default_rng(seed))
    return points, [loss(point) for point in points]


def test_it_finds_the_optimum_of_a_mixed_space():
    _, losses = run(MIXED, mixed_loss, 35)
    assert min(losses) < 0.02


def test_first_points_are_those_of_any_history():
    strategy = GPStrategy(MIXED, seed=3, n_initial_points=4)
    anew = GPStrategy(MIXED, seed=3, n_initial_points=4)
    points, losses = run(MIXED, mixed_loss, 4, seed=3)
    assert [strategy.propose(History(), n) for n in range(4)] == points
    assert anew.propose(History.of(points[:2], losses[:2]), 2) == points[2]


@pytest.mark.parametrize(("n_calls", "first"), [(5, 4), (10, 5), (15, 7), (16, 8), (100, 8)])
def test_half_of_a_small_budget_is_proposed_by_the_model(n_calls, first):
    points, _ = run(MIXED, mixed_loss, min(n_calls, 10), n_calls=n_calls)
    made = ["initial"] * first + ["model"] * (len(points) - first)
    assert [point.source for point in points] == made


def test_the_seed_decides():
    assert run(MIXED, mixed_loss, 3, seed=0)[0] != run(MIXED, mixed_loss, 3, seed=1)[0]


def test_a_resumed_search_proposes_what_the_uninterrupted_one_does():
    points, losses = run(MIXED, mixed_loss, 16)
    fresh = GPStrategy(MIXED, seed=0)
    assert fresh.propose(History.of(points[:15], losses[:15]), 15) == points[15]


def test_without_a_success_the_first_points_go_on():
    strategy = GPStrategy(MIXED, seed=0, n_initial_points=2)
    points = [strategy.propose(History(), n) for n in range(6)]
    history = History.of(points, [float("nan")] * 6)
    proposed = strategy.propose(history, 6)
    assert proposed in MIXED
    assert proposed not in points


def test_failures_are_left_alone_and_distort_nothing():
    def loss(point):  # the optimum is next to a third of the space that fails
        return float("nan") if point[0] > 0.66 else (point[0] - 0.6) ** 2 + (point[1] - 0.3) ** 2

    space = Space({"x": (0.0, 1.0), "y": (0.0, 1.0)})
    _, losses = run(space, loss, 30)
    late = np.isnan(losses[10:])
    assert late.mean() < 0.25
    assert np.nanmin(losses) < 1e-3


def test_pending_points_are_not_proposed_again():
    points, losses = told(CONTINUOUS, lambda p: (p[0] - 1) ** 2 + np.log10(p[1]) ** 2, 12)
    strategy = GPStrategy(CONTINUOUS, seed=0)
    pending: list = []
    for _ in range(4):
        pending.append(strategy.propose(History.of(points, losses, pending=pending), 12))
    Z = CONTINUOUS.to_z(pending)
    apart = np.abs(Z[:, None] - Z[None]).max(axis=2)[np.triu_indices(4, 1)]
    assert apart.min() > 1e-3


def test_a_finite_space_is_visited_whole_and_then_ends():
    space = Space({"n": (1, 4), "c": ["a", "b", "c"]})
    strategy = GPStrategy(space, seed=0, n_initial_points=4)
    points, losses = [], []
    for n in range(12):
        points.append(strategy.propose(History.of(points, losses), n))
        losses.append(float(points[-1][0]))
    assert len({space.key(point) for point in points}) == 12
    with pytest.raises(SpaceExhaustedError):
        strategy.propose(History.of(points, losses), 12)


@pytest.mark.parametrize(
    "dimensions", [[Real(1e15, 1e15 + 1)], [Real(5e-324, 1e-323), Real(1e-12, 1e-8)]]
)
def test_bounds_between_which_few_floats_lie_are_searched_without_a_repeat(dimensions):
    space = Space(dimensions)
    strategy, points = GPStrategy(space, seed=1, n_initial_points=2), []
    for number in range(9):
        history = History.of(points, [float(i % 3) for i in range(number)])
        points.append(strategy.propose(history, number))
    assert len(set(space.keys(points))) == 9


def test_a_constraint_judges_each_candidate_of_a_proposal_once():
    judged = []

    def constraint(params):
        judged.append(tuple(params.items()))
        return params.get("a") != 3

    space = Space(
        {"on": ["yes", "no"], "a": (0, 40), "b": (0, 40)},
        conditions={"a": {"on": "yes"}, "b": {"on": "yes"}},
        constraint=constraint,
    )
    strategy = GPStrategy(space, seed=0, n_initial_points=2)
    points = [["no", 20, 20], ["yes", 1, 2], ["yes", 7, 30], ["yes", 20, 20]]
    judged.clear()
    strategy.propose(History.of(points, [0.0, 1.0, 2.0, 3.0]), 4)
    assert len(set(judged)) == len(judged) > 0


def test_the_constraint_and_the_conditions_hold():
    space = Space(
        {"opt": ["sgd", "adam"], "momentum": (0.0, 0.9), "a": (0.0, 1.0), "b": (0.0, 1.0)},
        conditions={"momentum": {"opt": ["sgd"]}},
        constraint=lambda params: params["a"] + params["b"] <= 1.0,
    )

    def loss(point):
        opt, momentum, a, b = point
        return (opt == "adam") + (momentum - 0.6) ** 2 - a - b

    points, losses = run(space, loss, 25)
    assert all(point in space for point in points)
    assert all(point[1] == 0.45 for point in points if point[0] == "adam")
    best = points[int(np.argmin(losses))]
    assert best[0] == "sgd"
    assert best[2] + best[3] > 0.98


@pytest.mark.parametrize("acquisition", ["LogEI", "LogPI", "LCB"])
def test_every_acquisition_searches(acquisition):
    options = GPOptions(acquisition=acquisition)
    _, losses = run(CONTINUOUS, lambda p: (p[0] - 1) ** 2, 18, options=options)
    assert min(losses) < 0.01


def test_an_unknown_acquisition_is_named():
    with pytest.raises(InvalidSearchError, match="acquisition='EI'"):
        GPOptions(acquisition="EI")  # type: ignore[arg-type]


def test_unknown_variances_count_as_the_largest():
    known = known_variances(np.array([0.2, np.nan, 0.5]))
    np.testing.assert_array_equal(known, [0.2, 0.5, 0.5])


def test_a_noisy_measurement_is_not_chased():
    space = Space({"x": (0.0, 1.0)})
    x = np.linspace(0.0, 1.0, 15)
    losses = (x - 0.3) ** 2
    losses[12] -= 1.0  # a lucky measurement far from the optimum, known to be poor
    variances = np.where(np.arange(15) == 12, 1.0, 1e-6)
    history = History.of([[v] for v in x.tolist()], losses, variances)
    (proposed,) = GPStrategy(space, seed=0).propose(history, 15)
    assert abs(proposed - 0.3) < 0.15


@pytest.mark.parametrize("told", ["variances", "fold_variances"])
def test_what_an_evaluation_tells_is_weighed_against_its_noise(told):
    x = np.linspace(0.0, 1.0, 15)
    strategy, losses = GPStrategy(Space({"x": (0.0, 1.0)}), seed=0), (x - 0.3) ** 2
    history = History.of([[v] for v in x.tolist()], losses, **{told: np.full(15, 1e-3)})
    process, (acquisition, good) = strategy.process(history), strategy.acquisition(history)
    assert acquisition.noise == process.noise_of_best > 5 * process.hyperparameters.noise
    assert np.abs(good - 0.3).max() < 0.3


def test_encoded_points_forget_another_history():
    encoded = OncePerPoint(MIXED.to_z)
    first, second = (MIXED.sample(30, np.random.default_rng(seed)) for seed in (0, 1))
    encoded(first)
    encoded(second)
    np.testing.assert_array_equal(encoded(second[:5]), MIXED.to_z(second[:5]))
    encoded(first[:2])
    assert len(encoded._known) <= 70
    np.testing.assert_array_equal(encoded(first), MIXED.to_z(first))


def test_encoded_points_tell_true_from_one():
    space = Space({"c": Categorical([True, 1, "x"])})
    np.testing.assert_array_equal(OncePerPoint(space.to_z)([[1], [True]]), [[0.5], [0.0]])


def test_a_value_that_cannot_be_hashed_is_refused_as_any_other():
    with pytest.raises(InvalidParamsError, match="'c'"):
        OncePerPoint(Space({"c": ["a", "b"]}).to_z)([[["a"]]])


def test_twenty_dimensions_of_twenty_categories():
    space = Space({f"c{j}": [f"v{i}" for i in range(20)] for j in range(20)})

    def loss(point):
        return sum(value != "v7" for value in point[:3]) + 0.1 * (point[5] == "v0")

    points, losses = told(space, loss, 40)
    for j, point in enumerate(points):  # each of the three has been seen at its best a few times
        if j % 4 < 3:
            point[j % 4] = "v7"
    losses = [loss(point) for point in points]
    strategy, history = GPStrategy(space, seed=0), History.of(points, losses)
    proposed = strategy.propose(history, 40)
    assert proposed in space
    assert proposed not in points
    assert "v7" in proposed[:3]
    good = ["v7"] * 3 + ["v1"] * 17
    others = [[*good[:j], "v2", *good[j + 1 :]] for j in range(3)]
    mean, _ = strategy.process(history).predict(space.to_z([good, *others]))
    assert (mean[0] < mean[1:]).all()


def test_first_points_are_as_many_as_the_dimensions():
    space = Space({f"x{j}": (0.0, 1.0) for j in range(14)})
    points, _ = run(space, lambda point: sum(point), 14)
    history = History.of(points[:13], [1.0] * 13)
    assert GPStrategy(space, seed=0).propose(history, 13) == points[13]
    assert GPStrategy(space, seed=0, n_initial_points=13).propose(history, 13) != points[13]
