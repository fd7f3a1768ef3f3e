"""The plain loop: Keras's own ``fit`` with its own ``EarlyStopping``.

It takes every model that Keras takes, so it is the fallback. It calls Keras itself, so it is the
oracle that the compiled trainer is compared with.
"""

import contextlib
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from gpsearch.data.datasets import BUFFER_ROWS, Streamed
from gpsearch.data.rows import map_parts, n_rows
from gpsearch.errors import InvalidObjectiveError
from gpsearch.training.backend import (
    compile_arguments,
    import_keras,
    import_tensorflow,
    summing_nothing,
)
from gpsearch.training.fitted import FORWARD_ROWS
from gpsearch.training.keras_callbacks import early_stopping_among
from gpsearch.training.trainer import Rows, TrainedFold, Training, by_entry


class LoopTrainer:
    """Trains with ``model.fit``, for this `reason`; `callbacks` gives the user's own, fresh."""

    def __init__(
        self, callbacks: Callable[[], Sequence[Any]] | None = None, reason: str = ""
    ) -> None:
        self.callbacks = callbacks
        self.reason = reason
        self.lock: AbstractContextManager[Any] = contextlib.nullcontext()

    def train(self, model: Any, training: Training, *, built_by: Hashable) -> TrainedFold:
        """Train `model`; see `Trainer.train`."""
        keras = import_keras()
        settings, stop = training.settings, training.stop
        if (compile_arguments(model) or {}).get("jit_compile", "auto") is not True:
            model.jit_compile = False  # unasked for, on a CPU it costs seconds for each fold
        optimizer = getattr(model, "optimizer", None)
        if optimizer is not None and model.built and not optimizer.built:
            optimizer.build(model.trainable_variables)  # in the first step, Keras traces twice
        batches, reorder = shuffled_batches(training.fit, settings.batch_size, training.seed)
        watched = stop is not None and settings.patience is not None
        ordering = keras.callbacks.LambdaCallback(on_epoch_begin=lambda n, _=None: reorder(n))
        callbacks = [ordering, _stop_at_nan(settings.patience if watched else None)]
        own = [] if self.callbacks is None else [*self.callbacks()]
        if watched:
            place = early_stopping_among(own)
            kind = _keeping_watched() if own and place is None else keras.callbacks.EarlyStopping
            early = kind(
                "val_loss", mode="min", patience=settings.patience, restore_best_weights=True
            )
            own.insert(place or 0, early)
        callbacks += own
        try:
            with summing_nothing(optimizer):
                history = model.fit(
                    batches,
                    epochs=settings.epochs,
                    validation_data=None if stop is None else _in_order(stop, settings.batch_size),
                    callbacks=callbacks,
                    shuffle=False,  # the batches come in the order of the epoch
                    verbose=0,
                )
        except KeyError as error:
            if stop is not None or not str(error.args[0]).startswith("val_"):
                raise
            raise InvalidObjectiveError(
                f"one reads {error.args[0]!r}, but no rows are held back. Give patience=, or the "
                f"callback an attribute `monitor` of {error.args[0]!r}."
            ).about("callbacks") from error
        epochs = len(history.epoch)
        return TrainedFold(
            best_epoch=_kept_epoch(callbacks, epochs),
            epochs=epochs,
            curves={
                entry: tuple(map(float, curve))
                for name, values in history.history.items()
                if len(values) == epochs
                for entry, curve in by_entry(name, zip(*map(np.ravel, values), strict=True)).items()
            },
            model=model,
            trainer="loop",
            note=self.reason,
        )


def _keeping_watched() -> type:
    """Early stopping, before other callbacks, that keeps the weights whose ``val_loss`` it read.

    A callback may swap others in for the validation alone, as SwapEMAWeights does.
    """
    plain: Any = import_keras().callbacks.EarlyStopping

    class KeepingWatched(plain):
        best_weights: Any = None
        watched: Any = None  # stays so where a model's own `fit` tells callbacks of no validation

        def on_test_end(self, logs: Any = None) -> None:
            self.watched = self.model.get_weights()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            before = self.best_weights
            super().on_epoch_end(epoch, logs)
            if self.best_weights is not before and self.watched is not None:
                self.best_weights = self.watched

    return KeepingWatched


