"""Results of the surrogate and of statistics for a study, before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gpsearch.analysis import (
    Importance,
    OneStandardError,
    RandomEstimate,
    estimate_importance,
    estimate_random,
    one_standard_error,
)
from gpsearch.errors import InvalidSearchError, StudyError
from gpsearch.plotting.dependence import PartialDependenceSeries, partial_dependence_series
from gpsearch.plotting.model_averages import ScoreModel, fit_score_model
from gpsearch.study import Study


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Results that need a surrogate; empty where too few trials are complete to fit one."""

    why_none: str = ""
    """Why there are no findings; else empty."""
    model: ScoreModel | None = None
    """The surrogate."""
    curves: Mapping[str, PartialDependenceSeries] = field(default_factory=dict)
    """Partial dependence on every dimension, the most influential first."""
    importance: Importance | None = None
    """How much each dimension mattered; None for a single dimension."""
    random: RandomEstimate | None = None
    """What random search would have found; None where all scores are equal."""
    simplest: OneStandardError | None = None
    """The simplest trial as good as the best; None where simpler is not defined."""


def read_findings(study: Study) -> Findings:
    """Fit the surrogate and derive the findings."""
    try:
        model = fit_score_model(study, "A partial dependence")
    except StudyError as error:
        return Findings(why_none=str(error))
    process = model.process
    return Findings(
        model=model,
        curves=_curves(model),
        importance=estimate_importance(study, process=process) if len(study.space) > 1 else None,
        random=None if model.all_equal else estimate_random(study, process=process),
        simplest=_simplest(study),
    )


def _simplest(study: Study) -> OneStandardError | None:
    if not study.greater_is_better:
        return None  # its sentence holds scores, but the user knows losses
    try:
        return one_standard_error(study)
    except (StudyError, InvalidSearchError):  # a single fold, or no dimension with a simpler end
        return None


def _curves(model: ScoreModel) -> dict[str, PartialDependenceSeries]:
    """The partial dependence on every dimension, the most influential first."""
    curves = [partial_dependence_series(model, name) for name in model.space.names]
    return {s.axis.name: s for s in sorted(curves, key=lambda s: -s.influence)}
