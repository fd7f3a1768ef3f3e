"""What a study is about, fixed when it is created, and the refusal to continue another."""

from __future__ import annotations

import dataclasses
import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from gpsearch.described import digits_within
from gpsearch.errors import StudyMismatchError
from gpsearch.evaluation import UNBOUNDED
from gpsearch.identity import SCHEME, changed_parts, same_source
from gpsearch.stored_values import canonical_json
from gpsearch.study.encoding import dump
from gpsearch.version import __version__

if TYPE_CHECKING:
    from gpsearch.space import Space

logger = logging.getLogger("gpsearch")

NOT_COMPARED = ("score_name", "versions", "identity", "data_fingerprint")
"""Facts of a description that differ between searches with comparable scores."""


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

    @classmethod
    def of(
        cls,
        *,
        space: Space,
        seed: int,
        objective_fingerprint: str,
        description: Mapping[str, Any],
        settings: Mapping[str, Any],
    ) -> StudyInfo:
        """The head of a study of this search, begun now, as a file gives it back."""
        return cls(
            space=_as_stored(space.to_json()),
            space_fingerprint=space.fingerprint(),
            objective_fingerprint=objective_fingerprint,
            seed=seed,
            description=_as_stored(description),
            settings=_as_stored(settings),
            created=time.time(),
            version=__version__,
        )

    @property
    def score_bounds(self) -> tuple[float, float]:
        """Least and greatest score of the metric; infinite where they are not recorded."""
        recorded = self.settings.get("score_bounds") or UNBOUNDED
        low, high = (
            kept if end is None else end for end, kept in zip(recorded, UNBOUNDED, strict=True)
        )
        return low, high

    @classmethod
    def from_head(cls, head: Mapping[str, Any]) -> StudyInfo:
        """The head of a study as its file holds it; KeyError where a fact is missing."""
        return cls(**{fact.name: head[fact.name] for fact in fields(cls)})


def digits_of(info: StudyInfo) -> dict[str, int]:
    """Digits that the values of each dimension need, by its name."""
    return {
        entry["name"]: digits_within(entry["low"], entry["high"]) if "low" in entry else 3
        for entry in info.space["dimensions"]
    }


def refuse_other(path: str, recorded: StudyInfo, wanted: StudyInfo) -> None:
    """Raise when the search `wanted` is not the one that the study at `path` recorded."""
    if differs := what_differs(recorded, wanted):
        which = "objective" if same_space(recorded, wanted) else "space"
        wider = which == "space" and same_objective(recorded, wanted)
        keep = "; `gpsearch widen` keeps its trials in a space that holds them all" if wider else ""
        raise StudyMismatchError(
            f"{path} holds a search of {differs}, so its scores cannot be compared; give this "
            f"search a study of its own, or the {which} of the study{keep}"
        )
    warn_if_earlier(path, recorded, wanted)
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


def space_difference(recorded: StudyInfo, space: Space) -> str:
    """How `space` differs from the recorded one, its constraint aside, in words; "" if nowhere."""
    given = dataclasses.replace(recorded, space=_as_stored(space.to_json()))
    if _typed(canonical_json(recorded.space)) == _typed(canonical_json(given.space)):
        return ""
    return _space_difference(recorded, given, "space=")


def what_differs(one: StudyInfo, other: StudyInfo) -> str:
    """What keeps a study and a search from being compared, in words; "" if nothing."""
    if not same_space(one, other):
        return f"another space ({_space_difference(one, other, 'the search')})"
    if not same_objective(one, other):
        return f"another objective ({_objective_difference(one, other)})"
    return ""


def same_objective(one: StudyInfo, other: StudyInfo) -> bool:
    """Whether two objectives are the same, as far as both records can show."""
    if _is_earlier(one, other):
        return not _differing_facts(one, other)
    return one.objective_fingerprint == other.objective_fingerprint


