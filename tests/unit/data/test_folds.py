"""Splits: stratified, disjoint, and the same whenever asked."""

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, LeaveOneOut, StratifiedKFold, TimeSeriesSplit

from gpsearch.data.folds import make_folds
from gpsearch.data.target import read_target
from gpsearch.errors import InvalidObjectiveError
from gpsearch.identity import fingerprint

PAIRS = r"pairs of lists of row numbers.*\[\(train, test\)\]"
LABELS = np.array(["rare"] * 12 + ["common"] * 48)


def folds_of(y, cv, *, groups=None, fraction=0.1, random_state=0, n=None):
    target = read_target(y)
    return make_folds(
        cv,
        np.zeros((len(y), 2)),
        target,
        n=len(y),
        groups=groups,
        validation_fraction=fraction,
        random_state=random_state,
    )


@pytest.mark.parametrize("cv", [2, 5, StratifiedKFold(4)])
def test_every_row_is_scored_once_and_never_trained_on(cv):
    folds, whole = folds_of(LABELS, cv)
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(60))
    for fold in folds:
        assert not set(fold.train) & set(fold.test)
        assert set(fold.stop) < set(fold.train)
        assert sorted([*fold.fit, *fold.stop]) == fold.train.tolist()
    assert len(whole.train) == 60
    assert len(whole.test) == 0


def test_a_class_that_no_row_has_asks_for_no_rows_in_each_fold():
    for unused in range(3):  # as of `pandas.get_dummies` of a category with an unused level
        y = np.insert(np.eye(2)[np.arange(20) % 2], unused, 0, axis=1)
        assert len(folds_of(y, 5)[0]) == 5


def test_stop_rows_are_stratified():
    folds, _ = folds_of(LABELS, 2, fraction=0.2)
    for fold in folds:
        assert np.mean(LABELS[fold.stop] == "rare") == pytest.approx(0.2, abs=0.1)


