"""Scorers as users name them: refused with the right name, and never searched the other way."""

import pytest
from sklearn.metrics import get_scorer_names

from gpsearch.errors import InvalidObjectiveError
from gpsearch.objective.scoring import OF_CLASSES, OTHER_NAMES, read_scorer


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mse", "is a loss. Write its negative, 'neg_mean_squared_error'"),
        ("rmse", "is a loss. Write its negative, 'neg_root_mean_squared_error'"),
        ("MAE", "is a loss. Write its negative, 'neg_mean_absolute_error'"),
        ("logloss", "is a loss. Write its negative, 'neg_log_loss'"),
        ("binary_crossentropy", "is a loss. Write its negative, 'neg_log_loss'"),
        ("val_loss", "'neg_mean_squared_error' or 'neg_log_loss'"),
        ("auc", "names it 'roc_auc'"),
        ("val_accuracy", "names it 'accuracy'"),
        ("f1-score", "names it 'f1'"),
    ],
)
def test_another_name_is_explained(name, message):
    with pytest.raises(InvalidObjectiveError, match=message) as caught:
        read_scorer(name)
    assert caught.value.value == repr(name)


def test_each_name_that_is_proposed_is_one_of_scikit_learn_and_no_other_is():
    names = {*get_scorer_names()}
    assert {*OTHER_NAMES, *OF_CLASSES, *OF_CLASSES.values()} <= names
    assert {n for others in OTHER_NAMES.values() for n in others} & names == {"accuracy"}
