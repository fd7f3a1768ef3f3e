"""``fit`` of a Keras estimator: one network, trained on all rows.

Programs are kept for the next fit of the same architecture, in this process: a search over a
Pipeline that ends in a `KerasClassifier` pays for tracing once, as `KerasCV` does.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from gpsearch.arguments import boolean, fraction, refusal
from gpsearch.data.folds import Fold, make_fold
from gpsearch.data.prepared_folds import PreparedFold
from gpsearch.data.rows import Parts, n_rows, take
from gpsearch.data.target import Target
from gpsearch.data.weights import fit_weights
from gpsearch.errors import InvalidObjectiveError, TrialFailedError
from gpsearch.training.compiled.compiled_trainer import CompiledTrainer
from gpsearch.training.fitted import FittedNetwork
from gpsearch.training.keras_callbacks import read_callbacks
from gpsearch.training.model_function import TRAINING_NAMES, ModelFunction
from gpsearch.training.trained_network import NetworkTask, call_key, choose_trainer, trained_network
from gpsearch.training.trainer import DEFAULT_BATCH_SIZE, TrainingFacts, checked_settings

_programs = CompiledTrainer()


def fit_network(
    estimator: Any,
    function: ModelFunction,
    settings: Mapping[str, Any],
    X: Parts,
    target: Target,
    sample_weight: np.ndarray | None,
) -> tuple[FittedNetwork, TrainingFacts, tuple[Any, ...]]:
    """Train on raw X by the settings of ``fit``; returned last: what builds the model anew."""
    seeds = read_seeds(estimator.random_state)
    callbacks = read_callbacks(settings["callbacks"])
    kind = InvalidObjectiveError
    boolean("compiled", estimator.compiled, kind=kind)
    share = fraction("validation_fraction", settings["validation_fraction"], kind=kind)
    everything, nothing = np.arange(n_rows(X)), np.arange(0)
    stops = (settings["patience"], callbacks.patience) != (None, None)
    watches = stops or callbacks.watch or settings["split"]
    whole = Fold(index=0, train=everything, stop=nothing, test=nothing)
    if watches:
        whole = make_fold(
            1,
            everything,
            nothing,
            target,
            ordered=settings["in_order"],
            validation_fraction=share,
            random_state=seeds[1],
        )
    fit_weights(target, whole.train, sample_weight, estimator.class_weight)  # raises before a build
    given = {name: settings[name] for name in TRAINING_NAMES}
    if given["batch_size"] is None:
        given["batch_size"] = DEFAULT_BATCH_SIZE
    prepared = PreparedFold(X, estimator.preprocess, whole)
    prepared.keep()
    task = NetworkTask(
        function=function,
        params=estimator._model_params,
        settings=checked_settings(given, callbacks.patience),
        planned=estimator.planned,
        prepared=prepared,
        target=target,
        fit=whole.fit if watches else whole.train,
        stop=whole.stop if watches else None,
        seeds=seeds,
        sample_weight=sample_weight,
        class_weight=estimator.class_weight,
    )
    trainer = choose_trainer(
        X,
        # A program that watches rows keeps the best epoch.
        compiled=estimator.compiled and (stops or not settings["split"]),
        callbacks=callbacks.make,
        programs=_programs,
    )
    built_by = call_key(function.create_model, task.arguments)
    try:
        with trained_network(task, trainer, built_by=built_by, check=True) as trained:
            network = trained.kept()
    except TrialFailedError as error:
        raise ValueError(f"{type(estimator).__name__}: {error}") from error
    row = take(prepared.sample, np.arange(1))
    return network, trained.facts, (function.create_model, task.arguments, row, seeds[0])


def read_seeds(random_state: Any) -> tuple[int, int]:
    """Seeds of the initial weights, and of held-back rows and the order of rows."""
    try:
        first, second = check_random_state(random_state).randint(0, 2**31 - 1, size=2).tolist()
    except ValueError:
        wanted = "a whole number from 0 to 2**32 - 1, or a RandomState"
        raise refusal(
            InvalidObjectiveError, "random_state", random_state, wanted, also="None"
        ) from None
    return first, second
