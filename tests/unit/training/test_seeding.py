"""Seeding: what is drawn under a seed, and that TensorFlow's graphs outlive it."""

# ruff: noqa: NPY002 (NumPy's global generator is what is seeded)

import random

import numpy as np
import pytest

from gpsearch.training.backend import import_keras, import_tensorflow
from gpsearch.training.seeding import seeded

keras = import_keras()
tf = import_tensorflow()

DRAWS = {
    "python": random.random,
    "numpy": np.random.rand,
    "keras": lambda: float(keras.random.uniform(())),
    "tensorflow": lambda: float(tf.random.uniform(())),
    # The state is in the kernel, which is found again by its seeds.
    "tensorflow-with-a-seed-of-its-own": lambda: float(tf.random.uniform((), seed=3)),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_a_seed_decides_what_is_drawn(draw):
    drawn = []
    for seed in (101, 102, 101, 101):
        with seeded(seed):
            drawn.append(draw())
    assert drawn[0] == drawn[2] == drawn[3] != drawn[1]


def test_is_the_seed_that_keras_sets():
    with seeded(103):
        ours = [draw() for draw in DRAWS.values()]
    with seeded(104):  # puts Python's and NumPy's generators back
        keras.utils.set_random_seed(103)
        expected = [draw() for draw in DRAWS.values()]
    assert ours == expected


def test_a_new_seed_leaves_graphs_as_they_are():
    draw = tf.function(lambda: tf.random.uniform((), seed=1))
    with seeded(105):
        before = float(draw())
    with seeded(106):
        after = float(draw())
    assert after != before, "the graph was set up anew, and its kernel with it"


def test_a_seed_under_which_nothing_was_drawn_leaves_graphs_as_they_are_too():
    draw = tf.function(lambda: tf.random.uniform((), seed=1))
    with seeded(108):
        first = float(draw())
    for _ in range(2):
        with seeded(109):
            keras.random.uniform(())
    assert float(draw()) != first, "the graph was set up anew, and its kernel with it"


def test_puts_the_callers_generators_back():
    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.rand()
    random.seed(1)
    np.random.seed(1)
    with seeded(107):
        np.random.rand(random.randrange(9))
    assert (random.random(), np.random.rand()) == expected
