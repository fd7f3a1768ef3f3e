"""A program serves a model only where plain Keras would train it alike, and harms nothing."""

import functools
import logging
import os
import sys
import types

import numpy as np
import pytest
from sklearn.utils.fixes import parse_version

from gpsearch.training.backend import import_keras, import_tensorflow, name_counts
from gpsearch.training.compiled import compiled_trainer
from gpsearch.training.compiled import program as programs
from gpsearch.training.compiled.compiled_trainer import CompiledTrainer
from gpsearch.training.compiled.model_state import ModelState
from gpsearch.training.compiled.program_key import Architecture, architecture_key
from gpsearch.training.loop import LoopTrainer
from gpsearch.training.seeding import seeded
from gpsearch.training.trainer import Rows, Training, TrainingSettings

keras = import_keras()
layers, ops = keras.layers, keras.ops
schedules = keras.optimizers.schedules

SETTINGS = TrainingSettings(epochs=2, batch_size=12, patience=2)
FACTOR = 1.0
constants = types.SimpleNamespace(factor=1.0)
module = types.ModuleType("module_of_a_test")

# Keras's own code meets NumPy 2.4 here.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def rows(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5)).astype(np.float32)
    return Rows(x=x, y=(x[:, 0] + rng.normal(size=n) > 0).astype(np.float32)[:, None])


FIT, STOP = rows(24, 0), rows(8, 1)


def net(activation="tanh", loss="mse", optimizer=None, layer=None, metrics=None, **dense):
    """One layer, and one of a test's own; each more takes a tenth of a second in every trace."""
    own = [layer] if layer is not None else []
    model = keras.Sequential([keras.Input((5,)), layers.Dense(1, activation, **dense), *own])
    model.compile(optimizer or keras.optimizers.SGD(0.3), loss, metrics=metrics)
    return model


def trained(trainer, model, call="", seed=3, stop=STOP):
    training = Training(fit=FIT, stop=stop, settings=SETTINGS, seed=seed)
    return trainer.train(model, training, built_by=call)


def expected(model, stop=STOP):
    """What plain Keras gives, without a graph: a few steps are over before one is traced."""
    model.run_eagerly = True
    return trained(LoopTrainer(), model, stop=stop)


def build(make, *arguments):
    name_counts().clear()  # layers are named alike in each build
    with seeded(5):
        return make(*arguments)


def fit_plainly(model):
    """A step of plain Keras, untraced and without a pipeline: of its objects it is the same use."""
    model.run_eagerly = True
    model.train_on_batch(FIT.x, FIT.y)


def assert_same(one, other):
    assert one.curves.keys() == other.curves.keys()
    for name, curve in other.curves.items():
        np.testing.assert_allclose(one.curves[name], curve, rtol=1e-4, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(one.predict(STOP.x), other.predict(STOP.x), rtol=1e-4, atol=1e-5)


def squared(y_true, y_pred, factor):
    return factor * ops.mean((y_true - y_pred) ** 2, axis=-1)


def closing_over(value):
    return lambda x: ops.leaky_relu(x, value)


def closing_over_tensor(value):
    tensor = import_tensorflow().constant(value)
    return lambda x: x * tensor


def keyword_only(value):
    def loss(y_true, y_pred, *, factor=value):
        return squared(y_true, y_pred, factor)

    return loss


class Loss(keras.losses.Loss):
    def __init__(self, held):
        super().__init__()
        self._held = held

    def factor(self):
        return self._held

    def call(self, y_true, y_pred):
        return squared(y_true, y_pred, self.factor())


class ListLoss(Loss):
    def factor(self):
        return self._held[1]


class Weights:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value

    def loss(self, y_true, y_pred):
        return squared(y_true, y_pred, self.value)


def global_loss(y_true, y_pred):
    return squared(y_true, y_pred, FACTOR)


def module_loss(y_true, y_pred):
    return squared(y_true, y_pred, module.factor)


def with_global(value):
    global FACTOR
    FACTOR = value
    return net(loss=global_loss)


def with_module(value):
    module.factor = value
    return net(loss=module_loss)


def with_epsilon(value):
    keras.config.set_epsilon(value)
    return net(loss="mean_squared_logarithmic_error")  # of outputs that are at least epsilon


class Penalty(keras.regularizers.Regularizer):
    def __init__(self, value):
        self._value = value

    def __call__(self, x):
        return self._value * ops.sum(ops.square(x))


class Bound(keras.constraints.Constraint):
    def __init__(self, value):
        self._value = value

    def __call__(self, w):
        return ops.clip(w, -self._value, self._value)


class Start(keras.initializers.Initializer):
    def __init__(self, value):
        self._value = value

    def __call__(self, shape, dtype=None):
        return ops.full(shape, self._value, dtype)


class Decay(schedules.LearningRateSchedule):
    def __init__(self, value):
        self._value = value

    def __call__(self, step):
        return 0.5 * self._value ** ops.cast(step, "float32")


class Momentum(keras.optimizers.SGD):
    def __init__(self, value):
        super().__init__(0.3)
        self._scale = value

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient * self._scale, variable, learning_rate)


