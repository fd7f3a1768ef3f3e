"""Data sets for `equal_time`: what scikit-learn ships or makes, a part of the rows set aside.

Each set stands in one half: a default may be chosen on "choose", and is judged on "validate".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split

from gpsearch import mlp, mlp_space

SET_ASIDE = 0.25

SPACE: dict[str, Any] = mlp_space() | {
    "n_neurons": {"type": "categorical", "categories": [8, 16, 32, 64, 128, 256, 512]},
    "batch_size": {"type": "categorical", "categories": [16, 32, 64, 128, 256]},
}
"""The ten settings of the ready-made network, up to wider ones and larger batches."""

CONVOLUTION_SPACE: dict[str, Any] = {
    "learning_rate": SPACE["learning_rate"],
    "filters": {"type": "categorical", "categories": [4, 8, 16, 32]},
    "kernel_size": {"type": "integer", "low": 2, "high": 5},
    "n_neurons": {"type": "categorical", "categories": [16, 32, 64, 128]},
    "drop_rate": SPACE["drop_rate"],
    "batch_size": SPACE["batch_size"],
    "opt": SPACE["opt"],
}


def convolution(
    filters: int, kernel_size: int, n_neurons: int, learning_rate: float, drop_rate: float, opt: str
) -> Any:
    """A small convolutional network for 8 x 8 digits."""
    import keras

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(filters, kernel_size, activation="relu", padding="same"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(2 * filters, kernel_size, activation="relu", padding="same"),
            keras.layers.Flatten(),
            keras.layers.Dense(n_neurons, activation="relu"),
            keras.layers.Dropout(drop_rate),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.get({"class_name": opt, "config": {}})
    optimizer.learning_rate = learning_rate
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    return model


@dataclass(frozen=True)
class TimedSet:
    """Rows to search on, rows set aside, and what is tuned."""

    half: str
    scoring: str
    load: Callable[..., tuple[np.ndarray, np.ndarray]]
    create_model: Callable[..., Any] = mlp
    space: Any = None
    flat: bool = True

    @property
    def classes(self) -> bool:
        """Whether labels are predicted."""
        return self.scoring != "r2"

    def split(self, more: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """X, y to search on, then X, y set aside; inputs and quantities are standardised.

        Of a set that is made, `more` rows are made, and set aside.
        """
        X, y = self.load()
        searched = len(y) - math.ceil(SET_ASIDE * len(y))
        if more:
            X, y = self.load(more)
        X, X_aside, y, y_aside = train_test_split(
            X, y, train_size=searched, random_state=0, stratify=y if self.classes else None
        )
        axis = 0 if self.flat else None
        mean, scale = X.mean(axis), X.std(axis) + 1e-9
        if not self.classes:
            y, y_aside = ((part - y.mean()) / y.std() for part in (y, y_aside))
        return (X - mean) / scale, y, (X_aside - mean) / scale, y_aside


def made(n_samples: int, **options: Any) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """A classification problem that scikit-learn makes."""
    return lambda more=0: datasets.make_classification(n_samples + more, random_state=7, **options)


def shipped(name: str) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """A data set that scikit-learn ships."""
    return lambda more=0: getattr(datasets, f"load_{name}")(return_X_y=True)


def digits_as_images(more: int = 0) -> tuple[np.ndarray, np.ndarray]:
    X, y = datasets.load_digits(return_X_y=True)
    return X.reshape(-1, 8, 8, 1), y


SETS = {
    "breast_cancer": TimedSet("choose", "average_precision", shipped("breast_cancer")),
    "four_classes": TimedSet(
        "choose",
        "accuracy",
        made(
            n_samples=800, n_features=18, n_informative=10, n_classes=4, flip_y=0.1, class_sep=0.7
        ),
    ),
    "friedman": TimedSet(
        "choose",
        "r2",
        lambda more=0: datasets.make_friedman1(2_000 + more, 15, noise=1.5, random_state=7),
    ),
    "large": TimedSet(
        "choose",
        "accuracy",
        made(n_samples=20_000, n_features=30, n_informative=15, n_classes=3, class_sep=0.8),
    ),
    "digits": TimedSet("validate", "accuracy", shipped("digits")),
    "diabetes": TimedSet("validate", "r2", shipped("diabetes")),
    "imbalanced": TimedSet(
        "validate",
        "average_precision",
        made(n_samples=4_000, n_features=40, n_informative=8, weights=[0.95], flip_y=0.02),
    ),
    "convolution": TimedSet(
        "validate",
        "accuracy",
        digits_as_images,
        create_model=convolution,
        space=CONVOLUTION_SPACE,
        flat=False,
    ),
}
