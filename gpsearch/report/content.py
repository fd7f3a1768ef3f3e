"""What a report tells of a study, as plain values: numbers as text, no markup."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpsearch.plotting.data import comparison_errors, ended_trials, score_label
from gpsearch.plotting.dimensions import category_label
from gpsearch.plotting.text import aligned, number
from gpsearch.space import Categorical, Integer, Space
from gpsearch.study import Study, Trial

UNITS = (("h", 3600.0), ("min", 60.0))


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
        space=tuple(_dimension(study.space, i) for i in range(len(study.space)))
        + tuple((name, "fixed", short(value), "") for name, value in study.space.fixed.items()),
        conditions=_conditions(study),
        facts=_facts(study),
        again=command or _again(study),
    )


def read_result(study: Study) -> Result | None:
    """The best complete trial; None if there is none."""
    complete = [trial for trial in study.trials if trial.state == "complete"]
    if not complete:
        return None
    best = study.best_trial
    sign = 1.0 if study.greater_is_better else -1.0
    error = best.standard_error
    return Result(
        number=best.number,
        score=aligned([sign * best.score])[0],
        spread=""
        if math.isnan(error)
        else f"± {number(error, 2)} (standard error over {len(best.folds)} folds)",
        folds=tuple(aligned([sign * fold.score for fold in best.folds]))
        if len(best.folds) > 1
        else (),
        params=tuple((name, short(value)) for name, value in best.params.items()),
        tied=_count_tied(study, best),
    )


def _count_tied(study: Study, best: Trial) -> int:
    ended = ended_trials(study)
    variances = np.nan_to_num(np.square(comparison_errors(study)))
    of_best = float(variances[[trial.number for trial in ended].index(best.number)])
    return sum(
        trial.state == "complete" and best.score - trial.score <= math.sqrt(of_best + variance)
        for trial, variance in zip(ended, variances.tolist(), strict=True)
    )


def short(value: Any) -> str:
    """A value of params as text.

    >>> short(0.00123456), short(128), short("relu"), short((32, 16)), short(True)
    ('0.00123', '128', 'relu', '(32, 16)', 'True')
    """
    if isinstance(value, float):
        return number(value)
    named = getattr(value, "__name__", None)
    return str(named or value)


def duration(seconds: float) -> str:
    """A length of time with two digits that matter.

    >>> duration(0.0123), duration(42.7), duration(754), duration(9000)
    ('12 ms', '43 s', '13 min', '2.5 h')
    """
    if 0 < seconds < 1:
        return f"{number(1000 * seconds, 2)} ms"
    for unit, length in UNITS:
        if seconds >= 1.5 * length:
            return f"{number(seconds / length, 2)} {unit}"
    return f"{number(seconds, 2)} s"


def _summary(study: Study, trials: list[Trial]) -> str:
    strategy = study.info.settings.get("strategy")
    ended = ended_trials(study)
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
    sign = 1.0 if study.greater_is_better else -1.0
    scores = [sign * trial.score for trial in trials]
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


def _dimension(space: Space, index: int) -> tuple[str, str, str, str]:
    name, dimension = space.names[index], space.dimensions[index]
    if isinstance(dimension, Categorical):
        order = "" if space.categorical[index] else "ordered"
        values = ", ".join(category_label(category) for category in dimension.categories)
        return name, "categorical", values, order
    kind = "integer" if isinstance(dimension, Integer) else "real"
    values = f"{short(dimension.low)} to {short(dimension.high)}"
    return name, kind, values, "logarithmic" if dimension.prior == "log-uniform" else "linear"


def _conditions(study: Study) -> tuple[str, ...]:
    lines = [
        f"{name} exists only where "
        + " and ".join(
            f"{parent} is {' or '.join(short(value) for value in values)}"
            for parent, values in parents.items()
        )
        for name, parents in study.space.when.items()
    ]
    if constraint := study.info.space.get("constraint"):
        lines.append(f"Only params for which the constraint holds: {constraint.strip()}")
    return tuple(lines)


def _facts(study: Study) -> tuple[tuple[str, str], ...]:
    info = study.info
    facts = [("study", str(study.path) if study.path is not None else "in memory")]
    facts.append(("seed", str(study.seed)))
    facts += [(name.replace("_", " "), _plain(value)) for name, value in info.settings.items()]
    versions = info.description.get("versions")
    facts += [
        (name.replace("_", " "), _plain(value))
        for name, value in info.description.items()
        if name != "versions" and value not in (None, [], {}, "")
    ]
    if info.description.get("monitor_fold"):
        facts.append(
            (
                "early stopping",
                "watched the fold that is scored (monitor_fold=True): scores are optimistic",
            )
        )
    facts.append(("objective fingerprint", info.objective_fingerprint or "none"))
    facts.append(("space fingerprint", info.space_fingerprint))
    shown = {"gpsearch": info.version} | (dict(versions) if isinstance(versions, Mapping) else {})
    facts.append(("versions", ", ".join(f"{name} {version}" for name, version in shown.items())))
    return tuple(facts)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(part) for part in value) or "none"
    return "default" if value is None else short(value)


def _again(study: Study) -> str:
    if study.path is None:
        return (
            f"gpsearch.search(objective, space, n_calls={len(study.trials)}, "
            f"random_state={study.seed})"
        )
    n_calls = study.info.settings.get("n_calls", len(study.trials))
    return (
        f'gpsearch.Study.open("{study.path}")  # to read it\n'
        f'gpsearch.search(objective, space, n_calls={n_calls}, study="{study.path}")'
        "  # to continue it; raise n_calls to search on"
    )
