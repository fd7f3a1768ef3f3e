"""The runs of a comparison, read from its study, or from the studies of several searches.

A comparison is a study like any other. The origin of a trial names its run: ``gp#2`` is a trial
of the strategy "gp" in repeat 2. Within a run, trials stand in the order of their numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gpsearch.arguments import instance_of, refusal
from gpsearch.comparison.comparison import Comparison
from gpsearch.errors import InvalidSearchError, StudyError, StudyMismatchError, public
from gpsearch.execution import StopReason
from gpsearch.execution.plan import run_of
from gpsearch.execution.repeats import COMPARISON, LEAST_REPEATS
from gpsearch.strategy import trial_seed
from gpsearch.strategy.unseen import ENUMERABLE
from gpsearch.study import Study, Trial, require_study
from gpsearch.study.info import what_differs
from gpsearch.study.study import StudyPath


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
            "makes one, and compare_studies compares several searches"
        )
    return complete_part(record, list(runs_of(record)))


def complete_part(study: Study, labels: Sequence[str], most: int | None = None) -> Comparison:
    """Make the comparison of the first repeats, at most `most`, that all strategies completed.

    Raises
    ------
    StudyError
        There are fewer than two.
    """
    runs = runs_of(study)
    complete = [_complete_repeats(study, runs.get(label, {})) for label in labels]
    n_repeats = min(complete if most is None else [*complete, most], default=0)
    if n_repeats < LEAST_REPEATS:
        raise StudyError(
            f"{study!r} holds {n_repeats} complete repeats of every strategy; a comparison needs "
            f"{LEAST_REPEATS}. The call that made it continues it."
        )
    return _comparison(
        study,
        {label: [runs[label][r] for r in range(n_repeats)] for label in labels},
        seeds=[trial_seed(study.seed, r) for r in range(n_repeats)],
        n_calls=int(study.info.settings["n_calls"]),
        info=study.info,
        path=study.path,
    )


@public()
def is_comparison(study: Study) -> bool:
    """Whether a study records a comparison, not a single search."""
    return require_study(study).info.settings.get("strategy") == COMPARISON


@public()
def compare_studies(studies: Mapping[str, Sequence[Study]]) -> Comparison:
    """Compare searches that were made one by one.

    Parameters
    ----------
    studies : dict of str to sequence of Study
        For each strategy its repeats. Every strategy needs the same seeds: repeats with equal
        seeds are compared with each other.

    Raises
    ------
    StudyMismatchError
        The studies differ in space, objective (and so perhaps in their folds) or seeds.
    InvalidSearchError
        Fewer than two strategies or repeats.
    StudyError
        A study has no complete trial.

    Examples
    --------
    >>> import gpsearch as gs
    >>> def find(strategy, seed):
    ...     return gs.search(lambda p: -p["x"] ** 2, {"x": (-1.0, 1.0)}, n_calls=5,
    ...                      strategy=strategy, random_state=seed, progress=False)
    >>> compare_studies({s: [find(s, 0), find(s, 1)] for s in ("sobol", "random")})
    <Comparison of sobol, random: 2 repeats of 5 evaluations>
    """
    wanted = "a dict from a strategy's name to its studies"
    instance_of("studies", studies, Mapping, wanted)
    for repeats in studies.values():
        if not isinstance(repeats, Sequence) or not all(isinstance(s, Study) for s in repeats):
            raise refusal(InvalidSearchError, "studies", studies, wanted)
    labelled = [(label, study) for label, repeats in studies.items() for study in repeats]
    if not labelled:
        raise InvalidSearchError("compare_studies: there is no study to compare")
    home, first = labelled[0]
    for label, study in labelled:
        differs = what_differs(first.info, study.info, (repr(home), repr(label)))
        if not differs and study.greater_is_better != first.greater_is_better:
            differs = "losses and not scores, or the other way round"
        if differs:
            raise StudyMismatchError(
                f"compare_studies: {label!r} with random_state {study.seed} searched {differs} "
                f"than {home!r}; strategies are compared on the same space, folds and model. "
                "Search anew, or leave the study out."
            )
    seeds = {label: sorted(study.seed for study in repeats) for label, repeats in studies.items()}
    (label, ours), *rest = seeds.items()
    for other, theirs in rest:
        if theirs != ours or len(set(theirs)) < len(theirs):
            raise StudyMismatchError(
                f"compare_studies: {label!r} was searched with random_state {ours}, {other!r} "
                f"with {theirs}; every strategy needs the same seeds, each once, so that equal "
                "seeds are compared. Run the missing searches, or leave studies out."
            )
    runs = {
        label: [
            [trial for trial in study.trials if trial.finished]
            for study in sorted(repeats, key=lambda study: study.seed)
        ]
        for label, repeats in studies.items()
    }
    n_calls = max(len(trials) for repeats in runs.values() for trials in repeats)
    return _comparison(first, runs, seeds=ours, n_calls=n_calls)


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


def _comparison(
    study: Study,
    runs: Mapping[str, Sequence[Sequence[Trial]]],
    *,
    seeds: Sequence[int],
    **more: Any,
) -> Comparison:
    """A comparison of these runs, of what `study` searched."""
    return Comparison(
        runs={label: tuple(map(tuple, repeats)) for label, repeats in runs.items()},
        seeds=tuple(seeds),
        space=study.space,
        greater_is_better=study.greater_is_better,
        score_name=study.score_name,
        name=str(study.info.description.get("name", "")),
        **more,
    )
