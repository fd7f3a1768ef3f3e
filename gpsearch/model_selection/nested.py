"""Nested cross-validation: what a whole search is worth, on rows that it has never seen.

========= ==================================================================================
outer     a fold of all rows: a search on its training rows, its model scored on the others
inner     a fold of the search, cut from the training rows of the outer one
expected  score that a search expects of its winner on new data, see `Study.confirmation`
========= ==================================================================================
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gpsearch.analysis import best_ensemble
from gpsearch.described import Described, counted, number, score_text, value_text
from gpsearch.errors import (
    GPSearchError,
    InvalidSearchError,
    InvalidSpaceError,
    StudyError,
    TrialFailedError,
    public,
)
from gpsearch.evaluation import UNBOUNDED, Params
from gpsearch.execution import StopReason, search
from gpsearch.execution.progress import tell
from gpsearch.execution.written_study import read_seed
from gpsearch.objective import KerasCV
from gpsearch.objective.outer_folds import outer_folds
from gpsearch.strategy import trial_seed
from gpsearch.study.contenders import differing
from gpsearch.study.location import study_folder

if TYPE_CHECKING:
    import pandas as pd

    from gpsearch.analysis.ensemble_selection import EnsembleSelection
    from gpsearch.study import Study
    from gpsearch.study.study import StudyPath

FORBIDDEN = ("y0", "warm_start")
"""Arguments of `search` that would bring scores of rows which an outer fold sets aside."""


@dataclass(frozen=True, kw_only=True, repr=False)
class NestedCV(Described):
    """What a search finds and expects on each outer fold, and what that is worth."""

    name: str
    """What was searched."""
    score_name: str
    """What the scores are called."""
    scores: np.ndarray
    """Score of each search's model on the rows that were set aside; shape (n_folds,). NaN, with a
    warning, where that model could not be fitted or scored."""
    expected: np.ndarray
    """Score that each search expected on new data, of its ensemble where that is scored; NaN where
    none was confirmed."""
    searched: np.ndarray
    """Score of each search's winner on its own folds."""
    params: tuple[Params, ...]
    """Configuration that each search chose."""
    studies: tuple[Study, ...]
    """The record of each search."""

    @property
    def score(self) -> float:
        """Mean of `scores`: what this search, run on such rows, gives on new ones."""
        return float(self.scores.mean())

    @property
    def standard_error(self) -> float:
        """Of that mean, over the outer folds; NaN for fewer than two."""
        return _standard_error(self.scores)

    @property
    def differing(self) -> list[str]:
        """Names of the settings of which the searches chose different values."""
        names = dict.fromkeys(name for params in self.params for name in params)
        apart = {name for params in self.params for name in differing(params, self.params[0])}
        return [name for name in names if name in apart]

    def to_frame(self) -> pd.DataFrame:
        """One row an outer fold: fold (from 1), score, expected, searched, ``param_<name>``."""
        import pandas as pd

        numbers = {"score": self.scores, "expected": self.expected, "searched": self.searched}
        chosen = pd.DataFrame(self.params).add_prefix("param_")
        folds = range(1, len(self.scores) + 1)
        return pd.concat([pd.DataFrame({"fold": folds, **numbers}), chosen], axis=1)

    def __str__(self) -> str:
        lines = [["fold", self.score_name, "expected", "in the search", *self.differing]]
        numbers = zip(self.scores, self.expected, self.searched, strict=True)
        for fold, (params, found) in enumerate(zip(self.params, numbers, strict=True), start=1):
            chosen = [value_text(params.get(name, "")) for name in self.differing]
            lines.append([str(fold), *map(_number, found), *chosen])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = ["  ".join(map(str.rjust, line, widths)).rstrip() for line in lines]
        facts = [f"  {name}: {value}" for name, value in self._facts().items() if value]
        return "\n".join([self._title(), *facts, *table])

    def _title(self) -> str:
        many = counted(len(self.scores), "outer fold")
        return f"Nested cross-validation of {self.name}: {many}"

    def _facts(self) -> dict[str, str]:
        alike = {n: v for n, v in self.params[0].items() if n not in self.differing}
        return {
            f"{self.score_name} on rows set aside": self._worth(),
            "optimism of the expected scores": self._optimism(self.expected),
            "optimism of the scores in the search": self._optimism(self.searched),
            "chosen alike": ", ".join(f"{n}={value_text(v)}" for n, v in alike.items()),
        }

    def _worth(self) -> str:
        if missing := [str(fold + 1) for fold in np.flatnonzero(np.isnan(self.scores))]:
            return f"not known, for outer fold {' and '.join(missing)} has no score"
        return score_text(self.score, self.standard_error)

    def _optimism(self, promised: np.ndarray) -> str:
        """By how much promised scores are greater than those on rows set aside, on average."""
        known = promised - self.scores
        known = known[np.isfinite(known)]
        return score_text(float(known.mean()), _standard_error(known)) if len(known) else ""


