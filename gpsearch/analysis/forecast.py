"""What more trials would bring: the search played on, many times, within its own surrogate.

=========== ================================================================ ===============
symbol      meaning                                                          shape
=========== ================================================================ ===============
Z           the n evaluated places, and then c candidates                    (n + c, d)
m, C        posterior mean and covariance of the warped loss at Z            (n + c,), square
u_t         what step t of a play takes from C, which becomes C - u_t u_t^T  (S, n + c)
b           variance of an evaluation around the loss                        scalar
y           warped loss that a step draws at its place x                     (S,)
=========== ================================================================ ===============

A step of a play takes the candidate of greatest expected improvement, draws its evaluation from
the play's own posterior, and conditions on it,

    u_t = C_t[:, x] / sqrt(C_t[x, x] + b),   m <- m + u_t (y - m[x]) / sqrt(C_t[x, x] + b),

so that the evaluations of a play are those of one function that is drawn from the posterior. Where
evaluations failed, the candidates are those that are likely to succeed, by the strategy's model.

The plays know the surrogate's hyperparameters for sure, and have no better place than the
candidates: their gains are corrected by `EXPECTED` and `GREATEST`, which were chosen on eight tasks
and judged on seven others (``benchmarks/forecast.py``). No part of the gain was sure: the interval
begins at 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from gpsearch.acquisition.maximisation import small_moves
from gpsearch.analysis.posterior import (
    fitted_process,
    given_process,
    joint_posterior,
    lacks_constraint,
    require_difference,
    unwarp,
)
from gpsearch.arguments import is_whole, refusal
from gpsearch.described import counted, number, number_beside
from gpsearch.errors import InvalidSearchError, StudyError, public
from gpsearch.evaluation import holding_bounds
from gpsearch.space import Space
from gpsearch.strategy import History
from gpsearch.strategy.history import study_history
from gpsearch.study import Study, require_study
from gpsearch.study.contenders import best_first
from gpsearch.surrogate import FeasibilityModel, GaussianProcess

Array = NDArray[np.float64]

N_MORE = (10, 20, 50)
MOST = 100  # of what was measured, twice
LEAST = 10  # trials from which the forecast was measured
EXPECTED = (0.44, 0.64, 0.72)
"""Of the mean gain of the plays after `N_MORE` trials, what came in the median."""
GREATEST = (1.65, 2.4, 3.4)
"""Of the 95 % quantile of their gains, what came at most in 95 % of the searches."""
N_PLAYS = 128
DRAWN, MOVED = 300, 300  # candidates: anywhere, and around the best points
STREAM = 2  # keeps these random numbers apart from those of the strategy
LEAST_VARIANCE = 1e-12
LIKELY = 1 / 3  # probability of success from which a place is a candidate; 1/2 held too little


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What more trials would add to the best score, estimated from one search."""

    n_more: tuple[int, ...]
    """Numbers of further trials."""
    gain: tuple[float, ...]
    """Expected gain of each, in the user's unit; a gain is positive, of a loss too."""
    high: tuple[float, ...]
    """Upper end of its 90 % interval, which begins at 0."""
    improved: bool
    """False where a model has proposed, and the best is one of the points laid out before it."""
    strategy: str = "gp"
    """What made the study; the trials that are forecast are always those of "gp"."""

    def __str__(self) -> str:
        least = min(self.high)  # else a greater gain may be rounded to a smaller one
        several = [
            f"{counted(n, 'more trial')} {number_beside(gain, least)} (0 to {number(high, 2)})"
            for n, gain, high in zip(self.n_more, self.gain, self.high, strict=True)
        ]
        other = "" if self.strategy == "gp" else " by the strategy gp"
        sentence = f"Expected gains{other} (90% intervals): {', '.join(several)}."
        if self.improved:
            return sentence
        return f"The model has not improved on the best of the first points. {sentence}"


@public()
def forecast(
    study: Study,
    n_more: int | Sequence[int] | NDArray[np.integer[Any]] | None = None,
    *,
    process: GaussianProcess | None = None,
) -> Forecast:
    """Forecast by how much the best score of a search would grow with more trials.

    The trials are those that the strategy "gp" would propose, whatever made the study. On searches
    of tasks that had no part in its making, the 90 % intervals held 90 to 93 % of the gains
    (``benchmarks/forecast.py``). Where trials failed, it is less certain.

    Parameters
    ----------
    study : Study
    n_more : int, or list or array of int, optional
        Numbers of further trials; by default 10, 20 and 50, between which it was measured.
    process : GaussianProcess, optional
        The surrogate of these trials, where it is fitted already.

    Raises
    ------
    StudyError
        Fewer than ten trials have ended, fewer than two are complete, all scores are equal, or the
        space has a constraint, which a study opened without ``space`` does not know.
    InvalidSearchError
        A number of trials is not a whole number from 1 to 100.

    Examples
    --------
    >>> import gpsearch as gs
    >>> study = gs.search(lambda params: -(params["x"] - 0.3) ** 2, {"x": (0.0, 1.0)}, n_calls=12,
    ...                   random_state=0, progress=False)
    >>> study.forecast(20).high[0] < 0.01
    True
    """
    given_process(process)
    ahead = list(N_MORE) if n_more is None else _read_numbers(n_more)
    if len(require_study(study).ended) < LEAST:
        raise StudyError(
            f"forecast needs at least {LEAST} trials that have ended; the study has "
            f"{len(study.ended)}."
        )
    require_difference(study, "forecast")
    if lacks_constraint(study):
        raise StudyError(
            "forecast needs the constraint of the space, which a file does not hold as a function: "
            "pass space= to Study.open."
        )
    gains = played_gains(study, max(ahead), process)[:, np.array(ahead) - 1]
    guided = min((t.number for t in study.ended if t.proposal == "model"), default=-1)
    (best, *_) = best_first(study.complete)  # the winner of a confirmation may have less
    at = np.log(ahead), np.log(N_MORE)
    expected = np.interp(*at, EXPECTED) * gains.mean(axis=0)
    high = np.interp(*at, GREATEST) * np.quantile(gains, 0.95, axis=0)
    bounds = holding_bounds(study.info.score_bounds, [trial.score for trial in study.complete])
    high = np.minimum(high, max(0.0, bounds[1] - best.score))
    return Forecast(
        n_more=tuple(ahead),
        gain=tuple(np.minimum(expected, high).tolist()),
        high=tuple(high.tolist()),
        improved=best.proposal not in ("initial", "random") or best.number > guided,
        strategy=str(study.info.settings.get("strategy", "gp")),
    )


