"""A study as Optuna has it, for ``optuna-dashboard`` and Optuna's own plots.

================== ==============================================================================
gpsearch           Optuna
================== ==============================================================================
Real, Integer      FloatDistribution, IntDistribution (step 1), with ``log``
Categorical        CategoricalDistribution; a value that Optuna cannot hold by its name or text
state              COMPLETE; PRUNED for ``stopped``; FAIL; RUNNING
score              value, in the user's unit; the direction is "minimize" for a loss
folds              intermediate values: of each fold its learning curve, one fold behind the other,
                   each as wide as the longest; without curves the score of each fold
everything else    attributes of the trial and of the study
================== ==============================================================================
"""

import math
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from gpsearch.errors import StudyError, public
from gpsearch.evaluation import FoldResult
from gpsearch.space import Categorical
from gpsearch.stored_values import value_to_json
from gpsearch.strategy.tpe import distribution_of, load_optuna, quiet
from gpsearch.study import Study, Trial, require_study
from gpsearch.study.location import output_path, unfinished_file, writing_file

CURVES = ("val_loss", "loss")
"""Learning curves, the first that a fold has is shown; without them, the first of its others."""
STATES = {"complete": "COMPLETE", "stopped": "PRUNED", "failed": "FAIL", "running": "RUNNING"}


@public()
def to_optuna(study: Study, path: str | os.PathLike[str] | None = None) -> Any:
    """Copy a study into one of Optuna's.

    Parameters
    ----------
    study : Study
        At any stage, also while its search runs.
    path : path, optional
        A file to make, which ``optuna-dashboard sqlite:///optuna.db`` opens; by default the copy is
        in memory, for ``optuna.visualization``.

    Raises
    ------
    InvalidSearchError
        Optuna is not installed.
    StudyError
        A database stands at `path`: it is never overwritten.
    UnwritableError
        The file cannot be written.
    """
    require_study(study)
    optuna = load_optuna("Study.to_optuna")
    if path is None:
        with quiet(optuna):
            return _copied(optuna, study)
    path = output_path(path)
    if path.exists():
        raise StudyError("exists; give the storage another name.").about("path", str(path))
    path = path.absolute()
    with writing_file(path), quiet(optuna):
        with unfinished_file(path) as unfinished:
            storage = optuna.storages.RDBStorage(storage_url(unfinished))
            name = _copied(optuna, study, storage).study_name
            storage.engine.dispose()
        return optuna.load_study(study_name=name, storage=storage_url(path))


def storage_url(path: Path) -> str:
    """The file at `path` as Optuna is given a storage."""
    import sqlalchemy

    # A path may hold ? and %20, and Optuna formats the URL as a template.
    made = sqlalchemy.URL.create("sqlite", database=str(path)).render_as_string()
    return made.replace("{", "{{").replace("}", "}}")


def _copied(optuna: Any, study: Study, storage: Any = None) -> Any:
    info, path = study.info, study.path
    copy = optuna.create_study(
        storage=storage,
        study_name=path.stem if path else str(info.description.get("name") or "gpsearch"),
        direction="maximize" if study.greater_is_better else "minimize",
    )
    copy.set_metric_names([study.score_name])
    facts = {
        "seed": study.seed,
        "objective fingerprint": info.objective_fingerprint,
        "space fingerprint": info.space_fingerprint,
        "fixed": {name: value_to_json(value) for name, value in study.space.fixed.items()},
        "constraint": info.space.get("constraint"),
        "ended": study.stop_reason,
        **info.settings,
        **{name: fact for name, fact in info.description.items() if name != "identity"},
    }
    for name, fact in facts.items():
        if fact not in (None, "", {}, []):
            copy.set_user_attr(name, fact)
    trials = _trials(optuna, study)
    steps = [trial.intermediate_values for trial in trials]
    for trial in trials:
        if storage is not None:
            trial.intermediate_values = {}  # one by one they would take milliseconds each
        copy.add_trial(trial)
    if storage is not None and any(steps):
        import sqlalchemy

        rows = [
            {"trial_id": added._trial_id, "step": step, "intermediate_value": value}
            for added, values in zip(copy.trials, steps, strict=True)
            for step, value in values.items()
        ]
        name = "trial_intermediate_values"
        table = sqlalchemy.Table(name, sqlalchemy.MetaData(), autoload_with=storage.engine)
        with storage.engine.begin() as connection:
            finite = sqlalchemy.insert(table).values(intermediate_value_type="FINITE")
            connection.execute(finite, rows)
    return copy


