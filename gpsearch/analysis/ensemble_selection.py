"""The ensemble of trials whose averaged held-out predictions score best.

========= ==================================================================================
J, K      folds, and candidates: the trials with the best scores
members   candidates by index, with repetition; their predictions are averaged
s_j(m)    score of the members m on fold j, greater is better
d_j       gain on fold j of what the other folds chose: s_j(ensemble) - s_j(single model)
========= ==================================================================================

Greedy forward selection with replacement (Caruana, Niculescu-Mizil, Crew and Ksikes, "Ensemble
selection from libraries of models", ICML 2004): the candidate that improves the mean score of the
ensemble most is added, again and again; the best ensemble on the way is taken. On the folds that
chose it, it looks too good, as the best of many trials does. So the gain is estimated on each fold
from what the other folds choose: both an ensemble and a single model.
"""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from gpsearch.analysis.ensemble_candidates import ensemble_candidates, with_their_scores
from gpsearch.arguments import instance_of, whole
from gpsearch.data.rows import take
from gpsearch.described import number_beside
from gpsearch.errors import StudyError, TrialFailedError, public
from gpsearch.estimators.ensemble import average
from gpsearch.evaluation import map_outputs, parts_of
from gpsearch.objective.held_out import HeldOutRows, choose_score, hold_probabilities
from gpsearch.objective.keras_cv import KerasCV
from gpsearch.study import Study, require_study

if TYPE_CHECKING:
    from gpsearch.training.fitted import FittedNetwork

CONFIDENCE = 0.95
ROUNDING = 1e-6
"""A greater score by less than this share of it is that of the same model averaged with itself."""

FoldScore = Callable[[int, Sequence[int]], float]