def warn_if_earlier(path: str, recorded: StudyInfo, wanted: StudyInfo) -> None:
    """Warn that functions and data were not compared, where the study is of an earlier gpsearch."""
    if _is_earlier(recorded, wanted):
        logger.warning(
            "%s was made by an earlier gpsearch: its description is the same; whether its "
            "functions and data are cannot be checked",
            path,
        )


def say_unidentified(path: str, description: Mapping[str, Any]) -> None:
    """Warn of the parts of an objective that are identified by their class alone."""
    if names := description.get("identity", {}).get("unidentified"):
        logger.warning(
            "%s: parts of the objective cannot be identified: %s. When the study is continued, a "
            "change there is not noticed.",
            path,
            "; ".join(names),
        )


def same_space(one: StudyInfo, other: StudyInfo) -> bool:
    """Whether two spaces are the same, as far as both records can show."""
    prints = one.space_fingerprint, other.space_fingerprint
    if len(set(prints)) == 1 or all(print_.startswith(SCHEME) for print_ in prints):
        return len(set(prints)) == 1
    sources = one.space.get("constraint"), other.space.get("constraint")
    return canonical_json(one.space) == canonical_json(other.space) and same_source(*sources)


def _is_earlier(one: StudyInfo, other: StudyInfo) -> bool:
    """Whether one of two objectives was identified by the rules before `SCHEME`."""
    prints = one.objective_fingerprint, other.objective_fingerprint
    return any(print_.startswith(SCHEME) for print_ in prints) and any(
        re.fullmatch("[0-9a-f]{64}", print_) for print_ in prints
    )


def _space_difference(one: StudyInfo, other: StudyInfo, other_name: str) -> str:
    theirs, ours = (
        {entry.get("name", i): entry for i, entry in enumerate(info.space.get("dimensions", []))}
        for info in (one, other)
    )
    differences = [f"{name} only in the study" for name in theirs if name not in ours]
    differences += [f"{name} not in the study" for name in ours if name not in theirs]
    differences += [
        f"{name}: {_bare(theirs[name])} in the study, {_bare(ours[name])} in {other_name}"
        for name in theirs
        if name in ours and _typed(theirs[name]) != _typed(ours[name])
    ]
    if not differences and list(theirs) != list(ours):
        differences = ["the dimensions stand in another order"]
    differences += [
        f"{part}: {one.space.get(part)!r} in the study, {other.space.get(part)!r} in {other_name}"
        for part in other.space
        if part != "dimensions" and _typed(one.space.get(part)) != _typed(other.space.get(part))
    ]
    return "; ".join(differences) or "their fingerprints differ"


def _typed(stored: Any) -> str:
    return json.dumps(stored, sort_keys=True)  # 1 == 1.0 == True, and they are different values


def _bare(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "name"}


def _objective_difference(one: StudyInfo, other: StudyInfo) -> str:
    theirs, ours = one.description, other.description
    differences = _differing_facts(one, other)
    recorded, wanted = theirs.get("identity"), ours.get("identity")
    if recorded and wanted and (changed := changed_parts(recorded, wanted)):
        differences.append(f"changed: {', '.join(changed)}")
    return "; ".join(differences) or "the source of its function, its data or its settings changed"


def _differing_facts(one: StudyInfo, other: StudyInfo) -> list[str]:
    theirs, ours = one.description, other.description
    return [
        f"{name}: {theirs.get(name)!r} in the study, {ours.get(name)!r} in the search"
        for name in {**theirs, **ours}
        if name not in NOT_COMPARED
        and _without_addresses(theirs.get(name)) != _without_addresses(ours.get(name))
    ]


def _without_addresses(fact: Any) -> Any:
    return re.sub(" at 0x[0-9a-f]+", "", fact) if isinstance(fact, str) else fact


def _as_stored(value: Mapping[str, Any]) -> dict[str, Any]:
    return dict(json.loads(dump(value)))
