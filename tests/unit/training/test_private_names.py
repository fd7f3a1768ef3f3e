"""Private names of Keras and TensorFlow: seen in Keras 3.15 and TensorFlow 2.21, and done without.

Where a test of the names fails under a newer version, `backend` works on with the public way, more
slowly; the name, or its successor, then belongs into `backend` again.
"""

import collections
import os
import subprocess
import sys
import types

import numpy as np
import pytest

from gpsearch.training import backend, mlp, thread_pool
from gpsearch.training.backend import import_keras, import_tensorflow
from gpsearch.training.compiled.program_key import architecture_key
from gpsearch.training.compiled.updates import apply_update
from gpsearch.training.seeding import seeded

keras = import_keras()
tf = import_tensorflow()


def network(**given):
    return mlp(n_neurons=4, input_shape=(3,), n_outputs=1, target_kind="binary", **given)


class Block(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.parts = [keras.layers.Dense(2), {"drop": keras.layers.Dropout(0.5)}]
        self.dense = keras.layers.Dense(2)

    def call(self, x):
        return self.dense(self.parts[1]["drop"](self.parts[0](x)))


MODELS = {
    "sequential": network,
    "functional": lambda: keras.Model(x := keras.Input((3,)), keras.layers.Dense(2)(x)),
    "nested": lambda: keras.Sequential([keras.Input((3,)), network(), Block()]),
    "wrapped": lambda: keras.Sequential([keras.layers.Bidirectional(keras.layers.LSTM(2))]),
}


@pytest.mark.parametrize("name", MODELS)
def test_layers_without_the_private_name(name, monkeypatch):
    model, other = MODELS[name](), MODELS[name]()
    private = backend.layers_of(model)
    monkeypatch.delattr(keras.layers.Layer, "_flatten_layers")
    public = backend.layers_of(model)
    assert {id(layer) for layer in private} <= {id(layer) for layer in public}
    assert len({id(layer) for layer in public}) == len(public)
    assert [type(layer) for layer in public] == [type(layer) for layer in backend.layers_of(other)]


def test_keras_draws_anew_where_its_own_seeding_leaves_its_generator(monkeypatch):
    """As Keras's does before 3.13."""
    state, plain = keras.src.backend.common.global_state, keras.utils.set_random_seed

    def older(seed):
        kept = state.get_global_attribute("global_seed_generator")
        plain(seed)
        state.set_global_attribute("global_seed_generator", kept)

    monkeypatch.setattr(keras.utils, "set_random_seed", older)
    drawn = []
    for seed in (101, 102, 101):
        with seeded(seed):
            drawn.append(float(keras.random.uniform(())))
    assert drawn[0] == drawn[2] != drawn[1]


@pytest.mark.parametrize("scheduled", [True, False])
def test_the_learning_rate_without_the_private_name(scheduled):
    schedule = keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 0.5)

    class Public:
        """An optimizer that keeps its learning rate under another name."""

        kept = schedule if scheduled else None
        learning_rate = keras.Variable(0.2)

        def __init__(self):
            self.given = self.kept

    optimizer = keras.optimizers.SGD(schedule if scheduled else 0.2)
    assert (backend.learning_rate_of(optimizer) is schedule) == scheduled
    assert (backend.learning_rate_of(Public()) is schedule) == scheduled
    if not scheduled:
        assert float(backend.learning_rate_of(optimizer)) == pytest.approx(0.2)
        assert float(backend.learning_rate_of(Public())) == pytest.approx(0.2)


def test_compile_arguments_without_the_private_name():
    """The key of a program reads the parts of a model, not these."""
    one, other = network(), network()
    assert backend.compile_arguments(one) is not None
    key = architecture_key(one)
    for model in (one, other):
        del model._compile_config
        assert backend.compile_arguments(model) is None
    assert architecture_key(one) == architecture_key(other)
    assert key is not None


def test_steps_without_the_private_names(monkeypatch):
    model, x, y = network(), np.ones((2, 3), np.float32), np.ones((2, 1), np.float32)
    assert model._call_has_training_arg
    outputs = backend.outputs_of(model, x, training=True)
    loss = float(backend.loss_of(model, (x, y, None), outputs, training=True))
    monkeypatch.delattr(type(model)._compute_loss.__globals__["Trainer"], "_compute_loss")
    del model._call_has_training_arg
    assert np.allclose(backend.outputs_of(model, x, training=True), outputs)
    assert float(backend.loss_of(model, (x, y, None), outputs, training=True)) == loss


def test_the_last_layer_without_the_private_name():
    model = network()
    assert backend.last_layer(model) is model.layers[-1]

    class Public:
        layers = (1, 2)
        outputs = (3,)

    assert backend.last_layer(Public()) == 2
    Public.outputs = None
    assert backend.last_layer(Public()) is None


@pytest.mark.parametrize("name", ["Adam", "RMSprop", "Adadelta"])
def test_a_step_without_the_private_names(name, monkeypatch):
    """Keras's own step, of the same outcome."""
    stepped = []
    for known in (True, False):
        given = {"momentum": 0.9} if name == "RMSprop" else {}
        variable = keras.Variable(np.array([1.0, -2.0], np.float32))
        optimizer = getattr(keras.optimizers, name)(0.1, **given)
        optimizer.build([variable])
        if not known:
            monkeypatch.setattr("gpsearch.training.compiled.updates.slots_of", lambda *_: None)
        for _ in range(3):
            apply_update(optimizer, [tf.constant([0.5, -0.1])], [variable])
        assert int(optimizer.iterations) == 3
        stepped.append(variable.numpy())
    assert stepped[0] == pytest.approx(stepped[1], rel=1e-6)


