"""Weights of rows and classes as one vector of sample weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.class_weight import compute_class_weight

from gpsearch.data.rows import refuse_masked
from gpsearch.data.target import Target
from gpsearch.errors import InvalidObjectiveError


def read_weights(sample_weight: Any) -> np.ndarray | None:
    """Weights of rows as floats; raises unless they are finite and one is above zero."""
    if sample_weight is None:
        return None
    refuse_masked("sample_weight", sample_weight)
    try:
        weights = np.asarray(sample_weight, float)
    except (TypeError, ValueError) as error:
        raise InvalidObjectiveError(f"Sample weights must be numbers: {error}.").about(
            "sample_weight"
        ) from error
    if weights.ndim != 1 or not np.isfinite(weights).all() or not (weights > 0).any():
        raise InvalidObjectiveError(
            f"of shape {weights.shape}: Sample weights must be 1D array or scalar of finite "
            "numbers, one for each row, and not all zero."
        ).about("sample_weight")
    return weights


def read_groups(groups: Any) -> np.ndarray | None:
    """The group of each row; raises unless they are a list of hashable values."""
    if groups is None:
        return None
    refuse_masked("groups", groups)
    values = np.asarray(groups)
    if values.ndim != 1 or pd.isna(values).any():
        raise InvalidObjectiveError(
            f"of shape {values.shape}: must be a list of the group of each row, none missing."
        ).about("groups")
    return values


def fit_weights(
    target: Target, rows: np.ndarray, sample_weight: np.ndarray | None, class_weight: Any
) -> np.ndarray | None:
    """Weight of each training row: its own times that of its class.

    Parameters
    ----------
    target : Target
    rows : (m,) int array
        Training rows.
    sample_weight : (n,) float array or None
        Weights of all rows.
    class_weight : dict from label to weight, "balanced" or None
        "balanced" makes every class weigh the same within `rows`. Labels left out weigh 1.

    Returns
    -------
    (m,) float32 array, or None where all rows weigh the same

    Raises
    ------
    InvalidObjectiveError
        Weights of classes for a target without classes, or for a label that y does not hold.
    """
    if class_weight is None:
        return None if sample_weight is None else sample_weight[rows].astype(np.float32)
    if target.classes is None or not target.by_class:
        raise InvalidObjectiveError(
            f"y ({target.kind}) holds no classes, one for each row. Use sample_weight."
        ).about("class_weight", class_weight)
    encoded = np.asarray(target.encoded)[rows]
    if class_weight == "balanced":
        present = np.unique(encoded)
        by_class = np.ones(len(target.classes))
        by_class[present] = compute_class_weight("balanced", classes=present, y=encoded)
    elif isinstance(class_weight, dict):
        labels = target.classes.tolist()
        unknown = [label for label in class_weight if label not in labels]
        if unknown:
            raise InvalidObjectiveError(
                f"y does not hold {unknown}; its labels are {labels}."
            ).about("class_weight", class_weight)
        by_class = np.array([float(class_weight.get(label, 1.0)) for label in labels])
    else:
        raise InvalidObjectiveError('must be a dict by label, "balanced" or None.').about(
            "class_weight", class_weight
        )
    weights = by_class[encoded]
    if sample_weight is not None:
        weights = weights * sample_weight[rows]
    return weights.astype(np.float32)