class Scale(layers.Layer):
    def __init__(self, value):
        super().__init__()
        self._value = value

    def call(self, x):
        return x * self._value


class OfClass(layers.Layer):
    value = 1.0

    def call(self, x):
        return x * self.value


def of_class(value):
    return type("Made", (OfClass,), {"value": value})()


class AtInference(layers.Layer):
    def __init__(self, value):
        super().__init__()
        self._value = value

    def call(self, x, training=False):
        return x if training else x * self._value


class Rate(keras.metrics.Metric):
    def __init__(self, value):
        super().__init__(name="rate")
        self._value = value
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(self._value * ops.sum(y_pred))

    def result(self):
        return self.total


class Network(keras.Model):
    def __init__(self, value):
        super().__init__()
        self._value = value
        self.first, self.last = layers.Dense(4, "tanh"), layers.Dense(1, "sigmoid")

    def call(self, x):
        return self.last(self.first(x) * self._value)


def subclassed(value):
    model = Network(value)
    model.compile(keras.optimizers.SGD(0.3), "mse")
    model(FIT.x[:1])
    return model


def changed_afterwards(value):
    model = net()
    model.layers[0].activation = closing_over(value)
    return model


def with_another_call(value):
    layer = layers.Dense(1, use_bias=False)
    layer.call = lambda x, training=False: value * ops.matmul(x, layer.kernel)
    return net(layer=layer)


class Chosen(layers.Layer):
    """Two like layers, of which the one in a set counts more."""

    def __init__(self, value):
        super().__init__()
        self.parts = [layers.Dense(1) for _ in range(2)]
        self.chosen = {self.parts[value]}

    def call(self, x):
        return sum(part(x) * (5.0 if part in self.chosen else 0.5) for part in self.parts)


class Named(keras.Model):
    """Two like layers, of which the one of a name counts more."""

    def __init__(self, names):
        super().__init__()
        self.parts = [layers.Dense(1, name=name) for name in names]

    def call(self, x):
        return self.get_layer("small")(x) + 5.0 * self.get_layer("large")(x)


def named(value):
    model = Named(["large", "small"] if value else ["small", "large"])
    model(FIT.x[:1])
    model.compile(keras.optimizers.SGD(0.3), "mse")
    return model


def with_excluded(value):
    names = ["kept", "left"] if value else ["left", "kept"]
    parts = [layers.Dense(3, name=names[0]), layers.Dense(3, name=names[1])]
    optimizer = keras.optimizers.Muon(0.1, exclude_layers=["left"])
    return net(layer=keras.Sequential(parts), optimizer=optimizer, loss=squared_sum)


def squared_sum(y_true, y_pred):
    return ops.sum((y_true - y_pred) ** 2, axis=-1)


