import numpy as np
import pytest

from gpsearch.acquisition import Effort, maximise
from gpsearch.space import Categorical, Integer, Real, Space


class Hill:
    """A concave hill with its summit at ``top``; categories count by their distance too."""

    def __init__(self, top):
        self.top = np.asarray(top, dtype=float)
        self.valued = 0

    def __call__(self, Z):
        self.valued += len(Z)
        return -(np.square(Z - self.top) * [1.0, 3.0, 2.0, 0.5]).sum(axis=1)

    def with_gradient(self, Z):
        gradient = -2.0 * (Z - self.top) * [1.0, 3.0, 2.0, 0.0]
        return self(Z), gradient


SPACE = Space(
    {
        "x": (-10.0, 30.0),
        "rate": Real(1e-6, 1.0, prior="log-uniform"),
        "n": Integer(5, 20),
        "c": Categorical(["a", "b", "c"]),
    }
)


def best(acquisition, space=SPACE, seed=0, **options):
    rng = np.random.default_rng(seed)
    around = space.to_z(space.sample(3, rng))
    return next(maximise(acquisition, space, around=around, rng=rng, **options))


@pytest.mark.parametrize("seed", range(5))
def test_it_climbs_to_the_summit_of_a_mixed_space(seed):
    top = np.array([0.37, 0.81, 4 / 15, 0.5])
    np.testing.assert_allclose(best(Hill(top), seed=seed), top, atol=1e-4)


def test_it_reaches_a_corner_exactly():
    np.testing.assert_array_equal(best(Hill([1.3, -0.2, 1.4, 1.0])), [1.0, 0.0, 1.0, 1.0])


def test_integers_of_many_values_are_climbed_and_snapped():
    space = Space({"n": (0, 10**6), "x": (0.0, 1.0), "k": (1, 3), "c": ["a", "b", "c"]})
    z = best(Hill([0.4567891234, 0.2, 0.5, 0.0]), space=space)
    assert abs(z[0] - 0.4567891234) < 1e-4
    assert space.from_z(z[None])[0][0] == round(z[0] * 10**6)
    np.testing.assert_array_equal(z, space.snap(z[None])[0])


def test_the_constraint_is_kept_and_its_edge_is_reached():
    space = Space(SPACE, constraint=lambda params: params["x"] <= 5.0 and params["c"] != "b")
    z = best(Hill([0.9, 0.5, 0.2, 0.5]), space=space)
    (point,) = space.from_z(z[None])
    assert point[0] <= 5.0
    assert point[0] > 4.0
    assert point[3] != "b"


def test_conditional_dimensions_are_climbed_where_they_exist():
    space = Space(
        {"x": (0.0, 1.0), "momentum": (0.0, 0.9), "n": (1, 16), "opt": ["adam", "sgd", "rms"]},
        conditions={"momentum": {"opt": ["sgd", "rms"]}},
    )
    exists = best(Hill([0.3, 0.9, 0.6, 0.5]), space=space)
    np.testing.assert_allclose(exists, [0.3, 0.9, 0.6, 0.5], atol=1e-4)
    absent = best(Hill([0.3, 0.9, 0.6, -9.0]), space=space)
    np.testing.assert_allclose(absent, [0.3, 0.5, 0.6, 0.0], atol=1e-4)


def test_the_order_is_falling_and_everything_is_snapped():
    hill, rng = Hill([0.2, 0.2, 0.2, 0.0]), np.random.default_rng(0)
    Z = np.array(list(maximise(hill, SPACE, around=np.full((1, 4), 0.5), rng=rng)))
    assert (np.diff(hill(Z)) <= 0).all()
    np.testing.assert_array_equal(Z, SPACE.snap(Z))


def test_a_small_space_is_valued_whole():
    space = Space({"a": (0, 3), "b": (0, 3), "c": (0, 3), "d": ["x", "y", "z"]})
    everything, hill = space.to_z(space.enumerate()), Hill([0.4, 0.6, 1.0, 0.5])
    ranking = maximise(
        hill, space, around=everything[:1], rng=np.random.default_rng(0), everything=everything
    )
    np.testing.assert_array_equal(next(ranking), [1 / 3, 2 / 3, 1.0, 0.5])
    assert hill.valued == len(everything) == 192


def test_effort_can_be_random_points_alone():
    effort = Effort(random=50, moves=0, starts=0)
    hill = Hill([0.5, 0.5, 0.5, 0.5])
    best(hill, effort=effort)
    assert hill.valued == 50


def test_the_order_of_the_dimensions_decides_nothing():
    order = [2, 0, 3, 1]
    turned = Space([SPACE.dimensions[j] for j in order])
    hill = Hill([0.37, 0.81, 4 / 15, 0.5])

    class Turned:
        def __call__(self, Z):
            return hill(Z[:, np.argsort(order)])

        def with_gradient(self, Z):
            value, gradient = hill.with_gradient(Z[:, np.argsort(order)])
            return value, gradient[:, order]

    around = SPACE.to_z(SPACE.sample(3, np.random.default_rng(5)))
    effort = Effort(starts=0)
    straight = maximise(hill, SPACE, around=around, rng=np.random.default_rng(1), effort=effort)
    across = maximise(
        Turned(), turned, around=around[:, order], rng=np.random.default_rng(1), effort=effort
    )
    np.testing.assert_allclose(np.array(list(across)), np.array(list(straight))[:, order])
