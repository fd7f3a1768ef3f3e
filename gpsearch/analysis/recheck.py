"""How optimistic a search's own score is: its best configurations scored on fresh splits.

The best of many noisy scores is partly luck: a configuration that the folds happened to favour
wins, and its score on the same folds is too good ("overtuning"). Other splits of the same data and
other seeds do not favour it; the difference is the optimism of the search's own score.

=========== ================================================================ =======
symbol      meaning                                                          shape
=========== ================================================================ =======
k           configurations scored again: the best of the search              scalar
m           fresh splits, each a whole cross-validation                      scalar
s_i         score of configuration i in the search                           (k,)
f_ij        score of configuration i on fresh split j                        (k, m)
=========== ================================================================ =======

Reference: Cawley & Talbot 2010, On over-fitting in model selection and subsequent selection bias
in performance evaluation, JMLR 11.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gpsearch.arguments import optional, whole
from gpsearch.errors import InvalidObjectiveError, StudyError, public
from gpsearch.evaluation import Objective
from gpsearch.execution.workers.job import Job, evaluate
from gpsearch.strategy import trial_seed
from gpsearch.study import Study, require_study
from gpsearch.study.contenders import best_first

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

FRESH = 2**31  # first number of a fresh split: far above any trial number


@dataclass(frozen=True, kw_only=True, eq=False)
class Recheck:
    """The best configurations of a search, scored on fresh splits; greater is better."""

    numbers: tuple[int, ...]
    """(k,) numbers of the trials, the best of the search first."""
    params: tuple[dict[str, Any], ...]
    """(k,) their params."""
    searched: Array
    """(k,) their scores in the search."""
    fresh: Array
    """(k, m) their scores on each fresh split; NaN where the training failed."""
    fresh_errors: Array
    """(k,) standard errors of the fresh scores: over the folds of all fresh splits."""
    score_name: str = "score"
    """Name of the score."""

    @property
    def fresh_means(self) -> Array:
        """(k,) mean fresh scores; NaN where every training failed."""
        return np.ma.masked_invalid(self.fresh).mean(axis=1).filled(np.nan)

    @property
    def optimism(self) -> float:
        """How much better the best configuration scored in the search than on fresh splits."""
        return float(self.searched[0] - self.fresh_means[0])

    @property
    def optimism_error(self) -> float:
        """The part of the standard error of `optimism` that comes from the fresh splits."""
        return float(self.fresh_errors[0])

    @property
    def best(self) -> int:
        """Row of the configuration with the greatest mean fresh score."""
        if np.isnan(self.fresh_means).all():
            raise StudyError("every training on the fresh splits failed")
        return int(np.nanargmax(self.fresh_means))

    @property
    def unchanged(self) -> bool:
        """Whether every fresh score equals that of the search: nothing was drawn afresh."""
        return bool(np.all(self.fresh == self.searched[:, None]))

    def sentences(self) -> list[str]:
        """Conclusions for the report."""
        if self.unchanged:
            return [
                "The objective gave exactly the same scores again: it has no splits to draw afresh "
                "and does not use its seed, so this says nothing of its optimism."
            ]
        k, m = self.fresh.shape
        splits = "a fresh split" if m == 1 else f"{m} fresh splits"
        if math.isnan(self.optimism):
            sentences = [f"The best configuration could not be trained on {splits}."]
        else:
            sentences = [
                f"On {splits} the best configuration scores {self.fresh_means[0]:.4g} ± "
                f"{self.optimism_error:.2g} (standard error over the folds); in the search it "
                f"scored {self.searched[0]:.4g}: " + self._verdict()
            ]
        best = self.best
        if best != 0:
            gain = self.fresh_means[best] - self.fresh_means[0]
            error = math.hypot(self.fresh_errors[best], self.fresh_errors[0])
            clear = "" if gain > 2.0 * error else ", a difference within the noise"
            sentences.append(
                f"Of the {k} rechecked, trial {self.numbers[best]} is the best there "
                f"({self.fresh_means[best]:.4g}){clear}."
            )
        elif k > 1:
            sentences.append(f"It is still the best of the {k} that were scored again.")
        return sentences

    def to_frame(self) -> pd.DataFrame:
        """One row for each rechecked trial.

        Columns: number, searched, fresh, fresh_error, optimism, ``param_<name>``.
        """
        import pandas as pd

        scores = {
            "number": self.numbers,
            "searched": self.searched,
            "fresh": self.fresh_means,
            "fresh_error": self.fresh_errors,
            "optimism": self.searched - self.fresh_means,
        }
        return pd.DataFrame(scores).join(pd.DataFrame(list(self.params)).add_prefix("param_"))

    def __str__(self) -> str:
        return "\n".join(self.sentences())

    def _verdict(self) -> str:
        size = abs(self.optimism)
        if not size > 2.0 * self.optimism_error:
            return "no optimism beyond the noise."
        if self.optimism > 0:
            return f"the search's own score was too good by {size:.2g}."
        return f"the search's own score was, if anything, too low, by {size:.2g}."


@public()
def recheck(
    study: Study,
    objective: Any = None,
    *,
    k: int = 5,
    n_splits: int = 1,
    random_state: int | None = None,
) -> Recheck:
    """Score the best configurations of a search again, on fresh splits and with fresh seeds.

    All configurations are scored on the same fresh splits.

    Parameters
    ----------
    study : Study
    objective : Objective, optional
        Objective of the search; by default the one that this process searched with. One with
        ``with_fresh_folds(random_state)``, as `KerasCV` has, is split afresh; any other is used
        as it is, so pass one that scores on other data or draws from its seed.
    k : int, default 5
        Configurations to score again.
    n_splits : int, default 1
        Fresh splits; each costs k evaluations.
    random_state : int, optional
        Seed of the fresh splits; by default the study's own.

    Returns
    -------
    Recheck

    Raises
    ------
    StudyError
        No trial is complete, or the study was opened from a file and no objective is given.
    InvalidObjectiveError
        The objective cannot be split afresh.
    InvalidSearchError
        `k` or `n_splits` is below 1.

    Examples
    --------
    >>> import gpsearch as gs
    >>> def lucky(params, seed):
    ...     return np.random.default_rng(seed).normal(params["x"], 1.0, size=3)
    >>> study = gs.search(lucky, {"x": (0.0, 0.1)}, n_calls=20, random_state=0, progress=False)
    >>> recheck(study, k=1, n_splits=5).optimism > 0
    True
    """
    require_study(study)
    whole("k", k, 1)
    whole("n_splits", n_splits, 1)
    optional(whole, "random_state", random_state, 0)
    if objective is None and study.objective is None:
        raise StudyError(
            f"recheck needs the objective, which {study!r} does not hold; pass it: "
            "recheck(study, gpsearch.KerasCV(...))"
        )
    objective = study.objective if objective is None else objective
    top = best_first(study.trials)[:k]
    if not top:
        raise StudyError(f"recheck: {study!r} has no complete trial to score again")
    seed = study.seed if random_state is None else random_state
    fresh, folds = np.full((len(top), n_splits), np.nan), [list[float]() for _ in top]
    for j in range(n_splits):
        split_seed = trial_seed(seed, FRESH + j)
        fresh_objective = _split_afresh(objective, split_seed)
        for i, trial in enumerate(top):
            job = Job(number=0, params=dict(trial.params), seed=trial_seed(split_seed, i))
            outcome = evaluate(fresh_objective, job)
            if outcome.state == "complete":
                scores = [fold.score for fold in outcome.folds]
                fresh[i, j] = np.mean(scores)
                folds[i] += scores
    errors = [stats.sem(scores) if len(scores) > 1 else math.nan for scores in folds]
    return Recheck(
        numbers=tuple(trial.number for trial in top),
        params=tuple(dict(trial.params) for trial in top),
        searched=np.array([trial.score for trial in top]),
        fresh=fresh,
        fresh_errors=np.array(errors),
        score_name=study.score_name,
    )


def _split_afresh(objective: Any, seed: int) -> Objective:
    if hasattr(objective, "with_fresh_folds"):
        return objective.with_fresh_folds(seed)
    if not callable(getattr(objective, "evaluate", None)):
        raise InvalidObjectiveError(
            "is not an objective; pass a KerasCV, or the function wrapped as "
            "gpsearch.objective.as_objective(function)."
        ).about("objective", objective)
    return objective
