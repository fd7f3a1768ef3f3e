"""Studies whose truth is known, for the tests of plots and reports."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pytest

from gpsearch.evaluation import FoldResult
from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.study import Study

MIXED = {
    "learning_rate": Real(1e-4, 1.0, prior="log-uniform"),
    "n_neurons": Integer(16, 512, prior="log-uniform"),
    "n_hidden": Integer(1, 4),
    "drop_rate": Real(0.0, 0.5),
    "act_func": Categorical(["relu", "tanh", "selu"]),
}
"""One dimension of each kind."""


def mixed_score(params: Mapping[str, Any]) -> float:
    """Best at learning_rate 0.01, many neurons, relu; n_hidden has no effect."""
    rate = np.log10(params["learning_rate"]) + 2
    size = np.log2(params["n_neurons"] / 16) / 5
    act = {"relu": 0.0, "selu": -0.01, "tanh": -0.03}[params["act_func"]]
    return float(0.95 - 0.03 * rate**2 + 0.02 * size + act - 0.1 * (params["drop_rate"] - 0.2) ** 2)


def make_study(
    space: Any = MIXED,
    score: Callable[[Mapping[str, Any]], float] = mixed_score,
    n: int = 30,
    *,
    n_folds: int = 5,
    noise: float = 0.01,
    failed: Collection[int] = (),
    stopped: Collection[int] = (),
    greater_is_better: bool = True,
    path: Any = None,
    seed: int = 0,
    description: Mapping[str, Any] | None = None,
    n_initial: int = 10,
) -> Study:
    """A study of random trials, scored by `score` with noise on each fold."""
    space = Space(space)
    rng = np.random.default_rng(seed)
    study = Study.create(
        path,
        space=space,
        seed=seed,
        description={"scoring": "average_precision"} if description is None else description,
        settings={
            "greater_is_better": greater_is_better,
            "strategy": "gp",
            "n_calls": n,
            "n_initial_points": n_initial,
        },
    )
    with study.writing() as writer:
        for i, point in enumerate(space.sample(n, rng)):
            params = space.params(point)
            proposal = "initial" if i < (n_initial or 8) else "model"
            number = writer.start_trial(params, seed=i, origin="gp", proposal=proposal)
            if i in failed:
                writer.end_trial(
                    number, "failed", reason="ValueError: the loss is NaN", traceback="Traceback"
                )
                continue
            ran = 2 if i in stopped else n_folds
            for j in range(ran):
                epochs = 5 + j
                loss = tuple(float(v) for v in 1.0 / np.arange(1, epochs + 1))
                writer.record_fold(
                    number,
                    FoldResult(
                        fold=j,
                        score=score(params) + noise * float(rng.standard_normal()),
                        best_epoch=epochs - 1,
                        epochs=epochs,
                        curves={"loss": loss, "val_loss": tuple(v + 0.1 for v in loss)},
                        seconds=0.5,
                    ),
                )
            if i in stopped:
                writer.end_trial(number, "stopped", reason="worse than the best after 2 folds")
            else:
                writer.end_trial(number, "complete")
        writer.set_stop_reason("the budget of calls is used up")
    return study


@pytest.fixture(name="make_study", scope="session")
def _make_study():
    return make_study


@pytest.fixture(name="mixed_study", scope="session")
def _mixed_study():
    """Thirty trials in a space of each kind of dimension; two failed, two were stopped."""
    return make_study(failed={4, 12}, stopped={7, 15})