def _trials(optuna: Any, study: Study) -> list[Any]:
    space, choices = study.space, dict[str, Any]()
    distributions: dict[str, Any] = {}
    for dimension, column in zip(space.dimensions, space.columns, strict=True):
        several = _choices(column) if isinstance(dimension, Categorical) else None
        if several is not None:
            choices[dimension.name] = several, column.identity
        distributions[dimension.name] = distribution_of(optuna, dimension, several)

    def told(name: str, value: Any) -> Any:
        if name not in choices:
            return value
        several, place = choices[name]
        return several[place(value)]

    trials = study.trials
    width = max((len(_curve(fold)) for trial in trials for fold in trial.folds), default=0)
    copies = []
    for trial in trials:
        params = {n: told(n, value) for n, value in trial.params.items() if n in distributions}
        is_scored = math.isfinite(trial.score) and trial.finished
        made = optuna.trial.FrozenTrial(
            number=trial.number,
            trial_id=trial.number,
            state=optuna.trial.TrialState[STATES[trial.state]],
            value=study.as_user_value(trial.score) if is_scored else None,
            datetime_start=datetime.fromtimestamp(trial.started),
            datetime_complete=datetime.fromtimestamp(trial.ended) if trial.ended else None,
            params=params,
            distributions={name: distributions[name] for name in params},
            user_attrs=_facts(study, trial),
            system_attrs={},
            intermediate_values=_intermediate(study, trial, width),
        )
        copies.append(made)
    return copies


def _curve(fold: FoldResult) -> Sequence[float]:
    """The learning curve that is shown of a fold; empty where it has none."""
    return next((fold.curves[name] for name in (*CURVES, *fold.curves) if name in fold.curves), ())


def _intermediate(study: Study, trial: Trial, width: int) -> dict[int, float]:
    """Values by step, from 1: a curve of each fold, or each fold's score."""
    if not any(map(_curve, trial.folds)):
        scores = {fold.fold + 1: study.as_user_value(fold.score) for fold in trial.folds}
        return {step: value for step, value in scores.items() if math.isfinite(value)}
    return {
        fold.fold * width + epoch: value
        for fold in trial.folds
        for epoch, value in enumerate(_curve(fold), start=1)
        if math.isfinite(value)
    }


def _facts(study: Study, trial: Trial) -> dict[str, Any]:
    """All that is known of a trial and has no place of its own in Optuna."""
    facts = {
        "fold scores": [study.as_user_value(fold.score) for fold in trial.folds],
        "standard error": trial.standard_error,
        "best epochs": [fold.best_epoch for fold in trial.folds if fold.best_epoch],
        "seconds": trial.seconds,
        "work": trial.work,
        "parameters": trial.parameters,
        "origin": trial.origin,
        "proposal": trial.proposal,
        "seed": trial.seed,
        "reason": trial.reason,
    }
    unknown: tuple[Any, ...] = (None, "", [])
    return {n: f for n, f in facts.items() if f not in unknown and f == f}  # NaN is not itself


def _choices(column: Any) -> list[Any]:
    """What stands for each category in Optuna, which holds texts, numbers, booleans and None."""
    plain = [
        value
        if value is None or isinstance(value, str | int | float)
        else str(getattr(value, "__name__", value))
        for value in (column.decode(place) for place in column.places())
    ]
    return [f"{v} ({i})" if plain.count(v) > 1 else v for i, v in enumerate(plain)]
