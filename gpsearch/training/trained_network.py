"""One Keras network, trained: a fold of `KerasCV`, its refit, and ``fit`` of an estimator."""

import contextlib
import dataclasses
import functools
import pickle
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpsearch.data.datasets import REASON, Streamed
from gpsearch.data.prepared_folds import PreparedFold
from gpsearch.data.rows import Parts, take
from gpsearch.data.target import Target
from gpsearch.data.weights import fit_weights
from gpsearch.errors import TrialFailedError
from gpsearch.training.backend import import_keras
from gpsearch.training.compiled.compiled_trainer import CompiledTrainer
from gpsearch.training.compiled.model_state import state_kept
from gpsearch.training.fitted import FittedNetwork, as_fitted
from gpsearch.training.loop import LoopTrainer
from gpsearch.training.loss_target import check_output, fits, loss_target
from gpsearch.training.model_function import TRAINING_NAMES, ModelFunction, data_facts
from gpsearch.training.trainer import (
    Rows,
    TrainedFold,
    Trainer,
    Training,
    TrainingFacts,
    TrainingSettings,
    check_converged,
)
from gpsearch.training.work import arithmetic, work


@dataclass(frozen=True, kw_only=True)
class NetworkTask:
    """All that one training needs, except for the trainer."""

    function: ModelFunction
    """Makes the model."""
    params: Mapping[str, Any]
    """The configuration."""
    settings: TrainingSettings
    """Epochs, batch size and patience."""
    planned: TrainingSettings | None = None
    """Of the evaluation that ended after so few epochs, whose schedule a model is to have."""
    prepared: PreparedFold
    """Features of the rows."""
    target: Target
    """Of all rows."""
    fit: np.ndarray
    """Rows to learn from."""
    stop: np.ndarray | None
    """Rows that early stopping watches; None: train for all epochs."""
    seeds: tuple[int, int]
    """Of the initial weights, and of the order of rows."""
    sample_weight: np.ndarray | None = None
    """Of all rows; see `fit_weights`."""
    class_weight: Any = None
    """Of the rows to learn from; see `fit_weights`."""
    max_parameters: int | None = None
    """A model with more is not trained; None for no limit."""

    @functools.cached_property
    def arguments(self) -> dict[str, Any]:
        """What the model function is called with."""
        training = {name: getattr(self.planned or self.settings, name) for name in TRAINING_NAMES}
        facts = data_facts(self.prepared.sample, self.target)
        return self.function.arguments(self.params, facts, training)

    def build(self) -> Any:
        """A new, untrained model; TrialFailedError where it has more than `max_parameters`."""
        model = self.function.build(self.arguments, self.prepared.sample, self.seeds[0])
        if self.max_parameters is not None and model.count_params() > self.max_parameters:
            raise TrialFailedError(
                f"not trained: the network has {model.count_params():,} parameters, more than "
                f"max_parameters={self.max_parameters:,}."
            )
        return model

    def check(self, model: Any, *, traced: bool = True) -> None:
        """Raise where the output of `model` cannot be compared with y; see `check_output`."""
        y = take(loss_target(self.target, model), self.prepared.sample_rows)
        x = self.prepared.sample
        with state_kept(model, x, y):
            outputs = self.function.outputs(model, x)
            check_output(self.target, model, outputs, x, y, self.function.name, traced=traced)
        if self.target.is_classification and fits(self.target, np.shape(outputs), model):
            known = import_keras().ops.convert_to_numpy(outputs)
            as_fitted(model, self.prepared.preprocessor, self.target).labels(known)

    def training(self, model: Any) -> Training:
        """What `model` is trained on, and how."""
        y = loss_target(self.target, model)

        def rows_of(rows: np.ndarray, class_weight: Any) -> Rows:
            return Rows(
                x=self.prepared.features(rows),
                y=take(y, rows),
                weight=fit_weights(self.target, rows, self.sample_weight, class_weight),
            )

        size = min(self.settings.batch_size, len(self.fit))
        return Training(
            fit=rows_of(self.fit, self.class_weight),
            stop=None if self.stop is None else rows_of(self.stop, None),
            settings=dataclasses.replace(self.settings, batch_size=size),
            seed=self.seeds[1],
        )


@dataclass(frozen=True, kw_only=True)
class TrainedNetwork:
    """A network that has been trained, while no other training may change it."""

    task: NetworkTask
    """What it was trained for."""
    fold: TrainedFold
    """How it was trained, and the model that holds its weights."""
    facts: TrainingFacts
    """The same without the model, with the work."""

    def view(self) -> FittedNetwork:
        """The network as scikit-learn sees it; valid until the trainer is used again."""
        return as_fitted(self.fold.model, self.task.prepared.preprocessor, self.task.target)

    def kept(self) -> FittedNetwork:
        """The network as a model of its own, and a target without y."""
        model = self.fold.model
        if self.fold.trainer == "compiled":  # which may be the host of a program
            weights = model.get_weights()
            model = self.task.build()
            model.set_weights(weights)
            # Keras saves an optimizer that was never built in a form that it cannot load.
            model.optimizer.build(model.trainable_variables)
        target = dataclasses.replace(self.task.target, labels=None, encoded=None)
        return as_fitted(model, self.task.prepared.preprocessor, target)


@contextlib.contextmanager
def trained_network(
    task: NetworkTask,
    trainer: Trainer,
    *,
    built_by: Hashable,
    check: bool = False,
    scored: int = 0,
) -> Iterator[TrainedNetwork]:
    """Build, with `check` also check, and train a network; the trainer stays locked.

    Its work is also that of predicting `scored` rows.
    """
    model = task.build()
    if check:
        task.check(model, traced=False)
    training, seen, parameters = task.training(model), arithmetic(model), model.count_params()
    with trainer.lock:
        try:
            trained = trainer.train(model, training, built_by=built_by)
        except Exception:
            if check:
                task.check(model)  # of a loss that cannot be traced, it says more
            raise
        del training  # before scored rows are in memory, too
        check_converged(trained.curves)
        seconds = work(
            seen,
            rows=len(task.fit),
            batch_size=task.settings.batch_size,
            epochs=trained.epochs,
            watched=0 if task.stop is None else len(task.stop),
            scored=scored,
        )
        known = vars(trained) | {"work": seconds, "parameters": parameters}
        del known["model"]
        yield TrainedNetwork(task=task, fold=trained, facts=TrainingFacts(**known))


def choose_trainer(
    X: Parts,
    *,
    compiled: bool,
    callbacks: Callable[[], Sequence[Any]] | None,
    programs: CompiledTrainer,
) -> Trainer:
    """The trainer that suits the data and the callbacks: `programs` wherever it can train."""
    if not compiled:
        return LoopTrainer(callbacks)
    if callbacks is not None:
        return LoopTrainer(callbacks, "Keras callbacks run between epochs, in Python")
    if isinstance(X, Streamed):
        return LoopTrainer(reason=REASON)
    return programs


def call_key(create_model: Callable[..., Any], arguments: Mapping[str, Any]) -> Hashable:
    """A key that is equal only where function and arguments are (1 is not 1.0), and holds both."""
    try:
        return create_model, pickle.dumps(sorted(arguments.items()))
    except Exception:  # an object may refuse in any way
        return create_model, object()
