"""One call on a study, from its arguments to its end: what a search and a comparison share."""

import contextlib
import logging
import math
import signal
import time
from typing import Any

from joblib import cpu_count

from gpsearch.arguments import (
    boolean,
    function_of,
    is_number,
    is_whole,
    optional,
    positive,
    refusal,
    whole,
)
from gpsearch.described import counted
from gpsearch.errors import InvalidObjectiveError, InvalidSearchError, StudyError
from gpsearch.evaluation import Objective, measures_work
from gpsearch.execution.dispatch import Events, run_concurrently
from gpsearch.execution.plan import Plan
from gpsearch.execution.rules.racing import FoldRule, paired
from gpsearch.execution.rules.stopping import StopReason
from gpsearch.execution.run import Run, run_serially
from gpsearch.execution.signals import SHELL_EXIT, end_process_soon, stoppable
from gpsearch.execution.workers.channel import FoldReceiver
from gpsearch.execution.workers.devices import available_devices
from gpsearch.execution.workers.executors import (
    DaskWorkers,
    ExecutorWorkers,
    Workers,
    is_remote,
    pack,
)
from gpsearch.execution.workers.job import sentence
from gpsearch.execution.workers.mapped_arrays import SharedArrays
from gpsearch.interruption import Terminated
from gpsearch.strategy import Cost
from gpsearch.study import StudyWriter

logger = logging.getLogger("gpsearch")

UNREACHABLE = 1e9  # seconds: 31 years
MEGABYTES = 100, 10**8
"""What a limit of memory lies between: a worker holds 60 before its first trial (measured), and no
worker could use the other, so a number beyond is in another unit."""


class Session:
    """Where a search or a comparison evaluates, and for how long.

    The arguments are those of `gpsearch.search`; `timeout` is counted from now.
    """

    def __init__(
        self,
        *,
        n_jobs: Any,
        executor: Any,
        isolate: bool,
        trial_timeout: Any,
        memory_limit: Any,
        racing: Any,
        timeout: Any,
        max_same_errors: Any,
    ) -> None:
        seconds = optional(positive, "timeout", timeout, "seconds")
        self._deadline = math.inf if seconds is None else time.monotonic() + seconds
        self._n_jobs = n_jobs = _read_jobs(n_jobs)
        self._executor = executor
        isolate = boolean("isolate", isolate)
        self._trial_timeout = _read_seconds("trial_timeout", trial_timeout)
        self._memory_limit = _read_memory(memory_limit)
        limits = self._trial_timeout, self._memory_limit
        self._is_isolated = isolate or limits != (None, None)
        self._fold_rule = _read_racing(racing)
        if is_number(max_same_errors) and max_same_errors == math.inf:
            max_same_errors = None
        self._max_same_errors = optional(whole, "max_same_errors", max_same_errors, 1)
        # one worker may have all of them
        self._devices = available_devices() if executor is None and (n_jobs or 1) > 1 else []
        if executor is not None and self._is_isolated:
            raise InvalidSearchError(
                "leaves time and memory to the executor; isolate, trial_timeout and memory_limit "
                "belong to the search's own worker processes. Drop one or the other."
            ).about("executor", executor)

    def conduct(
        self, writer: StudyWriter, objective: Objective, plan: Plan, **options: Any
    ) -> None:
        """Drive a `Run` to its end, and record why; after Ctrl-C it returns, SIGTERM exits."""
        run = Run(
            writer,
            objective,
            plan,
            deadline=self._deadline,
            fold_rule=self._fold_rule,
            max_same_errors=self._max_same_errors,
            **options,
        )
        writer.set_stop_reason("")
        writer.set_budget(run.progress.n_calls)
        if not options.get("make_contest"):
            writer.set_confirmation(None)
        try:
            with contextlib.closing(run.progress), stoppable():
                self._drive(run)
                if verdict := run.verdict():
                    writer.set_confirmation(verdict)
                run.progress.last_lines([*run.told_reason(), *run.study.confirmed()])
        except KeyboardInterrupt:
            run.reason = StopReason.INTERRUPTED.value
        except Terminated:
            run.reason = StopReason.TERMINATED.value
        except Exception as error:
            with contextlib.suppress(StudyError):  # as where the error is that it cannot be written
                writer.set_stop_reason(f"{StopReason.ERROR.value} ({sentence(error)})")
            raise
        failed = None if run.reason else run.repeated_error()
        if failed is not None:
            run.reason = f"{StopReason.SAME_ERROR.value} ({failed.reason})"
        writer.set_stop_reason(run.reason)
        if failed is not None:
            raise InvalidObjectiveError(
                "every trial so far failed with the same error. Mend it, and the same call "
                "evaluates them again; an objective whose own code or data changed needs a new "
                "study. "
                f"{failed.reason}\n\nOf trial {failed.number}:\n{failed.traceback}"
            ).about("objective")
        if run.reason in (StopReason.INTERRUPTED.value, StopReason.TERMINATED.value):
            study, n = run.study, len(run.study.ended)
            kept = f"in {study.path}" if study.path else "in memory: pass the study to continue"
            logger.warning(
                "%s %s finished; everything so far is %s.",
                run.reason,
                f"{counted(n, 'trial')} {'is' if n == 1 else 'are'}",
                kept,
            )
        if run.reason == StopReason.TERMINATED.value:
            end_process_soon()
            raise SystemExit(SHELL_EXIT + signal.SIGTERM)

    def settings(self, n_folds: int | None = None) -> dict[str, Any]:
        """What a new study records of it; the racing rule where there are several folds."""
        told: dict[str, Any] = {}
        if self._devices:
            told["devices"] = f"{self._n_jobs} workers have {', '.join(self._devices)} in turn"
        if (n_folds or 1) > 1:
            rule = self._fold_rule
            told["racing"] = rule and getattr(rule, "__name__", type(rule).__name__)
        return told

    def _drive(self, run: Run) -> None:
        if self._executor is None and not self._is_isolated and (self._n_jobs or 1) == 1:
            run_serially(run)
            return
        events = Events()
        with (
            contextlib.closing(SharedArrays()) as arrays,
            contextlib.closing(FoldReceiver(events.fold_ended)) as receiver,
            contextlib.closing(events),
        ):
            workers = self._open_workers(run, events, receiver, arrays)
            try:
                run_concurrently(run, workers, events)
            except BaseException:
                events.close()
                workers.close(at_once=True)
                raise
            workers.close(at_once=False)

    def _open_workers(
        self, run: Run, events: Events, receiver: FoldReceiver, arrays: SharedArrays
    ) -> Workers:
        if self._executor is None:
            # Imported here: a search in this process does not need its library.
            from gpsearch.execution.workers.pool import IsolatedWorkers

            return IsolatedWorkers(
                pack(run.objective, receiver.address, arrays=arrays),
                self._n_jobs or 1,
                time_limit=self._trial_timeout,
                memory_limit=self._memory_limit,
                devices=self._devices,
            )
        if is_remote(self._executor):
            return DaskWorkers(
                self._executor, run.objective, n_jobs=self._n_jobs, address=receiver.address
            )
        return ExecutorWorkers(
            self._executor,
            run.objective,
            n_jobs=self._n_jobs,
            sink=events.fold_ended,
            address=receiver.address,
            arrays=arrays,
        )


