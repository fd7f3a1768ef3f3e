"""The file of a trained model: of Keras, or a pickle."""

import os
from pathlib import Path
from typing import Any

from gpsearch.errors import StudyError
from gpsearch.study.location import output_path, writing_file


def model_path(path: str | os.PathLike[str]) -> Path:
    """Read the path of a model's file, whose ending says of which kind it is."""
    path = output_path(path)
    if not path.name.endswith((".keras", ".joblib")):
        raise StudyError('must end in ".keras" or ".joblib".').about("path", str(path))
    return path


def write_model(model: Any, path: Path) -> None:
    """Write a model; StudyError where a Keras file is to hold what is not a network."""
    if path.name.endswith(".joblib"):
        import joblib

        with writing_file(path):
            joblib.dump(model, path)
        return
    if not hasattr(model, "save"):
        raise StudyError(
            f"the best model is a {type(model).__name__}, not a Keras network. Give a path "
            'that ends in ".joblib".'
        ).about("path", str(path))
    with writing_file(path):
        model.save(path)
