"""One fold's whole training as a single traced graph.

=============== =============================================================================
host            the model that is traced
variables       what the graph trains in: the host's own, or stand-ins of free shape, see `sizes`
values          numbers fed to the graph in place of the host's own, see `inputs`
curves          per epoch: loss, metrics, and both again on the stop rows; shape (epochs, k)
best            copies of the weights at the epoch with the lowest validation loss
=============== =============================================================================

The graph is two nested loops, over epochs and over batches, with Keras's own layers, loss,
metrics and optimiser inside. Nothing of a step is computed in Python, and the trace serves every
fold and every configuration of the same architecture, because all that differs is fed to it. What
was learnt is copied into the model that a training was asked for.
"""

import functools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from gpsearch.data.rows import n_rows
from gpsearch.training.backend import (
    as_tensor,
    compile_arguments,
    forget_losses,
    graph_options,
    import_keras,
    import_tensorflow,
    learning_rate_of,
    loss_of,
    outputs_of,
    slots_by_variable,
    standing_in,
)
from gpsearch.training.compiled.graph import draws_unrepeatably, nesting
from gpsearch.training.compiled.inputs import TracedScalar, traced_scalars
from gpsearch.training.compiled.model_state import ModelState, put_back, state_of
from gpsearch.training.compiled.sizes import bind_units, has_free_columns, may_vary
from gpsearch.training.compiled.updates import apply_update
from gpsearch.training.fitted import FORWARD_ROWS
from gpsearch.training.loop import batch_order
from gpsearch.training.seeding import draws_noticed
from gpsearch.training.thread_pool import pool_takes
from gpsearch.training.trainer import Rows, TrainedFold, Training, by_entry, take_rows


class CannotCompileError(Exception):
    """A model has something that one graph cannot hold; the text is the reason, one clause."""