@dataclass(frozen=True, kw_only=True)
class EnsembleSelection:
    """Which trials an ensemble averages, and what that gains."""

    members: dict[int, int]
    """How often each trial counts, by its number; the single best trial where nothing is gained."""
    chosen: dict[int, int]
    """The members that the folds chose, also where their gain is not shown."""
    single: int
    """Number of the best single trial."""
    gains: tuple[float, ...]
    """Gain on each fold of what the other folds chose; empty for a single fold."""
    score_name: str
    """What the gain is measured in."""
    overlap: float = 0.0
    """Held-out rows over training rows of a fold."""
    left_out: tuple[str, ...] = ()
    """Trials that could not become members, as sentences."""

    @property
    def gain(self) -> float:
        """Estimated gain over the best single model; NaN where there is no estimate."""
        return float(np.mean(self.gains)) if self.gains else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval, by Student's t over the folds; NaN for fewer than two.

        What the folds choose is nearly the same, so that their gains are not independent: the
        variance is that of Nadeau and Bengio (2003).
        """
        k = len(self.gains)
        if k < 2:
            return math.nan, math.nan
        error = np.std(self.gains, ddof=1) * math.sqrt(1 / k + self.overlap)
        half = float(error * stats.t.ppf((1 + CONFIDENCE) / 2, k - 1))
        return self.gain - half, self.gain + half

    @property
    def is_better(self) -> bool:
        """Whether the interval lies above zero; equal gains on all folds show no spread."""
        low, high = self.interval
        return 0 < low < high and len(self.chosen) > 1

    def __str__(self) -> str:
        names = ", ".join(
            f"{trial}{f' ({times} times)' if times > 1 else ''}"
            for trial, times in self.chosen.items()
        )
        many = "s" if len(self.chosen) > 1 else ""
        if len(self.gains) < 2:
            found = "what it gains is not known, for that takes two folds or more"
        elif len(self.chosen) == 1:
            found = "no average of trials scores better"
        else:
            largest = max(map(abs, self.interval))
            gain, low, high = (number_beside(g, largest) for g in (self.gain, *self.interval))
            found = (
                f"on folds that did not choose it, it gains {gain} ({low} to {high}) over the best "
                "single model, "
                f"in {self.score_name}"
            )
        verdict = "" if self.is_better else f" It is not used, but trial {self.single} alone."
        return " ".join([f"Ensemble of trial{many} {names}: {found}.{verdict}", *self.left_out])


def greedy(score: FoldScore, folds: Sequence[int], n_candidates: int, n_members: int) -> list[int]:
    """Members that `folds` choose, the best single one first; the best ensemble on the way.

    >>> def score(fold, members):  # the mean of 0 and 4 is the best
    ...     return -abs(np.mean([[0.0, 4.0, 1.5][member] for member in members]) - 2.0)
    >>> greedy(score, [0], 3, 4)
    [2, 2, 1, 2]
    """
    members: list[int] = []
    best, best_score = members, -math.inf
    for _ in range(n_members):
        values = [
            float(np.mean([score(fold, [*members, candidate]) for fold in folds]))
            for candidate in range(n_candidates)
        ]
        members = [*members, int(np.argmax(values))]
        if max(values) > best_score + (ROUNDING * abs(best_score) if best else 0.0):
            best, best_score = members, max(values)
    return best


@public()
def select_ensemble(
    study: Study, objective: KerasCV | None = None, *, n_members: int = 10
) -> EnsembleSelection:
    """Choose the trials of an ensemble by their held-out predictions, without any training.

    Parameters
    ----------
    study : Study
    objective : KerasCV, optional
        What was searched, which holds y and the scoring; by default the one that this process
        searched with.
    n_members : int, default 10
        Members to choose, with repetition: a trial that is chosen twice counts twice.

    Raises
    ------
    StudyError
        There is no objective, it has other rows, or no complete trial has predictions.
    """
    require_study(study)
    whole("n_members", n_members, 1)
    objective = _require_networks(study, objective)
    trials, predictions, left_out = ensemble_candidates(study, objective)
    folds = sorted(predictions[0])
    is_probable = all(hold_probabilities(of[fold]) for of in predictions for fold in folds)
    rows = {fold: predictions[0][fold].rows for fold in folds}
    whole_folds = {
        fold: HeldOutRows(objective, rows[fold], probabilities=is_probable) for fold in folds
    }
    first = predictions[0][folds[0]].outputs
    rule, name = choose_score(whole_folds[folds[0]], first, objective.scoring.name)
    if name == study.score_name:
        trials, predictions, unlike = with_their_scores(trials, predictions, whole_folds)
        left_out += unlike
    stacked = {
        fold: map_outputs(lambda *parts: np.stack(parts), *(of[fold].outputs for of in predictions))
        for fold in folds
    }

    def scorer(held_out: dict[int, HeldOutRows], kept: dict[int, np.ndarray]) -> FoldScore:
        known: dict[tuple[int, tuple[int, ...]], float] = {}

        def score(fold: int, members: Sequence[int]) -> float:
            key = fold, tuple(sorted(members))
            if key not in known:

                def mean(parts: np.ndarray) -> np.ndarray:
                    averaged = parts[list(members)].mean(axis=0, dtype=np.float64)
                    return np.asarray(averaged[kept[fold]])

                known[key] = rule(held_out[fold], map_outputs(mean, stacked[fold]))
            return known[key]

        return score

    everything = {fold: np.arange(len(rows[fold])) for fold in folds}
    overall = scorer(whole_folds, everything)
    gains = []
    for left in folds if len(folds) > 1 else ():
        others = [fold for fold in folds if fold != left]
        kept = {fold: np.flatnonzero(~np.isin(rows[fold], rows[left])) for fold in others}
        others = [fold for fold in others if len(kept[fold])]
        score = overall
        if any(len(kept[fold]) < len(rows[fold]) for fold in others):  # rows that both held out
            parts = {
                fold: HeldOutRows(objective, rows[fold][kept[fold]], probabilities=is_probable)
                for fold in others
            }
            score = scorer(parts, kept)
        with contextlib.suppress(TrialFailedError):  # a score may need rows that are left out
            if others:
                chosen = greedy(score, others, len(trials), n_members)
                gains.append(overall(left, chosen) - overall(left, chosen[:1]))
    chosen = greedy(overall, folds, len(trials), n_members)
    selection = EnsembleSelection(
        members={},
        chosen={trials[k].number: times for k, times in Counter(chosen).most_common()},
        single=study.best_trial.number,
        gains=tuple(gains),
        overlap=share / (1 - share) if (share := objective.scored_share) < 1 else 0.0,
        score_name=name,
        left_out=left_out,
    )
    used = selection.chosen if selection.is_better else {selection.single: 1}
    selection.members.update(used)
    return selection


@public()
def best_ensemble(
    study: Study, objective: KerasCV | None = None, *, n_members: int = 10
) -> FittedNetwork:
    """The ensemble of the trials that `select_ensemble` chooses, fitted on all the data.

    Each member is fitted as `Study.best_model` fits the best trial. Where an ensemble does not
    gain more than chance would explain, it is the single best model, and says so.

    Parameters
    ----------
    study, objective, n_members
        See `select_ensemble`.

    Returns
    -------
    FittedNetwork
        With ``predict``, ``predict_proba`` where there are classes, ``score`` by the metric of the
        search, ``save(path)`` as one ``.keras`` file that plain Keras loads, and ``selection``, an
        `EnsembleSelection` that says what it averages and gains.

    Raises
    ------
    StudyError
        See `select_ensemble`.
    """
    selection = select_ensemble(study, objective, n_members=n_members)
    return fit_ensemble(study, _require_networks(study, objective), selection)


def fit_ensemble(study: Study, objective: KerasCV, selection: EnsembleSelection) -> FittedNetwork:
    """The members of a selection, fitted on all the data."""
    trials = [study.trials[number] for number in selection.members]
    networks = [
        objective.refit(dict(trial.params), seed=trial.seed, folds=trial.folds) for trial in trials
    ]
    weights = [*selection.members.values()]
    two_rows = take(objective.X, np.arange(2))
    features = [parts_of(network.preprocessor.transform(two_rows)) for network in networks]
    if not all(all(map(np.array_equal, of, features[0])) for of in features):
        raise StudyError(
            "the preprocessing gives each member other features, and an ensemble has one for all; "
            "give its transformers a random_state"
        )
    return average(networks, weights, two_rows, scorer=objective.scoring.score, selection=selection)


def _require_networks(study: Study, objective: Any) -> KerasCV:
    wanted = "the KerasCV that was searched, which holds y, the scoring and the networks"
    objective = study.objective if objective is None else objective
    if objective is None:
        raise StudyError(
            f"an ensemble needs {wanted}, and {study!r} knows none; pass it: "
            "study.best_ensemble(gpsearch.KerasCV(...))"
        )
    return instance_of("objective", objective, KerasCV, wanted, kind=StudyError)
