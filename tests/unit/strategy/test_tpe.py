"""Optuna's sampler, told our history."""

import sys

import numpy as np
import optuna
import pytest

from gpsearch.errors import InvalidSearchError
from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.strategy import History, make_strategy, trial_seed

SPACE = Space(
    {
        "lr": Real(1e-4, 1.0, prior="log-uniform"),
        "n": Integer(1, 64, prior="log-uniform"),
        "shape": Categorical([(8,), (16, 16), None]),
    }
)


def history_of(n, seed=0):
    points = SPACE.sample(n, np.random.default_rng(seed))
    losses = [abs(np.log10(lr) + 2) + abs(k - 8) / 64 for lr, k, _ in points]
    return History.of(points, losses)


def test_it_samples_what_optunas_sampler_does():
    history = history_of(15)
    distributions = {
        "lr": optuna.distributions.FloatDistribution(1e-4, 1.0, log=True),
        "n": optuna.distributions.IntDistribution(1, 64, log=True),
        "shape": optuna.distributions.CategoricalDistribution([0, 1, 2]),
    }
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=trial_seed(3, 15)))
    for (lr, n, shape), loss in zip(history.points, history.losses, strict=True):
        params = {"lr": lr, "n": n, "shape": [(8,), (16, 16), None].index(shape)}
        study.add_trial(
            optuna.trial.create_trial(params=params, distributions=distributions, value=float(loss))
        )
    expected = study.ask(distributions).params
    strategy = make_strategy("tpe", SPACE, seed=3, n_calls=20)
    lr, n, shape = strategy.propose(history, 15)
    assert (lr, n) == (expected["lr"], expected["n"])
    assert shape == [(8,), (16, 16), None][expected["shape"]]


def test_it_learns_from_the_history():
    strategy = make_strategy("tpe", SPACE, seed=0, n_calls=100)
    history = history_of(60)
    rates = [np.log10(strategy.propose(history, number)[0]) for number in range(60, 90)]
    assert np.median(np.abs(np.array(rates) + 2)) < 0.5


def test_failed_trials_are_ignored_and_do_not_end_the_random_start():
    points = SPACE.sample(30, np.random.default_rng(1))
    failed = History.of(points, [np.nan] * 30)
    strategy = make_strategy("tpe", SPACE, seed=0, n_calls=50)
    assert strategy.propose(failed, 30) == strategy.propose(History(), 30)


def test_pending_points_are_told():
    history = history_of(20)
    strategy = make_strategy("tpe", SPACE, seed=0, n_calls=50)
    first = strategy.propose(history, 20)
    waiting = History.of(history.points, history.losses, pending=[first] * 5)
    assert strategy.propose(waiting, 20) != first


def test_a_dimension_that_does_not_exist_is_not_told():
    space = Space(
        {"opt": ["sgd", "adam"], "momentum": (0.0, 0.9)}, conditions={"momentum": {"opt": "sgd"}}
    )
    strategy = make_strategy("tpe", space, seed=0, n_calls=50)
    record = strategy._trial(["adam", 0.45], optuna.trial.TrialState.COMPLETE, value=1.0)
    assert record.params == {"opt": 1}


def test_the_users_optuna_stays_as_loud_as_it_was():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.DEBUG)
    try:
        make_strategy("tpe", SPACE, seed=0, n_calls=5).propose(History(), 0)
        assert optuna.logging.get_verbosity() == optuna.logging.DEBUG
    finally:
        optuna.logging.set_verbosity(before)


def test_without_optuna_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InvalidSearchError, match=r"gpsearch\[tpe\]"):
        make_strategy("tpe", SPACE, seed=0, n_calls=5)
