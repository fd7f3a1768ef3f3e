"""What a study is about, fixed when it is created, and the refusal to continue another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gpsearch.errors import StudyMismatchError


@dataclass(frozen=True, kw_only=True)
class StudyInfo:
    """The head of a study."""

    space: Mapping[str, Any]
    """`Space.to_json` of the space."""
    space_fingerprint: str
    """`Space.fingerprint` of the space."""
    objective_fingerprint: str = ""
    """`Objective.fingerprint`: all that decides a score apart from params and seed."""
    seed: int
    """Seed of every random number of the search."""
    description: Mapping[str, Any] = field(default_factory=dict)
    """`Objective.describe`: facts for the report."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the search that decide its course: strategy, n_initial_points, n_calls."""
    created: float
    """Seconds since 1970."""
    version: str
    """The version of gpsearch that created the study."""


def refuse_other(path: str, recorded: StudyInfo, wanted: StudyInfo) -> None:
    """Raise when the search `wanted` is not the one that the study at `path` recorded.

    Raises
    ------
    StudyMismatchError
        Another space, objective, seed or strategy; the message says what differs.
    """
    if differs := what_differs(recorded, wanted):
        which = "space" if recorded.space_fingerprint != wanted.space_fingerprint else "objective"
        raise StudyMismatchError(
            f"{path} holds a search of {differs}, so its scores cannot be compared; give this "
            f"search a study of its own, or the {which} of the study"
        )
    if recorded.seed != wanted.seed:
        raise StudyMismatchError(
            f"{path} was searched with random_state={recorded.seed}, not {wanted.seed}; leave "
            "random_state out to continue it, or give this search a study of its own"
        )
    for name, value in wanted.settings.items():
        if name in recorded.settings and recorded.settings[name] != value:
            raise StudyMismatchError(
                f"{path} was searched with {name}={recorded.settings[name]!r}, not {value!r}; "
                "continue it with its own setting, or give this search a study of its own"
            )


def what_differs(
    one: StudyInfo, other: StudyInfo, names: tuple[str, str] = ("the study", "the search")
) -> str:
    """What keeps the scores of two searches from being compared, in words; "" if nothing.

    `names` says what the two are called.
    """
    if one.space_fingerprint != other.space_fingerprint:
        return f"another space ({_space_difference(one, other, *names)})"
    if one.objective_fingerprint != other.objective_fingerprint:
        return f"another objective ({_objective_difference(one, other, *names)})"
    return ""


def _space_difference(one: StudyInfo, other: StudyInfo, its_name: str, other_name: str) -> str:
    theirs, ours = (
        {entry.get("name", i): entry for i, entry in enumerate(info.space.get("dimensions", []))}
        for info in (one, other)
    )
    differences = [f"{name} only in {its_name}" for name in theirs if name not in ours]
    differences += [f"{name} not in {its_name}" for name in ours if name not in theirs]
    differences += [
        f"{name}: {_bare(theirs[name])} in {its_name}, {_bare(ours[name])} in {other_name}"
        for name in theirs
        if name in ours and theirs[name] != ours[name]
    ]
    if not differences and list(theirs) != list(ours):
        differences = ["the dimensions stand in another order"]
    differences += [
        f"{part}: {one.space.get(part)!r} in {its_name}, {other.space.get(part)!r} in {other_name}"
        for part in other.space
        if part != "dimensions" and one.space.get(part) != other.space.get(part)
    ]
    return "; ".join(differences) or "their fingerprints differ"


def _bare(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "name"}


def _objective_difference(one: StudyInfo, other: StudyInfo, its_name: str, other_name: str) -> str:
    theirs, ours = one.description, other.description
    differences = [
        f"{name}: {theirs.get(name)!r} in {its_name}, {ours.get(name)!r} in {other_name}"
        for name in {**theirs, **ours}
        if theirs.get(name) != ours.get(name) and name != "versions"
    ]
    return "; ".join(differences) or "the source of its function, its data or its settings changed"
