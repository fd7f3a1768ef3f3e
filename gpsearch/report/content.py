"""What a report tells of a study, as plain values: numbers as text, no markup."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpsearch.plotting.data import comparison_errors, score_label
from gpsearch.plotting.text import aligned, number
from gpsearch.report.facts import read_conditions, read_facts, read_space, short
from gpsearch.space import Categorical, Space
from gpsearch.study import Study, Trial
from gpsearch.study.duration import duration


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One value of the table of trials."""

    text: str
    """What is shown."""
    key: float | str
    """What the column is sorted by; empty where there is no value."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One trial."""

    number: int
    state: str
    cells: tuple[Cell, ...]
    is_best: bool


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One trial without a score, or one that was stopped."""

    number: int
    state: str
    reason: str
    traceback: str
    params: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """The best complete trial."""

    number: int
    score: str
    spread: str
    """Standard error and folds, as a sentence; empty where one fold tells nothing of it."""
    folds: tuple[str, ...]
    params: tuple[tuple[str, str], ...]
    tied: int
    """Complete trials, itself among them, whose score differs from its own by no more than the
    standard error of that difference."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """All of a report but its figures."""

    title: str
    summary: str
    """One sentence: what was searched, how far, how long."""
    stop_reason: str
    label: str
    """Name of the score."""
    direction: str
    """Whether greater or smaller is better."""
    result: Result | None
    counts: tuple[tuple[str, int], ...]
    """Trials by state."""
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    failures: tuple[Failure, ...]
    space: tuple[tuple[str, str, str, str], ...]
    """Name, kind, values and scale of each dimension."""
    conditions: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    """How it was run."""
    again: str
    """Code that opens or continues the study."""


def read_content(study: Study, title: str | None = None, command: str = "") -> Content:
    """Read a study; every part stands for a study of any size, an empty one too."""
    trials = study.trials
    name = str(study.info.description.get("name") or "") or (
        study.path.stem if study.path is not None else "a function"
    )
    counts = {state: 0 for state in ("complete", "stopped", "failed", "running")}
    for trial in trials:
        counts[trial.state] += 1
    result = read_result(study)
    return Content(
        title=title or f"Search: {name}",
        summary=_summary(study, trials),
        stop_reason=study.stop_reason,
        label=score_label(study),
        direction="greater is better" if study.greater_is_better else "smaller is better",
        result=result,
        counts=tuple((state, count) for state, count in counts.items() if count),
        columns=_columns(study),
        rows=_rows(study, trials, result),
        failures=tuple(_failure(trial) for trial in trials if trial.reason),
        space=read_space(study.space),
        conditions=read_conditions(study.space, study.info),
        facts=read_facts(study.info, study.path),
        again=command or _again(study),
    )


def read_result(study: Study) -> Result | None:
    """The best complete trial; None if there is none."""
    complete = study.complete
    if not complete:
        return None
    best = study.best_trial
    error = best.standard_error
    return Result(
        number=best.number,
        score=aligned([study.as_user_value(best.score)])[0],
        spread=""
        if math.isnan(error)
        else f"± {number(error, 2)} (standard error over {len(best.folds)} folds)",
        folds=tuple(aligned([study.as_user_value(fold.score) for fold in best.folds]))
        if len(best.folds) > 1
        else (),
        params=tuple((name, short(value)) for name, value in best.params.items()),
        tied=_count_tied(study, best),
    )


def _count_tied(study: Study, best: Trial) -> int:
    ended = study.ended
    variances = np.nan_to_num(np.square(comparison_errors(study)))
    of_best = float(variances[[trial.number for trial in ended].index(best.number)])
    return sum(
        trial.state == "complete" and best.score - trial.score <= math.sqrt(of_best + variance)
        for trial, variance in zip(ended, variances.tolist(), strict=True)
    )


def _summary(study: Study, trials: list[Trial]) -> str:
    strategy = study.info.settings.get("strategy")
    ended = study.ended
    parts = [f"{len(trials)} trial{'' if len(trials) == 1 else 's'}"]
    if strategy:
        parts.append(f"proposed by the strategy “{strategy}”")
    parts.append(f"in {len(study.space)} dimension{'' if len(study.space) == 1 else 's'}")
    text = " ".join(parts)
    if ended:
        begun = min(trial.started for trial in ended)
        done = max(trial.started + trial.seconds for trial in ended)
        day = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(begun))
        text += f", begun {day}, over {duration(done - begun)}"
    return text + "."


def _columns(study: Study) -> tuple[str, ...]:
    label = score_label(study)
    return ("trial", "state", label, "± (std. error)", *study.space.names, "time", "origin")


def _rows(study: Study, trials: list[Trial], result: Result | None) -> tuple[Row, ...]:
    scores = [study.as_user_value(trial.score) for trial in trials]
    errors = [trial.standard_error for trial in trials]
    texts = zip(trials, scores, errors, aligned(scores), aligned(errors, 2), strict=True)
    return tuple(
        Row(
            number=trial.number,
            state=trial.state,
            cells=(
                Cell(text=str(trial.number), key=trial.number),
                Cell(text=trial.state, key=trial.state),
                Cell(text=score_text, key="" if math.isnan(score) else score),
                Cell(text=error_text, key="" if math.isnan(error) else error),
                *(_param(study.space, name, trial) for name in study.space.names),
                Cell(text=duration(trial.seconds), key=trial.seconds),
                Cell(text=trial.origin, key=trial.origin),
            ),
            is_best=result is not None and trial.number == result.number,
        )
        for trial, score, error, score_text, error_text in texts
    )


def _param(space: Space, name: str, trial: Trial) -> Cell:
    if name not in trial.params:
        return Cell(text="", key="")
    value = trial.params[name]
    dimension = space.dimensions[space.names.index(name)]
    if isinstance(dimension, Categorical) and not _is_number(value):
        return Cell(text=short(value), key=short(value))
    return Cell(text=short(value), key=float(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _failure(trial: Trial) -> Failure:
    return Failure(
        number=trial.number,
        state=trial.state,
        reason=trial.reason,
        traceback=trial.traceback,
        params=", ".join(f"{name}={short(value)}" for name, value in trial.params.items()),
    )


def _again(study: Study) -> str:
    """The Python call; a search in a file is continued by the same call."""
    settings = study.info.settings
    said = {"n_calls": settings.get("n_calls", len(study.trials))}
    if study.path is not None:
        said["study"] = str(study.path)
    said["random_state"] = study.seed
    usual = {"strategy": "gp", "n_initial_points": None, "greater_is_better": True}
    usual["optimum_prior"] = "by_name"
    said |= {name: v for name, v in settings.items() if name in usual and v != usual[name]}
    call = ", ".join(f"{name}={value!r}" for name, value in said.items())
    lines = [f"gpsearch.search(objective, space, {call})"]
    if study.path is not None:
        lines.insert(0, f"gpsearch.Study.open({str(study.path)!r})  # to read it")
        lines[-1] += "  # to continue it; raise n_calls to search on"
    return "\n".join(lines)