class Program:
    """A compiled model's training as one graph.

    The model becomes the host, unless tracing fails. The rows decide types and shapes, but for
    their number; without stop rows the program has no early stopping. A `free` one serves models
    of any size. `CannotCompileError` is raised where the graph would not train the model as Keras
    does.
    """

    def __init__(self, model: Any, fit: Rows, stop: Rows | None, *, free: bool = False) -> None:
        self.host, self._free = model, free
        self.served: set[Hashable] = set()  # the configurations that were trained in it
        self._stops_at_once = stop is not None and in_one_pass(stop)
        self._names: list[str] = []
        self._create_variables(fit)
        threading = import_tensorflow().config.threading
        self._in_one_thread = pool_takes(threading, 2)  # an epoch's loop and a batch's, at least
        own = [*model.variables, *model.optimizer.variables]
        self._variables = [_of_any_size(one) if free else one.value for one in own]
        stand_ins = list(zip(own, self._variables, strict=True)) if free else []
        try:
            with (
                standing_in(model.optimizer, stand_ins) as known,
                traced_scalars(model) as scalars,
                draws_noticed() as drawn,
            ):
                if free and not known:
                    raise CannotCompileError("this version of Keras names its variables otherwise")
                self._best = [_copy(variable.value) for variable in model.weights]
                self._train = self._trace(fit, stop, scalars)
                if self._in_one_thread and not pool_takes(
                    threading, nesting(self._train.graph.as_graph_def())
                ):
                    self._in_one_thread = False
                    self._train = self._trace(fit, stop, scalars)
                if drawn():  # the trace would repeat what was drawn once
                    raise CannotCompileError("it draws random numbers from Python or NumPy")
        finally:
            forget_losses(model)
        self._check_graph()
        if free:
            self.host = None  # which would keep as much memory again

    def run(self, model: Any, state: ModelState, training: Training) -> TrainedFold:
        """Train a model of the host's architecture from a state of it; see `Trainer.train`."""
        tf = import_tensorflow()
        settings = training.settings
        with graph_options(one_thread=self._in_one_thread):
            epochs, best_epoch, table = self._train(
                tensors(training.fit),
                tensors(training.stop),
                state.variables,
                tf.constant(state.learning_rate or 0.0, tf.float32),
                tf.constant(state.values, tf.float64),
                tf.constant(settings.batch_size),
                tf.constant(min(settings.epochs, tf.int32.max)),
                tf.constant(min(settings.patience or settings.epochs, tf.int32.max)),
                tf.constant(training.seed),
            )
            columns = np.asarray(table, np.float64).T.tolist()
        self.copy_into(model.variables)
        return TrainedFold(
            best_epoch=int(best_epoch),
            epochs=int(epochs),
            curves=dict(zip(self._names, map(tuple, columns), strict=True)),
            model=model,
            trainer="compiled",
        )

    def copy_into(self, variables: Sequence[Any]) -> None:
        """Give a model's variables, and those of its optimizer after them, what was learnt."""
        for variable, value in zip(variables, self._variables, strict=False):
            if variable.value is not value:
                variable.value.assign(value.read_value())

    def _create_variables(self, fit: Rows) -> None:
        """Make Keras create all variables now, for none can be created inside a loop."""
        model = self.host
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        rate = learning_rate_of(model.optimizer)
        self._rate = rate if isinstance(rate, import_keras().Variable) else None
        self._optimizer_start = [np.array(v.numpy()) for v in model.optimizer.variables]
        batch = x, y, weight = tensors(take_rows(fit, np.arange(2)))
        given, keras = compile_arguments(model) or {}, import_keras()
        known = keras.tree.flatten([given.get("metrics"), given.get("weighted_metrics")])
        counts = [one for own in known if isinstance(own, keras.Metric) for one in own.variables]
        kept = [*state_of(model, *batch), *(one.value for one in counts)]
        reset = []
        with put_back(kept):  # a recurrent layer draws its dropout, too
            outputs = outputs_of(model, x, training=False)
            loss_of(model, batch, outputs, training=False)
            for _ in range(2):
                model.compute_metrics(x, y, outputs, sample_weight=weight)
                model.reset_metrics()
                variables = [one for metric in model.metrics for one in metric.variables]
                reset.append([np.array(one.numpy()) for one in variables])
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(*reset, strict=True)):
            raise CannotCompileError("a metric of it counts on when it is reset")

    def _load(self, start: Any, learning_rate: Any) -> None:
        """Put the host where a new model would be; part of the graph."""
        tf, optimizer, starts = import_tensorflow(), self.host.optimizer, {}
        for variable, value in zip(self.host.variables, start, strict=True):
            variable.value.assign(value)
            starts[id(variable)] = value
        filled = functools.cache(lambda at, value: tf.fill(tf.shape(starts[at]), value))
        belongs_to = slots_by_variable(optimizer)
        for variable, value in zip(optimizer.variables, self._optimizer_start, strict=True):
            if None not in tuple(variable.shape):
                variable.value.assign(_constant(value))
            elif id(variable) in belongs_to and (value == value.flat[0]).all():
                variable.value.assign(filled(id(belongs_to[id(variable)]), value.flat[0]))
            else:
                raise CannotCompileError("the optimizer keeps more than one number for each weight")
        if self._rate is not None:
            self._rate.value.assign(learning_rate)

    def _trace(self, fit: Rows, stop: Rows | None, scalars: list[TracedScalar]) -> Any:
        tf = import_tensorflow()
        whole = tf.TensorSpec((), tf.int32)

        n_open = 2 if self._free and has_free_columns(self.host) else 1

        def spec(part: Any, n_open: int = 1) -> Any:
            open_axes = [None] * min(n_open, part.ndim)
            return tf.TensorSpec([*open_axes, *part.shape[n_open:]], part.dtype)

        def specs(rows: Rows | None) -> Any:
            if rows is None:
                return None
            x = tf.nest.map_structure(functools.partial(spec, n_open=n_open), rows.x)
            return x, *_map_rows(spec, (rows.y, rows.weight))

        def graph(fit: Any, stop: Any, start: Any, rate: Any, values: Any, *settings: Any) -> Any:
            for i, scalar in enumerate(scalars):
                scalar.bind(values[i])
            self._load(start, rate)
            bind_units(self.host)
            return self._graph(fit, stop, *settings)

        with graph_options(one_thread=self._in_one_thread):
            return tf.function(graph, autograph=False).get_concrete_function(
                specs(fit),
                specs(stop),
                [tf.TensorSpec(v.shape, v.value.dtype) for v in self.host.variables],
                tf.TensorSpec((), tf.float32),
                tf.TensorSpec((len(scalars),), tf.float64),
                *[whole] * 4,
            )

    def _graph(
        self, fit: Any, stop: Any, batch_size: Any, epochs: Any, patience: Any, seed: Any
    ) -> Any:
        """All epochs, and at the end the best weights back in the host."""
        tf = import_tensorflow()
        inf = tf.constant(np.inf, tf.float32)

        def one_epoch(epoch: Any, _: Any, wait: Any, lowest: Any, best: Any, rows: Any) -> Any:
            results = self._learn(fit, batch_size, seed, epoch)
            stopped = tf.logical_not(tf.math.is_finite(results["loss"]))
            if stop is not None:
                watched = self._validate(stop, batch_size)
                results.update({f"val_{name}": value for name, value in watched.items()})
                # As keras.callbacks.EarlyStopping decides it, the first epoch included.
                improved = tf.logical_or(watched["loss"] < lowest, tf.equal(epoch, 0))
                tf.cond(improved, self._keep_weights, tf.no_op)
                wait = tf.where(improved, 0, wait + 1)
                lowest = tf.where(improved, watched["loss"], lowest)
                best = tf.where(improved, epoch + 1, best)
                out_of_patience = tf.logical_and(wait >= patience, epoch > 0)
                stopped = tf.logical_or(stopped, out_of_patience)
            else:
                best = epoch + 1
            entries = [
                by_entry(name, tf.unstack(tf.reshape(tf.cast(value, tf.float32), [-1])))
                for name, value in results.items()
            ]
            self._names = [name for entry in entries for name in entry]
            row = tf.stack([value for entry in entries for value in entry.values()])
            return epoch + 1, stopped, wait, lowest, best, rows.write(epoch, row)

        rows = tf.TensorArray(tf.float32, size=0, dynamic_size=True, clear_after_read=False)
        epoch, _, _, _, best, rows = tf.while_loop(
            lambda epoch, stopped, *_: tf.logical_and(epoch < epochs, tf.logical_not(stopped)),
            one_epoch,
            (tf.constant(0), tf.constant(False), tf.constant(0), inf, tf.constant(0), rows),
        )
        if stop is not None:
            for variable, value in zip(self.host.weights, self._best, strict=True):
                variable.value.assign(value)
        return epoch, best, rows.stack()

    def _learn(self, fit: Any, batch_size: Any, seed: Any, epoch: Any) -> dict[str, Any]:
        """One pass over the training rows in the epoch's order."""
        tf = import_tensorflow()
        order = batch_order(_n_rows(fit), seed, epoch)

        def batch(start: Any) -> Any:
            chosen = order[start : start + batch_size]
            return _map_rows(lambda part: tf.gather(part, chosen), fit)

        return self._pass(fit, batch, batch_size, self._step)

    def _validate(self, stop: Any, batch_size: Any) -> dict[str, Any]:
        """Loss and metrics on the stop rows, as in ``keras.Model.evaluate``."""
        size = import_tensorflow().maximum(batch_size, FORWARD_ROWS)

        def batch(start: Any) -> Any:
            return _map_rows(lambda part: part[start : start + size], stop)

        def step(batch: Any) -> Any:
            return self._loss(batch, training=False)

        if self._stops_at_once:
            return self._pass(stop, lambda _: stop, None, step)
        return self._pass(stop, batch, size, step)

    def _pass(
        self, rows: Any, batch_at: Callable[[Any], Any], size: Any, step: Callable[[Any], Any]
    ) -> dict[str, Any]:
        """Metrics, and the mean of the losses that `step` returns for each batch of the rows.

        Without a `size` they are one batch, without a loop, which takes long to trace.
        """
        tf = import_tensorflow()
        n, metrics = _n_rows(rows), self.host.metrics[1:]  # the first is the loss, added up here
        for metric in metrics:
            metric.reset_state()

        def loss_at(start: Any) -> Any:
            batch = batch_at(start)
            return tf.cast(step(batch), tf.float32) * tf.cast(_n_rows(batch), tf.float32)

        if size is None:
            total = loss_at(0)
        else:
            _, total = tf.while_loop(
                lambda start, total: start < n,
                lambda start, total: (start + size, total + loss_at(start)),
                (tf.constant(0), tf.constant(0.0)),
            )
        results = self.host.get_metrics_result() if metrics else {}
        return {**results, "loss": total / tf.cast(n, tf.float32)}

    def _step(self, batch: Any) -> Any:
        """One step of the optimiser, as in ``keras.Model.train_step``; the batch's loss."""
        model = self.host
        trainable = model.trainable_variables
        with import_tensorflow().GradientTape() as tape:
            loss = self._loss(batch, training=True)
            scaled = model.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, [variable.value for variable in trainable])
        apply_update(model.optimizer, gradients, trainable)
        return loss

    def _loss(self, batch: Any, *, training: bool) -> Any:
        """Loss of a batch, which the metrics count, too."""
        x, y, weight = batch
        outputs = outputs_of(self.host, x, training)
        if self._free:
            ends = import_keras().tree.flatten(outputs)
            for output, known in zip(ends, self.host.outputs, strict=True):
                output.set_shape([None, *known.shape[1:]])  # an input may name a batch size
        loss = loss_of(self.host, batch, outputs, training)
        if len(self.host.metrics) > 1:
            self.host.compute_metrics(x, y, outputs, sample_weight=weight)
        return loss

    def _keep_weights(self) -> Any:
        tf = import_tensorflow()
        copies = zip(self._best, self.host.weights, strict=True)
        return tf.group(*[copy.assign(variable.value) for copy, variable in copies])

    def _check_graph(self) -> None:
        """Refuse a graph whose outcome would depend on what ran before it."""
        graph = self._train.graph
        if draws_unrepeatably(graph.as_graph_def()):
            raise CannotCompileError("it draws random numbers other than through keras.random")
        counting = [one for metric in self.host.metrics for one in metric.variables]
        self._counting = [variable.value for variable in counting]
        known = {id(variable) for variable in [*self._variables, *self._best, *self._counting]}
        if any(id(variable) not in known for variable in graph.variables):
            raise CannotCompileError("it keeps state that is not among its Keras variables")


