"""``preprocess="auto"``: tables of several kinds of columns, fitted on the training rows alone."""

import numpy as np
import pandas as pd
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


def test_what_is_learned_comes_from_the_training_rows():
    shifted = FRAME.copy()
    shifted.loc[TEST, "age"] += 1e6
    shifted.loc[TEST, "city"] = "Wien"
    train, test = prepared(shifted)
    np.testing.assert_array_equal(train, prepared(FRAME)[0])
    assert (test[:-1, 0] > 1e4).all()
    np.testing.assert_array_equal(test[:, 2:5], 0)  # no rare category was seen to share a column


def test_many_rare_values_become_one_column_and_a_warning():
    rare = FRAME.assign(city=[f"place {i}" for i in range(N)], age=FRAME["city"])
    with pytest.warns(UserWarning, match="column 'city' holds 60 different values"):
        check_preprocess("auto", rare)
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
        r"holds 20 NaN.*column 'grade' holds texts such as 'a'.*preprocess=\"auto\""
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
