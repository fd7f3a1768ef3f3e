"""The user's Keras callbacks: fresh ones for each training, early stopping as our own."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gpsearch.errors import InvalidObjectiveError
from gpsearch.training.backend import import_keras


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """Callbacks, read."""

    patience: int | None = None
    """Of an early stopping on ``val_loss``, which every trainer has built in."""
    make: Callable[[], list[Any]] | None = None
    """Returns the other callbacks, fresh; None where there are none."""
    rest: Any = None
    """The other callbacks as they were given."""
    watch: bool = False
    """Whether one of them reads a metric of held-back rows (``val_...``)."""


def read_callbacks(given: Any) -> Callbacks:
    """Read callbacks as Keras takes them, or a function that returns them.

    A plain ``EarlyStopping(patience=50)`` becomes our own early stopping: on ``val_loss``, with
    the weights of the best epoch. All others are copied for each training, so that those given
    stay as they are and survive a clone.

    Parameters
    ----------
    given : callback, sequence of callbacks, callable that returns them, or None

    Returns
    -------
    Callbacks

    Raises
    ------
    InvalidObjectiveError
        Something other than a Keras callback.
    """
    if given is None:
        return Callbacks()
    keras = import_keras()
    if callable(given) and not isinstance(given, keras.callbacks.Callback):
        made = list(given())
        return Callbacks(make=lambda: list(given()), rest=given, watch=any(map(_watches, made)))
    several = list(given) if isinstance(given, Sequence) else [given]
    if wrong := [one for one in several if not isinstance(one, keras.callbacks.Callback)]:
        raise InvalidObjectiveError(
            f"{wrong[0]!r} is not a keras.callbacks.Callback. Give callbacks, or a function that "
            "returns a list of them."
        ).about("callbacks", given)
    patience = [one.patience for one in several if _is_plain_early_stopping(one)]
    others = [one for one in several if not _is_plain_early_stopping(one)]
    return Callbacks(
        patience=min(patience) if patience else None,
        rest=others or None,
        make=(lambda: copy.deepcopy(others)) if others else None,
        watch=any(map(_watches, others)),
    )


def _is_plain_early_stopping(callback: Any) -> bool:
    return (
        type(callback).__name__ == "EarlyStopping"
        and callback.monitor == "val_loss"
        and callback.patience >= 1
        and not callback.min_delta
        and callback.baseline is None
        and not callback.start_from_epoch
        and callback.mode in ("auto", "min")
    )


def _watches(callback: Any) -> bool:
    return str(getattr(callback, "monitor", "")).startswith("val_")