KINDS = {
    "member of a set": (lambda v: net(layer=Chosen(v)), 0, 1),
    "name of a layer": (named, 0, 1),
    "layers that an optimizer leaves out": (with_excluded, 0, 1),
    "slope an activation closes over": (lambda v: net(closing_over(v)), 0.0, 0.9),
    "tensor an activation closes over": (lambda v: net(closing_over_tensor(v)), 0.2, 2.0),
    "lambda layer": (lambda v: net(layer=layers.Lambda(lambda x: x * v)), 0.2, 2.0),
    "partial": (lambda v: net(loss=functools.partial(squared, factor=v)), 1.0, 6.0),
    "keyword-only default": (lambda v: net(loss=keyword_only(v)), 1.0, 6.0),
    "private attribute": (lambda v: net(loss=Loss(v)), 1.0, 6.0),
    "list": (lambda v: net(loss=ListLoss([0.0, v])), 1.0, 6.0),
    "array": (lambda v: net(loss=ListLoss(np.array([0.0, v], "float32"))), 1.0, 6.0),
    "bound method of an object with slots": (lambda v: net(loss=Weights(v).loss), 1.0, 6.0),
    "global": (with_global, 1.0, 6.0),
    "attribute of a module": (with_module, 1.0, 6.0),
    "setting of Keras": (with_epsilon, 1e-7, 0.2),
    "regularizer": (lambda v: net(kernel_regularizer=Penalty(v)), 0.01, 1.0),
    "constraint": (lambda v: net(kernel_constraint=Bound(v)), 0.01, 2.0),
    "schedule": (lambda v: net(optimizer=keras.optimizers.SGD(Decay(v))), 0.9, 0.1),
    "optimizer": (lambda v: net(optimizer=Momentum(v)), 1.0, 0.1),
    "layer": (lambda v: net(layer=Scale(v)), 0.2, 3.0),
    "class attribute": (lambda v: net(layer=of_class(v)), 0.2, 3.0),
    "layer at inference": (lambda v: net(layer=AtInference(v)), 1.0, 3.0),
    "metric": (lambda v: net(metrics=[Rate(v)]), 1.0, 3.0),
    "subclassed model": (subclassed, 0.2, 3.0),
    "changed after construction": (changed_afterwards, 0.0, 0.9),
    "another method in an object": (with_another_call, 0.2, 3.0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_that_keras_does_not_describe_makes_another_architecture(kind, program_key):
    make, *values = KINDS[kind]
    epsilon = keras.config.epsilon()
    try:
        first, second, again = (program_key(build(make, v)) for v in (*values, values[1]))
    finally:
        keras.config.set_epsilon(epsilon)
    assert first != second
    assert second == again


# Those that do otherwise in training, in a step of the optimizer, and on stop rows, which are given
# where they show it.
TRAINED = {
    "global": None,
    "setting of Keras": None,
    "optimizer": None,
    "layer at inference": STOP,
    "metric": STOP,
    "subclassed model": STOP,
}


METRIC = pytest.param(
    "metric",
    marks=pytest.mark.skipif(
        parse_version(keras.__version__) < parse_version("3.15"),
        reason="a metric that returns its variable is trained on the loop",
    ),
)


@pytest.mark.parametrize("kind", [*(kind for kind in TRAINED if kind != "metric"), METRIC])
def test_a_number_that_keras_does_not_describe_is_not_taken_from_another_model(kind):
    make, first, second = KINDS[kind]
    epsilon, stop = keras.config.epsilon(), TRAINED[kind]
    compiled = CompiledTrainer()
    try:
        trained(compiled, build(make, first), call="first", stop=stop)
        after = trained(compiled, build(make, second), call="second", stop=stop)
        assert after.trainer == "compiled"
        assert (compiled.n_traced, compiled.n_reused) == (2, 0)
        assert_same(after, expected(build(make, second), stop))
        again = trained(compiled, build(make, second), call="second", stop=stop)
        assert (compiled.n_traced, compiled.n_reused) == (2, 1)
        assert again.curves == after.curves
    finally:
        keras.config.set_epsilon(epsilon)


class FromOutside(layers.Layer):
    def call(self, x):
        return x * float(os.getenv("FACTOR_OF_A_TEST"))


def test_what_code_reads_from_outside_is_not_taken_from_another_model(monkeypatch):
    compiled = CompiledTrainer()
    for value in ("0.2", "3.0"):
        monkeypatch.setenv("FACTOR_OF_A_TEST", value)
        after = trained(compiled, build(lambda: net(layer=FromOutside())))
        assert_same(after, expected(build(lambda: net(layer=FromOutside()))))


class Untold(keras.Model):
    """Its layers are not told whether it is training, so that nothing is dropped."""

    def __init__(self):
        super().__init__()
        self.drop, self.last = layers.Dropout(0.8), layers.Dense(1, "sigmoid")

    def call(self, x):
        return self.last(self.drop(x))


class TrainingLoss(Untold):
    def compute_loss(self, x, target, predicted, weight, training=True):
        return super().compute_loss(x, target, predicted) + 5.0 * training


class Halving(keras.optimizers.SGD):
    def apply_gradients(self, grads_and_vars):
        return super().apply_gradients([(0.5 * grad, one) for grad, one in grads_and_vars])


class Asking(layers.Layer):
    def __init__(self):
        super().__init__()
        self.drop = layers.Dropout(0.5)

    def call(self, x, training=False):
        return self.drop(x if isinstance(self.drop.rate, float) else 9.0 * x, training=training)


def subclass(kind):
    model = kind()
    model.compile(keras.optimizers.SGD(0.3), "mse")
    model(FIT.x[:1])
    return model


def with_a_step_of_its_own():
    optimizer = keras.optimizers.Adam(0.1)
    step = optimizer.update_step
    optimizer.update_step = lambda grad, one, rate: step(grad, one, 0.1 * rate)
    return net(optimizer=optimizer)


OWN = {
    "call without training": lambda: subclass(Untold),
    "loss that knows of training": lambda: subclass(TrainingLoss),
    "apply_gradients": lambda: net(optimizer=Halving(0.3)),
    "step of one optimizer": with_a_step_of_its_own,
    "type of a number": lambda: net(layer=Asking()),
}


@pytest.mark.parametrize("kind", OWN)
def test_code_of_ones_own_is_called_as_keras_calls_it(kind):
    result = trained(CompiledTrainer(), build(OWN[kind]))
    assert result.trainer == "compiled"
    assert_same(result, expected(build(OWN[kind])))


def test_rates_within_a_loss_scale_share_a_program():
    def scaled(rate):
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(rate))
        return net(layer=OfClass(), optimizer=optimizer)

    compiled = CompiledTrainer()
    for rate in (0.3, 0.01):
        result = trained(compiled, build(scaled, rate), call=str(rate))
        assert_same(result, expected(build(scaled, rate)))
    assert (compiled.n_traced, compiled.n_reused) == (1, 1)


def test_the_first_program_of_code_of_ones_own_is_held_against_keras(monkeypatch):
    monkeypatch.setattr(programs, "apply_update", lambda *_: None)
    result = trained(CompiledTrainer(), build(OWN["apply_gradients"]))
    assert result.trainer == "loop"
    assert "would train otherwise in a program" in result.note
    assert_same(result, expected(build(OWN["apply_gradients"])))


def test_initial_weights_of_ones_own_need_no_trace_of_their_own():
    compiled = CompiledTrainer()
    for value in (0.1, 0.5):
        model = build(lambda v: net(kernel_initializer=Start(v)), value)
        result = trained(compiled, model, call=str(value))
        assert_same(result, expected(build(lambda v: net(kernel_initializer=Start(v)), value)))
    assert compiled.n_traced == 1


@pytest.mark.parametrize("loss", ["mse", keras.losses.Huber(0.5), ["mse"]])
def test_a_loss_that_was_called_once_needs_no_trace_of_its_own(loss):
    """An estimator looks whether the loss can compare the output with y."""
    fresh, called = (build(net, "tanh", loss) for _ in range(2))
    called.compute_loss(x=FIT.x, y=FIT.y, y_pred=called(FIT.x))
    assert architecture_key(called) == architecture_key(fresh) is not None


def test_a_model_that_cannot_be_described_has_a_program_of_its_own():
    def make():
        return net(layer=Scale(iter([2.0]).__next__))

    class Scale(layers.Layer):
        def __init__(self, source):
            super().__init__()
            self._source = source

        def call(self, x):
            return x * 2.0

    compiled = CompiledTrainer()
    results = [trained(compiled, build(make)) for _ in range(2)]
    assert (compiled.n_traced, compiled.n_reused) == (2, 0)
    assert results[0].curves == results[1].curves


WITNESSED = ["slope an activation closes over", "schedule", "layer at inference", METRIC]


@pytest.mark.parametrize("kind", WITNESSED)
def test_a_witness_catches_what_the_description_misses(kind, monkeypatch, caplog):
    alike = Architecture("all alike", False)
    monkeypatch.setattr(compiled_trainer, "architecture_key", lambda model, **_: alike)
    monkeypatch.setattr(compiled_trainer, "has_free_sizes", lambda model: False)
    make, first, second = KINDS[kind]
    compiled, stop = CompiledTrainer(), TRAINED.get(kind)
    with caplog.at_level(logging.WARNING, "gpsearch"):
        trained(compiled, build(make, first), call="first", stop=stop)
        results = [trained(compiled, build(make, second), c, stop=stop) for c in ("b", "b", "c")]
        oracle = expected(build(make, second), stop)
        for result in results:
            np.testing.assert_allclose(result.curves["loss"], oracle.curves["loss"], rtol=1e-4)
        assert_same(results[-1], oracle)
    assert (compiled.n_traced, compiled.n_reused) == (3, 1)
    assert [record.getMessage()[:18] for record in caplog.records] == ["Two configurations"]


def ordinary():
    own = [layers.Dropout(0.3), layers.BatchNormalization(), layers.Dense(1, "relu")]
    return net("relu", "mse", keras.optimizers.Adam(0.01), keras.Sequential(own))


ALIKE = {
    "dropout, batch normalization and Adam": ordinary,
    "noise": lambda: net(layer=layers.GaussianNoise(0.2), metrics=["accuracy"]),
    "a learning rate far too large": lambda: net(optimizer=keras.optimizers.SGD(1e30)),
    "penalty": lambda: net(kernel_regularizer="l1", optimizer="rmsprop"),
}


@pytest.mark.parametrize("name", ALIKE)
def test_a_witness_changes_nothing_and_raises_no_false_alarm(name, monkeypatch):
    witnessed, alone = CompiledTrainer(), CompiledTrainer()
    for call in ("first", "second", "third"):
        with_witness = trained(witnessed, build(ALIKE[name]), call=call, seed=len(call))
        monkeypatch.setattr(compiled_trainer, "difference", lambda *_: "")
        without = trained(alone, build(ALIKE[name]), call=call, seed=len(call))
        monkeypatch.undo()
        np.testing.assert_equal(with_witness.curves, without.curves)
        np.testing.assert_array_equal(with_witness.predict(STOP.x), without.predict(STOP.x))
    assert (witnessed.n_traced, witnessed.n_reused) == (1, 2)


def test_a_witness_puts_the_model_and_the_streams_back():
    compiled = CompiledTrainer()
    trained(compiled, build(ordinary), call="first")
    (program,) = compiled._programs.values()
    model = build(ordinary)
    before = [variable.numpy() for variable in model.variables]
    drawn = np.random.get_state()[2]  # noqa: NPY002
    state = ModelState.of(model)
    told = compiled_trainer.difference(
        program, model, state, Training(fit=FIT, stop=STOP, settings=SETTINGS, seed=3)
    )
    assert told == ""
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert all(not np.any(v.numpy()) for v in model.optimizer.variables if v.ndim)
    assert int(model.optimizer.iterations.numpy()) == 0
    assert np.random.get_state()[2] == drawn  # noqa: NPY002


def frozen():
    base = keras.Sequential([keras.Input((1,)), layers.Dense(1, activity_regularizer="l2")])
    base.add(layers.Dropout(0.3))
    base.trainable = False
    return base


SHARED = {
    "regularizer": (lambda: keras.regularizers.L2(0.5), lambda o: net(kernel_regularizer=o)),
    "activity": (lambda: keras.regularizers.L1(0.1), lambda o: net(activity_regularizer=o)),
    "schedule": (
        lambda: schedules.InverseTimeDecay(0.5, 1, 0.5),
        lambda o: net(optimizer=keras.optimizers.SGD(o)),
    ),
    "dropout": (lambda: layers.Dropout(0.5, seed=1), lambda o: net(layer=o)),
    "noise": (lambda: layers.GaussianNoise(0.5, seed=1), lambda o: net(layer=o)),
    "activation": (lambda: layers.LeakyReLU(0.3), lambda o: net(activation=o)),
    "frozen base": (frozen, lambda o: net(layer=o)),
    "initializer": (lambda: keras.initializers.HeNormal(1), lambda o: net(kernel_initializer=o)),
}


def content(thing, depth=3):
    """Attributes by name, also of the objects in them."""
    if isinstance(thing, list | tuple):
        return [content(part, depth) for part in thing]
    if depth == 0 or not hasattr(thing, "__dict__"):
        return thing if isinstance(thing, bool | int | float | str | None) else type(thing)
    books = ("_inbound_nodes", "_outbound_nodes", "_losses")
    return {k: content(v, depth - 1) for k, v in vars(thing).items() if k not in books}


@pytest.mark.parametrize("name", SHARED)
def test_an_object_that_all_models_share_stays_as_it_was(name):
    make, use = SHARED[name]
    shared, other = build(make), build(make)
    for thing in (shared, other):  # plain Keras too keeps books in what it uses
        fit_plainly(build(use, thing))
    before = content(shared)
    compiled = CompiledTrainer()
    for call in ("first", "second"):
        result = trained(compiled, build(use, shared), call=call)
        assert result.trainer == "compiled"
        assert content(shared) == before
        assert not getattr(shared, "losses", [])
        assert_same(result, expected(build(use, other)))
    fit_plainly(build(use, shared))


def test_choices_of_a_space_share_a_program():
    choices = [keras.regularizers.L2(0.05), keras.regularizers.L2(1.0)]
    compiled = CompiledTrainer()
    for chosen in (0, 1, 0):
        result = trained(
            compiled,
            build(net_of := lambda i: net(kernel_regularizer=choices[i]), chosen),
            call=str(chosen),
        )
        assert_same(result, expected(build(net_of, chosen)))
    assert compiled.n_traced == 1
    assert [choice.l2 for choice in choices] == [0.05, 1.0]


@pytest.mark.usefixtures("_eager_loop")
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("name", ["regularizer", "schedule", "dropout", "frozen base"])
def test_a_trace_that_ends_early_leaves_objects_and_classes_as_they_were(name, error, monkeypatch):
    make, use = SHARED[name]
    shared = make()
    model = build(use, shared)
    before, classes = content(shared), {k: dict(vars(k)) for k in type(shared).__mro__}
    plain = programs.Program._step

    def interrupted(self, batch):
        plain(self, batch)
        raise error

    monkeypatch.setattr(programs.Program, "_step", interrupted)
    if error is KeyboardInterrupt:
        with pytest.raises(KeyboardInterrupt):
            trained(CompiledTrainer(), model)
    else:
        assert trained(CompiledTrainer(), model).trainer == "loop"
    assert content(shared) == before
    assert {k: dict(vars(k)) for k in classes} == classes
    fit_plainly(build(use, shared))


def test_another_thread_reads_the_objects_of_a_model_that_is_traced(monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    shared = keras.regularizers.L2(0.5)
    read = []
    plain = programs.Program._step

    def step(self, batch):
        with ThreadPoolExecutor(1) as other:
            read.append(other.submit(lambda: shared.l2).result())
        return plain(self, batch)

    monkeypatch.setattr(programs.Program, "_step", step)
    trained(CompiledTrainer(), build(lambda: net(kernel_regularizer=shared)))
    assert read == [0.5] * len(read)
    assert read


sys.modules[module.__name__] = module
