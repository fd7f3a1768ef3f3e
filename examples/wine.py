"""What `wine.toml` names: a model and a preprocessing of one's own."""

import keras
import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

# Malic acid, colour and proline are skewed: their logarithms are not. All other columns are
# standardised as they are. It is fitted on the training part of each fold, never on scored rows.
SKEWED = ["malic_acid", "color_intensity", "proline"]
transformer = make_column_transformer(
    (make_pipeline(FunctionTransformer(np.log), StandardScaler()), SKEWED),
    remainder=StandardScaler(),
)


def create_model(n_neurons, l2, drop_rate, learning_rate, opt, n_features, n_classes):
    """The last two come from the data; `wine.toml` searches the others."""
    model = keras.Sequential(
        [
            keras.Input((n_features,)),
            keras.layers.Dense(
                n_neurons, activation="relu", kernel_regularizer=keras.regularizers.L2(l2)
            ),
            keras.layers.Dropout(drop_rate),
            keras.layers.Dense(n_classes, activation="softmax"),
        ]
    )
    optimizers = {"adam": keras.optimizers.Adam, "nadam": keras.optimizers.Nadam}
    model.compile(optimizer=optimizers[opt](learning_rate), loss="sparse_categorical_crossentropy")
    return model
