"""One program serves networks of any width, and gives each what the plain loop gives it."""

import functools

import numpy as np
import pytest
from sklearn.utils.fixes import parse_version

from gpsearch.training import backend
from gpsearch.training.backend import import_keras
from gpsearch.training.compiled.compiled_trainer import CompiledTrainer
from gpsearch.training.compiled.program_key import architecture_key
from gpsearch.training.compiled.sizes import has_free_sizes
from gpsearch.training.loop import LoopTrainer
from gpsearch.training.seeding import seeded
from gpsearch.training.trainer import Rows, Training, TrainingSettings

keras = import_keras()
layers = keras.layers

# Keras's own code meets NumPy 2.4 here.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ATTENTION = pytest.param(
    "attention",
    marks=pytest.mark.skipif(
        parse_version(keras.__version__) < parse_version("3.15"),
        reason="this Keras keeps other numbers of it",
    ),
)

SETTINGS = TrainingSettings(epochs=2, batch_size=14, patience=1)

STEPS = 3  # of a sequence; what is compared with runs each of them untraced


def rows(n, shape=(6,)):
    x = np.random.default_rng(n).normal(size=(n, *shape)).astype(np.float32)
    return Rows(x=x, y=(x.reshape(n, -1)[:, 0] > 0).astype(np.int32))


def words(n):
    x = np.random.default_rng(n).integers(0, 4, size=(n, STEPS)).astype(np.int32)
    return Rows(x=x, y=x[:, 0] % 2)


def network(*stack, shape=(6,), optimizer=None, loss="binary_crossentropy", **options):
    model = keras.Sequential([keras.Input(shape), *stack, layers.Dense(1, "sigmoid")])
    model.compile(optimizer or keras.optimizers.SGD(0.1, momentum=0.5), loss, **options)
    return model


def branches(n):
    inputs = keras.Input((6,))
    one, other = layers.Dense(n, "relu")(inputs), layers.Dense(n)(inputs)
    joined = layers.Concatenate()([layers.Add()([one, other]), one])
    model = keras.Model(inputs, layers.Dense(1, "sigmoid")(joined))
    model.compile(keras.optimizers.SGD(0.1, momentum=0.5), "binary_crossentropy")
    return model