@pytest.mark.parametrize("name", ["Adam", "RMSprop", "Adadelta"])
@pytest.mark.parametrize("trained", [[1], [0, 2], [2, 0, 1]])
def test_a_step_takes_the_slots_of_the_variables_that_are_trained(name, trained):
    """Layers were frozen since an optimizer was built, or it was built in another order."""
    given = {"momentum": 0.9} if name == "RMSprop" else {}
    stepped = []
    for taken in (apply_update, lambda optimizer, *step: optimizer.apply(*step)):
        variables = [keras.Variable(np.ones(2, np.float32)) for _ in range(3)]
        optimizer = getattr(keras.optimizers, name)(0.1, **given)
        optimizer.build(variables)
        first = [tf.constant([slope, -slope]) for slope in (0.5, 3.0, -0.2)]
        optimizer.apply(first, variables)  # slots that differ
        gradients = [tf.constant([0.5, -0.1])] * len(trained)
        taken(optimizer, gradients, [variables[i] for i in trained])
        stepped.append([variable.numpy() for variable in variables])
    np.testing.assert_allclose(*stepped, rtol=1e-6)


def test_dropout_without_the_private_module(monkeypatch):
    """A new rate has its own program then."""

    def keys():
        return {architecture_key(network(drop_rate=rate)) for rate in (0.1, 0.3)}

    assert hasattr(backend.random_module(), "dropout")
    assert len(keys()) == 1
    monkeypatch.setattr("gpsearch.training.compiled.inputs.random_module", types.SimpleNamespace)
    assert len(keys()) == 2


def test_the_names_are_those_of_this_version():
    model = network()
    model.optimizer.build(model.trainable_variables)
    with seeded(210):  # TensorFlow keeps a seed from the first on
        assert backend._eager_context() is not None
        assert backend._notices_draws()
    attention = keras.layers.MultiHeadAttention(2, 3)
    assert all(
        hasattr(attention, name) for name in backend.ATTENTION_SIZES + backend.ATTENTION_NUMBERS
    )
    one, *others = model.trainable_variables
    assert len(backend.slots_of(model.optimizer, "momentums", [*others, one])) == 1 + len(others)
    unknown = network().trainable_variables
    assert backend.slots_of(model.optimizer, "momentums", [one, *unknown[1:]]) is None
    assert backend.slots_of(model.optimizer, "unheard_of", [one]) is None
    before = dict(vars(model.optimizer))
    with backend.summing_nothing(model.optimizer), backend.summing_nothing(types.SimpleNamespace()):
        assert vars(model.optimizer) != before
    assert vars(model.optimizer) == before
    assert set(backend.compile_arguments(model)) >= {"optimizer", "loss", "metrics"}
    assert type(backend.name_counts()) in (dict, collections.defaultdict)
    assert backend.name_counts() is backend.name_counts()


@pytest.mark.parametrize(("name", "unknown"), [("_eager_context", None), ("_notices_draws", False)])
def test_a_seed_is_set_without_the_private_names(monkeypatch, name, unknown):
    monkeypatch.setattr(backend, name, lambda: unknown)
    drawn = []
    for _ in range(2):
        with seeded(211):
            drawn.append(float(tf.random.uniform(())))
    assert drawn[0] == drawn[1]


def test_a_graph_runs_without_the_private_executor(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow.python.eager.context", None)
    with backend.graph_options(one_thread=True):
        assert int(tf.function(lambda: tf.constant(2) + 1)()) == 3
    assert backend._eager_context() is None


class Threads:
    """TensorFlow's ``config.threading``, of a runtime that may be in use."""

    def __init__(self, chosen: int = 0, *, in_use: bool = False) -> None:
        self.chosen, self.in_use = chosen, in_use

    def get_inter_op_parallelism_threads(self) -> int:
        return self.chosen

    def set_inter_op_parallelism_threads(self, number: int) -> None:
        if self.in_use:
            raise RuntimeError("cannot be modified after initialization")
        self.chosen = number


@pytest.mark.parametrize(
    ("threads", "environment", "expected"),
    [
        (Threads(), {}, 64),  # TensorFlow is imported, as by the user's `import keras`, and unused
        (Threads(2), {}, 2),  # the user's choice
        (Threads(), {"TF_NUM_INTEROP_THREADS": "3"}, 0),  # likewise; TensorFlow reads it
        (Threads(in_use=True), {}, 0),
    ],
)
def test_the_pool_nests_loops_unless_it_was_chosen(monkeypatch, threads, environment, expected):
    monkeypatch.delenv("TF_NUM_INTEROP_THREADS", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(thread_pool, "_cores", lambda: 64)
    thread_pool.widen_pool(threads)
    assert threads.chosen == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="of Linux")
def test_a_script_that_imports_keras_first_trains_in_one_thread():
    script = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "import keras, numpy as np, gpsearch as gs\n"
        "X = np.random.default_rng(0).normal(size=(40, 3)).astype('float32')\n"
        "objective = gs.KerasCV(gs.mlp, X, X[:, 0], cv=2, epochs=1)\n"
        "import tensorflow as tf\n"
        "from gpsearch.training.thread_pool import pool_takes\n"
        "print(objective.evaluate({}, seed=0).folds[0].trainer)\n"
        "print(pool_takes(tf.config.threading, 3))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={k: v for k, v in os.environ.items() if k != "TF_NUM_INTEROP_THREADS"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == ["compiled", "True"]


def test_names_are_counted_nowhere_without_the_private_module(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras.src.backend.common.global_state", None)
    assert dict(backend.name_counts()) == {}
