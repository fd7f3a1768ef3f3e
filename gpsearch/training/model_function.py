"""The user's ``create_model``: its arguments, and the models that it builds."""

import contextlib
import copy
import hashlib
import inspect
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from gpsearch.arguments import kind_of_thing
from gpsearch.data.rows import Parts, is_text, map_parts, named_parts, take
from gpsearch.data.target import Target
from gpsearch.errors import InvalidObjectiveError
from gpsearch.training.backend import (
    import_keras,
    name_counts,
    optimizers_of,
    restart_random_layers,
)
from gpsearch.training.seeding import seeded

TRAINING_NAMES = ("epochs", "batch_size", "patience")
"""Entries of a configuration for the training; `create_model` may take them as well."""

DATA_NAMES = ("n_features", "input_shape", "n_classes", "n_outputs", "target_kind")
"""Facts about the data that `create_model` may take, where the configuration lacks them."""


class ModelFunction:
    """A function from named arguments to a compiled Keras model.

    Its arguments are filled by name from the configuration. It may also take ``n_features``
    (columns of X), ``input_shape`` (of one row), ``n_classes`` (None for a regression),
    ``n_outputs`` (units the last layer needs: 1 for two classes) and ``target_kind`` ("binary",
    "multiclass", "multilabel", "regression", "several"), all after preprocessing.
    """

    def __init__(self, create_model: Callable[..., Any]) -> None:
        what = kind_of_thing(create_model)
        if what or not callable(create_model):
            raise InvalidObjectiveError(
                f"{what and f'is {what}; it '}must be a function that returns a compiled Keras "
                "model, a new one in each call."
            ).about("create_model", create_model)
        self.create_model = create_model
        self.name = str(getattr(create_model, "__name__", type(create_model).__name__))
        parameters = inspect.signature(create_model).parameters.values()
        nameless = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY]
        if nameless:
            raise InvalidObjectiveError(
                f"its arguments {nameless} cannot be given by name. Remove the '/' from its "
                "signature."
            ).about("create_model", self.name)
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        self.takes = [p.name for p in parameters if p.kind in named]
        self.requires = [p.name for p in parameters if p.kind in named and p.default is p.empty]
        self.takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self._last_built: list[weakref.ref[Any]] = []
        self._last_states: list[tuple[weakref.ref[Any], bytes]] = []
        self._first_names: dict[str, int] = {}

    def check_names(self, names: Iterable[str]) -> None:
        """Raise unless training or `create_model` takes each name, and none is missing."""
        names = set(names)
        unknown = sorted(names - set(self.takes) - set(TRAINING_NAMES))
        if unknown and not self.takes_any:
            raise InvalidObjectiveError(
                f"{self.name} does not take {_listed(unknown)}. It takes {_listed(self.takes)}; "
                f"training takes {_listed(TRAINING_NAMES)}. Rename the entry of the space, or "
                f"add the argument to {self.name}."
            ).about("space", entry=unknown[0])
        missing = sorted(set(self.requires) - names - set(DATA_NAMES) - set(TRAINING_NAMES))
        if missing:
            raise InvalidObjectiveError(
                f"{self.name} needs {_listed(missing)}, which the space does not give. Add it to "
                "the space, as a fixed value if it is not to be tuned, or give the argument a "
                "default."
            ).about("space", entry=missing[0])

    def arguments(
        self, params: Mapping[str, Any], facts: Mapping[str, Any], training: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Arguments of the function: from the configuration, else training, else data facts."""
        chosen = {
            name: value
            for name, value in params.items()
            if name in self.takes or (self.takes_any and name not in TRAINING_NAMES)
        }
        offered = {**facts, **training}
        return {name: offered[name] for name in self.takes if name in offered} | chosen

    def build(self, arguments: Mapping[str, Any], features: Parts, seed: int) -> Any:
        """A built and compiled model, with initial weights that `seed` decides.

        A model without an input shape is built on the first of the preprocessed rows. Raises where
        the function returned something else, or parts of the model it returned before.
        """
        keras = import_keras()
        changed = self._changed_states()
        with seeded(seed), self._same_names():
            model = self.create_model(**{name: _own(v) for name, v in arguments.items()})
            if not isinstance(model, keras.Model):
                raise InvalidObjectiveError(
                    f"{self.name} returned {type(model).__name__}, not a Keras model. Return a "
                    "compiled keras.Model."
                )
            if not model.compiled:
                raise InvalidObjectiveError(
                    f"{self.name} returned a model that is not compiled. Call "
                    "model.compile(optimizer=..., loss=...) before returning it."
                )
            if not model.built:
                self._run(model, take(features, np.arange(1)))
            self._check_fresh(model, changed)
            restart_random_layers(model)
        return model

    @contextlib.contextmanager
    def _same_names(self) -> Iterator[None]:
        """Let Keras give the layers the same numbers in each build but the first.

        TensorFlow keeps a kernel for each name and shape of a variable, which takes 35 kB and
        most of the time that a variable costs. What the first build creates keeps its names.
        """
        counts = name_counts()
        before = dict(counts)
        if self._first_names:
            counts.clear()
            counts.update(self._first_names)
        try:
            yield
        finally:
            counts = name_counts()  # others, where the function has cleared Keras's session
            self._first_names = self._first_names or dict(counts)
            for name, count in before.items():
                counts[name] = max(count, counts.get(name, 0))

    def outputs(self, model: Any, features: Parts) -> Any:
        """Outputs of an untrained model for a few rows; raises where it cannot take them."""
        try:
            return self._run(model, features)
        except InvalidObjectiveError:
            raise
        except Exception as error:  # whatever a layer may raise
            raise InvalidObjectiveError(
                f"the model that {self.name} returned cannot take two rows of X (input shape "
                f"{_shapes(features)}, which the function may take as `input_shape`): {error}"
            ) from error

    def _run(self, model: Any, features: Parts) -> Any:
        try:
            return model(features, training=False)
        except Exception as error:
            if not any(is_text(part) for _, part in named_parts(features)):
                raise
            raise InvalidObjectiveError(
                f"X holds text, which the model that {self.name} returned cannot take. Encode it "
                'inside each fold with preprocess="auto" (categories) or a scikit-learn '
                "vectoriser, or let a layer such as TextVectorization read it."
            ) from error

    def _changed_states(self) -> dict[int, bytes]:
        """Digests of the last model's variables that changed without being trained, by id."""
        alive = [(ref(), digest) for ref, digest in self._last_states]
        now = [(part, digest, _digest(part)) for part, digest in alive if part is not None]
        return {id(part): after for part, before, after in now if after != before}

    def _check_fresh(self, model: Any, changed: Mapping[int, bytes]) -> None:
        """Raise where the model shares with the one built before what it learns, or has learnt.

        Models may share layers that stay as they are: frozen ones, or an adapted `Normalization`;
        and those that the function resets. A state, such as a moving average, may be `changed`.
        """
        optimizers = optimizers_of(model)
        parts = [model, *optimizers, *model.trainable_variables]
        learning = [part for part in parts if part is not None]
        states = [(part, _digest(part)) for part in model.non_trainable_weights]
        before = {id(part): part for part in (ref() for ref in self._last_built)}
        shared = [part for part in learning if id(part) in before]
        reused = [part for part, digest in states if changed.get(id(part)) == digest]
        self._last_built = [weakref.ref(part) for part in learning]
        self._last_states = [(weakref.ref(part), digest) for part, digest in states]
        if not shared and not reused:
            return
        if not shared:
            what = (
                f"a model with the {reused[0].path} of the one before, which training has changed"
            )
        elif shared[0] is model:
            what = "the very model that it returned before"
        elif any(shared[0] is optimizer for optimizer in optimizers):
            what = "a model with the optimizer of the one before"
        else:
            what = f"a model that trains the {shared[0].path} of the one before"
        raise InvalidObjectiveError(
            f"{self.name} returned {what}: each fold would start from what another has learnt. "
            "Make model, layers and optimizer inside the function, anew in each call."
        )

    def __getstate__(self) -> dict[str, Any]:
        """Without the models built and their names: they belong to this process."""
        return {**self.__dict__, "_last_built": [], "_last_states": [], "_first_names": {}}


def data_facts(features: Parts, target: Target) -> dict[str, Any]:
    """One entry for each of `DATA_NAMES`, from preprocessed features."""
    first = named_parts(features)[0][1]
    return {
        "n_features": int(first.shape[-1]) if first.ndim > 1 else 1,
        "input_shape": _shapes(features),
        "n_classes": target.n_classes,
        "n_outputs": target.n_outputs,
        "target_kind": target.kind,
    }


def _digest(variable: Any) -> bytes:
    return hashlib.blake2b(np.asarray(variable.numpy()).tobytes()).digest()


def _shapes(features: Parts) -> Any:
    return map_parts(lambda part: tuple(int(size) for size in part.shape[1:]), features)


def plain_value(value: Any) -> Any:
    """Plain Python for NumPy's scalars, which searches draw and Keras refuses; nested too."""
    if isinstance(value, np.generic):
        return value.item()
    if type(value) in (list, tuple, set):
        return type(value)(map(plain_value, value))
    if type(value) is dict:
        return {name: plain_value(one) for name, one in value.items()}
    return value


def _own(value: Any) -> Any:
    """A plain value; a copy of a container, which the function may change."""
    return plain_value(copy.deepcopy(value) if isinstance(value, list | dict | set) else value)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names) or "nothing"
