"""A fitted Keras estimator as one ``.keras`` file, without pickle.

The file is what Keras writes, a zip archive, with one JSON member of ours beside its own: plain
Keras loads the network from it, and `load_network` the estimator.
"""

import dataclasses
import json
import os
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from gpsearch.data.preprocessing import Preprocessor
from gpsearch.data.target import Target
from gpsearch.errors import InvalidObjectiveError
from gpsearch.training.backend import import_keras
from gpsearch.training.fitted import FittedNetwork, as_fitted, raw_dtype
from gpsearch.training.model_function import plain_value

FACTS = "gpsearch.json"

Path = str | os.PathLike[str]


def save_network(estimator: Any, path: Path) -> None:
    """Write a fitted `KerasClassifier` or `KerasRegressor`."""
    network = estimator.network_
    target = network.target
    classes = None if target.classes is None else target.classes.tolist()
    params = {name: plain_value(v) for name, v in estimator.get_params(deep=False).items()}
    weights = params["class_weight"]
    facts = {
        "estimator": type(estimator).__name__,
        "kind": target.kind,
        "classes": classes,
        "classes_dtype": None if classes is None else target.classes.dtype.str,
        "n_outputs": target.n_outputs,
        "one_hot": target.one_hot,
        "label_dtype": getattr(estimator, "_label_dtype", None),
        "link": getattr(network, "link", None),
        "floats": raw_dtype(network.preprocessor),
        "n_features": getattr(estimator, "n_features_in_", None),
        "feature_names": np.ravel(getattr(estimator, "feature_names_in_", [])).tolist(),
        "training": dataclasses.asdict(estimator.training_),
        "params": {
            name: value
            for name, value in params.items()
            if isinstance(value, bool | int | float | str | type(None)) and name != "create_model"
        },
        "class_weights": [  # in pairs: names in JSON are texts
            [plain_value(label), float(weight)] for label, weight in weights.items()
        ]
        if isinstance(weights, Mapping)
        else [],
    }
    try:
        text = json.dumps(facts)
    except TypeError as error:
        raise InvalidObjectiveError(
            f"save({os.fspath(path)!r}): the labels {classes!r} cannot be written as JSON. Use "
            "strings, numbers or booleans as labels."
        ) from error
    network.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(FACTS, text)


def load_network(
    kind: str, path: Path, custom_objects: Mapping[str, Any] | None
) -> tuple[FittedNetwork, dict[str, Any]]:
    """The network, which takes raw X, of an estimator of this `kind`; and what was noted of it."""
    with zipfile.ZipFile(path) as archive:
        if FACTS not in archive.namelist():
            raise InvalidObjectiveError(
                f"{kind}.load({os.fspath(path)!r}): a Keras model, but not one that save() wrote. "
                "keras.models.load_model reads it."
            )
        facts = json.loads(archive.read(FACTS))
    if facts["estimator"] != kind:
        raise InvalidObjectiveError(
            f"{kind}.load({os.fspath(path)!r}): the file holds a {facts['estimator']}. Load it "
            f"with {facts['estimator']}.load."
        )
    keras = import_keras()
    model = keras.models.load_model(path, custom_objects=custom_objects, compile=False)
    classes = facts["classes"]
    target = Target(
        kind=facts["kind"],
        labels=None,
        encoded=None,
        classes=None if classes is None else np.array(classes, facts["classes_dtype"]),
        n_outputs=facts["n_outputs"],
        link=facts["link"],
        one_hot=facts["one_hot"],
    )
    preprocessor = Preprocessor(None, None, floats=facts["floats"])
    return as_fitted(model, preprocessor, target), facts
