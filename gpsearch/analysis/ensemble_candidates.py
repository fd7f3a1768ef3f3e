"""The trials that may become members of an ensemble, by the held-out predictions that are kept."""

import math
from typing import Any

import numpy as np

from gpsearch.errors import StudyError
from gpsearch.evaluation import Predictions, parts_of
from gpsearch.objective.held_out import HeldOutRows
from gpsearch.objective.keras_cv import KerasCV
from gpsearch.study import Study, Trial

CANDIDATES = 25  # trials that may become members: those with the best scores
SAME_SCORE = {"rel_tol": 1e-4, "abs_tol": 1e-4}  # predictions are kept with seven digits


def ensemble_candidates(
    study: Study, objective: KerasCV
) -> tuple[list[Trial], list[dict[int, Predictions]], tuple[str, ...]]:
    """The best trials with predictions of one shape, these, and what was left out."""
    best = study.best_trial
    trials: list[Trial] = []
    predictions: list[dict[int, Predictions]] = []
    without, why, others = 0, "", list[int]()
    for trial in sorted(study.complete, key=lambda trial: (trial.loss, trial.number)):
        if len(trials) == CANDIDATES:
            break
        try:
            found = study.fold_predictions(trial)
        except StudyError as error:
            without, why = without + 1, why or str(error)
            continue
        if predictions and _shape(found) != _shape(predictions[0]):
            others.append(trial.number)
            continue
        trials.append(trial)
        predictions.append(found)
    if not trials:
        raise StudyError(f"no complete trial can be a member of an ensemble: {why}")
    for fold, of in predictions[0].items():
        tests = [one.test for one in objective.folds if one.index == fold]
        if of.n_rows == objective.n and not any(np.array_equal(of.rows, test) for test in tests):
            raise StudyError(
                f"the predictions of {study!r} are of other splits than those of the objective; "
                "give the objective that was searched"
            )
    if (n := next(iter(predictions[0].values())).n_rows) != objective.n:
        raise StudyError(
            f"the predictions of {study!r} are of {n} rows, and X of the objective has "
            f"{objective.n}; give the objective that was searched"
        )
    left_out = []
    if without:
        left_out.append(f"Without predictions, of the best trials: {without} ({why}).")
    if others:
        left_out.append(
            f"The models of trials {', '.join(map(str, others))} have outputs of another shape "
            f"than those of trial {trials[0].number}, and are left out."
        )
    if without and trials[0].number != best.number:
        left_out.append(f"The best, trial {best.number}, is one of them.")
    return trials, predictions, tuple(left_out)


def with_their_scores(
    trials: list[Trial], predictions: list[dict[int, Predictions]], rows: dict[int, HeldOutRows]
) -> tuple[list[Trial], list[dict[int, Predictions]], tuple[str, ...]]:
    """Trials whose predictions give the scores recorded: others' were read otherwise (margins)."""
    of_them: list[int] = []
    for k, trial in enumerate(trials):
        agree = [
            math.isclose(rows[f.fold].score(predictions[k][f.fold].outputs), f.score, **SAME_SCORE)
            for f in trial.folds
        ]
        if 2 * sum(agree) >= len(agree):
            of_them.append(k)
    if not of_them:
        raise StudyError(
            "the predictions that are kept do not give the scores that the search recorded: the "
            "models' outputs are no probabilities, or the objective is not the one that was "
            "searched; give that one, and models whose loss is a crossentropy"
        )
    others = [str(trial.number) for k, trial in enumerate(trials) if k not in of_them]
    said = f"The predictions of trials {', '.join(others)} do not give their scores: left out."
    return (
        [trials[k] for k in of_them],
        [predictions[k] for k in of_them],
        (said,) if others else (),
    )


def _shape(predictions: dict[int, Predictions]) -> Any:
    return {fold: [part.shape for part in parts_of(of.outputs)] for fold, of in predictions.items()}
