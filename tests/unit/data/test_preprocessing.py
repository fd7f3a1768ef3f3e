"""Preprocessing and weights: fitted where they may be, refused where they cannot."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler

from gpsearch.data.folds import Fold
from gpsearch.data.prepared_folds import PreparedFolds
from gpsearch.data.preprocessing import Preprocessor, check_preprocess
from gpsearch.data.target import read_target
from gpsearch.data.weights import fit_weights, read_groups, read_weights
from gpsearch.errors import InvalidObjectiveError
from gpsearch.identity import fingerprint

X = 3.0 + 2.0 * np.random.default_rng(0).normal(size=(30, 2))
FOLD = Fold(index=0, train=np.arange(20), stop=np.arange(2), test=np.arange(20, 30))


def test_fitted_on_the_training_part_alone():
    shifted = X.copy()
    shifted[20:] += 100.0
    prepared = PreparedFolds(shifted, "standardize")[FOLD]
    np.testing.assert_allclose(prepared.features(FOLD.train).mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(prepared.features(FOLD.train).std(axis=0), 1, rtol=1e-5)
    assert (prepared.features(FOLD.test) > 20).all()
    np.testing.assert_array_equal(prepared.raw(FOLD.test), shifted[20:])


def _double(rows):
    rows *= 2
    return rows


def _with_squares(frame):
    frame["squares"] = frame["a"] ** 2
    return frame


@pytest.mark.parametrize(
    ("transformer", "kind"),
    [
        (StandardScaler(copy=False), np.array),
        (MinMaxScaler(copy=False), np.array),
        (FunctionTransformer(_double), np.array),
        (FunctionTransformer(_with_squares), lambda rows: pd.DataFrame(rows, columns=["a", "b"])),
    ],
    ids=["by blocks", "at once", "a function", "another column"],
)
def test_a_transformer_that_works_in_place_changes_no_row_of_the_user(transformer, kind):
    """Also where all rows are used: in the final fit and in a prediction."""
    given = kind(X.copy())
    before = given.copy()
    everything = Fold(index=0, train=np.arange(30), stop=np.arange(0), test=np.arange(0))
    prepared = PreparedFolds(given, transformer)[everything]
    once = prepared.preprocessor.transform(given)
    np.testing.assert_array_equal(prepared.preprocessor.transform(given), once)
    np.testing.assert_array_equal(prepared.features(everything.train), once)
    np.testing.assert_array_equal(given, before)


def test_prepared_once():
    folds = PreparedFolds(X, "standardize")
    assert folds[FOLD] is folds[FOLD]


def test_standardize_leaves_tokens_and_images_alone():
    parts = {"table": X, "tokens": np.arange(60).reshape(30, 2), "image": np.ones((30, 2, 2))}
    made = Preprocessor("standardize", parts).transform(parts)
    assert abs(made["table"].mean()) < 1e-6
    np.testing.assert_array_equal(made["tokens"], parts["tokens"])
    np.testing.assert_array_equal(made["image"], parts["image"])


def test_one_transformer_for_each_part():
    parts = {"a": X, "b": X}
    made = Preprocessor({"a": MinMaxScaler()}, parts).transform(parts)
    assert made["a"].max() == pytest.approx(1.0)
    np.testing.assert_allclose(made["b"], X, rtol=1e-6)


def test_data_frames_keep_their_columns_and_the_transformer_stays_unfitted():
    frame = pd.DataFrame({"size": [1.0, 2.0, np.nan, 4.0], "kind": ["a", "b", "a", "c"]})
    transformer = make_column_transformer(
        (SimpleImputer(), ["size"]), (OneHotEncoder(sparse_output=False), ["kind"])
    )
    check_preprocess(transformer, frame)
    assert Preprocessor(transformer, frame).transform(frame).shape == (4, 4)
    assert not hasattr(transformer, "transformers_")


@pytest.mark.parametrize(
    ("preprocess", "data", "message"),
    [
        ("standardise", X, "the names are 'auto' and 'standardize'"),
        (3, X, "needs `fit` and `transform`"),
        ({"b": StandardScaler()}, {"a": X}, r"\['b'\] are not parts of X"),
        (None, np.where(X > 5, np.nan, X), "NaN or infinite"),
        ("standardize", np.array([["a", 1.0]], dtype=object), "not numbers"),
    ],
)
def test_bad_preprocess(preprocess, data, message):
    with pytest.raises(InvalidObjectiveError, match=message):
        check_preprocess(preprocess, data)


def test_a_transformer_that_leaves_nan_is_refused():
    with pytest.raises(InvalidObjectiveError, match="after preprocessing"):
        PreparedFolds(np.where(X > 5, np.nan, X), StandardScaler())[FOLD]


@pytest.mark.parametrize(
    "function",
    [lambda X: X[:-1], lambda X: np.vstack([X, X]), lambda X: X.mean(), lambda X: None],
    ids=["fewer", "more", "a number", "nothing"],
)
def test_a_transformer_that_drops_or_adds_rows_is_refused(function):
    with pytest.raises(InvalidObjectiveError, match=r"^preprocess=.*rows of 2.*their labels"):
        PreparedFolds(X, FunctionTransformer(function))[FOLD]


@pytest.mark.parametrize("preprocess", [None, "standardize"])
def test_parts_and_columns_of_another_form_are_refused(preprocess):
    """They would go to the network as other inputs, or without the preprocessing."""
    Z = X + 5
    by_name = Preprocessor(preprocess, {"a": X, "b": Z})
    made = by_name.transform({"b": Z, "a": X})
    for bad in ((X, Z), [X, Z], X, {"a": X}, {"a": X, "B": Z}, {"a": X, "b": Z, "c": Z}):
        with pytest.raises(InvalidObjectiveError, match=r"^X=.*the training rows had \['a', 'b'\]"):
            by_name.transform(bad)
    by_place = Preprocessor(preprocess, (X, Z))
    for same in ((X, Z), [X, Z]):
        for part, name in zip(by_place.transform(same), "ab", strict=True):
            np.testing.assert_array_equal(part, made[name])
    for bad in ((X,), [X], {"a": X, "b": Z}, X):
        with pytest.raises(InvalidObjectiveError, match=r"^X=.*the training rows had \['0', '1'\]"):
            by_place.transform(bad)
    frame = pd.DataFrame({"u": np.arange(9), "v": np.arange(9) ** 2})
    of_frame = Preprocessor(preprocess, frame)
    np.testing.assert_array_equal(of_frame.transform(frame.to_numpy()), of_frame.transform(frame))
    for bad in (frame[["v", "u"]], frame.rename(columns={"u": "w"}), frame.assign(w=1)):
        with pytest.raises(InvalidObjectiveError, match=r"^X=.*the training rows had \['u', 'v'\]"):
            of_frame.transform(bad)


class Bare:
    """A transformer of the user's own, without `get_params`."""

    shift, bad = 0.0, ""

    def fit(self, X):
        if self.bad == "fit":
            raise KeyError("fault")
        self.shift = np.mean(X)

    def transform(self, X):
        if self.bad == "transform":
            raise KeyError("fault")
        return X - self.shift


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_transformer_needs_fit_and_transform_alone_and_what_it_raises_is_told():
    mine = Bare()
    made = PreparedFolds(X, mine)[FOLD].features(FOLD.train)
    assert (mine.shift, made.mean()) == (0.0, pytest.approx(0.0, abs=1e-6))
    for mine.bad in ("fit", "transform"):
        with pytest.raises(InvalidObjectiveError, match=r"^preprocess=.*KeyError: 'fault'"):
            PreparedFolds(X, mine)[FOLD]
    with pytest.raises(InvalidObjectiveError, match="needs `fit` and `transform`"):
        check_preprocess(type("Half", (), {"transform": Bare.transform})(), X)


