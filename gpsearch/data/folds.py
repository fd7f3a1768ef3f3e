"""Which rows train, which decide when to stop, and which are scored.

The splits depend on the data and the objective's ``random_state`` alone, never on a trial, so
every configuration is judged on the same rows.
"""

import copy
import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    check_cv,
)

from gpsearch.data.target import Target
from gpsearch.errors import InvalidObjectiveError

DEFAULT_FOLDS = 5  # where `cv` is None, as in scikit-learn

Split = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Row numbers of one fold."""

    index: int
    """Position of the fold, from 0."""
    train: np.ndarray
    """Rows of the training part, the stop rows among them; shape (n_train,)."""
    stop: np.ndarray
    """Rows of the training part that early stopping watches; shape (n_stop,)."""
    test: np.ndarray
    """Rows that are scored, once; shape (n_test,)."""

    @property
    def fit(self) -> np.ndarray:
        """Rows of the training part without the stop rows."""
        return self.train[~np.isin(self.train, self.stop)]


def make_folds(
    cv: Any,
    features: Any,
    target: Target,
    *,
    n: int,
    groups: Sequence[Any] | None,
    validation_fraction: float,
    random_state: int,
) -> tuple[tuple[Fold, ...], Fold]:
    """Split `n` rows into folds, and a fold of all rows for the final model; see `KerasCV`."""
    y = target.encoded if target.kind != "several" else np.zeros(n)
    seed = random_state % 2**32  # scikit-learn takes no larger one
    splitter = _splitter(cv, target.by_class, groups, seed)
    rows = features if hasattr(features, "shape") else np.zeros((n, 1))
    try:
        with warnings.catch_warnings():
            # scikit-learn only warns where some folds would lack a class altogether.
            warnings.filterwarnings("error", message="The least populated class")
            given = list(splitter.split(rows, y, groups))
    except (ValueError, TypeError, UserWarning) as error:
        raise InvalidObjectiveError(
            f"cannot split the data: {str(error).rstrip('.')}. Use fewer folds or another splitter."
        ).about("cv", cv) from error
    splits = read_splits(given, n)
    for index, (train, test) in enumerate(splits):
        if len(train) < 2 or np.intersect1d(train, test).size:
            fault = "scores rows that it also trains on" if len(train) > 1 else "trains on one row"
            raise InvalidObjectiveError(
                f"fold {index} {fault}. Give at least two rows to train on, and others to score."
            ).about("cv")
        grouped = np.arange(n) if groups is None else np.asarray(groups)
        if both := np.intersect1d(grouped[train], grouped[test]).tolist():
            raise InvalidObjectiveError(
                f"fold {index} trains on rows of group {both[0]!r} and scores others of it. Use a "
                "splitter by groups, such as GroupKFold, or leave `groups` out."
            ).about("cv")
    ordered = in_order(splits)
    folds = [
        make_fold(
            index,
            train,
            test,
            target,
            groups=groups,
            ordered=ordered,
            validation_fraction=validation_fraction,
            random_state=random_state,
        )
        for index, (train, test) in enumerate([*splits, (np.arange(n), np.arange(0))])
    ]
    return tuple(folds[:-1]), folds[-1]


def make_fold(
    index: int,
    train: np.ndarray,
    test: np.ndarray,
    target: Target,
    *,
    groups: Sequence[Any] | None = None,
    ordered: bool = False,
    validation_fraction: float,
    random_state: int,
) -> Fold:
    """One fold; its stop rows are drawn, or the last ones (whole groups) where `ordered`."""
    train = np.sort(train)
    labels = target.encoded[train] if target.by_class else None
    grouped = None if groups is None else np.asarray(groups)[train]
    seed = int(np.random.SeedSequence(random_state, spawn_key=(index,)).generate_state(1)[0])
    chosen = _stop_rows(len(train), labels, grouped, ordered, validation_fraction, seed)
    return Fold(index=index, train=train, stop=train[chosen], test=np.sort(test))


def read_splitter(cv: Any, y: Any = None, *, classifier: bool = False) -> Any:
    """The splitter that scikit-learn makes of `cv`; raises where it makes none."""
    if isinstance(cv, type):
        raise InvalidObjectiveError(
            f"is a class. Give a splitter made of it: {cv.__name__}()."
        ).about("cv", cv)
    if isinstance(cv, Iterable) and not hasattr(cv, "split"):
        cv = [*cv]
        _check_pairs(cv)
    try:
        return check_cv(cv, y, classifier=classifier)
    except (ValueError, TypeError) as error:
        raise InvalidObjectiveError(
            "must be a number of folds, a scikit-learn splitter or an iterable of (train, "
            "test) row numbers."
        ).about("cv", cv) from error


def read_splits(given: Sequence[Any], n: int) -> list[Split]:
    """Row numbers of each (train, test), counted from 0; boolean masks are read as such.

    Raises InvalidObjectiveError where there is no split, one is not a pair, a part has no rows, or
    names what is not a row.

    >>> read_splits([([True, True, False], [-1])], 3)
    [(array([0, 1]), array([2]))]
    """
    if not given:
        raise InvalidObjectiveError(
            "No fits were performed. Was the CV iterator empty? Were there no candidates? A "
            "generator can be used only once; give a list or a splitter."
        ).about("cv")
    _check_pairs(given)
    return [
        (
            _row_numbers(train, n, f"the training rows of fold {index}"),
            _row_numbers(test, n, f"the scored rows of fold {index}"),
        )
        for index, (train, test) in enumerate(given)
    ]


def in_order(splits: Sequence[Split]) -> bool:
    """Whether every scored row lies after the training rows of its fold, as in walk-forward."""
    return all(train.max() < test.min() for train, test in splits)


def fresh_splitter(cv: Any, random_state: int) -> Any:
    """The same way of splitting, with other randomness.

    Raises InvalidObjectiveError where `cv` is an iterable of row numbers, does not shuffle, or
    takes no such random_state.

    >>> fresh_splitter(5, 1), fresh_splitter(KFold(3, shuffle=True, random_state=0), 1)
    (5, KFold(n_splits=3, random_state=1, shuffle=True))
    """
    if isinstance(cv, int | np.integer):
        return int(cv)
    if not hasattr(cv, "random_state") or not getattr(cv, "shuffle", True):
        raise InvalidObjectiveError(
            "cannot be split afresh: it leaves nothing to chance. Use a number of folds or a "
            "splitter that shuffles, or make a second KerasCV with other folds."
        ).about("cv", cv)
    try:
        fresh = copy.copy(cv)
        fresh.random_state = random_state
    except Exception as error:  # the user's class
        raise InvalidObjectiveError(
            f"cannot be split afresh: its random_state cannot be set to a number ({error})."
        ).about("cv", cv) from error
    return fresh


def _splitter(cv: Any, by_class: bool, groups: Sequence[Any] | None, random_state: int) -> Any:
    if isinstance(cv, bool) or (isinstance(cv, int | np.integer) and cv < 2):
        raise InvalidObjectiveError("the number of folds must be at least 2.").about("cv", cv)
    if not isinstance(cv, int | np.integer):
        return read_splitter(cv)
    if groups is None:
        kind: Any = StratifiedKFold if by_class else KFold
    else:
        kind = StratifiedGroupKFold if by_class else GroupKFold
    return kind(int(cv), shuffle=True, random_state=random_state)


def _check_pairs(splits: Sequence[Any]) -> None:
    """Raise unless each split is a sequence of two lists of rows."""
    for split in splits:
        pair = isinstance(split, Sequence | np.ndarray) and len(split) == 2
        if not pair or 0 in map(np.ndim, split):
            raise InvalidObjectiveError(
                "must hold pairs of lists of row numbers, one pair for each fold: [(train, test)]."
            ).about("cv", splits)


def _row_numbers(part: Any, n: int, label: str) -> np.ndarray:
    rows = np.asarray(part)
    if rows.dtype.kind == "O" and rows.ndim == 1:
        rows = pd.Series(rows).infer_objects().to_numpy()
    if rows.dtype.kind == "b" and rows.shape == (n,):
        rows = np.flatnonzero(rows)
    if not rows.size:
        raise InvalidObjectiveError(f"{label} are none. Use fewer folds or more data.").about("cv")
    if rows.dtype.kind not in "iu" or rows.ndim != 1:
        raise InvalidObjectiveError(
            f"{label} have type {rows.dtype}, shape {rows.shape}; they must be a list of whole "
            f"numbers, or a boolean mask of shape ({n},)."
        ).about("cv")
    if rows.min() < -n or rows.max() >= n:
        wrong = rows.max() if rows.max() >= n else rows.min()
        raise InvalidObjectiveError(
            f"{label} name row {wrong}, where X has {n} rows, 0 to {n - 1}."
        ).about("cv")
    return np.where(rows < 0, rows + n, rows).astype(np.intp)


def _stop_rows(
    n: int, labels: Any, groups: np.ndarray | None, ordered: bool, fraction: float, seed: int
) -> np.ndarray:
    """Positions within the training part that early stopping watches, sorted."""
    size = min(max(round(n * fraction), 1), n - 1)
    n_groups = n if groups is None else len(np.unique(groups))
    if n_groups == 1:
        groups = None
    cuts = np.arange(n) if groups is None else _starts(groups)
    if ordered and len(cuts):  # a stop split from the past would know the future
        return np.arange(cuts[np.abs(cuts - (n - size)).argmin()], n)
    splitter: Any = ShuffleSplit(1, test_size=size, random_state=seed)
    if groups is not None:
        n_held = min(math.ceil(fraction * n_groups), n_groups - 1)
        splitter = GroupShuffleSplit(1, test_size=n_held, random_state=seed)
    elif labels is not None:
        counts = np.unique(labels, return_counts=True)[1]
        size = min(max(size, len(counts)), n - 1)
        stratifies = counts.min() >= 2 and n - size >= len(counts)
        kind = StratifiedShuffleSplit if stratifies else ShuffleSplit
        splitter = kind(1, test_size=size, random_state=seed)
    return np.sort(next(splitter.split(np.zeros((n, 1)), labels, groups))[1])


def _starts(groups: np.ndarray) -> np.ndarray:
    """Positions, but for the first, where every group either has ended or begins later."""
    index, values = pd.factorize(groups)
    last = np.zeros(len(values), int)
    np.maximum.at(last, index, np.arange(len(index)))
    return np.flatnonzero(np.maximum.accumulate(last[index])[:-1] == np.arange(len(index) - 1)) + 1