@public(path="study", dimensions="space", params="space")
def nested_cv(
    objective: Any,
    space: Any,
    *,
    cv: Any = 5,
    refit: bool | str = True,
    study: StudyPath | None = None,
    random_state: Any = None,
    progress: bool = True,
    **options: Any,
) -> NestedCV:
    """Cross-validate a whole search: the honest score of what it delivers.

    For each outer fold, `search` sees the training rows alone: it proposes, cross-validates,
    confirms and fits its best model as it would with no other rows. That model is scored on the
    rows set aside. So the mean is the score of the *procedure*, its choices included.

    Parameters
    ----------
    objective : KerasCV or EstimatorCV
        On all rows; its own `cv`, a number or a splitter, cuts the folds of each search.
    space : Space, dict or list of dimensions
    cv : int, splitter or iterable of (train, test), default 5
        The outer folds, read as the objective reads its own: groups stay together.
    refit : True or "ensemble", default True
        The model of a search that is scored: `Study.best_model`, or `Study.best_ensemble`.
    study : path, optional
        A folder, made if it does not exist, that keeps the study of each outer fold. The same call
        then continues where it was stopped or killed, and gives what the uninterrupted one would.
    random_state : int, RandomState or Generator, optional
        Of it each search has a seed of its own.
    progress : bool, default True
        Show which outer fold is searched, and what it gave.
    **options
        Further arguments of `search`, for each outer fold: ``n_calls``, ``confirm``,
        ``n_jobs``, ``timeout``, ... Not `y0` and `warm_start`, whose scores may be of rows that are
        set aside.

    Returns
    -------
    NestedCV
        ``print`` shows the scores, what the searches expected beside them, and what they chose.

    Raises
    ------
    InvalidSearchError, InvalidObjectiveError, StudyError
        As `search`; the objective's folds are row numbers; the rows that an outer fold sets aside
        cannot be scored; its search has no complete trial; or the folder keeps other searches.
    KeyboardInterrupt
        After Ctrl-C; what has ended is in the folder.

    Examples
    --------
    >>> import gpsearch as gs
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> X, y = load_iris(return_X_y=True)
    >>> objective = gs.EstimatorCV(SVC(), X, y, cv=3)
    >>> result = nested_cv(objective, {"C": [0.1, 1.0, 10.0]}, cv=3, n_calls=3, random_state=0,
    ...                    progress=False)
    >>> result.scores.shape, bool(result.score > 0.9)
    ((3,), True)
    """
    _check(objective, refit, options)
    outer = outer_folds(objective, cv)
    folder = None if study is None else study_folder(study)
    seed = None if random_state is None else read_seed(random_state)
    rows = []
    for index, (inner, score) in enumerate(outer, start=1):
        where = f"outer fold {index} of {len(outer)}"
        with _naming(where):
            found = search(
                inner,
                space,
                study=None if folder is None else folder / f"outer_fold_{index}.db",
                random_state=None if seed is None else trial_seed(seed, index),
                progress=progress,
                **options,
            )
        if found.stop_reason == StopReason.INTERRUPTED.value:
            remedy = "" if folder is None else "; the same call continues it"
            raise KeyboardInterrupt(f"nested_cv was interrupted in {where}{remedy}")
        with _naming(where):
            worth, gain = _score(found, refit, score, where)
        made = found.confirmation
        expected = math.nan
        if made and made.winner is not None:
            _, greatest = getattr(inner, "score_bounds", UNBOUNDED)
            expected = min(made.expected + gain, max(greatest, made.expected))
        rows.append((worth, expected, found.best_score, found.best_params, found))
        found.objective = None  # a copy of its rows
        beside = "" if math.isnan(expected) else f", {_number(expected)} expected"
        tell(
            f"{where}: {found.score_name} {_number(worth) or 'not known'} on the rows set aside"
            f"{beside}",
            shown=progress,
        )
    columns = list(zip(*rows, strict=True))
    scores, expects, searched = map(np.array, columns[:3])
    return NestedCV(
        name=objective.name,
        score_name=columns[4][0].score_name,
        scores=scores,
        expected=expects,
        searched=searched,
        params=columns[3],
        studies=columns[4],
    )


