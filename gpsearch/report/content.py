"""The texts of a study's report, without markup."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpsearch.plotting.data import comparison_errors, score_label
from gpsearch.plotting.text import aligned, number
from gpsearch.report.facts import read_conditions, read_facts, read_space, short
from gpsearch.space import Space
from gpsearch.study import Study, Trial
from gpsearch.study.duration import duration


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One value of the table of trials."""

    text: str
    """The text in the table."""
    key: float | str
    """Sort key; empty where there is no value."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One trial, or one run of a comparison."""

    state: str
    cells: tuple[Cell, ...]
    is_best: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    """The best complete trial."""

    number: int
    score: str
    spread: str
    """Standard error and number of folds; empty for a single fold."""
    folds: tuple[str, ...]
    params: tuple[tuple[str, str], ...]
    tied: int
    """Complete trials, the best included, whose score differs from the best by no more than the
    standard error of the difference."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """The values of the templates ``report.html`` and ``report.md``, without figures."""

    title: str
    summary: str
    """One sentence: what was searched, how far, how long."""
    stop_reason: str
    label: str
    """Name of the score."""
    direction: str
    """Whether greater or smaller is better."""
    result: Result | None
    counts: str
    """Number of trials in each state."""
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    failures: tuple[Trial, ...]
    """Trials that failed or were stopped."""
    space: tuple[tuple[str, str, str, str], ...]
    """Name, kind, values and scale of each dimension."""
    conditions: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    """How it was run."""
    again: str
    """Code that opens or continues the study."""


def read_content(study: Study, title: str | None = None, command: str = "") -> Content:
    """Extract the content of a report; the study may be empty."""
    trials = study.trials
    name = str(study.info.description.get("name") or "") or (
        study.path.stem if study.path is not None else "a function"
    )
    counts = Counter[str](trial.state for trial in trials)
    states = [state for state in ("complete", "stopped", "failed", "running") if counts[state]]
    result, label = read_result(study), score_label(study)
    return Content(
        title=title or f"Search: {name}",
        summary=_summary(study, trials),
        stop_reason=study.stop_reason,
        label=label,
        direction="greater is better" if study.greater_is_better else "smaller is better",
        result=result,
        counts=", ".join(f"{counts[state]} {state}" for state in states),
        columns=("trial", "state", label, "± (std. error)", *study.space.names, "time", "origin"),
        rows=_rows(study, trials, result),
        failures=tuple(trial for trial in trials if trial.reason),
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


def _rows(study: Study, trials: list[Trial], result: Result | None) -> tuple[Row, ...]:
    scores = [study.as_user_value(trial.score) for trial in trials]
    errors = [trial.standard_error for trial in trials]
    texts = zip(trials, scores, errors, aligned(scores), aligned(errors, 2), strict=True)
    return tuple(
        Row(
            state=trial.state,
            cells=(
                Cell(text=str(trial.number), key=trial.number),
                Cell(text=trial.state, key=trial.state),
                Cell(text=score_text, key="" if math.isnan(score) else score),
                Cell(text=error_text, key="" if math.isnan(error) else error),
                *value_cells(study.space, trial),
                Cell(text=duration(trial.seconds), key=trial.seconds),
                Cell(text=trial.origin, key=trial.origin),
            ),
            is_best=result is not None and trial.number == result.number,
        )
        for trial, score, error, score_text, error_text in texts
    )


def value_cells(space: Space, trial: Trial) -> tuple[Cell, ...]:
    """The cells of a configuration; empty where a dimension does not exist in it."""
    return tuple(
        _value_cell(trial.params[name]) if name in trial.params else Cell(text="", key="")
        for name in space.names
    )


def _value_cell(value: Any) -> Cell:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Cell(text=short(value), key=float(value) if is_number else short(value))


def params_text(params: Mapping[str, Any]) -> str:
    """A configuration in one line.

    >>> params_text({"lr": 0.01, "opt": "adam"})
    'lr=0.01, opt=adam'
    """
    return ", ".join(f"{name}={short(value)}" for name, value in params.items())


def _again(study: Study) -> str:
    """The Python calls that read the study and continue it."""
    settings = study.info.settings
    arguments = {"n_calls": settings.get("n_calls", len(study.trials))}
    if study.path is not None:
        arguments["study"] = str(study.path)
    arguments["random_state"] = study.seed
    defaults = {"strategy": "gp", "n_initial_points": None, "greater_is_better": True}
    defaults["optimum_prior"] = "by_name"
    arguments |= {n: v for n, v in settings.items() if n in defaults and v != defaults[n]}
    call = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    lines = [f"gpsearch.search(objective, space, {call})"]
    if study.path is not None:
        lines.insert(0, f"gpsearch.Study.open({str(study.path)!r})  # to read it")
        lines[-1] += "  # to continue it; raise n_calls to search on"
    return "\n".join(lines)
