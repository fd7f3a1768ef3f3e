"""The tools that `equal_time` compares, each a function that searches until its time is over.

A tool is called with a `Task` and calls ``task.found(params, score)`` for each configuration that
it has evaluated; ``task.over`` tells when to end, and ``task.spend()`` raises `OverError` inside a
training. A score is the mean over five folds; the one-split tools leave it out and give a rank of
their own, and their winners are cross-validated afterwards, at no charge. A tool that chooses its
winner by more than the best score calls ``task.chose(params)``: gpsearch spends a seventh on that.

All tools but gpsearch train with `train`, the loop that people write: build, compile, fit with
early stopping, for each fold anew.
"""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import get_scorer
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from timed_sets import SPACE, TimedSet

from gpsearch.space import Categorical, Integer, Space

EPOCHS, PATIENCE, FOLDS, WATCHED = 60, 10, 5, 0.1
SEARCHED = 0.84  # of the seconds; what gpsearch takes to choose its winner by default is 0.15 of it
DRAWS_FOR_ONE_EPOCH, KEPT_AFTER_ONE_EPOCH = 40, 5
TRAINING = ("batch_size",)  # settings that go to fit, not to the model


class OverError(BaseException):
    """The time of a tool is over; no `Exception`, since tools catch those and try again."""


