"""Optuna's tree-structured Parzen estimator on a gpsearch history.

The history is told to a fresh study for each proposal, and the sampler is seeded by the trial's
number, so that the proposal depends on nothing else. Categories are told as their indices, since
Optuna stores only strings, numbers and booleans.

Reference: Watanabe, "Tree-structured Parzen estimator", arXiv:2304.11127 (2023).
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gpsearch.errors import InvalidSearchError
from gpsearch.space import Categorical, Integer, Point, Space
from gpsearch.strategy.encoded_points import with_indices, without_indices
from gpsearch.strategy.strategy import History, Proposal, trial_rng, trial_seed
from gpsearch.strategy.unseen import Visited, draw_unseen

ATTEMPTS = 20  # proposals that may be infeasible or repeated before a random point is taken


class TPEStrategy:
    """Optuna's ``TPESampler``, with the settings of the installed version.

    Failed trials are told as failed, which the sampler ignores; pending ones as running. A
    proposal that is infeasible or repeats a point is drawn anew; in a space with conditions the
    sampler's groups are on, so that dimensions are modelled where they exist. `n_initial_points`
    are its ``n_startup_trials``; further options are arguments of ``TPESampler``.
    """

    name = "tpe"

    def __init__(
        self,
        space: Space,
        *,
        seed: int,
        n_calls: int = 100,
        n_initial_points: int = 10,
        **sampler_options: Any,
    ) -> None:
        self._optuna = optuna = load_optuna("strategy 'tpe'")
        self._space, self._seed, self._visited = space, seed, Visited(space)
        self._options = {"n_startup_trials": n_initial_points, **sampler_options}
        if space.when:
            self._options = {"multivariate": True, "group": True, **self._options}
        with quiet(optuna):  # an option that it does not have is refused before the first trial
            optuna.samplers.TPESampler(seed=0, **self._options)
        self._distributions = [
            distribution_of(optuna, dimension, range(len(getattr(dimension, "categories", ()))))
            for dimension in space.dimensions
        ]

    def propose(self, history: History, number: int) -> Proposal:
        """Sample the point of trial `number`; see `Strategy.propose`."""
        seen = self._visited(history)
        distributions = dict(zip(self._space.names, self._distributions, strict=True))
        with quiet(self._optuna):
            study = self._told(history, trial_seed(self._seed, number))
            for _ in range(ATTEMPTS):
                values = study.ask(distributions).params
                point = without_indices(self._space, [values[name] for name in self._space.names])
                if self._space.key(point) not in seen and self._space.feasible([point])[0]:
                    started = (~history.failed).sum() >= self._options["n_startup_trials"]
                    return Proposal(point, "model" if started else "initial")
        return draw_unseen(self._space, seen, trial_rng(self._seed, number))

    def _told(self, history: History, seed: int) -> Any:
        """An Optuna study that holds the history."""
        sampler = self._optuna.samplers.TPESampler(seed=seed, **self._options)
        study = self._optuna.create_study(sampler=sampler)
        state = self._optuna.trial.TrialState
        for point, loss, failed in zip(history.points, history.losses, history.failed, strict=True):
            study.add_trial(
                self._trial(point, state.FAIL)
                if failed
                else self._trial(point, state.COMPLETE, value=float(loss))
            )
        for point in history.pending:
            study.add_trial(self._trial(point, state.RUNNING))
        return study

    def _trial(self, point: Point, state: Any, value: float | None = None) -> Any:
        """Optuna's record of a point: the dimensions that exist for it, encoded."""
        exist = self._space.active(self._space.to_z([point]))[0]
        columns = zip(
            self._space.names,
            self._distributions,
            with_indices(self._space, point),
            exist,
            strict=True,
        )
        present = [(name, distribution, v) for name, distribution, v, here in columns if here]
        return self._optuna.trial.create_trial(
            state=state,
            value=value,
            params={name: v for name, _, v in present},
            distributions={name: distribution for name, distribution, _ in present},
        )


def load_optuna(what: str) -> Any:
    """Import Optuna, or raise InvalidSearchError: `what` needs it."""
    try:
        import optuna
    except ImportError as error:
        raise InvalidSearchError(
            f"{what} needs Optuna, which is not installed. Run pip install 'gpsearch[tpe]', or "
            "choose another."
        ) from error
    return optuna


def distribution_of(optuna: Any, dimension: Any, choices: Sequence[Any] | None = None) -> Any:
    """Optuna's distribution of a dimension; `choices` stand for its categories."""
    distributions = optuna.distributions
    if isinstance(dimension, Categorical):
        return distributions.CategoricalDistribution(list(choices or ()))
    log = dimension.prior == "log-uniform"
    if isinstance(dimension, Integer):
        return distributions.IntDistribution(int(dimension.low), int(dimension.high), log=log)
    return distributions.FloatDistribution(float(dimension.low), float(dimension.high), log=log)


@contextmanager
def quiet(optuna: Any) -> Iterator[None]:
    """Optuna without its line for each new study, and with the user's settings afterwards."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            # groups are marked experimental; the user did not choose them
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)
