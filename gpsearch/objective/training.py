"""What training one fold takes and gives: the contract between `KerasCV` and its trainers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from gpsearch.objective.data import Parts, take

# Rows in one forward pass of validation or prediction. Large enough that small data is one pass.
FORWARD_ROWS = 4096


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
class TrainedFold:
    """A model trained on one fold."""

    best_epoch: int
    """Epoch (from 1) whose weights were kept."""
    epochs: int
    """Epochs run."""
    curves: Mapping[str, tuple[float, ...]]
    """Loss and metrics for each epoch run; "val_" before those on the stop rows."""
    predict: Callable[[Parts], Any]
    """The kept weights' outputs for features; valid until the trainer is used again."""
    weights: Callable[[], list[np.ndarray]]
    """The kept weights, as ``keras.Model.get_weights`` has them; valid as long as `predict`."""
    path: str
    """How it was trained."""


class Trainer(Protocol):
    """Trains a compiled model on one fold."""

    def train(
        self,
        model: Any,
        fit: Rows,
        stop: Rows | None,
        settings: TrainingSettings,
        *,
        seed: int,
        built_by: str,
    ) -> TrainedFold:
        """Train `model`, and keep the weights of the best epoch where `stop` is watched.

        Parameters
        ----------
        model : keras.Model
            Compiled, with its initial weights; the trainer may change them.
        fit : Rows
            Rows to learn from.
        stop : Rows or None
            Rows whose loss early stopping watches; None to train for all epochs.
        settings : TrainingSettings
            Epochs, batch size and patience.
        seed : int
            Decides the order of the rows in each epoch.
        built_by : str
            Names the call that built the model: models of one name are of one architecture.
        """
