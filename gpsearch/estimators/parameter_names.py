"""Names of parameters: of the training, of ``create_model``, and what is meant by others."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gpsearch.errors import InvalidObjectiveError
from gpsearch.training.model_function import DATA_NAMES, TRAINING_NAMES, ModelFunction

OVERRIDABLE = ("epochs", "batch_size", "patience", "callbacks", "validation_fraction")
"""Settings that ``fit`` takes for one training."""

OF_KERAS_FIT = {
    "class_weight": "Give it to the estimator, as class_weight=. ",
    "shuffle": "Leave it out: rows are shuffled in each epoch. ",
    "validation_data": "Give validation_split=, or patience=, which hold back rows of X. ",
}
"""What to give in place of an argument of Keras's ``fit``."""

RENAMED = {
    "model": "create_model",
    "build_fn": "create_model",
    "validation_split": "validation_fraction",
}
"""Parameters of SciKeras by their names here."""


def given_settings(training: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of ``fit`` by the names of the estimator, in place of those of Keras's ``fit``."""
    return {
        "validation_fraction" if name == "validation_split" else name: value
        for name, value in training.items()
        if name != "verbose" and (name != "validation_split" or value)
    }


def check_names(
    kind: str, function: ModelFunction, given: Mapping[str, Any], own: Iterable[str]
) -> None:
    """Raise where the model function takes no parameter of a name, or needs one more.

    `kind` is the class of the estimator, `given` the parameters for the model function, and `own`
    are the names of those of the training.
    """
    if unknown := first_unknown(function, given):
        remedy = {
            "warm_start": "Leave it out: each fit trains a new model. ",
            "verbose": "Leave it out, or give it to fit: training prints nothing. ",
            "optimizer": f"Compile the model in {function.name}. ",
            "loss": f"Compile the model in {function.name}. ",
            "metrics": f"Compile the model in {function.name}. ",
        }.get(unknown) or hint(unknown, [*own, *function.takes])
        rule = (
            f"{function.name} does not take {unknown!r}. {remedy}It takes "
            f"{', '.join(map(repr, function.takes)) or 'nothing'}."
        )
        if unknown in RENAMED:
            rule = f"is named {RENAMED[unknown]!r} here. Give {kind}({RENAMED[unknown]}=...)."
        if unknown == "validation_split" and not given[unknown]:
            rule = "holds back no rows, as is the default here. Leave it out."
        error = InvalidObjectiveError(rule).about(unknown, given[unknown])
        error.call = kind
        raise error
    missing = sorted({*function.requires} - {*given, *DATA_NAMES, *TRAINING_NAMES})
    if missing:
        raise InvalidObjectiveError(
            f"{function.name} needs {missing[0]!r}. Give {kind}({function.name}, "
            f"{missing[0]}=...), or give the argument a default."
        ).about("create_model", function.name)


def first_unknown(function: ModelFunction, names: Iterable[str]) -> str:
    """The first name that neither the function nor training takes; empty where there is none."""
    known = {*function.takes, *TRAINING_NAMES}
    return next((n for n in names if not function.takes_any and n not in known), "")


def hint(name: str, valid: Sequence[str]) -> str:
    """The parameter that is meant, where it is written otherwise, as SciKeras has it."""
    bare = RENAMED.get(name, name.rpartition("__")[2])
    close = [bare] if bare in valid else difflib.get_close_matches(name, valid, n=2)
    return f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
