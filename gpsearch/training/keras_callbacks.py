"""The user's Keras callbacks: fresh ones for each training, early stopping as our own."""

import copy
import functools
import inspect
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

from gpsearch.errors import InvalidObjectiveError
from gpsearch.training.backend import import_keras, learning_rate_of, optimizers_of
from gpsearch.training.compiled.description import root

VALIDATION = re.compile(r"^val_\w*$|\{val_")
"""A text that names a metric of held-back rows: ``val_loss``, or a path with ``{val_loss}``."""


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """Callbacks, read."""

    given: Any = None
    """As the user gave them."""
    patience: int | None = None
    """Of an early stopping on ``val_loss``, which every trainer has built in."""
    make: Callable[[], list[Any]] | None = None
    """Returns the other callbacks, fresh; None where there are none."""
    watch: bool = False
    """Whether one of them reads a metric of held-back rows (``val_...``)."""


def read_callbacks(given: Any) -> Callbacks:
    """Read callbacks as Keras takes them, or a function that returns them.

    A plain ``EarlyStopping(patience=50)`` becomes our own early stopping: on ``val_loss``, with
    the weights of the best epoch. All others are copied for each training, so that those given
    stay as they are and survive a clone.
    """
    if given is None:
        return Callbacks()
    try:
        made = _fresh(given)
    except Exception as error:  # of the user's function or objects
        raise InvalidObjectiveError(
            f"cannot be made for each training: {error}. Give a function that returns a list of "
            "new callbacks."
        ).about("callbacks", given) from error
    callback = import_keras().callbacks.Callback
    if wrong := [one for one in made if not isinstance(one, callback)]:
        raise InvalidObjectiveError(
            f"{wrong[0]!r} is not a keras.callbacks.Callback. Give callbacks, or a function that "
            "returns a list of them."
        ).about("callbacks", given)
    others = [one for one in made if not _is_plain_early_stopping(one)]
    return Callbacks(
        given=given,
        patience=min((math.ceil(one.patience) for one in made if one not in others), default=None),
        make=functools.partial(_others, given) if others else None,
        watch=any(VALIDATION.search(text) for text in _texts(others, set())),
    )


def check_callbacks(callbacks: Callbacks, model: Any) -> None:
    """Raise where a callback of Keras's cannot do its work in `model`, which was called.

    It sets a learning rate that follows a schedule, or watches what the model does not report.
    Callbacks of the user's own may report more.
    """
    keras = import_keras()
    made = [] if callbacks.make is None else callbacks.make()
    kinds = keras.callbacks
    for one in made:
        sets_rate = type(one) in (kinds.ReduceLROnPlateau, kinds.LearningRateScheduler)
        if sets_rate and any(map(_is_scheduled, optimizers_of(model))):
            raise InvalidObjectiveError(
                f"{type(one).__name__} sets the learning rate, which a schedule decides in this "
                "model. Compile the model with a number as learning rate, or leave the callback "
                "out."
            ).about("callbacks")
    own = any(
        root(type(one).__module__) != "keras" or isinstance(one, kinds.LambdaCallback)
        for one in made
    )
    steps = [getattr(type(model), name) for name in ("train_step", "test_step")]
    if own or steps != [keras.Model.train_step, keras.Model.test_step]:
        return
    try:
        names = ["loss", *(name for name in model.get_metrics_result() if name != "loss")]
    except Exception:  # a metric of the user's own may have no result yet
        return
    known = {*names, *(f"val_{name}" for name in names), "learning_rate"}
    for one in made:
        watches = isinstance(one, kinds.EarlyStopping | kinds.ReduceLROnPlateau)
        watches |= isinstance(one, kinds.ModelCheckpoint) and one.save_best_only
        if watches and one.monitor not in known:
            raise InvalidObjectiveError(
                f"{type(one).__name__} watches {one.monitor!r}, which the model does not report. "
                f"It reports {', '.join(names)}, each with val_ before it for held-back rows; add "
                "others to the metrics that it is compiled with."
            ).about("callbacks")


def _is_scheduled(optimizer: Any) -> bool:
    schedule = import_keras().optimizers.schedules.LearningRateSchedule
    return optimizer is not None and isinstance(learning_rate_of(optimizer), schedule)


def _fresh(given: Any) -> list[Any]:
    """New callbacks, or copies without the model that one was trained with."""
    if callable(given) and not isinstance(given, import_keras().callbacks.Callback):
        made = given()
        return list(made) if isinstance(made, Sequence) else [made]
    several = list(given) if isinstance(given, list | tuple) else [given]
    return copy.deepcopy(several, {id(getattr(one, "model", None)): None for one in several})


def _others(given: Any) -> list[Any]:
    """Fresh callbacks but for plain early stopping, whose place one that does nothing keeps."""
    kept: list[Any] = []
    for one in _fresh(given):
        if _is_plain_early_stopping(one):
            one = import_keras().callbacks.Callback()
            one.keeps_place = True
        kept.append(one)
    return kept


def early_stopping_among(callbacks: Sequence[Any]) -> int | None:
    """Where early stopping of the user's own stands among their callbacks; None for none.

    A callback may change the weights at the end of an epoch, which one after it then keeps.
    """
    places = (i for i, one in enumerate(callbacks) if getattr(one, "keeps_place", False))
    return next(places, None)


def _texts(thing: Any, seen: set[int]) -> Iterator[str]:
    """Texts in the attributes of a callback and in the code of its methods."""
    if isinstance(thing, str):
        yield thing
    if id(thing) in seen:  # a function may hold itself
        return
    seen.add(id(thing))
    held: Iterable[Any] = ()
    if isinstance(thing, tuple | list | set | frozenset):
        held = thing
    elif isinstance(thing, CodeType):
        held = thing.co_consts
    elif hasattr(thing, "__code__"):
        outside = inspect.getclosurevars(thing)
        texts = [one for one in outside.globals.values() if isinstance(one, str)]
        held = [thing.__code__, *(thing.__defaults__ or ()), *outside.nonlocals.values(), *texts]
    elif isinstance(thing, import_keras().callbacks.Callback):
        own = [one for one in type(thing).__mro__ if not one.__module__.startswith("keras.")]
        held = [value for holder in (thing, *own) for value in vars(holder).values()]
    for one in held:
        yield from _texts(one, seen)


def _is_plain_early_stopping(callback: Any) -> bool:
    return (
        type(callback) is import_keras().callbacks.EarlyStopping
        and callback.monitor == "val_loss"
        and 1 <= callback.patience < math.inf
        and not callback.min_delta
        and callback.baseline is None
        and not callback.start_from_epoch
        and callback.mode in ("auto", "min")
    )
