"""Whether a compiled program trains another model as plain Keras would.

A program is shared between models that are described alike, and a description can miss what
nobody thought of. So before a program serves another configuration, and before its
first where code other than Keras's takes part, two steps of it are held against two steps of
Keras's own ``train_step``, taken by the model itself on the same rows, from the same weights and
random state: the loss and the metrics, then all variables of model and optimizer, then loss and
metrics of stop rows, without training behaviour. The second step shows what the first cannot,
such as momentum and a decaying learning rate.

Two ways to compute one step round differently, and some steps magnify that: Adam divides a
gradient by its size, even where it is rounding alone. Where the two differ, Keras's steps are
taken again from weights that are moved by about a rounding; what moves as much then proves
nothing.
"""

import collections
import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from gpsearch.data.rows import n_rows
from gpsearch.training.backend import forget_losses, import_tensorflow, layers_of
from gpsearch.training.compiled.model_state import ModelState, put_back
from gpsearch.training.compiled.program import Program, tensors
from gpsearch.training.loop import batch_order
from gpsearch.training.seeding import streams_kept
from gpsearch.training.trainer import Rows, Training, TrainingSettings, by_entry, take_rows

Quantities = dict[str, np.ndarray]  # by name: losses, metrics and variables

# Relative: difference that raises suspicion, and by how much weights are moved to judge it.
FINE, COARSE = (1e-4, 1e-6), (2e-2, 1e-3)
N_NUDGES = 3
SAFETY = 8.0  # the worst of a few nudges is smaller than the worst that can be
STOP_ROWS = 8  # they only have to be there
HUGE = 1e30  # above, two ways overflow or not as it happens


def difference(program: Program, model: Any, state: ModelState, training: Training) -> str:
    """What a program computes otherwise than Keras does for `model`, in one clause; "" if nothing.

    The program may have been traced on another model; `model` has the given state, and is left as
    it was.
    """
    fit, stop, seed = training.fit, training.stop, training.seed
    batch_size = training.settings.batch_size
    n = min(n_rows(fit.x), 2 * batch_size)
    # Two steps of one size: outside of a graph, Keras weighs each output's loss by it.
    n -= n % 2 if n > 1 else 0
    rows = take_rows(fit, np.linspace(0, n_rows(fit.x) - 1, n).astype(int))
    few = None if stop is None else take_rows(stop, np.arange(min(STOP_ROWS, n_rows(stop.x))))
    step = -(-n // 2)
    if not model.optimizer.built:  # one that scales the loss would make its variables again
        model.optimizer.build(model.trainable_variables)
    settings = TrainingSettings(epochs=1, batch_size=step)
    steps = Training(fit=rows, stop=few, settings=settings, seed=seed)
    with streams_kept():
        with _restored(model):
            before = _variables(model)
            run = program.run(model, state, steps)
            program.copy_into([*model.variables, *model.optimizer.variables])
            first = {name: curve[0] for name, curve in run.curves.items()}
            found = _quantities(model, first)
        tolerance, nudge = _precision(model)
        expected = _keras_steps(model, rows, few, step, seed)
        allowed = {
            name: tolerance * (_apart(value, before.get(name, 0.0)) + 1e-2 * _apart(value, 0.0))
            for name, value in expected.items()
            if value.dtype.kind == "f"  # others are counted, not computed
        }
        for number in range(N_NUDGES):
            if not (suspects := _beyond(found, expected, allowed)):
                break  # a further nudge could only allow more
            moved = _keras_steps(model, rows, few, step, seed, nudge=nudge, number=number)
            for name in suspects:
                spread = SAFETY * _apart(moved[name], expected[name])
                allowed[name] = max(allowed.get(name, 0.0), spread)
        suspects = _beyond(found, expected, allowed)
    if not suspects:
        return ""
    name = suspects[0]
    if expected[name].size == 1:
        return f"{name} is {float(expected[name]):.6g}, and {float(found[name]):.6g} in the program"
    return f"{name} differs by {_apart(found[name], expected[name]):.2g}"


def _keras_steps(
    model: Any,
    rows: Rows,
    stop: Rows | None,
    step: int,
    seed: int,
    nudge: float = 0.0,
    number: int = 0,
) -> Quantities:
    """What Keras's own steps give, and then the `stop` rows; the model is put back."""
    n = n_rows(rows.x)
    order = batch_order(n, seed, 0).numpy()
    signs = np.random.default_rng(number)
    with _restored(model):
        for variable in model.trainable_variables if nudge else ():
            value = np.asarray(variable.numpy())
            move = nudge * (np.abs(value) + 0.1 * _apart(value, 0.0))
            variable.assign(value + move * signs.choice([-1.0, 1.0], size=value.shape))
        for start in range(0, n, step):
            losses = model.train_step(tensors(take_rows(rows, order[start : start + step])))
        if stop is not None:
            model.reset_metrics()
            watched = model.test_step(tensors(stop))
            losses |= {f"val_{name}": value for name, value in watched.items()}
        # Now, as `fit` does: of a metric that returns its variable, what the stop rows gave.
        entries = [by_entry(name, np.ravel(value)) for name, value in losses.items()]
        return _quantities(model, dict(collections.ChainMap(*entries)))


def _quantities(model: Any, losses: dict[str, float]) -> Quantities:
    named = {f"the {name}": np.asarray(value, np.float64) for name, value in losses.items()}
    return {**named, **_variables(model)}


def _variables(model: Any) -> Quantities:
    """Values by position, for two models name theirs differently."""
    named = [("variable", model.variables), ("optimizer variable", model.optimizer.variables)]
    return {
        f"{what} {i}": np.asarray(variable.numpy())
        for what, variables in named
        for i, variable in enumerate(variables)
    }


@contextlib.contextmanager
def _restored(model: Any) -> Iterator[None]:
    """Put weights, random state and optimizer back afterwards, bit for bit."""
    model.reset_metrics()
    try:
        with put_back([one.value for one in [*model.variables, *model.optimizer.variables]]):
            yield
    finally:
        model.reset_metrics()
        forget_losses(model)


def _beyond(found: Quantities, expected: Quantities, allowed: dict[str, float]) -> list[str]:
    """Names of what differs by more than is allowed."""
    return [
        name
        for name, value in expected.items()
        if name not in found
        or found[name].shape != value.shape
        or _apart(found[name], value) > allowed.get(name, 0.0)
    ]


def _apart(one: Any, other: Any) -> float:
    """The largest difference; what has overflowed is equally large."""
    bounded = [
        np.clip(np.nan_to_num(np.asarray(values, np.float64), nan=HUGE), -HUGE, HUGE)
        for values in (one, other)
    ]
    return float(np.max(np.abs(bounded[0] - bounded[1]), initial=0.0))


def _precision(model: Any) -> tuple[float, float]:
    """Tolerance and nudge for the precision that the model computes with."""
    half = {layer.compute_dtype for layer in layers_of(model)} & {"float16", "bfloat16"}
    on_gpu = import_tensorflow().config.list_logical_devices("GPU")
    return COARSE if half or on_gpu else FINE