def test_weights_of_rows_times_weights_of_classes():
    target = read_target(np.array(["no", "no", "no", "yes"]))
    rows = np.array([0, 3])
    own = np.array([2.0, 1.0, 1.0, 3.0])
    assert fit_weights(target, rows, None, None) is None
    assert fit_weights(target, rows, own, {"yes": 10.0}).tolist() == [2.0, 30.0]
    balanced = fit_weights(target, np.arange(4), None, "balanced")
    assert balanced[:3].sum() == pytest.approx(balanced[3])


BAD_WEIGHTS = [np.nan, np.inf, -1.0, "a", None]


@pytest.mark.parametrize(
    ("y", "weight", "message"),
    [
        (["a", "b"], {"c": 1.0}, "does not hold"),
        (["a", "b"], "even", "balanced"),
        ([0.5, 1.5, 2.5], "balanced", "holds no classes"),
        (["a", "b"], np.array([1.0, 2.0]), "a dict by label"),
        (["a", "b"], pd.Series({"a": 1.0, "b": 2.0}), "a dict by label"),
        (["a", "b"], {"a": 0, "b": 0}, "all rows .* weigh 0"),
        *((["a", "b"], {"a": bad}, "finite numbers from 0") for bad in BAD_WEIGHTS),
    ],
)
def test_bad_class_weight(y, weight, message):
    with pytest.raises(InvalidObjectiveError, match=f"^class_weight=.*{message}"):
        fit_weights(read_target(y), np.arange(2), None, weight)


def test_training_rows_that_all_weigh_nothing_are_refused():
    with pytest.raises(InvalidObjectiveError, match=r"^sample_weight=.*weigh 0"):
        fit_weights(read_target(["a", "b", "a"]), np.arange(2), np.array([0.0, 0.0, 1.0]), None)


def test_one_column_of_weights_is_read():
    assert read_weights(pd.DataFrame({"w": [1, 2]})).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "bad",
    [
        *([-1.0, 0.0], [-1.0, 1.0], [np.nan, 1.0], [[1.0, 2.0], [2.0, 1.0]], 1.0, ["a", "b"]),
        *([1e300, 1.0], [1e-300, 0.0], pd.date_range("2020", periods=2), [1j, 1.0]),
    ],
    ids=[
        *("negative", "mixed", "NaN", "two columns", "scalar", "text"),
        *("beyond float32", "nothing in float32", "dates", "complex"),
    ],
)
def test_bad_sample_weight(bad):
    with pytest.raises(InvalidObjectiveError, match=r"^sample_weight=.*Sample weights must"):
        read_weights(bad)


@pytest.mark.parametrize("bad", [[[1, 2], [3]], [[1], [2]], ["a", None], "ab"])
def test_bad_groups(bad):
    with pytest.raises(InvalidObjectiveError, match=r"^groups=.*the group of each row"):
        read_groups(bad)


def test_groups_that_cannot_be_sorted_are_refused():
    with pytest.raises(InvalidObjectiveError, match=r"^groups=.*of several types.*of one type"):
        read_groups(pd.Series([1, "a"]))


def test_a_transformer_reads_the_same_in_every_process():
    def scaled(factor):
        return make_column_transformer((FunctionTransformer(lambda x: x * 2), [factor]))

    assert fingerprint(scaled(0)) == fingerprint(scaled(0)) != fingerprint(scaled(1))
    one, other = ({"a": FunctionTransformer(object()), "b": None} for _ in range(2))
    assert fingerprint(one) == fingerprint(other)
