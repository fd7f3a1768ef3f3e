"""What a run evaluates next: one search, or several strategies several times each.

`Run` records, races, watches the clock and calls the callbacks; a plan decides which trial starts
next. It is a function of the study: a new plan continues where the study stands.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from gpsearch.errors import SpaceExhaustedError
from gpsearch.execution.rules.stopping import StopReason
from gpsearch.space import Point, Space
from gpsearch.strategy import Cost, Strategy, source_of, trial_seed
from gpsearch.strategy.history import history_of
from gpsearch.study import Study, StudyWriter, Trial, part_of

Start = dict[str, Any]
"""A trial to start: the arguments of `StudyWriter.start_trial`."""


class Plan(Protocol):
    """Decides what a `Run` evaluates; writes nothing."""

    def trials(self) -> list[Trial]:
        """Trials of the study that belong to the plan and count against its budget."""

    def over(self) -> StopReason | None:
        """Why nothing more will start; None where something may."""

    def next(self) -> Start | None:
        """The next trial; None where none may start before a running one has ended."""

    def known(self, trial: Trial) -> Trial | None:
        """A finished trial with the same evaluation as `trial`, which then is not run again."""

    def seen_by(self, trial: Trial) -> tuple[Study, Trial]:
        """The search that `trial` is part of, and the trial in it: arguments of a racing rule."""


class SearchPlan:
    """The study's queue, then one strategy, up to `n_calls` trials without a given score."""

    def __init__(
        self, writer: StudyWriter, strategy: Strategy, *, n_calls: int, cost: Cost | None = None
    ) -> None:
        self._writer, self._study = writer, writer.study
        self._strategy, self._n_calls, self._cost = strategy, n_calls, cost
        self._exhausted = False
        self._points: dict[int, Point] = {}

    def trials(self) -> list[Trial]:
        """All but those with a given score."""
        return [trial for trial in self._study.trials if not trial.is_given]

    def over(self) -> StopReason | None:
        """Whether the budget or the space is used up."""
        if self._exhausted:
            return StopReason.EXHAUSTED
        return StopReason.BUDGET if len(self.trials()) >= self._n_calls else None

    def next(self) -> Start | None:
        """The first of the queue, or what the strategy proposes."""
        study, trials = self._study, self._study.trials
        seed = trial_seed(study.seed, len(trials))
        if (queued := self._writer.next_queued()) is not None:
            return Start(
                params=dict(queued.params),
                seed=seed,
                origin=queued.origin,
                proposal="queued",
                queued=queued.id,
            )
        history = history_of(study.space, trials, self._points, self._cost)
        try:
            point = self._strategy.propose(history, len(trials))
        except SpaceExhaustedError:
            self._exhausted = True
            return None
        return Start(
            params=study.space.params(point),
            seed=seed,
            origin=self._strategy.name,
            proposal=source_of(point),
        )

    def known(self, trial: Trial) -> Trial | None:
        """None: a search evaluates each of its trials."""
        return None

    def seen_by(self, trial: Trial) -> tuple[Study, Trial]:
        """The study as it is."""
        return self._study, trial


@dataclass(kw_only=True)
class _StrategyRun:
    """One strategy in one repeat: a search of its own among the trials of the study."""

    label: str
    repeat: int
    seed: int
    """Seed of the repeat: that of each of its strategies."""
    strategy: Strategy | None = None
    """Made when it is first used."""
    start: Start | None = None
    """What it proposed, while another run evaluates the same."""
    exhausted: bool = False
    points: dict[int, Point] = field(default_factory=dict)


