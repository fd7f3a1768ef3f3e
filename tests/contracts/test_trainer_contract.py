"""What every trainer keeps to: the stopping rule, the weights it leaves, and repeatability."""

import numpy as np
import pytest

from gpsearch.training.backend import import_keras, seeded
from gpsearch.training.compiled.compiled_trainer import CompiledTrainer
from gpsearch.training.loop import LoopTrainer
from gpsearch.training.trainer import Rows, Training, TrainingSettings

pytestmark = pytest.mark.usefixtures("_optimized_graphs")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype(np.float32)
Y = (X[:, 0] + 0.5 * RNG.normal(size=60) > 0).astype(np.int32)
FIT, STOP = Rows(x=X[:40], y=Y[:40]), Rows(x=X[40:], y=Y[40:])


def network():
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
            optimizer=keras.optimizers.Adam(0.05), loss="binary_crossentropy", metrics=["accuracy"]
        )
    return model


class TrainerContract:
    """Inherited by each trainer."""

    def train(self, settings, *, stop=STOP, seed=1, fit=FIT):
        training = Training(fit=fit, stop=stop, settings=settings, seed=seed)
        return self.trainer.train(network(), training, built_by="network")

    def test_stops_when_patience_is_spent_and_keeps_the_best_epoch(self):
        result = self.train(TrainingSettings(epochs=60, batch_size=8, patience=3))
        losses = result.curves["val_loss"]
        assert result.best_epoch == int(np.argmin(losses)) + 1
        assert result.epochs == min(result.best_epoch + 3, 60) < 60

    def test_leaves_the_weights_of_the_best_epoch(self):
        result = self.train(TrainingSettings(epochs=60, batch_size=8, patience=3))
        p = np.asarray(result.predict(STOP.x), np.float64)[:, 0]
        loss = -np.mean(np.where(STOP.y == 1, np.log(p), np.log1p(-p)))
        assert loss == pytest.approx(min(result.curves["val_loss"]), rel=1e-4)
        accuracy = result.curves["val_accuracy"][result.best_epoch - 1]
        assert np.mean((p > 0.5) == STOP.y) == pytest.approx(accuracy)

    def test_without_stop_rows_every_epoch_runs(self):
        result = self.train(TrainingSettings(epochs=3, batch_size=8), stop=None)
        assert (result.best_epoch, result.epochs) == (3, 3)
        assert set(result.curves) == {"loss", "accuracy"}

    def test_curves_have_one_value_for_each_epoch(self):
        result = self.train(TrainingSettings(epochs=4, batch_size=7, patience=4))
        assert set(result.curves) == {"loss", "val_loss", "accuracy", "val_accuracy"}
        assert {len(curve) for curve in result.curves.values()} == {result.epochs}

    def test_same_seed_same_curves_other_seed_other_curves(self):
        settings = TrainingSettings(epochs=3, batch_size=8, patience=3)
        first, again, other = (self.train(settings, seed=seed) for seed in (1, 1, 2))
        assert first.curves == again.curves
        assert first.curves["loss"] != other.curves["loss"]

    def test_a_batch_of_all_rows_and_a_batch_of_one(self):
        for batch_size in (40, 1):
            result = self.train(TrainingSettings(epochs=1, batch_size=batch_size, patience=1))
            assert np.isfinite(result.curves["loss"]).all()


class TestLoopTrainer(TrainerContract):
    trainer = LoopTrainer()


class TestCompiledTrainer(TrainerContract):
    trainer = CompiledTrainer()

    def test_it_was_the_program_that_was_tested(self):
        settings = TrainingSettings(epochs=1, batch_size=8, patience=1)
        assert self.train(settings).trainer == "compiled"