@dataclass
class Task:
    """One set and seed, and what a tool has found so far."""

    data: TimedSet
    X: np.ndarray
    y: np.ndarray
    seed: int
    seconds: float
    start: float = field(default_factory=time.process_time)
    curve: list[dict[str, Any]] = field(default_factory=list)
    winner: dict[str, Any] | None = None

    @property
    def space(self) -> Any:
        """What is searched."""
        return self.data.space or SPACE

    @property
    def spent(self) -> float:
        """Processor seconds since the start."""
        return time.process_time() - self.start

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return self.spent >= self.seconds

    def spend(self) -> None:
        """End a training whose time is over."""
        if self.over:
            raise OverError

    def found(self, params: dict[str, Any], score: float | None, rank: float | None = None) -> None:
        """Record a configuration; what is found too late does not count."""
        if not self.over:
            rank = score if rank is None else rank
            self.curve.append({"cpu": self.spent, "params": params, "score": score, "rank": rank})

    def chose(self, params: dict[str, Any]) -> None:
        """The configuration that the tool hands over in the end, unless it is too late."""
        if not self.over:
            self.winner = params

    @property
    def splitter(self) -> KFold | StratifiedKFold:
        """Of the folds, the same for all tools."""
        kind = StratifiedKFold if self.data.classes else KFold
        return kind(FOLDS, shuffle=True, random_state=0)

    def folds(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Row numbers of each."""
        return list(self.splitter.split(self.X, self.y))

    def draws(self) -> Iterator[dict[str, Any]]:
        """Random configurations without end."""
        space, rng = Space(self.space), np.random.default_rng([14, self.seed])
        while True:
            yield space.params(space.sample(1, rng)[0])


# ------------------------------------------------------------------ the usual loop


def build(task: Task, params: dict[str, Any]) -> Any:
    """The compiled model of a configuration."""
    known = {
        "input_shape": task.X.shape[1:],
        "n_outputs": len(np.unique(task.y)) if task.data.classes else 1,
        "target_kind": "multiclass" if task.data.classes else "regression",
    }
    if task.data.classes and known["n_outputs"] == 2:
        known |= {"n_outputs": 1, "target_kind": "binary"}
    taken = inspect.signature(task.data.create_model).parameters
    given = {name: value for name, value in (known | params).items() if name in taken}
    return task.data.create_model(**given)


def train(
    task: Task,
    params: dict[str, Any],
    rows: np.ndarray,
    *,
    epochs: int = EPOCHS,
    each_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
) -> tuple[Any, float]:
    """A model trained on rows with early stopping, and its best loss on the watched part."""
    import keras

    keras.utils.set_random_seed(task.seed)
    stratify = task.y[rows] if task.data.classes else None
    part, watched = train_test_split(rows, test_size=WATCHED, random_state=0, stratify=stratify)
    stopping = keras.callbacks.EarlyStopping(
        patience=PATIENCE, restore_best_weights=True, start_from_epoch=0
    )

    def epoch_end(epoch: int, logs: dict[str, float]) -> None:
        task.spend()
        each_epoch(epoch, logs["val_loss"])

    model = build(task, params)
    history = model.fit(
        task.X[part],
        task.y[part],
        validation_data=(task.X[watched], task.y[watched]),
        epochs=epochs,
        batch_size=params["batch_size"],
        callbacks=[stopping, keras.callbacks.LambdaCallback(on_epoch_end=epoch_end)],
        verbose=0,
    )
    return model, float(np.nanmin([*history.history["val_loss"], np.inf]))


class Predictor(BaseEstimator):
    """A trained model as a scorer takes it."""

    def __init__(self, model: Any, classes: np.ndarray | None) -> None:
        self.model, self.classes_ = model, classes
        self._estimator_type = "regressor" if classes is None else "classifier"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = self._estimator_type
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any) -> Predictor:
        """It is trained."""
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities of all classes."""
        given = self.model.predict(X, verbose=0, batch_size=1024)
        return np.hstack([1 - given, given]) if given.shape[1] == 1 else given

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Labels, or quantities."""
        if self.classes_ is None:
            return self.model.predict(X, verbose=0, batch_size=1024)[:, 0]
        return self.classes_[self.predict_proba(X).argmax(1)]


def score_of(task: Task, model: Any, X: np.ndarray, y: np.ndarray) -> float:
    """The score of a trained model; 0 where it has diverged."""
    predictor = Predictor(model, np.unique(task.y) if task.data.classes else None)
    try:
        return float(get_scorer(task.data.scoring)(predictor, X, y))
    except ValueError:  # predictions are not finite
        return 0.0


def cross_validated(
    task: Task,
    params: dict[str, Any],
    each_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
) -> float:
    """The mean score over the folds by the usual loop; `each_epoch` sees the first fold."""
    scores = []
    for number, (rows, held_out) in enumerate(task.folds()):
        told = {} if number else {"each_epoch": each_epoch}
        model, _ = train(task, params, rows, **told)
        scores.append(score_of(task, model, task.X[held_out], task.y[held_out]))
    return float(np.mean(scores))


# ------------------------------------------------------------------ the tools


def gpsearch_with(**options: Any) -> Callable[[Task], None]:
    """``gpsearch.search`` with some options."""

    def run(task: Task) -> None:
        import gpsearch as gs

        objective = gs.KerasCV(
            task.data.create_model,
            task.X,
            task.y,
            cv=task.splitter,
            scoring=task.data.scoring,
            epochs=EPOCHS,
            patience=PATIENCE,
        )

        def over(study: gs.Study) -> bool:
            trials = study.trials
            if trials and trials[-1].state == "complete":
                task.found(trials[-1].params, trials[-1].score)
            return task.spent >= SEARCHED * task.seconds

        study = gs.search(
            objective,
            task.space,
            n_calls=10_000,
            random_state=task.seed,
            stop=over,
            progress=False,
            **options,
        )
        task.chose(study.best_params)

    return run


def optuna_with(sampler: str, pruner: str = "NopPruner", **options: Any) -> Callable[[Task], None]:
    """Optuna over the usual loop; a pruner sees each epoch of the first fold."""

    def run(task: Task) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        space = Space(task.space)

        def suggest(trial: Any) -> dict[str, Any]:
            params = {}
            for d in space.dimensions:
                if isinstance(d, Categorical):
                    params[d.name] = trial.suggest_categorical(d.name, list(d.categories))
                    continue
                ask = trial.suggest_int if isinstance(d, Integer) else trial.suggest_float
                params[d.name] = ask(d.name, d.low, d.high, log=d.prior == "log-uniform")
            return params

        def objective(trial: Any) -> float:
            def each_epoch(epoch: int, loss: float) -> None:
                trial.report(loss, epoch)
                if trial.should_prune():
                    raise optuna.TrialPruned

            params = suggest(trial)
            score = cross_validated(task, params, each_epoch)
            task.found(params, score)
            return -score  # with the losses that the pruner sees

        study = optuna.create_study(
            sampler=getattr(optuna.samplers, sampler)(seed=task.seed),
            pruner=getattr(optuna.pruners, pruner)(**options),
        )
        study.optimize(objective, n_trials=10_000)

    return run


def keras_tuner(task: Task) -> None:
    """KerasTuner's Hyperband on one split, as its documentation has it."""
    import tempfile

    import keras_tuner

    space = Space(task.space)

    class Model(keras_tuner.HyperModel):
        def build(self, hp: Any) -> Any:
            for d in space.dimensions:
                if isinstance(d, Categorical):
                    hp.Choice(d.name, list(d.categories))
                    continue
                ask = hp.Int if isinstance(d, Integer) else hp.Float
                scale = "log" if d.prior == "log-uniform" else "linear"
                ask(d.name, d.low, d.high, sampling=scale)
            return build(task, hp.values)

        def fit(self, hp: Any, model: Any, *args: Any, callbacks: Any = (), **given: Any) -> Any:
            import keras

            ends = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: task.spend())
            history = model.fit(
                *args, batch_size=hp["batch_size"], callbacks=[*callbacks, ends], **given
            )
            loss = min(history.history["val_loss"])
            task.found({d.name: hp[d.name] for d in space.dimensions}, None, rank=-loss)
            return history

    with tempfile.TemporaryDirectory() as folder:
        tuner = keras_tuner.Hyperband(
            Model(),
            "val_loss",
            max_epochs=EPOCHS,
            hyperband_iterations=1_000,
            seed=task.seed,
            directory=folder,
            max_consecutive_failed_trials=1_000,
        )
        rows, watched = train_test_split(np.arange(len(task.y)), test_size=0.2, random_state=0)
        tuner.search(
            task.X[rows],
            task.y[rows],
            validation_data=(task.X[watched], task.y[watched]),
            verbose=0,
        )


