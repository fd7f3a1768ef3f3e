"""An optimiser's step in fewer operations.

Keras writes a step as twenty or so small operations for each variable; TensorFlow has single
kernels for some of the formulas, which pass over the numbers once. They are used where formula
and rounding are the same; everything else, from clipping to weight decay, is left to Keras.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gpsearch.training.backend import import_keras, import_tensorflow

Update = Callable[[Any, Any, Any], Any]


def apply_update(optimizer: Any, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
    """One step of `optimizer`, as ``optimizer.apply(gradients, variables)`` would take it.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Built for `variables`.
    gradients : sequence of tensor or None
    variables : sequence of keras.Variable
    """
    tf = import_tensorflow()
    update = _kernel(optimizer)
    plain = all(isinstance(g, tf.Tensor) and g.dtype == tf.float32 for g in gradients)
    free = all(v.constraint is None and v.dtype == "float32" for v in variables)
    if update is None or not plain or not free or _alters_gradients(optimizer):
        with _alone(optimizer):
            optimizer.apply(gradients, variables)
        return
    learning_rate = tf.cast(optimizer.learning_rate, tf.float32)
    for gradient, variable in zip(gradients, variables, strict=True):
        update(variable, gradient, learning_rate)
    optimizer.iterations.assign_add(1)


@contextlib.contextmanager
def _alone(optimizer: Any) -> Iterator[None]:
    """Without Keras's sum of the gradients over replicas, of which there is one.

    TensorFlow registers the gradient of that sum for the life of the process, and with it the
    whole graph of a program.
    """
    optimizer._all_reduce_sum_gradients = lambda gradients_and_variables: gradients_and_variables
    try:
        yield
    finally:
        del optimizer._all_reduce_sum_gradients


def _alters_gradients(optimizer: Any) -> bool:
    options = (
        "clipnorm",
        "global_clipnorm",
        "clipvalue",
        "weight_decay",
        "use_ema",
        "loss_scale_factor",
        "gradient_accumulation_steps",
    )
    return any(getattr(optimizer, option) not in (None, False) for option in options)


def _kernel(optimizer: Any) -> Update | None:
    """The kernel of an optimiser of Keras's own, exactly; None where there is none."""
    optimizers = import_keras().optimizers
    kind = type(optimizer)
    if kind is optimizers.SGD:
        return _sgd(optimizer)
    if kind is optimizers.Adam and not optimizer.amsgrad:
        return _adam(optimizer)
    if kind is optimizers.RMSprop and not optimizer.centered and optimizer.momentum > 0:
        return _rmsprop(optimizer)
    if kind is optimizers.Adadelta:
        return _adadelta(optimizer)
    return None


def _sgd(optimizer: Any) -> Update:
    """``m ← μ m - η g; w ← w + m``, or with Nesterov's look-ahead."""
    raw = import_tensorflow().raw_ops

    def update(variable: Any, gradient: Any, learning_rate: Any) -> Any:
        if optimizer.momentum == 0:
            return raw.ResourceApplyGradientDescent(
                var=variable.value.handle, alpha=learning_rate, delta=gradient
            )
        return raw.ResourceApplyKerasMomentum(
            var=variable.value.handle,
            accum=_slot(optimizer, "momentums", variable),
            lr=learning_rate,
            grad=gradient,
            momentum=_number(optimizer.momentum),
            use_nesterov=optimizer.nesterov,
        )

    return update


def _adam(optimizer: Any) -> Update:
    """Kingma and Ba (2015), with the bias corrections folded into the step as in its section 2.

    TensorFlow's kernel rounds differently, which over many epochs moves a best epoch. These are
    Keras's own operations, without what it computes again for each variable.
    """
    tf = import_tensorflow()
    step = tf.cast(optimizer.iterations + 1, tf.float32)
    correction_1 = 1 - tf.pow(_number(optimizer.beta_1), step)
    correction_2 = tf.sqrt(1 - tf.pow(_number(optimizer.beta_2), step))
    weight_1, weight_2 = _number(1 - optimizer.beta_1), _number(1 - optimizer.beta_2)

    def update(variable: Any, gradient: Any, learning_rate: Any) -> None:
        index = optimizer._get_variable_index(variable)
        m, v = optimizer._momentums[index].value, optimizer._velocities[index].value
        alpha = learning_rate * correction_2 / correction_1
        m.assign_add((gradient - m) * weight_1)
        v.assign_add((tf.square(gradient) - v) * weight_2)
        variable.value.assign_sub(m * alpha / (tf.sqrt(v) + optimizer.epsilon))

    return update


def _rmsprop(optimizer: Any) -> Update:
    """``v ← ρ v + (1 - ρ) g²; m ← μ m + η g / sqrt(v + ε); w ← w - m``."""
    raw = import_tensorflow().raw_ops

    def update(variable: Any, gradient: Any, learning_rate: Any) -> Any:
        return raw.ResourceApplyRMSProp(
            var=variable.value.handle,
            ms=_slot(optimizer, "_velocities", variable),
            mom=_slot(optimizer, "_momentums", variable),
            lr=learning_rate,
            rho=_number(optimizer.rho),
            momentum=_number(optimizer.momentum),
            epsilon=_number(optimizer.epsilon),
            grad=gradient,
        )

    return update


def _adadelta(optimizer: Any) -> Update:
    """Zeiler (2012), algorithm 1, scaled by the learning rate."""
    raw = import_tensorflow().raw_ops

    def update(variable: Any, gradient: Any, learning_rate: Any) -> Any:
        return raw.ResourceApplyAdadelta(
            var=variable.value.handle,
            accum=_slot(optimizer, "_accumulated_grads", variable),
            accum_update=_slot(optimizer, "_accumulated_delta_vars", variable),
            lr=learning_rate,
            rho=_number(optimizer.rho),
            epsilon=_number(optimizer.epsilon),
            grad=gradient,
        )

    return update


def _slot(optimizer: Any, name: str, variable: Any) -> Any:
    return getattr(optimizer, name)[optimizer._get_variable_index(variable)].value.handle


def _number(value: Any) -> Any:
    tf = import_tensorflow()
    return tf.convert_to_tensor(value, tf.float32)
