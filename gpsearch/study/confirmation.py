"""The end of a search as the study records it: the winner, and what it is worth.

A value without arithmetic: `gpsearch.execution.contest` makes it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from gpsearch.described import counted, number, number_beside
from gpsearch.evaluation import as_user_value

CONFIRMATION = "confirmation"  # its name in the head of the study
LEVEL = 0.9  # probability of the intervals
ROUNDING = 1e-9  # share of a score, below which a difference is what rounding leaves


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """The winner of a search, scored again on fresh splits; scores are greater when better.

    The intervals are over new rows of the same kind, over splits and over seeds: what models
    trained on as many rows as those of a fold score on average. They take the configurations that
    were tried as they are, and say nothing of rows of another kind.
    """

    trials: int
    """Trials of the study when it was made: it no longer holds when more have ended."""
    off: str = ""
    """Why nothing was scored on fresh splits, or none of it counts, as a sentence; else empty."""
    corrected: bool = True
    """Whether the luck of the rows is subtracted; not where folds share rows they score."""
    winner: int | None = None
    """Number of the trial with the greatest expected score; None where nothing was estimated."""
    probability: float = 0.0
    """Probability that no other trial has a greater expected score."""
    expected: float = 0.0
    """Score to expect of the winner on new data."""
    low: float = 0.0
    """Lower end of its interval of 90 %."""
    high: float = 0.0
    """Upper end."""
    favourite: int = 0
    """Number of the trial with the greatest score in the search."""
    searched: float = 0.0
    """That score."""
    luck: float = 0.0
    """By how much it is greater than the score to expect of that trial on new data; NaN where a
    training of it failed on the fresh splits."""
    contenders: tuple[int, ...] = ()
    """Numbers of the trials that were scored on fresh splits, in this order."""
    compared: int = 0
    """Complete trials of which the winner is one; those with a given score do not count."""
    tied: tuple[int, ...] = ()
    """Those that cannot be told from the winner."""
    folds: int = 0
    """Folds of fresh splits that were scored."""
    void: int = 0
    """Fresh splits that do not count, for all trials failed on them."""
    cut: bool = False
    """Whether the time of the search was over before all was scored again that was to be."""
    baseline: int | None = None
    """Number of the trial of ``baseline=``; None without one."""
    gain: float = 0.0
    """By how much the winner is expected to score better than the baseline; NaN where that was not
    scored."""
    gain_off: str = ""
    """Why there is no gain: what became of the baseline."""
    gain_low: float = 0.0
    """Lower end of its interval of 90 %."""
    gain_high: float = 0.0
    """Upper end."""
    more_folds: int | None = None
    """Further folds for each of the two after which that interval no longer holds 0, if the gain
    is as estimated; 0 where it does not now, None where no number of folds suffices."""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`."""
        known: dict[str, Any] = {f.name: stored[f.name] for f in fields(cls) if f.name in stored}
        known |= {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
        unknown = {name: math.nan for name in ("gain", "luck") if known.get(name, 0.0) is None}
        return cls(**known | unknown)

    def to_json(self) -> dict[str, Any]:
        """What the study stores; JSON knows no NaN, for which None stands."""
        numbers = {"gain": self.gain, "luck": self.luck}
        return vars(self) | {n: None if math.isnan(x) else x for n, x in numbers.items()}

    def sentences(self, *, greater_is_better: bool = True) -> list[str]:
        """The end of the search in words, in the user's units."""
        if self.winner is None:
            return [self.off]
        value = lambda score: as_user_value(score, greater_is_better) + 0.0  # noqa: E731
        ends = sorted((value(self.low), value(self.high)))
        within = f"{LEVEL:.0%} interval {number(ends[0], 4)} to {number(ends[1], 4)}"
        if math.isclose(*ends):
            within = "no interval: it scored the same on every fold"
        lines = [
            f"Trial {self.winner} scores {number(value(self.expected), 4)} on new data by estimate "
            f"({within}); it is the best of the {self.compared or self.trials} complete trials "
            f"with probability {self.probability:.0%}"
            + (f", {_together(self.tied)}." if self.tied else "."),
            f"The search's best score, {number(value(self.searched), 4)} of trial "
            f"{self.favourite}, " + self._of_luck(),
        ]
        if self.baseline is not None:
            lines.append(self._against_baseline())
        n = len(self.contenders)
        scored = f"{counted(n, 'trial')} scored again on fresh splits, {self.folds} folds"
        if self.void:
            scored += f"; {self.void} of the splits did not count, for all trials failed there"
        if not n:
            why = "the time was over" if self.cut else "a trial takes more than the share for it"
            scored = f"No trial was scored again: {why}"
        elif self.cut:
            scored += "; the time was over before more were"
        elif self.tied:
            scored += "; more would hardly tell which is the best"
        return [*lines, self.off or f"{scored}."]

    def _of_luck(self) -> str:
        if math.isnan(self.luck):
            return "cannot be judged: a training of it failed on the fresh splits."
        some = self.luck > ROUNDING * abs(self.searched)
        luck = number_beside(self.luck, self.searched, digits=4)
        if not self.corrected:
            part = f"was {luck} luck of the splits, and " if some else ""
            return f"{part}may hold luck of the rows, not known where folds share the rows scored."
        if some:
            return f"was {luck} luck."
        return "was not luck." if self.contenders else "shows no luck, by the search's folds alone."

    def _against_baseline(self) -> str:
        named = f"the baseline, trial {self.baseline}"
        if self.winner == self.baseline:
            return f"No other trial is expected to be better than {named}."
        if math.isnan(self.gain):
            return f"It cannot be compared with {named}, which {self.gain_off or 'failed'}."
        largest = max(abs(self.gain_low), abs(self.gain_high))
        low, high = (number_beside(end, largest) for end in (self.gain_low, self.gain_high))
        within = f"{LEVEL:.0%} interval {low} to {high}"
        if math.isclose(self.gain_low, self.gain_high):
            if self.baseline in self.tied:
                return f"It is tied with {named}: both scored the same on every fold."
            within = "no interval: the same on every fold"
        is_rounding = abs(self.gain) <= ROUNDING * abs(self.searched)
        gained = f"{'0' if is_rounding else number_beside(self.gain, largest)} ({within})"
        if self.gain_low > 0:
            return f"It is better than {named}, by {gained}."
        if self.gain_high < 0:
            return f"It is not better than {named}, by estimate: by {gained}."
        needed = (
            "more folds of these rows would not tell, more rows may"
            if self.more_folds is None
            else f"about {self.more_folds} more folds of each would tell"
        )
        return f"Whether it is better than {named}, cannot be told: by {gained}; {needed}."


def _together(tied: tuple[int, ...]) -> str:
    named = f"trial{'s' * (len(tied) > 1)} {', '.join(map(str, tied[:10]))}"
    if len(tied) > 10:
        named += f" and {len(tied) - 10} more"
    return f"and {named} cannot be told from it"
