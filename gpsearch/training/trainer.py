"""The contract of a trainer: rows and settings to a trained fold."""

import math
import statistics
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from gpsearch.arguments import optional, whole
from gpsearch.data.rows import Parts, take
from gpsearch.errors import InvalidObjectiveError, TrialFailedError
from gpsearch.evaluation import FoldResult
from gpsearch.training.backend import import_keras
from gpsearch.training.fitted import forward_in_batches

DEFAULT_BATCH_SIZE = 32


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Features, target and weights of the same rows."""

    x: Parts
    """Features as the model takes them."""
    y: Parts
    """Target as the loss takes it."""
    weight: np.ndarray | None = None
    """Sample weights, shape (n,); None for equal weights."""


def take_rows(rows: Rows, chosen: np.ndarray) -> Rows:
    """The chosen rows of features, target and weights."""
    weight = None if rows.weight is None else rows.weight[chosen]
    return Rows(x=take(rows.x, chosen), y=take(rows.y, chosen), weight=weight)


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How long and in what steps to train."""

    epochs: int
    """Passes over the training rows, at most."""
    batch_size: int
    """Rows in one step."""
    patience: int | None = None
    """Epochs without a better validation loss before training stops; None: all epochs."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """What a model learns from, and how."""

    fit: Rows
    """Rows to learn from."""
    stop: Rows | None
    """Rows whose loss early stopping watches; None to train for all epochs."""
    settings: TrainingSettings
    """Epochs, batch size and patience."""
    seed: int
    """Decides the order of the rows in each epoch; from 0 to 2**31 - 1."""


@dataclass(frozen=True, kw_only=True)
class TrainingFacts:
    """How a network was trained; each as in `FoldResult`."""

    best_epoch: int
    epochs: int
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    trainer: str = ""
    note: str = ""
    work: float | None = None
    parameters: int | None = None


@dataclass(frozen=True, kw_only=True)
class TrainedFold(TrainingFacts):
    """A model trained on one fold; `work` and `parameters` are not known yet."""

    model: Any
    """A model that holds the kept weights until the trainer is used again."""

    def predict(self, features: Parts) -> Any:
        """The kept weights' outputs."""
        return forward_in_batches(self.model, features)


class Trainer(Protocol):
    """Trains a compiled model on one fold."""

    lock: AbstractContextManager[Any]
    """Held by the caller from training to the last prediction, so that no other thread trains
    in the same variables meanwhile."""

    def train(self, model: Any, training: Training, *, built_by: Hashable) -> TrainedFold:
        """Train `model`, and keep the weights of the best epoch where stop rows are watched.

        The model is compiled and has its initial weights, which may change. `built_by` stands for
        the call that built it: equal for two models only where they are of one architecture.
        """


def checked_settings(given: Mapping[str, Any], stops_after: int | None = None) -> TrainingSettings:
    """Training settings, checked; of `patience` and an early stopping's, the smaller one counts."""
    kind = InvalidObjectiveError
    epochs = whole("epochs", given["epochs"], 1, kind=kind)
    batch_size = whole("batch_size", given["batch_size"], 1, kind=kind)
    patience = optional(whole, "patience", given["patience"], 1, kind=kind)
    if stops_after is not None:
        patience = min(stops_after, patience or stops_after, epochs)
    if patience is not None and patience > epochs:
        raise kind(
            f"is above epochs={epochs}, so training would never stop early. Lower patience, raise "
            "epochs, or give patience=None."
        ).about("patience", patience)
    return TrainingSettings(epochs=epochs, batch_size=batch_size, patience=patience)


def by_entry(name: str, values: Iterable[Any]) -> dict[str, Any]:
    """The entries of a metric by name: ``f1_score_0``, ``f1_score_1`` where it has several."""
    entries = list(values)
    if len(entries) == 1:
        return {name: entries[0]}
    return {f"{name}_{position}": value for position, value in enumerate(entries)}


def fold_seeds(seed: int, index: int) -> tuple[int, int]:
    """Seeds of initial weights and of batch order, each from 0 to 2**31 - 1."""
    words = np.random.SeedSequence(seed, spawn_key=(index,)).generate_state(2)
    return int(words[0] >> 1), int(words[1] >> 1)


def epochs_to_refit(folds: Sequence[FoldResult]) -> int | None:
    """Epochs for a training on all rows: the median of the folds' best epochs; None without."""
    best = [fold.best_epoch for fold in folds if fold.best_epoch is not None]
    return max(1, round(statistics.median(best))) if best else None


def check_converged(curves: Mapping[str, Sequence[float]]) -> None:
    """Raise `TrialFailedError` where no epoch ended with a finite loss to choose it by."""
    loss = curves.get("loss", (0.0,))  # a train_step of the user's own may report none
    if not any(math.isfinite(value) for value in curves.get("val_loss", loss[-1:])):
        raise TrialFailedError(
            f"training diverged: the loss is {loss[-1]} after epoch {len(loss)}. Smaller learning "
            "rates or gradient clipping may help."
        )


def check_finite(outputs: Any) -> None:
    """Raise `TrialFailedError` where a trained model's outputs are not all finite."""
    if not all(np.isfinite(part).all() for part in import_keras().tree.flatten(outputs)):
        raise TrialFailedError("training diverged: the model's outputs hold NaN or infinity")
