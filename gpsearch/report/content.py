"""The texts of a report, without markup: the values of its templates.

``report.html`` and ``report.md`` take those of a study, ``comparison.html`` and ``comparison.md``
those of a comparison.
"""

import math
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gpsearch.comparison import Comparison
from gpsearch.comparison.summary import conclusions, table_cells
from gpsearch.described import (
    aligned,
    counted,
    digits_apart,
    duration,
    number,
    score_text,
    value_text,
)
from gpsearch.plotting.data import convergence_series, score_label
from gpsearch.report.facts import read_conditions, read_facts, read_space
from gpsearch.space import Space
from gpsearch.study import Study, Trial
from gpsearch.study.contenders import best_first, contenders, differing
from gpsearch.study.info import digits_of
from gpsearch.surrogate.subsets import representatives

Digits = Mapping[str, int]
"""Digits of the values of each dimension, by name."""

MOST_SHOWN = 1000  # trials of a study that a page draws and lists


class Cell(NamedTuple):
    """One value of the table of trials."""

    text: str
    key: float | str
    """What the table is sorted by; empty where there is no value."""


class Row(NamedTuple):
    """One trial, or one run of a comparison."""

    state: str
    cells: tuple[Cell, ...]
    is_best: bool = False
    trial: int | None = None
    """Number of the trial; None for a run of a comparison."""
    told: str = ""
    """What the pointer tells of the trial: its score, and what differs from the best."""
    best: str = ""
    """The best score up to this trial; empty before the first."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """The best complete trial."""

    number: int
    score: str
    spread: str
    """Standard error and number of folds; empty for a single fold."""
    folds: tuple[str, ...]
    params: tuple[tuple[str, str], ...]
    contenders: int
    """Trials within one standard error of the best, which is one of them."""


def read_content(study: Study, command: str = "") -> dict[str, Any]:
    """The values of a study's templates, without figures; the study may be empty."""
    trials, path = study.trials, study.path
    name = study.info.description.get("name") or (path.stem if path else "a function")
    counts = Counter[str](trial.state for trial in trials)
    states = [state for state in ("complete", "stopped", "failed", "running") if counts[state]]
    result, label, shown = read_result(study), score_label(study), _shown(trials)
    with_error = any(len(trial.folds) > 1 for trial in trials)
    with_work = any(trial.work is not None for trial in trials)
    heads = ["trial", "state", label, *["± (std. error)"] * with_error]
    return {
        "title": f"Search: {name}",
        "summary": _summary(study, trials),
        "stop_reason": study.stop_reason,
        "label": label,
        "direction": "greater is better" if study.greater_is_better else "smaller is better",
        "result": result,
        "confirmed": study.confirmed(),
        "counts": ", ".join(f"{counts[state]} {state}" for state in states),
        "columns": [*heads, *study.space.names, "time", *["work"] * with_work, "origin"],
        "rows": _trial_rows(study, shown, result, with_error=with_error, with_work=with_work),
        "n_trials": len(trials),
        "failures": [trial for trial in shown if trial.state == "failed"],
        "stopped": _stopped(trials),
        "space": read_space(study.space),
        "conditions": read_conditions(study.space, study.info),
        "facts": read_facts(study.info, path, study.budget),
        "again": command or _search_again(study),
    }


def read_result(study: Study) -> Result | None:
    """The best complete trial; None if there is none."""
    if not study.complete:
        return None
    best, digits = study.best_trial, digits_of(study.info)
    error, n_folds = best.standard_error, len(best.folds)
    score, _, spread = score_text(study.as_user_value(best.score), error).partition(" ± ")
    folds = aligned([study.as_user_value(fold.score) for fold in best.folds])
    return Result(
        number=best.number,
        score=score,
        spread=spread and f"± {spread} (standard error over {n_folds} folds)",
        folds=tuple(folds) if n_folds > 1 else (),
        params=tuple((n, value_text(v, digits.get(n, 3))) for n, v in best.params.items()),
        contenders=len(contenders(study.complete, best)),
    )


