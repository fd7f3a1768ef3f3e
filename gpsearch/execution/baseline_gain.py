"""By how much the winner of a search is better than the baseline, which nobody chose.

With the symbols of `gpsearch.execution.winner` the gain is ``g_i - o / 2`` less ``g`` of the
baseline. Where one of the two was not judged, it is the difference of their means over the search
less o, so that no splits are harder for one than for the other, and o is that of the splits where
that of the rows is not known.
Its interval is that of the winner, with the variance of the differences of their folds for S².
"""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from gpsearch.execution.fresh_scores import JUDGING
from gpsearch.execution.winner import OF_ROWS, Estimate, Standing
from gpsearch.study.trial import Trial


@dataclass(frozen=True)
class Gain:
    """Of the winner over the baseline."""

    value: float
    """What is expected."""
    error: float
    """Half of its interval."""
    more_folds: int | None
    """Further folds of both after which the interval no longer holds 0, if the gain is as
    expected; 0 where it does not now, None where none suffice."""

    @classmethod
    def of(cls, estimate: Estimate, standing: Standing, baseline: int) -> Self:
        """The gain of the winner."""
        winner, scores, k = standing.winner, estimate.scores, estimate.scores.n_folds
        differences, splits = scores.of_search[winner] - scores.of_search[baseline], 1
        value = float(differences.mean()) - (estimate.of_choice or 0.0)
        judging = scores.on(JUDGING)
        if winner in judging and baseline in judging:
            judged = np.subtract(judging[winner], judging[baseline])
            value = float(judged.mean()) - estimate.optimism * OF_ROWS
            differences, splits = np.concatenate([differences, judged]), 2
        variance, n = float(differences.var(ddof=1)), k
        quantile = estimate.quantile(splits)
        error = quantile * math.sqrt(variance * (1 / n + estimate.of_rows))
        more: int | None = 0
        if value <= error:
            left = -estimate.of_rows
            if variance > 0 and value > 0:
                left += (value / quantile) ** 2 / variance
            more = max(k, math.ceil(1 / left) - n) if left > 0 else None
        return cls(value, error, more)


def gain_facts(
    estimate: Estimate, standing: Standing, compared: Trial | None, baseline: int | None
) -> dict[str, Any]:
    """What a `Confirmation` holds of the baseline; `baseline` is its row, where it has one."""
    if compared is None:
        return {}
    if baseline == standing.winner:
        return {"baseline": compared.number}
    if baseline is None or math.isnan(standing.judged[baseline]):
        off = f"was {compared.reason}" if compared.state == "stopped" else "failed"
        off += " on fresh splits" if baseline is not None else ""
        return {"baseline": compared.number, "gain": math.nan, "gain_off": off}
    gain = Gain.of(estimate, standing, baseline)
    return {
        "baseline": compared.number,
        "gain": gain.value,
        "gain_low": gain.value - gain.error,
        "gain_high": gain.value + gain.error,
        "more_folds": gain.more_folds,
    }
