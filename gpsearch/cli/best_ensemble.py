"""``gpsearch best search.toml --ensemble``: it needs the model and the data of a configuration."""

import argparse
import json
from pathlib import Path
from typing import Any

from gpsearch.analysis.ensemble_selection import fit_ensemble, select_ensemble
from gpsearch.cli.records import output_file
from gpsearch.cli.standing import first_failure
from gpsearch.cli.terminal import DONE, NOTHING_FINISHED, end, label, say
from gpsearch.config import load_config
from gpsearch.errors import GPSearchError
from gpsearch.study import Study
from gpsearch.study.location import writing_file
from gpsearch.training.backend import quiet_tensorflow


def best_ensemble(arguments: argparse.Namespace) -> int:
    """Tell what an ensemble averages and gains; fit and save it where a file is named."""
    if Path(arguments.study).suffix != ".toml":
        raise GPSearchError(
            "--ensemble needs the model and the data: `gpsearch best search.toml --ensemble`."
        )
    if arguments.output is not None and Path(arguments.output).suffix != ".keras":
        raise GPSearchError(f"--output {arguments.output} must end in .keras.")
    quiet_tensorflow()
    config = load_config(arguments.study)
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
        say(json.dumps(facts, indent=2))
    else:
        say(f"{selection}" + (f"\n{label('Saved')}{output}" if output else ""))
    return DONE