def read_comparison(comparison: Comparison, command: str = "") -> dict[str, Any]:
    """The values of a comparison's templates, without figures."""
    name, info = comparison.name, comparison.info
    table, strategies = table_cells(comparison)
    heads = ["strategy", "repeat", f"best {score_label(comparison)}"]
    return {
        "title": f"Comparison{f': {name}' if name else ''}",
        "comparison": comparison,
        "table": table,
        "strategies": strategies,
        "conclusions": conclusions(comparison),
        "columns": [*heads, "reached after", "failed", "training", *comparison.space.names],
        "rows": _run_rows(comparison),
        "space": read_space(comparison.space),
        "conditions": read_conditions(comparison.space, info),
        "facts": read_facts(info, comparison.path),
        "again": command or _compare_again(comparison),
    }


def _summary(study: Study, trials: list[Trial]) -> str:
    strategy = study.info.settings.get("strategy")
    ended, d = study.ended, len(study.space)
    text = counted(len(trials), "trial")
    if strategy:
        others = sum(trial.is_given or trial.proposal == "queued" for trial in trials)
        text = counted(len(trials) - others, "trial") + f" proposed by the strategy “{strategy}”"
        text += f" and {others} given or queued" if others else ""
    text += f" in {counted(d, 'dimension')}"
    if ended:
        begun = min(trial.started for trial in ended)
        done = max(trial.started + trial.seconds for trial in ended)
        day = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(begun))
        text += f", begun {day}, over {duration(done - begun)}"
    return text + "."


def _stopped(trials: list[Trial]) -> str:
    """How many trials were stopped, and when; empty where none was."""
    reasons = Counter(t.reason or "stopped" for t in trials if t.state == "stopped")
    told = ", ".join(f"{n} {reason}" for reason, n in sorted(reasons.items()))
    return told and f"{told}. Their scores leave out how easy those folds are, in figures as well."


def _shown(trials: list[Trial]) -> list[Trial]:
    """All trials where a page can hold them; else the best, and others at even ranks."""
    losses = np.nan_to_num([trial.loss for trial in trials], nan=np.inf).tolist()
    behind = [trial.state != "complete" for trial in trials]
    ranks = np.empty(len(trials))
    ranks[sorted(range(len(trials)), key=lambda row: (behind[row], losses[row]))] = range(
        len(trials)
    )
    return [trials[row] for row in np.sort(representatives(ranks, MOST_SHOWN))]


def _trial_rows(
    study: Study,
    trials: list[Trial],
    result: Result | None,
    *,
    with_error: bool,
    with_work: bool,
) -> list[Row]:
    best, digits = study.best_trial if study.complete else None, digits_of(study.info)
    series = convergence_series(study)
    # as the figures have them: a stopped trial's free of what its folds are easier for all
    drawn = dict(zip(series.numbers.tolist(), series.values.tolist(), strict=True))
    scores = [drawn.get(t.number, study.as_user_value(t.score)) for t in trials]
    errors = [trial.standard_error for trial in trials]
    told = aligned(scores, digits_apart(scores))
    texts = zip(trials, scores, errors, told, aligned(errors, 2), strict=True)
    shown = dict(zip(scores, told, strict=True))  # the best so far reads as it does in its own row
    so_far = {
        n: "" if math.isnan(best) else shown.get(best, number(best, 4))
        for n, best in zip(series.numbers.tolist(), series.best.tolist(), strict=True)
    }
    return [
        Row(
            trial.state,
            (
                _cell(trial.number),
                _cell(trial.state),
                Cell(score_told, "" if math.isnan(score) else score),
                *([Cell(error_told, "" if math.isnan(error) else error)] if with_error else []),
                *_value_cells(study.space, digits, trial),
                Cell(duration(trial.seconds), trial.seconds),
                *([_work_cell(trial.work)] if with_work else []),
                _cell(trial.origin),
            ),
            is_best=result is not None and trial.number == result.number,
            trial=trial.number,
            told=_told(trial, best, digits, f"{score_label(study)} {score_told}", error_told),
            best=so_far.get(trial.number, ""),
        )
        for trial, score, error, score_told, error_told in texts
    ]