def _read_numbers(n_more: Any) -> list[int]:
    """Numbers of trials: one, or a list or an array of these."""
    given = n_more.tolist() if isinstance(n_more, np.ndarray) else n_more
    listed = isinstance(given, Sequence) and not isinstance(given, str | bytes | bytearray)
    ahead = list(given) if listed else [given]
    if not ahead or not all(is_whole(number) and 1 <= number <= MOST for number in ahead):
        wanted = f"a whole number from 1 to {MOST}, or a list of these"
        raise refusal(InvalidSearchError, "n_more", n_more, wanted)
    return [int(number) for number in ahead]


def played_gains(study: Study, steps: int, process: GaussianProcess | None = None) -> Array:
    """(S, steps) gains of the plays over the best score, after each of their steps."""
    process = fitted_process(study, "forecast", process)
    entropy = np.random.SeedSequence(study.seed, spawn_key=(len(study.ended), STREAM))
    rng = np.random.default_rng(entropy)
    drawn = _play(process, _candidates(process, study.space, study_history(study), rng), steps, rng)
    found = unwarp(process, np.minimum.accumulate(drawn, axis=1))
    return np.maximum(min(trial.loss for trial in study.complete) - found, 0.0)


def _play(
    process: GaussianProcess, candidates: Array, steps: int, rng: np.random.Generator
) -> Array:
    """(S, steps) warped losses that the plays draw."""
    n = len(process.Z)
    Z = np.concatenate([process.Z, candidates])
    mean, C = joint_posterior(process, Z)
    mean = np.tile(mean, (N_PLAYS, 1))
    variance = np.tile(np.maximum(np.diag(C), LEAST_VARIANCE), (N_PLAYS, 1))
    known = np.arange(len(Z)) < n + np.zeros((N_PLAYS, 1))
    b, plays = float(np.median(process.noise)), np.arange(N_PLAYS)
    U, drawn = np.empty((steps, *mean.shape)), np.full((N_PLAYS, steps), np.inf)
    for t in range(min(steps, len(Z) - n)):
        incumbent = np.where(known, mean, np.inf).min(axis=1, keepdims=True)
        value = _improvement(incumbent - mean, variance, process.noise_of_best)
        x = np.where(known, -1.0, value).argmax(axis=1)
        scale = np.sqrt(variance[plays, x] + b)
        error = rng.standard_normal(N_PLAYS)
        drawn[:, t] = mean[plays, x] + scale * error
        U[t] = (C[x] - np.einsum("ts,tsz->sz", U[:t, plays, x], U[:t])) / scale[:, None]
        mean += U[t] * error[:, None]
        variance = np.maximum(variance - np.square(U[t]), LEAST_VARIANCE)
        known[plays, x] = True
    return drawn


def _improvement(gain: Array, variance: Array, noise: float) -> Array:
    """Augmented expected improvement, as `LogExpectedImprovement` has it, for expected `gain`."""
    sd = np.sqrt(variance)
    u = gain / sd
    value = sd * (np.exp(-0.5 * u * u) / np.sqrt(2.0 * np.pi) + u * ndtr(u))
    return np.asarray(value * (1.0 - np.sqrt(noise / (variance + noise))))


def _candidates(
    process: GaussianProcess, space: Space, history: History, rng: np.random.Generator
) -> Array:
    """(c, d) feasible places that are new: random ones, and small moves around the best."""
    seen = space.to_z(history.points)
    good = process.Z[process.best]
    drawn = space.quantile(rng.random((DRAWN, len(space))))
    Z = np.unique(np.concatenate([drawn, small_moves(space, good, MOVED, rng)]), axis=0)
    if space.constraint is not None:
        Z = Z[space.feasible(space.from_z(Z))]
    Z = Z[np.abs(Z[:, None] - seen).max(axis=2).min(axis=1) > 1e-9]
    if len(Z) and history.failed.any():
        model = FeasibilityModel.fit(seen, history.failed, categorical=space.categorical)
        Z = Z[model.log_probability(Z) >= np.log(LIKELY)]
    return Z
