"""`search`: from an objective and a space to a study."""

from __future__ import annotations

import logging
import math
import numbers
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gpsearch.errors import InvalidSearchError
from gpsearch.evaluation import FoldResult, Objective
from gpsearch.execution.progress import Progress
from gpsearch.execution.run import GIVEN, Callback, FoldRule, Run, run_serially
from gpsearch.execution.signals import Terminated, terminable
from gpsearch.execution.stopping import StoppingRule, StopReason
from gpsearch.space import Space
from gpsearch.strategy import Strategy, make_strategy
from gpsearch.study import Study
from gpsearch.study.study import StudyPath

logger = logging.getLogger("gpsearch")

SEED_BITS = 32


def search(
    objective: Objective | Callable[[dict[str, Any]], Any],
    space: Any,
    *,
    n_calls: int = 50,
    study: StudyPath | Study | None = None,
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
    strategy: str | Strategy = "gp",
    n_initial_points: int | None = None,
    x0: Any = None,
    y0: Any = None,
    callback: Callback | Sequence[Callback] | None = None,
    timeout: float | None = None,
    stop: StoppingRule | Sequence[StoppingRule] | None = None,
    racing: FoldRule | None = None,
    greater_is_better: bool = True,
    progress: bool = True,
) -> Study:
    """Search `space` for the params with the greatest score.

    Everything is recorded as it happens, and the same call continues a search that was stopped
    or killed: it then proposes and evaluates what the uninterrupted search would have.

    Parameters
    ----------
    objective : Objective or callable
        `KerasCV`, or any function of params that returns a score, or one for each fold.
    space : Space, dict or list of dimensions
        What `Space` reads.
    n_calls : int, default 50
        Trials of the study when the search is over, failed ones included, those with a given
        score (`y0`) not. Raise it to continue a finished search.
    study : path or Study, optional
        The file to record in, made if it does not exist; by default the record is in memory.
    random_state : int, RandomState or Generator, optional
        By default a fresh seed, which the study keeps.
    strategy : {"gp", "random", "grid", "sobol", "tpe", "skopt"} or Strategy, default "gp"
    n_initial_points : int, optional
        Points before the first model, by default the strategy's own choice.
    x0 : params or point, or a list of these, optional
        To evaluate first.
    y0 : score or list of scores, optional
        Known scores of `x0` (losses with ``greater_is_better=False``): recorded, not evaluated.
    callback : callable or list of callables, optional
        Called with `Study.result` after each trial, as in scikit-optimize; returning True ends
        the search.
    timeout : float, optional
        Seconds after which no trial starts; the running one is finished.
    stop : stopping rule or list of these, optional
        `TargetScore`, `NoImprovement`, or any function of the study.
    racing : callable, optional
        ``racing(study, trial)`` is asked after each fold but the last; False stops the trial.
    greater_is_better : bool, default True
        False where a plain function returns a loss.
    progress : bool, default True
        Show a bar on a terminal or in a notebook.

    Returns
    -------
    Study
        With `Study.stop_reason`. After Ctrl-C the search returns what it has.

    Raises
    ------
    InvalidSearchError, InvalidSpaceError, InvalidObjectiveError
        Before any evaluation, when an argument breaks a rule.
    StudyError
        The study holds another search, is being written, is damaged, or its disk is full.

    Examples
    --------
    >>> import gpsearch as gs
    >>> study = search(lambda params: -abs(params["x"] - 3), {"x": gs.Integer(0, 5)},
    ...                n_calls=6, strategy="random", random_state=0, progress=False)
    >>> study.best_params, len(study.trials), study.stop_reason
    ({'x': 3}, 6, 'All n_calls trials have been evaluated.')
    """
    n_calls = _at_least_one("n_calls", n_calls)
    if n_initial_points is not None:
        n_initial_points = _at_least_one("n_initial_points", n_initial_points)
    if timeout is not None and not (_is_real(timeout) and timeout > 0):
        raise InvalidSearchError(
            f"search(timeout={timeout!r}) must be a number of seconds above 0, or None"
        )
    callbacks = _callables("callback", callback)
    rules = _callables("stop", stop)
    if racing is not None:
        _callables("racing", racing)
    live_space = space if isinstance(space, Space) else Space(space)
    if isinstance(study, Study):
        live_space = _own_or(live_space, study)
    objective = _as_objective(objective, greater_is_better)
    points = _points(live_space, x0)
    scores = _scores(y0, points, greater_is_better)
    objective.validate(live_space)

    settings = {
        "strategy": strategy if isinstance(strategy, str) else _strategy_name(strategy),
        "n_initial_points": n_initial_points,
        "greater_is_better": greater_is_better,
    }
    record = _open_or_create(study, live_space, objective, random_state, settings, n_calls)
    strategy = make_strategy(
        strategy,
        record.space,
        seed=record.seed,
        # of the first search: a raised budget must not change what the trials so far were
        n_calls=int(record.info.settings.get("n_calls", n_calls)),
        n_initial_points=n_initial_points,
    )
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    terminated = False
    with record.writing():
        record.set_stop_reason("")
        _record_given(record, points, scores)
        bar = Progress(n_calls, shown=progress)
        run = Run(
            record,
            objective,
            strategy,
            n_calls=n_calls,
            deadline=deadline,
            rules=rules,
            callbacks=callbacks,
            fold_rule=racing,
            progress=bar,
        )
        try:
            with terminable():
                run_serially(run)
        except KeyboardInterrupt:
            run.reason = StopReason.INTERRUPTED.value
        except Terminated:
            run.reason = StopReason.TERMINATED.value
            terminated = True
        finally:
            bar.close()
        record.set_stop_reason(run.reason)
    if run.reason in (StopReason.INTERRUPTED.value, StopReason.TERMINATED.value):
        _say_how_to_continue(record, run.reason)
    if terminated:
        raise SystemExit(128 + 15)
    return record


