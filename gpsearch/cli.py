"""The command line: ``gpsearch run search.toml``, and commands that read its study.

=========== ====================================================================
exit code   meaning
=========== ====================================================================
0           done
1           the study holds no finished trial, or a comparison ended at its
            timeout before two complete repeats
2           the call, the configuration or the study is wrong, every trial failed
            with the same error, or a file cannot be written
3           an error that gpsearch did not expect, such as one of a callback
130         interrupted (Ctrl-C); the same command continues
143         terminated (SIGTERM); the same command continues
=========== ====================================================================

Each error is one sentence. No command writes over a study.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import math
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from gpsearch.analysis import search_gain
from gpsearch.comparison import Comparison, is_comparison, open_comparison
from gpsearch.comparison.summary import conclusions
from gpsearch.config import load_config
from gpsearch.config.python_objects import place_of
from gpsearch.errors import GPSearchError, StudyError
from gpsearch.execution import StopReason, progress
from gpsearch.execution.signals import end_process_soon
from gpsearch.execution.workers.job import sentence
from gpsearch.interruption import INTERRUPTED, interruptible
from gpsearch.study import Study, Trial
from gpsearch.study.duration import duration
from gpsearch.study.location import output_path, refuse_study, write_whole, writing_file
from gpsearch.study.lock import holder_of
from gpsearch.study.salvage import salvage
from gpsearch.version import __version__

DONE, NOTHING_FINISHED, WRONG, UNEXPECTED = 0, 1, 2, 3
EVALUATION = ("random_state", "timeout", "n_jobs", "executor")  # of both run and compare


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    if sys.stdout is None:  # closed by the caller
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    with contextlib.suppress(AttributeError):  # the terminal may lack characters of a value
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    with interruptible():
        try:
            try:
                return _command(argv)
            finally:
                with writing_file("standard output"):
                    sys.stdout.flush()
        except BrokenPipeError:  # `gpsearch export ... | head`
            return _end(DONE)
        except GPSearchError as error:
            return _end(WRONG, error.rule if error.argument == "path" else error)
        except KeyboardInterrupt:
            return _end(INTERRUPTED, "interrupted.")
        except Exception as error:  # of code of the user's, or a fault of gpsearch
            return _end(UNEXPECTED, f"{sentence(error)}{place_of(error)}")


def _command(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    arguments.command_line = shlex.join(["gpsearch", *(sys.argv[1:] if argv is None else argv)])
    return int(arguments.command(arguments))


def _end(code: int, message: object = "") -> int:
    """Say why a command ends, where that can be said, and give its exit code back."""
    with contextlib.suppress(OSError):
        if message and sys.stderr is not None:
            print(f"gpsearch: {message}", file=sys.stderr)
    try:
        sys.stdout.flush()
    except OSError:  # Python would try again at its end, and complain
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _say(text: str) -> None:
    with writing_file("standard output"):
        print(text)


# -------------------------------------------------------------------- commands


def _run(arguments: argparse.Namespace) -> int:
    config = load_config(arguments.config)
    chosen = _chosen(arguments, "study", "n_calls")
    record = Path(chosen.get("study", config.study))
    report = _output(arguments.report or config.report, beside=record)
    _require_suffix(report)
    with writing_file(record):
        record.parent.mkdir(parents=True, exist_ok=True)
    with _logged_trials():
        study = config.run(**chosen)
    if study.stop_reason == StopReason.INTERRUPTED.value:
        # no report: Ctrl-C returns to the prompt at once, and the search has printed how to go on
        end_process_soon()
        return INTERRUPTED
    if not study.complete:
        _say(f"{_state_line(study)}\n{_first_failure(study)}")
        return NOTHING_FINISHED
    _say(f"{_result(study)}\nEnded    {study.stop_reason}\nStudy    {study.path}")
    _write_page(study, report, arguments.command_line)
    gain = search_gain(study)
    _say(f"Report   {report}" + (f"\nGained   {gain}" if gain else ""))
    return DONE


def _compare(arguments: argparse.Namespace) -> int:
    chosen = _chosen(arguments, "study", "strategies", "n_calls", "n_repeats")
    runs = Path(arguments.subject).suffix == ".toml"
    if chosen and not runs:
        raise GPSearchError(
            f"{', '.join(chosen)} cannot be given for {arguments.subject}, a comparison that was "
            "made; give them with its configuration (.toml)."
        )
    config = load_config(arguments.subject) if runs else None
    study = Path(chosen.get("study", config.comparison["study"]) if config else arguments.subject)
    for path in filter(None, (arguments.output, arguments.report)):
        _output(path, beside=study)
    if arguments.report is not None:
        _require_suffix(arguments.report)
    try:
        with _logged_trials():
            comparison = config.compare(**chosen) if config else open_comparison(study)
    except StudyError:
        if not runs or not study.exists():
            raise
        if Study.open(study).stop_reason != StopReason.TIMEOUT.value:
            raise
        _say(_state_line(Study.open(study)))
        return NOTHING_FINISHED
    if arguments.output is not None:
        write_whole(Path(arguments.output), comparison.to_frame().to_csv(index=False).encode())
    if arguments.report is not None:
        _write_page(comparison, arguments.report, arguments.command_line if runs else "")
    if arguments.json:
        _say(json.dumps(_compared(comparison), indent=2, default=str))
        return DONE
    lines = [comparison.summary()]
    if ended := Study.open(study).stop_reason:
        lines.append(f"Ended    {ended}")
    lines.append(f"Study    {study}")
    if arguments.report is not None:
        lines.append(f"Report   {arguments.report}")
    _say("\n".join(lines))
    return DONE


@contextlib.contextmanager
def _logged_trials() -> Iterator[None]:
    """A line a trial on standard error, where there is no terminal for a bar."""
    if progress.has_display() or sys.stderr is None:
        yield
        return
    handler = logging.StreamHandler(sys.stderr)
    level = progress.logger.level
    progress.logger.addHandler(handler)
    progress.logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        progress.logger.removeHandler(handler)
        progress.logger.setLevel(level)


def _chosen(arguments: argparse.Namespace, *names: str) -> dict[str, Any]:
    """The options that the command line gives, as arguments of `search` or `compare`."""
    names = (*names, *EVALUATION)
    given = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def _show(arguments: argparse.Namespace) -> int:
    study = Study.open(arguments.study)
    if arguments.json:
        _say(json.dumps(_summary(study), indent=2, default=str))
    else:
        _say(_state_line(study))
        _say(_result(study) if study.complete else _first_failure(study))
    return DONE if study.complete else NOTHING_FINISHED


def _best(arguments: argparse.Namespace) -> int:
    study = Study.open(arguments.study)
    if not study.complete:
        return _end(NOTHING_FINISHED, f"no trial is complete. {_first_failure(study)}")
    if arguments.json:
        best = {"params": study.best_params, "score": study.best_score}
        _say(json.dumps(best, indent=2, default=str))
    else:
        _say(_params_lines(study.best_params))
    return DONE


def _export(arguments: argparse.Namespace) -> int:
    output = None if arguments.output is None else _output(arguments.output)
    frame = Study.open(arguments.study).to_frame()
    if arguments.format == "csv":
        text = frame.to_csv(index=False)
    else:
        rows = frame.to_dict(orient="records")
        exact = [{name: _json_value(value) for name, value in row.items()} for row in rows]
        text = json.dumps(exact, indent=2, default=str) + "\n"
    if output is not None:
        write_whole(output, text.encode(errors="backslashreplace"))
    else:
        _say(text.removesuffix("\n"))
    return DONE


def _report(arguments: argparse.Namespace) -> int:
    study = Study.open(arguments.study)
    suffix = f".{arguments.format or 'html'}"
    path = _output(arguments.output or Path(arguments.study).with_suffix(suffix))
    if arguments.format is not None and path.suffix != suffix:
        raise GPSearchError(
            f"--format {arguments.format} writes a file with the suffix {suffix}, and --output "
            f"{arguments.output} has another; give one of the two."
        )
    _write_page(open_comparison(study) if is_comparison(study) else study, path)
    _say(f"Report   {path}")
    return DONE


def _salvage(arguments: argparse.Namespace) -> int:
    study, lost = salvage(arguments.study, arguments.output)
    again = sum(trial.state == "running" for trial in study.trials)
    _say(f"Saved    {len(study.ended)} finished trials, and {again} to evaluate again")
    _say("\n".join(f"Lost     {what}" for what in lost or ["nothing"]))
    _say(f"Study    {study.path}")
    return DONE


def _output(path: str | Path, beside: Path | None = None) -> Path:
    """The path of a file to write, refused before anything is trained; its folder is made."""
    refuse_study(path)
    if beside is not None and os.path.realpath(path) == os.path.realpath(beside):
        raise StudyError(f"{path} is the path of the study, too; give the other file another name.")
    with writing_file(path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    return output_path(path)


def _require_suffix(path: str | Path) -> None:
    """Refuse a report of unknown format before anything is trained."""
    from gpsearch.report import require_suffix

    require_suffix(path)


def _write_page(subject: Study | Comparison, path: str | Path, command: str = "") -> None:
    from gpsearch.report import render_report  # imports matplotlib, which few commands need

    render_report(subject, path, command=command)


def _init(arguments: argparse.Namespace) -> int:
    text = resources.files("gpsearch").joinpath("init.toml").read_text(encoding="utf-8")
    _say(text.removesuffix("\n"))
    return DONE


# -------------------------------------------------------------------- what is printed


def _state_line(study: Study) -> str:
    states = [trial.state for trial in study.trials]
    counts = [f"{states.count(s)} {s}" for s in ("complete", "stopped", "failed", "running")]
    present = ", ".join(count for count in counts if not count.startswith("0 ")) or "no trial yet"
    assert study.path is not None
    holder = holder_of(study.path)
    if holder:
        now = f"{holder[0].upper()}{holder[1:]} is searching."
    elif study.stop_reason or not study.trials:
        now = study.stop_reason
    else:
        now = "No search is running; the same command continues it."
    return f"{study.path}: {present}. {now}".rstrip()


def _result(study: Study) -> str:
    best, trials = study.best_trial, study.trials
    works = [trial.work for trial in study.ended]
    known = [work for work in works if work is not None]
    work = f" (work of {duration(sum(known))})" if known and known == works else ""
    return "\n".join(
        [
            f"Best     trial {best.number}, {_score(best)}",
            _params_lines(study.best_params, indent="  "),
            f"Time     {duration(sum(trial.seconds for trial in trials))} of training{work}, "
            f"{len(trials)} trials",
        ]
    )


def _score(trial: Trial) -> str:
    score, error = f"score {trial.score:.6g}", trial.standard_error
    if math.isnan(error):
        return score
    return f"{score} ± {error:.2g} (standard error over {len(trial.folds)} folds)"


def _params_lines(params: dict[str, Any], indent: str = "") -> str:
    width = max(map(len, params))
    return "\n".join(
        f"{indent}{name:<{width}}  {format(value, '.6g') if isinstance(value, float) else value}"
        for name, value in params.items()
    )


def _first_failure(study: Study) -> str:
    reasons = [trial.reason for trial in study.trials if trial.state == "failed"]
    return f"The first failure: {reasons[0]}" if reasons else "No trial has ended."


def _json_value(value: Any) -> Any:
    """A cell with all digits of a number; null for what JSON has no number for."""
    if (isinstance(value, float) and not math.isfinite(value)) or str(value) == "NaT":
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value


def _compared(comparison: Comparison) -> dict[str, Any]:
    table = json.loads(comparison.table().to_json(orient="records"))  # NaN and infinity as null
    return {
        "n_calls": comparison.n_calls,
        "n_repeats": comparison.n_repeats,
        "baseline": comparison.baseline,
        "strategies": table,
        "conclusions": conclusions(comparison),
    }


def _summary(study: Study) -> dict[str, Any]:
    trials = study.trials
    finished = bool(study.complete)
    return {
        "study": str(study.path),
        "trials": {
            s: sum(trial.state == s for trial in trials)
            for s in ("complete", "stopped", "failed", "running")
        },
        "stop_reason": study.stop_reason,
        "writer": holder_of(study.path) or None if study.path is not None else None,
        "best": {
            "trial": study.best_trial.number,
            "score": study.best_score,
            "params": study.best_params,
        }
        if finished
        else None,
        "first_failure": _first_failure(study) if not finished else None,
    }


# -------------------------------------------------------------------- arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gpsearch", description="Bayesian search for Keras models."
    )
    parser.add_argument("--version", action="version", version=f"gpsearch {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run the search of a configuration file, or continue it")
    run.add_argument("config", help="a TOML file; `gpsearch init` writes one")
    run.add_argument("--study", help="path of the record, in place of the configuration's")
    run.add_argument("--report", help="path of the report, in place of the configuration's")
    run.add_argument("--n-calls", type=int, help="trainings in all, including earlier runs")
    _add_evaluation(run, n_jobs="trainings at once, each in a worker process")
    run.set_defaults(command=_run)

    compare = commands.add_parser(
        "compare", help="compare strategies over several runs each, or show a comparison"
    )
    compare.add_argument("subject", help="a TOML file to run or continue, or a comparison's study")
    compare.add_argument("--study", help="path of the record, in place of the configuration's")
    compare.add_argument("--strategies", nargs="+", help="such as: gp random grid tpe")
    compare.add_argument("--n-calls", type=int, help="trainings in each run")
    compare.add_argument("--n-repeats", type=int, help="runs of each strategy")
    _add_evaluation(compare, n_jobs="runs at once, each in a worker process")
    compare.add_argument("--json", action="store_true", help="print JSON, for programs")
    compare.add_argument("-o", "--output", help="a CSV file for every evaluation")
    compare.add_argument("--report", help="an HTML report to write")
    compare.set_defaults(command=_compare)

    show = commands.add_parser("show", help="the state of a search and its best trial")
    show.add_argument("study")
    show.add_argument("--json", action="store_true", help="print JSON, for programs")
    show.set_defaults(command=_show)

    best = commands.add_parser("best", help="the best configuration so far")
    best.add_argument("study")
    best.add_argument("--json", action="store_true", help="print JSON, for programs")
    best.set_defaults(command=_best)

    export = commands.add_parser("export", help="all trials as a table")
    export.add_argument("study")
    export.add_argument("--format", choices=["csv", "json"], default="csv")
    export.add_argument("-o", "--output", help="a file; standard output without it")
    export.set_defaults(command=_export)

    report = commands.add_parser("report", help="write the report of a study or a comparison")
    report.add_argument("study")
    report.add_argument("--format", choices=["html", "md"], help="by default that of the output")
    report.add_argument("-o", "--output", help="the file; the study's name with .html or .md")
    report.set_defaults(command=_report)

    damaged = commands.add_parser("salvage", help="save what can be read of a damaged study")
    damaged.add_argument("study")
    damaged.add_argument("-o", "--output", required=True, help="path of the new study")
    damaged.set_defaults(command=_salvage)

    init = commands.add_parser("init", help="print a commented configuration to start from")
    init.set_defaults(command=_init)
    return parser


def _add_evaluation(parser: argparse.ArgumentParser, *, n_jobs: str) -> None:
    """Add the options named in `EVALUATION`."""
    parser.add_argument("--random-state", type=int, help="seed")
    parser.add_argument("--timeout", type=float, help="seconds after which no training starts")
    parser.add_argument("--n-jobs", type=int, help=n_jobs)
    parser.add_argument(
        "--dask", dest="executor", metavar="ADDRESS", help="a Dask scheduler, as tcp://host:8786"
    )
