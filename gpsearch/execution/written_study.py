"""The study that a search or a comparison writes: the one it continues, or a new one."""

import contextlib
import logging
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gpsearch.arguments import is_whole, refusal
from gpsearch.errors import InvalidSearchError, StudyError
from gpsearch.evaluation import UNBOUNDED, Objective
from gpsearch.execution.progress import Progress
from gpsearch.phases import phase
from gpsearch.space import Space
from gpsearch.study import Study, StudyWriter
from gpsearch.study.location import study_path
from gpsearch.study.study import StudyPath

logger = logging.getLogger("gpsearch")

SEED_BITS = 32


def read_space(space: Any, study: StudyPath | Study | None) -> Space:
    """Read a space; that of the study where they are equal, which has its own categories."""
    space = space if isinstance(space, Space) else Space(space)
    return study.space if isinstance(study, Study) and study.space == space else space


@contextlib.contextmanager
def writing_study(
    study: StudyPath | Study | None,
    *,
    space: Space,
    objective: Objective,
    random_state: Any,
    usual_seed: int | None = None,
    settings: Mapping[str, Any],
    first: Mapping[str, Any],
    progress: Progress,
) -> Iterator[StudyWriter]:
    """Write to the study that a call continues, or that it makes, once the objective is checked.

    An existing study must have the same `settings`, which decide the course of the search; `first`
    are further settings of a new study, which may differ when it is continued. A new study without
    a `random_state` has the `usual_seed`, or a fresh one; where the call ends with an error before
    its first trial, it is removed. A study that was begun before costs counted gets no ``cost``.
    """
    path = None if study is None or isinstance(study, Study) else study_path(study)
    progress.announce(objective, study)
    with phase("checking the objective"):
        objective.validate(space)
    made: Path | None = None
    seed = None if random_state is None else read_seed(random_state)
    bounds = getattr(objective, "score_bounds", UNBOUNDED)
    if bounds != UNBOUNDED:
        ends = [end if math.isfinite(end) else None for end in bounds]
        first = {**first, "score_bounds": ends}
    recorded = {**settings, **first}
    identity: dict[str, Any] = {
        "space": space,
        "objective_fingerprint": objective.fingerprint(),
        "description": objective.describe(),
    }
    if isinstance(study, Study):
        record = study
    elif path is not None and path.exists():
        record = Study.open(path)
    else:
        try:
            record = Study.create(
                path,
                seed=read_seed(usual_seed) if seed is None else seed,
                settings=recorded,
                **identity,
            )
            made = path and path.resolve()
        except StudyError:
            if path is None or not path.exists():
                raise
            record = Study.open(path)  # another process has made it meanwhile
    if "cost" not in record.info.settings and record.trials:  # begun before costs counted
        if settings.get("cost") is not None:
            logger.warning("the study is of an earlier gpsearch: it goes on with cost=None")
        settings = {name: value for name, value in settings.items() if name != "cost"}
        recorded = {**settings, **first}
    seed = record.seed if seed is None else seed
    record.require_same(seed=seed, settings=settings, **identity)
    record.objective = objective
    with record.writing() as writer:
        writer.add_settings(recorded)  # a study of an earlier gpsearch lacks some
        try:
            yield writer
        except Exception:
            if made and all(trial.is_given for trial in writer.trials):
                made.unlink(missing_ok=True)
            raise


def read_seed(random_state: Any) -> int:
    """Seed of a search; a fresh one for None."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(0, 2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(0, 2**SEED_BITS))
    if is_whole(random_state) and 0 <= int(random_state) < 2**SEED_BITS:
        return int(random_state)
    wanted = "an integer from 0 to 2**32 - 1, a NumPy RandomState or Generator"
    raise refusal(InvalidSearchError, "random_state", random_state, wanted, also="None")
