"""One call on a study, from its arguments to its end: what a search and a comparison share."""

from __future__ import annotations

import contextlib
import logging
import math
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gpsearch.arguments import boolean, optional, positive
from gpsearch.errors import StudyError
from gpsearch.evaluation import Objective
from gpsearch.execution.placement import Placement, drive
from gpsearch.execution.rules.racing import FoldRule
from gpsearch.execution.rules.stopping import StopReason
from gpsearch.execution.run import Run
from gpsearch.execution.search_arguments import read_jobs, read_racing, read_seed
from gpsearch.execution.signals import SHELL_EXIT, Terminated, end_process_soon, stoppable
from gpsearch.execution.workers.job import sentence
from gpsearch.space import Space
from gpsearch.study import Study
from gpsearch.study.location import study_path
from gpsearch.study.study import StudyPath

logger = logging.getLogger("gpsearch")


@dataclass(frozen=True, kw_only=True)
class Session:
    """How a search or a comparison evaluates, and for how long."""

    placement: Placement
    """Where trials run."""
    fold_rule: FoldRule | None
    """Whether a trial goes on after a fold."""
    deadline: float
    """`time.monotonic` after which no trial starts; infinity for none."""

    @classmethod
    def read(
        cls,
        *,
        n_jobs: Any,
        executor: Any,
        isolate: bool,
        trial_timeout: Any,
        memory_limit: Any,
        racing: Any,
        timeout: Any,
    ) -> Session:
        """Read arguments of `gpsearch.search`; `timeout` is counted from now."""
        seconds = optional(positive, "timeout", timeout, "seconds")
        return cls(
            placement=Placement(
                n_jobs=read_jobs(n_jobs),
                executor=executor,
                isolate=boolean("isolate", isolate),
                trial_timeout=optional(positive, "trial_timeout", trial_timeout, "seconds"),
                memory_limit=optional(positive, "memory_limit", memory_limit, "megabytes"),
            ),
            fold_rule=read_racing(racing),
            deadline=math.inf if seconds is None else time.monotonic() + seconds,
        )

    def conduct(self, run: Run) -> None:
        """Drive a run to its end, whatever ends it, and record why.

        After Ctrl-C it returns; SIGTERM ends the process.
        """
        run.writer.set_stop_reason("")
        try:
            with contextlib.closing(run.progress), stoppable():
                drive(run, self.placement)
        except KeyboardInterrupt:
            run.reason = StopReason.INTERRUPTED.value
        except Terminated:
            run.reason = StopReason.TERMINATED.value
        except Exception as error:
            with contextlib.suppress(StudyError):  # as where the error is that it cannot be written
                run.writer.set_stop_reason(f"{StopReason.ERROR.value} ({sentence(error)})")
            raise
        run.writer.set_stop_reason(run.reason)
        if run.reason in (StopReason.INTERRUPTED.value, StopReason.TERMINATED.value):
            _say_how_to_continue(run.study, run.reason)
        if run.reason == StopReason.TERMINATED.value:
            end_process_soon()
            raise SystemExit(SHELL_EXIT + signal.SIGTERM)


def read_space(space: Any, study: StudyPath | Study | None) -> Space:
    """Read a space; that of the study where they are equal, which has its own categories."""
    space = space if isinstance(space, Space) else Space(space)
    return study.space if isinstance(study, Study) and study.space == space else space


def open_study(
    study: StudyPath | Study | None,
    *,
    space: Space,
    objective: Objective,
    random_state: Any,
    settings: Mapping[str, Any],
    first: Mapping[str, Any] | None = None,
) -> Study:
    """Open the study that a call continues, or make it.

    An existing study must have the same `settings`, which decide the course of the search; `first`
    are further settings of a new study, which may differ when it is continued.

    Raises
    ------
    StudyMismatchError
        The study holds another search.
    """
    path = None if study is None or isinstance(study, Study) else study_path(study)
    seed = None if random_state is None else read_seed(random_state)
    identity: dict[str, Any] = {
        "space": space,
        "objective_fingerprint": objective.fingerprint(),
        "description": objective.describe(),
    }
    if isinstance(study, Study):
        record = study
    elif path is not None and path.exists():
        record = Study.open(path, space=space)
    else:
        return Study.create(
            path,
            seed=read_seed(None) if seed is None else seed,
            settings={**settings, **(first or {})},
            objective=objective,
            **identity,
        )
    seed = record.seed if seed is None else seed
    record.require_same(seed=seed, settings=settings, **identity)
    record.objective = objective
    return record


def _say_how_to_continue(study: Study, reason: str) -> None:
    where = "in memory: pass the study to continue" if study.path is None else f"in {study.path}"
    n = len(study.ended)
    logger.warning("%s %d trials are finished; everything so far is %s.", reason, n, where)