def read_cost(cost: Any, objective: Objective) -> Cost | None:
    """Read an argument ``cost``; None where all evaluations count alike."""
    if cost not in (None, "work", "seconds"):
        raise refusal(InvalidSearchError, "cost", cost, "'work' or 'seconds'", also="None")
    return None if cost == "work" and not measures_work(objective) else cost


def strategy_name(strategy: Any) -> str:
    """Name of a strategy, or of a function that makes one."""
    if isinstance(strategy, str):
        return strategy
    own = getattr(strategy, "__name__", type(strategy).__name__)
    return str(getattr(strategy, "name", own))


def _read_seconds(name: str, value: Any) -> float | None:
    """Read a limit of time; one that no trial can reach, such as infinity, is none."""
    if value is None or positive(name, value, "seconds", also="None") >= UNREACHABLE:
        return None
    return float(value)


def _read_memory(value: Any) -> float | None:
    """Read a limit of memory; infinity is none."""
    if value is None or positive("memory_limit", value, "megabytes", also="None") == math.inf:
        return None
    least, most = MEGABYTES
    if least <= value <= most:
        return float(value)
    small = value < least
    rule = f"at least {least}" if small else f"at most {most}"
    why = "a worker process alone takes so many megabytes" if small else "it counts megabytes"
    meant, unit = (value * 1000, "gigabytes") if small else (value / 1e6, "bytes")
    remedy = f"{meant:.0f} for {value:.12g} {unit}, or " if least <= meant <= most else ""
    raise InvalidSearchError(f"must be {rule}: {why}. Write {remedy}None for no limit.").about(
        "memory_limit", value
    )


def _read_jobs(n_jobs: Any) -> int | None:
    """Trials at once: None leaves it to the executor, -1 is one for each core."""
    if is_whole(n_jobs) and n_jobs == -1:
        return cpu_count()
    return None if n_jobs is None else whole("n_jobs", n_jobs, 1, also="-1 for all cores, or None")


def _read_racing(racing: Any) -> FoldRule | None:
    """Read a racing rule, by name or as it is."""
    if racing is None:
        return None
    if isinstance(racing, str) and racing == "paired":
        return paired
    if not callable(racing):
        wanted = "'paired', or a function of the study and the trial"
        raise refusal(InvalidSearchError, "racing", racing, wanted, also="None")
    function_of("racing", racing, "the study", "the trial")
    rule: FoldRule = racing
    return rule
