"""Training in one compiled program for each architecture, and on the plain loop where not.

The programs are kept between folds and between configurations, so that a search pays for
tracing once for each architecture it meets again.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Hashable
from contextlib import AbstractContextManager
from typing import Any

from gpsearch.data.rows import Parts, is_text, named_parts
from gpsearch.phases import phase
from gpsearch.training.backend import import_keras, optimizers_of
from gpsearch.training.compiled.description import root
from gpsearch.training.compiled.model_state import ModelState
from gpsearch.training.compiled.program import CannotCompileError, Program, in_one_pass
from gpsearch.training.compiled.program_key import Architecture, architecture_key
from gpsearch.training.compiled.sizes import has_free_columns, has_free_sizes
from gpsearch.training.compiled.witness import difference
from gpsearch.training.loop import LoopTrainer
from gpsearch.training.trainer import TrainedFold, Training

logger = logging.getLogger("gpsearch")

# Programs kept, each a few megabytes; the one that was used longest ago goes first.
KEPT_PROGRAMS = 32

TEXT = "X holds text, which a layer of the model reads"

# Methods that Keras calls during training, and that a program would bypass.
_OWN_METHODS = ["fit", "evaluate", "train_step", "test_step", "make_train_function"]
_OWN_METHODS += ["compute_metrics", "get_metrics_result", "metrics", "reset_metrics"]
_OWN_METHODS += ["trainable_weights", "trainable_variables"]


class CompiledTrainer:
    """Trains each fold in a program that is traced once for each architecture."""

    def __init__(self) -> None:
        self.n_traced = 0  # programs
        self.n_reused = 0  # folds that were trained in a program traced before
        # By key: a program, or why there can be none.
        self._programs: OrderedDict[Hashable, Program | str] = OrderedDict()
        # Keys of models that turned out to differ: each configuration has its own program.
        self._unlike: set[Hashable] = set()
        # Keys of models that a program of free shape does not serve.
        self._of_fixed_size: set[Hashable] = set()
        # A program trains in its own variables: one fold at a time.
        self.lock: AbstractContextManager[Any] = threading.RLock()

    def train(self, model: Any, training: Training, *, built_by: Hashable) -> TrainedFold:
        """Train `model`; see `Trainer.train`."""
        with self.lock:
            found = self._program_for(model, training, built_by)
            if isinstance(found, str):
                return LoopTrainer(reason=found).train(model, training, built_by=built_by)
            program, state = found
            return program.run(model, state, training)

    def __reduce__(self) -> Any:
        """Without its programs, which belong to the process that traced them."""
        return CompiledTrainer, ()

    def _program_for(
        self, model: Any, training: Training, built_by: Hashable
    ) -> tuple[Program, ModelState] | str:
        """The program for a model with the model's state, or why there can be none."""
        reason = why_not(model)
        if reason:
            return reason
        if any(is_text(part) for _, part in named_parts(training.fit.x)):
            return TEXT
        try:
            state = ModelState.of(model)
        except Exception as error:  # a kind of optimizer may have no one learning rate
            return f"the model's numbers cannot be read ({_first_line(error)})"
        configuration = (built_by, state.learning_rate, state.values.tobytes())
        free = self._free_key(model, training)
        found = self._programs.get(free)
        if isinstance(found, Program) and configuration in found.served:
            self._use_again(free)
        else:
            architecture = architecture_key(model)  # now, for what follows builds its optimizer
            found = None if free is None else self._of_any_size(free, model, state, training)
            if found is None:
                found = self._of_its_size(architecture, configuration, model, state, training)
        if isinstance(found, str):
            return found
        found.served.add(configuration)
        return found, state

    def _free_key(self, model: Any, training: Training) -> Hashable:
        """The key of a program that serves models of any size; None where none serves this one."""
        architecture = architecture_key(model, free=True) if has_free_sizes(model) else None
        if architecture is None:
            return None
        key = (architecture, True, *_signatures(training, has_free_columns(model)))
        return None if key in self._of_fixed_size else key

    def _of_any_size(
        self, key: Hashable, model: Any, state: ModelState, training: Training
    ) -> Program | None:
        """The program for models of any size; None, from now on, where sizes cannot be open."""
        shared = self._programs.get(key)
        if not isinstance(shared, Program):
            traced = self._traced(model, training, free=True, checked=True)
            if isinstance(traced, Program):
                self._keep(key, traced)
                return traced
        elif not _difference(shared, model, state, training):
            self._use_again(key)
            return shared
        self._of_fixed_size.add(key)
        self._programs.pop(key, None)
        return None

    def _of_its_size(
        self,
        architecture: Architecture | None,
        configuration: Hashable,
        model: Any,
        state: ModelState,
        training: Training,
    ) -> Program | str:
        """The program for models of one architecture and size, or why there can be none."""
        rows = _signatures(training, free_columns=False)
        key: Hashable = (architecture or configuration, False, *rows)
        shared = self._programs.get(key)
        if isinstance(shared, Program) and configuration not in shared.served:
            told = "" if key in self._unlike else _difference(shared, model, state, training)
            if told:
                self._keep_apart(key, told)
        apart = key in self._unlike
        if apart:
            key = (key, configuration)
        found = self._programs.get(key)
        if found is not None:
            self._use_again(key)
            return found
        checked = apart or architecture is None or architecture.own_code
        found = self._traced(model, training, free=False, checked=checked)
        if isinstance(found, str) or architecture is not None:
            self._keep(key, found)
        return found

    def _keep(self, key: Hashable, found: Program | str) -> None:
        self._programs[key] = found
        while len(self._programs) > KEPT_PROGRAMS:
            self._programs.popitem(last=False)

    def _use_again(self, key: Hashable) -> None:
        self._programs.move_to_end(key)
        self.n_reused += isinstance(self._programs[key], Program)

    def _keep_apart(self, key: Hashable, told: str) -> None:
        """Mark a key as that of models that differ, and say so once."""
        self._unlike.add(key)
        logger.warning(
            "Two configurations have models that look alike but train differently (%s), so "
            "each configuration is compiled by itself, which takes longer. Numbers that "
            "differ between models are seen where they are attributes of layers, losses or "
            "other objects, arguments of functions, or globals.",
            told,
        )

    @phase("tracing")
    def _traced(self, model: Any, training: Training, free: bool, checked: bool) -> Program | str:
        """A program whose host is `model`, or why there can be none; `checked` against Keras."""
        try:
            program = Program(model, training.fit, training.stop, free=free)
            if checked and (told := difference(program, model, ModelState.of(model), training)):
                said = "depends on its sizes" if free else "would train otherwise in a program"
                return f"the model {said} ({told})"
        except CannotCompileError as error:
            return f"the model cannot be compiled whole, as {error}"
        except Exception as error:  # a trace runs the user's code, and Keras's, in a new way
            return f"the model cannot be traced whole ({_first_line(error)})"
        self.n_traced += 1
        return program


