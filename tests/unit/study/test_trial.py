import math

import pytest

from gpsearch.evaluation import FoldResult
from gpsearch.study import Trial


def trial(*scores, state="complete", **values):
    folds = tuple(FoldResult(fold=j, score=s, seconds=2.0) for j, s in enumerate(scores))
    given = {"number": 0, "params": {}, "seed": 0, "started": 10.0} | values
    return Trial(state=state, folds=folds, **given)


def test_score_is_the_mean_over_folds_and_loss_its_negative():
    assert trial(1.0, 3.0).score == 2.0
    assert trial(1.0, 3.0).loss == -2.0


def test_spread_has_one_degree_of_freedom_less_than_folds():
    assert trial(1.0, 3.0, 5.0).std == pytest.approx(2.0)
    assert trial(1.0, 3.0, 5.0).standard_error == pytest.approx(2.0 / math.sqrt(3))


@pytest.mark.parametrize("statistic", ["score", "loss", "std", "standard_error"])
def test_a_failed_trial_has_no_score_whatever_its_folds(statistic):
    assert math.isnan(getattr(trial(1.0, 3.0, state="failed"), statistic))


def test_one_fold_has_a_score_but_no_spread():
    assert trial(0.5).score == 0.5
    assert math.isnan(trial(0.5).std)
    assert math.isnan(trial(0.5).standard_error)


def test_seconds_run_from_start_to_end_or_over_the_folds_so_far():
    assert trial(1.0, ended=13.5).seconds == 3.5
    assert trial(1.0, 2.0, state="running").seconds == 4.0
