"""Tasks for the optimisers: synthetic ones with known optima, and real cross-validated networks.

=========== ==================================================================================
loss        what is minimised, without noise
observed    the loss with the task's noise added, which the optimiser gets
optimum     the least loss, exact for the synthetic tasks
reference   the median, over repeats, of random search's best loss after 50 evaluations
regret      ``(loss - optimum) / (reference - optimum)``, clipped to [0, 2]
=========== ==================================================================================

The synthetic tasks look like tunings of networks: logarithmic rates with a cliff on one side,
counts, and categories that shift the optimum of the numbers. The real ones train scikit-learn's
networks on data that come with it; nothing is downloaded.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from skopt.space import Categorical, Dimension, Integer, Real

Loss = Callable[[list], float]


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something to minimise."""

    name: str
    family: str
    dimensions: list[Dimension]
    loss: Loss
    """Loss of a point; NaN where the evaluation fails."""
    noise: float = 0.0
    """Standard deviation of what is observed around the loss."""
    optimum: float | None = None
    """The least loss; None where only the best loss ever seen is known."""
    usual: float | None = None
    """The reference, where it is known; else it is measured."""


def sat(excess: float) -> float:
    """An error rate: 0.02 at best, towards 1 for a network that learns nothing."""
    return 1.0 - 0.98 * math.exp(-excess)


RATE, WIDTH, DEPTH = (1e-5, 1.0), (8, 512), (1, 6)
BEST_RATE = {"adam": -3.0, "sgd": -1.3, "rmsprop": -3.3}  # log10


def network(point: list) -> float:
    """A network's tuning: the rate matters most, and its best value depends on the optimiser."""
    rate, width, depth, dropout, optimiser, activation = point
    off = math.log10(rate) - BEST_RATE[optimiser]
    cliff = 2.0 * max(off, 0.0) ** 2 + 0.3 * min(off, 0.0) ** 2  # too fast diverges
    size = 0.15 * (math.log2(width) - 7.5) ** 2 / 4 + 0.06 * (depth - 3) ** 2
    regular = 2.0 * (dropout - 0.05 * depth) ** 2
    choice = {"adam": 0.0, "rmsprop": 0.05, "sgd": 0.1}[optimiser]
    return sat(cliff + size + regular + choice + (0.15 if activation == "tanh" else 0.0))


def network_dimensions() -> list[Dimension]:
    return [
        Real(*RATE, prior="log-uniform", name="learning_rate"),
        Integer(*WIDTH, prior="log-uniform", name="units"),
        Integer(*DEPTH, name="layers"),
        Real(0.0, 0.6, name="dropout"),
        Categorical(sorted(BEST_RATE), name="optimiser"),
        Categorical(["relu", "tanh"], name="activation"),
    ]


def failing_network(point: list) -> float:
    """The same, where too large a rate for the width ends in NaN: a third of the space."""
    rate, width, *_ = point
    if math.log10(rate) + 0.6 * math.log2(width / 64) > -1.6:
        return math.nan
    return network(point)


def rosenbrock(point: list) -> float:
    """A curved valley in four numbers and a count, one of two families shifted."""
    *x, steps, kind = point
    x = [*x, (steps - 4) / 4]
    shift = 0.3 if kind == "b" else 0.0
    valley = sum(20.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2 for i in range(len(x) - 1))
    return valley + shift


def rosenbrock_dimensions() -> list[Dimension]:
    return [Real(-1.5, 2.0, name=f"x{i}") for i in range(4)] + [
        Integer(0, 10, name="steps"),
        Categorical(["a", "b", "c"], name="kind"),
    ]


WIDE_REALS, WIDE_CATEGORIES = 9, 5
WIDE_TARGET = np.linspace(0.2, 0.8, WIDE_REALS)
WIDE_WEIGHT = 2.0 ** -np.arange(WIDE_REALS)


def wide(point: list) -> float:
    """Fourteen dimensions, of which a few matter: weights halve from one number to the next."""
    numbers, names = np.array(point[:WIDE_REALS]), point[WIDE_REALS:]
    body = float((WIDE_WEIGHT * (numbers - WIDE_TARGET) ** 2).sum())
    interaction = 0.5 * (numbers[0] - WIDE_TARGET[0]) * (numbers[1] - WIDE_TARGET[1])
    steps = sum(0.1 * 2.0**-j * "abcdef".index(name) for j, name in enumerate(names))
    return body + interaction + steps