def _difference(program: Program, model: Any, state: ModelState, training: Training) -> str:
    try:
        return difference(program, model, state, training)
    except Exception as error:  # the user's code is run step by step, which it may not take
        return f"a step outside of a graph raised {_first_line(error)}"


def why_not(model: Any) -> str:
    """Why a compiled model can only be trained on the plain loop, in one clause; "" else."""
    keras = import_keras()
    if keras.backend.backend() != "tensorflow":
        return f"programs need the TensorFlow backend, not {keras.backend.backend()}"
    for method in _OWN_METHODS:
        shared = getattr(type(model), method) is getattr(keras.Model, method)
        if not shared or method in vars(model):
            return f"the model has its own {method}"
    if model.run_eagerly:
        return "the model was compiled with run_eagerly=True"
    if model.optimizer is None:
        return "the model was compiled without an optimizer"
    for optimizer in optimizers_of(model):
        if getattr(optimizer, "use_ema", False):
            return "the optimizer averages weights (use_ema=True)"
        finalize = getattr(optimizer, "finalize_variable_values", None)
        if finalize is not None and root(finalize.__module__) != "keras":
            return "the optimizer has its own finalize_variable_values"
    if keras.config.floatx() == "float64":
        return "floatx is float64, and programs are fed float32"
    limits = [getattr(keras.config, name, None) for name in ("max_epochs", "max_steps_per_epoch")]
    if any(limit is not None and limit() is not None for limit in limits):
        return "keras.config limits the epochs or the steps"
    return ""


def _signatures(training: Training, free_columns: bool) -> tuple[Any, ...]:
    """Types and shapes of the rows, but for their number, and that of columns where it is free."""

    def shapes(parts: Parts, first: int) -> Any:
        named = named_parts(parts)
        return tuple((name, part.shape[first:], str(part.dtype)) for name, part in named)

    signatures = [
        rows and (shapes(rows.x, 1 + free_columns), shapes(rows.y, 1), rows.weight is None)
        for rows in (training.fit, training.stop)
    ]
    return *signatures, training.stop and in_one_pass(training.stop)


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__