class LoopEstimator(BaseEstimator):
    """The usual loop as an estimator of scikit-learn, with the epochs as resource."""

    def __init__(self, task: Any = None, epochs: int = EPOCHS, params: Any = None) -> None:
        self.task, self.epochs, self.params = task, epochs, params

    def __sklearn_clone__(self) -> LoopEstimator:
        return LoopEstimator(self.task, self.epochs, self.params)

    def fit(self, X: np.ndarray, rows: np.ndarray) -> LoopEstimator:
        """Train on the rows whose numbers stand in X."""
        model, _ = train(self.task, self.params, X[:, 0].astype(int), epochs=self.epochs)
        self.model_ = model
        return self

    def score(self, X: np.ndarray, rows: np.ndarray) -> float:
        """The task's score on rows."""
        numbers = X[:, 0].astype(int)
        return score_of(self.task, self.model_, self.task.X[numbers], self.task.y[numbers])


def halving(task: Task) -> None:
    """``HalvingRandomSearchCV`` with epochs as the resource, bracket after bracket."""
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingRandomSearchCV

    numbers = np.arange(len(task.y))[:, None]
    draws = task.draws()
    while True:
        search = HalvingRandomSearchCV(
            LoopEstimator(task),
            {"params": [next(draws) for _ in range(9)]},
            n_candidates=9,
            resource="epochs",
            min_resources=EPOCHS // 9,
            max_resources=EPOCHS,
            cv=task.folds(),
            random_state=task.seed,
            refit=False,
            error_score="raise",
        )
        search.fit(numbers, task.y)
        task.found(search.best_params_["params"], float(search.best_score_))


def one_epoch(task: Task) -> None:
    """Train many for one epoch of the first fold and cross-validate the best (arXiv 2307.15422)."""
    draws = task.draws()
    while True:
        tried = []
        for _ in range(DRAWS_FOR_ONE_EPOCH):
            params = next(draws)
            _, loss = train(task, params, task.folds()[0][0], epochs=1)
            tried.append((loss, len(tried), params))
        for _, _, params in sorted(tried)[:KEPT_AFTER_ONE_EPOCH]:
            task.found(params, cross_validated(task, params))


TOOLS: dict[str, Callable[[Task], None]] = {
    "gpsearch": gpsearch_with(),
    "gpsearch, all folds": gpsearch_with(racing=None),
    "gpsearch, equal costs": gpsearch_with(cost=None),
    "gpsearch random": gpsearch_with(strategy="random"),
    "loop random": optuna_with("RandomSampler"),
    "loop Optuna GP": optuna_with("GPSampler"),
    "loop Optuna TPE": optuna_with("TPESampler"),
    "loop TPE, median pruner": optuna_with("TPESampler", "MedianPruner", n_warmup_steps=5),
    "loop TPE, Hyperband": optuna_with("TPESampler", "HyperbandPruner", max_resource=EPOCHS),
    "KerasTuner Hyperband": keras_tuner,
    "halving": halving,
    "one epoch, then the best": one_epoch,
}
