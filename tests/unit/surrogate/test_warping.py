import numpy as np
import pytest

from gpsearch.surrogate.warping import Linear, Warp, YeoJohnson

SKEWED = np.array([0.01, 0.02, 0.05, 0.3, 4.0, 700.0])


@pytest.mark.parametrize("shape", [Linear(), YeoJohnson()], ids=["linear", "yeo-johnson"])
def test_warped_losses_are_standardised_and_keep_their_order(shape):
    warp = Warp.of(SKEWED, shape)
    for rho in (shape.start, shape.bounds[0]):
        t = warp.evaluate(warp.standardise(SKEWED), rho).t
        assert t.mean() == pytest.approx(0.0, abs=1e-12)
        assert t.std() == pytest.approx(1.0)
        assert (np.diff(t) > 0).all()


def test_a_low_rho_spreads_the_small_losses():
    warp = Warp.of(SKEWED, YeoJohnson())
    u = warp.standardise(SKEWED)
    linear, transformed = warp.evaluate(u, 1.0).t, warp.evaluate(u, 0.0).t
    assert transformed[2] - transformed[0] > 50 * (linear[2] - linear[0])


def test_yeo_johnson_is_linear_at_one():
    u = np.linspace(-3.0, 3.0, 7)
    np.testing.assert_allclose(YeoJohnson().transform(u, 1.0).g, u)


@pytest.mark.parametrize("y", [np.full(5, 3.0), np.array([2.0]), np.array([0.0, 5e-324])])
def test_equal_losses_are_warped_to_zero(y):
    warp = Warp.of(y, YeoJohnson())
    np.testing.assert_array_equal(warp.evaluate(warp.standardise(y), 1.0).t, 0.0)


def test_the_scale_is_that_of_the_better_half():
    usual, spoilt = np.arange(9.0), np.arange(9.0)
    spoilt[-1] = 1e9
    assert Warp.of(usual, Linear()) == Warp.of(spoilt, Linear())


def test_what_lies_beyond_the_range_of_a_bend_is_clipped_to_its_end():
    shape = YeoJohnson()
    assert shape.transform(np.array([1e9]), -1.0).g[0] < 1.0
    assert np.isfinite(shape.inverse(np.array([1.5]), -1.0)).all()
