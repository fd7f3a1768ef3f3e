"""`run_repeats`: several strategies on one objective, repeat by repeat, into one study."""

import contextlib
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gpsearch.arguments import optional, refusal, whole
from gpsearch.described import printable
from gpsearch.errors import InvalidSearchError
from gpsearch.evaluation import Objective
from gpsearch.execution.plan import RepeatsPlan
from gpsearch.execution.progress import Progress
from gpsearch.execution.session import Session, read_cost, strategy_name
from gpsearch.execution.written_study import read_space, writing_study
from gpsearch.objective.function import as_objective
from gpsearch.space import Space
from gpsearch.strategy import STRATEGIES, Cost, Strategy, make_strategy, refuse_prior
from gpsearch.strategy.optimum_prior import (
    BY_NAME,
    OptimumPriorChoice,
    prior_in_words,
    prior_setting,
)
from gpsearch.study import Study
from gpsearch.study.study import StudyPath

StrategySpec = str | Strategy | Callable[..., Strategy]
LEAST_REPEATS = 2

COMPARISON = "comparison"  # what stands as the strategy in the settings of a comparison's study


def run_repeats(
    objective: Objective | Callable[[dict[str, Any]], Any],
    space: Any,
    *,
    strategies: Sequence[StrategySpec] | Mapping[str, StrategySpec],
    n_calls: int,
    n_repeats: int,
    study: StudyPath | Study | None,
    random_state: Any,
    n_initial_points: int | None,
    optimum_prior: OptimumPriorChoice,
    cost: Cost | None,
    greater_is_better: bool,
    progress: bool,
    **options: Any,
) -> tuple[Study, list[str]]:
    """Run every strategy in every repeat, or go on with it; the study, and the names of strategies.

    The arguments are those of `gpsearch.compare`; `options` are those of `Session`.
    """
    n_calls = whole("n_calls", n_calls, 1)
    n_initial_points = optional(whole, "n_initial_points", n_initial_points, 0)
    n_repeats = whole("n_repeats", n_repeats, 1)
    if n_repeats < LEAST_REPEATS:
        raise InvalidSearchError(
            "one run of each strategy cannot tell a difference from luck; it takes at least 2 "
            "repeats, and 5 or more to say much."
        ).about("n_repeats", n_repeats)
    specs = _read_strategies(strategies)
    takes_prior = {label: isinstance(spec, str) and spec == "gp" for label, spec in specs.items()}
    if not any(takes_prior.values()):
        refuse_prior(optimum_prior)
    session = Session(**options)
    space = read_space(space, study)
    space.require_feasible()
    objective = as_objective(objective, greater_is_better=greater_is_better)
    cost = read_cost(cost, objective)
    makers = {
        label: functools.partial(
            _make,
            spec,
            space,
            n_calls=n_calls,
            n_initial_points=n_initial_points,
            optimum_prior=optimum_prior if takes_prior[label] else BY_NAME,
            cost=cost,
        )
        for label, spec in specs.items()
    }
    # a strategy that cannot be made is refused before anything is evaluated
    expected = {label: prior_in_words(make(0)) for label, make in makers.items()}
    shown = Progress(len(specs) * n_repeats * n_calls, shown=progress)
    with (
        contextlib.closing(shown),
        writing_study(
            study,
            space=space,
            objective=objective,
            random_state=random_state,
            usual_seed=0,
            settings={
                "strategy": COMPARISON,
                "n_calls": n_calls,
                "n_initial_points": n_initial_points,
                "optimum_prior": prior_setting(optimum_prior),
                "cost": cost,
                "greater_is_better": greater_is_better,
            },
            first={
                "expected_optimum": {label: words for label, words in expected.items() if words},
                **session.settings(),
            },
            progress=shown,
        ) as writer,
    ):
        cost = writer.study.info.settings.get("cost")
        makers = {label: functools.partial(make, cost=cost) for label, make in makers.items()}
        session.conduct(
            writer,
            objective,
            RepeatsPlan(writer.study, makers, n_calls=n_calls, n_repeats=n_repeats, cost=cost),
            progress=shown,
        )
    return writer.study, list(specs)


def _read_strategies(
    strategies: Sequence[StrategySpec] | Mapping[str, StrategySpec],
) -> dict[str, StrategySpec]:
    named: list[tuple[str, StrategySpec]]
    if isinstance(strategies, Mapping):
        named = [(str(label), spec) for label, spec in strategies.items()]
    elif isinstance(strategies, str):
        named = [(strategies, strategies)]
    elif isinstance(strategies, Iterable):
        named = [(strategy_name(spec), spec) for spec in strategies]
    else:
        wanted = "a list of strategies, or a dict that names them"
        raise refusal(InvalidSearchError, "strategies", strategies, wanted)
    labels = [label for label, _ in named]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise InvalidSearchError(
            f"{twice[0]!r} occurs twice; name them in a dict, as in {{'{twice[0]} a': ..., "
            f"'{twice[0]} b': ...}}."
        ).about("strategies")
    if bad := [label for label in labels if printable(label) != label]:
        raise InvalidSearchError(
            f"the name {bad[0]!r} holds half of a surrogate pair; write whole characters."
        ).about("strategies")
    if len(labels) < 2:
        raise InvalidSearchError(
            f"it takes at least two to compare; choose among {', '.join(STRATEGIES)}, or pass "
            "your own."
        ).about("strategies", labels)
    return dict(named)


def _make(
    spec: StrategySpec, space: Space, seed: int, *, n_calls: int, **settings: Any
) -> Strategy:
    """The strategy of one run; `settings` are further arguments of `make_strategy`."""
    ready: Any = spec
    if isinstance(spec, type) or not (isinstance(spec, str) or hasattr(spec, "propose")):
        if not callable(spec):
            raise InvalidSearchError(
                f"{spec!r} is neither a strategy nor a function that makes one."
            ).about("strategies")
        try:
            ready = spec(space, seed=seed, n_calls=n_calls)
        except TypeError as error:
            raise InvalidSearchError(
                f"{spec!r} cannot make a strategy from (space, seed=..., n_calls=...): {error}."
            ).about("strategies") from error
    return make_strategy(ready, space, seed=seed, n_calls=n_calls, **settings)
