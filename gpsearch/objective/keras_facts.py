"""What a `KerasCV` is: its identity, its facts for the record, and in a few lines for users."""

from __future__ import annotations

import contextlib
import importlib.metadata
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from gpsearch.data.rows import named_parts
from gpsearch.identity import Identity

if TYPE_CHECKING:
    from gpsearch.objective.keras_cv import KerasCV


def identity(objective: KerasCV) -> Identity:
    """All that decides a score, apart from configuration and seed."""
    largest = objective.max_parameters
    return Identity.of(
        {
            "model function": objective.model_function.create_model,
            "X": objective.X,
            "y": objective.target.identity,
            "folds": [[fold.train, fold.stop, fold.test] for fold in objective.folds],
            "scoring": objective.scoring.identity,
            **asdict(objective.settings),
            "preprocess": objective.preprocess,
            "monitor_fold": objective.monitor_fold,
            "sample_weight": objective.sample_weight,
            "class_weight": objective.class_weight,
            "callbacks": objective.callbacks.given,
        }
        | ({} if largest is None else {"max_parameters": largest})
    )


def describe(objective: KerasCV) -> dict[str, Any]:
    """See `KerasCV.describe`."""
    shapes = {name or "X": list(np.shape(part)) for name, part in named_parts(objective.X)}
    classes, preprocess = objective.target.classes, objective.preprocess
    return {
        "kind": "keras_cv",
        "name": objective.name,
        "data": shapes,
        "target": objective.target.kind,
        "classes": None if classes is None else [str(label) for label in classes],
        "cv": str(objective.cv),
        "n_folds": objective.n_folds,
        "scoring": objective.scoring.name,
        "score_name": objective.scoring.shown_name,
        "metrics": list(objective.scoring.metrics),
        **asdict(objective.settings),
        "preprocess": None if preprocess is None else str(preprocess),
        "monitor_fold": objective.monitor_fold,
        "max_parameters": objective.max_parameters,
        "random_state": objective.random_state,
        "versions": _versions(),
        "identity": identity(objective).to_json(),
    }


def facts(objective: KerasCV) -> dict[str, str]:
    """What its text and its card show."""
    settings, classes = objective.settings, objective.target.classes
    target = "" if classes is None else f" of {len(classes)} classes"
    patience = "" if settings.patience is None else f", patience {settings.patience}"
    watched = ", watches the scored fold" if objective.monitor_fold else ""
    most = objective.max_parameters
    largest = "" if most is None else f", max_parameters={most}"
    preprocess, seed = objective.preprocess, objective.random_state
    return {
        "target": f"{objective.target.kind}{target}",
        "folds": f"{objective.n_folds}, cv={objective.cv}, random_state={seed}",
        "training": f"at most {settings.epochs} epochs{patience}, batches of "
        f"{settings.batch_size}{watched}{largest}",
        "preprocess": "" if preprocess is None else str(preprocess),
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in ("keras", "tensorflow", "tensorflow-cpu", "scikit-learn", "numpy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name.removesuffix("-cpu")] = importlib.metadata.version(name)
    return found
