"""What can still be read of a damaged study, as a new study that a search can continue."""

import contextlib
import dataclasses
import json
from typing import Any

from gpsearch.errors import StudyCorruptError, StudyError, public
from gpsearch.evaluation import FoldResult
from gpsearch.space import Space
from gpsearch.study.encoding import ParamsEncoding, dump
from gpsearch.study.info import StudyInfo
from gpsearch.study.location import check_path, refuse_study, study_path
from gpsearch.study.sqlite import DAMAGE, opened_damaged
from gpsearch.study.study import Study, StudyPath
from gpsearch.study.study_file import StudyFile
from gpsearch.study.tables import (
    Queued,
    fold_row,
    queue_row,
    read_fold,
    read_queued,
    read_trial,
    trial_row,
)
from gpsearch.study.trial import Trial


@public()
def salvage(path: StudyPath, new: StudyPath) -> tuple[Study, list[str]]:
    """Save what can be read of a damaged study as a new one.

    Trials whose row is damaged are left out, and later ones move up. A complete trial that lost
    folds counts as running: a search that continues the new study evaluates these again. The
    damaged one stays as it is. Returned are the study made at `new`, and what was lost, in
    sentences.

    Raises StudyError where there is a file at `new`, or none at `path`; StudyCorruptError where its
    space or its seed cannot be read.
    """
    path, new = study_path(path), study_path(new)
    check_path(path)
    refuse_study(new)
    if new.exists():
        raise StudyError("exists; give the new study another path.").about("new", str(new))
    with opened_damaged(path) as file:
        (head, _), (fold_rows, all_folds), (trial_rows, all_trials), (queue, all_queued) = (
            file.readable_rows(table) for table in ("head", "fold", "trial", "queue")
        )
        predictions, all_predictions = file.readable_rows("prediction")
        fresh = file.readable_rows("fresh")[0]
    try:
        facts = {name: json.loads(value) for name, value in head}
        info = StudyInfo.from_head(facts)
        encoding = ParamsEncoding(Space.from_json(info.space))
    except DAMAGE as error:
        raise StudyCorruptError(
            f"{path} cannot be saved: its head, which says what was searched, cannot be read "
            f"({error}); restore a copy of it"
        ) from error

    folds: dict[int, list[FoldResult]] = {}
    for row in fold_rows:
        with contextlib.suppress(*DAMAGE):
            folds.setdefault(row[0], []).append(read_fold(row))
    trials: dict[int, Trial] = {}
    for row in trial_rows:
        with contextlib.suppress(*DAMAGE):
            trials[row[0]] = read_trial(row, folds.get(row[0], ()), encoding)
    seen = [fold.fold for of in folds.values() for fold in of]
    n_folds = 1 if all_folds else info.description.get("n_folds") or 1 + max(seen, default=0)
    broken = {
        number: {*range(n_folds)} - {fold.fold for fold in trial.folds}
        for number, trial in trials.items()
        if trial.state == "complete"
    }
    places: dict[int | None, int] = {number: place for place, number in enumerate(sorted(trials))}
    again: dict[str, Any] = {"state": "running", "ended": None, "reason": "", "traceback": ""}
    kept = [
        dataclasses.replace(trial, number=place, **(again if broken.get(number) else {}))
        for place, (number, trial) in enumerate(sorted(trials.items()))
    ]
    entries: list[Queued] = []
    for row in queue:
        try:
            entries.append(read_queued(row, encoding))
        except DAMAGE:
            all_queued = False
    rows = {
        "trial": [trial_row(trial, encoding) for trial in kept],
        "fold": [fold_row(trial.number, fold) for trial in kept for fold in trial.folds],
        "prediction": [(places[row[0]], *row[1:]) for row in predictions if row[0] in places],
        "fresh": [(row[0], places[row[1]], *row[2:]) for row in fresh if row[1] in places],
        "queue": [
            queue_row(dataclasses.replace(entry, id=id_, trial=places.get(entry.trial)), encoding)
            for id_, entry in enumerate(entries)
        ],
        "head": [("stop_reason", dump(facts.get("stop_reason", "")))],
    }
    StudyFile.create(new, info, rows).database.close()

    lost = []
    last = max([*trials, *folds], default=-1)
    if gone := sorted(set(range(last + 1)) - set(trials)):
        lost.append(f"Trials that cannot be read: {', '.join(map(str, gone))}.")
    elif not all_trials:
        lost.append("Trials at the end of the study cannot be read; how many is not known.")
    folds_lost = [f"{n} ({', '.join(map(str, sorted(of)))})" for n, of in broken.items() if of]
    if folds_lost:
        lost.append(
            f"Folds that are or may be lost, by trial: {', '.join(folds_lost)}. A search that "
            "continues the new study evaluates them again."
        )
    if not all_folds and {"stopped", "failed"} & {trial.state for trial in trials.values()}:
        lost.append("Folds of trials that were stopped or failed may be lost.")
    if not all_predictions:
        lost.append("Held-out predictions of some folds cannot be read.")
    if not all_queued:
        lost.append("Configurations that were queued cannot be read.")
    return Study.open(new), lost