def _constant(value: np.ndarray) -> Any:
    """A constant of the graph; most slots of an optimiser start at one value throughout."""
    tf = import_tensorflow()
    if value.size > 1 and (value == value.flat[0]).all():
        return tf.fill(value.shape, value.flat[0])
    return tf.constant(value)


def _of_any_size(variable: Any) -> Any:
    """A variable of the same content and number of axes, whose size may change."""
    tf, value = import_tensorflow(), variable.value
    shape = [None] * len(value.shape) if may_vary(variable) else value.shape
    return tf.Variable(value, shape=tf.TensorShape(shape), trainable=value.trainable)


def _copy(variable: Any) -> Any:
    return import_tensorflow().Variable(variable, shape=variable.shape, trainable=False)


def tensors(rows: Rows | None) -> Any:
    """Rows as ``(x, y, weight)`` in tensors; weight may be None."""
    return _map_rows(as_tensor, rows and (rows.x, rows.y, rows.weight))


def _map_rows(function: Callable[[Any], Any], rows: Any) -> Any:
    """Apply `function` to each array of ``(x, y, weight)``; None stays None."""
    return import_tensorflow().nest.map_structure(
        lambda part: None if part is None else function(part), rows
    )


def in_one_pass(stop: Rows) -> bool:
    """Whether stop rows are so few that each epoch takes them at once."""
    return n_rows(stop.x) <= FORWARD_ROWS


def _n_rows(rows: Any) -> Any:
    tf = import_tensorflow()
    return tf.shape(tf.nest.flatten(rows[0])[0])[0]
