"""The parts a compiled program is made of."""

import numpy as np
import pytest

from gpsearch.training import loop
from gpsearch.training.backend import import_keras, import_tensorflow
from gpsearch.training.compiled.graph import nesting
from gpsearch.training.compiled.inputs import TracedScalar
from gpsearch.training.loop import batch_order, shuffled_batches
from gpsearch.training.thread_pool import pool_takes
from gpsearch.training.trainer import Rows

tf = import_tensorflow()


@pytest.mark.parametrize("n", [1, 2, 17])
def test_an_order_is_a_permutation_that_seed_and_epoch_decide(n):
    order = batch_order(n, 5, 2).numpy()
    assert sorted(order) == list(range(n))
    traced = tf.function(batch_order, autograph=False)(tf.constant(n), tf.constant(5), 2)
    np.testing.assert_array_equal(order, traced.numpy())
    if n == 17:
        assert not np.array_equal(order, batch_order(n, 6, 2))
        assert not np.array_equal(order, batch_order(n, 5, 3))


def test_batches_of_the_data_pipeline_follow_the_order_of_the_epoch():
    rows = Rows(x=np.arange(10, dtype=np.float32), y=np.arange(10), weight=np.ones(10, np.float32))
    batches, reorder = shuffled_batches(rows, 4, seed=3)
    for number in (0, 1, 4):
        reorder(number)
        seen = [batch[0].numpy() for batch in batches]
        assert [len(part) for part in seen] == [4, 4, 2]
        np.testing.assert_array_equal(np.concatenate(seen), batch_order(10, 3, number))


@pytest.mark.parametrize("forward_rows", [1, 4096])
def test_stop_rows_come_in_their_order_in_batches_or_all_at_once(forward_rows, monkeypatch):
    monkeypatch.setattr(loop, "FORWARD_ROWS", forward_rows)
    rows = Rows(x=np.arange(10, dtype=np.float32), y=np.arange(10), weight=np.ones(10, np.float32))
    seen = [batch[1].numpy() for batch in loop._in_order(rows, 4)]
    assert [len(part) for part in seen] == ([4, 4, 2] if forward_rows == 1 else [10])
    np.testing.assert_array_equal(np.concatenate(seen), rows.y)


def test_a_traced_scalar_is_a_tensor_in_arithmetic_and_a_number_in_comparisons():
    keras = import_keras()
    scalar = TracedScalar(0.25)
    assert scalar > 0
    assert scalar == 0.25
    assert scalar != 0
    assert not TracedScalar(0.0)

    def formulas(value):
        scalar.bind(value)
        x = tf.constant([2.0, 4.0])
        return x * scalar, scalar * x, x - (1 - scalar), keras.ops.cast(scalar, "float16")

    run = tf.function(formulas, autograph=False).get_concrete_function(
        tf.TensorSpec((), tf.float64)
    )
    for value in (0.25, 0.75):
        results = [r.numpy() for r in run(tf.constant(value, tf.float64))]
        np.testing.assert_allclose(results[0], [2 * value, 4 * value])
        np.testing.assert_allclose(results[1], [2 * value, 4 * value])
        np.testing.assert_allclose(results[2], [1 + value, 3 + value])
        assert results[3] == np.float16(value)


def test_nesting_counts_loops_and_conditionals():
    def loop(body):
        return tf.while_loop(lambda i: i < 3, lambda i: (body(i),), (tf.constant(0),))[0]

    def definition(function):
        traced = tf.function(function, autograph=False).get_concrete_function()
        return traced.graph.as_graph_def()

    assert nesting(definition(lambda: tf.constant(1))) == 0
    assert nesting(definition(lambda: loop(lambda i: i + 1))) == 1
    inner = lambda i: tf.cond(i > 1, lambda: i + 1, lambda: i + 2)  # noqa: E731
    assert nesting(definition(lambda: loop(inner))) == 2
    assert nesting(definition(lambda: loop(lambda i: i + loop(inner)))) == 3


def test_a_pool_is_never_filled():
    assert pool_takes(tf.config.threading, 0)
    assert not pool_takes(tf.config.threading, 10_000)
