"""The commands that take a configuration: ``run``, ``widen``, ``compare``, ``best --ensemble``."""

import argparse
import shlex
from pathlib import Path
from typing import Any

from gpsearch.analysis import search_gain
from gpsearch.analysis.ensemble_selection import fit_ensemble, select_ensemble
from gpsearch.cli.records import json_text, output_file
from gpsearch.cli.standing import first_failure, result_lines, standing_lines, state_line
from gpsearch.cli.terminal import DONE, NOTHING_FINISHED, end, fact, label, say, waiting
from gpsearch.comparison import Comparison, is_comparison, open_comparison
from gpsearch.comparison.summary import conclusions
from gpsearch.config import Config, load_config
from gpsearch.errors import GPSearchError, StudyError
from gpsearch.execution import StopReason
from gpsearch.execution.progress import end_untold
from gpsearch.execution.signals import end_process_soon
from gpsearch.interruption import INTERRUPTED
from gpsearch.report import render_report, require_suffix
from gpsearch.study import Study
from gpsearch.study.location import at_home, beside, write_whole, writing_file
from gpsearch.study.widening import widen as widen_study
from gpsearch.training.quiet_import import quiet_tensorflow

EVALUATION = ("random_state", "timeout", "n_jobs", "executor")  # of both run and compare


def run(arguments: argparse.Namespace) -> int:
    """Run the search of a configuration, or go on with it."""
    config = _load(arguments.config)
    chosen = _chosen(arguments, "study", "n_calls")
    record = at_home(chosen.get("study", config.study))
    page = config.report if "report" in config.source.content else beside(record, ".html")
    report = output_file(arguments.report or page, beside=record)
    require_suffix(report)
    with writing_file(record):
        record.parent.mkdir(parents=True, exist_ok=True)
    with end_untold():  # it is told below, wherever standard output goes
        study = config.run(**chosen)
    if study.stop_reason == StopReason.INTERRUPTED.value:
        # no report: Ctrl-C returns to the prompt at once, and the search has printed how to go on
        end_process_soon()
        return INTERRUPTED
    if not study.complete:
        say("\n".join(standing_lines(study)))
        return NOTHING_FINISHED
    lines = [*result_lines(study), fact("Ended", study.stop_reason)]
    say("\n".join([*lines, f"{label('Study')}{study.path}"]))
    render_report(study, report, command=arguments.command_line)
    gain = search_gain(study)
    say(f"{label('Report')}{report}" + (f"\n{fact('Gained', gain)}" if gain else ""))
    return DONE


def widen(arguments: argparse.Namespace) -> int:
    """Carry a study into the wider space of a configuration."""
    config = _load(arguments.config)
    record = at_home(arguments.study or config.study)
    if is_comparison(Study.open(record)):
        raise GPSearchError(f"{record} holds a comparison, which cannot be carried over.")
    study, backup = widen_study(record, space=config.space, objective=config.objective)
    say(f"{label('Widened')}{study.path}; its {len(study.ended)} trials count as known")
    say(f"{label('Before')}{backup}")
    at = "" if record == Path(config.study) else f" --study {shlex.quote(str(record))}"
    say(f"{label('Next')}gpsearch run {shlex.quote(arguments.config)}{at}")
    return DONE


def compare(arguments: argparse.Namespace) -> int:
    """Run or continue a comparison, or show one."""
    chosen = _chosen(arguments, "study", "strategies", "n_calls", "n_repeats")
    runs = Path(arguments.subject).suffix == ".toml"
    if chosen and not runs:
        raise GPSearchError(
            f"{', '.join(chosen)} cannot be given for {arguments.subject}, a comparison that was "
            "made; give them with its configuration (.toml)."
        )
    config = _load(arguments.subject) if runs else None
    named = chosen.get("study", config.comparison["study"]) if config else arguments.subject
    study = at_home(named)
    output, page = (
        None if path is None else output_file(path, beside=study)
        for path in (arguments.output, arguments.report)
    )
    if page is not None:
        require_suffix(page)
    try:
        comparison = config.compare(**chosen) if config else open_comparison(study)
    except StudyError:
        if not runs or not study.exists():
            raise
        if Study.open(study).stop_reason != StopReason.TIMEOUT.value:
            raise
        standing = state_line(Study.open(study))
        if arguments.json:  # a program reads standard output
            return end(NOTHING_FINISHED, standing)
        say(standing)
        return NOTHING_FINISHED
    if output is not None:
        write_whole(output, comparison.to_frame().to_csv(index=False).encode())
    if page is not None:
        command = arguments.command_line if runs else ""
        render_report(comparison, page, command=command)
    if arguments.json:
        say(json_text(_compared(comparison)))
        return DONE
    lines = [comparison.summary()]
    if ended := Study.open(study).stop_reason:
        lines.append(fact("Ended", ended))
    lines.append(f"{label('Study')}{study}")
    if page is not None:
        lines.append(f"{label('Report')}{page}")
    say("\n".join(lines))
    return DONE


def best_ensemble(arguments: argparse.Namespace) -> int:
    """Tell what an ensemble averages and gains; fit and save it where a file is named."""
    if Path(arguments.study).suffix != ".toml":
        raise GPSearchError(
            "--ensemble needs the model and the data: `gpsearch best search.toml --ensemble`."
        )
    if arguments.output is not None and Path(arguments.output).suffix != ".keras":
        raise GPSearchError(f"--output {arguments.output} must end in .keras.")
    config = _load(arguments.study)
    output = arguments.output and output_file(arguments.output, beside=config.study)
    study = Study.open(config.study, space=config.space, objective=config.objective)
    if not study.complete:
        return end(NOTHING_FINISHED, f"no trial is complete. {first_failure(study)}")
    selection = select_ensemble(study)
    if output:
        with writing_file(output):
            fit_ensemble(study, config.objective, selection).save(output)
    if arguments.json:
        facts: dict[str, Any] = {"members": selection.members, "score": selection.score_name}
        if len(selection.gains) > 1:
            facts |= {"gain": selection.gain, "interval": selection.interval}
        say(json_text(facts))
    else:
        say(f"{selection}" + (f"\n{label('Saved')}{output}" if output else ""))
    return DONE


def _load(path: str) -> Config:
    """Read a configuration; its own modules may import TensorFlow, which is then quiet."""
    quiet_tensorflow()
    with waiting(f"reading {path}"):
        return load_config(path)


def _chosen(arguments: argparse.Namespace, *names: str) -> dict[str, Any]:
    """The options that the command line gives, as arguments of `search` or `compare`."""
    names = (*names, *EVALUATION)
    given = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def _compared(comparison: Comparison) -> dict[str, Any]:
    return {
        "n_calls": comparison.n_calls,
        "n_repeats": comparison.n_repeats,
        "baseline": comparison.baseline,
        "strategies": comparison.table().to_dict(orient="records"),
        "conclusions": conclusions(comparison),
    }
