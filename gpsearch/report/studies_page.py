"""The page of several studies: what can be compared in one table, the rest told apart."""

import math
from collections.abc import Sequence
from typing import Any

from gpsearch.analysis.side_by_side import COMPARED, SideBySide, side_by_side
from gpsearch.described import duration, number, score_text, values_text
from gpsearch.evaluation import told_apart
from gpsearch.plotting.data import score_label
from gpsearch.study import Study
from gpsearch.study.contenders import difference

MOST_NAMED = 5  # studies in the title


def read_side_by_side(studies: Sequence[Study]) -> dict[str, Any]:
    """The values of ``side_by_side.html`` and ``.md``, without figures."""
    shown = side_by_side(studies)
    apart = [f for f in COMPARED if f in shown.differing]
    groups = [_group(shown, place) for place in range(len(shown.groups))]
    return {
        "title": ", ".join(shown.names) if len(studies) <= MOST_NAMED else "Studies",
        "shown": shown,
        "groups": groups,
        "apart": f"Scores of {len(groups)} kinds, which differ in {_listed(apart)}: they "
        "stand in tables of their own, and one says nothing about another."
        if len(groups) > 1
        else "",
        "facets": list(shown.differing.items()),
        "same": ", ".join(shown.same),
    }


def _group(shown: SideBySide, place: int) -> dict[str, Any]:
    """The heading, table and sentences of studies whose scores can be compared."""
    members = shown.groups[place]
    first = shown.studies[members[0]]
    better = "greater" if first.greater_is_better else "smaller"
    return {
        "heading": f"{listed(shown, members)}: {score_label(first)}, {better} is better",
        "columns": ["study", "trials", "best score", "on new data", "training", "best settings"],
        "rows": [_row(shown.names[i], shown.studies[i]) for i in members],
        "sentences": _gaps(shown, members),
    }


def _row(name: str, study: Study) -> list[str]:
    trials = study.trials
    cells = [name, str(len(trials)), "none yet", "", duration(sum(t.seconds for t in trials)), ""]
    if study.complete:
        best, made = study.best_trial, study.confirmation
        cells[2] = score_text(study.as_user_value(best.score), best.standard_error)
        cells[5] = values_text(best.params)
        if made is not None and math.isfinite(made.expected):
            ends = sorted(study.as_user_value(end) for end in (made.low, made.high))
            expected = number(study.as_user_value(made.expected), 4)
            cells[3] = f"{expected} ({number(ends[0], 4)} to {number(ends[1], 4)})"
    return cells


def _gaps(shown: SideBySide, members: Sequence[int]) -> list[str]:
    """How far each best trial lies behind the first, on the folds that all share."""
    scored = {i: shown.studies[i].best_trial for i in members if shown.studies[i].complete}
    if len(scored) < 2:
        return []
    top = max(scored, key=lambda i: told_apart(scored[i].score))
    sentences = []
    for i, trial in scored.items():
        if i == top:
            continue
        gap, error = difference(scored[top], trial)
        of_top = f"that of {shown.names[top]}"
        if gap == 0:
            sentences.append(f"The best trial of {shown.names[i]} scores the same as {of_top}.")
            continue
        told = number(gap) if math.isnan(error) else score_text(gap, error)
        unclear = not math.isnan(error) and gap <= error
        sentences.append(
            f"The best trial of {shown.names[i]} scores {told} worse than {of_top}, fold by fold"
            + (", which is within one standard error." if unclear else ".")
        )
    return sentences


def listed(shown: SideBySide, members: Sequence[int]) -> str:
    """The names of studies in a sentence."""
    return _listed([shown.names[i] for i in members])


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
