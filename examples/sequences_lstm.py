"""An LSTM on sequences made here: telling which of two frequencies a noisy wave has."""

import keras
import numpy as np

import gpsearch as gs


def make_waves(n, length=12, seed=0):
    """Noisy waves of shape (n, length, 1), and whether each is the faster one."""
    rng = np.random.default_rng(seed)
    fast = rng.integers(0, 2, size=n)
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    time = np.arange(length) * np.where(fast == 1, 0.9, 0.6)[:, None]
    waves = np.sin(time + phase) + 0.3 * rng.normal(size=(n, length))
    return waves[:, :, None], fast


def create_model(n_units, learning_rate, input_shape):
    """`input_shape`, here (12, 1), comes from the data."""
    model = keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.LSTM(n_units),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss="binary_crossentropy")
    return model


def main(n_iter=5, epochs=20):
    X, y = make_waves(200)
    space = {
        "n_units": gs.Integer(4, 16),
        "learning_rate": gs.Real(1e-3, 1e-1, prior="log-uniform"),
    }
    search = gs.GPSearchCV(
        create_model, space, n_iter=n_iter, cv=3, scoring="roc_auc", epochs=epochs, random_state=0
    ).fit(X, y)
    print(search.best_params_)
    print(f"area under the ROC curve: {search.best_score_:.3f} cross-validated, ", end="")
    print(f"{search.score(*make_waves(200, seed=1)):.3f} on new waves")
    return search


if __name__ == "__main__":
    main()
