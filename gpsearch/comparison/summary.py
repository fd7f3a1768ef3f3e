"""Table and conclusions of a comparison, as text and as HTML."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any

from gpsearch.comparison.comparison import RANDOM, Comparison
from gpsearch.comparison.statistics import (
    Difference,
    Interval,
    Saving,
    differences_of,
    least_p,
)
from gpsearch.described import counted, digits_apart, duration, number

if TYPE_CHECKING:
    import pandas as pd

SIGNIFICANT = 0.05


def table(comparison: Comparison, confidence: float = 0.95) -> pd.DataFrame:
    """One row for each strategy.

    Columns: strategy; score with its interval low and high (mean best at the end, in the user's
    units); area (mean best so far over the middle half of the run); random_evaluations with low
    and high; seconds of training a run; proposal_seconds; p_holm against the baseline.
    """
    import pandas as pd

    by_strategy = {d.strategy: d for d in comparison.differences(confidence=confidence)}
    rows = []
    for s, strategy in enumerate(comparison.strategies):
        band = comparison.curve(strategy, confidence)
        row: dict[str, Any] = {
            "strategy": strategy,
            "score": band.mean[-1],
            "low": band.low[-1],
            "high": band.high[-1],
            "area": comparison.as_user_value(comparison.area[s].mean()),
        }
        if RANDOM in comparison.runs and strategy != RANDOM:
            needs = comparison.saving(strategy, confidence=confidence).random_evaluations
            row |= {
                "random_evaluations": needs.value,
                "random_low": needs.low,
                "random_high": needs.high,
            }
        row |= {
            "seconds": comparison.seconds[s].sum(axis=1).mean(),
            "proposal_seconds": comparison.proposal_seconds(strategy),
        }
        if strategy in by_strategy:
            row["p_holm"] = by_strategy[strategy].p_holm
        rows.append(row)
    return pd.DataFrame(rows)


def summary(comparison: Comparison) -> str:
    """Table and conclusions as text."""
    heads, rows = table_cells(comparison)
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [heads, *rows]
    ]
    return "\n".join([_title(comparison), "", *lines, "", *conclusions(comparison)])


def summary_html(comparison: Comparison) -> str:
    """Table and conclusions as an HTML fragment, for a notebook."""
    import pandas as pd

    heads, rows = table_cells(comparison)
    found = pd.DataFrame(rows, columns=heads).to_html(index=False, border=0)
    items = "".join(f"<li>{html.escape(line)}</li>" for line in conclusions(comparison))
    return f"<p>{html.escape(_title(comparison))}</p>{found}<ul>{items}</ul>"


def conclusions(comparison: Comparison) -> list[str]:
    """What follows from a comparison: one or two sentences for each strategy."""
    if comparison.all_equal:
        return [
            f"Every evaluation gave the same {comparison.score_name}, so the strategies cannot be "
            "told apart."
        ]
    differences = comparison.differences()
    sentences = []
    for difference in differences:
        line = _verdict(difference, comparison)
        if (
            RANDOM in comparison.runs
            and difference.end.low > 0
            and not _always_alike(difference, comparison)
        ):
            line += " " + _saved(comparison.saving(difference.strategy))
        sentences.append(line)
    if (note := _reach_of_the_test(comparison, len(differences))) is not None:
        sentences.append(note)
    return sentences


def _title(comparison: Comparison) -> str:
    subject = f" of {comparison.name}" if comparison.name else ""
    return (
        f"Comparison{subject}: {comparison.n_repeats} repeats of "
        f"{counted(comparison.n_calls, 'evaluation')}, same folds and seeds; best "
        f"{comparison.score_name} with {1 - SIGNIFICANT:.0%} intervals."
    )


def _verdict(difference: Difference, comparison: Comparison) -> str:
    a, b, end = difference.strategy, difference.baseline, difference.end
    if not end.excludes_zero:
        early = ""
        if difference.area.excludes_zero:
            side = "better" if difference.area.low > 0 else "worse"
            early = f" Midway through the run {a} was {side}, by {_amount(difference.area)}."
        return (
            f"{a} and {b} cannot be told apart at the end: their difference, "
            f"{_number(end.value)} ({_range(end)}), is within the noise of "
            f"{comparison.n_repeats} repeats.{early}"
        )
    side = "better" if end.value > 0 else "worse"
    if _always_alike(difference, comparison):
        return (
            f"{a} and {b} cannot be told apart at the end: {a} was {side} by "
            f"{_number(abs(end.low))} in each of {comparison.n_repeats} repeats, by exactly as "
            "much each time, so the noise is unknown."
        )
    ends = differences_of(comparison.best_of(a)[:, -1], comparison.best_of(b)[:, -1])
    n_equal = int((ends == 0).sum())
    sentence = (
        f"{a} is {side} than {b} by {_amount(end)} after {comparison.n_calls} evaluations, and "
        f"was better in {(ends > 0).sum()} of {comparison.n_repeats} repeats"
        f"{f' and as good in {n_equal}' if n_equal else ''} "
        f"(probability {_range(difference.better)})."
    )
    could = least_p(comparison.n_repeats) * (len(comparison.strategies) - 1) <= SIGNIFICANT
    if could and difference.p_holm > SIGNIFICANT:
        sentence += (
            f" The rank test does not confirm it (p = {number(difference.p_holm, 2)} after Holm)."
        )
    return sentence


def _always_alike(difference: Difference, comparison: Comparison) -> bool:
    """Whether few repeats gave exactly the same difference, as happens with an accuracy."""
    few = least_p(comparison.n_repeats) > SIGNIFICANT
    return few and difference.end.low == difference.end.high != 0.0


def _saved(saving: Saving) -> str:
    needs = saving.random_evaluations
    if math.isinf(needs.value):
        return (
            f"Random search needs more than {saving.most} evaluations for the same score, all that "
            f"this comparison has: at least {saving.most - saving.n} are saved."
        )
    high = f"more than {saving.most}" if math.isinf(needs.high) else f"{needs.high:.0f}"
    time = ""
    if saving.random_seconds.value > 1.0:
        time = (
            f", that is {duration(saving.random_seconds.value)} instead of "
            f"{duration(saving.seconds)}"
        )
    return (
        f"Random search needs about {needs.value:.0f} evaluations ({needs.low:.0f} to {high}) for "
        f"the same score{time}."
    )


def _reach_of_the_test(comparison: Comparison, tests: int) -> str | None:
    """The smallest p that the rank test can give, where so few repeats cannot be significant."""
    least = least_p(comparison.n_repeats)
    if least * tests <= SIGNIFICANT:
        return None
    enough = math.ceil(math.log2(2.0 * tests / SIGNIFICANT))
    return (
        f"With {comparison.n_repeats} repeats the rank test cannot go below p = {number(least, 2)} "
        f"({number(min(1.0, least * tests), 2)} after Holm's correction for {tests}); {enough} "
        "repeats would allow it to."
    )


def table_cells(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the table of strategies, as text."""
    found = table(comparison)
    saves = "random_evaluations" in found
    heads = ["strategy", comparison.score_name, "interval", "midway"]
    heads += ["random needs"] if saves else []
    heads += ["training", "between trials", "p (Holm)"]
    rows = []
    digits = digits_apart(found[["score", "low", "high", "area"]].to_numpy().ravel().tolist())
    for row in found.to_dict("records"):
        score, *ends, area = (number(row[n], digits) for n in ("score", "low", "high", "area"))
        cells = [row["strategy"], score, " to ".join(ends), area]
        if saves:
            cells.append(_evaluations(row.get("random_evaluations", math.nan)))
        cells += [duration(row["seconds"]), duration(row["proposal_seconds"])]
        p = row.get("p_holm", math.nan)
        rows.append([*cells, "" if math.isnan(p) else number(p, 2)])
    return heads, rows


def _evaluations(count: float) -> str:
    return "" if math.isnan(count) else "beyond" if math.isinf(count) else f"{count:.0f}"


def _number(value: float) -> str:
    return number(value, 4)


def _range(interval: Interval) -> str:
    return f"{_number(interval.low)} to {_number(interval.high)}"


def _amount(interval: Interval) -> str:
    """The size of a difference, without its sign."""
    ends = sorted([abs(interval.low), abs(interval.high)])
    return f"{_number(abs(interval.value))} ({_number(ends[0])} to {_number(ends[1])})"
