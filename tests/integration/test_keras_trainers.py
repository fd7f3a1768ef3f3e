"""The compiled trainer gives the plain loop's answer, model by model."""

import gc
import weakref

import numpy as np
import pytest

from gpsearch.training.backend import import_keras, import_tensorflow
from gpsearch.training.compiled import program
from gpsearch.training.compiled.compiled_trainer import CompiledTrainer
from gpsearch.training.loop import LoopTrainer
from gpsearch.training.seeding import seeded
from gpsearch.training.trainer import Rows, Training, TrainingSettings

keras, tf = import_keras(), import_tensorflow()
layers = keras.layers

SETTINGS = TrainingSettings(epochs=3, batch_size=14, patience=1)
FEW_STEPS = TrainingSettings(epochs=2, batch_size=14, patience=2)

# Keras's own code meets NumPy 2.4 here.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@keras.saving.register_keras_serializable("tests")
class Scale(layers.Layer):
    """A custom layer with a weight and an argument."""

    def __init__(self, power=1.0, **kwargs):
        super().__init__(**kwargs)
        self.power = power

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, inputs):
        return inputs * self.scale**self.power


@keras.saving.register_keras_serializable("tests")
class Rate(keras.metrics.Metric):
    """A custom metric with a state of its own."""

    def __init__(self, name="rate", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(keras.ops.sum(keras.ops.cast(y_pred > 0.5, "float32")))
        self.count.assign_add(1.0)

    def result(self):
        return self.total / self.count


class Subclassed(keras.Model):
    """A model whose connections stand in its code."""

    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(4, activation="tanh")
        self.drop = layers.Dropout(0.3)
        self.out = layers.Dense(1, activation="sigmoid")

    def call(self, inputs, training=False):
        return self.out(self.drop(self.hidden(inputs), training=training))


class Penalised(layers.Layer):
    """Adds to the loss what it sees."""

    def call(self, inputs):
        self.add_loss(0.1 * keras.ops.mean(inputs**2))
        return inputs


def squared_log_loss(y_true, y_pred):
    return keras.ops.mean(keras.ops.log(1.0 + (y_true - y_pred) ** 2), axis=-1)


def sgd():
    """The optimizer of fewest operations; it hides no scale of a gradient, as Adam would."""
    return keras.optimizers.SGD(0.2)


def sequential(*stack, shape=(6,), optimizer=None, loss="binary_crossentropy", **options):
    model = keras.Sequential([keras.Input(shape), *stack, layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer=optimizer or sgd(), loss=loss, **options)
    return model


def dense(units=4, **options):
    return layers.Dense(units, activation="relu", **options)


def two_inputs_two_outputs():
    a, b = keras.Input((6,), name="a"), keras.Input((6,), name="b")
    hidden = dense()(layers.Concatenate()([a, b]))
    first = layers.Dense(1, activation="sigmoid", name="first")(hidden)
    second = layers.Dense(1, name="second")(hidden)
    model = keras.Model({"a": a, "b": b}, {"first": first, "second": second})
    model.compile(
        optimizer=sgd(),
        loss={"first": "binary_crossentropy", "second": "mse"},
        loss_weights={"first": 1.0, "second": 0.5},
    )
    return model


def subclassed():
    model = Subclassed()
    model.compile(optimizer=sgd(), loss="binary_crossentropy")
    model(np.zeros((1, 6), "float32"))
    return model


def mixed_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return sequential(dense(8))
    finally:
        keras.config.set_dtype_policy(policy)


def optimizer(name, **options):
    return lambda: sequential(dense(), optimizer=getattr(keras.optimizers, name)(0.05, **options))


schedules = keras.optimizers.schedules
# Layers and optimizers of Keras itself are compared in test_free_sizes, two sizes of each.
MODELS = {
    "dense": lambda: sequential(dense(), optimizer="adam"),
    "dropout": lambda **options: sequential(dense(), layers.Dropout(0.4), **options),
    "several-inputs-and-outputs": two_inputs_two_outputs,
    "subclassed": subclassed,
    "own-layers": lambda: sequential(
        layers.Lambda(lambda x: 2.0 * x), dense(), Scale(2.0), Penalised()
    ),
    "mixed-precision": mixed_precision,
    "custom-loss": lambda: sequential(dense(), loss=squared_log_loss),
    "metrics": lambda: sequential(dense(), metrics=["accuracy", Rate()], weighted_metrics=["mae"]),
    "schedule-piecewise": lambda: sequential(
        dense(), optimizer=keras.optimizers.SGD(schedules.PiecewiseConstantDecay([2], [0.1, 0.01]))
    ),
    "gradient-accumulation": optimizer("Adam", gradient_accumulation_steps=2),
    "adam-clip-by-global-norm": optimizer("Adam", global_clipnorm=0.01),
    "adagrad": optimizer("Adagrad"),
    "nadam": optimizer("Nadam"),
}


def rows_for(name, n, rng):
    shape = {"conv1d": (6, 2)}.get(name, (6,))
    x = rng.normal(size=(n, *shape)).astype(np.float32)
    y = (x.reshape(n, -1)[:, 0] > 0).astype(np.int32)
    if name == "several-inputs-and-outputs":
        return Rows(x={"a": x, "b": x[::-1].copy()}, y={"first": y, "second": x[:, 1]})
    return Rows(x=x, y=y)


def trained(trainer, create, fit, stop, settings=SETTINGS, seed=3, call="test"):
    with seeded(5):
        model = create()
    training = Training(fit=fit, stop=stop, settings=settings, seed=seed)
    return trainer.train(model, training, built_by=call)


def expected(create, fit, stop, settings):
    """What plain Keras gives, without a graph: a few steps are over before one is traced."""

    def untraced():
        model = create()
        model.run_eagerly = True
        return model

    return trained(LoopTrainer(), untraced, fit, stop, settings)


@pytest.fixture(scope="module")
def compiled():
    """One trainer for the file: many of its models have one architecture."""
    return CompiledTrainer()


def assert_same(one, other, features, atol=2e-5):
    assert (one.best_epoch, one.epochs) == (other.best_epoch, other.epochs)
    assert one.curves.keys() == other.curves.keys()
    for name, curve in one.curves.items():
        np.testing.assert_allclose(curve, other.curves[name], rtol=1e-4, atol=atol, err_msg=name)
    outputs, expected = (keras.tree.flatten(result.predict(features)) for result in (one, other))
    for output, value in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(output, value, rtol=1e-4, atol=atol)


@pytest.mark.usefixtures("_optimized_graphs")
@pytest.mark.parametrize("name", MODELS)
def test_compiled_is_the_loop_fold_by_fold(name, compiled):
    rng = np.random.default_rng(1)
    # without a graph, Keras counts the rows of a batch in the losses of several outputs
    n = 28 if name == "several-inputs-and-outputs" else 27
    fit, stop, other = (rows_for(name, n, rng) for n in (n, 9, 20))
    fast = trained(compiled, MODELS[name], fit, stop, call=name)
    assert fast.trainer == "compiled"
    assert_same(fast, expected(MODELS[name], fit, stop, SETTINGS), stop.x)
    traced, reused = compiled.n_traced, compiled.n_reused
    trained(compiled, MODELS[name], other, stop, call=name)
    again = trained(compiled, MODELS[name], fit, stop, call=name)
    assert again.curves == fast.curves, "something of another fold was left behind"
    assert (compiled.n_traced, compiled.n_reused) == (traced, reused + 2)


@pytest.mark.parametrize("patience", [None, 1])
def test_weighted_rows_and_no_stop_rows(patience, compiled):
    rng = np.random.default_rng(2)
    weight = rng.uniform(0.1, 3.0, size=27).astype(np.float32)
    plain = rows_for("dense", 27, rng)
    fit = Rows(x=plain.x, y=plain.y, weight=weight)
    stop = rows_for("dense", 9, rng) if patience else None
    settings = TrainingSettings(epochs=3, batch_size=10, patience=patience)
    fast = trained(compiled, MODELS["dropout"], fit, stop, settings)
    assert_same(fast, expected(MODELS["dropout"], fit, stop, settings), plain.x)
    first = TrainingSettings(epochs=1, batch_size=10)
    unweighted = expected(MODELS["dropout"], plain, None, first)
    assert unweighted.curves["loss"][0] != pytest.approx(fast.curves["loss"][0], rel=1e-3)


VARIANTS = {
    "learning rate": (
        lambda: sequential(dense(), optimizer=keras.optimizers.Adam(0.01)),
        lambda: sequential(dense(), optimizer=keras.optimizers.Adam(0.2)),
    ),
    "momentum": (
        lambda: sequential(dense(), optimizer=keras.optimizers.SGD(0.1, momentum=0.3)),
        lambda: sequential(dense(), optimizer=keras.optimizers.SGD(0.1, momentum=0.9)),
    ),
    "betas": (
        lambda: sequential(dense(), optimizer=keras.optimizers.Adam(0.1, beta_1=0.3)),
        lambda: sequential(dense(), optimizer=keras.optimizers.Adam(0.1, beta_1=0.9)),
    ),
    "rho": (
        lambda: sequential(dense(), optimizer=keras.optimizers.RMSprop(0.1, rho=0.3)),
        lambda: sequential(dense(), optimizer=keras.optimizers.RMSprop(0.1, rho=0.9)),
    ),
    "decay": (
        lambda: sequential(
            dense(), optimizer=keras.optimizers.SGD(schedules.InverseTimeDecay(0.5, 1, 0.1))
        ),
        lambda: sequential(
            dense(), optimizer=keras.optimizers.SGD(schedules.InverseTimeDecay(0.5, 1, 2.0))
        ),
    ),
    "weight decay": (
        lambda: sequential(dense(), optimizer=keras.optimizers.AdamW(0.1, weight_decay=0.01)),
        lambda: sequential(dense(), optimizer=keras.optimizers.AdamW(0.1, weight_decay=0.8)),
    ),
    "dropout rate": (
        lambda: sequential(dense(8), layers.Dropout(0.1)),
        lambda: sequential(dense(8), layers.Dropout(0.7)),
    ),
    "noise": (
        lambda: sequential(layers.GaussianNoise(0.1), dense()),
        lambda: sequential(layers.GaussianNoise(0.9), dense()),
    ),
    "penalty": (
        lambda: sequential(dense(kernel_regularizer=keras.regularizers.L2(0.01))),
        lambda: sequential(dense(kernel_regularizer=keras.regularizers.L2(1.0))),
    ),
    "betas, one of them zero": (
        lambda: sequential(dense(), optimizer=keras.optimizers.Adam(0.1, beta_1=0.0)),
        lambda: sequential(dense(), optimizer=keras.optimizers.Adam(0.1, beta_1=0.9)),
    ),
    "initializer": (
        lambda: sequential(dense(kernel_initializer="he_normal")),
        lambda: sequential(dense(kernel_initializer="ones")),
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_trace_is_reused_with_the_other_models_numbers(name, compiled):
    rng = np.random.default_rng(3)
    fit, stop = rows_for(name, 27, rng), rows_for(name, 9, rng)
    one, other = VARIANTS[name]
    first = trained(compiled, one, fit, stop, FEW_STEPS, call=f"{name} 1")
    traced, reused = compiled.n_traced, compiled.n_reused
    second = trained(compiled, other, fit, stop, FEW_STEPS, call=f"{name} 2")
    assert (compiled.n_traced, compiled.n_reused) == (traced, reused + 1)
    assert_same(second, expected(other, fit, stop, FEW_STEPS), stop.x)
    assert first.curves["loss"] != second.curves["loss"]


def closing_over(factor):
    def loss(y_true, y_pred):
        return factor * keras.ops.mean((y_true - y_pred) ** 2, axis=-1)

    return loss


DIFFERENT = {
    "layers": (lambda: sequential(dense()), lambda: sequential(dense(), dense())),
    "activation": (
        lambda: sequential(layers.Dense(4, activation="relu")),
        lambda: sequential(layers.Dense(4, activation="tanh")),
    ),
    "no dropout": (
        lambda: sequential(dense(), layers.Dropout(0.0)),
        lambda: sequential(dense(), layers.Dropout(0.5)),
    ),
    "no momentum": (optimizer("SGD", momentum=0.0), optimizer("SGD", momentum=0.5)),
    "optimizer": (optimizer("Adam"), optimizer("Adagrad")),
    "clipping": (optimizer("SGD", clipnorm=0.1), optimizer("SGD", clipnorm=0.01)),
    "loss": (
        lambda: sequential(dense(), loss="binary_crossentropy"),
        lambda: sequential(dense(), loss="mse"),
    ),
    "a number the loss closes over": (
        lambda: sequential(dense(), loss=closing_over(1.0)),
        lambda: sequential(dense(), loss=closing_over(3.0)),
    ),
    "an argument of a custom layer": (
        lambda: sequential(dense(), Scale(1.0)),
        lambda: sequential(dense(), Scale(3.0)),
    ),
    "frozen layer": (
        lambda: sequential(dense(trainable=True)),
        lambda: sequential(dense(trainable=False)),
    ),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_models_that_differ_otherwise_do_not_share_a_trace(name, program_key):
    keys = [program_key(create()) for create in (*DIFFERENT[name], DIFFERENT[name][0])]
    assert keys[0] == keys[2]
    assert keys[0] != keys[1]


class OwnTrainStep(keras.Sequential):
    """A model with a training step of its own."""

    def train_step(self, data):
        return super().train_step(data)


class OwnMetrics(keras.Sequential):
    """A model with metrics that no metric object holds."""

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return {**super().compute_metrics(x, y, y_pred, sample_weight), "own": 1.0}


class Unrepeatable(layers.Layer):
    """Draws random numbers that no seed of a model decides."""

    def call(self, inputs, training=False):
        import tensorflow as tf

        return inputs + tf.random.normal((1,)) if training else inputs


def noisy(x):
    return x + np.random.normal()  # noqa: NPY002


def of_class(kind):
    model = kind([keras.Input((6,)), layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    return model


class OwnWeights(keras.Sequential):
    """A model that trains its last layer alone."""

    @property
    def trainable_weights(self):
        return self.layers[-1].trainable_weights


class Finalizing(keras.optimizers.SGD):
    """An optimizer that has the last word on the weights."""

    def finalize_variable_values(self, var_list):
        for one in var_list:
            one.assign(0.5 * one)


class Counting(keras.metrics.Metric):
    """A metric that counts on over the epochs."""

    def __init__(self):
        super().__init__(name="seen")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count.assign_add(1.0)

    def result(self):
        return self.count

    def reset_state(self):
        pass


def averaging():
    inner = keras.optimizers.SGD(0.3, use_ema=True)
    return sequential(dense(), optimizer=keras.optimizers.LossScaleOptimizer(inner))


FALLBACKS = {
    "its own trainable_weights": lambda: of_class(OwnWeights),
    "its own finalize_variable_values": lambda: sequential(dense(), optimizer=Finalizing(0.3)),
    "a metric of it counts on": lambda: sequential(dense(), metrics=[Counting()]),
    "the optimizer averages weights": averaging,
    "its own train_step": lambda: of_class(OwnTrainStep),
    "its own compute_metrics": lambda: of_class(OwnMetrics),
    "run_eagerly": lambda: sequential(dense(), run_eagerly=True),
    "draws random numbers": lambda: sequential(Unrepeatable()),
    "random numbers from Python or NumPy": lambda: sequential(layers.Dense(4, noisy)),
    "use_ema": optimizer("Adam", use_ema=True),
}


@pytest.mark.usefixtures("_eager_loop")
@pytest.mark.parametrize("reason", FALLBACKS)
def test_what_cannot_be_compiled_runs_on_the_loop_and_says_why(reason):
    rng = np.random.default_rng(6)
    fit, stop = rows_for("dense", 27, rng), rows_for("dense", 9, rng)
    result = trained(CompiledTrainer(), FALLBACKS[reason], fit, stop)
    assert result.trainer == "loop"
    assert reason in result.note
    assert np.isfinite(result.curves["loss"]).all()
    plain = trained(LoopTrainer(), FALLBACKS[reason], fit, stop)
    if not reason.startswith(("draws", "random")):
        np.testing.assert_equal(result.curves, plain.curves)


class Remembering(layers.Layer):
    """Adds what it was before: nothing in its first pass, whoever makes that, and then one."""

    def build(self, shape):
        self.state = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs):
        outputs = inputs + self.state
        self.state.assign(1.0)
        return outputs


class Growing(keras.losses.Loss):
    """Greater with each call; Keras does not know of its variable."""

    def __init__(self):
        super().__init__()
        self.calls = keras.Variable(0.0, trainable=False)

    def call(self, y_true, y_pred):
        self.calls.assign_add(1.0)
        return self.calls * keras.ops.mean((y_true - y_pred) ** 2, axis=-1)


class Drawing(Unrepeatable):
    """Draws, and does nothing with it."""

    def call(self, inputs, training=False):
        return inputs + 0 * super().call(inputs, training)


@pytest.mark.parametrize(
    ("rows", "stack", "loss", "trainer"),
    [
        ("dense", lambda: [Remembering(), Drawing()], None, "loop"),
        ("dense", lambda: [Remembering()], Growing, "loop"),
        (
            "conv1d",
            lambda: [layers.Conv1D(2, 2, padding="causal"), layers.SimpleRNN(2, dropout=0.3)],
            None,
            "compiled",
        ),
    ],
    ids=["no program", "a loss that counts", "a program of fixed shape"],
)
def test_a_trace_that_is_given_up_leaves_the_model_as_it_was(rows, stack, loss, trainer):
    rng = np.random.default_rng(12)
    fit, stop = rows_for(rows, 27, rng), rows_for(rows, 9, rng)

    def create():
        given = {"loss": loss()} if loss else {}
        return sequential(*stack(), shape=fit.x.shape[1:], **given)

    result = trained(CompiledTrainer(), create, fit, stop)
    assert result.trainer == trainer
    assert_same(result, expected(create, fit, stop, SETTINGS), stop.x)


def test_several_outputs_share_a_program_whatever_the_number_of_rows():
    rng, name = np.random.default_rng(13), "several-inputs-and-outputs"
    fit, stop = rows_for(name, 27, rng), rows_for(name, 9, rng)
    compiled = CompiledTrainer()
    for call in ("one", "other"):
        assert trained(compiled, MODELS[name], fit, stop, call=call).trainer == "compiled"
    assert (compiled.n_traced, compiled.n_reused) == (1, 1)


def test_models_of_one_call_are_told_apart_too():
    """A function that draws its architecture may return another one for the next fold."""
    rng = np.random.default_rng(9)
    fit, stop = rows_for("dense", 27, rng), rows_for("dense", 9, rng)
    compiled = CompiledTrainer()
    for create in (MODELS["dense"], MODELS["dropout"], lambda: sequential(dense())):
        fast = trained(compiled, create, fit, stop, FEW_STEPS)
        assert_same(fast, expected(create, fit, stop, FEW_STEPS), stop.x)
    assert compiled.n_traced == 3


def test_batch_size_and_epochs_need_no_new_trace(compiled):
    rng = np.random.default_rng(7)
    fit, stop = rows_for("dense", 27, rng), rows_for("dense", 9, rng)
    trained(compiled, MODELS["dropout"], fit, stop)
    traced = compiled.n_traced
    for batch_size, epochs in [(14, 3), (27, 2), (10, 1)]:
        settings = TrainingSettings(epochs=epochs, batch_size=batch_size, patience=2)
        fast = trained(compiled, MODELS["dropout"], fit, stop, settings)
        assert_same(fast, expected(MODELS["dropout"], fit, stop, settings), stop.x)
    assert compiled.n_traced == traced


@pytest.mark.parametrize("name", ["metrics", "several-inputs-and-outputs"])
def test_more_stop_rows_than_one_pass_takes_come_in_several(name, monkeypatch):
    rng = np.random.default_rng(14)
    fit, stop = rows_for(name, 28, rng), rows_for(name, 27, rng)
    few = TrainingSettings(epochs=3, batch_size=7, patience=1)
    compiled, curves = CompiledTrainer(), []
    for passes in (1, 3):
        monkeypatch.setattr(program, "FORWARD_ROWS", 27 // passes)
        fast = trained(compiled, MODELS[name], fit, stop, few, call=passes)
        assert fast.trainer == "compiled"
        assert compiled.n_traced == len(curves) + 1
        curves.append(fast.curves)
    assert curves[0].keys() == curves[1].keys()
    for entry in curves[0].keys() - {"val_rate"}:  # a rate of batches
        np.testing.assert_allclose(*(known[entry] for known in curves), rtol=1e-5, err_msg=entry)


@pytest.mark.parametrize("trainer", [CompiledTrainer, LoopTrainer])
@pytest.mark.parametrize("name", ["Adam", "SGD", "RMSprop", "Nadam", "LossScaleOptimizer"])
def test_a_training_leaves_no_graph_behind(name, trainer):
    graphs = []

    def loss(y, outputs):
        if not tf.executing_eagerly():
            graphs.append(weakref.ref(tf.compat.v1.get_default_graph()))
        return keras.losses.mean_squared_error(y, outputs)

    def create():
        given = [keras.optimizers.SGD()] if name == "LossScaleOptimizer" else []
        return sequential(dense(), optimizer=getattr(keras.optimizers, name)(*given), loss=loss)

    fit = rows_for("dense", 9, np.random.default_rng(10))
    settings = TrainingSettings(epochs=1, batch_size=8)
    trained_by = trained(trainer(), create, fit, None, settings).trainer
    assert trained_by == ("loop" if trainer is LoopTrainer else "compiled")
    gc.collect()
    assert graphs
    assert not any(graph() for graph in graphs)


def test_an_exploding_loss_ends_training_on_both():
    rng = np.random.default_rng(8)
    fit = rows_for("dense", 27, rng)

    def linear():
        model = keras.Sequential([keras.Input((6,)), layers.Dense(4), layers.Dense(1)])
        model.compile(optimizer=keras.optimizers.SGD(1e30), loss="mse")
        return model

    for trainer in (CompiledTrainer(), LoopTrainer()):
        result = trained(trainer, linear, fit, None, TrainingSettings(epochs=30, batch_size=8))
        assert result.epochs < 30
        assert not np.isfinite(result.curves["loss"][-1])
