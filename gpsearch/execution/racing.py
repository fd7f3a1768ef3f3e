"""Not spending all folds on a hopeless trial.

Bergman, Purucker & Hutter (2024), Don't waste your time: early stopping cross-validation. After
each fold a trial is compared with the incumbent, the best complete trial:

============ ==========================================================================
forgiving    stop when the trial's mean so far is below the incumbent's *worst fold*
aggressive   stop when the trial's mean so far is below the incumbent's *mean*
============ ==========================================================================

In their study the forgiving rule found better configurations within the same time on most
data sets; the aggressive one was faster still, but failed more often.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from gpsearch.evaluation import mean_score
from gpsearch.study import Study, Trial

FoldRule = Callable[[Study, Trial], bool]
"""Given a study and a trial with the folds it has run so far: whether the trial goes on."""

RacingName = Literal["forgiving", "aggressive"]


def forgiving(study: Study, trial: Trial) -> bool:
    """Go on unless the mean of the folds so far is below the worst fold of the incumbent."""
    incumbent = _incumbent(study)
    return incumbent is None or trial.score >= min(fold.score for fold in incumbent.folds)


def aggressive(study: Study, trial: Trial) -> bool:
    """Go on unless the mean of the folds so far is below the mean of the incumbent."""
    incumbent = _incumbent(study)
    return incumbent is None or trial.score >= mean_score(incumbent.folds)


RACING: dict[str, FoldRule] = {"forgiving": forgiving, "aggressive": aggressive}
"""The rules by name."""


def _incumbent(study: Study) -> Trial | None:
    complete = [trial for trial in study.trials if trial.state == "complete"]
    return max(complete, key=lambda trial: trial.score, default=None)