@pytest.mark.parametrize(
    ("y", "groups", "fraction"),
    [([0, 0, 1, 1], None, 0.1), (list("abcabc"), None, 0.9), (LABELS, np.arange(60) // 20, 0.8)],
    ids=["a row of each class", "most rows", "most groups"],
)
def test_rows_to_learn_from_and_rows_to_watch_are_left_however_few_there_are(y, groups, fraction):
    for fold in folds_of(np.array(y), 2, groups=groups, fraction=fraction)[0]:
        assert len(fold.fit) > 0
        assert len(fold.stop) > 0


def test_same_seed_same_folds():
    same = [fingerprint(folds_of(LABELS, 5)[0]) for _ in range(2)]
    others = [fingerprint(folds_of(LABELS, 5, random_state=seed)[0]) for seed in (1, 2**32, 2**70)]
    assert same[0] == same[1]
    assert len({same[0], *others}) == 4


def test_groups_stay_together_in_every_split():
    groups = np.repeat(np.arange(20), 3)
    for cv in (4, GroupKFold(4)):
        for fold in folds_of(LABELS, cv, groups=groups)[0]:
            parts = [set(groups[rows]) for rows in (fold.fit, fold.stop, fold.test)]
            assert sum(map(len, parts)) == len(set.union(*parts))


def test_time_series_stops_on_the_latest_training_rows():
    for fold in folds_of(np.arange(100.0) ** 1.5, TimeSeriesSplit(4))[0]:
        assert fold.fit.max() < fold.stop.min() <= fold.stop.max() < fold.test.min()


def test_a_walk_forward_stop_split_begins_with_a_group():
    groups = np.arange(60) // 7
    fold, whole = folds_of(LABELS, [(np.arange(35), np.arange(35, 60))], groups=groups)
    assert fold[0].stop.tolist() == list(range(28, 35))
    assert whole.stop.tolist() == list(range(56, 60))
    overlapping = np.r_[np.arange(30) // 10, 3 + np.arange(15) % 2, np.full(15, 5)]
    walk = [(np.arange(45), np.arange(45, 60))]
    assert folds_of(LABELS, walk, groups=overlapping)[0][0].stop.tolist() == list(range(30, 45))
    tangled = np.r_[np.arange(45) % 3, np.full(15, 5)]
    fold = folds_of(LABELS, walk, groups=tangled)[0][0]
    assert not set(tangled[fold.stop]) & set(tangled[fold.fit])


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored")
@pytest.mark.parametrize(
    "cv",
    [[(np.arange(30), np.arange(30, 60))], KFold(3), TimeSeriesSplit(3)],
    ids=["list", "KFold", "walk"],
)
def test_a_group_on_both_sides_is_refused(cv):
    with pytest.raises(InvalidObjectiveError, match=r"trains on rows of group \d.*GroupKFold"):
        folds_of(LABELS, cv, groups=np.tile(np.arange(6), 10))


class Walk:
    """A splitter of one's own."""

    def split(self, X, y=None, groups=None):
        yield from TimeSeriesSplit(3).split(X)

    def get_n_splits(self, X=None, y=None, groups=None):
        return 3


@pytest.mark.parametrize(
    "cv",
    [
        list(TimeSeriesSplit(3).split(LABELS)),
        Walk(),
        [(np.arange(60) < 40, np.arange(60) >= 45)],
        [(np.arange(-60, -20), [-1, -2])],
    ],
    ids=["list", "own splitter", "masks", "negative"],
)
def test_splits_that_walk_forward_stop_on_the_latest_training_rows(cv):
    folds, whole = folds_of(LABELS, cv)
    for fold in folds:
        assert fold.fit.max() < fold.stop.min() <= fold.stop.max() < fold.test.min()
    assert whole.stop.tolist() == list(range(54, 60))


def test_other_splits_stop_on_random_training_rows():
    walk = list(TimeSeriesSplit(3).split(LABELS))
    folds, whole = folds_of(LABELS, [*walk, (np.arange(30, 60), np.arange(30))])
    assert whole.stop.tolist() != list(range(54, 60))
    assert folds[0].stop.tolist() != list(range(13, 15))


def test_masks_and_negative_numbers_name_rows():
    mask = np.arange(60) % 3 == 0
    wanted = folds_of(LABELS, [(np.flatnonzero(~mask), np.flatnonzero(mask))])
    as_masks = folds_of(LABELS, [(~mask, mask.tolist())])
    negative = folds_of(LABELS, [(np.flatnonzero(~mask) - 60, np.flatnonzero(mask))])
    objects = folds_of(LABELS, [[np.flatnonzero(part).astype(object) for part in (~mask, mask)]])
    assert len({fingerprint(same) for same in (wanted, as_masks, negative, objects)}) == 1


def test_a_row_that_is_given_several_times_is_learnt_from_as_often():
    """As splits that sample a rare class again give it; few of many rows."""
    train = np.repeat(np.arange(0, 30000, 100), 3)
    fold = folds_of(np.linspace(0, 1, 30000), [(train, np.array([1, 2]))])[0][0]
    kept = [row for row in train if row not in fold.stop]
    assert fold.fit.tolist() == kept


def test_iterable_of_pairs_and_leave_one_out():
    pairs = [(np.arange(30, 60), np.arange(30)), (np.arange(30), np.arange(30, 60))]
    assert len(folds_of(LABELS, pairs)[0]) == 2
    assert len(folds_of(LABELS[:14], LeaveOneOut())[0]) == 14


@pytest.mark.parametrize(
    ("y", "cv", "message"),
    [
        (LABELS, 1, "at least 2"),
        (LABELS, True, "at least 2"),
        (LABELS, 13, "least populated class in y has only 12.*fewer folds"),
        (np.arange(4.5, 9.5), 6, "n_samples=5.*fewer folds"),
        (LABELS, "five", "number of folds"),
        (LABELS, StratifiedKFold(13), "cannot split"),
        (LABELS, [(np.arange(40), np.arange(30, 60))], "scores rows that it also trains on"),
        (LABELS, [(np.arange(40), [-30])], "scores rows that it also trains on"),
        (LABELS, [(np.arange(60) < 40, np.arange(60) > 30)], "scores rows that it also trains on"),
        (LABELS, [(np.arange(60), np.arange(0))], "the scored rows of fold 0 are none"),
        (LABELS, [(np.arange(60), [])], "the scored rows of fold 0 are none"),
        (LABELS, [(np.arange(9.0), [20])], "training rows of fold 0 have type float64.*whole"),
        (LABELS, [([1, 2], [60])], "scored rows of fold 0 name row 60, where X has 60 rows"),
        (LABELS, [([1, -61], [5])], "training rows of fold 0 name row -61"),
        (LABELS, [([True, False], [5])], r"type bool, shape \(2,\).*mask of shape \(60,\)"),
        (LABELS, [([1], [5])], "trains on one row"),
        (LABELS, [([1, 2], [5], [6])], PAIRS),
        (LABELS, (np.arange(40), np.arange(40, 60)), PAIRS),
        (LABELS, ([1, 2], [3, 4]), PAIRS),
        (LABELS, np.arange(60).reshape(2, 30), PAIRS),
        (LABELS, {"train": np.arange(40), "test": np.arange(40, 60)}, PAIRS),
        (LABELS, [{"train": np.arange(40), "test": np.arange(40, 60)}], PAIRS),
        (LABELS, [], "CV iterator empty"),
        (LABELS, StratifiedKFold, r"is a class. Give a splitter made of it: StratifiedKFold\(\)"),
    ],
)
def test_bad_cv(y, cv, message):
    with pytest.raises(InvalidObjectiveError, match=message):
        folds_of(y, cv)


def test_fewer_groups_than_folds():
    with pytest.raises(InvalidObjectiveError, match="fewer folds"):
        folds_of(LABELS, 5, groups=np.arange(60) % 3)
