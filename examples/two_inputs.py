"""A model with two inputs, each with its own preprocessing, given as a dict of arrays."""

import keras
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

import gpsearch as gs

WORDS = {1: ["fine", "good", "great", "kind"], 0: ["bad", "dull", "poor", "weak"]}


def make_reviews(n, seed=0):
    """A short text and four numbers for each review; either alone tells only half."""
    rng = np.random.default_rng(seed)
    liked = rng.integers(0, 2, size=n)
    leaning = np.where(rng.random(n) < 0.75, liked, 1 - liked)
    texts = np.array([" ".join(rng.choice(WORDS[one], size=3)) for one in leaning], dtype=object)
    numbers = rng.normal(size=(n, 4)) * 20 + 100
    numbers[:, 0] += np.where(liked == 1, 15, -15)
    return {"text": texts, "numbers": numbers}, np.where(liked == 1, "liked", "disliked")


def create_model(n_neurons, drop_rate, learning_rate, input_shape):
    """`input_shape` holds the shape of each part, after preprocessing."""
    inputs = {name: keras.Input(shape, name=name) for name, shape in input_shape.items()}
    joined = keras.layers.Concatenate()(list(inputs.values()))
    hidden = keras.layers.Dense(n_neurons, activation="relu")(joined)
    hidden = keras.layers.Dropout(drop_rate)(hidden)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(hidden))
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss="binary_crossentropy")
    return model


def main(n_iter=8, epochs=40):
    X, y = make_reviews(300)
    space = {
        "n_neurons": gs.Integer(4, 32, prior="log-uniform"),
        "drop_rate": gs.Real(0.0, 0.5),
        "learning_rate": gs.Real(1e-3, 1e-1, prior="log-uniform"),
    }
    search = gs.GPSearchCV(
        create_model,
        space,
        n_iter=n_iter,
        cv=3,
        scoring="accuracy",
        epochs=epochs,
        patience=5,
        preprocess={"text": TfidfVectorizer(), "numbers": "standardize"},
        random_state=0,
    ).fit(X, y)
    print(search.best_params_)
    print(f"accuracy: {search.best_score_:.3f} cross-validated, ", end="")
    print(f"{search.score(*make_reviews(300, seed=1)):.3f} on new reviews")
    return search


if __name__ == "__main__":
    main()
