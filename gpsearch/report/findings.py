"""What a study shows: results of the surrogate and of statistics, and what to try next."""

import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gpsearch.analysis import (
    Forecast,
    Importance,
    OneStandardError,
    RandomEstimate,
    estimate_importance,
    estimate_random,
    forecast,
    one_standard_error,
)
from gpsearch.described import counted, digits_within, number
from gpsearch.errors import InvalidSearchError, StudyError
from gpsearch.evaluation import as_user_value
from gpsearch.plotting.axes import fractions
from gpsearch.plotting.dependence import (
    PartialDependenceSeries,
    ScoreModel,
    fit_score_model,
    partial_dependence_series,
)
from gpsearch.report.content import Result
from gpsearch.space import Real
from gpsearch.space.classic_order import classic_tier
from gpsearch.study import Study
from gpsearch.study.contenders import best_first

NEAR_BOUND = 0.05  # share of the axis within which a value lies near its bound
FAILED_SHARE = 0.1  # of the trials, from which failures are mentioned
TOP_SHARE = 0.2  # of the trials: most of these best ones must lie at a bound to point beyond it
ENOUGH_PER_DIMENSION = 5  # trials for each dimension, below which the curves are uncertain
WIDE = 1000.0  # high / low from which a linear scale hardly tries small values
WIDE_RATE = 10.0  # the same for a learning rate, whose magnitude matters
LATE_SHARE = 0.2  # of the trials; a best trial among these last ones suggests more trials


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
    forecast: Forecast | None = None
    """What more trials would bring; None for fewer than ten."""
    simplest: OneStandardError | None = None
    """The simplest trial as good as the best; None where simpler is not defined."""


def read_findings(study: Study) -> Findings:
    """Fit the surrogate and derive the findings."""
    try:
        model = fit_score_model(study, "A partial dependence")
    except StudyError as error:
        return Findings(why_none=str(error))
    process, simplest, ahead, random, importance = model.process, None, None, None, None
    with contextlib.suppress(StudyError):  # too few trials
        ahead = forecast(study, process=process)
    with contextlib.suppress(StudyError):  # equal scores
        random = estimate_random(study, n=max(200, len(study.trials)), process=process)
    if len(study.space) > 1:
        with contextlib.suppress(StudyError):  # scores that cannot be told apart
            importance = estimate_importance(study, process=process)
    curves = [partial_dependence_series(model, name) for name in model.space.names]
    # a single fold, or no dimension with a simpler end
    with contextlib.suppress(StudyError, InvalidSearchError):
        simplest = one_standard_error(study)
    return Findings(
        model=model,
        curves={s.axis.name: s for s in sorted(curves, key=lambda s: -s.influence)},
        importance=importance,
        random=random,
        forecast=ahead,
        simplest=simplest,
    )


def advise(study: Study, result: Result | None, findings: Findings) -> list[str]:
    """Sentences on what to change or try, the most important first."""
    advice = _failures(study)
    if result is None:
        return advice
    idle = findings.importance.negligible if findings.importance else ()
    for name, curve in findings.curves.items():
        if name not in idle and (bound := _at_bound(study, curve)) is not None:
            digits = digits_within(curve.axis.low, curve.axis.high)
            end = number(curve.axis.low if bound == "lower" else curve.axis.high, digits)
            value = number(float(study.best_params[name]), digits)
            where = "lies at" if value == end else f"is {value}, near"
            advice.append(
                f"The best {name} {where} its {bound} bound ({end}): if it can go further, widen "
                "the space there; the command gpsearch widen keeps the trials."
            )
    advice += _scales(study)
    ended, d = len(study.ended), len(study.space)
    if findings.curves and ended < ENOUGH_PER_DIMENSION * d:
        advice.append(
            f"Few trials for {counted(d, 'dimension')}, {ended}: take the partial "
            "dependence as a first impression."
        )
    elif idle:
        advice.append(
            f"Hardly any effect was seen of {', '.join(idle)}: fix "
            f"{'it' if len(idle) == 1 else 'them'}, and spend the trials elsewhere."
        )
    if ended >= 10 and result.number >= (1 - LATE_SHARE) * ended:
        advice.append(
            f"The best came late (trial {result.number} of {ended}): more trials may find better."
        )
    if result.contenders > 1 and not result.spread:
        advice.append(f"{result.contenders} trials share the best score: prefer the simplest.")
    elif result.contenders > 1:
        made = study.confirmation
        told = made is not None and (
            made.off or (made.contenders and made.tied)
        )  # more would not tell
        more = "" if told else ", or give fresh splits a greater share (confirm=0.3)"
        advice.append(
            f"{result.contenders} trials lie within one standard error of the best, which is one "
            f"of them. Prefer the simplest{more}."
        )
    return advice


def _failures(study: Study) -> list[str]:
    ended = study.ended
    reasons = Counter(trial.reason for trial in ended if trial.state == "failed")
    n_failed = reasons.total()
    if not n_failed or n_failed < FAILED_SHARE * len(ended):
        return []
    most = max(reasons, key=lambda reason: (reasons[reason], reason))
    if n_failed == len(ended):
        return [
            f"All {n_failed} trials failed, most often with “{most}”: the tracebacks below tell "
            "where."
        ]
    return [
        f"{n_failed} of {len(ended)} trials failed, most often with “{most}”: leave out the "
        "values that cause it, or exclude them with a constraint."
    ]


def _at_bound(study: Study, curve: PartialDependenceSeries) -> str | None:
    """The bound, lower or upper, near which the best trial lies and beyond which it may get better.

    The curve must rise towards it, or most of the best trials lie there. A lower bound of 0 does
    not count: no setting of a training goes below.
    """
    axis, name = curve.axis, curve.axis.name
    complete = best_first(study.trials, study.best_trial)
    if axis.kind == "categorical" or curve.all_equal or name not in complete[0].params:
        return None
    top = complete[: max(3, round(TOP_SHARE * len(complete)))]
    values = np.array([float(t.params[name]) for t in top if name in t.params])
    places = fractions(axis, values)
    # With two values, each is a bound, and chance alone puts half of the trials there.
    n_values = study.space.n_values[axis.index]
    most = max(0.5, 2 / n_values if n_values else 0.0)
    better = as_user_value(curve.mean, curve.greater_is_better)
    peak = None if np.isnan(better).all() else int(np.nanargmax(better))
    for bound, at, end in (
        ("lower", places <= NEAR_BOUND, 0),
        ("upper", places >= 1 - NEAR_BOUND, len(better) - 1),
    ):
        if bound == "lower" and axis.low == 0.0:
            continue
        if at[0] and (peak == end or (len(places) >= 3 and at.mean() >= most)):
            return bound
    return None


def _scales(study: Study) -> list[str]:
    sentences = []
    for dimension in study.space.dimensions:
        if not isinstance(dimension, Real) or dimension.prior != "uniform":
            continue
        ratio = dimension.high / dimension.low if dimension.low > 0 else np.inf
        rate = classic_tier(dimension.name) == 1  # the learning rate
        if (ratio >= WIDE and dimension.low > 0) or (rate and ratio >= WIDE_RATE):
            above = "" if dimension.low > 0 else " and a lower bound above 0"
            sentences.append(
                f"{dimension.name} runs from {number(dimension.low)} to {number(dimension.high)} "
                "on a linear scale, which hardly tries small values: give it "
                f"prior='log-uniform'{above}."
            )
    return sentences
