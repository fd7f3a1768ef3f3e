"""One network trained on all the rows that it is given: what ``fit`` of a Keras estimator does.

Programs are kept for the next fit of the same architecture, in this process: a search over a
Pipeline that ends in a `KerasClassifier` pays for tracing once, as `KerasCV` does.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gpsearch.data.folds import make_folds
from gpsearch.data.preprocessing import Preprocessor, check_features
from gpsearch.data.rows import Parts, Target, n_rows, take
from gpsearch.data.weights import fit_weights
from gpsearch.errors import InvalidObjectiveError
from gpsearch.objective.keras_cv import DEFAULT_BATCH_SIZE
from gpsearch.training.compiled.compiled_trainer import CompiledTrainer
from gpsearch.training.fitted import FittedNetwork, as_fitted
from gpsearch.training.keras_callbacks import Callbacks, read_callbacks
from gpsearch.training.loop import LoopTrainer
from gpsearch.training.loss_target import check_output, loss_target
from gpsearch.training.model_function import TRAINING_NAMES, ModelFunction, data_facts
from gpsearch.training.trainer import (
    Rows,
    TrainedFold,
    Trainer,
    TrainingSettings,
    checked_settings,
)

_programs = CompiledTrainer()
_programs_lock = threading.RLock()  # a program holds its weights until it trains again


@dataclass(frozen=True, kw_only=True)
class TrainingFacts:
    """How a network was trained."""

    best_epoch: int
    """Epoch (from 1) whose weights were kept."""
    epochs: int
    """Epochs run."""
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Loss and metrics by name, one value for each epoch; "val_" before those of held-back rows."""
    path: str = ""
    """``compiled``, or ``loop`` and why."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person asks of one fit."""

    call: str
    """Opening of error messages: the name of the estimator."""
    create_model: Callable[..., Any]
    """Returns a compiled Keras model."""
    model_params: Mapping[str, Any]
    """Its arguments."""
    epochs: int
    """Passes over the rows, at most."""
    batch_size: int | None
    """Rows in one step; None for 32, or all where there are fewer."""
    patience: int | None
    """Epochs without improvement before training stops."""
    callbacks: Any
    """Keras callbacks."""
    validation_fraction: float
    """Share of the rows that early stopping holds back."""
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
    """Train a network.

    Parameters
    ----------
    wanted : Wanted
    X : parts
        Raw features, n rows.
    target : Target
        Of the same rows.
    sample_weight : (n,) float array or None

    Returns
    -------
    network : FittedNetwork
    facts : TrainingFacts
    rebuild : Rebuild

    Raises
    ------
    InvalidObjectiveError
        A setting breaks a rule, or the model does not fit the data.
    ValueError
        Training diverged.
    """
    callbacks = read_callbacks(wanted.callbacks)
    fit_rows, stop_rows = _split(wanted, callbacks, X, target)
    settings = _settings(wanted, callbacks, len(fit_rows))
    preprocessor = Preprocessor(wanted.preprocess, X)
    features = preprocessor.transform(X)
    check_features(features)
    function = ModelFunction(wanted.create_model)
    function.check_names(wanted.model_params)
    training = {name: getattr(settings, name) for name in TRAINING_NAMES}
    arguments = function.arguments(wanted.model_params, data_facts(features, target), training)
    build_seed, order_seed = wanted.seeds
    rebuild = Rebuild(arguments=arguments, row=take(features, np.arange(1)), seed=build_seed)
    model = function.build(arguments, features, build_seed)
    labels = loss_target(target, model)
    _check_model(function, model, target, features, labels)

    def rows(chosen: np.ndarray, class_weight: Any) -> Rows:
        weight = fit_weights(target, chosen, sample_weight, class_weight)
        # All of them are not copied once more.
        x = features if len(chosen) == n_rows(features) else take(features, chosen)
        return Rows(x=x, y=take(labels, chosen), weight=weight)

    model, trained = _train(
        wanted,
        callbacks,
        model,
        rebuild,
        rows(fit_rows, wanted.class_weight),
        None if stop_rows is None else rows(stop_rows, None),
        settings,
        order_seed,
    )
    facts = TrainingFacts(
        best_epoch=trained.best_epoch,
        epochs=trained.epochs,
        curves=trained.curves,
        path=trained.path,
    )
    _check_converged(wanted.call, facts)
    # y itself is not part of what was learnt.
    told = dataclasses.replace(target, labels=None, encoded=None)
    return as_fitted(model, preprocessor, told), facts, rebuild


def _train(
    wanted: Wanted,
    callbacks: Callbacks,
    model: Any,
    rebuild: Rebuild,
    fit: Rows,
    stop: Rows | None,
    settings: TrainingSettings,
    seed: int,
) -> tuple[Any, TrainedFold]:
    """The trained model, and how it was trained."""
    trainer: Trainer
    if not wanted.compiled:
        trainer = LoopTrainer(callbacks.make)
    elif callbacks.make is not None:
        trainer = LoopTrainer(callbacks.make, "Keras callbacks run between epochs, in Python")
    else:
        trainer = _programs
    arguments = repr(sorted(rebuild.arguments.items()))
    with _programs_lock:
        trained = trainer.train(
            model,
            fit,
            stop,
            settings,
            seed=seed,
            built_by=f"{id(wanted.create_model)} {arguments}",
        )
        if trained.path == "compiled":
            # The first model of an architecture stays with its program.
            weights = trained.weights()
            model = rebuild.model(wanted.create_model)
            model.set_weights(weights)
            # Keras saves an optimizer that was never built in a form that it cannot load.
            model.optimizer.build(model.trainable_variables)
    return model, trained


def _split(
    wanted: Wanted, callbacks: Callbacks, X: Parts, target: Target
) -> tuple[np.ndarray, np.ndarray | None]:
    """Rows to learn from, and rows that are watched."""
    n = n_rows(X)
    if not 0 < wanted.validation_fraction < 1:
        raise InvalidObjectiveError(
            f"{wanted.call}(validation_fraction={wanted.validation_fraction!r}): must lie between "
            "0 and 1."
        )
    if wanted.patience is None and callbacks.patience is None and not callbacks.watch:
        return np.arange(n), None
    _, whole = make_folds(
        [(np.arange(1, n), np.arange(1))],  # only the split of all rows is wanted
        X,
        target,
        n=n,
        groups=None,
        validation_fraction=wanted.validation_fraction,
        random_state=wanted.seeds[1],
    )
    return whole.fit, whole.stop


def _settings(wanted: Wanted, callbacks: Callbacks, n: int) -> TrainingSettings:
    patience = wanted.patience
    if callbacks.patience is not None:
        patience = min(callbacks.patience, wanted.epochs)  # a longer one never stops, as in Keras
    batch_size = min(DEFAULT_BATCH_SIZE, n) if wanted.batch_size is None else wanted.batch_size
    given = {"epochs": wanted.epochs, "batch_size": batch_size, "patience": patience}
    return checked_settings(given, wanted.call)


def _check_model(
    function: ModelFunction, model: Any, target: Target, features: Parts, labels: Parts
) -> None:
    two = np.arange(min(2, n_rows(features)))
    outputs = function.outputs(model, take(features, two))
    check_output(target, model, outputs, take(labels, two), function.name)


def _check_converged(call: str, facts: TrainingFacts) -> None:
    watched = facts.curves.get("val_loss", facts.curves["loss"][-1:])
    if not np.isfinite(watched).any():
        raise ValueError(
            f"{call}: training diverged, the loss is {facts.curves['loss'][-1]} after epoch "
            f"{facts.epochs}. Smaller learning rates or gradient clipping may help."
        )