def wide_dimensions() -> list[Dimension]:
    return [Real(0.0, 1.0, name=f"x{i}") for i in range(WIDE_REALS)] + [
        Categorical(list("abcdef")[: 2 + j], name=f"c{j}") for j in range(WIDE_CATEGORIES)
    ]


def multimodal(point: list) -> float:
    """Ripples over a bowl, and a category that moves the bowl."""
    x, y, scale, kind = point
    centre = {"a": 0.3, "b": 0.7, "c": 0.5, "d": 0.5}[kind]
    level = {"a": 0.0, "b": 0.2, "c": 0.4, "d": 0.8}[kind]
    s = math.log10(scale)
    bowl = 2.0 * (x - centre) ** 2 + 2.0 * (y - 0.6) ** 2 + 0.3 * (s + 2.0) ** 2
    ripple = 0.1 * (2.0 - math.cos(12 * (x - centre)) - math.cos(12 * (y - 0.6)))
    return bowl + ripple + level


def multimodal_dimensions() -> list[Dimension]:
    return [
        Real(0.0, 1.0, name="x"),
        Real(0.0, 1.0, name="y"),
        Real(1e-4, 1.0, prior="log-uniform", name="scale"),
        Categorical(list("abcd"), name="kind"),
    ]


MLP_DATA = ("breast_cancer", "digits", "wine", "diabetes")


def mlp_dimensions() -> list[Dimension]:
    return [
        Real(1e-5, 1e-1, prior="log-uniform", name="learning_rate"),
        Real(1e-7, 1e0, prior="log-uniform", name="alpha"),
        Integer(4, 128, prior="log-uniform", name="units"),
        Integer(1, 3, name="layers"),
        Integer(8, 256, prior="log-uniform", name="batch_size"),
        Categorical(["relu", "tanh", "logistic"], name="activation"),
        Categorical(["adam", "sgd"], name="solver"),
    ]


def mlp_loss(data: str) -> Loss:
    """Cross-validated loss of scikit-learn's network after 20 epochs, the same folds each time."""
    from sklearn import datasets
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y = getattr(datasets, f"load_{data}")(return_X_y=True)
    X, y = X[:600], y[:600]
    regression = data == "diabetes"
    if regression:
        y = (y - y.mean()) / y.std()
    folds = (KFold if regression else StratifiedKFold)(3, shuffle=True, random_state=0)
    scoring = "neg_root_mean_squared_error" if regression else "neg_log_loss"

    def loss(point: list) -> float:
        rate, alpha, units, layers, batch, activation, solver = point
        kind = MLPRegressor if regression else MLPClassifier
        model = kind(
            hidden_layer_sizes=(units,) * layers,
            activation=activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch,
            learning_rate_init=rate,
            max_iter=20,
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                scores = cross_val_score(
                    make_pipeline(StandardScaler(), model), X, y, cv=folds, scoring=scoring
                )
            except ValueError:  # it diverged
                return 20.0
        value = -float(scores.mean())
        return min(value, 20.0) if math.isfinite(value) else 20.0

    return loss


def synthetic_tasks() -> list[Task]:
    network_best = network([10**-3.0, 181, 3, 0.15, "adam", "relu"])
    return [
        Task(
            name="network",
            family="network",
            dimensions=network_dimensions(),
            loss=network,
            optimum=network_best,
        ),
        Task(
            name="network-noisy",
            family="network",
            dimensions=network_dimensions(),
            loss=network,
            noise=0.02,
            optimum=network_best,
        ),
        Task(
            name="network-failing",
            family="failing",
            dimensions=network_dimensions(),
            loss=failing_network,
            noise=0.01,
            optimum=network_best,
        ),
        Task(
            name="rosenbrock",
            family="numeric",
            dimensions=rosenbrock_dimensions(),
            loss=rosenbrock,
            optimum=0.0,
        ),
        Task(
            name="multimodal",
            family="numeric",
            dimensions=multimodal_dimensions(),
            loss=multimodal,
            noise=0.02,
            optimum=0.0,
        ),
        Task(name="wide", family="wide", dimensions=wide_dimensions(), loss=wide, optimum=0.0),
        Task(
            name="wide-noisy",
            family="wide",
            dimensions=wide_dimensions(),
            loss=wide,
            noise=0.05,
            optimum=0.0,
        ),
    ]


def mlp_tasks() -> list[Task]:
    return [
        Task(name=f"mlp-{data}", family="mlp", dimensions=mlp_dimensions(), loss=mlp_loss(data))
        for data in MLP_DATA
    ]
