"""``fit`` of a Keras estimator: one network, trained on all rows.

Programs are kept for the next fit of the same architecture, in this process: a search over a
Pipeline that ends in a `KerasClassifier` pays for tracing once, as `KerasCV` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gpsearch.arguments import fraction
from gpsearch.data.folds import Fold, make_fold
from gpsearch.data.prepared_folds import PreparedFold
from gpsearch.data.rows import Parts, n_rows, take
from gpsearch.data.target import Target
from gpsearch.errors import InvalidObjectiveError, TrialFailedError
from gpsearch.training.compiled.compiled_trainer import CompiledTrainer
from gpsearch.training.fitted import FittedNetwork
from gpsearch.training.keras_callbacks import Callbacks, read_callbacks
from gpsearch.training.model_function import ModelFunction
from gpsearch.training.trained_network import (
    NetworkTask,
    call_key,
    choose_trainer,
    trained_network,
)
from gpsearch.training.trainer import DEFAULT_BATCH_SIZE, checked_settings

_programs = CompiledTrainer()


@dataclass(frozen=True, kw_only=True)
class TrainingFacts:
    """How a network was trained."""

    best_epoch: int
    """Epoch (from 1) whose weights were kept."""
    epochs: int
    """Epochs run."""
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Loss and metrics by name, one value for each epoch; "val_" before those of held-back rows."""
    trainer: str = ""
    """``compiled`` or ``loop``."""
    note: str = ""
    """Why, where it was not the user's choice."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The settings of one fit."""

    call: str
    """Opening of error messages: the name of the estimator."""
    create_model: Callable[..., Any]
    """Returns a compiled Keras model."""
    model_params: Mapping[str, Any]
    """Its arguments."""
    epochs: int
    """Passes over the rows, at most."""
    batch_size: int | None
    """Rows in one step; None for 32."""
    patience: int | None
    """Epochs without improvement before training stops."""
    callbacks: Any
    """Keras callbacks."""
    validation_fraction: float
    """Share of the rows that early stopping holds back."""
    in_order: bool
    """Whether these are the last rows, for rows in the order of time."""
    preprocess: Any
    """See `Preprocessor`."""
    compiled: bool
    """Whether a compiled program may train."""
    class_weight: Any
    """See `fit_weights`."""
    seeds: tuple[int, int]
    """Of the initial weights, and of held-back rows and the order of rows."""


@dataclass(frozen=True, kw_only=True)
class Rebuild:
    """The call that makes an untrained model of the same architecture."""

    arguments: Mapping[str, Any]
    """Of ``create_model``."""
    row: Parts
    """One preprocessed row."""
    seed: int
    """Of the initial weights."""

    def model(self, create_model: Callable[..., Any]) -> Any:
        """Build the model."""
        return ModelFunction(create_model).build(self.arguments, self.row, self.seed)


def fit_network(
    wanted: Wanted, X: Parts, target: Target, sample_weight: np.ndarray | None
) -> tuple[FittedNetwork, TrainingFacts, Rebuild]:
    """Train a network on raw features X.

    Raises
    ------
    InvalidObjectiveError
        A setting breaks a rule, or the model does not fit the data.
    ValueError
        Training diverged.
    """
    callbacks = read_callbacks(wanted.callbacks)
    whole, watches = _split(wanted, callbacks, X, target)
    fit = whole.fit if watches else whole.train
    batch_size = DEFAULT_BATCH_SIZE if wanted.batch_size is None else wanted.batch_size
    settings = checked_settings(
        {"epochs": wanted.epochs, "batch_size": batch_size, "patience": wanted.patience},
        callbacks.patience,
    )
    prepared = PreparedFold(X, wanted.preprocess, whole)
    prepared.keep()
    function = ModelFunction(wanted.create_model)
    function.check_names(wanted.model_params)
    task = NetworkTask(
        function=function,
        params=wanted.model_params,
        settings=settings,
        prepared=prepared,
        target=target,
        fit=fit,
        stop=whole.stop if watches else None,
        seeds=wanted.seeds,
        sample_weight=sample_weight,
        class_weight=wanted.class_weight,
    )
    trainer = choose_trainer(
        X, compiled=wanted.compiled, callbacks=callbacks.make, programs=_programs
    )
    built_by = call_key(wanted.create_model, task.arguments)
    try:
        with trained_network(task, trainer, built_by=built_by, check=True) as trained:
            network = trained.kept()
    except TrialFailedError as error:
        raise ValueError(f"{wanted.call}: {error}") from error
    facts = TrainingFacts(
        best_epoch=trained.fold.best_epoch,
        epochs=trained.fold.epochs,
        curves=trained.fold.curves,
        trainer=trained.fold.trainer,
        note=trained.fold.note,
    )
    row = take(prepared.sample, np.arange(1))
    return network, facts, Rebuild(arguments=task.arguments, row=row, seed=wanted.seeds[0])


def _split(wanted: Wanted, callbacks: Callbacks, X: Parts, target: Target) -> tuple[Fold, bool]:
    """All rows as a training part, and whether its stop rows are watched."""
    n = n_rows(X)
    everything, nothing = np.arange(n), np.arange(0)
    fraction("validation_fraction", wanted.validation_fraction, kind=InvalidObjectiveError)
    if wanted.patience is None and callbacks.patience is None and not callbacks.watch:
        return Fold(index=0, train=everything, stop=nothing, test=nothing), False
    whole = make_fold(
        1,
        everything,
        nothing,
        target,
        ordered=wanted.in_order,
        validation_fraction=wanted.validation_fraction,
        random_state=wanted.seeds[1],
    )
    return whole, True
