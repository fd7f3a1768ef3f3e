"""`compare`: from an objective, a space and some strategies to their comparison.

A comparison is a study like any other. The origin of a trial names its run: ``gp#2`` is a trial
of the strategy "gp" in repeat 2. Within a run, trials stand in the order of their numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from gpsearch.arguments import boolean
from gpsearch.comparison.comparison import Comparison
from gpsearch.described import counted
from gpsearch.errors import StudyError, public
from gpsearch.evaluation import Objective
from gpsearch.execution import StopReason
from gpsearch.execution.plan import run_of
from gpsearch.execution.repeats import COMPARISON, LEAST_REPEATS, StrategySpec, run_repeats
from gpsearch.execution.rules.racing import FoldRule
from gpsearch.strategy import Cost, trial_seed
from gpsearch.strategy.optimum_prior import BY_NAME, OptimumPriorChoice
from gpsearch.strategy.unseen import ENUMERABLE
from gpsearch.study import Study, Trial, require_study
from gpsearch.study.study import StudyPath

USUAL = ("gp", "random", "grid", "tpe")


@public(path="study", dimensions="space", strategy="strategies")
def compare(
    objective: Objective | Callable[[dict[str, Any]], Any],
    space: Any,
    *,
    strategies: Sequence[StrategySpec] | Mapping[str, StrategySpec] = USUAL,
    n_calls: int = 30,
    n_repeats: int = 5,
    study: StudyPath | Study | None = None,
    random_state: Any = None,
    n_initial_points: int | None = None,
    optimum_prior: OptimumPriorChoice = BY_NAME,
    cost: Cost | None = "work",
    greater_is_better: bool = True,
    timeout: float | None = None,
    max_same_errors: int | None = 5,
    racing: Literal["paired"] | FoldRule | None = None,
    n_jobs: int | None = None,
    executor: Any = None,
    isolate: bool = False,
    trial_timeout: float | None = None,
    memory_limit: float | None = None,
    progress: bool = True,
) -> Comparison:
    """Search with several strategies, several times each, and compare what they find.

    All strategies meet the same objective: the same folds throughout, and within a repeat the
    same randomness of each evaluation. In repeat r every strategy is made with the same seed, and
    the seed of an evaluation follows from r and its configuration. Equal configurations of one
    repeat therefore have *one* score, which is computed once: a second strategy that proposes the
    configuration is given the recorded fold results, or waits for them. Each strategy is charged
    the full training time. Different repeats share nothing.

    With ``n_jobs`` above 1, or an executor, different runs go side by side, never two trials of
    one run: each strategy knows all its scores when it proposes, and the comparison is that of
    ``n_jobs=1``.

    This requires objectives whose score follows from configuration and seed. A noisy function of
    your own should take an argument ``seed`` and draw from it alone; one that does not is
    evaluated once for each configuration of a repeat.

    Parameters
    ----------
    objective, space
        As for `gpsearch.search`.
    strategies : sequence or dict, default ("gp", "random", "grid", "tpe")
        Names of strategies; objects with ``propose``, which then serve every repeat; or functions
        ``(space, *, seed, n_calls)`` that make one. A dict names them.
    n_calls : int, default 30
        Evaluations of each run.
    n_repeats : int, default 5
        Runs of each strategy, at least 2. A rank test can reach 5 % from 6 on.
    study : path or Study, optional
        The one file that records all runs. The same call continues a comparison that was stopped
        or killed; more repeats or further strategies extend it.
    random_state : int, RandomState or Generator, optional
        By default 0, or the seed of the study that is continued.
    n_initial_points : int, optional
        As for `gpsearch.search`, for every strategy that has initial points.
    optimum_prior : "by_name", dict, OptimumPrior or None, default "by_name"
        As for `gpsearch.search`, for the strategy "gp".
    cost : "work", "seconds" or None, default "work"
        As for `gpsearch.search`.
    greater_is_better : bool, default True
        False where a plain function returns a loss.
    max_same_errors : int or None, default 5
        As for `gpsearch.search`.
    executor : Executor, Dask client or str, optional
    isolate : bool, default False
    trial_timeout, memory_limit : float, optional
        As for `gpsearch.search`.
    timeout : float, optional
        Seconds after which no trial starts. The repeats that are complete for every strategy are
        returned; the same call continues the comparison.
    racing : "paired" or callable, optional
        As for `gpsearch.search`; a rule sees the trials of its own run. A run that goes on where
        another one has stopped a trial is given the known folds, and evaluates the rest.
    n_jobs : int, optional
        Runs at once; above 1 in isolated worker processes, -1 for one for each core. More than
        ``len(strategies) * n_repeats`` are of no use.
    progress : bool, default True
        Show a bar on a terminal or in a notebook.

    Raises
    ------
    InvalidSearchError
        An unknown strategy, fewer than two strategies or repeats, or another broken rule.
    StudyMismatchError
        The study holds another comparison: other folds, space, seed or budget.
    StudyError
        No trial of a run is complete; or the call reached its timeout with fewer than two
        complete repeats, and the same call continues.
    KeyboardInterrupt
        After Ctrl-C; the same call continues.

    Examples
    --------
    >>> comparison = compare(lambda params: -(params["x"] - 0.3) ** 2, {"x": (0.0, 1.0)},
    ...                      strategies=["grid", "random"], n_calls=8, n_repeats=3)
    >>> comparison
    <Comparison of grid, random: 3 repeats of 8 evaluations>
    >>> comparison.best.shape
    (2, 3, 8)
    """
    boolean("progress", progress)
    record, labels = run_repeats(**locals())
    if record.stop_reason == StopReason.INTERRUPTED.value:
        raise KeyboardInterrupt
    return complete_part(record, labels, n_repeats)


@public(path="study")
def open_comparison(study: StudyPath | Study) -> Comparison:
    """Read a comparison from its file, also while it is being made.

    Repeats that are not complete for every strategy are left out.

    Raises
    ------
    StudyError
        The file holds a single search, or fewer than two complete repeats.
    """
    record = study if isinstance(study, Study) else Study.open(study)
    if not is_comparison(record):
        raise StudyError(
            f"{record!r} is a single search, not a comparison; gpsearch.compare(..., study=...) "
            "makes one"
        )
    return complete_part(record, list(runs_of(record)))


def complete_part(study: Study, labels: Sequence[str], most: int | None = None) -> Comparison:
    """The comparison of the first repeats, 2 to `most`, that all strategies completed."""
    runs = runs_of(study)
    complete = [_complete_repeats(study, runs.get(label, {})) for label in labels]
    n_repeats = min(complete if most is None else [*complete, most], default=0)
    if n_repeats < LEAST_REPEATS:
        raise StudyError(
            f"{study!r} holds {counted(n_repeats, 'complete repeat')} of every strategy; a "
            f"comparison needs {LEAST_REPEATS}. The call that made it continues it."
        )
    return Comparison(
        runs={label: tuple(tuple(runs[label][r]) for r in range(n_repeats)) for label in labels},
        seeds=tuple(trial_seed(study.seed, r) for r in range(n_repeats)),
        n_calls=int(study.info.settings["n_calls"]),
        space=study.space,
        greater_is_better=study.greater_is_better,
        score_name=study.score_name,
        name=str(study.info.description.get("name", "")),
        info=study.info,
        path=study.path,
    )


@public()
def is_comparison(study: Study) -> bool:
    """Whether a study records a comparison, not a single search."""
    return require_study(study).info.settings.get("strategy") == COMPARISON


def runs_of(study: Study) -> dict[str, dict[int, list[Trial]]]:
    """The trials of a comparison by strategy and repeat, in order."""
    runs: dict[str, dict[int, list[Trial]]] = {}
    for trial in study.trials:
        label, repeat = run_of(trial)
        runs.setdefault(label, {}).setdefault(repeat, []).append(trial)
    return runs


def _complete_repeats(study: Study, by_repeat: Mapping[int, Sequence[Trial]]) -> int:
    """Repeats of a strategy, from the first on, that are complete."""
    whole = study.stop_reason == StopReason.REPEATS.value
    repeat = 0
    while repeat in by_repeat and (whole or _is_complete(study, by_repeat[repeat])):
        repeat += 1
    return repeat


def _is_complete(study: Study, trials: Sequence[Trial]) -> bool:
    """Whether a run has made its trials, or visited every point of the space."""
    n_finished = sum(trial.finished for trial in trials)
    if n_finished >= int(study.info.settings["n_calls"]):
        return True
    everything = study.space.enumerate(ENUMERABLE)
    return everything is not None and n_finished == len(everything)
