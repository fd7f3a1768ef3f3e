"""`search`: from an objective and a space to a study."""

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from gpsearch.arguments import boolean, optional, whole
from gpsearch.errors import InvalidSearchError, public, renaming
from gpsearch.evaluation import UNBOUNDED, Objective
from gpsearch.execution.contest import Contest, evaluations, why_off
from gpsearch.execution.plan import SearchPlan
from gpsearch.execution.progress import Progress
from gpsearch.execution.rules.racing import FoldRule
from gpsearch.execution.rules.stopping import ExpectedGain, StoppingRule
from gpsearch.execution.run import Callback, TrialCallback
from gpsearch.execution.search_arguments import (
    read_callables,
    read_megabytes,
    read_points,
    read_scores,
    read_share,
)
from gpsearch.execution.session import Session, read_cost, strategy_name
from gpsearch.execution.warm_start import record_earlier, record_given
from gpsearch.execution.written_study import read_space, writing_study
from gpsearch.objective.function import as_objective
from gpsearch.strategy import Cost, Strategy, make_strategy
from gpsearch.strategy.optimum_prior import (
    BY_NAME,
    OptimumPriorChoice,
    prior_in_words,
    prior_setting,
)
from gpsearch.study import Study
from gpsearch.study.study import StudyPath
from gpsearch.study.trial import BASELINE


