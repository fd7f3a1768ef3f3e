"""What a report tells of a comparison of strategies."""

from __future__ import annotations

import numpy as np

from gpsearch.comparison import Comparison
from gpsearch.comparison.summary import summary_html
from gpsearch.plotting.text import aligned
from gpsearch.report.content import Cell, Row, duration, short
from gpsearch.report.figures import Figure, draw_comparison


def read_comparison(
    comparison: Comparison, title: str | None = None
) -> dict[str, str | Comparison | tuple[Figure, ...] | tuple[Row, ...] | tuple[str, ...]]:
    """The values of the template ``comparison.html``."""
    name = comparison.name
    return {
        "title": title or f"Comparison{f': {name}' if name else ''}",
        "comparison": comparison,
        "summary": summary_html(comparison),
        "figures": draw_comparison(comparison),
        "columns": (
            "strategy",
            "repeat",
            f"best {comparison.score_name.replace('_', ' ')}",
            "reached after",
            "failed",
            "training",
            *comparison.space.names,
        ),
        "rows": _rows(comparison),
    }


def _rows(comparison: Comparison) -> tuple[Row, ...]:
    """One row a run: what it found, when, and at which params."""
    sign = 1.0 if comparison.greater_is_better else -1.0
    found = comparison.best[:, :, -1]
    texts = np.reshape(aligned((sign * found).ravel().tolist()), found.shape)
    rows = []
    for s, (strategy, runs) in enumerate(comparison.runs.items()):
        for r, trials in enumerate(runs):
            complete = [trial for trial in trials if trial.state == "complete"]
            best = max(complete, key=lambda trial: trial.score)
            failed = sum(trial.state == "failed" for trial in trials)
            seconds = float(comparison.seconds[s, r].sum())
            after = trials.index(best) + 1
            cells = [
                Cell(text=strategy, key=strategy),
                Cell(text=str(r), key=r),
                Cell(text=str(texts[s, r]), key=float(sign * found[s, r])),
                Cell(text=str(after), key=after),
                Cell(text=str(failed) if failed else "", key=failed),
                Cell(text=duration(seconds), key=seconds),
            ]
            for name in comparison.space.names:
                value = best.params.get(name)
                is_number = isinstance(value, int | float) and not isinstance(value, bool)
                text = "" if value is None else short(value)
                cells.append(Cell(text=text, key=float(value) if is_number else text))  # type: ignore[arg-type]
            rows.append(Row(number=r, state="complete", cells=tuple(cells), is_best=False))
    return tuple(rows)
