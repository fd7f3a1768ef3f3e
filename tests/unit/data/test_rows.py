"""X and y are read as a person meant them."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.sparse import csr_matrix

from gpsearch.data.preprocessing import Preprocessor
from gpsearch.data.rows import as_model_input, check_numeric, read_features, take, without_lists
from gpsearch.data.target import read_target
from gpsearch.data.weights import read_groups
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
        (np.array([0, 1, 1], object), "binary", 1),
        ([["a", "b"], ["b", "b"]], "multiclass", 2),
        ([[2, 0, 1], [1, 1, 0]], "regression", 3),
        (np.zeros((4, 3, 2)), "regression", 2),
        ({"kind": ["a", "b"], "size": [1.0, 2.0]}, "several", 0),
    ],
)
def test_kind_of_target(y, kind, n_outputs):
    target = read_target(y)
    assert (target.kind, target.n_outputs) == (kind, n_outputs)


def test_task_overrides_the_reading():
    assert read_target(np.arange(50), "classification").n_classes == 50
    assert read_target([0, 1, 2], "regression").kind == "regression"


def test_labels_of_several_axes():
    steps = np.array([[2, 0, 1], [1, 1, 0]])
    target = read_target(steps, "classification")
    assert (target.kind, target.n_outputs, target.by_class) == ("multiclass", 3, False)
    np.testing.assert_array_equal(target.labels, steps)
    np.testing.assert_array_equal(read_target(steps[..., None], "classification").labels, steps)
    one_hot = read_target(np.eye(3)[steps], "classification")
    np.testing.assert_array_equal(one_hot.labels, steps)
    assert one_hot.numbers.shape == (2, 3, 3)
    assert read_target(np.eye(3)[steps]).kind == "regression"


@pytest.mark.parametrize(
    ("y", "dtype", "shape"),
    [
        pytest.param([[0.0], [1.0]], "float32", (2, 1), id="column"),
        pytest.param([0, 1], "int64", (2,), id="integers"),
        pytest.param(pd.Series([0.0, 1.0]), "float32", (2, 1), id="series"),
        pytest.param(np.eye(3, dtype=np.int8), "int8", (3, 3), id="one-hot"),
        pytest.param([-1.0, 1.0], "float32", (2,), id="signs"),
    ],
)
def test_labels_that_are_numbers_stay_as_given(y, dtype, shape):
    target = read_target(y)
    assert (target.numbers.dtype.name, target.numbers.shape) == (dtype, shape)
    np.testing.assert_array_equal(target.numbers.ravel(), np.ravel(y))
    assert target.labels.ndim == 1


def test_labels_that_are_not_numbers_are_encoded():
    for y in (["a", "b"], [True, False], np.array(["a", "b"], object)):
        assert read_target(y).encoded.tolist() in ([0, 1], [1, 0])
    assert read_target(["a", "b"]).numbers is None
    several = read_target({"kind": ["no", "yes", "no"], "size": [1, 2, 3]})
    assert several.encoded["kind"].tolist() == [0, 1, 0]
    assert several.encoded["size"].dtype == np.float32
    assert several.labels["kind"].tolist() == ["no", "yes", "no"]


def test_lists_of_inputs_and_outputs():
    one, y = np.zeros((6, 4)), np.zeros(6)
    assert isinstance(without_lists([one, one], y)[0], tuple)
    assert [type(part) for part in without_lists([one, one], [y, y])] == [tuple, tuple]
    assert isinstance(without_lists(one, [y, y])[1], tuple)
    for rows in ([one] * 6, [one] * 9, [y, y], one.tolist(), ["a", "b"], []):
        assert without_lists(rows, np.zeros(len(rows)))[0] is rows
    assert without_lists(one, [np.zeros(2)] * 6)[1][0].shape == (2,)


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
        ([1.0, np.inf, 1.0], "infinite"),
        (np.array([1.0, np.inf, 1.0], object), "infinite"),
        ([1.0, 1e300, 2.0], "infinite"),
        (np.array([1, "a"], object), "several types"),
        (np.array(["2020-01-01", "2021-01-01"], "M8[D]"), "neither numbers nor labels"),
        ([[1], [1, 2]], "is not an array"),
        (5, "y of type int is not an array of rows"),
        ({1, 2}, "y of type set is not an array of rows"),
        ((value for value in range(3)), "y of type generator is not an array of rows"),
        (csr_matrix([[0, 1], [1, 0]]), r"y of type csr_matrix .* Give y.toarray\(\)"),
        (np.ma.masked_less([1.0, 2.0, 3.0], 2), "masked array"),
        ({"kind": ["a", None]}, r"y\['kind'\] holds missing"),
        ({"size": [1.0, np.inf]}, r"y\['size'\] holds values that are infinite"),
    ],
)
def test_bad_target(y, message):
    with pytest.raises(InvalidObjectiveError, match=message):
        read_target(y)


def test_what_is_not_an_array_is_named():
    with pytest.raises(InvalidObjectiveError, match="type generator, X is not an array"):
        read_features(row for row in ([1.0], [2.0]))


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


DECIMAL = pd.ArrowDtype(pa.decimal128(6, 2))
DECIMALS = pd.DataFrame(
    {
        "x": [Decimal("0.5"), Decimal(2), Decimal(3)],
        "n": [Decimal(1), Decimal(2), Decimal(3)],
        "yes": [True, False, True],
    }
)
NUMBERS = pd.DataFrame({"x": [0.5, 2.0, 3.0], "n": [1, 2, 3], "yes": [True, False, True]})


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(NUMBERS, id="booleans-beside-numbers"),
        pytest.param(NUMBERS.astype("Float64"), id="nullable"),
        pytest.param(NUMBERS.convert_dtypes(), id="nullable-of-several-types"),
        pytest.param(NUMBERS.astype({"n": "Int64"}), id="nullable-beside-plain"),
        pytest.param(NUMBERS.astype("double[pyarrow]"), id="arrow"),
        pytest.param(NUMBERS.astype(object), id="objects"),
        pytest.param(NUMBERS.astype(object).to_numpy(), id="array-of-objects"),
        pytest.param(DECIMALS, id="decimals"),
        pytest.param(DECIMALS.astype({"x": DECIMAL, "n": DECIMAL}), id="decimals-of-arrow"),
        pytest.param(DECIMALS[["x", "n"]].to_numpy(), id="array-of-decimals"),
        pytest.param(pl.DataFrame(DECIMALS.to_dict("list")), id="decimals-of-polars"),
        pytest.param(pl.DataFrame(NUMBERS.to_dict("list")), id="booleans-of-polars"),
    ],
)
def test_frames_of_numbers_are_numbers_whatever_their_types(frame):
    check_numeric(frame, "do this")
    plain = NUMBERS.astype(float).iloc[:, : frame.shape[1]]
    for preprocess in (None, "standardize"):
        given, wanted = (Preprocessor(preprocess, one).transform(one) for one in (frame, plain))
        assert given.dtype == np.float32
        np.testing.assert_array_equal(given, wanted)


@pytest.mark.parametrize(
    "column", [DECIMALS.x, DECIMALS.x.astype(DECIMAL), pl.Series(DECIMALS.x.tolist())]
)
def test_a_column_of_decimals_is_one_of_numbers(column):
    check_numeric({"price": column}, "do this")
    np.testing.assert_array_equal(as_model_input(column), NUMBERS.x)
    assert read_target(column).kind == "regression"
    np.testing.assert_array_equal(read_target(column).as_labels(column), NUMBERS.x)


def test_gaps_among_decimals_are_missing_numbers():
    given = [Decimal("0.5"), None, Decimal(3)]
    for frame in (pd.DataFrame({"x": given}), pl.DataFrame({"x": given})):
        with pytest.raises(InvalidObjectiveError, match="column 'x' holds 1 NaN, missing"):
            check_numeric(frame, "do this")
    with pytest.raises(InvalidObjectiveError, match="holds missing values"):
        read_target(given)


def test_quantities_in_several_columns_may_have_several_types():
    both = DECIMALS[["x", "n"]].assign(n=[1, 2, 3])
    assert read_target(both).kind == "regression"
    np.testing.assert_array_equal(read_target(both).labels, NUMBERS[["x", "n"]])


def test_whole_numbers_of_nullable_columns_stay_whole():
    frame = NUMBERS[["n", "yes"]].convert_dtypes()
    assert as_model_input(frame).dtype == np.int64
    check_numeric(NUMBERS.convert_dtypes()["n"], "do this")


def test_gaps_of_nullable_columns_are_named():
    frame = NUMBERS.assign(n=pd.array([1, None, 3], "Int64"))
    with pytest.raises(InvalidObjectiveError, match=r"column 'n' holds 1 NaN, missing.* do this"):
        check_numeric(frame, "do this")
    frame["n"] = pd.Categorical([None] * 3)
    with pytest.raises(InvalidObjectiveError, match=r"column 'n' holds missing values alone"):
        check_numeric(frame, "do this")


def test_identity_sees_values_types_names_and_order():
    X = np.arange(6.0).reshape(3, 2)
    others = [X + 1e-12, X.astype(np.float32), X.reshape(2, 3), X[::-1], {"a": X}, {"b": X}]
    assert len({fingerprint(X), *map(fingerprint, others)}) == 7
    assert fingerprint(X) == fingerprint(X.copy())


def test_identity_of_y_sees_its_form():
    labels = np.array([0, 1, 2, 1])
    forms = [labels, labels[:, None], np.eye(3)[labels], labels.astype(float), labels.astype(str)]
    assert len({fingerprint(read_target(y).identity) for y in forms}) == 5
    assert fingerprint(read_target(labels).identity) == fingerprint(["multiclass", labels])


@pytest.mark.parametrize("kind", [">f8", ">f4", ">i4", "longdouble", "float16"])
def test_numbers_of_any_width_and_byte_order(kind):
    values = RNG.integers(0, 9, size=(9, 2)).astype(kind)
    chosen = np.array([5, 0, 7])
    for X in (values, pd.DataFrame(values, columns=["a", "b"])):
        for preprocess in (None, "standardize"):
            features = read_features(X)
            made = Preprocessor(preprocess, features).transform(features, chosen)
            plain = Preprocessor(preprocess, values.astype(float)).transform(values.astype(float))
            if preprocess is None or made.dtype == np.float32:
                np.testing.assert_allclose(made, plain[chosen], rtol=1e-6)
            assert made.dtype.itemsize <= 4
    np.testing.assert_array_equal(read_groups(values[:, 0]), values[:, 0])
    assert pd.factorize(read_groups(values[:, 0].astype(">i4")))[1].size


@pytest.mark.parametrize(
    "y",
    [
        pd.Series([["a"], ["b", "c"]]),
        pd.Series([{"a"}, {"b"}]),
        pd.Series([np.arange(2), np.arange(3)]),
        pd.array([[1], [2]], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
    ],
    ids=["lists", "sets", "arrays", "arrow"],
)
def test_collections_are_not_labels(y):
    with pytest.raises(InvalidObjectiveError, match=r"^y=.*lists.*MultiLabelBinarizer"):
        read_target(y)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.0, 2.0], [3.0]], "not an array.*rows of one length"),
        ({"a": [[1.0], [2.0, 3.0]]}, "not an array.*rows of one length"),
        (np.empty((5, 0)), r"of shape \(5, 0\), X has no columns"),
    ],
    ids=["ragged", "a ragged part", "no columns"],
)
def test_rows_that_hold_nothing_alike_are_refused(X, message):
    with pytest.raises(InvalidObjectiveError, match=f"^X=.*{message}"):
        read_features(X)


def test_quantities_beyond_float32_are_told_as_such():
    with pytest.raises(InvalidObjectiveError, match=r"^y=.*float32.*another unit"):
        read_target(np.array([1e39, 2.0, 3.0]))