def _open_or_create(
    study: StudyPath | Study | None,
    space: Space,
    objective: Objective,
    random_state: Any,
    settings: Mapping[str, Any],
    n_calls: int,
) -> Study:
    if isinstance(study, Study) or (study is not None and os.path.exists(study)):
        record = study if isinstance(study, Study) else Study.open(study, space=space)
        record.require_same(
            space=space,
            seed=record.seed if random_state is None else _seed(random_state),
            objective_fingerprint=objective.fingerprint(),
            description=objective.describe(),
            settings=settings,
        )
        record.objective = objective
        return record
    return Study.create(
        study,
        space=space,
        seed=_seed(random_state),
        objective_fingerprint=objective.fingerprint(),
        description=objective.describe(),
        settings={**settings, "n_calls": n_calls},
        objective=objective,
    )


def _own_or(space: Space, study: Study) -> Space:
    # The category objects of a study in memory are found by identity in its own space.
    return study.space if space == study.space else space


def _record_given(
    study: Study, points: Sequence[Mapping[str, Any]], scores: Sequence[float] | None
) -> None:
    if scores is None:
        study.queue_params(points, origin="x0")
        return
    known = {
        study.space.key(study.space.point(dict(trial.params)))
        for trial in study.trials
        if trial.origin == GIVEN
    }
    for params, score in zip(points, scores, strict=True):
        if study.space.key(study.space.point(dict(params))) not in known:
            study.add_trial(params, [FoldResult(fold=0, score=score, path=GIVEN)], origin=GIVEN)


def _as_objective(objective: Any, greater_is_better: bool) -> Objective:
    if hasattr(objective, "evaluate") and hasattr(objective, "fingerprint"):
        return objective
    from gpsearch.objective.function import as_objective

    return as_objective(objective, greater_is_better=greater_is_better)


def _strategy_name(strategy: Any) -> str:
    return str(getattr(strategy, "name", type(strategy).__name__))


def _seed(random_state: Any) -> int:
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(0, 2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(0, 2**SEED_BITS))
    if (
        isinstance(random_state, numbers.Integral)
        and not isinstance(random_state, bool)
        and 0 <= int(random_state) < 2**SEED_BITS
    ):
        return int(random_state)
    raise InvalidSearchError(
        f"search(random_state={random_state!r}) must be an integer from 0 to 2**32 - 1, a NumPy "
        "RandomState or Generator, or None"
    )


def _points(space: Space, x0: Any) -> list[dict[str, Any]]:
    if x0 is None:
        return []
    if isinstance(x0, Mapping):
        several: list[Any] = [x0]
    elif isinstance(x0, Sequence) and not isinstance(x0, str):
        # a list of params or points, or one point
        nested = all(isinstance(entry, Mapping | list | tuple) for entry in x0)
        several = list(x0) if nested and list(x0) not in space else [list(x0)]
    else:
        raise InvalidSearchError(f"search(x0={x0!r}) must be params, a point, or a list of these")
    points = [
        space.point(dict(entry)) if isinstance(entry, Mapping) else list(entry) for entry in several
    ]
    return [space.params(point) for point in points]


def _scores(
    y0: Any, points: Sequence[Mapping[str, Any]], greater_is_better: bool
) -> list[float] | None:
    if y0 is None:
        return None
    values = [y0] if _is_real(y0) else list(y0)
    if len(values) != len(points):
        raise InvalidSearchError(
            f"search: x0 holds {len(points)} points and y0 {len(values)} scores; each point needs "
            "its own score"
        )
    if broken := [v for v in values if not _is_real(v) or not math.isfinite(v)]:
        raise InvalidSearchError(
            f"search: y0 holds {broken[0]!r}; a given score must be a finite number"
        )
    return [float(value) if greater_is_better else -float(value) for value in values]


def _callables(name: str, given: Any) -> list[Any]:
    several = [] if given is None else list(given) if isinstance(given, Sequence) else [given]
    if broken := [entry for entry in several if not callable(entry)]:
        raise InvalidSearchError(
            f"search({name}={broken[0]!r}) must be callable, or a list of callables"
        )
    return several


def _at_least_one(name: str, value: Any) -> int:
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or int(value) < 1:
        raise InvalidSearchError(f"search({name}={value!r}) must be an integer of at least 1")
    return int(value)


def _is_real(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _say_how_to_continue(study: Study, reason: str) -> None:
    how = (
        "pass the study to continue: gpsearch.search(..., study=study)"
        if study.path is None
        else f"everything so far is in {study.path}"
    )
    finished = sum(trial.finished for trial in study.trials)
    logger.warning("%s %d trials are finished; %s.", reason, finished, how)
