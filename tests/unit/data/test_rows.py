"""X and y are read as a person meant them."""

import numpy as np
import pandas as pd
import pytest

from gpsearch.data.rows import (
    as_model_input,
    check_numeric,
    read_features,
    read_target,
    take,
)
from gpsearch.errors import InvalidObjectiveError
from gpsearch.identity import fingerprint

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("y", "kind", "n_outputs"),
    [
        (["no", "yes", "no"], "binary", 1),
        ([True, False, True], "binary", 1),
        ([0.0, 1.0, 1.0], "binary", 1),
        ([3, 7, 3, 7], "binary", 1),
        ([0, 1, 2, 1], "multiclass", 3),
        (["a", "b", "c"], "multiclass", 3),
        (RNG.normal(size=40), "regression", 1),
        (np.arange(400), "regression", 1),
        (RNG.normal(size=(40, 2)), "regression", 2),
        (np.eye(3)[[0, 1, 2, 0]], "multiclass", 3),
        ([[0, 1, 1], [1, 1, 0]], "multilabel", 3),
        (RNG.normal(size=(40, 1)), "regression", 1),
        (pd.Series(["x", "y", "x"]), "binary", 1),
    ],
)
def test_kind_of_target(y, kind, n_outputs):
    target = read_target(y)
    assert (target.kind, target.n_outputs) == (kind, n_outputs)


def test_task_overrides_the_reading():
    assert read_target(np.arange(50), "classification").n_classes == 50
    assert read_target([0, 1, 2], "regression").kind == "regression"


def test_labels_are_encoded_in_sorted_order_and_kept():
    target = read_target(np.array(["b", "a", "c", "a"]))
    assert target.encoded.tolist() == [1, 0, 2, 0]
    assert target.classes[target.encoded].tolist() == target.labels.tolist()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1.0, np.nan, 2.0], "missing"),
        (np.array(["a", None, "b"], object), "missing"),
        ([1, 1, 1], "single class"),
        ([[1.0, np.inf], [2.0, 3.0]], "infinite"),
        ([["a", "b"], ["c", "d"]], "not numbers"),
    ],
)
def test_bad_target(y, message):
    with pytest.raises(InvalidObjectiveError, match=message):
        read_target(y)


def test_parts_of_different_length_are_refused():
    with pytest.raises(InvalidObjectiveError, match=r"differ in length: \{'a': 3, 'b': 4\}"):
        read_features({"a": np.zeros((3, 2)), "b": np.zeros((4, 2))})


def test_take_keeps_the_structure():
    frame = pd.DataFrame({"c": [1.0, 2.0, 3.0]})
    chosen = take({"f": frame, "a": np.arange(6).reshape(3, 2)}, np.array([2, 0]))
    assert chosen["f"]["c"].tolist() == [3.0, 1.0]
    assert chosen["a"].tolist() == [[4, 5], [0, 1]]


def test_only_float64_is_narrowed():
    given = {"x": np.zeros(2), "tokens": np.arange(2)}
    assert {k: v.dtype.name for k, v in as_model_input(given).items()} == {
        "x": "float32",
        "tokens": np.arange(2).dtype.name,
    }


@pytest.mark.parametrize("bad", [[[np.nan, 1.0]], [[np.inf, 1.0]], [["a", 1.0]], [["a", None]]])
def test_check_numeric(bad):
    values = np.asarray(bad, object if isinstance(bad[0][0], str) else None)
    with pytest.raises(InvalidObjectiveError, match=r"^X=.* do this"):
        check_numeric(values, "do this")


def test_identity_sees_values_types_names_and_order():
    X = np.arange(6.0).reshape(3, 2)
    others = [X + 1e-12, X.astype(np.float32), X.reshape(2, 3), X[::-1], {"a": X}, {"b": X}]
    assert len({fingerprint(X), *map(fingerprint, others)}) == 7
    assert fingerprint(X) == fingerprint(X.copy())
