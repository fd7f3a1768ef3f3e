"""What to try next: the conclusions an experienced reader would draw from a study."""

from __future__ import annotations

import numpy as np

from gpsearch.evaluation import as_user_value
from gpsearch.plotting.dependence import PartialDependenceSeries
from gpsearch.plotting.text import number
from gpsearch.report.content import Result
from gpsearch.report.findings import Findings
from gpsearch.space import Real
from gpsearch.space.classic_order import classic_tier
from gpsearch.study import Study

AT_BOUND = 0.05  # share of the axis within which the best is said to lie at its bound
FAILED_SHARE = 0.1  # of the trials, from which failures are a finding
TOP_SHARE = 0.2  # of the trials: the best, of which most must lie at a bound to point beyond it
ENOUGH_PER_DIMENSION = 5  # trials for each dimension, below which the curves are guesses
WIDE = 1000.0  # high / low from which a linear axis hides the small values
WIDE_RATE = 10.0  # the same for a learning rate, which is always searched by its magnitude
LATE_SHARE = 0.2  # of the trials; an improvement among these last ones means "not done yet"


def advise(study: Study, result: Result | None, findings: Findings) -> list[str]:
    """Sentences on what to change or try, most telling first; none where nothing stands out.

    Parameters
    ----------
    study : Study
    result : Result or None
        The best trial.
    findings : Findings
        Empty where too few trials are complete.
    """
    advice = _failures(study)
    if result is None:
        return advice
    best, curves = study.best_trial, findings.curves
    idle = findings.importance.negligible if findings.importance is not None else ()
    for name, curve in curves.items():
        if name not in idle and (bound := _at_bound(study, curve)) is not None:
            advice.append(
                f"The best {name} lies at its {bound} bound ({number(_end(curve, bound))}): if it "
                "can go further, widen the space there."
            )
    advice += _scales(study)
    ended = len(study.ended)
    few = ended < ENOUGH_PER_DIMENSION * len(study.space)
    if few:
        advice.append(
            f"{ended} trials in {len(study.space)} dimensions are few: take the partial "
            "dependence as a first impression."
        )
    elif idle:
        advice.append(
            f"Hardly any effect was seen of {', '.join(idle)}: fix "
            f"{'it' if len(idle) == 1 else 'them'}, and spend the trials elsewhere."
        )
    if ended >= 10 and best.number >= (1 - LATE_SHARE) * ended:
        advice.append(
            f"The best came late (trial {best.number} of {ended}): more trials may find better."
        )
    if result.tied > 1:
        advice.append(
            f"{result.tied} trials lie within one standard error of the difference to the best: "
            "the folds do not tell them apart. Prefer the simplest of them, or score them again "
            "on fresh folds."
        )
    return advice


def _failures(study: Study) -> list[str]:
    ended = study.ended
    failed = [trial for trial in ended if trial.state == "failed"]
    if not failed or len(failed) < FAILED_SHARE * len(ended):
        return []
    reasons = [trial.reason for trial in failed]
    most = max(set(reasons), key=lambda reason: (reasons.count(reason), reason))
    return [
        f"{len(failed)} of {len(ended)} trials failed, most often with “{most}”: leave out the "
        "values that cause it, or exclude them with a constraint."
    ]


def _at_bound(study: Study, curve: PartialDependenceSeries) -> str | None:
    """The bound, lower or upper, at which the best trial lies and beyond which all points.

    What points there is the curve, or most of the best trials: where the search has settled in a
    corner, the average over all the rest of the space says little of it. A lower bound of 0 is none
    to widen: no setting of a training goes below.
    """
    axis = curve.axis
    if axis.kind == "categorical" or curve.all_equal:
        return None
    complete = study.complete
    complete.sort(key=lambda trial: trial.loss)
    top = [t for t in complete[: max(3, round(TOP_SHARE * len(complete)))] if axis.name in t.params]
    if axis.name not in complete[0].params:
        return None
    places = np.array([float(trial.params[axis.name]) for trial in top])
    low, high = axis.low, axis.high
    if axis.log:
        places, low, high = np.log(places), np.log(low), np.log(high)
    places = (places - low) / (high - low)
    # Of two values either is a bound: there, chance alone puts half of the trials at one.
    n_values = study.space.n_values[axis.index]
    most = max(0.5, 2 / n_values if n_values else 0.0)
    better = as_user_value(curve.mean, curve.greater_is_better)
    peak = None if np.isnan(better).all() else int(np.nanargmax(better))
    for bound, at, end in (
        ("lower", places <= AT_BOUND, 0),
        ("upper", places >= 1 - AT_BOUND, len(better) - 1),
    ):
        if bound == "lower" and axis.low == 0.0:
            continue
        if at[0] and (peak == end or (len(top) >= 3 and at.mean() >= most)):
            return bound
    return None


def _end(curve: PartialDependenceSeries, bound: str) -> float:
    return curve.axis.low if bound == "lower" else curve.axis.high


def _scales(study: Study) -> list[str]:
    linear = [
        dimension
        for dimension in study.space.dimensions
        if isinstance(dimension, Real) and dimension.prior == "uniform"
    ]
    told = []
    for dimension in linear:
        ratio = dimension.high / dimension.low if dimension.low > 0 else np.inf
        rate = classic_tier(dimension.name) == 1  # the learning rate
        if (ratio >= WIDE and dimension.low > 0) or (rate and ratio >= WIDE_RATE):
            above = "" if dimension.low > 0 else " and a lower bound above 0"
            told.append(
                f"{dimension.name} runs from {number(dimension.low)} to {number(dimension.high)} "
                "on a linear scale, which hardly tries small values: give it "
                f"prior='log-uniform'{above}."
            )
    return told
