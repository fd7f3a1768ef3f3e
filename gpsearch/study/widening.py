"""A study carried into a wider space, where its trials count as known."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gpsearch.errors import InvalidParamsError, StudyError, StudyMismatchError, public
from gpsearch.evaluation import Objective
from gpsearch.space import Space
from gpsearch.stored_values import value_to_json
from gpsearch.study.encoding import ParamsEncoding, dump, require_storable
from gpsearch.study.info import StudyInfo, same_space, warn_if_earlier, what_differs
from gpsearch.study.location import back_up
from gpsearch.study.study import Study, StudyPath
from gpsearch.study.trial import BASELINE, GIVEN, Trial

OF_THE_SPACE = ("n_calls", "expected_optimum")
"""Settings that a search in the wider space makes anew."""


@public(dimensions="space")
def widen(path: StudyPath, *, space: Space, objective: Objective) -> tuple[Study, Path]:
    """Carry a study into a wider space, in one transaction; what it was stays beside it.

    Each trial that has ended keeps its folds, predictions and scores on fresh splits, and counts as
    given: `n_calls` of the next search are further trials. One that was left running is evaluated.
    Returned are the study, in the same file, and a copy of the file as it was.

    Raises StudyMismatchError where the objective is another than that of the study; StudyError
    where the space is that of the study, or does not hold every trial with values of its types.
    """
    study = Study.open(path)
    with study.writing() as writer:
        name, info = str(path), study.info
        wider = StudyInfo.of(
            space=space,
            seed=study.seed,
            objective_fingerprint=objective.fingerprint(),
            description=objective.describe(),
            settings={n: value for n, value in info.settings.items() if n not in OF_THE_SPACE},
        )
        if same_space(info, wider):
            raise StudyError(f"{name} is in this space already; give a wider one.")
        head = {n: getattr(wider, n) for n in ("space", "space_fingerprint", "settings")}
        if other := what_differs(dataclasses.replace(info, **head), wider):
            raise StudyMismatchError(
                f"{name} holds a search of {other}, so its scores cannot be kept; give this search "
                "a study of its own."
            )
        warn_if_earlier(name, info, wider)
        require_storable(space, name)
        for trial in study.trials:
            _require_inside(space, trial, name)
        backup = back_up(Path(path), "narrow", writer.content())
        carried = [_as_given(trial) if trial.finished else trial for trial in study.trials]
        writer.replace_space({**head, "stop_reason": ""}, carried, ParamsEncoding(space))
    return Study.open(path, space=space), backup


def _as_given(trial: Trial) -> Trial:
    origin = BASELINE if trial.origin == BASELINE else GIVEN  # the winner is compared with it
    return dataclasses.replace(trial, origin=origin, proposal=GIVEN)


def _as_text(params: Mapping[str, Any]) -> dict[str, str]:
    return {name: dump(value_to_json(value)) for name, value in params.items()}


def _require_inside(space: Space, trial: Trial, name: str) -> None:
    params = dict(trial.params)
    try:
        point = space.point(params)
        # 1 == 1.0 == True, and a model may do another thing with each
        same = _as_text(space.params(point)) == _as_text(params)
        why = "" if same else "its values, or their types, are others there"
        why = why or ("" if space.feasible([point])[0] else "the constraint excludes it")
    except InvalidParamsError as error:
        why = error.rule
    if why:
        raise StudyError(
            f"trial {trial.number} of {name} does not lie in the wider space ({why.rstrip('.')}). "
            "Its bounds and values must hold every trial; warm_start= of a new search takes over "
            "those that fit."
        )
