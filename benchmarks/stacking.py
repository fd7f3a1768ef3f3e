"""A training step of five folds: one after the other, stacked side by side, or through XLA.

`KerasCV` trains one fold after the other in one program. This is what the other two ways would
give at most: the bare step of a network with drop-out and momentum in TensorFlow's own
operations, in the loop of a graph. Stacked, every tensor has the folds as its first axis, so a
step is a fifth of the operations; that folds stop at different epochs is left out, though it
would cost a stacked program the epochs of the longest.

    python benchmarks/stacking.py
"""

from __future__ import annotations

import itertools
import os
import time
from typing import Any

from gpsearch.training.backend import import_tensorflow, single_threaded_executor

N_FOLDS, N_ROWS, N_FEATURES, N_STEPS = 5, 456, 30, 300
DROP_RATE, LEARNING_RATE, MOMENTUM = 0.3, 0.01, 0.9

# hidden layers, units in each, rows in a batch
NETWORKS = [(1, 32, 32), (1, 113, 32), (2, 78, 32), (2, 65, 64), (4, 57, 64), (4, 115, 128)]


def training(n_hidden: int, n_neurons: int, batch_size: int, *, folds: tuple[int, ...]) -> Any:
    """A function of a number of steps; `folds` is the leading axis of all tensors, or ()."""
    tf = import_tensorflow()
    random = tf.random.stateless_normal
    sizes = [N_FEATURES, *[n_neurons] * n_hidden, 1]
    kernels = [
        tf.Variable(0.1 * random((*folds, n_in, n_out), (1, i)))
        for i, (n_in, n_out) in enumerate(itertools.pairwise(sizes))
    ]
    biases = [tf.Variable(tf.zeros((*folds, 1, n_out))) for n_out in sizes[1:]]
    slots = [tf.Variable(tf.zeros_like(variable)) for variable in kernels + biases]
    x = random((*folds, N_ROWS, N_FEATURES), (0, 1))
    y = tf.cast(x[..., :1] > 0, tf.float32)

    def loss_of(i: Any) -> Any:
        rows = (i * batch_size + tf.range(batch_size)) % N_ROWS
        hidden, target = (tf.gather(part, rows, axis=len(folds)) for part in (x, y))
        for layer, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
            hidden = tf.matmul(hidden, kernel) + bias
            if layer < n_hidden:
                drawn = tf.random.stateless_uniform(tf.shape(hidden), tf.stack([i, layer]))
                kept = tf.cast(drawn >= DROP_RATE, tf.float32)
                hidden = tf.nn.relu(hidden) * kept / (1 - DROP_RATE)
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=hidden)
        return tf.reduce_sum(tf.reduce_mean(losses, axis=(-2, -1)))

    def step(i: Any, total: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(i)
        gradients = tape.gradient(loss, kernels + biases)
        for variable, slot, gradient in zip(kernels + biases, slots, gradients, strict=True):
            slot.assign(MOMENTUM * slot - LEARNING_RATE * gradient)
            variable.assign_add(slot)
        return i + 1, total + loss

    return lambda n: tf.while_loop(lambda i, _: i < n, step, (tf.constant(0), tf.constant(0.0)))


def measured(train: Any, *, xla: bool) -> tuple[float, float]:
    """CPU seconds of setting up and of a step."""
    tf = import_tensorflow()
    with single_threaded_executor(not xla):
        start = time.process_time()
        program = tf.function(train, autograph=False, jit_compile=xla or None)
        program(tf.constant(1))
        set_up = time.process_time() - start
        seconds = []
        for _ in range(4):
            start = time.process_time()
            program(tf.constant(N_STEPS))
            seconds.append(time.process_time() - start)
    return set_up, min(seconds) / N_STEPS


def main() -> None:
    if hasattr(os, "sched_setaffinity"):  # one core, or idle threads that spin count as work
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print("network, batch     a step of five folds, CPU us:       set up once, CPU s")
    print("                   in turn   stacked   XLA in turn    graph    XLA")
    for network in NETWORKS:
        set_up, alone = measured(training(*network, folds=()), xla=False)
        _, stacked = measured(training(*network, folds=(N_FOLDS,)), xla=False)
        compiling, fused = measured(training(*network, folds=()), xla=True)
        n_hidden, n_neurons, batch_size = network
        print(
            f"{n_hidden} x {n_neurons:3d}, {batch_size:3d}   "
            f"{N_FOLDS * alone * 1e6:11.0f} {stacked * 1e6:9.0f} {N_FOLDS * fused * 1e6:13.0f}"
            f" {set_up:8.2f} {compiling:6.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
