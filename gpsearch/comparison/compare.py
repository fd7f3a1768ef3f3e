"""`compare`: several strategies on one objective, repeat by repeat, into one study."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from gpsearch.comparison.comparison import Comparison
from gpsearch.comparison.runs import (
    COMPARISON,
    COMPLETE,
    comparison_of,
    evaluation_seed,
    origin_of,
    run_trials,
)
from gpsearch.errors import InvalidSearchError, SpaceExhaustedError
from gpsearch.evaluation import Objective
from gpsearch.execution.arguments import at_least, read_seed
from gpsearch.execution.progress import Progress
from gpsearch.execution.rules.stopping import StopReason
from gpsearch.execution.workers.job import Job, evaluate
from gpsearch.objective.function import as_objective
from gpsearch.space import Space
from gpsearch.strategy import STRATEGIES, Strategy, make_strategy, trial_seed
from gpsearch.strategy.history import history_of
from gpsearch.study import Study, StudyWriter, Trial
from gpsearch.study.study import StudyPath

logger = logging.getLogger("gpsearch")

StrategySpec = str | Strategy | Callable[..., Strategy]
LEAST_REPEATS = 2


def compare(
    objective: Objective | Callable[[dict[str, Any]], Any],
    space: Any,
    *,
    strategies: Sequence[StrategySpec] | Mapping[str, StrategySpec] = (
        "gp",
        "random",
        "grid",
        "tpe",
    ),
    n_calls: int = 30,
    n_repeats: int = 5,
    study: StudyPath | Study | None = None,
    random_state: Any = 0,
    n_initial_points: int | None = None,
    greater_is_better: bool = True,
    progress: bool = True,
) -> Comparison:
    """Search with several strategies, several times each, and compare what they find.

    All strategies meet the same objective: the same folds throughout, and within a repeat the
    same randomness of each evaluation. In repeat r every strategy is made with the same seed, and
    an evaluation draws from a seed made of r and its params, whichever strategy asks and when.
    Equal params in one repeat therefore have *one* score, and it is computed once: a second
    strategy that proposes them is given the recorded fold results. That saves time and changes
    nothing else, for evaluating them again would give the same numbers. Each strategy is charged
    the full training time all the same. Different repeats share nothing.

    This holds for objectives that keep their promise: equal params and seed, equal scores. A noisy
    function of your own should take an argument ``seed`` and draw from it alone; one that does not
    is evaluated once for each params of a repeat.

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
    random_state : int, RandomState or Generator, default 0
    n_initial_points : int, optional
        As for `gpsearch.search`, for every strategy that has initial points.
    greater_is_better : bool, default True
        False where a plain function returns a loss.
    progress : bool, default True
        Show a bar on a terminal or in a notebook.

    Returns
    -------
    Comparison

    Raises
    ------
    InvalidSearchError
        An unknown strategy, fewer than two strategies or repeats, or another broken rule.
    StudyMismatchError
        The study holds another comparison: other folds, space, seed or budget.
    StudyError
        No trial of a run is complete.

    Examples
    --------
    >>> comparison = compare(lambda params: -(params["x"] - 0.3) ** 2, {"x": (0.0, 1.0)},
    ...                      strategies=["sobol", "random"], n_calls=8, n_repeats=3)
    >>> comparison
    <Comparison of sobol, random: 3 repeats of 8 evaluations>
    >>> comparison.best.shape
    (2, 3, 8)
    """
    n_calls = at_least(1, "n_calls", n_calls, call="compare")
    n_repeats = _read_repeats(n_repeats)
    specs = _read_strategies(strategies)
    space = space if isinstance(space, Space) else Space(space)
    if isinstance(study, Study) and study.space == space:
        space = study.space  # whose own category objects the study knows
    objective = as_objective(objective, greater_is_better=greater_is_better)

    def made(label: str, seed: int) -> Strategy:
        return _make(specs[label], space, seed, n_calls, n_initial_points)

    for label in specs:
        made(label, 0)  # refuse before anything is evaluated
    objective.validate(space)
    record = _open(
        study,
        space,
        objective,
        random_state,
        settings={
            "strategy": COMPARISON,
            "n_calls": n_calls,
            "n_initial_points": n_initial_points,
            "greater_is_better": greater_is_better,
        },
    )
    bar = Progress(len(specs) * n_repeats * n_calls, shown=progress)
    with record.writing() as writer, contextlib.closing(bar):
        writer.set_stop_reason("")
        bar.start(record, len(record.ended))
        try:
            for repeat in range(n_repeats):
                seed = trial_seed(record.seed, repeat)
                known = _known(record, repeat)
                for label in specs:
                    origin = origin_of(label, repeat)
                    _run(writer, objective, made(label, seed), origin, seed, n_calls, known, bar)
        except KeyboardInterrupt:
            writer.set_stop_reason(StopReason.INTERRUPTED.value)
            logger.warning("%s", StopReason.INTERRUPTED.value)
            raise
        writer.set_stop_reason(COMPLETE)
    return comparison_of(record, list(specs), n_repeats)


def _run(
    writer: StudyWriter,
    objective: Objective,
    strategy: Strategy,
    origin: str,
    seed: int,
    n_calls: int,
    known: dict[Hashable, Trial],
    bar: Progress,
) -> None:
    """Make or continue one run; `known` holds the finished evaluations of its repeat."""
    record = writer.study
    space = record.space
    while True:
        trials = run_trials(record, origin)
        if trials and not trials[-1].finished:  # a process died in the middle of it
            number = next(t.number for t in reversed(record.trials) if t.origin == origin)
            params = dict(trials[-1].params)
        elif len(trials) >= n_calls:
            return
        else:
            try:
                point = strategy.propose(history_of(space, trials), len(trials))
            except SpaceExhaustedError:
                return
            params = space.params(point)
            number = writer.start_trial(
                params, seed=evaluation_seed(seed, space, params), origin=origin
            )
        key = space.key(space.point(params))
        if key in known:
            earlier = known[key]
            ended = writer.end_trial(
                number,
                earlier.state,
                reason=earlier.reason,
                traceback=earlier.traceback,
                folds=earlier.folds,
            )
        else:
            ended = _evaluate(writer, objective, number)
            known[key] = ended
        bar.end(ended)


def _evaluate(writer: StudyWriter, objective: Objective, number: int) -> Trial:
    trial = writer.trials[number]
    outcome = evaluate(
        objective,
        Job(number=number, params=trial.params, seed=trial.seed, done=trial.folds),
        on_fold=lambda fold: writer.record_fold(number, fold),
    )
    return writer.end_trial(
        number,
        outcome.state,
        reason=outcome.reason,
        traceback=outcome.traceback,
        folds=outcome.folds,
    )


def _known(record: Study, repeat: int) -> dict[Hashable, Trial]:
    """The first finished trial of each point in one repeat."""
    known: dict[Hashable, Trial] = {}
    for trial in record.trials:
        if trial.finished and trial.origin.endswith(f"#{repeat}"):
            known.setdefault(record.space.key(record.space.point(dict(trial.params))), trial)
    return known


def _open(
    study: StudyPath | Study | None,
    space: Space,
    objective: Objective,
    random_state: Any,
    settings: Mapping[str, Any],
) -> Study:
    if isinstance(study, Study):
        record = study
    elif study is not None and os.path.exists(study):
        record = Study.open(study, space=space)
    else:
        return Study.create(
            study,
            space=space,
            seed=read_seed(random_state),
            objective_fingerprint=objective.fingerprint(),
            description=objective.describe(),
            settings=settings,
            objective=objective,
        )
    record.require_same(
        space=space,
        seed=record.seed if random_state is None else read_seed(random_state),
        objective_fingerprint=objective.fingerprint(),
        description=objective.describe(),
        settings=settings,
    )
    return record


def _read_repeats(n_repeats: Any) -> int:
    if at_least(1, "n_repeats", n_repeats, call="compare") < LEAST_REPEATS:
        raise InvalidSearchError(
            f"compare(n_repeats={n_repeats}): one run of each strategy cannot tell a difference "
            "from luck; it takes at least 2 repeats, and 5 or more to say much"
        )
    return int(n_repeats)


def _read_strategies(
    strategies: Sequence[StrategySpec] | Mapping[str, StrategySpec],
) -> dict[str, StrategySpec]:
    named: list[tuple[str, StrategySpec]]
    if isinstance(strategies, Mapping):
        named = [(str(label), spec) for label, spec in strategies.items()]
    elif isinstance(strategies, str):
        named = [(strategies, strategies)]
    else:
        named = [(_name_of(spec), spec) for spec in strategies]
    labels = [label for label, _ in named]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise InvalidSearchError(
            f"compare(strategies=...): {twice[0]!r} occurs twice; name them in a dict, as in "
            f"{{'{twice[0]} a': ..., '{twice[0]} b': ...}}"
        )
    if len(labels) < 2:
        raise InvalidSearchError(
            f"compare(strategies={labels}): it takes at least two to compare; choose among "
            f"{', '.join(STRATEGIES)}, or pass your own"
        )
    return dict(named)


def _name_of(spec: StrategySpec) -> str:
    return spec if isinstance(spec, str) else str(getattr(spec, "name", _callable_name(spec)))


def _callable_name(spec: Any) -> str:
    return str(getattr(spec, "__name__", type(spec).__name__))


def _make(
    spec: StrategySpec, space: Space, seed: int, n_calls: int, n_initial_points: int | None
) -> Strategy:
    ready: Any = spec
    if isinstance(spec, type) or not (isinstance(spec, str) or hasattr(spec, "propose")):
        if not callable(spec):
            raise InvalidSearchError(
                f"compare(strategies=...): {spec!r} is neither a strategy nor a function that "
                "makes one"
            )
        ready = spec(space, seed=seed, n_calls=n_calls)
    return make_strategy(
        ready, space, seed=seed, n_calls=n_calls, n_initial_points=n_initial_points
    )
