"""Weights of rows and classes as one vector of sample weights."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.class_weight import compute_class_weight

from gpsearch.arguments import is_number
from gpsearch.data.rows import refuse_masked
from gpsearch.data.target import Target
from gpsearch.errors import InvalidObjectiveError


def read_weights(sample_weight: Any) -> np.ndarray | None:
    """(n,) weights of rows, finite, none below zero, one above; one column is read as such."""
    if sample_weight is None:
        return None
    refuse_masked("sample_weight", sample_weight)
    try:
        given = np.asarray(sample_weight)
        if given.dtype.kind in "mMc":
            raise TypeError(f"they have the type {given.dtype}")
        weights = given.astype(float)
    except (TypeError, ValueError) as error:
        raise InvalidObjectiveError(f"Sample weights must be numbers: {error}.").about(
            "sample_weight"
        ) from error
    if weights.ndim == 2 and weights.shape[1] == 1:
        weights = weights[:, 0]
    with np.errstate(over="ignore", under="ignore"):
        trained = weights.astype(np.float32)
    within = np.isfinite(trained) & (weights >= 0)
    if weights.ndim != 1 or not within.all() or not trained.any():
        raise InvalidObjectiveError(
            f"of shape {weights.shape}: Sample weights must be finite numbers from 0, one for each "
            "row, and not all zero, as float32 holds them. Leave them out where all rows weigh the "
            "same."
        ).about("sample_weight")
    return weights


def read_groups(groups: Any) -> np.ndarray | None:
    """The group of each row; raises unless they are a list of hashable values."""
    if groups is None:
        return None
    refuse_masked("groups", groups)
    try:
        values = np.asarray(groups)
    except ValueError:  # lists of different lengths
        values = np.empty((len(groups), 0))
    if values.ndim != 1 or pd.isna(values).any():
        raise InvalidObjectiveError(
            f"of shape {values.shape}: must be a list of the group of each row, none missing."
        ).about("groups")
    try:
        np.unique(values)
    except TypeError as error:
        raise InvalidObjectiveError(
            f"groups of several types cannot be sorted: {error}. Give groups of one type."
        ).about("groups") from error
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def fit_weights(
    target: Target, rows: np.ndarray, sample_weight: np.ndarray | None, class_weight: Any
) -> np.ndarray | None:
    """(m,) weights of the m training `rows`, of each its own times that of its class.

    None where all weigh the same. `sample_weight` is of all rows; of the classes, "balanced" makes
    each weigh the same within `rows`, and labels left out weigh 1.
    """
    weights = np.ones(len(rows)) if sample_weight is None else sample_weight[rows]
    if class_weight is not None:
        weights = weights * _by_class(target, rows, class_weight)
    elif sample_weight is None:
        return None
    if not weights.any():
        raise InvalidObjectiveError(
            "all rows to train on, or to watch for early stopping, weigh 0. Give some more than 0."
        ).about("sample_weight" if class_weight is None else "class_weight", class_weight or ...)
    return weights.astype(np.float32)


def _by_class(target: Target, rows: np.ndarray, class_weight: Any) -> np.ndarray:
    """Weight of the class of each row."""
    if target.classes is None or not target.by_class:
        raise InvalidObjectiveError(
            f"y ({target.kind}) holds no classes, one for each row. Use sample_weight."
        ).about("class_weight", class_weight)
    encoded = np.asarray(target.encoded)[rows]
    if isinstance(class_weight, str) and class_weight == "balanced":
        present = np.unique(encoded)
        by_class = np.ones(len(target.classes))
        by_class[present] = compute_class_weight("balanced", classes=present, y=encoded)
    elif isinstance(class_weight, dict):
        labels = target.classes.tolist()
        unknown = [label for label in class_weight if label not in labels]
        if unknown and not all(label in class_weight for label in labels):
            raise InvalidObjectiveError(
                f"y does not hold {unknown}; its labels are {labels}."
            ).about("class_weight", class_weight)
        if not all(is_number(w) and 0 <= w < np.inf for w in class_weight.values()):
            raise InvalidObjectiveError("weights must be finite numbers from 0.").about(
                "class_weight", class_weight
            )
        by_class = np.array([float(class_weight.get(label, 1.0)) for label in labels])
    else:
        raise InvalidObjectiveError('must be a dict by label, "balanced" or None.').about(
            "class_weight", class_weight
        )
    return by_class[encoded]
