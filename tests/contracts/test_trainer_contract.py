"""What every trainer keeps to: the stopping rule, the weights it leaves, and repeatability."""

from typing import ClassVar

import numpy as np
import pytest

from gpsearch.training.backend import import_keras
from gpsearch.training.compiled.compiled_trainer import CompiledTrainer
from gpsearch.training.loop import LoopTrainer
from gpsearch.training.seeding import seeded
from gpsearch.training.trainer import Rows, Training, TrainingSettings

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype(np.float32)
Y = (X[:, 0] + 0.5 * RNG.normal(size=60) > 0).astype(np.int32)
FIT, STOP = Rows(x=X[:40], y=Y[:40]), Rows(x=X[40:], y=Y[40:])


def network(**options):
    keras = import_keras()
    with seeded(11):
        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(16, activation="relu"),
                keras.layers.Dropout(0.2),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
        model.compile(
            optimizer=keras.optimizers.Adam(0.05),
            loss="binary_crossentropy",
            metrics=["accuracy"],
            **options,
        )
    return model


class TrainerContract:
    """Inherited by each trainer."""

    few_steps: ClassVar = {}  # options of `compile` with which they take the least time

    def train(self, settings, *, stop=STOP, seed=1, fit=FIT, **options):
        training = Training(fit=fit, stop=stop, settings=settings, seed=seed)
        return self.trainer.train(network(**options), training, built_by="network")

    def test_stops_when_patience_is_spent_and_leaves_the_weights_of_the_best_epoch(self):
        result = self.train(TrainingSettings(epochs=60, batch_size=7, patience=3))
        assert set(result.curves) == {"loss", "val_loss", "accuracy", "val_accuracy"}
        assert {len(curve) for curve in result.curves.values()} == {result.epochs}
        losses = result.curves["val_loss"]
        assert result.best_epoch == int(np.argmin(losses)) + 1
        assert result.epochs == min(result.best_epoch + 3, 60) < 60
        p = np.asarray(result.predict(STOP.x), np.float64)[:, 0]
        loss = -np.mean(np.where(STOP.y == 1, np.log(p), np.log1p(-p)))
        assert loss == pytest.approx(min(losses), rel=1e-4)
        accuracy = result.curves["val_accuracy"][result.best_epoch - 1]
        assert np.mean((p > 0.5) == STOP.y) == pytest.approx(accuracy)

    def test_without_stop_rows_every_epoch_runs(self):
        result = self.train(TrainingSettings(epochs=3, batch_size=20), stop=None, **self.few_steps)
        assert (result.best_epoch, result.epochs) == (3, 3)
        assert set(result.curves) == {"loss", "accuracy"}

    def test_same_seed_same_curves_other_seed_other_curves(self):
        settings = TrainingSettings(epochs=2, batch_size=20, patience=3)
        first, again, other = (
            self.train(settings, seed=seed, **self.few_steps) for seed in (1, 1, 2)
        )
        assert first.curves == again.curves
        assert first.curves["loss"] != other.curves["loss"]

    def test_a_batch_of_all_rows_and_a_batch_of_one(self):
        for batch_size in (6, 1):
            settings = TrainingSettings(epochs=1, batch_size=batch_size, patience=1)
            result = self.train(settings, fit=Rows(x=X[:6], y=Y[:6]), **self.few_steps)
            assert np.isfinite(result.curves["loss"]).all()


class TestLoopTrainer(TrainerContract):
    trainer = LoopTrainer()
    few_steps: ClassVar = {"run_eagerly": True}  # over before a graph is traced


class TestCompiledTrainer(TrainerContract):
    trainer = CompiledTrainer()

    def test_it_was_the_program_that_was_tested(self):
        settings = TrainingSettings(epochs=1, batch_size=8, patience=1)
        assert self.train(settings).trainer == "compiled"