class RepeatsPlan:
    """Several strategies, several repeats of each, in the order of the repeats.

    A run has one trial at a time, so that it is the same whatever runs beside it: only different
    runs go side by side. Equal configurations of a repeat have the same seed and are evaluated
    once; a run that proposes what another is evaluating waits for it. `strategies` make a strategy
    from the seed of a repeat.
    """

    def __init__(
        self,
        study: Study,
        strategies: Mapping[str, Callable[[int], Strategy]],
        *,
        n_calls: int,
        n_repeats: int,
        cost: Cost | None = None,
    ) -> None:
        self._study, self._strategies, self._n_calls = study, strategies, n_calls
        self._cost = cost
        self._n_read = 0
        self._by_origin: dict[str, list[int]] = {}
        """Numbers of the trials of each run."""
        self._by_key: dict[Hashable, list[int]] = {}
        """Numbers of the trials with the same evaluation."""
        self._runs = {
            origin_of(label, repeat): _StrategyRun(
                label=label, repeat=repeat, seed=trial_seed(study.seed, repeat)
            )
            for repeat in range(n_repeats)
            for label in strategies
        }

    def trials(self) -> list[Trial]:
        """Those of the runs of this plan; a study may hold further strategies."""
        return [trial for trial in self._study.trials if trial.origin in self._runs]

    def over(self) -> StopReason | None:
        """Whether every run has made its trials, or exhausted the space."""
        self._read()
        return StopReason.REPEATS if all(map(self._is_over, self._runs)) else None

    def next(self) -> Start | None:
        """The next trial of the first run that has none running."""
        trials = self._read()
        starts = (self._next_of(origin, trials) for origin in self._runs)
        return next((start for start in starts if start is not None), None)

    def known(self, trial: Trial) -> Trial | None:
        """The evaluation of the same configuration in the same repeat, with the most folds."""
        trials = self._read()
        alike = [trials[number] for number in self._by_key[self._key(trial)]]
        alike = [one for one in alike if one.finished]
        return min(alike, key=lambda t: (t.state == "stopped", -len(t.folds)), default=None)

    def seen_by(self, trial: Trial) -> tuple[Study, Trial]:
        """The trials of its run, numbered from 0."""
        trials = self._read()
        numbers = self._by_origin[trial.origin]
        part = part_of(self._study, numbered([trials[number] for number in numbers]))
        return part, part.trials[numbers.index(trial.number)]

    def _next_of(self, origin: str, trials: list[Trial]) -> Start | None:
        run, space = self._runs[origin], self._study.space
        if self._is_over(origin):
            return None
        own = [trials[number] for number in self._by_origin.get(origin, [])]
        if not all(trial.finished for trial in own):
            return None
        if run.start is None:
            if run.strategy is None:
                run.strategy = self._strategies[run.label](run.seed)
            history = history_of(space, numbered(own), run.points, self._cost)
            try:
                point = run.strategy.propose(history, len(own))
            except SpaceExhaustedError:
                run.exhausted = True
                return None
            params = space.params(point)
            seed = evaluation_seed(run.seed, space, params)
            proposal = source_of(point)
            run.start = Start(params=params, seed=seed, origin=origin, proposal=proposal)
        key = (run.repeat, space.key(space.point(run.start["params"])))
        if any(not trials[number].finished for number in self._by_key.get(key, [])):
            return None
        start, run.start = run.start, None
        return start

    def _is_over(self, origin: str) -> bool:
        n_trials = len(self._by_origin.get(origin, []))
        return self._runs[origin].exhausted or n_trials >= self._n_calls

    def _read(self) -> list[Trial]:
        """The trials of the study; those that are new are noted by run and by evaluation."""
        trials = self._study.trials
        for trial in trials[self._n_read :]:
            self._by_origin.setdefault(trial.origin, []).append(trial.number)
            self._by_key.setdefault(self._key(trial), []).append(trial.number)
        self._n_read = len(trials)
        return trials

    def _key(self, trial: Trial) -> Hashable:
        """Repeat and configuration: what makes two evaluations the same."""
        space = self._study.space
        return run_of(trial)[1], space.key(space.point(trial.params))


def origin_of(label: str, repeat: int) -> str:
    """Origin of the trials of one run: ``gp#2`` are those of "gp" in repeat 2."""
    return f"{label}#{repeat}"


def run_of(trial: Trial) -> tuple[str, int]:
    """Label and repeat of the run that a trial belongs to."""
    label, _, repeat = trial.origin.rpartition("#")
    return label, int(repeat)


def numbered(trials: Sequence[Trial]) -> list[Trial]:
    """Trials of one run, numbered from 0 as in a search of its own."""
    return [dataclasses.replace(trial, number=number) for number, trial in enumerate(trials)]


def evaluation_seed(seed: int, space: Space, params: Mapping[str, Any]) -> int:
    """Seed of an evaluation: from the repeat's seed and the configuration alone."""
    identity: Hashable = space.key(space.point(params))
    digest = hashlib.sha256(repr(identity).encode()).digest()
    words = tuple(int(word) for word in np.frombuffer(digest, dtype="<u4"))
    return int(np.random.SeedSequence(seed, spawn_key=words).generate_state(1)[0])
