"""The commands that read a study or print a text, and the files that commands write.

They import no more than they need, since reading a study is a matter of a moment.
"""

import argparse
import json
import math
import os
import pprint
from importlib import resources
from pathlib import Path
from typing import Any

from gpsearch.cli.standing import first_failure, params_lines, standing_lines, summary, worth
from gpsearch.cli.terminal import DONE, NOTHING_FINISHED, end, fact, label, say
from gpsearch.errors import GPSearchError, StudyError
from gpsearch.study import Study
from gpsearch.study.location import (
    at_home,
    beside,
    output_path,
    refuse_study,
    write_whole,
    writing_file,
)


def show(arguments: argparse.Namespace) -> int:
    """Tell the state of a search and its best trial."""
    study = Study.open(arguments.study).still()
    if arguments.json:
        say(json_text(summary(study)))
    else:
        say("\n".join(standing_lines(study)))
        if arguments.forecast:
            try:
                ahead: object = study.forecast()
            except StudyError as error:
                ahead = error
            say(fact("Ahead", str(ahead)))
    return DONE if study.complete else NOTHING_FINISHED


def best(arguments: argparse.Namespace) -> int:
    """Print the best configuration."""
    if arguments.output is not None:
        raise GPSearchError(
            "--output belongs to --ensemble: `gpsearch best search.toml --ensemble -o "
            "ensemble.keras`. `Study.save_model` writes a single model."
        )
    study = Study.open(arguments.study)
    if not study.complete:
        return end(NOTHING_FINISHED, f"no trial is complete. {first_failure(study)}")
    if arguments.json:
        found = {"params": study.best_params} | worth(study, study.best_trial)
        say(json_text(found))
    elif arguments.python:
        say(pprint.pformat(study.best_params, sort_dicts=False))
    else:
        say(params_lines(study.best_params))
    return DONE


def export(arguments: argparse.Namespace) -> int:
    """Write all trials as a table, or as a storage of Optuna."""
    output = None if arguments.output is None else output_file(arguments.output)
    study = Study.open(arguments.study)
    if arguments.format == "optuna":
        if output is None:
            raise GPSearchError("--format optuna makes a database: give its path with --output.")
        from gpsearch.optuna_study import storage_url

        study.to_optuna(output)
        say(f"{label('Storage')}{storage_url(output)}")
        return DONE
    frame = study.to_frame()
    by_suffix = "json" if output is not None and output.suffix == ".json" else "csv"
    if (arguments.format or by_suffix) == "csv":
        text = frame.to_csv(index=False)
    else:
        text = json_text(frame.to_dict(orient="records")) + "\n"
    if output is not None:
        write_whole(output, text.encode(errors="backslashreplace"))
    else:
        say(text.removesuffix("\n"))
    return DONE


def report(arguments: argparse.Namespace) -> int:
    """Write the page of a study, or of several."""
    studies = [Study.open(path) for path in arguments.study]
    suffix = f".{arguments.format or 'html'}"
    usual = beside(Path(arguments.study[0]), suffix)
    if len(studies) > 1:
        usual = usual.with_stem("side_by_side")
    path = output_file(arguments.output or usual)
    if arguments.format is not None and path.suffix != suffix:
        raise GPSearchError(
            f"--format {arguments.format} writes a file with the suffix {suffix}, and --output "
            f"{arguments.output} has another; give one of the two."
        )
    if arguments.watch:
        if path.suffix == ".md":
            raise GPSearchError("--watch writes a page, in HTML: leave out Markdown (.md).")
        if len(studies) > 1:
            raise GPSearchError("--watch follows one study; `gpsearch serve` follows several.")
        from gpsearch.cli.live import watch

        return watch(Path(arguments.study[0]), path)
    from gpsearch.comparison import is_comparison, open_comparison
    from gpsearch.report import render_report  # few commands need them

    if found := next((s for s in studies if len(studies) > 1 and is_comparison(s)), None):
        raise GPSearchError(f"{found.path} holds a comparison, whose page is of its own.")
    study = studies[0]
    one = open_comparison(study) if is_comparison(study) else study
    render_report(one if len(studies) == 1 else studies, path)
    say(f"{label('Report')}{path}")
    return DONE


def save(arguments: argparse.Namespace) -> int:
    """Save what can be read of a damaged study."""
    from gpsearch.study.salvage import salvage

    study, lost = salvage(arguments.study, arguments.output)
    again = sum(trial.state == "running" for trial in study.trials)
    say(f"Saved    {len(study.ended)} finished trials, and {again} to evaluate again")
    say("\n".join(f"Lost     {what}" for what in lost or ["nothing"]))
    say(f"Study    {study.path}")
    return DONE


def init(arguments: argparse.Namespace) -> int:
    """Print a configuration to start from."""
    text = resources.files("gpsearch").joinpath("init.toml").read_text(encoding="utf-8")
    say(text.removesuffix("\n"))
    return DONE


def output_file(path: str | Path, beside: Path | None = None) -> Path:
    """The path of a file to write, refused before anything is trained; its folder is made."""
    path = at_home(path)
    refuse_study(path)
    if beside is not None and os.path.realpath(path) == os.path.realpath(beside):
        raise StudyError(f"{path} is the path of the study, too; give the other file another name.")
    with writing_file(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    return output_path(path)


def json_text(told: Any) -> str:
    """What a command tells, in JSON, with all digits of each number."""
    return json.dumps(_json_value(told), indent=2, default=str, allow_nan=False)


def _json_value(value: Any) -> Any:
    """A value in what JSON has; None for a number or a time that it lacks."""
    if isinstance(value, dict):
        return {name: _json_value(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(entry) for entry in value]
    if value != value or (isinstance(value, float) and math.isinf(value)):  # NaN, also of a time
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value