def _kept_epoch(callbacks: Sequence[Any], epochs: int) -> int:
    """Epoch (from 1) of the weights that stay: of the last callback that restores any."""
    restoring = [
        one.best_epoch + 1
        for one in callbacks
        if isinstance(one, import_keras().callbacks.EarlyStopping)
        and one.restore_best_weights
        and one.best_weights is not None
    ]
    return restoring[-1] if restoring else epochs


def batch_order(n: int, seed: Any, epoch: Any) -> Any:
    """The order of `n` rows in an epoch (from 0): int32 and stateless, the same in each trainer."""
    tf = import_tensorflow()
    key = tf.stack([tf.cast(seed, tf.int32), tf.cast(epoch, tf.int32)])
    return tf.random.experimental.stateless_shuffle(tf.range(n, dtype=tf.int32), seed=key)


def shuffled_batches(rows: Rows, batch_size: int, seed: int) -> tuple[Any, Callable[[int], object]]:
    """A `tf.data.Dataset` of an epoch's batches, and what orders it for an epoch (from 0)."""
    tf = import_tensorflow()
    n = n_rows(rows.x)
    n_batches = -(-n // batch_size)
    if isinstance(rows.x, Streamed):
        # In another order each time it is read.
        shuffled = _one_by_one(rows).shuffle(min(n, BUFFER_ROWS), seed=seed)
        counted = tf.data.experimental.assert_cardinality(n_batches)
        return shuffled.batch(batch_size).apply(counted), lambda _: None
    structure = _as_tensors(rows)
    with tf.device("CPU"):  # where pipelines run
        # Outside of the pipeline, which prepares each of its functions anew for every epoch.
        order = tf.Variable(batch_order(n, seed, 0), trainable=False)

    def batch(i: Any) -> Any:
        chosen = order[i * batch_size : (i + 1) * batch_size]
        return tf.nest.map_structure(lambda part: tf.gather(part, chosen), structure)

    batches = tf.data.Dataset.range(n_batches, output_type=tf.int32).map(batch)
    return batches, lambda epoch: order.assign(batch_order(n, seed, epoch))


def _one_by_one(rows: Rows) -> Any:
    """A `tf.data.Dataset` of single rows, which are read batch by batch."""
    tf = import_tensorflow()
    beside = [part for part in (rows.y, rows.weight) if part is not None]

    def batches() -> Any:
        for features, positions in rows.x.batches():
            yield (features, *(part[positions] for part in beside))

    specs = tuple(tf.TensorSpec((None, *p.shape[1:]), p.dtype) for p in [rows.x, *beside])
    return tf.data.Dataset.from_generator(batches, output_signature=specs).unbatch()


def _in_order(rows: Rows, batch_size: int) -> Any:
    tf = import_tensorflow()
    size = max(batch_size, FORWARD_ROWS)
    n_batches = -(-n_rows(rows.x) // size)
    if isinstance(rows.x, Streamed):
        counted = tf.data.experimental.assert_cardinality(n_batches)
        return _one_by_one(rows).batch(size).apply(counted)
    structure = _as_tensors(rows)
    if n_batches == 1:
        return tf.data.Dataset.from_tensors(structure)  # no function to prepare for every epoch

    def batch(i: Any) -> Any:
        return tf.nest.map_structure(lambda part: part[i * size : (i + 1) * size], structure)

    return tf.data.Dataset.range(n_batches, output_type=tf.int32).map(batch)


def _as_tensors(rows: Rows) -> Any:
    # Copies: the threads of a pipeline may outlive what it reads from.
    tf = import_tensorflow()
    x, y = map_parts(tf.constant, rows.x), map_parts(tf.constant, rows.y)
    return (x, y) if rows.weight is None else (x, y, tf.constant(rows.weight))


def _stop_at_nan(patience: int | None) -> Any:
    keras = import_keras()

    def stop(epoch: int, logs: Any) -> None:
        if patience is not None and "val_loss" not in logs:
            raise InvalidObjectiveError(
                "early stopping watches val_loss, which the model does not report. Compile it with "
                "a loss, return a loss from its test_step, or give patience=None."
            ).about("patience", patience)
        if not np.isfinite(logs.get("loss", 0.0)):
            callback.model.stop_training = True

    callback = keras.callbacks.LambdaCallback(on_epoch_end=stop)
    return callback
