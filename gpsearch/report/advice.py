"""What to try next: the conclusions an experienced reader would draw from a study."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gpsearch.plotting.data import ended_trials
from gpsearch.plotting.dependence import PartialDependenceSeries
from gpsearch.plotting.text import number
from gpsearch.report.content import Result
from gpsearch.space import Real
from gpsearch.study import Study

AT_BOUND = 0.05  # share of the axis within which the best is said to lie at its bound
FAILED_SHARE = 0.1  # of the trials, from which failures are a finding
MATTERS = 0.2  # influence, as a share of the largest, from which a bound is worth a word
UNIMPORTANT = 0.05  # influence, as a share of the largest, below which a dimension did not matter
ENOUGH_PER_DIMENSION = 5  # trials for each dimension, below which the curves are guesses
WIDE = 1000.0  # high / low from which a linear axis hides the small values
LATE_SHARE = 0.2  # of the trials; an improvement among these last ones means "not done yet"


def advise(
    study: Study, result: Result | None, curves: Mapping[str, PartialDependenceSeries]
) -> list[str]:
    """Sentences on what to change or try, most telling first; none where nothing stands out.

    Parameters
    ----------
    study : Study
    result : Result or None
        The best trial.
    curves : dict of str to PartialDependenceSeries
        Of every dimension, or empty where too few trials are complete.
    """
    advice = _failures(study)
    if result is None:
        return advice
    best = study.best_trial
    most = max((curve.influence for curve in curves.values()), default=0.0)
    for name, curve in curves.items():
        if curve.influence < MATTERS * most:
            continue
        if (bound := _at_bound(curve, best.params.get(name))) is not None:
            advice.append(
                f"The best {name} lies at its {bound} bound ({number(_end(curve, bound))}): if it "
                "can go further, widen the space there."
            )
    advice += _scales(study)
    ended = len(ended_trials(study))
    few = ended < ENOUGH_PER_DIMENSION * len(study.space)
    if few:
        advice.append(
            f"{ended} trials in {len(study.space)} dimensions are few: take the partial "
            "dependence as a first impression."
        )
    elif curves and (idle := _unimportant(curves)):
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
    ended = ended_trials(study)
    failed = [trial for trial in ended if trial.state == "failed"]
    if not failed or len(failed) < FAILED_SHARE * len(ended):
        return []
    reasons = [trial.reason for trial in failed]
    most = max(set(reasons), key=lambda reason: (reasons.count(reason), reason))
    return [
        f"{len(failed)} of {len(ended)} trials failed, most often with “{most}”: leave out the "
        "values that cause it, or exclude them with a constraint."
    ]


def _at_bound(curve: PartialDependenceSeries, value: object) -> str | None:
    """The bound, lower or upper, beyond which both the best trial and the curve point."""
    axis = curve.axis
    if value is None or axis.kind == "categorical" or curve.all_equal:
        return None
    place = float(value)  # type: ignore[arg-type]
    low, high = axis.low, axis.high
    if axis.log:
        place, low, high = np.log([place, low, high])
    place = (place - low) / (high - low)
    better = curve.mean if curve.greater_is_better else -curve.mean
    if np.isnan(better).all():
        return None
    top = int(np.nanargmax(better))
    if place <= AT_BOUND and top == 0:
        return "lower"
    return "upper" if place >= 1 - AT_BOUND and top == len(better) - 1 else None


def _end(curve: PartialDependenceSeries, bound: str) -> float:
    return curve.axis.low if bound == "lower" else curve.axis.high


def _scales(study: Study) -> list[str]:
    return [
        f"{dimension.name} runs from {number(dimension.low)} to {number(dimension.high)} on a "
        "linear scale, which hardly tries small values: give it prior='log-uniform'."
        for dimension in study.space.dimensions
        if isinstance(dimension, Real)
        and dimension.prior == "uniform"
        and dimension.low > 0
        and dimension.high / dimension.low >= WIDE
    ]


def _unimportant(curves: Mapping[str, PartialDependenceSeries]) -> list[str]:
    most = max(curve.influence for curve in curves.values())
    if most == 0 or len(curves) < 2:
        return []
    return [name for name, curve in curves.items() if curve.influence < UNIMPORTANT * most]
