"""How much each dimension mattered: Sobol indices of the surrogate's posterior.

=========== ================================================================ =======
symbol      meaning                                                          shape
=========== ================================================================ =======
t_s         sample s of the posterior of the warped loss, a function of z    S
V           variance of t_s over random draws from the space                 scalar
F_j         first-order index, ``Var_j(E[t_s | z_j]) / V``: the dimension    (S, d)
            on its own
T_j         total index, ``1 - Var(E[t_s | all but z_j]) / V``: with all     (S, d)
            its interactions
=========== ================================================================ =======

Saltelli et al. 2010, Variance based sensitivity analysis of model output, equations (b) and (f)
of table 2, as SciPy estimates them. The spread over the samples is the uncertainty, without that
of the surrogate's own hyperparameters.

The variance is that of the loss on the scale on which the surrogate fits it, where a few diverged
trainings do not outweigh the rest. It is taken over the whole space, bad regions included: the
indices say what mattered for finding the good region, not what is left to gain within it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gpsearch.analysis.posterior import (
    PosteriorFunctions,
    fitted_process,
    require_difference,
    told_scores,
)
from gpsearch.arguments import fraction, power_of_two, whole
from gpsearch.errors import public
from gpsearch.space import Space
from gpsearch.space.classic_order import classic_tier
from gpsearch.study import Study
from gpsearch.surrogate import GaussianProcess

Array = NDArray[np.float64]

N_SAMPLES = 100
N_POINTS = 512  # base points of the design, a power of two; it has (d + 2) times as many
SURE = 0.9  # posterior probability, not calibrated, from which data contradict the rule of thumb
NEGLIGIBLE = 0.05  # share of the variance below which a dimension does not matter


@dataclass(frozen=True, kw_only=True, eq=False)
class Importance:
    """Share of the variance of the score that each dimension explains, with uncertainty."""

    names: tuple[str, ...]
    """(d,) dimensions, in the order of the space."""
    first_samples: Array
    """(S, d) first-order indices, one row for each sample of the posterior."""
    total_samples: Array
    """(S, d) total indices, likewise."""
    confidence: float
    """Probability of the intervals."""
    n_trials: int
    """Trials with a score that the surrogate was fitted to."""
    all_equal: bool = False
    """Whether all their scores are equal; then all indices are 0."""

    @property
    def first(self) -> Array:
        """(d,) first-order indices: the mean over the samples."""
        return np.asarray(self.first_samples.mean(axis=0))

    @property
    def total(self) -> Array:
        """(d,) total indices: the mean over the samples."""
        return np.asarray(self.total_samples.mean(axis=0))

    @property
    def total_interval(self) -> tuple[Array, Array]:
        """(d,) lower and upper ends for the total indices."""
        tail = (1.0 - self.confidence) / 2.0
        low, high = np.quantile(self.total_samples, [tail, 1.0 - tail], axis=0)
        return low, high

    @property
    def order(self) -> tuple[str, ...]:
        """Names, the most important first, by the total index."""
        return tuple(self.names[j] for j in np.argsort(-self.total, kind="stable"))

    @property
    def negligible(self) -> tuple[str, ...]:
        """Dimensions that clearly do not matter: the interval ends below `NEGLIGIBLE`."""
        if self.all_equal:
            return ()
        _, high = self.total_interval
        return tuple(name for name, top in zip(self.names, high, strict=True) if top < NEGLIGIBLE)

    def sentences(self) -> list[str]:
        """Conclusions for the report: what mattered, and whether the rule of thumb holds."""
        if self.all_equal:
            return [f"All {self.n_trials} scores are equal: no dimension can be said to matter."]
        low, high = self.total_interval
        top = int(np.argmax(self.total))
        sentences = [
            f"{self.names[top]} mattered most: {self.total[top]:.0%} of the differences between "
            f"scores ({low[top]:.0%} to {high[top]:.0%}), {self.first[top]:.0%} on its own."
        ]
        if self.negligible:
            sentences.append(
                f"{', '.join(self.negligible)}: hardly any effect "
                f"(each below {NEGLIGIBLE:.0%}); the default will do."
            )
        return sentences + self.against_the_rule_of_thumb()

    def against_the_rule_of_thumb(self) -> list[str]:
        """Where data contradict `CLASSIC_ORDER`, or that they do not; empty below two tiers."""
        tiers = {name: tier for name in self.names if (tier := classic_tier(name)) is not None}
        sentences = []
        for above, below in itertools.permutations(tiers, 2):
            a, b = self.names.index(above), self.names.index(below)
            probability = float((self.total_samples[:, b] > self.total_samples[:, a]).mean())
            if tiers[above] < tiers[below] and probability >= SURE:
                sentences.append(
                    f"Against the rule of thumb, {below} mattered more than {above} here: "
                    f"{self.total[b]:.0%} against {self.total[a]:.0%} of the differences."
                )
        if sentences or len(set(tiers.values())) < 2:
            return sentences
        ranked = sorted(tiers, key=lambda name: tiers[name])
        return [f"Nothing contradicts the rule of thumb ({', '.join(ranked)})."]

    def __str__(self) -> str:
        return "\n".join(self.sentences())


@public()
def estimate_importance(
    study: Study,
    *,
    confidence: float = 0.9,
    n_samples: int = N_SAMPLES,
    n_points: int = N_POINTS,
    seed: int = 0,
    process: GaussianProcess | None = None,
) -> Importance:
    """Estimate from a study's trials how much each dimension mattered.

    Parameters
    ----------
    study : Study
    confidence : float, default 0.9
        Probability of the intervals.
    n_samples : int, default 100
        Samples of the surrogate's posterior.
    n_points : int, default 512
        Base points of the design, a power of two.
    seed : int, default 0
        Seed of samples and design.
    process : GaussianProcess, optional
        The surrogate of these trials, where it is fitted already.

    Raises
    ------
    StudyError
        Fewer than two trials are complete, or the scores are too large or too small to tell apart.
    InvalidSearchError
        An argument breaks a rule.

    Examples
    --------
    >>> import gpsearch as gs
    >>> study = gs.search(lambda params: -10 * params["x"] ** 2 - params["y"],
    ...                   {"x": (-1.0, 1.0), "y": (0.0, 1.0), "z": (0.0, 1.0)},
    ...                   n_calls=20, random_state=0, progress=False)
    >>> estimate_importance(study, n_samples=20).order[0]
    'x'
    """
    fraction("confidence", confidence)
    whole("n_samples", n_samples, 2)
    power_of_two("n_points", n_points)
    whole("seed", seed, 0)
    process = fitted_process(study, "estimate_importance", process)
    scores = told_scores(study)
    all_equal = bool((scores == scores[0]).all())  # the process may rest on some of them alone
    first = total = np.zeros((n_samples, len(study.space)))
    if not all_equal:
        require_difference(study, "estimate_importance")
        first, total = _sobol_indices(process, study.space, n_samples, n_points, seed)
    return Importance(
        names=tuple(study.space.names),
        first_samples=first,
        total_samples=total,
        confidence=confidence,
        n_trials=len(scores),
        all_equal=all_equal,
    )


def _sobol_indices(
    process: GaussianProcess, space: Space, n_samples: int, n_points: int, seed: int
) -> tuple[Array, Array]:
    """(S, d) first-order and total indices of samples of the posterior."""
    d = len(space)
    functions = PosteriorFunctions(process, space, n_samples, np.random.default_rng(seed))
    # The estimators converge only for functions whose mean over the space is near zero.
    pilot = stats.qmc.Sobol(d, rng=np.random.default_rng(seed)).random(n_points)
    means = functions(space.quantile(pilot)).mean(axis=1, keepdims=True)
    found = stats.sobol_indices(
        func=lambda u: functions(space.quantile(u.T)) - means,
        n=n_points,
        dists=[stats.uniform()] * d,
        rng=np.random.default_rng(seed),
    )
    first = np.clip(found.first_order.reshape(n_samples, d), 0.0, 1.0)
    # The estimate of a total that is nearly 1 may lie above it.
    return first, np.clip(found.total_order.reshape(n_samples, d), 0.0, 1.0)
