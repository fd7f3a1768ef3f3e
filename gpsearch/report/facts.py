"""Space and settings of a study or a comparison, as rows of text."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gpsearch.described import digits_within, value_text
from gpsearch.space import Categorical, Integer, Space
from gpsearch.space.conditions import parents_text
from gpsearch.study.info import StudyInfo


def read_space(space: Space) -> tuple[tuple[str, str, str, str], ...]:
    """Name, kind, values and scale of each dimension, and of each fixed argument."""
    fixed = ((name, "fixed", value_text(value), "") for name, value in space.fixed.items())
    return (*(_dimension(space, i) for i in range(len(space))), *fixed)


def read_conditions(space: Space, info: StudyInfo) -> tuple[str, ...]:
    """A sentence for each dimension that does not always exist, and for the constraint."""
    lines = [
        f"{name} exists only where {parents_text(parents)}" for name, parents in space.when.items()
    ]
    if constraint := info.space.get("constraint"):
        lines.append(f"Only configurations that satisfy the constraint: {constraint.strip()}")
        if space.constraint is None:
            lines.append(
                "The file does not hold the constraint as a function: what the model shows of the "
                "space counts configurations that it excludes."
            )
    return tuple(lines)


def read_facts(
    info: StudyInfo, path: Path | None, budget: int | None = None
) -> tuple[tuple[str, str], ...]:
    """Name and value of everything recorded about how a study was run, with its last `budget`."""
    facts = [("study", "in memory" if path is None else str(path)), ("seed", str(info.seed))]
    for name, value in info.settings.items():
        if name == "n_calls" and budget:  # the setting is that of the first call
            value = budget
        if name == "score_bounds":
            value = " to ".join(map(value_text, info.score_bounds))
        is_none = name in ("optimum_prior", "expected_optimum", "cost", "racing") and not value
        facts.append((name.replace("_", " "), "none" if is_none else _plain(value)))
    told = dict(info.description)
    versions, name_of_score = told.get("versions"), told.pop("score_name", None)
    told |= {"scoring": name_of_score} if name_of_score else {}
    facts += [
        (name.replace("_", " "), _plain(value))
        for name, value in told.items()
        if name not in ("versions", "identity", *info.settings) and value not in (None, [], {}, "")
    ]
    if info.description.get("monitor_fold"):
        watched = "watched the fold that is scored (monitor_fold=True): scores are optimistic"
        facts.append(("early stopping", watched))
    facts.append(("objective fingerprint", info.objective_fingerprint or "none"))
    facts.append(("space fingerprint", info.space_fingerprint))
    shown = {"gpsearch": info.version} | (dict(versions) if isinstance(versions, Mapping) else {})
    facts.append(("versions", ", ".join(f"{name} {version}" for name, version in shown.items())))
    return tuple(facts)


def _dimension(space: Space, index: int) -> tuple[str, str, str, str]:
    name, dimension = space.names[index], space.dimensions[index]
    if isinstance(dimension, Categorical):
        order = "" if space.categorical[index] else "ordered"
        values = ", ".join(value_text(category) for category in dimension.categories)
        return name, "categorical", values, order
    kind = "integer" if isinstance(dimension, Integer) else "real"
    digits = digits_within(dimension.low, dimension.high)
    values = f"{value_text(dimension.low, digits)} to {value_text(dimension.high, digits)}"
    return name, kind, values, "logarithmic" if dimension.prior == "log-uniform" else "linear"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(part) for part in value) or "none"
    return "default" if value is None else value_text(value)
