"""A small convolutional network on images: the digits of scikit-learn, 8 by 8 pixels."""

import keras
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import gpsearch as gs


def create_model(n_filters, kernel_size, drop_rate, learning_rate, input_shape, n_classes):
    """`input_shape` and `n_classes` come from the data; the rest is searched."""
    model = keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Conv2D(n_filters, kernel_size, activation="relu", padding="same"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dropout(drop_rate),
            keras.layers.Dense(n_classes, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate), loss="sparse_categorical_crossentropy"
    )
    return model


def main(n_iter=8, epochs=30):
    X, y = load_digits(return_X_y=True)
    images = (X / 16).reshape(-1, 8, 8, 1)
    train, test, y_train, y_test = train_test_split(images, y, stratify=y, random_state=0)
    space = {
        "n_filters": gs.Integer(4, 16, prior="log-uniform"),
        "kernel_size": [2, 3],
        "drop_rate": gs.Real(0.0, 0.5),
        "learning_rate": gs.Real(1e-3, 1e-1, prior="log-uniform"),
    }
    search = gs.GPSearchCV(
        create_model, space, n_iter=n_iter, cv=3, epochs=epochs, patience=5, random_state=0
    ).fit(train, y_train)
    print(search.best_params_)
    print(f"accuracy: {search.best_score_:.3f} cross-validated, ", end="")
    print(f"{search.score(test, y_test):.3f} on held-out rows")
    return search


if __name__ == "__main__":
    main()
