"""The texts of a comparison's report, without markup."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpsearch.comparison import Comparison
from gpsearch.comparison.summary import conclusions, table_cells
from gpsearch.plotting.data import score_label
from gpsearch.plotting.text import aligned
from gpsearch.report.content import Cell, Row, value_cells
from gpsearch.report.facts import read_conditions, read_facts, read_space
from gpsearch.study.duration import duration


def read_comparison(
    comparison: Comparison, title: str | None = None, command: str = ""
) -> dict[str, Any]:
    """The values of the templates ``comparison.html`` and ``comparison.md``, without figures."""
    name, info = comparison.name, comparison.info
    table, rows = table_cells(comparison)
    return {
        "title": title or f"Comparison{f': {name}' if name else ''}",
        "comparison": comparison,
        "table": table,
        "strategies": rows,
        "conclusions": conclusions(comparison),
        "columns": (
            "strategy",
            "repeat",
            f"best {score_label(comparison)}",
            "reached after",
            "failed",
            "training",
            *comparison.space.names,
        ),
        "rows": _rows(comparison),
        "space": read_space(comparison.space),
        "conditions": read_conditions(comparison.space, info),
        "facts": () if info is None else read_facts(info, comparison.path),
        "again": command or _again(comparison),
    }


def _again(comparison: Comparison) -> str:
    if comparison.info is None:
        return "gpsearch.comparison.compare_studies(...)  # with the same studies"
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
    call = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    return f"gpsearch.compare(objective, space, {call})"


def _rows(comparison: Comparison) -> tuple[Row, ...]:
    """One row for each run: its best score, when it was reached, and the configuration."""
    found = comparison.as_user_value(comparison.best[:, :, -1])
    texts = np.reshape(aligned(found.ravel().tolist()), found.shape)
    rows = []
    for s, (strategy, runs) in enumerate(comparison.runs.items()):
        for r, trials in enumerate(runs):
            complete = [trial for trial in trials if trial.state == "complete"]
            best = max(complete, key=lambda trial: trial.score)
            failed = sum(trial.state == "failed" for trial in trials)
            seconds = float(comparison.seconds[s, r].sum())
            after = trials.index(best) + 1
            cells = (
                Cell(text=strategy, key=strategy),
                Cell(text=str(r), key=r),
                Cell(text=str(texts[s, r]), key=float(found[s, r])),
                Cell(text=str(after), key=after),
                Cell(text=str(failed) if failed else "", key=failed),
                Cell(text=duration(seconds), key=seconds),
                *value_cells(comparison.space, best),
            )
            rows.append(Row(state="complete", cells=cells))
    return tuple(rows)