def _told(trial: Trial, best: Trial | None, digits: Digits, score: str, error: str) -> str:
    """A line with the score, or without one with the state, and one for each other setting."""
    scored = not math.isnan(trial.score)
    text = f"{score}{f' ± {error}' if error else ''}" if scored else ""
    state = "" if trial.state == "complete" else trial.state
    lines = [f"trial {trial.number}: {', '.join(filter(None, [text, state]))}"]
    if best is not None and trial.number != best.number:
        for name in differing(trial.params, best.params):
            both = (t.params.get(name, "absent") for t in (trial, best))
            own, other = (value_text(value, digits.get(name, 3)) for value in both)
            lines.append(f"{name} {own} (best: {other})")
    return "\n".join(lines)


def _work_cell(work: float | None) -> Cell:
    return Cell("", "") if work is None else Cell(duration(work), work)


def _run_rows(comparison: Comparison) -> list[Row]:
    """One row for each run: its best score, when it was reached, and the configuration."""
    found = comparison.as_user_value(comparison.best[:, :, -1])
    scores = found.ravel().tolist()
    texts = np.reshape(aligned(scores, digits_apart(scores)), found.shape)
    rows, digits = [], digits_of(comparison.info)
    for s, (strategy, runs) in enumerate(comparison.runs.items()):
        for r, trials in enumerate(runs):
            (best, *_) = best_first(trials)
            failed = sum(trial.state == "failed" for trial in trials)
            seconds = float(comparison.seconds[s, r].sum())
            cells = (
                _cell(strategy),
                _cell(r),
                Cell(str(texts[s, r]), float(found[s, r])),
                _cell(trials.index(best) + 1),
                Cell(str(failed or ""), failed),
                Cell(duration(seconds), seconds),
                *_value_cells(comparison.space, digits, best),
            )
            rows.append(Row("complete", cells))
    return rows


def _cell(value: int | str) -> Cell:
    return Cell(str(value), value)


def _value_cells(space: Space, digits: Digits, trial: Trial) -> list[Cell]:
    """The cells of a configuration; empty where a dimension does not exist in it."""
    cells = []
    for name in space.names:
        value = trial.params.get(name, "")
        text = value_text(value, digits[name])
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        cells.append(Cell(text, float(value) if is_number else text))
    return cells


def _search_again(study: Study) -> str:
    """The Python calls that read the study and continue it."""
    settings = study.info.settings
    arguments: dict[str, Any] = {"n_calls": study.budget or len(study.trials)}
    if study.path is not None:
        arguments["study"] = str(study.path)
    arguments["random_state"] = study.seed
    defaults = {"strategy": "gp", "n_initial_points": None, "greater_is_better": True}
    measured = any(trial.work is not None for trial in study.trials)
    defaults |= {"optimum_prior": "by_name", "cost": "work" if measured else None}
    arguments |= {n: v for n, v in settings.items() if n in defaults and v != defaults[n]}
    if settings.get("racing", True) is None:  # a rule of one's own cannot be written
        arguments["racing"] = None
    search = f"gpsearch.search(objective, space, {_written(arguments)})"
    if study.path is None:
        return search
    return (
        f"gpsearch.Study.open({str(study.path)!r})  # to read it\n"
        f"{search}  # to continue it; raise n_calls to search on"
    )


def _compare_again(comparison: Comparison) -> str:
    arguments: dict[str, Any] = {
        "strategies": list(comparison.strategies),
        "n_calls": comparison.n_calls,
        "n_repeats": comparison.n_repeats,
        "random_state": comparison.info.seed,
    }
    if comparison.path is not None:
        arguments["study"] = str(comparison.path)
    if not comparison.greater_is_better:
        arguments["greater_is_better"] = False
    return f"gpsearch.compare(objective, space, {_written(arguments)})"


def _written(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())