@contextmanager
def _naming(where: str) -> Iterator[None]:
    """Say in which outer fold an error is that is not of the call's own arguments."""
    try:
        yield
    except GPSearchError as error:
        if not isinstance(error, InvalidSearchError | InvalidSpaceError):
            error.args = (f"{where}: {error.rule}",)
        raise


def _score(
    found: Study, refit: Any, score: Callable[[Any], float], where: str
) -> tuple[float, float]:
    """Score of a search's model on rows set aside, or NaN; and its expected further gain."""
    if not found.complete:
        failed = [f": {trial.reason}" for trial in found.trials if trial.state == "failed"]
        raise StudyError(
            f"no trial of its search is complete{''.join(failed[-1:])}; mend what failed, or give "
            "a greater n_calls, a longer timeout or fewer outer folds"
        )
    gain = 0.0
    try:
        model = best_ensemble(found) if refit == "ensemble" else found.best_model()
        gain = _gain(getattr(model, "selection", None), found)
        worth = score(model)
        why = f"the score is {worth}"
    except Exception as error:  # whatever an estimator or a scorer of the user's own may raise
        if isinstance(error, GPSearchError) and not isinstance(error, TrialFailedError):
            raise
        worth, why = math.nan, f"{type(error).__name__}: {error}"
    if math.isfinite(worth):
        return worth, gain
    warnings.warn(
        f"nested_cv: {where} has no score on the rows set aside, so neither has the mean: {why}. "
        "Its search is in `studies`; give fewer or stratified outer folds, or another scoring.",
        UserWarning,
        stacklevel=4,
    )
    return math.nan, gain


def _gain(selection: EnsembleSelection | None, found: Study) -> float:
    """Of an ensemble over the winner; NaN where it was chosen by another score."""
    if selection is None or len(selection.members) == 1:
        return 0.0
    return selection.gain if selection.score_name == found.score_name else math.nan


def _check(objective: Any, refit: Any, options: dict[str, Any]) -> None:
    if refit is not True and refit != "ensemble":
        raise InvalidSearchError('must be True or "ensemble": a model is scored.').about(
            "refit", refit
        )
    if refit == "ensemble" and not isinstance(objective, KerasCV):
        raise InvalidSearchError(
            "needs a KerasCV, whose networks become one. Give it, or refit=True."
        ).about("refit", refit)
    if refit == "ensemble" and options.get("keep_predictions", True) is False:
        raise InvalidSearchError(
            'leaves no held-out predictions to choose by, which refit="ensemble" needs.'
        ).about("keep_predictions", False)
    for name in FORBIDDEN:
        if options.get(name) is not None:
            raise InvalidSearchError(
                "may hold scores of rows that an outer fold sets aside. Leave it out."
            ).about(name, options[name])


def _standard_error(values: np.ndarray) -> float:
    n = len(values)
    return float(values.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan


def _number(value: float) -> str:
    return "" if math.isnan(value) else number(value, 4)