@public(path="study", dimensions="space", params="space")
def search(
    objective: Objective | Callable[[dict[str, Any]], Any],
    space: Any,
    *,
    n_calls: int = 50,
    study: StudyPath | Study | None = None,
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
    strategy: str | Strategy = "gp",
    n_initial_points: int | None = None,
    optimum_prior: OptimumPriorChoice = BY_NAME,
    cost: Cost | None = "work",
    baseline: Any = None,
    x0: Any = None,
    y0: Any = None,
    warm_start: StudyPath | Study | None = None,
    callback: Callback | TrialCallback | Sequence[Callback | TrialCallback] | None = None,
    timeout: float | None = None,
    max_same_errors: int | None = 5,
    stop: StoppingRule | Sequence[StoppingRule] | None = None,
    racing: Literal["paired"] | FoldRule | None = "paired",
    greater_is_better: bool = True,
    keep_predictions: bool | float = True,
    confirm: bool | float = True,
    n_jobs: int | None = None,
    executor: Any = None,
    isolate: bool = False,
    trial_timeout: float | None = None,
    memory_limit: float | None = None,
    progress: bool = True,
    live: bool = False,
) -> Study:
    """Search `space` for the configuration with the greatest score.

    Everything is recorded as it happens, and the same call continues a search that was stopped
    or killed: it then proposes and evaluates what the uninterrupted search would have.

    Parameters
    ----------
    objective : Objective or callable
        `KerasCV`, or any function of a configuration that returns a score, or one for each fold.
    space : Space, dict or list of dimensions
        What `Space` reads.
    n_calls : int, default 50
        Trials of the study when the search is over, failed ones included, those with a given
        score (`y0`) not. Raise it to continue a finished search.
    study : path or Study, optional
        The file to record in, made if it does not exist; by default the record is in memory.
    random_state : int, RandomState or Generator, optional
        By default a fresh seed, which the study keeps.
    strategy : str or Strategy, default "gp"
        "gp", "random", "grid", "tpe" or "skopt"; or an object with ``propose``.
    n_initial_points : int, optional
        Points before the first model, by default the strategy's own choice.
    optimum_prior : "by_name", dict, OptimumPrior or None, default "by_name"
        Where "gp" looks first, before the evaluations decide: by default settings of networks,
        known by the names of their dimensions, are tried where they are usually good. A dict
        such as ``{"learning_rate": 1e-3, "opt": ["adam", "sgd"]}`` holds values that you expect
        instead; None expects nothing. See `gpsearch.strategy.optimum_prior`.
    cost : "work", "seconds" or None, default "work"
        What "gp" weighs improvement against, so that a long training must promise more than a
        short one, until the last trials of `n_calls`. "work" is the same on every machine, and is
        known where the objective measures it, as `KerasCV` does; elsewhere all evaluations count
        alike, as with None. "seconds" are those of the folds by the clock: the same seed then need
        not give the same search. Where `timeout` ends the search, give a large `n_calls`.
    baseline : configuration or point, optional
        What you have today: evaluated first. The end of the search says by how much the winner is
        better, with an interval; see `Study.confirmation`.
    x0 : configuration or point, or a list of these, optional
        To evaluate first.
    y0 : score or list of scores, optional
        Known scores of `x0` (losses with ``greater_is_better=False``): recorded, not evaluated.
    warm_start : path or Study, optional
        An earlier study, of the same space or one that overlaps it. Where the objective is the
        same, its trials of the same settings count as known; of another objective, or with a
        setting that one of the spaces lacks, the best configurations are evaluated first.
    callback : callable, object with ``on_trial_end``, or a list of these, optional
        A callable is called with `Study.result` after each trial, as in scikit-optimize;
        returning True ends the search. Of an object with ``on_trial_end(study, trial)``, that
        method is called.
    timeout : float, optional
        Seconds after which no trial starts; the running one is finished. This limit and those
        below may be infinite, which is none.
    max_same_errors : int or None, default 5
        Where as many trials, from the first, all failed with the same error, the search ends with
        that error: no further trial would succeed. Once it is mended outside of the objective, the
        same call evaluates them again. None goes on. A score that is not finite, a
        trial out of time or memory, a worker that died and a `TrialFailedError` are no such error.
    stop : stopping rule or list of these, optional
        `TargetScore`, `NoImprovement`, `BelowNoise`, `ExpectedGain`, or any function of the study.
    racing : "paired", callable or None, default "paired"
        Decides after each fold but the last whether the trial goes on: "paired", the rule of
        `gpsearch.execution.rules.racing`, or your own ``racing(study, trial) -> bool``. None runs
        all folds of all trials. A function that returns its scores at once is not raced.
    greater_is_better : bool, default True
        False where a plain function returns a loss.
    keep_predictions : bool or float, default True
        Whether the study keeps what each fold's model predicts for the rows that it was not
        trained on, which `Study.predictions` and `Study.best_ensemble` read. A number is what they
        may take in all, in megabytes; beyond it those of the best trials are kept. True: 256.
    confirm : bool or float, default True
        After the search, score the trials that may be the best again, on fresh splits of the same
        kind, until one of them is the best with a probability of 95 %, they are tied (more splits
        would hardly tell), or a share of what the search took is spent: True for 0.15, or your
        own. `Study.best_trial` then is the winner, which splits of its own judge: for
        `Study.confirmation`, the score to expect on new data. Of `timeout`, this share is kept for
        it. Splits that leave nothing to chance (row numbers, time order, a plain function) cannot
        be drawn afresh: the estimate is then from the search alone. False takes the best score as
        it is. See `gpsearch.execution.contest`.
    n_jobs : int, optional
        Trials at once; above 1 in isolated worker processes, -1 for one for each core. By default
        1, or as many as the executor has workers. Several workers have the GPUs of the machine
        (or those of ``CUDA_VISIBLE_DEVICES``) in turn, one each. Concurrent trials are proposed
        without knowledge of each other's scores. After equal time they still find more than the
        folds of one trial side by side would: regret 0.75 against 0.87 with two workers, 0.94
        against 1.01 with four, by simulation (``benchmarks/side_by_side.py``).
    executor : Executor, Dask client or str, optional
        Any ``concurrent.futures.Executor``; a ``distributed.Client``, its ``get_executor()``, or
        the address of a Dask scheduler.
    isolate : bool, default False
        Train in a worker process, so that a crash, a hang or a leak does not reach the search.
    trial_timeout : float, optional
        Seconds after which a trial fails; implies `isolate`.
    memory_limit : float, optional
        Megabytes of private memory for each worker process, that of TensorFlow itself (about 500)
        included, from 100; implies `isolate`. Enforced on Linux.
    progress : bool, default True
        Show a bar on a terminal or in a notebook.
    live : bool, default False
        Show the convergence in a notebook, redrawn as trials end.

    Returns
    -------
    Study
        With `Study.stop_reason`. After Ctrl-C the search returns what it has.

    Raises
    ------
    InvalidSearchError, InvalidSpaceError, InvalidObjectiveError
        Before any evaluation, when an argument breaks a rule; InvalidObjectiveError also where
        every trial failed with the same error (`max_same_errors`).
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
    n_calls = whole("n_calls", n_calls, 1)
    n_initial_points = optional(whole, "n_initial_points", n_initial_points, 0)
    progress, live = boolean("progress", progress), boolean("live", live)
    session = Session(
        n_jobs=n_jobs,
        executor=executor,
        isolate=isolate,
        trial_timeout=trial_timeout,
        memory_limit=memory_limit,
        racing=racing,
        timeout=timeout,
        max_same_errors=max_same_errors,
    )
    callbacks = read_callables("callback", callback, "the result", method="on_trial_end")
    rules = read_callables("stop", stop, "the study")
    for rule in rules:
        if isinstance(rule, ExpectedGain) and isinstance(strategy, str) and strategy != "gp":
            raise InvalidSearchError(
                'forecasts trials of the strategy "gp"; choose that, or another rule.'
            ).about("stop", rule)
    space = read_space(space, study)
    objective = as_objective(objective, greater_is_better=greater_is_better)
    megabytes = read_megabytes(keep_predictions)
    share = read_share(confirm)
    baselines = read_points(space, baseline, "baseline")
    if baseline is not None and len(baselines) != 1:
        held = "several configurations" if baselines else "no configuration"
        raise InvalidSearchError(f"holds {held}; give one.").about("baseline", baseline)
    points = read_points(space, x0, "x0")
    if not points and not baselines:
        space.require_feasible()
    scores = read_scores(y0, points, greater_is_better)
    with renaming(path="warm_start"):
        earlier = warm_start if isinstance(warm_start, Study | None) else Study.open(warm_start)
    cost = read_cost(cost, objective)
    make = functools.partial(
        make_strategy,
        strategy,
        space,
        n_initial_points=n_initial_points,
        optimum_prior=optimum_prior,
        cost=cost,
    )
    expected = prior_in_words(make(seed=0, n_calls=n_calls))  # refused before a study is made
    shown = Progress(n_calls, shown=progress, live=live)
    with (
        contextlib.closing(shown),
        writing_study(
            study,
            space=space,
            objective=objective,
            random_state=random_state,
            settings={
                "strategy": strategy_name(strategy),
                "n_initial_points": n_initial_points,
                "optimum_prior": prior_setting(optimum_prior),
                "cost": cost,
                "greater_is_better": greater_is_better,
            },
            first={
                "n_calls": n_calls,
                "expected_optimum": expected,
                "keep_predictions": megabytes or False,
                **session.settings(getattr(objective, "n_folds", None)),
            },
            progress=shown,
        ) as writer,
    ):
        writer.prediction_bytes = megabytes * 1e6
        # Raising the budget later must not change what was proposed so far.
        first_budget = int(writer.study.info.settings.get("n_calls", n_calls))
        cost = writer.study.info.settings.get("cost")
        make_contest = off = None
        if share:
            off = why_off(objective)
            make_contest = functools.partial(
                Contest,
                writer.study,
                writer.fresh,
                share=share,
                off=off,
                scored_share=getattr(objective, "scored_share", None),
                baseline=next(iter(baselines), None),
                held_out=getattr(objective, "held_out", None),
                bounds=getattr(objective, "score_bounds", UNBOUNDED),
            )
        proposer = make(seed=writer.study.seed, n_calls=first_budget, cost=cost)
        known = evaluations(writer.study, baselines[0]) if baselines else []
        # One that lost before it was named is evaluated again, with all its folds.
        lost = [trial for trial in known if trial.state == "stopped" and trial.origin != BASELINE]
        if baselines and len(known) == len(lost):
            n_evaluated = sum(not trial.is_given for trial in writer.study.trials)
            if n_evaluated >= n_calls:
                shown.close()
                what = "was stopped before its last fold in" if lost else "is new to"
                raise InvalidSearchError(
                    f"{what} the study, which holds n_calls={n_calls} trials already. Raise "
                    "n_calls, by one at least."
                ).about("baseline", baseline)
            writer.queue_params(baselines, origin=BASELINE)
        if scores is None:
            first = [space.point(params) for params in baselines]
            points = [p for p in points if space.key(space.point(p)) not in map(space.key, first)]
        record_given(writer, points, scores)
        if earlier is not None:
            record_earlier(writer, earlier)
        session.conduct(
            writer,
            objective,
            SearchPlan(writer, proposer, n_calls=n_calls, cost=cost),
            rules=rules,
            callbacks=callbacks,
            make_contest=make_contest,
            reserve=share / (1 + share) if not off else 0.0,
            progress=shown,
        )
    return writer.study
