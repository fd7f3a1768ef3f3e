"""A cross-validated Keras model as an objective."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpsearch.arguments import boolean, fraction, instance_of, optional, whole
from gpsearch.data.datasets import is_dataset, read_dataset
from gpsearch.data.folds import DEFAULT_FOLDS, Fold, fresh_splitter, make_folds
from gpsearch.data.prepared_folds import PreparedFold, PreparedFolds
from gpsearch.data.preprocessing import check_preprocess
from gpsearch.data.rows import (
    Parts,
    check_lengths,
    n_rows,
    read_features,
    rows_text,
    without_lists,
)
from gpsearch.data.target import read_target
from gpsearch.data.weights import fit_weights, read_groups, read_weights
from gpsearch.described import Described
from gpsearch.errors import InvalidObjectiveError, public
from gpsearch.evaluation import (
    Evaluation,
    FoldResult,
    OnFold,
    Params,
    run_folds,
)
from gpsearch.objective.keras_facts import describe, facts, identity
from gpsearch.objective.keras_fold import check_first_model, scored_fold
from gpsearch.objective.scoring import Scoring, score_bounds
from gpsearch.training.compiled.compiled_trainer import CompiledTrainer
from gpsearch.training.fitted import FittedNetwork, check_keras_file
from gpsearch.training.keras_callbacks import read_callbacks
from gpsearch.training.loop import LoopTrainer
from gpsearch.training.model_function import TRAINING_NAMES, ModelFunction, data_facts
from gpsearch.training.output_link import with_link
from gpsearch.training.trained_network import NetworkTask, choose_trainer, trained_network
from gpsearch.training.trainer import (
    DEFAULT_BATCH_SIZE,
    TrainingSettings,
    checked_settings,
    epochs_to_refit,
    fold_seeds,
)

if TYPE_CHECKING:
    from gpsearch.space import Space

CHECKED_POINTS = 50  # of the space, whose training settings are checked before the search
BUILT_POINTS = 5  # of these, models that may fail to build before the function counts as broken


class KerasCV(Described):
    """Cross-validated training of ``create_model(**params)``.

    Each fold preprocesses, trains and stops on its training part alone; its held-out part is
    scored once. The same folds serve every configuration.

    Parameters
    ----------
    create_model : callable
        Returns a compiled Keras model. Its arguments are filled by name from the configuration;
        it may also take ``n_features``, ``input_shape``, ``n_classes``, ``n_outputs`` and
        ``target_kind``, which are read from the data. Dimensions named ``epochs``,
        ``batch_size`` and ``patience`` go to training.
    X : array-like, data frame, or dict, tuple or list of them; or a dataset
        Features, n rows. A `tf.data.Dataset` or `keras.utils.PyDataset` of (x, y) or (x, y,
        sample_weight) that gives the same rows in each pass is read batch by batch, and trained
        on by the plain loop.
    y : array-like, or dict, tuple or list of them; left out where X is a dataset
        Labels of any type, quantities, several columns or axes, or one target for each output of
        the model. Numbers reach the loss and the metrics as they are given.
    cv : int, splitter or iterable of (train, test), default 5
        A number means shuffled folds, stratified for classes.
    scoring : str, callable or None
        Any scikit-learn scorer. None: "accuracy" for classes, "r2" for quantities.
    metrics : sequence of str, or dict of name to scorer, default ()
        Further scorers, recorded for each fold.
    epochs : int, default 100
        Passes over the training rows, at most.
    batch_size : int, optional
        Rows in one training step; by default 32. One above the training part is the whole part.
    patience : int or None, default None
        Epochs without a better validation loss before training stops; the weights of the best
        epoch are then scored. None trains for all epochs on the whole training part.
    preprocess : None, "auto", "standardize", transformer, or dict of them by part of X
        Fitted on the training part of each fold. "auto" takes a data frame with columns of text,
        booleans, numbers and missing values: medians for missing numbers, mean 0 and deviation 1,
        and a column for each category, at most 50; a category of fewer than 5 rows shares one
        with its like and with those that a later row brings. "standardize" scales tables of
        floats.
    validation_fraction : float, default 0.1
        Share of the training part that early stopping watches.
    monitor_fold : bool, default False
        Watch the scored fold instead, as is often done: the scores are then optimistic.
    groups : array-like of length n, optional
        Rows of one group are never on two sides of a split.
    sample_weight : array-like of length n, optional
        Weights of the rows in training and validation loss.
    class_weight : dict, "balanced" or None
        Weights of the classes in the training loss, by label.
    callbacks : Keras callbacks, or a function that returns them, optional
        Copied for each fold. A plain ``EarlyStopping(patience=n)`` is read as `patience`; others
        train on the plain loop. Rows are held back for one that reads ``val_...``, too.
    task : {"classification", "regression"}, optional
        Overrides how y is read.
    outputs : {"probabilities", "logits", "margins", "scores"}, optional
        What a classifier returns, needed only where neither its last layer nor its loss says it,
        as with a linear layer and a loss of one's own. A sigmoid or softmax makes probabilities
        of logits; margins are above 0, and scores above 0.5, for the second class.
    max_parameters : int, optional
        A configuration whose network has more parameters fails before it is trained; the search
        then learns to propose smaller ones.
    compiled : bool, default True
        Train a whole fold as one compiled program where the model allows it; False: always the
        plain loop.
    random_state : int, default 0
        Seed of the splits, and of ``objective(params)``.
    name : str, optional
        Name shown in the report; by default that of the function.

    Raises
    ------
    InvalidObjectiveError
        An argument breaks a rule, or the data cannot be split.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(40, 3))
    >>> objective = KerasCV(create_mlp, X, X[:, 0] > 0, cv=4)  # doctest: +SKIP
    >>> objective({"n_hidden": 1}).score                       # doctest: +SKIP
    0.95
    """

    greater_is_better = True
    measures_work = True

    @public()
    def __init__(
        self,
        create_model: Callable[..., Any],
        X: Parts,
        y: Parts = None,
        *,
        cv: Any = 5,
        scoring: Any = None,
        metrics: Sequence[str] | Mapping[str, Any] = (),
        epochs: int = 100,
        batch_size: int | None = None,
        patience: int | None = None,
        preprocess: Any = None,
        validation_fraction: float = 0.1,
        monitor_fold: bool = False,
        groups: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        callbacks: Any = None,
        task: str | None = None,
        outputs: str | None = None,
        max_parameters: int | None = None,
        compiled: bool = True,
        random_state: int = 0,
        name: str | None = None,
    ) -> None:
        self.model_function = ModelFunction(create_model)
        kind = InvalidObjectiveError
        name = optional(instance_of, "name", name, str, "a text", kind=kind)
        self.name = name or self.model_function.name
        fraction("validation_fraction", validation_fraction, kind=kind)
        if is_dataset(X):
            X, y, sample_weight = read_dataset(X, y, sample_weight)
        X, y = without_lists(X, y)
        self.X = read_features(X)
        self.n = n_rows(self.X)
        self.target = with_link(read_target(y, task), outputs)
        groups, self.sample_weight = read_groups(groups), read_weights(sample_weight)
        check_lengths(
            self.X, y=self.target.encoded, groups=groups, sample_weight=self.sample_weight
        )
        check_preprocess(preprocess, self.X)
        self.preprocess = preprocess
        self.scoring = Scoring(scoring, metrics, self.target)
        cv = DEFAULT_FOLDS if cv is None else cv
        self.cv = list(cv) if isinstance(cv, Iterator) else cv  # which cannot be copied
        self.random_state = whole("random_state", random_state, 0, kind=kind)
        self.monitor_fold = boolean("monitor_fold", monitor_fold, kind=kind)
        self._groups, self._validation_fraction = groups, validation_fraction
        self._split()
        self.class_weight = class_weight
        for fold in (self._whole, *self.folds):
            fit_weights(self.target, fold.train, self.sample_weight, class_weight)
        self.callbacks = read_callbacks(callbacks)
        self.max_parameters = optional(whole, "max_parameters", max_parameters, 1, kind=kind)
        self.compiled = boolean("compiled", compiled, kind=kind)
        make = self.callbacks.make
        self._trainer = choose_trainer(
            self.X, compiled=self.compiled, callbacks=make, programs=CompiledTrainer()
        )
        batch_size = DEFAULT_BATCH_SIZE if batch_size is None else batch_size
        self.settings = checked_settings(
            {"epochs": epochs, "batch_size": batch_size, "patience": patience},
            self.callbacks.patience,
        )

    @property
    def rows_text(self) -> str:
        """The data in words, as "569 rows x 30"."""
        return rows_text(self.X)

    @public(params="space")
    def validate(self, space: Space) -> None:
        """Check names and values of `space`, and build one model, before any training.

        Raises
        ------
        InvalidObjectiveError
            No configuration of the space can be evaluated: an unknown name, a missing argument,
            a function that raises for each configuration tried, a model that is not compiled, an
            output that does not fit y, or a scorer that needs what the model does not give.
        """
        self.model_function.check_names([*space.names, *space.fixed])
        rng = np.random.default_rng(self.random_state)
        sampled = [space.params(point) for point in space.sample(CHECKED_POINTS, rng)]
        settings = [self._settings_of(params) for params in sampled]
        for one in {one.patience is None: one for one in settings}.values():
            self._check_weights(one)
        first = self.folds[0]
        for params in sampled[:BUILT_POINTS]:
            try:
                task = self._task(first, params, self._prepared[first], (0, 0))
                return check_first_model(
                    task, self.folds, self._prepared, self.scoring, self.callbacks
                )
            except InvalidObjectiveError:
                raise
            except Exception as error:  # the user's function; other values may do
                raised = error
        raise InvalidObjectiveError(
            f"{self.model_function.name} raised for each of {BUILT_POINTS} configurations of "
            f"the space; for the last, {params}: {type(raised).__name__}: {raised}"
        ) from raised

    @public()
    def evaluate(
        self,
        params: Params,
        *,
        seed: int,
        on_fold: OnFold | None = None,
        done: Sequence[FoldResult] = (),
    ) -> Evaluation:
        """See `Objective.evaluate`. Raises `TrialFailedError` where training diverges."""
        evaluation, known = object(), {result.fold for result in done}
        todo = [fold for fold in self.folds if fold.index not in known]
        results = (self._run_fold(fold, params, seed, evaluation) for fold in todo)
        return run_folds(results, on_fold, done)

    @public(space="params")
    def __call__(self, params: Params) -> Evaluation:
        """Evaluate a configuration with the objective's own seed."""
        self._check_names(params)
        return self.evaluate(params, seed=self.random_state)

    @property
    def scored_share(self) -> float:
        """Share of the rows that one fold scores."""
        return sum(map(len, self.held_out)) / (self.n_folds * self.n)

    @property
    def score_bounds(self) -> tuple[float, float]:
        """Least and greatest score that the metric gives."""
        return score_bounds(self.scoring.scorer)

    @property
    def held_out(self) -> list[np.ndarray]:
        """Rows that each fold scores."""
        return [fold.test for fold in self.folds]

    def with_fresh_folds(self, random_state: int) -> KerasCV:
        """The same objective on splits of another seed, to measure a score's optimism.

        Raises
        ------
        InvalidObjectiveError
            The splits leave nothing to chance: row numbers, or a splitter that does not shuffle.
        """
        fresh = copy.copy(self)
        fresh.cv = fresh_splitter(self.cv, random_state)
        fresh.random_state = int(random_state)
        fresh._split()
        return fresh

    @public(space="params")
    def refit(
        self,
        params: Params,
        *,
        seed: int = 0,
        folds: Sequence[FoldResult] = (),
        epochs: int | None = None,
    ) -> FittedNetwork:
        """Train a configuration on all the data, but for rows that a callback watches.

        Parameters
        ----------
        params : dict
        seed : int, default 0
        folds : sequence of FoldResult
            The trial's folds: training lasts for the median of their best epochs.
        epochs : int, optional
            Epochs to train, instead. With neither, early stopping watches a stop split of all
            the data, where the objective has a patience.

        Returns
        -------
        FittedNetwork
            Takes raw X; `.model` is the Keras model, `.save(path)` writes both as one file.
        """
        self._check_names(params)
        epochs = epochs_to_refit(folds) if epochs is None else epochs
        prepared = PreparedFold(self.X, self.preprocess, self._whole)
        seeds = fold_seeds(seed, self.n_folds)
        task = self._task(self._whole, params, prepared, seeds, epochs)
        with trained_network(task, LoopTrainer(self.callbacks.make), built_by="refit") as trained:
            return trained.kept()

    def check_keras_file(self) -> None:
        """Raise where `refit` would make a network that no Keras file can hold."""
        check_keras_file(self._prepared[self.folds[0]].preprocessor)

    def fingerprint(self) -> str:
        """See `Objective.fingerprint`: of data, folds, scoring, model function and training."""
        return identity(self).fingerprint

    def describe(self) -> dict[str, Any]:
        """JSON-ready facts for the record and the report."""
        return describe(self)

    def _title(self) -> str:
        return (
            f"KerasCV of {self.name}: {self.rows_text}, {self.n_folds} folds, {self.scoring.name}"
        )

    def _facts(self) -> dict[str, str]:
        return facts(self)

    def _split(self) -> None:
        self.folds, self._whole = make_folds(
            self.cv,
            self.X,
            self.target,
            n=self.n,
            groups=self._groups,
            validation_fraction=self._validation_fraction,
            random_state=self.random_state,
        )
        self.n_folds = len(self.folds)
        self._prepared = PreparedFolds(self.X, self.preprocess)

    def _run_fold(self, fold: Fold, params: Params, seed: int, evaluation: object) -> FoldResult:
        started = time.perf_counter()
        prepared = self._prepared[fold]
        task = self._task(fold, params, prepared, fold_seeds(seed, fold.index))
        # A transformer may give each fold another number of columns.
        built_by = (evaluation, str(data_facts(prepared.sample, self.target)))
        with trained_network(
            task, self._trainer, built_by=built_by, scored=len(fold.test)
        ) as trained:
            return scored_fold(trained, fold, self.scoring, started=started)

    def _task(
        self,
        fold: Fold,
        params: Params,
        prepared: PreparedFold,
        seeds: tuple[int, int],
        epochs: int | None = None,
    ) -> NetworkTask:
        """The training of `params` on one fold; for exactly `epochs` where these are given."""
        settings = planned = self._settings_of(params)
        if epochs is not None:
            settings = TrainingSettings(epochs=epochs, batch_size=settings.batch_size)
        fit, stop = self._rows(fold, settings)
        return NetworkTask(
            function=self.model_function,
            params=params,
            settings=settings,
            planned=planned,
            prepared=prepared,
            target=self.target,
            fit=fit,
            stop=stop,
            seeds=seeds,
            sample_weight=self.sample_weight,
            class_weight=self.class_weight,
            max_parameters=self.max_parameters,
        )

    def _rows(self, fold: Fold, settings: TrainingSettings) -> tuple[np.ndarray, np.ndarray | None]:
        """Rows of a fold to learn from, and rows to watch."""
        if settings.patience is None and not self.callbacks.watch:
            return fold.train, None
        if self.monitor_fold and len(fold.test):
            return fold.train, fold.test
        return fold.fit, fold.stop

    def _check_weights(self, settings: TrainingSettings) -> None:
        """Raise where all rows to learn from, or to watch, weigh nothing in a fold."""
        for fold in self.folds:
            fit, stop = self._rows(fold, settings)
            fit_weights(self.target, fit, self.sample_weight, self.class_weight)
            if stop is not None:
                fit_weights(self.target, stop, self.sample_weight, None)

    def _check_names(self, params: Params) -> None:
        if not isinstance(params, Mapping):
            raise InvalidObjectiveError("must be a dict of name to value.").about("params", params)
        self.model_function.check_names(params)

    def _settings_of(self, params: Params) -> TrainingSettings:
        """The objective's training settings, replaced by those of the configuration."""
        given = {name: getattr(self.settings, name) for name in TRAINING_NAMES}
        given.update({name: params[name] for name in TRAINING_NAMES if name in params})
        stops_after = None if "patience" in params else self.callbacks.patience
        try:
            return checked_settings(given, stops_after)
        except InvalidObjectiveError as error:
            if error.argument in params:
                error.argument, error.entry = "params", error.argument
            raise
