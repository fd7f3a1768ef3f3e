"""Seeding: what is drawn under a seed, and that TensorFlow's graphs outlive it."""

# ruff: noqa: NPY002 (NumPy's global generator is what is seeded)

import random
import subprocess
import sys
import threading

import numpy as np
import pytest

from gpsearch.training import backend
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


FIRST_DRAWS = """
from gpsearch.training.backend import import_tensorflow
from gpsearch.training.seeding import seeded
tf = import_tensorflow()
drawn = []
for _ in range(2):
    with seeded(7):
        drawn.append(float(tf.random.uniform(())))
assert drawn[0] == drawn[1], drawn
"""


def test_the_first_draws_of_a_process_are_noticed_and_the_terminal_stays_silent():
    done = subprocess.run([sys.executable, "-c", FIRST_DRAWS], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_draws_of_a_graph_that_outlives_its_seed_are_noticed():
    draw = tf.function(lambda: tf.random.uniform(()))  # traced under the first seed alone
    drawn = []
    for seed in (110, 110, 110, 111, 110):
        with seeded(seed):
            drawn.append(float(draw()))
    assert len({drawn[i] for i in (0, 1, 2, 4)}) == 1


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


def test_a_seed_under_which_nothing_was_drawn_leaves_graphs_as_they_are_too(monkeypatch):
    monkeypatch.setattr(backend, "_GRAPHS_DRAW", threading.Event())
    shape = tf.constant([], tf.int32)

    @tf.function
    def draw():  # without asking TensorFlow for a seed
        return tf.raw_ops.RandomUniform(shape=shape, dtype=tf.float32, seed=1, seed2=2)

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
