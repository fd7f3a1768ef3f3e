"""``preprocess="auto"``: tables of several kinds of columns, fitted on the training rows alone."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gpsearch.data.folds import Fold
from gpsearch.data.prepared_folds import PreparedFolds
from gpsearch.data.preprocessing import Preprocessor, check_preprocess
from gpsearch.data.table_encoder import MAX_CATEGORIES, table_encoder
from gpsearch.errors import InvalidObjectiveError

N = 60
FRAME = pd.DataFrame(
    {
        "age": [*np.arange(N - 1, dtype=float), np.nan],
        "city": (["Bonn", "Graz", "Bern"] * N)[:N],
        "member": pd.array([True, False, None] * (N // 3), dtype="boolean"),
        "grade": pd.Categorical((["a", None] * N)[:N]),
    }
)
TRAIN, TEST = np.arange(40), np.arange(40, N)


def prepared(frame):
    fold = Fold(index=0, train=TRAIN, stop=np.arange(2), test=TEST)
    features = PreparedFolds(frame, "auto")[fold]
    return features.features(TRAIN), features.features(TEST)


def test_numbers_are_imputed_and_scaled_and_categories_one_hot():
    train, test = prepared(FRAME)
    assert train.dtype == test.dtype == np.float32
    np.testing.assert_allclose(train[:, :2].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(train[:, :2].std(axis=0), 1, rtol=1e-5)
    assert test[-1, 0] == 0  # the median is the mean here
    np.testing.assert_array_equal(train[0, 2:], [0, 1, 0, 0, 1])  # Bern, Bonn, Graz; missing, a


def test_columns_of_pyarrow_are_read_as_what_they_hold():
    city = FRAME["city"].astype("category")
    arrow = {
        "city": city.astype(pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))),
        "empty": pd.array([None] * N, dtype=pd.ArrowDtype(pa.null())),
    }
    plain = pd.DataFrame({"city": city, "empty": np.full(N, np.nan)})
    for made, expected in zip(prepared(pd.DataFrame(arrow)), prepared(plain), strict=True):
        np.testing.assert_array_equal(made, expected)


def test_what_is_learned_comes_from_the_training_rows():
    shifted = FRAME.copy()
    shifted.loc[TEST, "age"] += 1e6
    shifted.loc[TEST, "city"] = "Wien"
    with pytest.warns(UserWarning, match="no value that column 'city' holds here.*'Bern'") as seen:
        train, test = prepared(shifted)
    assert [warning.filename for warning in seen] == [__file__]  # the line that the user wrote
    preprocessor = Preprocessor("auto", FRAME)
    with pytest.warns(UserWarning, match="'city'"):
        preprocessor.transform(shifted[40:])
    preprocessor.transform(shifted[40:])  # once is enough
    np.testing.assert_array_equal(train, prepared(FRAME)[0])
    assert (test[:-1, 0] > 1e4).all()
    np.testing.assert_array_equal(test[:, 2:5], 0)  # no rare category was seen to share a column


def test_many_rare_values_become_one_column_and_a_warning():
    rare = FRAME.assign(city=[f"place {i}" for i in range(N)], age=FRAME["city"])
    with pytest.warns(UserWarning, match="column 'city' holds 60 different values") as seen:
        check_preprocess("auto", rare)
    assert seen[0].filename == __file__
    assert Preprocessor("auto", rare).transform(rare).shape == (N, 1 + 3 + 1 + 2)
    often = pd.DataFrame({"x": np.repeat([f"v{i}" for i in range(200)], 6)})
    check_preprocess("auto", often)
    assert Preprocessor("auto", often).transform(often).shape == (1200, MAX_CATEGORIES)


def test_arrays_of_objects_and_floats_are_tables_and_tokens_stay():
    objects = FRAME[["age", "city"]].to_numpy(object)
    np.testing.assert_array_equal(
        Preprocessor("auto", objects).transform(objects),
        Preprocessor("auto", FRAME[["age", "city"]]).transform(FRAME),
    )
    parts = {"tokens": np.arange(N * 2).reshape(N, 2), "table": np.full((N, 1), np.nan)}
    check_preprocess("auto", parts)
    made = Preprocessor("auto", parts).transform(parts)
    np.testing.assert_array_equal(made["tokens"], parts["tokens"])
    np.testing.assert_array_equal(made["table"], 0)
    check_preprocess({"table": "auto"}, parts)
    with pytest.raises(InvalidObjectiveError, match="NaN"):
        check_preprocess({"tokens": "auto"}, parts)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pd.date_range("2020", periods=N), r"'new' holds .* datetime64.*dt.year"),
        ([[1]] * N, "'new' holds .* mixed"),
        ([np.inf] * N, "'new' holds infinite"),
    ],
)
def test_a_column_of_another_kind_is_refused_by_name(column, message):
    with pytest.raises(InvalidObjectiveError, match=message):
        check_preprocess("auto", FRAME.assign(new=column))


def test_without_it_the_error_names_each_column_and_the_remedy():
    message = (
        r"column 'age' holds 1 NaN.*column 'city' holds texts such as 'Bonn'.*column 'member' "
        r"holds 20 NaN.*column 'grade' holds categories such as 'a'.*preprocess=\"auto\""
    )
    with pytest.raises(InvalidObjectiveError, match=message):
        check_preprocess(None, FRAME)


def test_later_rows_need_the_columns_and_their_kinds():
    preprocessor = Preprocessor("auto", FRAME)
    shuffled = FRAME[["grade", "city", "member", "age"]]
    np.testing.assert_array_equal(preprocessor.transform(shuffled), preprocessor.transform(FRAME))
    with pytest.raises(InvalidObjectiveError, match="lacks the column 'city'"):
        preprocessor.transform(FRAME.drop(columns="city"))
    with pytest.raises(InvalidObjectiveError, match="'age' held numbers"):
        preprocessor.transform(FRAME.assign(age="old"))
    with pytest.raises(InvalidObjectiveError, match="two columns are named 'age'"):
        table_encoder(FRAME[["age", "age"]])
    with pytest.raises(InvalidObjectiveError, match="has twice the column 'age'"):
        preprocessor.transform(pd.concat([FRAME, FRAME[["age"]]], axis=1))
    with pytest.raises(InvalidObjectiveError, match="'age' holds infinite"):
        preprocessor.transform(FRAME.assign(age=np.inf))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (FRAME["age"], "Series, X is not a table"),
        (SimpleNamespace(columns=["age"]), "SimpleNamespace, X is not a table.*collect"),
        (FRAME.iloc[:0], "no rows"),
        (FRAME[[]], "no columns"),
        (FRAME.to_numpy(object)[:, :3], "has 3 columns, and the training rows had 4"),
    ],
)
def test_what_is_no_table_of_the_training_columns_is_refused_in_a_sentence(rows, message):
    with pytest.raises(InvalidObjectiveError, match=message):
        Preprocessor("auto", FRAME).transform(rows)


@pytest.mark.parametrize("known", [np.nan, 5.0, 0.1 + 0.2])
def test_a_number_of_which_the_training_rows_say_nothing_is_zero_everywhere(known):
    late = pd.DataFrame({"late": [known] * 40 + [1e6] * 20, "age": FRAME["age"]})
    train, test = prepared(late)
    np.testing.assert_array_equal(np.r_[train, test][:, 0], 0)
    assert train[:, 1].std() == pytest.approx(1)


@pytest.mark.parametrize("kind", [int, float, str, "Int64", object])
def test_a_whole_number_is_one_category_in_every_type(kind):
    codes = pd.Series([10115, 20095, None] * 20)
    preprocessor = Preprocessor("auto", codes.astype("category").to_frame("zip"))
    later = pd.DataFrame({"zip": pd.Series([20095, 10115]).astype(kind)})
    np.testing.assert_array_equal(preprocessor.transform(later), [[0, 0, 1], [0, 1, 0]])


def test_whole_number_names_and_positions_are_not_confused():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(N, 3)))[[2, 0, 1]]
    by_name = Preprocessor("auto", frame)
    wanted = by_name.transform(frame)
    np.testing.assert_array_equal(by_name.transform(frame[[0, 1, 2]]), wanted)
    np.testing.assert_array_equal(by_name.transform(frame.to_numpy()), wanted)
    by_place = Preprocessor("auto", frame.to_numpy())
    np.testing.assert_array_equal(by_place.transform(frame), wanted)
    with pytest.raises(InvalidObjectiveError, match="two columns are named 0"):
        table_encoder(frame[[0, 0]])
