"""What a search is given before its first trial.

========== ===============================================================================
given      a configuration with its score: recorded as a trial that ended, not evaluated
x0         configurations to evaluate first: they wait in the study's queue
========== ===============================================================================
"""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from gpsearch.errors import InvalidParamsError
from gpsearch.evaluation import FoldResult, Params
from gpsearch.study import Study, StudyWriter, Trial
from gpsearch.study.contenders import best_first, differing
from gpsearch.study.info import same_objective, warn_if_earlier
from gpsearch.study.trial import GIVEN

logger = logging.getLogger("gpsearch")

N_BEST = 5  # configurations of a study of another objective that are tried first


def record_given(
    writer: StudyWriter, points: Sequence[Mapping[str, Any]], scores: Sequence[float] | None
) -> None:
    """Record known scores, or queue points without them; what is recorded already is left out."""
    if scores is None:
        writer.queue_params(points, origin="x0")
        return
    study = writer.study
    known = _given_keys(study)
    given = [
        Trial(
            number=0,
            state="complete",
            params=params,
            folds=(FoldResult(fold=0, score=score, trainer=GIVEN),),
            seed=0,
            started=0.0,
            origin=GIVEN,
        )
        for params, score in zip(points, scores, strict=True)
        if _key(study, params) not in known
    ]
    writer.add_trials(given)


def record_earlier(writer: StudyWriter, earlier: Study) -> None:
    """Take over an earlier study, once: its trials as known, or its best to be evaluated.

    Known is what the same objective scored with the same settings, neither more nor fewer.
    """
    study = writer.study
    if any(not trial.is_given for trial in study.trials):
        return  # it is continued: what it was given then is recorded
    scored = [trial for trial in earlier.ended if trial.state != "failed"]
    fitting = [(trial, params) for trial in scored if (params := _fit(study, trial)) is not None]
    if len(fitting) < len(scored):
        logger.log(
            logging.INFO if fitting else logging.WARNING,
            "%d of %d trials of the earlier study lie outside of the space, or lack a dimension",
            len(scored) - len(fitting),
            len(scored),
        )
    known: set[int] = set()
    if same_objective(earlier.info, study.info):
        warn_if_earlier("the study to start from", earlier.info, study.info)
        # without a setting that it had, or with a fixed one that it lacked, it scores another thing
        known = {trial.number for trial, own in fitting if not differing(own, trial.params)}
    keys = _given_keys(study)
    given = [
        dataclasses.replace(trial, params=own, origin=GIVEN)
        for trial, own in fitting
        if trial.number in known and _key(study, own) not in keys
    ]
    writer.add_trials(given)
    others = {trial.number: own for trial, own in fitting if trial.number not in known}
    best = best_first(trial for trial in scored if trial.number in others)[:N_BEST]
    writer.queue_params([others[trial.number] for trial in best], origin="x0")


def _fit(study: Study, trial: Trial) -> Params | None:
    """The configuration of `trial` within the space of `study`; None where it does not fit."""
    names = [*study.space.names, *study.space.fixed]
    inside = {name: value for name, value in trial.params.items() if name in names}
    try:
        point = study.space.point(inside)
    except InvalidParamsError:
        return None
    return study.space.params(point) if study.space.feasible([point])[0] else None


def _given_keys(study: Study) -> set[Any]:
    return {_key(study, trial.params) for trial in study.trials if trial.is_given}


def _key(study: Study, params: Mapping[str, Any]) -> Any:
    return study.space.key(study.space.point(params))