def attention(n, mask=True, **options):
    inputs = keras.Input((STEPS,))
    words = layers.Embedding(4, n, mask_zero=mask)(inputs)
    mixed = layers.MultiHeadAttention(1 + n // 4, n, dropout=0.03 * n)(words, words)
    mixed = layers.MultiHeadAttention(2, n + 1, **options)(words, mixed)
    pooled = layers.GlobalAveragePooling1D()(layers.Add()([words, mixed]))
    model = keras.Model(inputs, layers.Dense(1, "sigmoid")(pooled))
    model.compile(keras.optimizers.SGD(0.1, momentum=0.5), "binary_crossentropy")
    return model


def penalised(n):
    return network(
        layers.Dense(
            n,
            "tanh",
            kernel_regularizer="l2",
            activity_regularizer="l1",
            kernel_constraint="max_norm",
        )
    )


# By name: a network of n units, and the shape of its rows.
WIDTHS = {
    "dense": (lambda n: network(layers.Dense(n, "relu"), layers.Dense(2 * n)), (6,)),
    "normalised": (
        lambda n: network(
            layers.Dense(n, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.Dropout(0.3),
            layers.Dense(n, "softmax"),
            layers.LayerNormalization(),
        ),
        (6,),
    ),
    "nested": (lambda n: network(keras.Sequential([layers.Dense(n), layers.Dense(n)])), (6,)),
    "branches": (branches, (6,)),
    "penalised": (penalised, (6,)),
    "metrics": (
        lambda n: network(layers.Dense(n), metrics=["accuracy", keras.metrics.AUC(name="a")]),
        (6,),
    ),
    "conv1d": (
        lambda n: network(
            layers.Conv1D(n, 1 + n // 4, padding="same", activation="relu"),
            layers.MaxPooling1D(2),
            layers.Conv1D(n, 2),
            layers.Flatten(),
            shape=(6, 2),
        ),
        (6, 2),
    ),
    "conv2d": (
        lambda n: network(
            layers.Conv2D(n, 1 + n // 4, strides=2),
            layers.AveragePooling2D(2, strides=1),
            layers.BatchNormalization(),
            layers.Conv2D(n, 2),
            layers.GlobalMaxPooling2D(),
            shape=(8, 8, 1),
        ),
        (8, 8, 1),
    ),
    "embedding": (
        lambda n: network(
            layers.Embedding(4 + n, n), layers.GlobalAveragePooling1D(), shape=(STEPS,)
        ),
        None,
    ),
    "recurrent": (
        lambda n: network(
            layers.Masking(0.0),
            layers.LSTM(n, dropout=0.03 * n, return_sequences=True),
            layers.SimpleRNN(2 * n, recurrent_dropout=0.2, go_backwards=True),
            shape=(STEPS, 2),
        ),
        (STEPS, 2),
    ),
    "both ways": (
        lambda n: network(
            layers.Embedding(4, n, mask_zero=True),
            layers.Bidirectional(
                layers.GRU(n, dropout=0.03 * n),
                backward_layer=layers.GRU(n, reset_after=False, go_backwards=True),
            ),
            shape=(STEPS,),
        ),
        None,
    ),
    "attention": (attention, None),
}

OPTIMIZERS = [
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("RMSprop", {"momentum": 0.5, "centered": True, "clipnorm": 0.1}),
    ("Adadelta", {"clipvalue": 0.1}),
    ("AdamW", {"weight_decay": 0.1, "amsgrad": True}),
]


def trained(trainer, create, n, fit, stop):
    with seeded(5):
        model = create(n)
    training = Training(fit=fit, stop=stop, settings=SETTINGS, seed=3)
    return trainer.train(model, training, built_by=n)


def expected(create, n, fit, stop):
    """What plain Keras gives, without a graph: a few steps are over before one is traced."""

    def untraced(n):
        model = create(n)
        model.run_eagerly = True
        return model

    return trained(LoopTrainer(), untraced, n, fit, stop)


def assert_same(one, other, x):
    assert (one.best_epoch, one.epochs) == (other.best_epoch, other.epochs)
    for name, curve in one.curves.items():
        np.testing.assert_allclose(curve, other.curves[name], rtol=1e-4, atol=2e-5, err_msg=name)
    np.testing.assert_allclose(one.predict(x), other.predict(x), rtol=1e-4, atol=2e-5)


def assert_shared(create, fit, stop):
    compiled = CompiledTrainer()
    first, fast, again = (trained(compiled, create, n, fit, stop) for n in (3, 6, 3))
    assert first.trainer == fast.trainer == "compiled"
    assert_same(fast, expected(create, 6, fit, stop), stop.x)
    assert again.curves == first.curves, "something of another network was left behind"
    assert (compiled.n_traced, compiled.n_reused) == (1, 2)
    return fast


@functools.cache
def of_every_width(name):
    create, shape = WIDTHS[name]
    fit, stop = (words(n) if shape is None else rows(n, shape) for n in (27, 9))
    return assert_shared(create, fit, stop)


@pytest.mark.usefixtures("_optimized_graphs")
@pytest.mark.parametrize("name", [*(name for name in WIDTHS if name != "attention"), ATTENTION])
def test_a_program_serves_every_width(name):
    of_every_width(name)


def residual(columns):
    inputs = keras.Input((columns,))
    hidden = layers.Dense(4, "relu")(layers.BatchNormalization()(inputs))
    joined = layers.Add()([inputs, layers.Dense(columns)(layers.Dropout(0.3)(hidden))])
    model = keras.Model(inputs, layers.Dense(1, "sigmoid")(joined))
    model.compile(keras.optimizers.SGD(0.1, momentum=0.5), "binary_crossentropy")
    return model


def two_tables(columns):
    one, other = keras.Input((columns,), name="one"), keras.Input((2,), name="other")
    joined = layers.Concatenate()([layers.LayerNormalization()(one), layers.Dropout(0.2)(other)])
    model = keras.Model([one, other], layers.Dense(1, "sigmoid")(joined))
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    return model


def of_columns(n, columns, *, two=False):
    table = rows(n, (columns,))
    return Rows(x=(table.x, table.x[:, :2]), y=table.y) if two else table


@pytest.mark.parametrize("create", [residual, two_tables])
def test_a_program_serves_tables_of_any_number_of_columns(create):
    """As an encoder makes them that finds other categories in each fold."""
    compiled, results = CompiledTrainer(), []
    for columns in (3, 7, 3):
        fit, stop = (of_columns(n, columns, two=create is two_tables) for n in (27, 9))
        fast = trained(compiled, create, columns, fit, stop)
        assert_same(fast, expected(create, columns, fit, stop), stop.x)
        results.append(fast.curves)
    assert results[0] == results[2]
    assert (compiled.n_traced, compiled.n_reused) == (1, 2)


def autoencoder(columns):
    model = keras.Sequential([keras.Input((columns,)), layers.Dense(2), layers.Dense(columns)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


# By name: a network for so many columns, and what the rows are to it.
OF_FIXED_COLUMNS = {
    "words": (
        lambda n: network(layers.Embedding(4, 3), layers.Flatten(), shape=(n,)),
        lambda table: Rows(x=(table.x > 0).astype(np.int32), y=table.y),
    ),
    "flattened": (lambda n: network(layers.Flatten(), shape=(n,)), lambda table: table),
    "given back": (autoencoder, lambda table: Rows(x=table.x, y=table.x)),
}


@pytest.mark.parametrize("name", OF_FIXED_COLUMNS)
def test_what_counts_its_columns_has_a_program_for_each_number(name):
    create, read = OF_FIXED_COLUMNS[name]
    compiled = CompiledTrainer()
    for columns in (3, 5):
        fit, stop = (read(of_columns(n, columns)) for n in (27, 9))
        fast = trained(compiled, create, columns, fit, stop)
        assert_same(fast, expected(create, columns, fit, stop), stop.x)
    assert compiled.n_traced == 2


def test_rows_come_in_other_numbers_than_an_input_says():
    """The last batch of an epoch is smaller than those that the input was made for."""

    def create(n):
        inputs = keras.Input((6,), batch_size=SETTINGS.batch_size)
        model = keras.Model(inputs, layers.Dense(1)(layers.Dense(n)(inputs)))
        model.compile(keras.optimizers.SGD(0.1), "mse")
        return model

    fit = rows(40)
    fast = trained(CompiledTrainer(), create, 3, fit, None)
    assert_same(fast, expected(create, 3, fit, None), fit.x)


def recurrent(kind, **options):
    return network(getattr(layers, kind)(3, **options), shape=(6, 2))


def in_pairs(**options):
    return network(layers.Bidirectional(layers.LSTM(3), **options), shape=(6, 2))


# What a trace holds of these layers: a model, and others that must not run in its program.
HELD = {
    "lstm": [
        lambda options=options: recurrent("LSTM", **options)
        for options in (
            {},
            {"unroll": True},
            {"go_backwards": True},
            {"use_bias": False},
            {"activation": "relu"},
            {"recurrent_activation": "hard_sigmoid"},
            {"implementation": 1},
            {"use_cudnn": False},
            {"dropout": 0.2},
            {"dropout": 1.0},
            {"recurrent_dropout": 0.2},
            {"dropout": 0.2, "recurrent_dropout": 0.2},
            {"kernel_constraint": "unit_norm"},
            {"recurrent_regularizer": "l2"},
            {"trainable": False},
        )
    ]
    + [
        lambda: network(
            layers.LSTM(3, return_sequences=True), layers.GlobalAveragePooling1D(), shape=(6, 2)
        ),
        lambda: network(layers.Masking(0.0), layers.LSTM(3), shape=(6, 2)),
        lambda: network(layers.Masking(1.0), layers.LSTM(3), shape=(6, 2)),
        lambda: in_pairs(),
        lambda: in_pairs(merge_mode="sum"),
        lambda: recurrent("GRU"),
        lambda: recurrent("GRU", reset_after=False),
        lambda: recurrent("SimpleRNN"),
    ],
    "attention": [
        lambda options=options: attention(3, **options)
        for options in (
            {},
            {"mask": False},
            {"dropout": 0.2},
            {"use_bias": False},
            {"use_gate": True},
            {"sliding_window": 2},
        )
    ],
}


@pytest.mark.parametrize("name", ["lstm", ATTENTION])
def test_no_two_models_share_what_a_trace_of_sequences_holds(name):
    keys = [architecture_key(create(), free=True) for create in HELD[name]]
    assert None not in keys
    assert len(set(keys)) == len(keys)


def test_layers_that_keep_their_state_or_cut_their_weights_have_no_free_program():
    inputs = keras.Input(batch_shape=(9, 6, 2))
    model = keras.Model(inputs, layers.Dense(1)(layers.LSTM(3, stateful=True)(inputs)))
    model.compile("sgd", "mse")
    assert not has_free_sizes(model)
    assert has_free_sizes(recurrent("GRU"))
    assert not has_free_sizes(recurrent("GRU", recurrent_dropout=0.1))


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
def test_a_program_serves_every_width_under_each_optimizer(name, options):
    def create(n):
        optimizer = getattr(keras.optimizers, name)(0.05, **options)
        return network(layers.Dense(n, "relu"), optimizer=optimizer)

    assert_shared(create, rows(27), rows(9))


def test_what_a_program_gives_does_not_depend_on_the_width_it_was_traced_on():
    """A search that was resumed meets the widths in another order."""
    create, _ = WIDTHS["normalised"]
    fit, stop = rows(27), rows(9)
    fast = of_every_width("normalised")
    alone = trained(CompiledTrainer(), create, 6, fit, stop)
    assert alone.curves == fast.curves
    np.testing.assert_array_equal(alone.predict(stop.x), fast.predict(stop.x))


def by_size(x):
    return x * x.shape[-1]


def factored(n):
    return network(layers.Dense(n), optimizer=keras.optimizers.Adafactor(0.1))


def without_decay_of_biases(n):
    """Too weak a decay for one step to show, and the biases grow over many."""
    optimizer = keras.optimizers.SGD(0.01, weight_decay=0.01)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return network(layers.Dense(n), optimizer=optimizer)


class OwnOptimizer(keras.optimizers.SGD):
    """May look for weights by their names."""


class Wide(layers.Dense):
    """Not Keras's own."""


class Sized(keras.losses.Loss):
    """Reads a layer's size."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def call(self, y_true, y_pred):
        return self.layer.units * keras.ops.mean((y_true - y_pred) ** 2, axis=-1)


def sized(n):
    layer = layers.Dense(n)
    return network(layer, loss=Sized(layer))


OF_FIXED_SIZE = {
    "an activation that asks for the shape": lambda n: network(layers.Dense(n, by_size)),
    "a loss that reads the units": sized,
    "a layer of the user's own": lambda n: network(Wide(n)),
    "a layer that needs to know its size": lambda n: network(
        layers.Dense(n, use_bias=False), layers.BatchNormalization(axis=1)
    ),
    "an optimizer that keeps other sizes": factored,
    "an optimizer that treats some weights otherwise": without_decay_of_biases,
    "an optimizer of the user's own": lambda n: network(
        layers.Dense(n), optimizer=OwnOptimizer(0.1)
    ),
}


@pytest.mark.parametrize("name", OF_FIXED_SIZE)
def test_what_depends_on_a_size_has_a_program_for_each(name):
    compiled, fit, stop = CompiledTrainer(), rows(27), rows(9)
    for n in (3, 7):
        fast = trained(compiled, OF_FIXED_SIZE[name], n, fit, stop)
    assert fast.trainer == "compiled"
    assert_same(fast, expected(OF_FIXED_SIZE[name], n, fit, stop), stop.x)
    assert compiled.n_traced == 2


def test_a_network_that_a_free_program_trains_otherwise_has_one_of_fixed_size(monkeypatch):
    """What plain Keras does decides already for the model that the program was traced on."""
    told = []

    def difference(program, *_):
        told.append(program)
        return "the loss is 1, and 2 in the program"

    module = "gpsearch.training.compiled.compiled_trainer.difference"
    monkeypatch.setattr(module, difference)
    compiled, fit, stop = CompiledTrainer(), rows(27), rows(9)
    create, _ = WIDTHS["dense"]
    for n in (3, 7, 3):
        fast = trained(compiled, create, n, fit, stop)
    assert_same(fast, expected(create, n, fit, stop), stop.x)
    assert (compiled.n_traced, len(told)) == (2, 1)


def test_a_model_and_what_it_shares_stay_as_they_were():
    with seeded(5):
        base = keras.Sequential([keras.Input((6,)), layers.Dense(4)])
    base.trainable = False
    fit, stop, compiled = rows(27), rows(9), CompiledTrainer()
    kernel = base.layers[0].kernel
    before = (kernel.value, tuple(kernel.shape), kernel.numpy())
    for n in (3, 7):
        with seeded(6):
            model = network(base, layers.Dense(n))
        training = Training(fit=fit, stop=stop, settings=SETTINGS, seed=3)
        result = compiled.train(model, training, built_by=n)
        assert result.model is model
        assert kernel.value is before[0]
        assert tuple(kernel.shape) == before[1]
        np.testing.assert_array_equal(kernel.numpy(), before[2])
        model.fit(fit.x, fit.y, epochs=1, verbose=0)
    assert compiled.n_traced == 1


@pytest.mark.parametrize("name", ["_trainable_variables_indices", "_trainable_variables"])
def test_widths_without_the_private_names_of_keras_3_15(name, monkeypatch):
    """Each width has its own program then."""
    plain = backend.standing_in

    def standing_in(optimizer, stand_ins):
        return plain(Unnamed(optimizer) if stand_ins else optimizer, stand_ins)

    class Unnamed:
        def __init__(self, optimizer):
            self.__dict__.update(vars(optimizer))
            self.__dict__.pop(name)

    monkeypatch.setattr("gpsearch.training.compiled.program.standing_in", standing_in)
    compiled, fit, stop = CompiledTrainer(), rows(27), rows(9)
    create, _ = WIDTHS["dense"]
    for n in (3, 7):
        fast = trained(compiled, create, n, fit, stop)
    assert_same(fast, expected(create, n, fit, stop), stop.x)
    assert compiled.n_traced == 2
