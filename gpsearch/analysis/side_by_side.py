"""Several studies side by side: which of their scores can be compared, and in what they differ.

========= ======================================================================
facet     what it holds
========= ======================================================================
data      X, y and the weights of rows
folds     which rows are trained on, and which are scored
metric    what a score is
objective all of these, where an objective does not tell them apart, as a function
model     the function that builds it, or the estimator
training  all else that decides a score: epochs, preprocessing, callbacks
space     dimensions, conditions, constraint and fixed values
strategy  what proposed the trials
seed      of the search
========= ======================================================================

Scores are compared where data, folds, metric and objective are the same, by the identities that
the studies recorded, whatever the model and the space.
"""

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gpsearch.arguments import refusal
from gpsearch.errors import InvalidSearchError
from gpsearch.study import Study, require_study
from gpsearch.study.info import StudyInfo

PARTS = {
    "data": ("X", "y", "sample_weight"),
    "folds": ("folds",),
    "metric": ("scoring", "score_params"),
    "model": ("model function", "estimator"),
}
"""Parts of an objective's identity by facet; the others are its training."""
COMPARED = ("data", "folds", "metric", "objective")
TOLD = ("kind", "name", "data", "target", "classes", "cv", "n_folds", "scoring", "metrics")
APART = ("score_name", "versions", "identity", "data_fingerprint", "greater_is_better", "estimator")
"""Facts of a description that another facet tells, or none."""


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """Several studies, and what tells them apart."""

    studies: tuple[Study, ...]
    """As they were given."""
    names: tuple[str, ...]
    """A name of its own for each: of its file, or of its objective."""
    groups: tuple[tuple[int, ...], ...]
    """Places of the studies whose scores can be compared with each other."""
    differing: dict[str, tuple[str, ...]]
    """What each study has, for each facet in which two of them differ."""
    same: tuple[str, ...]
    """Facets in which all are the same."""

    def differing_within(self, group: Iterable[int]) -> list[str]:
        """Facets in which the studies of a group differ."""
        rows = list(group)
        return [f for f, told in self.differing.items() if len({told[i] for i in rows}) > 1]


def side_by_side(studies: Sequence[Study]) -> SideBySide:
    """Compare the identities of several studies."""
    if not isinstance(studies, Sequence) or not studies:
        raise refusal(InvalidSearchError, "study", studies, "a Study, or a list of these")
    for study in studies:
        require_study(study)
    facets = [_facets(study) for study in studies]
    keys = [tuple(of.get(facet) for facet in COMPARED) for of in facets]
    groups = [tuple(i for i, key in enumerate(keys) if key == own) for own in dict.fromkeys(keys)]
    order = [*COMPARED, "model", "training", "space", "strategy", "seed"]
    known = [facet for facet in order if any(facet in of for of in facets)]
    differ = [f for f in known if len({of.get(f) for of in facets}) > 1]
    return SideBySide(
        studies=tuple(studies),
        names=_names(studies),
        groups=tuple(groups),
        differing={f: _told(f, studies, [of.get(f) for of in facets]) for f in differ},
        same=tuple(f for f in known if f not in differ),
    )


def _facets(study: Study) -> dict[str, Hashable]:
    """What identifies each facet."""
    info = study.info
    parts = info.description.get("identity", {}).get("parts", {})
    found: dict[str, Hashable] = {
        "space": info.space_fingerprint,
        "strategy": str(info.settings.get("strategy", "")),
        "seed": study.seed,
    }
    if "scoring" not in {name.partition(":")[0] for name in parts}:
        unit = study.score_name, study.greater_is_better
        return {**found, "objective": (info.objective_fingerprint, unit)}
    by_facet: dict[str, list[Any]] = {facet: [] for facet in (*PARTS, "training")}
    for name, digest in sorted(parts.items()):
        head = name.partition(":")[0]
        facet = next((f for f, heads in PARTS.items() if head in heads), "training")
        by_facet[facet].append((name, digest))
    by_facet["metric"].append(study.greater_is_better)
    return found | {facet: tuple(of) for facet, of in by_facet.items()}


def _told(facet: str, studies: Sequence[Study], keys: list[Hashable]) -> tuple[str, ...]:
    """A text for each study: equal where the facet is, else not."""
    infos = [study.info for study in studies]
    texts = _spaces(infos) if facet == "space" else [_text(facet, s) for s in studies]
    kinds = {key: text for key, text in zip(keys, texts, strict=True)}
    shared = Counter(kinds.values())
    places = {key: i for i, key in enumerate(kinds)}
    return tuple(
        f"{text} ({chr(ord('A') + places[key] % 26)})".strip() if shared[text] > 1 else text
        for key, text in zip(keys, texts, strict=True)
    )


def _text(facet: str, study: Study) -> str:
    info, facts = study.info, study.info.description
    if facet == "data":
        shapes = facts.get("data")
        named = shapes.items() if isinstance(shapes, dict) else [("X", shapes)]
        target = facts.get("target")
        return ", ".join(f"{n} {s}" for n, s in named) + (f", {target} target" if target else "")
    if facet == "folds":
        return f"{facts.get('n_folds')} folds, cv={facts.get('cv')}"
    if facet == "metric":
        return study.score_name
    if facet in ("model", "objective"):
        return str(facts.get("name") or "another kind")
    if facet == "strategy":
        return str(info.settings.get("strategy", ""))
    if facet == "seed":
        return str(study.seed)
    shown = {n: v for n, v in facts.items() if n not in (*TOLD, *APART) and v not in (None, [], {})}
    return ", ".join(f"{name}={value}" for name, value in shown.items())


def _spaces(infos: Sequence[StudyInfo]) -> list[str]:
    """Of each space the dimensions that are not the same in all, and whatever else differs."""
    entries = [
        {entry["name"]: entry for entry in info.space["dimensions"]}
        | {name: {"fixed": value} for name, value in info.space["fixed"].items()}
        for info in infos
    ]
    names = dict.fromkeys(name for of in entries for name in of)
    differ = [n for n in names if len({json.dumps(of.get(n)) for of in entries}) > 1]
    return [", ".join(_dimension(name, of.get(name)) for name in differ) for of in entries]


def _dimension(name: str, entry: dict[str, Any] | None) -> str:
    if entry is None:
        return f"no {name}"
    if "fixed" in entry:
        return f"{name} fixed at {entry['fixed']}"
    if "categories" in entry:
        return f"{name} of {', '.join(map(str, entry['categories']))}"
    log = " (log)" if entry.get("prior") == "log-uniform" else ""
    return f"{name} {entry['low']:g} to {entry['high']:g}{log}"


def _names(studies: Sequence[Study]) -> tuple[str, ...]:
    """The names of files; longer ones where two are the same."""
    short = [s.path.stem if s.path else s.info.description.get("name") or "study" for s in studies]
    twice = {name for name, n in Counter(short).items() if n > 1}
    names = [
        str(s.path) if name in twice and s.path else str(name)
        for name, s in zip(short, studies, strict=True)
    ]
    counts = Counter(names)
    return tuple(f"{n} ({i})" if counts[n] > 1 else n for i, n in enumerate(names, start=1))
